#!/usr/bin/env python3
"""postern store import, again and again, as a move from another server does it."""

import os
import unittest

from support import PosternCase

DATE = 1_700_000_000


class Import(PosternCase):
    def setUp(self):
        super().setUp()
        self.add_user()

    def mail(self, name, text="Subject: a\r\n\r\nHello\r\n", date=DATE):
        path = self.write(f"Maildir/{name}", text)
        os.utime(path, (date, date))
        return path

    def bring(self):
        report = self.run_json("store", "import", "ann@example.org", self.folder / "Maildir")
        self.assertEqual((report["problems"], report["complete"]), (0, True))
        return report["messages"], report["there_already"]

    def test_what_is_there_is_not_doubled(self):
        first = self.mail("new/1")
        self.mail("cur/2:2,S", "Subject: b\r\n\r\nHello\r\n")
        self.assertEqual(self.bring(), (2, 0))
        self.assertEqual(self.bring(), (0, 2))
        # Read meanwhile: no file of that name was imported before.
        os.makedirs(self.folder / "Maildir/cur", exist_ok=True)
        os.rename(first, self.folder / "Maildir/cur/other-name:2,S")
        self.mail("cur/3:2,", "Subject: c\r\n\r\nHello\r\n")
        self.assertEqual(self.bring(), (1, 2))
        report = self.run_postern("store", "import", "ann@example.org", self.folder / "Maildir")
        self.assertEqual(report, "0 messages imported, 3 were there already, 0 problems\n")

    def test_what_differs_is_another_message(self):
        self.mail("cur/1:2,")
        self.assertEqual(self.bring(), (1, 0))
        self.mail("cur/2:2,", date=DATE + 1)
        self.mail("cur/3:2,", text="Subject: b\r\n\r\nHello\r\n")
        self.assertEqual(self.bring(), (2, 1))
        # Twice in one folder is twice in the mailbox.
        self.mail("cur/4:2,", text="Subject: d\r\n\r\nHello\r\n")
        self.mail("cur/5:2,", text="Subject: d\r\n\r\nHello\r\n")
        self.assertEqual(self.bring(), (2, 3))

    def test_names_that_no_mailbox_may_have(self):
        self.mail("cur/1:2,", "Subject: d\r\n\r\nHello\r\n")
        self.mail(".Old\u0085/cur/1:2,")
        self.mail(".Line\u2028\x7f.b/cur/1:2,", "Subject: b\r\n\r\nHello\r\n")
        # No UTF-8: Latin 1, as old servers wrote it.
        maildir = os.fsencode(self.folder / "Maildir")
        os.makedirs(maildir + b"/.Entw\xfcrfe/cur")
        with open(maildir + b"/.Entw\xfcrfe/cur/1:2,", "wb") as file:
            file.write(b"Subject: c\r\n\r\nHello\r\n")
        for name in os.listdir(maildir):
            os.makedirs(maildir + b"/" + (b"" if name == b"cur" else name) + b"/new")
        command = ["store", "import", "ann@example.org", self.folder / "Maildir"]
        report = self.run_json(*command)
        self.assertEqual((report["messages"], report["problems"]), (4, 0))
        self.assertEqual(report["renamed"], {
            "Old\u0085": "Old\ufffd", "Line\u2028\x7f/b": "Line\ufffd\ufffd/b",
            "Entw\ufffdrfe": "Entw\ufffdrfe"})
        listed = self.run_json("mailbox", "list", "ann@example.org")["mailboxes"]
        held = {box["name"]: box["messages"] for box in listed if box["messages"]}
        self.assertEqual(held, dict.fromkeys(["INBOX", *report["renamed"].values()], 1))
        self.assertEqual(self.run_json(*command)["there_already"], 4)
        # A name that is asked for is not changed.
        told = self.run_postern(*command[:-1], self.folder / "Maildir/cur", "--mailbox", "a\u0085",
                                code=1)
        self.assertIn("control characters", self.errors)
        self.assertIn("0 messages imported", told)


if __name__ == "__main__":
    unittest.main()
