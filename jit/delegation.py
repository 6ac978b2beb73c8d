"""Machine code for generators that wait at a ``yield from`` another generator: the innermost is resumed at once.

Problem: an item of a generator that others hand on passes through all of them, each in an evaluation of its own: walking through a tree takes
time in proportion to its depth for each node.
Idea: find the innermost by its frame, and let all that wait for it look as if they ran: their state, the links between frames, the count
of recursion. CPython does the same when something is thrown into the innermost (_gen_throw). Where the innermost has come to its end, the
one that waits for it goes on, interpreted, which finds it exhausted; if the innermost has raised an exception or returned a value, an
iterator takes its place that raises the same.

The routine stands in the place of CPython's gen_iternext for one code object, as those of jit/resume_entry.py do. Generators that handle an
exception, and all while somebody traces, are CPython's.

Source: CPython Objects/genobject.c (gen_send_ex2, _gen_throw), Python/ceval.c (SEND).
"""

import ctypes
from functools import lru_cache
from itertools import repeat
from types import GeneratorType

from asm import (Assembler, eax, ecx, edx, mem8, mem16, mem32, mem64, r12, r12d, r13, r14, r15, rax, rbp, rbx, rcx, rdi, rdx, relative, rsi, rsp)
from jit.entries import PUSHED, EntryEmitter
from jit.loop_entry import LEAST_LEVELS
from jit.machine.arena import placed
from jit.resume_entry import EXCEPTION
from platforms.cpython import resumption, symbols
from platforms.cpython.delegation import chained
from platforms.cpython.layout import layout

L = layout()
#: Generators that are passed over at most: the next ones are resumed by the interpreter.
MOST_LEVELS = 64
#: The block at [rsp]: those passed over, how many variables and operands each has, then an exception as CPython keeps it. Its size aligns the stack.
_COUNTS, _FETCHED = 8 * MOST_LEVELS, 16 * MOST_LEVELS
_BLOCK = _FETCHED + 24
_FRAME, _STATE = L.generator_frame, L.generator_state
#: From a generator and the number of its variables and operands to the last of these.
_TOP = _FRAME + L.frame_localsplus - 8
#: METH_O.
_TAKES_ONE = 8
_NAME = ctypes.create_string_buffer(b"raise_later")
_AGAIN = repeat(None)
_kept = []


@lru_cache(None)
def routine():
    """The address of the routine; None where chains are not understood."""
    if chained() is None or not resumption.lead():
        return None
    asm = Assembler(comments=False)
    DelegationEmitter(asm, chained()).emit()
    return placed(asm, "jit::yield from")


