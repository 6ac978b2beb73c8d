"""Leaving for the interpreter at every instruction, with locals and operand stack in every form a descriptor knows."""

import ctypes
import dis
import gc
import random
import sys

import pytest

from activations import Chain, Level, NULL, call_place, emit_c_call, emit_jump, float_bits, integer_bits, leave_by
from asm import rdi, relative
from capture import at_instruction, not_resumable
from jit.machine import records as r
from platforms.cpython.layout import layout
from exit_programs import PROGRAMS

L = layout()
RangeIterator = type(iter(range(0)))


@pytest.fixture(autouse=True)
def _nothing_is_handled(request):
    """Frames resumed inside handlers end with an exception that counts as being handled; the tests that follow have none."""
    assert sys.exc_info() == (None, None, None)
    request.addfinalizer(lambda: ctypes.pythonapi.PyErr_SetHandledException(None))


class Forms:
    """A plan that picks among the forms in which a value can be described."""

    def __init__(self, seed, registers):
        self.random = random.Random(seed)
        self.registers = registers

    def __call__(self, number, value, level):
        kind = type(value)
        forms = [self.owned, self.borrowed, self.constant, self.conditional, self.owned_or_null]
        if value is NULL:
            forms = [self.null, self.nothing, self.absent]
        elif kind is int and -(1 << 63) <= value < 1 << 63:
            forms += [self.int, self.int, self.int_constant]
        elif kind is float:
            forms += [self.float] * 4
        elif kind is bool:
            forms += [self.bool] * 4
        elif kind is RangeIterator:
            forms = [self.range, self.range_stop]
        self.random.choice(forms)(value, level)

    def keep(self, bits, level, kind="gpr"):
        if self.registers and self.random.random() < 0.7:
            return level.register(bits, kind)
        return level.slot(bits)

    def owned(self, value, level):
        level.own(value)
        level.entry(r.OWNED, self.keep(id(value), level))

    def owned_or_null(self, value, level):
        level.own(value)
        level.entry(r.OWNED_OR_NULL, self.keep(id(value), level))

    def borrowed(self, value, level):
        level.entry(self.random.choice([r.BORROWED, r.BORROWED_OR_NULL]), self.keep(id(value), level))

    def constant(self, value, level):
        level.entry(r.CONST, 0, id(value))

    def conditional(self, value, level):
        level.entry(r.IF, self.keep(1, level))
        self.owned(value, level)

    def null(self, value, level):
        level.entry(r.NULL)

    def nothing(self, value, level):
        level.entry(self.random.choice([r.OWNED_OR_NULL, r.BORROWED_OR_NULL]), self.keep(0, level))

    def absent(self, value, level):
        level.entry(r.IF, self.keep(0, level))
        level.entry(r.OWNED, self.keep(0xBAD, level))

    def int(self, value, level):
        level.entry(r.INT, self.keep(integer_bits(value), level))

    def int_constant(self, value, level):
        level.entry(r.INT_CONSTANT, 0, value)

    def float(self, value, level):
        level.entry(r.FLOAT, self.keep(float_bits(value), level, "xmm"))

    def bool(self, value, level):
        level.entry(r.BOOL, self.keep(int(value), level))

    def range(self, value, level, stop=False):
        first, left, step = range_state(value)
        level.entry(r.RANGE_ITERATOR_STOP if stop else r.RANGE_ITERATOR)
        for part in (first, first + left * step if stop else left, step):
            if self.random.random() < 0.3:
                level.entry(r.INT_CONSTANT, 0, part)
            else:
                level.entry(r.INT, self.keep(integer_bits(part), level))

    def range_stop(self, value, level):
        self.range(value, level, stop=True)


def range_state(iterator):
    """(next, items left, step)."""
    def field(offset):
        return ctypes.c_long.from_address(id(iterator) + offset).value
    first, left, step = field(L.range_iterator_start), field(L.range_iterator_len), field(L.range_iterator_step)
    if L.range_iterator_index is not None:
        done = field(L.range_iterator_index)
        first, left = first + done * step, left - done
    return first, left, step


def outer(call, note):
    result = call(note)
    return "outer", note, result


def middle(call, note):
    for i in range(2):
        try:
            result = call(note)
        except ZeroDivisionError:
            result = "caught"
        else:
            result = ["middle", result]
    return result


def outer_levels(function, seed):
    """Two compiled callers around a level."""
    executing, following = call_place(outer)
    yield Level(outer, [None, "note", NULL], executing, following, plan=Forms(seed, False))
    executing, following = call_place(middle, 1)
    iterator = iter(range(2))
    next(iterator)
    next(iterator)
    yield Level(middle, [None, 3, NULL, 1, iterator][:4] + [iter(range(1, 1))], executing, following, plan=Forms(seed + 1, False))


