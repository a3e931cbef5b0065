#!/usr/bin/env python3
"""postern setup: answers from a file, from stdin and from a terminal; what it leaves behind."""

import os
import pty
import re
import subprocess
import time
import unittest

from support import BAD_DATA, BINARY, FAILURE, USAGE, PosternCase

LEAST = "hostname: mx.example.org\ndomain: example.org\n"


class Setup(PosternCase):
    def setUp(self):
        super().setUp()
        # As a package leaves it: the host name is setup's to give.
        self.config = self.write("postern.yaml", f"data_dir: {self.folder}/data\n")
        self.layer = self.folder / "local.d" / "10-setup.yaml"

    def set_up(self, text, *arguments, **options):
        return self.run_postern("setup", "--answers", self.write("answers.yaml", text), *arguments,
                                **options)

    def certificate(self):
        """Paths of a certificate and its key."""
        cert, key = self.folder / "c.pem", self.folder / "k.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=mx",
                        "-keyout", key, "-out", cert], check=True, capture_output=True, timeout=60)
        return cert, key

    def test_two_answers_make_a_gateway(self):
        report = self.set_up(LEAST)
        password = re.search(r"shown this once: (\S+)", report)[1]
        self.assertRegex(password, r"^([a-z0-9]{4}-){4}[a-z0-9]{4}$")
        self.assertIn("example.org. MX 10 mx.example.org.", report)
        self.assertEqual(self.run_json("config", "check")["hostname"], "mx.example.org")
        self.assertEqual(self.run_json("domain", "list")["domains"], ["example.org"])
        users = self.run_json("user", "list")["users"]
        self.assertEqual([user["address"] for user in users], ["postmaster@example.org"])
        aliases = self.run_json("alias", "list")["aliases"]
        self.assertEqual([alias["address"] for alias in aliases], ["abuse@example.org"])
        self.assertNotIn(password, self.layer.read_text())

    def test_all_answers(self):
        cert, key = self.certificate()
        indented = "".join(f"{name}: |\n" + "".join(f"  {line}\n"
                                                    for line in path.read_text().splitlines())
                           for name, path in (("certificate", cert), ("key", key)))
        report = self.set_up(LEAST + "admin: ann@example.org\nadmin_password: 'a b'\n" + indented +
                             "backup_target: /srv/backup\n", "--json")
        self.assertNotIn("a b", report)
        self.assertIn('"self_signed": false', report)
        written = self.layer.read_text()
        self.assertIn("/srv/backup", written)
        placed = self.folder / "tls" / "key.pem"
        self.assertEqual(placed.read_text().strip(), key.read_text().strip())
        self.assertEqual(placed.stat().st_mode & 0o777, 0o640)
        self.run_postern("config", "check")
        aliases = {alias["address"]: alias["targets"]
                   for alias in self.run_json("alias", "list")["aliases"]}
        self.assertEqual(aliases, {"abuse@example.org": ["ann@example.org"],
                                   "postmaster@example.org": ["ann@example.org"]})

    def test_a_certificate_by_acme_opens_port_80(self):
        self.set_up(LEAST)
        self.assertNotIn("http", self.layer.read_text())
        report = self.set_up(LEAST + "certificate: acme\n", "--again")
        self.assertIn("postern certificate renew", report)
        self.assertNotIn("self-signed", report)
        written = self.layer.read_text()
        self.assertIn('http: ["0.0.0.0:80", "[::]:80"]', written)
        self.assertIn("https://acme-v02.api.letsencrypt.org/directory", written)
        self.assertIn('contact: "postmaster@example.org"', written)
        self.run_postern("config", "check")

    def test_it_is_done_once_unless_asked_for(self):
        self.set_up(LEAST)
        self.set_up(LEAST, code=FAILURE)
        self.assertIn("--again", self.errors)
        self.set_up(LEAST.replace("mx.", "mail."), "--again")
        self.assertEqual(self.run_json("config", "check")["hostname"], "mail.example.org")
        self.assertEqual(len(self.run_json("user", "list")["users"]), 1)

    def test_what_was_cut_short_is_finished(self):
        self.run_postern("domain", "add", "example.org")
        self.set_up(LEAST)
        self.layer.unlink()
        self.set_up(LEAST)
        self.assertEqual(len(self.run_json("user", "list")["users"]), 1)

    def test_bad_answers_change_nothing(self):
        for text, error in (("hostname: mx\ndomain: example.org\n", "answers.yaml:1: hostname"),
                            (LEAST + "admin: ann@example.com\n", "answers.yaml:3: admin"),
                            (LEAST + "certificate: /no\nkey: /no\n", "/no"),
                            (LEAST + "colour: red\n", "answers.yaml:3: colour: unknown key")):
            with self.subTest(text):
                answers = self.write("answers.yaml", text)
                done = self.run_raw("--config", self.config, "setup", "--answers", answers)
                self.assertIn(done.returncode, (FAILURE, BAD_DATA))
                self.assertIn(error, done.stderr.decode())
                self.assertFalse((self.folder / "data" / "store").exists())
                self.assertFalse(self.layer.exists())
        self.run_postern("setup", code=USAGE)
        self.assertIn("--answers", self.errors)

    def test_a_machine_gets_its_name_and_network(self):
        self.run_postern("setup", "--answers", "-", "--machine", self.folder / "machine",
                         stdin=LEAST + "address: 192.0.2.10/24\ngateway: 192.0.2.1\n"
                                       "name_servers: [192.0.2.53]\n")
        etc = self.folder / "machine" / "etc"
        self.assertEqual((etc / "hostname").read_text(), "mx.example.org\n")
        network = (etc / "systemd/network/20-postern.network").read_text()
        for line in ("Address=192.0.2.10/24", "Gateway=192.0.2.1", "DNS=192.0.2.53"):
            self.assertIn(line, network)

    def test_questions_on_a_terminal(self):
        child, terminal = pty.fork()
        if child == 0:
            os.execv(BINARY, [BINARY, "--config", str(self.config), "setup"])
        talk = [("Host name", "mx"), ("Host name", "mx.example.org"), ("domain", ""),
                ("Admin", "ann@example.org"), ("Password", "pass word"), ("again", "pass word"),
                ("Certificate", ""), ("Backup", "")]
        said = ""
        for question, answer in talk:
            seen = self.read_until(terminal, question)
            said += seen
            time.sleep(0.1)   # echo is turned off after the prompt
            os.write(terminal, answer.encode() + b"\n")
        said += self.read_until(terminal, "Next:")
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        os.close(terminal)
        self.assertEqual(code, 0, said)
        self.assertIn("expected a full host name", said)
        self.assertNotIn("pass word", said)
        self.assertEqual(self.run_json("user", "list")["users"][0]["address"], "ann@example.org")

    def read_until(self, terminal, words, seconds=60):
        text, until = "", time.monotonic() + seconds
        while words not in text:
            self.assertLess(time.monotonic(), until, text)
            text += os.read(terminal, 4096).decode()
        return text


if __name__ == "__main__":
    unittest.main()
