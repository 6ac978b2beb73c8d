"""``type(x)``, ``isinstance``, ``issubclass``, methods of builtin types; deleted items; loops over iterators of many kinds; repr and str of anything."""

import gc
import sys

import pytest

from compare import check, copies


class Base:
    pass


class Derived(Base):
    pass


class Meta(type):
    def __subclasscheck__(cls, other):
        return "yes"

    def __getattribute__(cls, name):
        return "own " + name


class Strange(metaclass=Meta):
    pass


class Lies:
    """It says that it is of another class."""
    __class__ = int


class Text(str):
    def __repr__(self):
        return "text"


class Raises:
    def __repr__(self):
        raise ValueError("no")


class Abstract:
    __bases__ = (Base,)


VALUES = [0, True, 1.5, "s", None, 2**70, (), [], {}, Base(), Derived(), Lies(), Text("t"), int, Base, Meta, Strange, Abstract(), Raises(), len, b"x", object()]


def ask(x, y):
    kind = type(x)
    return kind, type(y) is kind, kind is int, issubclass(kind, int), issubclass(kind, (str, Base)), issubclass(kind, object), type(type(x)), kind.__name__


def ask_class(x, y):
    return issubclass(x, Base), issubclass(x, (int, Base, str))


def ask_strange(x, y):
    return issubclass(type(x), Strange), isinstance(x, Base)


def ask_empty(x, y):
    return issubclass(type(x), ()), type(x)


def methods(x, y):
    return int.__repr__ is int.__repr__, dict.get, str.join, list.__repr__(y if isinstance(y, list) else []), int.__add__(1, 2), object.__repr__ is int.__repr__


def show(x, y):
    return repr(x), str(y), str(x), repr(y)


@pytest.mark.parametrize("function", [ask, ask_class, ask_strange, ask_empty, methods, show], ids=lambda function: function.__name__)
def test_of_anything(function):
    check(function, *((x, y) for x in VALUES for y in VALUES[::4]), make=lambda arguments: arguments, repeat=2)


@pytest.mark.parametrize("first", [0, "s", 1.5, Derived(), int, Lies()], ids=["int", "str", "float", "instance", "class", "lies"])
@pytest.mark.parametrize("function", [ask, ask_class, show], ids=lambda function: function.__name__)
def test_one_sort_then_all(function, first):
    check(function, *[(first, first)] * 100, *((x, x) for x in VALUES), make=lambda arguments: arguments, repeat=1)


def test_a_class_is_given_another():
    def f(x):
        return type(x), type(x).__name__
    (plain,), (compiled,) = copies(f)
    thing = Base()
    for _ in range(100):
        compiled(thing)
    thing.__class__ = Derived
    assert compiled(thing) == plain(thing) == (Derived, "Derived")


def test_references_to_types():
    class Own:
        pass

    def f(x):
        kind = type(x)
        return issubclass(kind, int) or kind is str
    _, (compiled,) = copies(f)
    thing = Own()
    for _ in range(100):
        compiled(thing)
    gc.collect()
    before = sys.getrefcount(Own), sys.getrefcount(thing)
    for _ in range(100):
        compiled(thing)
    gc.collect()
    assert (sys.getrefcount(Own), sys.getrefcount(thing)) == before


# -- deleting -----------------------------------------------------------------------------------------------


class Loud:
    log = []

    def __del__(self):
        frame = sys._getframe(1)
        self.log.append((frame.f_code.co_name, sorted(frame.f_locals)))


class Owner:
    def __delitem__(self, key):
        raise KeyError(("mine", key))


def delete(d, k):
    del d[k]
    return d


CONTAINERS = [{1: 2, 3: 4}, {"a": 1, 1: 2}, {}, [1, 2, 3], (1, 2), None, Owner(), bytearray(b"abc"), {Base: 1, None: 2}, {2**70: 1}]


@pytest.mark.parametrize("first", [({1: 2}, 1), ({"a": 1}, "a"), ({Base: 2}, Base)], ids=["int", "text", "object"])
def test_items_deleted(first):
    calls = [(container, key) for container in CONTAINERS for key in (1, "a", Base, 1.0, True, [], 2**70, "zz", slice(0, 1))]
    check(delete, *[first] * 100, *calls, *[first] * 5, repeat=2)


def test_finalisers_of_deleted_values():
    (plain,), (compiled,) = copies(delete)
    for chosen in (compiled, plain):
        for _ in range(100):
            chosen({1: 2}, 1)
            chosen({"a": 2}, "a")
        for key in (1, "a"):
            chosen({key: Loud()}, key)
    half = len(Loud.log) // 2
    assert Loud.log[:half] == Loud.log[half:] and half == 2


def test_references_of_what_is_deleted():
    def f(d, k, v):
        d[k] = v
        del d[k]
        d[v] = k
        del d[v]
    _, (compiled,) = copies(f)
    key, value = "a long key"[:6], object()
    for _ in range(100):
        compiled({}, key, value)
        compiled({}, 2**40, value)
    before = sys.getrefcount(key), sys.getrefcount(value)
    for _ in range(100):
        compiled({}, key, value)
    assert (sys.getrefcount(key), sys.getrefcount(value)) == before


# -- iterating ----------------------------------------------------------------------------------------------


def walk(items, log):
    for item in items:
        log.append(item)
        if type(items) is list and len(items) < 6:
            items.append(len(items))
        if len(log) > 9:
            items.clear()
    return log


def test_loops_over_anything():
    def makers():
        return [[1, "x"], (), (1, 2.5, None), iter([1, 2]), iter((3, 4)), "ab", {1: 2}, {5}, (x for x in "yz"), range(3), reversed([1, 2]), enumerate("q"), None, 5, [0] * 12,
                zip((1,), [2]), map(str, [1, 2]), b"ab"]
    (plain,), (compiled,) = copies(walk)
    for _ in range(40):
        for mine, others in zip(makers(), makers()):
            results = []
            for chosen, items in ((plain, mine), (compiled, others)):
                log = []
                try:
                    results.append(chosen(items, log))
                except Exception as error:
                    results.append((type(error), str(error), log))
            assert results[0] == results[1]


def test_references_of_items():
    item = object()
    _, (compiled,) = copies(walk)
    sources = [[item] * 7, (item,) * 3, iter([item] * 3), {item: 1}]
    for _ in range(60):
        for source in sources:
            compiled(source, [])
    del source
    before = sys.getrefcount(item), [sys.getrefcount(source) for source in sources]
    for _ in range(60):
        for source in sources:
            compiled(source, [])
    del source
    assert (sys.getrefcount(item), [sys.getrefcount(source) for source in sources]) == before
