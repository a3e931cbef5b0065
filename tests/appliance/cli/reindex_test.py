#!/usr/bin/env python3
"""postern store reindex: the index for searches in texts, built anew."""

import unittest

from support import FAILURE, USAGE, PosternCase


class Reindex(PosternCase):
    def setUp(self):
        super().setUp()
        self.config = self.write("postern/postern.yaml", f"data_dir: {self.folder}/data\n")
        self.run_postern("setup", "--answers", "-",
                         stdin="hostname: mx.example.org\ndomain: example.org\n")
        for number in range(3):
            message = self.write(f"mail/{number}.eml", f"Subject: {number}\r\n\r\nHello\r\n")
            self.run_postern("store", "import", "postmaster@example.org", message)

    def segments(self):
        return sorted((self.folder / "data/store/search").glob("*/*/v*"))

    def test_everything_is_indexed_and_again(self):
        for _ in range(2):
            report = self.run_json("store", "reindex")
            self.assertEqual(report["messages"], 3)
            self.assertEqual((report["busy"], report["failed"], report["unreadable"]), (0, 0, 0))
            self.assertEqual(len(self.segments()), 1)
        self.assertIn("3 messages", self.run_postern("store", "reindex"))
        self.assertTrue(self.run_json("store", "check")["clean"])

    def test_one_mailbox(self):
        user = ("--user", "postmaster@example.org")
        self.assertEqual(self.run_json("store", "reindex", *user, "--mailbox", "INBOX")["messages"],
                         3)
        self.assertEqual(self.run_json("store", "reindex", *user, "--mailbox", "Sent")["messages"],
                         0)
        self.run_postern("store", "reindex", *user, "--mailbox", "None", code=FAILURE)
        self.run_postern("store", "reindex", "--user", "none@example.org", code=FAILURE)
        self.run_postern("store", "reindex", "--mailbox", "INBOX", code=USAGE)


if __name__ == "__main__":
    unittest.main()
