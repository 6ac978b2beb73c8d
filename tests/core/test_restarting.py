"""Exits before anything has happened let the interpreter make the whole call."""

import sys

import pytest

import jit

LARGE = 2**62


def add(a, b=LARGE, c=0):
    return a + b + c


def item(items, i):
    return items[i]


def after_an_effect(items, a):
    items.append(a)
    return a + LARGE


@pytest.mark.parametrize("arguments, keywords", [((LARGE, LARGE), {}), ((LARGE,), {}), ((LARGE,), {"c": LARGE}), ((), {"c": 1, "a": LARGE}),
                                                 ((1, 2, 2**70), {}), ((1, 2.5), {}), ((1, "a"), {}), ((), {}), ((1, 2, 3, 4), {})])
def test_calls_of_every_form(arguments, keywords):
    def outcome(function):
        try:
            return function(*arguments, **keywords)
        except TypeError as error:
            return str(error)
    compiled = jit.jit(type(add)(add.__code__, globals(), "add", add.__defaults__))
    assert compiled(1, 2, 3) == 6
    for _ in range(200):
        assert outcome(compiled) == outcome(add)


def test_exceptions_come_from_the_function_itself():
    compiled = jit.jit(type(item)(item.__code__, globals(), "item"))
    items = [1, 2, 3]
    assert compiled(items, 1) == 2
    before = sys.getrefcount(items)
    for _ in range(200):
        with pytest.raises(IndexError) as caught:
            compiled(items, 5)
        assert caught.traceback[-1].name == "item" and caught.traceback[-1].lineno == item.__code__.co_firstlineno
        del caught
    assert sys.getrefcount(items) == before
    (version,) = jit.explain(compiled).versions or [None]
    assert version is None or sum(leaving.count for leaving in version.exits)


def test_effects_are_not_repeated():
    compiled = jit.jit(type(after_an_effect)(after_an_effect.__code__, globals(), "after_an_effect"))
    items = []
    for number in (1, 2, LARGE, LARGE + 1, 3):
        assert compiled(items, number) == number + LARGE
    assert items == [1, 2, LARGE, LARGE + 1, 3]


def test_native_calls():
    native = jit.native(type(add)(add.__code__, globals(), "add", add.__defaults__), int, int, int)
    assert native(1, 2, 3) == 6
    with pytest.raises(OverflowError):
        native(LARGE, LARGE, LARGE)


def test_compiled_callers():
    source = "def f(a):\n    while a < 0:\n        a += 1\n    return a + a\ndef g(a):\n    s = 0\n    for i in range(3):\n        s += f(a)\n    return s"
    scope = {}
    exec(source, scope)
    f, g = jit.jit(scope["f"]), jit.jit(scope["g"])
    assert [g(1), g(LARGE), g(LARGE), f(LARGE), g(2)] == [6, 6 * LARGE, 6 * LARGE, 2 * LARGE, 12]
