"""Runs the postern binary in a folder of its own."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

BINARY = os.environ["POSTERN_BINARY"]
CORPUS = pathlib.Path(__file__).resolve().parents[2] / "corpus"

OK, FAILURE, USAGE, BAD_DATA, UNAVAILABLE, BAD_CONFIG = 0, 1, 64, 65, 69, 78


class PosternCase(unittest.TestCase):
    """A temporary folder with a configuration; run() and its shorthands."""

    def setUp(self):
        self._folder = tempfile.TemporaryDirectory(prefix="postern-cli-")
        self.addCleanup(self._folder.cleanup)
        self.folder = pathlib.Path(self._folder.name)
        settings = (f"hostname: mx.test\ndata_dir: {self.folder}/data\n"
                    "filter: {starter_model: false}\n")
        self.config = self.write("postern.yaml", settings)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def run_raw(self, *arguments, stdin=""):
        return subprocess.run([BINARY, *map(str, arguments)], input=stdin.encode(), timeout=120,
                              capture_output=True, check=False)

    def run_postern(self, *arguments, code=OK, stdin=""):
        """stdout as text; the exit code must be `code`; errors name the program."""
        done = self.run_raw("--config", self.config, *arguments, stdin=stdin)
        errors = done.stderr.decode()
        self.assertEqual(done.returncode, code, f"{arguments}: {errors}")
        self.errors = errors
        if code not in (OK, USAGE):
            self.assertIn("postern: ", errors)
        return done.stdout.decode()

    def run_json(self, *arguments, code=OK):
        return json.loads(self.run_postern(*arguments, "--json", code=code))

    def add_user(self, address="ann@example.org", password="secret"):
        domain = address.split("@")[1].lower()
        self.run_raw("--config", self.config, "domain", "add", domain)  # it may be there
        self.run_postern("user", "add", address, "--password-stdin", stdin=password + "\n")

    def write_corpus(self, spam=30, ham=30):
        """An index with as many messages, alternately."""
        lines = []
        for i in range(max(spam, ham)):
            if i < spam:
                self.write(f"c/spam{i}", f"Subject: win cash {i}\nFrom: a{i}@spam.example\n\n"
                                         f"Cheap pills, free money, click now {i * 7}\n")
                lines.append(f"spam spam{i}")
            if i < ham:
                self.write(f"c/ham{i}", f"Subject: meeting {i}\nFrom: b{i}@work.example\n\n"
                                        "Please review the attached schedule "
                                        f"before Monday {i * 3}\n")
                lines.append(f"ham ham{i}")
        return self.write("c/index", "\n".join(lines) + "\n")
