"""Programs that once went wrong, each reduced to what it needed."""

import gc
import sys

import pytest

import stress
from compare import check, copies


def test_a_variable_that_may_be_unbound_is_not_borrowed():
    """Its register holds garbage where it is unbound; a reference was added to that on the way into the loop."""
    def f(x, unbind, n):
        if unbind:
            del x
        for i in range(n):
            x = [i]
        return x
    check(f, ([1], False, 0), ([1], True, 3), ([1], True, 0), ([1], False, 2), ("text", True, 1), ("text", True, 0))


def test_constants_boxed_between_blocks_are_not_dropped():
    """A block version for any types got a constant whose reference was nobody's to give away."""
    def f(a, b, d):
        c = (1 and ((1 != min(3, False)) if 3 < d == 3 else (b or a)))
        return d * (c and 1e300)
    fast = check(f, (1e-10, 2, 1), ("ab", 255, 5), (-1.5, 2, 2**60), (1e308, 2**63, 256), (1e-10, 0, 0), (3.75, 255, 2**63 - 1), ("ab", 1, 0))
    constant = next(item for item in fast.__code__.co_consts if item == 1e300)
    for _ in range(20):
        fast(1e-10, 2, 1), fast(1e308, 2**63, 1)
    gc.collect()
    before = sys.getrefcount(constant)
    for _ in range(200):
        fast(1e-10, 2, 1), fast(1e308, 2**63, 1)
    gc.collect()
    assert abs(sys.getrefcount(constant) - before) < 50  # versions come and go, and hold a few


def test_operators_that_cannot_be_folded_fail_at_run_time_only():
    """Constants of wrong types raised their TypeError out of the compiler."""
    def f(n):
        a, b = 2.0, -1.5
        if n:
            return n
        return a & b
    check(f, (1,), (0,), (2.5,))


def test_constant_true_is_boxed_for_a_return_of_any_type():
    def f(n):
        if n > 1:
            return True
        if n < 0:
            return "text"
        return 5 if n else False
    check(f, (2,), (1,), (0,), (-1,), (1.5,))


def test_constant_indexes_beyond_any_displacement():
    def f(items):
        try:
            return items[2**30]
        except IndexError:
            return items[-2**40]
    check(f, ([1, 2],), ((1,),), (b"x",))


def test_refusals_hold_no_arguments():
    """The exception that refused a version kept its traceback, and with it the arguments of the call."""
    class Item:
        pass

    def f(x, y):
        c = x if x else y
        return c, x and y
    (_,), (fast,) = copies(f)
    item = Item()
    before = sys.getrefcount(item)
    for _ in range(5):
        fast(item, "y"), fast(item, [1]), fast(1, item)
    gc.collect()
    assert sys.getrefcount(item) == before


@pytest.mark.parametrize("seed", [16, 21, 23, 33, 37, 74, 103, 1045, 1054, 1076, 1107, 5076, 5247, 5695, 20301])
def test_random_programs_that_failed(seed):
    """Moves of floats through spill slots in a cycle, types decided late, templates that were missing, and others."""
    assert stress.compare(seed) is None
    gc.collect()


def test_folded_integers_outlive_compiling():
    """An exit's descriptor held the address of a folded int that was freed when compiling ended."""
    def f(n):
        a = -3
        b = a * 1152921504606846976
        c = b - 12345678
        return (b ** 2, c ** 2) if n else (b, c)
    for _ in range(20):
        check(f, (1,), (0,), repeat=2)
        gc.collect()
        junk = [number * 7919 + 2**61 for number in range(200)]
    assert junk
