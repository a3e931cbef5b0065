#!/usr/bin/env python3
"""The Debian package: built from this checkout, checked, installed into a minimal Debian, used,
upgraded, backed up, removed and purged. Prints times and sizes."""

import glob
import imaplib
import os
import re
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

from chroot import Chroot, enter_own_network

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
OUT = f"{ROOT}/build/package"
# The backup is root, reaches any folder and has its key for ssh, but faces no network.
EXPOSURE_LIMITS = {"postern.service": 1.6, "postern-certificate.service": 1.6,
                   "postern-backup.service": 2.3}
PASSWORD = "correct horse"

sys.path[:0] = [f"{ROOT}/appliance/trial", f"{ROOT}/tests/e2e"]
from acme_server import AcmeServer  # noqa: E402
from gateway import trusting_tls  # noqa: E402


def output(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=600,
                          **options).stdout


def the_package(name="postern"):
    found = glob.glob(f"{OUT}/{name}_*.deb")
    assert len(found) == 1, found
    return found[0]


class Built(unittest.TestCase):
    """What can be said of the package without installing it."""

    @classmethod
    def setUpClass(cls):
        started = time.monotonic()
        done = subprocess.run([f"{ROOT}/appliance/package/build", "--reuse"], timeout=2000,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        print(done.stdout, flush=True)
        assert done.returncode == 0, "the package does not build, or lintian complains"
        print(f"package build: {time.monotonic() - started:.0f} s, "
              f"{os.path.getsize(the_package()) / 1e6:.1f} MB", flush=True)
        cls.files = {line.split(None, 5)[5].removeprefix("."): line
                     for line in output("dpkg-deb", "-c", the_package()).splitlines()}

    def test_it_brings_what_an_admin_expects(self):
        for path in ("/usr/bin/postern", "/usr/lib/sysusers.d/postern.conf",
                     "/etc/postern/postern.yaml", "/etc/postern/local.d/",
                     "/etc/postern/override.d/", "/usr/share/postern/rules/",
                     "/usr/share/man/man1/postern.1.gz", "/usr/share/man/man1/postern-user.1.gz",
                     "/usr/share/bash-completion/completions/postern",
                     "/usr/share/doc/postern/admin/", "/usr/share/doc/postern/copyright"):
            self.assertIn(path, self.files)
        for unit in ("postern.service", "postern-backup.service", "postern-backup.timer",
                     "postern-certificate.service", "postern-certificate.timer"):
            self.assertTrue(any(path.endswith("systemd/system/" + unit) for path in self.files))
        self.assertFalse(any(path.endswith(".a") or "/include/" in path for path in self.files))
        conffiles = output("dpkg-deb", "-I", the_package(), "conffiles")
        self.assertEqual(conffiles.strip(), "/etc/postern/postern.yaml")

    def test_debug_symbols_are_apart(self):
        listing = output("dpkg-deb", "-c", the_package("postern-dbgsym"))
        self.assertRegex(listing, r"/usr/lib/debug/\.build-id/.*\.debug")

    def test_every_library_of_the_build_is_named_in_the_package(self):
        packages = open(f"{ROOT}/appliance/packages.txt").read()
        listed = set(re.findall(r"^build (\S+)", packages, re.M))
        control = open(f"{ROOT}/appliance/package/debian/control").read()
        depends = re.search(r"^Build-Depends:(.*?)^\S", control, re.M | re.S)[1]
        named = {item.split()[0] for item in depends.replace("\n", " ").split(",")}
        # What builds faster, and what every Debian build has.
        spare = {"g++", "ccache", "mold", "python3"}
        self.assertEqual(listed - spare, named - {"debhelper-compat"})

    def test_every_unit_is_locked_down(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["dpkg-deb", "-x", the_package(), folder], check=True, timeout=60)
            units = glob.glob(f"{folder}/**/*.service", recursive=True)
            self.assertEqual({os.path.basename(unit) for unit in units}, set(EXPOSURE_LIMITS))
            for unit in units:
                name = os.path.basename(unit)
                verdict = output("systemd-analyze", "security", "--offline=true", "--no-pager",
                                 unit)
                exposure = float(re.search(r"exposure level.*?: ([\d.]+)", verdict)[1])
                print(f"systemd-analyze security {name}: {exposure}", flush=True)
                self.assertLessEqual(exposure, EXPOSURE_LIMITS[name])

    def test_without_ssse3_the_daemon_says_what_it_needs(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["dpkg-deb", "-x", the_package(), folder], check=True, timeout=60)
            config = f"{folder}/postern.yaml"
            with open(config, "w", encoding="utf-8") as file:
                file.write(f"data_dir: {folder}/data\n")
            done = subprocess.run(["qemu-x86_64", "-cpu", "qemu64,-ssse3",
                                   f"{folder}/usr/bin/postern", "--config", config, "serve"],
                                  capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(done.returncode, 78, done.stderr)
            self.assertIn("SSSE3", done.stderr)
            self.assertFalse(os.path.exists(f"{folder}/data"), "refused before anything is made")


class Installed(unittest.TestCase):
    """From nothing to a mail that is read, over an upgrade, to nothing."""

    @classmethod
    def setUpClass(cls):
        try:
            cls.chroot = Chroot()
        except (OSError, subprocess.SubprocessError) as problem:  # no mounts, no archive
            raise unittest.SkipTest(f"no Debian of its own here: {problem}") from problem
        cls.addClassCleanup(cls.chroot.close)
        cls.log = cls.chroot.file("/var/log/postern-test.log")
        cls.daemon = None
        print(f"minimal Debian: {cls.chroot.seconds:.0f} s", flush=True)

    def install(self, package):
        subprocess.run(["cp", package, self.chroot.file("/postern.deb")], check=True, timeout=60)
        return self.chroot.run("apt-get", "-qq", "-y", "--no-install-recommends",
                               "--allow-downgrades", "install", "/postern.deb")

    def serve(self):
        started = time.monotonic()
        type(self).daemon = self.chroot.start("/usr/bin/postern", "serve", log=self.log)
        while not os.path.exists(self.chroot.file("/var/lib/postern/run/ports.json")):
            self.assertIsNone(self.daemon.poll(), open(self.log).read())
            self.assertLess(time.monotonic() - started, 60)
            time.sleep(0.05)
        return time.monotonic() - started

    def stop(self):
        self.daemon.terminate()
        self.assertEqual(self.daemon.wait(timeout=60), 0, open(self.log).read())
        os.unlink(self.chroot.file("/var/lib/postern/run/ports.json"))

    def deliver(self, subject):
        with smtplib.SMTP("127.0.0.1", 25, timeout=120) as client:
            client.sendmail("sender@remote.example", ["ann@example.org"],
                            f"Subject: {subject}\r\nFrom: sender@remote.example\r\n\r\nHello\r\n")

    def subjects(self):
        with imaplib.IMAP4_SSL("127.0.0.1", 993, ssl_context=trusting_tls(), timeout=60) as client:
            client.login("ann@example.org", PASSWORD)
            client.select("INBOX", readonly=True)
            found = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
            return [part[1].decode().split(": ", 1)[1].strip() for part in found
                    if isinstance(part, tuple)]

    def newer_package(self):
        """The same files with a higher version."""
        folder = self.chroot.file("/newer")
        subprocess.run(["dpkg-deb", "-R", the_package(), folder], check=True, timeout=60)
        control = f"{folder}/DEBIAN/control"
        text = open(control, encoding="utf-8").read()
        with open(control, "w", encoding="utf-8") as file:
            file.write(re.sub(r"^Version: (.*)$", r"Version: \1+next", text, flags=re.M))
        newer = self.chroot.file("/newer.deb")
        subprocess.run(["dpkg-deb", "-Zgzip", "-z1", "-b", folder, newer], check=True, timeout=300,
                       stdout=subprocess.DEVNULL)
        return newer

    def upgrades_cut_off(self, package):
        """As docs/admin/disaster.md says."""
        for seconds in (0.05, 0.2, 0.6):
            self.stop()
            self.cut_off(package, seconds)
            self.chroot.run("dpkg", "-i", package)
            self.serve()
            self.assertEqual(self.subjects(), ["first", "second"])

    def cut_off(self, package, seconds):
        """Power goes while dpkg puts a package in."""
        child = subprocess.Popen(["chroot", self.chroot.path, "dpkg", "-i", package],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 start_new_session=True)
        time.sleep(seconds)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait(timeout=60)

    def certificate_by_acme(self):
        """From an authority on loopback, that asks at port 80."""
        folder = self.chroot.file("/tmp/authority")
        os.mkdir(folder)
        authority = AcmeServer(folder)
        self.addCleanup(authority.close)
        authority.challenge_port = 80
        with open(self.chroot.file("/etc/postern/local.d/30-acme.yaml"), "w",
                  encoding="utf-8") as file:
            file.write('listeners:\n  http: ["127.0.0.1:80"]\n'
                       f"tls:\n  acme:\n    directory: {authority.url}/directory\n")
        self.stop()
        self.serve()
        self.chroot.run("postern", "certificate", "renew")
        context = ssl.create_default_context(cafile=f"{folder}/ca.pem")
        with socket.create_connection(("127.0.0.1", 993), timeout=60) as plain, \
                context.wrap_socket(plain, server_hostname="mx.example.org") as secure:
            self.assertIn(("DNS", "mx.example.org"), secure.getpeercert()["subjectAltName"])
        kept = self.chroot.file("/var/lib/postern/acme/client/private/mx.example.org/key.pem")
        self.assertEqual(os.stat(kept).st_uid, self.chroot.uid("postern"))
        # As the timer's unit does.
        said = self.chroot.run("setpriv", "--reuid=postern", "--regid=postern", "--clear-groups",
                               "postern", "certificate", "renew", "--scheduled").stdout
        self.assertIn("still good", said)

    def test_from_installing_to_purging(self):
        self.install(the_package())
        enter_own_network()
        self.addCleanup(lambda: self.daemon and self.daemon.poll() is None and self.daemon.kill())
        run = self.chroot.run
        with self.subTest("nothing is configured: no store, so the unit does not start"):
            self.assertFalse(os.path.exists(self.chroot.file("/var/lib/postern/store")))
            self.assertIn(":good", run("postern", "config", "check").stdout.replace(" ", ""))
            self.assertIn("postern(1)", run("/usr/bin/sh", "-c",
                                            "zcat /usr/share/man/man1/postern-user.1.gz").stdout
                          .replace(".BR postern (1)", "postern(1)"))

        with self.subTest("set up as the admin guide says"):
            run("postern", "setup", "--answers", "-",
                stdin="hostname: mx.example.org\ndomain: example.org\nadmin: ann@example.org\n"
                      f"admin_password: {PASSWORD}\n")
            self.assertTrue(os.path.exists(self.chroot.file("/etc/postern/local.d/10-setup.yaml")))
            store = os.stat(self.chroot.file("/var/lib/postern/store"))
            self.assertEqual(store.st_uid, self.chroot.uid("postern"))

        print(f"service up: {self.serve():.2f} s", flush=True)
        status = open(f"/proc/{self.daemon.pid}/status").read()
        print("resident at rest: " + re.search(r"VmRSS:\s*(\d+)", status)[1] + " KiB", flush=True)
        self.assertNotIn("Uid:\t0", status)
        self.deliver("first")
        self.assertEqual(self.subjects(), ["first"])

        with self.subTest("an upgrade keeps mail and configuration"):
            self.stop()
            self.install(self.newer_package())
            self.assertIn("+next", run("dpkg-query", "-W", "postern").stdout)
            self.serve()
            self.deliver("second")
            self.assertEqual(self.subjects(), ["first", "second"])

        with self.subTest("an upgrade that was cut off is finished"):
            self.upgrades_cut_off("/newer.deb")

        with self.subTest("and so does going back"):
            self.stop()
            self.install(the_package())
            self.serve()
            self.assertEqual(self.subjects(), ["first", "second"])

        with self.subTest("an authority's certificate comes and is used"):
            self.certificate_by_acme()

        with self.subTest("a backup becomes the same gateway again"):
            run("postern", "backup", "/var/backups/postern")
            self.deliver("third")
            self.stop()
            run("rm", "-r", "/etc/postern/local.d/10-setup.yaml", "/var/lib/postern/tls")
            run("postern", "restore", "/var/backups/postern", "--replace")
            self.serve()
            self.assertEqual(self.subjects(), ["first", "second"])
            self.assertIn("mx.example.org", run("postern", "config", "check").stdout)

        with self.subTest("removing keeps mail and configuration, purging keeps mail"):
            self.stop()
            run("apt-get", "-qq", "-y", "remove", "postern")
            self.assertFalse(os.path.exists(self.chroot.file("/usr/bin/postern")))
            self.assertTrue(os.path.exists(self.chroot.file("/etc/postern/local.d/10-setup.yaml")))
            said = run("dpkg", "--purge", "postern").stdout
            self.assertFalse(os.path.exists(self.chroot.file("/etc/postern")))
            self.assertTrue(os.path.exists(self.chroot.file("/var/lib/postern/store")))
            self.assertIn("the mail stays in /var/lib/postern", said)


if __name__ == "__main__":
    unittest.main(verbosity=2)
