"""Arithmetic of complex numbers (jit/bytecodes/numbers_in_c.py)."""

import sys

import pytest
from compare import assert_stays_compiled, check, copies, outcome


class Derived(complex):
    def __add__(self, other):
        return "added by its own method", str(other)

    def __rmul__(self, other):
        return "multiplied by its own method", str(other)


class Real(float):
    def __radd__(self, other):
        return "added as a number", str(other)


class Number:
    """Answers for whatever it is used with."""

    def __radd__(self, other):
        return "radd", type(other).__name__

    __rmul__ = __rsub__ = __rtruediv__ = __radd__

    def __complex__(self):
        raise KeyError("not asked")


COMPLEX = [0j, -0.0 + 0j, complex(0.0, -0.0), 1 + 2j, -1.5 - 0.25j, complex("nan"), complex("inf"), complex(1e308, -1e308), complex(5e-324, 0)]
OTHERS = [0, 1, -3, 2**31, 2**62, -2**63, 2**64, 10**400, True, False, 1.5, float("nan"), -0.0, float("inf"), Derived(1, 2), Real(2.5), Number(), None, "", "1j", object()]


def added(x, y):
    return x + y, y + x, x - y, y - x


def multiplied(x, y):
    return x * y, y * x


def divided(x, y):
    return x / y


def raised(x, y):
    return x ** y


def in_place(x, y):
    z = x
    z += y
    z *= x
    z -= y
    return z, x


def looked_at(x, y):
    return abs(x), x == y, x != y, x.real, x.imag, x.conjugate(), bool(x), -x, +x, hash(x) == hash(y)


def made(x, y):
    return complex(x), complex(x, y), complex(y)


def ordered(x, y):
    return x < y


FUNCTIONS = [added, multiplied, divided, raised, in_place, looked_at, made, ordered]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_as_interpreted(function):
    pairs = [(x, y) for x in COMPLEX for y in (*COMPLEX, *OTHERS)]
    pairs += [(y, x) for x, y in pairs]
    check(function, *pairs, repeat=2)


def orbit(c, n):
    z = 0j
    for i in range(n):
        if abs(z) > 2:
            return i, z
        z = z * z + c
    return n, z


def test_an_orbit_stays_compiled():
    points = [complex(x / 4, y / 4) for x in range(-8, 4) for y in range(-4, 5)]
    check(orbit, *[(point, 60) for point in points], (2**70, 9), ("", 3), (None, 3), (1e200j, 9), (1e308 + 1e308j, 9))
    (_,), (fast,) = copies(orbit)

    def work():
        return [fast(point, 60) for point in points]

    for _ in range(5):
        work()
    assert_stays_compiled(fast, work)


def test_references_and_blocks():
    def use(x, y):
        z = x * y + 1.5
        return z / x - y

    (plain,), (fast,) = copies(use)
    x, y = 1.5 + 2j, -2.5j
    for _ in range(50):
        assert plain(x, y) == fast(x, y)
    before = sys.getrefcount(x), sys.getrefcount(y), sys.getallocatedblocks()
    for _ in range(2000):
        fast(x, y)
        try:
            fast(0j, y)
        except ZeroDivisionError:
            pass
    after = sys.getrefcount(x), sys.getrefcount(y), sys.getallocatedblocks()
    assert before[:2] == after[:2] and after[2] - before[2] < 200


def test_lines_of_errors():
    def use(x, y):
        z = x + y
        return (
            z
            / (x - x)
        )

    (plain,), (fast,) = copies(use)
    for x, y in [(1j, 2j)] * 5 + [(1j, 10**400), (1j, None)] * 2:
        assert outcome(plain, (x, y)) == outcome(fast, (x, y))
