#!/usr/bin/env python3
"""IMAP from the real daemon: all main commands by imaplib, the rest by raw sockets."""

import base64
import imaplib
import re
import time
import unittest

from base import (PASSWORD, E2eTest, Raw, fetch_all, imap_session, mailbox_names, message,
                  trusting_tls)

DATE = '"07-Feb-1994 21:52:25 -0800"'


class Session(E2eTest):
    """Each test gets a client that is logged in as alice, whose mailboxes are empty."""

    def setUp(self):
        self.empty("alice")
        self.client = self.gateway.imap()
        self.addCleanup(self.leave)

    def leave(self):
        try:
            self.client.logout()
        except (imaplib.IMAP4.error, OSError):
            pass

    def ok(self, answer):
        kind, data = answer
        self.assertEqual(kind, "OK", data)
        return data

    def append(self, content, mailbox="INBOX", flags=None):
        return self.ok(self.client.append(mailbox, flags, DATE, content))

    def uids(self, *criteria):
        return [int(uid) for uid in self.ok(self.client.uid("SEARCH", *criteria))[0].split()]


class Mailboxes(Session):
    def names(self):
        return set(mailbox_names(self.client))

    def test_capabilities(self):
        names = set(self.ok(self.client.capability())[0].decode().split())
        self.assertLessEqual({"IMAP4rev1", "LITERAL+", "SASL-IR", "IDLE", "UIDPLUS", "MOVE",
                              "UNSELECT", "NAMESPACE", "SPECIAL-USE", "ID", "ENABLE"}, names)

    def test_special_use_mailboxes(self):
        lines = b"\n".join(self.ok(self.client.list()))
        for use in (b"Junk", b"Trash", b"Sent", b"Drafts"):
            self.assertRegex(lines, rb"\(.*\\" + use + rb".*\)")

    def test_create_rename_delete(self):
        self.ok(self.client.create("Work/2024"))
        self.assertLessEqual({"Work", "Work/2024"}, self.names())
        self.assertEqual(self.client.create("Work/2024")[0], "NO")
        self.append(message("kept"), "Work/2024")
        self.ok(self.client.rename("Work", "Job"))
        self.assertIn("Job/2024", self.names())
        self.assertNotIn("Work/2024", self.names())
        self.assertEqual(len(fetch_all(self.client, "Job/2024")), 1)
        self.client.unselect()
        self.ok(self.client.delete("Job/2024"))
        self.ok(self.client.delete("Job"))
        self.assertFalse({"Job", "Job/2024"} & self.names())
        self.assertEqual(self.client.delete("INBOX")[0], "NO")

    def test_rename_of_inbox_leaves_a_copy_of_its_annotations(self):
        with imap_session(self.gateway) as raw:
            raw.imap("a", 'SETMETADATA INBOX (/private/comment "mine" /shared/comment "ours")')
            raw.imap("b", "RENAME INBOX Before")
            for name in ("INBOX", "Before"):
                self.assertEqual(
                    raw.imap("c", f"GETMETADATA {name} (/private/comment /shared/comment)")[0],
                    f'* METADATA "{name}" (/private/comment "mine" /shared/comment "ours")')
            raw.imap("d", "DELETE Before")
            raw.imap("e", "SETMETADATA INBOX (/private/comment NIL /shared/comment NIL)")

    def test_subscriptions(self):
        self.ok(self.client.create("News"))
        self.ok(self.client.subscribe("News"))
        self.assertIn(b"News", b"".join(self.ok(self.client.lsub())))
        self.ok(self.client.unsubscribe("News"))
        self.assertNotIn(b"News", b"".join(line or b"" for line in self.ok(self.client.lsub())))
        self.ok(self.client.delete("News"))

    def test_names_beyond_ascii(self):
        self.ok(self.client.create('"Entw&APw-rfe"'))
        self.assertIn("Entw&APw-rfe", self.names())
        self.ok(self.client.select('"Entw&APw-rfe"'))
        self.client.unselect()
        self.ok(self.client.delete('"Entw&APw-rfe"'))

    def test_status_and_namespace(self):
        self.append(message("one"))
        self.append(message("two"), flags="(\\Seen)")
        text = self.ok(self.client.status("INBOX", "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY RECENT)"))
        self.assertIn(b"MESSAGES 2", text[0])
        self.assertIn(b"UNSEEN 1", text[0])
        self.assertEqual(self.ok(self.client.namespace()),
                         [b'(("" "/")) (("Other Users/" "/")) (("Shared/" "/"))'])

    def test_id_and_enable(self):
        with imap_session(self.gateway) as raw:
            lines = raw.imap("a", 'ID ("name" "test")')
            self.assertRegex(lines[0], r"(?i)^\* ID \(.*postern")
            self.assertTrue(raw.imap("b", "ENABLE CONDSTORE")[-1].startswith("b OK"))


