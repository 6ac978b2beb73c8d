"""Reading and writing containers, unboxing and boxing.

Every read checks the bounds, then the item's type, then takes what is inside. `exit` is for bounds; `mismatch` for an
item of another type than guessed: its stub finds the item in rax and reports its type.
"""

from asm import byte, dword, eax, ecx, edx, cl, dl, mem8, mem32, mem64, rax, rcx, rdx, xmm0, xmm14, xmm15
from jit import types
from jit.machine import boxes
from jit.machine.refcounts import emit_decref, emit_incref
from jit.template import template
from platforms.cpython.layout import layout

L = layout()
_SIZE = {list: L.list_size, tuple: L.tuple_size, bytes: L.bytes_size, bytearray: L.bytearray_size,
         str: L.unicode_length}


# -- unboxing --------------------------------------------------------------------------------

def emit_unbox_int(asm, emitter, item, exit, mismatch):
    """item = int64 of the object in rax: one digit inline, more by the shared routine; leaves beyond 64 bits."""
    emitter.compare_type(rax, int)
    asm.jne(mismatch)
    slow, done = asm.label("digits"), asm.label("unboxed")
    if L.long_size is not None:
        asm.mov(rcx, mem64(rax, L.long_size))
        asm.lea(rdx, mem64(rcx, 1))
        asm.cmp(rdx, 2)
        asm.ja(slow)
        asm.mov(edx, mem32(rax, L.long_digits))
        asm.imul(rdx, rcx)
    else:
        asm.mov(rdx, mem64(rax, L.long_tag))
        asm.cmp(rdx, 16)
        asm.jae(slow)
        asm.and_(edx, 3)
        asm.mov(ecx, 1)
        asm.sub(rcx, rdx)
        asm.mov(edx, mem32(rax, L.long_digits))
        asm.imul(rdx, rcx)
    asm.mov(item, rdx)
    asm.bind(done)
    with asm.cold():
        asm.bind(slow)
        asm.call(emitter.routines.unbox_int)
        asm.test(edx, edx)
        asm.jnz(exit)
        asm.mov(item, rax)
        asm.jmp(done)


def emit_unbox_float(asm, emitter, item, exit, mismatch):
    emitter.compare_type(rax, float)
    asm.jne(mismatch)
    asm.movsd(item, mem64(rax, L.float_value))


def emit_unbox_bool(asm, emitter, item, exit, mismatch):
    done = asm.label("is_bool")
    asm.xor(edx, edx)
    asm.cmp(rax, emitter.object(True))
    asm.sete(dl)
    asm.je(done)
    asm.cmp(rax, emitter.object(False))
    asm.jne(mismatch)
    asm.bind(done)
    asm.mov(item, rdx)


_UNBOX = {"int": emit_unbox_int, "float": emit_unbox_float, "bool": emit_unbox_bool}


def _unbox(kind):
    def emit(asm, value, result, exit, emitter):
        asm.mov(rax, value)
        _UNBOX[kind](asm, emitter, result, exit, exit)
    emit.__name__ = f"not_an_exact_{kind}"
    return emit


for _kind in _UNBOX:
    template(f"unbox_{_kind}", f"value: object -- result: {_kind}")(_unbox(_kind))


@template("guard_type", "value: object --")
def guard_type(asm, value, exit, detail, emitter):
    emitter.compare_type(emitter.register(value, rax), detail)
    asm.jne(exit)


@template("guard_bound", "flag: int --")
def guard_bound(asm, flag, exit):
    asm.cmp(flag, 0)
    asm.je(exit)


@template("same", "left: any, right: any -- result: bool")
def same_object(asm, left, right, result):
    asm.mov(rax, left)
    asm.cmp(rax, right)
    asm.sete(cl)
    asm.movzx(ecx, cl)
    asm.mov(result, rcx)


@template("branch_same", "left: object, right: object --", terminator=True)
def branch_on_identity(asm, left, right, emitter):
    asm.mov(rax, left)
    asm.cmp(rax, right)
    emitter.branch("e")


