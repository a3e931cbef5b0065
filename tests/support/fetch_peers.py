"""Mail clients that npm has and Debian has not: installed once into build/peers, no scripts run.

Versions are pinned. Where node or npm is missing, or the registry is out of reach, `modules()`
raises Unavailable with the reason, and the tests that need them are skipped.
"""

import fcntl
import os
import shutil
import subprocess

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
FOLDER = os.environ.get("POSTERN_PEERS", f"{ROOT}/build/peers")
PACKAGES = ("imapflow@2.10.2", "emailjs-imap-client@3.1.0")
INSTALL_TIMEOUT_S = 300


class Unavailable(Exception):
    pass


def modules():
    """The folder node_modules that holds PACKAGES."""
    if not shutil.which("node") or not shutil.which("npm"):
        raise Unavailable("node and npm are not installed")
    os.makedirs(FOLDER, exist_ok=True)
    done = f"{FOLDER}/installed"
    with open(f"{FOLDER}/lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.exists(done):
            with open(done, encoding="ascii") as file:
                if file.read() == " ".join(PACKAGES):
                    return f"{FOLDER}/node_modules"
        try:
            ran = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts",
                                  "--prefix", FOLDER, *PACKAGES], capture_output=True, text=True,
                                 timeout=INSTALL_TIMEOUT_S, check=False)
        except subprocess.TimeoutExpired as error:
            raise Unavailable("npm does not answer") from error
        if ran.returncode:
            raise Unavailable(f"npm cannot install: {ran.stderr.strip()[-500:]}")
        with open(done, "w", encoding="ascii") as file:
            file.write(" ".join(PACKAGES))
    return f"{FOLDER}/node_modules"
