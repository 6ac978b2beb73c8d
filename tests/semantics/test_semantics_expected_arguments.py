"""Arguments that the caller knows nothing of: the callee has been seen with a type, which may be right or wrong."""

import copy
import math
from array import array

import pytest

from compare import assert_stays_compiled, check, child, copies, exits_of, outcome

HOSTILE = [array("d", [0.5, -0.0, math.nan, 3]), array("i", [1, 2, 3, 4]), array("d"), [1.0, 2.0, 3.0, 4.0], [1, "a", None, 2], (1, 2, 3, 4), "abcd", b"abcd",
           bytearray(b"abcd"), {0: 1, 1: 2, 2: 3, 3: 4}, {}, None, 1, 2**63, 1.5, True, math.nan, "", range(4), memoryview(array("d", [1, 2, 3, 4]))]


class Sub(list):
    def __getitem__(self, index):
        return 10 * super().__getitem__(index)


class Raises:
    def __getitem__(self, index):
        raise KeyError(index)


class Box:
    """What C code keeps, so that the caller knows nothing of what comes out of it."""

    def __init__(self, item):
        self.take = iter([item] * 1000).__next__


def total(count, items):
    s = 0
    for i in range(count):
        items[i] = items[i] * 2
        s += items[i]
    return s


def passes_on(box, count):
    return total(count, box.take())


def twice(box, count):
    held = box.take()
    return total(count, held), total(count, items=held)


def same(first, second, count):
    s = 0
    for i in range(count):
        s += len(first) + len(second)
    return s, first is second


def passes_one_for_two(box, count):
    held = box.take()
    return same(held, held, count), held


def keeps(box, count):
    """The exit stands within a try block and between operands."""
    try:
        return [1, total(count, box.take()), 2]
    except (TypeError, IndexError) as problem:
        return type(problem).__name__, str(problem)


def boxes(arguments):
    """Fresh ones: what they hold is changed by the calls."""
    item, count = arguments
    return Box(item() if isinstance(item, type) else memoryview(array("d", item)) if type(item) is memoryview else copy.copy(item)), count


class Four(Sub):
    def __init__(self):
        super().__init__([1, 2, 3, 4])


ITEMS = [(item, 4) for item in (*HOSTILE, Four, Raises)]


@pytest.mark.parametrize("caller", [passes_on, twice, keeps])
@pytest.mark.parametrize("first", range(0, len(HOSTILE), 3))
def test_whatever_is_passed_on(caller, first):
    """The callee has been called with one type, and is called with any."""
    (plain, plain_callee), (fast, fast_callee) = copies(caller, total)
    for callee in (plain_callee, fast_callee):
        for _ in range(3):
            outcome(callee, (4, boxes(ITEMS[first])[0].take()))
    for _ in range(3):
        for arguments in [ITEMS[first]] * 30 + ITEMS:
            assert outcome(fast, boxes(arguments)) == outcome(plain, boxes(arguments)), (arguments, first)


def test_one_object_for_two_parameters():
    (plain, _), (fast, callee) = copies(passes_one_for_two, same)
    callee([1], [2], 3), callee([1], [2], 3)
    for _ in range(3):
        for arguments in ITEMS:
            assert outcome(fast, boxes(arguments)) == outcome(plain, boxes(arguments))


def test_the_caller_uses_the_version_that_is_there():
    _, (caller, callee) = copies(passes_on, total)
    for _ in range(3):
        callee(4, array("d", [1, 2, 3, 4]))
    box = Box(array("d", [1, 2, 3, 4]))
    for _ in range(20):
        caller(box, 4)
    assert_stays_compiled(caller, lambda: [caller(box, 4) for _ in range(20)])
    import jit
    assert [[str(kind) for kind in version.types] for version in jit.explain(callee).versions] == [["int", "array"]]


def test_a_type_that_turns_out_wrong_is_not_expected_again():
    _, (caller, callee) = copies(passes_on, total)
    for _ in range(3):
        callee(4, array("d", [1, 2, 3, 4]))
    doubles, numbers = Box(array("d", [1, 2, 3, 4])), Box([1, 2, 3, 4])
    for _ in range(100):
        caller(doubles, 4), caller(numbers, 4)
    before = exits_of(caller)
    for _ in range(100):
        caller(doubles, 4), caller(numbers, 4)
    assert exits_of(caller) == before


def test_arrays_made_are_known():
    def made(count):
        numbers = array("d", [0.5])
        for i in range(count):
            numbers.append(i)
        return numbers, numbers[count] + numbers[0]

    def of_other_kinds(code, count):
        numbers = array(code, [1])
        return numbers[0] * count, numbers

    check(made, (0,), (5,), (-1,))
    check(of_other_kinds, ("d", 2), ("i", 2), ("b", 2**63), ("u", 2), ("x", 2), (None, 2), ("f", 0.5), ("Q", True))


def test_what_the_clock_sees_in_a_frame():
    """The callee is hot before its caller is compiled, and there are no versions of it yet."""
    text = """
import ctypes, sys
from jit.dispatch import COMPILER
from jit.entering import LoopEntering
from jit.types import recall
from platforms.cpython import observe
from platforms.cpython.layout import layout
from array import array
entering = LoopEntering(COMPILER)
def look(function):
    address = observe.read(id(sys._getframe(1)) + layout().frame_object_frame)
    entering.note_arguments(function, address)
def asked(a, b, /, c, *more, d, e=1, **others):
    look(asked)
def celled(a, b):
    del b
    look(celled)
    return lambda: a
def another(a):
    look(asked)
class Own: pass
record = COMPILER.register(asked, automatic=True)
def show():
    print([[note and str(recall(note).type) for note in noted] for noted in record.seen])
COMPILER.suspend()  # they run interpreted
another(1), show()  # its frame is not one of that function
asked(1, array("d", [1]), [1], 2, 3, d=None, x=1), show()
asked("a", Own(), {}, d=2**70, e=lambda: 1), show()  # once is enough
record.seen.clear()
asked("a", Own(), {}, d=2**70, e=lambda: 1), show()
record = COMPILER.register(celled, automatic=True)
COMPILER.suspend()
celled(1, 2), show()
entering.note_arguments(show, 0)  # not registered
"""
    assert child(text) == "[]\n" + "[['int', \"array('d')\", 'list', 'NoneType', 'int', 'tuple', 'dict']]\n" * 2 + \
        "[['str', 'object', 'dict', 'int', 'object', 'tuple', 'dict']]\n[[None, None]]\n"