@template("branch_nonzero", "value: object --", terminator=True)
def branch_on_pointer(asm, value, emitter):
    asm.cmp(value, 0)
    emitter.branch("ne")


# -- boxing -------------------------------------------------------------------------------------

def emit_box(asm, emitter, value, kind, failed):
    """rax = new reference to the object for `value` of unboxed type `kind`; jumps to `failed` without memory."""
    if kind is types.BOOL:
        if isinstance(value, int):
            asm.mov(rax, emitter.object(bool(value)))
            emit_incref(asm, rax)
            return
        asm.mov(rax, emitter.object(False))
        asm.cmp(value, 0)
        asm.cmovne(rax, emitter.object(True))
        emit_incref(asm, rax)
        return
    if kind is types.FLOAT:
        emitter.move(xmm15, value)
        asm.call(emitter.routines.box_float)
    else:
        asm.mov(rax, value)
        asm.call(emitter.routines.box_int)
    asm.test(rax, rax)
    asm.jz(failed)


@template("box", "value: any -- boxed: any")
def box(asm, value, boxed, emitter):
    emit_box(asm, emitter, value, emitter.operation.arguments[0].type, emitter.throw_label())
    asm.mov(boxed, rax)


@template("incref", "value: object --")
def incref(asm, value, emitter):
    emit_incref(asm, emitter.register(value, rax))


@template("drop", "value: object --")
def drop(asm, value, emitter):
    emitter.emit_drop(value, emitter.operation.arguments[0])


@template("drop_if", "flag: int, value: any --")
def drop_if(asm, flag, value, emitter):
    kind = emitter.operation.arguments[1].type
    if kind.unboxed or kind is types.PENDING:
        return
    skip = asm.label("unbound")
    asm.cmp(flag, 0)
    asm.je(skip)
    emitter.emit_drop(value, emitter.operation.arguments[1])
    asm.bind(skip)


# -- reading items ----------------------------------------------------------------------------------

def emit_index(asm, emitter, container, index, exit, size_offset):
    """Check a subscript; returns (container register, index register or constant)."""
    base = emitter.register(container, rcx)
    size = mem64(base, size_offset)
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
        base, register = emit_index(asm, emitter, container, index, exit, _SIZE[detail])
        asm.mov(rax, item_address(asm, base, register, detail))
        _UNBOX[kind](asm, emitter, item, exit, emitter.mismatch_label())
    emit.__name__ = "index_out_of_range"
    return emit


for _kind in _UNBOX:
    template(f"item_{_kind}", f"container: object, index: int -- item: {_kind}")(_item_reader(_kind))


@template("item_object", "container: object, index: int -- item: object")
def index_out_of_range_object(asm, container, index, item, exit, detail, emitter):
    base, register = emit_index(asm, emitter, container, index, exit, _SIZE[detail])
    asm.mov(item, item_address(asm, base, register, detail))


@template("item_exact", "container: object, index: int -- item: any")
def index_out_of_range_exact(asm, container, index, item, exit, detail, emitter):
    base, register = emit_index(asm, emitter, container, index, exit, _SIZE[detail[0]])
    asm.mov(rax, item_address(asm, base, register, detail[0]))
    emitter.compare_type(rax, detail[1])
    asm.jne(emitter.mismatch_label())
    asm.mov(item, rax)


@template("item_byte", "container: object, index: int -- item: int")
def byte_index_out_of_range(asm, container, index, item, exit, detail, emitter):
    base, register = emit_index(asm, emitter, container, index, exit, _SIZE[detail])
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
    asm.cmp(mem64(emitter.register(container, rax), _SIZE[python]), count)
    asm.jne(exit)


def _known_reader(kind):
    def emit(asm, container, item, exit, detail, emitter):
        python, number = detail
        base = emitter.register(container, rcx)
        asm.mov(rax, item_address(asm, base, number, python))
        _UNBOX[kind](asm, emitter, item, exit, emitter.mismatch_label())
    emit.__name__ = "item_beyond_64_bits"
    return emit


