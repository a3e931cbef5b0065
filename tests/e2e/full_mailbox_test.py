#!/usr/bin/env python3
"""Mailboxes without room: who still gets a message, and who is told."""

import email
import unittest

from base import Raw, message, smtp_session
from outbound_base import OutboundTest

LINE = "x" * 70 + "\r\n"


class FullMailboxes(OutboundTest):
    def setUp(self):
        super().setUp()
        if not self.gateway.cli_json("pool", "list")["pools"]:
            self.gateway.cli("pool", "add", "small", "--soft", "40K")
            self.gateway.cli("pool", "assign", "small", "carol@example.net")
            self.gateway.cli("alias", "add", "all@example.net", "alice@example.net",
                             "bob@example.net", "carol@example.net")
        self.empty()
        self.gateway.deliver(message("fill", LINE * 500), "carol")

    def send(self, *recipients, service="smtp", content=None):
        """The replies to the recipients, then those to the message (more than room is left)."""
        lmtp = service == "lmtp"
        with Raw(self.gateway.ports[service]) as raw:
            raw.smtp_reply()
            raw.smtp("LHLO x" if lmtp else "EHLO x")
            raw.smtp("MAIL FROM:<s@remote.example>")
            replies = [raw.smtp(f"RCPT TO:<{each}@example.net>")[:3] for each in recipients]
            if "250" not in replies:
                return replies, []
            raw.smtp("DATA")
            raw.send((content or message("new", LINE * 400)) + b".\r\n")
            return replies, [raw.smtp_reply() for _ in (recipients if lmtp else [0])]

    def subjects(self, user):
        return [email.message_from_bytes(each)["Subject"] for each in self.inbox(user)]

    def test_a_full_member_does_not_keep_an_alias_from_the_others(self):
        replies, [end] = self.send("all")
        self.assertEqual(replies, ["250"])
        self.assertRegex(end, r"^250 2\.0\.0 ")
        self.wait_for(lambda: self.subjects("alice") == self.subjects("bob") == ["new"], "copies")
        self.assertEqual(self.subjects("carol"), ["fill"])
        self.assertRegex(self.gateway.log_text(), "copy left out.*rcpt=carol@example.net")
        self.wait_for(lambda: self.sink.messages, "a report")
        [(sender, recipients, content, _)] = self.sink.messages
        self.assertTrue(sender.startswith("MAIL FROM:<>"))
        self.assertTrue(recipients[0].startswith("RCPT TO:<s@remote.example>"))
        self.assertIn(b"Final-Recipient: rfc822;all@example.net\r\nAction: failed\r\n"
                      b"Status: 5.2.2\r\n", content)
        self.assertNotIn(b"carol", content)

    def test_a_user_is_told_which_one(self):
        self.submit("all@example.net", content=message("ours", LINE * 400,
                                                       sender="bob@example.net"))
        self.wait_for(lambda: len(self.inbox("bob")) == 2, "a copy and a report")
        self.assertIn("Your message could not be delivered", self.subjects("bob"))
        self.assertTrue(any(b"Final-Recipient: rfc822;carol@example.net" in each
                            for each in self.inbox("bob")))

    def test_who_is_named_and_full_holds_the_message_back(self):
        replies, [end] = self.send("alice", "carol")
        self.assertEqual(replies, ["250", "250"])
        self.assertRegex(end, r"^452 4\.2\.2 ")
        self.assertEqual(self.subjects("alice"), [])

    def test_room_for_what_is_put_in_front_is_asked_for_at_rcpt(self):
        [pool] = self.gateway.cli_json("pool", "list")["pools"]
        left = pool["hard_bytes"] - pool["used_bytes"]
        with smtp_session(self.gateway) as raw:
            for size, code in ((left - 100, "452"), (left - 3000, "250")):
                raw.smtp("RSET")
                raw.smtp(f"MAIL FROM:<s@remote.example> SIZE={size}")
                self.assertEqual(raw.smtp("RCPT TO:<carol@example.net>")[:3], code)
                self.assertEqual(raw.smtp("RCPT TO:<alice@example.net>")[:3], "250")

    def test_lmtp_answers_for_each(self):
        replies, ends = self.send("alice", "carol", "all", service="lmtp")
        self.assertEqual(replies, ["250"] * 3)
        self.assertEqual([each[:9] for each in ends], ["250 2.0.0", "452 4.2.2", "250 2.0.0"])
        self.wait_for(lambda: self.subjects("alice") == self.subjects("bob") == ["new"], "copies")
        replies, ends = self.send("carol", service="lmtp")
        self.assertEqual([each[:9] for each in ends], ["452 4.2.2"])
        self.assertFalse(self.sink.messages, "the client tells")

    def test_a_report_comes_in_all_the_same(self):
        self.sink.behave = lambda step, argument: "550 5.1.1 no" if step == "rcpt" else None
        # Until not even a report would fit.
        while True:
            ends = self.send("carol", content=message("more", LINE))[1]
            if not ends or not ends[0].startswith("250"):
                break
        self.submit("ann@remote.example", sender="carol")
        self.wait_for(lambda: "Your message could not be delivered" in self.subjects("carol"),
                      "the report")
        self.wait_for_empty_queue()


if __name__ == "__main__":
    unittest.main()
