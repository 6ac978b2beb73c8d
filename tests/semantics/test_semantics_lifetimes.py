"""Compiling keeps nothing alive: functions die with the namespace or the closure that they are in, and so does all that they refer to."""

import gc
import weakref

import pytest

from compare import copies  # compile what is not worth it, too
from jit import explain, jit


class Token:
    pass


#: What calls something and gives an object that nothing refers to then.
PROGRAMS = {
    "a recursive closure": """
def make(wrap):
    token = Token()
    def down(n):
        return token if n == 0 else down(n - 1)
    wrap(down)(3)
    return token
""",
    "closures that call each other": """
def make(wrap):
    token = Token()
    def even(n):
        return token if n == 0 else odd(n - 1)
    def odd(n):
        return token if n == 0 else even(n - 1)
    even, odd = wrap(even), wrap(odd)
    even(5), odd(4)
    return token
""",
    "a decorated closure": """
def make(wrap):
    token = Token()
    def decorate(function):
        def inner(n):
            return function(n)
        return wrap(inner)
    @decorate
    def down(n):
        return token if n == 0 else down(n - 1)
    down(3)
    return token
""",
    "a list in a closure": """
def make(wrap):
    token = Token()
    items = [token]
    def first(n):
        return items[0]
    items.append(first)
    wrap(first)(1)
    return token
""",
    "a bound method of a list": """
def make(wrap):
    token = Token()
    items = [token]
    append = items.append
    def add(n):
        append(n)
    items.append(add)
    wrap(add)(1)
    return token
""",
    "a comprehension over cells": """
def make(wrap):
    token = Token()
    def several(n):
        return [several if n == 0 else (several, token) for x in "ab"]
    wrap(several)(1)
    return token
""",
    "a class in its methods' closures": """
def make(wrap):
    class Made:
        def one(self):
            return super().__init__()
        def two(self):
            return __class__
    wrap(Made.one), wrap(Made.two)
    for _ in range(3):
        Made().one(), Made().two()
    return Made
""",
    "a generator that names itself": """
def make(wrap):
    token = Token()
    def several(n):
        for i in range(n):
            yield several, token
    wrap(several)
    list(several(3)), sum(1 for _ in several(4))
    return token
""",
    "a global set": """
found = set()
def add(n):
    found.add(n)
    return n in found
def make(wrap):
    token = globals()["token"] = Token()
    found.add(wrap(add))
    add(1), add(2)
    return token
""",
    "functions of one namespace": """
def even(n):
    return odd(n - 1) if n else token
def odd(n):
    return even(n - 1) if n else token
def make(wrap):
    global token
    token = Token()
    wrap(even), wrap(odd)
    even(4), odd(5)
    return token
""",
    "an instance that is called": """
class Called:
    def __call__(self, n):
        return n
called = Called()
def use(n):
    return called(n)
def make(wrap):
    called.back, called.token = wrap(use), Token()
    use(1), use(2)
    return called.token
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_all_dies(name):
    for wrap in (lambda function: function, jit):
        namespace = {"Token": Token}
        exec(PROGRAMS[name], namespace)
        reference = weakref.ref(namespace["make"](wrap))
        namespace = None
        gc.collect()
        assert reference() is None


class Told:
    """Tells when it dies."""

    said = []

    def __init__(self, name):
        self.name = name

    def __del__(self):
        Told.said.append(self.name)


def test_variables_die_in_their_order():
    def two(x):
        a, b = Told(1), Told(2)
        return x

    def given_again(x):
        b = Told(1)
        a = Told(2)
        b = Told(3)
        return a

    def shared(x):
        a = c = Told(1)
        b = Told(2)
        d = a
        return x

    def some(x):
        a = Told(1)
        if x:
            b = Told(2)
            c = a
        d = Told(3)
        return x, x

    def loops(x):
        for i in range(3):
            a = Told(i)
            b = Told(-i)
            for c in (Told(5), Told(6)):
                if i == x:
                    return i
        return a.name

    def argument(x):
        b = Told(1)
        x = Told(2)
        a = x
        return b.name

    for function in (two, given_again, shared, some, loops, argument):
        (plain,), (fast,) = copies(function)
        for x in (0, 1, 2, True, None, "", 1.5) * 3:
            seen = []
            for called in (plain, fast):
                Told.said.clear()
                result = called(x)
                result = getattr(result, "name", result)
                seen.append((result, list(Told.said)))
            assert seen[0] == seen[1], (function.__name__, x)


def test_arguments_of_a_call_that_is_refused():
    """A function compiled too often is compiled no more; the arguments of the call that found that out die with it."""

    class Base:
        pass

    class Thing(Base):
        def method(self):
            return Base.attribute(self)

    def entry(thing):
        Base.attribute = lambda self: self is not None
        return thing.method()

    jit(Thing.method)
    for _ in range(40):
        thing = Thing()
        dead = weakref.ref(thing)
        assert entry(thing)
        del thing
        assert dead() is None
    assert explain(Thing.method).state == "interpreted" and "too often" in str(explain(Thing.method))
