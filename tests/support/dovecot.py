"""A throw-away Dovecot on loopback, its own defaults, Maildir, in a folder that goes away."""

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time


def missing(protocol):
    """Why there is none for "imap" or "pop3"; None where there is."""
    there = shutil.which("dovecot") and os.path.exists(f"/usr/lib/dovecot/{protocol}")
    return None if there else f"Dovecot for {protocol} is not installed"


def proportional_bytes(pids):
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except OSError:
            pass
    return total * 1024


class Dovecot:
    """For the users user0@example.net and so on."""

    def __init__(self, protocol, users, password, parent=None):
        """parent: the folder to make its own in."""
        self.folder = tempfile.mkdtemp(prefix="bench-dovecot-", dir=parent)
        os.chmod(self.folder, 0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.write("users", "".join(f"user{n}@example.net:{{PLAIN}}{password}\n"
                                    for n in range(users)))
        user = "nobody" if getpass.getuser() == "root" else getpass.getuser()
        os.makedirs(f"{self.folder}/mail")
        if user == "nobody":
            shutil.chown(f"{self.folder}/mail", "nobody", "nogroup")
        self.write("conf", f"""
protocols = {protocol}
listen = 127.0.0.1
base_dir = {self.folder}/run
log_path = {self.folder}/log
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{self.folder}/mail/%u
mail_max_userip_connections = 10000
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = {self.folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={"nogroup" if user == "nobody" else user} home={self.folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  mailbox Sent {{
    auto = create
  }}
}}
service {protocol}-login {{
  service_count = 0
  client_limit = 10000
  process_min_avail = 2
  inet_listener {protocol} {{
    port = {self.port}
  }}
  inet_listener {protocol}s {{
    port = 0
  }}
}}
service {protocol} {{
  process_limit = 10000
}}
service anvil {{
  client_limit = 30000
}}
service auth {{
  client_limit = 30000
}}
""")
        self.child = subprocess.Popen(["dovecot", "-F", "-c", f"{self.folder}/conf"],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as probe:
                    if probe.recv(1) in (b"*", b"+"):
                        return
            except OSError:
                time.sleep(0.05)
        self.close()
        raise SystemExit(f"Dovecot does not start: see {self.folder}/log")

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w", encoding="utf-8") as file:
            file.write(text)

    def processes(self):
        done = subprocess.run(["pgrep", "-P", str(self.child.pid)], capture_output=True, text=True,
                              check=False)
        return [self.child.pid] + [int(pid) for pid in done.stdout.split()]

    def deliver(self, user, messages):
        """Puts messages, as bytes, into the user's maildir."""
        inbox = f"{self.folder}/mail/{user}@example.net"
        for part in ("cur", "new", "tmp"):
            os.makedirs(f"{inbox}/{part}", exist_ok=True)
        for number, content in enumerate(messages):
            with open(f"{inbox}/new/{number}.M1P1.bench", "wb") as file:
                file.write(content)
        if os.geteuid() == 0:
            subprocess.run(["chown", "-R", "nobody:nogroup", inbox], check=True)

    def close(self):
        self.child.terminate()
        self.child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
