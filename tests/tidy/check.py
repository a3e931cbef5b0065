#!/usr/bin/env python3
"""Refuses what the house rules forbid and text can show: see tests/tidy/layers.py for the tables.

    tests/tidy/check.py [ROOT]

Prints `path:line: what is wrong; what to do` for each finding, and exits 1 when there is one.
"""

import ast
import os
import re
import sys

import cpp_text
import layers
import united

CPP = (".h", ".cpp")
SKIPPED_FOLDERS = {".git", "build", ".cache", "__pycache__"}
SKIPPED_PATHS = ("tests/corpus/messages", "tests/fuzz/seeds")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


class Finding:
    def __init__(self, path, line, text):
        self.path, self.line, self.text = path, line, text

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def is_script(full):
    if os.path.splitext(full)[1] or os.path.islink(full):
        return False
    with open(full, "rb") as file:
        return file.read(2) == b"#!"


def walk(root):
    """Paths, relative to root, of the sources that are checked."""
    for folder, names, files in os.walk(root):
        inside = os.path.relpath(folder, root)
        names[:] = sorted(n for n in names if n not in SKIPPED_FOLDERS and
                          os.path.normpath(os.path.join(inside, n)) not in SKIPPED_PATHS)
        for name in sorted(files):
            path = os.path.normpath(os.path.join(inside, name))
            full = os.path.join(folder, name)
            if name.endswith((*CPP, ".py", ".sh", ".cmake")) or name == "CMakeLists.txt" \
                    or is_script(full):
                yield path


def check_top(root):
    for name in sorted(os.listdir(root)):
        if os.path.isdir(os.path.join(root, name)) and name not in SKIPPED_FOLDERS \
                and name not in layers.TOP_FOLDERS:
            yield Finding(name, 1, "a top-level folder outside the house; move it into "
                          + " ".join(sorted(layers.TOP_FOLDERS)))


def check_package(root):
    """What the package takes from the tree's own folders is there; only its build would tell."""
    path = "appliance/package/debian/postern.docs"
    if not os.path.exists(os.path.join(root, path)):
        return
    with open(os.path.join(root, path), encoding="utf-8") as file:
        for number, name in enumerate(file.read().split(), 1):
            if not os.path.exists(os.path.join(root, name)):
                yield Finding(path, number, f"there is no {name}; name what took its place")


def check_library(path, module, header, line):
    folders = layers.doors_of(header)
    room = path.split("/")[0]
    if folders and room != "tests" and not any(
            path.startswith(folder + "/") for folder in folders):
        yield Finding(path, line, f"<{header}> belongs behind one door; include it only in "
                      f"{', '.join(folders)} and offer what you need from there")
    if room in layers.PURE_ROOMS and layers.IMPURE_HEADERS.match(header):
        yield Finding(path, line, f"<{header}> brings I/O, threads, a clock or chance into {room}/;"
                      " let the gateway do it and pass the value in")
    locks = layers.LOCK_HEADERS.match(header) and path not in layers.SHARING_VALUES
    if room == "protocols" and locks:
        yield Finding(path, line, f"<{header}>: an engine belongs to one thread; lock in gateway/")


def check_includes(path, text, edges):
    module = layers.module_of(path)
    for match in INCLUDE.finditer(cpp_text.blank(text, comments_only=True)):
        style, header = match.groups()
        line = line_of(text, match.start())
        rooted = header.split("/")[0] in layers.SOURCE_ROOTS
        if style == "<" and not rooted:
            yield from check_library(path, module, header, line)
        elif not rooted or ".." in header.split("/"):
            yield Finding(path, line, f'"{header}" is not rooted; write the path from the top of '
                          "the tree, and <...> for a library")
        else:
            target = layers.module_of(header)
            if not layers.may_include(module, target):
                yield Finding(path, line, f"{module} must not include {target}: it climbs the "
                              "layers or crosses to a sibling (docs/ARCHITECTURE.md); move the "
                              "shared part down, or declare a port that a layer above fills")
            elif module != target and not path.startswith("tests/"):
                edges.setdefault((module, target), (path, line))


