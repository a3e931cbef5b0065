#!/usr/bin/env python3
"""MTA-STS: policies over HTTPS, kept by servers that are good and broken."""

import shutil
import tempfile
import time
import unittest

from base import message
from outbound_base import REMOTE, DnsServer, SmtpSink, SubmittingTest
from authority import Authority, PolicyServer


class MtaSts(SubmittingTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="postern-sts-")
        cls.addClassCleanup(shutil.rmtree, folder)
        authority = Authority(folder)
        cls.good = authority.context("mx.remote.example")
        cls.other = authority.context("other.example")
        cls.web = PolicyServer(REMOTE, authority.context("mta-sts.remote.example"))
        cls.addClassCleanup(cls.web.close)
        cls.records = {("remote.example", "MX"): [(10, "mx.remote.example")],
                       ("mx.remote.example", "A"): [REMOTE],
                       ("mta-sts.remote.example", "A"): [REMOTE]}
        cls.dns = DnsServer(cls.records, ttl_s=0)
        cls.addClassCleanup(cls.dns.close)
        cls.sink = SmtpSink(REMOTE)
        cls.addClassCleanup(cls.sink.close)
        cls.settings = (f'dns: {{servers: ["127.0.0.1@{cls.dns.port}"], trust_anchor_file: "", '
                        f"timeout_ms: 3000}}\n"
                        f"outbound: {{mx_port: {cls.sink.port}, ca_file: {authority.file}, "
                        f"mta_sts_port: {cls.web.port}, retry_first_s: 1, retry_longest_s: 1}}\n")
        super().setUpClass()

    def setUp(self):
        self.sink.messages.clear()
        self.sink.context = self.good
        self.web.status, self.web.content_type = 200, "text/plain; charset=utf-8"

    def publish(self, name, mode="enforce", server="mx.remote.example", max_age=86400):
        self.records[("_mta-sts.remote.example", "TXT")] = [f"v=STSv1; id={name};"]
        self.web.policy = (f"version: STSv1\r\nmode: {mode}\r\nmx: {server}\r\n"
                           f"max_age: {max_age}\r\n")

    def arrives(self):
        self.submit("ann@remote.example")
        self.wait_for(lambda: self.sink.messages, "the message")
        self.wait_for_empty_queue()

    def waits(self, reason):
        """The message stays in the queue for that reason; it is deleted."""
        self.submit("ann@remote.example")
        self.wait_for(lambda: self.queue() and any(
            reason in str(each) for each in self.queue()), reason)
        self.assertEqual(self.sink.messages, [])
        for each in self.queue():
            self.gateway.cli("queue", "delete", each["id"])

    def test_a_policy_that_is_kept(self):
        self.publish("kept")
        self.arrives()
        self.assertRegex(self.gateway.log_text(), r"delivered .*tls=TLSv1\.3")
        asked = self.web.asked
        self.sink.messages.clear()
        self.arrives()
        self.assertEqual(self.web.asked, asked, "one id is fetched once")

    def test_a_server_without_tls_gets_nothing(self):
        self.publish("plain")
        self.sink.context = None
        self.waits("TLS")

    def test_a_certificate_of_another_name(self):
        self.publish("wrong")
        self.sink.context = self.other
        self.waits("hostname mismatch")

    def test_a_server_that_is_not_named(self):
        self.publish("elsewhere", server="*.elsewhere.example")
        self.waits("MTA-STS policy of remote.example names none of its servers")

    def test_tls_required_no_goes_out_all_the_same(self):
        self.publish("waived")
        self.sink.context = None
        self.waits("TLS")
        waiving = message("in the clear", sender="bob@example.net", TLS_Required="No")
        self.submit("ann@remote.example", content=waiving)
        self.wait_for(lambda: self.sink.messages, "the message", 20)
        self.wait_for_empty_queue()
        # What follows at once does not go the same way.
        self.sink.messages.clear()
        self.waits("TLS")

    def test_requiretls_wins_over_tls_required_no(self):
        self.publish("both")
        self.sink.context = None
        self.empty("bob")
        self.submit("ann@remote.example", mail_options=["REQUIRETLS"],
                    content=message("both", sender="bob@example.net", TLS_Required="No"))
        time.sleep(2)
        self.assertEqual(self.sink.messages, [])
        for each in self.queue():
            self.gateway.cli("queue", "delete", each["id"])

    def test_testing_only_tells(self):
        self.publish("testing", mode="testing", server="mx.elsewhere.example")
        self.sink.context = None
        self.arrives()
        self.assertIn("MTA-STS policy in testing does not name a server", self.gateway.log_text())

    def test_a_policy_goes_on_to_hold_when_it_cannot_be_fetched(self):
        self.publish("first")
        self.arrives()
        self.sink.messages.clear()
        self.publish("second", mode="none")
        self.web.status = 500
        self.sink.context = None
        self.waits("TLS")
        asked = self.web.asked
        self.waits("TLS")
        self.assertEqual(self.web.asked, asked, "the next message need not wait again")
        del self.records[("_mta-sts.remote.example", "TXT")]
        self.waits("TLS")
        self.web.status = 200
        self.publish("third", mode="none")
        self.arrives()

    def test_a_policy_goes_on_to_hold_after_a_restart(self):
        self.publish("lasting")
        self.arrives()
        self.sink.messages.clear()
        self.gateway.kill()
        self.gateway.start()
        del self.records[("_mta-sts.remote.example", "TXT")]
        self.web.status = 500
        self.sink.context = None
        self.waits("TLS")
        self.web.status = 200
        self.publish("over", mode="none")
        self.arrives()

    def test_a_policy_is_fetched_again_before_it_ends(self):
        self.publish("refreshed", max_age=40)
        self.arrives()
        asked = self.web.asked
        time.sleep(20.5)
        self.sink.messages.clear()
        self.arrives()
        self.assertGreater(self.web.asked, asked)
        time.sleep(20)
        # The first one would have ended by now.
        self.web.status = 500
        self.sink.messages.clear()
        self.sink.context = None
        self.waits("TLS")
        self.web.status = 200
        self.publish("refreshed no more", mode="none")
        self.arrives()

    def test_other_documents_are_no_policy(self):
        self.publish("short", mode="none", max_age=1)
        self.arrives()
        self.sink.messages.clear()
        self.sink.context = None
        self.publish("page")
        self.web.content_type = "text/html"
        self.arrives()
        self.assertRegex(self.gateway.log_text(), "MTA-STS policy not fetched.*text/plain")


if __name__ == "__main__":
    unittest.main()
