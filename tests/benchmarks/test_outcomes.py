"""What becomes of suites of tests: reading reports and outputs, and telling differences."""

import pathlib
import sys
import time
from collections import Counter

import outcomes
import packages
import pytest
import regrtest

REPORT = """<testsuites><testsuite tests="5" errors="0" failures="1">
<testcase name="test.a.T.test_one" status="run" result="completed" time="0.1" />
<testcase name="test.a.T.test_one" status="run" result="completed" time="0.1"><failure type="x">text</failure></testcase>
<testcase name="test.a.T.test_two" status="run"><skipped>why</skipped></testcase>
<testcase classname="tests.b.T" name="test_at[0x7f3efa7ed8a0]"><error>text</error><system-out>o</system-out></testcase>
<testcase name="test.a.T.test_three" outcome="UNEXPECTED_SUCCESS" />
</testsuite></testsuites>"""
OUTPUT = """test_one (test.a.T.test_one) ... ok
test_two (test.a.T.test_two)
What it is about. ... FAIL

======================================================================
FAIL: test_two (test.a.T.test_two) (i=<object at 0x7f3efa7ed8a0>)
----------------------------------------------------------------------
Traceback (most recent call last):
"""


STATS = "purejit: 9 functions found\n  since the start: 12 versions compiled, 1 internal errors\n  internal error: f: KeyError(1) at g, line 7\n"


def outcome(ending="", seconds=1.0, last="", compiled=None, status=0, problems=(), **results):
    counts = Counter({(name, result): 1 for name, result in results.items()})
    return outcomes.Outcome(ending, counts, seconds, last, status=status, compiled=compiled, problems=problems)


def test_reports_of_both_kinds():
    assert outcomes.parse_report(REPORT) == Counter({
        ("test.a.T.test_one", "passed"): 1, ("test.a.T.test_one", "failed"): 1, ("test.a.T.test_two", "skipped"): 1,
        ("tests.b.T.test_at[0x]", "error"): 1, ("test.a.T.test_three", "failed"): 1})


def test_subtests_that_fail_are_seen_in_the_output():
    assert outcomes.parse_failures(OUTPUT) == Counter({("test_two (test.a.T.test_two) (i=<object at 0x>)", "FAIL"): 1})
    assert outcomes.last_begun(OUTPUT) == "test.a.T.test_two"
    assert outcomes.last_begun("nothing of the kind") == ""


@pytest.mark.parametrize("status, reported, ending", [(0, True, ""), (2, True, ""), (-11, True, "killed by signal 11"),
                                                      (None, False, "not done after 9 s"), (1, False, "exit status 1 without a report")])
def test_endings(status, reported, ending):
    assert outcomes.ending_of(status, 9, reported) == ending


def test_differences_by_name():
    plain, compiled = outcome(a="passed", b="skipped", c="passed"), outcome(a="passed", b="failed", d="passed")
    assert outcomes.differences(plain, compiled) == ["b: failed, plain: skipped", "c: not run, plain: passed", "d: passed, plain: not run"]
    assert outcomes.differences(plain, plain) == []
    assert outcomes.differences(plain, outcome("killed by signal 11", last="test.a.T.x")) == ["killed by signal 11 in test.a.T.x"]


def test_how_much_was_compiled_is_told():
    assert outcomes.parse_tally(OUTPUT + STATS) == (12, ["f: KeyError(1) at g, line 7"])
    assert outcomes.parse_tally(OUTPUT) == (None, [])


def test_statuses_and_internal_errors_are_differences():
    plain = outcome(a="passed")
    assert outcomes.differences(plain, outcome(a="passed", status=2)) == ["exit status 2, plain: 0"]
    assert outcomes.differences(plain, outcome(a="passed", problems=["f: KeyError(1)"])) == ["internal error: f: KeyError(1)"]
    assert plain != outcome(a="passed", status=2) and plain != outcome(a="passed", problems=["x"])


