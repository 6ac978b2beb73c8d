"""Arithmetic of objects that are ints at one time and floats at another.

The result is an object of the type that the operands give it at run time; so nothing leaves, whichever they are.
"""

from asm import rax, rdx
from jit.machine.mixed import ROUTINES
from jit.template import template

#: Operators that have a routine.
MIXED_SYMBOLS = frozenset(ROUTINES)


@template("guard_number", "value: object --")
def neither_int_nor_float(asm, value, exit, emitter):
    fine = asm.label("is_number")
    register = emitter.register(value, rax)
    emitter.compare_type(register, float)
    asm.je(fine)
    emitter.compare_type(register, int)
    asm.jne(exit)
    asm.bind(fine)


@template("mixed_arithmetic", "left: any, right: any -- result: any")
def mixed_arithmetic(asm, left, right, result, detail, emitter):
    """Of proven ints and floats; `detail`: a Call whose symbol is the operator."""
    asm.mov(rax, left)
    asm.mov(rdx, right)
    asm.call(getattr(emitter.routines, ROUTINES[detail.symbol.rstrip("=")][0]))
    asm.test(rax, rax)
    asm.jz(emitter.throw_label())
    asm.mov(result, rax)
