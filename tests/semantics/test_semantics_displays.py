"""Dictionaries, sets, long lists and f-strings, of plain things and of hostile ones."""

import sys

import pytest

import jit
from compare import check, copies, outcome

LOG = []


class Hostile:
    """Says what is asked of it, and may refuse."""

    def __init__(self, name, fails=()):
        self.name, self.fails = name, fails

    def _asked(self, what, answer):
        LOG.append((self.name, what))
        if what in self.fails:
            raise ValueError(what)
        return answer

    def __format__(self, spec):
        return self._asked("format", f"<{spec}>")

    def __str__(self):
        return self._asked("str", "S")

    def __repr__(self):
        return self._asked("repr", "R")

    def __hash__(self):
        return self._asked("hash", 7)

    def __eq__(self, other):
        return self._asked("eq", True)

    def __iter__(self):
        return iter(self._asked("iter", [1, 2]))


class Text(str):
    def __format__(self, spec):
        return "text" + spec


class Number(int):
    def __format__(self, spec):
        return "number" + spec

    def __hash__(self):
        return 1


# No nan: it is found by its identity, which floats lose when they are unboxed.
VALUES = [0, 1, -1, 2**70, True, 1.5, -0.0, float("inf"), "", "ab", "h\xe9\u20ac", None, (1, 2), [1], {1: 2}, b"x", Text("t"), Number(5), range(2)]


def formats(a, b):
    return f"{a}", f"{a}{b}", f"{a!r}|{b!s}|{a!a}", f"{a:>8}", f"{b!r:>10}", f"{a:{10}}", f"x{a}y{b}z"


def dictionaries(a, b):
    made = {"a": a, "b": b, 3: a}
    other = {a: 1, b: 2}
    del made["b"]
    return made, other, {k: a for k in range(3)}, {k: k for k in "ab"}, {}


def sets(a, b):
    return sorted(map(repr, {a, b, 1})), sorted(map(repr, {k for k in (a, b)})), {1, 2, 3}, {k % 2 for k in range(5)}


def lists(a, b):
    items = [1, 2, 3, 4]
    items += [*items, a]
    items[1:3] = [b]
    more = [*items, *(a, b)]
    del more[0]
    return items, more, (*items, 5), [a, b, a, b], (1.5, 2.5, 3.5, 4.5)


def tuples_as_keys(a, b):
    """Constants of plain things, at whatever depth; others are hashed by the program's code."""
    made = {("A", 0): a, ("A", 1): b, ((1, 2), "x", None): 3, ("A", 0.0): a, (): b}
    return made, {(a, 1): 1, (b, 2): 2}, {("A", 0), ("A", 1)}, {k: ("A", 1) for k in ((1, 2), (1, 2.0))}, made.get(("A", False)), made["A", 1]


@pytest.mark.parametrize("function", [formats, dictionaries, sets, lists, tuples_as_keys])
def test_hostile_values(function):
    check(function, *((a, b) for a in VALUES for b in VALUES[::2]), repeat=1)
    check(function, *[(1, 2.5)] * 3, *((a, a) for a in VALUES), *[("a", 7)] * 3, repeat=1)


@pytest.mark.parametrize("function", [formats, dictionaries, sets, lists, tuples_as_keys])
def test_objects_that_log_and_raise(function):
    (plain,), (fast,) = copies(function)
    for fails in ((), ("format",), ("str",), ("repr",), ("hash",), ("eq",)):
        for _ in range(40):
            answers = []
            for side in (plain, fast):
                LOG.clear()
                given = Hostile("a", fails), Hostile("b")
                try:
                    side(*given)
                    answers.append((list(LOG), "returned"))
                except Exception as error:
                    answers.append((list(LOG), type(error), str(error)))
            assert answers[0] == answers[1]


def in_a_loop(n, x):
    lines = []
    total = 0
    for i in range(n):
        total += sum([k * x for k in range(i)])
        seen = {k % 3 for k in range(i)}
        names = {k: f"{k}:{x:.3f}" for k in seen}
        lines.append(f"{i:03} {total} {len(names)}")
    return lines


def test_a_loop_with_all_of_them_stays_compiled():
    fast = check(in_a_loop, (5, 1.5), (5, 2), (6, True), (3, -0.0))
    explained = str(jit.explain(fast))
    assert "always leaves" not in explained, explained


def test_references():
    compiled = jit.jit(type(dictionaries)(dictionaries.__code__, globals()))
    value, key = "some value " * 2, "some key " * 2
    before = None
    for number in range(300):
        compiled(key, value)
        formatted = jit.jit(formats)(key, value) if number == 0 else formats(key, value)
        del formatted
        if number == 50:
            before = sys.getrefcount(value), sys.getrefcount(key)
    assert (sys.getrefcount(value), sys.getrefcount(key)) == before


def test_deleting_and_storing_slices():
    def f(container, key, value):
        container[key] = value
        del container[key]
        container[1:2] = value
        return container
    check(f, ([1, 2, 3], 0, [7]), ([1, 2, 3], 5, [7]), ({}, 1, 2), ([1, 2, 3], slice(0, 2), (8, 9)), ([1, 2], 0, 5), ((1, 2), 0, 1), (None, 0, 0),
          (bytearray(b"abc"), 0, 5))


def test_an_assertion():
    def f(a):
        assert a > 1, f"{a} is too small"
        return a
    check(f, (2,), (1,), (None,), (5.5,), (0.5,))


def test_outcomes_of_unhashable_keys():
    def f(a):
        return {a: 1}, {a}
    (plain,), (fast,) = copies(f)
    for value in (1, [1], 1, {}, "a", [1]):
        assert outcome(plain, (value,)) == outcome(fast, (value,))


def test_tuples_as_keys_stay_compiled():
    def transitions(n):
        state, count, table = "A", 0, {("A", 0): "B", ("A", 1): "A", ("B", 0): "A", ("B", 1): "B"}
        for i in range(n):
            state = table[state, i % 2]
            count += state == "A"
        return count, state

    fast = check(transitions, (5,), (6,), (50,))
    explained = str(jit.explain(fast))
    assert "always leaves" not in explained and "interpreted" not in explained.splitlines()[0], explained
