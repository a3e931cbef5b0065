#!/usr/bin/env python3
"""Many IMAP sessions on one mailbox, and connections that are deflated, on the real daemon."""

import random
import re
import threading
import time
import unittest
import zlib

from base import E2eTest, Raw, imap_session, message

WORKERS = 6
ROUNDS = 60


class Deflated(Raw):
    """A raw session that speaks DEFLATE from start() on (RFC 4978)."""

    def start(self):
        self.deflater = zlib.compressobj(wbits=-15)
        self.inflater = zlib.decompressobj(wbits=-15)
        plain = self.socket

        class Stream:
            def sendall(_, data):
                plain.sendall(self.deflater.compress(data) +
                              self.deflater.flush(zlib.Z_SYNC_FLUSH))

            def recv(_, size, *flags):
                while True:
                    data = plain.recv(size, *flags)
                    out = self.inflater.decompress(data)
                    if out or not data:
                        return out

            def close(_):
                plain.close()

        self.socket = Stream()


def append(raw, tag, content):
    raw.send(f"{tag} APPEND INBOX {{{len(content)}+}}\r\n".encode() + content + b"\r\n")
    return raw.until(rf"^{tag} ")[-1]


class Compression(E2eTest):
    def test_a_deflated_session(self):
        content = message("deflate me", "x" * 70 + "\r\n" + "line\r\n" * 5000)
        raw = Deflated(self.gateway.ports["imap"])
        self.addCleanup(raw.close)
        raw.line()
        self.assertIn("COMPRESS=DEFLATE", raw.imap("a", "LOGIN alice@example.net secret")[-1])
        self.assertTrue(raw.imap("b", "COMPRESS DEFLATE")[-1].startswith("b OK"))
        raw.start()
        self.assertIn("COMPRESSIONACTIVE", raw.imap("c", "COMPRESS DEFLATE")[-1])
        self.assertTrue(append(raw, "d", content).startswith("d OK"))
        raw.imap("e", "SELECT INBOX")
        lines = raw.imap("f", "FETCH 1 (BODY.PEEK[])")
        self.assertEqual("\r\n".join(lines[1:-2]).encode() + b"\r\n)", content + b")")
        raw.send("g IDLE\r\n")
        raw.until(r"^\+ ")
        self.gateway.deliver(message("news"))
        raw.until(r"^\* 2 EXISTS")
        raw.send("DONE\r\n")
        raw.until("^g OK")

    def test_what_deflates_very_well(self):
        """A white picture in base64 shrinks to a two hundredth."""
        content = message("white", ("/" * 76 + "\r\n") * 50_000)
        with imap_session(self.gateway, "carol") as other:
            raw = Deflated(self.gateway.ports["imap"])
            self.addCleanup(raw.close)
            raw.line()
            raw.imap("a", "LOGIN carol@example.net secret")
            raw.imap("b", "COMPRESS DEFLATE")
            raw.start()
            self.assertTrue(append(raw, "c", content).startswith("c OK"))
            before = self.gateway.resident_bytes()
            raw.send(b"x" * 100_000_000 + b"\r\nd NOOP\r\n")
            self.assertTrue(other.imap("e", "NOOP")[-1].startswith("e OK"))
            raw.until("^d OK")
            self.assertLess(self.gateway.resident_bytes() - before, 50_000_000)
        self.assertEqual(self.inbox("carol"), [content])

    def test_commands_may_follow_compress_at_once(self):
        raw = Deflated(self.gateway.ports["imap"])
        self.addCleanup(raw.close)
        raw.line()
        raw.imap("a", "LOGIN bob@example.net secret")
        plain = raw.socket
        raw.start()
        deflated = self.pieces(raw.deflater, b"c NOOP\r\n")
        plain.sendall(b"b COMPRESS DEFLATE\r\n" + deflated)
        deflating, raw.socket = raw.socket, plain
        self.assertTrue(raw.line().startswith(b"b OK"))
        raw.socket = deflating
        raw.buffer = raw.inflater.decompress(raw.buffer)
        self.assertTrue(raw.until("^c ")[-1].startswith("c OK"))

    @staticmethod
    def pieces(deflater, data):
        return deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH)

    def test_nonsense_ends_only_its_own_session(self):
        with imap_session(self.gateway, "bob") as other:
            raw = imap_session(self.gateway)
            raw.imap("b", "COMPRESS DEFLATE")
            raw.send(b"\xff" * 1000)
            self.assertEqual(raw.line(), b"")
            self.assertTrue(other.imap("a", "NOOP")[-1].startswith("a OK"))


