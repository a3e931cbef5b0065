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


if __name__ == "__main__":
    unittest.main()
