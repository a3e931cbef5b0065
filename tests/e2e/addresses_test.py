#!/usr/bin/env python3
"""Aliases, catch-alls, plus addressing and international domains, by the command line and SMTP."""

import json
import smtplib
import unittest

from base import PASSWORD, E2eTest, message, plain_response, smtp_session, trusting_tls


class Addresses(E2eTest):
    def rcpt(self, address, parameters=""):
        with smtp_session(self.gateway) as raw:
            raw.smtp("MAIL FROM:<s@remote.example>" + parameters)
            raw.send(f"RCPT TO:<{address}>\r\n".encode())
            return raw.smtp_reply()

    def count(self, *users):
        return [len(self.inbox(user)) for user in users]

    def deliver(self, *addresses):
        self.empty()
        with self.gateway.smtp() as client:
            client.sendmail("s@remote.example", addresses, message())

    def test_one_to_many_nested_each_once(self):
        self.gateway.cli("alias", "add", "all@example.net", "team@example.net", "alice@example.net")
        self.gateway.cli("alias", "add", "team@example.net", "alice@example.net",
                         "bob@example.net")
        self.deliver("all@example.net", "bob@example.net")
        self.wait_for(lambda: self.count("alice", "bob", "carol") == [1, 1, 0], "copies")
        listed = json.loads(self.gateway.cli("alias", "list", "--json").stdout)["aliases"]
        self.assertIn({"address": "all@example.net",
                       "targets": ["alice@example.net", "team@example.net"]}, listed)
        circle = self.gateway.cli("alias", "add", "team@example.net", "all@example.net",
                                  check=False)
        self.assertEqual(circle.returncode, 1)
        self.assertIn("circle", circle.stderr)
        self.gateway.cli("alias", "remove", "all@example.net")
        self.assertRegex(self.rcpt("all@example.net"), r"^550 5\.1\.1 ")

    def test_international_domains_as_people_write_them(self):
        self.gateway.cli("domain", "add", "Müller.example")
        self.assertIn("xn--mller-kva.example", self.gateway.cli("domain", "list").stdout)
        self.gateway.cli("user", "add", "max@müller.example", "--password-stdin",
                         stdin=PASSWORD + "\n")
        self.assertRegex(self.rcpt("max@xn--mller-kva.example"), "^250 ")
        self.assertRegex(self.rcpt("max@MÜLLER.example", " SMTPUTF8"), "^250 ")
        for name in ("max@müller.example", "max@xn--mller-kva.example"):
            with smtp_session(self.gateway, "submission") as raw:
                self.assertRegex(raw.smtp("AUTH PLAIN " + plain_response(name)), "^235 ")
        self.gateway.cli("user", "remove", "max@müller.example", "--yes")
        self.gateway.cli("domain", "remove", "müller.example")

    def test_plus_addressing(self):
        self.deliver("carol+shopping@example.net")
        self.assertEqual(self.count("carol"), [1])

    def test_alias_domain_and_catch_all(self):
        self.gateway.cli("domain", "add", "old.example")
        self.gateway.cli("alias", "add", "@old.example", "@example.net")
        self.deliver("bob@old.example")
        self.assertEqual(self.count("bob"), [1])
        self.assertRegex(self.rcpt("nobody@old.example"), r"^550 5\.1\.1 ")
        self.gateway.cli("alias", "add", "@example.net", "carol@example.net")
        self.deliver("nobody@old.example", "alice@example.net")
        self.wait_for(lambda: self.count("alice", "carol") == [1, 1], "copies")
        self.gateway.cli("alias", "remove", "@example.net")
        self.assertNotEqual(self.gateway.cli("domain", "remove", "old.example",
                                             check=False).returncode, 0)
        self.gateway.cli("alias", "remove", "@old.example")
        self.gateway.cli("domain", "remove", "old.example")

    def test_international_domain(self):
        self.gateway.cli("domain", "add", "xn--bcher-kva.example")
        self.gateway.cli("alias", "add", "leser@bücher.example", "alice@example.net")
        self.assertRegex(self.rcpt("leser@bücher.example", " SMTPUTF8"), "^250 ")
        self.assertRegex(self.rcpt("leser@xn--bcher-kva.example"), "^250 ")
        self.assertRegex(self.rcpt("leser@bücher.example"), r"^553 5\.6\.7 ")

    def rewrite(self, *arguments):
        self.gateway.cli("rewrite", "add", *arguments)
        sender = [word for word in arguments if word == "--sender"]
        source = [word for word in arguments if word != "--sender"][0]
        self.addCleanup(self.gateway.cli, "rewrite", "remove", *sender, source)

    def test_recipients_are_rewritten(self):
        self.assertRegex(self.rcpt("bob@merged.example"), "^550 ")
        self.rewrite("@merged.example", "@example.net")
        self.rewrite("*-info@example.net", "$1@example.net")
        self.deliver("bob-info@merged.example")
        self.assertEqual(self.count("alice", "bob"), [0, 1])
        tried = self.gateway.cli("rewrite", "test", "bob-info@merged.example").stdout
        self.assertEqual(tried, "bob-info@merged.example -> bob-info@example.net -> "
                                "bob@example.net\n")
        rules = json.loads(self.gateway.cli("rewrite", "list", "--json").stdout)["rules"]
        self.assertIn({"of": "recipient", "from": "@merged.example", "to": "@example.net"}, rules)
        circle = self.gateway.cli("rewrite", "add", "@example.net", "@merged.example", check=False)
        self.assertEqual(circle.returncode, 1)
        self.assertIn("circle", circle.stderr)

    def test_senders_are_rewritten(self):
        self.rewrite("--sender", "*@*.lan.example", "$1@example.net")
        self.empty()
        with smtplib.SMTP("127.0.0.1", self.gateway.ports["submission"], timeout=60) as client:
            client.starttls(context=trusting_tls())
            client.login("bob@example.net", PASSWORD)
            client.sendmail("bob@pc.lan.example", ["alice@example.net"],
                            message(sender="Bob <bob@pc.lan.example>"))
            with self.assertRaises(smtplib.SMTPSenderRefused):
                client.sendmail("alice@pc.lan.example", ["alice@example.net"], message())
        [arrived] = self.inbox() + self.inbox(mailbox="Junk")
        self.assertTrue(arrived.startswith(b"Return-Path: <bob@example.net>"))
        self.assertIn(b"\r\nFrom: Bob <bob@example.net>\r\n", arrived)

    def test_bad_usage(self):
        for arguments, code in ((("add", "nonsense", "alice@example.net"), 65),
                                (("add", "a@elsewhere.example", "alice@example.net"), 1),
                                (("remove", "nothing@example.net"), 1), (("add", "a@b.c"), 64)):
            done = self.gateway.cli("alias", *arguments, check=False)
            self.assertEqual(done.returncode, code, done.stderr)


if __name__ == "__main__":
    unittest.main()
