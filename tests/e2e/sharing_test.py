#!/usr/bin/env python3
"""Several people in one mailbox, on the real daemon: a group's account, rights, IDLE, the log."""

import smtplib
import threading
import time
import unittest

from base import PASSWORD, E2eTest, Raw, imap_session, message, trusting_tls

INFO = "info@example.net"
BOX = f'"Shared/{INFO}/INBOX"'


class Sharing(E2eTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.gateway.cli("user", "add", INFO, "--group")
        cls.gateway.cli("acl", "set", INFO, "alice@example.net", "write")
        cls.gateway.cli("acl", "set", INFO, "bob@example.net", "write")

    def session(self, user):
        raw = imap_session(self.gateway, user)
        self.addCleanup(raw.close)
        return raw

    def fill(self, count):
        for number in range(count):
            self.gateway.deliver(message(f"question {number}"), INFO.split("@")[0])

    def send_as_info(self, user):
        """The replies to MAIL and, where it is positive, DATA."""
        with smtplib.SMTP("127.0.0.1", self.gateway.ports["submission"], timeout=60) as client:
            client.starttls(context=trusting_tls())
            client.login(f"{user}@example.net", PASSWORD)
            code, text = client.mail("sales+x@example.net")
            if code != 250:
                return f"{code} {text.decode()}"
            client.rcpt("carol@example.net")
            code, text = client.data(message("answer", sender=f"Info <{INFO}>"))
            return f"{code} {text.decode()}"

    def test_who_may_answer_as_the_group(self):
        self.gateway.cli("alias", "add", "sales@example.net", INFO)
        self.assertRegex(self.send_as_info("bob"), r"^550 5\.7\.1 ")
        self.gateway.cli("acl", "set", INFO, "bob@example.net", "answer")
        self.assertRegex(self.send_as_info("bob"), "^250 ")
        self.assertRegex(self.send_as_info("alice"), r"^550 5\.7\.1 ")
        # The right to another mailbox of the group is not enough.
        self.gateway.cli("acl", "set", INFO, "alice@example.net", "answer", "--mailbox", "Sent")
        self.assertRegex(self.send_as_info("alice"), r"^550 5\.7\.1 ")
        for user in ("alice", "bob"):
            self.gateway.cli("acl", "set", INFO, f"{user}@example.net", "write")
        self.assertRegex(self.send_as_info("bob"), r"^550 5\.7\.1 ")

    def test_nobody_logs_in_as_a_group(self):
        raw = imap_session(self.gateway, "carol")
        self.addCleanup(raw.close)
        self.assertTrue(raw.imap("a", "LOGOUT")[-1].startswith("a OK"))
        other = Raw(self.gateway.ports["imap"])
        self.addCleanup(other.close)
        other.line()
        self.assertIn("NO", other.imap("a", f'LOGIN {INFO} ""')[-1])
        self.assertIn({"address": INFO, "group": True},
                      [{key: user[key] for key in ("address", "group")}
                       for user in self.gateway.cli_json("user", "list")["users"]])

    def test_what_one_answers_the_other_sees(self):
        self.fill(1)
        alice, bob, carol = (self.session(name) for name in ("alice", "bob", "carol"))
        listed = "".join(alice.imap("a", 'LIST "" "*"'))
        self.assertIn(BOX, listed)
        self.assertIn(r'(\Noselect \HasChildren) "/" "Shared"', listed)
        self.assertNotIn("Shared", "".join(carol.imap("a", 'LIST "" "*"')))
        self.assertIn("NO [NONEXISTENT]", carol.imap("b", f"SELECT {BOX}")[-1])
        for raw in (alice, bob):
            self.assertIn("READ-WRITE", raw.imap("c", f"SELECT {BOX}")[-1])
        bob.send("d IDLE\r\n")
        bob.until(r"^\+ ")
        began = time.monotonic()
        alice.imap("e", r"STORE * +FLAGS (\Answered)")
        bob.until(r"FETCH .*Answered")
        self.assertLess(time.monotonic() - began, 5)
        bob.send("DONE\r\n")
        bob.until("^d OK")
        log = self.wait_for(lambda: [line for line in self.gateway.log_text().splitlines()
                                     if "shared mailbox changed" in line], "a line in the log")
        self.assertIn("alice@example.net", log[-1])
        self.assertIn(INFO, log[-1])

    def test_what_one_reads_is_new_to_the_other_where_the_owner_wants_it(self):
        box = f'"Shared/{INFO}/Archive"'
        self.gateway.cli("acl", "seen", INFO, "own", "--mailbox", "Archive")
        self.assertEqual(self.gateway.cli_json("acl", "list", INFO)["own_seen"], ["Archive"])
        alice, bob = self.session("alice"), self.session("bob")
        for number in range(2):
            mail = f"Subject: {number}\r\n\r\ntext\r\n"
            alice.imap(f"a{number}", f"APPEND {box} {{{len(mail)}+}}\r\n{mail}")
        for raw in (alice, bob):
            raw.imap("b", "ENABLE QRESYNC")
            self.assertIn("OK", raw.imap("c", f"SELECT {box}")[-1])
        bob.send("d IDLE\r\n")
        bob.until(r"^\+ ")
        self.assertIn("MODSEQ", "".join(alice.imap("e", r"STORE 1 +FLAGS (\Seen)")))
        alice.imap("f", r"STORE 2 +FLAGS (\Flagged)")
        told = "".join(bob.until(r"FETCH .*Flagged"))
        self.assertNotIn("* 1 FETCH", told)
        bob.send("DONE\r\n")
        bob.until("^d OK")
        self.assertIn("UNSEEN 1", alice.imap("g", f"STATUS {box} (UNSEEN)")[0])
        self.assertIn("UNSEEN 2", bob.imap("g", f"STATUS {box} (UNSEEN)")[0])
        self.assertIn("* SEARCH 1", "".join(alice.imap("h", "SEARCH SEEN")))
        self.gateway.cli("acl", "seen", INFO, "common", "--mailbox", "Archive")
        self.assertIn("UNSEEN 2", alice.imap("i", f"STATUS {box} (UNSEEN)")[0])
        self.assertEqual(self.gateway.cli_json("acl", "list", INFO)["own_seen"], [])

    def test_rights_taken_away_end_a_session_s_access(self):
        self.fill(1)
        alice = self.session("alice")
        self.gateway.cli("acl", "set", INFO, "carol@example.net", "read", "--mailbox", "INBOX")
        carol = self.session("carol")
        self.assertIn("OK", carol.imap("a", f"SELECT {BOX}")[-1])
        self.assertIn("NO [NOPERM]", carol.imap("b", r"STORE 1 +FLAGS (\Flagged)")[-1])
        self.assertIn("NO [NOPERM]", carol.imap("c", f"GETACL {BOX}")[-1])
        self.assertIn("NO [NOPERM]", carol.imap("d", f"APPEND {BOX} {{3+}}\r\nabc")[-1])
        self.gateway.cli("acl", "remove", INFO, "carol@example.net")
        self.assertIn("NO", carol.imap("e", "FETCH 1 (FLAGS)")[-1])
        self.assertNotIn("Shared", "".join(carol.imap("f", 'LIST "" "*"')))
        self.assertIn("OK", alice.imap("g", f"SELECT {BOX}")[-1])
        rights = self.gateway.cli_json("acl", "list", INFO, "--mailbox", "INBOX")["rights"]
        self.assertEqual([each["identifier"] for each in rights],
                         ["alice@example.net", "bob@example.net"])

    def test_many_hands_move_each_message_once(self):
        """Everybody takes what comes into a mailbox of his own: each message goes to one alone."""
        self.fill(30)
        mine = {}

        def work(user):
            raw = imap_session(self.gateway, user)
            raw.imap("a", f"CREATE Taken{threading.get_ident()}")
            raw.imap("b", f"SELECT {BOX}")
            for number in range(60):
                lines = raw.imap(f"m{number}", f"MOVE 1 Taken{threading.get_ident()}")
                if lines[-1].startswith(f"m{number} BAD"):
                    break
            status = raw.imap("c", f"STATUS Taken{threading.get_ident()} (MESSAGES)")
            mine[user] = int(status[0].split("MESSAGES ")[1].rstrip(")"))
            raw.close()

        with self.gateway.imap("alice") as client:
            client.select(BOX)
            before = len(client.search(None, "ALL")[1][0].split())
        threads = [threading.Thread(target=work, args=(user,)) for user in ("alice", "bob")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(sum(mine.values()), before)

    def test_a_removed_user_leaves_no_rights(self):
        self.gateway.cli("user", "add", "dave@example.net", "--password-stdin", stdin="secret\n")
        self.gateway.cli("acl", "set", INFO, "dave@example.net", "all")
        self.gateway.cli("user", "remove", "dave@example.net", "--yes")
        listed = self.gateway.cli_json("acl", "list", INFO)["rights"]
        self.assertNotIn("dave@example.net", [each["identifier"] for each in listed])


if __name__ == "__main__":
    unittest.main()
