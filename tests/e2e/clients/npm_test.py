#!/usr/bin/env python3
"""IMAP libraries of node, as webmail and mail APIs use them: ImapFlow and emailjs-imap-client. What
they did is asserted on the server."""

import json
import os
import subprocess
import sys
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))

from base import PASSWORD, E2eTest, message  # noqa: E402
from fetch_peers import Unavailable, modules  # noqa: E402

SESSION_TIMEOUT_S = 90
USER = "alice@example.net"


class NodeClients(E2eTest):
    @classmethod
    def setUpClass(cls):
        try:
            cls.modules = modules()
        except Unavailable as why:
            raise unittest.SkipTest(str(why)) from why
        super().setUpClass()

    def setUp(self):
        self.empty("alice")

    def run_session(self, script):
        """Its steps; a message arrives when it is idle."""
        child = subprocess.Popen(["node", f"{HERE}/{script}", self.modules,
                                  str(self.gateway.ports["imap"]), USER, PASSWORD],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        guard = threading.Timer(SESSION_TIMEOUT_S, child.kill)
        guard.start()
        steps = {}
        try:
            for line in child.stdout:
                told = json.loads(line)
                steps[told["step"]] = told["value"]
                if told["step"] == "idle":
                    with self.gateway.imap() as other:
                        other.append("INBOX", None, None, message("news"))
            self.assertEqual(child.wait(), 0, child.stderr.read()[-3000:])
        finally:
            guard.cancel()
            child.stdout.close()
            child.stderr.close()
        return steps

    def flags_of(self, subject):
        with self.gateway.imap() as client:
            client.select("INBOX", readonly=True)
            found = client.search(None, "SUBJECT", subject)[1][0].decode()
            return client.fetch(found, "(FLAGS)")[1][0].decode()

    def count(self, mailbox, *criteria):
        with self.gateway.imap() as client:
            client.select(mailbox, readonly=True)
            return len(client.search(None, *(criteria or ("ALL",)))[1][0].split())

    def test_imapflow(self):
        steps = self.run_session("imapflow_session.js")
        self.assertTrue(steps["secure"])
        self.assertIn("\\Junk", steps["special"])
        self.assertEqual((steps["exists"], steps["search"], steps["move"], steps["status"]),
                         (3, 1, 1, 1))
        self.assertEqual(steps["fetch"], ["one", True, "text/plain", True])
        self.assertEqual(steps["download"], "Größe der Rechnung")
        self.assertEqual(steps["arrived"], 2)
        self.assertRegex(self.flags_of("one"), r"(?=.*\\Seen)(?=.*\\Flagged)(?=.*Work)")
        self.assertEqual((self.count("INBOX"), self.count("Projects", "SUBJECT", "two")), (2, 1))

    def test_emailjs(self):
        steps = self.run_session("emailjs_session.js")
        self.assertIn("\\Junk", steps["special"])
        self.assertEqual((steps["exists"], steps["search"]), (3, 1))
        self.assertEqual(steps["fetch"], ["one", True, True])
        self.assertEqual(steps["arrived"], 2)
        self.assertRegex(self.flags_of("one"), r"(?=.*\\Seen)(?=.*\\Flagged)")
        self.assertEqual((self.count("INBOX"), self.count("Letters", "SUBJECT", "two")), (2, 1))


if __name__ == "__main__":
    unittest.main()
