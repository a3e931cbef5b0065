#!/usr/bin/env python3
"""The runner counts cases right, and a dead, hanging or empty program is a failure."""

import json
import os
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import suites  # noqa: E402


def run(command, kind="plain", timeout_s=20):
    outcome = suites.run_suite(suites.Suite("s", command, kind, "/", timeout_s))
    return outcome.passed, outcome.failures


def gtest_program(report, code=0):
    """A program that behaves as a GoogleTest one: writes `report` where it is told to."""
    script = ("import sys; path = sys.argv[-1].split(':', 1)[1]; "
              f"open(path, 'w').write({report!r}); sys.exit({code})")
    return ["python3", "-c", script, "--gtest_brief=1"]


def cases(*failures):
    """A report of one passed case, one that did not run, and the failing ones."""
    rows = [{"name": "good", "status": "RUN"}, {"name": "off", "status": "NOTRUN"},
            {"name": "skipped", "status": "RUN", "result": "SKIPPED"}]
    rows += [{"name": name, "status": "RUN", "failures": [{}]} for name in failures]
    return json.dumps({"testsuites": [{"name": "A", "testsuite": rows}]})


def alive(process):
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Gtest(unittest.TestCase):
    def test_counts(self):
        self.assertEqual(run(gtest_program(cases()), "gtest"), (1, []))
        self.assertEqual(run(gtest_program(cases("bad"), 1), "gtest"), (1, ["A.bad"]))

    def test_death_and_emptiness_fail(self):
        self.assertEqual(run(["false"], "gtest")[1], ["(no report: the program died)"])
        self.assertEqual(run(gtest_program("{}"), "gtest")[1], ["(no test ran)"])

    def test_a_leak_after_the_last_case_fails(self):
        passed, failures = run(gtest_program(cases(), 99), "gtest")
        self.assertEqual((passed, len(failures)), (1, 1))
        self.assertIn("99", failures[0])


class Unittest(unittest.TestCase):
    def outcome(self, body):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a_test.py")
            with open(path, "w", encoding="utf-8") as file:
                file.write("import unittest\nclass A(unittest.TestCase):\n" + body +
                           "\nif __name__ == '__main__': unittest.main()\n")
            return run(["python3", path], "unittest")

    def test_counts(self):
        passed, failures = self.outcome(
            "  def test_a(self): pass\n  def test_b(self): self.fail()\n"
            "  def test_c(self): 1 / 0\n")
        self.assertEqual((passed, len(failures)), (1, 2))

    def test_subtests_of_one_case_count_once(self):
        passed, failures = self.outcome(
            "  def test_a(self):\n    for n in (1, 2):\n      with self.subTest(n=n): self.fail()\n"
            "  def test_b(self): pass\n")
        self.assertEqual((passed, len(failures)), (1, 1))

    def test_nothing_ran(self):
        self.assertEqual(self.outcome("  pass\n")[1], ["(no test ran)"])
        self.assertEqual(run(["python3", "-c", "1 +"], "unittest")[1], ["(no test ran)"])


class Plain(unittest.TestCase):
    def test_exit_code(self):
        self.assertEqual(run(["true"]), (1, []))
        self.assertEqual(run(["false"]), (0, ["(exit code 1)"]))

    def test_time_out_ends_the_whole_group(self):
        with tempfile.NamedTemporaryFile("r") as file:
            command = ["bash", "-c", f"sleep 60 & echo $! > {file.name}; wait"]
            started = time.monotonic()
            self.assertEqual(run(command, timeout_s=1), (0, ["(ended after 1 s)"]))
            self.assertLess(time.monotonic() - started, 10)
            child = int(file.read())
            time.sleep(0.2)
            self.assertFalse(alive(child))


if __name__ == "__main__":
    unittest.main()
