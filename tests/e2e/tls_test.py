#!/usr/bin/env python3
"""One TLS policy for every protocol: certificates by name, ALPN, versions, resumption, reload."""

import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest

from base import E2eTest, Raw

IMPLICIT = {"submissions": "smtp", "imaps": "imap", "pop3s": "pop3"}
STARTTLS = {"smtp": ("smtp", b"EHLO c.example\r\nSTARTTLS\r\n", b"220 2.0.0"),
            "submission": ("smtp", b"EHLO c.example\r\nSTARTTLS\r\n", b"220 2.0.0"),
            "imap": ("imap", b"a STARTTLS\r\n", b"a OK"),
            "pop3": ("pop3", b"STLS\r\n", b"+OK Start TLS")}


def make_certificate(folder, name, *alternatives):
    """PEM certificate and key for the names, self-signed."""
    paths = f"{folder}/{name}.pem", f"{folder}/{name}.key"
    names = ",".join(f"DNS:{each}" for each in (name, *alternatives))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", f"subjectAltName={names}", "-out", paths[0], "-keyout", paths[1]],
                   check=True, capture_output=True)
    return paths


def der(path):
    with open(path, encoding="ascii") as file:
        return ssl.PEM_cert_to_DER_cert(file.read())


class Tls(E2eTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="postern-tls-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.first = make_certificate(cls.folder, "mx.example.net")
        cls.other = make_certificate(cls.folder, "reseller.example", "*.reseller.example")
        cls.settings = (f"tls:\n  certificate: {cls.first[0]}\n  key: {cls.first[1]}\n"
                        f"  more: {{{cls.other[0]}: {cls.other[1]}}}\n")
        super().setUpClass()

    def connect(self, service, name=None, alpn=None, session=None, context=None):
        """A TLS socket to a service, by its own way."""
        context = context or self.context(alpn)
        port = self.gateway.ports[service]
        if service in IMPLICIT:
            plain = socket.create_connection(("127.0.0.1", port), timeout=20)
        else:
            raw = Raw(port)
            _, ask, go = STARTTLS[service]
            raw.line()
            raw.send(ask)
            line = raw.line()
            while line and not line.startswith(go):
                line = raw.line()
            self.assertTrue(line, f"{service} did not say {go}")
            plain = raw.socket
        return context.wrap_socket(plain, server_hostname=name, session=session)

    @staticmethod
    def context(alpn=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if alpn:
            context.set_alpn_protocols(alpn)
        return context

    def test_each_name_gets_its_certificate(self):
        first, other = der(self.first[0]), der(self.other[0])
        expected = {None: first, "mx.example.net": first, "unknown.example": first,
                    "reseller.example": other, "imap.reseller.example": other,
                    "a.b.reseller.example": first}
        for service in (*IMPLICIT, *STARTTLS):
            for name, certificate in expected.items():
                with self.subTest(service=service, name=name), \
                        self.connect(service, name) as secure:
                    self.assertEqual(secure.getpeercert(binary_form=True), certificate)

    def test_protocols_that_are_not_ours_are_turned_away(self):
        for service in (*IMPLICIT, *STARTTLS):
            ours = IMPLICIT.get(service) or STARTTLS[service][0]
            with self.subTest(service=service):
                for name in (None, "reseller.example"):
                    with self.connect(service, name, ["h2", ours]) as secure:
                        self.assertEqual(secure.selected_alpn_protocol(), ours)
                    with self.assertRaisesRegex(ssl.SSLError, "(?i)no.application.protocol"):
                        self.connect(service, name, ["h2", "http/1.1"])

    def test_old_versions_are_refused(self):
        for version in (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1):
            context = self.context()
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = version
            with self.assertRaises(ssl.SSLError):
                self.connect("imaps", context=context)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.context()
            context.minimum_version = context.maximum_version = version
            with self.connect("imaps", context=context) as secure:
                self.assertIn(secure.version(), ("TLSv1.2", "TLSv1.3"))

    def test_sessions_are_resumed_on_every_service_and_not_after_a_reload(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.context()
            context.maximum_version = version
            with self.connect("pop3s", "reseller.example", context=context) as secure:
                self.assertFalse(secure.session_reused)
                secure.recv(100)
                session = secure.session
            with self.connect("pop3s", "reseller.example", context=context,
                              session=session) as secure:
                self.assertTrue(secure.session_reused, version)
            self.gateway.reload()

            def forgotten():
                with self.connect("pop3s", "reseller.example", context=context,
                                  session=session) as secure:
                    secure.recv(100)
                    return not secure.session_reused
            self.wait_for(forgotten, "a fresh ticket key")

    def test_a_session_is_for_one_name_and_one_protocol(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.context()
            context.maximum_version = version
            with self.connect("pop3s", "reseller.example", context=context) as secure:
                secure.recv(100)
                session = secure.session
            for service, name, resumed in (("pop3s", "mx.example.net", False),
                                           ("imaps", "reseller.example", False),
                                           ("pop3s", "reseller.example", True)):
                with self.subTest(version=version, service=service, name=name), \
                        self.connect(service, name, context=context, session=session) as secure:
                    self.assertEqual(secure.session_reused, resumed)

    def test_a_reload_with_new_certificates_cuts_no_session(self):
        with self.connect("pop3s") as secure:
            secure.recv(100)
            renewed = make_certificate(self.folder, "renewed.example")
            for old, new in zip(self.first, renewed):
                shutil.copyfile(new, old)
            self.gateway.reload()
            expected = der(renewed[0])

            def changed():
                with self.connect("pop3s") as fresh:
                    return fresh.getpeercert(binary_form=True) == expected
            self.wait_for(changed, "the renewed certificate")
            secure.sendall(b"CAPA\r\n")
            self.assertTrue(secure.recv(100).startswith(b"+OK"))


if __name__ == "__main__":
    unittest.main()
