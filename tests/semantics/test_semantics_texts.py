"""Strings that grow in place, digits of ints, f-strings, tuples whose items are known, and the blocks of dead numbers."""

import gc
import sys

import pytest

from compare import check, copies

NUMBERS = [0, 1, -1, 9, 10, -10, 255, 256, 257, 2**30 - 1, 2**30, -2**30, 2**31, 2**62, -2**62, 2**63 - 1, -2**63, 2**63, 10**30, True, False, 1.5, -0.0, float("nan"),
           None, "s", "é"]


class SubStr(str):
    def __add__(self, other):
        return "added", other

    def __format__(self, spec):
        return "formatted"


class SubInt(int):
    def __str__(self):
        return "sub"

    def __format__(self, spec):
        return SubStr("format")


def test_digits():
    def f(n):
        n = n + 0
        return f"{n}", str(n), repr(n), f"<{n}|{n:>5}|{n!r}>", f"{n}{n}{n}"
    check(f, *((n,) for n in NUMBERS), (SubInt(5),), repeat=2)
    check(f, *((sign * 10**power + change,) for power in range(20) for sign in (1, -1) for change in (-1, 0, 1)), repeat=1)


def test_f_strings_of_anything():
    def f(a, b):
        return f"{a}{b}", f"{a}", f"a{a}b{b}c"
    values = [*NUMBERS, SubInt(3), SubStr("x"), [1, "a"], b"b"]
    check(f, *((a, b) for a in values for b in values[::3]), repeat=1)


def test_formatting_that_raises():
    class Bad:
        def __format__(self, spec):
            raise ValueError("bad")

    def f(a, n):
        x = f"{n}"
        y = f"{n}{x}{a}{n}"
        return x, y
    check(f, ("a", 5), (Bad(), 5), (Bad(), 2**70), repeat=4)


@pytest.mark.parametrize("start", ["", "a", "é", "\U0001f600", "x" * 100])
def test_appending(start):
    def f(text, more, n):
        kept = []
        for i in range(n):
            text += more
            if i & 3 == 0:
                kept.append(text)
                text = text + "\n"
            if i == 7:
                d = {text: i}
                text += "after a hash"
        return text, kept
    check(f, *((start, more, n) for more in ("ab", "", "é", "\U0001f600") for n in (0, 1, 9)), (start, SubStr("m"), 3), (SubStr("s"), start, 3), (start, 5, 2), (start, None, 1))


def test_appending_to_what_others_hold():
    def f(text, n):
        other = text
        for i in range(n):
            text += "x"
        first = text
        text += "y"
        t = text
        t += t
        text = text + text
        return other, first, text, t
    check(f, ("", 0), ("a", 3), ("long text", 50))


def test_an_exception_while_appending():
    def f(text, items):
        for item in items:
            text += item
        return text

    def g(text, items):
        try:
            for item in items:
                text += item
        except TypeError as error:
            return text, str(error)
        return text
    for function in (f, g):
        check(function, ("a", ["b", "c"]), ("a", ["b", 5, "c"]), ("a", [None]), ("", [b"x"]))


def test_tuples_are_taken_apart_again():
    def f(a, b, n):
        for i in range(n):
            t = (a, b, i)
            x, y, z = t
            a, b = y, x
            u = t[2], t[-1], t
            (p, q), r = (t[0], z), u
        return t, u, a, b, p, q, r, t[0] is t[0]
    values = (1, 2**40, 2**70, 1.5, None, "s", [1])
    check(f, *((a, b, 3) for a in values for b in values))


def test_items_of_a_dead_tuple():
    def f(items):
        t = (items[0], [items[1]])
        items.clear()
        a, b = t
        t = None
        return a, b, sys.getrefcount(b)
    (plain,), (fast,) = copies(f)
    for _ in range(20):
        results = [g([object, str(12345)]) for g in (plain, fast)]
        assert results[0] == results[1]


def test_counts_of_references_of_items():
    def f(a, b, n):
        for i in range(n):
            t = (a, [b], i)
            x, y, z = t
            y.append(x)
            s = f"{i}{z}"
            s += s
        return len(s)
    (plain,), (fast,) = copies(f)
    a, b = object(), object()
    for _ in range(20):
        counts = []
        for g in (plain, fast):
            before = sys.getrefcount(a), sys.getrefcount(b)
            g(a, b, 5)
            counts.append((sys.getrefcount(a) - before[0], sys.getrefcount(b) - before[1]))
        assert counts == [(0, 0), (0, 0)]


def test_dead_numbers_make_new_ones():
    def f(n):
        kept = []
        for i in range(n):
            a = [i * 1000, i * 0.5, -i * 1000]
            t = (i * 999, i * 0.25)
            kept.append(i * 500)
            kept.append(i * 1.25)
            a[0] = t[1]
            if i & 7 == 0:
                kept.append((t, a))
        return kept
    check(f, (0,), (10,), (2000,))


def test_many_numbers_die_at_once():
    def f(n):
        a = [i * 1000 for i in range(n)]
        total = 0
        for i in range(n):
            b = a[i:i + 30]
            b[0] = i * 12345
            total += b[0]
            a[i] = -total
        return total, a
    check(f, (5,), (3000,))
    gc.collect()
    check(f, (100,))


class Reflected:
    def __rmod__(self, left):
        return "reflected", left

    def __str__(self):
        return "text of " + sys._getframe(1).f_code.co_name

    __repr__ = __str__


class ReflectedStr(str):
    def __rmod__(self, left):
        return "reflected", left


FORMATS = ["%s", "%d", "%5.2f", "%r", "%%", "%", "%s %s", "%(a)s", "", "%c", "%x", "%*d", "é%s", "%z"]


@pytest.mark.parametrize("text", FORMATS)
def test_percent(text):
    space = {}
    exec(f"def f(a, b):\n    x = {text!r} % a\n    x = {text!r} % (a, b)\n    return {text!r} % a, x", space)
    exec(f"def one(a):\n    t = {text!r}\n    t %= a\n    return t", space)
    exec("def any(t, a):\n    return t % a", space)
    values = [*NUMBERS, SubInt(3), SubStr("x"), Reflected(), ReflectedStr("r"), (1,), (1, 2), {"a": 1}, [1], b"b"]
    for name in ("f", "one", "any"):
        space[name].__globals__.update(Reflected=Reflected)
    check(space["f"], *((a, b) for a in values for b in values[::5]), repeat=1)
    check(space["one"], *((a,) for a in values), repeat=2)
    check(space["any"], *((t, a) for a in values for t in (text, SubStr(text))), repeat=2)
