"""Items of arrays and memoryviews.

A proven type says the format of the items. A memoryview may have been released since: that is looked at each time.
Source: Modules/arraymodule.c (the `descriptors` table), Objects/memoryobject.c (`unpack_single`, `pack_single`).
"""

from asm import Memory, eax, ecx, mem8, mem32, mem64, rax, rcx, rdx, xmm15
from jit.template import template
from jit.templates.items import emit_index
from jit.types import ARRAY
from platforms.cpython.layout import layout

L = layout()
_RELEASED = 1


@template("guard_array", "array: object --")
def items_of_another_type(asm, array, exit, detail, emitter):
    base = emitter.register(array, rcx)
    asm.mov(rax, mem64(base, L.array_descr))
    asm.cmp(mem8(rax, L.array_descr_typecode), ord(detail.code))
    asm.jne(exit)


@template("guard_view", "view: object --")
def view_of_another_format(asm, view, exit, detail, emitter):
    base = emitter.register(view, rcx)
    asm.cmp(mem32(base, L.memoryview_ndim), 1)
    asm.jne(exit)
    asm.mov(rax, mem64(base, L.memoryview_format))
    asm.cmp(mem8(rax, 0), ord(detail.code))
    asm.jne(exit)
    asm.cmp(mem8(rax, 1), 0)
    asm.jne(exit)
    asm.cmp(mem64(base, L.memoryview_itemsize), detail.size)
    asm.jne(exit)
    asm.mov(rax, mem64(base, L.memoryview_strides))
    asm.cmp(mem64(rax, 0), detail.size)
    asm.jne(exit)
    asm.cmp(mem64(base, L.memoryview_suboffsets), 0)
    asm.jne(exit)


def emit_not_released(asm, base, exit):
    """Leave if the memoryview in register `base` was released; rax is lost."""
    asm.test(mem32(base, L.memoryview_flags), _RELEASED)
    asm.jnz(exit)
    asm.mov(rax, mem64(base, L.memoryview_managed))
    asm.test(mem32(rax, L.managed_buffer_flags), _RELEASED)
    asm.jnz(exit)


def _view_size(asm, base):
    asm.mov(rax, mem64(base, L.memoryview_shape))
    return mem64(rax, 0)


def _element(asm, emitter, container, index, exit, kind):
    """Memory operand of a checked element; rax, rcx, rdx are in use."""
    if kind.python is ARRAY:
        base, index = emit_index(asm, emitter, container, index, exit, L.array_size)
        data = L.array_items
    else:
        emit_not_released(asm, emitter.register(container, rcx), exit)
        base, index = emit_index(asm, emitter, container, index, exit, _view_size)
        data = L.memoryview_buf
    size = kind.buffer.size
    asm.mov(rax, mem64(base, data))
    if isinstance(index, int):
        return Memory(rax, size * index, size=size)
    return Memory(rax, 0, index, size, size=size)


def emit_load(asm, item, address, buffer, exit):
    """item = the number at `address`; unsigned 64-bit ones that an int64 does not hold leave."""
    if buffer.code == "d":
        asm.movsd(item, address)
    elif buffer.code == "f":
        asm.cvtss2sd(item, address)
    elif buffer.size == 8:
        if buffer.lowest == 0:
            asm.mov(rax, address)
            asm.test(rax, rax)
            asm.js(exit)
            asm.mov(item, rax)
        else:
            asm.mov(item, address)
    elif buffer.size == 4:
        if buffer.lowest == 0:
            asm.mov(item.r32, address)
        else:
            asm.movsxd(item, address)
    elif buffer.lowest == 0:
        asm.movzx(item.r32, address)
    else:
        asm.movsx(item, address)


def _reader(kind):
    def emit(asm, container, index, item, exit, detail, emitter):
        emit_load(asm, item, _element(asm, emitter, container, index, exit, detail), detail.buffer, exit)
    emit.__name__ = "index_out_of_range"
    return emit


for _kind in ("int", "float"):
    template(f"element_{_kind}", f"container: object, index: int -- item: {_kind}")(_reader(_kind))


def _writable(asm, emitter, container, kind, exit):
    if kind.python is memoryview:
        asm.cmp(mem32(emitter.register(container, rcx), L.memoryview_readonly), 0)
        asm.jne(exit)


def emit_range_check(asm, value, buffer, exit):
    """A 64-bit item takes any int64, an unsigned one any that is not negative; rax, rcx are lost."""
    asm.mov(rax, value)
    if buffer.size == 8:
        if buffer.lowest == 0:
            asm.test(rax, rax)
            asm.js(exit)
    elif buffer.size == 4 and buffer.lowest < 0:
        asm.movsxd(rcx, eax)
        asm.cmp(rcx, rax)
        asm.jne(exit)
    elif buffer.size == 4:
        asm.mov(ecx, eax)
        asm.cmp(rcx, rax)
        asm.jne(exit)
    else:
        asm.sub(rax, buffer.lowest)
        asm.cmp(rax, buffer.highest - buffer.lowest)
        asm.ja(exit)


def emit_store(asm, emitter, address, value, buffer):
    """Write a number that is in range; rax, rdx, xmm15 are lost."""
    if buffer.code == "d":
        emitter.move(xmm15, value)
        asm.movsd(address, xmm15)
    elif buffer.code == "f":
        emitter.move(xmm15, value)
        asm.cvtsd2ss(xmm15, xmm15)
        asm.movss(address, xmm15)
    else:
        asm.lea(rdx, Memory(address.base, address.disp, address.index, address.scale, size=8))
        asm.mov(rax, value)
        asm.mov(Memory(rdx, 0, size=buffer.size), {1: eax.r8, 2: eax.r16, 4: eax, 8: rax}[buffer.size])


@template("store_element_float", "container: object, index: int, value: float --")
def store_float_index_out_of_range(asm, container, index, value, exit, detail, emitter):
    _writable(asm, emitter, container, detail, exit)
    emit_store(asm, emitter, _element(asm, emitter, container, index, exit, detail), value, detail.buffer)


@template("store_element_int", "container: object, index: int, value: int --")
def store_int_out_of_range(asm, container, index, value, exit, detail, emitter):
    _writable(asm, emitter, container, detail, exit)
    emit_range_check(asm, value, detail.buffer, exit)
    emit_store(asm, emitter, _element(asm, emitter, container, index, exit, detail), value, detail.buffer)


@template("view_length", "view: object -- length: int")
def view_was_released(asm, view, length, exit, emitter):
    base = emitter.register(view, rcx)
    emit_not_released(asm, base, exit)
    asm.mov(rax, mem64(base, L.memoryview_shape))
    asm.mov(length, mem64(rax, 0))
