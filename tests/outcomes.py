"""Suites of tests run twice, plain and with every function compiled at its first call: what came out, and what differs.

For tests/regrtest.py and tests/packages.py. A suite runs in a child process that leaves a JUnit report, as both CPython's test
runner and pytest do, and in a process group of its own, so that nothing it started outlives a time-out.
"""

import collections
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from xml.etree import ElementTree

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DOCUMENT = os.path.join(ROOT, "docs", "COMPATIBILITY.md")
HEADING = ("# Compatibility\n\nSuites of tests run plain and under `python -m jit run --eager`, where every function is compiled at its first "
           "call. Each\nsection was written by the command it names; run that for another version.\n")
EAGER = ["-m", "jit", "run", "--stats", "--eager"]
sys.path.insert(0, os.path.join(ROOT, "benchmarks"))

#: Lines of unittest's summary that name a failure; subtests that fail are in no JUnit report of CPython's.
FAILURE = re.compile(r"^(FAIL|ERROR|UNEXPECTED SUCCESS): (.+)$", re.MULTILINE)
#: A test that began, in verbose output.
BEGUN = re.compile(r"^(test\w*) \(([\w.]+)\)", re.MULTILINE)
#: What `--stats` says at the end of a process.
TALLY = re.compile(r"^  since the start: (\d+) versions compiled, (\d+) internal errors$", re.MULTILINE)
PROBLEM = re.compile(r"^  internal error: (.+)$", re.MULTILINE)
#: What differs between any two processes.
ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")


class Outcome:
    """What one run of a suite came to.

    Attributes:
        ending: "" where the process reported and ended by itself, else "killed by signal 11", "not done after 600 s"...
        counts: Counter of (name of a test, "passed", "failed", "error", "skipped", "FAIL" or "ERROR"). seconds: it took.
        last: the test that ran last, where the ending is not "". output: what the process wrote, its end.
        status: exit status, None after the timeout. compiled: versions compiled in the process, None where it does not tell.
        problems: texts about internal errors of the compiler.
    """

    def __init__(self, ending, counts, seconds, last="", output="", status=0, compiled=None, problems=()):
        self.ending = ending
        self.counts = counts
        self.seconds = seconds
        self.last = last
        self.output = output
        self.status = status
        self.compiled = compiled
        self.problems = list(problems)

    def __eq__(self, other):
        return (self.ending, self.status, self.counts, self.problems) == (other.ending, other.status, other.counts, other.problems)

    def part(self, name, of):
        """What of this belongs to the one of `of` test files that has this name; time and versions are shared by all."""
        counts = collections.Counter({key: count for key, count in self.counts.items() if f"{name}." in key[0]})
        return Outcome(self.ending, counts, self.seconds / of, self.last, self.output, self.status, self.compiled, self.problems)

    @property
    def totals(self):
        """Counter of how many tests passed, failed, ..., by the JUnit report."""
        found = collections.Counter()
        for (_, result), count in self.counts.items():
            found[result] += count
        return found

    def __str__(self):
        text = ", ".join(f"{count} {result}" for result, count in sorted(self.totals.items())
                         if result in ("failed", "error", "skipped", "expected failure"))
        return ", ".join(part for part in (self.ending, text) if part) or "ok"


def parse_report(text):
    """Counter of (name, result) of a JUnit report, of CPython's test runner or of pytest."""
    counts = collections.Counter()
    for case in ElementTree.fromstring(text).iter("testcase"):
        name = ".".join(part for part in (case.get("classname"), case.get("name")) if part)
        children = {child.tag for child in case}
        result = ("error" if "error" in children else "failed" if "failure" in children or case.get("outcome") else
                  "skipped" if "skipped" in children else "passed")
        counts[ADDRESS.sub("0x", name), result] += 1
    return counts


def parse_failures(output):
    """Counter of (name, "FAIL" or "ERROR") of unittest's summary in a process's output."""
    return collections.Counter((ADDRESS.sub("0x", name.strip()), kind) for kind, name in FAILURE.findall(output))


def parse_tally(output):
    """(versions compiled or None, texts about internal errors) by what `--stats` wrote."""
    found = TALLY.findall(output)
    if not found:
        return None, []
    compiled, failed = map(int, found[-1])
    return compiled, PROBLEM.findall(output)[:failed]


def last_begun(output):
    found = BEGUN.findall(output)
    return f"{found[-1][1]}" if found else ""


def ending_of(status, timeout, reported):
    """How a process ended: "" if it reported what its tests did."""
    if status is None:
        return f"not done after {timeout} s"
    if status < 0:
        return f"killed by signal {-status}"
    return "" if reported else f"exit status {status} without a report"


