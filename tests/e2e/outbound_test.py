#!/usr/bin/env python3
"""Mail to other servers: an internet in a box, with DNS and receiving servers of our own."""

import concurrent.futures
import email
import email.policy
import re
import smtplib
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from base import PASSWORD, message, trusting_tls
from outbound_base import REMOTE, SECOND, OutboundTest, SmtpSink

def tls_context(folder, address=REMOTE):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=mx.remote.example", "-addext",
                    f"subjectAltName=IP:{address}", "-keyout", f"{folder}/key",
                    "-out", f"{folder}/cert"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/cert", f"{folder}/key")
    return context


class Delivery(OutboundTest):
    def test_to_the_mx(self):
        self.submit("ann@remote.example", "Carl@remote.example")
        self.wait_for(lambda: self.sink.messages, "the message")
        self.wait_for_empty_queue()
        [(sender, recipients, content, _)] = self.sink.messages
        self.assertTrue(sender.startswith("MAIL FROM:<bob@example.net>"))
        self.assertEqual([r.split(">")[0] for r in recipients],
                         ["RCPT TO:<ann@remote.example", "RCPT TO:<Carl@remote.example"])
        self.assertRegex(content, rb"\AReceived: from ")
        self.assertNotIn(b"Return-Path", content)
        self.assertNotIn(b"X-Spam", content)
        self.assertTrue(content.endswith(b"A line.\r\n"))

    def test_the_next_mx_where_the_first_is_dead(self):
        with SmtpSink(SECOND, self.sink.port) as second:
            self.submit("ann@second.example")
            self.wait_for(lambda: second.messages, "the message")
        self.wait_for_empty_queue()

    def test_the_next_mx_where_the_first_breaks_down(self):
        for step in ("connect", "ehlo", "mail", "rcpt", "data"):
            with self.subTest(step=step), SmtpSink(SECOND, self.sink.port) as second:
                self.sink.behave = lambda at, _, step=step: "drop" if at == step else None
                self.submit("ann@pair.example")
                self.wait_for(lambda: second.messages, "the message")
                self.wait_for_empty_queue()
                self.assertEqual(self.sink.messages, [])

    def test_what_the_first_mx_may_have_is_not_given_to_the_next(self):
        dropped = []
        with SmtpSink(SECOND, self.sink.port) as second:
            def behave(at, _):
                if at == "message" and not dropped:
                    dropped.append(1)
                    return "drop"
                return None
            self.sink.behave = behave
            self.submit("ann@pair.example")
            self.wait_for(lambda: self.sink.messages, "the message")
            self.wait_for_empty_queue()
            self.assertEqual(second.messages, [])

    def test_the_next_mx_where_the_first_lacks_an_extension(self):
        with SmtpSink(SECOND, self.sink.port, extensions=["SMTPUTF8"]) as second:
            self.submit("jürgen@pair.example", mail_options=["SMTPUTF8"])
            self.wait_for(lambda: second.messages, "the message")
            self.wait_for_empty_queue()
        # Without it what the first one lacks is known.
        self.empty("bob")
        self.submit("jürgen@pair.example", mail_options=["SMTPUTF8"])
        self.assertIn("Status: 5.6.7", self.status(self.report()))
        self.wait_for_empty_queue()

    def test_addresses_of_both_kinds_are_tried(self):
        self.submit("ann@six.example")
        self.wait_for(lambda: self.sink.messages, "the message", 120)
        self.wait_for_empty_queue()

    def test_address_literals(self):
        self.submit(f"ann@[{REMOTE}]")
        self.wait_for(lambda: self.sink.messages, "the message")
        self.wait_for_empty_queue()
        self.submit("ann@[IPv6:::1]")
        [waiting] = self.wait_for(
            lambda: [m for m in self.queue() if m["recipients"][0]["reason"]], "a reason")
        self.assertIn("we could not send it to ::1: 4.4.1 ", waiting["recipients"][0]["reason"])
        self.gateway.cli("queue", "delete", waiting["id"])
        self.wait_for_empty_queue()

    def test_a_domain_without_mx(self):
        self.submit("ann@implicit.example")
        self.wait_for(lambda: self.sink.messages, "the message")

    def test_local_and_remote_at_once(self):
        self.empty("alice")
        self.submit("ann@remote.example", "alice@example.net")
        self.wait_for(lambda: self.sink.messages, "the message")
        self.assertEqual(len(self.inbox("alice")), 1)

    def test_missing_fields_are_added(self):
        self.submit("ann@remote.example", content=b"Subject: bare\r\n\r\ntext\r\n")
        self.wait_for(lambda: self.sink.messages, "the message")
        self.assertRegex(self.sink.messages[0][2],
                         rb"\r\nDate: [^\r]*\r\nMessage-ID: <[^\r]*@mx\.example\.net>\r\nSubject")

    def test_dots_and_8bit_arrive_as_they_were(self):
        body = "..\r\n.\r\n. x\r\n" + "é" * 300 + "\r\n"
        content = message("dots", body)
        self.submit("ann@remote.example", content=content)
        self.wait_for(lambda: self.sink.messages, "the message")
        self.assertTrue(self.sink.messages[0][2].endswith(content.split(b"\r\n\r\n", 1)[1]))

    def test_8bit_mail_for_a_server_without_8bitmime(self):
        self.sink.eight_bit = False
        body = "..\r\n.\r\n. x=\r\n" + "é" * 300 + " \r\n"
        self.submit("ann@remote.example", content=message("dots", body))
        self.wait_for(lambda: self.sink.messages, "the message")
        sender, _, content, _ = self.sink.messages[0]
        self.assertNotIn("BODY=", sender)
        self.assertTrue(content.isascii())
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        self.assertEqual(parsed.get_payload(decode=True).decode(), body)
        self.wait_for(lambda: "missing=8BITMIME" in self.gateway.log_text(), "the log line")

    def test_what_cannot_be_converted_bounces(self):
        self.empty("bob")
        self.sink.eight_bit = False
        self.submit("ann@remote.example", content=(
            "From: bob@example.net\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\né\r\n--b\r\n"
            "Content-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n").encode())
        report = self.report()
        status = self.status(report)
        self.assertIn("Status: 5.6.3", status)
        # The server was never asked.
        self.assertIn("Diagnostic-Code: X-Postern; we could not send it to mx.remote.example"
                      f"[{REMOTE}]: 5.6.3 ", status)
        self.assertNotIn("Remote-MTA", status)
        self.assertIn("    we could not send it to mx.remote.example",
                      report.get_payload(0).get_payload())
        self.assertEqual(self.sink.messages, [])
        self.wait_for_empty_queue()

    def test_internationalised_mail_for_a_server_without_smtputf8(self):
        self.empty("bob")
        self.submit("ann@remote.example", "carl@remote.example", content=message("Grüße"),
                    mail_options=["SMTPUTF8", "BODY=8BITMIME"])
        self.wait_for(lambda: self.sink.messages, "the message")
        self.assertNotIn("SMTPUTF8", self.sink.messages[0][0])
        self.assertIn(b"Subject: =?UTF-8?B?R3LDvMOfZQ==?=\r\n", self.sink.messages[0][2])
        self.wait_for_empty_queue()

    def test_what_asks_for_smtputf8_and_does_not_need_it(self):
        self.addCleanup(setattr, self.sink, "extensions", [])
        body = "é" * 10 + "\r\n"
        for offers in ([], ["SMTPUTF8"]):
            with self.subTest(offers=offers):
                self.sink.extensions = offers
                self.sink.messages.clear()
                self.submit("ann@remote.example", content=message("plain", body),
                            mail_options=["SMTPUTF8", "BODY=8BITMIME"])
                self.wait_for(lambda: self.sink.messages, "the message")
                self.assertTrue(self.sink.messages[0][0].endswith(" BODY=8BITMIME"))
                self.assertTrue(self.sink.messages[0][2].endswith(body.encode()))
                self.wait_for_empty_queue()

    def test_what_needs_smtputf8_says_so(self):
        self.addCleanup(setattr, self.sink, "extensions", [])
        self.sink.extensions = ["SMTPUTF8"]
        inner = ("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
                 "Content-Description: é\r\n\r\nx\r\n--b--\r\n")
        for to, content in (("ann@remote.example", message("Grüße")),
                            ("jürgen@remote.example", message("plain")),
                            ("ann@remote.example", inner.encode())):
            with self.subTest(to=to):
                self.sink.messages.clear()
                self.submit(to, content=content, mail_options=["SMTPUTF8", "BODY=8BITMIME"])
                self.wait_for(lambda: self.sink.messages, "the message")
                self.assertTrue(self.sink.messages[0][0].endswith(" SMTPUTF8"))
                self.wait_for_empty_queue()

    def test_one_internationalised_address_does_not_stop_the_others(self):
        self.empty("bob")
        self.submit("jürgen@remote.example", "carl@remote.example",
                    mail_options=["SMTPUTF8"])
        self.assertIn("Status: 5.6.7", self.status(self.report()))
        self.assertEqual(self.sink.messages[0][1], ["RCPT TO:<carl@remote.example>"])
        self.wait_for_empty_queue()

    def test_only_own_addresses(self):
        with self.assertRaises(smtplib.SMTPSenderRefused) as refused:
            with smtplib.SMTP("127.0.0.1", self.gateway.ports["submission"], timeout=60) as client:
                client.starttls(context=trusting_tls())
                client.login("bob@example.net", PASSWORD)
                client.sendmail("alice@example.net", ["ann@remote.example"], message())
        self.assertEqual(refused.exception.smtp_code, 550)

    def test_no_open_relay(self):
        with self.gateway.smtp() as client:
            client.ehlo()
            client.mail("x@remote.example")
            self.assertEqual(client.rcpt("ann@remote.example")[0], 550)

    def test_an_alias_forwards(self):
        self.gateway.cli("alias", "add", "away@example.net", "ann@remote.example",
                         "carol@example.net")
        self.empty("carol")
        with self.gateway.smtp() as client:
            client.sendmail("x@elsewhere.example", ["away@example.net"], message("forwarded"))
        self.wait_for(lambda: self.sink.messages, "the message")
        sender = re.match("MAIL FROM:<([^>]*)>", self.sink.messages[0][0])[1]
        self.assertRegex(sender, r"^SRS0=\w+=\w\w=elsewhere\.example=x@example\.net$")
        inbox = self.inbox("carol") + self.inbox("carol", "Junk")
        self.assertEqual(len(inbox), 1)
        self.assertTrue(inbox[0].startswith(b"Return-Path: <x@elsewhere.example>"))

    def test_a_bounce_of_forwarded_mail_finds_its_way_back(self):
        self.gateway.cli("alias", "add", "gone@example.net", "ann@remote.example")
        with self.gateway.smtp() as client:
            client.sendmail("x@second.example", ["gone@example.net"], message("forwarded"))
        self.wait_for(lambda: self.sink.messages, "the message")
        sender = re.match("MAIL FROM:<([^>]*)>", self.sink.messages[0][0])[1]
        with SmtpSink(SECOND, self.sink.port) as second:
            with self.gateway.smtp() as client:
                client.ehlo()
                client.mail("spammer@remote.example")
                self.assertEqual(client.rcpt(sender)[0], 550, "bounces alone")
                client.rset()
                client.mail("<>")
                self.assertEqual(client.rcpt(sender.replace("=", "=a", 1))[0], 550, "forged")
                self.assertEqual(client.rcpt(sender.lower())[0], 250)
                self.assertEqual(client.data(message("a bounce"))[0], 250)
            self.wait_for(lambda: second.messages, "the bounce")
            self.assertEqual(second.messages[0][1], ["RCPT TO:<x@second.example>"])
            self.assertTrue(second.messages[0][0].startswith("MAIL FROM:<>"))

    def test_one_connection_for_many(self):
        before = self.sink.connections
        for _ in range(20):
            self.submit("ann@remote.example")
        self.wait_for(lambda: len(self.sink.messages) == 20, "all messages")
        self.assertLessEqual(self.sink.connections - before, 20)
        self.wait_for_empty_queue()


