"""What the interpreter's specialised instructions say, and that it is asked for, believed with care, and forgotten."""

import dis
import sys

import jit
import pytest
from compare import copies, copy_function, outcome
from platforms.cpython import feedback, instances, opcodes

from jit import receivers


class Point:
    def __init__(self, x):
        self.x = x

    def get(self):
        return self.x


class Slotted:
    __slots__ = ("x",)

    def __init__(self, x):
        self.x = x

    get = Point.get


def read(thing):
    return thing.x


def call(thing):
    return thing.get()


def store(thing, x):
    thing.x = x


def add(a, b):
    return a + b


def compare(a, b):
    if a < b:
        return 1
    return 2


def equal(a, b):
    if a == b:
        return 1
    return 2


def subscript(items, index):
    return items[index]


def unpack(items):
    a, b = items
    return a, b


def fresh(function):
    return type(function)(function.__code__.replace(), globals(), function.__name__)


def warmed(function, *arguments):
    function = fresh(function)
    for _ in range(100):
        function(*arguments)
    return function


def said(function):
    """The names of the instructions of which something is known, and what it is."""
    names = {instruction.offset: instruction.opname for instruction in dis.get_instructions(function.__code__)}
    return {names[offset]: meaning for offset, meaning in feedback.profile(function.__code__).items()}


def test_names_of_forms():
    assert {name: number for number, name in opcodes.specialised_forms().items()} == {
        name: number for name, number in dis._all_opmap.items() if name not in dis.opmap}


def test_base_opcodes():
    for number in range(256):
        base = dis._deoptop(number) if number in dis._all_opmap.values() else number
        assert opcodes.base_opcode(number) == dis.opmap.get(dis._all_opname[base].removeprefix("INSTRUMENTED_"), base)


def test_code_that_has_not_run_says_nothing():
    for function in (read, call, store, add, compare, subscript, unpack):
        assert feedback.profile(fresh(function).__code__) == {}


@pytest.mark.parametrize("kind", [Point, Slotted])
def test_tags_of_owners(kind):
    thing = kind(1)
    for function, arguments in ((read, (thing,)), (call, (thing,)), (store, (thing, 2))):
        meaning, = said(warmed(function, *arguments)).values()
        assert meaning["tag"] == instances.version_tag(kind) and receivers.class_with_tag(meaning["tag"]) is kind


def test_types_of_operands():
    for kind, pair in ((int, (1, 2)), (float, (1.5, 2.5)), (str, ("a", "b"))):
        assert said(warmed(add, *pair))["BINARY_OP"] == {"left": kind, "right": kind}
        assert said(warmed(equal, *pair))["COMPARE_OP"] == {"left": kind, "right": kind}
    for items in ([1, 2], (1, 2)):
        assert said(warmed(subscript, items, 1))["BINARY_SUBSCR"] == {"container": type(items), "index": int}
        assert said(warmed(unpack, items))["UNPACK_SEQUENCE"] == {"container": type(items)}
    assert said(warmed(subscript, {1: 2}, 1))["BINARY_SUBSCR"] == {"container": dict}


def test_a_class_that_has_changed_is_not_found():
    kind = type("Kind", (), {"get": lambda self: 1})
    function = warmed(call, kind())
    meaning, = said(function).values()
    assert receivers.class_with_tag(meaning["tag"]) is kind
    kind.more = 1
    assert receivers.class_with_tag(meaning["tag"]) is None
    assert receivers.class_with_tag(0xFFFFFFF0) is None


def things(number):
    made = [Point(1), Slotted(2.5), Point("a"), [1], "text"]
    return made[number % len(made)]


def use(number):
    thing = things(number)
    return thing.x, thing.get()


def test_a_warmed_function_is_compiled_once():
    """What it gets from a call that is not compiled is of a class that the interpreter has met."""
    function = warmed(use, 0)
    jit.jit(function)
    for _ in range(200):
        assert function(0) == (1, 1)
    told = jit.explain(function)
    assert [version.calls for version in told.versions] == [200] and "former" not in str(told)


@pytest.mark.parametrize("first", range(5))
def test_profiles_that_were_wrong(first):
    """Each function is warmed with one kind of arguments, and called with others."""
    values = [(1, 2), (1.5, 2.5), ("a", "b"), (1, 2.5), ([1], [2]), (2**70, 1), (True, 1)]
    for function in (add, compare):
        (plain,), (fast,) = copies(function)
        fast.__wrapped__ = None
        target = warmed(function, *values[first])
        jit.jit(target)
        for pair in values * 3:
            assert outcome(plain, pair) == outcome(target, pair)
    owners = [Point(1), Slotted(2.5), Point("a"), type("Other", (Point,), {})(3), 5, None]
    for function in (read, call):
        (plain,), _ = copies(function)
        target = warmed(function, owners[first % 4])
        jit.jit(target)
        for owner in owners * 5:
            assert outcome(plain, (owner,)) == outcome(target, (owner,))


def test_code_under_a_tool():
    function = warmed(add, 1, 2)
    seen = []
    sys.settrace(lambda frame, event, argument: seen.append(event))
    try:
        function(1, 2)
        profile = feedback.profile(function.__code__)
    finally:
        sys.settrace(None)
    assert seen and set(profile.values() and {role for meaning in profile.values() for role in meaning}) <= {"left", "right"}


def branching(x, limit):
    total = 0
    for number in range(4):
        if x is None:
            raise ValueError(str(x))
        total += x
        if total > limit:
            total = x.real
    return total


def lines_unreached(function):
    """Lines, from that of the function on, of what has never been run; None if nothing is known."""
    found = feedback.unreached(function.__code__)
    lines = {offset: line for start, end, line in function.__code__.co_lines() for offset in range(start, end)}
    return found if found is None else {lines[offset] - function.__code__.co_firstlineno for offset in found}


def test_what_has_never_been_run():
    function = copy_function(branching, {})
    assert lines_unreached(function) is None
    for _ in range(20):
        function(1, 100)
    assert lines_unreached(function) == {4, 7}
    function(1, 3)
    assert lines_unreached(function) == {4}
    with pytest.raises(ValueError):
        function(None, 0)
    assert lines_unreached(function) == set()


def test_code_in_which_nothing_tells():
    def nothing(x):
        return x

    assert lines_unreached(copy_function(nothing, {})) == set()


def test_a_call_tells_on_its_own():
    """Also where another instruction does its work (3.11's PRECALL)."""
    def call(items):
        return len(items), items.count(1), str(items), max(items, default=None)

    function = copy_function(call, {})
    for _ in range(20):
        function([1])
    assert lines_unreached(function) == set()
