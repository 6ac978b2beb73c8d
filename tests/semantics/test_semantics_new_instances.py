"""Instances made together with what a simple ``__init__`` puts into them are as CPython makes them."""

import gc
import math
import sys

import pytest

import jit
from compare import check, copies, outcome

VALUES = [0, 1, -1, 2**31, 2**62, 2**63, True, None, 1.5, -0.0, math.nan, math.inf, "", "text", (1, 2), [3], 1j]


class Vector:
    def __init__(self, x, y=2, z=0.5):
        self.z = z
        self.x = x
        self.y = y


class Calculated:
    def __init__(self, i):
        self.x = x = math.sin(i)
        self.y = math.cos(i) * 3
        self.z = (x * x) / 2


class Slotted:
    __slots__ = ("first", "second", "__weakref__")

    def __init__(self, first, second=None):
        self.second = second
        self.first = first


class Both(Slotted):
    """Slots, and a dict for the rest."""

    def __init__(self, first, second=1):
        self.other = first
        self.first = second


class Twice:
    def __init__(self, x):
        self.x = x
        self.x = [x]


class Prepared:
    limit = 3

    def __init__(self, x):
        self.limit = x
        self.double = x + x


class Watched:
    alive = 0

    def __init__(self, x):
        self.x = x

    def __del__(self):
        Watched.alive += 1


def state(thing):
    names = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ()) if name != "__weakref__"]
    return [(name, getattr(thing, name)) for name in names if hasattr(thing, name)], list(getattr(thing, "__dict__", {}).items())



def make_vector(x, y):
    return state(Vector(x, y)), state(Vector(y)), state(Vector(x, z=y)), state(Vector(z=x, x=y, y=x))


def make_calculated(x, y):
    return state(Calculated(x)), state(Calculated(y))


def make_slotted(x, y):
    return state(Slotted(x, y)), state(Slotted(y)), state(Both(x)), state(Both(x, y))


def make_others(x, y):
    return state(Twice(x)), state(Prepared(y)), Prepared(x).limit, Prepared.limit, Watched(x).x


def make_nested(x, y):
    outer = Vector(Vector(x, Slotted(y)), y)
    outer.x.y.second = outer.z
    return state(outer.x), state(outer.x.y), outer.y, gc.is_tracked(outer), gc.is_tracked(outer.x)


@pytest.mark.parametrize("function", [make_vector, make_calculated, make_slotted, make_others, make_nested], ids=lambda function: function.__name__)
def test_instances(function):
    for kind in (Vector, Calculated, Slotted, Both, Twice, Prepared, Watched):
        jit.jit(kind.__init__)
    plain = [(1.5, 2.5), (1, 2), (3, 4.5)] * 10
    check(function, *plain, *((x, y) for x in VALUES for y in VALUES[::3]), *plain)


def test_references():
    def build(item):
        first = Vector(item, item, item)
        second = Slotted(item, first)
        return second.first is first.x

    jit.jit(Vector.__init__), jit.jit(Slotted.__init__)
    (_,), (fast,) = copies(build)
    for item in ("a text of no special kind", 10**30, 1e100, object(), [1]):
        for _ in range(100):
            assert fast(item)
        gc.collect()
        before = sys.getrefcount(item), sys.getrefcount(Vector), sys.getrefcount(Slotted)
        for _ in range(300):
            assert fast(item)
        gc.collect()
        assert (sys.getrefcount(item), sys.getrefcount(Vector), sys.getrefcount(Slotted)) == before


def test_a_class_that_changes():
    class Changing:
        def __init__(self, x):
            self.x = x

    def use(value):
        return state(Changing(value))

    (plain,), (fast,) = copies(use, namespace={"Changing": Changing, "state": state})
    jit.jit(Changing.__init__)

    def other(self, x):
        self.y = self.x = x

    def set_attribute(self, name, value):
        object.__setattr__(self, name, [value])

    def slower(self, x):
        for number in range(3):
            self.x = x * number

    changes = [lambda: None, lambda: setattr(Changing, "__init__", other), lambda: setattr(Changing, "__setattr__", set_attribute),
               lambda: delattr(Changing, "__setattr__"), lambda: setattr(Changing, "x", property(lambda self: 7, lambda self, value: None)),
               lambda: delattr(Changing, "x"), lambda: setattr(Changing, "__init__", slower), lambda: setattr(Changing, "__new__", lambda kind, x: x),
               lambda: setattr(Changing, "__new__", staticmethod(lambda kind, x: object.__new__(kind))), lambda: setattr(other, "__defaults__", (5,))]
    for change in changes:
        change()
        for value in (1, 2.5, "x", None) * 8:
            assert outcome(plain, (value,)) == outcome(fast, (value,))


def test_an_exception_in_the_middle():
    """The traceback shows both frames; nothing of the instance remains."""
    jit.jit(Calculated.__init__), jit.jit(Prepared.__init__)

    def use(value):
        return Calculated(value).z

    def add(value):
        return state(Prepared(value))

    check(use, *((value,) for value in (1, 2.5) * 10), (math.inf,), ("x",), (None,), (10**400,), (3,))
    check(add, *((value,) for value in (1, 2.5) * 10), (None,), ({},), (2**63,), (2**62,), ("a",))


def test_instances_that_have_got_a_dict_or_more_names():
    def use(number):
        thing = Vector(number, 1.5)
        setattr(thing, f"name{number}", number)
        other = Vector(number)
        vars(other)["z"] = None
        return state(thing), state(other)

    jit.jit(Vector.__init__)
    check(use, *((number,) for number in range(45)))


def test_deep_recursion():
    def down(number):
        return Vector(number, down(number - 1)) if number else None

    jit.jit(Vector.__init__)
    (plain,), (fast,) = copies(down)
    for depth in (10, 200):
        found, wanted = fast(depth), plain(depth)
        while found is not None:
            assert state(found)[1][1] == state(wanted)[1][1]
            found, wanted = found.y, wanted.y
    with pytest.raises(RecursionError):
        fast(10**6)
