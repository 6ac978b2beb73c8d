"""Who looks at the locals of a compiled function while it calls out: they are put into its frame first.

Problem: what a frame shows is seldom looked at, and putting all locals into it around every call is most of what a call costs.
Idea: a *sketched* frame has everything but its locals (jit/machine/building.py). Python code reaches these only through the getter of
``frame.f_locals``, or by the builtins that read their caller's locals. These are led through machine code that fills the frame
before they go on: the getter by its descriptor, the builtins by their method definitions. They stay the same objects.
Source: CPython Objects/frameobject.c (frame_getlocals), Objects/descrobject.c, Objects/methodobject.c.
"""

import ctypes
from functools import lru_cache
from types import FrameType

from asm import (edx, mem32, mem64, r8, r12, r13, r14, r15, rax, rbp, rbx, rcx, rdi, rdx, rsi)
from jit.machine.building import SKETCHED
from jit.machine.frames import emit_current_frame
from platforms.cpython.layout import layout

L = layout()
#: Builtins that read the locals of whoever calls them.
READERS = (locals, eval, exec, vars, dir)
_SAVED = (rbx, rbp, r12, r13, r14, r15)
_ARGUMENTS = (rdi, rsi, rdx, rcx, r8)


class LookerRoutines:
    """Emits the machine code; `labels` are by name."""

    def __init__(self, asm, frames):
        self.asm = asm
        self.frames = frames
        self.labels = {"f_locals": asm.label("f_locals"), **{reader.__name__: asm.label(reader.__name__) for reader in READERS}}

    def emit(self):
        self.emit_getter()
        for reader in READERS:
            self.emit_reader(reader)

    def emit_getter(self):
        """rdi = frame object, rsi = closure: as a getter is called."""
        asm = self.asm
        asm.align(16)
        asm.bind(self.labels["f_locals"])
        asm.mov(rax, mem64(rdi, L.frame_object_frame))
        self.emit_filled(_getter().original)

    def emit_reader(self, reader):
        """Called as the method definition says; the frame is the current one."""
        asm = self.asm
        no_frame = asm.label("no_frame")
        asm.align(16)
        asm.bind(self.labels[reader.__name__])
        for register in _ARGUMENTS:
            asm.push(register)
        self.frames.call("PyThreadState_Get")
        for register in reversed(_ARGUMENTS):
            asm.pop(register)
        emit_current_frame(asm, rax, rax)
        asm.test(rax, rax)
        asm.jz(no_frame)
        self.emit_filled(definition(reader).original, no_frame)

    def emit_filled(self, original, no_frame=None):
        """Fill frame rax if it is sketched, and go on at the address `original` with the arguments as they are."""
        asm = self.asm
        sketched, failed = asm.label("sketched"), asm.label("no_memory")
        asm.cmp(mem32(rax, L.frame_stacktop), SKETCHED)
        asm.je(sketched)
        if no_frame is not None:
            asm.bind(no_frame)
        asm.jmp(self.frames.pointer(original))
        asm.bind(sketched)
        for register in (*_ARGUMENTS, *_SAVED):
            asm.push(register)
        asm.mov(r12, rax)
        self.frames.emit_fill_sketch()
        asm.mov(edx, rax.r32)
        asm.mov(rax, rdx)
        for register in reversed((*_ARGUMENTS, *_SAVED)):
            asm.pop(register)
        asm.test(rax, rax)
        asm.jnz(failed)
        asm.jmp(self.frames.pointer(original))
        asm.bind(failed)
        asm.xor(rax.r32, rax.r32)
        asm.ret()

    def install(self, addresses):
        """Lead the getter and the builtins to the code at {name: address}, for as long as the process lives."""
        _getter().lead(addresses["f_locals"])
        for reader in READERS:
            definition(reader).lead(addresses[reader.__name__])


class _Redirected:
    """A C struct that an object points to, one of whose fields is the address of a function.

    Attributes: original: the address in it.
    """

    def __init__(self, owner, pointer, size, field):
        self.place = ctypes.c_uint64.from_address(id(owner) + pointer)
        self.copy = ctypes.create_string_buffer(ctypes.string_at(self.place.value, size), size)
        self.field = ctypes.c_uint64.from_buffer(self.copy, field)
        self.original = self.field.value

    def lead(self, address):
        """Let the object point to a copy of the struct that leads to `address`."""
        self.field.value = address
        self.place.value = ctypes.addressof(self.copy)


@lru_cache(None)
def _getter():
    return _Redirected(FrameType.__dict__["f_locals"], L.getset_definition, 40, L.getset_definition_get)


@lru_cache(None)
def definition(builtin):
    """The method definition of a builtin function."""
    return _Redirected(builtin, L.cfunction_m_ml, 32, L.method_def_meth)
