#!/usr/bin/env python3
"""What the daemon answers over HTTP: settings for mail programs, policy, health, metrics."""

import http.client
import json
import os
import plistlib
import re
import smtplib
import socket
import unittest
import urllib.parse
import xml.etree.ElementTree as ET

from base import ROOT, E2eTest, message, trusting_tls

OUTLOOK = ('<?xml version="1.0" encoding="utf-8"?><Autodiscover xmlns="http://schemas.microsoft.com'
           '/exchange/autodiscover/outlook/requestschema/2006"><Request><EMailAddress>{}'
           "</EMailAddress></Request></Autodiscover>")


class WebTest(E2eTest):
    settings = "web:\n  mta_sts: enforce\n"

    def ask(self, path, service="https", method="GET", body=None, host="mx.example.net"):
        port = self.gateway.ports[service]
        if service == "https":
            connection = http.client.HTTPSConnection("127.0.0.1", port, context=trusting_tls())
        else:
            connection = http.client.HTTPConnection("127.0.0.1", port)
        connection.request(method, path, body=body, headers={"Host": host})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer, text

    def test_thunderbird_is_told_the_servers(self):
        for service in ("http", "https"):
            answer, text = self.ask("/mail/config-v1.1.xml?emailaddress=alice%40example.net",
                                    service, host="autoconfig.example.net")
            self.assertEqual(answer.status, 200)
            tree = ET.fromstring(text)
            kinds = [(each.tag, each.get("type"), each.find("port").text)
                     for each in tree.iter() if each.get("type")]
            ports = self.gateway.ports
            expected = [("incomingServer", "imap", "imaps"), ("incomingServer", "imap", "imap"),
                        ("incomingServer", "pop3", "pop3s"), ("incomingServer", "pop3", "pop3"),
                        ("outgoingServer", "smtp", "submissions"),
                        ("outgoingServer", "smtp", "submission")]
            self.assertEqual(kinds, [(tag, kind, str(ports[name]))
                                     for tag, kind, name in expected])
        answer, _ = self.ask("/.well-known/autoconfig/mail/config-v1.1.xml", host="example.net")
        self.assertEqual(answer.status, 200)
        answer, _ = self.ask("/mail/config-v1.1.xml?emailaddress=a@elsewhere.example")
        self.assertEqual(answer.status, 404)

    def test_outlook_is_told_the_servers(self):
        path = "/Autodiscover/Autodiscover.xml"
        answer, text = self.ask(path, method="POST", body=OUTLOOK.format("alice@example.net"))
        self.assertEqual(answer.status, 200)
        names = [each.text for each in ET.fromstring(text).iter() if each.tag.endswith("}Type")]
        self.assertEqual(names, ["IMAP", "POP3", "SMTP"])
        self.assertEqual(self.ask(path, method="POST", body="nonsense")[0].status, 400)
        foreign = OUTLOOK.format("a@elsewhere.example")
        self.assertEqual(self.ask(path, method="POST", body=foreign)[0].status, 404)
        self.assertEqual(self.ask(path)[0].status, 405)
        self.assertEqual(self.ask(path, "http", "POST", OUTLOOK)[0].status, 403)

    def test_apple_gets_a_profile(self):
        address = urllib.parse.quote("alice@example.net")
        answer, text = self.ask(f"/apple.mobileconfig?email={address}")
        self.assertEqual(answer.getheader("Content-Type"), "application/x-apple-aspen-config")
        profile = plistlib.loads(text)
        self.assertEqual(profile["PayloadContent"][0]["EmailAccountType"], "EmailTypeIMAP")
        answer, text = self.ask(f"/apple.mobileconfig?email={address}&protocol=pop3")
        profile = plistlib.loads(text)
        self.assertEqual(profile["PayloadContent"][0]["EmailAccountType"], "EmailTypePOP")

    def test_the_policy_is_told_over_tls_for_our_domains(self):
        path = "/.well-known/mta-sts.txt"
        answer, text = self.ask(path, host="mta-sts.example.net")
        self.assertEqual(answer.status, 200)
        self.assertIn(b"mode: enforce\r\nmx: mx.example.net\r\n", text)
        self.assertEqual(self.ask(path, host="mta-sts.other.example")[0].status, 404)
        self.assertEqual(self.ask(path, "http", host="mta-sts.example.net")[0].status, 404)

    def test_acme_challenges_are_answered_and_nothing_else_is_read(self):
        folder = f"{self.gateway.data}/acme/.well-known/acme-challenge"
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/token-1", "w", encoding="ascii") as file:
            file.write("token-1.thumbprint")
        prefix = "/.well-known/acme-challenge/"
        self.assertEqual(self.ask(prefix + "token-1", "http")[1], b"token-1.thumbprint")
        for bad in ("", "none", "..", "%2e%2e%2f%2e%2e%2f%2e%2e%2fsrs.key", "token-1%00",
                    "a" * 257):
            self.assertEqual(self.ask(prefix + bad, "http")[0].status, 404, bad)

    def test_health_and_metrics(self):
        with smtplib.SMTP("127.0.0.1", self.gateway.ports["smtp"]) as client:
            client.sendmail("s@remote.example", "alice@example.net", message())
        answer, text = self.ask("/health", "metrics")
        self.assertIn(answer.status, (200, 503))
        self.assertIn(b'"area":"disk"', text)
        answer, text = self.ask("/metrics", "metrics")
        self.assertEqual(answer.status, 200)
        samples = dict(line.rsplit(" ", 1) for line in text.decode().splitlines()
                       if not line.startswith("#"))
        self.assertGreaterEqual(float(samples["postern_messages_accepted_total"]), 1)
        self.assertIn('postern_connections{protocol="imap"}', samples)
        self.assertGreater(float(samples["postern_certificate_expires_seconds"]), 1.7e9)
        # Not on the public listeners.
        self.assertEqual(self.ask("/metrics", "http")[0].status, 404)

    def test_the_dashboard_shows_what_there_is(self):
        with open(f"{ROOT}/appliance/etc/grafana-dashboard.json", encoding="utf-8") as file:
            wanted = set(re.findall(r"postern_\w+", json.dumps(
                [panel["targets"] for panel in json.load(file)["panels"]])))
        text = self.ask("/metrics", "metrics")[1].decode()
        self.assertLessEqual(wanted, set(re.findall(r"^(postern_\w+)", text, re.MULTILINE)))
        self.assertGreater(len(wanted), 5)

    def test_a_broken_request_is_answered_and_hurts_nobody(self):
        with socket.create_connection(("127.0.0.1", self.gateway.ports["http"])) as raw:
            raw.sendall(b"\x00\xff" * 50 + b"\r\n\r\n")
            self.assertTrue(raw.recv(100).startswith(b"HTTP/1.1 400 "))
        self.assertEqual(self.ask("/", "http")[0].status, 404)


if __name__ == "__main__":
    unittest.main()
