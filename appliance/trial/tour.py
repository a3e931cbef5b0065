#!/usr/bin/env python3
"""Shows a throw-away gateway at work on real mail. Started by appliance/quickstart, which see."""

import argparse
import hashlib
import re
import signal
import socket
import sys
import time

from gateway import PASSWORD, ROOT, Gateway, wire_form

CORPUS = f"{ROOT}/tests/corpus"
USERS = ("alice", "bob", "carol")
PORTS = {"smtp": 2525, "submission": 2587, "submissions": 2465, "lmtp": 2424,
         "imap": 2143, "imaps": 2993, "pop3": 2110, "pop3s": 2995}
MAILBOXES = ("INBOX", "Junk")
# Below these shares of right decisions something is broken, whatever the luck of the draw.
MIN_HAM_RIGHT = 0.95
MIN_SPAM_RIGHT = 0.75
ROW = "{:<44.44} {:<5} {:<7} {:<32.32} {}"


class Sent:
    """One message on its way: what it is, and what became of it."""

    def __init__(self, label, path, user):
        self.label, self.user = label, user
        self.hard = "/hard-ham" in path  # newsletters that look like spam on purpose
        with open(path, "rb") as file:
            self.content = wire_form(file.read())
        self.mailbox = self.status = ""
        self.stored = b""

    def right(self):
        return (self.mailbox == "Junk") == (self.label == "spam")

    def verdict(self):
        word = self.status.split(",")[0].strip().lower()
        return {"yes": "spam", "no": "ham"}.get(word, word)

    def reason(self):
        """The first, and so the strongest, of the symbols in X-Spam-Status."""
        tests = re.search(r"tests=\s*([^,\s]+)", self.status)
        return tests[1].replace("=", " ") if tests else "-"

    def subject(self):
        return field(self.content, "Subject") or "(no subject)"


def field(content, name):
    """An unfolded header field as printable text; empty when there is none."""
    head = content.split(b"\r\n\r\n", 1)[0]
    found = re.search(rb"(?im)^" + name.encode() + rb":((?:[^\r\n]|\r\n[ \t])*)", head)
    text = found[1].decode("utf-8", "replace") if found else ""
    text = re.sub(r"\r\n[ \t]+", " ", text)
    return "".join(c if c.isprintable() else "?" for c in text).strip()


def body_digest(content):
    """What a message is known by after header fields were added on the way."""
    return hashlib.sha256(content.split(b"\r\n\r\n", 1)[-1]).digest()


def step(text):
    print(f"\n== {text}", flush=True)


def read_index(name):
    """(label, path) of each line."""
    with open(f"{CORPUS}/{name}", encoding="ascii") as index:
        return [(line.split()[0], f"{CORPUS}/{line.split()[1]}") for line in index]


def free_ports():
    """The usual high port of each service, or 0 (any) where it is taken."""
    ports = {}
    for name, port in PORTS.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                ports[name] = port
            except OSError:
                ports[name] = 0
    return ports


def teach(gateway):
    rows = read_index("index.train")
    for label in ("ham", "spam"):
        paths = [path for word, path in rows if word == label]
        step(f"teaching the filter {len(paths)} {label} (tests/corpus/index.train)")
        gateway.cli("train", label, *paths)


def send(gateway):
    """Sends the held-out messages to the three users in turn."""
    rows = read_index("index.heldout")
    step(f"sending {len(rows)} messages that it was not taught, by SMTP")
    messages = []
    with gateway.smtp() as client:
        for number, (label, path) in enumerate(rows):
            sent = Sent(label, path, USERS[number % len(USERS)])
            client.sendmail(f"sender{number}@remote.example",
                            [f"{sent.user}@{gateway.domain}"], sent.content)
            messages.append(sent)
            if (number + 1) % 20 == 0:
                print(f"   {number + 1} accepted", flush=True)
    return messages


def read_imap(gateway, messages):
    """Fills in where each message landed; answers what is wrong."""
    step("reading everything back by IMAP")
    waiting = {(sent.user, body_digest(sent.content)): sent for sent in messages}
    wrong = []
    for user in USERS:
        with gateway.imap(user) as client:
            for mailbox in MAILBOXES:
                client.select(mailbox, readonly=True)
                parts = client.uid("FETCH", "1:*", "(BODY.PEEK[])")[1]
                for content in (part[1] for part in parts if isinstance(part, tuple)):
                    sent = waiting.pop((user, body_digest(content)), None)
                    if sent is None:
                        wrong.append(f"{user}/{mailbox} holds a message that was not sent, "
                                     "or one twice")
                        continue
                    sent.mailbox, sent.stored = mailbox, content
                    sent.status = field(content, "X-Spam-Status")
    return wrong + [f"lost: {sent.subject()} to {sent.user}" for sent in waiting.values()]


