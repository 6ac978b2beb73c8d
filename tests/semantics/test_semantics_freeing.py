"""What is freed by compiled code, with a finaliser somewhere in it or not, runs and shows what it would interpreted."""

import functools
import gc
import re
import sys
import weakref
from types import FunctionType

import pytest

import jit
from compare import copies, outcome

from platforms.cpython.matches import empty_pattern

LOG = []


def note(text):
    frame, names = sys._getframe(1), []
    while frame is not None and len(names) < 4:
        names.append((frame.f_code.co_name, frame.f_lineno))
        frame = frame.f_back
    LOG.append((text, names[:3]))


class Plain:
    def __init__(self, x=1.5, y=2):
        self.x, self.y = x, y


class Slotted:
    __slots__ = ("x", "y", "__weakref__")

    def __init__(self, x=1.5, y=2):
        self.x, self.y = x, y


class Derived(Slotted):
    __slots__ = ("z",)

    def __init__(self, x=1.5, y=2):
        Slotted.__init__(self, x, y)
        self.z = y


class Loud:
    def __init__(self, x=0, y=0):
        self.x, self.y = x, y

    def __del__(self):
        note("deleted")


class Listening:
    """Its instances are told of by weak references."""

    def __init__(self, x=0, y=0):
        self.x, self.y = x, y


class Listed(list):
    """A list whose instances may have attributes."""

    def __init__(self, x=0, y=0):
        list.__init__(self, (x, y))
        self.x, self.y = x, y


class ListedSlotted(list):
    __slots__ = ("x", "y")

    def __init__(self, x=0, y=0):
        list.__init__(self, (y, x))
        self.x, self.y = x, y


class Kept(list):
    """Its instances have no attributes."""


def kept(*items):
    found = Kept()
    found.extend(items)
    return found


def make(kind, x, y):
    thing = kind(x, y)
    return thing.x is x


def replace(kind, x, y):
    thing = kind(x, y)
    thing.x = None
    thing = kind(1, 2)
    return thing.y


def in_a_list(kind, x, y):
    things = [kind(x, y), kind(y, x)]
    things[0] = None
    things.append(kind(1.5, (x, y)))
    return len(things)


def loop(kind, x, y):
    count = 0
    for thing in [kind(x, y), kind(y, x)]:
        count += 1
    thing = None
    for thing in (kind(x, y), 1):
        if count:
            break
    thing = None
    for thing in reversed([1, kind(x, y)]):
        count += thing is not None
        thing = None
    return count


def derived_lists(kind, x, y):
    things = Kept()
    things.append(kind(x, y))
    others = Kept()
    for thing in things:
        others.append(thing)
    thing = None
    things = None
    for thing in others:
        pass
    others.append(others.pop(0))
    others = Kept()
    return len(others)


def closures(kind, x, y):
    thing = kind(x, y)
    other = x
    found = [thing.x is part for part in (other, y)]
    return len(found)


def bound_methods(kind, x, y):
    method = kind(x, y).__init__
    other = [kind(x, y)].append
    other(1)
    method(1, 2)
    again = other
    other = None
    return again is other


def argument(thing):
    return thing.y


def passed(kind, x, y):
    return argument(kind(x, y))


def nothing():
    return 1.25


def loud():
    return Loud()



def deep():
    thing = Loud()
    for _ in range(6):
        thing = Plain(thing, 2.5)
    return thing


def with_dict():
    thing = Plain(Loud())
    vars(thing)["more"] = 1
    return thing


def many():
    return [Plain() for _ in range(30)] + [Loud()]


def cyclic():
    thing = Plain()
    thing.x = thing
    return thing


def observed():
    thing = Listening()
    thing.y = weakref.ref(thing, lambda _: note("observed"))
    REFERENCES.append(weakref.ref(thing, lambda _: note("died")))
    return thing


def split_dict():
    """An instance whose dict shares its class's keys."""
    thing = Plain(Loud())
    vars(thing)
    return thing


class Dict(dict):
    def __del__(self):
        note("dict deleted")