@pytest.mark.parametrize("function, arguments", PROGRAMS, ids=[function.__name__ for function, _ in PROGRAMS])
@pytest.mark.parametrize("nested", [False, True])
def test_leave_at_every_instruction(function, arguments, nested):
    """Whatever the instruction and the forms, the function ends as if it had been interpreted throughout."""
    expected = function(*arguments())
    skip = not_resumable(function.__code__)
    number = 0
    checked = 0

    def leave(offset, values, stack):
        nonlocal checked
        if offset in skip:
            return
        level = Level(function, values + stack, offset, resume=offset, plan=Forms(number, True))
        levels = [*outer_levels(function, number), level] if nested else [level]
        chain = Chain(levels, leave_by("exit_start"))
        result = chain()
        wanted = ("outer", "note", ["middle", expected]) if nested else expected
        assert result == wanted, (offset, [entry[0] for entry in level.entries])
        assert r.read_count(level.descriptor) == 1
        chain.free()
        checked += 1

    while number < 400 and at_instruction(function, arguments(), number, leave):
        number += 1
    assert checked > 15, checked


def test_ranges_of_every_direction_and_length():
    """Both descriptions of a range iterator give the iterator the interpreter would have."""
    def rest(iterator):
        return list(iterator), iterator

    for first, left, step in [(0, 5, 1), (5, 0, 1), (10, 4, -3), (-7, 3, 5), (3, 0, -1), (2**62, 2, 2**60), (-2**62, 2, -2**60)]:
        for stop in (False, True):
            for seed in range(4):
                iterator = iter(range(first, first + left * step, step))

                def plan(number, value, level):
                    Forms(seed, True).range(iterator, level, stop)
                level = Level(rest, [iterator], 0, resume=0, plan=plan)
                chain = Chain([level], leave_by("exit_start"))
                items, found = chain()
                assert items == list(range(first, first + left * step, step))
                assert type(found) is RangeIterator
                chain.free()


def test_reference_counts_after_many_exits():
    """References are moved, copied and dropped so that none is lost and none is dropped twice."""
    class Thing:
        pass

    things = [Thing() for _ in range(6)]

    def work(a, b):
        return a

    executing, following = call_place(outer)
    levels = [
        Level(outer, [things[0], things[1], NULL], executing, following),
        Level(outer, [things[2], things[3], NULL], executing, following),
        Level(work, things[4:], 0, resume=0),
    ]
    chain = Chain(levels, leave_by("exit_start"))
    counted = things + [outer, work, outer.__code__, work.__code__]
    assert chain() == ("outer", things[1], ("outer", things[3], things[4]))
    before = [sys.getrefcount(item) for item in counted]
    for _ in range(100_000):
        chain()
    assert before == [sys.getrefcount(item) for item in counted]
    gc.collect()
    chain.free()


def failing(items):
    total = 0
    for item in items:
        try:
            total += 10 // item
        except ZeroDivisionError:
            total += 1000
    return total, items[7]


def test_exceptions_are_thrown_where_the_body_says():
    """exit_throw finds the handler of the instruction, or leaves it to the next caller's, and adds each frame to the traceback."""
    division = next(found.offset for found in dis.get_instructions(failing) if found.opname == "BINARY_OP")
    for exception, expected in ((ZeroDivisionError, "handled"), (KeyError, "passed on")):
        inner = Level(failing, [[0, 2, 5, 0, 0, 0, 0, "last"], 1, 0, iter([2])], division)
        chain = Chain(list(outer_levels(failing, 1)) + [inner], _raise(exception))
        if expected == "handled":
            assert chain() == ("outer", "note", ["middle", (1006, "last")])
        else:
            with pytest.raises(KeyError) as caught:
                chain()
            names = [entry.name for entry in caught.traceback]
            lines = [entry.lineno - entry.frame.code.firstlineno for entry in caught.traceback]
            assert names[-3:] == ["outer", "middle", "failing"]
            assert lines[-3:] == [1, 3, 4]
        chain.free()


def _raise(exception):
    def action(asm, level):
        asm.mov(rdi, relative(asm.constant(id(exception))))
        # The registers of the level are lost to this call, so its values are read anew.
        emit_c_call(asm, "PyErr_SetNone")
        for place, number in level.loads:
            if not isinstance(place, int):
                (asm.mov if place.kind == "gpr" else asm.movsd)(place, relative(level.words + 8 * number))
        emit_jump(asm, level, "exit_throw")
    return action


def test_a_caller_handles_what_the_callee_raises():
    """The handler of a compiled caller runs in the interpreter, in that caller's frame."""
    level = Level(failing, [[1], 0, 0, iter([])], 0)
    chain = Chain(list(outer_levels(failing, 2)) + [level], _raise(ZeroDivisionError))
    assert chain() == ("outer", "note", "caught")
    chain.free()
