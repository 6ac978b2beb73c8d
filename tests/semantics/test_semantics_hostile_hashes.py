"""Hashing and comparing what a program calls, or its classes, would run the program's code: the compiler does neither."""

import types

import pytest

import jit

LOG = []


class Meta(type):
    def __hash__(self):
        LOG.append("hash of a class")
        raise ZeroDivisionError

    def __eq__(self, other):
        LOG.append("== of a class")
        raise ZeroDivisionError


class Hostile(metaclass=Meta):
    held = 3

    def __init__(self, x=1):
        self.x = x

    def __hash__(self):
        LOG.append("hash")
        raise ZeroDivisionError

    def __eq__(self, other):
        LOG.append("==")
        raise ZeroDivisionError

    def __call__(self, x):
        return x + self.x

    def method(self, x):
        return self(x)

    def __len__(self):
        return 5

    def __iter__(self):
        return iter([self.x])


class HostileList(list, metaclass=Meta):
    __hash__ = Hostile.__hash__


class HostileInt(int, metaclass=Meta):
    __hash__, __eq__ = Hostile.__hash__, Hostile.__eq__


called = Hostile()
listed = [1]
paired = ([],)


def calls_global(x):
    return called(x)


def calls_list(x):
    return listed(x)


def calls_tuple(x):
    return paired(x)


def makes(x):
    made = Hostile(x)
    return made.x + made.method(x) + len(made) + made.held + [*made][0]


def loops(x):
    total = 0
    for item in HostileList([x, HostileInt(x)]):
        total += item
    return total


def matches(x):
    return isinstance(x, Hostile), type(x) is Hostile, x.x


def passes(x):
    return max([x], key=called), list(map(called, [x]))


@pytest.mark.parametrize("function", [calls_global, calls_list, calls_tuple, makes, loops, passes], ids=lambda f: f.__name__)
@pytest.mark.parametrize("argument", [1, 2.5, HostileInt(7), "x"], ids=["int", "float", "subclass", "str"])
def test_no_hash_is_taken(function, argument):
    compiled = jit.jit(types.FunctionType(function.__code__, globals()))
    for number in range(80):
        outcomes = []
        for way in (function, compiled):
            LOG.clear()
            try:
                outcome = way(argument)
            except Exception as problem:
                outcome = type(problem), str(problem)
            outcomes.append((repr(outcome), list(LOG)))
        assert outcomes[0] == outcomes[1], number


def test_arguments_of_hostile_classes():
    compiled = jit.jit(types.FunctionType(matches.__code__, globals()))
    LOG.clear()
    for _ in range(80):
        assert compiled(Hostile(4)) == matches(Hostile(4))
    assert not LOG
