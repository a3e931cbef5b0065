#!/usr/bin/env python3
"""What an admin asks a running gateway: status, doctor, the trace of a message."""

import base64
import json
import os
import pathlib
import smtplib
import subprocess
import sys
import unittest

from base import ROOT, E2eTest, message

sys.path.insert(0, f"{ROOT}/tests/support")

from dns_server import DnsServer  # noqa: E402


class OperateTest(E2eTest):
    @classmethod
    def setUpClass(cls):
        cls.dns = DnsServer({})
        cls.addClassCleanup(cls.dns.__exit__, None, None, None)
        cls.settings = f'dns:\n  servers: ["127.0.0.1@{cls.dns.port}"]\n  trust_anchor_file: ""\n'
        super().setUpClass()

    def setUp(self):
        self.dns.records = {
            ("mx.example.net", "A"): ["198.18.0.7"],
            ("7.0.18.198.in-addr.arpa", "PTR"): ["mx.example.net"],
            ("example.net", "MX"): [(10, "mx.example.net")],
            ("example.net", "TXT"): ["other", "v=spf1 mx -all"],
            ("_dmarc.example.net", "TXT"): ["v=DMARC1; p=reject"]}

    def doctor(self, check=True):
        done = self.gateway.cli("doctor", "--json", check=False)
        facts = json.loads(done.stdout)
        if check:
            self.assertEqual(done.returncode, int(facts["level"] == "bad"))
        return {(each["area"], each["level"]): each for each in facts["findings"]}

    def levels(self, findings, area):
        return [level for found, level in findings if found == area]

    def test_the_screen_says_that_mail_flows(self):
        facts = self.gateway.cli_json("status")
        self.assertTrue(facts["mail_flows"], facts["findings"])
        areas = {each["area"] for each in facts["findings"]}
        self.assertLessEqual({"listener", "queue", "disk", "pools", "filter", "certificate", "dns",
                              "clock"}, areas)
        screen = self.gateway.cli("status").stdout
        self.assertIn("mail flows", screen)
        self.assertLess(len(screen.splitlines()), 40)
        self.assertNotIn("\x1b", screen)

    def test_a_healthy_domain(self):
        findings = self.doctor()
        for area in ("host", "example.net MX", "example.net SPF", "example.net DMARC", "daemon",
                     "permissions"):
            self.assertEqual(self.levels(findings, area), ["good"], area)
        self.assertEqual(self.levels(findings, "example.net DKIM"), ["warning"])

    def test_each_broken_record_is_named_with_its_remedy(self):
        self.dns.records[("7.0.18.198.in-addr.arpa", "PTR")] = ["dsl-7.isp.example"]
        self.dns.records[("example.net", "MX")] = [(5, "old.example.net")]
        self.dns.records[("example.net", "TXT")] = ["v=spf1 a -all", "v=spf1 mx -all"]
        del self.dns.records[("_dmarc.example.net", "TXT")]
        findings = self.doctor()
        self.assertIn("old.example.net", findings[("example.net MX", "warning")]["text"])
        self.assertIn("mx.example.net", findings[("example.net MX", "warning")]["remedy"])
        self.assertIn("dsl-7.isp.example", findings[("host", "warning")]["text"])
        self.assertIn("more than one", findings[("example.net SPF", "bad")]["text"])
        dmarc = findings[("example.net DMARC", "warning")]
        self.assertIn("_dmarc.example.net. TXT", dmarc["remedy"])

    def test_a_dns_that_fails_is_told_apart_from_missing_records(self):
        self.dns.records[("example.net", "MX")] = "SERVFAIL"
        self.assertEqual(self.levels(self.doctor(), "example.net MX"), ["skipped"])

    def configure(self, name, text):
        """For the command line, until the test's end."""
        os.makedirs(f"{self.gateway.folder}/local.d", exist_ok=True)
        path = f"{self.gateway.folder}/local.d/{name}.yaml"
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
        self.addCleanup(pathlib.Path(path).unlink, missing_ok=True)

    def test_a_report_address_that_is_a_mailbox(self):
        self.configure("filter", "filter: {report_spam: [Alice@example.net, no@example.net]}\n")
        findings = self.doctor()
        self.assertIn("alice@example.net", findings[("report address", "bad")]["text"])
        self.configure("filter", "filter: {report_spam: [no@example.net]}\n")
        self.assertEqual(self.levels(self.doctor(), "report address"), [])

    def test_the_dkim_key_in_the_dns_must_be_ours(self):
        key = f"{self.gateway.folder}/dkim.pem"
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", key], check=True)
        os.chmod(key, 0o640)
        self.configure("dkim", f'dkim:\n  keys: {{example.net: "s1:{key}"}}\n')
        der = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"],
                             check=True, capture_output=True).stdout
        value = base64.b64encode(der[-32:]).decode()
        name = ("s1._domainkey.example.net", "TXT")
        self.assertIn(f's1._domainkey.example.net. TXT "v=DKIM1; k=ed25519; p={value}"\n',
                      self.gateway.cli("domain", "records", "example.net").stdout)
        self.assertEqual(self.levels(self.doctor(), "example.net DKIM"), ["bad"])
        self.dns.records[name] = [f"v=DKIM1; k=ed25519; p={value[:20]} {value[20:]}"]
        self.assertEqual(self.levels(self.doctor(), "example.net DKIM"), ["good"])
        self.dns.records[name] = ["v=DKIM1; k=ed25519; p=" + "A" * 44]
        self.assertEqual(self.levels(self.doctor(), "example.net DKIM"), ["bad"])
        os.chmod(key, 0o644)
        self.assertIn("open to everybody", self.doctor()[("permissions", "bad")]["text"])

    def trace(self, what):
        return self.gateway.cli("log", "trace", what, self.gateway.log).stdout

    def test_a_message_is_followed_from_accept_to_mailbox(self):
        with smtplib.SMTP("127.0.0.1", self.gateway.ports["smtp"]) as client:
            client.ehlo()
            client.mail("s@remote.example")
            client.rcpt("alice@example.net")
            self.assertEqual(client.rcpt("nobody@example.net")[0], 550)
            mail = message("traced", **{"Message-ID": "<traced-1@remote.example>"})
            code, reply = client.data(mail)
            self.assertEqual(code, 250)
            client.sendmail("other@remote.example", ["bob@example.net"],
                            message("another", **{"Message-ID": "<traced-2@remote.example>"}))
        self.wait_for(lambda: "traced-2@" in self.gateway.log_text(), "log")
        by_id = self.trace("<TRACED-1@remote.example>")
        self.assertIn("mailbox=INBOX", by_id)
        self.assertIn("uid=", by_id)
        self.assertIn("nobody@example.net", by_id)  # refused in the same session
        self.assertNotIn("traced-2", by_id)
        own = by_id.split(" id=")[1].split()[0]
        self.assertIn(own.encode(), reply)
        self.assertEqual(self.trace(own), by_id)
        self.assertIn("traced-2@", self.trace("bob@example.net"))
        self.assertNotIn("traced-2@", self.trace("alice@example.net"))
        none = self.gateway.cli("log", "trace", "nothing@x.example", self.gateway.log, check=False)
        self.assertEqual(none.returncode, 1)

    def test_each_copy_for_several_is_told(self):
        with smtplib.SMTP("127.0.0.1", self.gateway.ports["smtp"]) as client:
            client.sendmail("s@remote.example", ["alice@example.net", "carol@example.net"],
                            message("twice", **{"Message-ID": "<twice@remote.example>"}))
        self.wait_for(lambda: self.trace("<twice@remote.example>").count("copy delivered") == 2,
                      "two copies")


if __name__ == "__main__":
    unittest.main()
