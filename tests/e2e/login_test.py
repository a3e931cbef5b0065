#!/usr/bin/env python3
"""SCRAM-SHA-256 and -PLUS by SMTP and POP3, and app passwords."""

import base64
import hashlib
import hmac
import imaplib
import os
import re
import smtplib
import subprocess
import unittest

from base import PASSWORD, E2eTest, Raw, plain_response, trusting_tls

USER = "bob@example.net"


def hmac_sha256(key, text):
    return hmac.new(key, text, "sha256").digest()


class Scram:
    """The client's side (RFC 5802), from scratch."""

    def __init__(self, password, header="n,,", binding=b"", user=USER):
        self.password, self.header, self.binding = password, header, binding
        self.nonce = base64.b64encode(os.urandom(18)).decode()
        self.bare = f"n={user},r={self.nonce}"

    def first(self):
        return base64.b64encode((self.header + self.bare).encode()).decode()

    def final(self, challenge):
        server_first = base64.b64decode(challenge).decode()
        fields = dict(part.split("=", 1) for part in server_first.split(","))
        assert fields["r"].startswith(self.nonce)
        self.salt = fields["s"]
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(),
                                     base64.b64decode(fields["s"]), int(fields["i"]))
        client_key = hmac_sha256(salted, b"Client Key")
        bound = base64.b64encode(self.header.encode() + self.binding).decode()
        without_proof = f"c={bound},r={fields['r']}"
        message = f"{self.bare},{server_first},{without_proof}".encode()
        signature = hmac_sha256(hashlib.sha256(client_key).digest(), message)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        self.verdict = b"v=" + base64.b64encode(
            hmac_sha256(hmac_sha256(salted, b"Server Key"), message))
        text = f"{without_proof},p={base64.b64encode(proof).decode()}"
        return base64.b64encode(text.encode()).decode()


