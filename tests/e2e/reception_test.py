#!/usr/bin/env python3
"""How mail comes in besides plain SMTP: chunks, proxies in front, limits by policy."""

import socket
import struct
import time
import unittest

from base import E2eTest, Raw, message, smtp_session

V2_SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v2_header(address):
    return (V2_SIGNATURE + b"\x21\x11" + struct.pack(">H", 12) + socket.inet_aton(address)
            + socket.inet_aton("198.51.100.1") + struct.pack(">HH", 1234, 25))


class Chunking(E2eTest):
    def send(self, parameters, *chunks):
        """One message by BDAT; answers the last reply."""
        with smtp_session(self.gateway) as raw:
            self.assertRegex(raw.smtp(f"MAIL FROM:<s@remote.example>{parameters}"), "^250 ")
            self.assertRegex(raw.smtp("RCPT TO:<alice@example.net>"), "^250 ")
            for number, chunk in enumerate(chunks):
                last = " LAST" if number + 1 == len(chunks) else ""
                raw.send(f"BDAT {len(chunk)}{last}\r\n".encode() + chunk)
                reply = raw.smtp_reply()
            return reply

    def test_chunks_become_one_message(self):
        self.empty("alice")
        content = message("in pieces", "First line.\r\n.\r\nLast line\r\n")
        self.assertRegex(self.send("", content[:7], content[7:50], content[50:]), "^250 ")
        [stored] = self.inbox()
        self.assertTrue(stored.endswith(content))

    def test_binary_parts_arrive_as_base64(self):
        self.empty("alice")
        content = (b"Subject: binary\r\nMIME-Version: 1.0\r\nContent-Type: image/png\r\n"
                   b"Content-Transfer-Encoding: binary\r\n\r\n\x89PNG\r\n\x1a\n\0\r")
        self.assertRegex(self.send(" BODY=BINARYMIME", content), "^250 ")
        [stored] = self.inbox()
        self.assertIn(b"Content-Transfer-Encoding: base64", stored)
        self.assertIn(b"\r\n\r\niVBORw0KGgoADQ==\r\n", stored)
        client = self.gateway.pop3()
        self.addCleanup(client.close)
        lines = client.retr(1)[1]
        self.assertIn(b"iVBORw0KGgoADQ==", lines)

    def test_binary_outside_of_binary_parts_is_refused(self):
        self.empty("alice")
        self.assertRegex(self.send(" BODY=BINARYMIME", b"Subject: x\r\n\r\na\nb\r\n"),
                         r"^550 5\.6\.11 ")
        self.assertEqual(self.inbox(), [])

    def test_a_client_that_vanishes_in_a_chunk_leaves_nothing(self):
        self.empty("alice")
        with smtp_session(self.gateway) as raw:
            raw.smtp("MAIL FROM:<s@remote.example>")
            raw.smtp("RCPT TO:<alice@example.net>")
            raw.send(b"BDAT 1000 LAST\r\nSubject: half")
        time.sleep(0.3)
        self.assertEqual(self.inbox(), [])


