#!/usr/bin/env python3
"""Quota pools, and care for the store beside a running gateway."""

import imaplib
import json
import os
import smtplib
import socket
import tempfile
import unittest

from base import PASSWORD, E2eTest, message


class Pools(E2eTest):
    def tend(self):
        """What the daemon does once a minute, now."""
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(os.path.join(self.gateway.data, "run", "control.sock"))
            control.sendall(b'{"command":"tend"}\n')
            self.assertTrue(json.loads(control.makefile().readline())["ok"])

    def refusal(self, content, *users):
        """The reply that refuses the message; None when it was taken."""
        with self.gateway.smtp() as client:
            try:
                client.sendmail("sender@remote.example", [f"{user}@example.net" for user in users],
                                content)
            except smtplib.SMTPRecipientsRefused as refused:
                return next(iter(refused.recipients.values()))
            except smtplib.SMTPDataError as refused:
                return refused.smtp_code, refused.smtp_error
        return None

    def at_rcpt(self, size):
        with self.gateway.smtp() as client:
            client.ehlo("client.example")
            announced = f" SIZE={size}" if size else ""
            client.docmd(f"MAIL FROM:<sender@remote.example>{announced}")
            return client.docmd("RCPT TO:<alice@example.net>")

    def at_data(self, content):
        with self.gateway.smtp() as client:
            client.ehlo("client.example")
            client.docmd("MAIL FROM:<sender@remote.example>")
            self.assertEqual(client.docmd("RCPT TO:<alice@example.net>")[0], 250)
            return client.data(content)

    def test_a_pool_is_shared_and_never_passed(self):
        self.gateway.cli("pool", "add", "acme", "--soft", "20K", "--hard", "30K")
        self.gateway.cli("pool", "assign", "acme", "alice@example.net", "bob@example.net")
        self.gateway.deliver(message("first", ("y" * 70 + "\r\n") * 150), "alice")
        self.tend()
        self.assertEqual(len(self.inbox("alice")), 1)
        self.gateway.deliver(message("second", ("y" * 70 + "\r\n") * 120), "bob")

        pools = self.gateway.cli_json("pool", "list")["pools"]
        self.assertEqual(pools[0]["users"], ["alice@example.net", "bob@example.net"])
        self.assertGreater(pools[0]["used_bytes"], 19_000)

        with self.subTest("one warning, once"):
            self.tend()
            warned = self.wait_for(lambda: [text for user in ("alice", "bob")
                                            for text in self.inbox(user)
                                            if b"Auto-Submitted" in text], "a warning")
            self.assertIn(b"95 % full", warned[0])
            self.tend()
            self.tend()
            self.assertEqual(sum(b"Auto-Submitted" in text for user in ("alice", "bob")
                                 for text in self.inbox(user)), 1)

        with self.subTest("others may still send up to the hard limit, the owner not"):
            with self.gateway.imap("alice") as client:
                with self.assertRaisesRegex(imaplib.IMAP4.error, "OVERQUOTA"):
                    self.check(client.append("INBOX", None, None, message("own", "z" * 3000)))
                client.select("INBOX")
                with self.assertRaisesRegex(imaplib.IMAP4.error, "OVERQUOTA"):
                    self.check(client.copy("1", "Archive"))
            self.gateway.deliver(message("third", ("z" * 70 + "\r\n") * 40), "bob")

        big = message("big", ("z" * 70 + "\r\n") * 120)
        with self.subTest("full: told at DATA, or at RCPT when the size is known"):
            for code, text in (self.at_data(big), self.at_rcpt(len(big)),
                               self.refusal(big, "alice")):
                self.assertEqual((code, text[:5]), (452, b"4.2.2"), text)
            code, text = self.at_rcpt(31_000)
            self.assertEqual((code, text[:5]), (552, b"5.2.3"), text)
            self.assertEqual(self.at_rcpt(0)[0], 250, "there is room for small mail")
            self.assertIsNone(self.refusal(big, "carol"))

        with self.subTest("space that was freed counts at once"):
            self.empty("alice", "bob")
            self.assertIsNone(self.refusal(big, "alice"))

    def test_messages_are_counted_and_limited(self):
        # Whose mailbox no other test fills.
        self.gateway.cli("user", "add", "dan@example.net", "--password-stdin",
                         stdin=PASSWORD + "\n")
        self.gateway.cli("pool", "add", "few", "--soft", "1M", "--messages", "2")
        self.gateway.cli("pool", "assign", "few", "dan@example.net")
        self.gateway.deliver(message("first", "x"), "dan")
        self.wait_for(lambda: self.inbox("dan"), "the mail")
        with self.gateway.imap("dan") as client:
            self.assertIn(b" QUOTA=RES-MESSAGE ", client.capability()[1][0])
            status, (roots, quotas) = client.getquotaroot("INBOX")
            self.assertEqual(status, "OK")
            self.assertEqual(quotas, [b'"few" (STORAGE 1 1024 MESSAGE 1 2)'])
            self.check(client.append("INBOX", None, None, message("second", "y")))
            with self.assertRaisesRegex(imaplib.IMAP4.error, "OVERQUOTA"):
                self.check(client.append("INBOX", None, None, message("third", "z")))
        self.assertEqual(self.refusal(message("third", "z"), "dan")[0], 452)
        pool = self.pool("few")
        self.assertEqual((pool["used_messages"], pool["max_messages"]), (2, 2))
        self.gateway.cli("pool", "set", "few", "--messages", "0")
        pool = self.pool("few")
        self.assertEqual((pool["soft_bytes"], pool["max_messages"]), (1 << 20, 0))
        self.assertIsNone(self.refusal(message("third", "z"), "dan"))

    def test_one_user_may_have_so_many_messages(self):
        self.gateway.cli("user", "add", "erin@example.net", "--password-stdin",
                         stdin=PASSWORD + "\n")
        self.gateway.cli("pool", "assign", "none", "erin@example.net", "--cap-messages", "2")
        with self.gateway.imap("erin") as client:
            self.check(client.append("INBOX", None, None, message("first", "x")))
            self.assertEqual(client.getquotaroot("INBOX")[1][1], [b'"" (MESSAGE 1 2)'])
            self.check(client.append("INBOX", None, None, message("second", "y")))
            with self.assertRaisesRegex(imaplib.IMAP4.error, "OVERQUOTA"):
                self.check(client.append("INBOX", None, None, message("third", "z")))
        self.assertEqual(self.refusal(message("third", "z"), "erin")[0], 452)

    def pool(self, name):
        pools = self.gateway.cli_json("pool", "list")["pools"]
        return next(pool for pool in pools if pool["name"] == name)

    def check(self, answer):
        status, data = answer
        if status != "OK":
            raise imaplib.IMAP4.error(data[0].decode())

    def test_bad_arguments_are_refused(self):
        for arguments in (["add", "p", "--soft", "many"], ["add", "two words"],
                          ["assign", "nowhere", "alice@example.net"], ["remove", "nowhere"],
                          ["assign", "none", "nobody@example.net"]):
            with self.subTest(arguments):
                self.assertNotEqual(self.gateway.cli("pool", *arguments, check=False).returncode, 0)


