#!/usr/bin/env python3
"""Servers that fail in every way at every step, or are as slow as can be: each message ends
delivered once, bounced once, or queued with a reason."""

import unittest

from outbound_base import DnsServer, SmtpSink, SubmittingTest, free_port


class BadServers(SubmittingTest):
    """A server for each way to fail at each step, all at the same time."""

    STEPS = ("connect", "ehlo", "mail", "rcpt", "data", "message")
    WAYS = {"drops": "drop", "closes": "421 4.3.2 closing", "greylists": "450 4.7.1 later",
            "refuses": "554 5.7.1 never"}

    @classmethod
    def setUpClass(cls):
        port = free_port()
        records, cls.sinks = {}, {}
        for step in cls.STEPS:
            for way, reply in cls.WAYS.items():
                address = f"127.0.1.{len(cls.sinks) + 1}"
                records[f"{step}.{way}.example", "A"] = [address]
                sink = cls.sinks[f"{step}.{way}.example"] = SmtpSink(address, port)
                sink.behave = lambda at, _, step=step, reply=reply: reply if at == step else None
                cls.addClassCleanup(sink.close)
        cls.slow = SmtpSink("127.0.2.1", port, lambda at, _: {
            "connect": "220 s", "ehlo": "250 s", "mail": "250 k", "rcpt": "250 k",
            "data": "354 g", "message": "250 k"}[at])
        cls.slow.pace_s = 1
        cls.addClassCleanup(cls.slow.close)
        records["slow.example", "A"] = ["127.0.2.1"]
        cls.dns = DnsServer(records)
        cls.addClassCleanup(cls.dns.close)
        cls.settings = (f'dns: {{servers: ["127.0.0.1@{cls.dns.port}"], trust_anchor_file: ""}}\n'
                        f"outbound: {{mx_port: {port}, retry_first_s: 1, retry_longest_s: 1}}\n"
                        f"smtp: {{max_connections_per_address: 1000}}\n")
        super().setUpClass()

    @staticmethod
    def is_final(step, way):
        """A server that turns whole sessions away may be in trouble: the mail waits."""
        return way == "refuses" and step not in ("connect", "ehlo")

    def fates(self):
        waiting = {m["recipients"][0]["address"].split("@")[1]: m["recipients"][0]["reason"]
                   for m in self.queue()}
        return {domain: waiting.get(domain, "gone") for domain in self.sinks}

    def test_each_message_has_one_end(self):
        for domain in self.sinks:
            self.submit(f"ann@{domain}")
        fates = self.wait_for(lambda: all(self.fates().values()) and self.fates(), "all fates")
        expected_bounces = []
        for domain, sink in self.sinks.items():
            step, way, _ = domain.split(".")
            with self.subTest(domain=domain):
                self.assertEqual(sink.messages, [])
                if self.is_final(step, way):
                    expected_bounces.append(domain)
                    self.assertEqual(fates[domain], "gone")
                elif way == "drops":
                    self.assertRegex(fates[domain], "127.0.1.*(lost|closed)")
                else:
                    self.assertIn(self.WAYS[way][4:], fates[domain])
        self.assertEqual(sorted(self.bounced(len(expected_bounces))), sorted(expected_bounces))
        self.mend(expected_bounces)

    def bounced(self, count):
        """The domains that reports are about."""
        reports = self.wait_for(lambda: len(found := self.inbox("bob")) >= count and found,
                                "the reports")
        return [line.split("@")[1] for each in reports
                for line in each.decode("utf-8", "replace").split("\r\n")
                if line.startswith("Final-Recipient:")]

    def mend(self, bounced):
        """The servers come to reason: what waited arrives, once."""
        for sink in self.sinks.values():
            sink.behave = lambda step, argument: None
        self.gateway.cli("queue", "retry", "--all")
        self.wait_for_empty_queue(60)
        for domain, sink in self.sinks.items():
            with self.subTest(domain=domain):
                self.assertEqual(len(sink.messages), 0 if domain in bounced else 1)
        self.assertEqual(len(self.inbox("bob")), len(bounced))

    def test_a_byte_a_second(self):
        self.submit("ann@slow.example")
        self.wait_for(lambda: self.slow.messages, "the message", 120)
        self.wait_for(lambda: not [m for m in self.queue()
                                   if m["recipients"][0]["address"] == "ann@slow.example"],
                      "its end", 60)
        self.assertEqual(len(self.slow.messages), 1)


if __name__ == "__main__":
    unittest.main()
