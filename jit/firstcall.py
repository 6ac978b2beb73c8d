"""What decorated functions enter before their first call: one piece of code for all, so that decorating costs next to nothing.

It shows the compiler the function and the call's arguments, so that the function gets an entry wrapper of its own and a version
that fits, and goes on there. A traced call is made by CPython, as in every wrapper (jit/entries.py).
"""

from asm import Assembler, ecx, mem64, r8, r14, r15, rax, rbp, rcx, rdi, rdx, rsi, rsp
from jit import perfmap
from jit.entries import Entry, EntryEmitter
from jit.machine import arena
from jit.machine.refcounts import emit_decref
from jit.machine.stack import emit_stack_budget
from platforms.cpython import entry, undisturbed
from platforms.cpython.layout import layout

L = layout()
#: What a vectorcall is made with, and what the code below uses of the caller's.
PUSHED = (rbp, rdi, rsi, rdx, rcx, r15, r14)
#: Calls with more arguments, or with keywords, show the compiler the function only.
SHOWN_ARGUMENTS = 16


def build(prepare):
    """The shared entry.

    Args:
        prepare: called with the function and its positional arguments (or none); True: it has another entry now, False:
            interpret this call.

    Returns:
        Entry.
    """
    asm = Assembler(comments=False)
    FirstCallEmitter(asm, prepare).emit()
    block = arena().allocate_code(asm.size_bound())
    text = asm.finish(block)
    arena().write_code(block, text)
    perfmap.note(block, len(text), "jit::first call")
    return Entry(block, [], [prepare])


class FirstCallEmitter(EntryEmitter):
    """Emits it; rdi = function, rsi = arguments, rdx = nargsf, rcx = keyword names, as PEP 590 has them."""

    def __init__(self, asm, prepare):
        self.asm = asm
        self.prepare = prepare
        self.original = asm.label("original")
        self.miss = asm.label("prepare")

    def emit(self):
        asm = self.asm
        answered, failed = asm.label("answered"), asm.label("failed")
        for register in PUSHED:
            asm.push(register)
        self.emit_thread_state()
        self.emit_tracing_check()
        asm.bind(self.miss)
        self.emit_stack_check(failed)
        asm.mov(rbp, rsp)
        self.emit_arguments()
        asm.mov(rdi, self.constant(id(self.prepare)))
        asm.mov(rsi, rsp)
        asm.lea(rdx, mem64(rax, 1))
        asm.xor(ecx, ecx)
        asm.call(self.constant(undisturbed.vectorcall()))
        asm.mov(rsp, rbp)
        asm.test(rax, rax)
        asm.jz(failed)
        asm.mov(r15, rax)
        emit_decref(asm, rax, answered)
        asm.bind(answered)
        asm.cmp(r15, self.constant(id(True)))
        asm.jne(self.original)
        self.emit_pop()
        asm.jmp(mem64(rdi, L.function_vectorcall))
        asm.bind(self.original)
        self.emit_pop()
        asm.jmp(self.constant(entry.original_vectorcall()))
        asm.bind(failed)
        self.emit_pop()
        asm.xor(rax.r32, rax.r32)
        asm.ret()

    def emit_stack_check(self, failed):
        """RecursionError where there is too little stack to compile, as in every wrapper."""
        asm = self.asm
        low, enough = asm.label("low"), asm.label("enough")
        asm.sub(rsp, 16)
        emit_stack_budget(asm, low)
        asm.add(rsp, 16)
        for place, register in enumerate(reversed(PUSHED)):
            if register in (rdi, rsi, rdx, rcx):
                asm.mov(register, mem64(rsp, 8 * place))
        asm.jmp(enough)
        asm.bind(low)
        asm.add(rsp, 16)
        asm.jmp(failed)
        asm.bind(enough)

    def emit_arguments(self):
        """Put function and arguments at rsp, aligned; rax = number of the latter."""
        asm = self.asm
        counted, loop, done = asm.label("counted"), asm.label("argument"), asm.label("arguments_done")
        asm.xor(rax.r32, rax.r32)
        asm.test(rcx, rcx)
        asm.jnz(counted)
        asm.lea(rcx, mem64(rdx, 0, rdx, 1))
        asm.shr(rcx, 1)  # without PY_VECTORCALL_ARGUMENTS_OFFSET
        asm.cmp(rcx, SHOWN_ARGUMENTS)
        asm.ja(counted)
        asm.mov(rax, rcx)
        asm.bind(counted)
        asm.lea(rcx, mem64(rax, 2))
        asm.and_(rcx, -2)
        asm.shl(rcx, 3)
        asm.sub(rsp, rcx)
        asm.and_(rsp, -16)
        asm.mov(mem64(rsp, 0), rdi)
        asm.mov(rcx, rax)
        asm.bind(loop)
        asm.sub(rcx, 1)
        asm.jc(done)
        asm.mov(r8, mem64(rsi, 0, rcx, 8))
        asm.mov(mem64(rsp, 8, rcx, 8), r8)
        asm.jmp(loop)
        asm.bind(done)

    def emit_pop(self):
        for register in reversed(PUSHED):
            self.asm.pop(register)