class Messages(Session):
    def test_append_select_fetch(self):
        content = message("fetch me", "line one\r\nline two\r\n")
        self.append(content, flags="(\\Flagged $Label1)")
        self.assertEqual(self.ok(self.client.select("INBOX")), [b"1"])
        data = self.ok(self.client.fetch("1", "(FLAGS INTERNALDATE RFC822.SIZE UID ENVELOPE "
                                              "BODYSTRUCTURE)"))[0]
        self.assertIn(b"\\Flagged", data)
        self.assertIn(b"$Label1", data)
        self.assertIn(f"RFC822.SIZE {len(content)}".encode(), data)
        self.assertIn(b'"fetch me"', data)
        self.assertIn(b'"TEXT" "PLAIN"', data.upper())
        self.assertIn(b"1994", data)
        for item, expected in (("BODY.PEEK[]", content), ("RFC822", content),
                               ("BODY[TEXT]", b"line one\r\nline two\r\n"),
                               ("BODY.PEEK[]<5.7>", content[5:12]),
                               ("BODY[1]", b"line one\r\nline two\r\n"),
                               ("BODY.PEEK[HEADER.FIELDS (SUBJECT)]",
                                b"Subject: fetch me\r\n\r\n")):
            with self.subTest(item):
                self.assertEqual(self.ok(self.client.fetch("1", f"({item})"))[0][1], expected)
        self.assertIn(b"\\Seen", self.ok(self.client.fetch("1", "(FLAGS)"))[0])

    def test_store_search_expunge(self):
        for number in range(1, 6):
            self.append(message(f"number {number}", f"body{number}\r\n"))
        self.client.select("INBOX")
        self.ok(self.client.store("2,4", "+FLAGS", "(\\Deleted custom)"))
        self.assertEqual(self.ok(self.client.search(None, "KEYWORD", "custom"))[0], b"2 4")
        self.assertEqual(self.ok(self.client.search(None, "SUBJECT", '"number 3"'))[0], b"3")
        self.assertEqual(self.ok(self.client.search(None, "BODY", '"body5"'))[0], b"5")
        self.assertEqual(self.ok(self.client.search(None, "NOT", "DELETED", "1:3"))[0], b"1 3")
        self.assertEqual(self.ok(self.client.search(None, "OR", "1", "5"))[0], b"1 5")
        self.assertEqual(self.ok(self.client.search(None, "SINCE", "1-Jan-2000"))[0], b"")
        self.assertEqual(self.ok(self.client.search(None, "LARGER", "10"))[0], b"1 2 3 4 5")
        kept = self.uids("UNDELETED")
        self.assertEqual(self.ok(self.client.expunge()), [b"2", b"3"])
        self.assertEqual(self.uids("ALL"), kept)

    def test_uid_expunge_takes_only_its_uids(self):
        for number in range(3):
            self.append(message(f"m{number}"))
        self.client.select("INBOX")
        first, second, third = self.uids("ALL")
        self.client.store("1:3", "+FLAGS", "(\\Deleted)")
        self.ok(self.client.uid("EXPUNGE", f"{second}"))
        self.assertEqual(self.uids("ALL"), [first, third])

    def test_copy_and_move_tell_uids(self):
        for number in range(3):
            self.append(message(f"m{number}"))
        self.client.select("INBOX")
        with imap_session(self.gateway) as raw:
            raw.imap("s", "SELECT INBOX")
            self.assertRegex(raw.imap("c", "COPY 1:2 Archive")[-1], r"c OK \[COPYUID \d+ \S+ \S+\]")
            lines = raw.imap("m", "UID MOVE 1:* Archive")
            self.assertTrue(any("[COPYUID" in line for line in lines), lines)
            self.assertEqual(sum(line.endswith("EXPUNGE") for line in lines), 3)
            self.assertRegex(raw.imap("t", "COPY 1:* Nowhere")[-1], r"t (NO \[TRYCREATE\]|BAD|OK)")
        self.assertEqual(len(fetch_all(self.client, "Archive")), 5)

    def test_append_tells_its_uid_and_unknown_mailbox_is_try_create(self):
        with imap_session(self.gateway) as raw:
            content = message("raw")
            command = f"a APPEND INBOX (\\Seen) {{{len(content)}+}}\r\n"
            raw.send(command.encode() + content + b"\r\n")
            self.assertRegex(raw.until("^a ")[-1], r"^a OK \[APPENDUID \d+ \d+\]")
            raw.send(f"b APPEND Nowhere {{{len(content)}}}\r\n")
            line = raw.line().decode()
            if line.startswith("+"):
                raw.send(content + b"\r\n")
                line = raw.until("^b ")[-1]
            self.assertRegex(line, r"^b NO \[TRYCREATE\]")

    def test_examine_changes_nothing(self):
        self.append(message("read only"))
        self.client.select("INBOX", readonly=True)
        self.ok(self.client.fetch("1", "(BODY[])"))
        answer, reason = self.client.store("1", "+FLAGS", "(\\Seen)")
        self.assertEqual(answer, "NO")
        self.assertIn(b"READ-ONLY", reason[0])
        self.assertNotIn(b"\\Seen", self.ok(self.client.fetch("1", "(FLAGS)"))[0])

    def test_close_expunges_and_unselect_does_not(self):
        for leave, left in ((self.client.unselect, b"1"), (self.client.close, b"0")):
            self.client.select("INBOX")
            if left == b"1":
                self.append(message("gone"))
            self.client.store("1", "+FLAGS", "(\\Deleted)")
            self.ok(leave())
            self.assertEqual(self.ok(self.client.select("INBOX")), [left])

    def test_a_large_message_in_ranges(self):
        body = "".join(f"{number:078d}\r\n" for number in range(20_000))
        content = message("large", body)
        self.append(content)
        self.client.select("INBOX")
        data = self.ok(self.client.fetch("1", f"(BODY.PEEK[]<{len(content) - 800}.2000>)"))
        self.assertEqual(data[0][1], content[-800:])
        self.assertEqual(self.ok(self.client.fetch("1", "(BODY.PEEK[])"))[0][1], content)


