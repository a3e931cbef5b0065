#!/usr/bin/env python3
"""Runs the test programs that the build knows of, a few at a time, and adds up their single cases.

    tests/support/suites.py [--filter REGEX] [--jobs N] STAGE...

STAGE dev and tsan: every test that ctest lists in build/STAGE (tsan without the end-to-end tests);
fuzz: each fuzz target for a minute; bench: each benchmark, briefly. Called by tests/run.
"""

import argparse
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
DEFAULT_TIMEOUT_S = 300
FUZZ_SECONDS = 60
SHOWN_OUTPUT_LINES = 60

ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=0:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1:exitcode=99",
    "TSAN_OPTIONS": "halt_on_error=0:exitcode=99:second_deadlock_stack=1",
    "PYTHONUNBUFFERED": "1",
}


class Suite:
    """One program to run. kind: gtest, unittest or plain (one case, judged by its exit code)."""

    def __init__(self, name, command, kind, folder=ROOT, timeout_s=DEFAULT_TIMEOUT_S):
        self.name, self.command, self.kind = name, command, kind
        self.folder, self.timeout_s = folder, timeout_s
        self.first = False      # to be started before others, since it takes long
        self.environment = {}


class Outcome:
    def __init__(self, passed, failures, seconds, output):
        self.passed, self.failures, self.seconds, self.output = passed, failures, seconds, output


def kind_of(command):
    if any(argument.startswith("--gtest_") for argument in command):
        return "gtest"
    if any(argument.endswith("_test.py") for argument in command):
        return "unittest"
    return "plain"


def ctest_suites(stage):
    """Suites that ctest knows of in build/STAGE."""
    listing = subprocess.run(["ctest", "--show-only=json-v1"], cwd=f"{ROOT}/build/{stage}",
                             capture_output=True, text=True, timeout=60, check=True)
    suites = []
    for test in json.loads(listing.stdout)["tests"]:
        if "command" not in test:  # ctest knows no program for it
            raise SystemExit(f"suites: {test['name']} is not built: ninja -C build/{stage}")
        properties = {item["name"]: item["value"] for item in test.get("properties", ())}
        labels = properties.get("LABELS", ())
        if stage == "tsan" and ("e2e" in labels or kind_of(test["command"]) != "gtest"):
            continue
        prefix = "" if stage == "dev" else stage + "/"
        suite = Suite(prefix + test["name"], test["command"], kind_of(test["command"]),
                      properties.get("WORKING_DIRECTORY", ROOT),
                      float(properties.get("TIMEOUT", DEFAULT_TIMEOUT_S)))
        suite.first = "e2e" in labels
        suite.environment = dict(row.split("=", 1) for row in properties.get("ENVIRONMENT", ()))
        suites.append(suite)
    return suites


def programs(folder, ending):
    """Executables below folder whose name ends so."""
    found = []
    for inside, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(inside, name)
            if name.endswith(ending) and os.access(path, os.X_OK):
                found.append((name, path))
    return sorted(found)


def fuzz_suites():
    suites = []
    for name, path in programs(f"{ROOT}/build/fuzz/tests", "_fuzz"):
        seeds = f"{ROOT}/tests/fuzz/seeds/{name.removesuffix('_fuzz')}"
        fresh = tempfile.mkdtemp(prefix=f"postern-{name}-")
        command = [path, f"-max_total_time={FUZZ_SECONDS}", "-timeout=20", "-rss_limit_mb=3000",
                   "-print_final_stats=1", fresh]
        suites.append(Suite(f"fuzz/{name}", command + [seeds] * os.path.isdir(seeds), "plain",
                            fresh, FUZZ_SECONDS + 120))
    return suites


def bench_suites():
    return [Suite(f"bench/{name}", [path, "--benchmark_min_time=0.01"], "plain")
            for name, path in programs(f"{ROOT}/build/bench/tests", "_bench")]


def stage_suites(stage):
    return {"fuzz": fuzz_suites, "bench": bench_suites}.get(stage, lambda: ctest_suites(stage))()


def execute(suite, extra):
    """(exit code or None after a time-out, output). Ends the program's whole process group."""
    with tempfile.TemporaryFile() as sink:
        child = subprocess.Popen(suite.command + extra, cwd=suite.folder, stdout=sink,
                                 stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                 start_new_session=True,
                                 env={**ENVIRONMENT, **os.environ, **suite.environment})
        try:
            code = child.wait(timeout=suite.timeout_s)
        except subprocess.TimeoutExpired:
            code = None
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait()
        sink.seek(0)
        return code, sink.read().decode("utf-8", "replace")


