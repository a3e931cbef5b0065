#!/usr/bin/env python3
"""The queue on the command line, with the daemon running or not."""

import re
import time
import unittest

from outbound_base import OutboundTest


class QueueCommands(OutboundTest):
    retry = "  retry_first_s: 600\n"

    def setUp(self):
        super().setUp()
        self.sink.behave = lambda step, argument: "451 4.7.1 later" if step == "rcpt" else None
        self.gateway.cli("queue", "delete", "--all", "--yes")

    def submitted(self):
        """The one message that waits, once it was tried."""
        self.submit("ann@remote.example")
        return self.wait_for(lambda: [each for each in self.queue()
                                      if each["recipients"][0]["attempts"]], "a try")[0]

    def test_an_empty_id_stands_for_nothing(self):
        waiting = self.submitted()
        for command in ("show", "hold", "release", "retry", "reject", "delete"):
            done = self.gateway.cli("queue", command, "", check=False)
            self.assertEqual((command, done.returncode), (command, 65))
        self.assertEqual(self.queue(), [waiting])

    def test_ids_in_any_case(self):
        waiting = self.submitted()
        shown = self.gateway.cli("queue", "show", waiting["id"].upper()).stdout
        self.assertIn(waiting["id"], shown)

    def test_what_is_held_is_not_said_to_be_tried(self):
        waiting = self.submitted()
        self.gateway.cli("queue", "hold", waiting["id"])
        for command in (["retry", waiting["id"]], ["retry", "--all"], ["flush"]):
            self.assertEqual(self.gateway.cli("queue", *command).stdout, "retried: 0\n")
        self.assertEqual(self.queue()[0]["recipients"], waiting["recipients"])

    def test_when_it_goes_on_is_a_time_that_makes_sense(self):
        waiting = self.submitted()
        self.assertIn(": tried once, next at 20", self.gateway.cli("queue", "list").stdout)
        self.gateway.stop()
        self.gateway.cli("queue", "retry", waiting["id"])
        listed = self.gateway.cli("queue", "list").stdout
        self.gateway.start()
        year = int(re.search(r"next at (\d+)", listed)[1])
        self.assertGreater(year, 2020)
        self.wait_for(lambda: self.queue()[0]["recipients"][0]["attempts"] == 2, "another try")


class HeldForLong(OutboundTest):
    retry = OutboundTest.retry + "  give_up_after_s: 3\n"

    def test_the_time_it_was_held_does_not_count(self):
        self.sink.behave = lambda step, argument: "451 4.7.1 later" if step == "rcpt" else None
        self.submit("ann@remote.example")
        [waiting] = self.queue()
        self.gateway.cli("queue", "hold", waiting["id"])
        time.sleep(4)
        self.sink.commands.clear()
        self.gateway.cli("queue", "release", waiting["id"])
        self.wait_for(lambda: self.sink.commands, "a try")
        self.sink.behave = lambda step, argument: None
        self.wait_for(lambda: self.sink.messages, "the message")
        self.wait_for_empty_queue()
        self.assertFalse(self.inbox("bob"))


if __name__ == "__main__":
    unittest.main()
