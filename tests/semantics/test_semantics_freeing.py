"""What is freed by compiled code, with a finaliser somewhere in it or not, runs and shows what it would interpreted."""

import gc
import sys
import weakref

import pytest

from compare import copies, outcome

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


REFERENCES = []
MAKERS = [nothing, loud, deep, with_dict, many, cyclic, observed, lambda: "text", lambda: (1, Loud()), lambda: [Plain(Loud())], lambda: {1: Loud()},
          lambda: Slotted(Loud()), lambda: Derived(1, Loud()), lambda: None, lambda: 1 << 70, lambda: Plain(Plain(), (Slotted(), [2.5]))]


@pytest.mark.parametrize("kind", [Plain, Slotted, Derived, Loud, Listening])
@pytest.mark.parametrize("function", [make, replace, in_a_list, passed], ids=lambda function: function.__name__)
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
        logs = []
        for side in (plain, fast):
            LOG.clear()
            side()
            logs.append(list(LOG))
        assert logs[0] == logs[1] and len(logs[0]) == 1


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
            logs = []
            for side in (plain, fast):
                LOG.clear()
                side()
                logs.append(list(LOG))
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
