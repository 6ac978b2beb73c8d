"""Writing items of lists and bytearrays. The old item's reference is dropped last, when the new one is in place."""

from asm import cl, mem8, mem64, rax, rcx, rdx, xmm15
from jit import types
from jit.machine import boxes
from jit.machine.refcounts import emit_incref
from jit.template import template
from jit.templates.boxing import emit_box
from jit.templates.items import byte_address, emit_index, item_address
from platforms.cpython.layout import layout

L = layout()


# -- writing items ------------------------------------------------------------------------------------

@template("store_item_float", "container: object, index: int, value: float --")
def store_index_out_of_range(asm, container, index, value, exit, emitter):
    """A float that only the list refers to is overwritten in place: nobody can tell it from a new one."""
    base, register = emit_index(asm, emitter, container, index, exit, L.list_size)
    address = item_address(asm, base, register, list)
    asm.lea(rdx, address)
    asm.mov(rax, mem64(rdx, 0))
    replace, done = asm.label("replace"), asm.label("stored")
    asm.cmp(emitter.refcount(rax), 1)
    asm.jne(replace)
    emitter.compare_type(rax, float, rcx)
    asm.jne(replace)
    source = value
    if value.kind != "xmm":
        asm.movsd(xmm15, value)
        source = xmm15
    asm.movsd(mem64(rax, L.float_value), source)
    asm.bind(done)
    with asm.cold():
        asm.bind(replace)
        emitter.move(xmm15, value)
        asm.call(emitter.routines.box_float)
        asm.test(rax, rax)
        asm.jz(emitter.throw_label())
        _replace_item(asm, emitter, container, index)
        asm.jmp(done)


def _replace_item(asm, emitter, container, index):
    """Store the new reference in rax at the (checked) index and drop the old item's."""
    asm.movq(xmm15, rax)
    base, register = checked_index(asm, emitter, container, index, L.list_size)
    asm.lea(rdx, item_address(asm, base, register, list))
    asm.movq(rcx, xmm15)
    asm.mov(rax, mem64(rdx, 0))
    asm.mov(mem64(rdx, 0), rcx)
    emitter.emit_drop_rax()


def checked_index(asm, emitter, container, index, size_offset):
    """Like emit_index, for an index already known to be in bounds."""
    base = emitter.register(container, rcx)
    if isinstance(index, int) and index >= 0:
        return base, index
    positive = asm.label("positive")
    asm.mov(rdx, index)
    if emitter.operation.arguments[1].facts != "nonnegative":
        asm.test(rdx, rdx)
        asm.jns(positive)
        asm.add(rdx, mem64(base, size_offset))
    asm.bind(positive)
    return base, rdx


def _store_boxed(kind):
    def emit(asm, container, index, value, exit, emitter):
        unboxed = {"int": types.INT, "bool": types.BOOL}[kind]
        emit_index(asm, emitter, container, index, exit, L.list_size)
        emit_box(asm, emitter, value, unboxed, emitter.throw_label())
        _replace_item(asm, emitter, container, index)
    emit.__name__ = "store_index_out_of_range"
    return emit


@template("store_item_int", "container: object, index: int, value: int --")
def store_int_index_out_of_range(asm, container, index, value, exit, emitter):
    """Small ints exist once, side by side: their address is computed; others are boxed out of line."""
    base, register = emit_index(asm, emitter, container, index, exit, L.list_size)
    asm.lea(rdx, item_address(asm, base, register, list))
    large, done = asm.label("large"), asm.label("stored")
    asm.mov(rax, value)
    asm.lea(rcx, mem64(rax, -boxes.SMALLEST))
    asm.cmp(rcx, boxes.SMALL_COUNT)
    asm.jae(large)
    asm.imul(rcx, rcx, L.small_int_stride)
    asm.add(rcx, emitter.object(boxes.SMALLEST))
    if not L.immortal_refcounts:
        asm.add(mem64(rcx, L.ob_refcnt), 1)
    asm.mov(rax, mem64(rdx, 0))
    asm.mov(mem64(rdx, 0), rcx)
    emitter.emit_drop_rax()
    asm.bind(done)
    with asm.cold():
        asm.bind(large)
        asm.call(emitter.routines.box_int)
        asm.test(rax, rax)
        asm.jz(emitter.throw_label())
        _replace_item(asm, emitter, container, index)
        asm.jmp(done)


template("store_item_bool", "container: object, index: int, value: bool --")(_store_boxed("bool"))


@template("store_item_object", "container: object, index: int, value: object --")
def store_object_index_out_of_range(asm, container, index, value, exit, detail, emitter):
    """`detail`: the value's reference is ours to give away."""
    base, register = emit_index(asm, emitter, container, index, exit, L.list_size)
    asm.lea(rdx, item_address(asm, base, register, list))
    asm.mov(rax, value)
    if not detail:
        emit_incref(asm, rax, rcx)
    asm.mov(rcx, mem64(rdx, 0))
    asm.mov(mem64(rdx, 0), rax)
    asm.mov(rax, rcx)
    emitter.emit_drop_rax()


@template("store_byte", "container: object, index: int, value: int --")
def store_byte_out_of_range(asm, container, index, value, exit, emitter):
    if isinstance(value, int):
        if not 0 <= value <= 255:
            asm.jmp(exit)
            return
    else:
        asm.cmp(value, 255)
        asm.ja(exit)
    base, register = emit_index(asm, emitter, container, index, exit, L.bytearray_size)
    address = byte_address(asm, base, register, bytearray)
    if isinstance(value, int):
        asm.mov(address, value)
        return
    if value.kind != "gpr":
        asm.lea(rax, address)
        asm.mov(rcx, value)
        asm.mov(mem8(rax, 0), cl)
        return
    asm.mov(address, value.r8)


@template("store_cell", "cell: object, value: object --")
def store_cell(asm, cell, value, detail, emitter):
    """`detail`: the value's reference is ours to give away."""
    empty = asm.label("was_empty")
    base = emitter.register(cell, rdx)
    asm.mov(rax, value)
    if not detail:
        emit_incref(asm, rax, rcx)
    asm.mov(rcx, mem64(base, L.cell_value))
    asm.mov(mem64(base, L.cell_value), rax)
    asm.mov(rax, rcx)
    asm.test(rax, rax)
    asm.jz(empty)
    emitter.emit_drop_rax()
    asm.bind(empty)


@template("set_annotations", "function: object, part: object --")
def set_annotations(asm, function, part, detail, emitter):
    """Of a function that has none yet. `detail`: the tuple's reference is ours to give away. Source: CPython Python/bytecodes.c (MAKE_FUNCTION)."""
    asm.mov(rax, part)
    if not detail:
        emit_incref(asm, rax, rcx)
    asm.mov(mem64(emitter.register(function, rdx), L.function_annotations), rax)
