#!/usr/bin/env python3
"""Programs that send and fetch mail: msmtp and mpop from Debian, Nodemailer from npm."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from base import PASSWORD, message  # noqa: E402
from clients_test import ClientTest  # noqa: E402

NODEMAILER = "nodemailer@10.6.1"
INSTALL_TIMEOUT_S = 120


def needs(program):
    return unittest.skipUnless(shutil.which(program), f"{program} is not installed")


class Sender(ClientTest):
    def arrived(self, count=1):
        """All mail of alice, whatever the filter thought of it."""
        found = self.wait_for(
            lambda: len(all_ := self.inbox() + self.inbox(mailbox="Junk")) >= count and all_,
            f"{count} messages")
        self.assertEqual(len(found), count)
        return found


@needs("msmtp")
class Msmtp(Sender):
    def send(self, service, mechanism, *recipients, codes=(0,), password=PASSWORD, tls="on",
             more=""):
        immediate = "off" if service == "submissions" else "on"
        control = self.path("msmtprc", f"""account default
host 127.0.0.1
port {self.gateway.ports[service]}
domain client.example
from bob@example.net
tls {tls}
tls_starttls {immediate}
tls_certcheck off
auth {mechanism}
user bob@example.net
password {password}
{more}""")
        mail = self.path("mail", message("by msmtp", ". dots\n..\n", sender="bob@example.net"))
        with open(mail, "rb") as file:
            done = subprocess.run(["msmtp", "-C", control, "--", *recipients], stdin=file,
                                  capture_output=True, timeout=60, check=False)
        self.assertIn(done.returncode, codes, done.stderr)
        return done.stderr.decode("utf-8", "replace")

    def test_each_mechanism_by_starttls_and_tls(self):
        for count, (service, mechanism) in enumerate(
                (("submission", "plain"), ("submission", "login"), ("submissions", "plain"),
                 ("submission", "scram-sha-256")), 1):
            self.send(service, mechanism, "alice@example.net")
            self.assertIn(b"\r\n\r\n. dots\r\n..\r\n", self.arrived(count)[-1])

    def test_several_recipients_and_dsn(self):
        self.send("submission", "plain", "alice@example.net", "carol@example.net",
                  more="dsn_notify failure,delay\ndsn_return headers\n")
        self.arrived()

    def test_what_is_refused(self):
        text = self.send("submission", "plain", "alice@example.net", codes=(77,), password="wrong")
        self.assertIn("535", text)
        text = self.send("submission", "plain", "nobody@example.net", codes=(65,))
        self.assertIn("5.1.1", text)


@needs("mpop")
class Mpop(Sender):
    def fetch(self, service, mechanism, more=""):
        os.makedirs(self.path("mail/new"), exist_ok=True)
        for part in ("cur", "tmp"):
            os.makedirs(self.path(f"mail/{part}"), exist_ok=True)
        control = self.path("mpoprc", f"""account default
host 127.0.0.1
port {self.gateway.ports[service]}
tls on
tls_starttls {"off" if service == "pop3s" else "on"}
tls_certcheck off
auth {mechanism}
user alice@example.net
password {PASSWORD}
delivery maildir {self.path("mail")}
uidls_file {self.path("uidls")}
{more}""")
        self.run_program("mpop", "-C", control)
        return sorted(os.listdir(self.path("mail/new")))

    def test_what_is_kept_is_not_fetched_again(self):
        for number in range(3):
            self.gateway.deliver(message(f"m{number}", ".\r\n..x\r\n"))
        self.assertEqual(len(self.fetch("pop3", "plain", "keep on")), 3)
        self.gateway.deliver(message("m3"))
        self.assertEqual(len(self.fetch("pop3s", "user", "keep on")), 4)
        self.assertEqual(len(self.inbox()), 4)
        self.assertEqual(len(self.fetch("pop3", "scram-sha-256", "keep off")), 4)
        self.assertEqual(self.inbox(), [])
        bodies = []
        for name in os.listdir(self.path("mail/new")):
            with open(self.path(f"mail/new/{name}"), "rb") as file:
                bodies.append(file.read())
        self.assertEqual(sum(body.endswith(b"\n\n.\n..x\n") for body in bodies), 3)


SCRIPT = """
const nodemailer = require('nodemailer');
const given = JSON.parse(require('fs').readFileSync(process.argv[2]));
const transport = nodemailer.createTransport(
  {...given.transport, tls: {rejectUnauthorized: false}});
