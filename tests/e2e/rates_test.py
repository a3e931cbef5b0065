#!/usr/bin/env python3
"""How many recipients one account may write to in an hour."""

import unittest

from base import plain_response, smtp_session
from outbound_base import OutboundTest

LIMIT = 4


class AccountRates(OutboundTest):
    retry = OutboundTest.retry + f"submission: {{max_recipients_per_hour: {LIMIT}}}\n"

    def replies(self, user, *recipients):
        with smtp_session(self.gateway, "submission") as raw:
            raw.smtp("AUTH PLAIN " + plain_response(f"{user}@example.net"))
            raw.smtp(f"MAIL FROM:<{user}@example.net>")
            return [raw.smtp(f"RCPT TO:<{each}>")[:9] for each in recipients]

    def test_one_over_the_limit_has_to_wait(self):
        named = [f"r{i}@remote.example" for i in range(LIMIT + 1)]
        self.assertEqual(self.replies("alice", *named), ["250 2.1.5"] * LIMIT + ["451 4.7.1"])
        self.assertEqual(self.replies("alice", "bob@example.net"), ["451 4.7.1"])
        self.assertRegex(self.gateway.log_text(), "recipient refused.*service=submission.*an hour")

    def test_all_colleagues_behind_one_name_are_one(self):
        self.gateway.cli("alias", "add", "all@example.net", "alice@example.net",
                         "bob@example.net", "carol@example.net")
        self.assertEqual(self.replies("bob", *["all@example.net"] * (LIMIT + 1)),
                         ["250 2.1.5"] * LIMIT + ["451 4.7.1"])

    def test_more_than_the_limit_behind_one_name_take_all_of_it(self):
        self.gateway.cli("alias", "add", "far@example.net",
                         *[f"r{i}@remote.example" for i in range(LIMIT + 1)])
        self.assertEqual(self.replies("carol", "far@example.net", "bob@example.net"),
                         ["250 2.1.5", "451 4.7.1"])


if __name__ == "__main__":
    unittest.main()
