"""sum() over the items of a list or tuple.

`exit` is for sums and items beyond the machine's ints; `mismatch` for an item of another type, which its stub finds in rax.
Source: Python/bltinmodule.c (builtin_sum_impl).
"""

from asm import eax, edx, mem32, mem64, rax, rbp, rcx, rdx, relative, xmm14, xmm15
from jit.template import template
from jit.templates.items import SIZE
from platforms.cpython.layout import layout

L = layout()
#: A double's bits without the sign, shifted left by one, are below this if it is finite.
_NOT_FINITE = 0x7FF << 53


def _start_of_items(asm, emitter, container, python):
    """rdx = number of items, rcx = address of the first; returns when there are none with the zero flag set."""
    base = emitter.register(container, rcx)
    asm.mov(rdx, mem64(base, SIZE[python]))
    if python is list:
        asm.mov(rcx, mem64(base, L.list_items))
    else:
        asm.lea(rcx, mem64(base, L.tuple_items))


@template("sum_int", "items: object -- total: int")
def sum_int(asm, items, total, exit, detail, emitter):
    """Ints of one digit; a larger one leaves, as does an item of another type."""
    again, done, other = asm.label("next_item"), asm.label("summed"), asm.label("not_an_int")
    _start_of_items(asm, emitter, items, detail)
    asm.lea(rdx, mem64(rcx, 0, rdx, 8))
    asm.movq(xmm15, rdx)
    asm.xor(total.r32, total.r32)
    asm.bind(again)
    asm.movq(rax, xmm15)
    asm.cmp(rcx, rax)
    asm.jae(done)
    asm.mov(rax, mem64(rcx, 0))
    asm.mov(rdx, emitter.object(int))
    asm.cmp(mem64(rax, L.ob_type), rdx)
    asm.jne(other)
    emit_one_digit(asm, exit)
    asm.add(total, rax)
    asm.jo(exit)
    asm.add(rcx, 8)
    asm.jmp(again)
    asm.bind(done)
    with asm.cold():
        asm.bind(other)
        asm.jmp(emitter.mismatch_label())


def emit_one_digit(asm, exit):
    """rax = value of the exact int in rax, which has at most one digit, else leave; rdx is lost."""
    if L.long_size is not None:
        asm.mov(rdx, mem64(rax, L.long_size))
        asm.mov(eax, mem32(rax, L.long_digits))
        asm.imul(rax, rdx)
        asm.add(rdx, 1)
        asm.cmp(rdx, 2)
        asm.ja(exit)
        return
    negative = asm.label("not_negative")
    asm.mov(rdx, mem64(rax, L.long_tag))
    asm.cmp(rdx, 16)
    asm.jae(exit)
    asm.mov(eax, mem32(rax, L.long_digits))
    asm.and_(edx, 2)
    asm.jz(negative)
    asm.neg(rax)
    asm.bind(negative)


@template("sum_float", "items: object -- total: float")
def sum_float(asm, items, total, exit, detail, emitter):
    """Since 3.12 with Neumaier's compensation.

    The sum starts at 0, so that of negative zeros is positive; an empty list's is an int, so it leaves. rbp is free here: the
    result is a double.
    """
    again, other = asm.label("next_item"), asm.label("not_a_float")
    _start_of_items(asm, emitter, items, detail)
    asm.test(rdx, rdx)
    asm.jz(exit)
    asm.lea(rdx, mem64(rcx, 0, rdx, 8))
    asm.pxor(total, total)
    asm.pxor(xmm14, xmm14)
    asm.bind(again)
    asm.mov(rax, mem64(rcx, 0))
    asm.mov(rbp, emitter.object(float))
    asm.cmp(mem64(rax, L.ob_type), rbp)
    asm.jne(other)
    if L.compensated_sum:
        _add_compensated(asm, total)
    else:
        asm.addsd(total, mem64(rax, L.float_value))
    asm.add(rcx, 8)
    asm.cmp(rcx, rdx)
    asm.jb(again)
    if L.compensated_sum:
        done = asm.label("summed")
        asm.movq(rax, xmm14)
        asm.add(rax, rax)
        asm.cmp(rax, relative(asm.constant(_NOT_FINITE)))
        asm.jae(done)
        asm.addsd(total, xmm14)
        asm.bind(done)
    with asm.cold():
        asm.bind(other)
        asm.jmp(emitter.mismatch_label())


def _add_compensated(asm, total):
    """total += the float in rax; what rounding lost is added to xmm14. rbp is lost."""
    smaller, added = asm.label("total_is_smaller"), asm.label("added")
    asm.movsd(xmm15, mem64(rax, L.float_value))
    asm.addsd(xmm15, total)
    # Which is larger is seen by the bits, the sign shifted out.
    asm.push(rcx)
    asm.movq(rbp, total)
    asm.add(rbp, rbp)
    asm.mov(rcx, mem64(rax, L.float_value))
    asm.add(rcx, rcx)
    asm.cmp(rbp, rcx)
    asm.pop(rcx)
    asm.movq(rbp, xmm15)
    asm.jb(smaller)
    asm.subsd(total, xmm15)
    asm.addsd(total, mem64(rax, L.float_value))
    asm.bind(added)
    asm.addsd(xmm14, total)
    asm.movq(total, rbp)
    with asm.cold():
        asm.bind(smaller)
        asm.subsd(xmm15, mem64(rax, L.float_value))
        asm.subsd(total, xmm15)
        asm.jmp(added)
