#!/usr/bin/env python3
"""The image: built from this checkout, booted by BIOS and by UEFI, set up by a credential, by a
cloud-init disk and on the console; mail through it, an upgrade inside, its backup onto a second
one, a certificate by ACME. Prints times and sizes. POSTERN_IMAGE_PACKAGE names a package to take
instead of building one."""

import glob
import imaplib
import os
import re
import shutil
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

from machine import FIRMWARE, OUTSIDE_HOST, OUTSIDE_PORT, Machine

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
IMAGE = f"{ROOT}/build/image"
MAX_COMPRESSED_MB = 160
MAX_RESIDENT_MIB = 200
GROWN_GIB = 12
PASSWORD, ROOT_PASSWORD = "correct horse", "battery-staple-7"
ANSWERS = ("hostname: mx.example.org\ndomain: example.org\nadmin: ann@example.org\n"
           f"admin_password: {PASSWORD}\nbackup_target: /srv/backup\n")
ACME_ANSWERS = ("hostname: mx.example.org\ndomain: example.org\nadmin: ann@example.org\n"
                f"admin_password: {PASSWORD}\ncertificate: acme\n"
                f"acme_directory: https://{OUTSIDE_HOST}:{OUTSIDE_PORT}/directory\n")
CLOUD = ("#cloud-config\npackages: [ignored]\npostern:\n"
         "  hostname: cloud.example.net\n  domain: example.net\n  admin: ann@example.net\n")
RELAY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "relay.py")
TOOLS = ("qemu-system-x86_64", "qemu-img", "mmdebstrap", "mke2fs", "mkfs.vfat", "mcopy", "sfdisk",
         "grub-mkimage")
FULL_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"

sys.path[:0] = [f"{ROOT}/appliance/trial", f"{ROOT}/tests/e2e"]
from acme_server import AcmeServer  # noqa: E402
from gateway import trusting_tls  # noqa: E402


def say(text):
    print(text, flush=True)


def command(*arguments):
    done = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=3600, check=False, env={**os.environ, "PATH": FULL_PATH})
    assert done.returncode == 0, f"{arguments}:\n{done.stdout}"
    return done.stdout


def the_package():
    given = os.environ.get("POSTERN_IMAGE_PACKAGE")
    if given:
        return given
    say(command(f"{ROOT}/appliance/package/build", "--reuse", "--no-install"))
    found, = glob.glob(f"{ROOT}/build/package/postern_*.deb")
    return found


