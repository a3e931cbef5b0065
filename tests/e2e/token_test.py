#!/usr/bin/env python3
"""OAUTHBEARER and XOAUTH2 by every protocol, with tokens of an identity provider of our own."""

import base64
import json
import shutil
import subprocess
import tempfile
import time
import unittest

from base import E2eTest, Raw

USER = "bob@example.net"
ISSUER, AUDIENCE = "https://id.example.net", "mail"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Provider:
    """An RSA key of openssl's, its key set in a file, and tokens."""

    def __init__(self, folder, name="provider"):
        self.key = f"{folder}/{name}.pem"
        self.keys_file = f"{folder}/{name}.json"
        subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True,
                       capture_output=True)
        modulus = subprocess.run(["openssl", "rsa", "-in", self.key, "-modulus", "-noout"],
                                 check=True, capture_output=True, text=True).stdout
        n = bytes.fromhex(modulus.strip().split("=")[1])
        with open(self.keys_file, "w", encoding="ascii") as file:
            json.dump({"keys": [{"kty": "RSA", "kid": "1", "use": "sig", "n": base64url(n),
                                 "e": "AQAB"}]}, file)

    def token(self, **changed):
        claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": time.time() + 600, "email": USER,
                  **changed}
        text = ".".join(base64url(json.dumps(part).encode())
                        for part in ({"alg": "RS256", "kid": "1"}, claims))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key],
                                   input=text.encode(), check=True, capture_output=True).stdout
        return f"{text}.{base64url(signature)}"


def oauthbearer(token, user=USER):
    return base64.b64encode(f"n,a={user},\x01host=h\x01auth=Bearer {token}\x01\x01"
                            .encode()).decode()


def xoauth2(token, user=USER):
    return base64.b64encode(f"user={user}\x01auth=Bearer {token}\x01\x01".encode()).decode()


FORMS = {"OAUTHBEARER": oauthbearer, "XOAUTH2": xoauth2}


class Tokens(E2eTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="postern-token-")
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.provider, cls.stranger = Provider(folder), Provider(folder, "stranger")
        cls.live = f"{folder}/live.json"
        shutil.copyfile(cls.provider.keys_file, cls.live)
        cls.auth = [f"oauth: {{keys_file: {cls.live}, issuer: '{ISSUER}', audience: {AUDIENCE}}}"]
        super().setUpClass()

    def smtp(self, mechanism, response):
        with Raw(self.gateway.ports["submissions"], tls=True) as raw:
            raw.smtp_reply()
            raw.smtp("EHLO c.example")
            reply = raw.smtp(f"AUTH {mechanism} {response}")
            if reply.startswith("334 "):
                self.assertEqual(json.loads(base64.b64decode(reply[4:]))["status"],
                                 "400" if mechanism == "XOAUTH2" else "invalid_token")
                reply = raw.smtp("AQ==")
            return reply.startswith("235 ")

    def pop3(self, mechanism, response):
        with Raw(self.gateway.ports["pop3s"], tls=True) as raw:
            raw.line()
            raw.send(f"AUTH {mechanism} {response}\r\n")
            reply = raw.line()
            if reply.startswith(b"+ "):
                raw.send("AQ==\r\n")
                reply = raw.line()
            return reply.startswith(b"+OK")

    def imap(self, mechanism, response):
        with Raw(self.gateway.ports["imaps"], tls=True) as raw:
            self.assertRegex(raw.line(), f"AUTH={mechanism}".encode())
            raw.send(f"a AUTHENTICATE {mechanism} {response}\r\n")
            reply = raw.line()
            if reply.startswith(b"+ "):
                raw.send("AQ==\r\n")
                reply = raw.line()
            return reply.startswith(b"a OK")

    def check(self, expected, token, user=USER):
        for mechanism, form in FORMS.items():
            for login in (self.smtp, self.pop3, self.imap):
                with self.subTest(mechanism=mechanism, login=login.__name__):
                    self.assertEqual(login(mechanism, form(token, user)), expected)

    def test_a_good_token(self):
        self.check(True, self.provider.token())

    def test_tokens_that_do_not_fit(self):
        self.check(False, self.stranger.token())
        for changed in ({"exp": time.time() - 100}, {"aud": "news"}, {"iss": "https://other"},
                        {"email": "nobody@example.net"}, {"email": "alice@example.net"}):
            self.assertFalse(self.imap("XOAUTH2", xoauth2(self.provider.token(**changed))),
                             changed)
        self.assertRegex(self.gateway.log_text(), "token refused.*expired")

    def test_a_reload_takes_new_keys(self):
        shutil.copyfile(self.stranger.keys_file, self.live)
        self.gateway.reload()
        self.wait_for(lambda: self.imap("XOAUTH2", xoauth2(self.stranger.token())), "the new key")
        self.assertFalse(self.imap("XOAUTH2", xoauth2(self.provider.token())))
        shutil.copyfile(self.provider.keys_file, self.live)
        self.gateway.reload()
        self.wait_for(lambda: self.imap("XOAUTH2", xoauth2(self.provider.token())), "the old key")


if __name__ == "__main__":
    unittest.main()
