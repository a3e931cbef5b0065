"""What tests of mail to other servers share: DNS and receiving servers of our own on loopback."""

import email
import smtplib
import socket
import sys

from base import PASSWORD, ROOT, E2eTest, message, trusting_tls

sys.path.insert(0, f"{ROOT}/tests/support")

from dns_server import DnsServer  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

HOSTNAME = "mx.example.net"  # the gateway's
REMOTE = "127.0.0.2"
SECOND = "127.0.0.3"


def free_port():
    """One that is free on all of loopback."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


class SubmittingTest(E2eTest):
    """Users who send, and what becomes of their mail."""

    def submit(self, *recipients, sender="bob", content=None, mail_options=(), rcpt_options=()):
        with smtplib.SMTP("127.0.0.1", self.gateway.ports["submission"], timeout=60) as client:
            client.starttls(context=trusting_tls())
            client.login(f"{sender}@example.net", PASSWORD)
            return client.sendmail(f"{sender}@example.net", recipients,
                                   content or message("out", sender=f"{sender}@example.net"),
                                   mail_options, rcpt_options)

    def queue(self):
        return self.gateway.cli_json("queue", "list")["messages"]

    def wait_for_empty_queue(self, seconds=30):
        self.wait_for(lambda: not self.queue(), "an empty queue", seconds)

    def report(self, user="bob"):
        """The user's one report, parsed; removes it."""
        found = self.wait_for(lambda: self.inbox(user) + self.inbox(user, "Junk"), "a report")
        self.assertEqual(len(found), 1)
        self.empty(user)
        parsed = email.message_from_bytes(found[0])
        self.assertEqual(parsed.get_content_type(), "multipart/report")
        self.assertEqual(parsed["Return-Path"], "<>")
        return parsed

    def status(self, report):
        return report.get_payload(1).as_string()


class OutboundTest(SubmittingTest):
    """A gateway whose other servers listen on one port of several loopback addresses."""

    outbound = ""
    retry = "  retry_first_s: 1\n  retry_longest_s: 2\n"

    @classmethod
    def setUpClass(cls):
        cls.dns = DnsServer({
            ("remote.example", "MX"): [(10, "mx.remote.example")],
            ("mx.remote.example", "A"): [REMOTE],
            ("second.example", "MX"): [(10, "dead.second.example"), (20, "mx.second.example")],
            ("dead.second.example", "A"): ["127.0.0.9"],
            ("mx.second.example", "A"): [SECOND],
            ("pair.example", "MX"): [(10, "mx.remote.example"), (20, "mx.second.example")],
            ("six.example", "MX"): [(10, "mx.six.example")],
            ("mx.six.example", "AAAA"): [f"2001:db8::{i}" for i in range(1, 8)],
            ("mx.six.example", "A"): [REMOTE],
            ("implicit.example", "A"): [REMOTE],
            ("nomail.example", "MX"): [(0, ".")],
            ("ours.example", "MX"): [(10, HOSTNAME), (20, "mx.remote.example")],
            ("backed.example", "MX"): [(10, "dead.second.example"), (20, HOSTNAME),
                                       (20, "mx.second.example"), (30, "mx.remote.example")],
            ("broken.example", "MX"): "SERVFAIL",
        })
        cls.addClassCleanup(cls.dns.close)
        cls.sink = SmtpSink(REMOTE)
        cls.addClassCleanup(cls.sink.close)
        cls.settings = (f'dns: {{servers: ["127.0.0.1@{cls.dns.port}"], trust_anchor_file: "", '
                        f"timeout_ms: 3000}}\n"
                        f"outbound:\n  mx_port: {cls.sink.port}\n{cls.retry}{cls.outbound}")
        super().setUpClass()

    def setUp(self):
        self.sink.messages.clear()
        self.sink.commands.clear()
        self.sink.eight_bit = True
        self.sink.behave = lambda step, argument: None
