"""Globals that keep changing: an entry of their dictionary, read anew each time, and overwritten.

A number that only the entry refers to is overwritten in place: nobody can tell it from a new one, and the dictionary has not changed.

`detail`: (dictionary, name, number of the entry). Source: Objects/dictobject.c.
"""

from asm import cl, eax, ecx, edx, mem8, mem32, mem64, rax, rcx, rdx, xmm15
from jit.machine.boxes import SMALLEST, SMALL_COUNT
from jit.machine.refcounts import emit_incref
from jit.machine.watcher import our_bit
from jit.template import template
from jit.templates.boxing import UNBOX
from platforms.cpython.layout import layout

L = layout()
#: Fourth of the details of a store of a number: no version relies on the name.
QUIETLY = "quietly"


def _emit_value(asm, emitter, exit, detail):
    """rax = the value, if the entry is still there."""
    namespace, name, number = detail[:3]
    asm.mov(rdx, emitter.object(namespace))
    asm.mov(rdx, mem64(rdx, L.dict_keys))
    asm.cmp(mem8(rdx, L.keys_kind), 0)
    asm.je(exit)
    asm.cmp(mem64(rdx, L.keys_entries_used), number)
    asm.jbe(exit)
    asm.mov(cl, mem8(rdx, L.keys_log2_index_bytes))
    asm.mov(rax, 1)
    asm.shl(rax, cl)
    asm.lea(rdx, mem64(rdx, L.keys_indices + number * L.keys_entry_size))
    asm.add(rdx, rax)
    asm.mov(rax, emitter.object(name))
    asm.cmp(mem64(rdx, 0), rax)
    asm.jne(exit)
    asm.mov(rax, mem64(rdx, 8))
    asm.test(rax, rax)
    asm.jz(exit)


def _reader(kind):
    def emit(asm, item, exit, detail, emitter):
        place, python = detail if kind == "exact" else (detail, None)
        _emit_value(asm, emitter, exit, place)
        if kind == "object":
            asm.mov(item, rax)
        elif kind == "exact":
            emitter.compare_type(rax, python, rdx)
            asm.jne(emitter.mismatch_label())
            asm.mov(item, rax)
        else:
            UNBOX[kind](asm, emitter, item, exit, emitter.mismatch_label())
    emit.__name__ = "global_has_moved"
    return emit


for _kind in (*UNBOX, "object"):
    template(f"global_{_kind}", f"-- item: {_kind}")(_reader(_kind))
template("global_exact", "-- item: any")(_reader("exact"))


#: Freeing these runs no code of the program's.
_HARMLESS = (int, float, bool, str, type(None))
_DIGIT_BITS = 30


@template("store_global_float", "value: float --")
def global_is_no_number(asm, value, exit, detail, emitter):
    replace, done = asm.label("replace"), asm.label("stored")
    _emit_value(asm, emitter, exit, detail)
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
        _emit_check_old(asm, emitter, exit)
        emitter.move(xmm15, value)
        asm.call(emitter.routines.box_float)
        _emit_replace(asm, emitter, detail, done)


@template("store_global_int", "value: int --")
def global_was_no_number(asm, value, exit, detail, emitter):
    """In place if the digits are as many as before. Small ints exist once."""
    replace, done, two = asm.label("replace"), asm.label("stored"), asm.label("two_digits")
    _emit_value(asm, emitter, exit, detail)
    asm.cmp(emitter.refcount(rax), 1)
    asm.jne(replace)
    emitter.compare_type(rax, int, rcx)
    asm.jne(replace)
    asm.mov(rcx, value)
    asm.mov(rdx, rcx)
    asm.sar(rdx, 63)
    asm.xor(rcx, rdx)
    asm.sub(rcx, rdx)
    asm.cmp(rcx, 1 << _DIGIT_BITS)
    asm.jae(two)
    asm.cmp(rcx, SMALLEST + SMALL_COUNT)
    asm.jb(replace)
    _emit_has_digits(asm, 1, replace)
    asm.mov(mem32(rax, L.long_digits), ecx)
    _emit_sign(asm, 1)
    asm.bind(done)
    with asm.cold():
        asm.bind(two)
        _emit_has_digits(asm, 2, replace)
        asm.mov(mem32(rax, L.long_digits), ecx)
        asm.and_(mem32(rax, L.long_digits), (1 << _DIGIT_BITS) - 1)
        asm.shr(rcx, _DIGIT_BITS)
        asm.cmp(rcx, 1 << _DIGIT_BITS)
        asm.jae(replace)
        asm.mov(mem32(rax, L.long_digits + 4), ecx)
        _emit_sign(asm, 2)
        asm.jmp(done)
        asm.bind(replace)
        _emit_value(asm, emitter, exit, detail)
        _emit_check_old(asm, emitter, exit)
        asm.mov(rax, value)
        asm.call(emitter.routines.box_int)
        _emit_replace(asm, emitter, detail, done)