def dict_subclass():
    thing = Plain()
    thing.__dict__ = Dict(x=1, y=Loud())
    return thing


def watched_set():
    items = {1, 2}
    REFERENCES.append(weakref.ref(items, lambda _: note("set died")))
    return items


def emptied():
    """Deleted keys leave their places."""
    items, mapping = {1, 2, 3}, {1: 2, "a": Loud(), 3: 4}
    items.discard(2)
    del mapping[1], mapping["a"]
    return items, mapping


def cell():
    thing = Loud()
    return (lambda: thing).__closure__[0]


def watched_method():
    found = Plain().__init__
    REFERENCES.append(weakref.ref(found, lambda _: note("method died")))
    return found


class LoudText(str):
    def __del__(self):
        note("text deleted")


def watched_pattern():
    """Only the match holds it."""
    pattern = empty_pattern()
    REFERENCES.append(weakref.ref(pattern, lambda _: note("pattern died")))
    return pattern.match("a new text"[:5])


def with_places():
    found = re.match("(a)(b)?", "abc")
    return found if found.regs else None


def function_with(part):
    """One that holds something that tells when it dies."""
    def made():
        return thing

    thing = Loud() if part == "closure" else None
    if part == "code":
        return FunctionType(nothing.__code__.replace(co_consts=(*nothing.__code__.co_consts, Loud())), globals())
    if part == "__type_params__" and sys.version_info < (3, 12):
        made.other = Loud()
    elif part.startswith("__"):
        setattr(made, part, {"__defaults__": (Loud(),), "__type_params__": (Loud(),), "__doc__": Loud(), "__module__": Loud()}.get(part, {"a": Loud()}))
    return made


def functions_of_one_code():
    """Which nothing else refers to."""
    code = function_with("code").__code__
    return [FunctionType(code, globals()) for _ in range(3)]


def watched_function():
    made = function_with("")
    REFERENCES.append(weakref.ref(made, lambda _: note("function died")))
    return made


def stepped(iterator):
    next(iterator)
    return iterator


REFERENCES = []
MAKERS = [*(functools.partial(function_with, part) for part in ("", "closure", "code", "__defaults__", "__kwdefaults__", "__dict__", "__annotations__", "__doc__", "__module__",
                                                                "__type_params__")), functions_of_one_code, watched_function, lambda: [lambda: 1] * 2,
          lambda: enumerate([Loud()]), lambda: stepped(enumerate([Loud(), 1])), lambda: enumerate("ab", 2**70), lambda: zip([Loud()], "a"), lambda: stepped(zip([Loud(), 2], [3, 4])),
          lambda: iter({Loud()}), lambda: stepped(iter({1, 2})), lambda: iter("\xe9"), lambda: iter(b"ab"), lambda: iter(bytearray(b"ab")), lambda: iter(LoudText("abc")), nothing, loud, deep, with_dict, many, cyclic, observed, lambda: "text", lambda: (1, Loud()), lambda: [Plain(Loud())], lambda: {1: Loud()},
          lambda: Slotted(Loud()), lambda: Derived(1, Loud()), lambda: None, lambda: 1 << 70, lambda: Plain(Plain(), (Slotted(), [2.5])),
          lambda: Listed(Loud()), lambda: kept(Loud()), lambda: kept(1, kept(Plain())), lambda: ListedSlotted(1, Loud()),
          lambda: iter([Loud()]), lambda: iter((1, 2)), lambda: reversed([Plain(Loud())]), lambda: iter([Plain()] * 40 + [Loud()]),
          lambda: {1, "a"}, lambda: {Loud()}, lambda: frozenset({1.5, (Loud(),)}), lambda: {"a": 1}, lambda: {"a": Loud()}, lambda: {1: Loud()}, lambda: {Loud(): 1},
          lambda: {1: {"b": [Loud()]}}, lambda: vars(Plain(Loud())), lambda: vars(Plain(1.5)), split_dict, dict_subclass, watched_set, emptied,
          cell, watched_method, lambda: [Loud()].append, lambda: Loud().__init__, lambda: len,
          lambda: iter(range(3)), lambda: iter({1: Loud()}.items()), lambda: iter("text"),
          lambda: re.match("a", "abc"), lambda: re.match("a", LoudText("abc")), lambda: re.match(b"a", bytearray(b"abc")), watched_pattern, with_places]


