#!/usr/bin/env python3
"""SIGKILL at random moments of a stream of deliveries: what was acknowledged is there exactly once.

A message that was sent whole but whose reply was lost may be there once, too: its sender does not
know and will send again.
"""

import collections
import random
import re
import smtplib
import threading
import time
import unittest

from base import Gateway, fetch_all, message

ROUNDS = 20
SENDERS = 4
USERS = ("alice", "bob", "carol")
SEED = 20_260_101


class Sender(threading.Thread):
    """Sends until the daemon is gone; keeps what was acknowledged and what was begun."""

    def __init__(self, gateway, name, random_source):
        super().__init__()
        self.gateway, self.prefix, self.random = gateway, name, random_source
        self.acknowledged, self.begun = [], []

    def run(self):
        try:
            with self.gateway.smtp() as client:
                client.ehlo()
                for number in range(100_000):
                    self.send(client, f"{self.prefix}-{number}")
        except (OSError, smtplib.SMTPException):
            pass

    def send(self, client, subject):
        users = self.random.sample(USERS, self.random.choice((1, 1, 1, 2, 3)))
        body = "x" * self.random.choice((10, 2000, 70_000)) + "\r\n"
        copies = [(user, subject) for user in users]
        self.begun += copies
        refused = client.sendmail("a@remote.example", [f"{u}@example.net" for u in users],
                                  message(subject, body))
        assert not refused
        self.acknowledged += copies


class Kill(unittest.TestCase):
    def setUp(self):
        self.gateway = Gateway()
        self.addCleanup(self.gateway.close)
        self.gateway.add_users(*USERS)
        self.random = random.Random(SEED)
        self.acknowledged, self.begun = set(), set()

    def round(self, number):
        """Streams, kills, starts again."""
        senders = [Sender(self.gateway, f"{number}-{i}", random.Random(self.random.random()))
                   for i in range(SENDERS)]
        for sender in senders:
            sender.start()
        time.sleep(self.random.uniform(0.05, 1.0))
        self.gateway.kill()
        for sender in senders:
            sender.join()
            self.acknowledged.update(sender.acknowledged)
            self.begun.update(sender.begun)
        self.gateway.start()

    def stored(self):
        """How often each (user, subject) is there, in INBOX and Junk."""
        found = collections.Counter()
        for user in USERS:
            with self.gateway.imap(user) as client:
                for mailbox in ("INBOX", "Junk"):
                    client.select(mailbox, readonly=True)
                    items = "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])"
                    for part in client.uid("FETCH", "1:*", items)[1]:
                        if isinstance(part, tuple):
                            subject = re.search(rb"Subject: (\S+)", part[1])[1].decode()
                            found[user, subject] += 1
        return found

    def check(self, number):
        deadline = time.monotonic() + 30
        while True:
            found = self.stored()
            missing = [copy for copy in self.acknowledged if not found[copy]]
            if not missing or time.monotonic() > deadline:
                break
            time.sleep(0.2)  # replay of what was accepted goes on after `ready`
        self.assertFalse(missing, f"round {number}: acknowledged and lost")
        twice = [copy for copy, count in found.items() if count > 1]
        self.assertFalse(twice, f"round {number}: there more than once")
        unknown = [copy for copy in found if copy not in self.begun]
        self.assertFalse(unknown, f"round {number}: never sent")

    def test_acknowledged_mail_is_there_exactly_once(self):
        self.gateway.start()
        for number in range(ROUNDS):
            self.round(number)
            self.check(number)
        self.assertGreater(len(self.acknowledged), ROUNDS * SENDERS)
        self.assertEqual(self.gateway.stop(), 0)
        print(f"{ROUNDS} kills, {len(self.acknowledged)} acknowledged copies: each there once; "
              f"{len(self.begun) - len(self.acknowledged)} begun without a reply")


if __name__ == "__main__":
    unittest.main()
