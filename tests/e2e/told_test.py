#!/usr/bin/env python3
"""What senders who ask for it (RFC 3461) are told of mailboxes here, and strangers are not."""

import email
import unittest

from base import message, smtp_session
from outbound_base import OutboundTest

FILTER = "filter: {scores: {SUBJECT_ALL_CAPS: 20}}\n"


class Told(OutboundTest):
    retry = OutboundTest.retry + FILTER

    def send(self, recipient, content, parameters):
        with smtp_session(self.gateway) as raw:
            raw.smtp("MAIL FROM:<v@remote.example> ENVID=Q+2B1")
            raw.smtp(f"RCPT TO:<{recipient}> {parameters}")
            raw.smtp("DATA")
            raw.send(content + b".\r\n")
            self.assertRegex(raw.smtp_reply(), "^250 ")

    def status(self, report):
        parsed = email.message_from_bytes(report[2])
        self.assertEqual(parsed.get_content_type(), "multipart/report")
        return parsed.get_payload(1).as_string()

    def test_success_under_the_name_that_was_given(self):
        self.send("alice+shop@example.net", message("mail"),
                  "NOTIFY=SUCCESS ORCPT=rfc822;a@old.example")
        [report] = self.wait_for(lambda: self.sink.messages, "a report")
        self.assertNotIn(b"X-Spam", report[2].split(b"multipart/report")[0], "nobody's business")
        self.assertIn("Original-Envelope-Id: Q+1\n", self.status(report))
        self.assertIn("\n\nOriginal-Recipient: rfc822;a@old.example\n"
                      "Final-Recipient: rfc822;alice+shop@example.net\n"
                      "Action: delivered\nStatus: 2.1.5\n", self.status(report))

    def test_an_alias_of_many_is_expanded_and_names_nobody(self):
        self.gateway.cli("alias", "add", "list@example.net", "alice@example.net",
                         "bob@example.net", "far@remote.example")
        self.send("list@example.net", message("mail"), "NOTIFY=SUCCESS,FAILURE")
        self.wait_for(lambda: len(self.sink.messages) == 2, "the copy and a report")
        self.wait_for_empty_queue()
        self.assertEqual(len(self.sink.messages), 2)
        [report] = [each for each in self.sink.messages if b"multipart/report" in each[2]]
        self.assertIn("Final-Recipient: rfc822;list@example.net\nAction: expanded\n",
                      self.status(report))
        for member in (b"bob@", b"far@", b"Final-Recipient: rfc822;alice"):
            self.assertNotIn(member, report[2])

    def test_nobody_is_told_of_spam(self):
        self.empty("alice")
        self.send("alice@example.net", message("BUY THESE FINE WATCHES NOW"), "NOTIFY=SUCCESS")
        self.wait_for(lambda: self.inbox("alice", "Junk"), "the message")
        self.send("alice@example.net", message("mail"), "NOTIFY=SUCCESS")
        self.wait_for(lambda: self.sink.messages, "a report")
        self.wait_for_empty_queue()
        self.assertEqual(len(self.sink.messages), 1, "of the second alone")


class WhateverTheFilterSays(OutboundTest):
    retry = OutboundTest.retry + ("filter: {spam_threshold: -999, unsure_threshold: -1000}\n"
                                  "submission: {spam: pass}\n")

    def test_a_report_lies_in_inbox(self):
        self.sink.behave = lambda step, argument: "550 5.1.1 no" if step == "rcpt" else None
        self.submit("ann@remote.example", "bob@example.net")
        self.wait_for(lambda: self.inbox("bob", "Junk"), "the message, judged spam")
        [report] = self.wait_for(lambda: self.inbox("bob"), "the report")
        self.assertIn(b"Action: failed", report)


if __name__ == "__main__":
    unittest.main()
