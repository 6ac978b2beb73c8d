"""What decorated functions enter before their first call: one piece of code for all, so that decorating costs next to nothing.

It asks the compiler to give the function an entry wrapper of its own, and goes on there. A traced call is made by CPython,
as in every wrapper (jit/entries.py).
"""

from asm import Assembler, ecx, edx, mem64, r15, rax, rcx, rdi, rdx, rsi, rsp
from jit import perfmap
from jit.entries import Entry, EntryEmitter
from jit.machine import arena
from jit.machine.refcounts import emit_decref
from platforms.cpython import entry, symbols
from platforms.cpython.layout import layout

L = layout()
#: What a vectorcall is made with, and the thread state's register; an odd number keeps the stack aligned.
PUSHED = (rdi, rsi, rdx, rcx, r15)


def build(prepare):
    """The shared entry.

    Args:
        prepare: called with the function; True: it has another entry now, False: interpret this call.

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
        asm.mov(rdi, self.constant(id(self.prepare)))
        asm.lea(rsi, mem64(rsp, 8 * (len(PUSHED) - 1)))  # the function, as it was pushed first
        asm.mov(edx, 1)
        asm.xor(ecx, ecx)
        asm.call(self.constant(symbols.address("PyObject_Vectorcall")))
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

    def emit_pop(self):
        for register in reversed(PUSHED):
            self.asm.pop(register)
