"""DNSSEC for DnsServer: signs what it answers, as one zone at the root (RFC 4034, RSA/SHA-256).

    zone = SignedZone(folder, unsigned=["plain.example"])
    DnsServer(records, zone=zone)   ... trust_anchor_file: zone.anchor_file

Names at and below those of `unsigned` belong to zones without DNSSEC. What is in `forged`, as
(name, type), gets a signature that does not hold.
"""

import base64
import hashlib
import re
import struct
import subprocess
import time

NS, SOA, RRSIG, NSEC, DNSKEY = 2, 6, 46, 47, 48
KSK_FLAGS, PROTOCOL, RSA_SHA256 = 257, 3, 8
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")  # RFC 8017 section 9.2
HOUR_S = 3600


def encode_name(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in labels_of(name)) + b"\0"


def labels_of(name):
    return [label for label in name.rstrip(".").split(".") if label]


def order(name):
    """RFC 4034 section 6.1."""
    return [label.lower().encode() for label in reversed(labels_of(name))]


def is_below(name, parent):
    return order(name)[:len(labels_of(parent))] == order(parent)


def record(owner, kind, ttl_s, data):
    return encode_name(owner) + struct.pack(">HHIH", kind, 1, ttl_s, len(data)) + data


class SignedZone:
    def __init__(self, folder, unsigned=()):
        self.unsigned, self.forged = list(unsigned), set()
        self.anchor_file = f"{folder}/anchor"
        self.records = {}
        self.make_key()
        with open(self.anchor_file, "w", encoding="ascii") as file:
            file.write(f". IN DNSKEY {KSK_FLAGS} {PROTOCOL} {RSA_SHA256} "
                       f"{base64.b64encode(self.public).decode()}\n")

    def make_key(self):
        pem = subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True).stdout
        text = subprocess.run(["openssl", "rsa", "-noout", "-text"], input=pem, check=True,
                              capture_output=True).stdout.decode()

        def number(name):
            digits = re.search(rf"^{name}:\s+([0-9a-f:\s]+?)\n\S", text, re.MULTILINE)[1]
            return int(re.sub(r"[:\s]", "", digits), 16)
        self.modulus, self.secret = number("modulus"), number("privateExponent")
        exponent = (65537).to_bytes(3, "big")
        self.public = bytes([len(exponent)]) + exponent + self.modulus.to_bytes(256, "big")
        self.key_data = struct.pack(">HBB", KSK_FLAGS, PROTOCOL, RSA_SHA256) + self.public
        total = sum(byte << 8 if at % 2 == 0 else byte for at, byte in enumerate(self.key_data))
        self.key_tag = (total + (total >> 16)) & 0xffff  # RFC 4034 appendix B

    def is_signed(self, name):
        return not any(is_below(name, each) for each in self.unsigned)

    # --- signatures ---

    def sign(self, text):
        digest = SHA256_INFO + hashlib.sha256(text).digest()
        padded = b"\0\1" + b"\xff" * (253 - len(digest)) + b"\0" + digest
        return pow(int.from_bytes(padded, "big"), self.secret, self.modulus).to_bytes(256, "big")

    def signed(self, owner, kind, ttl_s, rows):
        """The records of one set and their signature, on the wire: (bytes, count)."""
        now = int(time.time())
        head = struct.pack(">HBBIIIH", kind, RSA_SHA256, len(labels_of(owner)), ttl_s,
                           now + 24 * HOUR_S, now - HOUR_S, self.key_tag) + encode_name("")
        text = head + b"".join(record(owner.lower(), kind, ttl_s, row) for row in sorted(rows))
        signature = self.sign(text)
        if (owner, kind) in self.forged:
            signature = signature[:-1] + bytes([signature[-1] ^ 1])
        return (b"".join(record(owner, kind, ttl_s, row) for row in rows)
                + record(owner, RRSIG, ttl_s, head + signature), len(rows) + 1)

    # --- what is not there (RFC 4034 section 4, RFC 4035 section 3.1.3) ---

    def owners(self):
        """name -> types, of all that the signed zone holds."""
        owners = {"": {NS, SOA, DNSKEY}}
        for name, kind in self.records:
            if self.is_signed(name):
                owners.setdefault(name, set()).add(kind)
        for name in self.unsigned:
            owners[name] = {NS}
        return owners

    def denial(self, name, ttl_s):
        """The NSEC record at or before the name."""
        owners = self.owners()
        chain = sorted(owners, key=order)
        at = max(index for index, owner in enumerate(chain) if order(owner) <= order(name))
        types = owners[chain[at]] | {RRSIG, NSEC}
        bits = bytearray(max(types) // 8 + 1)
        for kind in types:
            bits[kind // 8] |= 0x80 >> kind % 8
        data = encode_name(chain[(at + 1) % len(chain)]) + bytes([0, len(bits)]) + bytes(bits)
        return self.signed(chain[at], NSEC, ttl_s, [data])

    def proof(self, name, exists, ttl_s):
        """The authority section of a negative answer: (bytes, count)."""
        start = encode_name("ns.") * 2 + struct.pack(">IIIII", 1, HOUR_S, HOUR_S, HOUR_S, ttl_s)
        parts = {self.signed("", SOA, ttl_s, [start]), self.denial(name, ttl_s)}
        if not exists:
            known = self.owners()
            labels = labels_of(name)
            while labels and not any(is_below(each, ".".join(labels)) for each in known):
                labels.pop(0)
            parts.add(self.denial(".".join(["*", *labels]), ttl_s))
        return b"".join(part for part, _ in parts), sum(count for _, count in parts)

    def keys(self, ttl_s):
        return self.signed("", DNSKEY, ttl_s, [self.key_data])
