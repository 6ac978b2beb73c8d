"""Checks of the layout of functions, code objects and frames.

A check yields (field, found, expected); see verify.py.
"""

import ctypes
import sys
from types import FunctionType

from platforms.cpython import symbols
from platforms.cpython.observe import keep, read, read_signed

_THREAD, _GENERATOR, _FRAME_OBJECT = range(3)  # frame owners


def checks(fields, peeker):
    """All checks of this module."""
    for check in (_functions, _code, _running_frame, _namespace_frame, _entry_frame, _suspended_frame, _finished_frame):
        yield from check(fields, peeker)


def _sample(closed_over):
    def function(first, second=sys, *, keyword=closed_over):
        """A function with everything a function can have."""
        return closed_over, first, len, second, keyword

    return function


def _functions(fields, _):
    function = _sample([])
    for attribute in ("globals", "builtins", "name", "qualname", "code", "defaults", "kwdefaults", "closure"):
        name = f"function_{attribute}"
        yield name, read(id(function) + getattr(fields, name)), id(getattr(function, f"__{attribute}__"))
    for attribute in ("doc", "dict", "module", "annotations", *(("type_params",) if fields.function_type_params else ())):
        name = f"function_{attribute}"
        setattr(function, f"__{attribute}__", {"doc": "text", "module": "name", "type_params": (int,)}.get(attribute, {"first": int}))
        yield name, read(id(function) + getattr(fields, name)), id(getattr(function, f"__{attribute}__"))
    vectorcall = read(id(function) + fields.function_vectorcall)
    known = symbols.optional("_PyFunction_Vectorcall")  # not exported by 3.13
    yield "function_vectorcall", vectorcall, known or read(id(_sample) + fields.function_vectorcall)
    yield "function_vectorcall", vectorcall != 0, True
    # The version is read back from a function nobody has called: assigning the defaults clears it.
    version = ctypes.c_uint32.from_address(id(function) + fields.function_version)
    inside = fields.function_vectorcall + 8 <= fields.function_version <= FunctionType.__basicsize__ - 4
    yield "function_version", inside, True
    version.value = 0x7FFFFFFF
    function.__defaults__ = ()
    yield "function_version", version.value, 0


def _code_units(code) -> bytes:
    """The opcodes of the original instructions and their cache entries."""
    return code.co_code[::2]


# The first instruction of a function without cells is RESUME in all versions.
_RESUME = (lambda: None).__code__.co_code[0]


def _code(fields, _):
    def generator(first, *, second):
        yield lambda: (first, generator)

    keep(generator)

    for code in (_sample.__code__, _sample([]).__code__, generator.__code__):
        address = id(code)
        for name in ("flags", "argcount", "kwonlyargcount", "stacksize"):
            yield f"code_{name}", read(address + getattr(fields, f"code_{name}"), 4), getattr(code, f"co_{name}")
        yield "code_consts", read(address + fields.code_consts), id(code.co_consts)
        yield "code_names", read(address + fields.code_names), id(code.co_names)
        slots = len({*code.co_varnames, *code.co_cellvars, *code.co_freevars})
        yield "code_nlocalsplus", read(address + fields.code_nlocalsplus, 4), slots
        if fields.code_framesize is not None:
            size = slots + code.co_stacksize + fields.frame_specials_slots
            yield "code_framesize", read(address + fields.code_framesize, 4), size
        traceable = _code_units(code).index(_RESUME)
        yield "code_first_traceable", read(address + fields.code_first_traceable, 4), traceable
        size = len(code.co_code)
        yield "code_adaptive", ctypes.string_at(address + fields.code_adaptive, size), code._co_code_adaptive
    yield "frame_specials_slots", fields.frame_specials_slots * 8, fields.frame_localsplus


class _Snapshot:
    """The bytes of an interpreter frame, and what its frame object says at the same time."""

    def __init__(self, fields, peeker, frame):
        self.fields = fields
        self.address = read(id(frame) + fields.frame_object_frame)
        self.data = peeker.copy(self.address, fields.frame_localsplus + 24) or bytes(256)
        self.offset = frame.f_lasti

    def field(self, name, size=8, signed=False):
        start = getattr(self.fields, name)
        return int.from_bytes(self.data[start : start + size], "little", signed=signed)

    def local(self, index):
        start = self.fields.frame_localsplus + 8 * index
        return int.from_bytes(self.data[start : start + 8], "little")

    def instruction_offset(self, code):
        """The instruction pointer as a byte offset in the code."""
        return self.field("frame_instruction") - id(code) - self.fields.code_adaptive