for _kind in _UNBOX:
    template(f"known_item_{_kind}", f"container: object -- item: {_kind}")(_known_reader(_kind))


@template("known_item_object", "container: object -- item: object")
def known_item(asm, container, item, detail, emitter):
    python, number = detail
    asm.mov(item, item_address(asm, emitter.register(container, rcx), number, python))


def _cell_reader(kind):
    def emit(asm, cell, item, exit, emitter):
        asm.mov(rax, cell)
        asm.mov(rax, mem64(rax, L.cell_value))
        asm.test(rax, rax)
        asm.jz(exit)
        if kind == "object":
            asm.mov(item, rax)
        else:
            _UNBOX[kind](asm, emitter, item, exit, emitter.mismatch_label())
    emit.__name__ = "closure_variable_is_empty"
    return emit


for _kind in (*_UNBOX, "object"):
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


@template("length", "container: object -- length: int")
def length(asm, container, length, detail, emitter):
    asm.mov(length, mem64(emitter.register(container, rax), _SIZE[detail]))


def _length_truth(python):
    def emit(asm, value, result, emitter):
        asm.cmp(mem64(emitter.register(value, rax), _SIZE[python]), 0)
        asm.setne(cl)
        asm.movzx(ecx, cl)
        asm.mov(result, rcx)
    emit.__name__ = f"truth_of_{python.__name__}"
    return emit


for _python in (list, tuple, str, bytes, bytearray):
    template("truth", f"value: {_python.__name__} -- result: bool")(_length_truth(_python))


# -- iterating ----------------------------------------------------------------------------------------

@template("branch_iterator", "iterator: object --", terminator=True)
def branch_on_iterator(asm, iterator, emitter, detail):
    """A sequence iterator is a sequence and an index; the sequence may grow or shrink meanwhile."""
    base = emitter.register(iterator, rcx)
    asm.mov(rax, mem64(base, L.list_iterator_sequence))
    asm.mov(rdx, mem64(base, L.list_iterator_index))
    asm.cmp(rdx, mem64(rax, _SIZE[detail]))
    emitter.branch("b")


def _iterator_reader(kind):
    def emit(asm, iterator, item, exit, detail, emitter):
        python = detail[0] if isinstance(detail, tuple) else detail
        base = emitter.register(iterator, rcx)
        asm.mov(rax, mem64(base, L.list_iterator_sequence))
        asm.mov(rdx, mem64(base, L.list_iterator_index))
        if python is list:
            asm.mov(rax, mem64(rax, L.list_items))
        asm.mov(rax, mem64(rax, 0 if python is list else L.tuple_items, rdx, 8))
        if kind == "object":
            asm.mov(item, rax)
        elif kind == "exact":
            emitter.compare_type(rax, detail[1], rdx)
            asm.jne(emitter.mismatch_label())
            asm.mov(item, rax)
        else:
            _UNBOX[kind](asm, emitter, item, exit, emitter.mismatch_label())
        asm.add(mem64(emitter.register(iterator, rcx), L.list_iterator_index), 1)
    emit.__name__ = "item_beyond_64_bits"
    return emit


for _kind in (*_UNBOX, "object"):
    template(f"iterator_item_{_kind}", f"iterator: object -- item: {_kind}")(_iterator_reader(_kind))
template("iterator_item_exact", "iterator: object -- item: any")(_iterator_reader("exact"))


@template("iterator_item_byte", "iterator: object -- item: int")
def iterator_byte(asm, iterator, item, detail, emitter):
    base = emitter.register(iterator, rcx)
    asm.mov(rax, mem64(base, L.list_iterator_sequence))
    asm.mov(rdx, mem64(base, L.list_iterator_index))
    asm.add(mem64(base, L.list_iterator_index), 1)
    asm.movzx(emitter.low(item), byte_address(asm, rax, rdx, detail))
