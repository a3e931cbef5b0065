#!/usr/bin/env python3
"""The command line, with the daemon running and not."""

import os
import tempfile
import unittest

from base import CORPUS, PASSWORD, Gateway, corpus_index, message


class CommandLine(unittest.TestCase):
    def setUp(self):
        self.gateway = Gateway()
        self.addCleanup(self.gateway.close)

    def both_ways(self):
        """Once without the daemon, once with it."""
        yield "without the daemon"
        self.gateway.start()
        yield "with the daemon"

    def test_domains_and_users(self):
        for number, way in enumerate(self.both_ways()):
            with self.subTest(way):
                domain = f"d{number}.example"
                self.gateway.cli("domain", "add", domain)
                again = self.gateway.cli("domain", "add", domain, check=False)
                self.assertNotEqual(again.returncode, 0)
                self.gateway.cli("user", "add", f"u@{domain}", "--password-stdin", stdin="one\n")
                self.assertIn(domain, str(self.gateway.cli_json("domain", "list")))
                self.assertIn(f"u@{domain}", str(self.gateway.cli_json("user", "list")))
                self.assertNotIn("argon2", str(self.gateway.cli_json("user", "list")))
                self.assertNotEqual(
                    self.gateway.cli("domain", "remove", domain, check=False).returncode, 0)
                self.gateway.cli("user", "passwd", f"u@{domain}", "--password-stdin", stdin="two\n")
                self.assertIn("INBOX", str(self.gateway.cli_json("mailbox", "list", f"u@{domain}")))
                self.gateway.cli("user", "remove", f"u@{domain}")
                self.gateway.cli("domain", "remove", domain)
                self.assertNotIn(domain, str(self.gateway.cli_json("domain", "list")))

    def test_users_made_while_the_daemon_runs_can_log_in(self):
        self.gateway.start()
        self.gateway.add_users("alice")
        self.gateway.deliver(message("new user"))
        with self.gateway.imap() as client:
            self.assertEqual(client.select("INBOX")[1], [b"1"])

    def test_train_scan_explain(self):
        spam = [f"{CORPUS}/{path}" for label, path, _ in corpus_index("index.train")
                if label == "spam"]
        ham = [f"{CORPUS}/{path}" for label, path, _ in corpus_index("index.train")
               if label == "ham"]
        held = [f"{CORPUS}/{path}" for label, path, _ in corpus_index("index.heldout")][:6]
        step = len(spam) // 2
        for number, way in enumerate(self.both_ways()):
            with self.subTest(way):
                part = slice(number * step, (number + 1) * step)
                self.gateway.cli("train", "spam", *spam[part])
                self.gateway.cli("train", "ham", *ham[part])
                rows = self.gateway.cli_json("scan", *held)["messages"]
                self.assertEqual(len(rows), len(held))
                for row in rows:
                    self.assertIn(row["verdict"], ("ham", "unsure", "spam"))
                    self.assertTrue(0 <= row["probability"] <= 1)
                text = self.gateway.cli("explain", held[0]).stdout
                self.assertRegex(text, r"[A-Z]{3,}_[A-Z_]+")
        status = self.gateway.cli_json("status")
        model = status["filter"]
        self.assertEqual((model["trained_spam"], model["trained_ham"]), (2 * step, 2 * step))

    def test_evaluate(self):
        with tempfile.TemporaryDirectory() as folder:
            scores = os.path.join(folder, "scores")
            text = self.gateway.cli("evaluate", f"{CORPUS}/index", "--scores", scores).stdout
            self.assertIn("1-ROCA", text)
            with open(scores, encoding="ascii") as file:
                rows = [line.split() for line in file]
        self.assertEqual(len(rows), 400)
        self.assertEqual({row[0] for row in rows}, {"ham", "spam"})
        for _, score, _ in rows:
            float(score)

    def test_mistakes_are_told(self):
        mistakes = ((("user", "add", "a@nowhere.example", "--password-stdin"), "nowhere"),
                    (("user", "passwd", "a@b.example", "--password-stdin"), "a@b.example"),
                    (("scan", "/nonexistent"), "/nonexistent"))
        for command, word in mistakes:
            with self.subTest(command):
                done = self.gateway.cli(*command, stdin=PASSWORD + "\n", check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertIn(word, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
