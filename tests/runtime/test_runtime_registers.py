"""Routines called from hot code: results, and the registers they leave alone."""

import ctypes
import gc
import math
import sys
import weakref

import pytest

from activations import Level, NULL, float_bits, values_of
from jit.machine import routines
from registers import Probe

SCRATCH = {"rax", "rcx", "rdx", "xmm14", "xmm15"}
EDGES = sorted({sign * (1 << bits) + delta for sign in (1, -1) for bits in (0, 8, 29, 30, 31, 32, 59, 60, 61, 62, 63)
                for delta in (-2, -1, 0, 1, 2)} | {-6, -5, 0, 256, 257})
FITTING = [value for value in EDGES if -(1 << 63) <= value < 1 << 63]


def take(address):
    """The object behind a new reference."""
    value = ctypes.cast(address, ctypes.py_object).value
    ctypes.pythonapi.Py_DecRef(ctypes.py_object(value))
    return value


@pytest.mark.parametrize("value", FITTING)
def test_box_int(value):
    probe = box_int
    for _ in range(3):
        assert set(probe.run(rax=value)) <= SCRATCH
        boxed = take(probe.value("rax"))
        assert (type(boxed), boxed) == (int, value)
    if -5 <= value <= 256:
        assert boxed is eval(str(value))


@pytest.mark.parametrize("value", EDGES + [1 << 90, -(1 << 90), (1 << 64) - 1, (1 << 64), -(1 << 64), 8 << 60, -(8 << 60) - 1])
def test_unbox_int(value):
    changed = unbox_int.run(rax=id(value))
    assert set(changed) <= {"rax", "rcx", "rdx"}
    fits = -(1 << 63) <= value < 1 << 63
    assert unbox_int.value("rdx") & 0xFFFFFFFF == (0 if fits else 1)
    if fits:
        assert ctypes.c_int64(unbox_int.value("rax")).value == value


@pytest.mark.parametrize("value", [0.0, -0.0, 1.5, math.inf, -math.inf, math.nan, 5e-324, sys.float_info.max])
def test_box_float(value):
    for _ in range(3):
        assert set(box_float.run(xmm15=float_bits(value))) <= SCRATCH
        boxed = take(box_float.value("rax"))
        assert type(boxed) is float and float_bits(boxed) == float_bits(value)


def test_many_boxes_are_kept_apart():
    """Boxes that live together are different objects, and their memory comes back."""
    def boxes(count):
        found = []
        for number in range(count):
            box_float.run(xmm15=float_bits(number + 0.5))
            found.append(take(box_float.value("rax")))
            box_int.run(rax=number * 1000)
            found.append(take(box_int.value("rax")))
        return found

    found = boxes(2000)
    assert found == [value for number in range(2000) for value in (number + 0.5, number * 1000)]
    before = sys.getallocatedblocks()
    del found
    boxes(2000)
    assert sys.getallocatedblocks() < before


def holder(thing, number):
    return thing, number


def level_of(thing):
    return Level(holder, values_of(holder, thing=thing, number=5), executing=0, following=0, resume=0,
                 plan=lambda number, value, level: level.entry(1, 0, id(value)))


@pytest.mark.parametrize("count", [1, 99, 100, 101, 250])
def test_floats_are_kept_apart_from_the_interpreters(count):
    """Whoever makes or frees one, none is in two hands."""
    free = Probe(routines().dealloc_plain)
    gc.collect()  # empties the list
    for _ in range(3):
        mine = []
        for number in range(count):
            box_float.run(xmm15=float_bits(number + 0.25))
            mine.append(take(box_float.value("rax")))
        theirs = [number + 0.75 for number in range(count)]
        assert mine == [number + 0.25 for number in range(count)]
        assert theirs == [number + 0.75 for number in range(count)]
        addresses = [new_object(value) for value in mine]
        del mine
        for address in addresses:
            assert free.free(address) == {}
        del theirs


#: What a routine for bodies that keep no floats in registers may change.
UNUSED = {f"xmm{number}" for number in range(1, 14)}


@pytest.mark.parametrize("suffix, lost", [("", set()), ("_no_floats", UNUSED)])
def test_dealloc_plain(suffix, lost):
    """The object is freed; no register changes that is used."""
    probe = Probe(getattr(routines(), "dealloc_plain" + suffix))
    before = sys.getallocatedblocks()
    for _ in range(200):
        address = new_object([1, 2])
        assert set(probe.free(address)) <= lost
    assert sys.getallocatedblocks() < before + 50


def new_object(item):
    """Address of an object whose only reference is ours."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(item))
    return id(item)


class Finalised:
    def __init__(self, log):
        self.log = log

    def __del__(self):
        self.log.append(len(self.log))


def test_dealloc_runs_finalisers():
    """The finaliser runs with a frame below it, and no register changes."""
    log = []
    level = level_of("thing")
    probe = Probe(routines().dealloc, level)
    for number in range(200):
        address = new_object(Finalised(log))
        changed = probe.free(address, rcx=level.descriptor)
        assert changed == {}
        assert log == list(range(number + 1))


@pytest.mark.parametrize("kind", [set, frozenset])
@pytest.mark.parametrize("suffix, lost", [("", set()), ("_no_floats", UNUSED)])
def test_dealloc_of_sets(kind, suffix, lost):
    """Keys that die with them run their finalisers, and whoever refers to them weakly is told."""
    level = level_of("thing")
    probe = Probe(getattr(routines(), "dealloc" + suffix), level)
    log, told, alive = [], [], Finalised([])
    before = sys.getallocatedblocks()
    for number in range(100):
        for keys in ([], [1, 2**70, "x" * number], range(20), range(100), [(1, number, "y" * number)], [alive], [Finalised(log)], [*range(9), frozenset([Finalised(log)])]):
            watched = kind(keys)
            reference = weakref.ref(watched, lambda _: told.append(True)) if number % 3 == 0 else None
            address = new_object(watched)
            del watched, keys
            assert set(probe.free(address, rcx=level.descriptor)) <= lost
            assert reference is None or reference() is None
    assert log == list(range(200)) and told == [True] * 34 * 8
    del log, told
    assert sys.getallocatedblocks() < before + 1000


def test_dealloc_at_return():
    log = []
    level = level_of("thing")
    probe = Probe(routines().dealloc_at_return, level)
    for number in range(200):
        address = new_object(Finalised(log))
        assert probe.free(address, rcx=level.descriptor) == {}
        assert len(log) == number + 1


def test_poll_with_nothing_to_do_changes_nothing():
    level = level_of("thing")
    probe = Probe(routines().poll, level)
    for _ in range(100):
        assert probe.run(rcx=level.descriptor) == {}


box_int, unbox_int, box_float = (Probe(getattr(routines(), name)) for name in ("box_int", "unbox_int", "box_float"))
