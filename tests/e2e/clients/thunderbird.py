"""Thunderbird from Debian without a screen: a profile, a process, and a proxy that is all of the
web it can reach."""

import base64
import http.server
import os
import select
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import threading
import time

from marionette import Marionette, ScriptError

HERE = os.path.dirname(os.path.abspath(__file__))
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 30
SCRIPT_TIMEOUT_S = 90
RELAY_BYTES = 65536
RELAY_IDLE_S = 20

PREFERENCES = """
user_pref("marionette.port", 0);
user_pref("network.proxy.type", 1);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", {proxy});
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", {proxy});
user_pref("network.dns.localDomains", "{name}");
user_pref("network.dns.disableIPv6", true);
user_pref("app.update.enabled", false);
user_pref("extensions.update.enabled", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("mail.shell.checkDefaultClient", false);
user_pref("mail.provider.suppress_dialog_on_startup", true);
user_pref("mailnews.start_page.enabled", false);
user_pref("mailnews.mark_message_read.auto", true);
user_pref("mail.biff.show_alert", false);
user_pref("mail.biff.play_sound", false);
user_pref("mail.spam.version", 1);
user_pref("mail.spam.manualMark", true);
user_pref("mail.server.default.spamLevel", 0);
user_pref("mail.imap.chunk_size", 4096);
user_pref("mail.imap.min_chunk_size_threshold", 6000);
"""


def why_not():
    """Why it cannot run here, or None."""
    return None if shutil.which("thunderbird") else "thunderbird is not installed"


class Proxy:
    """Leads HOST:443 and http://HOST/ of the given hosts to the gateway and refuses others."""

    def __init__(self, hosts, ports):
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_CONNECT(self):
                if not outer.allows(self.path.rpartition(":")[0]):
                    self.send_error(502)
                    return
                with socket.create_connection(("127.0.0.1", ports["https"])) as far:
                    self.send_response(200)
                    self.end_headers()
                    relay(self.connection, far)
                self.close_connection = True

            def do_GET(self):
                host, _, path = self.path.removeprefix("http://").partition("/")
                if not outer.allows(host):
                    self.send_error(502)
                    return
                with socket.create_connection(("127.0.0.1", ports["http"])) as far:
                    far.sendall(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\n"
                                "Connection: close\r\n\r\n".encode())
                    relay(self.connection, far)
                self.close_connection = True

            do_POST = do_GET

            def log_message(self, *_):
                pass

        self.hosts = hosts
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def allows(self, host):
        self.asked.append(host)
        return host in self.hosts

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def relay(one, other):
    """Carries bytes both ways until an end closes or falls silent."""
    ends = {one: other, other: one}
    while True:
        ready = select.select(list(ends), [], [], RELAY_IDLE_S)[0]
        if not ready:
            return
        for end in ready:
            try:
                content = end.recv(RELAY_BYTES)
                ends[end].sendall(content)
            except ConnectionError:
                return
            if not content:
                return


class Thunderbird:
    """A profile in the folder; start() as often as wanted."""

    def __init__(self, folder, name, proxy, authority):
        self.folder = folder
        os.makedirs(f"{folder}/profile")
        with open(f"{folder}/profile/user.js", "w", encoding="ascii") as file:
            file.write(PREFERENCES.format(proxy=proxy.port, name=name))
        with open(authority, encoding="ascii") as file:
            self.authority = base64.b64encode(ssl.PEM_cert_to_DER_cert(file.read())).decode()
        with open(f"{HERE}/thunderbird_session.js", encoding="utf-8") as file:
            self.session = file.read()
        self.child = self.marionette = None

    def start(self):
        where = f"{self.folder}/profile/MarionetteActivePort"
        if os.path.exists(where):
            os.unlink(where)
        with open(f"{self.folder}/output", "ab") as log:
            self.child = subprocess.Popen(
                ["thunderbird", "--headless", "--marionette", "--remote-allow-system-access",
                 "--no-remote", "--profile", f"{self.folder}/profile"], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, "HOME": self.folder, "LC_ALL": "C.UTF-8",
                     "MOZ_CRASHREPORTER_DISABLE": "1", "MOZ_LOG": "IMAP:5,timestamp,sync",
                     "MOZ_LOG_FILE": f"{self.folder}/imap.log"})
        deadline = time.monotonic() + START_TIMEOUT_S
        port = ""
        while not port:
            if self.child.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("Thunderbird does not start:\n" + self.output()[-3000:])
            time.sleep(0.1)
            if os.path.exists(where):
                with open(where, encoding="ascii") as file:
                    port = file.read()
        self.marionette = Marionette(int(port), SCRIPT_TIMEOUT_S)
        self.run("stayOnThisMachine(); trust(given[0]);", self.authority)

    def run(self, script, *arguments):
        """Runs with the functions of thunderbird_session.js at hand."""
        return self.marionette.run(self.session + script, *arguments)

    def accept_question(self):
        """Says yes to the question that comes up."""
        deadline = time.monotonic() + SCRIPT_TIMEOUT_S
        while True:
            try:
                self.marionette.ask("WebDriver:AcceptAlert")
                return
            except ScriptError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def stop(self):
        self.marionette.close()
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(timeout=STOP_TIMEOUT_S)

    def close(self):
        if self.child and self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()

    def output(self):
        with open(f"{self.folder}/output", encoding="utf-8", errors="replace") as file:
            return file.read()

    def imap_log(self):
        """Of all processes and starts, in no order."""
        content = ""
        for name in os.listdir(self.folder):
            if name.startswith("imap.log"):
                with open(f"{self.folder}/{name}", encoding="utf-8", errors="replace") as file:
                    content += file.read()
        return content
