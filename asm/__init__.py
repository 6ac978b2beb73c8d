"""An x86-64 assembler. It knows instructions and addresses, and nothing of Python.

    from asm import Assembler, qword, rax, rsp

    a = Assembler()
    done = a.label("done")
    a.mov(rax, qword[rsp + 8])
    a.add(rax, 1)
    a.jo(done)
    ...
    code = a.finish(address)

registers.py   the registers, and the address expressions written with them
operands.py    memory operands, labels
encodings.py   the table of instruction forms, in the manual's notation
encoder.py     forms to functions from operands to bytes
instructions.py   one method per mnemonic, and the memo that makes them fast
sections.py    hot and cold code, fixups
assembler.py   the Assembler: sections, labels, constants, comments
"""

from asm.assembler import Assembler
from asm.operands import (
    AssemblyError,
    Label,
    Memory,
    byte,
    dword,
    mem8,
    mem16,
    mem32,
    mem64,
    mem128,
    oword,
    qword,
    relative,
    word,
)
from asm.registers import *  # noqa: F403
from asm.registers import REGISTERS, Register

__all__ = [
    *("Assembler", "AssemblyError", "Label", "Memory", "Register", "REGISTERS"),
    *("byte", "word", "dword", "qword", "oword", "relative"),
    *("mem8", "mem16", "mem32", "mem64", "mem128"),
    *REGISTERS,
]
