#!/usr/bin/env python3
"""What becomes of users' mail to other servers that is judged spam (submission.spam)."""

import smtplib
import unittest

from base import PASSWORD, message, trusting_tls
from outbound_base import OutboundTest

FILTER = "filter: {scores: {SUBJECT_ALL_CAPS: 20}}\n"


def loud(**fields):
    return message("BUY THESE FINE WATCHES NOW", sender="bob@example.net", **fields)


class Held(OutboundTest):
    retry = OutboundTest.retry + FILTER

    def test_it_waits_with_the_reason_until_it_is_released(self):
        self.submit("ann@remote.example", content=loud())
        [waiting] = self.queue()
        self.assertTrue(waiting["held"])
        reason = waiting["recipients"][0]["reason"]
        self.assertRegex(reason, r"^judged spam, score [0-9.]+, most of it SUBJECT_ALL_CAPS$")
        self.assertIn(reason, self.gateway.cli("queue", "list").stdout)
        self.assertRegex(self.gateway.log_text(),
                         "outgoing message held.*user=bob@example.net.*SUBJECT_ALL_CAPS")
        report = self.report()
        self.assertIn("Action: delayed", self.status(report))
        self.assertIn("judged spam", self.status(report))
        self.assertNotIn("Will-Retry-Until", self.status(report))
        self.gateway.cli("queue", "flush")
        self.assertEqual(len(self.queue()), 1, "flush leaves what is held")
        self.assertFalse(self.sink.messages)
        self.gateway.cli("queue", "release", waiting["id"])
        self.wait_for(lambda: self.sink.messages, "the message")
        self.wait_for_empty_queue()

    def test_its_sender_is_told_even_when_the_daemon_dies_at_once(self):
        self.empty("bob")
        self.submit("ann@remote.example", content=loud())
        self.gateway.kill()
        self.gateway.start()
        [waiting] = self.queue()
        self.assertTrue(waiting["held"])
        found = self.wait_for(lambda: self.inbox("bob") + self.inbox("bob", "Junk"), "a report")
        self.assertIn(b"Action: delayed", found[0])
        self.empty("bob")
        self.gateway.cli("queue", "delete", waiting["id"])

    def test_it_comes_back_when_it_is_rejected(self):
        self.empty("bob")
        self.submit("ann@remote.example", content=loud())
        self.report()
        [waiting] = self.queue()
        for wrong in ("x" * 161, "two\nlines"):
            refused = self.gateway.cli("queue", "reject", waiting["id"], "--reason", wrong,
                                       check=False)
            self.assertEqual(refused.returncode, 64, refused.stderr)
        self.gateway.cli("queue", "reject", waiting["id"], "--reason", "x" * 160)
        report = self.report()
        self.assertIn("Action: failed", self.status(report))
        self.assertIn("Status: 5.7.1", self.status(report))
        self.assertIn("rejected by the postmaster: " + "x" * 160, self.status(report))
        self.wait_for_empty_queue()
        self.assertFalse(self.sink.messages)

    def test_nobody_is_told_of_what_was_not_accepted(self):
        self.empty("alice", "bob")
        # Room for the message, and not for the fields that come on top; no size is announced.
        room = str(len(loud()) + 20)
        self.gateway.cli("pool", "add", "tiny", "--soft", room, "--hard", room)
        self.gateway.cli("pool", "assign", "tiny", "alice@example.net")
        try:
            with smtplib.SMTP("127.0.0.1", self.gateway.ports["submission"],
                              timeout=60) as client:
                client.starttls(context=trusting_tls())
                client.login("bob@example.net", PASSWORD)
                client.mail("bob@example.net")
                for recipient in ("ann@remote.example", "alice@example.net"):
                    self.assertEqual(client.rcpt(recipient)[0], 250)
                self.assertEqual(client.data(loud())[0], 552)
        finally:
            self.gateway.cli("pool", "assign", "none", "alice@example.net")
        self.assertEqual(self.queue(), [])
        self.submit("ann@remote.example", content=message("quiet", sender="bob@example.net"))
        self.wait_for(lambda: self.sink.messages, "the message after it")
        self.assertEqual(self.inbox("bob"), [])

    def test_what_is_no_spam_and_what_stays_here_is_not_held(self):
        self.empty("alice")
        self.submit("ann@remote.example")
        self.submit("alice@example.net", content=loud())
        self.wait_for(lambda: self.sink.messages, "the message")
        self.wait_for_empty_queue()
        self.assertEqual(len(self.inbox("alice", "Junk")), 1)


class Rejected(OutboundTest):
    retry = OutboundTest.retry + FILTER + "submission: {spam: reject}\n"

    def test_it_is_refused_whole(self):
        self.empty("alice")
        with self.assertRaises(smtplib.SMTPDataError) as refused:
            self.submit("ann@remote.example", "alice@example.net", content=loud())
        self.assertEqual(refused.exception.smtp_code, 550)
        self.assertIn(b"5.7.1", refused.exception.smtp_error)
        self.assertEqual((self.queue(), self.inbox("alice", "Junk")), ([], []))
        self.assertIn("outgoing message refused", self.gateway.log_text())


class Passed(OutboundTest):
    retry = OutboundTest.retry + FILTER + "submission: {spam: pass}\n"

    def test_it_goes_out(self):
        self.submit("ann@remote.example", content=loud())
        self.wait_for(lambda: self.sink.messages, "the message")
        self.assertEqual(len(self.sink.messages), 1)


if __name__ == "__main__":
    unittest.main()