class Care(E2eTest):
    def state_of(self, user):
        """Mailbox -> sorted (flags, date, text) of each message."""
        found = {}
        with self.gateway.imap(user) as client:
            for box in ("INBOX", "Work/2024.old"):
                if client.select(f'"{box}"', readonly=True)[0] != "OK":
                    continue
                answer = client.uid("FETCH", "1:*", "(FLAGS INTERNALDATE BODY.PEEK[])")[1]
                rows = []
                for part in answer:
                    if isinstance(part, tuple):
                        flags = tuple(sorted(imaplib.ParseFlags(part[0])))
                        rows.append((tuple(f for f in flags if f != b"\\Recent"),
                                     imaplib.Internaldate2tuple(part[0]), part[1]))
                found[box] = sorted(rows)
        return found

    def setUp(self):
        self.empty("alice", "bob")
        with self.gateway.imap("alice") as client:
            client.create('"Work/2024.old"')
            date = '"01-Feb-2024 03:04:05 +0000"'
            client.append("INBOX", "(\\Seen \\Flagged kept)", date, message("one"))
            client.append("INBOX", "(\\Answered)", date,
                          message("two", "From here\r\n>From there\r\n"))
            client.append('"Work/2024.old"', "(\\Draft kept other)", date, message("three"))

    def test_check_backup_and_restore_beside_the_daemon(self):
        self.assertTrue(self.gateway.cli_json("store", "check")["clean"])
        stats = self.gateway.cli_json("store", "stats")
        self.assertGreaterEqual(stats["messages"], 3)
        self.assertGreater(stats["file_bytes"], 0)
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(self.gateway.cli_json("store", "backup", folder)["problems"], 0)
            before = self.state_of("alice")
            with self.gateway.imap("alice") as client:
                client.delete('"Work/2024.old"')
            restored = self.gateway.cli_json("store", "restore", folder, "--user",
                                             "alice@example.net", "--mailbox", "Work/2024.old")
            self.assertEqual(restored["names"], ["Work/2024.old"])
            self.assertEqual(self.state_of("alice"), before)
            refused = self.gateway.cli("store", "restore", folder, check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("stopped", refused.stderr)
        self.assertNotEqual(self.gateway.cli("store", "compact", check=False).returncode, 0)
        self.assertTrue(self.gateway.cli_json("store", "repair")["clean"])

    def test_export_and_import_keep_flags_and_dates(self):
        before = self.state_of("alice")
        for kind in ("maildir", "mbox"):
            with self.subTest(kind), tempfile.TemporaryDirectory() as folder:
                self.empty("bob")
                out = ("store", "export", "alice@example.net", folder, "--format", kind)
                self.assertEqual(self.gateway.cli_json(*out)["messages"], 3)
                again = self.gateway.cli_json(*out)
                self.assertEqual((again["messages"], again["there_already"]), (0, 3))
                for news in ((3, 0), (0, 3)):  # the second import doubles nothing
                    done = self.gateway.cli_json("store", "import", "bob@example.net", folder)
                    self.assertEqual((done["messages"], done["there_already"]), news)
                    self.assertEqual(self.state_of("bob"), before)


if __name__ == "__main__":
    unittest.main()
