"""Global options, help, config check, status."""

import os
import json
import pty
import subprocess
import unittest

from support import BAD_CONFIG, BINARY, FAILURE, OK, UNAVAILABLE, USAGE, PosternCase

COMMANDS = [["serve"], ["domain"], ["domain", "add"], ["domain", "list"], ["domain", "remove"],
            ["user"], ["user", "add"], ["user", "passwd"], ["user", "list"], ["user", "remove"],
            ["mailbox"], ["mailbox", "list"], ["train"], ["scan"], ["explain"], ["evaluate"],
            ["status"], ["config"], ["config", "check"], ["completion"]]


class General(PosternCase):
    def test_every_command_has_help(self):
        for command in [[]] + COMMANDS:
            done = self.run_raw(*command, "--help")
            self.assertEqual(done.returncode, OK, command)
            self.assertIn(b"Usage:", done.stdout, command)
            self.assertGreater(len(done.stdout), 100, command)
        overview = self.run_raw("--help").stdout.decode()
        for code in ("  64 ", "  65 ", "  69 ", "  78 "):
            self.assertIn(code, overview)

    def test_version(self):
        done = self.run_raw("--version")
        self.assertEqual(done.returncode, OK)
        self.assertRegex(done.stdout.decode(), r"^postern \d+\.\d+\.\d+\n$")

    def test_man_pages_tell_what_help_tells(self):
        pages = self.folder / "man"
        self.run_postern("man-pages", str(pages))
        main = (pages / "postern.1").read_text()
        for command in {words[0] for words in COMMANDS}:
            page = (pages / f"postern-{command}.1").read_text()
            self.assertTrue(page.startswith(f".TH POSTERN\\-{command.upper()} 1 "), page[:80])
            self.assertIn(f".BR postern\\-{command} (1)", main)
        page = (pages / "postern-user.1").read_text()
        for words in ("postern user passwd", "\\-\\-password\\-stdin", "argon2id"):
            self.assertIn(words, page)
        self.assertEqual(page.count("argon2id"), 1, "a parent's footer is told once")

    def test_bash_completes(self):
        script = self.run_postern("completion")
        for line, expected in (("postern us", "user"), ("postern user pas", "passwd"),
                               ("postern user add --pass", "--password-stdin"),
                               ("postern user add bob@example.org --pass", "--password-stdin"),
                               ("postern --config x dom", "domain")):
            words = line.split()
            asked = (f"{script}\nCOMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _postern; "
                     "echo \"${COMPREPLY[*]}\"")
            done = subprocess.run(["bash", "-c", asked], capture_output=True, text=True,
                                  timeout=30, check=True)
            self.assertEqual(done.stdout.strip(), expected, line)

    def test_usage_errors(self):
        for arguments in ([], ["nonsense"], ["domain"], ["domain", "add", "a", "b"], ["--none"]):
            done = self.run_raw(*arguments)
            self.assertEqual(done.returncode, USAGE, arguments)
            self.assertEqual(done.stdout, b"", arguments)
            self.assertNotEqual(done.stderr, b"", arguments)

    def test_config_before_and_after_the_command(self):
        for arguments in (["--config", self.config, "config", "check", "--json"],
                          ["config", "check", "--config", self.config, "--json"],
                          ["config", "--json", "check", f"--config={self.config}"]):
            done = self.run_raw(*arguments)
            self.assertEqual(done.returncode, OK, done.stderr)
            self.assertIn(b'"hostname": "mx.test"', done.stdout)

    def test_bad_config_is_named_with_its_line(self):
        self.config = self.write("bad.yaml", "hostname: mx.test\nhostnam: x\n")
        self.run_postern("config", "check", code=BAD_CONFIG)
        self.assertIn("bad.yaml:2: ", self.errors)
        self.run_postern("domain", "list", code=BAD_CONFIG)
        self.config = self.folder / "none.yaml"
        self.run_postern("config", "check", code=BAD_CONFIG)
        self.assertIn("--config FILE", self.errors)

    def test_empty_config_is_good(self):
        self.config = self.write("empty.yaml", "")
        self.assertIn("data_dir /var/lib/postern", self.run_postern("config", "check"))

    def test_status_without_store_and_daemon(self):
        facts = self.run_json("status")
        self.assertFalse(facts["running"])
        self.assertFalse(facts["store"]["exists"])
        self.run_postern("domain", "add", "example.org")
        facts = self.run_json("status")
        self.assertEqual((facts["store"]["domains"], facts["store"]["users"]), (1, 0))
        self.assertFalse(facts["mail_flows"])
        screen = self.run_postern("status")
        self.assertIn("mail does NOT flow", screen)
        self.assertIn("1 domains, 0 users\n", screen)
        self.assertIn("-> systemctl start postern", screen)
        self.assertFalse((self.folder / "data/store").joinpath("none").exists())

    def doctor(self, *arguments):
        """Area and level to what it says, without the DNS."""
        done = self.run_raw("--config", self.config, "doctor", "--no-dns", "--json", *arguments)
        self.assertIn(done.returncode, (OK, FAILURE), done.stderr)
        return {(each["area"], each["level"]): each["text"] + " -> " + each["remedy"]
                for each in json.loads(done.stdout)["findings"]}

    def test_before_the_set_up_both_say_what_comes_first(self):
        self.assertIn("-> postern setup", self.run_postern("status"))
        (self.folder / "data").mkdir()
        found = self.doctor()
        self.assertIn("-> postern setup", found["daemon", "bad"])
        self.assertTrue(any(area == "clock" for area, _ in found))
        self.run_postern("user", "list", code=UNAVAILABLE)
        self.assertIn("postern setup", self.errors)

    @unittest.skipIf(os.geteuid() != 0, "only root can give files away")
    def test_a_key_that_the_gateway_cannot_read(self):
        """Root's commands can read it: that is no answer to an admin who asks."""
        self.folder.chmod(0o755)
        cert, key = self.folder / "c.pem", self.folder / "k.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-days", "60", "-subj", "/CN=mx",
                        "-keyout", key, "-out", cert], check=True, capture_output=True, timeout=60)
        with open(self.config, "a", encoding="utf-8") as file:
            file.write(f"tls: {{certificate: {cert}, key: {key}}}\n")
        self.run_postern("domain", "add", "example.org")
        os.chown(self.folder / "data", 65534, 65534)
        key.chmod(0o600)
        found = self.doctor()
        for area in ("certificate", "permissions"):
            self.assertIn(f"{key} cannot be read by the gateway's user", found[area, "bad"])
        os.chown(key, 0, 65534)
        key.chmod(0o640)
        cert.chmod(0o644)
        found = self.doctor()
        self.assertIn(("permissions", "good"), found)
        self.assertNotIn(("certificate", "bad"), found)

    def test_colours_on_a_terminal_only(self):
        path = self.write("m", "Subject: x\n\nbody\n")
        self.assertNotIn("\x1b[", self.run_postern("scan", path))
        for no_color, expected in (({}, True), ({"NO_COLOR": "1"}, False)):
            master, slave = pty.openpty()
            process = subprocess.Popen([BINARY, "--config", str(self.config), "scan", str(path)],
                                       stdout=slave, stderr=slave, stdin=subprocess.DEVNULL,
                                       env={**os.environ, **no_color})
            os.close(slave)
            shown = b""
            try:
                while piece := os.read(master, 1000):
                    shown += piece
            except OSError:
                pass
            os.close(master)
            self.assertEqual(process.wait(timeout=60), OK)
            self.assertEqual(b"\x1b[" in shown, expected)


if __name__ == "__main__":
    unittest.main()
