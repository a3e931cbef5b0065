#!/usr/bin/env python3
"""A store as the format before left it, with real mail: upgraded by the daemon, killed in the
middle of it, gone back to; and a store of a newer format, which is refused."""

import glob
import os
import random
import shutil
import time
import unittest

from base import CORPUS, Gateway, fetch_all, wire_form

FORMAT, BEFORE = 3, 2
MESSAGES = 40
KILLS = 8
CANNOT_CREATE = 73


def set_format(store, old, new):
    """Gives every environment of a closed store another number of its format."""
    name = b"format\0\0\0"
    for path in glob.glob(f"{store}/[0-9]*/data.mdb"):
        with open(path, "rb") as file:
            content = file.read()
        assert content.count(name + bytes([old])), path
        with open(path, "wb") as file:
            file.write(content.replace(name + bytes([old]), name + bytes([new])))


class Upgrade(unittest.TestCase):
    def setUp(self):
        self.gateway = Gateway(settings="filter: {starter_model: false}\n")
        self.addCleanup(self.gateway.close)
        self.store = f"{self.gateway.data}/store"
        self.copy = f"{self.store}-format-{BEFORE}"
        self.gateway.add_users("alice")
        self.gateway.start()
        for path in sorted(glob.glob(f"{CORPUS}/messages/easy-ham-1/*"))[:MESSAGES]:
            with open(path, "rb") as file:
                self.gateway.deliver(wire_form(file.read()))
        self.mail = self.read()
        self.assertEqual(len(self.mail), MESSAGES)
        self.assertEqual(self.gateway.stop(), 0)

    def read(self):
        deadline = time.monotonic() + 60
        while True:
            with self.gateway.imap("alice") as client:
                mail = sorted(fetch_all(client, "INBOX"))
            if len(mail) >= MESSAGES or time.monotonic() > deadline:
                return mail
            time.sleep(0.2)

    def refused(self):
        """What the log says of a start that fails."""
        with self.assertRaises(AssertionError) as failed:
            self.gateway.start()
        self.assertEqual(self.gateway.child.returncode, CANNOT_CREATE)
        return str(failed.exception)

    def test_mail_outlives_the_upgrade_and_the_way_back(self):
        set_format(self.store, FORMAT, BEFORE)
        self.gateway.start()
        self.assertEqual(self.read(), self.mail)
        self.assertIn(self.copy, self.gateway.log_text(), "the log tells where the copy is")
        self.gateway.deliver(b"Subject: since\r\n\r\nsince\r\n")
        self.assertEqual(self.gateway.stop(), 0)
        # As docs/admin/disaster.md says; here the same program upgrades again.
        os.rename(self.store, f"{self.store}-newer")
        os.rename(self.copy, self.store)
        self.gateway.start()
        self.assertEqual(self.read(), self.mail)
        self.assertTrue(self.gateway.cli_json("store", "check")["clean"])
        self.assertEqual(self.gateway.stop(), 0)

    def test_it_may_be_killed_in_the_middle(self):
        set_format(self.store, FORMAT, BEFORE)
        old = f"{self.store}-old"
        shutil.copytree(self.store, old)
        chance = random.Random(7)
        for _ in range(KILLS):
            shutil.rmtree(self.store)
            shutil.rmtree(self.copy, ignore_errors=True)
            shutil.copytree(old, self.store)
            with open(self.gateway.log, "ab") as log:
                self.gateway.child = self.gateway.spawn(log)
            time.sleep(chance.uniform(0.0, 1.0))
            self.gateway.kill()
            self.gateway.start()
            self.assertEqual(self.read(), self.mail)
            self.assertEqual(self.gateway.stop(), 0)
            self.assertEqual(len(glob.glob(f"{self.copy}/[0-9]*/data.mdb")),
                             len(glob.glob(f"{self.store}/[0-9]*/data.mdb")))

    def test_a_newer_format_is_refused_and_left_alone(self):
        set_format(self.store, FORMAT, FORMAT + 1)
        before = {path: os.stat(path).st_mtime_ns
                  for path in glob.glob(f"{self.store}/[0-9]*/data.mdb")}
        said = self.refused()
        self.assertIn(f"has format {FORMAT + 1}", said)
        self.assertIn("postern restore", said)
        self.assertEqual(before, {path: os.stat(path).st_mtime_ns for path in before})
        set_format(self.store, FORMAT + 1, FORMAT)
        self.gateway.start()
        self.assertEqual(self.read(), self.mail)
        self.assertEqual(self.gateway.stop(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
