"""Dead numbers that are kept for new ones.

An int of one digit, or a float, that dies in compiled code is not given back to the allocator: its block waits for the next number that is
boxed. Where none waits, some are made at once.
"""

import ctypes

from asm import eax, mem32, mem64, rax, rbp, rbx, rcx, rdi, rdx, relative, rsp, xmm0, xmm14, xmm15
from jit.machine.saving import emit_call, emit_restore, emit_save
from platforms.cpython.layout import layout

L = layout()
#: What one digit does not hold.
ONE_DIGIT = 1 << 30
#: Blocks that are kept at most, of each type; and made at once.
MOST_KEPT = 256
MADE_AT_ONCE = 16
#: For each type the first block kept, which holds the address of the next, and their number.
_kept = {kind: (ctypes.c_uint64 * 2)() for kind in (int, float)}


def take_kept(asm, kind, none):
    """rdx = a block with one reference; its type is still there. rcx, xmm14 are lost; go to `none` if none is kept."""
    asm.mov(rcx, relative(asm.constant(ctypes.addressof(_kept[kind]))))
    asm.mov(rdx, mem64(rcx, 0))
    asm.test(rdx, rdx)
    asm.jz(none)
    asm.movq(xmm14, mem64(rdx, 0))
    asm.movq(mem64(rcx, 0), xmm14)
    asm.sub(mem64(rcx, 8), 1)
    asm.mov(mem64(rdx, L.ob_refcnt), 1)


def emit_kept_int(asm):
    """An int of one digit, in a kept block."""
    again, none, larger = asm.label("again"), asm.label("none_kept"), asm.label("more_digits")
    asm.lea(rcx, mem64(rax, ONE_DIGIT - 1))
    asm.cmp(rcx, 2 * ONE_DIGIT - 2)
    asm.ja(larger)
    asm.bind(again)
    take_kept(asm, int, none)
    asm.mov(rcx, rax)
    asm.sar(rcx, 63)
    asm.xor(rax, rcx)
    asm.sub(rax, rcx)
    if L.long_size is not None:
        asm.or_(rcx, 1)
        asm.mov(mem64(rdx, L.long_size), rcx)
    else:
        asm.and_(rcx, 2)
        asm.or_(rcx, 1 << 3)
        asm.mov(mem64(rdx, L.long_tag), rcx)
    asm.mov(mem32(rdx, L.long_digits), eax)
    asm.mov(rax, rdx)
    asm.ret()
    asm.bind(none)
    make_blocks(asm, int, again)
    asm.bind(larger)


def make_blocks(asm, kind, again):
    """Make some numbers at once, keep their blocks and go on to `again`; return 0 if there is no memory. rax and xmm15 are kept."""
    more, stop, have, out = (asm.label(name) for name in ("more", "stop", "have", "out_of_memory"))
    cell = ctypes.addressof(_kept[kind])
    if kind is float:
        asm.movq(rax, xmm15)
    emit_save(asm)
    asm.push(rax)
    asm.push(rbx)
    asm.push(rbp)
    asm.sub(rsp, 8)
    asm.mov(rbp, relative(asm.constant(cell)))
    asm.mov(rbx.r32, MADE_AT_ONCE)
    asm.bind(more)
    if kind is int:
        asm.mov(rdi, ONE_DIGIT - 1)
    else:
        asm.pxor(xmm0, xmm0)
    emit_call(asm, "PyLong_FromLongLong" if kind is int else "PyFloat_FromDouble")
    asm.test(rax, rax)
    asm.jz(stop)
    # They are taken in the order in which they were made, that of their addresses: the processor fetches memory ahead in that direction.
    asm.mov(mem64(rax, 0), 0)
    asm.mov(mem64(rbp, 0), rax)
    asm.mov(rbp, rax)
    asm.mov(rcx, relative(asm.constant(cell)))
    asm.add(mem64(rcx, 8), 1)
    asm.sub(rbx.r32, 1)
    asm.jnz(more)
    asm.bind(have)
    asm.add(rsp, 8)
    asm.pop(rbp)
    asm.pop(rbx)
    asm.pop(rax)
    emit_restore(asm)
    if kind is float:
        asm.movq(xmm15, rax)
    asm.jmp(again)
    asm.bind(stop)
    asm.mov(rcx, relative(asm.constant(cell)))
    asm.cmp(mem64(rcx, 0), 0)
    asm.je(out)
    emit_call(asm, "PyErr_Clear")
    asm.jmp(have)
    asm.bind(out)
    asm.add(rsp, 8)
    asm.pop(rbp)
    asm.pop(rbx)
    asm.pop(rax)
    emit_restore(asm)
    asm.xor(eax, eax)
    asm.ret()


def emit_keep(asm):
    """In a routine that frees the object in rax, whose count is 0: keep its block and return, if it is an int of one digit or a float.

    All other registers are kept. Source: CPython Objects/longobject.c (_PyLong_New), Objects/floatobject.c: no finaliser, no weak
    references, and blocks of one size each.
    """
    is_float, keep, other = (asm.label(name) for name in ("is_float", "keep", "other"))
    asm.push(rcx)
    asm.push(rdx)
    asm.mov(rdx, mem64(rax, L.ob_type))
    asm.cmp(rdx, relative(asm.constant(id(float))))
    asm.je(is_float)
    asm.cmp(rdx, relative(asm.constant(id(int))))
    asm.jne(other)
    if L.long_size is not None:
        asm.mov(rdx, mem64(rax, L.long_size))
        asm.imul(rdx, rdx)
        asm.cmp(rdx, 1)
    else:
        asm.mov(rdx, mem64(rax, L.long_tag))
        asm.shr(rdx, 3)
        asm.cmp(rdx, 1)
    asm.jne(other)
    asm.mov(rcx, relative(asm.constant(ctypes.addressof(_kept[int]))))
    asm.bind(keep)
    asm.cmp(mem64(rcx, 8), MOST_KEPT)
    asm.jae(other)
    asm.mov(rdx, mem64(rcx, 0))
    asm.mov(mem64(rax, 0), rdx)
    asm.mov(mem64(rcx, 0), rax)
    asm.add(mem64(rcx, 8), 1)
    asm.pop(rdx)
    asm.pop(rcx)
    asm.ret()
    asm.bind(is_float)
    asm.mov(rcx, relative(asm.constant(ctypes.addressof(_kept[float]))))
    asm.jmp(keep)
    asm.bind(other)
    asm.pop(rdx)
    asm.pop(rcx)