def gtest_outcome(report_path, code):
    """(passed, failed names) by the program's own JSON; a crash leaves none."""
    try:
        with open(report_path, encoding="utf-8") as file:
            report = json.load(file)
    except (OSError, ValueError):
        return 0, ["(no report: the program died)"]
    failed, total = [], 0
    for group in report.get("testsuites", ()):
        for case in group.get("testsuite", ()):
            # A skipped case (the half of a test that runs in a child process) says nothing.
            if case.get("status") == "RUN" and case.get("result") != "SKIPPED":
                total += 1
                if case.get("failures"):
                    failed.append(f"{group['name']}.{case['name']}")
    passed = total - len(failed)
    if not total:
        failed.append("(no test ran)")
    elif code and not failed:
        failed.append(f"(exit code {code} after all cases passed: a sanitizer or leak report)")
    return passed, failed


def unittest_outcome(output, code):
    ran = re.search(r"^Ran (\d+) tests?", output, re.MULTILINE)
    failed = re.findall(r"^(?:FAIL|ERROR): (.+)$", output, re.MULTILINE)
    total = int(ran[1]) if ran else 0
    # A failing subTest is reported by itself; the case that holds it counts once.
    names = sorted({re.sub(r" \[?\(?(?=\w+=).*", "", name) for name in failed})
    if not total:
        names = names or ["(no test ran)"]
    elif code and not names:
        names.append(f"(exit code {code})")
    return max(0, total - len(names)), names


def run_suite(suite):
    started = time.monotonic()
    extra, report = [], None
    if suite.kind == "gtest":
        handle, report = tempfile.mkstemp(suffix=".json")
        os.close(handle)
        os.truncate(report, 0)
        extra = [f"--gtest_output=json:{report}"]
    code, output = execute(suite, extra)
    if code is None:
        passed, failures = 0, [f"(ended after {suite.timeout_s:.0f} s)"]
    elif suite.kind == "gtest":
        passed, failures = gtest_outcome(report, code)
    elif suite.kind == "unittest":
        passed, failures = unittest_outcome(output, code)
    else:
        passed, failures = (0, [f"(exit code {code})"]) if code else (1, [])
    if report:
        os.unlink(report)
    return Outcome(passed, failures, time.monotonic() - started, output)


def show(number, count, suite, outcome):
    word = "FAIL" if outcome.failures else "ok"
    print(f"[{number}/{count}] {word:4} {suite.name}: {outcome.passed} passed, "
          f"{len(outcome.failures)} failed, {outcome.seconds:.1f} s", flush=True)
    if outcome.failures:
        for line in outcome.output.splitlines()[-SHOWN_OUTPUT_LINES:]:
            print("      " + line)
        for name in outcome.failures:
            print(f"   failed: {suite.name} {name}", flush=True)


def run_all(suites, jobs):
    """(passed, failed) over all suites; the long ones start first."""
    suites = sorted(suites, key=lambda suite: (not suite.first, suite.name))
    passed, failed = 0, []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(run_suite, suite): suite for suite in suites}
        for number, done in enumerate(concurrent.futures.as_completed(waiting), 1):
            suite, outcome = waiting[done], done.result()
            show(number, len(suites), suite, outcome)
            passed += outcome.passed
            failed += [f"{suite.name} {name}" for name in outcome.failures]
    return passed, failed


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--filter", default="", metavar="REGEX")
    parser.add_argument("--jobs", type=int, default=max(2, os.cpu_count() or 2))
    parser.add_argument("stages", nargs="+", choices=["dev", "tsan", "fuzz", "bench"])
    options = parser.parse_args()
    passed, failed = 0, []
    for stage in options.stages:
        suites = [s for s in stage_suites(stage) if re.search(options.filter, s.name)]
        print(f"== run {stage}: {len(suites)} programs, {options.jobs} at once", flush=True)
        # A benchmark beside another program measures both.
        more = run_all(suites, 1 if stage == "bench" else options.jobs)
        passed += more[0]
        failed += more[1]
    if failed:
        print("failed:")
        for name in failed:
            print(f"  {name}")
    if not passed and not failed:
        failed.append("nothing ran")
        print(f"nothing matches --filter {options.filter}")
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