class Sessions(Session):
    def test_binary_content_comes_back_as_it_was(self):
        raw = imap_session(self.gateway, "alice")
        self.addCleanup(raw.close)
        header = (b"MIME-Version: 1.0\r\nContent-Type: application/octet-stream\r\n"
                  b"Content-Transfer-Encoding: binary\r\n\r\n")
        content = b"ab\0\n\rcd\xff\r\n"
        whole = header + content
        raw.send(b"a APPEND INBOX ~{%d+}\r\n%s\r\n" % (len(whole), whole))
        self.assertRegex(raw.line(), rb"a OK \[APPENDUID ")
        self.ok(self.client.select())
        kind, [(_, fetched), _] = self.client.fetch("1", "(BINARY.PEEK[1])")
        self.assertEqual((kind, fetched), ("OK", content))
        # As any other APPEND, with bare line ends in its header.
        bare = whole.replace(header, header.replace(b"\r\n", b"\n"))
        raw.send(b"d APPEND INBOX ~{%d+}\r\n%s\r\n" % (len(bare), bare))
        self.assertRegex(raw.line(), rb"d OK \[APPENDUID ")
        self.ok(self.client.noop())
        kind, [(_, fetched), _] = self.client.fetch("2", "(BINARY.PEEK[1])")
        self.assertEqual((kind, fetched), ("OK", content))
        # NUL outside of a part that says binary; NUL in a plain literal.
        plain = b"Subject: x\r\n\r\na\0b\r\n"
        raw.send(b"b APPEND INBOX ~{%d+}\r\n%s\r\n" % (len(plain), plain))
        self.assertRegex(raw.line(), rb"b NO \[UNKNOWN-CTE\] ")
        raw.send(b"c APPEND INBOX {%d+}\r\n%s\r\n" % (len(whole), whole))
        self.assertRegex(raw.line(), rb"c NO \[UNKNOWN-CTE\] ")
        self.assertEqual(len(self.uids("ALL")), 2)

    def test_idle_hears_of_a_delivery(self):
        with imap_session(self.gateway) as raw:
            raw.imap("s", "SELECT INBOX")
            raw.send("i IDLE\r\n")
            self.assertTrue(raw.line().startswith(b"+"))
            started = time.monotonic()
            self.gateway.deliver(message("ring"))
            self.assertEqual(raw.until("EXISTS")[-1], "* 1 EXISTS")
            self.assertLess(time.monotonic() - started, 10)
            raw.send("DONE\r\n")
            self.assertTrue(raw.until("^i ")[-1].startswith("i OK"))

    def test_two_sessions_see_each_other(self):
        self.append(message("a"))
        self.append(message("b"))
        with imap_session(self.gateway) as one, imap_session(self.gateway) as other:
            one.imap("s", "SELECT INBOX")
            other.imap("s", "SELECT INBOX")
            other.imap("d", "STORE 1 +FLAGS.SILENT (\\Deleted)")
            other.imap("e", "EXPUNGE")
            # Sequence numbers must not move inside FETCH (RFC 3501 section 5.5).
            lines = one.imap("f", "FETCH 2 (UID)")
            self.assertFalse(any(re.match(r"\* \d+ EXPUNGE", line) for line in lines), lines)
            self.assertIn("* 1 EXPUNGE", one.imap("n", "NOOP"))

    def test_starttls(self):
        with imaplib.IMAP4("127.0.0.1", self.gateway.ports["imap"], timeout=60) as client:
            client.starttls(trusting_tls())
            client.login("alice@example.net", PASSWORD)
            self.assertEqual(client.select("INBOX")[0], "OK")

    def test_sasl_ir(self):
        token = base64.b64encode(b"\0alice@example.net\0secret").decode()
        with Raw(self.gateway.ports["imap"]) as raw:
            raw.line()
            self.assertTrue(raw.imap("a", f"AUTHENTICATE PLAIN {token}")[-1].startswith("a OK"))

    def test_wrong_password(self):
        with Raw(self.gateway.ports["imap"]) as raw:
            raw.line()
            self.assertRegex(raw.imap("a", "LOGIN alice@example.net wrong")[-1],
                             r"^a NO \[AUTHENTICATIONFAILED\]")

    def test_one_user_never_sees_another(self):
        self.append(message("mine"))
        with self.gateway.imap("bob") as client:
            self.assertEqual(client.select("INBOX")[1], [b"0"])

    def test_errors_are_answers(self):
        with imap_session(self.gateway) as raw:
            self.assertTrue(raw.imap("a", "FROB")[-1].startswith("a BAD"))
            self.assertTrue(raw.imap("b", "FETCH 1 (FLAGS)")[-1].startswith("b BAD"))
            self.assertTrue(raw.imap("c", "SELECT Nowhere")[-1].startswith("c NO"))
            self.assertTrue(raw.imap("d", "NOOP")[-1].startswith("d OK"))


class Plaintext(E2eTest):
    plaintext = False

    def test_login_is_disabled_before_tls(self):
        with Raw(self.gateway.ports["imap"]) as raw:
            raw.line()
            self.assertIn("LOGINDISABLED", raw.imap("a", "CAPABILITY")[0])
            self.assertRegex(raw.imap("b", "LOGIN alice@example.net secret")[-1],
                             r"^b NO( \[PRIVACYREQUIRED\])?")

    def test_imaps(self):
        with imaplib.IMAP4_SSL("127.0.0.1", self.gateway.ports["imaps"], timeout=60,
                               ssl_context=trusting_tls()) as client:
            self.assertEqual(client.login("alice@example.net", PASSWORD)[0], "OK")
            self.assertTrue(re.match(rb"\d+", client.select("INBOX")[1][0]))


if __name__ == "__main__":
    unittest.main()