def test_one_of_several_files_that_ran_together():
    counts = Counter({("test.test_x.T.test_a", "passed"): 1, ("test_b (test.test_x.T.test_b)", "FAIL"): 1, ("test.test_xy.T.test_a", "passed"): 1})
    found = outcomes.Outcome("", counts, 9.0, compiled=5).part("test_x", 3)
    assert (found.seconds, found.compiled, len(found.counts)) == (3.0, 5, 2)


def test_a_suite_that_compiles_nothing_is_none():
    results = outcomes.Results()
    results.add("test_x", outcome(a="passed"), outcome(a="passed"))
    assert results.different == 1 and "- test_x: nothing was compiled" in results.text()


def test_what_differs_is_run_again():
    found = iter([outcome(a="failed"), outcome(a="passed")])
    plain, compiled = outcomes.compare(lambda: outcome(a="passed"), lambda: next(found))
    assert plain == compiled
    plain, compiled = outcomes.compare(lambda: outcome(a="passed"), lambda: outcome(a="failed"), retries=2)
    assert plain != compiled


def test_table_of_results(capsys):
    results = outcomes.Results()
    results.add("test_x", outcome(a="passed", b="skipped"), outcome(a="passed", b="skipped", seconds=7, compiled=5))
    results.add("test_y", outcome(a="passed"), outcome(a="failed", compiled=6))
    assert results.different == 1
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in results.text().splitlines()[2:4]]
    assert rows == [["test_x", "2", "1 skipped", "1 skipped", "yes", "5", "1.0", "7.0"],
                    ["test_y", "1", "ok", "1 failed", "NO", "6", "1.0", "1.0"]]
    assert "1 of 2 have the same outcome" in results.text() and "- test_y: a: failed, plain: passed" in results.text()
    assert "test_y: " not in capsys.readouterr().out.splitlines()[0]


def test_a_process_that_does_not_end_is_killed_with_its_children():
    code = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); print(p.pid, flush=True); p.wait()"
    found = outcomes.run([sys.executable, "-c", code], timeout=1)
    assert found.ending == "not done after 1 s" and found.counts == Counter()
    state = pathlib.Path("/proc", found.output.strip(), "stat")
    end = time.monotonic() + 30  # a killed process may take a while to go
    while is_alive(state) and time.monotonic() < end:
        time.sleep(0.01)
    assert found.output.strip().isdigit() and not is_alive(state)


def is_alive(state):
    try:
        return " Z " not in state.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_report_is_read():
    code = f"import sys; print({OUTPUT!r}); open(sys.argv[1], 'w').write({REPORT!r}); sys.exit(2)"
    found = outcomes.run([sys.executable, "-c", code, "{report}"], timeout=60)
    assert found.ending == "" and found.totals == Counter(passed=1, failed=2, skipped=1, error=1, FAIL=1)


def test_names_of_older_versions():
    assert regrtest.chosen(["test_int", "str", "test_no"], {"test_int", "test_unicode"}) == (["test_int", "test_unicode"], ["test_no"])
    assert regrtest.chosen(["test_str"], {"test_str"}) == (["test_str"], [])
    assert set(regrtest.SAMPLE) < set(regrtest.NAMES) and len(set(regrtest.NAMES)) == len(regrtest.NAMES)


def test_groups_of_test_files():
    assert regrtest.groups(["test_a", "test_gc", "test_b", "test_c"], 2) == [["test_a", "test_b"], ["test_c"], ["test_gc"]]
    assert sorted(sum(regrtest.groups(regrtest.NAMES, 6), [])) == sorted(regrtest.NAMES)


def test_commands_differ_only_in_the_launcher():
    for make, what in ((regrtest.command, "test_int"), (packages.command, packages.SUITES[0])):
        plain, eager = make("python", [], what), make("python", outcomes.EAGER, what)
        assert eager == ["python", *outcomes.EAGER, *plain[1:]] and "{report}" in " ".join(plain)
