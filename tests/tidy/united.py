"""Names that two files of one library give to different things: the package's build compiles the
files of a library together, and there they meet (appliance/cmake/PosternTargets.cmake)."""

import re

import cpp_text

LIBRARY_FOLDERS = ("protocols/", "store/", "filters/", "gateway/", "appliance/")
ANONYMOUS = re.compile(r"^namespace \{\n(.*?)^\}  // namespace$", re.MULTILINE | re.DOTALL)
# What cannot be overloaded, and functions whose head is the same to the letter.
TYPE = re.compile(r"(?:struct|class|union|enum(?: class)?) (\w+)(?: final)?(?: :[^:;].*)? \{")
CONSTANT = re.compile(r"(?:constexpr|const) [^()={]*?\b(\w+)(?:\[\w*\])? ?[={]")
FUNCTION = re.compile(r"\w[\w:<>,&* ]*?[ *&](\w+\([^;]*\)) \{$")


def own_names(text):
    """Yields (name, line) of what a file declares for itself alone."""
    code = cpp_text.blank(text, comments_only=True)
    for block in ANONYMOUS.finditer(text):
        first = text.count("\n", 0, block.start(1)) + 1
        for number, line in enumerate(code[slice(*block.span(1))].split("\n"), first):
            for kind in (TYPE, CONSTANT, FUNCTION):
                if found := kind.match(line):
                    yield found[1], number
                    break


def same_names(files, settings):
    """Yields (path, line, name, path of the first). `files`: texts by path, in order; `settings`:
    the CMakeLists.txt of folders, by folder."""
    known = {}
    for path, text in files.items():
        folder = path.rpartition("/")[0]
        if not path.startswith(LIBRARY_FOLDERS) or "SEPARATE" in settings.get(folder, ""):
            continue
        for name, line in own_names(text):
            first = known.setdefault((folder, name), path)
            if first != path:
                yield path, line, name, first
