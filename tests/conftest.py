"""What all tests share: a function run both ways, and oracles that may not be missed where that is asked for.

A test that needs a tool which is not installed skips, so that the tests run anywhere. With PUREJIT_REQUIRE_ORACLES=1
such a skip is a failure: nobody takes a run without its oracles for a complete one.
"""

import gc
import os
import re
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "semantics"))
# What would not be faster is compiled all the same: these tests are about being right.
os.environ["JIT_EAGER"] = "1"
# A shell lets what it starts in the background ignore this one, and that is inherited: tests that interrupt loops would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

#: Reasons of skips that installing something would cure; other skips are about the machine or the Python version.
MISSING_TOOL = re.compile(r"\b(needs (binutils|capstone|peachpy)|could not import)\b", re.IGNORECASE)


def missed_oracle(report):
    """The reason why a report stands for an oracle that is not installed, or None."""
    if not (report.skipped and isinstance(report.longrepr, tuple)):  # an expected failure has no such tuple
        return None
    reason = report.longrepr[2]
    return reason if MISSING_TOOL.search(reason) else None


def require_oracle(report):
    reason = missed_oracle(report)
    if reason and os.environ.get("PUREJIT_REQUIRE_ORACLES") == "1":
        report.outcome = "failed"
        report.longrepr = f"an oracle is missing, and PUREJIT_REQUIRE_ORACLES=1: {reason}"


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_makereport():
    require_oracle((yield).get_result())


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_make_collect_report():
    require_oracle((yield).get_result())


@pytest.fixture(autouse=True, scope="module")
def _frozen_world():
    """What pytest, the oracles and earlier modules hold is looked through by no collection: many tests collect at every step."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def both():
    """Call `both(function, *arguments, helpers=())`: fresh interpreted and compiled copies run and are compared.

    Compared are value and exact type, exception with its arguments, traceback lines, and what becomes of the
    arguments, on three calls (the first compiles, the later ones run what was compiled). `helpers` are functions that
    `function` calls. Returns the outcome, as plain data.
    """
    from compare import copies, outcome

    def run(function, *arguments, helpers=()):
        (plain, *_), (compiled, *_) = copies(function, *helpers)
        for _ in range(3):
            expected = outcome(plain, duplicate(arguments))
            actual = outcome(compiled, duplicate(arguments))
            assert expected == actual
        return expected

    return run


def duplicate(value):
    """A copy through containers; objects of other types stay the same."""
    if type(value) in (list, tuple):
        return type(value)(map(duplicate, value))
    return bytearray(value) if type(value) is bytearray else value