class Failures(OutboundTest):
    def test_a_refused_recipient_bounces_once(self):
        self.empty("bob")
        self.sink.behave = lambda step, argument: (
            "550 5.1.1 no such user" if step == "rcpt" and "ann" in argument else None)
        self.submit("ann@remote.example", "carl@remote.example")
        report = self.report()
        self.assertIn("Final-Recipient: rfc822;ann@remote.example", self.status(report))
        self.assertIn("Status: 5.1.1", self.status(report))
        self.assertIn("Remote-MTA: dns; mx.remote.example\n"
                      "Diagnostic-Code: smtp; 550 5.1.1 no such user", self.status(report))
        self.assertIn("    mx.remote.example said: 550 5.1.1 no such user",
                      report.get_payload(0).get_payload())
        self.assertNotIn("carl@", self.status(report))
        self.assertEqual(len(self.sink.messages), 1)
        self.wait_for_empty_queue()
        time.sleep(0.5)
        self.assertEqual(self.inbox("bob"), [])

    def test_greylisting(self):
        seen = []

        def behave(step, argument):
            if step == "rcpt" and len(seen) < 2:
                seen.append(argument)
                return "450 4.7.1 come back later"
            return None
        self.sink.behave = behave
        self.submit("ann@remote.example")
        waiting = self.wait_for(lambda: [m for m in self.queue() if m["recipients"][0]["reason"]],
                                "a reason")
        self.assertEqual(f"mx.remote.example[{REMOTE}] said: 450 4.7.1 come back later",
                         waiting[0]["recipients"][0]["reason"])
        self.wait_for(lambda: len(self.sink.messages) == 1, "the message")
        self.wait_for_empty_queue()

    def test_a_server_that_turns_everybody_away(self):
        self.sink.behave = lambda step, _: "554 5.7.1 not now" if step == "connect" else None
        self.submit("ann@remote.example")
        [waiting] = self.wait_for(
            lambda: [m for m in self.queue() if m["recipients"][0]["reason"]], "a reason")
        self.assertEqual(f"mx.remote.example[{REMOTE}] said: 554 5.7.1 not now",
                         waiting["recipients"][0]["reason"])
        self.sink.behave = lambda step, _: None
        self.wait_for(lambda: self.sink.messages, "the message")
        self.wait_for_empty_queue()

    def test_dropped_at_each_step(self):
        for step in ("connect", "ehlo", "mail", "rcpt", "data", "message"):
            with self.subTest(step=step):
                self.sink.messages.clear()
                dropped = []

                def behave(at, _, step=step, dropped=dropped):
                    if at == step and not dropped:
                        dropped.append(1)
                        return "drop"
                    return None
                self.sink.behave = behave
                self.submit("ann@remote.example")
                self.wait_for(lambda: self.sink.messages, f"delivery after a drop at {step}")
                self.wait_for_empty_queue()
                self.assertEqual(len(self.sink.messages), 1)

    def test_domains_without_mail(self):
        for domain, status in (("nomail.example", "5.1.10"), ("nowhere.example", "5.1.2")):
            with self.subTest(domain=domain):
                self.empty("bob")
                self.submit(f"ann@{domain}")
                self.assertIn(f"Status: {status}", self.status(self.report()))
        self.wait_for_empty_queue()

    def test_a_domain_whose_servers_are_this_gateway(self):
        self.empty("bob")
        self.submit("ann@ours.example")
        status = self.status(self.report())
        self.assertIn("Status: 5.4.6", status)
        self.assertIn("Diagnostic-Code: X-Postern; we could not send it: 5.4.6 ", status)
        self.assertNotIn("Remote-MTA", status)
        self.wait_for_empty_queue()
        self.assertEqual(self.sink.messages, [])

    def test_only_servers_nearer_than_this_gateway(self):
        with SmtpSink(SECOND, self.sink.port) as as_far:
            self.submit("ann@backed.example")
            [waiting] = self.wait_for(
                lambda: [m for m in self.queue() if m["recipients"][0]["attempts"] > 1], "attempts")
            self.assertIn("we could not send it to dead.second.example[127.0.0.9]: 4.4.1 ",
                          waiting["recipients"][0]["reason"])
            self.assertEqual(as_far.messages + self.sink.messages, [])
        self.gateway.cli("queue", "delete", waiting["id"])
        self.wait_for_empty_queue()

    def test_dns_that_fails_is_tried_again(self):
        self.submit("ann@broken.example")
        [waiting] = self.wait_for(
            lambda: [m for m in self.queue() if m["recipients"][0]["reason"]], "a reason")
        self.assertIn("DNS", waiting["recipients"][0]["reason"])
        self.gateway.cli("queue", "delete", waiting["id"])
        self.wait_for_empty_queue()

    def test_success_reports(self):
        self.empty("bob")
        self.submit("ann@remote.example", mail_options=["ENVID=abc", "RET=HDRS"],
                    rcpt_options=["NOTIFY=SUCCESS", "ORCPT=rfc822;ann@remote.example"])
        report = self.report()
        self.assertIn("Action: relayed", self.status(report))
        self.assertIn("Original-Envelope-Id: abc", self.status(report))
        self.submit("alice@example.net", rcpt_options=["NOTIFY=SUCCESS"])
        self.assertIn("Action: delivered", self.status(self.report()))

    def test_never_means_never(self):
        self.empty("bob")
        self.sink.behave = lambda step, argument: "550 no" if step == "rcpt" else None
        self.submit("ann@remote.example", rcpt_options=["NOTIFY=NEVER"])
        self.wait_for_empty_queue()
        time.sleep(0.3)
        self.assertEqual(self.inbox("bob"), [])


