"""A certificate authority on loopback that speaks ACME (RFC 8555) as far as http-01 needs it.

It checks what a real one checks: each nonce once, the signature of each request and its address,
and the answer to its challenge, which it fetches from `challenge_port` of 127.0.0.1."""

import base64
import hashlib
import http.client
import http.server
import json
import re
import secrets
import ssl
import subprocess
import threading

# SubjectPublicKeyInfo of a point on P-256, up to the point's two coordinates.
P256_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004")
DIRECTORY = {"newNonce": "/nonce", "newAccount": "/account", "newOrder": "/order",
             "revokeCert": "/revoke", "keyChange": "/key"}
PROBLEM = "urn:ietf:params:acme:error:"


class Refused(Exception):
    def __init__(self, kind, detail, status=400):
        super().__init__(detail)
        self.status, self.body = status, {"type": PROBLEM + kind, "detail": detail}


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def openssl(*arguments, data=b""):
    done = subprocess.run(["openssl", *arguments], input=data, capture_output=True, timeout=60,
                          check=False)
    if done.returncode:
        raise Refused("malformed", done.stderr.decode())
    return done.stdout


def der_integer(data):
    data = data.lstrip(b"\0")
    if not data or data[0] & 0x80:
        data = b"\0" + data
    return bytes((2, len(data))) + data


def thumbprint(jwk):
    """RFC 7638."""
    members = json.dumps({name: jwk[name] for name in ("crv", "kty", "x", "y")}, sort_keys=True,
                         separators=(",", ":"))
    return encode(hashlib.sha256(members.encode()).digest())


