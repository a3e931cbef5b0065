"""The Marionette protocol, level 3, by which Mozilla's programs are driven from outside: messages
of JSON, each behind its length in decimal and a colon."""

import json
import socket

REQUEST, ANSWER = 0, 1
MAXIMUM_DIGITS = 12


class ScriptError(Exception):
    """What a command threw inside the program."""


class Marionette:
    """One session with the rights of the program's own code ("chrome")."""

    def __init__(self, port, timeout_s):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=2 * timeout_s)
        self.received = b""
        self.last_id = 0
        self.read()  # the greeting
        self.ask("WebDriver:NewSession", capabilities={})
        self.ask("WebDriver:SetTimeouts", script=timeout_s * 1000)
        self.ask("Marionette:SetContext", value="chrome")

    def close(self):
        self.socket.close()

    def read(self):
        while b":" not in self.received[:MAXIMUM_DIGITS]:
            self.receive()
        length, _, rest = self.received.partition(b":")
        self.received = rest
        while len(self.received) < int(length):
            self.receive()
        message, self.received = self.received[:int(length)], self.received[int(length):]
        return json.loads(message)

    def receive(self):
        more = self.socket.recv(65536)
        if not more:
            raise ConnectionError("the program has closed its Marionette port")
        self.received += more

    def ask(self, command, **parameters):
        self.last_id += 1
        content = json.dumps([REQUEST, self.last_id, command, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(content), content))
        while True:
            kind, number, error, result = self.read()
            if (kind, number) == (ANSWER, self.last_id):
                break
        if error:
            raise ScriptError(f"{error['error']}: {error['message']}\n{error['stacktrace']}")
        return result

    def run(self, script, *arguments):
        """The value that the script, an asynchronous function's body, returns."""
        return self.ask("WebDriver:ExecuteScript", args=arguments, sandbox="system",
                        newSandbox=False,
                        script="return (async (...given) => {" + script +
                               "})(...arguments);")["value"]
