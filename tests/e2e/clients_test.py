#!/usr/bin/env python3
"""Clients that people use, from Debian: curl, swaks, fetchmail, mbsync."""

import os
import re
import subprocess
import tempfile
import unittest

from base import PASSWORD, E2eTest, corpus_index, message

PROGRAM_TIMEOUT_S = 120


class ClientTest(E2eTest):
    def setUp(self):
        self.empty()
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def path(self, name, content=None):
        path = os.path.join(self.folder.name, name)
        if content is not None:
            with open(path, "wb", opener=lambda p, f: os.open(p, f, 0o600)) as file:
                file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def run_program(self, *command, codes=(0,)):
        done = subprocess.run(command, capture_output=True, timeout=PROGRAM_TIMEOUT_S, check=False,
                              stdin=subprocess.DEVNULL,
                              env={**os.environ, "HOME": self.folder.name})
        self.assertIn(done.returncode, codes, (command, done.stdout[-2000:], done.stderr[-2000:]))
        return done

    def url(self, protocol, rest=""):
        return f"{protocol}://127.0.0.1:{self.gateway.ports[protocol]}/{rest}"


class Curl(ClientTest):
    login = ("-u", f"alice@example.net:{PASSWORD}")

    def test_smtp_imap_pop3(self):
        content = message("curl", "sent by curl\r\n")
        self.run_program("curl", "-sS", self.url("smtp", "client.example"), "--mail-from",
                         "a@remote.example", "--mail-rcpt", "alice@example.net",
                         "-T", self.path("mail", content))
        for protocol, rest in (("imap", "INBOX;MAILINDEX=1"), ("pop3", "1")):
            got = self.run_program("curl", "-sS", *self.login, self.url(protocol, rest)).stdout
            self.assertTrue(got.endswith(content[content.index(b"\r\n\r\n"):]), (protocol, got))

    def test_tls(self):
        for protocol in ("imaps", "pop3s"):
            self.run_program("curl", "-sSk", *self.login, self.url(protocol))
        for protocol in ("imap", "pop3"):
            self.run_program("curl", "-sSk", "--ssl-reqd", *self.login, self.url(protocol))

    def test_append(self):
        self.run_program("curl", "-sS", *self.login, self.url("imap", "Archive"),
                         "-T", self.path("mail", message("appended")))
        self.assertEqual(len(self.inbox(mailbox="Archive")), 1)


class Swaks(ClientTest):
    def swaks(self, service, *options, codes=(0,)):
        return self.run_program("swaks", "--server", f"127.0.0.1:{self.gateway.ports[service]}",
                                "--from", "bob@example.net", "--to", "alice@example.net", *options,
                                codes=codes)

    def test_plain_tls_and_auth(self):
        self.swaks("smtp")
        self.swaks("smtp", "--tls", "--pipeline")
        for mechanism in ("PLAIN", "LOGIN"):
            self.swaks("submission", "--tls", "--auth", mechanism, "--auth-user",
                       "bob@example.net", "--auth-password", PASSWORD)
        self.swaks("submissions", "--tls-on-connect", "--auth", "PLAIN", "--auth-user",
                   "bob@example.net", "--auth-password", PASSWORD)
        self.swaks("lmtp", "--protocol", "LMTP")
        self.assertEqual(len(self.inbox()) + len(self.inbox(mailbox="Junk")), 6)

    def test_wrong_password(self):
        self.swaks("submission", "--tls", "--auth", "PLAIN", "--auth-user", "bob@example.net",
                   "--auth-password", "wrong", codes=(28,))


class Fetchmail(ClientTest):
    def fetch(self, protocol, options=""):
        target = self.path(f"fetched-{protocol}")
        control = self.path("fetchmailrc", f"""poll 127.0.0.1 protocol {protocol} port
            {self.gateway.ports[protocol]} auth password
            user "alice@example.net" password "{PASSWORD}" sslproto "" {options}
            mda "cat >> {target}"
            """)
        self.run_program("fetchmail", "--nosyslog", "--nodetach", "-f", control,
                         "--pidfile", self.path("pid"))
        with open(target, "rb") as file:
            return file.read()

    def test_imap_then_pop3(self):
        rows = corpus_index("index.heldout")[:10]
        with self.gateway.imap() as client:
            for _, _, content in rows:
                client.append("INBOX", None, None, content)
        by_imap = self.fetch("imap", "keep fetchall")
        by_pop3 = self.fetch("pop3", "nokeep fetchall")
        for _, path, content in rows:
            body = content.partition(b"\r\n\r\n")[2].replace(b"\r\n", b"\n").strip()
            self.assertIn(body, by_imap, path)
            self.assertIn(body, by_pop3, path)
        self.assertEqual(self.inbox(), [])