class DelegationEmitter(EntryEmitter):
    """Emits it. rbx = the generator at hand, r12 = how many wait for it, r13 = CPython's C frame, r14 = the frame that asks, r15 = thread state."""

    def __init__(self, asm, look):
        self.asm = asm
        self.look = look
        self.original = asm.label("original")
        self.miss = self.original

    def emit(self):
        asm = self.asm
        low, go_on, out = (asm.label(name) for name in ("low", "go_on", "out"))
        for register in PUSHED:
            asm.push(register)
        asm.sub(rsp, _BLOCK)
        asm.mov(rbx, rdi)
        self.emit_thread_state()
        self.emit_tracing_check()
        self.emit_walk()
        asm.test(r12d, r12d)
        asm.jz(self.original)
        asm.mov(eax, mem32(r15, L.thread_recursion_remaining))
        asm.sub(eax, r12d)
        asm.cmp(eax, LEAST_LEVELS)
        asm.jl(low)
        asm.mov(mem32(r15, L.thread_recursion_remaining), eax)
        self.emit_link()
        asm.bind(go_on)
        asm.mov(rdi, rbx)
        asm.call(self.constant(resumption.slot()))
        asm.test(r12d, r12d)
        asm.jz(out)
        asm.test(rax, rax)
        asm.jnz(out)
        self.emit_pop()
        asm.call(self.symbol("PyErr_Occurred"))
        asm.test(rax, rax)
        asm.jz(go_on)
        self.emit_raise_later()
        asm.test(rax, rax)
        asm.jnz(go_on)
        asm.bind(out)
        asm.mov(rbp, rax)
        self.emit_unlink()
        asm.mov(rax, rbp)
        asm.add(rsp, _BLOCK)
        for register in reversed(PUSHED):
            asm.pop(register)
        asm.ret()
        asm.bind(low)
        asm.mov(rbx, mem64(rsp, 0))
        asm.bind(self.original)
        asm.mov(rdi, rbx)
        asm.add(rsp, _BLOCK)
        for register in reversed(PUSHED):
            asm.pop(register)
        asm.jmp(self.constant(resumption.original()))

    def emit_walk(self):
        """rbx = the innermost generator, r12 = how many wait for it; these are in the block, the outermost first."""
        asm = self.asm
        again, unhandled, waits, found = (asm.label(name) for name in ("again", "unhandled", "waits", "found"))
        suspended = L.generator_suspended & 0xFF
        asm.xor(r12d, r12d)
        asm.cmp(mem8(rbx, _STATE), suspended)
        asm.jne(found)
        asm.bind(again)
        asm.mov(rax, mem64(rbx, EXCEPTION))
        asm.test(rax, rax)
        asm.jz(unhandled)
        asm.cmp(rax, self.constant(id(None)))
        asm.jne(found)
        asm.bind(unhandled)
        asm.mov(rcx, mem64(rbx, _FRAME + L.frame_instruction))
        asm.movzx(eax, mem16(rcx, self.look.FOLLOWING))
        for word in self.look.resumes:
            asm.cmp(eax, word)
            asm.je(waits)
        asm.jmp(found)
        asm.bind(waits)
        asm.cmp(mem8(rcx, -self.look.BEFORE), self.look.send)
        asm.jne(found)
        asm.movsxd(rax, mem32(rbx, _FRAME + L.frame_stacktop))
        asm.mov(rdx, mem64(rbx, _TOP, rax, 8))
        asm.mov(rax, self.constant(id(GeneratorType)))
        asm.cmp(mem64(rdx, L.ob_type), rax)
        asm.jne(found)
        asm.cmp(mem8(rdx, _STATE), suspended)
        asm.jne(found)
        asm.cmp(r12d, MOST_LEVELS)
        asm.jae(found)
        asm.mov(mem64(rsp, 0, r12, 8), rbx)
        asm.add(r12d, 1)
        asm.mov(rbx, rdx)
        asm.jmp(again)
        asm.bind(found)

    def emit_link(self):
        """Let all that wait look as if they ran."""
        asm, again = self.asm, self.asm.label("link")
        asm.mov(r13, mem64(r15, L.thread_cframe))
        asm.mov(r14, mem64(r13, L.cframe_current_frame))
        asm.mov(rdx, r14)
        asm.xor(ecx, ecx)
        asm.bind(again)
        asm.mov(rsi, mem64(rsp, 0, rcx, 8))
        asm.mov(mem8(rsi, _STATE), resumption.EXECUTING)
        asm.mov(mem64(rsi, _FRAME + L.frame_previous), rdx)
        asm.sub(mem64(rsi, _FRAME + L.frame_instruction), self.look.BEFORE)
        asm.mov(eax, mem32(rsi, _FRAME + L.frame_stacktop))
        asm.mov(mem64(rsp, _COUNTS, rcx, 8), rax)
        asm.mov(mem32(rsi, _FRAME + L.frame_stacktop), -1)
        asm.lea(rdx, mem64(rsi, _FRAME))
        asm.add(ecx, 1)
        asm.cmp(ecx, r12d)
        asm.jb(again)
        asm.mov(mem64(r13, L.cframe_current_frame), rdx)

    def emit_waiting(self, register):
        """The generator in `register`, number r12, waits again; rax is lost."""
        asm = self.asm
        asm.mov(mem8(register, _STATE), L.generator_suspended & 0xFF)
        asm.mov(mem64(register, _FRAME + L.frame_previous), 0)
        asm.add(mem64(register, _FRAME + L.frame_instruction), self.look.BEFORE)
        asm.mov(rax, mem64(rsp, _COUNTS, r12, 8))
        asm.mov(mem32(register, _FRAME + L.frame_stacktop), eax)

    def emit_pop(self):
        """rbx = the one that has waited for the innermost. It waits again, and becomes the innermost."""
        asm = self.asm
        asm.sub(r12d, 1)
        asm.mov(rbx, mem64(rsp, 0, r12, 8))
        asm.mov(rax, mem64(rbx, _FRAME + L.frame_previous))
        asm.mov(mem64(r13, L.cframe_current_frame), rax)
        self.emit_waiting(rbx)
        asm.add(mem32(r15, L.thread_recursion_remaining), 1)

    def emit_unlink(self):
        """All that still look as if they ran wait again."""
        asm, again, done = self.asm, self.asm.label("unlink"), self.asm.label("unlinked")
        asm.mov(mem64(r13, L.cframe_current_frame), r14)
        asm.add(mem32(r15, L.thread_recursion_remaining), r12d)
        asm.bind(again)
        asm.sub(r12d, 1)
        asm.js(done)
        asm.mov(rsi, mem64(rsp, 0, r12, 8))
        self.emit_waiting(rsi)
        asm.jmp(again)
        asm.bind(done)

    def emit_raise_later(self):
        """Let the generator rbx find an iterator on its stack that raises the exception which is set; rax = 0 if there is no memory for one.

        Nothing else refers to the exception from there on.
        """
        asm = self.asm
        bare, done, failed = asm.label("no_traceback"), asm.label("replaced"), asm.label("no_memory")
        fetched = [(register, mem64(rsp, _FETCHED + 8 * number)) for number, register in enumerate((rdi, rsi, rdx))]
        for name in ("PyErr_Fetch", "PyErr_NormalizeException"):
            for register, where in fetched:
                asm.lea(register, where)
            asm.call(self.symbol(name))
        kind, value, traceback = (where for _, where in fetched)
        asm.mov(rsi, traceback)
        asm.test(rsi, rsi)
        asm.jz(bare)
        asm.mov(rdi, value)
        asm.call(self.symbol("PyException_SetTraceback"))
        asm.mov(rdi, traceback)
        asm.call(self.symbol("Py_DecRef"))
        asm.bind(bare)
        asm.mov(rdi, kind)
        asm.call(self.symbol("Py_DecRef"))
        asm.mov(rdi, 2)
        asm.call(self.symbol("PyList_New"))
        asm.test(rax, rax)
        asm.jz(failed)
        asm.mov(rcx, mem64(rax, L.list_items))
        asm.mov(rdx, value)
        asm.mov(mem64(rcx, 8), rdx)
        asm.mov(value, rax)
        asm.mov(rdi, self.constant(raiser()))
        asm.mov(rsi, rax)
        asm.xor(edx, edx)
        asm.call(self.symbol("PyCFunction_NewEx"))
        asm.test(rax, rax)
        asm.jz(failed)
        asm.mov(kind, rax)
        asm.mov(rdi, self.constant(id(map)))
        asm.mov(rsi, rax)
        asm.mov(rdx, self.constant(id(_AGAIN)))
        asm.xor(ecx, ecx)
        asm.xor(eax, eax)
        asm.call(self.symbol("PyObject_CallFunctionObjArgs"))
        asm.mov(rbp, rax)
        asm.mov(rdi, kind)
        asm.call(self.symbol("Py_DecRef"))
        asm.test(rbp, rbp)
        asm.jz(failed)
        # The generator that has ended goes into the list: it dies where the operand does.
        asm.movsxd(rax, mem32(rbx, _FRAME + L.frame_stacktop))
        asm.mov(rdx, mem64(rbx, _TOP, rax, 8))
        asm.mov(mem64(rbx, _TOP, rax, 8), rbp)
        asm.mov(rdi, value)
        asm.mov(rcx, mem64(rdi, L.list_items))
        asm.mov(mem64(rcx, 0), rdx)
        asm.call(self.symbol("Py_DecRef"))
        asm.mov(rax, rbp)
        asm.bind(done)
        with asm.cold():
            asm.bind(failed)
            asm.mov(rdi, value)
            asm.call(self.symbol("Py_DecRef"))
            asm.xor(eax, eax)
            asm.jmp(done)

    def symbol(self, name):
        return self.constant(symbols.address(name))


