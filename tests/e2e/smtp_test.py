#!/usr/bin/env python3
"""SMTP into the real daemon: delivery, TLS, authentication, refusals, end of data."""

import base64
import imaplib
import smtplib
import unittest

from base import PASSWORD, E2eTest, Raw, fetch_all, message, smtp_session, trusting_tls


class Receiving(E2eTest):
    def setUp(self):
        self.empty()

    def test_a_message_arrives_as_it_was_sent(self):
        body = "first\r\n.\r\n..two dots\r\n\r\n  end  \r\n"
        self.gateway.deliver(message("dots", body))
        stored, = self.inbox()
        head, _, stored_body = stored.partition(b"\r\n\r\n")
        self.assertEqual(stored_body, body.encode())
        self.assertIn(b"Subject: dots", head)
        self.assertRegex(head, rb"(?i)^Return-Path: <sender@remote\.example>")
        self.assertRegex(head, rb"Received: from client\.example")
        self.assertRegex(head, rb"X-Spam-Status: (Yes|No), score=")

    def test_a_loop_ends(self):
        hops = b"Received: from a.example by b.example; Tue, 14 Nov 2023 22:13:20 +0000\r\n"
        self.gateway.deliver(hops * 100 + message("100 servers"), "bob")
        with self.assertRaises(smtplib.SMTPDataError) as refused:
            self.gateway.deliver(hops * 101 + message("round and round"), "bob")
        self.assertEqual(refused.exception.smtp_code, 554)
        self.assertTrue(refused.exception.smtp_error.startswith(b"5.4.6 "))

    def test_filter_fields_from_outside_are_removed(self):
        self.gateway.deliver(message("forged", X_Spam_Status="No, score=-99", X_Spam_Score="-99"))
        stored, = self.inbox()
        self.assertNotIn(b"-99", stored)

    def test_many_recipients_get_one_copy_each(self):
        self.gateway.deliver(message("all"), "alice", "bob", "carol", "alice")
        for user in ("alice", "bob", "carol"):  # the copies follow the acceptance
            self.wait_for(lambda user=user: self.inbox(user), user)
        for user in ("alice", "bob", "carol"):
            self.assertEqual(len(self.inbox(user)), 1, user)

    def test_null_sender(self):
        self.gateway.deliver(message("bounce"), sender="")
        self.assertIn(b"Return-Path: <>", self.inbox()[0])

    def test_8bit_and_smtputf8(self):
        content = message("grüße", "räksmörgås\r\n")
        with self.gateway.smtp() as client:
            client.ehlo()
            client.sendmail("jörg@remote.example", ["alice@example.net"], content,
                            mail_options=["SMTPUTF8", "BODY=8BITMIME"])
        self.assertIn("räksmörgås".encode(), self.inbox()[0])

    def test_long_lines_are_taken(self):
        self.gateway.deliver(message("long", "x" * 60_000 + "\r\n"))
        self.assertIn(b"x" * 60_000, self.inbox()[0])

    def test_ehlo_announces(self):
        with self.gateway.smtp() as client:
            client.ehlo()
            for name in ("pipelining", "size", "8bitmime", "smtputf8", "enhancedstatuscodes",
                         "starttls"):
                self.assertTrue(client.has_extn(name), name)
            self.assertFalse(client.has_extn("auth"), "AUTH belongs to submission")

    def test_starttls(self):
        with self.gateway.smtp() as client:
            client.starttls(context=trusting_tls())
            client.sendmail("a@remote.example", ["alice@example.net"], message("tls"))
        self.assertRegex(self.inbox()[0], rb"Received: [^:]*with ESMTPS")

    def test_plaintext_sent_ahead_of_starttls_is_dropped(self):
        with smtp_session(self.gateway) as raw:
            raw.send("STARTTLS\r\nMAIL FROM:<evil@remote.example>\r\n"
                     "RCPT TO:<alice@example.net>\r\n")
            self.assertTrue(raw.smtp_reply().startswith("220"))
            raw.start_tls()
            self.assertTrue(raw.smtp("EHLO client.example").startswith("250"))
            self.assertTrue(raw.smtp("RCPT TO:<alice@example.net>").startswith("503"))

    def test_pipelining(self):
        with smtp_session(self.gateway) as raw:
            raw.send("MAIL FROM:<a@remote.example>\r\nRCPT TO:<alice@example.net>\r\n"
                     "RCPT TO:<nobody@example.net>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n")
            self.assertEqual([raw.smtp_reply()[:3] for _ in range(5)],
                             ["250", "250", "550", "250", "354"])
            # The next transaction right behind the end of this one.
            raw.send(message("one") + b".\r\nMAIL FROM:<a@remote.example>\r\n"
                     b"RCPT TO:<alice@example.net>\r\nDATA\r\n")
            self.assertEqual([raw.smtp_reply()[:3] for _ in range(4)], ["250", "250", "250", "354"])
            raw.send(message("two") + b".\r\nQUIT\r\n")
            self.assertEqual([raw.smtp_reply()[:3] for _ in range(2)], ["250", "221"])
        self.assertEqual((len(self.inbox("alice")), len(self.inbox("bob"))), (2, 1))

    def test_lmtp_answers_for_each_recipient(self):
        with Raw(self.gateway.ports["lmtp"]) as raw:
            raw.smtp_reply()
            for command in ("LHLO client.example", "MAIL FROM:<a@remote.example>",
                            "RCPT TO:<alice@example.net>", "RCPT TO:<bob@example.net>"):
                self.assertTrue(raw.smtp(command).startswith("250"), command)
            self.assertTrue(raw.smtp("DATA").startswith("354"))
            raw.send(message("lmtp") + b".\r\n")
            self.assertEqual([raw.smtp_reply()[:3] for _ in range(2)], ["250", "250"])
        self.assertEqual((len(self.inbox("alice")), len(self.inbox("bob"))), (1, 1))


