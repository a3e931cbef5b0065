#!/usr/bin/env python3
"""Learning by moving: into Junk is spam, out of Junk is ham, Junk to Trash says nothing."""

import unittest

from base import CORPUS, E2eTest, fetch_all, message

CAMPAIGN = "flibbertigibbet quuxotic zanzibarine offer number {0}\r\n"
TEACHINGS = 12


class JunkLearning(E2eTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for label in ("ham", "spam"):
            paths = []
            with open(f"{CORPUS}/index.train", encoding="ascii") as index:
                for line in index:
                    word, path = line.split()
                    if word == label:
                        paths.append(f"{CORPUS}/{path}")
            cls.gateway.cli("train", label, *paths[:80])

    def setUp(self):
        self.empty()

    def trained(self):
        """(spam, ham) messages that the models stand on."""
        model = self.gateway.cli_json("status")["filter"]
        return model["trained_spam"], model["trained_ham"]

    def deliver(self, number, user="alice"):
        self.gateway.deliver(message(f"flibbertigibbet {number}", CAMPAIGN.format(number)), user,
                             sender=f"s{number}@remote.example")

    def move(self, source, target, user="alice"):
        with self.gateway.imap(user) as client:
            client.select(source)
            self.assertEqual(client.uid("MOVE", "1:*", target)[0], "OK")

    def junk(self, user="alice"):
        with self.gateway.imap(user) as client:
            return fetch_all(client, "Junk")

    def wait_for_training(self, spam, ham):
        self.wait_for(lambda: self.trained() == (spam, ham),
                      f"training of {spam} spam and {ham} ham; it is {self.trained()}")

    def test_moves_teach(self):
        spam, ham = self.trained()
        for number in range(TEACHINGS):
            self.deliver(number)
        self.assertEqual(len(self.inbox()), TEACHINGS, "before training it must be no spam")
        self.move("INBOX", "Junk")
        self.wait_for_training(spam + TEACHINGS, ham)
        self.deliver(100, "bob")
        self.assertEqual((len(self.inbox("bob")), len(self.junk("bob"))), (0, 1))

        # Trash says nothing, the way back to the inbox does.
        self.move("Junk", "Trash", "bob")
        self.deliver(101, "bob")
        self.assertEqual(len(self.junk("bob")), 1)
        self.assertEqual(self.trained(), (spam + TEACHINGS, ham))
        self.move("Junk", "INBOX")
        self.wait_for_training(spam, ham + TEACHINGS)
        self.deliver(102, "carol")
        self.assertEqual((len(self.inbox("carol")), len(self.junk("carol"))), (1, 0))

    def test_learned_state_survives_a_kill(self):
        before = self.trained()
        # Nothing like the other test's campaign: one such move is enough to know the rest of it.
        self.gateway.deliver(message("pompadour", "Wistful marmalade at dusk.\r\n",
                                     sender="mila@elsewhere.example", Date="5 Oct 2026 07:12 +0200",
                                     Message_ID="<pompadour@elsewhere.example>",
                                     Content_Type="text/plain"))
        self.move("INBOX", "Junk")
        spam = before[0] + 1
        self.wait_for_training(spam, before[1])
        self.gateway.kill()
        self.gateway.start()
        self.assertEqual(self.trained(), (spam, before[1]))


if __name__ == "__main__":
    unittest.main()
