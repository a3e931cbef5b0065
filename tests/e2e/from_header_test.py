#!/usr/bin/env python3
"""Whom users' mail may say that it is from (submission.from_header)."""

import smtplib
import unittest

from base import PASSWORD, E2eTest, message, trusting_tls


class FromHeader(E2eTest):
    def submit(self, content, user="bob", recipient="carol@example.net"):
        """The reply to DATA."""
        with smtplib.SMTP("127.0.0.1", self.gateway.ports["submission"], timeout=60) as client:
            client.starttls(context=trusting_tls())
            client.login(f"{user}@example.net", PASSWORD)
            client.mail(f"{user}@example.net")
            self.assertEqual(client.rcpt(recipient)[0], 250)
            code, text = client.data(content)
            return f"{code} {text.decode()}"

    def submit_from(self, sender, **fields):
        return self.submit(message(sender=sender, **fields))

    def configure(self, setting):
        with open(self.gateway.config, encoding="utf-8") as file:
            before = file.read()
        before = before.split("submission: {from_header")[0]
        with open(self.gateway.config, "w", encoding="utf-8") as file:
            file.write(f"{before}submission: {{from_header: {setting}}}\n")
        seen = self.gateway.log_text().count("reloaded")
        self.gateway.reload()
        self.wait_for(lambda: self.gateway.log_text().count("reloaded") > seen, "the reload")


class Hosted(FromHeader):
    def test_own_addresses(self):
        self.gateway.cli("alias", "add", "sales@example.net", "bob@example.net",
                         "alice@example.net")
        for own in ("bob@example.net", "Bob <BOB@Example.net>", "bob+list@example.net",
                    "sales@example.net", "Bob <bob@example.net>, sales@example.net"):
            self.assertRegex(self.submit_from(own), "^250 ", own)

    def test_others_addresses(self):
        for others in ("alice@example.net", "ghost@example.net",
                       "\"bob@example.net\" <alice@example.net>",
                       "bob@example.net, Alice <alice(x)@example.net>"):
            self.assertRegex(self.submit_from(others), r"^550 5\.7\.1 The address \S+@example.net "
                             r"in the header \(From\) is not yours", others)
        for field in ("Sender", "Resent_From", "Resent_Sender"):
            self.assertRegex(self.submit_from("bob@example.net", **{field: "alice@example.net"}),
                             r"^550 5\.7\.1 The address alice@example.net ")
        twice = b"From: bob@example.net\r\nFrom: alice@example.net\r\n\r\nx\r\n"
        self.assertRegex(self.submit(twice), "^550 ")
        self.assertRegex(self.gateway.log_text(),
                         "message refused.*user=bob@example.net.*address=alice@example.net")

    def test_foreign_addresses(self):
        self.assertRegex(self.submit_from("me@elsewhere.example"), "^250 ")
        self.assertRegex(self.submit(b"Subject: from nobody\r\n\r\nx\r\n"), "^250 ")

    def test_the_session_goes_on_after_a_refusal(self):
        with smtplib.SMTP("127.0.0.1", self.gateway.ports["submission"], timeout=60) as client:
            client.starttls(context=trusting_tls())
            client.login("bob@example.net", PASSWORD)
            with self.assertRaises(smtplib.SMTPDataError):
                client.sendmail("bob@example.net", ["carol@example.net"],
                                message(sender="alice@example.net"))
            client.sendmail("bob@example.net", ["carol@example.net"],
                            message(sender="bob@example.net"))

    def test_mail_of_strangers_is_not_asked(self):
        with self.gateway.smtp() as client:
            client.sendmail("x@elsewhere.example", ["carol@example.net"],
                            message(sender="alice@example.net"))


class OwnAndAny(FromHeader):
    def test_own(self):
        self.configure("own")
        self.assertRegex(self.submit_from("bob@example.net"), "^250 ")
        self.assertRegex(self.submit_from("me@elsewhere.example"), "^550 5.7.1 ")
        self.assertRegex(self.submit_from("alice@example.net"), "^550 5.7.1 ")

    def test_any(self):
        self.configure("any")
        self.assertRegex(self.submit_from("alice@example.net"), "^250 ")


if __name__ == "__main__":
    unittest.main()
