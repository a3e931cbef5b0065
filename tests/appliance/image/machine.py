"""A virtual machine under qemu's emulation: its console, and ports of its own on 127.0.0.1."""

import os
import re
import socket
import subprocess
import threading
import time

FIRMWARE = "/usr/share/OVMF/OVMF_CODE.fd"
VARIABLES = "/usr/share/OVMF/OVMF_VARS.fd"
SERVICES = {"smtp": 25, "submissions": 465, "imaps": 993, "pop3s": 995, "imap": 143,
            "http": 80}
MEMORY_MIB = 1024
OUTSIDE_HOST, OUTSIDE_PORT = "10.0.2.100", 8080  # of qemu's own network
BOOT_SECONDS = 600          # cores that other tests use at the same time, and no KVM
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|[\r\x00]")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Console:
    """The serial port: what was said, and what is typed."""

    def __init__(self, path, log):
        self.text, self.at = "", 0
        self._log = open(log, "wb")
        self._socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + 30
        while True:
            try:
                self._socket.connect(path)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while data := self._socket.recv(4096):
            self._log.write(data)
            self._log.flush()
            self.text += ESCAPES.sub("", data.decode(errors="replace"))
        self._log.close()

    def close(self):
        self._socket.close()

    def expect(self, pattern, seconds=BOOT_SECONDS):
        """The first match in what was said since the last one."""
        deadline = time.monotonic() + seconds
        while not (found := re.compile(pattern).search(self.text, self.at)):
            if time.monotonic() > deadline:
                raise AssertionError(f"the console did not say {pattern!r} in {seconds} s:\n"
                                     + self.text[-3000:])
            time.sleep(0.1)
        self.at = found.end()
        return found

    def type(self, line):
        self._socket.sendall(line.encode() + b"\r")


class Machine:
    """Starts at once. `disks`: further ones, raw; `answers`: given by SMBIOS; `outside`: what runs,
    with its input and output for a connection, when the machine calls OUTSIDE_HOST at a port."""

    def __init__(self, folder, name, disk, disks=(), answers="", uefi=False, hardware=(),
                 outside=""):
        self.name, self.started = name, time.monotonic()
        self.ports = dict(zip(SERVICES, free_ports(len(SERVICES))))
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{self.ports[service]}-:{port}"
                           for service, port in SERVICES.items())
        if outside:
            forwards += f",guestfwd=tcp:{OUTSIDE_HOST}:{OUTSIDE_PORT}-cmd:{outside}"
        console = f"{folder}/{name}.socket"
        command = ["qemu-system-x86_64", "-accel", "tcg,thread=multi", "-cpu", "Nehalem",
                   "-smp", "2", "-m", str(MEMORY_MIB), "-display", "none", "-no-user-config",
                   "-serial", f"unix:{console},server=on,wait=off", "-monitor", "none",
                   "-netdev", f"user,id=net,restrict=on{forwards}"]
        command += hardware or ["-drive", f"file={disk},format=qcow2,if=virtio,cache=unsafe",
                                "-device", "virtio-net-pci,netdev=net,romfile="]
        for each in disks:
            command += ["-drive", f"file={each},format=raw,if=virtio,cache=unsafe"]
        if answers:
            path = f"{folder}/{name}.answers"
            with open(path, "w", encoding="utf-8") as file:
                file.write(f"io.systemd.credential:postern.answers={answers}")
            command += ["-smbios", f"type=11,path={path}"]
        if uefi:
            variables = f"{folder}/{name}.vars"
            subprocess.run(["cp", VARIABLES, variables], check=True, timeout=60)
            command += ["-drive", f"if=pflash,format=raw,readonly=on,file={FIRMWARE}",
                        "-drive", f"if=pflash,format=raw,file={variables}"]
        self._log = f"{folder}/{name}.qemu"
        with open(self._log, "wb") as sink:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink,
                                             stderr=sink)
        self.console = Console(console, f"{folder}/{name}.console")

    def close(self):
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(timeout=60)
        self.console.close()

    def seconds(self):
        return time.monotonic() - self.started

    def greets(self):
        """Whether the mail port answers with a greeting."""
        try:
            with socket.create_connection(("127.0.0.1", self.ports["smtp"]), timeout=10) as peer:
                peer.settimeout(10)
                return peer.recv(100).startswith(b"220 ")
        except OSError:
            return False

    def wait_for_mail_port(self, seconds=BOOT_SECONDS):
        deadline = time.monotonic() + seconds
        while not self.greets():
            assert self._process.poll() is None, open(self._log).read()
            assert time.monotonic() < deadline, \
                f"{self.name}: no greeting in {seconds} s\n{self.console.text[-3000:]}"
            time.sleep(0.5)

    def log_in(self, password, new_password=""):
        """As root on the console; a password that was used before has been changed since."""
        self.console.expect("login: ")  # an empty line here would be somebody without a name
        self.console.type("root")
        self.console.expect("Password: ", 60)
        self.console.type(password)
        if new_password:
            self.console.expect("Current password: ", 90)
            self.console.type(password)
            for _ in range(2):
                self.console.expect("ew password: ", 60)
                self.console.type(new_password)
        self.console.expect(r"root@\S+# ", 90)
        self.run("stty cols 200; export PAGER=cat LC_ALL=C.UTF-8 TERM=dumb")

    def run(self, command, seconds=180, check=True):
        """What a command says, typed at root's prompt."""
        self.console.type(f"{command}; echo status''=$?.")
        found = self.console.expect(r"(?s)\n(.*?)status=(\d+)\.", seconds)
        self.console.expect(r"root@\S+# ", 30)
        if check and found[2] != "0":
            raise AssertionError(f"{command} ended with {found[2]}:\n{found[1]}")
        return found[1]

    def power_off(self):
        self.console.type("systemctl poweroff")
        assert self._process.wait(timeout=BOOT_SECONDS) == 0
        self.console.close()
