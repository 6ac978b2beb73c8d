"""Reading containers and cells.

Every read checks the bounds, then the item's type, then takes what is inside. `exit` is for bounds; `mismatch` for an
item of another type than guessed: its stub finds the item in rax and reports its type.
"""

from asm import cl, ecx, mem8, mem64, rax, rcx, rdx
from jit.template import template
from jit.templates.boxing import UNBOX
from jit.types import ARRAY
from platforms.cpython.layout import layout

L = layout()
SIZE = {list: L.list_size, tuple: L.tuple_size, bytes: L.bytes_size, bytearray: L.bytearray_size,
        str: L.unicode_length, ARRAY: L.array_size, dict: L.dict_used, set: L.set_used, frozenset: L.set_used}


# -- reading items ----------------------------------------------------------------------------------

def emit_index(asm, emitter, container, index, exit, size):
    """Check a subscript against the container's size; returns (container register, index register or constant).

    Args:
        size: its offset in the container, or a function(asm, register) that returns an operand and may use rax.
    """
    base = emitter.register(container, rcx)
    size = size(asm, base) if callable(size) else mem64(base, size)
    if isinstance(index, int):
        if index >= 0:
            asm.cmp(size, index)
            asm.jbe(exit)
            return base, index
        asm.mov(rdx, size)
        asm.add(rdx, index)
        asm.js(exit)
        return base, rdx
    if emitter.operation.arguments[1].facts == "nonnegative":
        register = emitter.register(index, rdx)
        asm.cmp(register, size)
        asm.jae(exit)
        return base, register
    positive = asm.label("positive")
    asm.mov(rdx, index)
    asm.test(rdx, rdx)
    asm.jns(positive)
    asm.add(rdx, size)
    asm.bind(positive)
    asm.cmp(rdx, size)
    asm.jae(exit)
    return base, rdx


def item_address(asm, base, index, python):
    """Memory operand of a checked item of a list or tuple; uses rax for a list's items."""
    if python is list:
        asm.mov(rax, mem64(base, L.list_items))
        base, offset = rax, 0
    else:
        offset = L.tuple_items
    if isinstance(index, int):
        return mem64(base, offset + 8 * index)
    return mem64(base, offset, index, 8)


def _item_reader(kind):
    def emit(asm, container, index, item, exit, detail, emitter):
        base, register = emit_index(asm, emitter, container, index, exit, SIZE[detail])
        asm.mov(rax, item_address(asm, base, register, detail))
        UNBOX[kind](asm, emitter, item, exit, emitter.mismatch_label())
    emit.__name__ = "index_out_of_range"
    return emit


for _kind in UNBOX:
    template(f"item_{_kind}", f"container: object, index: int -- item: {_kind}")(_item_reader(_kind))


@template("item_object", "container: object, index: int -- item: object")
def index_out_of_range_object(asm, container, index, item, exit, detail, emitter):
    base, register = emit_index(asm, emitter, container, index, exit, SIZE[detail])
    asm.mov(item, item_address(asm, base, register, detail))


@template("item_exact", "container: object, index: int -- item: any")
def index_out_of_range_exact(asm, container, index, item, exit, detail, emitter):
    base, register = emit_index(asm, emitter, container, index, exit, SIZE[detail[0]])
    asm.mov(rax, item_address(asm, base, register, detail[0]))
    emitter.compare_type(rax, detail[1])
    asm.jne(emitter.mismatch_label())
    asm.mov(item, rax)


@template("item_byte", "container: object, index: int -- item: int")
def byte_index_out_of_range(asm, container, index, item, exit, detail, emitter):
    base, register = emit_index(asm, emitter, container, index, exit, SIZE[detail])
    asm.movzx(emitter.low(item), byte_address(asm, base, register, detail))


def byte_address(asm, base, index, python):
    if python is bytearray:
        asm.mov(rax, mem64(base, L.bytearray_start))
        base, offset = rax, 0
    else:
        offset = L.bytes_data
    if isinstance(index, int):
        return mem8(base, offset + index)
    return mem8(base, offset, index, 1)


@template("guard_size", "container: object --")
def size_differs(asm, container, exit, detail, emitter):
    python, count = detail
    asm.cmp(mem64(emitter.register(container, rax), SIZE[python]), count)
    asm.jne(exit)


@template("guard_size_least", "container: object --")
def size_too_small(asm, container, exit, detail, emitter):
    python, count = detail
    asm.cmp(mem64(emitter.register(container, rax), SIZE[python]), count)
    asm.jl(exit)


