"""Arithmetic of objects each of which is an exact int or an exact float, as shared routines.

mixed_add and so on    rax, rdx = the operands -> rax = new reference or NULL     rcx, rdx, xmm14, xmm15 are lost

A float and a float, or an int of one digit, are calculated here; the rest is CPython's.
"""

from asm import mem32, mem64, rax, rcx, rdx, relative, xmm14, xmm15
from platforms.cpython import symbols
from platforms.cpython.layout import layout

L = layout()
#: Symbol -> (name of the routine, instruction, CPython's function).
ROUTINES = {"+": ("mixed_add", "addsd", "PyNumber_Add"), "-": ("mixed_subtract", "subsd", "PyNumber_Subtract"),
            "*": ("mixed_multiply", "mulsd", "PyNumber_Multiply"), "/": ("mixed_divide", "divsd", "PyNumber_TrueDivide")}


def emit(asm, box_float, preserved_call):
    """Emit the routines; returns their labels by name.

    Args:
        box_float, preserved_call: labels of these routines.
    """
    labels = {}
    for name, instruction, function in ROUTINES.values():
        labels[name] = asm.label(name)
        asm.align(16)
        asm.comment(name)
        asm.bind(labels[name])
        _emit_one(asm, instruction, function, box_float, preserved_call)
    return labels


def _emit_one(asm, instruction, function, box_float, preserved_call):
    """What is left to CPython, as is division by zero, has its operands where they were."""
    divides = instruction == "divsd"
    left_is_int, right_is_int, calculate, other = (asm.label(name) for name in ("left_is_int", "right_is_int", "calculate", "other"))
    asm.mov(rcx, relative(asm.constant(id(float))))
    asm.cmp(mem64(rax, L.ob_type), rcx)
    asm.jne(left_is_int)
    asm.movsd(xmm15, mem64(rax, L.float_value))
    asm.cmp(mem64(rdx, L.ob_type), rcx)
    asm.jne(right_is_int)
    _emit_float(asm, xmm14, rdx, divides, other)
    asm.bind(calculate)
    asm.emit(instruction, xmm15, xmm14)
    asm.jmp(box_float)
    asm.bind(left_is_int)
    asm.cmp(mem64(rdx, L.ob_type), rcx)
    asm.jne(other)
    _emit_float(asm, xmm14, rdx, divides, other)
    emit_small_int(asm, xmm15, rax, False, other)
    asm.jmp(calculate)
    asm.bind(right_is_int)
    emit_small_int(asm, xmm14, rdx, divides, other)
    asm.jmp(calculate)
    asm.bind(other)
    asm.mov(rcx, relative(asm.constant(symbols.address(function))))
    asm.jmp(preserved_call)


def _emit_float(asm, double, item, nonzero, other):
    asm.movsd(double, mem64(item, L.float_value))
    if nonzero:
        asm.movq(rcx, double)
        asm.add(rcx, rcx)
        asm.jz(other)


def emit_small_int(asm, double, item, nonzero, other):
    """double = the int object `item`, whose register is lost; jumps to `other`, with `item` as it was, if it has several digits."""
    if L.long_size is not None:
        asm.mov(rcx, mem64(item, L.long_size))
        asm.add(rcx, 1)
        asm.cmp(rcx, 2)
        asm.ja(other)
        asm.sub(rcx, 1)
    else:
        asm.mov(rcx, mem64(item, L.long_tag))
        asm.cmp(rcx, 16)
        asm.jae(other)
        asm.and_(rcx.r32, 3)
        asm.neg(rcx)
        asm.add(rcx, 1)
    if nonzero:
        asm.test(rcx, rcx)
        asm.jz(other)
    asm.mov(item.r32, mem32(item, L.long_digits))
    asm.imul(item, rcx)
    asm.pxor(double, double)
    asm.cvtsi2sd(double, item)
