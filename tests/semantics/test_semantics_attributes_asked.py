"""``getattr(x, "name", default)`` and ``hasattr(x, "name")`` of attributes that instances may have or not."""

import sys
from collections import namedtuple

import pytest
from compare import assert_stays_compiled, check, copies

OTHER = object()


class Plain:
    def __init__(self):
        self.first, self.value = 1, "set"


class Child(Plain):
    pass


class Constant(Plain):
    value = absent = "the class's"


class Slotted:
    __slots__ = ("first", "value", "absent")

    def __init__(self):
        self.value = "slot"


class Mixed(Slotted):
    """With slots and a dict."""


class Asked(Plain):
    def __getattr__(self, name):
        if name == "absent":
            return "asked"
        raise AttributeError(name) if name == "value" else KeyError(name)


class Refusing(Plain):
    def __getattr__(self, name):
        raise ZeroDivisionError(name)


class Watched(Plain):
    def __getattribute__(self, name):
        return "watched" if name == "value" else object.__getattribute__(self, name)


class Computed(Plain):
    value = property(lambda self: self.first, lambda self, value: None)
    absent = property(lambda self: self.nothing)


class Mapping(dict):
    pass


class Failing(Exception):
    pass


class Name(str):
    """A key that is equal to a name, and says so itself."""

    def __eq__(self, other):
        return str.__eq__(self, other)

    __hash__ = str.__hash__


class Colliding:
    """A key with the hash of a name that fails when it is compared."""

    def __hash__(self):
        return hash("absent")

    def __eq__(self, other):
        raise OverflowError("compared")

    def __repr__(self):
        return "colliding"


Point = namedtuple("Point", "first value")
KINDS = (Plain, Child, Constant, Slotted, Mixed, Asked, Refusing, Watched, Computed, Mapping, Failing)


def without(kind):
    made = kind()
    for name in ("value", "first"):
        if name in getattr(made, "__dict__", ()):
            delattr(made, name)
    return made


def with_dict(entries):
    made = Plain()
    made.__dict__.clear()
    made.__dict__ = entries
    return made


def filled(kind):
    made = kind()
    made.absent = 2.5
    return made


def shown(kind):
    """One that has a dict from now on."""
    made = kind()
    vars(made)
    return made


THINGS = [
    *(lambda kind=kind: kind() for kind in KINDS), *(lambda kind=kind: without(kind) for kind in KINDS),
    *(lambda kind=kind: filled(kind) for kind in KINDS if kind is not Computed),
    *(lambda kind=kind: shown(kind) for kind in KINDS if kind is not Slotted),
    lambda: with_dict({}), lambda: with_dict({"absent": None}), lambda: with_dict({Name("absent"): "by a name"}), lambda: with_dict({Colliding(): 1}),
    lambda: with_dict({"".join(("abs", "ent")): "equal, not the same"}), lambda: with_dict({1: 2, "value": 3}), lambda: Point(1, 2),
    *(lambda thing=thing: thing for thing in (0, True, 2**70, 1.5, None, "", (), OTHER, Plain, Slotted, sys, len)),
]


def given(x):
    return getattr(x, "value", None), getattr(x, "absent", None), getattr(x, "absent", 5), getattr(x, "absent", "no"), getattr(x, "first", 1.5)


def given_others(x):
    local = [x]
    return getattr(x, "absent", x) is x, getattr(x, "absent", local) is local, getattr(x, "value", OTHER) is OTHER, getattr(x, "absent", ())


def asked(x):
    return hasattr(x, "value"), hasattr(x, "absent"), hasattr(x, "first"), 1 if hasattr(x, "absent") else 2


def asked_before(x):
    total = 0
    for _ in range(3):
        if hasattr(x, "value") and not hasattr(x, "absent"):
            total += 1
        reduce = getattr(x, "absent", None)
        if reduce is not None:
            total += 10
    return total


def wrong(x):
    return hasattr(x, 5)


def wrong_number(x):
    return getattr(x, "absent", None, 1)


FUNCTIONS = (given, given_others, asked, asked_before, wrong, wrong_number)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_one_kind_of_thing(function):
    for number in range(len(THINGS)):
        check(function, (number,), make=lambda calls: (THINGS[calls[0]](),))


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_all_kinds_in_turn(function):
    check(function, *((number,) for number in range(len(THINGS))), make=lambda calls: (THINGS[calls[0]](),), repeat=4)


