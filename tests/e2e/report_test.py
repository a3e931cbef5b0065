#!/usr/bin/env python3
"""The report addresses: what a user sends there is learned for that user, and kept nowhere."""

import smtplib
import unittest

from base import CLIENT_TIMEOUT_S, PASSWORD, E2eTest, message, smtp_session

SPAM = message("unbeatable offer", "Cheap watches of the finest gold, order until Sunday.\r\n",
               sender="deals@shop.example", to="alice@example.net")


def attached(*messages):
    """A mail of alice with those messages attached."""
    parts = b"".join(b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + each + b"\r\n"
                     for each in messages)
    return (b"From: alice@example.net\r\nTo: spam@example.net\r\nSubject: look\r\n"
            b"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
            b"--b\r\n\r\nsee below\r\n" + parts + b"--b--\r\n")


class Reports(E2eTest):
    settings = ("filter:\n"
                "  report_spam: [spam@example.net, Junk@example.net, spam@müller.example]\n"
                "  report_ham: [ham@example.net]\n")

    def trained(self):
        model = self.gateway.cli_json("status")["filter"]
        return model["trained_spam"], model["trained_ham"]

    def report(self, data, *recipients, user="alice"):
        """The reply to the data, or to the first recipient that was refused."""
        with smtplib.SMTP("127.0.0.1", self.gateway.ports["submission"],
                          timeout=CLIENT_TIMEOUT_S) as client:
            client.ehlo()
            client.login(f"{user}@example.net", PASSWORD)
            client.mail(f"{user}@example.net")
            for recipient in recipients:
                code, text = client.rcpt(recipient)
                if code != 250:
                    return code, text.decode()
            code, text = client.data(data)
            return code, text.decode()

    def mailboxes_are_empty(self):
        return all(not self.inbox(user, box) for user in ("alice", "bob") for box in
                   ("INBOX", "Junk", "Sent"))

    def wait_for_training(self, spam, ham):
        self.wait_for(lambda: self.trained() == (spam, ham), f"training of {spam} and {ham}")

    def test_attached_messages_are_learned_and_nothing_is_kept(self):
        spam, ham = self.trained()
        other = message("second", "Another thing altogether, and longer.\r\n")
        code, text = self.report(attached(SPAM, other), "SPAM@example.net")
        self.assertEqual(code, 250, text)
        self.assertIn("2 reported as spam", text)
        self.wait_for_training(spam + 2, ham)
        code, text = self.report(attached(other), "ham@example.net")
        self.assertEqual(code, 250, text)
        self.wait_for_training(spam + 1, ham + 1)
        self.assertTrue(self.mailboxes_are_empty())
        self.assertRegex(self.gateway.log_text(), "report learned.*user=alice@example.net.*as=spam")

    def test_an_international_domain_in_either_spelling(self):
        spam, ham = self.trained()
        other = message("third", "Of all that there is to buy, nothing is as cheap as this.\r\n")
        code, text = self.report(attached(other), "spam@xn--mller-kva.example")
        self.assertEqual(code, 250, text)
        self.wait_for_training(spam + 1, ham)

    def test_it_is_the_users_own_lesson(self):
        code, text = self.report(b"Resent-From: alice@example.net\r\n" + SPAM, "junk@example.net")
        self.assertEqual(code, 250, text)
        self.gateway.deliver(SPAM, "alice", "bob", sender="deals@shop.example")

        def symbols(user):
            for mailbox in ("INBOX", "Junk"):
                with self.gateway.imap(user) as client:
                    client.select(mailbox)
                    if client.uid("SEARCH", "ALL")[1][0]:
                        report = self.gateway.cli_json(
                            "explain", "--user", f"{user}@example.net", "--mailbox", mailbox,
                            "--uid", client.uid("SEARCH", "ALL")[1][0].split()[-1].decode())
                        return [each["name"] for each in report["symbols"]]
            return []
        self.wait_for(lambda: symbols("alice") and symbols("bob"), "both copies")
        self.assertIn("LEARNED_FROM_USER", symbols("alice"))
        self.assertNotIn("LEARNED_FROM_USER", symbols("bob"))
        self.empty()

    def test_strangers_teach_nothing(self):
        before = self.trained()
        with smtp_session(self.gateway) as raw:
            self.assertEqual(raw.smtp("MAIL FROM:<alice@example.net>")[:3], "250")
            for address in ("spam@example.net", "Ham@EXAMPLE.net"):
                self.assertRegex(raw.smtp(f"RCPT TO:<{address}>"), r"^550 5\.7\.1 ")
            self.assertRegex(raw.smtp("DATA"), "^5")
        self.assertEqual(self.trained(), before)

    def test_what_holds_no_message_is_refused(self):
        before = self.trained()
        code, text = self.report(message("Fwd: offer", "> Buy now\r\n"), "spam@example.net")
        self.assertEqual(code, 550)
        self.assertIn("attachment", text)
        self.assertEqual(self.report(SPAM, "spam@example.net", "ham@example.net")[0], 550)
        self.assertEqual(self.trained(), before)

    def test_beside_other_recipients_it_is_mail_as_well(self):
        spam, ham = self.trained()
        data = attached(message("third", "Yet another text that nobody asked for.\r\n"))
        code, text = self.report(data, "spam@example.net", "bob@example.net")
        self.assertEqual(code, 250, text)
        self.wait_for_training(spam + 1, ham)
        self.wait_for(lambda: self.inbox("bob") or self.inbox("bob", "Junk"), "bob's copy")
        self.empty()


if __name__ == "__main__":
    unittest.main()
