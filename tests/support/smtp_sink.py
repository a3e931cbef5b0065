"""A receiving SMTP server for tests that can be told to misbehave.

`behave(step, argument)` is asked at each step ("connect", "ehlo", "mail", "rcpt", "data",
"message") and answers None (go on as usual), a reply line, or "drop" (close the connection
at once). With `pace_s` each byte of a reply waits so long.
"""

import socketserver
import ssl
import threading
import time


class SmtpSink:
    def __init__(self, address="127.0.0.1", port=0, behave=None, context=None, extensions=(),
                 lmtp=False):
        self.behave = behave or (lambda step, argument: None)
        self.messages = []  # (sender line, [recipient lines], content)
        self.connections = 0
        self.commands = []
        self.lock = threading.Lock()
        outer = self

        class Session(socketserver.StreamRequestHandler):
            timeout = 60

            def handle(self):
                with outer.lock:
                    outer.connections += 1
                try:
                    outer.converse(self)
                except (OSError, ConnectionError, ssl.SSLError):
                    pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            request_queue_size = 128

        self.context, self.extensions, self.lmtp = context, list(extensions), lmtp
        self.pace_s = 0
        self.eight_bit = True  # whether 8BITMIME is offered
        self.server = Server((address, port), Session)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def converse(self, session):
        self.tls = False
        state = {"mail": None, "rcpt": [], "reader": session.rfile, "socket": session.connection,
                 "tls": False}

        def say(line):
            reply = line.encode() + b"\r\n"
            size = 1 if self.pace_s else len(reply)
            for at in range(0, len(reply), size):
                time.sleep(self.pace_s)
                state["socket"].sendall(reply[at:at + size])

        def step(name, argument, usual):
            """False: the connection is to be dropped. Says the reply."""
            reply = self.behave(name, argument)
            if reply == "drop":
                return None
            say(reply or usual)
            return reply or usual

        if not step("connect", "", "220 sink.example ESMTP"):
            return
        while True:
            line = state["reader"].readline().decode("utf-8", "replace").rstrip("\r\n")
            if not line:
                return
            with self.lock:
                self.commands.append(line)
            verb = line.split(" ")[0].upper()
            if verb in ("EHLO", "LHLO"):
                offers = ["PIPELINING", *(["8BITMIME"] if self.eight_bit else []),
                          *self.extensions]
                if self.context and not state["tls"]:
                    offers.append("STARTTLS")
                usual = "\r\n".join(["250-sink.example"] + [f"250-{o}" for o in offers[:-1]]
                                    + [f"250 {offers[-1]}"])
                if not step("ehlo", line, usual):
                    return
            elif verb == "HELO":
                if not step("ehlo", line, "250 sink.example"):
                    return
            elif verb == "STARTTLS":
                say("220 go")
                state["socket"] = self.context.wrap_socket(state["socket"], server_side=True)
                state["reader"] = state["socket"].makefile("rb")
                state["tls"] = True
            elif verb == "MAIL":
                reply = step("mail", line, "250 2.1.0 ok")
                if not reply:
                    return
                state["mail"], state["rcpt"] = line, []
            elif verb == "RCPT":
                reply = step("rcpt", line, "250 2.1.5 ok")
                if not reply:
                    return
                if reply.startswith("2"):
                    state["rcpt"].append(line)
            elif verb == "DATA":
                reply = step("data", "", "354 go")
                if not reply:
                    return
                if reply.startswith("354") and not self.take(state, step):
                    return
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                say("250 ok")

    def take(self, state, step):
        lines = []
        while True:
            line = state["reader"].readline()
            if not line:
                return False
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        content = b"".join(lines)
        replies = [step("message", recipient, "250 2.0.0 taken")
                   for recipient in (state["rcpt"] if self.lmtp else [state["mail"]])]
        if None in replies:
            return False
        if any(reply.startswith("2") for reply in replies):
            with self.lock:
                self.messages.append((state["mail"], state["rcpt"], content, state["tls"]))
        return True
