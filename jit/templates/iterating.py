"""Iterators by their fields: whether they go on, what they give next, and moving them on.

`detail` of the readers: (path, Sequence or Numbers or Enumerated), see jit/iteration.py. Source: Objects/iterobject.c and the
types' own files, Objects/dictobject.c, Objects/setobject.c, Objects/enumobject.c, Objects/rangeobject.c, Python/bltinmodule.c (zip).
"""

from asm import Memory, ecx, edx, mem8, mem64, rax, rcx, rdi, rdx
from jit.iteration import Entries, Enumerated, Members, Numbers, Sequence, nodes
from jit.template import template
from jit.templates.boxing import UNBOX
from jit.templates.buffers import emit_load
from jit.templates.items import SIZE, byte_address
from jit.templates.strings import emit_character
from platforms.cpython.layout import layout

L = layout()
_RANGE_ITERATOR = type(iter(range(0)))


def emit_part(asm, emitter, iterator, path):
    """Register that holds the part of the iterator at `path`: rcx, or the iterator's own."""
    base = emitter.register(iterator, rcx)
    for step in path:
        if step < 0:
            asm.mov(rcx, mem64(base, L.enumerate_iterator))
        else:
            asm.mov(rcx, mem64(base, L.zip_iterators))
            asm.mov(rcx, mem64(rcx, L.tuple_items + 8 * step))
        base = rcx
    return base


@template("branch_source", "iterator: object --", terminator=True)
def range_beyond_64_bits(asm, iterator, exit, detail, emitter):
    """Goes on while every part has an item left; sequences may grow and shrink meanwhile."""
    ended = asm.label("ended")
    parts = [(path, part) for path, part in nodes(detail) if part.__class__ in (Sequence, Numbers, Entries, Members)]
    for path, part in parts:
        base = emit_part(asm, emitter, iterator, path)
        if part.__class__ in (Entries, Members):
            if base is not rcx:
                asm.mov(rcx, base)
            asm.call(emitter.routines.next_entry if part.__class__ is Entries else emitter.routines.next_member)
            asm.cmp(rax, 1)
            asm.je(exit)
            asm.xor(rdx.r32, rdx.r32)
            asm.cmp(rdx, rax)
        elif part.__class__ is Numbers:
            emitter.compare_type(base, _RANGE_ITERATOR, rax)
            asm.jne(exit)
            if L.range_iterator_index is None:
                asm.xor(rdx.r32, rdx.r32)
            else:
                asm.mov(rdx, mem64(base, L.range_iterator_index))
            asm.cmp(rdx, mem64(base, L.range_iterator_len))
        else:
            asm.mov(rax, mem64(base, L.sequence_iterator_sequence))
            asm.test(rax, rax)
            asm.jz(ended)
            asm.mov(rdx, mem64(base, L.sequence_iterator_index))
            asm.cmp(rdx, mem64(rax, SIZE[part.python]))
        if part is not parts[-1][1]:
            asm.jae(ended)
    # The carry flag says that the last part goes on; wherever `ended` is jumped to, it is clear.
    asm.bind(ended)
    emitter.branch("b")


@template("guard_iterable", "value: object --")
def no_iterable(asm, value, exit, emitter):
    """The class has an ``__iter__`` of some kind; what has `__getitem__` alone is left."""
    asm.mov(rax, mem64(emitter.register(value, rax), L.ob_type))
    asm.cmp(mem64(rax, L.type_iter), 0)
    asm.je(exit)


@template("guard_few", "container: object --")
def too_many_items(asm, container, exit, detail, emitter):
    """Whether a list has fewer than `detail` items."""
    asm.cmp(mem64(emitter.register(container, rcx), L.list_size), detail)
    asm.jae(exit)


