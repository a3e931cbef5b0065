"""Just enough of C++'s surface to measure it: comments, literals and where functions end."""

import re

_TOKEN = re.compile(
    r"""
      (?P<raw>(?:u8|[uUL])?R"(?P<delim>[^\s()\\]{0,16})\((?s:.*?)\)(?P=delim)")
    | (?P<string>"(?:\\(?s:.)|[^"\\\n])*")
    | (?P<char>(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+')
    | (?P<line>//(?:\\\n|[^\n])*)
    | (?P<block>/\*(?s:.*?)\*/)
    """,
    re.VERBOSE,
)


def blank(text, comments_only=False):
    """The text with comments and (unless comments_only) literals blanked; lines stay in place."""

    def replace(match):
        is_comment = match.group("line") is not None or match.group("block") is not None
        if comments_only and not is_comment:
            return match.group(0)
        return re.sub(r"[^\n]", " ", match.group(0))

    return _TOKEN.sub(replace, text)


def _without_directives(text):
    """Blanks preprocessor lines: an #if/#else pair may hold unbalanced braces."""
    return re.sub(r"^[ \t]*#(?:[^\n\\]|\\(?:\n|.))*",
                  lambda match: re.sub(r"[^\n]", " ", match.group(0)), text, flags=re.MULTILINE)


_SCOPE = re.compile(r'^\s*(?:inline\s+)?(namespace\b|extern\s*$)')
_TYPE = re.compile(r"\b(class|struct|union|enum)\b[^()=]*$")
_FUNCTION_TAIL = re.compile(
    r"\)(?:\s*(?:const|volatile|noexcept(?:\s*\([^()]*\))?|override|final|mutable|try|&{1,2}|"
    r"->\s*[\w:<>,&*\s]+|requires\b[^;{]*))*\s*$")
_MEMBER_INIT = re.compile(r"\)\s*(?:noexcept(?:\s*\([^()]*\))?\s*)?:(?!:)[^;]*[\w>]\s*$", re.DOTALL)


def _kind(header):
    """What the brace after `header` opens, when seen at namespace or class scope."""
    if _SCOPE.search(header):
        return "scope"
    if _MEMBER_INIT.search(header):
        return "init"
    tail = header.rstrip()
    if _FUNCTION_TAIL.search(header) or (tail.endswith("}") and ")" in header):
        return "function"
    if _TYPE.search(header.split(">", 1)[-1] if "template" in header else header):
        return "scope"
    return "other"


def functions(text):
    """Yields (line, lines, head): where the head starts, how many lines up to the closing brace."""
    code = _without_directives(blank(text))
    stack = []       # kinds of the open braces
    head_start = 0   # where the declaration being read began
    opened = []      # head offsets of open functions
    for match in re.finditer(r"[{};]|(?:public|private|protected)\s*:(?!:)", code):
        token, at = match.group(0), match.start()
        inside = bool(opened)
        if token == "{":
            kind = "other" if inside or "other" in stack else _kind(code[head_start:at])
            stack.append(kind)
            if kind == "function":
                opened.append(head_start)
            elif kind == "scope":
                head_start = match.end()
        elif token == "}":
            kind = stack.pop() if stack else "scope"
            if kind == "function":
                start = opened.pop()
                head = code[start:at]
                start += len(head) - len(head.lstrip())
                line = code.count("\n", 0, start) + 1
                lines = code.count("\n", start, at) + 1
                yield line, lines, " ".join(code[start:at].split("{")[0].split())
            if kind in ("function", "scope"):
                head_start = match.end()
        elif not inside and "other" not in stack:
            head_start = match.end()
