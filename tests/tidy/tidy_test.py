#!/usr/bin/env python3
"""Each rule of tests/tidy refuses what it must and lets the rest pass."""

import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import check  # noqa: E402
import cpp_text  # noqa: E402
import layers  # noqa: E402


def findings(files):
    """What check_tree says of a tree of {path: text}; headers get their #pragma once."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "w", encoding="utf-8") as file:
                file.write("#pragma once\n" + text if path.endswith(".h") else text)
        return [str(finding) for finding in check.check_tree(root)]


class TidyTest(unittest.TestCase):
    def refuses(self, path, text, expected):
        found = findings({path: text})
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(path + ":"), found)
        self.assertIn(expected, found[0])

    def accepts(self, path, text):
        self.assertEqual(findings({path: text}), [])

    def include(self, path, target, allowed):
        text = f'#include "{target}"\n'
        if allowed:
            self.accepts(path, text)
        else:
            self.refuses(path, text, "must not include")


class United(TidyTest):
    """Two files of a library, each with the text in a namespace of its own."""

    def found(self, text, other="", settings="postern_library(x)"):
        own = "namespace {{\n\n{}\n\n}}  // namespace\n"
        return findings({"store/kv/a.cpp": own.format(text),
                         "store/kv/b.cpp": own.format(other or text),
                         "store/kv/CMakeLists.txt": settings})

    def test_the_same_name_twice(self):
        for text in ("struct Row {\n    int a;\n};", "enum class Kind : int { a };",
                     "constexpr int max_rows = 1;", "constexpr std::array<int, 2> all{1, 2};",
                     "const char* names[] = {};", "int of(int a) {\n    return a;\n}"):
            found = self.found(text)
            self.assertEqual(len(found), 1, text)
            self.assertIn("is in store/kv/a.cpp, too", found[0])
            self.assertTrue(found[0].startswith("store/kv/b.cpp:3: "), found)
            self.assertEqual(self.found(text, settings="postern_library(x SEPARATE)"), [])

    def test_what_may_meet(self):
        self.assertEqual(self.found("using mail::Row;"), [])
        self.assertEqual(self.found("struct Row;"), [])
        self.assertEqual(self.found("int of(int a) {\n}", "int of(Row a) {\n}"), [])
        self.assertEqual(self.found("// struct Row {"), [])
        self.assertEqual(self.found("int f() {\n    constexpr int a = 1;\n}",
                                    "int g() {\n    constexpr int a = 1;\n}"), [])


class Layers(TidyTest):
    def test_protocols(self):
        self.include("protocols/base/a.h", "protocols/base/b.h", True)
        self.include("protocols/base/a.h", "protocols/wire/b.h", False)
        self.include("protocols/wire/a.h", "protocols/base/b.h", True)
        self.include("protocols/wire/a.h", "protocols/mime/b.h", False)
        self.include("protocols/mime/a.h", "protocols/wire/b.h", True)
        self.include("protocols/mime/a.h", "protocols/imap/b.h", False)
        self.include("protocols/imap/a.cpp", "protocols/mime/b.h", True)
        self.include("protocols/imap/a.cpp", "protocols/smtp/b.h", False)
        self.include("protocols/sieve/a.cpp", "protocols/smtp/b.h", False)
        self.include("protocols/smtp/a.cpp", "store/kv/b.h", False)
        self.include("protocols/smtp/a.cpp", "gateway/net/b.h", False)

    def test_store(self):
        self.include("store/kv/a.h", "protocols/base/b.h", True)
        self.include("store/kv/a.h", "store/blob/b.h", False)
        self.include("store/kv/a.h", "store/mail/b.h", False)
        self.include("store/blob/a.h", "store/kv/b.h", True)
        self.include("store/mail/a.h", "store/blob/b.h", True)
        self.include("store/mail/a.h", "store/spool/b.h", False)
        self.include("store/mail/a.h", "protocols/mime/b.h", True)
        self.include("store/spool/a.h", "protocols/mime/b.h", False)
        self.include("store/mail/a.h", "filters/report.h", False)

    def test_filters(self):
        self.include("filters/report.h", "protocols/base/b.h", True)
        self.include("filters/report.h", "filters/models/b.h", False)
        self.include("filters/features/a.h", "protocols/mime/b.h", True)
        self.include("filters/features/a.h", "protocols/imap/b.h", False)
        self.include("filters/features/a.h", "filters/models/b.h", False)
        self.include("filters/models/a.h", "filters/pipeline/b.h", False)
        self.include("filters/models/a.h", "filters/report.h", True)
        self.include("filters/checks/a.h", "filters/models/b.h", True)
        self.include("filters/pipeline/a.h", "filters/checks/b.h", True)
        self.include("filters/pipeline/a.h", "store/mail/b.h", False)

    def test_gateway_and_above(self):
        self.include("gateway/smtp/a.h", "protocols/smtp/b.h", True)
        self.include("gateway/smtp/a.h", "gateway/net/b.h", True)
        self.include("gateway/smtp/a.h", "appliance/cli/b.h", False)
        self.include("appliance/main.cpp", "gateway/serve/b.h", True)
        self.include("appliance/main.cpp", "tests/support/b.h", False)
        self.include("protocols/smtp/a.cpp", "tests/support/b.h", False)
        self.include("tests/store/a.cpp", "gateway/net/b.h", True)

    def test_cycle_inside_a_room(self):
        found = findings({"gateway/net/a.h": '#include "gateway/log/b.h"\n',
                          "gateway/log/b.h": '#include "gateway/net/a.h"\n'})
        self.assertEqual(len(found), 2, found)
        self.assertIn("in a circle", found[0])

    def test_unrooted(self):
        self.refuses("store/mail/a.cpp", '#include "types.h"\n', "not rooted")
        self.refuses("store/mail/a.cpp", '#include "../kv/kv.h"\n', "not rooted")
        self.refuses("store/mail/a.cpp", '#include "store/mail/../kv/kv.h"\n', "not rooted")

    def test_angle_brackets_do_not_hide_a_climb(self):
        self.refuses("store/mail/a.cpp", "#include <filters/report.h>\n", "must not include")

    def test_commented_out_is_not_an_include(self):
        self.accepts("store/mail/a.cpp", '// #include "gateway/net/a.h"\n/*\n#include "x.h"\n*/\n')


class Doors(TidyTest):
    def test_each_door(self):
        for header, inside in (("lmdb.h", "store/kv"), ("hs/hs.h", "filters/patterns"),
                               ("hs.h", "filters/patterns"),
                               ("roaring/roaring.hh", "protocols/base"),
                               ("xxhash.h", "protocols/base"), ("zstd.h", "store/blob"),
                               ("yaml-cpp/yaml.h", "gateway/config"),
                               ("openssl/ssl.h", "gateway/net"),
                               ("boost/asio/awaitable.hpp", "gateway/smtp"),
                               ("argon2.h", "gateway/auth"), ("curl/curl.h", "gateway/https"),
                               ("unicode/ucnv.h", "protocols/mime"),
                               ("CLI/CLI.hpp", "appliance/cli"),
                               ("spdlog/spdlog.h", "gateway/log")):
            with self.subTest(header=header):
                self.accepts(inside + "/a.cpp", f"#include <{header}>\n")
                self.refuses("store/mail/a.cpp", f"#include <{header}>\n", "behind one door")
                self.accepts("tests/store/a.cpp", f"#include <{header}>\n")

    def test_door_is_a_folder_not_a_prefix(self):
        self.refuses("store/kvx/a.cpp", "#include <lmdb.h>\n", "belongs behind one door")

    def test_pure_rooms(self):
        for header in ("sys/socket.h", "fstream", "thread", "random", "unistd.h", "ctime"):
            with self.subTest(header=header):
                self.refuses("protocols/smtp/a.cpp", f"#include <{header}>\n", "let the gateway")
                self.refuses("filters/checks/a.cpp", f"#include <{header}>\n", "let the gateway")
                self.accepts("store/kv/a.cpp", f"#include <{header}>\n")
        self.refuses("protocols/smtp/a.cpp", "#include <mutex>\n", "one thread")
        self.accepts("filters/models/a.cpp", "#include <mutex>\n")
        self.accepts("protocols/smtp/a.cpp", "#include <chrono>\n#include <string>\n")


class Sizes(TidyTest):
    def test_file_lines(self):
        self.accepts("store/kv/a.cpp", "int a;\n" * layers.MAX_FILE_LINES)
        self.refuses("store/kv/a.cpp", "int a;\n" * (layers.MAX_FILE_LINES + 1), "split by subject")
        self.accepts("tests/kv/a_test.cpp", "int a;\n" * layers.MAX_TEST_FILE_LINES)
        self.refuses("tests/kv/a_test.cpp", "int a;\n" * (layers.MAX_TEST_FILE_LINES + 1),
                     "split by subject")
        self.refuses("tests/run", "#!/bin/bash\n" + "true\n" * layers.MAX_TEST_FILE_LINES,
                     "split by subject")

    def test_columns(self):
        self.accepts("store/kv/a.cpp", "// " + "é" * (layers.MAX_COLUMNS - 3) + "\n")
        self.refuses("store/kv/a.cpp", "// " + "é" * (layers.MAX_COLUMNS - 2) + "\n", "columns")

    def test_function_lines(self):
        def body(lines):
            return "int f(int a) {\n" + "    ++a;\n" * (lines - 2) + "}\n"
        self.accepts("store/kv/a.cpp", body(layers.MAX_FUNCTION_LINES))
        self.refuses("store/kv/a.cpp", body(layers.MAX_FUNCTION_LINES + 1), "give its steps names")
        python = "def f():\n" + "    a = 1\n" * layers.MAX_FUNCTION_LINES
        self.refuses("tests/a.py", python, "give its steps names")
        self.refuses("tests/a", "#!/usr/bin/env python3\n" + python, "give its steps names")
        self.accepts("tests/CMakeLists.txt", "add_test(NAME a COMMAND python3 x)\n")


class Banned(TidyTest):
    def test_calls(self):
        for call in ("system(a)", "std::system(a)", "strcpy(a, b)", "std::sprintf(a, b)",
                     "gets(a)", "using namespace std", "rand()", "std::rand()", "srand(1)",
                     "std::cout << std::endl", "mktemp(a)"):
            with self.subTest(call=call):
                self.refuses("store/kv/a.cpp", f"void f() {{ {call}; }}\n", "not used here")

    def test_look_alikes(self):
        self.accepts("store/kv/a.cpp",
                     "// std::endl, rand()\nvoid f() { x.system(1); operand(2); snprintf(a, 1, b); "
                     '\n using namespace std::string_literals; g("system(");\n}\n')

    def test_clock_and_output_in_pure_rooms(self):
        text = "void f() { auto now = std::chrono::steady_clock::now(); }\n"
        self.refuses("protocols/smtp/a.cpp", text, "take the time as a parameter")
        self.accepts("gateway/net/a.cpp", text)
        self.refuses("filters/checks/a.cpp", "void f() { std::cerr << 1; }\n", "return the text")

    def test_sleeping_tests_and_marks(self):
        self.refuses("tests/kv/a_test.cpp", "TEST(A, DISABLED_b) {}\n", "does not run")
        self.refuses("store/kv/a.cpp", "// TO" + "DO: later\n", "unfinished mark")

    def test_pragma_once(self):
        with tempfile.TemporaryDirectory() as root:
            os.makedirs(os.path.join(root, "store/kv"))
            with open(os.path.join(root, "store/kv/a.h"), "w", encoding="utf-8") as file:
                file.write("int a;\n")
            self.assertIn("#pragma once", str(check.check_tree(root)[0]))


class House(TidyTest):
    def test_top_level_folders(self):
        self.refuses_folder("src")
        house = {f"{name}/CMakeLists.txt": "" for name in layers.TOP_FOLDERS}
        self.assertEqual(findings(house), [])
        self.assertEqual(findings({"build/dev/a.cpp": "rand()", ".git/a.py": "("}), [])

    def refuses_folder(self, name):
        found = findings({f"{name}/readme": ""})
        self.assertEqual(len(found), 1)
        self.assertIn("outside the house", found[0])

    def test_exit_code(self):
        with tempfile.TemporaryDirectory() as root:
            self.assertEqual(check.main(["check", root]), 0)
            os.makedirs(os.path.join(root, "misc"))
            self.assertEqual(check.main(["check", root]), 1)
            self.assertEqual(check.main(["check", os.path.join(root, "none")]), 2)


class Package(TidyTest):
    def test_documents_are_there(self):
        path = "appliance/package/debian/postern.docs"
        self.accepts(path, "appliance\nappliance/package\n")
        self.refuses(path, "appliance\ndocs/clients.md\n", "there is no docs/clients.md")


class FunctionExtents(unittest.TestCase):
    def heads(self, text):
        return [(line, lines) for line, lines, _ in cpp_text.functions(text)]

    def test_plain_and_nested(self):
        text = """namespace a::b {
namespace {
struct S {
    int x = 0;
    int get() const noexcept { return x; }
};
}  // namespace

template <class T>
Result<T> make(std::function<void()> done) {
    auto f = [&](int a) { if (a) { done(); } };
    return f({1, 2});
}
}  // namespace a::b
"""
        self.assertEqual(self.heads(text), [(5, 1), (9, 5)])

    def test_constructor_with_braced_members(self):
        text = "A::A(int a)\n    : a_{a},\n      b_(2),\n      c_{3} {\n    f();\n}\nint g() {\n}\n"
        self.assertEqual(self.heads(text), [(1, 6), (7, 2)])

    def test_tables_are_not_functions(self):
        text = "const std::array<Row, 2> rows = {{\n{1, f(2)},\n{2, g(3)},\n}};\nvoid f() {\n}\n"
        self.assertEqual(self.heads(text), [(5, 2)])

    def test_trailing_return_and_operators(self):
        text = "auto f() -> std::vector<int> {\n}\nbool operator()(int a) const {\n}\n"
        self.assertEqual(self.heads(text), [(1, 2), (3, 2)])

    def test_braces_in_literals_comments_and_directives(self):
        text = ('void f() {\n    g("}", \'}\', R"x(})")x");  // }\n    /* } */\n'
                "#define B }\n    h(1\'000);\n}\n")
        self.assertEqual(self.heads(text), [(1, 6)])

    def test_default_arguments_and_tests(self):
        text = "TEST(A, b) {\n}\nclass C : public D<int> {\npublic:\n    C() = default;\n" \
               "    void f(Options o = {}) override {\n    }\n};\n"
        self.assertEqual(self.heads(text), [(1, 2), (6, 2)])


if __name__ == "__main__":
    unittest.main()