class Logins(E2eTest):
    def smtp(self, tls=True):
        raw = Raw(self.gateway.ports["submissions" if tls else "submission"], tls=tls)
        raw.smtp_reply()
        raw.smtp("EHLO client.example")
        return raw

    def exchange(self, raw, scram, mechanism="SCRAM-SHA-256"):
        """The last reply, and whether the server proved that it knows the password."""
        reply = raw.smtp(f"AUTH {mechanism} {scram.first()}")
        if not reply.startswith("334 "):
            return reply, False
        reply = raw.smtp(scram.final(reply[4:]))
        if not reply.startswith("334 "):
            return reply, False
        proven = base64.b64decode(reply[4:]) == scram.verdict
        return raw.smtp(""), proven

    def test_right_and_wrong(self):
        with self.smtp() as raw:
            self.assertRegex(self.exchange(raw, Scram("wrong"))[0], "^535 ")
            self.assertEqual(self.exchange(raw, Scram(PASSWORD))[1], True)
            self.assertRegex(raw.smtp(f"MAIL FROM:<{USER}>"), "^250 ")

    def test_bound_to_the_connection(self):
        with self.smtp() as raw:
            certificate = raw.socket.getpeercert(binary_form=True)
        binding = hashlib.sha256(certificate).digest()
        header = "p=tls-server-end-point,,"
        with self.smtp() as raw:
            reply, proven = self.exchange(raw, Scram(PASSWORD, header, b"x" * 32),
                                          "SCRAM-SHA-256-PLUS")
            self.assertRegex(reply, "^535 ")
            reply, proven = self.exchange(raw, Scram(PASSWORD, header, binding),
                                          "SCRAM-SHA-256-PLUS")
            self.assertRegex(reply, "^235 ")
            self.assertTrue(proven)

    def test_a_downgrade_is_found(self):
        with self.smtp() as raw:
            self.assertRegex(self.exchange(raw, Scram(PASSWORD, "y,,"))[0], "^535 ")

    def test_an_unknown_user_looks_like_a_known_one(self):
        with self.smtp() as raw:
            scram = Scram(PASSWORD)
            scram.bare = scram.bare.replace("bob", "nobody")
            reply = raw.smtp(f"AUTH SCRAM-SHA-256 {scram.first()}")
            self.assertRegex(reply, "^334 ")
            self.assertRegex(raw.smtp(scram.final(reply[4:])), "^535 ")

    def test_unknown_users_have_a_salt_of_their_own_for_ever(self):
        def salt(user):
            with self.smtp() as raw:
                scram = Scram(PASSWORD, user=user)
                scram.final(raw.smtp(f"AUTH SCRAM-SHA-256 {scram.first()}")[4:])
                return scram.salt
        spellings = ({"nobody@example.net", "Nobody@EXAMPLE.net"}, {USER, USER.upper()})
        before = [{salt(user) for user in each} for each in spellings]
        self.assertEqual([len(each) for each in before], [1, 1])
        self.gateway.stop()
        self.gateway.start()
        self.assertEqual([{salt(user) for user in each} for each in spellings], before)

    def test_a_password_in_another_form_of_unicode(self):
        typed, prepared = "pa\u00df\u00a0wo\u0308rt\u00ad", "pa\u00df w\u00f6rt"
        self.gateway.cli("user", "passwd", "carol@example.net", "--password-stdin",
                         stdin=typed + "\n")
        with self.smtp() as raw:
            scram = Scram(prepared, user="carol@example.net")
            self.assertRegex(self.exchange(raw, scram)[0], "^235 ")
        for form in (typed, prepared):
            with self.smtp() as raw:
                self.assertRegex(
                    raw.smtp("AUTH PLAIN " + plain_response("carol@example.net", form)), "^235 ")
        self.gateway.cli("user", "passwd", "carol@example.net", "--password-stdin",
                         stdin=PASSWORD + "\n")

    def test_a_changed_password(self):
        self.gateway.cli("user", "passwd", "carol@example.net", "--password-stdin", stdin="new\n")
        for password, code in ((PASSWORD, "535"), ("new", "235")):
            with self.smtp() as raw:
                scram = Scram(password)
                scram.bare = scram.bare.replace("bob", "carol")
                self.assertRegex(self.exchange(raw, scram)[0], f"^{code} ")
        self.gateway.cli("user", "passwd", "carol@example.net", "--password-stdin",
                         stdin=PASSWORD + "\n")

    def test_a_changed_password_that_was_used_a_moment_ago(self):
        def logs_in(password):
            with imaplib.IMAP4("127.0.0.1", self.gateway.ports["imap"], timeout=60) as client:
                try:
                    return client.login("carol@example.net", password)[0] == "OK"
                except imaplib.IMAP4.error:
                    return False

        def change(password):
            self.gateway.cli("user", "passwd", "carol@example.net", "--password-stdin",
                             stdin=password + "\n")

        self.assertEqual([logs_in(PASSWORD), logs_in(PASSWORD), logs_in("wrong")],
                         [True, True, False])
        change("new")
        self.assertEqual([logs_in(PASSWORD), logs_in("new"), logs_in("new")],
                         [False, True, True])
        change(PASSWORD)
        self.assertEqual([logs_in("new"), logs_in(PASSWORD)], [False, True])

    def test_pop3(self):
        with Raw(self.gateway.ports["pop3"]) as raw:
            raw.line()
            scram = Scram(PASSWORD)
            raw.send(f"AUTH SCRAM-SHA-256 {scram.first()}\r\n")
            challenge = raw.line().decode()
            self.assertRegex(challenge, r"^\+ ")
            raw.send(scram.final(challenge[2:]) + "\r\n")
            self.assertEqual(base64.b64decode(raw.line()[2:]), scram.verdict)
            raw.send("\r\n")
            self.assertRegex(raw.line(), rb"^\+OK")

    def test_imap(self):
        with Raw(self.gateway.ports["imap"]) as raw:
            self.assertRegex(raw.line(), rb"AUTH=SCRAM-SHA-256 ?")
            for password, end in (("wrong", r"a NO \[AUTHENTICATIONFAILED\]"), (PASSWORD, "a OK")):
                scram = Scram(password)
                raw.send(f"a AUTHENTICATE SCRAM-SHA-256 {scram.first()}\r\n")
                challenge = raw.line().decode()
                self.assertRegex(challenge, r"^\+ ")
                raw.send(scram.final(challenge[2:]) + "\r\n")
                if password == PASSWORD:
                    self.assertEqual(base64.b64decode(raw.line()[2:]), scram.verdict)
                    raw.send("\r\n")
                self.assertRegex(raw.line().decode(), f"^{end}")
            self.assertRegex(raw.imap("b", "SELECT INBOX")[-1], "^b OK")

    def test_app_passwords(self):
        secret = self.gateway.cli_json("app-password", "add", USER, "phone")["password"]
        self.assertEqual([row["name"] for row in
                          self.gateway.cli_json("app-password", "list", USER)["app_passwords"]],
                         ["phone"])
        for given in (secret, secret.upper().replace("-", " ")):
            with imaplib.IMAP4("127.0.0.1", self.gateway.ports["imap"], timeout=60) as client:
                client.login(USER, given)
        with smtplib.SMTP_SSL("127.0.0.1", self.gateway.ports["submissions"],
                              context=trusting_tls(), timeout=60) as client:
            client.login(USER, secret)
        self.gateway.cli("user", "passwd", USER, "--password-stdin", stdin=PASSWORD + "\n")
        for password in (secret, PASSWORD):
            with self.smtp() as raw:
                self.assertEqual(self.exchange(raw, Scram(password)),
                                 ("235 2.7.0 Welcome", True))
        self.gateway.cli("app-password", "remove", USER, "phone")
        with smtplib.SMTP_SSL("127.0.0.1", self.gateway.ports["submissions"],
                              context=trusting_tls(), timeout=60) as client:
            with self.assertRaises(smtplib.SMTPAuthenticationError):
                client.login(USER, secret)
        with self.smtp() as raw:
            self.assertRegex(self.exchange(raw, Scram(secret))[0], "^535 ")


class Exporter(E2eTest):
    """Channel binding by tls-exporter (RFC 9266): openssl tells what it exported."""

    def test_bound_to_the_connection(self):
        child = subprocess.Popen(
            ["openssl", "s_client", "-connect", f"127.0.0.1:{self.gateway.ports['submissions']}",
             "-tls1_3", "-keymatexport", "EXPORTER-Channel-Binding", "-keymatexportlen", "32"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        with child:
            self.addCleanup(child.kill)

            def line(pattern):
                for read in child.stdout:
                    found = re.search(pattern, read.decode("latin-1"))
                    if found:
                        return found.group(1)
                return self.fail(f"no {pattern}")

            def ask(text, pattern):
                child.stdin.write(text.encode() + b"\r\n")
                child.stdin.flush()
                return line(pattern)
            binding = bytes.fromhex(line(r"Keying material: ([0-9A-F]+)"))
            ask("EHLO client.example", r"^(250 )")
            for each, code in ((bytes(32), "535"), (binding, "235")):
                scram = Scram(PASSWORD, "p=tls-exporter,,", each)
                challenge = ask(f"AUTH SCRAM-SHA-256-PLUS {scram.first()}", r"^334 (\S+)")
                reply = ask(scram.final(challenge), r"^((?:334|535) \S+)")
                if reply.startswith("334 "):
                    reply = ask("", r"^(\d+ .*)")
                self.assertRegex(reply, f"^{code} ")
            child.stdin.close()


if __name__ == "__main__":
    unittest.main()