class GivingUp(OutboundTest):
    # The second or third attempt is late, and not yet the last, whatever chance puts between them.
    outbound = "  give_up_after_s: 6\n  delay_notice_after_s: 1\n"

    def test_a_notice_and_then_the_message_back(self):
        self.empty("bob")
        self.sink.behave = lambda step, argument: "451 4.3.0 not now" if step == "mail" else None
        self.submit("ann@remote.example")

        def reports():
            found = self.inbox("bob") + self.inbox("bob", "Junk")
            return found if len(found) == 2 else None
        late, failed = (email.message_from_bytes(each)
                        for each in self.wait_for(reports, "two reports"))
        self.assertIn("Action: delayed", self.status(late))
        self.assertIn("Will-Retry-Until", self.status(late))
        self.assertIn("Action: failed", self.status(failed))
        self.assertIn("Status: 5.4.7", self.status(failed))
        self.wait_for_empty_queue()


class Tools(OutboundTest):
    retry = "  retry_first_s: 3600\n  retry_longest_s: 3600\n"

    def test_hold_release_retry_delete(self):
        self.sink.behave = lambda step, argument: "451 later" if step == "mail" else None
        self.submit("ann@remote.example")
        [waiting] = self.wait_for(
            lambda: [m for m in self.queue() if m["recipients"][0]["attempts"]], "an attempt")
        short = waiting["id"][:12]
        self.assertIn("451 later", self.gateway.cli("queue", "list").stdout)
        self.assertIn("Subject: out", self.gateway.cli("queue", "show", short).stdout)
        self.gateway.cli("queue", "hold", short)
        self.assertTrue(self.queue()[0]["held"])
        self.sink.behave = lambda step, argument: None
        self.gateway.cli("queue", "flush")
        time.sleep(0.5)
        self.assertEqual(self.sink.messages, [])
        self.gateway.cli("queue", "release", short)
        self.wait_for(lambda: self.sink.messages, "the message")
        self.wait_for_empty_queue()
        missing = self.gateway.cli("queue", "retry", short, check=False)
        self.assertEqual(missing.returncode, 1)
        self.assertIn("queue list", missing.stderr)
        self.assertEqual(self.gateway.cli("queue", "retry", check=False).returncode, 64)

    def test_recipients_beyond_the_servers_limit_go_at_once(self):
        asked = []

        def behave(step, argument):
            if step == "mail":
                asked.clear()
            if step == "rcpt":
                asked.append(argument)
                if len(asked) > 2:
                    return "452 4.5.3 too many recipients"
            return None
        self.sink.behave = behave
        self.submit(*(f"ann{i}@remote.example" for i in range(5)))
        self.wait_for_empty_queue()
        self.assertEqual([len(each[1]) for each in self.sink.messages], [2, 2, 1])

    def test_recipients_beyond_the_limit_wait_where_none_is_taken(self):
        self.sink.behave = lambda step, _: "452 4.5.3 too many" if step == "rcpt" else None
        self.submit("ann@remote.example")
        [waiting] = self.wait_for(
            lambda: [m for m in self.queue() if m["recipients"][0]["reason"]], "a reason")
        self.assertEqual(waiting["recipients"][0]["attempts"], 1)
        time.sleep(1)
        self.assertEqual(self.queue()[0]["recipients"][0]["attempts"], 1)
        self.gateway.cli("queue", "delete", waiting["id"])
        self.wait_for_empty_queue()

    def test_restart_keeps_the_queue(self):
        self.sink.behave = lambda step, argument: "451 later" if step == "mail" else None
        self.submit("ann@remote.example")
        self.wait_for(lambda: [m for m in self.queue() if m["recipients"][0]["attempts"]],
                      "an attempt")
        self.gateway.kill()
        self.gateway.start()
        self.sink.behave = lambda step, argument: None
        self.gateway.cli("queue", "retry", "--all")
        self.wait_for(lambda: self.sink.messages, "the message")
        self.wait_for_empty_queue()


