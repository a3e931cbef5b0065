"""A DNS server for tests on loopback: answers from a dictionary, over UDP and TCP.

    with DnsServer({("remote.example", "MX"): [(10, "mx.remote.example")],
                    ("mx.remote.example", "A"): ["127.0.0.2"]}) as server:
        ... "127.0.0.1@%d" % server.port ...

A name that has no record of any type does not exist (NXDOMAIN). A value of "SERVFAIL" fails.
"""

import socket
import socketserver
import struct
import threading

TYPES = {"A": 1, "NS": 2, "SOA": 6, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28, "TLSA": 52}
NAMES = {number: name for name, number in TYPES.items()}
TTL_S = 5  # 0: nothing is kept by who asks
SERVFAIL, NXDOMAIN = 2, 3


def encode_name(name):
    out = b""
    for label in name.rstrip(".").split("."):
        if label:
            out += bytes([len(label)]) + label.encode()
    return out + b"\0"


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
    return ".".join(labels), kind, query[12:at + 5]


class DnsServer:
    def __init__(self, records, address="127.0.0.1", ttl_s=TTL_S):
        self.records = records  # (name, type) -> list of values, or "SERVFAIL"; may be changed
        self.questions = []     # (name, type) of each, in order
        outer = self
        self.ttl_s = ttl_s

        class Udp(socketserver.BaseRequestHandler):
            def handle(self):
                data, connection = self.request
                connection.sendto(outer.answer(data), self.client_address)

        class Tcp(socketserver.BaseRequestHandler):
            def handle(self):
                size = struct.unpack(">H", self.request.recv(2))[0]
                reply = outer.answer(self.request.recv(size))
                self.request.sendall(struct.pack(">H", len(reply)) + reply)

        self.udp = socketserver.ThreadingUDPServer((address, 0), Udp)
        self.port = self.udp.server_address[1]
        self.tcp = socketserver.ThreadingTCPServer((address, self.port), Tcp)
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
        name, kind_number, question = parse_question(query)
        kind = NAMES.get(kind_number, "")
        self.questions.append((name, kind))
        values = self.records.get((name, kind), [])
        known = any(known_name == name for known_name, _ in self.records)
        code = 0 if known else NXDOMAIN
        if values == "SERVFAIL":
            code, values = SERVFAIL, []
        answers = b""
        for value in values:
            data = encode_data(kind, value)
            answers += (b"\xc0\x0c" + struct.pack(">HHIH", kind_number, 1, self.ttl_s, len(data))
                        + data)
        # A response, authoritative, recursion available.
        flags = 0x8480 | (struct.unpack(">H", query[2:4])[0] & 0x0100) | code
        return (query[:2] + struct.pack(">HHHHH", flags, 1, len(values), 0, 0) + question
                + answers)
