"""``f"{x!r}"`` of any object: conversion and formatting are one instruction, and both may run foreign code."""

import gc
import sys

from compare import check, copies

from jit.dispatch import COMPILER


class Text(str):
    def __format__(self, spec):
        return f"formatted {spec!r}"


class Shown:
    """Its conversions give what it was made with, or raise it."""

    def __init__(self, given):
        self.given = given

    def _give(self):
        if isinstance(self.given, Exception):
            raise self.given
        return self.given

    __repr__ = __str__ = lambda self: self._give()


class Looks:
    def __repr__(self):
        frame = sys._getframe(1)
        return f"{frame.f_code.co_name} {frame.f_lineno - frame.f_code.co_firstlineno} {sorted(frame.f_locals)}"


class Keeps:
    """It keeps its caller's frame, so that compiled code has to leave behind the instruction."""

    kept = []

    def __init__(self, given):
        self.given = given

    def __repr__(self):
        self.kept.append(sys._getframe(1))
        return self.given


GIVEN = ["plain", "", "é", Text("sub"), Text(""), 5, None, ValueError("no"), KeyError("k")]
VALUES = [Shown(given) for given in GIVEN] + [Keeps(given) for given in ("kept", Text("kept"))] + [1, True, None, 1.5, "s", "\ud800", (1, "é"), [], {1: 2}, b"x", Text("é"), Looks]


def test_every_conversion_of_anything():
    def f(a):
        return f"{a!r}", f"{a!s}", f"{a!a}", f"<{a!r}{a!s}>"

    def g(a, spec):
        return f"{a!r:>9}", f"{a!s:{spec}}", f"{a!a:{spec}}|"
    check(f, *((value,) for value in VALUES), (Looks(),))
    check(g, *((value, spec) for value in VALUES for spec in ("", "<12", "q", Text("x"), 5, None)), repeat=1)


def test_one_conversion_alone():
    def f(a):
        return f"{a!r}"
    check(f, *((value,) for value in VALUES), (Looks(),))
    plain, = (value for value in VALUES if getattr(value, "given", None) == "plain")
    _, (compiled,) = copies(f)
    assert compiled(plain) is plain.given and compiled(plain) is plain.given


def test_str_of_anything():
    def f(a):
        return str(a), str(a) + "|"

    def g(a):
        try:
            return [str(a)]
        except (TypeError, ValueError) as problem:
            return type(problem), str(problem)

    def h(a):
        return "{}{}".format("a", str(a)), [max("b", str(a), key=len), (1, str(str(a)))]

    def i(a, pair):
        return pair("a", str(a)), pair(repr(a), pair(str(a), str(pair)[:3]))
    for function in (f, g, h):
        check(function, *((value,) for value in VALUES), (Looks(),))
    check(i, *((value, pair) for value in VALUES for pair in (lambda a, b: (b, a), max, divmod)))


def test_str_of_what_proves_to_be_a_number():
    """As an operand of another call, and in a version for any object: the guess of its type is proven first."""
    def pair(a, b):
        return a, b

    def f(a):
        return pair("a", str(a)), pair(repr(a), pair("b", str(a)))
    (plain,), (fast,) = copies(f)
    for _ in range(3):
        for value in (5, "a", None, 2.5, 2.5, 2.5, "b", True, 1j, 7, 2.5):
            assert fast(value) == plain(value)


def test_pieces_that_are_no_plain_strings_any_more():
    class Piece:
        def __init__(self, given):
            self.given = given

        def __format__(self, spec):
            return self.given

        def __repr__(self):
            return "piece"

    def f(a, b):
        return f"{a}-{b}-{a!r}"
    values = [Shown("x"), Piece("p"), Piece(Text("t")), Piece(Text("")), Piece(5), Shown(Text("u"))]
    check(f, *((a, b) for a in values for b in values))


def test_nothing_is_leaked():
    def f(a):
        return f"<{a!r}>", f"{a!s:>5}", f"{a!r}"
    _, (compiled,) = copies(f)
    for given in ("text that nobody shares", Text("text of a class")):
        value = Shown(given)
        for _ in range(3):
            compiled(value)
        gc.collect()
        before = sys.getrefcount(given), sys.getrefcount(value)
        for _ in range(50):
            compiled(value)
        gc.collect()
        assert (sys.getrefcount(given), sys.getrefcount(value)) == before


def test_it_does_not_leave():
    def f(a):
        return f"<{a!r}>"
    _, (compiled,) = copies(f)
    value = Shown("x")
    for _ in range(5):
        assert compiled(value) == "<x>"
    record = COMPILER.records[id(compiled)]
    assert record.versions and not any("format" in note.reason for code in record.versions for note in code.exits)