def megabytes(path):
    return os.stat(path).st_blocks * 512 / 1e6


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        missing = [tool for tool in TOOLS if not shutil.which(tool, path=FULL_PATH)]
        if missing or os.geteuid() != 0 or not os.path.exists(FIRMWARE):
            raise unittest.SkipTest("needs root, OVMF and " + ", ".join(missing or TOOLS) +
                                    ": ./appliance/install-packages image boot")
        cls.package = the_package()
        say(command(f"{ROOT}/appliance/image/build", "--reuse", "--no-install", "--package",
                    cls.package, "--out", IMAGE))
        temporary = tempfile.TemporaryDirectory(prefix="postern-image-")
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = temporary.name

    def overlay(self, name):
        """A disk on top of the image, that stays as it is; larger, as an admin may make it."""
        path = f"{self.folder}/{name}.qcow2"
        command("qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-b",
                f"{IMAGE}/postern.qcow2", path, f"{GROWN_GIB}G")
        return path

    def file_disk(self, label, files, megabytes=256, kind="ext4"):
        """A disk without partitions, with files on it."""
        source = tempfile.mkdtemp(dir=self.folder)
        for name, content in files.items():
            if isinstance(content, str):
                with open(f"{source}/{name}", "w", encoding="utf-8") as file:
                    file.write(content)
            else:
                shutil.copy(content[0], f"{source}/{name}")
        path = f"{self.folder}/{label}.raw"
        if kind == "ext4":
            command("mke2fs", "-q", "-t", "ext4", "-L", label, "-d", source, path,
                    f"{megabytes}M")
        else:
            command("mkfs.vfat", "-C", "-n", label, path, str(megabytes * 1024))
            command("mcopy", "-i", path, *(f"{source}/{name}" for name in files), "::/")
        return path

    def machine(self, name, *arguments, **options):
        machine = Machine(self.folder, name, *arguments, **options)
        self.addCleanup(machine.close)
        return machine

    def newer_package(self):
        """The same files with a higher version."""
        folder = f"{self.folder}/newer"
        command("dpkg-deb", "-R", self.package, folder)
        control = f"{folder}/DEBIAN/control"
        with open(control, encoding="utf-8") as file:
            text = file.read()
        with open(control, "w", encoding="utf-8") as file:
            file.write(re.sub(r"^Version: (.*)$", r"Version: \1+next", text, flags=re.M))
        command("dpkg-deb", "-Zgzip", "-z1", "-b", folder, f"{folder}.deb")
        return f"{folder}.deb"

    def deliver(self, machine, subject):
        with smtplib.SMTP("127.0.0.1", machine.ports["smtp"], timeout=180) as client:
            client.sendmail("sender@remote.example", ["ann@example.org"],
                            f"Subject: {subject}\r\nFrom: sender@remote.example\r\n\r\nHello\r\n")

    def subjects(self, machine):
        with imaplib.IMAP4_SSL("127.0.0.1", machine.ports["imaps"], ssl_context=trusting_tls(),
                               timeout=180) as client:
            client.login("ann@example.org", PASSWORD)
            client.select("INBOX", readonly=True)
            found = client.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
            return [part[1].decode().split(": ", 1)[1].strip() for part in found
                    if isinstance(part, tuple)]

    def test_1_sizes(self):
        for name in ("postern.qcow2", "postern.ova", "postern.raw"):
            say(f"{name}: {megabytes(f'{IMAGE}/{name}'):.0f} MB")
        self.assertLessEqual(megabytes(f"{IMAGE}/postern.qcow2"), MAX_COMPRESSED_MB)
        command("qemu-img", "compare", "-f", "qcow2", "-F", "raw", f"{IMAGE}/postern.qcow2",
                f"{IMAGE}/postern.raw")
        command("tar", "-xf", f"{IMAGE}/postern.ova", "-C", self.folder, "postern-disk1.vmdk")
        command("qemu-img", "compare", "-f", "vmdk", "-F", "raw",
                f"{self.folder}/postern-disk1.vmdk", f"{IMAGE}/postern.raw")

    def test_2_a_life(self):
        """Set up by a credential, used, upgraded, backed up; restored elsewhere on the console."""
        backup = self.file_disk("postern-backup", {}, 512)
        upgrade = self.file_disk("UPGRADE", {"postern.deb": (self.newer_package(),)})
        first = self.machine("first", self.overlay("first"), [backup, upgrade], answers=ANSWERS)
        first.wait_for_mail_port()
        say(f"BIOS, from power on to a greeting, with first boot: {first.seconds():.0f} s")
        self.deliver(first, "first")
        self.assertEqual(self.subjects(first), ["first"])
        password = first.console.expect(r"Log in as root, password (\S+) ")[1]
        first.log_in(password, ROOT_PASSWORD)
        self.look_around(first)
        self.first_hour(first)
        self.upgrade_inside(first)
        self.deliver(first, "second")
        self.assertEqual(self.subjects(first), ["first", "second"])
        say(first.run("postern backup"))
        first.power_off()

        second = self.machine("second", self.overlay("second"), [backup], uefi=True)
        second.console.expect("Choose 1 to 4: ")
        say(f"UEFI, from power on to the console's menu: {second.seconds():.0f} s")
        self.assertFalse(second.greets(), "the port of a machine that is not set up")
        second.console.type("2")
        second.console.expect(r"Backup \[/srv/backup\]: ")
        second.console.type("")
        second.console.expect("Restored; the gateway starts.", 180)
        second.console.type("")
        second.wait_for_mail_port()
        self.assertEqual(self.subjects(second), ["first", "second"])
        self.deliver(second, "third")
        self.assertEqual(self.subjects(second), ["first", "second", "third"])
        second.console.expect("Postern on mx.example.org")

    def look_around(self, machine):
        say("systemd-analyze: " + machine.run("systemd-analyze").strip())
        units = machine.run("systemctl --failed --plain --no-legend --no-pager")
        self.assertEqual(units.strip(), "")
        resident = machine.run("systemctl show -p MainPID --value postern | "
                               "xargs -I{} grep VmRSS /proc/{}/status")
        kib = int(re.search(r"VmRSS:\s*(\d+)", resident)[1])
        say(f"resident at rest: {kib / 1024:.0f} MiB")
        self.assertLessEqual(kib, MAX_RESIDENT_MIB * 1024)
        size = int(machine.run("df --output=size -B1M /var/lib/postern | tail -n 1"))
        self.assertGreater(size, (GROWN_GIB - 4) * 1024, "the mail's partition did not grow")
        self.assertEqual(machine.run("hostname").strip(), "mx.example.org")
        rules = machine.run("nft list chain inet filter input")
        self.assertIn("policy drop", rules)
        self.assertIn("25, 80", rules)
        listening = set(map(int, re.findall(r":(\d+) ", machine.run(
            "ss -Hltn '! src 127.0.0.0/8 and ! src [::1]' | awk '{ print $4 \" \" }'"))))
        self.assertLessEqual(listening, {25, 110, 143, 465, 587, 993, 995})
        self.assertIn("unattended-upgrades", machine.run("dpkg-query -W unattended-upgrades"))
        self.assertIn("enabled", machine.run("systemctl is-enabled apt-daily-upgrade.timer"))

    def first_hour(self, machine):
        """The commands of docs/admin/first-hour.md."""
        machine.run("echo 'a password' | postern user add bob@example.org --password-stdin")
        machine.run("postern alias add sales@example.org ann@example.org bob@example.org")
        machine.run("postern app-password add bob@example.org phone")
        machine.run("openssl genpkey -algorithm ed25519 -out /etc/postern/dkim.pem")
        machine.run("chgrp postern /etc/postern/dkim.pem && chmod 640 /etc/postern/dkim.pem")
        machine.run("echo 'dkim: {keys: {example.org: \"s1:/etc/postern/dkim.pem\"}}' "
                    "> /etc/postern/local.d/20-dkim.yaml")
        machine.run("postern config check && systemctl reload postern")
        said = machine.run("postern status", check=False)
        self.assertIn("mx.example.org", said)
        # As the timer does: in its cage it reaches the other disk.
        machine.run("systemctl start postern-backup")
        self.assertIn("snapshot ", machine.run("journalctl -q -o cat -u postern-backup"))

    def upgrade_inside(self, machine):
        machine.run("mount /dev/disk/by-label/UPGRADE /mnt")
        machine.run("apt-get -qq -y install /mnt/postern.deb", 400)
        self.assertIn("+next", machine.run("dpkg-query -W postern"))
        machine.run("umount /mnt")
        machine.console.type("systemctl reboot")
        machine.console.expect("Postern on mx.example.org")
        machine.wait_for_mail_port()
        self.assertEqual(self.subjects(machine), ["first"])
        machine.log_in(ROOT_PASSWORD)

    def test_3_other_hardware_and_cloud_init(self):
        """The OVA's disk on the OVA's hardware; answers without a password, from a NoCloud disk."""
        command("tar", "-xf", f"{IMAGE}/postern.ova", "-C", self.folder, "postern-disk1.vmdk")
        disk = f"{self.folder}/ova.qcow2"
        command("qemu-img", "create", "-q", "-f", "qcow2", "-F", "vmdk", "-b",
                f"{self.folder}/postern-disk1.vmdk", disk)
        seed = self.file_disk("CIDATA", {"user-data": CLOUD, "meta-data": "instance-id: 1\n"}, 8,
                              "vfat")
        machine = self.machine("ova", disk, [seed], hardware=[
            "-machine", "q35", "-drive", f"file={disk},format=qcow2,if=none,id=disk,cache=unsafe",
            "-device", "ide-hd,drive=disk,bus=ide.0", "-device", "e1000,netdev=net,romfile="])
        machine.wait_for_mail_port()
        say(f"SATA and e1000, from power on to a greeting: {machine.seconds():.0f} s")
        said = machine.console.expect(r"Mail password of ann@example.net: (\S+)")
        self.assertRegex(said[1], r"^([a-z0-9]{4}-){4}[a-z0-9]{4}$")
        with imaplib.IMAP4_SSL("127.0.0.1", machine.ports["imaps"], ssl_context=trusting_tls(),
                               timeout=180) as client:
            client.login("ann@example.net", said[1])

    def test_4_set_up_on_the_console(self):
        machine = self.machine("console", self.overlay("console"))
        console = machine.console
        console.expect("Choose 1 to 4: ")
        console.type("1")
        for question, answer in (("Host name.*: ", "mx"), ("Host name.*: ", "mx.example.com"),
                                 ("First mail domain.*: ", ""), ("Admin.*: ", ""),
                                 ("Password: ", ""), ("Address.*: ", ""),
                                 ("Certificate.*: ", ""), ("Backup.*: ", "")):
            console.expect(question, 120)
            console.type(answer)
        password = console.expect("Password of postmaster@example.com, .*: ([a-z0-9-]{24})")[1]
        console.expect("Press Enter")
        console.type("")
        machine.wait_for_mail_port()
        with imaplib.IMAP4_SSL("127.0.0.1", machine.ports["imaps"], ssl_context=trusting_tls(),
                               timeout=180) as client:
            client.login("postmaster@example.com", password)

    def test_5_a_certificate_by_acme(self):
        """The authority cannot be reached at first, and what comes later is taken up."""
        door = f"{self.folder}/authority"  # holds its port, once it is there
        machine = self.machine("acme", self.overlay("acme"), answers=ACME_ANSWERS,
                               outside=f"{sys.executable} {RELAY} {door}")
        machine.wait_for_mail_port()
        self.deliver(machine, "first")
        self.assertEqual(self.subjects(machine), ["first"])
        password = machine.console.expect(r"Log in as root, password (\S+) ")[1]
        machine.log_in(password, ROOT_PASSWORD)
        machine.run("until systemctl is-failed -q postern-certificate; do sleep 1; done")
        self.assertIn("gave no account", machine.run("journalctl -q -o cat -u postern-certificate"))
        said = machine.run("postern status")
        self.assertIn("mail flows", said)
        self.assertIn("self-signed", said)
        self.assertIn("postern certificate renew says why", said)
        timer = machine.run("systemctl show -p ActiveState,NextElapseUSecRealtime "
                            "postern-certificate.timer")
        self.assertRegex(timer, r"ActiveState=active")
        self.assertRegex(timer, r"NextElapseUSecRealtime=\S+ \d{4}-")

        authority = AcmeServer(self.folder, seen_as=f"{OUTSIDE_HOST}:{OUTSIDE_PORT}")
        self.addCleanup(authority.close)
        authority.challenge_port = machine.ports["http"]
        with open(f"{self.folder}/ca.pem", encoding="ascii") as file:
            for line in file:
                machine.run(f"echo {line.strip()!r} >> /etc/ssl/certs/ca-certificates.crt")
        with open(door, "w", encoding="ascii") as file:
            file.write(str(authority.port))
        machine.run("systemctl start postern-certificate")
        context = ssl.create_default_context(cafile=f"{self.folder}/ca.pem")
        place = ("127.0.0.1", machine.ports["imaps"])
        with socket.create_connection(place, timeout=180) as plain, \
                context.wrap_socket(plain, server_hostname="mx.example.org") as secure:
            self.assertIn(("DNS", "mx.example.org"), secure.getpeercert()["subjectAltName"])
        self.assertIn("valid for 89 more days", machine.run("postern status"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
