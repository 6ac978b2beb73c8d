"""Values that are ints at one time and floats at another: arithmetic, comparison and truth of attributes, items and arguments."""

import gc
import itertools
import sys

import pytest

from compare import assert_stays_compiled, check, copies


class SubInt(int):
    pass


class SubFloat(float):
    pass


NUMBERS = [1, 2.5, 0, -0.0, 0.0, 2**31, -5, 3, 1.5, -7, 2**53 - 1, 2**53, 2**53 + 1, -2**53, 2**62, -2**63, 2**63, 2**70,
           float("nan"), float("inf"), 1e308]
HOSTILE = [True, None, "", SubInt(2), SubFloat(2.5), 1j, [1]]


class Pair:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __repr__(self):
        return f"Pair({self.x!r}, {self.y!r})"


def products(p):
    return p.x * p.y + p.y * p.x - p.x


def quotient(p):
    return p.x / p.y


def remainder(p):
    return p.x % p.y, p.x // p.y, p.x ** 2


def ordered(p):
    return p.x < p.y, p.x <= 0, p.x == p.y, p.x != 1, 0.5 > p.x


def turned(p):
    return -p.x, +p.x, 1 if p.x else 2, not p.y


def beside_a_float(p):
    return p.x * 0.5 + p.y, 1.0 - p.x, p.x / 2.0


def extremes(p):
    return min(p.x, p.y), max(p.x, 0.5), abs(p.x), round(p.x, 1) if p.x == p.x else 0


def in_place(p):
    p.x += p.y
    p.x *= p.x
    total = p.x
    total -= p.y
    return total, p.x


def of_items(p):
    x, y = [p.x, p.y]
    z = (p.x, p.y)[1]
    return x + y * z - 1


FUNCTIONS = [products, quotient, remainder, ordered, turned, beside_a_float, extremes, in_place, of_items]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_every_pair(function):
    pairs = [(Pair(x, y),) for x, y in itertools.product(NUMBERS, repeat=2)]
    check(function, *pairs, *pairs)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_what_is_no_number_after_all(function):
    """It is met by code that expects ints or floats."""
    warm = [(Pair(x, y),) for x, y in itertools.product((1, 2.5, -7, 1.5), repeat=2)] * 8
    hostile = [(pair,) for other in HOSTILE for pair in (Pair(other, 1), Pair(1.5, other), Pair(other, other))]
    check(function, *warm, *hostile, *warm)


def loop(numbers, factor):
    total = 0
    for number in numbers:
        if number > factor:
            total = total + number * factor
        else:
            total = number - total
    return total


def test_in_loops():
    ints, floats = list(range(-40, 40)), [number / 4 for number in range(-40, 40)]
    mixed = [number if number % 3 else number / 2 for number in range(80)]
    for factor in (1, 0.5, 2**40, -1.5, 0):
        check(loop, (ints, factor), (mixed, factor), (floats, factor), (mixed[::-1], factor), (mixed + [2**62, 2**80, 1], factor))


def total_of(items):
    total = 0
    for item in items:
        total = total + item.x * item.y
    return total


def test_no_reference_is_lost_or_kept():
    """Results that are dropped at once, stored, and returned."""
    (_,), (compiled,) = copies(total_of)
    items = [Pair(number, number / 2) for number in range(500, 540)] + [Pair(number / 2, 1000) for number in range(500, 540)]
    for _ in range(500):
        compiled(items)
    gc.collect()
    counts = [(sys.getrefcount(item.x), sys.getrefcount(item.y)) for item in items]
    blocks = sys.getallocatedblocks()
    for _ in range(200):
        compiled(items)
    assert counts == [(sys.getrefcount(item.x), sys.getrefcount(item.y)) for item in items]
    assert sys.getallocatedblocks() < blocks + 150


def test_mixed_attributes_are_compiled_for_good():
    """Ints and floats by turns are no reason to leave."""
    (_,), (compiled,) = copies(products)
    pairs = [Pair(x, y) for x, y in itertools.product((1, 2.5, -3, 1e10, 12), repeat=2)]
    for _ in range(40):
        for pair in pairs:
            compiled(pair)
    assert_stays_compiled(compiled, lambda: [compiled(pair) for _ in range(40) for pair in pairs])