class Refusing(E2eTest):
    settings = "smtp: {max_message_bytes: 1MiB}\n"

    def test_unknown_recipient_and_relaying(self):
        with smtp_session(self.gateway) as raw:
            self.assertTrue(raw.smtp("MAIL FROM:<a@remote.example>").startswith("250"))
            self.assertRegex(raw.smtp("RCPT TO:<nobody@example.net>"), r"^550 5\.1\.1 ")
            self.assertRegex(raw.smtp("RCPT TO:<a@elsewhere.example>"), r"^550 5\.7\.1 ")

    def test_never_an_open_relay(self):
        forms = ["a@elsewhere.example", "a%elsewhere.example@example.net",
                 '"a@elsewhere.example"@example.net', "@example.net:a@elsewhere.example",
                 "a@[127.0.0.1]", "elsewhere.example!a@example.net", "a", '"a@elsewhere.example"',
                 "a@elsewhere.example@example.net", "a@example.net.elsewhere.example",
                 "a@EXAMPLE.NET.", "elsewhere.example!a"]
        for sender in ("", "alice@example.net", "root@localhost", "a@elsewhere.example"):
            with self.gateway.smtp() as client:
                client.ehlo()
                self.assertEqual(client.mail(sender)[0], 250)
                for form in forms:
                    code, text = client.docmd(f"RCPT TO:<{form}>")
                    self.assertIn(code // 100, (5,), f"{sender} -> {form}: {code} {text}")

    def test_a_sender_cannot_authenticate_without_submission(self):
        with smtp_session(self.gateway) as raw:
            self.assertRegex(raw.smtp("AUTH PLAIN AGFsaWNlAHNlY3JldA=="), "^50[0-9] ")

    def test_size(self):
        limit = 1024 * 1024
        with smtp_session(self.gateway) as raw:
            mail = "MAIL FROM:<a@remote.example>"
            self.assertRegex(raw.smtp(f"{mail} SIZE={limit}"), "^250 ")
            raw.smtp("RSET")
            self.assertRegex(raw.smtp(f"{mail} SIZE={limit + 1}"), "^552 5.3.4")
        content = message("big", ("x" * 998 + "\r\n") * 1100)
        with self.assertRaises(smtplib.SMTPDataError) as refusal:
            # No SIZE given: smtplib adds it only when it announces; send without EHLO.
            with self.gateway.smtp() as client:
                client.helo()
                client.sendmail("a@remote.example", ["alice@example.net"], content)
        self.assertEqual(refusal.exception.smtp_code, 552)

    def test_nothing_is_smuggled(self):
        inner = b"MAIL FROM:<evil@remote.example>\r\nRCPT TO:<bob@example.net>\r\nDATA\r\n" \
                + message("smuggled") + b".\r\n"
        for mark in (b"\n.\n", b"\r\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r",
                     b"\r\n\x00.\r\n", b"\r\r\n.\r\r\n", b"\r\n.\r\r\n"):
            with self.subTest(mark=mark), smtp_session(self.gateway) as raw:
                raw.smtp("MAIL FROM:<a@remote.example>")
                raw.smtp("RCPT TO:<alice@example.net>")
                self.assertTrue(raw.smtp("DATA").startswith("354"))
                raw.send(message("outer", "text") + mark + inner + b"QUIT\r\n")
                replies = []
                while line := raw.smtp_reply():
                    replies.append(line[:3])
                self.assertLessEqual(replies.count("250"), 1, replies)
                self.assertNotIn("354", replies)
                self.assertEqual(self.inbox("bob"), [])

    def test_bare_line_ends_are_refused_and_leave_nothing(self):
        for end in (b"\n", b"\r"):
            with self.subTest(end=end), smtp_session(self.gateway) as raw:
                raw.smtp("MAIL FROM:<a@remote.example>")
                raw.smtp("RCPT TO:<carol@example.net>")
                raw.smtp("DATA")
                content = message("bare", "one").replace(b"one", b"one" + end + b"two")
                raw.send(content + b"\r\n.\r\n")
                self.assertRegex(raw.smtp_reply(), "^5[0-9][0-9] ")
                self.assertTrue(raw.smtp("NOOP").startswith("250"))
        self.assertEqual(self.inbox("carol"), [])

    def test_there_is_always_a_postmaster(self):
        with smtp_session(self.gateway) as raw:
            raw.smtp("MAIL FROM:<>")
            for recipient in ("Postmaster", "postmaster@example.net"):
                self.assertTrue(raw.smtp(f"RCPT TO:<{recipient}>").startswith("250 "))

    def test_sequence_and_syntax_errors(self):
        with smtp_session(self.gateway) as raw:
            self.assertRegex(raw.smtp("DATA"), "^503 ")
            self.assertRegex(raw.smtp("RCPT TO:<alice@example.net>"), "^503 ")
            self.assertRegex(raw.smtp("FROB"), "^500 ")
            self.assertRegex(raw.smtp("MAIL FROM:a b"), "^501 |^555 |^553 ")
            self.assertRegex(raw.smtp("VRFY alice"), "^252 |^502 ")
            self.assertRegex(raw.smtp("NOOP"), "^250 ")


class Submission(E2eTest):
    plaintext = False

    def submission(self):
        client = smtplib.SMTP("127.0.0.1", self.gateway.ports["submission"], timeout=60)
        client.starttls(context=trusting_tls())
        client.ehlo()
        return client

    def test_plain_and_login(self):
        for mechanism in ("auth_plain", "auth_login"):
            with self.subTest(mechanism), self.submission() as client:
                client.user, client.password = "bob@example.net", PASSWORD
                name = mechanism[5:].upper()
                self.assertEqual(client.auth(name, getattr(client, mechanism))[0], 235)
                client.sendmail("bob@example.net", ["alice@example.net"],
                                message(mechanism, Bcc="carol@example.net"))
        inbox = self.inbox_by_tls()
        self.assertEqual(len(inbox), 2)
        for each in inbox:
            self.assertNotIn(b"carol", each)

    def inbox_by_tls(self):
        with imaplib.IMAP4_SSL("127.0.0.1", self.gateway.ports["imaps"],
                               ssl_context=trusting_tls(), timeout=60) as client:
            client.login("alice@example.net", PASSWORD)
            return fetch_all(client)

    def test_implicit_tls(self):
        with smtplib.SMTP_SSL("127.0.0.1", self.gateway.ports["submissions"],
                              context=trusting_tls(), timeout=60) as client:
            client.login("carol@example.net", PASSWORD)
            self.assertEqual(client.mail("carol@example.net")[0], 250)

    def test_wrong_password(self):
        with self.submission() as client, self.assertRaises(smtplib.SMTPAuthenticationError) as no:
            client.login("bob@example.net", "wrong")
        self.assertEqual(no.exception.smtp_code, 535)

    def test_no_password_without_tls(self):
        with smtp_session(self.gateway, "submission") as raw:
            token = base64.b64encode(b"\0bob@example.net\0secret").decode()
            self.assertRegex(raw.smtp(f"AUTH PLAIN {token}"), "^(530|538|504|503) ")

    def test_mail_needs_a_login(self):
        with self.submission() as client:
            self.assertEqual(client.mail("bob@example.net")[0], 530)

    def test_relaying_takes_a_login_and_an_own_address(self):
        with self.submission() as client:
            client.login("bob@example.net", PASSWORD)
            self.assertEqual(client.mail("alice@example.net")[0], 550)
            self.assertEqual(client.mail("bob+tag@example.net")[0], 250)
            self.assertEqual(client.rcpt("a@elsewhere.example")[0], 250)


if __name__ == "__main__":
    unittest.main()
