"""sum, divmod, membership, and globals that keep changing."""

import random

import pytest

from compare import check, copies, outcome

NAN, INF = float("nan"), float("inf")
NUMBERS = [0, 1, -1, 7, -7, 2**31, 2**62, -2**63, 2**63 - 1, 2**63, True, False, 0.0, -0.0, 0.5, -7.5, INF, -INF, NAN, 1e308, None, "a"]


class Number(int):
    def __radd__(self, other):
        return ("radd", other)

    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


def test_divmod():
    def f(a, b):
        quotient, remainder = divmod(a, b)
        return quotient, remainder

    def g(a, b):
        pair = divmod(a, b)
        return pair
    for function in (f, g):
        check(function, *((a, b) for a in NUMBERS for b in NUMBERS), repeat=1)
        check(function, *[(7, 2)] * 3, (7, 0), (-7, 2), (-2**63, -1))
        check(function, *[(7.5, 2)] * 3, (7.5, 0), (-7.5, INF))


def floats(seed):
    source = random.Random(seed)
    return [source.uniform(-1, 1) * 10.0 ** source.randint(-20, 20) for _ in range(100)]


SUMMED = [[], [1], [1, 2, 3], [-5, 2**29, 2**30], [2**62, 2**62], [-2**63, -1], [True, 2], [1.5], [-0.0, -0.0], [0.1] * 10, [1e100, 1.0, -1e100],
          [INF, 1.0], [INF, -INF], [NAN, 1.0], [1e308, 1e308, -1e308], [1, 2.5], [2.5, 1], [1.5, 2**70], [1.5, "a"], ["a"], [[1]],
          [Number(3), 1], [1, Number(3)], [None], floats(1), floats(2), list(range(1000)), {1: 2}, "abc", None, range(5), b"abc", bytearray(b"ab")]


def test_sum():
    def f(items):
        return sum(items)

    def with_start(items):
        return sum(items, 5)
    for function in (f, with_start):
        check(function, *((items,) for items in SUMMED), repeat=2)
        for first in ([1, 2], [1.5]):
            check(function, *[(first,)] * 3, *((items,) for items in SUMMED), *((tuple(items),) for items in SUMMED if type(items) is list))


@pytest.mark.parametrize("container", ["(1, 2, 3)", "(1,)", "{1, 2, 3}", "(True, 2)", "(1.0, 2)", "('a', 'b')", "{'a', 'b'}", "'abc'", "b'abc'",
                                       "(2**70, 1)", "()", "(None, 'a')", "range(1, 9, 2)", "[1, 2]", "(-1, 2**62)"])
def test_membership(container):
    scope = {}
    exec(f"def f(x):\n    if x in {container}:\n        return 1, x not in {container}\n    return 2, x in {container}", scope)
    check(scope["f"], *((item,) for item in (*NUMBERS, "b", "", "ab", b"a", 97, 3, Number(5), ())), repeat=2)
    check(scope["f"], (1,), (1,), (5,), (2.0,), ("a",), (1,))
    check(scope["f"], ("a",), ("a",), (5,), ("zz",), (1,))


def test_globals_that_keep_changing():
    def f(n):
        total = 0
        for i in range(n):
            total += SCALE
        return total, type(SCALE)
    (plain,), (fast,) = copies(f, namespace={"SCALE": 1})
    for value in [1, 2, 3, 4, 5, 2**40, 2**62, 2**63, True, 1.5, 2.5, "a", None, 7, 8, [1], Number(3), 9]:
        plain.__globals__["SCALE"] = fast.__globals__["SCALE"] = value
        assert outcome(fast, (3,)) == outcome(plain, (3,)), value
    for side in (plain, fast):
        del side.__globals__["SCALE"]
    assert outcome(fast, (3,)) == outcome(plain, (3,))
    for side in (plain, fast):
        side.__globals__.update({f"other{number}": number for number in range(100)}, SCALE=3)
    assert outcome(fast, (3,)) == outcome(plain, (3,))


def test_globals_changed_by_the_loop_that_reads_them():
    def count(n):
        global COUNT
        for _ in range(n):
            COUNT = COUNT + step()
        return COUNT

    def step():
        global STEP
        STEP += 1
        return STEP % 3
    (plain, _), (fast, _) = copies(count, step, namespace={"COUNT": 0, "STEP": 0})
    for n in (1, 5, 100, 5, 0):
        for _ in range(8):
            assert outcome(fast, (n,)) == outcome(plain, (n,))


def test_globals_of_a_dictionary_whose_keys_are_not_all_strings():
    def f():
        return VALUE
    (plain,), (fast,) = copies(f, namespace={"VALUE": 1})
    for number in range(12):
        for side in (plain, fast):
            side.__globals__["VALUE"] = number
            if number == 8:
                side.__globals__[7] = "not a string"
        assert outcome(fast, ()) == outcome(plain, ())


def test_a_global_that_only_the_callee_reads():
    """Calls of compiled functions enter their machine code directly: the caller answers for what that relies on."""
    def outer(n):
        total = 0
        for i in range(n):
            total += middle(i)
        return total

    def middle(i):
        return inner(i) + 1

    def inner(i):
        return i * FACTOR + len(ITEMS)

    def change(side, **names):
        side.__globals__.update(names)
    (plain, *_), (fast, *_) = copies(outer, middle, inner, namespace={"FACTOR": 1, "ITEMS": [1]})
    for names in ({}, {"FACTOR": 2}, {"ITEMS": "abc"}, {"FACTOR": 1.5}, {"inner": abs}, {"middle": float}, {"FACTOR": 0}, {"len": sum}):
        for side in (plain, fast):
            change(side, **names)
        for n in (1, 0, 10):
            assert outcome(fast, (n,)) == outcome(plain, (n,)), names


def test_a_global_that_the_callee_of_a_callee_changes():
    def outer(n):
        total = 0
        for _ in range(n):
            total += middle() * 10
        return total

    def middle():
        return bump() + STEP

    def bump():
        global STEP
        STEP = STEP + 1
        return STEP
    (plain, *_), (fast, *_) = copies(outer, middle, bump, namespace={"STEP": 0})
    for n in (1, 2, 50, 0, 7) * 3:
        assert outcome(fast, (n,)) == outcome(plain, (n,))
