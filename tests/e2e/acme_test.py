#!/usr/bin/env python3
"""A certificate from an authority by ACME, renewed under open sessions."""

import os
import shutil
import socket
import ssl
import tempfile
import unittest

from acme_server import AcmeServer
from base import E2eTest

NAMES = ["mx.example.net", "autoconfig.example.net"]


class Acme(E2eTest):
    def setUp(self):
        # Each test meets an authority and a data folder that know nothing of each other.
        shutil.rmtree(f"{self.gateway.data}/acme", ignore_errors=True)
        self.gateway.reload()
        self.wait_for(self.is_self_signed, "the self-signed certificate")
        self.authority.challenge_port = self.gateway.ports["http"]
        self.authority.days = 90
        for each in (self.authority.contacts, self.authority.names_issued,
                     self.authority.problems):
            each.clear()

    @classmethod
    def setUpClass(cls):
        if not shutil.which("uacme"):
            raise AssertionError("uacme is missing: ./appliance/install-packages test")
        cls.folder = tempfile.mkdtemp(prefix="postern-acme-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.authority = AcmeServer(cls.folder)
        cls.addClassCleanup(cls.authority.close)
        cls.settings = (f"tls:\n  acme:\n    directory: {cls.authority.url}/directory\n"
                        f"    contact: postmaster@example.net\n    names: [{NAMES[1]}]\n")
        super().setUpClass()

    def is_self_signed(self):
        return self.certificate_finding()["text"].startswith("self-signed")

    def renew(self, *options):
        return self.gateway.cli_json("certificate", "renew", *options)

    def trusted(self):
        """Sessions of clients that trust the authority alone, and ask for each name."""
        context = ssl.create_default_context(cafile=f"{self.folder}/ca.pem")
        for name in NAMES:
            address = ("127.0.0.1", self.gateway.ports["imaps"])
            with socket.create_connection(address, timeout=30) as plain, \
                    context.wrap_socket(plain, server_hostname=name) as secure:
                yield secure.getpeercert(binary_form=True)

    def certificate_finding(self):
        found, = (each for each in self.gateway.cli_json("status")["findings"]
                  if each["area"] == "certificate")
        return found

    def test_it_comes_is_used_and_is_renewed_without_dropping_a_session(self):
        self.assertRaises(ssl.SSLError, lambda: list(self.trusted()))
        self.assertIn("has not come yet", self.certificate_finding()["remedy"])
        first = self.renew()
        self.assertEqual((first["renewed"], first["days_left"]), (True, 89))
        self.assertEqual(self.authority.contacts, [["mailto:postmaster@example.net"]])
        self.assertEqual(self.authority.names_issued, [NAMES])
        shown = list(self.trusted())
        self.assertEqual(len(set(shown)), 1)
        self.assertEqual(self.certificate_finding()["text"], "valid for 89 more days")
        left = os.listdir(f"{self.gateway.data}/acme/.well-known/acme-challenge")
        self.assertEqual(left, [])
        key = os.stat(f"{self.gateway.data}/acme/client/private/mx.example.net/key.pem")
        self.assertEqual(key.st_mode & 0o077, 0)

        with self.gateway.imap("alice") as client:
            self.assertFalse(self.renew()["renewed"], "it is good for long")
            self.assertTrue(self.renew("--force")["renewed"])
            self.assertEqual(client.noop()[0], "OK")
        self.assertNotEqual(list(self.trusted())[0], shown[0])
        self.assertEqual(len(self.authority.contacts), 1, "one account for all")
        # uacme asks whether there is an account before it makes one.
        self.assertEqual([each["detail"] for each in self.authority.problems], ["not made yet"])

    def test_before_it_ends_a_new_one_comes(self):
        self.authority.days = 29
        self.assertTrue(self.renew()["renewed"])
        self.authority.days = 90
        self.assertEqual(self.renew()["days_left"], 89)

    def test_who_does_not_answer_for_the_name_gets_none(self):
        self.authority.challenge_port = self.gateway.ports["smtp"]
        done = self.gateway.cli("certificate", "renew", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("gave no certificate for mx.example.net", done.stderr)
        self.assertIn("port 80", done.stderr)
        self.assertEqual(self.authority.names_issued, [])
        self.assertRaises(ssl.SSLError, lambda: list(self.trusted()))


class NotChosen(E2eTest):
    def test_nobody_is_asked(self):
        done = self.gateway.cli("certificate", "renew", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("tls.acme.directory is empty", done.stderr)
        self.assertEqual(self.gateway.cli("certificate", "renew", "--scheduled").stdout, "")


if __name__ == "__main__":
    unittest.main()
