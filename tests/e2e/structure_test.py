#!/usr/bin/env python3
"""BODYSTRUCTURE, ENVELOPE, parts and BINARY of real mail, against Python's own reading of it."""

import email
import email.header
import email.utils
import re
import unittest

from base import E2eTest, corpus_index

# Every so manieth message of the sample, so that the suite stays short.
STEP = 3
TOKEN = re.compile(rb'\(|\)|"((?:[^"\\]|\\.)*)"|\{(\d+)\}\r\n|[^\s()"]+')


def parse(data):
    """An IMAP list as nested lists of bytes; NIL is None."""
    stack, at = [[]], 0
    while at < len(data):
        match = TOKEN.match(data, at)
        if not match:
            at += 1
            continue
        at = match.end()
        token = match.group(0)
        if token == b"(":
            stack.append([])
        elif token == b")" and len(stack) == 1:
            break  # the end of the FETCH response itself
        elif token == b")":
            done = stack.pop()
            stack[-1].append(done)
        elif match.group(1) is not None:
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", match.group(1)))
        elif match.group(2) is not None:
            size = int(match.group(2))
            stack[-1].append(data[at:at + size])
            at += size
        else:
            stack[-1].append(None if token == b"NIL" else token)
    return stack[0]


def joined(answer):
    """One FETCH response of imaplib as bytes, literals in place."""
    return b"".join(part if isinstance(part, bytes) else part[0] + b"\r\n" + part[1]
                    for part in answer)


def shape(structure):
    """[multipart subtype, children...], or (type, subtype, encoding, octets)."""
    if isinstance(structure[0], list):
        children = [item for item in structure if isinstance(item, list)]
        count = next(i for i, item in enumerate(structure) if not isinstance(item, list))
        return ["multipart/" + structure[count].decode().lower()] + \
               [shape(child) for child in children[:count]]
    kind = (structure[0] + b"/" + structure[1]).decode().lower()
    return (kind, structure[5].decode().lower(), int(structure[6]))


def shape_of(part):
    """What Python sees, in the same form but without octets."""
    kind = part.get_content_type()
    if kind.startswith("multipart/") and part.is_multipart():
        return [kind] + [shape_of(child) for child in part.get_payload()]
    encoding = str(part.get("Content-Transfer-Encoding", "7bit")).split(";")[0].strip().lower()
    return (kind, encoding or "7bit")


def without_octets(found):
    if isinstance(found, list):
        return [found[0]] + [without_octets(child) for child in found[1:]]
    return found[:2]


def leaves(found, number=""):
    """(part number, (type, encoding, octets)) of each leaf."""
    if isinstance(found, tuple):
        return [(number or "1", found)]
    out = []
    for index, child in enumerate(found[1:], 1):
        out += leaves(child, f"{number}.{index}" if number else str(index))
    return out


def python_leaves(part):
    if part.get_content_maintype() == "multipart" and part.is_multipart():
        return [leaf for child in part.get_payload() for leaf in python_leaves(child)]
    return [part]


class Structure(E2eTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.mail = [bytes(raw) for _, _, raw in corpus_index("index")[::STEP]]
        with cls.gateway.imap() as client:
            for raw in cls.mail:
                client.append("INBOX", None, None, raw)

    def setUp(self):
        self.client = self.gateway.imap()
        self.client.select("INBOX", readonly=True)
        self.addCleanup(self.client.logout)

    def fetch(self, number, item):
        kind, data = self.client.fetch(str(number), f"({item})")
        self.assertEqual(kind, "OK", data)
        return data

    def structure(self, number):
        data = joined(self.fetch(number, "BODYSTRUCTURE"))
        return parse(data[data.index(b"BODYSTRUCTURE") + 14:])[0]

    def test_structures_and_parts(self):
        odd = 0
        for number, raw in enumerate(self.mail, 1):
            message = email.message_from_bytes(raw)
            found = shape(self.structure(number))
            if without_octets(found) != shape_of(message):
                odd += 1  # mail so broken that two readings of it are right
                continue
            for (part, (kind, _, octets)), leaf in zip(leaves(found), python_leaves(message)):
                with self.subTest(number=number, part=part, kind=kind):
                    body = self.fetch(number, f"BODY.PEEK[{part}]")[0][1]
                    self.assertEqual(len(body), octets)
                    self.assertIn(body, raw)
                    if kind.startswith("message/"):
                        continue
                    decoded = self.fetch(number, f"BINARY.PEEK[{part}]")
                    wanted = leaf.get_payload(decode=True) or b""
                    got = decoded[0][1] if isinstance(decoded[0], tuple) else b""
                    self.assertEqual(re.sub(rb"\s", b"", got), re.sub(rb"\s", b"", wanted))
        self.assertLessEqual(odd, len(self.mail) // 25)

    def test_envelopes(self):
        odd = 0
        for number, raw in enumerate(self.mail, 1):
            message = email.message_from_bytes(raw)
            data = joined(self.fetch(number, "ENVELOPE"))
            envelope = parse(data[data.index(b"ENVELOPE") + 9:])[0]
            self.assertEqual(len(envelope), 10)
            with self.subTest(number=number):
                wanted = str(message.get("Message-ID", "")).strip()
                self.assertEqual((envelope[9] or b"").decode("latin-1").strip(), wanted)
                for position, name in ((2, "From"), (5, "To"), (6, "Cc")):
                    theirs = [address for _, address in
                              email.utils.getaddresses(map(str, message.get_all(name, [])))]
                    ours = [b"@".join(filter(None, each[2:4])).decode("utf-8", "replace")
                            for each in envelope[position] or []]
                    odd += [a.lower() for a in theirs if a] != [a.lower() for a in ours if a]
        self.assertLessEqual(odd, len(self.mail) // 10)


if __name__ == "__main__":
    unittest.main()