class Mbsync(ClientTest):
    def sync(self, extra="SSLType None"):
        os.makedirs(self.path("mail"), exist_ok=True)
        control = self.path("mbsyncrc", f"""
IMAPAccount postern
Host 127.0.0.1
Port {self.gateway.ports["imap"]}
User alice@example.net
Pass {PASSWORD}
AuthMechs LOGIN
{extra}

IMAPStore far
Account postern

MaildirStore near
Path {self.path("mail")}/
Inbox {self.path("mail")}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
Sync All
SyncState *
""")
        self.run_program("mbsync", "-c", control, "all")

    def files(self, mailbox):
        found = {}
        for part in ("new", "cur"):
            folder = os.path.join(self.path("mail"), mailbox, part)
            for name in os.listdir(folder):
                with open(os.path.join(folder, name), "rb") as file:
                    # mbsync writes a mark of its own into what it copies.
                    found[os.path.join(folder, name)] = re.sub(rb"X-TUID: \S+\n", b"", file.read())
        return found

    def test_two_way(self):
        for number in range(3):
            self.gateway.deliver(message(f"m{number}"))
        self.sync()
        files = self.files("INBOX")
        self.assertEqual(len(files), 3)

        # Local changes go up: one deleted, one marked as read, one new, one new folder.
        first, second, _ = sorted(files, key=lambda path: files[path].split(b"Subject: m")[1][:1])
        os.unlink(first)
        base = os.path.basename(second).split(":")[0]
        os.rename(second, os.path.join(self.path("mail"), "INBOX", "cur", f"{base}:2,S"))
        for part in ("new", "cur", "tmp"):
            os.makedirs(os.path.join(self.path("mail"), "Local", part))
        with open(os.path.join(self.path("mail"), "Local/new/1.1.host"), "wb") as file:
            file.write(message("local").replace(b"\r\n", b"\n"))
        # And remote ones come down.
        self.gateway.deliver(message("m3"))
        self.sync()
        self.assertEqual(len(self.files("INBOX")), 3)
        with self.gateway.imap() as client:
            client.select("INBOX")
            self.assertEqual(client.search(None, "SUBJECT", "m0")[1], [b""])
            self.assertEqual(client.search(None, "SEEN")[1], [b"1"])
        self.assertEqual(len(self.inbox(mailbox="Local")), 1)
        self.sync()
        self.assertEqual(len(self.files("INBOX")), 3)

    def test_starttls_with_a_known_certificate(self):
        folder = os.path.join(self.gateway.data, "tls")
        certificate = next(os.path.join(folder, name) for name in sorted(os.listdir(folder))
                           if "key" not in name)
        self.gateway.deliver(message("tls"))
        self.sync(f"SSLType STARTTLS\nCertificateFile {certificate}")
        self.assertEqual(len(self.files("INBOX")), 1)


    def test_agreement_of_imap_pop3_and_mbsync(self):
        for label, _, content in corpus_index("index.heldout")[:40]:
            self.gateway.deliver(content, "alice", sender=f"{label}@remote.example")
        with self.gateway.imap() as client:
            client.append("INBOX", "(\\Seen)", None, message("appended"))
        by_imap = self.inbox()
        with self.gateway.imap() as client:
            client.select("INBOX", readonly=True)
            sizes = [int(line.rsplit(b" ", 1)[1].rstrip(b")"))
                     for line in client.fetch("1:*", "(RFC822.SIZE)")[1]]
        self.assertEqual(sizes, [len(content) for content in by_imap])

        client = self.gateway.pop3()
        listing = [int(line.split()[1]) for line in client.list()[1]]
        by_pop3 = [b"".join(line + b"\r\n" for line in client.retr(number)[1])
                   for number in range(1, len(listing) + 1)]
        client.quit()
        self.assertEqual(listing, sizes)
        self.assertEqual(by_pop3, by_imap)

        self.sync()
        for mailbox in ("INBOX", "Junk"):
            expected = sorted(c.replace(b"\r\n", b"\n") for c in self.inbox(mailbox=mailbox))
            self.assertEqual(sorted(self.files(mailbox).values()), expected, mailbox)
        self.assertEqual(len(by_imap) + len(self.files("Junk")), 41)


if __name__ == "__main__":
    unittest.main()