def check_cycles(edges):
    """Folders of one room may build on each other in one direction only."""
    graph = {}
    for module, target in edges:
        graph.setdefault(module, set()).add(target)

    def reaches(start, goal):
        seen, todo = set(), [start]
        while todo:
            node = todo.pop()
            if node == goal:
                return True
            if node not in seen:
                seen.add(node)
                todo.extend(graph.get(node, ()))
        return False

    for (module, target), (path, line) in sorted(edges.items()):
        if reaches(target, module):
            yield Finding(path, line, f"{module} and {target} include each other in a circle; "
                          "move what both need into the lower one")


def check_sizes(path, text):
    lines = text.split("\n")
    count = len(lines) - (lines[-1] == "")
    limit = layers.MAX_TEST_FILE_LINES if path.startswith("tests/") else layers.MAX_FILE_LINES
    if count > limit:
        yield Finding(path, limit + 1, f"{count} lines, {limit} are allowed; split by subject")
    for number, line in enumerate(lines, 1):
        if len(line) > layers.MAX_COLUMNS:
            yield Finding(path, number, f"{len(line)} columns, {layers.MAX_COLUMNS} are allowed; "
                          "wrap the line")


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno + 1, node.name


def check_functions(path, functions):
    for line, count, head in functions:
        if count > layers.MAX_FUNCTION_LINES:
            yield Finding(path, line, f"a function of {count} lines ({head[:60]}), "
                          f"{layers.MAX_FUNCTION_LINES} are allowed; give its steps names")


def check_banned(path, text):
    code = cpp_text.blank(text)
    rules = list(layers.BANNED)
    if path.split("/")[0] in layers.PURE_ROOMS:
        rules += layers.BANNED_IN_PURE
    for pattern, name, advice in rules:
        for match in pattern.finditer(code):
            yield Finding(path, line_of(code, match.start()), f"{name} is not used here; {advice}")


def check_marks(path, text):
    for match in layers.MARKS.finditer(text):
        yield Finding(path, line_of(text, match.start()),
                      "an unfinished mark; finish it, or open an issue and remove the mark")


def check_cpp(path, text, edges):
    if path.endswith(".h") and "#pragma once" not in text:
        yield Finding(path, 1, "a header without #pragma once; add it")
    yield from check_includes(path, text, edges)
    yield from check_functions(path, cpp_text.functions(text))
    yield from check_banned(path, text)
    yield from check_marks(path, text)


def check_united(sources, settings):
    for path, line, name, first in united.same_names(sources, settings):
        yield Finding(path, line, f"{name} is in {first}, too, and the package's build compiles "
                                  "both at once; share it, or give it a name of its own")


def check_tree(root):
    """All findings of the tree at root."""
    findings = [*check_top(root), *check_package(root)]
    edges, sources, settings = {}, {}, {}
    for path in walk(root):
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
            text = file.read()
        findings += check_sizes(path, text)
        if path.endswith(".cpp"):
            sources[path] = text
        if path.endswith("/CMakeLists.txt"):
            settings[os.path.dirname(path)] = text
        if path.endswith(CPP):
            findings += check_cpp(path, text, edges)
        elif path.endswith(".py") or text.startswith("#!/usr/bin/env python3\n"):
            findings += check_functions(path, python_functions(text))
            if not path.startswith("tests/tidy/"):
                findings += check_marks(path, text)
    return [*findings, *check_cycles(edges), *check_united(sources, settings)]


def main(arguments):
    top = os.path.join(os.path.dirname(__file__), "..", "..")
    root = arguments[1] if len(arguments) > 1 else top
    if not os.path.isdir(root):
        print(f"tidy: no such folder: {root}", file=sys.stderr)
        return 2
    findings = check_tree(os.path.abspath(root))
    for finding in findings:
        print(finding)
    print(f"tidy: {len(findings)} findings" if findings else "tidy: clean")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
