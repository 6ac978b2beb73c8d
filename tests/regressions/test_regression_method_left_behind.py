"""A method that is no method is looked up by code that keeps the frame: behind LOAD_METHOD the interpreter finds the attribute *and* a NULL.

It found the attribute alone, and took what lay beside it for what is called: "'Handle' object is not callable".
"""

import sys

import pytest

from compare import copies

KEPT = []


class Odd:
    """Whatever is asked of it keeps its caller's frame."""

    def __getattr__(self, name):
        KEPT.append(sys._getframe(1))
        return lambda *arguments: (name, arguments)


class Property:
    @property
    def made(self):
        KEPT.append(sys._getframe(1))
        return lambda *arguments: ("made", arguments)


class Loud(Property):
    def __del__(self):
        KEPT.append(sys._getframe(1))


class Plain:
    def __init__(self):
        self.stored = lambda *arguments: ("stored", arguments)


class Gone(Plain):
    def __del__(self):
        KEPT.append(sys._getframe(1))


def generic(o, n):
    found = []
    for i in range(n):
        found.append((i, o.anything(i), o.other(i, 2), o.none()))
    return found


def by_property(o, n):
    found = []
    for i in range(n):
        found.append((i, o.made(i), o.made(), [o.made(i, j) for j in (1, 2)]))
    return found


def temporary(make, n):
    found = []
    for i in range(n):
        found.append((i, make().made(i), make().made()))
    return found


def stored(make, n):
    found = []
    for i in range(n):
        found.append((i, make().stored(i), make().stored(), len(str(i))))
    return found


@pytest.mark.parametrize("function, make", [(generic, lambda: Odd()), (by_property, lambda: Property()), (temporary, lambda: Loud), (temporary, lambda: Property),
                                            (stored, lambda: Gone), (stored, lambda: Plain), (generic, lambda: sys.modules[__name__])],
                         ids=["generic", "property", "loud", "quiet", "gone", "plain", "module"])
@pytest.mark.parametrize("warm", [0, 70])
def test_the_interpreter_goes_on_behind_the_look_up(function, make, warm):
    (plain,), (compiled,) = copies(function)
    for _ in range(warm):
        compiled(make(), 2)
    KEPT.clear()
    assert compiled(make(), 3) == plain(make(), 3)
    KEPT.clear()


def anything(*arguments):
    KEPT.append(sys._getframe(1))
    return arguments


other = none = anything

