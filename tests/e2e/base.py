"""What the end-to-end tests share: a running gateway for each test class, raw sockets, messages."""

import base64
import email.utils
import os
import re
import socket
import ssl
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "appliance", "trial"))

from gateway import (CLIENT_TIMEOUT_S, PASSWORD, ROOT, Gateway,  # noqa: E402
                     trusting_tls, wire_form)

CORPUS = f"{ROOT}/tests/corpus"
SANITIZER_REPORT = re.compile(r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|runtime error:")


class E2eTest(unittest.TestCase):
    """One gateway for the class, with alice, bob and carol; ends by SIGTERM and must end well."""

    plaintext = True
    settings = ""
    auth = ()  # further lines of the section auth

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(plaintext=cls.plaintext, settings=cls.settings, auth=cls.auth)
        cls.addClassCleanup(cls.gateway.close)
        cls.gateway.add_users("alice", "bob", "carol")
        cls.gateway.start()

    @classmethod
    def tearDownClass(cls):
        code = cls.gateway.stop()
        log = cls.gateway.log_text()
        if code or SANITIZER_REPORT.search(log):
            raise AssertionError(f"the daemon ended with {code}:\n{log[-8000:]}")

    def inbox(self, user="alice", mailbox="INBOX"):
        """Every message of a mailbox, in order of UID, as bytes."""
        with self.gateway.imap(user) as client:
            return fetch_all(client, mailbox)

    def empty(self, *users):
        """Removes all mail of the users (default: all)."""
        for user in users or ("alice", "bob", "carol"):
            with self.gateway.imap(user) as client:
                for mailbox in mailbox_names(client):
                    client.select(f'"{mailbox}"')
                    client.store("1:*", "+FLAGS.SILENT", "(\\Deleted)")
                    client.expunge()

    def wait_for(self, condition, what, seconds=30):
        """The first true value of condition()."""
        deadline = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > deadline:
                self.fail(f"{what}: not within {seconds} s")
            time.sleep(0.05)


def mailbox_names(client):
    """Names that LIST gives, unquoted."""
    names = []
    for line in client.list()[1]:
        if line and rb"\Noselect" not in line:
            names.append(line.decode().split(' "/" ', 1)[1].strip('"'))
    return names


def fetch_all(client, mailbox="INBOX"):
    client.select(f'"{mailbox}"', readonly=True)
    parts = client.uid("FETCH", "1:*", "(BODY.PEEK[])")[1]
    return [part[1] for part in parts if isinstance(part, tuple)]


def message(subject="hello", body="A line.\r\n", sender="sender@remote.example",
            to="alice@example.net", **fields):
    """A small message as bytes, CRLF lines."""
    head = {"From": sender, "To": to, "Subject": subject,
            "Date": email.utils.formatdate(1_700_000_000),
            "Message-ID": f"<{abs(hash((subject, body))):x}@remote.example>", **fields}
    text = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in head.items())
    return (text + "\r\n" + body).encode()


def corpus_index(name):
    """(label, path, wire bytes) of each line of tests/corpus/NAME."""
    rows = []
    with open(f"{CORPUS}/{name}", encoding="ascii") as index:
        for line in index:
            label, path = line.split()
            with open(f"{CORPUS}/{path}", "rb") as file:
                rows.append((label, path, wire_form(file.read())))
    return rows


class Raw:
    """A plain socket that speaks lines."""

    def __init__(self, port, tls=False):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=CLIENT_TIMEOUT_S)
        if tls:
            self.start_tls()
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def start_tls(self):
        self.buffer = b""
        self.socket = trusting_tls().wrap_socket(self.socket)

    def send(self, data):
        self.socket.sendall(data.encode() if isinstance(data, str) else data)

    def line(self):
        """The next line without its end; b"" when the peer has closed."""
        while b"\n" not in self.buffer:
            try:
                more = self.socket.recv(65536)
            except (ConnectionResetError, ssl.SSLEOFError):
                more = b""
            if not more:
                rest, self.buffer = self.buffer, b""
                return rest
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.rstrip(b"\r")

    def smtp_reply(self):
        """The last line of the next reply."""
        line = self.line()
        while line[3:4] == b"-":
            line = self.line()
        return line.decode("utf-8", "replace")

    def smtp(self, command):
        self.send(command + "\r\n")
        return self.smtp_reply()

    def until(self, pattern):
        """Lines up to and with the first that matches; fails at the end of the stream."""
        lines = []
        while True:
            line = self.line().decode("utf-8", "replace")
            lines.append(line)
            if re.search(pattern, line):
                return lines
            if not line and not self.buffer and self.at_end():
                raise AssertionError(f"no line matches {pattern}: {lines[-20:]}")

    def at_end(self):
        try:
            return self.socket.recv(1, socket.MSG_PEEK) == b""
        except (ConnectionResetError, ValueError):
            return True

    def imap(self, tag, command):
        """Sends a command and answers all lines up to its tagged one."""
        self.send(f"{tag} {command}\r\n")
        return self.until(rf"^{tag} ")


def smtp_session(gateway, service="smtp"):
    """A raw session after EHLO."""
    raw = Raw(gateway.ports[service])
    assert raw.smtp_reply().startswith("220 ")
    assert raw.smtp("EHLO client.example").startswith("250 ")
    return raw


def plain_response(name, password=PASSWORD):
    """Of the mechanism PLAIN, in base64."""
    return base64.b64encode(f"\0{name}\0{password}".encode()).decode()


def imap_session(gateway, user="alice"):
    """A raw session that is logged in."""
    raw = Raw(gateway.ports["imap"])
    assert raw.line().startswith(b"* OK")
    done = raw.imap("login", f"LOGIN {user}@example.net {PASSWORD}")[-1]
    assert done.startswith("login OK"), done
    return raw
