"""``if a < b`` where the comparison answers with something else than a bool: what decides is the truth of that answer.

From 3.13 on the conversion is part of the comparison, and the jump behind it takes True and False alone, so no side exit may leave
the answer itself to that jump.
"""

import sys
from types import FunctionType

import pytest

import jit

ANSWERS = (True, False, 1, 0, [1], [], "x", "", None, 2.5, 0.0)


class Answers:
    """Compares as told; counts how often it is asked."""

    def __init__(self, answer, looks=False):
        self.answer, self.looks, self.asked = answer, looks, 0

    def __lt__(self, other):
        self.asked += 1
        if self.looks:
            self.seen = sys._getframe(1)
        return self.answer

    __eq__ = __ne__ = __ge__ = __lt__


class Doubtful:
    def __bool__(self):
        raise ValueError("no truth")


def less(a, b):
    s = 0
    for i in range(40):
        s += i * i
        if a < b:
            s += 1
    return s


def equal(a, b):
    s = 0
    for i in range(40):
        s += i * i
        if not a == b:
            s += 1
        if a != b and a >= b:
            s += 100
    return s


def in_a_handler(a, b):
    s = 0
    for i in range(40):
        s += i * i
        try:
            while a < b:
                s += 1
                break
        except ValueError:
            s += 10
    return s


def outcome(function, answer, other=1, looks=False):
    first = Answers(answer, looks)
    try:
        return function(first, first if other is None else other), first.asked
    except ValueError as problem:
        return str(problem), first.asked


@pytest.mark.parametrize("function", [less, equal, in_a_handler])
@pytest.mark.parametrize("first", [True, False, [1], None])
def test_the_truth_of_the_answer_decides(function, first):
    plain = FunctionType(function.__code__.replace(), globals())
    fast = jit.jit(FunctionType(function.__code__.replace(), globals()))
    for _ in range(30):
        fast(Answers(first), 1)
    for answer in (*ANSWERS, Doubtful()):
        for other in (1, None):
            for looks in (False, True):
                assert outcome(fast, answer, other, looks) == outcome(plain, answer, other, looks), (answer, other, looks)


def test_nan_is_not_itself():
    def same(a, b):
        s = 0
        for i in range(40):
            s += i
            if a == b:
                s += 1
        return s

    fast = jit.jit(FunctionType(same.__code__.replace(), globals()))
    nan = float("nan")
    for first, second in ((Answers(True), 1), (nan, nan), (nan, 1), ("x", nan), ([nan], [nan]), (1, 1), ("x", "x")) * 5:
        assert fast(first, second) == same(first, second)