class MessageLimit(E2eTest):
    """RFC 9738, with the lowest limit that there is."""
    settings = "imap: {message_limit: 1000}\n"

    def append(self, raw, count):
        raw.send(f"a APPEND INBOX {{1+}}\r\nx" + " {1+}\r\nx" * (count - 1) + "\r\n")
        return raw.until("^a ")[-1]

    def test_what_is_more_is_left_out_and_told(self):
        with imap_session(self.gateway) as raw:
            self.assertRegex(raw.imap("b", "CAPABILITY")[0], r" MESSAGELIMIT=1000\b")
            raw.imap("c", "SELECT INBOX")
            self.assertRegex(self.append(raw, 1001), r"^a NO \[MESSAGELIMIT 1000\]")
            self.assertRegex(raw.imap("d", "STATUS INBOX (MESSAGES)")[0], r"\(MESSAGES 0\)")
            self.assertRegex(self.append(raw, 1000), r"^a OK \[APPENDUID \d+ 1:1000\]")
            self.assertRegex(raw.imap("e", "FETCH 1:* (UID)")[-1], "^e OK FETCH")
            self.assertRegex(self.append(raw, 1), "^a OK ")
            lines = raw.imap("f", "FETCH 1:* (UID)")
            self.assertEqual(len(lines), 1001)
            self.assertEqual(lines[0], "* 2 FETCH (UID 2)")
            self.assertRegex(lines[-1], r"^f OK \[MESSAGELIMIT 1000 2\]")
            self.assertRegex(raw.imap("g", "UID COPY 1:* Archive")[-1],
                             r"^g NO \[MESSAGELIMIT 1000 2\]")
            found = raw.imap("h", "UID SEARCH RETURN (COUNT) UNSEEN")
            self.assertRegex(found[0], r" COUNT 1000$")
            self.assertRegex(found[-1], r"^h OK \[MESSAGELIMIT 1000 2\]")
            self.assertRegex(raw.imap("i", "UID SEARCH UIDBEFORE 2")[0], r"^\* SEARCH 1$")
            raw.imap("j", "STORE 1:1000 +FLAGS.SILENT (\\Deleted)")
            raw.imap("k", "STORE 1001 +FLAGS.SILENT (\\Deleted)")
            self.assertRegex(raw.imap("l", "UID EXPUNGE 1:*")[-1],
                             r"^l OK \[MESSAGELIMIT 1000 2\]")
            self.assertEqual(raw.imap("m", "UID EXPUNGE 1:*"),
                             ["* 1 EXPUNGE", "m OK EXPUNGE completed"])