@lru_cache(None)
def raiser():
    """The address of the PyMethodDef of a C function that raises the exception at the end of the list it is bound to, and takes it out."""
    asm = Assembler(comments=False)
    empty = asm.label("empty")

    def call(name):
        asm.call(relative(asm.constant(symbols.address(name))))

    asm.push(rbx)
    asm.xor(eax, eax)
    asm.cmp(mem64(rdi, L.list_size), 2)
    asm.jne(empty)
    asm.mov(rbx, mem64(rdi, L.list_items))
    asm.mov(rbx, mem64(rbx, 8))
    asm.mov(mem64(rdi, L.list_size), 1)
    asm.mov(rdi, mem64(rbx, L.ob_type))
    call("Py_IncRef")
    asm.mov(rdi, rbx)
    call("PyException_GetTraceback")
    asm.mov(rdi, mem64(rbx, L.ob_type))
    asm.mov(rsi, rbx)
    asm.mov(rdx, rax)
    call("PyErr_Restore")
    asm.xor(eax, eax)
    asm.pop(rbx)
    asm.ret()
    asm.bind(empty)
    asm.mov(rax, relative(asm.constant(symbols.address("PyExc_StopIteration"))))
    asm.mov(rdi, mem64(rax, 0))
    call("PyErr_SetNone")
    asm.xor(eax, eax)
    asm.pop(rbx)
    asm.ret()
    address = placed(asm, "jit::raise later")
    definition = (ctypes.c_uint64 * 4)(ctypes.addressof(_NAME), address, _TAKES_ONE, 0)
    _kept.append(definition)
    return ctypes.addressof(definition)
