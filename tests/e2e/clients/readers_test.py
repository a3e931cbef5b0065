#!/usr/bin/env python3
"""Mail programs from Debian that keep, sort or show a mailbox over IMAP: getmail, OfflineIMAP,
NeoMutt in a terminal, Perl's Mail::IMAPClient. What they did is asserted on the server."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from base import PASSWORD, E2eTest, message  # noqa: E402

PROGRAM_TIMEOUT_S = 60
USER = "alice@example.net"


def needs(program):
    return unittest.skipUnless(shutil.which(program), f"{program} is not installed")


def has_perl_module(name):
    return shutil.which("perl") and not subprocess.run(
        ["perl", f"-M{name}", "-e", "1"], capture_output=True, check=False).returncode


class Reader(E2eTest):
    def setUp(self):
        self.empty()
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.port = self.gateway.ports["imap"]

    def path(self, name, content=None):
        path = os.path.join(self.folder.name, name)
        if content is not None:
            with open(path, "w", encoding="utf-8",
                      opener=lambda p, f: os.open(p, f, 0o600)) as file:
                file.write(content)
        return path

    def run_program(self, *command):
        done = subprocess.run(command, capture_output=True, timeout=PROGRAM_TIMEOUT_S, check=False,
                              stdin=subprocess.DEVNULL,
                              env={**os.environ, "HOME": self.folder.name})
        self.assertEqual(done.returncode, 0, (done.stdout[-2000:], done.stderr[-3000:]))
        return done.stdout.decode("utf-8", "replace")

    def append(self, *subjects, mailbox="INBOX"):
        with self.gateway.imap() as client:
            for subject in subjects:
                client.append(mailbox, None, None, message(subject))

    def search(self, *criteria, mailbox="INBOX"):
        with self.gateway.imap() as client:
            client.select(mailbox, readonly=True)
            return client.search(None, *criteria)[1][0].split()


@needs("getmail")
class Getmail(Reader):
    def test_fetches_each_message_once(self):
        box = self.path("box")
        control = self.path("getmailrc", f"""[retriever]
type = SimpleIMAPRetriever
server = 127.0.0.1
port = {self.port}
username = {USER}
password = {PASSWORD}
mailboxes = ("INBOX", "Archive")
[destination]
type = MDA_external
path = {shutil.which("tee")}
arguments = ("-a", "{box}")
allow_root_commands = true
[options]
read_all = false
delete = false
""")
        self.append("one", "two")
        self.append("three", mailbox="Archive")
        for expected, more in ((3, "four"), (4, None)):
            self.run_program("getmail", f"--getmaildir={self.folder.name}",
                             f"--rcfile={control}")
            with open(box, encoding="utf-8") as file:
                self.assertEqual(file.read().count("Subject: "), expected)
            if more:
                self.append(more)


@needs("offlineimap")
class OfflineImap(Reader):
    def sync(self):
        control = self.path("offlineimaprc", f"""[general]
accounts = postern
ui = basic
[Account postern]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {self.path("mail")}
[Repository far]
type = IMAP
remotehost = 127.0.0.1
remoteport = {self.port}
remoteuser = {USER}
remotepass = {PASSWORD}
ssl = no
starttls = no
auth_mechanisms = LOGIN
folderfilter = lambda name: name in ("INBOX", "Archive")
""")
        return self.run_program("offlineimap", "-o", "-c", control)

    def files(self, mailbox="INBOX"):
        return sorted(os.path.join(self.path("mail"), mailbox, part, name)
                      for part in ("new", "cur")
                      for name in os.listdir(os.path.join(self.path("mail"), mailbox, part)))

    def test_two_way(self):
        self.append("one", "two")
        self.sync()
        first, second = self.files()
        os.rename(first, self.path("mail/INBOX/cur/" +
                                   re.sub(r":2,.*$", "", os.path.basename(first)) + ":2,S"))
        os.unlink(second)
        with open(self.path("mail/Archive/new/1.1.host"), "wb") as file:
            file.write(message("local").replace(b"\r\n", b"\n"))
        self.append("three")
        self.sync()
        self.assertEqual(len(self.files()), 2)
        self.assertEqual(len(self.search("ALL")), 2)
        self.assertEqual(len(self.search("SEEN")), 1)
        self.assertEqual(len(self.search("SUBJECT", "local", mailbox="Archive")), 1)


@needs("neomutt")
class NeoMutt(Reader):
    def run_in_terminal(self, keys):
        control = self.path("muttrc", f"""set imap_user = "{USER}"