@pytest.mark.parametrize("kinds", [(Plain, filled), (without, Plain), (Slotted, filled), (shown, Plain, filled), (Mixed, filled)],
                         ids=lambda kinds: "-".join(kind.__name__ for kind in kinds))
def test_having_it_or_not_leaves_nothing(kinds):
    def f(items):
        return [(getattr(item, "absent", None), hasattr(item, "value"), getattr(item, "value", 0)) for item in items]

    kind = next((found for found in kinds if isinstance(found, type)), Plain)
    items = [(make if make is kind else lambda make=make: make(kind))() for make in kinds] * 5
    (plain,), (fast,) = copies(f)
    for _ in range(30):
        assert fast(items) == plain(items)
    assert_stays_compiled(fast, lambda: [fast(items) for _ in range(30)])


def test_changes_in_between():
    def f(item):
        return getattr(item, "absent", "none"), hasattr(item, "absent")

    found = []
    for side in range(2):
        function = copies(f)[side][0]
        kind = type("Changing", (), {"__init__": lambda self: setattr(self, "first", 1)})
        base = type("Base", (), {})
        item, seen = kind(), []
        changes = [lambda: None, lambda: setattr(item, "absent", 1), lambda: delattr(item, "absent"), lambda: setattr(kind, "absent", 2), lambda: delattr(kind, "absent"),
                   lambda: setattr(kind, "__getattr__", lambda self, name: name), lambda: delattr(kind, "__getattr__"),
                   lambda: setattr(kind, "absent", property(lambda self: 1 / 1)), lambda: delattr(kind, "absent"), lambda: setattr(item, "__class__", type("Another", (), {"absent": 5})),
                   lambda: setattr(item, "__class__", kind), lambda: vars(item).update(absent=3), lambda: setattr(item, "__dict__", {}),
                   lambda: setattr(kind, "__getattribute__", lambda self, name: "watched"), lambda: delattr(kind, "__getattribute__"), lambda: setattr(base, "absent", 1)]
        for change in changes:
            change()
            seen.append([function(item) for _ in range(25)])
        found.append(seen)
    assert found[0] == found[1]


def test_references():
    def f(item, other):
        return getattr(item, "absent", OTHER), getattr(item, "value", None), getattr(item, "absent", other), hasattr(item, "absent")

    _, (fast,) = copies(f)
    for make in (Plain, lambda: without(Plain), lambda: filled(Plain), lambda: filled(Slotted)):
        item, other, counts = make(), object(), []
        for number in range(200):
            fast(item, other)
            if number in (50, 199):
                counts.append((sys.getrefcount(item), sys.getrefcount(other), sys.getrefcount(OTHER), sys.getrefcount(getattr(item, "absent", other))))
        assert counts[0] == counts[1]


def test_the_owner_may_die_at_once():
    def f(number):
        return getattr(Plain(), "value", None), getattr(filled(Plain), "absent", number), hasattr(Plain(), "absent"), getattr(Plain(), "absent", (number,)[0])

    check(f, (1,), (2.5,), ("text",), repeat=30)


def test_the_name_may_be_replaced():
    def f(item):
        return getattr(item, "absent", 1), hasattr(item, "value")

    for side in range(2):
        function = copies(f)[side][0]
        assert [function(Plain()) for _ in range(20)] == [(1, True)] * 20
        function.__globals__["hasattr"] = lambda item, name: name
        assert [function(Plain()) for _ in range(20)] == [(1, "value")] * 20
        function.__globals__["getattr"] = lambda *more: len(more)
        assert [function(Plain()) for _ in range(20)] == [(3, "value")] * 20


def test_set_in_the_same_function():
    def f(kind, number):
        item = kind()
        before = getattr(item, "absent", number), hasattr(item, "absent")
        item.absent = number
        between = getattr(item, "absent", None), hasattr(item, "absent")
        del item.absent
        return before, between, getattr(item, "absent", 1.5), hasattr(item, "absent")

    for kind in (Plain, Child, Slotted, Mixed, Failing, Mapping):
        check(f, *((kind, number) for number in range(5)), make=lambda calls: calls, repeat=10)