class Tls(OutboundTest):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        super().setUpClass()
        cls.sink.context = tls_context(cls.folder.name)
        cls.sink.extensions = ["SMTPUTF8", "DSN"]

    def test_tls_where_it_is_offered(self):
        self.submit("ann@remote.example")
        self.wait_for(lambda: self.sink.messages, "the message")
        self.assertTrue(self.sink.messages[0][3])
        self.assertRegex(self.gateway.log_text(), r"delivered .*tls=TLSv1\.3")


class RequireTls(OutboundTest):
    """RFC 8689: a server whose name and certificate are beyond doubt, or none."""

    @classmethod
    def setUpClass(cls):
        folders = [tempfile.TemporaryDirectory() for _ in range(2)]
        for folder in folders:
            cls.addClassCleanup(folder.cleanup)
        contexts = [tls_context(folder.name, "127.0.0.1") for folder in folders]
        cls.good, cls.forged = (SmtpSink("127.0.0.1", context=context, extensions=["REQUIRETLS"])
                                for context in contexts)
        cls.addClassCleanup(cls.good.close)
        cls.addClassCleanup(cls.forged.close)
        cls.outbound = (f"  ca_file: {folders[0].name}/cert\n"
                        f'  transports: {{good.example: "smtp:127.0.0.1:{cls.good.port}", '
                        f'forged.example: "smtp:127.0.0.1:{cls.forged.port}"}}\n')
        super().setUpClass()

    def test_a_verified_server(self):
        self.submit("ann@good.example", mail_options=["REQUIRETLS"])
        self.wait_for(lambda: self.good.messages, "the message")
        sender, _, _, tls = self.good.messages[0]
        self.assertIn(" REQUIRETLS", sender)
        self.assertTrue(tls)
        self.wait_for_empty_queue()

    def test_anybodys_certificate_will_not_do(self):
        self.submit("ann@forged.example", mail_options=["REQUIRETLS"])
        [waiting] = self.wait_for(
            lambda: [m for m in self.queue() if m["recipients"][0]["reason"]], "a reason")
        self.assertIn("TLS handshake failed", waiting["recipients"][0]["reason"])
        self.submit("bea@forged.example")
        self.wait_for(lambda: self.forged.messages, "mail that does not ask for it")
        [(_, [recipient], _, _)] = self.forged.messages
        self.assertIn("bea@", recipient)
        self.gateway.cli("queue", "delete", waiting["id"])
        self.wait_for_empty_queue()

    def test_a_server_that_does_not_promise_it(self):
        self.empty("bob")
        self.addCleanup(setattr, self.good, "extensions", ["REQUIRETLS"])
        self.good.extensions = []
        self.good.messages.clear()
        self.submit("ann@good.example", mail_options=["REQUIRETLS"])
        status = self.status(self.report())
        self.assertIn("Diagnostic-Code: X-Postern; we could not send it to 127.0.0.1: 5.7.30 ",
                      status)
        self.assertNotIn("Remote-MTA", status)
        self.assertEqual(self.good.messages, [])
        self.wait_for_empty_queue()

    def test_a_domain_that_nothing_vouches_for(self):
        self.empty("bob")
        self.submit("ann@remote.example", mail_options=["REQUIRETLS", "RET=FULL"])
        report = self.report()
        self.assertIn("Status: 5.7.30", self.status(report))
        self.assertIn("Diagnostic-Code: X-Postern; we could not send it: 5.7.30 ",
                      self.status(report))
        self.assertNotIn("Remote-MTA", self.status(report))
        self.assertEqual(report.get_payload(2).get_content_type(), "text/rfc822-headers")
        self.assertEqual(self.sink.messages, [])
        self.wait_for_empty_queue()