@template("advance_source", "iterator: object --")
def advance_source(asm, iterator, detail, emitter):
    for path, part in nodes(detail):
        base = emit_part(asm, emitter, iterator, path)
        if part.__class__ is Enumerated:
            asm.add(mem64(base, L.enumerate_index), 1)
        elif part.__class__ is Sequence:
            asm.add(mem64(base, L.sequence_iterator_index), part.step)
        elif part.__class__ is Entries:
            asm.add(mem64(base, L.dict_iterator_position), 1)
            asm.sub(mem64(base, L.dict_iterator_left), 1)
        elif part.__class__ is Members:
            asm.add(mem64(base, L.set_iterator_position), 1)
            asm.sub(mem64(base, L.set_iterator_left), 1)
        elif part.__class__ is Numbers and L.range_iterator_index is not None:
            asm.add(mem64(base, L.range_iterator_index), 1)
        elif part.__class__ is Numbers:
            asm.mov(rax, mem64(base, L.range_iterator_step))
            asm.add(mem64(base, L.range_iterator_start), rax)
            asm.sub(mem64(base, L.range_iterator_len), 1)


@template("source_count", "iterator: object -- count: int")
def count_beyond_64_bits(asm, iterator, count, exit, detail, emitter):
    base = emit_part(asm, emitter, iterator, detail[0])
    asm.cmp(mem64(base, L.enumerate_long_index), 0)
    asm.jne(exit)
    asm.mov(rax, mem64(base, L.enumerate_index))
    asm.mov(rdx, rax)
    asm.add(rdx, 1)
    asm.jo(exit)
    asm.mov(count, rax)


@template("source_number", "iterator: object -- number: int")
def next_number(asm, iterator, number, detail, emitter):
    base = emit_part(asm, emitter, iterator, detail[0])
    if L.range_iterator_index is None:
        asm.mov(number, mem64(base, L.range_iterator_start))
        return
    asm.mov(rax, mem64(base, L.range_iterator_index))
    asm.imul(rax, mem64(base, L.range_iterator_step))
    asm.add(rax, mem64(base, L.range_iterator_start))
    asm.mov(number, rax)


@template("source_entry", "iterator: object -- entry: int")
def next_entry(asm, iterator, entry, detail, emitter):
    """The address of the key, behind which is the value, of the entry that `branch_source` has come to."""
    general, have = asm.label("keys_of_any_type"), asm.label("have_distance")
    base = emit_part(asm, emitter, iterator, detail)
    asm.mov(rax, mem64(base, L.dict_iterator_position))
    asm.mov(rdx, mem64(base, L.dict_iterator_dict))
    asm.mov(rdx, mem64(rdx, L.dict_keys))
    asm.cmp(mem8(rdx, L.keys_kind), 0)
    asm.je(general)
    asm.shl(rax, 4)
    asm.bind(have)
    asm.add(rax, rdx)
    asm.movzx(ecx, mem8(rdx, L.keys_log2_index_bytes))
    asm.mov(edx, 1)
    asm.shl(rdx, ecx.r8)
    asm.lea(rax, mem64(rax, L.keys_indices, rdx, 1))
    asm.mov(entry, rax)
    with asm.cold():
        asm.bind(general)
        asm.lea(rax, mem64(rax, 0, rax, 2))
        asm.shl(rax, 3)
        asm.add(rax, 8)
        asm.jmp(have)


@template("source_member", "iterator: object -- entry: int")
def next_member(asm, iterator, entry, detail, emitter):
    """The address of the entry, which begins with the key, that `branch_source` has come to."""
    base = emit_part(asm, emitter, iterator, detail)
    asm.mov(rax, mem64(base, L.set_iterator_position))
    asm.mov(rdx, mem64(base, L.set_iterator_set))
    asm.shl(rax, 4)
    asm.add(rax, mem64(rdx, L.set_table))
    asm.mov(entry, rax)


