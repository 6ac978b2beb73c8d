"""Sequences put one behind the other, and repeated: without a frame where they are exactly tuples, bytes or strings."""

import sys

import pytest
from compare import check, copies


class Pair(tuple):
    def __add__(self, other):
        return "its own", other

    __mul__ = __add__


class Octets(bytes):
    def __radd__(self, other):
        return "its own", other


class Count(int):
    def __rmul__(self, other):
        return "its own", other

    def __index__(self):
        return 3


class Index:
    def __index__(self):
        return 2


SEQUENCES = [(), (1,), ("a", 2.5, None), ((), []), b"", b"ab", b"\xff" * 300, "", "x", "\xe9\u0130", [], [1], Pair((1, 2)), Octets(b"a"), bytearray(b"ab"), range(3)]
COUNTS = [0, 1, 2, 7, -1, True, False, 2**62, -2**63, 2**64, 2.0, None, Count(2), Index()]


def added(x, y):
    return x + y


def added_in_place(x, y):
    z = x
    z += y
    return z, x


def repeated(x, n):
    return x * n


def repeated_in_place(x, n):
    z = x
    z *= n
    return z, x


def from_the_left(x, n):
    return n * x


@pytest.mark.parametrize("function", [added, added_in_place], ids=lambda function: function.__name__)
def test_added(function):
    check(function, *[(x, y) for x in SEQUENCES for y in SEQUENCES], repeat=2)


@pytest.mark.parametrize("function", [repeated, repeated_in_place, from_the_left], ids=lambda function: function.__name__)
def test_repeated(function):
    check(function, *[(x, n) for x in SEQUENCES for n in COUNTS if not (len(x) > 1 and n == 2**62)], repeat=2)


def test_references_and_identities():
    """What is added to nothing, or repeated once, may be the same object."""
    def use(x, y):
        return x + y, x + (), () + y, x * 1, y * 2

    (plain,), (fast,) = copies(use)
    item = object()
    x, y = (item, 1), (item,)
    for _ in range(50):
        results = plain(x, y), fast(x, y)
        assert [[made is x, made is y] for made in results[0]] == [[made is x, made is y] for made in results[1]]
    results = None
    before = sys.getrefcount(item), sys.getrefcount(x), sys.getrefcount(y)
    for _ in range(50):
        fast(x, y)
    assert before == (sys.getrefcount(item), sys.getrefcount(x), sys.getrefcount(y))