class Trusted(E2eTest):
    settings = 'trusted: {proxy_protocol: ["127.0.0.1"], xclient: ["192.0.2.0/24"]}\n'

    def connect(self, header, service="smtp"):
        raw = Raw(self.gateway.ports[service])
        raw.send(header)
        return raw

    def received(self, raw):
        """Delivers a message over a greeted session; answers its Received field."""
        self.deliver(raw)
        return self.stored().split(b"Received: ", 1)[1].split(b"\r\n", 1)[0]

    def deliver(self, raw):
        self.assertRegex(raw.smtp("EHLO client.example"), "^250 ")
        self.assertRegex(raw.smtp("MAIL FROM:<s@remote.example>"), "^250 ")
        self.assertRegex(raw.smtp("RCPT TO:<alice@example.net>"), "^250 ")
        self.assertRegex(raw.smtp("DATA"), "^354 ")
        raw.send(message("proxied") + b".\r\n")
        self.assertRegex(raw.smtp_reply(), "^250 ")

    def stored(self):
        """alice's newest message, over POP3 from behind the proxy."""
        with self.connect(b"PROXY UNKNOWN\r\n", "pop3") as raw:
            for command in ("USER alice@example.net", "PASS secret", "STAT"):
                raw.line()
                raw.send(command + "\r\n")
            count = int(raw.line().split()[1])
            raw.send(f"RETR {count}\r\n")
            return "\r\n".join(raw.until(r"^\.$")).encode()

    def test_the_proxys_client_is_the_client(self):
        version1 = b"PROXY TCP4 203.0.113.9 198.51.100.1 1234 25\r\n"
        for header, address in ((version1, b"203.0.113.9"),
                                (v2_header("203.0.113.10"), b"203.0.113.10"),
                                (b"PROXY UNKNOWN\r\n", b"127.0.0.1")):
            with self.subTest(address=address), self.connect(header) as raw:
                self.assertRegex(raw.smtp_reply(), "^220 ")
                self.assertIn(b"([" + address + b"])", self.received(raw))

    def test_a_header_in_pieces_with_tls_behind_it(self):
        with Raw(self.gateway.ports["submissions"]) as raw:
            for byte in v2_header("203.0.113.9"):
                raw.send(bytes([byte]))
            raw.start_tls()
            self.assertRegex(raw.smtp_reply(), "^220 ")

    def test_no_header_no_service(self):
        for nonsense in (b"EHLO client.example\r\n", b"PROXY TCP4 1 2 3 4\r\n",
                         V2_SIGNATURE + b"\x99"):
            with self.subTest(nonsense=nonsense), self.connect(nonsense + b" " * 20) as raw:
                self.assertEqual(raw.line(), b"")

    def test_xclient(self):
        header = b"PROXY TCP4 192.0.2.1 198.51.100.1 1234 25\r\n"
        with self.connect(header) as raw:
            self.assertRegex(raw.smtp_reply(), "^220 ")
            self.assertRegex(raw.smtp("EHLO front.example"), "^250 ")
            self.assertRegex(raw.smtp("XCLIENT ADDR=203.0.113.77 HELO=spammer.example"), "^220 ")
            field = self.received(raw)
        self.assertEqual(field, b"from spammer.example ([203.0.113.77])")

    def test_xclient_from_others(self):
        with self.connect(b"PROXY TCP4 192.0.3.1 198.51.100.1 1234 25\r\n") as raw:
            raw.smtp_reply()
            raw.smtp("EHLO client.example")
            self.assertRegex(raw.smtp("XCLIENT ADDR=203.0.113.77"), r"^550 5\.7\.0 ")


class Policy(E2eTest):
    settings = """smtp:
  greeting_delay_ms: 300
  max_errors: 3
  max_recipients: 100
  max_messages_per_minute_per_address: 5
"""

    def test_early_talkers_are_turned_away(self):
        with Raw(self.gateway.ports["smtp"]) as raw:
            raw.send("EHLO early.example\r\n")
            self.assertRegex(raw.smtp_reply(), "^554 ")
            self.assertEqual(raw.line(), b"")
        self.assertIn("spoke before the greeting", self.gateway.log_text())

    def test_errors(self):
        with smtp_session(self.gateway) as raw:
            self.assertRegex(raw.smtp("FOO"), "^500 ")
            self.assertRegex(raw.smtp("FOO"), "^500 ")
            raw.send("FOO\r\n")
            self.assertRegex(raw.smtp_reply(), "^500 ")
            self.assertRegex(raw.smtp_reply(), "^421 ")

    def test_messages_a_minute(self):
        with smtp_session(self.gateway) as raw:
            for number in range(6):
                reply = raw.smtp("MAIL FROM:<s@remote.example>")
                self.assertRegex(reply, "^250 " if number < 5 else r"^451 4\.7\.1 ")
                raw.smtp("RSET")

    def test_guessing_names_becomes_slow(self):
        with Raw(self.gateway.ports["lmtp"]) as raw:
            raw.smtp_reply()
            raw.smtp("LHLO client.example")
            raw.smtp("MAIL FROM:<s@remote.example>")
            begin = time.monotonic()
            for number in range(7):
                self.assertRegex(raw.smtp(f"RCPT TO:<guess{number}@example.net>"), "^550 ")
            self.assertGreater(time.monotonic() - begin, 1.9)


if __name__ == "__main__":
    unittest.main()
