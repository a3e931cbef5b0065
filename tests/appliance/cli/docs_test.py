#!/usr/bin/env python3
"""What the pages of docs/ tell an admin to type exists: commands, options, configuration keys."""

import pathlib
import re
import shlex
import unittest

from support import PosternCase

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"] + sorted(
    page for page in (ROOT / "docs").rglob("*.md") if page.parent.name != "adr")
EVERYWHERE = {"--config", "--json", "--help", "--version"}
FENCE = re.compile(r"^ *```\w*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
# Behind the prompt of a block, or after && in it; or as a whole between backticks.
COMMAND = re.compile(r"(?:^|&&|\|) *(?:sudo )?(postern [a-z].*?)(?=&&|\||$)", re.MULTILINE)
INLINE = re.compile(r"`(postern\s[a-z][^`]*)`")
KEY = re.compile(r"`([a-z0-9_]+(?:\.[a-z0-9_]+)+)\b(?!\()")


def commands_of(text):
    """Each command as a text on one line."""
    for block in FENCE.findall(text):
        for command in COMMAND.findall(block.replace("\\\n", " ")):
            yield command
    for command in INLINE.findall(FENCE.sub("", text)):
        yield " ".join(command.split())


def words_of(command):
    words = []
    for word in shlex.split(command, comments=True):
        if word in (">", "<", "|", "&&", ";") or word.startswith(("<(", ">")):
            break
        words.append(word)
    return words


def configuration_keys():
    """Every key of the shipped file with those it lies in, as a.b.c; also what is commented out."""
    keys, above = set(), []
    for line in (ROOT / "appliance/etc/postern.yaml").read_text(encoding="utf-8").splitlines():
        found = re.match(r"( *)(?:# )?([a-z0-9_]+):", line)
        if found:
            above[len(found[1]) // 2:] = [found[2]]
            keys.add(".".join(above))
    return keys


class Docs(PosternCase):
    def known(self):
        """Each command to what may follow it: its subcommands and options."""
        return {path: set(words.split()) for path, words in
                re.findall(r"'(postern[^']*)'\) words='([^']*)'", self.run_postern("completion"))}

    def complaint(self, command, known):
        path = "postern"
        for word in words_of(command)[1:]:
            if word.startswith("--"):
                name = word.split("=")[0]
                if name not in known[path] | EVERYWHERE:
                    return f"{path} has no option {name}"
            elif any(each.startswith(path + " ") for each in known) and word.islower():
                # "add|remove" stands for both.
                for each in word.split("|"):
                    if f"{path} {each}" not in known:
                        return f"{path} has no subcommand {each}"
                path += " " + word.split("|")[0]
        return ""

    def test_every_command_and_option_exists(self):
        known = self.known()
        count = 0
        for page in PAGES:
            for command in commands_of(page.read_text(encoding="utf-8")):
                count += 1
                with self.subTest(page=page.name, command=command):
                    self.assertEqual(self.complaint(command, known), "")
        self.assertGreater(count, 80, "the pages, or how they are read, have changed")

    def test_what_does_not_exist_is_noticed(self):
        known = self.known()
        self.assertEqual(self.complaint("postern user add a@b --password-stdin # c", known), "")
        self.assertIn("no option --passwd", self.complaint("postern user add --passwd", known))
        self.assertIn("no subcommand b", self.complaint("postern user add|b", known))
        self.assertIn("no subcommand ad", self.complaint("postern user ad bob", known))
        self.assertEqual(list(commands_of("a\n```sh\npostern a b\n```\nsee `postern\nc`")),
                         ["postern a b", "postern c"])

    def test_every_configuration_key_exists(self):
        keys = configuration_keys()
        sections = {key.split(".")[0] for key in keys}
        count = 0
        for page in PAGES:
            for key in KEY.findall(page.read_text(encoding="utf-8")):
                # File names look alike: filter.h, log.txt.
                if key.split(".")[0] in sections and not key.endswith((".h", ".txt", ".md")):
                    count += 1
                    with self.subTest(page=page.name, key=key):
                        self.assertIn(key, keys)
        self.assertGreater(count, 40)


if __name__ == "__main__":
    unittest.main()