class AcmeServer:
    """`seen_as`: "ADDRESS:PORT" at which a machine reaches it, over TLS by a certificate of its own
    authority; else it speaks plain HTTP on loopback."""

    def __init__(self, folder, days=90, seen_as=""):
        self.folder, self.days = folder, days
        self.challenge_port = 0
        self.contacts, self.names_issued, self.problems = [], [], []
        self._accounts, self._orders, self._nonces = {}, {}, set()
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "30", "-subj", "/CN=Test authority", "-out", f"{folder}/ca.pem",
                "-keyout", f"{folder}/ca.key")
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_HEAD(self):
                self.answer(200 if self.path == "/nonce" else 404, "")

            def do_GET(self):
                if self.path == "/directory":
                    body = {name: server.url + path for name, path in DIRECTORY.items()}
                    body["meta"] = {"termsOfService": server.url + "/terms"}
                    self.answer(200, body)
                else:
                    self.answer(204 if self.path == "/nonce" else 404, "")

            def do_POST(self):
                data = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    status, body, headers = server.handle(self.path, json.loads(data))
                except Refused as refused:
                    server.problems.append(refused.body)
                    status, body, headers = refused.status, refused.body, {}
                self.answer(status, body, headers)

            def answer(self, status, body, headers=()):
                is_text = isinstance(body, str)
                data = body.encode() if is_text else json.dumps(body).encode()
                self.send_response(status)
                kind = "application/problem+json" if status >= 400 else "application/json"
                self.send_header("Content-Type",
                                 "application/pem-certificate-chain" if is_text else kind)
                self.send_header("Content-Length", str(len(data)))
                self.send_header("Replay-Nonce", server.nonce())
                for name, value in dict(headers).items():
                    self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD" and status != 204:
                    self.wfile.write(data)

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._http.server_port
        self.url = f"https://{seen_as}" if seen_as else f"http://127.0.0.1:{self.port}"
        if seen_as:
            self.speak_tls(seen_as.rsplit(":", 1)[0])
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)
        self._thread.start()

    def speak_tls(self, address):
        request = openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                          "-nodes", "-subj", "/CN=ACME", "-addext", f"subjectAltName=IP:{address}",
                          "-keyout", f"{self.folder}/server.key")
        with open(f"{self.folder}/server.pem", "wb") as file:
            file.write(self.sign(request))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{self.folder}/server.pem", f"{self.folder}/server.key")
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True,
                                                do_handshake_on_connect=False)

    def sign(self, request, *form):
        return openssl("x509", "-req", *form, "-CA", f"{self.folder}/ca.pem", "-CAkey",
                       f"{self.folder}/ca.key", "-days", str(self.days), "-copy_extensions",
                       "copy", data=request)

    def close(self):
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(timeout=30)

    def nonce(self):
        nonce = secrets.token_urlsafe(12)
        self._nonces.add(nonce)
        return nonce

    def handle(self, path, jws):
        head = json.loads(decode(jws["protected"]))
        if head.get("nonce") not in self._nonces:
            raise Refused("badNonce", "this nonce was not given out, or is used up")
        self._nonces.discard(head["nonce"])
        if head.get("url") != self.url + path:
            raise Refused("unauthorized", "the request was signed for another address", 401)
        jwk = head.get("jwk") if path == "/account" else self._accounts.get(head.get("kid"))
        if not jwk:
            raise Refused("accountDoesNotExist", "no such account")
        self.check_signature(jwk, head["alg"], jws)
        body = json.loads(decode(jws["payload"]) or b"{}")
        _, part, *number = path.split("/")
        handler = getattr(self, "on_" + part, None)
        if handler is None:
            raise Refused("malformed", "no such address", 404)
        return handler(jwk, body, *number)

    def check_signature(self, jwk, algorithm, jws):
        raw = decode(jws["signature"])
        if algorithm != "ES256" or len(raw) != 64:
            raise Refused("badSignatureAlgorithm", "ES256 alone is understood here")
        numbers = der_integer(raw[:32]) + der_integer(raw[32:])
        key, signature = f"{self.folder}/account.der", f"{self.folder}/signature"
        with open(key, "wb") as file:
            file.write(P256_HEAD + decode(jwk["x"]).rjust(32, b"\0") +
                       decode(jwk["y"]).rjust(32, b"\0"))
        with open(signature, "wb") as file:
            file.write(bytes((0x30, len(numbers))) + numbers)
        openssl("dgst", "-sha256", "-keyform", "DER", "-verify", key, "-signature", signature,
                data=f"{jws['protected']}.{jws['payload']}".encode())

    # --- resources ---

    def on_account(self, jwk, body, number=None):
        if number is not None:
            self.contacts.append(body.get("contact", []))
            return 200, {"status": "valid"}, {}
        kid = f"{self.url}/account/{thumbprint(jwk)}"
        known = kid in self._accounts
        if not known and body.get("onlyReturnExisting"):
            raise Refused("accountDoesNotExist", "not made yet")
        if not known and not body.get("termsOfServiceAgreed"):
            raise Refused("userActionRequired", "the terms have to be agreed to", 403)
        self._accounts[kid] = jwk
        if not known:
            self.contacts.append(body.get("contact", []))
        return (200 if known else 201), {"status": "valid"}, {"Location": kid}

    def on_order(self, jwk, body, number=None):
        if number is None:
            number = str(len(self._orders) + 1)
            names = [each["value"] for each in body["identifiers"]]
            self._orders[number] = {"names": names, "status": "pending", "valid": set(),
                                    "failed": set(), "token": secrets.token_urlsafe(24)}
            return 201, self.order(number), {"Location": f"{self.url}/order/{number}"}
        return 200, self.order(number), {}

    def order(self, number):
        order = self._orders[number]
        shown = {"status": order["status"],
                 "identifiers": [{"type": "dns", "value": name} for name in order["names"]],
                 "authorizations": [f"{self.url}/authorization/{number}/{i}"
                                    for i in range(len(order["names"]))],
                 "finalize": f"{self.url}/finalize/{number}"}
        if order["status"] == "valid":
            shown["certificate"] = f"{self.url}/certificate/{number}"
        return shown

    @staticmethod
    def state(order, index):
        if index in order["failed"]:
            return "invalid"
        return "valid" if index in order["valid"] else "pending"

    def challenge(self, number, index):
        order = self._orders[number]
        shown = {"type": "http-01", "url": f"{self.url}/challenge/{number}/{index}",
                 "token": f"{order['token']}-{index}", "status": self.state(order, index)}
        if shown["status"] == "invalid":
            shown["error"] = {"type": PROBLEM + "unauthorized", "detail": "a wrong answer"}
        return shown

    def on_authorization(self, jwk, body, number, index):
        order = self._orders[number]
        unanswerable = {"type": "dns-01", "url": f"{self.url}/challenge/none", "token": "none",
                        "status": "pending"}
        return 200, {"status": self.state(order, index),
                     "identifier": {"type": "dns", "value": order["names"][int(index)]},
                     "challenges": [unanswerable, self.challenge(number, index)]}, {}

    def on_challenge(self, jwk, body, number, index):
        order = self._orders[number]
        token = f"{order['token']}-{index}"
        connection = http.client.HTTPConnection("127.0.0.1", self.challenge_port, timeout=30)
        try:
            connection.request("GET", f"/.well-known/acme-challenge/{token}",
                               headers={"Host": order["names"][int(index)]})
            said = connection.getresponse().read().decode().rstrip()
        except (OSError, http.client.HTTPException) as problem:
            said = str(problem)
        finally:
            connection.close()
        good = said == f"{token}.{thumbprint(jwk)}"
        order["valid" if good else "failed"].add(index)
        if not good:
            order["status"] = "invalid"
        elif len(order["valid"]) == len(order["names"]):
            order["status"] = "ready"
        return 200, self.challenge(number, index), {}

    def on_finalize(self, jwk, body, number):
        order = self._orders[number]
        if order["status"] != "ready":
            raise Refused("orderNotReady", "not all names are yours yet", 403)
        request = decode(body["csr"])
        text = openssl("req", "-inform", "DER", "-noout", "-text", "-verify", data=request).decode()
        names = re.findall(r"DNS:([^,\s]+)", text)
        if sorted(names) != sorted(order["names"]):
            raise Refused("badCSR", f"asks for {names}, was {order['names']}")
        leaf = self.sign(request, "-inform", "DER")
        with open(f"{self.folder}/ca.pem", encoding="ascii") as file:
            order["chain"] = leaf.decode() + file.read()
        order["status"] = "valid"
        self.names_issued.append(names)
        return 200, self.order(number), {"Location": f"{self.url}/order/{number}"}

    def on_certificate(self, jwk, body, number):
        return 200, self._orders[number]["chain"], {}
