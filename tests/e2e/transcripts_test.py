#!/usr/bin/env python3
"""The wire transcripts of tests/transcripts against the real daemon: whole and byte by byte."""

import glob
import os
import sys
import unittest

from base import PASSWORD, ROOT, E2eTest

sys.path.insert(0, f"{ROOT}/tests/transcripts")

import play  # noqa: E402

PLAY_TIMEOUT_S = 60
LISTENERS = {  # (folder, role, tls) -> service
    ("smtp", "mx", "starttls"): "smtp",
    ("smtp", "submission", "starttls"): "submission",
    ("smtp", "submission", "implicit"): "submissions",
    ("smtp", "lmtp", "starttls"): "lmtp",
    ("imap", "mx", "starttls"): "imap",
    ("imap", "mx", "implicit"): "imaps",
    ("pop3", "mx", "starttls"): "pop3",
    ("pop3", "mx", "implicit"): "pop3s",
}


class PlaintextOffered(E2eTest):
    """Files that need passwords without TLS, or do not care."""

    def start_afresh(self, mailbox):
        """alice as if nobody had used her account: UIDs count from 1."""
        self.gateway.cli("user", "remove", "--yes", play.USER)
        self.gateway.cli("user", "add", play.USER, "--password-stdin", stdin=PASSWORD + "\n")
        play.prepare_mailbox(("127.0.0.1", self.gateway.ports["imap"]), mailbox)


class PlaintextRefused(E2eTest):
    """Files that need passwords to be refused without TLS."""

    plaintext = False


def add_test(path):
    """One test method for the file, where a listener of the daemon fits it."""
    transcript = play.Transcript(path)
    folder = os.path.basename(os.path.dirname(path))
    service = LISTENERS.get((folder, transcript.get("role"), transcript.get("tls")))
    if transcript.engine_only() or not service:
        return

    def test(self):
        for single_bytes in (False, True):
            with self.subTest(single_bytes=single_bytes):
                if self.plaintext and folder != "smtp":
                    self.start_afresh(transcript.get("mailbox"))
                address = ("127.0.0.1", self.gateway.ports[service])
                with play.Player(transcript, address, PLAY_TIMEOUT_S, single_bytes) as player:
                    player.play()

    refused = transcript.get("plaintext-auth") == "no"
    name = os.path.basename(path).removesuffix(".txt").replace("-", "_")
    setattr(PlaintextRefused if refused else PlaintextOffered, f"test_{folder}_{name}", test)


for found in sorted(glob.glob(f"{ROOT}/tests/transcripts/*/*.txt")):
    add_test(found)


if __name__ == "__main__":
    unittest.main()
