"""Machine code that makes strings of numbers.

    text_of_int   rdi = int64 -> rax = new str or NULL

It obeys the C calling convention. Source: CPython Objects/longobject.c (long_to_decimal_string_internal): a new string each time.
"""

from asm import cl, ecx, mem8, mem64, r8, rax, rcx, rdi, rdx, relative, rsi, rsp
from platforms.cpython import symbols
from platforms.cpython.layout import layout

L = layout()
NAMES = ("text_of_int",)
#: n * this >> 67 is n // 10, for any n of 64 bits.
_TENTH = 0xCCCCCCCCCCCCCCCD
_LARGEST_CHARACTER = 127
#: Where the digits end on the stack; there are 20 at most, with the sign.
_END = 32


def emit(asm):
    """Emit the routine; returns its label by name."""
    labels = {"text_of_int": asm.label("text_of_int")}
    asm.align(16)
    asm.comment("text_of_int")
    asm.bind(labels["text_of_int"])
    _emit_digits(asm)
    _emit_text(asm)
    return labels


def _emit_digits(asm):
    """rsi = address of the first character."""
    again, positive, unsigned = asm.label("digit"), asm.label("positive"), asm.label("unsigned")
    asm.sub(rsp, 40)
    asm.lea(rsi, mem64(rsp, _END))
    asm.mov(rax, rdi)
    asm.test(rax, rax)
    asm.jns(positive)
    asm.neg(rax)
    asm.bind(positive)
    asm.mov(r8, relative(asm.constant(_TENTH)))
    asm.bind(again)
    asm.mov(rcx, rax)
    asm.mul(r8)
    asm.shr(rdx, 3)
    asm.lea(rax, mem64(rdx, 0, rdx, 4))
    asm.add(rax, rax)
    asm.sub(rcx, rax)
    asm.add(ecx, ord("0"))
    asm.sub(rsi, 1)
    asm.mov(mem8(rsi, 0), cl)
    asm.mov(rax, rdx)
    asm.test(rax, rax)
    asm.jnz(again)
    asm.test(rdi, rdi)
    asm.jns(unsigned)
    asm.sub(rsi, 1)
    asm.mov(mem8(rsi, 0), ord("-"))
    asm.bind(unsigned)


def _emit_text(asm):
    again, done = asm.label("character"), asm.label("done")
    asm.mov(mem64(rsp, 0), rsi)
    asm.lea(rdi, mem64(rsp, _END))
    asm.sub(rdi, rsi)
    asm.mov(rsi.r32, _LARGEST_CHARACTER)
    asm.call(relative(asm.constant(symbols.address("PyUnicode_New"))))
    asm.test(rax, rax)
    asm.jz(done)
    asm.mov(rsi, mem64(rsp, 0))
    asm.lea(rdi, mem64(rax, L.ascii_data))
    asm.lea(rdx, mem64(rsp, _END))
    asm.bind(again)
    asm.mov(cl, mem8(rsi, 0))
    asm.mov(mem8(rdi, 0), cl)
    asm.add(rsi, 1)
    asm.add(rdi, 1)
    asm.cmp(rsi, rdx)
    asm.jb(again)
    asm.bind(done)
    asm.add(rsp, 40)
    asm.ret()
