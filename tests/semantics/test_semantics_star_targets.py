"""``a, *b, c = items``; what is taken up by lists, sets and calls that is no list or tuple."""

import collections
import sys

import pytest

from compare import assert_stays_compiled, check, copies


class SubTuple(tuple):
    def __iter__(self):
        return iter((7, 8, 9))


class SubList(list):
    pass


class Gets:
    def __getitem__(self, index):
        if index > 3:
            raise IndexError
        return index * 2


class Iterates:
    def __init__(self, *items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


class Raises:
    def __iter__(self):
        yield 1
        raise ValueError("no more")


class IsNone:
    __iter__ = None


VALUES = [0, 1, -1, True, 2**31, 2**62, 2**63, -2**63, 1.5, -0.0, float("nan"), float("inf"), None, "", "text", b"x", SubTuple((1,)), [1]]
ITEMS = [(), (1,), (1, 2), [1, 2], (1, 2, 3), [1, 2, 3], tuple(VALUES), VALUES, VALUES[::-1], SubTuple((1, 2, 3)), SubList([4, 5, 6]), range(4), "text", {1: 2, 3: 4},
         {5}, frozenset({5, 6}), collections.deque([1, 2, 3]), {1: 2}.keys(), {1: 2}.items(), b"ab", bytearray(b"cd"), Gets(), Iterates(1, 2, 3), Iterates(), Raises(), IsNone(), None, 5, 1.5,
         int, [[1], [2], [3]]]


def same(calls):
    """What cannot be copied is given as it is."""
    return calls


@pytest.mark.parametrize("first", range(len(ITEMS)))
def test_targets(first):
    def front(items):
        a, *b = items
        return a, b

    def back(items):
        *a, b = items
        return a, b

    def both(items):
        a, b, *c, d = items
        return a, b, c, d

    def all_of_them(items):
        [*a] = items
        return a

    def nested(items):
        (a, *b), *c = [items, 1, 2]
        return a, b, c

    def swapped(items):
        a = b = 0
        b, *items, a = items
        return a, b, items

    def looped(items):
        total = 0
        for a, *b in [items, (1, 2, 3), [4, 5]]:
            total += len(b)
        return total
    for function in (front, back, both, all_of_them, nested, swapped, looped):
        check(function, (ITEMS[first],), ((1, 2, 3),), ([1, 2, 3, 4],), (ITEMS[first],), (ITEMS[-first],), make=same)


@pytest.mark.parametrize("first", range(len(ITEMS)))
def test_taken_up(first):
    def lists(a, b):
        return [*a, *b], [0, *a], (*b, 1)

    def sets(a, b):
        return {*a}, {0, *a, *b}

    def call(a, b):
        return [max(*a, 0), min(0, *b)], (lambda *x: x)(*a)

    def alone(a, b):
        return (lambda *x: x)(*a), (lambda *x, **y: (x, y))(*b, k=1)
    for function in (lists, sets, call, alone):
        check(function, *((ITEMS[first], other) for other in ITEMS[::4]), make=same)


def test_lists_that_change():
    """The items are those of the moment of unpacking; what was taken from a list lives on without it."""
    def f(items):
        a, *b, c = items
        items.clear()
        b.append(a)
        return a, b, c, items

    check(f, ([[1], [2], [3]],), ([object, int, str],), ([1.5, 2.5, 3.5],), ([2**70, "a" * 3, None],))


def test_references():
    def f(items):
        a, *b, c = items
        return len(b)

    def g(items):
        return len([*items, *{}]), len({*items, 1})
    (_, __), compiled = copies(f, g)
    one, two, three = [object() for _ in range(3)]
    for items in ((one, two, three), [one, two, three]):
        for function in compiled:
            for given in (items, frozenset(items)):
                before = None
                for _ in range(60):
                    try:
                        function(given)
                    except TypeError:
                        assert type(given) is frozenset
                    if _ == 9:
                        before = [sys.getrefcount(item) for item in (one, two, three, items, given)]
                assert before == [sys.getrefcount(item) for item in (one, two, three, items, given)]


def test_deaths():
    """Who dies when, on success and where it fails."""
    def f(make, log):
        try:
            a, *b, c = make(log, 3)
            log.append(1)
            del a, b
            log.append(2)
        except ValueError:
            log.append(3)
        return log

    def g(make, log):
        try:
            x = [*make(log, 2), *make(log, -2)]
            log.append(len(x))
        except ZeroDivisionError:
            log.append("caught")
        return log

    def h(make, log):
        try:
            x = {*make(log, 2), *make(log, -2)}
            log.append(len(x))
        except ZeroDivisionError:
            log.append("caught")
        return log

    class Mortal:
        def __init__(self, log, name):
            self.log, self.name = log, name

        def __hash__(self):
            return hash(self.name)  # sets keep the same order each time

        def __del__(self):
            frame = sys._getframe(1)
            self.log.append((self.name, frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno))

    class Stops:
        def __init__(self, log, count):
            self.mortal = Mortal(log, "iterable")
            self.log, self.count = log, count

        def __iter__(self):
            for number in range(abs(self.count)):
                yield Mortal(self.log, number)
            if self.count < 0:
                1 / 0

    def many(log, count):
        return [Mortal(log, number) for number in range(count)]

    for function, make in ((f, many), (g, Stops), (h, Stops)):
        (plain,), (compiled,) = copies(function)
        wanted, *others = [run(make, []) for run in (plain, compiled, compiled, compiled)]
        assert others == 3 * [wanted]


def test_they_stay_compiled():
    def f(items, others):
        from math import floor
        from textwrap import indent, dedent, TextWrapper
        a, *b, c = items
        indent(dedent(""), TextWrapper.__name__)
        return [a, c, *others], {*b, *others}, floor(1.5), max(*range(3))
    _, (compiled,) = copies(f)
    calls = ([1, 2, 3], {4: 5}), ((1, 2, 3), "ab")
    for arguments in 9 * calls:
        compiled(*arguments)
    assert_stays_compiled(compiled, lambda: [compiled(*arguments) for arguments in 9 * calls])
