"""Items of containers whose size and place are known not to change in a loop (see jit/hoisting.py).

``list_items``, ``bytearray_items``, ``array_items`` and ``view_items`` give the address of the items; the families
``at_...`` do what the readers and writers without that prefix do, by address and size in the place of the container.
"""

from asm import Memory, cl, mem8, mem64, rax, rcx, rdx
from jit.template import template
from jit.templates.boxing import UNBOX
from jit.templates.buffers import emit_load, emit_not_released, emit_range_check, emit_store
from platforms.cpython.layout import layout

L = layout()


def _address_reader(offset):
    def emit(asm, container, items, emitter):
        asm.mov(items, mem64(emitter.register(container, rax), offset))
    return emit


for _name, _offset in (("list", L.list_items), ("bytearray", L.bytearray_start), ("array", L.array_items)):
    template(f"{_name}_items", "container: object -- items: int")(_address_reader(_offset))


@template("view_items", "container: object -- items: int")
def view_was_released(asm, container, items, exit, emitter):
    base = emitter.register(container, rcx)
    emit_not_released(asm, base, exit)
    asm.mov(items, mem64(base, L.memoryview_buf))


def _checked_place(asm, emitter, size, index, exit):
    """Register or constant: a subscript checked against a size."""
    if isinstance(index, int):
        if index >= 0:
            asm.cmp(size, index)
            asm.jbe(exit)
            return index
        asm.mov(rdx, size)
        asm.add(rdx, index)
        asm.js(exit)
        return rdx
    if emitter.operation.arguments[2].facts == "nonnegative":
        register = emitter.register(index, rdx)
        asm.cmp(register, size)
        asm.jae(exit)
        return register
    positive = asm.label("positive")
    asm.mov(rdx, index)
    asm.test(rdx, rdx)
    asm.jns(positive)
    asm.add(rdx, size)
    asm.bind(positive)
    asm.cmp(rdx, size)
    asm.jae(exit)
    return rdx


def _place(asm, emitter, items, size, index, exit, width):
    """Memory operand of a checked item of `width` bytes; rdx and rax are in use."""
    place = _checked_place(asm, emitter, size, index, exit)
    base = emitter.register(items, rax)
    if isinstance(place, int):
        return Memory(base, width * place, size=width)
    return Memory(base, 0, place, width, size=width)


def _item(kind):
    def emit(asm, items, size, index, item, exit, detail, emitter):
        address = _place(asm, emitter, items, size, index, exit, 8)
        if kind == "object":
            asm.mov(item, address)
            return
        asm.mov(rax, address)
        if kind == "exact":
            emitter.compare_type(rax, detail[1])
            asm.jne(emitter.mismatch_label())
            asm.mov(item, rax)
        else:
            UNBOX[kind](asm, emitter, item, exit, emitter.mismatch_label())
    emit.__name__ = "index_out_of_range"
    return emit


for _kind in (*UNBOX, "object"):
    template(f"at_item_{_kind}", f"items: int, size: int, index: int -- item: {_kind}")(_item(_kind))
template("at_item_exact", "items: int, size: int, index: int -- item: any")(_item("exact"))


@template("at_item_byte", "items: int, size: int, index: int -- item: int")
def byte_index_out_of_range(asm, items, size, index, item, exit, emitter):
    asm.movzx(emitter.low(item), _place(asm, emitter, items, size, index, exit, 1))


@template("at_store_byte", "items: int, size: int, index: int, value: int --")
def store_byte_out_of_range(asm, items, size, index, value, exit, emitter):
    if isinstance(value, int) and not 0 <= value <= 255:
        asm.jmp(exit)
        return
    if not isinstance(value, int):
        asm.cmp(value, 255)
        asm.ja(exit)
    address = _place(asm, emitter, items, size, index, exit, 1)
    if isinstance(value, int):
        asm.mov(address, value)
    elif value.kind == "gpr":
        asm.mov(address, value.r8)
    else:
        asm.lea(rax, address)
        asm.mov(rcx, value)
        asm.mov(mem8(rax, 0), cl)


def _element(kind):
    def emit(asm, items, size, index, item, exit, detail, emitter):
        buffer = detail.buffer
        emit_load(asm, item, _place(asm, emitter, items, size, index, exit, buffer.size), buffer, exit)
    emit.__name__ = "index_out_of_range"
    return emit


def _store_element(kind):
    def emit(asm, items, size, index, value, exit, detail, emitter):
        if kind == "int":
            emit_range_check(asm, value, detail.buffer, exit)
        emit_store(asm, emitter, _place(asm, emitter, items, size, index, exit, detail.buffer.size), value, detail.buffer)
    emit.__name__ = "store_out_of_range"
    return emit


for _kind in ("int", "float"):
    template(f"at_element_{_kind}", f"items: int, size: int, index: int -- item: {_kind}")(_element(_kind))
    template(f"at_store_element_{_kind}", f"items: int, size: int, index: int, value: {_kind} --")(_store_element(_kind))
