"""Loops of functions that are called once come to run compiled, found by the clock."""

import pytest

from comparing import run

UNTIL_ENTERED = """
import jit, time
def entered():
    told = jit.explain(main)
    return any(loop.calls for loop in told.loops) if told.state != "not decorated" else False
end = time.perf_counter() + 60
"""

FOR = """
def main():
    total = 0
    while not entered() and time.perf_counter() < end:
        for i in range(300_000):
            total += i & 3
    return total % 450_000
print(main(), entered())
"""

RAISES = """
def main():
    turns = 0
    while True:
        for i in range(300_000):
            turns += i & 3
        if entered() or time.perf_counter() > end:
            raise SystemExit(3 + entered())
main()
"""

UNCAUGHT = """
def main():
    turns = 0
    while True:
        for i in range(300_000):
            turns += i & 3
        if entered() or time.perf_counter() > end:
            turns / 0
main()
"""


@pytest.mark.parametrize("program, status, output", [(FOR, 0, "0 True\n"), (RAISES, 4, "")])
def test_main_is_entered(program, status, output):
    assert run(["-c", UNTIL_ENTERED + program], [], timeout=120) == (status, output, "")


def test_tracebacks_show_the_function_once():
    status, output, errors = run(["-c", UNTIL_ENTERED + UNCAUGHT], [], timeout=120)
    assert status == 1 and errors.count("in main\n") == 1 and errors.count("in <module>") == 1 and "ZeroDivisionError" in errors


def test_stats_tell_of_it():
    status, _, errors = run(["-c", UNTIL_ENTERED + FOR], ["--stats"], timeout=120)
    assert status == 0 and "the loop at line " in errors and " while it ran" in errors
