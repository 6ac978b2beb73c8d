"""Workers that die, hang, or are killed: nothing is lost, and each is a finding."""

import pytest

from fuzz import processes
from fuzz.minimise import minimise
from fuzz.processes import Judge
from fuzz.running import Run

CASE = {"entry": "f", "calls": ["(5,)"], "code": "", "manner": "plain", "origin": [], "way": "compiled", "register": 1}
CRASH = """\
import ctypes
def g(x):
    return x + 1
def f(x):
    y = g(x) * 2
    for i in range(3):
        y -= i
    if x > 3:
        z = [x, y]
        try:
            ctypes.string_at(0)
        finally:
            z = y
    return y
"""


def case(source, **more):
    return {**CASE, "source": source, **more}


def test_a_judge_survives_crashes():
    with Judge("jit") as judge:
        assert judge.verdict(case("def f(x):\n    return x + 1\n")) == (None, "")
        signature, detail = judge.verdict(case(CRASH))
        assert signature == "compiled: crash: SIGSEGV" and "string_at" in detail
        assert judge.verdict(case("def f(x):\n    return x + 2\n"))[0] is None


def test_what_cannot_be_run_says_nothing():
    with Judge("jit") as judge:
        signature, detail = judge.verdict(case("def f(x:\n"))
    assert signature is None and "SyntaxError" in detail


def test_hangs(monkeypatch):
    monkeypatch.setattr(processes, "PATIENCE", 2.0)
    with Judge("jit") as judge:
        signature, detail = judge.verdict(case("import time\ndef f(x):\n    time.sleep(1000)\n"))
        assert signature == "compiled: hang" and "in f" in detail
        assert judge.verdict(case("def f(x):\n    return x + 1\n"))[0] is None


def test_prints_of_programs_do_not_disturb():
    with Judge("jit") as judge:
        assert judge.verdict(case("def f(x):\n    print('{\"event\": 1}')\n    return x\n"))[0] is None


def test_crashes_shrink():
    small, judged = minimise("jit", case(CRASH, calls=["(1,)", "(5,)"]), None, "compiled: crash: SIGSEGV", seconds=40)
    assert judged > 10
    assert len(small["source"].splitlines()) <= 4 and "string_at" in small["source"] and len(small["calls"]) == 1


def test_a_run_is_the_same_again():
    runs = [Run("jit", "twice", count=40).run() for _ in range(2)]
    assert [run.programs for run in runs] == [40, 40]
    assert runs[0].features == runs[1].features and len(runs[0].features) > 50
    assert runs[0].findings == runs[1].findings == {}


@pytest.mark.parametrize("jobs", [1, 2])
def test_jobs_share_the_work(jobs):
    summary = Run("jit", "jobs", count=15, jobs=jobs).run()
    assert summary.programs == 15 * jobs and summary.seconds > 0
