#!/usr/bin/env python3
"""Roundcube from Debian, as a browser drives it, over TLS with a certificate that it verifies. What
was done in it is asserted on the server."""

import email
import email.policy
import os
import re
import shutil
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))

import roundcube  # noqa: E402
from authority import Authority  # noqa: E402
from base import PASSWORD, E2eTest, mailbox_names, message  # noqa: E402

NAME = "mx.example.net"
WITH_ATTACHMENT = (
    b"From: sender@remote.example\r\nTo: alice@example.net\r\nSubject: =?utf-8?q?Gr=C3=B6=C3=9Fe?="
    b"\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    b"Der Preis betr\xc3\xa4gt neun Taler.\r\n"
    b"--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n"
    b"Content-Disposition: attachment; filename=bill.pdf\r\n\r\nJVBERi0xLjQ=\r\n--b--\r\n")


class RoundcubeTest(E2eTest):
    @classmethod
    def setUpClass(cls):
        why = roundcube.why_not()
        if why:
            raise unittest.SkipTest(why)
        cls.folder = tempfile.mkdtemp(prefix="postern-roundcube-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        authority = Authority(cls.folder)
        certificate, key = authority.certificate(NAME)
        cls.settings = f"tls:\n  certificate: {certificate}\n  key: {key}\n"
        super().setUpClass()
        cls.site = roundcube.Site(f"{cls.folder}/site", cls.gateway.ports, authority.file, NAME)
        cls.addClassCleanup(cls.site.close)

    @classmethod
    def tearDownClass(cls):
        met = re.findall(r"S: A\d+ (?:BAD|NO) .*", cls.site.log("imap"))
        met += cls.site.log("errors").splitlines()
        met = [line for line in met if line and "Authentication failed" not in line]
        super().tearDownClass()
        if met:
            raise AssertionError("what Roundcube met:\n" + "\n".join(met))

    def setUp(self):
        self.empty("alice", "bob")
        self.browser = self.log_in("alice")

    def log_in(self, user):
        browser = roundcube.Browser(self.site, f"{user}@example.net", PASSWORD)
        self.assertTrue(browser.logged_in)
        return browser

    def append(self, *contents, mailbox="INBOX", user="alice"):
        with self.gateway.imap(user) as client:
            for each in contents:
                client.append(mailbox, None, None,
                              message(each) if isinstance(each, str) else each)

    def uids(self, *criteria, mailbox="INBOX", user="alice"):
        with self.gateway.imap(user) as client:
            client.select(f'"{mailbox}"', readonly=True)
            return client.uid("SEARCH", *(criteria or ("ALL",)))[1][0].decode().split()

    def listed(self, mailbox="INBOX", **more):
        """The rows' subjects in the order of the page."""
        rows = self.browser.rows(self.browser.ask("list", _mbox=mailbox, _refresh="1",
                                                  **more))
        return [row["subject"] for row in rows.values()]

    def search(self, text, headers="subject,from", scope="base"):
        rows = self.browser.rows(self.browser.ask("search", _q=text, _mbox="INBOX", _scope=scope,
                                                  _headers=headers, _interval="", _filter="ALL"))
        return sorted(row["subject"] for row in rows.values())

    # --- to look ---

    def test_a_wrong_password_is_refused(self):
        browser = roundcube.Browser(self.site, "bob@example.net", "wrong")
        self.assertFalse(browser.logged_in)

    def test_list_sort_and_threads(self):
        with self.gateway.imap() as client:
            for subject, more in (("pears", {}), ("apples", {"Message_ID": "<a@remote.example>"}),
                                  ("Re: apples", {"References": "<a@remote.example>"})):
                client.append("INBOX", None, None, message(subject, **more))
        self.assertEqual(self.listed(_sort="subject_ASC"), ["apples", "Re: apples", "pears"])
        self.assertEqual(self.listed(_sort="arrival_DESC"), ["Re: apples", "apples", "pears"])
        answer = self.browser.ask("list", _mbox="INBOX", _threads="1")
        self.assertEqual(answer["env"]["messagecount"], 2)
        self.browser.ask("list", _mbox="INBOX", _threads="0")

    def test_read_a_message_and_its_attachment(self):
        self.append(WITH_ATTACHMENT)
        uid, = self.uids("UNSEEN")
        page = self.browser.page(_task="mail", _action="show", _uid=uid, _mbox="INBOX")
        self.assertIn("Größe", page)
        self.assertIn("Der Preis beträgt neun Taler.", page)
        self.assertIn("bill.pdf", page)
        self.assertEqual(self.uids("SEEN"), [uid])
        part = self.browser.page(_task="mail", _action="get", _uid=uid, _mbox="INBOX", _part="2",
                                 _download="1", _token=self.browser.token)
        self.assertEqual(part, "%PDF-1.4")
        source = self.browser.page(_task="mail", _action="viewsource", _uid=uid, _mbox="INBOX")
        self.assertIn("boundary=b", source)

    def test_search(self):
        self.append(WITH_ATTACHMENT, "one", "two")
        self.append("two of Archive", mailbox="Archive")
        self.assertEqual(self.search("two"), ["two"])
        self.assertEqual(self.search("GRÖSSE"), ["Größe"])
        self.assertEqual(self.search("beträgt", headers="text"), ["Größe"])
        self.assertEqual(self.search("two", scope="all"), ["two", "two of Archive"])
        self.assertEqual(self.search("nothing"), [])

    # --- to change ---

    def test_flags(self):
        self.append("one", "two")
        first, second = self.uids()
        for uid, flag in ((first, "flagged"), (first, "read"), (second, "read"),
                          (second, "unread")):
            self.browser.ask("mark", _uid=uid, _mbox="INBOX", _flag=flag)
        self.assertEqual(self.uids("FLAGGED", "SEEN"), [first])
        self.assertEqual(self.uids("UNSEEN"), [second])

    def test_move_copy_delete_and_purge(self):
        self.append("one", "two", "three")
        one, two, three = self.uids()
        self.browser.ask("move", _uid=one, _mbox="INBOX", _target_mbox="Archive")
        self.browser.ask("copy", _uid=two, _mbox="INBOX", _target_mbox="Archive")
        self.browser.ask("plugin.move2archive", _uid=two, _mbox="INBOX")
        # Its key for "delete" moves into what is \Trash; there it deletes.
        self.browser.ask("move", _uid=three, _mbox="INBOX", _target_mbox="Trash")
        self.assertEqual(self.uids(), [])
        self.assertEqual(len(self.uids("OR", "SUBJECT", "one", "SUBJECT", "two",
                                       mailbox="Archive")), 3)
        gone, = self.uids(mailbox="Trash")
        self.browser.ask("delete", _uid=gone, _mbox="Trash")
        self.assertEqual(self.uids(mailbox="Trash"), [])
        self.append("four", "five", mailbox="Trash")
        self.browser.ask("purge", _mbox="Trash")
        self.assertEqual(self.uids(mailbox="Trash"), [])

    def folder_names(self):
        with self.gateway.imap() as client:
            return mailbox_names(client)

    def test_folders(self):
        browser, token = self.browser, self.browser.token
        for name, parent in (("Größe & Co", ""), ("2024", "Gr&APYA3w-e &- Co")):
            browser.submit({"_token": token, "_task": "settings", "_action": "save-folder",
                            "_name": name, "_parent": parent, "_mbox": ""}, _task="settings",
                           _action="save-folder")
        created = "Gr&APYA3w-e &- Co/2024"
        self.assertIn(created, self.folder_names())
        self.append("one")
        browser.ask("move", _uid=self.uids()[0], _mbox="INBOX", _target_mbox=created)
        self.assertEqual(self.listed(created), ["one"])
        browser.ask("rename-folder", task="settings", _folder_oldname="Gr&APYA3w-e &- Co",
                    _folder_newname="Bills")
        self.assertEqual(len(self.uids(mailbox="Bills/2024")), 1)
        browser.ask("unsubscribe", task="settings", _mbox="Bills/2024")
        with self.gateway.imap() as client:
            self.assertNotIn(b"Bills/2024", b"".join(client.lsub()[1]))
        for name in ("Bills/2024", "Bills"):
            browser.ask("delete-folder", task="settings", _mbox=name)
        self.assertNotIn("Bills", " ".join(self.folder_names()))

    def test_mark_as_junk_and_back(self):
        self.append("bargain")
        place = "INBOX"
        for action, target, keyword in (("junk", "Junk", "Junk"), ("not_junk", "INBOX", "NonJunk")):
            uid, = self.uids(mailbox=place)
            told = self.browser.ask(f"plugin.markasjunk.{action}", _uid=uid, _mbox=place)["exec"]
            # The page is told to move it, and does.
            self.assertRegex(told, rf'markasjunk_move\("{target}"')
            self.browser.ask("move", _uid=uid, _mbox=place, _target_mbox=target)
            place = target
            self.assertEqual(len(self.uids("KEYWORD", keyword, mailbox=place)), 1)
        self.assertEqual(self.uids("KEYWORD", "Junk"), [])

    # --- to write ---

    def delivered(self, user):
        """The one message that a user has got, whatever the filter thought of it."""
        content, = self.wait_for(lambda: self.inbox(user) + self.inbox(user, "Junk"), "the mail")
        return email.message_from_bytes(content, policy=email.policy.default)

    def test_send_draft_and_reply(self):
        number, sender = self.browser.compose()
        saved = ""
        for body in ("Erst", "Dann: schöne Grüße"):
            page = self.browser.send(number, sender, _to="bob@example.net", _subject="Grüße",
                                     _message=body + "\n", _draft="1", _draft_saveid=saved)
            saved = re.search(r'set_draft_id\("?(\d+)', page).group(1)
            self.assertEqual(len(self.uids("SEEN", mailbox="Drafts")), 1)
        draft, = self.uids(mailbox="Drafts")
        number, sender = self.browser.compose(_draft_uid=draft, _mbox="Drafts")
        self.browser.attach(number, "note.txt", "text/plain", b"hello")
        page = self.browser.send(number, sender, _to="bob@example.net", _subject="Grüße",
                                 _message="Dann: schöne Grüße\n", _store_target="Sent",
                                 _draft_saveid=draft)
        self.assertIn("sent_successfully", page)
        got = self.delivered("bob")
        self.assertEqual((got["From"], got["Subject"]), ("alice@example.net", "Grüße"))
        self.assertIn("schöne Grüße", got.get_body(("plain",)).get_content())
        self.assertEqual([part.get_filename() for part in got.iter_attachments()], ["note.txt"])
        self.assertEqual(len(self.uids("SEEN", "HEADER", "Message-ID", got["Message-ID"],
                                       mailbox="Sent")), 1)
        self.assertEqual(self.uids(mailbox="Drafts"), [])

    def test_reply_and_forward(self):
        with self.gateway.imap() as client:
            client.append("INBOX", None, None, message("question", sender="bob@example.net"))
        uid, = self.uids()
        number, sender = self.browser.compose(_reply_uid=uid, _mbox="INBOX")
        self.browser.send(number, sender, _to="bob@example.net", _subject="Re: question",
                          _message="answer\n", _store_target="Sent")
        self.assertEqual(self.delivered("bob")["Subject"], "Re: question")
        number, sender = self.browser.compose(_forward_uid=uid, _mbox="INBOX", _attachment="1")
        self.browser.send(number, sender, _to="carol@example.net", _subject="Fwd: question",
                          _message="see\n", _store_target="Sent")
        forwarded = self.delivered("carol")
        attached, = forwarded.iter_attachments()
        self.assertEqual(attached.get_content_type(), "message/rfc822")
        self.assertEqual(self.uids("ANSWERED", "KEYWORD", "$Forwarded"), [uid])

    # --- what others do ---

    def test_what_happens_elsewhere_is_seen_at_the_refresh(self):
        self.append("one", "two", "three")
        one, two, _ = self.uids()
        self.assertEqual(len(self.listed()), 3)
        with self.gateway.imap() as client:
            client.select("INBOX")
            client.uid("STORE", one, "+FLAGS", r"(\Flagged)")
            client.uid("STORE", two, "+FLAGS", r"(\Deleted)")
            client.expunge()
        self.append("four")
        seen = self.browser.ask("refresh", _mbox="INBOX", _list="1", _folderlist="1", _quota="1",
                                _uids=",".join(self.uids()))
        self.assertEqual((seen["env"]["messagecount"], seen["env"]["exists"]), (3, 3))
        self.assertEqual([row["subject"] for row in self.browser.rows(seen).values()][0], "four")
        self.assertEqual(self.listed(), ["four", "three", "one"])
        flagged = self.browser.ask("list", _mbox="INBOX")["exec"]
        self.assertRegex(flagged, r'add_message_row\(' + one + r',.*?"flagged":1')
        # The cache of messages was brought up to date by the changes, not by all flags again.
        self.assertIn("(CHANGEDSINCE", self.site.log("imap"))

    def test_a_folder_is_shared_with_rights(self):
        self.append("ours", mailbox="Archive")
        self.browser.ask("plugin.acl", task="settings", _act="save", _mbox="Archive",
                         _user="bob@example.net", _acl="lrs", _old="")
        self.browser = self.log_in("bob")
        self.assertEqual(self.listed("Other Users/alice@example.net/Archive"), ["ours"])
        self.browser = self.log_in("alice")
        self.browser.ask("plugin.acl", task="settings", _act="delete", _mbox="Archive",
                         _user="bob@example.net")
        with self.gateway.imap("bob") as client:
            self.assertNotIn("alice", " ".join(mailbox_names(client)))


if __name__ == "__main__":
    unittest.main()
