"""Boxing and unboxing of numbers, as shared routines that keep the body's registers.

box_int      rax = int64          -> rax = new reference or NULL      rcx, rdx, xmm14, xmm15 are lost
box_float    xmm15 = double       -> rax = new reference or NULL      rcx, rdx, xmm14, xmm15 are lost
unbox_int    rax = an exact int   -> rax = int64, edx = 0; or edx = 1 if 64 bits do not hold it     rcx, rdx are lost

raise_unsupported    rax, rdx = names of two types, rcx = an operator's text: TypeError is raised; all registers but these are kept

overwrite_int    rcx = an object, rdx = int64: if it is an int of at least as many digits, and the only reference to it is the caller's,
                 it becomes that number, and eax = 1; else eax = 0     rcx, rdx are lost

set_item     rcx = a dict, rdx = key, rax = value, whose reference is used up -> eax = 0, or -1 with an exception    the same are lost

preserved_call   a C function in rcx, of rax and rdx: result in rax, other registers kept but rcx, rdx, xmm14, xmm15
"""

import ctypes

from asm import eax, edx, mem32, mem64, r8, rax, rcx, rdi, rdx, relative, rsi, rsp, xmm15
from jit.machine.kept import emit_kept_int, make_blocks, take_kept
from jit.machine.refcounts import emit_incref
from jit.machine.saving import emit_call, emit_restore, emit_save
from platforms.cpython.layout import layout

L = layout()
SMALLEST, SMALL_COUNT = -5, 262
NAMES = ("box_int", "box_float", "unbox_int", "set_item", "overwrite_int", "preserved_call", "raise_unsupported")
_UNSUPPORTED = ctypes.create_string_buffer(b"unsupported operand type(s) for %.100s: '%.100s' and '%.100s'")


def emit(asm):
    """Emit the routines; returns their labels by name."""
    labels = {name: asm.label(name) for name in NAMES}
    for name, emit_one in (("box_int", _box_int), ("box_float", _box_float), ("unbox_int", _unbox_int), ("set_item", _set_item),
                           ("overwrite_int", _overwrite_int), ("preserved_call", _preserved_call), ("raise_unsupported", _raise_unsupported)):
        asm.align(16)
        asm.comment(name)
        asm.bind(labels[name])
        emit_one(asm)
    return labels


def _raise_unsupported(asm):
    """Source: CPython Objects/abstract.c, binop_type_error."""
    emit_save(asm)
    asm.mov(r8, rdx)
    asm.mov(rdx, rcx)
    asm.mov(rcx, rax)
    asm.mov(rdi, relative(asm.constant(id(TypeError))))
    asm.mov(rsi, relative(asm.constant(ctypes.addressof(_UNSUPPORTED))))
    asm.xor(eax, eax)
    emit_call(asm, "PyErr_Format")
    emit_restore(asm)
    asm.ret()


def _box_int(asm):
    """Small ints exist once; their objects lie side by side."""
    slow = asm.label("larger")
    asm.lea(rcx, mem64(rax, -SMALLEST))
    asm.cmp(rcx, SMALL_COUNT)
    asm.jae(slow)
    asm.imul(rcx, rcx, L.small_int_stride)
    asm.mov(rax, relative(asm.constant(id(SMALLEST))))
    asm.add(rax, rcx)
    emit_incref(asm, rax, rcx)
    asm.ret()
    asm.bind(slow)
    emit_kept_int(asm)
    emit_save(asm)
    asm.mov(rdi, rax)
    emit_call(asm, "PyLong_FromLongLong")
    emit_restore(asm)
    asm.ret()


def _box_float(asm):
    again, none = asm.label("again"), asm.label("none_kept")
    asm.bind(again)
    take_kept(asm, float, none)
    asm.movsd(mem64(rdx, L.float_value), xmm15)
    asm.mov(rax, rdx)
    asm.ret()
    asm.bind(none)
    make_blocks(asm, float, again)


