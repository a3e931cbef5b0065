#!/usr/bin/env python3
"""DANE (RFC 7672): which names a certificate may have, by kind of record and over CNAMEs."""

import shutil
import tempfile
import unittest

from outbound_base import REMOTE, DnsServer, SmtpSink, SubmittingTest
from authority import Authority, tlsa_of
from signed_zone import SignedZone


class Dane(SubmittingTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="postern-dane-")
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.authority = Authority(cls.folder)
        zone = SignedZone(cls.folder, unsigned=["plain.example"])
        cls.sink = SmtpSink(REMOTE)
        cls.addClassCleanup(cls.sink.close)
        issuer = [tlsa_of(cls.authority.file, usage=2)]
        records = {("real.example", "A"): [REMOTE], ("mx.plain.example", "A"): [REMOTE]}
        for domain, server, base in (("remote", "mx.remote", "mx.remote"),
                                     ("own", "mx.own", "mx.own"),
                                     ("expanded", "mx.expanded", "real"),
                                     ("alias", "mx.alias", "mx.alias"),
                                     ("outside", "mx.outside", "mx.outside"),
                                     ("odd", "mx.odd", "mx.odd")):
            records[f"{domain}.example", "MX"] = [(10, f"{server}.example")]
            records[f"{server}.example", "A"] = [REMOTE]
            records[f"_{cls.sink.port}._tcp.{base}.example", "TLSA"] = issuer
        for server, target in (("expanded", "real"), ("alias", "other"), ("outside", "mx.plain")):
            records.pop((f"mx.{server}.example", "A"))
            records[f"mx.{server}.example", "CNAME"] = [f"{target}.example"]
        records["other.example", "A"] = [REMOTE]
        records[f"_{cls.sink.port}._tcp.mx.odd.example", "TLSA"] = [(3, 1, 1, b"short")]
        cls.records = records
        cls.dns = DnsServer(records, ttl_s=0, zone=zone)
        cls.addClassCleanup(cls.dns.close)
        cls.settings = (f'dns: {{servers: ["127.0.0.1@{cls.dns.port}"], '
                        f"trust_anchor_file: {zone.anchor_file}, timeout_ms: 5000}}\n"
                        f"outbound: {{mx_port: {cls.sink.port}, retry_first_s: 1, "
                        f"retry_longest_s: 1}}\n")
        super().setUpClass()

    def setUp(self):
        self.sink.messages.clear()

    def arrives(self, domain, certificate, **options):
        with self.subTest(domain=domain, certificate=certificate):
            self.sink.messages.clear()
            self.sink.context = self.authority.context(certificate, **options)
            self.submit(f"ann@{domain}")
            self.wait_for(lambda: self.sink.messages, "the message")
            self.assertTrue(self.sink.messages[0][3], "under TLS")
            self.wait_for_empty_queue()

    def waits(self, domain, certificate, reason, **options):
        with self.subTest(domain=domain, certificate=certificate):
            self.sink.messages.clear()
            self.sink.context = self.authority.context(certificate, **options)
            self.submit(f"ann@{domain}")
            [waiting] = self.wait_for(
                lambda: [m for m in self.queue() if m["recipients"][0]["reason"]], "a reason")
            self.gateway.cli("queue", "delete", waiting["id"])
            self.assertIn(reason, waiting["recipients"][0]["reason"])
            self.assertEqual(self.sink.messages, [])
            self.wait_for_empty_queue()

    def test_the_names_that_an_issuer_may_vouch_for(self):
        self.arrives("remote.example", "mx.remote.example")
        self.arrives("remote.example", "remote.example")
        self.waits("remote.example", "elsewhere.example", "hostname mismatch")
        self.waits("remote.example", "remote.example", "expired", days=-1)

    def test_over_a_cname(self):
        self.arrives("expanded.example", "real.example")
        self.arrives("expanded.example", "mx.expanded.example")
        self.arrives("expanded.example", "expanded.example")
        self.waits("expanded.example", "elsewhere.example", "hostname mismatch")

    def test_records_at_the_alias_alone(self):
        self.arrives("alias.example", "mx.alias.example")
        self.waits("alias.example", "elsewhere.example", "hostname mismatch")

    def test_a_cname_that_leads_out_of_dnssec(self):
        self.arrives("outside.example", "mx.outside.example")
        self.waits("outside.example", "mx.plain.example", "hostname mismatch")

    def test_outside_of_dnssec_addresses_of_each_kind_may_lead_elsewhere(self):
        self.records["further.plain.example", "A"] = [REMOTE]
        self.dns.one_kind_aliases["mx.plain.example", "A"] = "further.plain.example"
        self.addCleanup(self.dns.one_kind_aliases.clear)
        self.waits("outside.example", "elsewhere.example", "hostname mismatch")
        self.arrives("outside.example", "mx.outside.example")

    def test_the_servers_own_key_needs_neither_name_nor_date(self):
        name = (f"_{self.sink.port}._tcp.mx.own.example", "TLSA")
        self.sink.context = self.authority.context("elsewhere.example", days=-1)
        self.records[name] = [tlsa_of(f"{self.folder}/elsewhere.example.pem")]
        self.submit("ann@own.example")
        self.wait_for(lambda: self.sink.messages, "the message")
        self.wait_for_empty_queue()
        self.waits("own.example", "mx.own.example", "no matching DANE TLSA records")

    def test_a_record_that_cannot_be_used_asks_for_tls_alone(self):
        self.arrives("odd.example", "elsewhere.example")
        self.sink.context = None
        self.submit("ann@odd.example")
        [waiting] = self.wait_for(
            lambda: [m for m in self.queue() if m["recipients"][0]["reason"]], "a reason")
        self.assertIn("STARTTLS", waiting["recipients"][0]["reason"])
        self.gateway.cli("queue", "delete", waiting["id"])
        self.wait_for_empty_queue()


if __name__ == "__main__":
    unittest.main()
