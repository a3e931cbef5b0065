"""A private Postfix on loopback, with folders of its own, as the server at the other end.

    with Postfix(folder, "mx.remote.example", [Listener("127.0.0.2", port)]) as postfix:
        ... postfix.mail() ... postfix.queue() ... postfix.log_text()

Whatever it takes for its domains ends in one Maildir. Needs root and Debian's package postfix
(whose own instance need not run); `missing()` says what is not there. With `dns`, an address that
a DnsServer has on port 53, that is its resolver (in a mount namespace of its own).
"""

import json
import os
import shutil
import subprocess
import time

TIMEOUT_S = 60
PROGRAM = "/usr/sbin/postfix"

# Name, type and program of master(5); none is chrooted.
SERVICES = """
pickup unix pickup
cleanup unix cleanup
qmgr unix qmgr
tlsmgr unix tlsmgr
rewrite unix trivial-rewrite
bounce unix bounce
defer unix bounce
trace unix bounce
verify unix verify
flush unix flush
proxymap unix proxymap
smtp unix smtp
showq unix showq
error unix error
retry unix error
virtual unix virtual
anvil unix anvil
scache unix scache
postlog unix-dgram postlogd
"""
PRIVATE = {"pickup": "n", "cleanup": "n", "flush": "n", "qmgr": "n", "showq": "n", "postlog": "n"}
UNPRIVILEGED = {"virtual": "n"}  # takes the recipient's identity, so it starts as root
ONE_PROCESS = ("pickup", "qmgr", "tlsmgr", "verify", "scache", "anvil", "postlog")
WAKE_UP_S = {"pickup": "60", "qmgr": "300", "tlsmgr": "1000?", "flush": "1000?"}
NO_LIMIT = ("cleanup", "bounce", "defer", "trace", "flush")


def missing():
    """Why no Postfix can be run here; None when one can."""
    if not os.path.exists(PROGRAM):
        return "Postfix is not installed"
    if os.geteuid():
        return "Postfix is started by root alone"
    done = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    return "no mount namespaces here" if done.returncode else None


class Listener:
    """An address to take mail at; `options` override main.cf for it."""

    def __init__(self, address, port, **options):
        self.address, self.port, self.options = address, port, options


class Postfix:
    def __init__(self, folder, hostname, listeners, settings=(), dns=None):
        self.folder, self.dns = folder, dns
        self.config = f"{folder}/etc"
        self.maildir = f"{folder}/mail/box"
        for name in ("etc", "queue", "data", "mail"):
            os.makedirs(f"{folder}/{name}")
        os.chmod(folder, 0o755)
        shutil.chown(f"{folder}/data", "postfix")
        shutil.chown(f"{folder}/mail", "nobody")
        self.settings = {
            "compatibility_level": "3.6", "myhostname": hostname, "mydestination": "",
            "queue_directory": f"{folder}/queue", "data_directory": f"{folder}/data",
            "maillog_file": f"{folder}/log", "maillog_file_prefixes": folder,
            "inet_protocols": "ipv4", "mynetworks": "127.0.0.1", "biff": "no",
            "alias_maps": "", "alias_database": "", "smtpd_peername_lookup": "no",
            "virtual_transport": "virtual", "virtual_mailbox_base": f"{folder}/mail",
            "virtual_mailbox_maps": "static:box/", "virtual_uid_maps": "static:65534",
            "virtual_gid_maps": "static:65534", "default_process_limit": "250",
            "queue_run_delay": "1s", "minimal_backoff_time": "1s", "maximal_backoff_time": "2s",
            **dict(settings)}
        self.write_services(listeners)
        self.write_settings()

    def write_services(self, listeners):
        lines = []
        for each in listeners:
            options = "".join(f" -o {name}={value}" for name, value in each.options.items())
            lines.append(f"{each.address}:{each.port} inet n - n - - smtpd{options}\n")
        for row in SERVICES.strip().splitlines():
            name, kind, program = row.split()
            wake_up = WAKE_UP_S.get(name, "-")
            limit = "1" if name in ONE_PROCESS else "0" if name in NO_LIMIT else "-"
            lines.append(f"{name} {kind} {PRIVATE.get(name, '-')} {UNPRIVILEGED.get(name, '-')} n "
                         f"{wake_up} {limit} {program}\n")
        with open(f"{self.config}/master.cf", "w", encoding="ascii") as file:
            file.writelines(lines)

    def write_settings(self):
        with open(f"{self.config}/main.cf", "w", encoding="ascii") as file:
            file.writelines(f"{name} = {value}\n" for name, value in self.settings.items())

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def run(self, *command, check=True):
        return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S,
                              check=check, stdin=subprocess.DEVNULL)

    def start(self):
        command = [PROGRAM, "-c", self.config, "start"]
        if self.dns:
            names = f"{self.folder}/resolv.conf"
            with open(names, "w", encoding="ascii") as file:
                file.write(f"nameserver {self.dns}\noptions edns0 trust-ad timeout:2\n")
            command = ["unshare", "--mount", "sh", "-c",
                       f"mount --bind {names} /etc/resolv.conf && exec \"$@\"", "sh", *command]
        done = self.run(*command, check=False)
        if done.returncode:
            raise AssertionError(f"Postfix does not start: {done.stderr}{self.log_text()}")
        return self

    def stop(self):
        self.run(PROGRAM, "-c", self.config, "abort", check=False)

    def change(self, **settings):
        """Other lines in main.cf, for sessions from now on."""
        self.settings.update(settings)
        self.write_settings()
        self.run(PROGRAM, "-c", self.config, "reload")
        time.sleep(0.5)  # processes end with the session they have

    def flush(self):
        self.run("/usr/sbin/postqueue", "-c", self.config, "-f")

    def queue(self):
        """postqueue(1): one object for each message, also for one that is listed twice because
        it moved to another queue meanwhile."""
        text = self.run("/usr/sbin/postqueue", "-c", self.config, "-j").stdout
        listed = (json.loads(line) for line in text.splitlines())
        return list({each["queue_id"]: each for each in listed}.values())

    def mail(self):
        """Each message that arrived, as bytes with LF."""
        found = []
        for name in sorted(os.listdir(f"{self.maildir}/new")
                           if os.path.isdir(f"{self.maildir}/new") else ()):
            with open(f"{self.maildir}/new/{name}", "rb") as file:
                found.append(file.read())
        return found

    def empty(self):
        shutil.rmtree(self.maildir, ignore_errors=True)

    def log_text(self):
        if not os.path.exists(f"{self.folder}/log"):
            return ""
        with open(f"{self.folder}/log", encoding="utf-8", errors="replace") as file:
            return file.read()
