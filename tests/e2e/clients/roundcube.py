"""Roundcube from Debian, served by PHP's own server on loopback, and a browser's half of it: the
requests that its pages make, without the pages."""

import http.cookiejar
import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

DOCUMENTS = "/var/lib/roundcube"
DEFAULTS = "/etc/roundcube"
PLUGINS = ("archive", "markasjunk", "acl")
START_TIMEOUT_S = 30
REQUEST_TIMEOUT_S = 60
BOUNDARY = "part-of-an-upload"

CONFIGURATION = """<?php
$config["db_dsnw"] = "sqlite:///{folder}/db?mode=0600";
$config["log_driver"] = "file";
$config["log_dir"] = "{folder}/logs";
$config["temp_dir"] = "{folder}/temp";
$config["imap_debug"] = true;
$config["imap_host"] = "ssl://127.0.0.1:{imaps}";
$config["smtp_host"] = "tls://127.0.0.1:{submission}";
$tls = ["ssl" => ["verify_peer" => true, "cafile" => "{authority}", "peer_name" => "{name}"]];
$config["imap_conn_options"] = $tls;
$config["smtp_conn_options"] = $tls;
$config["imap_cache"] = "db";
$config["messages_cache"] = "db";
$config["des_key"] = "twenty-four-bytes-of-key";
$config["plugins"] = {plugins};
$config["enable_spellcheck"] = false;
$config["create_default_folders"] = false;
$config["skin"] = "elastic";
"""


def why_not():
    """Why it cannot run here, or None."""
    if not os.path.exists(f"{DOCUMENTS}/index.php"):
        return "roundcube-core is not installed"
    if not shutil.which("php"):
        return "php-cli is not installed"
    modules = subprocess.run(["php", "-m"], capture_output=True, text=True, check=False).stdout
    return None if "pdo_sqlite" in modules else "php-sqlite3 is not installed"


class Site:
    """PHP's server in a process of its own; its state lies in the folder."""

    def __init__(self, folder, ports, authority, name):
        self.folder = folder
        for part in ("logs", "temp", "config"):
            os.makedirs(f"{folder}/{part}")
        for given in ("defaults.inc.php", "mimetypes.php"):
            shutil.copy(f"{DEFAULTS}/{given}", f"{folder}/config/{given}")
        plugins = [each for each in PLUGINS if os.path.isdir(f"{DOCUMENTS}/plugins/{each}")]
        with open(f"{folder}/config/config.inc.php", "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(folder=folder, authority=authority, name=name,
                                            plugins=json.dumps(plugins), **ports))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        with open(f"{folder}/server.log", "wb") as log:
            self.child = subprocess.Popen(
                ["php", "-S", f"127.0.0.1:{self.port}", "-t", DOCUMENTS], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "ROUNDCUBE_CONFIG_DIR": f"{folder}/config"})
        self.wait_until_open()

    def wait_until_open(self):
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                if time.monotonic() > deadline or self.child.poll() is not None:
                    raise
                time.sleep(0.05)

    def close(self):
        self.child.kill()
        self.child.wait()

    def log(self, name):
        """What Roundcube wrote into its log of that name."""
        path = f"{self.folder}/logs/{name}.log"
        if not os.path.exists(path):
            return ""
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()


class Browser:
    """One person, logged in."""

    def __init__(self, site, user, password):
        self.root = f"http://127.0.0.1:{site.port}/"
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(jar)
        self.token = None
        page = self.page(_task="login")
        token = re.search(r'name="_token" value="(\w+)"', page).group(1)
        self.home = self.submit({"_task": "login", "_action": "login", "_token": token,
                                 "_user": user, "_pass": password, "_timezone": "Europe/Berlin",
                                 "_url": ""}, _task="login")
        found = re.search(r'"request_token":"(\w+)"', self.home)
        self.logged_in = '"task":"mail"' in self.home
        self.token = found.group(1) if found else None

    def open(self, query, data=None, headers=()):
        request = urllib.request.Request(self.root + "?" + urllib.parse.urlencode(query), data,
                                         dict(headers))
        try:
            answer = self.opener.open(request, timeout=REQUEST_TIMEOUT_S)
        except urllib.error.HTTPError as error:  # what it says is a page, too
            answer = error
        with answer:
            self.url = answer.url
            return answer.read().decode("utf-8", "replace")

    def page(self, **query):
        return self.open(query)

    def submit(self, fields, **query):
        """A form that is posted: the page that follows."""
        return self.open(query, urllib.parse.urlencode(fields).encode())

    def ask(self, action, task="mail", **fields):
        """A request of the page's scripts; list-like ones are GET, as the pages have it."""
        headers = {"X-Roundcube-Request": self.token, "X-Requested-With": "XMLHttpRequest"}
        query = {"_task": task, "_action": action}
        fields["_remote"] = "1"
        if action in ("list", "search", "getunread"):
            return json.loads(self.open({**query, **fields}, headers=headers))
        return json.loads(self.open(query, urllib.parse.urlencode(fields).encode(), headers))

    def rows(self, answer):
        """UID and columns of each message row that an answer tells the page to add."""
        found = {}
        for uid, rest in re.findall(r"add_message_row\((\d+|\"[^\"]+\"),(\{.*?\}),\{",
                                    answer["exec"]):
            found[uid.strip('"')] = json.loads(rest)
        return found

    def compose(self, **query):
        """The number of a new message, and the sender's identity."""
        page = self.page(_task="mail", _action="compose", **query)
        number = re.search(r"_id=(\w+)", self.url).group(1)
        sender = re.search(r'<select name="_from".*?<option value="(\d+)"', page, re.DOTALL)
        return number, sender.group(1) if sender else "1"

    def attach(self, number, name, kind, content):
        head = (f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"_attachments[]\"; "
                f"filename=\"{name}\"\r\nContent-Type: {kind}\r\n\r\n")
        body = head.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        return self.open({"_task": "mail", "_action": "upload", "_id": number, "_remote": "1",
                          "_uploadid": "upload1"}, body,
                         {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
                          "X-Roundcube-Request": self.token})

    def send(self, number, sender, **fields):
        return self.submit({"_token": self.token, "_task": "mail", "_action": "send",
                            "_id": number, "_from": sender, "_is_html": "0",
                            "_framed": "1", **fields}, _task="mail", _action="send")