def _unbox_int(asm):
    """Two or three digits of 30 bits (one and none as well)."""
    large = asm.label("large")
    asm.push(rsi)
    if L.long_size is not None:
        asm.mov(rcx, mem64(rax, L.long_size))
        asm.mov(rsi, rcx)
        asm.sar(rsi, 63)
        asm.xor(rcx, rsi)
        asm.sub(rcx, rsi)
    else:
        asm.mov(rcx, mem64(rax, L.long_tag))
        asm.mov(rsi, rcx)
        asm.and_(rsi, 2)
        asm.shr(rsi, 1)
        asm.neg(rsi)
        asm.shr(rcx, 3)
    done = asm.label("digits_done")
    asm.xor(edx, edx)
    asm.test(rcx, rcx)
    asm.jz(done)
    asm.cmp(rcx, 3)
    asm.ja(large)
    asm.mov(edx, mem32(rax, L.long_digits))
    asm.cmp(rcx, 1)
    asm.je(done)
    asm.push(rdi)
    asm.mov(rdi.r32, mem32(rax, L.long_digits + 4))
    asm.shl(rdi, 30)
    asm.or_(rdx, rdi)
    two = asm.label("two_digits")
    asm.cmp(rcx, 2)
    asm.je(two)
    asm.mov(rdi.r32, mem32(rax, L.long_digits + 8))
    asm.cmp(rdi, 8)
    too_large = asm.label("too_large")
    asm.jae(too_large)
    asm.shl(rdi, 60)
    asm.or_(rdx, rdi)
    asm.bind(two)
    asm.pop(rdi)
    asm.bind(done)
    asm.mov(rax, rdx)
    asm.xor(rax, rsi)
    asm.sub(rax, rsi)
    asm.xor(edx, edx)
    asm.pop(rsi)
    asm.ret()
    asm.bind(too_large)
    # Only -2**63 has a third digit of 8: nothing else in it, and negative.
    asm.sub(rdi, 8)
    asm.or_(rdi, rdx)
    asm.pop(rdi)
    asm.jnz(large)
    asm.test(rsi, rsi)
    asm.jz(large)
    asm.mov(rax, -(1 << 63))
    asm.pop(rsi)
    asm.ret()
    asm.bind(large)
    asm.mov(edx, 1)
    asm.pop(rsi)
    asm.ret()


def _set_item(asm):
    emit_save(asm)
    asm.push(rax)
    asm.sub(rsp, 8)
    asm.mov(rdi, rcx)
    asm.mov(rsi, rdx)
    asm.mov(rdx, rax)
    emit_call(asm, "PyDict_SetItem")
    asm.mov(mem64(rsp, 0), rax)
    asm.mov(rdi, mem64(rsp, 8))
    emit_call(asm, "Py_DecRef")
    asm.pop(rax)
    asm.add(rsp, 8)
    emit_restore(asm)
    asm.ret()


def _overwrite_int(asm):
    """Nobody else can tell it from a new object. The number is no small int, so it is not 0."""
    refused, positive, fits = asm.label("refused"), asm.label("positive"), asm.label("fits")
    asm.cmp(mem64(rcx, L.ob_refcnt), 1)
    asm.jne(refused)
    asm.mov(rax, relative(asm.constant(id(int))))
    asm.cmp(mem64(rcx, L.ob_type), rax)
    asm.jne(refused)
    asm.push(rsi)
    asm.push(rdi)
    # rdi = its sign, rdx = its absolute value, rsi = how many digits that has.
    asm.mov(rdi, rdx)
    asm.sar(rdi, 63)
    asm.xor(rdx, rdi)
    asm.sub(rdx, rdi)
    asm.mov(rsi.r32, 1)
    asm.mov(rax, rdx)
    asm.shr(rax, 30)
    asm.jz(fits)
    asm.add(rsi, 1)
    asm.shr(rax, 30)
    asm.jz(fits)
    asm.add(rsi, 1)
    asm.bind(fits)
    _digits_of(asm)
    refused_here, done = asm.label("too_few_digits"), asm.label("overwritten")
    asm.cmp(rax, rsi)
    asm.jb(refused_here)
    asm.mov(eax, edx)
    asm.and_(eax, (1 << 30) - 1)
    asm.mov(mem32(rcx, L.long_digits), eax)
    for number in (1, 2):
        asm.cmp(rsi, number)
        asm.je(done)
        asm.shr(rdx, 30)
        asm.mov(eax, edx)
        asm.and_(eax, (1 << 30) - 1)
        asm.mov(mem32(rcx, L.long_digits + 4 * number), eax)
    asm.bind(done)
    _set_size(asm, positive)
    asm.mov(eax, 1)
    asm.pop(rdi)
    asm.pop(rsi)
    asm.ret()
    asm.bind(refused_here)
    asm.pop(rdi)
    asm.pop(rsi)
    asm.bind(refused)
    asm.xor(eax, eax)
    asm.ret()


def _digits_of(asm):
    """rax = how many digits the int in rcx has."""
    if L.long_size is not None:
        positive = asm.label("positive_size")
        asm.mov(rax, mem64(rcx, L.long_size))
        asm.test(rax, rax)
        asm.jns(positive)
        asm.neg(rax)
        asm.bind(positive)
    else:
        asm.mov(rax, mem64(rcx, L.long_tag))
        asm.shr(rax, 3)


def _set_size(asm, positive):
    """The int in rcx gets rsi digits and the sign in rdi: 0 or -1."""
    if L.long_size is not None:
        asm.test(rdi, rdi)
        asm.jz(positive)
        asm.neg(rsi)
        asm.bind(positive)
        asm.mov(mem64(rcx, L.long_size), rsi)
    else:
        asm.shl(rsi, 3)
        asm.and_(rdi, 2)
        asm.or_(rsi, rdi)
        asm.mov(mem64(rcx, L.long_tag), rsi)


def _preserved_call(asm):
    emit_save(asm)
    asm.mov(rdi, rax)
    asm.mov(rsi, rdx)
    asm.call(rcx)
    emit_restore(asm)
    asm.ret()
