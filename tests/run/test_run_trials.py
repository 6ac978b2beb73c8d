"""Versions on trial (jit/trials.py): compiled while types were noted, still there when nothing more is learnt."""

import pytest

from comparing import run

#: Nothing promises enough here, so that only what is still noting types is compiled: what is done in one turn of 6,000 never comes again.
PROGRAM = """
import sys, time
import jit
from jit import profit
from jit.errors import NOT_WORTHWHILE
profit.LEAST_PROMISE = {least}
jit.enable()
class Box:
    pass
box = Box()
box.number = 1
def many(box, n, name="number"):
    total = 0
    for i in range(n):
        total += len(repr(getattr(box, name)))
        if i == 5000:
            total -= getattr(box, name)
    return total
many(box, 6000)
def state():
    report = jit.explain(many)
    return len(report.versions), len(report.loops), {{reason for _, reason in report.refused.values()}} == {{NOT_WORTHWHILE}}
def until(reached, work, seconds=60.0):
    end = time.perf_counter() + seconds
    while not reached(*state()) and time.perf_counter() < end:
        work()
"""


def python(code, least):
    status, output, errors = run(["-c", PROGRAM.format(least=least) + code], None, timeout=150)
    assert (status, errors) == (0, "")
    return output.splitlines()


CALLS = """
seen = set()
def work():
    seen.update(map(many, [box] * 21, [300] * 21))  # by C code: for compiled callers it would be worth its while
until(lambda versions, loops, refused: versions, work)
print(state()[::2])
until(lambda versions, loops, refused: refused, work, {seconds})
print(state()[::2], seen == {{300}})
"""


def test_what_promises_nothing_is_given_back():
    assert python(CALLS.format(seconds=60.0), 2.0) == ["(1, False)", "(0, True) True"]


def test_what_promises_something_stays():
    assert python(CALLS.format(seconds=2.0), 0.0) == ["(1, False)", "(1, False) True"]


def test_a_loop_that_runs_is_left():
    """It is entered in the middle of the only call, which goes on interpreted."""
    code = """
def main(box, seconds, name="number"):
    end, total, turns, seen = time.perf_counter() + seconds, 0, 0, [0]
    while time.perf_counter() < end and seen != [0, 1, 0]:
        turns += 1
        total += len(repr(getattr(box, name)))
        if turns == 5000:
            total -= getattr(box, name)
        if turns % 1000 == 0:
            loops = len(jit.explain(main).loops)
            if loops != seen[-1]:
                seen.append(loops)
    return seen, total - turns
print(main(box, 60.0))
"""
    assert python(code, 2.0) == ["([0, 1, 0], -1)"]


def test_nothing_that_was_asked_for_is_given_back():
    code = """
from jit.dispatch import COMPILER
asked = jit.jit(many)
until(lambda versions, loops, refused: versions, lambda: many(box, 300))
for version in COMPILER.records[id(many)].versions:
    version.on_trial = True
for _ in range(3):
    COMPILER.judge(many)
print(state()[::2], many(box, 300))
"""
    assert python(code, 0.0) == ["(1, False) 300"]
