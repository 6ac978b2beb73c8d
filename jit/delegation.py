"""Machine code for generators that wait at a ``yield from`` another generator: the innermost is resumed at once.

Problem: an item of a generator that others hand on passes through all of them, each in an evaluation of its own: walking through a tree takes
time in proportion to its depth for each node.
Idea: find the innermost by its frame, and let all that wait for it look as if they ran: their state, the links between frames, the count
of recursion. It is what CPython does itself when something is thrown into the innermost (_gen_throw). Where the innermost has come to its end, the
one that waits for it goes on, interpreted, which finds it exhausted; what the innermost has raised or returned is thrown into it, which
does with it what it does where it asks for the next item.

The routine stands in the place of CPython's gen_iternext for one code object, as those of jit/resume_entry.py do. Generators that handle an
exception, and all while somebody traces, are CPython's.

Source: CPython Objects/genobject.c (gen_send_ex2, _gen_throw), Python/ceval.c (SEND).
"""

from functools import lru_cache
from types import GeneratorType

from asm import (Assembler, eax, ecx, mem8, mem16, mem32, mem64, r12, r12d, r13, r14, r15, rax, rbp, rbx, rcx, rdi, rdx, rsi, rsp)
from jit import perfmap
from jit.entries import PUSHED, EntryEmitter
from jit.loop_entry import LEAST_LEVELS
from jit.machine import arena
from jit.resume_entry import EXCEPTION
from platforms.cpython import resumption, symbols
from platforms.cpython.delegation import chained
from platforms.cpython.layout import layout

L = layout()
#: Generators that are passed over at most: the next ones are resumed by the interpreter.
MOST_LEVELS = 64
#: The block at [rsp]: those passed over, then an exception as CPython keeps it. Its size aligns the stack.
_FETCHED = 8 * MOST_LEVELS
_BLOCK = _FETCHED + 24
_FRAME, _STATE = L.generator_frame, L.generator_state
_THROW = "throw"


@lru_cache(None)
def routine():
    """The address of the routine; None where chains are not understood."""
    if chained() is None or not resumption.lead():
        return None
    asm = Assembler(comments=False)
    DelegationEmitter(asm, chained()).emit()
    block = arena().allocate_code(asm.size_bound())
    text = asm.finish(block)
    arena().write_code(block, text)
    perfmap.note(block, len(text), "jit::yield from")
    return block


class DelegationEmitter(EntryEmitter):
    """Emits it. rbx = the generator at hand, r12 = how many wait for it, r13 = CPython's C frame, r14 = the frame that asks, r15 = thread state."""

    def __init__(self, asm, look):
        self.asm = asm
        self.look = look
        self.original = asm.label("original")
        self.miss = self.original

    def emit(self):
        asm = self.asm
        low, go_on, ended, raised, out = (asm.label(name) for name in ("low", "go_on", "ended", "raised", "out"))
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
        asm.bind(ended)
        asm.test(r12d, r12d)
        asm.jz(out)
        asm.test(rax, rax)
        asm.jnz(out)
        self.emit_pop()
        asm.call(self.constant(symbols.address("PyErr_Occurred")))
        asm.test(rax, rax)
        asm.jz(go_on)
        asm.bind(raised)
        self.emit_throw()
        asm.jmp(ended)
        asm.bind(out)
        self.emit_unlink()
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
        asm.mov(rdx, mem64(rbx, _FRAME + L.frame_localsplus - 8, rax, 8))
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
        asm.lea(rdx, mem64(rsi, _FRAME))
        asm.add(ecx, 1)
        asm.cmp(ecx, r12d)
        asm.jb(again)
        asm.mov(mem64(r13, L.cframe_current_frame), rdx)

    def emit_waiting(self, register):
        """The generator in `register` waits again."""
        asm = self.asm
        asm.mov(mem8(register, _STATE), L.generator_suspended & 0xFF)
        asm.mov(mem64(register, _FRAME + L.frame_previous), 0)
        asm.add(mem64(register, _FRAME + L.frame_instruction), self.look.BEFORE)

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

    def emit_throw(self):
        """rax = what comes of throwing the exception that is set into the generator rbx, as where the one it waits for has raised it."""
        asm = self.asm
        bare = asm.label("no_traceback")
        places = [(register, mem64(rsp, _FETCHED + 8 * number)) for number, register in enumerate((rdi, rsi, rdx))]
        for name in ("PyErr_Fetch", "PyErr_NormalizeException"):
            for register, place in places:
                asm.lea(register, place)
            asm.call(self.constant(symbols.address(name)))
        kind, value, traceback = (place for _, place in places)
        asm.mov(rsi, traceback)
        asm.test(rsi, rsi)
        asm.jz(bare)
        asm.mov(rdi, value)
        asm.call(self.constant(symbols.address("PyException_SetTraceback")))
        asm.bind(bare)
        asm.mov(rdi, rbx)
        asm.mov(rsi, self.constant(id(_THROW)))
        asm.mov(rdx, value)
        asm.xor(ecx, ecx)
        asm.xor(eax, eax)
        asm.call(self.constant(symbols.address("PyObject_CallMethodObjArgs")))
        asm.mov(rbp, rax)
        for place in (kind, value, traceback):
            freed = asm.label("dropped")
            asm.mov(rdi, place)
            asm.test(rdi, rdi)
            asm.jz(freed)
            asm.call(self.constant(symbols.address("Py_DecRef")))
            asm.bind(freed)
        asm.mov(rax, rbp)
