"""A minimal Debian in a folder, with a network of its own that has only a loopback interface."""

import ctypes
import os
import subprocess
import tempfile
import time

CLONE_NEWNET = 0x40000000


class Chroot:
    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="postern-chroot-")
        os.chmod(self._folder.name, 0o755)  # the daemon comes here as its own user
        self.path = os.path.join(self._folder.name, "root")
        started = time.monotonic()
        subprocess.run(["mmdebstrap", "--quiet", "--mode=root", "--variant=apt",
                        "--aptopt=Acquire::Retries \"3\"", "bookworm", self.path], check=True,
                       timeout=900, stdout=subprocess.DEVNULL)
        # Without it systemd-tmpfiles, which makes the data folder, does nothing.
        subprocess.run(["mount", "-t", "proc", "proc", self.file("/proc")], check=True, timeout=60)
        # mmdebstrap leaves no lists.
        if self.run("apt-get", "-qq", "-o", "Acquire::Retries=3", "update", check=False).returncode:
            raise OSError("apt-get update failed")
        self.seconds = time.monotonic() - started

    def close(self):
        subprocess.run(["umount", "--lazy", self.file("/proc")], check=True, timeout=60)
        self._folder.cleanup()

    def file(self, path):
        return os.path.join(self.path, path.lstrip("/"))

    def run(self, *command, check=True, stdin=""):
        """Inside, as root: the finished process with its text."""
        done = subprocess.run(["chroot", self.path, *command], input=stdin, text=True,
                              capture_output=True, timeout=600, check=False,
                              env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
                                   "DEBIAN_FRONTEND": "noninteractive"})
        if check and done.returncode:
            raise AssertionError(f"{command} ended with {done.returncode}:\n"
                                 f"{done.stdout}{done.stderr}")
        return done

    def start(self, *command, log):
        """Inside, in the background, as the user postern with what its unit grants it."""
        with open(log, "ab") as sink:
            return subprocess.Popen(
                ["setpriv", "--reuid", str(self.uid("postern")), "--clear-groups", "--regid",
                 self.run("id", "-g", "postern").stdout.strip(),
                 "--inh-caps", "-all,+net_bind_service,+sys_chroot",
                 "--ambient-caps", "-all,+net_bind_service,+sys_chroot",
                 "chroot", self.path, *command], stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)

    def uid(self, name):
        return int(self.run("id", "-u", name).stdout)


def enter_own_network():
    """Moves this process, and what it starts, to where nobody else is: every port is free."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "a network namespace needs root")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, timeout=60)