@pytest.mark.parametrize("kind", [Plain, Slotted, Derived, Loud, Listening, Listed, ListedSlotted])
@pytest.mark.parametrize("function", [make, replace, in_a_list, passed, loop, derived_lists, closures, bound_methods], ids=lambda function: function.__name__)
def test_freeing(function, kind):
    (plain, *_), (fast, *_) = copies(function, argument, kind.__init__)
    for maker in MAKERS * 2:
        logs = []
        for side in (plain, fast):
            LOG.clear()
            REFERENCES.clear()
            gc.collect()
            LOG.clear()
            result = outcome_of(side, kind, maker)
            # What arguments hold dies with the caller's references: in another order, seen from the same lines.
            logs.append((result, sorted(LOG)))
        assert logs[0] == logs[1], maker


def outcome_of(side, kind, maker):
    result = outcome(lambda: side(kind, maker(), maker()), ())
    return result[0], repr(result[1:])[:200]


def logged(side):
    """What is noted while it runs."""
    LOG.clear()
    side()
    return list(LOG)


def test_two_references_from_one_dying_object():
    """Neither is the last by itself."""
    class Held:
        def __del__(self):
            note("held is gone")

    def use():
        thing = Plain(*[Held()] * 2)
        thing = None
        return thing

    (plain,), (fast,) = copies(use, namespace={"Held": Held, "Plain": Plain})
    for _ in range(40):
        logs = [logged(side) for side in (plain, fast)]
        assert logs[0] == logs[1] and len(logs[0]) == 1


@pytest.mark.parametrize("shape", ["[a, a]", "[a, [a, 1], (a, 2, 3)]", "[[1, 2, 3, 4, 5], a, {'x': a}, a]", "[a, b, a, b]", "[(a, b), [b, a], b]", "[[[a]], [a], a, b]", "(a, b, a, b, a, b)",
                                   "[a, outside, b, outside]", "Plain([a, b], Plain(b, a))", "[f, f, a]", "[f, g, h]", "{1: a, 2: [a]}", "[{1, 2}, a, {'k': b}, b, a]"])
def test_many_references_from_one_dying_object(shape):
    """None is the last by itself: that the object dies is seen at the last of them."""
    class Held:
        def __del__(self):
            note("held is gone")

    def holding(held):
        return lambda: held

    source = f"""
def use():
    a, b, f = Plain(Held()), [Held()], holding(Held())
    g = h = f
    thing = {shape}
    a = b = f = g = h = None
    thing = None
    return thing
"""
    names = {"Held": Held, "Plain": Plain, "holding": holding, "outside": Held()}
    exec(source, names)
    plain, fast = names["use"], jit.jit(FunctionType(names["use"].__code__, names))
    for _ in range(40):
        logs = [logged(side) for side in (plain, fast)]
        assert logs[0] == logs[1] and len(logs[0]) == 3


def test_a_class_that_gets_a_finaliser():
    class Changing:
        def __init__(self):
            self.x = 1.5

    def use():
        thing = Changing()
        thing = None
        return thing

    (plain,), (fast,) = copies(use, namespace={"Changing": Changing})
    for change in (None, lambda self: note("late"), None, lambda self: note("again")):
        if change is not None:
            Changing.__del__ = change
        elif "__del__" in vars(Changing):
            del Changing.__del__
        for _ in range(30):
            logs = [logged(side) for side in (plain, fast)]
            assert logs[0] == logs[1] and len(logs[0]) == (change is not None)


def test_a_long_chain():
    class Link:
        def __init__(self, following):
            self.following = following

    def chain(count):
        first = None
        for _ in range(count):
            first = Link(first)
        return first is None

    (plain,), (fast,) = copies(chain, namespace={"Link": Link})
    for count in (0, 1, 5, 1000, 100_000):
        assert plain(count) == fast(count)