def _observe(fields, peeker, first):
    second = object()
    frame = sys._getframe()
    inner = _Snapshot(fields, peeker, frame)
    outer = _Snapshot(fields, peeker, frame.f_back)
    return frame, inner, outer, second


def _running_frame(fields, peeker):
    marker = object()
    frame, inner, outer, second = _observe(fields, peeker, marker)
    yield "frame_object_frame", frame.f_code, _observe.__code__
    yield "frame_function", inner.field("frame_function"), id(_observe)
    yield "frame_code", inner.field("frame_code"), id(_observe.__code__)
    yield "frame_globals", inner.field("frame_globals"), id(globals())
    yield "frame_builtins", inner.field("frame_builtins"), id(_observe.__builtins__)
    yield "frame_locals", inner.field("frame_locals"), 0
    yield "frame_object", inner.field("frame_object"), id(frame)
    yield "frame_previous", inner.field("frame_previous"), outer.address
    yield "frame_instruction", inner.instruction_offset(_observe.__code__), inner.offset
    yield "frame_instruction", outer.instruction_offset(_running_frame.__code__), outer.offset
    yield "frame_owner", inner.field("frame_owner", 1), _THREAD
    yield "frame_localsplus", inner.local(2), id(marker)
    frame.clear()  # it holds itself,
    del frame  # and knows this frame


def _namespace_frame(fields, peeker):
    class Body:
        snapshot = _Snapshot(fields, peeker, sys._getframe())
        namespace = id(locals())

    keep(Body)
    yield "frame_locals", Body.snapshot.field("frame_locals"), Body.namespace


def _entry_frame(fields, peeker):
    def called(_):
        return _Snapshot(fields, peeker, sys._getframe())

    def delegated():
        yield _Snapshot(fields, peeker, sys._getframe().f_back)

    def delegating():
        yield from delegated()

    if fields.frame_return_offset is not None:
        # Code units from SEND to where it goes on once the other generator has returned:
        # its argument; 3.13 counts the instruction and its cache too.
        expected = 3 if fields.instruction_resume_bias else 5
        yield "frame_return_offset", next(delegating()).field("frame_return_offset", 2), expected
    if fields.frame_is_entry is not None:
        yield "frame_is_entry", next(map(called, (None,))).field("frame_is_entry", 1), 1
        yield "frame_is_entry", called(None).field("frame_is_entry", 1), 0


def _suspended_frame(fields, peeker):
    def suspended(values):
        for value in values:
            yield value

    values = [1, 2]
    generator = suspended(values)
    next(generator)
    snapshot = _Snapshot(fields, peeker, generator.gi_frame)
    code = suspended.__code__
    yield "frame_owner", snapshot.field("frame_owner", 1), _GENERATOR
    yield "generator_frame", id(generator) + fields.generator_frame, snapshot.address
    yield "generator_frame", fields.generator_frame + fields.frame_localsplus, type(generator).__basicsize__
    yield "generator_suspended", read_signed(id(generator) + fields.generator_state, 1), fields.generator_suspended
    states = [read_signed(id(each) + fields.generator_state, 1) for each in (suspended(values), generator, _ended(suspended(())))]
    yield "generator_state", states, [fields.generator_suspended - 1, fields.generator_suspended, 4]
    yield "frame_localsplus", snapshot.local(0), id(values)
    yield "frame_stacktop", snapshot.field("frame_stacktop", 4, signed=True), 3  # two locals, the list's iterator
    units = _code_units(code)
    after_yield = 2 * units.index(_RESUME, units.index(_RESUME) + 1)
    found = snapshot.instruction_offset(code) - fields.instruction_resume_bias
    yield "instruction_resume_bias", found, after_yield


def _ended(generator):
    list(generator)
    return generator


def _finished_frame(fields, peeker):
    def finished():
        return sys._getframe()

    frame = finished()
    inside = id(frame) + fields.frame_object_data
    yield "frame_object_data", read(id(frame) + fields.frame_object_frame), inside
    yield "frame_owner", read(inside + fields.frame_owner, 1), _FRAME_OBJECT
    yield "frame_object_back", read(id(frame) + fields.frame_object_back), id(sys._getframe())
    frame.f_trace = finished
    yield "frame_object_trace", read(id(frame) + fields.frame_object_trace), id(finished)
    yield "frame_stacktop", read_signed(inside + fields.frame_stacktop, 4) >= 0, True
    del frame  # it knows this frame
