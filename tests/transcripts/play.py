#!/usr/bin/env python3
"""Plays transcripts (README.md) against a real daemon.

    play.py [options] HOST PORT FILE...

Exits with 1 on the first word that the server says otherwise than written. Files that are marked
engine-only, or that need another listener than --config describes, are skipped.
"""

import argparse
import glob
import imaplib
import os
import re
import socket
import ssl
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
DEFAULTS = {"role": "mx", "tls": "starttls"}
ENGINE_ONLY_STEPS = ("TIME", "EVENT")
STEP = re.compile(r"(C:|C-|S:|S~|S\*|TLS|EOF|CLOSED|TIME|EVENT)(?: (.*))?$", re.DOTALL)
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|\{[^}]*\*\d+\}|[rnt\\])", re.DOTALL)
PLAIN_ESCAPES = {"r": "\r", "n": "\n", "t": "\t", "\\": "\\"}
USER, PASSWORD = "alice@example.net", "secret"
MAX_LINE_BYTES = 1 << 24


class Mismatch(Exception):
    """The server said something else; the text says what and where."""


def unescape(text):
    """Latin-1 text with escapes to Latin-1 text: one character is one byte."""
    def replace(match):
        body = match.group(1)
        if body[0] == "x":
            return chr(int(body[1:], 16))
        if body[0] == "{":
            piece, count = body[1:-1].rsplit("*", 1)
            return unescape(piece) * int(count)
        return PLAIN_ESCAPES[body]
    return ESCAPE.sub(replace, text)


class Transcript:
    def __init__(self, path):
        self.path = path
        self.config = {}
        self.steps = []  # (line number, mark, text)
        with open(path, encoding="latin-1", newline="\n") as file:
            for number, line in enumerate(file, 1):
                self.read_line(number, line.removesuffix("\n"))

    def read_line(self, number, line):
        if not line or line.startswith("#"):
            return
        if line.startswith("config:"):
            for word in line[7:].split():
                key, _, value = word.partition("=")
                self.config[key] = value or "yes"
            return
        match = STEP.match(line)
        if not match:
            raise Mismatch(f"{self.path}:{number}: not a transcript line")
        mark, text = match.group(1), match.group(2) or ""
        if mark in ("C:", "C-", "S:"):
            text = unescape(text)
        self.steps.append((number, mark, text + "\r\n" if mark == "C:" else text))

    def get(self, key):
        return self.config.get(key, DEFAULTS.get(key))

    def engine_only(self):
        return (self.get("engine-only") == "yes" or
                any(mark in ENGINE_ONLY_STEPS for _, mark, _ in self.steps))


