"""Certificates of an authority of our own, and a web server for MTA-STS policies."""

import hashlib
import http.server
import ssl
import subprocess
import threading


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

    def certificate(self, name, *more, days=2):
        """Files with a certificate of that name (and more names) and its key; days may be past."""
        path = f"{self.folder}/{name}"
        self.run("req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout",
                 f"{path}.key", "-out", f"{path}.csr")
        with open(f"{path}.ext", "w", encoding="ascii") as file:
            names = ",".join(f"DNS:{each}" for each in (name, *more))
            file.write(f"subjectAltName={names}\n")
        self.run("x509", "-req", "-in", f"{path}.csr", "-CA", self.file, "-CAkey",
                 f"{self.folder}/ca.key", "-CAcreateserial", "-days", str(days), "-extfile",
                 f"{path}.ext", "-out", f"{path}.pem")
        return f"{path}.pem", f"{path}.key"

    def context(self, name, days=2):
        """For a server with a certificate of that name, which shows the authority's too."""
        certificate, key = self.certificate(name, days=days)
        with open(self.file, encoding="ascii") as issuer, open(certificate, "a") as chain:
            chain.write(issuer.read())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context


def tlsa_of(certificate, usage=3):
    """The TLSA record (RFC 6698) 3 1 1 (or 2 1 1): the SHA-256 of the public key."""
    key = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"], check=True,
                         capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=key, check=True,
                         capture_output=True).stdout
    return usage, 1, 1, hashlib.sha256(der).digest()


class PolicyServer:
    """HTTPS with one policy; `status` and `content_type` may be made wrong."""

    def __init__(self, address, context, port=0):
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

        self.server = http.server.ThreadingHTTPServer((address, port), Handler)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
