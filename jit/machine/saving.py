"""Calling C functions from shared routines that keep the body's registers."""

from asm import REGISTERS, mem64, r8, r9, r10, r11, rdi, relative, rsi, rsp
from platforms.cpython import symbols

_GPRS = (rsi, rdi, r8, r9, r10, r11)
_XMMS = tuple(REGISTERS[f"xmm{number}"] for number in range(14))
#: Bytes that `emit_save` takes of the stack, which is aligned for calls then.
AREA = 8 * (len(_GPRS) + len(_XMMS)) + 8


def emit_save(asm):
    asm.sub(rsp, AREA)
    for number, register in enumerate(_GPRS):
        asm.mov(mem64(rsp, 8 * number), register)
    for number, register in enumerate(_XMMS):
        asm.movsd(mem64(rsp, 8 * (len(_GPRS) + number)), register)


def emit_restore(asm):
    for number, register in enumerate(_GPRS):
        asm.mov(register, mem64(rsp, 8 * number))
    for number, register in enumerate(_XMMS):
        asm.movsd(register, mem64(rsp, 8 * (len(_GPRS) + number)))
    asm.add(rsp, AREA)


def emit_call(asm, name):
    asm.call(relative(asm.constant(symbols.address(name))))