@template("store_global_object", "value: object --")
def global_cannot_be_replaced(asm, value, exit, detail, emitter):
    """The entry's object, and nothing else of the dictionary: nobody relies on it. The last detail: the value's reference is ours to give."""
    *place, moved = detail
    namespace = emitter.object(place[0])
    if L.dict_watchers:
        asm.mov(rdx, namespace)
        asm.mov(rax, mem64(rdx, L.dict_tag))
        asm.test(eax, 0xFF & ~our_bit())
        asm.jnz(exit)
    asm.mov(rdx, namespace)
    asm.cmp(mem64(rdx, L.gc_next), 0)  # CPython tracks a dictionary when it gets something to be tracked
    asm.je(exit)
    _emit_value(asm, emitter, exit, place)
    asm.mov(rcx, value)
    asm.mov(mem64(rdx, 8), rcx)
    if not moved:
        asm.mov(rdx, rcx)
        emit_incref(asm, rdx, rcx)
    emitter.emit_drop_rax()


def _emit_has_digits(asm, count, replace):
    """Go to `replace` unless the int in rax has so many digits."""
    same = asm.label("same_size")
    if L.long_size is not None:
        field, sizes = L.long_size, (count, -count)
    else:
        field, sizes = L.long_tag, (count << 3, count << 3 | 2)
    asm.cmp(mem64(rax, field), sizes[0])
    asm.je(same)
    asm.cmp(mem64(rax, field), sizes[1])
    asm.jne(replace)
    asm.bind(same)


def _emit_sign(asm, count):
    """Set the size of the int in rax; rdx = 0, or -1 if it is negative."""
    if L.long_size is not None:
        # x ^ -1 - -1 is -x
        asm.mov(ecx, count)
        asm.xor(rcx, rdx)
        asm.sub(rcx, rdx)
        asm.mov(mem64(rax, L.long_size), rcx)
    else:
        asm.and_(edx, 2)
        asm.or_(edx, count << 3)
        asm.mov(mem64(rax, L.long_tag), rdx)


def _emit_check_old(asm, emitter, exit):
    """Leave, before anything has happened, unless the object in rax may be freed without further ado."""
    harmless = asm.label("harmless")
    for python in _HARMLESS:
        emitter.compare_type(rax, python, rcx)
        asm.je(harmless)
    asm.jmp(exit)
    asm.bind(harmless)


def _emit_replace(asm, emitter, detail, done):
    """Put the new object in rax into the dictionary; if nobody relies on the name, into its entry alone."""
    namespace, name, _ = detail[:3]
    asm.test(rax, rax)
    asm.jz(emitter.throw_label())
    if detail[3:] == (QUIETLY,):
        told = asm.label("somebody_is_told")
        if L.dict_watchers:
            asm.mov(rdx, emitter.object(namespace))
            asm.mov(rcx, mem64(rdx, L.dict_tag))
            asm.test(ecx, 0xFF & ~our_bit())
            asm.jnz(told)
        asm.movq(xmm15, rax)
        _emit_value(asm, emitter, told, detail)  # it has not moved
        asm.movq(rcx, xmm15)
        asm.mov(mem64(rdx, 8), rcx)
        emitter.emit_drop_rax()
        asm.jmp(done)
        asm.bind(told)
    asm.mov(rcx, emitter.object(namespace))
    asm.mov(rdx, emitter.object(name))
    asm.call(emitter.routines.set_item)
    asm.test(eax, eax)
    asm.jnz(emitter.throw_label())
    asm.jmp(done)
