#!/usr/bin/env python3
"""What one user taught is heard for that user, whoever else gets the message."""

import unittest

from base import E2eTest, message

LETTER = ("Dear customer, the garden season begins: chairs, tables, lamps and umbrellas at half "
          "the price until Sunday. Order by telephone or in the shop, delivery is free of charge. "
          "You get this letter number {0} since you bought from us.\r\n")


class Layers(E2eTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway.cli("alias", "add", "both@example.net", "alice@example.net",
                        "zoe@remote.example")

    def setUp(self):
        self.empty()

    def deliver(self, number, *recipients):
        self.gateway.deliver(message(f"The offers of week {number}", LETTER.format(number)),
                             *recipients, sender="deals@shop.example")

    def symbols(self, user):
        """Of the newest message that the user has, wherever it lies."""
        for mailbox in ("INBOX", "Junk"):
            with self.gateway.imap(user) as client:
                client.select(mailbox)
                uids = client.uid("SEARCH", "ALL")[1][0].split()
            if uids:
                report = self.gateway.cli_json("explain", "--user", f"{user}@example.net",
                                               "--mailbox", mailbox, "--uid", uids[-1].decode())
                return {each["name"]: each for each in report["symbols"]}
        return None

    def teach(self):
        self.deliver(1, "alice")
        before = self.gateway.cli_json("status")["filter"]["trained_spam"]
        with self.gateway.imap("alice") as client:
            client.select("INBOX")
            self.assertEqual(client.uid("MOVE", "1:*", "Junk")[0], "OK")
        self.wait_for(lambda: self.gateway.cli_json("status")["filter"]["trained_spam"] > before,
                      "the lesson")
        self.empty("alice")

    def test_a_lesson_is_heard_for_its_teacher_alone(self):
        self.teach()
        self.deliver(2, "alice", "bob")
        self.wait_for(lambda: self.symbols("alice") and self.symbols("bob"), "both copies")
        self.assertIn("LEARNED_FROM_USER", self.symbols("alice"))
        self.assertNotIn("LEARNED_FROM_USER", self.symbols("bob"))
        self.assertGreater(self.symbols("alice")["LEARNED_FROM_USER"]["score"], 0)

        # Beside a recipient at another server, too.
        self.empty()
        self.deliver(3, "both")
        self.wait_for(lambda: self.symbols("alice"), "the copy here")
        self.assertIn("LEARNED_FROM_USER", self.symbols("alice"))


if __name__ == "__main__":
    unittest.main()
