#!/usr/bin/env python3
"""POP3 from the real daemon."""

import base64
import os
import poplib
import tempfile
import unittest

from base import PASSWORD, E2eTest, Raw, message, trusting_tls


class Maildrop(E2eTest):
    def setUp(self):
        self.empty("alice")

    def numbered(self, number):
        return message(f"m{number}", f".dot\r\nline{number}\r\n")

    def fill(self, count):
        with self.gateway.imap() as client:
            for number in range(count):
                client.append("INBOX", None, None, self.numbered(number))

    def test_stat_list_uidl_retr_top(self):
        self.fill(3)
        client = self.gateway.pop3()
        count, octets = client.stat()
        listing = [line.split() for line in client.list()[1]]
        self.assertEqual((count, octets), (3, sum(int(size) for _, size in listing)))
        uidls = [line.split()[1] for line in client.uidl()[1]]
        self.assertEqual(len(set(uidls)), 3)
        for number in range(3):
            lines = client.retr(number + 1)[1]
            content = b"".join(line + b"\r\n" for line in lines)
            self.assertEqual(content, self.numbered(number))
            self.assertEqual(len(content), int(listing[number][1]))
        top = client.top(1, 1)[1]
        self.assertEqual(top[-2:], [b"", b".dot"])
        client.quit()
        again = self.gateway.pop3()
        self.assertEqual([line.split()[1] for line in again.uidl()[1]], uidls)
        again.quit()

    def test_internationalised_header_fields_come_as_they_are_stored(self):
        """docs/adr/0027: the same bytes with UTF8 and without, and sizes that are true."""
        content = message("Grüße", sender="Jürgen <jürgen@remote.example>")
        with self.gateway.smtp() as client:
            client.ehlo()
            client.sendmail("s@remote.example", ["alice@example.net"], content,
                            ["SMTPUTF8", "BODY=8BITMIME"])
        seen = set()
        for utf8 in (False, True):
            raw = Raw(self.gateway.ports["pop3s"], tls=True)
            self.addCleanup(raw.close)
            raw.line()
            for command in (["UTF8"] if utf8 else []) + ["USER alice@example.net",
                                                         f"PASS {PASSWORD}"]:
                raw.send(command + "\r\n")
                self.assertTrue(raw.line().startswith(b"+OK"), command)
            raw.send("LIST 1\r\n")
            size = int(raw.line().split()[2])
            raw.send("RETR 1\r\n")
            self.assertEqual(raw.line(), f"+OK {size} octets".encode())
            lines = iter(raw.line, b".")
            stored = b"".join(line.removeprefix(b".") + b"\r\n" for line in lines)
            self.assertEqual(len(stored), size)
            self.assertTrue(stored.endswith(content))
            seen.add(stored)
            raw.send("QUIT\r\n")
            raw.line()
        self.assertEqual(len(seen), 1)

    def test_deletion_happens_at_quit_alone(self):
        self.fill(3)
        client = self.gateway.pop3()
        client.dele(2)
        client.rset()
        client.dele(1)
        self.assertEqual(client.stat()[0], 2)
        self.assertEqual(len(self.inbox()), 3)
        client.close()  # without QUIT: nothing is deleted
        self.assertEqual(len(self.inbox()), 3)
        client = self.wait_for(self.log_in, "the maildrop's lock")
        client.dele(1)
        client.quit()
        self.assertEqual([b"m1" in content for content in self.inbox()], [True, False])

    def log_in(self):
        try:
            return self.gateway.pop3()
        except poplib.error_proto:
            return None

    def test_junk_is_not_in_the_maildrop(self):
        with self.gateway.imap() as client:
            client.append("Junk", None, None, message("junk"))
        client = self.gateway.pop3()
        self.assertEqual(client.stat()[0], 0)
        client.quit()

    def test_an_account_may_show_more_and_let_mail_expire(self):
        self.fill(1)
        with self.gateway.imap() as client:
            client.append("Junk", None, None, message("junk"))
        client = poplib.POP3("127.0.0.1", self.gateway.ports["pop3"], timeout=60)
        self.assertEqual(client.capa()["EXPIRE"], ["NEVER"])
        client.quit()
        client = self.gateway.pop3()
        before = client.uidl()[1][0].split()[1]
        client.quit()
        told = self.gateway.cli("user", "set", "alice@example.net", "--pop3-mailboxes", "inbox",
                                "Junk", "INBOX", "None", "--pop3-expire-days", "30").stderr
        self.assertRegex(told, "^[^\n]*None: there is no such mailbox[^\n]*\n$")
        client = poplib.POP3("127.0.0.1", self.gateway.ports["pop3"], timeout=60)
        self.assertEqual(client.capa()["EXPIRE"], ["30", "USER"])
        client.user("alice@example.net")
        client.pass_(PASSWORD)
        self.assertEqual(client.capa()["EXPIRE"], ["30"])
        self.assertEqual(client.stat()[0], 2)
        uidls = [line.split()[1] for line in client.uidl()[1]]
        self.assertEqual((uidls[0], len(set(uidls))), (before, 2))
        self.assertIn(b"Subject: junk", client.retr(2)[1])
        client.dele(2)
        client.quit()
        self.assertEqual((len(self.inbox()), len(self.inbox(mailbox="Junk"))), (1, 0))
        self.gateway.cli("user", "set", "alice@example.net", "--pop3-mailboxes", "INBOX",
                         "--pop3-expire-days", "0")
        self.assertEqual(self.gateway.cli_json("user", "list")["users"][0]["pop3_expire_days"], 0)

    def test_whoever_moves_to_us_downloads_nothing_twice(self):
        with tempfile.TemporaryDirectory() as folder:
            for part in ("cur", "new", "tmp"):
                os.makedirs(f"{folder}/Maildir/{part}")
            lines = ["3 V1275660208 N4 G3085f01b7f11094c501100008c4a11c1"]
            for uid in (1, 2):
                lines.append(f"{uid} :{uid}.host")
                with open(f"{folder}/Maildir/cur/{uid}.host:2,S", "wb") as file:
                    file.write(self.numbered(uid))
            with open(f"{folder}/Maildir/dovecot-uidlist", "w", encoding="ascii") as file:
                file.write("\n".join(lines) + "\n")
            self.gateway.cli("store", "import", "alice@example.net", f"{folder}/Maildir",
                             "--uidl", "dovecot")
        self.fill(1)
        client = self.gateway.pop3()
        uidls = [line.split()[1].decode() for line in client.uidl()[1]]
        self.assertEqual(sorted(uidls)[:2], [f"{uid:08x}{1275660208:08x}" for uid in (1, 2)])
        self.assertEqual(len(set(uidls)), 3)
        client.quit()

    def test_whoever_comes_from_courier_downloads_nothing_twice(self):
        name = "1275660209.M364837P9451V000000000000FD00I0000000000201F4A_0.mail.old.example,S=90"
        with tempfile.TemporaryDirectory() as folder:
            for part in ("cur", "new", "tmp"):
                os.makedirs(f"{folder}/Maildir/{part}")
            for number, file in enumerate(("1275660208.host:2,S", f"{name}:2,")):
                with open(f"{folder}/Maildir/cur/{file}", "wb") as out:
                    out.write(self.numbered(number))
            with open(f"{folder}/Maildir/courierpop3dsizelist", "w", encoding="ascii") as out:
                out.write(f"/3 8 1275660208\n1275660208.host 90 7:1275660208:0\n"
                          f"{name} 90 0:0:0\n")
            self.gateway.cli("store", "import", "alice@example.net", f"{folder}/Maildir",
                             "--uidl", "courier")
        client = self.gateway.pop3()
        self.assertEqual(sorted(line.split()[1].decode() for line in client.uidl()[1]),
                         [name, "UID7-1275660208"])
        client.quit()

    def test_capa_and_stls(self):
        client = poplib.POP3("127.0.0.1", self.gateway.ports["pop3"], timeout=60)
        self.assertLessEqual({"TOP", "UIDL", "SASL", "STLS", "PIPELINING", "USER"},
                             set(client.capa()))
        client.stls(trusting_tls())
        client.user("alice@example.net")
        client.pass_(PASSWORD)
        client.quit()

    def test_auth_plain_and_pipelining(self):
        self.fill(1)
        token = base64.b64encode(b"\0alice@example.net\0secret").decode()
        with Raw(self.gateway.ports["pop3"]) as raw:
            raw.line()
            raw.send(f"AUTH PLAIN {token}\r\n")
            self.assertTrue(raw.line().startswith(b"+OK"))
            raw.send("STAT\r\nRETR 1\r\nNOOP\r\nRETR 9\r\nQUIT\r\n")
            self.assertTrue(raw.line().startswith(b"+OK 1 "))
            self.assertIn("..dot", raw.until(r"^\.$"))
            self.assertEqual([raw.line()[:3] for _ in range(3)], [b"+OK", b"-ER", b"+OK"])

    def test_wrong_password(self):
        client = poplib.POP3("127.0.0.1", self.gateway.ports["pop3"], timeout=60)
        client.user("alice@example.net")
        with self.assertRaisesRegex(poplib.error_proto, "AUTH"):
            client.pass_("wrong")


class Plaintext(E2eTest):
    plaintext = False

    def test_no_password_before_tls(self):
        with Raw(self.gateway.ports["pop3"]) as raw:
            raw.line()
            raw.send("USER alice@example.net\r\n")
            self.assertTrue(raw.line().startswith(b"-ERR"))

    def test_pop3s(self):
        client = poplib.POP3_SSL("127.0.0.1", self.gateway.ports["pop3s"], timeout=60,
                                 context=trusting_tls())
        client.user("alice@example.net")
        client.pass_(PASSWORD)
        self.assertEqual(client.stat()[0], 0)
        client.quit()


if __name__ == "__main__":
    unittest.main()
