#!/usr/bin/env python3
"""MTA-STS: policies over HTTPS, kept by servers that are good and broken."""

import http.server
import shutil
import smtplib
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

from base import PASSWORD, ROOT, E2eTest, message, trusting_tls

sys.path.insert(0, f"{ROOT}/tests/support")

from dns_server import DnsServer  # noqa: E402
from smtp_sink import SmtpSink  # noqa: E402

REMOTE = "127.0.0.2"


class Authority:
    """A certificate authority of our own."""

    def __init__(self, folder):
        self.folder = folder
        self.file = f"{folder}/ca.pem"
        self.run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                 "/CN=Test Authority", "-keyout", f"{folder}/ca.key", "-out", self.file)

    @staticmethod
    def run(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def context(self, name):
        """For a server with a certificate of that name."""
        path = f"{self.folder}/{name}"
        self.run("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout",
                 f"{path}.key", "-out", f"{path}.csr")
        with open(f"{path}.ext", "w", encoding="ascii") as file:
            file.write(f"subjectAltName=DNS:{name}\n")
        self.run("x509", "-req", "-in", f"{path}.csr", "-CA", self.file, "-CAkey",
                 f"{self.folder}/ca.key", "-CAcreateserial", "-days", "2", "-extfile",
                 f"{path}.ext", "-out", f"{path}.pem")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{path}.pem", f"{path}.key")
        return context


class PolicyServer:
    """HTTPS with one policy; `status` and `content_type` may be made wrong."""

    def __init__(self, address, context):
        self.policy, self.status, self.content_type = "", 200, "text/plain"
        self.asked = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                good = self.path == "/.well-known/mta-sts.txt"
                self.send_response(outer.status if good else 404)
                self.send_header("Content-Type", outer.content_type)
                self.end_headers()
                self.wfile.write(outer.policy.encode())

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class MtaSts(E2eTest):
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

    def send(self):
        with smtplib.SMTP("127.0.0.1", self.gateway.ports["submission"], timeout=60) as client:
            client.starttls(context=trusting_tls())
            client.login("bob@example.net", PASSWORD)
            client.sendmail("bob@example.net", ["ann@remote.example"],
                            message("out", sender="bob@example.net"))

    def arrives(self):
        self.send()
        self.wait_for(lambda: self.sink.messages, "the message")
        self.wait_for(lambda: not self.queue(), "an empty queue")

    def waits(self, reason):
        """The message stays in the queue for that reason; it is deleted."""
        self.send()
        self.wait_for(lambda: self.queue() and any(
            reason in str(each) for each in self.queue()), reason)
        self.assertEqual(self.sink.messages, [])
        for each in self.queue():
            self.gateway.cli("queue", "delete", each["id"])

    def queue(self):
        return self.gateway.cli_json("queue", "list")["messages"]

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
        del self.records[("_mta-sts.remote.example", "TXT")]
        self.waits("TLS")
        self.web.status = 200
        self.publish("third", mode="none")
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
