"""The stack area in which a shared routine keeps a body's registers, and its own variables below it.

S, the base, is 256 bytes below the body's rsp; see records.py for what lies above. Offsets here are from S.
"""

from asm import REGISTERS

LOCALS = 64  # bytes of a routine's own below the save area
# Offsets from S of a routine's own variables.
EXTRA, VARIANT, RESULT, BASE, XMM15, FLOAT_RESULT, RETURN = -8, -16, -24, -32, -40, -48, -56
START, THROW, AFTER = 0, 1, 2

GPRS = [REGISTERS[name] for name in ("rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split())]
XMMS = [REGISTERS[f"xmm{number}"] for number in range(16)]
