"""A real gateway on loopback with a throw-away data folder: for quickstart, tests, benchmarks.

Ports are the system's choice unless given; every user's password is "secret".
"""

import imaplib
import json
import os
import poplib
import re
import shutil
import signal
import smtplib
import ssl
import subprocess
import tempfile
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SERVICES = ("smtp", "submission", "submissions", "lmtp", "imap", "imaps", "pop3", "pop3s",
            "http", "https", "metrics")
PASSWORD = "secret"
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 60
CLI_TIMEOUT_S = 300
CLIENT_TIMEOUT_S = 60


def default_binary():
    return os.environ.get("POSTERN_BINARY", f"{ROOT}/build/dev/appliance/postern")


def trusting_tls():
    """The daemon's certificate is self-signed."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def wire_form(content):
    """A corpus file as a message: without its mbox line, CRLF at each line's end."""
    if content.startswith(b"From "):
        content = content.split(b"\n", 1)[1]
    return re.sub(rb"\r*\n", b"\r\n", content).replace(b"\r\r", b"\r")


class Gateway:
    """Use as a context manager: the daemon ends and the folder goes with it."""

    def __init__(self, binary=None, folder=None, ports=None, plaintext=True, settings="", auth=()):
        self.binary = os.path.abspath(binary or default_binary())
        self.folder = folder or tempfile.mkdtemp(prefix="postern-")
        self.data = os.path.join(self.folder, "data")
        self.config = os.path.join(self.folder, "postern.yaml")
        self.log = os.path.join(self.folder, "log")
        self.ports = {}
        self.child = None
        self.domain = "example.net"
        wanted = {name: (ports or {}).get(name, 0) for name in SERVICES}
        listeners = "".join(f'  {name}: ["127.0.0.1:{port}"]\n' for name, port in wanted.items())
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"hostname: mx.example.net\ndata_dir: {self.data}\nlisteners:\n{listeners}"
                       f"auth:\n  allow_plaintext: {str(plaintext).lower()}\n"
                       f"  failure_delay_ms: 10\n"
                       + "".join(f"  {line}\n" for line in auth) + settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.child and self.child.poll() is None:
            self.child.kill()
            self.child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- the command line ---

    def cli(self, *arguments, stdin="", check=True):
        """Runs `postern ARGUMENTS` with this gateway's configuration."""
        done = subprocess.run([self.binary, "--config", self.config, *arguments], input=stdin,
                              capture_output=True, text=True, timeout=CLI_TIMEOUT_S, check=False)
        if check and done.returncode:
            raise AssertionError(f"postern {' '.join(arguments)}: exit {done.returncode}\n"
                                 f"{done.stdout}{done.stderr}")
        return done

    def cli_json(self, *arguments):
        return json.loads(self.cli(*arguments, "--json").stdout)

    def add_users(self, *names):
        self.cli("domain", "add", self.domain)
        for name in names:
            self.cli("user", "add", f"{name}@{self.domain}", "--password-stdin",
                     stdin=PASSWORD + "\n")

    # --- the daemon ---

    def spawn(self, log):
        return subprocess.Popen([self.binary, "serve", "--config", self.config],
                                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self):
        """Returns when every listener is open."""
        with open(self.log, "ab") as log:
            before = log.tell()
            self.child = self.spawn(log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not re.search(r"^(.*\s)?ready\b", self.log_text(before), re.MULTILINE):
            if self.child.poll() is not None:
                raise AssertionError(f"the daemon ended with {self.child.returncode}:\n"
                                     + self.log_text(before))
            if time.monotonic() > deadline:
                raise AssertionError("the daemon is not ready:\n" + self.log_text(before))
            time.sleep(0.02)
        with open(f"{self.data}/run/ports.json", encoding="utf-8") as file:
            self.ports = {name: port_number(ports) for name, ports in json.load(file).items()
                          if ports}
        return self

    def stop(self):
        """SIGTERM; answers the exit code."""
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(timeout=STOP_TIMEOUT_S)

    def kill(self):
        self.child.kill()
        self.child.wait()

    def reload(self):
        self.child.send_signal(signal.SIGHUP)

    def log_text(self, offset=0):
        with open(self.log, "rb") as file:
            file.seek(offset)
            return file.read().decode("utf-8", "replace")

    def resident_bytes(self):
        with open(f"/proc/{self.child.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self):
        with open(f"/proc/{self.child.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # --- clients ---

    def smtp(self):
        return smtplib.SMTP("127.0.0.1", self.ports["smtp"], "client.example",
                            timeout=CLIENT_TIMEOUT_S)

    def imap(self, user="alice"):
        client = imaplib.IMAP4("127.0.0.1", self.ports["imap"], timeout=CLIENT_TIMEOUT_S)
        client.login(f"{user}@{self.domain}", PASSWORD)
        return client

    def pop3(self, user="alice"):
        client = poplib.POP3("127.0.0.1", self.ports["pop3"], timeout=CLIENT_TIMEOUT_S)
        client.user(f"{user}@{self.domain}")
        client.pass_(PASSWORD)
        return client

    def deliver(self, content, *users, sender="sender@remote.example"):
        """Sends one message by SMTP; raises what smtplib raises when it is refused."""
        with self.smtp() as client:
            client.sendmail(sender, [f"{user}@{self.domain}" for user in users or ("alice",)],
                            content)


def port_number(ports):
    """The port of the first listener in ports.json's list of "address:port"."""
    first = ports[0] if isinstance(ports, list) else ports
    return first if isinstance(first, int) else int(str(first).rsplit(":", 1)[1])