def read_pop3(gateway, messages):
    """POP3 serves the inbox: it must say the same as IMAP did."""
    step("and by POP3")
    wrong = []
    for user in USERS:
        client = gateway.pop3(user)
        by_pop3 = [b"".join(line + b"\r\n" for line in client.retr(number + 1)[1])
                   for number in range(client.stat()[0])]
        client.quit()
        by_imap = [m.stored for m in messages if m.user == user and m.mailbox == "INBOX"]
        if sorted(by_pop3) != sorted(by_imap):
            wrong.append(f"POP3 and IMAP disagree on the inbox of {user}: "
                         f"{len(by_pop3)} and {len(by_imap)} messages")
    return wrong


def show(messages):
    """The table and its sum; answers what is wrong."""
    print("\n" + ROW.format("message", "is", "verdict", "strongest reason", "landed in"))
    for sent in messages:
        mark = "" if sent.right() else "  <- wrong"
        print(ROW.format(sent.subject(), sent.label + "*" * sent.hard, sent.verdict(),
                         sent.reason(), f"{sent.user}/{sent.mailbox}{mark}"))
    print("* the corpus' hard ham: newsletters that look like spam\n")
    wrong = []
    goals = (("ham", "INBOX", MIN_HAM_RIGHT), ("spam", "Junk", MIN_SPAM_RIGHT))
    for label, mailbox, least in goals:
        rows = [sent for sent in messages if sent.label == label]
        right = sum(sent.right() for sent in rows)
        print(f"{label}: {right} of {len(rows)} landed in {mailbox}")
        easy = [sent.right() for sent in rows if not sent.hard]
        if sum(easy) < least * len(easy):
            wrong.append(f"only {sum(easy)} of {len(easy)} {label} (without *) landed in "
                         f"{mailbox}; {least:.0%} is the least that a working filter reaches")
    return wrong


def invite(gateway):
    ports = gateway.ports
    smtp, smtps = ports["submission"], ports["submissions"]
    print(f"""
The gateway keeps running. Point a mail client at it:
   user name    alice@example.net, bob@example.net or carol@example.net
   password     {PASSWORD}
   IMAP         127.0.0.1 port {ports["imap"]} (STARTTLS or none), or {ports["imaps"]} (TLS)
   POP3         127.0.0.1 port {ports["pop3"]} (STARTTLS or none), or {ports["pop3s"]} (TLS)
   sending      127.0.0.1 port {smtp} (STARTTLS or none), or {smtps} (TLS)
   The certificate is self-signed: the client asks once whether to trust it.
   Move a message into Junk, or out of it, and the filter learns.
Send more:      curl smtp://127.0.0.1:{ports["smtp"]} --mail-from me@remote.example \\
                     --mail-rcpt alice@example.net --crlf -T FILE
Look inside:    {gateway.binary} --config {gateway.config} status
Log:            {gateway.log}
Ctrl-C ends it and removes {gateway.folder}.""", flush=True)


def tour(gateway, once):
    """Exit code."""
    step(f"domain {gateway.domain} with the mailboxes {', '.join(USERS)}, in {gateway.folder}")
    gateway.add_users(*USERS)
    teach(gateway)
    step("starting the gateway")
    gateway.start()
    print("   " + ", ".join(f"{name} {port}" for name, port in gateway.ports.items()))
    started = time.monotonic()
    messages = send(gateway)
    print(f"   all accepted, judged and durable in {time.monotonic() - started:.1f} s")
    wrong = read_imap(gateway, messages) + read_pop3(gateway, messages)
    wrong += show(messages)
    for line in wrong:
        print(f"WRONG: {line}", file=sys.stderr)
    if once:
        code = gateway.stop()
        if code:
            print(f"WRONG: the daemon ended with {code}\n{gateway.log_text()}", file=sys.stderr)
        return 1 if wrong or code else 0
    invite(gateway)
    code = gateway.child.wait()
    print(f"the daemon ended by itself with {code}:\n{gateway.log_text()[-4000:]}", file=sys.stderr)
    return 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", required=True)
    parser.add_argument("--once", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    gateway = Gateway(options.binary, ports=free_ports())
    try:
        return tour(gateway, options.once)
    except KeyboardInterrupt:
        print("\nending")
        return 0 if gateway.child and gateway.stop() == 0 else 130
    except (AssertionError, OSError) as problem:
        print(f"WRONG: {problem}", file=sys.stderr)
        if gateway.child:
            print(gateway.log_text()[-4000:], file=sys.stderr)
        return 1
    finally:
        gateway.close()


if __name__ == "__main__":
    sys.exit(main())