class Signed(OutboundTest):
    """DKIM, checked by another implementation."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.key = f"{cls.folder.name}/dkim.pem"
        subprocess.run(["openssl", "genrsa", "-out", cls.key, "2048"], check=True,
                       capture_output=True)
        super().setUpClass()
        with open(cls.gateway.config, "a", encoding="utf-8") as file:
            file.write(f'dkim: {{keys: {{example.net: "s1:{cls.key}"}}}}\n')
        cls.gateway.reload()

    def public_key(self):
        pem = subprocess.run(["openssl", "rsa", "-in", self.key, "-pubout"], check=True,
                             capture_output=True, text=True).stdout
        return "v=DKIM1; k=rsa; p=" + "".join(pem.splitlines()[1:-1])

    def test_the_signature_verifies(self):
        sys.path.append("/usr/lib/python3/dist-packages")
        import dkim  # pylint: disable=import-outside-toplevel
        self.wait_for(lambda: "reloaded" in self.gateway.log_text(), "the reload")
        body = "Trailing space \r\n\ttab  and  runs\r\n..\r\n\r\n\r\n"
        content = message("Signed   words", body, sender="Bob <bob@example.net>")
        self.submit("ann@remote.example", content=content)
        self.wait_for(lambda: self.sink.messages, "the message")
        signed = self.sink.messages[0][2]
        self.assertTrue(signed.startswith(b"DKIM-Signature: "))
        key = self.public_key().encode()
        self.assertTrue(dkim.verify(signed, dnsfunc=lambda name, timeout=5: key))
        self.assertFalse(dkim.verify(signed.replace(b"tab", b"tob"),
                                     dnsfunc=lambda name, timeout=5: key))

    def test_8bit_mail_is_signed_in_a_form_that_every_server_takes(self):
        sys.path.append("/usr/lib/python3/dist-packages")
        import dkim  # pylint: disable=import-outside-toplevel
        self.wait_for(lambda: "reloaded" in self.gateway.log_text(), "the reload")
        content = message("Grüße", "Ein schöner Tag.\r\n" * 20, sender="Bób <bob@example.net>")
        key = self.public_key().encode()
        for eight_bit in (True, False):
            self.sink.messages.clear()
            self.sink.eight_bit = eight_bit
            self.submit("ann@remote.example", content=content)
            self.wait_for(lambda: self.sink.messages, "the message")
            signed = self.sink.messages[0][2]
            self.assertTrue(signed.isascii())
            self.assertTrue(dkim.verify(signed, dnsfunc=lambda name, timeout=5: key))
            parsed = email.message_from_bytes(signed, policy=email.policy.default)
            self.assertEqual(parsed["Subject"], "Grüße")
            self.assertEqual(parsed.get_content().splitlines(),
                             ["Ein schöner Tag."] * 20)


class Behind(OutboundTest):
    """The gateway as a filter in front of another server."""

    @classmethod
    def setUpClass(cls):
        cls.inner = SmtpSink("127.0.0.1", lmtp=True)
        cls.addClassCleanup(cls.inner.close)
        cls.outbound = (f'  relay_domains: ["inner.example"]\n'
                        f'  transports: {{inner.example: "lmtp:127.0.0.1:{cls.inner.port}"}}\n'
                       "  max_connections: 1\n")
        super().setUpClass()

    def test_mail_for_a_relay_domain_is_passed_on(self):
        with self.gateway.smtp() as client:
            client.sendmail("x@elsewhere.example", ["ann@inner.example", "bea@inner.example"],
                            message("filtered"))
        self.wait_for(lambda: self.inner.messages, "the message")
        _, recipients, content, _ = self.inner.messages[0]
        self.assertEqual(len(recipients), 2)
        self.assertIn(b"X-Spam-Status: ", content)
        self.assertTrue(any(re.match("LHLO ", line) for line in self.inner.commands))

    def rcpt(self, address):
        with self.gateway.smtp() as client:
            client.ehlo()
            client.mail("x@elsewhere.example")
            return client.rcpt(address)

    def test_what_the_server_behind_refuses_is_not_accepted(self):
        self.inner.behave = lambda step, argument: (
            "550 5.1.1 nobody of that name" if step == "rcpt" and "nobody" in argument else None)
        code, text = self.rcpt("nobody@inner.example")
        self.assertEqual((code, text.decode()), (550, "5.1.1 nobody of that name"))
        asked = self.inner.connections
        self.assertEqual(self.rcpt("nobody@inner.example")[0], 550)
        self.assertEqual(self.rcpt("cleo@inner.example")[0], 250)
        self.assertEqual(self.rcpt("cleo@inner.example")[0], 250)
        self.assertEqual(self.inner.connections, asked + 1, "answers are kept")

    def test_what_the_server_behind_puts_off_is_put_off_in_its_words(self):
        said = "452 4.2.2 mailbox full"
        self.inner.behave = lambda step, argument: said if step == "rcpt" else None
        code, text = self.rcpt("ivy@inner.example")
        self.assertEqual((code, text.decode()), (452, "4.2.2 mailbox full"))
        said = "421 4.3.2 going down"
        self.assertEqual(self.rcpt("ivy@inner.example")[0], 450)
        self.inner.behave = lambda step, argument: None
        self.assertEqual(self.rcpt("ivy@inner.example")[0], 250)

    def test_a_server_that_cannot_be_asked(self):
        self.inner.behave = lambda step, argument: None
        self.assertEqual(self.rcpt("dora@inner.example")[0], 250)
        self.inner.behave = lambda step, argument: "drop" if step == "connect" else None
        self.assertEqual(self.rcpt("eve@inner.example")[0], 450)
        self.assertEqual(self.rcpt("dora@inner.example")[0], 250)
        self.inner.behave = lambda step, argument: None
        self.assertEqual(self.rcpt("eve@inner.example")[0], 250)

    def test_so_many_questions_at_once_and_no_more(self):
        asked, go_on = threading.Event(), threading.Event()

        def slow(step, _):
            if step == "rcpt":
                asked.set()
                go_on.wait(30)

        self.inner.behave = slow
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            first = pool.submit(self.rcpt, "gus@inner.example")
            self.assertTrue(asked.wait(30))
            self.assertEqual(self.rcpt("hal@inner.example")[0], 450)
            go_on.set()
            self.assertEqual(first.result()[0], 250)
        self.assertEqual(self.rcpt("hal@inner.example")[0], 250)
        self.assertIn("outbound.max_connections are asking already", self.gateway.log_text())

    def test_a_refused_sender_says_nothing_of_the_recipient(self):
        self.inner.behave = lambda step, argument: "550 5.7.1 no" if step == "mail" else None
        self.assertEqual(self.rcpt("fay@inner.example")[0], 450)
        self.inner.behave = lambda step, argument: None
        self.assertEqual(self.rcpt("fay@inner.example")[0], 250)


if __name__ == "__main__":
    unittest.main()