class Player:
    """One connection that a transcript is played over."""

    def __init__(self, transcript, address, timeout_s, single_bytes):
        self.transcript = transcript
        self.single_bytes = single_bytes
        self.host = address[0]
        self.received = b""
        self.line_number = 0
        self.any_lines = False
        self.socket = socket.create_connection(address, timeout=timeout_s)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if transcript.get("tls") == "implicit":
            self.start_tls()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def start_tls(self):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = context.wrap_socket(self.socket, server_hostname=self.host)

    def fail(self, text):
        raise Mismatch(f"{self.transcript.path}:{self.line_number}: {text}")

    def send(self, data):
        size = 1 if self.single_bytes else max(len(data), 1)
        try:
            for position in range(0, len(data), size):
                self.socket.sendall(data[position:position + size])
        except ConnectionError:
            pass  # the server may close early; what it said before is what counts

    def receive(self):
        """More bytes in self.received; False when the server has closed."""
        try:
            data = self.socket.recv(65536)
        except TimeoutError:
            self.fail(f"the server is silent; before that it said {self.received[-300:]!r}")
        except (ConnectionError, ssl.SSLError):
            data = b""
        self.received += data
        return bool(data)

    def line(self):
        while b"\r\n" not in self.received:
            if len(self.received) > MAX_LINE_BYTES:
                self.fail("the server's line does not end")
            if not self.receive():
                self.fail(f"the server has closed; before that it said {self.received!r}")
        line, self.received = self.received.split(b"\r\n", 1)
        return line

    def expect(self, mark, text):
        wanted = text.encode("latin-1")
        while True:
            line = self.line()
            good = line == wanted if mark == "S:" else re.fullmatch(wanted, line, re.DOTALL)
            if good:
                self.any_lines = False
                return
            if not self.any_lines:
                self.fail(f"wanted {wanted!r}, the server said {line!r}")

    def expect_close(self):
        while self.receive():
            pass
        if self.received and not self.any_lines:
            self.fail(f"before closing, the server said {self.received[:300]!r}")

    def play(self):
        pending = b""  # consecutive client lines go out together
        for self.line_number, mark, text in self.transcript.steps:
            if mark in ("C:", "C-"):
                pending += text.encode("latin-1")
                continue
            self.send(pending)
            pending = b""
            self.do(mark, text)
        self.send(pending)
        if self.received and not self.any_lines:
            self.fail(f"at the end the server said more: {self.received[:300]!r}")

    def do(self, mark, text):
        if mark == "S*":
            self.any_lines = True
        elif mark in ("S:", "S~"):
            self.expect(mark, text)
        elif mark == "TLS":
            self.start_tls()
        elif mark == "EOF":
            self.socket.shutdown(socket.SHUT_WR)
        elif mark == "CLOSED":
            self.expect_close()


def prepare_mailbox(address, name):
    """alice's mailboxes as transcripts find them: INBOX from mailboxes/NAME, the others empty."""
    client = imaplib.IMAP4(*address, timeout=60)
    client.login(USER, PASSWORD)
    for line in client.list()[1]:
        attributes, _, mailbox = re.fullmatch(rb"\((.*?)\) (\S+) (.*)", line).groups()
        special = re.search(rb"\\(Junk|Trash|Sent|Drafts|Archive|All|Flagged)", attributes)
        if special or mailbox.strip(b'"').upper() == b"INBOX":
            client.select(mailbox.decode())
            client.store("1:*", "+FLAGS.SILENT", r"(\Deleted)")
            client.expunge()
            client.unselect()
        elif rb"\Noselect" not in attributes:
            client.delete(mailbox.decode())
    if name:
        for path in sorted(glob.glob(f"{HERE}/mailboxes/{name}/*.eml")):
            with open(path, "rb") as file:
                client.append("INBOX", None, None, file.read())
    client.logout()


def skip_reason(transcript, config, imap):
    if transcript.engine_only():
        return "engine-only"
    for key, value in config.items():
        if transcript.get(key) not in (None, value):
            return f"needs {key}={transcript.get(key)}"
    if transcript.get("mailbox") and not imap:
        return "needs --imap to fill the mailbox"
    return None


def host_and_port(text):
    host, _, port = text.rpartition(":")
    return host, int(port)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--config", default="", metavar="KEY=VALUE...",
                        help="what the listener is; files that need another value are skipped")
    parser.add_argument("--imap", type=host_and_port, metavar="HOST:PORT",
                        help="plaintext IMAP of the same daemon, to set alice's mailboxes up")
    parser.add_argument("--bytes", action="store_true", help="send byte by byte")
    parser.add_argument("--timeout", type=float, default=20, metavar="SECONDS")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    config = dict(word.split("=", 1) for word in options.config.split())

    failed = 0
    for path in options.files:
        try:
            transcript = Transcript(path)
            reason = skip_reason(transcript, config, options.imap)
            if reason:
                print(f"skip {path}: {reason}")
                continue
            if options.imap:
                prepare_mailbox(options.imap, transcript.get("mailbox"))
            with Player(transcript, (options.host, options.port), options.timeout,
                        options.bytes) as player:
                player.play()
            print(f"ok   {path}")
        except (Mismatch, OSError, imaplib.IMAP4.error) as error:
            print(f"FAIL {path}: {error}")
            failed += 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