set imap_pass = "{PASSWORD}"
set ssl_starttls = no
set ssl_force_tls = no
set folder = "imap://127.0.0.1:{self.port}/"
set spoolfile = "imap://127.0.0.1:{self.port}/INBOX"
set imap_qresync = yes
set imap_condstore = yes
set delete = yes
set quit = yes
set confirmappend = no
set confirmcreate = no
set mark_old = no
set sort = threads
set header_cache = "{self.path("cache")}"
push "{keys}"
""")
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ.update(HOME=self.folder.name, TERM="xterm", LINES="24", COLUMNS="80")
            os.execvp("neomutt", ["neomutt", "-n", "-F", control])
        shown = b""
        deadline = time.monotonic() + PROGRAM_TIMEOUT_S
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                shown += os.read(terminal, 65536)
            except OSError:
                break
        os.close(terminal)
        if time.monotonic() >= deadline:
            os.kill(pid, 9)
        status = os.waitpid(pid, 0)[1]
        self.assertEqual(status, 0, shown[-3000:])

    def test_flag_delete_and_save(self):
        self.append("one", "two", "three")
        self.run_in_terminal("<first-entry><flag-message><jump>2<enter><delete-message>"
                             "<jump>3<enter><save-message>=Archive<enter><quit>")
        self.assertEqual(len(self.search("ALL")), 1)
        self.assertEqual(len(self.search("FLAGGED", "SUBJECT", "one")), 1)
        self.assertEqual(len(self.search("SUBJECT", "three", mailbox="Archive")), 1)
        # A second visit finds its cache good, by QRESYNC.
        self.run_in_terminal("<first-entry><display-message><exit><quit>")
        self.assertEqual(len(self.search("SEEN")), 1)


@unittest.skipUnless(has_perl_module("Mail::IMAPClient"), "Mail::IMAPClient is not installed")
class PerlImapClient(Reader):
    SCRIPT = r"""
use strict; use warnings; use Mail::IMAPClient;
my ($port, $user, $password) = @ARGV;
my $imap = Mail::IMAPClient->new(Server => "127.0.0.1", Port => $port, User => $user,
    Password => $password, Uid => 1) or die "connect: $@";
sub check { my ($what, $good) = @_; die "$what: " . ($imap->LastError // "") unless $good; }
check("capability", $imap->has_capability("QRESYNC"));
check("folders", scalar(grep { $_ eq "Junk" } $imap->folders));
check("create", $imap->create("Perl/Box"));
check("select", $imap->select("INBOX"));
my $uid = $imap->append("INBOX", "Subject: from perl\r\n\r\nbody\r\n");
check("append", $uid);
$imap->noop;
check("search", join(",", $imap->search('SUBJECT "from perl"')) eq $uid);
check("sort", scalar($imap->sort("REVERSE DATE", "UTF-8", "ALL")) >= 1);
check("thread", scalar(@{$imap->thread("REFERENCES", "UTF-8", "ALL")}) >= 1);
check("structure", $imap->get_bodystructure($uid)->bodytype eq "TEXT");
check("envelope", $imap->get_envelope($uid)->subject eq "from perl");
check("see", $imap->see($uid));
check("flags", scalar(grep { $_ eq "\\Seen" } $imap->flags($uid)));
check("idle", my $idle = $imap->idle);
check("done", $imap->done($idle));
check("copy", $imap->copy("Perl/Box", $uid));
check("move", $imap->move("Perl/Box", $uid));
check("expunge", $imap->expunge);
check("status", $imap->message_count("Perl/Box") == 2);
check("starttls off", $imap->logout);
print "all good\n";
"""

    def test_a_whole_session(self):
        self.append("one")
        script = self.path("session.pl", self.SCRIPT)
        self.assertIn("all good", self.run_program("perl", script, str(self.port), USER, PASSWORD))
        self.assertEqual(len(self.search("ALL")), 1)
        self.assertEqual(len(self.search("SEEN", mailbox="Perl/Box")), 2)


if __name__ == "__main__":
    unittest.main()
