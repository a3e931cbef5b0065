#!/usr/bin/env python3
"""An internet in a box: Debian's Postfix as the server at the other end, and a signed DNS. Each
message ends delivered once, bounced once, or queued with a reason."""

import os
import shutil
import smtplib
import tempfile
import unittest

from base import message
from outbound_base import REMOTE, DnsServer, SubmittingTest, free_port
from authority import Authority, PolicyServer, tlsa_of
from postfix import Listener, Postfix, missing
from signed_zone import SignedZone

BARE = "127.0.0.3"    # a Postfix without TLS
OTHER = "127.0.0.4"   # one with a certificate of another name
INTERNET = "127.0.0.77"
MX = 15               # the record type
LACK = missing()


class World(SubmittingTest):
    """The gateway for example.net, Postfix for everybody else, DNSSEC from the root down."""

    DOMAINS = ("remote", "dane", "baddane", "halfdane", "nodane", "unusable", "plain", "forged",
               "sts", "badsts")

    @classmethod
    def setUpClass(cls):
        if LACK:
            raise unittest.SkipTest(LACK)
        cls.folder = tempfile.mkdtemp(prefix="postern-internet-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        os.chmod(cls.folder, 0o755)  # for the users that Postfix runs as
        cls.authority = Authority(cls.folder)
        cls.certificate, cls.key = cls.authority.certificate("mx.remote.example")
        cls.zone = SignedZone(cls.folder, unsigned=["plain.example"])
        cls.port = free_port()
        cls.records = cls.make_records()
        cls.dns = DnsServer(cls.records, INTERNET, ttl_s=0, port=53, zone=cls.zone)
        cls.addClassCleanup(cls.dns.close)
        cls.web = PolicyServer(REMOTE, cls.authority.context("mta-sts.sts.example"))
        cls.bad_web = PolicyServer(BARE, cls.authority.context("mta-sts.badsts.example"),
                                   cls.web.port)
        cls.addClassCleanup(cls.web.close)
        cls.addClassCleanup(cls.bad_web.close)
        ours = cls.authority.certificate("mx.example.net")
        cls.settings = (
            f"tls: {{certificate: {ours[0]}, key: {ours[1]}}}\n"
            f'dns: {{servers: ["{INTERNET}"], trust_anchor_file: {cls.zone.anchor_file}, '
            f"timeout_ms: 5000}}\n"
            f"outbound: {{mx_port: {cls.port}, ca_file: {cls.authority.file}, "
            f"mta_sts_port: {cls.web.port}, retry_first_s: 1, retry_longest_s: 1}}\n")
        super().setUpClass()
        cls.our_tlsa = (f"_{cls.gateway.ports['smtp']}._tcp.mx.example.net", "TLSA")
        cls.records[cls.our_tlsa] = [tlsa_of(ours[0])]
        cls.postfix = cls.start_postfix()
        cls.addClassCleanup(cls.postfix.stop)

    @classmethod
    def make_records(cls):
        good = tlsa_of(cls.certificate)
        bad = (*good[:3], b"\0" * 32)
        records = {("mx.remote.example", "A"): [REMOTE], ("mx.bare.example", "A"): [BARE],
                   ("mx.other.example", "A"): [OTHER],
                   ("example.net", "MX"): [(10, "mx.example.net")],
                   ("mx.example.net", "A"): ["127.0.0.1"]}
        for name in cls.DOMAINS:
            records[f"{name}.example", "MX"] = [(10, f"mx.{name}.example")]
            records[f"mx.{name}.example", "A"] = [REMOTE]
        records["mx.halfdane.example", "AAAA"] = "SERVFAIL"
        records["mx.nodane.example", "A"] = [BARE]
        records["sts.example", "MX"] = [(10, "mx.remote.example")]
        records["badsts.example", "MX"] = [(10, "mx.other.example")]
        for name, server in (("sts", REMOTE), ("badsts", BARE)):
            records[f"mta-sts.{name}.example", "A"] = [server]
            records[f"_mta-sts.{name}.example", "TXT"] = ["v=STSv1; id=1;"]
        for name, record in (("dane", good), ("baddane", bad), ("halfdane", bad),
                             ("nodane", good), ("plain", bad),
                             ("unusable", (1, *bad[1:]))):
            records[f"_{cls.port}._tcp.mx.{name}.example", "TLSA"] = [record]
        cls.zone.forged = {("forged.example", MX)}
        return records

    @classmethod
    def start_postfix(cls):
        for web, server in ((cls.web, "mx.remote.example"), (cls.bad_web, "mx.other.example")):
            web.policy = f"version: STSv1\nmode: enforce\nmx: {server}\nmax_age: 86400\n"
        other = cls.authority.certificate("wrong.example")
        listeners = [
            Listener(REMOTE, cls.port),
            Listener(BARE, cls.port, smtpd_tls_security_level="none"),
            Listener(OTHER, cls.port, smtpd_tls_cert_file=other[0], smtpd_tls_key_file=other[1])]
        ours = cls.gateway.ports["smtp"]
        return Postfix(f"{cls.folder}/postfix", "mx.remote.example", listeners, {
            "virtual_mailbox_domains": " ".join(f"{name}.example" for name in cls.DOMAINS),
            "smtpd_tls_security_level": "may", "smtpd_tls_cert_file": cls.certificate,
            "smtpd_tls_key_file": cls.key, "message_size_limit": "100000",
            "transport_maps": f"inline:{{ {{ example.net = smtp:example.net:{ours} }} }}",
            "smtp_tls_CAfile": cls.authority.file, "smtp_tls_loglevel": "1",
            "smtp_dns_support_level": "dnssec", "smtp_tls_security_level": "may",
        }, INTERNET).start()

    def setUp(self):
        self.postfix.empty()
        self.empty("alice", "bob")

    def arrives(self, *recipients):
        """Once at the other end, and nothing is left of it here."""
        self.wait_for(self.postfix.mail, "the message at Postfix")
        self.wait_for_empty_queue()
        self.assertEqual(len(self.postfix.mail()), len(recipients))

    def waits(self, domain, reason):
        """In the queue for that reason, as `queue show` says."""
        self.submit(f"ann@{domain}")
        [waiting] = self.wait_for(
            lambda: [m for m in self.queue() if m["recipients"][0]["reason"]], "a reason")
        self.assertIn(reason, self.gateway.cli("queue", "show", waiting["id"]).stdout)
        self.assertEqual(self.postfix.mail(), [])
        return waiting["id"]

    def gives_up(self, domain, reason):
        self.gateway.cli("queue", "delete", self.waits(domain, reason))
        self.wait_for_empty_queue()


class ToPostfix(World):
    def test_tls_where_it_is_offered(self):
        self.submit("ann@remote.example", "bea@remote.example")
        self.arrives("ann@remote.example", "bea@remote.example")
        self.assertIn(b"with ESMTPS", self.postfix.mail()[0])

    def test_dane(self):
        self.submit("ann@dane.example")
        self.arrives("ann@dane.example")
        self.assertIn(b"with ESMTPS", self.postfix.mail()[0])

    def test_dane_with_another_key_waits_until_it_is_mended(self):
        self.waits("baddane.example", "no matching DANE TLSA records")
        name = (f"_{self.port}._tcp.mx.baddane.example", "TLSA")
        self.records[name] = [tlsa_of(self.certificate)]
        self.arrives("ann@baddane.example")

    def test_dane_holds_where_one_kind_of_address_cannot_be_looked_up(self):
        self.gives_up("halfdane.example", "no matching DANE TLSA records")

    def test_dane_of_a_server_without_tls(self):
        self.gives_up("nodane.example", "TLS")

    def test_records_that_cannot_be_used_ask_for_tls_alone(self):
        self.submit("ann@unusable.example")
        self.arrives("ann@unusable.example")
        self.assertIn(b"with ESMTPS", self.postfix.mail()[0])

    def test_without_dnssec_there_is_no_dane(self):
        self.submit("ann@plain.example")
        self.arrives("ann@plain.example")

    def test_a_forged_answer(self):
        self.gives_up("forged.example", "DNSSEC")

    def test_mta_sts(self):
        self.submit("ann@sts.example")
        self.arrives("ann@sts.example")
        self.assertGreater(self.web.asked, 0)

    def test_mta_sts_with_a_certificate_of_another_name(self):
        self.gives_up("badsts.example", "hostname mismatch")

    def test_an_unknown_user_comes_back_once(self):
        self.postfix.change(smtpd_recipient_restrictions=(
            "check_recipient_access inline:{ {gone@remote.example=550 5.1.1 gone} }, "
            "reject_unauth_destination"))
        self.submit("gone@remote.example")
        self.assertIn("Status: 5.1.1", self.status(self.report()))
        self.wait_for_empty_queue()
        self.assertEqual(self.postfix.mail(), [])

    def test_what_is_too_large_comes_back_once(self):
        self.submit("ann@remote.example", content=message("big", "x" * 70 + "\r\n") * 3000)
        self.assertIn("Status: 5.3.4", self.status(self.report()))
        self.wait_for_empty_queue()

    def test_a_server_that_is_full_for_a_while(self):
        self.postfix.change(smtpd_recipient_restrictions=(
            "check_recipient_access static:{452 4.2.2 full}, reject_unauth_destination"))
        self.waits("remote.example", "452 4.2.2")
        self.postfix.change(smtpd_recipient_restrictions="reject_unauth_destination")
        self.arrives("ann@remote.example")

    def test_a_server_that_is_down(self):
        self.postfix.stop()
        try:
            self.waits("remote.example", "refused")
        finally:
            self.postfix.start()
        self.arrives("ann@remote.example")


class FromPostfix(World):
    def setUp(self):
        super().setUp()
        self.records[self.our_tlsa] = [tlsa_of(f"{self.folder}/mx.example.net.pem")]

    def send(self, recipient, level, **settings):
        self.postfix.change(smtp_tls_security_level=level, **settings)
        with smtplib.SMTP(REMOTE, self.port, timeout=60) as client:
            client.sendmail("ann@remote.example", [recipient],
                            message("in", sender="ann@remote.example"))

    def arrived(self):
        found = self.wait_for(lambda: self.inbox() + self.inbox(mailbox="Junk"), "the message")
        self.wait_for(lambda: not self.postfix.queue(), "an empty queue at Postfix")
        self.assertEqual(len(found), 1)
        return found[0]

    def deferred(self):
        """Why the message waits at Postfix."""
        def reasons():
            return [recipient["delay_reason"] for each in self.postfix.queue()
                    for recipient in each["recipients"] if recipient.get("delay_reason")]
        [reason] = self.wait_for(reasons, "a reason")
        return reason

    def nothing_arrived(self):
        self.assertEqual(self.inbox() + self.inbox(mailbox="Junk"), [])

    def test_tls(self):
        self.send("alice@example.net", "may")
        self.assertIn(b"with ESMTPS", self.arrived())

    def test_dane(self):
        self.send("alice@example.net", "dane-only")
        self.assertIn(b"with ESMTPS", self.arrived())
        self.assertIn("Verified TLS connection established to mx.example.net",
                      self.postfix.log_text())

    def test_dane_broken_and_mended(self):
        good = self.records[self.our_tlsa]
        self.records[self.our_tlsa] = [(3, 1, 1, b"\0" * 32)]
        self.send("alice@example.net", "dane-only")
        self.assertIn("not verified", self.deferred())
        self.nothing_arrived()
        self.records[self.our_tlsa] = good
        self.postfix.flush()
        self.arrived()

    def test_a_certificate_that_must_have_our_name(self):
        """What Postfix asks for a domain with an MTA-STS policy."""
        self.send("alice@example.net", "secure", smtp_tls_secure_cert_match="mx.example.net")
        self.arrived()

    def test_a_policy_that_names_another_server(self):
        self.send("alice@example.net", "secure", smtp_tls_secure_cert_match="mx.elsewhere.example")
        self.assertIn("not verified", self.deferred())
        self.nothing_arrived()
        self.postfix.change(smtp_tls_secure_cert_match="mx.example.net")
        self.postfix.flush()
        self.arrived()

    def test_an_unknown_user_is_refused_in_the_session(self):
        self.send("nobody@example.net", "may")
        [bounce] = self.wait_for(self.postfix.mail, "the bounce of Postfix")
        self.assertIn(b"550 5.1.1", bounce)
        self.assertEqual(self.postfix.queue(), [])

    def test_a_restart_in_between(self):
        self.gateway.stop()
        try:
            self.send("alice@example.net", "may")
            self.assertIn("refused", self.deferred())
        finally:
            self.keep_ports()
            self.gateway.start()
        self.postfix.flush()
        self.arrived()

    def keep_ports(self):
        """The next start listens where this one did."""
        with open(self.gateway.config, encoding="utf-8") as file:
            text = file.read()
        text = text.replace('  smtp: ["127.0.0.1:0"]',
                            f'  smtp: ["127.0.0.1:{self.gateway.ports["smtp"]}"]')
        with open(self.gateway.config, "w", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    unittest.main()
