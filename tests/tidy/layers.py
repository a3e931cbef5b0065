"""The tables of the house: who may include whom, and which folder is the door of which library."""

import re

TOP_FOLDERS = {"gateway", "filters", "store", "protocols", "tests", "appliance", "docs", ".ci"}
SOURCE_ROOTS = ("protocols", "store", "filters", "gateway", "appliance", "tests")

_BASE = {"protocols/base"}
_BELOW_ENGINES = {"protocols/base", "protocols/wire", "protocols/mime"}
_SEAM = {"protocols/base", "store/kv", "store/blob"}
_FILTER_FLOOR = {"filters", "protocols/base", "protocols/mime"}
_FILTER_PARTS = _FILTER_FLOOR | {"filters/features", "filters/patterns", "filters/metas",
                                 "filters/models"}

# A module is "room/folder", or "room" for files directly in the room. It may include itself.
ALLOWED = {
    "protocols/base": set(),
    "protocols/wire": _BASE,
    "protocols/mime": {"protocols/base", "protocols/wire"},
    "store/kv": _BASE,
    "store/blob": {"protocols/base", "store/kv"},
    # Names of mailboxes are compared as Unicode has it.
    "store/mail": {"protocols/base", "protocols/mime", "store/kv", "store/blob"},
    # Looks after all of the others.
    "store/care": {"protocols/base", "store/kv", "store/blob", "store/mail", "store/spool",
                   "store/queue", "store/directory"},
    "filters": {"protocols/base", "protocols/mime"},
    "filters/features": _FILTER_FLOOR,
    "filters/patterns": _FILTER_FLOOR,
    "filters/metas": _FILTER_FLOOR,
    "filters/models": _FILTER_FLOOR,
    # Checks and the pipeline are one layer; a cycle between the two is still refused.
    "filters/dumps": _FILTER_PARTS,
    "filters/checks": _FILTER_PARTS | {"filters/pipeline"},
    "filters/pipeline": _FILTER_PARTS | {"filters/checks"},
}
# Any other folder of a room.
ALLOWED_IN_ROOM = {
    "protocols": _BELOW_ENGINES,  # an engine: no other engine
    "store": _SEAM,               # no sibling
    "filters": _FILTER_PARTS,
}
# Rooms that see whole rooms below them; their folders may include each other without a cycle.
ROOMS_BELOW = {
    "gateway": {"protocols", "store", "filters", "gateway"},
    "appliance": {"protocols", "store", "filters", "gateway", "appliance"},
    "tests": {"protocols", "store", "filters", "gateway", "appliance", "tests"},
}

# Third-party header (as written between the brackets) -> where it may be included.
DOORS = [
    (re.compile(r"lmdb\.h$"), ("store/kv",)),
    (re.compile(r"(hs/)?hs(_\w+)?\.h$"), ("filters/patterns",)),
    (re.compile(r"roaring/"), ("protocols/base",)),
    (re.compile(r"xxh(ash|3)\.h$"), ("protocols/base",)),
    (re.compile(r"(zstd(_\w+)?|zdict)\.h$"), ("store/blob",)),
    (re.compile(r"xapian\.h$"), ("store/fulltext", "tests/store/fulltext")),
    (re.compile(r"zlib\.h$"), ("gateway/net",)),
    (re.compile(r"yaml-cpp/"), ("gateway/config",)),
    (re.compile(r"openssl/ssl"), ("gateway/net",)),
    (re.compile(r"openssl/"), ("gateway/net", "gateway/crypto")),
    (re.compile(r"boost/(asio|beast)"), ("gateway",)),
    (re.compile(r"argon2\.h$"), ("gateway/auth",)),
    (re.compile(r"unbound\.h$"), ("gateway/dns",)),
    (re.compile(r"curl/"), ("gateway/https",)),
    (re.compile(r"(spdlog|fmt)/"), ("gateway/log",)),
    (re.compile(r"systemd/"), ("gateway",)),
    (re.compile(r"sys/mman\.h$"), ("filters/models", "gateway")),  # large pages for tables
    (re.compile(r"unicode/"), ("protocols/mime",)),
    (re.compile(r"CLI/"), ("appliance",)),
    (re.compile(r"(gtest|gmock|benchmark)/"), ("tests",)),
]

# protocols/ and filters/ own no socket, thread, clock, file or random source.
PURE_ROOMS = ("protocols", "filters")
IMPURE_HEADERS = re.compile(
    r"(sys/(?!mman\.h)\w+\.h|netinet/.*|arpa/.*|unistd\.h|fcntl\.h|poll\.h|pthread\.h|time\.h|"
    r"ctime|fstream|iostream|filesystem|random|thread|future|stop_token)$")
# The filter may be scanned and taught at once, so it may lock; an engine has nothing to lock.
LOCK_HEADERS = re.compile(r"(mutex|shared_mutex|condition_variable|atomic)$")
# A value whose copies share memory counts them, and its copies may belong to several threads.
SHARING_VALUES = ("protocols/base/uid_set.cpp",)

BANNED = [
    (re.compile(r"(?<![\w.>])(std::)?system\s*\("), "system(",
     "start programs without a shell"),
    (re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok)\s*\("),
     "an unbounded C string call", "use std::string, std::string_view or snprintf with its size"),
    (re.compile(r"(?<![\w.>])(std::)?s?rand\s*\("), "rand(",
     "use a generator that is passed in, or getrandom for secrets"),
    (re.compile(r"\b(mktemp|tmpnam|tempnam)\s*\("), "a racy temporary name",
     "use mkstemp or mkdtemp"),
    (re.compile(r"\bstd::endl\b"), "std::endl", "write '\\n'; flush only where it is meant"),
    (re.compile(r"\busing\s+namespace\s+std\s*;"), "using namespace std", "name what is used"),
    (re.compile(r"\bDISABLED_\w+"), "a test that does not run",
     "make it run or remove it"),
]
BANNED_IN_PURE = [
    (re.compile(r"\b(system_clock|steady_clock|high_resolution_clock)::now\b"), "a clock",
     "take the time as a parameter"),
    (re.compile(r"\bstd::(cout|cerr|clog)\b|(?<![\w.>:])f?printf\s*\("), "output",
     "return the text"),
]
MARKS = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")

MAX_FILE_LINES = 500
MAX_TEST_FILE_LINES = 800
MAX_FUNCTION_LINES = 70
MAX_COLUMNS = 100


def module_of(path):
    """protocols/smtp/engine.h -> protocols/smtp; filters/report.h -> filters."""
    parts = path.split("/")
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]


def may_include(module, target):
    """Whether a file of `module` may include a file of `target` (both as from module_of)."""
    if module == target:
        return True
    room = module.split("/")[0]
    if room in ROOMS_BELOW:
        return target.split("/")[0] in ROOMS_BELOW[room]
    if module in ALLOWED:
        return target in ALLOWED[module]
    return target in ALLOWED_IN_ROOM.get(room, set())


def doors_of(header):
    """Folders that may include the bracketed header, or None when it has no door."""
    for pattern, folders in DOORS:
        if pattern.match(header):
            return folders
    return None
