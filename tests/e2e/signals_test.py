#!/usr/bin/env python3
"""SIGTERM, SIGHUP, a second instance, refused configurations."""

import os
import subprocess
import time
import unittest

from base import SANITIZER_REPORT, Gateway, Raw, fetch_all, imap_session, message, smtp_session


class Signals(unittest.TestCase):
    def setUp(self):
        self.gateway = Gateway()
        self.addCleanup(self.gateway.close)
        self.gateway.add_users("alice")
        self.gateway.start()

    def test_ready_is_a_line_of_its_own(self):
        """For a script that waits: on standard output, beside the log on standard error."""
        self.assertRegex(self.gateway.log_text(), r"(?m)^ready$")

    def test_term_finishes_what_is_under_way(self):
        idle = imap_session(self.gateway)
        waiting = smtp_session(self.gateway)
        busy = smtp_session(self.gateway)
        busy.smtp("MAIL FROM:<a@remote.example>")
        busy.smtp("RCPT TO:<alice@example.net>")
        busy.smtp("DATA")
        content = message("under way")
        busy.send(content[:40])
        time.sleep(0.2)
        self.gateway.child.terminate()
        self.assertTrue(waiting.smtp_reply().startswith("421"))
        self.assertRegex(idle.line().decode(), r"^\* BYE")
        busy.send(content[40:] + b".\r\n")
        self.assertRegex(busy.smtp_reply(), "^250 ")
        self.assertEqual(self.gateway.child.wait(timeout=30), 0)
        self.assertFalse(SANITIZER_REPORT.search(self.gateway.log_text()))
        with self.assertRaises(OSError):
            Raw(self.gateway.ports["smtp"])
        self.gateway.start()
        with self.gateway.imap() as client:
            self.assertEqual(len(fetch_all(client)), 1)
        self.assertEqual(self.gateway.stop(), 0)

    def test_hup_reads_the_configuration_again(self):
        with open(self.gateway.config, "a", encoding="utf-8") as file:
            file.write("smtp: {max_message_bytes: 64KiB}\n")
        session = smtp_session(self.gateway)
        self.gateway.reload()
        deadline = time.monotonic() + 30
        while "SIZE 65536" not in self.ehlo():
            self.assertLess(time.monotonic(), deadline, "the new limit is not in force")
            time.sleep(0.1)
        self.assertRegex(session.smtp("NOOP"), "^250 ", "sessions go on over a reload")

    def ehlo(self):
        with Raw(self.gateway.ports["smtp"]) as raw:
            raw.smtp_reply()
            raw.send("EHLO client.example\r\n")
            return "\n".join(raw.until("^250 "))

    def test_hup_with_a_bad_file_keeps_the_old_configuration(self):
        with open(self.gateway.config, "a", encoding="utf-8") as file:
            file.write("nonsense: 1\n")
        before = len(self.gateway.log_text())
        self.gateway.reload()
        deadline = time.monotonic() + 30
        while "nonsense" not in self.gateway.log_text(before):
            self.assertLess(time.monotonic(), deadline, "the log does not say what is wrong")
            time.sleep(0.1)
        self.gateway.deliver(message("still served"))
        self.assertEqual(self.gateway.stop(), 0)

    def symbols(self):
        """The filter's line in a message that comes in now."""
        self.delivered = getattr(self, "delivered", 0) + 1
        self.gateway.deliver(message("hot", body="a hot-plugged word\r\n"))
        deadline = time.monotonic() + 30
        with self.gateway.imap() as client:
            while len(found := fetch_all(client)) < self.delivered:
                self.assertLess(time.monotonic(), deadline, "the message does not come")
                time.sleep(0.05)
        return str(found[-1])

    def test_hup_puts_new_rules_in_force_and_keeps_them_when_the_next_are_wrong(self):
        rules = os.path.join(self.gateway.folder, "rules.yaml")

        def write(pattern):
            with open(rules, "w", encoding="utf-8") as file:
                file.write("rules:\n  - {name: LOCAL_HOT, description: d, score: 0.5, "
                           f"target: body, pattern: '{pattern}'}}\n")

        write("hot-plugged")
        with open(self.gateway.config, "a", encoding="utf-8") as file:
            file.write(f"filter: {{rules: [{rules}]}}\n")
        self.assertNotIn("LOCAL_HOT", self.symbols())
        self.gateway.reload()
        deadline = time.monotonic() + 30
        while "LOCAL_HOT=0.5" not in self.symbols():
            self.assertLess(time.monotonic(), deadline, "the new rule is not in force")
            time.sleep(0.1)
        write("(hot")
        before = len(self.gateway.log_text())
        self.gateway.reload()
        while "rule LOCAL_HOT" not in self.gateway.log_text(before):
            self.assertLess(time.monotonic(), deadline, "the log does not say what is wrong")
            time.sleep(0.1)
        self.assertIn("LOCAL_HOT=0.5", self.symbols())

    def test_a_second_instance_is_refused(self):
        done = subprocess.run([self.gateway.binary, "serve", "--config", self.gateway.config],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 69, done.stderr)
        self.gateway.deliver(message("the first still serves"))


class Configuration(unittest.TestCase):
    def test_refused_with_file_line_and_expectation(self):
        mistakes = (("hostnam: a\n", "hostnam"), ("smtp: {max_connections: many}\n", "number"),
                    ("listeners: {smtp: [\"localhost\"]}\n", "listeners.smtp"))
        for text, key in mistakes:
            with self.subTest(text), Gateway() as gateway:
                with open(gateway.config, "w", encoding="utf-8") as file:
                    file.write("# one line\n" + text)
                for command in (["serve", "--config", gateway.config],
                                ["--config", gateway.config, "config", "check"]):
                    done = subprocess.run([gateway.binary, *command], capture_output=True,
                                          text=True, timeout=60, check=False)
                    self.assertNotEqual(done.returncode, 0)
                    said = done.stdout + done.stderr
                    self.assertIn(f"{gateway.config}:2: ", said)
                    self.assertIn(key, said)


if __name__ == "__main__":
    unittest.main()