def run(command, timeout, folder=None, **environment):
    """Run a suite once.

    Args:
        command: list of str; "{report}" in it stands for the file of the JUnit report. timeout: seconds. folder: to run it
        in, None for an empty one. environment: variables to set.

    Returns:
        an Outcome.
    """
    with tempfile.TemporaryDirectory() as work:
        report = os.path.join(work, "report.xml")
        words = [word.replace("{report}", report) for word in command]
        place = folder or os.path.join(work, "cwd")
        os.makedirs(place, exist_ok=True)
        variables = {**os.environ, "PYTHONPATH": ROOT, "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1", **environment}
        started = time.monotonic()
        with open(os.path.join(work, "output"), "w+b") as output:
            process = subprocess.Popen(words, cwd=place, env=variables, stdin=subprocess.DEVNULL, stdout=output,
                                       stderr=subprocess.STDOUT, start_new_session=True)
            status = wait(process, timeout)
            seconds = time.monotonic() - started
            output.seek(0)
            text = output.read().decode(errors="replace")
        counts = parse_failures(text)
        reported = os.path.exists(report)
        if reported:
            with open(report) as file:
                counts += parse_report(file.read())
        ending = ending_of(status, timeout, reported)
        compiled, problems = parse_tally(text)
        return Outcome(ending, counts, seconds, last_begun(text) if ending else "", text[-4000:], status, compiled, problems)


def wait(process, timeout):
    """The exit status; None after the timeout. Then, and in the end, nothing is left of the process's group."""
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()


def end_with_children():
    """Make SIGTERM end this process as ^C does, the running suite first; and ^C reaches it where a shell has started this in the background."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGINT, signal.default_int_handler)


def differences(plain, compiled):
    """Lines on what differs between two outcomes."""
    lines = []
    if compiled.ending != plain.ending:
        lines.append((compiled.ending or "ended well") + (f" in {compiled.last}" if compiled.last else "") +
                     (f", plain: {plain.ending}" if plain.ending else ""))
        if compiled.ending:
            return lines + compiled.output.splitlines()[-6:]
    elif compiled.status != plain.status:
        lines.append(f"exit status {compiled.status}, plain: {plain.status}")
    lines.extend(f"internal error: {text}" for text in compiled.problems)
    results = {name: ([], []) for name, _ in plain.counts | compiled.counts}
    for side, outcome in enumerate((plain, compiled)):
        for (name, result), count in sorted(outcome.counts.items()):
            results[name][side].append(result if count == 1 else f"{count} {result}")
    for name, (before, after) in sorted(results.items()):
        if before != after:
            lines.append(f"{name}: {', '.join(after) or 'not run'}, plain: {', '.join(before) or 'not run'}")
    return lines


def compare(run_plain, run_compiled, retries=1):
    """Outcomes plain and compiled; both are run again while they differ, for what differs by chance.

    Args:
        run_plain, run_compiled: functions that return an Outcome. retries: how many more times at most.

    Returns:
        (plain, compiled) of the last time.
    """
    for _ in range(retries + 1):
        plain, compiled = run_plain(), run_compiled()
        if plain == compiled:
            break
    return plain, compiled


class Results:
    """Rows of a table, and lines on differences, as suites are done; printed as they come."""

    headings = ["suite", "tests", "plain", "compiled", "same", "versions", "plain s", "compiled s"]
    most_lines = 12

    def __init__(self):
        self.rows = []
        self.notes = []
        self.different = 0

    def add(self, name, plain, compiled):
        same = plain == compiled and bool(compiled.compiled)  # where nothing was compiled, nothing is shown
        self.different += not same
        number = sum(count for (_, result), count in plain.counts.items() if result not in ("FAIL", "ERROR"))
        self.rows.append([name, number, plain, compiled, "yes" if same else "NO", compiled.compiled or "none",
                          f"{plain.seconds:.1f}", f"{compiled.seconds:.1f}"])
        print("  ".join(str(cell) for cell in self.rows[-1]), flush=True)
        if not same:
            lines = differences(plain, compiled) or ["nothing was compiled"]
            more = len(lines) - self.most_lines
            for line in [*lines[:self.most_lines], *([f"and {more} more"] if more > 0 else [])]:
                self.notes.append(f"- {name}: {line}")
                print("    " + line, flush=True)

    def text(self):
        """Table and differences, in Markdown."""
        from report import table
        parts = [table(self.headings, self.rows),
                 f"{len(self.rows) - self.different} of {len(self.rows)} have the same outcome, test by test."]
        if self.notes:
            parts.append("\n".join(self.notes))
        return "\n\n".join(parts)
