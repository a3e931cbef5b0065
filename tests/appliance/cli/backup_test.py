#!/usr/bin/env python3
"""postern backup and restore: mail, users, settings and keys, to a folder and over ssh."""

import os
import pathlib
import shutil
import unittest

from support import BAD_DATA, FAILURE, USAGE, PosternCase

# The other machine is this one.
SSH = """#!/bin/sh
while [ $# -gt 0 ]; do
    case $1 in -o | -l) shift 2 ;; -*) shift ;; *) break ;; esac
done
[ "$1" = host.example ] || exit 255
shift
exec sh -c "$*"
"""


class Backup(PosternCase):
    def setUp(self):
        super().setUp()
        # As its package lays it out.
        self.config = self.write("postern/postern.yaml", f"data_dir: {self.folder}/data\n")
        self.run_postern("setup", "--answers", "-",
                         stdin="hostname: mx.example.org\ndomain: example.org\n")
        self.write("data/filter/note", "model")
        self.key = self.write("keys/dkim.pem", "secret key")
        self.write("postern/local.d/20-own.yaml",
                   f"dkim: {{keys: {{example.org: 'sel:{self.key}'}}}}\n")
        self.import_mail("first")

    def import_mail(self, subject):
        message = self.write(f"mail/{subject}.eml", f"Subject: {subject}\r\n\r\nHello\r\n")
        self.run_postern("store", "import", "postmaster@example.org", message)

    def messages(self):
        return self.run_json("store", "stats")["messages"]

    def lose_everything(self):
        shutil.rmtree(self.folder / "data")
        shutil.rmtree(self.folder / "postern" / "local.d")
        self.key.unlink()

    def check_restored(self):
        self.assertEqual(self.messages(), 1)
        self.assertEqual(self.run_json("config", "check")["hostname"], "mx.example.org")
        self.assertEqual([user["address"] for user in self.run_json("user", "list")["users"]],
                         ["postmaster@example.org"])
        self.assertEqual((self.folder / "data/filter/note").read_text(), "model")
        self.assertEqual(self.key.read_text(), "secret key")
        self.assertTrue(self.run_json("store", "check")["clean"])

    def test_a_lost_machine_comes_back_from_a_folder(self):
        target = self.folder / "disk2"
        self.assertEqual(self.run_json("backup", target)["problems"], 0)
        self.lose_everything()
        report = self.run_json("restore", target)
        self.assertEqual((report["messages"], report["put_aside"]), (1, ""))
        self.check_restored()
        self.assertEqual((target / "machine").stat().st_mode & 0o077, 0, "keys are in it")

    def test_what_is_there_is_put_aside_and_only_when_asked(self):
        target = self.folder / "disk2"
        self.run_postern("backup", target)
        self.import_mail("second")
        self.run_postern("restore", target, code=FAILURE)
        self.assertIn("--replace", self.errors)
        self.assertEqual(self.messages(), 2)
        data = self.folder / "data"
        data.chmod(0o750)
        owner = 12345 if os.geteuid() == 0 else os.geteuid()
        os.chown(data, owner, -1)
        report = self.run_json("restore", target, "--replace")
        self.assertEqual((data.stat().st_mode & 0o777, data.stat().st_uid), (0o750, owner))
        self.assertEqual({path.lstat().st_uid for path in data.rglob("*")}, {owner})
        self.assertEqual(report["left"], [str(self.key)])
        self.assertTrue((pathlib.Path(report["put_aside"])).is_dir())
        self.check_restored()

    def test_over_ssh_with_the_target_from_the_configuration(self):
        tools = self.write("tools/ssh", SSH)
        tools.chmod(0o755)
        os.environ["PATH"] = f"{tools.parent}:{os.environ['PATH']}"
        self.addCleanup(os.environ.__setitem__, "PATH", os.environ["PATH"].split(":", 1)[1])
        target = f"ssh:host.example:{self.folder}/far"
        self.write("postern/local.d/30-backup.yaml", f"backup: {{target: '{target}'}}\n")
        self.run_postern("backup", "--scheduled")
        self.run_postern("backup")
        self.lose_everything()
        self.run_postern("restore", target)
        self.check_restored()
        self.run_postern("backup", f"ssh:other.example:{self.folder}/far", code=69)
        self.assertIn("rsync", self.errors)

    def test_copies_of_the_configuration_do_not_pile_up(self):
        target = self.folder / "disk2"
        for number in range(20):
            (target / "machine" / f"20200101T0000{number:02}Z").mkdir(parents=True)
        self.run_postern("backup", target)
        names = sorted(entry.name for entry in (target / "machine").iterdir())
        self.assertEqual(len(names), 14)
        self.assertGreater(names[-1], "2021")

    def test_without_a_target_or_a_backup(self):
        self.assertEqual(self.run_postern("backup", "--scheduled"), "")
        self.run_postern("backup", code=USAGE)
        self.run_postern("backup", "relative/folder", code=BAD_DATA)
        self.run_postern("backup", "ssh:-oProxyCommand=x:/y", code=BAD_DATA)
        (self.folder / "empty").mkdir()
        self.run_postern("restore", self.folder / "empty", "--replace", code=BAD_DATA)
        self.assertEqual(self.messages(), 1)


if __name__ == "__main__":
    unittest.main()