(async () => {
  const done = [];
  for (const mail of given.mails) {
    try {
      const info = await transport.sendMail(mail);
      done.push({accepted: info.accepted, rejected: info.rejected, response: info.response});
    } catch (error) {
      done.push({code: error.responseCode, error: String(error.message)});
    }
  }
  transport.close();
  console.log(JSON.stringify(done));
})();
"""


@needs("npm")
@needs("node")
class Nodemailer(Sender):
    @classmethod
    def setUpClass(cls):
        cls.modules = tempfile.mkdtemp(prefix="postern-npm-")
        cls.addClassCleanup(shutil.rmtree, cls.modules)
        done = subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund",
                               "--prefix", cls.modules, NODEMAILER], capture_output=True,
                              timeout=INSTALL_TIMEOUT_S, check=False)
        if done.returncode:
            raise unittest.SkipTest(f"{NODEMAILER} cannot be had from npm")
        super().setUpClass()

    def send(self, transport, *mails):
        with open(f"{self.modules}/send.js", "w", encoding="ascii") as file:
            file.write(SCRIPT)
        given = self.path("given.json", json.dumps({"transport": transport, "mails": mails}))
        done = self.run_program("node", f"{self.modules}/send.js", given)
        return json.loads(done.stdout)

    def transport(self, service="submission", **more):
        return {"host": "127.0.0.1", "port": self.gateway.ports[service],
                "secure": service == "submissions",
                "auth": {"user": "bob@example.net", "pass": PASSWORD}, **more}

    MAIL = {"from": "Bob <bob@example.net>", "to": "Alice <alice@example.net>",
            "subject": "Grüße", "text": ".\nText with ä\n", "html": "<p>Text</p>"}

    def test_starttls_and_tls(self):
        for service in ("submission", "submissions"):
            [done] = self.send(self.transport(service, requireTLS=True), self.MAIL)
            self.assertEqual(done.get("accepted"), ["alice@example.net"], done)
        self.arrived(2)

    def test_a_pool_of_connections_and_attachments(self):
        mail = {**self.MAIL, "attachments": [{"filename": "a.bin", "content": "x" * 200_000}]}
        done = self.send(self.transport(pool=True, maxConnections=2), *[mail] * 5)
        self.assertTrue(all(each.get("accepted") for each in done), done)
        self.arrived(5)

    def test_delivery_reports(self):
        [done] = self.send(self.transport(), {**self.MAIL, "dsn": {
            "id": "env1", "return": "headers", "notify": ["success"],
            "recipient": "bob@example.net"}})
        self.assertTrue(done.get("accepted"), done)
        report = self.wait_for(lambda: self.inbox("bob") + self.inbox("bob", "Junk"), "the report")
        self.assertIn(b"Action: delivered", report[0])

    def test_what_is_refused(self):
        mails = [{**self.MAIL, "to": "nobody@example.net"},
                 {**self.MAIL, "from": "alice@example.net"},
                 {**self.MAIL, "to": ["nobody@example.net", "alice@example.net"]}]
        unknown, foreign, partly = self.send(self.transport(), *mails)
        self.assertEqual(unknown.get("code"), 550, unknown)
        self.assertEqual(foreign.get("code"), 550, foreign)
        self.assertEqual(partly.get("rejected"), ["nobody@example.net"], partly)
        [wrong] = self.send(self.transport(auth={"user": "bob@example.net", "pass": "wrong"}),
                            self.MAIL)
        self.assertEqual(wrong.get("code"), 535, wrong)
        self.arrived()


if __name__ == "__main__":
    unittest.main()