def _entry_reader(offset, kind):
    def emit(asm, iterator, entry, item, exit, detail, emitter):
        asm.mov(rax, mem64(emitter.register(entry, rax), offset))
        if kind == "object":
            asm.mov(item, rax)
        elif kind == "exact":
            emitter.compare_type(rax, detail[1], rdx)
            asm.jne(emitter.mismatch_label())
            asm.mov(item, rax)
        else:
            UNBOX[kind](asm, emitter, item, exit, emitter.mismatch_label())
    emit.__name__ = "entry_beyond_64_bits"
    return emit


for _name, _offset in (("entry_key", 0), ("entry_value", 8)):
    for _kind in (*UNBOX, "object", "exact"):
        template(f"{_name}_{_kind}", f"iterator: object, entry: int -- item: {'any' if _kind == 'exact' else _kind}")(_entry_reader(_offset, _kind))


def _sequence_and_index(asm, emitter, iterator, path):
    """rax = sequence, rdx = index."""
    base = emit_part(asm, emitter, iterator, path)
    asm.mov(rdx, mem64(base, L.sequence_iterator_index))
    asm.mov(rax, mem64(base, L.sequence_iterator_sequence))


def _item_reader(kind):
    def emit(asm, iterator, item, exit, detail, emitter):
        (path, source), python = detail if kind == "exact" else (detail, None)
        _sequence_and_index(asm, emitter, iterator, path)
        if source.python is list:
            asm.mov(rax, mem64(rax, L.list_items))
        asm.mov(rax, mem64(rax, 0 if source.python is list else L.tuple_items, rdx, 8))
        if kind == "object":
            asm.mov(item, rax)
        elif kind == "exact":
            emitter.compare_type(rax, python, rdx)
            asm.jne(emitter.mismatch_label())
            asm.mov(item, rax)
        else:
            UNBOX[kind](asm, emitter, item, exit, emitter.mismatch_label())
    emit.__name__ = "item_beyond_64_bits"
    return emit


for _kind in (*UNBOX, "object"):
    template(f"source_item_{_kind}", f"iterator: object -- item: {_kind}")(_item_reader(_kind))
template("source_item_exact", "iterator: object -- item: any")(_item_reader("exact"))


@template("source_item_byte", "iterator: object -- item: int")
def next_byte(asm, iterator, item, detail, emitter):
    path, source = detail
    _sequence_and_index(asm, emitter, iterator, path)
    asm.movzx(emitter.low(item), byte_address(asm, rax, rdx, source.python))


@template("source_character", "iterator: object -- code: int")
def string_in_an_old_form(asm, iterator, code, exit, detail, emitter):
    _sequence_and_index(asm, emitter, iterator, detail[0])
    emit_character(asm, code, rax, rdx, exit)


def _element_reader(kind):
    def emit(asm, iterator, item, exit, detail, emitter):
        path, source = detail
        _sequence_and_index(asm, emitter, iterator, path)
        asm.mov(rax, mem64(rax, L.array_items))
        size = source.buffer.size
        emit_load(asm, item, Memory(rax, 0, rdx, size, size=size), source.buffer, exit)
    emit.__name__ = "item_beyond_63_bits"
    return emit


for _kind in ("int", "float"):
    template(f"source_element_{_kind}", f"iterator: object -- item: {_kind}")(_element_reader(_kind))


@template("range_iterator", "start: int, step: int, remaining: int -- iterator: any", clobbers="c")
def range_iterator(asm, start, step, remaining, iterator, emitter):
    """A new range_iterator (rangeobject.c)."""
    asm.mov(rdi, emitter.object(type(iter(range(0)))))
    emitter.call_symbol("_PyObject_New")
    asm.test(rax, rax)
    asm.jz(emitter.throw_label())
    if L.range_iterator_index is not None:
        asm.mov(mem64(rax, L.range_iterator_index), 0)
    for offset, item in ((L.range_iterator_start, "start"), (L.range_iterator_len, "remaining"), (L.range_iterator_step, "step")):
        emitter.move(mem64(rax, offset), emitter.after_call(item))
    asm.mov(iterator, rax)
