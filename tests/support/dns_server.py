"""A DNS server for tests on loopback: answers from a dictionary, over UDP and TCP.

    with DnsServer({("remote.example", "MX"): [(10, "mx.remote.example")],
                    ("mx.remote.example", "A"): ["127.0.0.2"]}) as server:
        ... "127.0.0.1@%d" % server.port ...

A name that has no record of any type, and none below it, does not exist (NXDOMAIN). A value of
"SERVFAIL" fails. With a SignedZone the answers are signed for who asks for that (DNSSEC).
"""

import socket
import socketserver
import struct
import threading

from signed_zone import DNSKEY, encode_name, is_below, record

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28,
         "TLSA": 52, "DNSKEY": DNSKEY}
NAMES = {number: name for name, number in TYPES.items()}
PORTS_TRIED = 20
TTL_S = 5  # 0: nothing is kept by who asks
SERVFAIL, NXDOMAIN = 2, 3


def encode_data(kind, value):
    if kind == "A":
        return socket.inet_aton(value)
    if kind == "AAAA":
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == "MX":
        return struct.pack(">H", value[0]) + encode_name(value[1])
    if kind == "TXT":
        text = value.encode()
        return b"".join(bytes([len(text[i:i + 255])]) + text[i:i + 255]
                        for i in range(0, len(text), 255))
    if kind == "TLSA":
        usage, selector, matching, data = value
        return bytes([usage, selector, matching]) + data
    return encode_name(value)


def parse_question(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode("ascii", "replace").lower())
        at += 1 + query[at]
    kind, _ = struct.unpack(">HH", query[at + 1:at + 5])
    question = query[12:at + 5]
    # With EDNS the root's OPT record follows; its flag DO is in what would be the TTL.
    asks_signed = query[at + 5:at + 8] == b"\0\0\x29" and bool(query[at + 12] & 0x80)
    return ".".join(labels), kind, question, asks_signed


def open_pair(address, udp_handler, tcp_handler):
    """Servers on one port: one that the system finds free for UDP may be taken for TCP."""
    for attempt in range(1, PORTS_TRIED + 1):
        udp = socketserver.ThreadingUDPServer(address, udp_handler)
        try:
            return udp, socketserver.ThreadingTCPServer(udp.server_address, tcp_handler)
        except OSError:
            udp.server_close()
            if attempt == PORTS_TRIED:
                raise
    raise AssertionError("not reached")


class DnsServer:
    def __init__(self, records, address="127.0.0.1", ttl_s=TTL_S, port=0, zone=None):
        self.records = records  # (name, type) -> list of values, or "SERVFAIL"; may be changed
        self.one_kind_aliases = {}  # (name, type asked for) -> where a CNAME leads that type alone
        self.questions = []     # (name, type) of each, in order
        outer = self
        self.ttl_s, self.zone = ttl_s, zone

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                data, connection = self.request
                connection.sendto(outer.answer(data), self.client_address)

        class Tcp(socketserver.BaseRequestHandler):
            def handle(self):
                size = struct.unpack(">H", self.request.recv(2))[0]
                reply = outer.answer(self.request.recv(size))
                self.request.sendall(struct.pack(">H", len(reply)) + reply)

        self.udp, self.tcp = open_pair((address, port), Udp, Tcp)
        self.port = self.udp.server_address[1]
        for server in (self.udp, self.tcp):
            server.daemon_threads = True
            threading.Thread(target=server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for server in (self.udp, self.tcp):
            server.shutdown()
            server.server_close()

    def answer(self, query):
        name, kind_number, question, asks_signed = parse_question(query)
        kind = NAMES.get(kind_number, "")
        self.questions.append((name, kind))
        alias = self.one_kind_aliases.get((name, kind))
        if alias or (name, "CNAME") in self.records:  # who asks follows it
            kind, kind_number = "CNAME", TYPES["CNAME"]
        values = [alias] if alias else self.records.get((name, kind), [])
        known = any(is_below(known_name, name) for known_name, _ in self.records)
        code = 0 if known or not name else NXDOMAIN
        if values == "SERVFAIL":
            code, values = SERVFAIL, []
        rows = [encode_data(kind, value) for value in values]
        # A response, authoritative, recursion available.
        flags = 0x8480 | (struct.unpack(">H", query[2:4])[0] & 0x0100) | code
        answers = b"".join(record(name, kind_number, self.ttl_s, row) for row in rows), len(rows)
        authority, extra = (b"", 0), (b"", 0)
        if asks_signed:
            extra = b"\0" + struct.pack(">HHIH", 41, 4096, 0x8000, 0), 1
        if self.zone and asks_signed and code != SERVFAIL:
            answers, authority = self.signed(name, kind_number, rows, known)
            flags |= 0x20 if self.zone.is_signed(name) else 0
        reply = (query[:2] + struct.pack(">HHHHH", flags, 1, answers[1], authority[1], extra[1])
                 + question + answers[0] + authority[0] + extra[0])
        return reply

    def signed(self, name, kind_number, rows, known):
        """Answer and authority section with DNSSEC, each (bytes, count)."""
        zone = self.zone
        zone.records = {(owner, TYPES[kind]): value for (owner, kind), value in
                        self.records.items()}
        if kind_number == DNSKEY and not name:
            return zone.keys(self.ttl_s), (b"", 0)
        if rows and zone.is_signed(name):
            return zone.signed(name, kind_number, self.ttl_s, rows), (b"", 0)
        if rows:
            return (b"".join(record(name, kind_number, self.ttl_s, row) for row in rows),
                    len(rows)), (b"", 0)
        if not zone.is_signed(name) and name not in zone.unsigned:
            return (b"", 0), (b"", 0)
        return (b"", 0), zone.proof(name, known or name in zone.unsigned, self.ttl_s)