@template("guard_size_most", "container: object --")
def size_too_large(asm, container, exit, detail, emitter):
    python, count = detail
    asm.cmp(mem64(emitter.register(container, rax), SIZE[python]), count)
    asm.jg(exit)


@template("known_item_object", "container: object -- item: object")
def known_item(asm, container, item, detail, emitter):
    """Items of one container read one after the other share rdx: a list's items, or a tuple that is in no register."""
    python, number = detail
    if python is tuple and container.kind == "gpr":
        asm.mov(item, mem64(container, L.tuple_items + 8 * number))
        return
    previous, operation = emitter.previous, emitter.operation
    if previous is None or previous is not emitter.shares or previous.arguments != operation.arguments or previous.detail[0] is not python:
        if python is list:
            asm.mov(rdx, mem64(emitter.register(container, rdx), L.list_items))
        else:
            asm.mov(rdx, container)
    emitter.shares = operation
    asm.mov(item, mem64(rdx, (0 if python is list else L.tuple_items) + 8 * number))


def _known_item_reader(kind):
    def emit(asm, container, item, exit, detail, emitter):
        python, number = detail
        asm.mov(rax, item_address(asm, emitter.register(container, rcx), number, python))
        UNBOX[kind](asm, emitter, item, exit, emitter.mismatch_label())
    emit.__name__ = "known_item_beyond_64_bits"
    return emit


for _kind in UNBOX:
    template(f"known_item_{_kind}", f"container: object -- item: {_kind}")(_known_item_reader(_kind))


@template("known_item_exact", "container: object -- item: any")
def known_item_of_other_type(asm, container, item, detail, emitter):
    """Items of one list read one after the other share rdx, the address of the items, and rcx, the type."""
    (python, number), wanted = detail
    if not _goes_on(emitter.previous, emitter.operation):
        if python is list:
            asm.mov(rdx, mem64(emitter.register(container, rdx), L.list_items))
        else:
            asm.lea(rdx, mem64(emitter.register(container, rdx), L.tuple_items))
        asm.mov(rcx, emitter.object(wanted))
    asm.mov(rax, mem64(rdx, 8 * number))
    asm.cmp(mem64(rax, L.ob_type), rcx)
    asm.jne(emitter.mismatch_label())
    asm.mov(item, rax)


def _goes_on(previous, operation):
    return previous is not None and previous.template is operation.template and previous.arguments == operation.arguments and \
        previous.detail[1] is operation.detail[1] and previous.detail[0][0] is operation.detail[0][0]


def _cell_reader(kind):
    def emit(asm, cell, item, exit, emitter):
        asm.mov(rax, cell)
        asm.mov(rax, mem64(rax, L.cell_value))
        asm.test(rax, rax)
        asm.jz(exit)
        if kind == "object":
            asm.mov(item, rax)
        else:
            UNBOX[kind](asm, emitter, item, exit, emitter.mismatch_label())
    emit.__name__ = "closure_variable_is_empty"
    return emit


for _kind in (*UNBOX, "object"):
    template(f"cell_{_kind}", f"cell: object -- item: {_kind}")(_cell_reader(_kind))


@template("cell_exact", "cell: object -- item: any")
def closure_variable_of_other_type(asm, cell, item, exit, detail, emitter):
    asm.mov(rax, cell)
    asm.mov(rax, mem64(rax, L.cell_value))
    asm.test(rax, rax)
    asm.jz(exit)
    emitter.compare_type(rax, detail[1])
    asm.jne(emitter.mismatch_label())
    asm.mov(item, rax)


@template("guard_cell", "cell: object, expected: object --")
def closure_variable_rebound(asm, cell, expected, exit):
    asm.mov(rax, cell)
    asm.mov(rax, mem64(rax, L.cell_value))
    asm.cmp(rax, expected)
    asm.jne(exit)


@template("length", "container: object -- length: int")
def length(asm, container, length, detail, emitter):
    asm.mov(length, mem64(emitter.register(container, rax), SIZE[detail]))


def _length_truth(python):
    def emit(asm, value, result, emitter):
        asm.cmp(mem64(emitter.register(value, rax), SIZE[python]), 0)
        asm.setne(cl)
        asm.movzx(ecx, cl)
        asm.mov(result, rcx)
    emit.__name__ = f"truth_of_{python.__name__}"
    return emit


@template("used", "container: object -- length: int")
def items_used(asm, container, length, detail, emitter):
    """Like `length`, of what other calls than those of lists change: never moved out of a loop."""
    asm.mov(length, mem64(emitter.register(container, rax), SIZE[detail]))


for _python in (list, tuple, str, bytes, bytearray, dict, set, frozenset):
    template("truth", f"value: {_python.__name__} -- result: bool")(_length_truth(_python))
