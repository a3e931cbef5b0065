#!/usr/bin/env python3
"""Thunderbird from Debian, without a screen: it finds the account by itself, over TLS that it
verifies, and then does what a person does. What was done is asserted on the server."""

import email
import email.policy
import os
import re
import shutil
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))

import thunderbird  # noqa: E402
from authority import Authority  # noqa: E402
from base import PASSWORD, E2eTest, mailbox_names, message  # noqa: E402

NAME = "mx.example.net"
WEB = ("autoconfig.example.net", "autodiscover.example.net", "example.net")
USER = "alice@example.net"
LONG_BODY = "".join(f"Zeile {number}: schöne Grüße\r\n" for number in range(1000))
SPECIAL = ("Drafts", "SentMail", "Junk", "Trash", "Archive")
NEW_MAIL_WITHIN_S = 10
PATIENCE_S = 60


class ThunderbirdTest(E2eTest):
    @classmethod
    def setUpClass(cls):
        why = thunderbird.why_not()
        if why:
            raise unittest.SkipTest(why)
        cls.folder = tempfile.mkdtemp(prefix="postern-thunderbird-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        authority = Authority(cls.folder)
        certificate, key = authority.certificate(NAME, *WEB)
        cls.settings = f"tls:\n  certificate: {certificate}\n  key: {key}\n"
        super().setUpClass()
        cls.proxy = thunderbird.Proxy(WEB, cls.gateway.ports)
        cls.addClassCleanup(cls.proxy.close)
        cls.program = thunderbird.Thunderbird(f"{cls.folder}/home", NAME, cls.proxy,
                                              authority.file)
        cls.addClassCleanup(cls.program.close)
        cls.program.start()
        cls.account = cls.program.run("return addAccount(...given);", USER, PASSWORD)
        # The first visit of the inbox finds the folders.
        cls.program.run("await show('INBOX', []); await until(() => exists('Trash'), 'folders');")

    @classmethod
    def tearDownClass(cls):
        cls.program.stop()
        # It asks once more for the STATUS of a folder that it has just renamed: [NONEXISTENT].
        refused = re.findall(r"CreateNewLineFromSocket: (\d+ (?:BAD|NO) (?!\[NONEXISTENT\]).*)",
                             cls.program.imap_log())
        super().tearDownClass()
        if refused:
            raise AssertionError("Thunderbird was refused:\n" + "\n".join(refused))

    def setUp(self):
        self.empty("alice", "bob")

    def run_script(self, script, *arguments):
        return self.program.run(script, *arguments)

    def append(self, *subjects, mailbox="INBOX", **more):
        with self.gateway.imap() as client:
            for subject in subjects:
                client.append(mailbox, None, None, message(subject, **more))

    def uids(self, *criteria, mailbox="INBOX"):
        with self.gateway.imap() as client:
            client.select(f'"{mailbox}"', readonly=True)
            return client.uid("SEARCH", *(criteria or ("ALL",)))[1][0].decode().split()

    def wait_for_uids(self, count, *criteria, mailbox="INBOX"):
        """What Thunderbird does at once on its screen it tells the server a little later."""
        return self.wait_for(
            lambda: len(found := self.uids(*criteria, mailbox=mailbox)) == count and (found, True),
            f"{count} messages of {criteria} in {mailbox}", PATIENCE_S)[0]

    def test_the_account_was_found_by_itself(self):
        ports = self.gateway.ports
        always_tls, password = 3, 3
        for direction, kind, service in (("incoming", "imap", "imaps"),
                                         ("outgoing", "smtp", "submissions")):
            self.assertEqual(self.account[direction],
                             {"type": kind, "hostname": NAME, "port": ports[service],
                              "socketType": always_tls, "auth": password, "username": USER})
        self.assertIn("autoconfig.example.net", self.proxy.asked)

    def test_the_special_folders_are_known(self):
        found = self.run_script("""
            return Object.fromEntries(given[0].map(use =>
                [use, root().getFoldersWithFlags(Flags[use]).map(each => each.name)]));""", SPECIAL)
        self.assertEqual(found, {"Drafts": ["Drafts"], "SentMail": ["Sent"], "Junk": ["Junk"],
                                 "Trash": ["Trash"], "Archive": ["Archive"]})

    def test_read(self):
        self.append("short", "other")
        self.append("long", body=LONG_BODY, MIME_Version="1.0",
                    Content_Type="text/plain; charset=utf-8")
        text = self.run_script("""
            const pane = await show("INBOX", ["short", "long", "other"]);
            await choose(pane, "INBOX", "long");
            return readText(pane, "Zeile 999: schöne Grüße");""")
        self.assertIn("Zeile 0: schöne Grüße", text)
        self.assertEqual(self.wait_for_uids(1, "SEEN"), self.uids("SUBJECT", "long"))

    def test_search_on_the_server(self):
        self.append("one", body="Ein Pfund Äpfel\r\n", Content_Type="text/plain; charset=utf-8",
                    MIME_Version="1.0")
        self.append("two")
        found = self.run_script("""
            await show("INBOX", ["one", "two"]);
            return [await searchOnServer("INBOX", "Body", "äpfel"),
                    await searchOnServer("INBOX", "Subject", "TWO"),
                    await searchOnServer("INBOX", "Sender", "remote"),
                    await searchOnServer("INBOX", "Body", "nowhere")];""")
        self.assertEqual(found, [["one"], ["two"], ["one", "two"], []])

    def test_flags_both_ways(self):
        self.append("one", "two")
        self.run_script("""
            await show("INBOX", ["one", "two"]);
            const place = folder("INBOX");
            place.markMessagesFlagged([header("INBOX", "one")], true);
            place.addKeywordsToMessages([header("INBOX", "one")], "$label1");
            place.markMessagesRead([header("INBOX", "two")], true);""")
        self.wait_for_uids(1, "SUBJECT", "one", "FLAGGED", "KEYWORD", "$label1", "UNSEEN")
        two, = self.wait_for_uids(1, "SUBJECT", "two", "SEEN")
        with self.gateway.imap() as client:
            client.select("INBOX")
            client.uid("STORE", two, "+FLAGS", r"(\Flagged $label2)")
            client.uid("STORE", two, "-FLAGS", r"(\Seen)")
        self.run_script("""
            await until(() => {
              const two = header("INBOX", "two");
              return two.isFlagged && !two.isRead &&
                     two.getStringProperty("keywords").includes("$label2");
            }, "the flags of another program");""")

    def test_move_copy_and_delete(self):
        self.append("moved", "copied", "deleted")
        self.run_script("""
            await show("INBOX", ["moved", "copied", "deleted"]);
            for (const [subject, move] of [["moved", true], ["copied", false]]) {
              await finished(listener => MailServices.copy.copyMessages(folder("INBOX"),
                [header("INBOX", subject)], folder("Archive"), move, listener,
                window.msgWindow, true));
            }""")
        self.wait_for_uids(2, mailbox="Archive")
        self.run_script("""
            const pane = await show("INBOX", ["copied", "deleted"]);
            await choose(pane, "INBOX", "deleted");
            pane.commandController.doCommand("cmd_delete");
            await until(() => !header("INBOX", "deleted"), "deleted");""")
        self.wait_for_uids(1, "SUBJECT", "deleted", mailbox="Trash")
        self.assertEqual(self.uids(), self.uids("SUBJECT", "copied"))
        self.run_script("""
            await show("Trash", ["deleted"]);
            folder("Trash").emptyTrash(null);""")
        self.wait_for(lambda: not any(each.startswith("Trash/") for each in self.names()),
                      "no folders in Trash")
        self.wait_for_uids(0, mailbox="Trash")

    def names(self):
        with self.gateway.imap() as client:
            return mailbox_names(client)

    def test_folders(self):
        self.append("one")
        self.run_script("""
            await show("INBOX", ["one"]);
            root().createSubfolder("Größe & Co", window.msgWindow);
            await until(() => exists("Größe & Co"), "the folder");
            folder("Größe & Co").createSubfolder("Juli", window.msgWindow);
            await until(() => exists("Größe & Co/Juli"), "its child");
            await finished(listener => MailServices.copy.copyMessages(folder("INBOX"),
              [header("INBOX", "one")], folder("Größe & Co/Juli"), true, listener,
              window.msgWindow, true));""")
        self.wait_for_uids(1, mailbox="Gr&APYA3w-e &- Co/Juli")
        self.run_script("""
            folder("Größe & Co").rename("Bills", window.msgWindow);
            await until(() => exists("Bills/Juli"), "the new name");""")
        self.assertIn("Bills/Juli", self.names())
        self.run_script("""
            setTimeout(() => folder("Bills").deleteSelf(window.msgWindow));""")
        self.program.accept_question()
        self.wait_for(lambda: "Bills/Juli" not in self.names(), "the folder's end")

    def test_new_mail_in_idle(self):
        self.append("before")
        self.run_script("await show('INBOX', ['before']);")
        self.wait_for(lambda: (re.findall(r"S-INBOX:SendData: (.*)", self.program.imap_log())
                               or [""])[-1].endswith("IDLE"), "IDLE")
        sent = time.monotonic()
        self.append("news")
        self.run_script("await until(() => header('INBOX', 'news'), 'the new message');")
        self.assertLess(time.monotonic() - sent, NEW_MAIL_WITHIN_S)

    def test_mark_as_junk(self):
        self.append("bargain", "letter")
        self.run_script("""
            const pane = await show("INBOX", ["bargain", "letter"]);
            await choose(pane, "INBOX", "bargain");
            pane.commandController.doCommand("cmd_markAsJunk");
            await until(() => !header("INBOX", "bargain"), "moved");""")
        self.wait_for_uids(1, "SUBJECT", "bargain", "KEYWORD", "Junk", mailbox="Junk")
        self.assertEqual(self.uids(), self.uids("SUBJECT", "letter"))

    def test_write_a_draft_and_a_message(self):
        self.run_script("""
            await write({to: "bob@example.net", subject: "later", body: "not yet\\n"},
                        "nsMsgSaveAsDraft");""")
        self.wait_for_uids(1, "SUBJECT", "later", "DRAFT", mailbox="Drafts")
        self.run_script("""
            await write({to: "bob@example.net", subject: "Grüße", body: "schöne Grüße\\n"},
                        "nsMsgDeliverNow");""")
        content, = self.wait_for(lambda: self.inbox("bob") + self.inbox("bob", "Junk"), "the mail")
        got = email.message_from_bytes(content, policy=email.policy.default)
        self.assertEqual((got["From"], got["Subject"]), (f"Alice Example <{USER}>", "Grüße"))
        self.assertIn("schöne Grüße", got.get_content())
        self.wait_for_uids(1, "SEEN", "HEADER", "Message-ID", got["Message-ID"], mailbox="Sent")

    def test_a_restart_finds_what_happened_meanwhile(self):
        self.append("one", "two", "three")
        self.run_script("await show('INBOX', ['one', 'two', 'three']);"
                        "account().incomingServer.QueryInterface(Ci.nsIImapIncomingServer)"
                        ".useCondStore = true;")
        self.program.stop()
        with self.gateway.imap() as client:
            client.select("INBOX")
            client.store("1", "+FLAGS", r"(\Flagged)")
            client.store("2", "+FLAGS", r"(\Deleted)")
            client.expunge()
        self.append("four")
        self.program.start()
        flagged = self.run_script("""
            await show("INBOX", ["one", "three", "four"]);
            return until(() => header("INBOX", "one").isFlagged, "the flag");""")
        self.assertTrue(flagged)


if __name__ == "__main__":
    unittest.main()
