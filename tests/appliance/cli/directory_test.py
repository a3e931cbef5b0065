"""domain, user and mailbox commands."""

import os
import pty
import subprocess
import unittest

from support import BAD_DATA, BINARY, FAILURE, UNAVAILABLE, USAGE, PosternCase


class Domains(PosternCase):
    def test_add_list_remove(self):
        self.run_postern("domain", "add", "Example.ORG")
        self.run_postern("domain", "add", "b.example")
        self.assertEqual(self.run_postern("domain", "list"), "b.example\nexample.org\n")
        self.assertEqual(self.run_json("domain", "list"), {"domains": ["b.example", "example.org"]})
        self.run_postern("domain", "remove", "b.example")
        self.assertEqual(self.run_json("domain", "list"), {"domains": ["example.org"]})

    def test_mistakes_say_what_to_do(self):
        self.run_postern("domain", "list", code=UNAVAILABLE)
        self.assertIn("postern domain add", self.errors)
        self.run_postern("domain", "add", "example.org")
        self.run_postern("domain", "add", "EXAMPLE.org", code=FAILURE)
        self.run_postern("domain", "add", "no spaces.example", code=BAD_DATA)
        self.run_postern("domain", "remove", "none.example", code=FAILURE)
        self.add_user()
        self.run_postern("domain", "remove", "example.org", code=FAILURE)
        self.assertIn("postern user list example.org", self.errors)
        self.run_postern("domain", code=USAGE)
        self.run_postern("domain", "add", code=USAGE)


class Users(PosternCase):
    def setUp(self):
        super().setUp()
        self.run_postern("domain", "add", "example.org")

    def test_add_list_remove(self):
        self.add_user("Ann@Example.org")
        self.add_user("bob@example.org")
        self.assertEqual(self.run_postern("user", "list"), "ann@example.org\nbob@example.org\n")
        users = self.run_json("user", "list", "example.org")["users"]
        self.assertEqual([u["address"] for u in users], ["ann@example.org", "bob@example.org"])
        self.assertTrue(all(u["password"] for u in users))
        self.run_postern("user", "remove", "ANN@example.org")
        self.assertEqual(self.run_postern("user", "list"), "bob@example.org\n")

    def test_what_one_user_may_use(self):
        self.add_user("ann@example.org")
        self.run_postern("pool", "add", "acme", "--soft", "2G")

        def caps():
            user = self.run_json("user", "list")["users"][0]
            return user["cap_bytes"], user["cap_messages"]

        self.assertEqual(caps(), (0, 0))
        self.run_postern("pool", "assign", "acme", "ann@example.org", "--cap", "1K",
                         "--cap-messages", "7")
        self.assertEqual(caps(), (1024, 7))
        self.run_postern("pool", "assign", "acme", "ann@example.org", "--cap-messages", "x",
                         code=BAD_DATA)
        self.assertIn("x: not a number of messages", self.errors)
        self.run_postern("pool", "assign", "none", "ann@example.org", "--cap-messages", "8")
        self.assertEqual(caps(), (0, 8))
        self.run_postern("pool", "assign", "acme", "ann@example.org")
        self.assertEqual(caps(), (0, 0))

    def test_groups_and_rights(self):
        self.add_user("ann@example.org")
        self.run_postern("user", "add", "info@example.org", "--group")
        self.assertEqual(self.run_postern("user", "list"),
                         "ann@example.org\ninfo@example.org  (group)\n")
        self.run_postern("acl", "set", "info@example.org", "Ann", "write", "--mailbox", "INBOX")
        self.run_postern("acl", "set", "info@example.org", "anyone", "lr", "--mailbox", "Sent")
        self.assertEqual(self.run_postern("acl", "list", "info@example.org"),
                         "INBOX  ann@example.org  eilrstw\nSent  anyone  lr\n")
        self.run_postern("acl", "remove", "info@example.org", "anyone")
        self.assertEqual(self.run_json("acl", "list", "info@example.org"),
                         {"owner": "info@example.org", "own_seen": [],
                          "rights": [{"mailbox": "INBOX", "identifier": "ann@example.org",
                                      "rights": "eilrstw"}]})
        self.run_postern("acl", "seen", "info@example.org", "own", "--mailbox", "INBOX")
        self.assertIn("INBOX  each person's own \\Seen\n",
                      self.run_postern("acl", "list", "info@example.org"))
        self.assertEqual(self.run_json("acl", "list", "info@example.org")["own_seen"], ["INBOX"])
        self.run_postern("acl", "seen", "info@example.org", "common")
        self.assertEqual(self.run_json("acl", "list", "info@example.org")["own_seen"], [])
        self.run_postern("acl", "seen", "info@example.org", "mine", code=USAGE)
        self.run_postern("acl", "set", "info@example.org", "ann", "nonsense", code=USAGE)
        self.assertIn("read, write, answer, full, all", self.errors)
        self.run_postern("acl", "set", "info@example.org", "nobody", "read", code=BAD_DATA)
        self.assertIn("postern user list", self.errors)
        self.run_postern("acl", "set", "none@example.org", "ann", "read", code=FAILURE)
        self.run_postern("acl", "list", "info@example.org", "--mailbox", "Nix", code=FAILURE)
        self.run_postern("user", "remove", "ann@example.org")
        self.assertEqual(self.run_postern("acl", "list", "info@example.org"), "")

    def test_password_is_not_kept_in_the_clear(self):
        self.add_user(password="correct horse battery")
        for path in (self.folder / "data").rglob("*"):
            if path.is_file():
                self.assertNotIn(b"correct horse", path.read_bytes())
        self.run_postern("user", "passwd", "ann@example.org", "--password-stdin", stdin="new one\n")

    def test_mistakes(self):
        self.run_postern("user", "add", "ann@example.org", code=USAGE)
        self.assertIn("--password-stdin", self.errors)
        self.run_postern("user", "add", "ann@example.org", "--password-stdin", stdin="\n",
                         code=BAD_DATA)
        self.run_postern("user", "add", "ann@example.org", "--password-stdin", stdin="x" * 1025,
                         code=BAD_DATA)
        self.run_postern("user", "add", "ann@example.org", "--password-stdin", stdin="x" * 1024)
        self.run_postern("user", "add", "ann@example.org", "--password-stdin", stdin="x",
                         code=FAILURE)
        self.assertIn("postern user passwd", self.errors)
        self.run_postern("user", "add", "ann@none.example", "--password-stdin", stdin="x",
                         code=FAILURE)
        self.assertIn("postern domain add", self.errors)
        self.run_postern("user", "add", "not an address", "--password-stdin", stdin="x",
                         code=BAD_DATA)
        self.run_postern("user", "passwd", "bob@example.org", "--password-stdin", stdin="x",
                         code=FAILURE)
        self.run_postern("user", "remove", "bob@example.org", code=FAILURE)

    def test_terminal_asks_twice_without_echo(self):
        shown = self.ask_on_terminal(b"top secret\ntop secret\n")
        self.assertIn(b"Password for ann@example.org: ", shown)
        self.assertNotIn(b"top secret", shown)
        self.assertEqual(self.run_postern("user", "list"), "ann@example.org\n")

    def test_terminal_refuses_two_different_passwords(self):
        self.assertIn(b"differ", self.ask_on_terminal(b"one\ntwo\n", code=BAD_DATA))

    def ask_on_terminal(self, typed, code=0):
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [BINARY, "--config", str(self.config), "user", "add", "ann@example.org"],
            stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        shown = b""
        for line in typed.splitlines(keepends=True):
            while not shown.endswith(b": "):
                shown += os.read(master, 1000)
            os.write(master, line)
            shown += os.read(master, 1000)
        self.assertEqual(process.wait(timeout=60), code)
        try:
            while piece := os.read(master, 1000):
                shown += piece
        except OSError:
            pass
        os.close(master)
        return shown


