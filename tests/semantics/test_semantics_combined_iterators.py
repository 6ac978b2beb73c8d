"""Comprehensions over enumerations and zips, whose bodies know what these walk over."""

import sys

import pytest
from compare import check, copies

import jit


class Own:
    def __init__(self, *items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


class Failing:
    def __iter__(self):
        yield 1
        raise KeyError("in the middle")


class Sub(list):
    def __iter__(self):
        return iter(("its", "own"))


def enumerated(x, y):
    return [i for i, a in enumerate(x) if a], [(i, a) for i, a in enumerate(x, 3)], [pair for pair in enumerate(x)], {i: a for i, a in enumerate(y)}


def zipped(x, y):
    return [(a, b) for a, b in zip(x, y)], [pair for pair in zip(x, y, x)], {i: b for i, (a, b) in enumerate(zip(x, y))}, [a for a, in zip(x)]


def added(x, y):
    return [a + b for a, b in zip(x, y)], sum(a * i for i, a in enumerate(x)), [a - i for i, a in enumerate(y, len(x))]


def views(x, y):
    return [(i, k, v) for i, (k, v) in enumerate(x.items())], [(k, v) for k, v in zip(x.keys(), y.values())], [(k, b) for k, b in zip(x, y)]


def nested(x, y):
    return [[(i, j, b) for j, b in enumerate(y)] for i, a in enumerate(x)], [(a, b) for a in x for i, b in enumerate(y) if i < 2]


def backwards(x, y):
    return [(i, a) for i, a in enumerate(reversed(x))], [(a, b) for a, b in zip(reversed(x), y)]


def uneven(x, y):
    """What the longer part still has is what the interpreter leaves in it."""
    rest = iter(x)
    pairs = [(a, b) for a, b in zip(rest, y)]
    again = [(a, b) for a, b in zip(y, rest)]
    return pairs, again, list(rest)


def kept(x, y):
    numbered = enumerate(x)
    first = [(i, a) for i, a in numbered if i < 2]
    return first, next(numbered, None), list(numbered)


def failing(x, y):
    return [a // b for a, b in zip(x, y)], [10 // (i - 1) if a else 0 for i, a in enumerate(x)]


THINGS = [[1, 2, 3], (4, 5.5, None), "ab\xe9", b"xyz", bytearray(b"ab"), range(4), range(5, 0, -2), {1, 2}, frozenset((7,)), {"a": 1, "b": 2}, {1: 2.5}, [], (), [2**70, True, -1], Own(1, 2),
          Failing(), Sub([1, 2]), None, 5, iter]
FUNCTIONS = [enumerated, zipped, added, views, nested, backwards, uneven, kept, failing]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_as_interpreted(function):
    """One version after the other meets all of them."""
    for start in range(0, len(THINGS), 3):
        x = THINGS[start]
        check(function, *[(x, x)] * 3, *[(x, y) for y in THINGS], *[(y, x) for y in THINGS], repeat=1)


def test_they_stay_compiled():
    def use(x, y):
        return [i for i, a in enumerate(x) if a] + [a * b for a, b in zip(x, y)]

    fast = check(use, *[([1, 0, 3], [4, 5, 6])] * 8)
    explained = str(jit.explain(fast))
    assert "left" not in explained and "always leaves" not in explained, explained


def test_references():
    (_,), (fast,) = copies(zipped)
    x, y = [object(), "a rather long text"], (object(), 2.5)
    fast(x, y)
    before = [sys.getrefcount(item) for item in (*x, *y, x, y)]
    for _ in range(50):
        fast(x, y)
    assert before == [sys.getrefcount(item) for item in (*x, *y, x, y)]