class OneMailbox(E2eTest):
    def setUp(self):
        self.empty("alice")

    def test_a_flag_reaches_another_session_in_idle(self):
        self.gateway.deliver(message("shared"))
        with imap_session(self.gateway) as one, imap_session(self.gateway) as two:
            one.imap("a", "SELECT INBOX")
            two.imap("a", "SELECT INBOX")
            two.send("b IDLE\r\n")
            two.until(r"^\+ ")
            times = []
            for number in range(20):
                sign = "+-"[number % 2]
                started = time.perf_counter()
                one.send(f"c STORE 1 {sign}FLAGS (\\Flagged)\r\n")
                two.until(r"^\* 1 FETCH \(FLAGS ")
                times.append((time.perf_counter() - started) * 1000)
                one.until("^c OK")
            print(f"STORE to IDLE of another session: {sorted(times)[10]:.1f} ms median, "
                  f"{max(times):.1f} ms at most")

    def test_notify_tells_without_idle(self):
        with imap_session(self.gateway) as one, imap_session(self.gateway) as two:
            two.imap("a", "SELECT Sent")
            two.imap("b", "NOTIFY SET (selected (MessageNew (UID BODY.PEEK[HEADER.FIELDS "
                          "(Subject)]) MessageExpunge FlagChange)) (personal (MessageNew "
                          "MessageExpunge MailboxName)) (inboxes (MailboxMetadataChange))")
            times = []
            for number in range(1, 11):
                started = time.perf_counter()
                append(one, "c", message(f"news {number}"))
                told = two.until(r"^\* STATUS ")[-1]
                times.append((time.perf_counter() - started) * 1000)
                self.assertRegex(told, rf'"INBOX" \(MESSAGES {number} UIDNEXT ')
            print(f"APPEND to STATUS of another session: {sorted(times)[5]:.1f} ms median, "
                  f"{max(times):.1f} ms at most")
            one.imap("d", "CREATE Lists/Lemonade")
            two.until(r'^\* LIST \(\\HasNoChildren\) "/" "Lists/Lemonade"')
            one.imap("e", "SETMETADATA INBOX (/shared/comment {1+}\r\nx)")
            two.until(r'^\* METADATA "INBOX" /shared/comment$')
            one.imap("f", "SELECT INBOX")
            one.imap("g", "COPY 1 Sent")
            two.until("^Subject: news 1")
            two.until(r"^\)$")
            one.imap("h", "SELECT Sent")
            one.imap("i", "STORE 1 +FLAGS (\\Deleted)")
            two.until(r"^\* 1 FETCH \(UID \d+ FLAGS \(.*Deleted")
            one.imap("j", "EXPUNGE")
            two.until(r"^\* 1 EXPUNGE")

    def test_sequence_numbers_never_lie(self):
        """Workers append, flag and expunge; a watcher keeps count by what it is told alone."""
        stop = threading.Event()
        failures = []

        def work(seed):
            random_ = random.Random(seed)
            try:
                with imap_session(self.gateway) as raw:
                    raw.imap("s", "SELECT INBOX")
                    for number in range(ROUNDS):
                        what = random_.randrange(5)
                        if what <= 1:
                            answer = append(raw, "w", message(f"{seed}-{number}"))
                        elif what == 2:
                            answer = raw.imap("w", "STORE 1:* +FLAGS.SILENT (\\Seen)")[-1]
                        elif what == 3:
                            answer = raw.imap("w", "UID STORE 1:* +FLAGS (\\Deleted)")[-1]
                        else:
                            answer = raw.imap("w", "EXPUNGE")[-1]
                        if not answer.startswith("w OK"):
                            failures.append(answer)
            except (AssertionError, OSError) as error:
                failures.append(repr(error))

        def watch():
            try:
                with imap_session(self.gateway) as raw:
                    lines = raw.imap("s", "SELECT INBOX")
                    uids = self.uids(raw)
                    while not stop.is_set():
                        lines = raw.imap("n", "NOOP")
                        for line in lines:
                            expunged = re.match(r"\* (\d+) EXPUNGE", line)
                            exists = re.match(r"\* (\d+) EXISTS", line)
                            if expunged:
                                del uids[int(expunged.group(1)) - 1]
                            if exists:
                                uids += [None] * (int(exists.group(1)) - len(uids))
                        told = self.uids(raw, len(uids))
                        for ours, theirs in zip(uids, told):
                            if ours is not None and theirs is not None and ours != theirs:
                                failures.append(f"{ours} became {theirs}")
                        uids = told
            except (AssertionError, OSError, IndexError) as error:
                failures.append(repr(error))

        watcher = threading.Thread(target=watch)
        workers = [threading.Thread(target=work, args=(seed,)) for seed in range(WORKERS)]
        for thread in [watcher, *workers]:
            thread.start()
        for thread in workers:
            thread.join()
        stop.set()
        watcher.join()
        self.assertEqual(failures, [])

    @staticmethod
    def uids(raw, count=None):
        """The UID of each sequence number; None where it is gone already, or came just now."""
        found = {}
        for line in raw.imap("u", "FETCH 1:* (UID)"):
            exists = re.match(r"\* (\d+) EXISTS", line)
            if exists:
                count = int(exists.group(1))
            match = re.match(r"\* (\d+) FETCH \(UID (\d+)\)", line)
            if match:
                found[int(match.group(1))] = int(match.group(2))
        return [found.get(number) for number in range(1, (count or len(found)) + 1)]


if __name__ == "__main__":
    unittest.main()