class Mailboxes(PosternCase):
    def test_new_user_has_the_usual_ones(self):
        self.run_postern("domain", "add", "example.org")
        self.add_user()
        boxes = self.run_json("mailbox", "list", "ann@example.org")["mailboxes"]
        self.assertEqual({b["name"]: b["special_use"] for b in boxes},
                         {"INBOX": "", "Archive": "archive", "Drafts": "drafts", "Junk": "junk",
                          "Sent": "sent", "Trash": "trash"})
        self.assertTrue(all(b["messages"] == 0 and b["selectable"] for b in boxes))
        self.assertIn("INBOX", self.run_postern("mailbox", "list", "ann@example.org"))
        self.run_postern("mailbox", "list", "bob@example.org", code=FAILURE)
        self.assertIn("postern user list", self.errors)

    def test_names_of_mailboxes_for_pop3_are_kept_in_one_spelling(self):
        self.add_user()
        change = ["user", "set", "ann@example.org", "--pop3-mailboxes"]
        self.run_postern(*change, "inbox", "Entwu\u0308rfe")
        told = self.run_json("user", "list")["users"][0]["pop3_mailboxes"]
        self.assertEqual(told, ["INBOX", "Entw\u00fcrfe"])
        for bad in ("a\x07", "a//b", ""):
            self.run_postern(*change, "INBOX", bad, code=BAD_DATA)
        self.assertEqual(self.run_json("user", "list")["users"][0]["pop3_mailboxes"], told)


if __name__ == "__main__":
    unittest.main()
