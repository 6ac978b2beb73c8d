"""Which dead objects can be freed without a frame around it: no code but CPython's own runs, and nobody can look.

Problem: freeing an instance of a Python class may run finalisers, of its own or of what only it holds; so the frames of all compiled
callers are built first, which costs more than the freeing.
Idea: classes that are compiled for are put into a table if they have no finaliser and nothing but slots, values, a dict or a list's items; machine code looks
there, by the class's address and version tag, and then at what the instance holds, to a small depth. An object with more references
than are visited cannot die.

Source: CPython Objects/typeobject.c (subtype_dealloc), Objects/dictobject.c (PyDictValues).
"""

import ctypes
import functools
import struct
import weakref
from types import MemberDescriptorType

from asm import mem8, mem32, mem64, r8, r9, r10, rax, rcx, rdi, rdx, relative, rsi, rsp
from jit.machine.arena import arena
from jit.machine.holders import HOLDERS, PLAIN, emit_go_to_kind
from platforms.cpython import instances
from platforms.cpython.layout import layout
from platforms.cpython.observe import read

L = layout()
_ENTRIES = 256
#: type, version tag, number of slots in the instance, offset of its list of weak references or 0, one of the three below, offset of its
#: slots, whether it is a list (1) or a tuple (2).
_ENTRY = struct.Struct("<QIIiiii")
_SIZE = 32
_IS_LIST, _IS_TUPLE = 1, 2
_NO_DICT, _VALUES, _NO_VALUES = range(3)  # instances have neither values nor a dict, both, or a dict that may be absent
_HEADER = 16
#: Pointers that are visited, and levels.
MOST_VISITED, DEEPEST = 24, 4
#: Places, less one, of the largest table of a set that is gone through.
LARGEST_TABLE = 255
_SAVED = (rax, rcx, rdx, rsi, rdi, r8, r9, r10)


@functools.cache
def table():
    """Address of the table of classes."""
    return arena().allocate_data(_ENTRIES * _SIZE)


def note(kind, tag):
    """Put a Python class into the table, if freeing an instance runs none of its code."""
    builtin = next((base for base in instances.bases(kind) if base is list or base is tuple), None)
    if is_simple(kind, builtin):
        managed = instances.flags(kind) & instances.MANAGED_DICT
        values = _NO_DICT if not managed else _VALUES if instances.has_values(kind) else _NO_VALUES
        first = instances.basic_size(builtin) if builtin else _HEADER
        words = (instances.basic_size(kind) - first) // 8
        _enter(id(kind), tag, words, instances.weak_offset(kind), values, first, {list: _IS_LIST, tuple: _IS_TUPLE}.get(builtin, 0))


def note_leaf(kind, tag):
    """Put a type that is written in C into the table, whose instances hold no objects and cannot be referred to weakly."""
    _enter(id(kind), tag, 0, 0, _NO_DICT, _HEADER, 0)


def _enter(address, *entry):
    place = table() + (address >> 4) % _ENTRIES * _SIZE
    words = struct.unpack("<4Q", _ENTRY.pack(address, *entry))
    # Other threads may look meanwhile: the address, which makes the entry valid, comes last.
    for number, word in ((0, 0), (3, words[3]), (2, words[2]), (1, words[1]), (0, words[0])):
        ctypes.c_uint64.from_address(place + 8 * number).value = word


def is_simple(kind, builtin=None):
    """Whether instances have no finaliser, and hold objects in slots, in values, and nowhere else.

    Args:
        builtin: list if they may also be lists, with items and a dict in the place of values; tuple if they may be tuples, which have neither slots nor dict.
    """
    dealloc, has_lists = _expected()
    flags = instances.flags(kind)
    if not has_lists or instances.dict_offset(kind) and not instances.has_values(kind) and not (builtin is list and flags & instances.MANAGED_DICT) or \
            builtin is tuple and flags & instances.MANAGED_DICT:
        return False
    known = {instances.weak_offset(kind)}
    if builtin is not None:
        known.update(range(_HEADER, instances.basic_size(builtin), 8))
    for base in instances.bases(kind):
        known.update(instances.slot_offset(item) for item in instances.namespace(base).values() if type(item) is MemberDescriptorType)
    if not known.issuperset(range(_HEADER, instances.basic_size(kind), 8)):
        return False  # fields of a class that is written in C
    return all(base is object or base is builtin or
               instances.flags(base) & instances.HEAP_TYPE and instances.slot_function(base, L.type_dealloc) == dealloc and
               "__del__" not in instances.namespace(base) for base in instances.bases(kind))


class _Plain:
    pass


class _Slotted:
    __slots__ = ("__weakref__", "slot")


@functools.cache
def _expected():
    """(address of the function that frees instances of Python classes, whether their lists of weak references lie where the class says)."""
    found = []
    for kind in (_Plain, _Slotted):
        instance, offset = kind(), instances.weak_offset(kind)
        before = read(id(instance) + offset)
        reference = weakref.ref(instance)
        found.append((before, read(id(instance) + offset)) == (0, id(reference)))
    return instances.slot_function(_Plain, L.type_dealloc), all(found)


def emit_unless_harmless(asm, foreign):
    """Go to `foreign` unless the dead object in rax, an instance, can be freed without a frame. Keeps all registers."""
    visit, stop, go_on = asm.label("visit"), asm.label("stop"), asm.label("harmless")
    for register in _SAVED:
        asm.push(register)
    asm.mov(rsi, rax)
    asm.mov(r8.r32, MOST_VISITED)
    asm.mov(r9.r32, DEEPEST)
    asm.mov(r10, rsp)
    asm.call(visit)
    _restore(asm)
    asm.jmp(go_on)
    asm.bind(stop)
    asm.mov(rsp, r10)
    _restore(asm)
    asm.jmp(foreign)
    asm.bind(visit)
    _emit_visit(asm, visit, stop)
    asm.bind(go_on)


def _restore(asm):
    for register in reversed(_SAVED):
        asm.pop(register)


def _emit_visit(asm, visit, stop):
    """A subroutine: rsi = an object that may die. Goes to `stop` if its death may run foreign code."""
    done, items, is_list = (asm.label(name) for name in ("done", "items", "is_list"))
    asm.sub(r8.r32, 1)
    asm.js(stop)
    asm.mov(rdx, mem64(rsi, L.ob_type))
    for kind in PLAIN:
        asm.cmp(rdx, relative(asm.constant(id(kind))))
        asm.je(done)
    # The count is unsigned here: that of immortal objects is large, too.
    asm.cmp((mem32 if L.immortal_refcounts else mem64)(rsi, L.ob_refcnt), MOST_VISITED)
    asm.ja(done)
    asm.sub(r9.r32, 1)
    asm.js(stop)
    asm.cmp(rdx, relative(asm.constant(id(tuple))))
    asm.jne(is_list)
    asm.mov(rdi, mem64(rsi, L.tuple_size))
    asm.lea(rsi, mem64(rsi, L.tuple_items))
    asm.bind(items)
    _emit_items(asm, visit, lambda: asm.mov(rsi, mem64(rsi, 0, rdi, 8)))
    asm.add(r9.r32, 1)
    asm.bind(done)
    asm.ret()
    asm.bind(is_list)
    instance, other, of_set, of_dict, visited = (asm.label(name) for name in ("instance", "other", "of_set", "of_dict", "visited"))
    holders = [asm.label(kind.__name__) for kind, _ in HOLDERS]
    asm.cmp(rdx, relative(asm.constant(id(list))))
    asm.jne(other)
    asm.mov(rdi, mem64(rsi, L.list_size))
    asm.mov(rsi, mem64(rsi, L.list_items))
    asm.jmp(items)
    asm.bind(other)
    emit_go_to_kind(asm, [(set, of_set), (frozenset, of_set), (dict, of_dict), *zip([kind for kind, _ in HOLDERS], holders)])
    asm.jmp(instance)
    asm.bind(of_set)
    _emit_set(asm, visit, stop)
    asm.jmp(visited)
    asm.bind(of_dict)
    _emit_dict(asm, visit, stop)
    asm.bind(visited)
    asm.add(r9.r32, 1)
    asm.ret()
    for (kind, offsets), label in zip(HOLDERS, holders):
        asm.bind(label)
        emit_unless_referred(asm, rsi, kind, stop)
        for offset in offsets:
            absent = asm.label("absent")
            asm.push(rsi)
            asm.mov(rsi, mem64(rsi, offset))
            asm.test(rsi, rsi)
            asm.jz(absent)
            asm.call(visit)
            asm.bind(absent)
            asm.pop(rsi)
        asm.jmp(visited)
    asm.bind(instance)
    _emit_instance(asm, visit, stop)
    asm.add(r9.r32, 1)
    asm.ret()


def _emit_items(asm, visit, load):
    """Visit rdi objects; `load` makes rsi the object of number rdi, from what rsi was."""
    again, skip, end = asm.label("again"), asm.label("skip"), asm.label("end")
    asm.bind(again)
    asm.sub(rdi, 1)
    asm.js(end)
    asm.push(rsi)
    load()
    asm.test(rsi, rsi)
    asm.jz(skip)
    asm.push(rdi)
    asm.call(visit)
    asm.pop(rdi)
    asm.bind(skip)
    asm.pop(rsi)
    asm.jmp(again)
    asm.bind(end)


def emit_unless_referred(asm, item, kind, referred):
    """Go to `referred` if there is a weak reference to `item`, which is of this builtin type: somebody may want to be told."""
    if instances.weak_offset(kind):
        asm.cmp(mem64(item, instances.weak_offset(kind)), 0)
        asm.jne(referred)


def _emit_set(asm, visit, stop):
    """rsi = a set or frozenset, not a large one. Most of its entries are free, and most keys are ints or strings, which are passed by at once."""
    again, end = asm.label("again"), asm.label("end")
    emit_unless_referred(asm, rsi, set, stop)
    asm.mov(rdi, mem64(rsi, L.set_mask))
    asm.cmp(rdi, LARGEST_TABLE)
    asm.ja(stop)
    asm.add(rdi, 1)
    asm.shl(rdi, 4)
    asm.mov(rsi, mem64(rsi, L.set_table))
    asm.add(rdi, rsi)
    asm.mov(rcx, relative(asm.constant(id(int))))
    asm.mov(rdx, relative(asm.constant(id(str))))
    asm.bind(again)
    asm.cmp(rsi, rdi)
    asm.jae(end)
    asm.mov(rax, mem64(rsi, 0))
    asm.add(rsi, 16)
    asm.test(rax, rax)
    asm.jz(again)
    for plain in (rcx, rdx):
        asm.cmp(mem64(rax, L.ob_type), plain)
        asm.je(again)
    for register in (rcx, rdx, rdi, rsi):
        asm.push(register)
    asm.mov(rsi, rax)
    asm.call(visit)
    for register in (rsi, rdi, rdx, rcx):
        asm.pop(register)
    asm.jmp(again)
    asm.bind(end)


def _emit_dict(asm, visit, stop):
    """rsi = a dict: its values and, unless it shares them, its keys."""
    split, general, done = (asm.label(name) for name in ("split", "keys_of_any_type", "dict_visited"))
    if L.dict_watcher_mask:
        asm.test(mem64(rsi, L.dict_version_tag), L.dict_watcher_mask)
        asm.jnz(stop)
    asm.mov(rdx, mem64(rsi, L.dict_keys))
    asm.mov(rdi, mem64(rdx, L.keys_entries_used))
    asm.mov(rax, mem64(rsi, L.dict_values))
    asm.test(rax, rax)
    asm.jnz(split)
    asm.movzx(rcx.r32, mem8(rdx, L.keys_log2_index_bytes))
    asm.mov(rax.r32, 1)
    asm.shl(rax, rcx.r8)
    asm.lea(rsi, mem64(rdx, L.keys_indices, rax, 1))
    asm.add(rdi, rdi)
    asm.cmp(mem8(rdx, L.keys_kind), 0)
    asm.je(general)
    _emit_items(asm, visit, lambda: asm.mov(rsi, mem64(rsi, 0, rdi, 8)))
    asm.jmp(done)
    asm.bind(general)

    def load():
        """Of each entry's three words the hash comes first: item 2 * n is key n, item 2 * n + 1 its value."""
        asm.mov(rax, rdi)
        asm.shr(rax, 1)
        asm.add(rax, rdi)
        asm.mov(rsi, mem64(rsi, 8, rax, 8))

    _emit_items(asm, visit, load)
    asm.jmp(done)
    asm.bind(split)
    asm.lea(rsi, mem64(rax, L.values_items))
    _emit_items(asm, visit, lambda: asm.mov(rsi, mem64(rsi, 0, rdi, 8)))
    asm.bind(done)


def _emit_instance(asm, visit, stop):
    """rsi = an instance of the class rdx: its slots, its items if it is a list, then its values."""
    no_list, no_items, is_tuple, end = (asm.label(name) for name in ("no_list", "no_items", "is_a_tuple", "no_values"))
    asm.mov(rcx, rdx)
    asm.shr(rcx, 4)
    asm.and_(rcx.r32, _ENTRIES - 1)
    asm.shl(rcx.r32, 5)
    asm.lea(rax, relative(table()))
    asm.add(rcx, rax)
    asm.cmp(mem64(rcx, 0), rdx)
    asm.jne(stop)
    asm.mov(rax.r32, mem32(rdx, L.type_version_tag))
    asm.cmp(mem32(rcx, 8), rax.r32)
    asm.jne(stop)
    asm.movsxd(rax, mem32(rcx, 16))
    asm.test(rax, rax)
    asm.jz(no_list)
    asm.cmp(mem64(rsi, 0, rax, 1), 0)
    asm.jne(stop)
    asm.bind(no_list)
    asm.mov(rdi.r32, mem32(rcx, 12))
    asm.push(rcx)
    asm.push(rsi)
    asm.movsxd(rax, mem32(rcx, 24))
    asm.add(rsi, rax)
    _emit_items(asm, visit, lambda: asm.mov(rsi, mem64(rsi, 0, rdi, 8)))
    asm.pop(rsi)
    asm.pop(rcx)
    asm.cmp(mem32(rcx, 28), _IS_LIST)
    asm.jb(no_items)
    asm.ja(is_tuple)
    asm.push(rcx)
    asm.push(rsi)
    asm.mov(rdi, mem64(rsi, L.list_size))
    asm.mov(rsi, mem64(rsi, L.list_items))
    _emit_items(asm, visit, lambda: asm.mov(rsi, mem64(rsi, 0, rdi, 8)))
    asm.pop(rsi)
    asm.pop(rcx)
    asm.bind(no_items)
    asm.cmp(mem32(rcx, 20), _NO_DICT)
    asm.je(end)
    _emit_values(asm, visit, stop, end)
    asm.jmp(end)
    asm.bind(is_tuple)
    asm.mov(rdi, mem64(rsi, L.tuple_size))
    asm.lea(rsi, mem64(rsi, L.tuple_items))
    _emit_items(asm, visit, lambda: asm.mov(rsi, mem64(rsi, 0, rdi, 8)))
    asm.bind(end)


def _emit_values(asm, visit, stop, end):
    """rsi = an instance of a class with the entry rcx, which says that it may have a dict: its dict, if it has one, or its values."""
    no_dict = asm.label("no_dict")
    if L.instance_tagged is not None:
        asm.mov(rsi, mem64(rsi, L.instance_tagged))
        asm.test(rsi, rsi)
        asm.jz(end)
        asm.test(rsi.r8, 1)
        asm.jnz(no_dict)
    else:
        asm.mov(rax, mem64(rsi, L.instance_dict))
        asm.test(rax, rax)
        asm.jz(no_dict)
        asm.mov(rsi, rax)
    asm.call(visit)
    asm.jmp(end)
    asm.bind(no_dict)
    if L.instance_tagged is not None:
        asm.add(rsi, 1)
    if L.values_inline:
        asm.cmp(mem32(rcx, 20), _VALUES)
        asm.jne(end)
        asm.mov(rax, mem64(rsi, L.ob_type))
        asm.add(rsi, mem64(rax, L.type_basicsize))
        asm.cmp(mem8(rsi, L.values_valid), 0)
        asm.je(stop)
    elif L.instance_tagged is None:
        asm.mov(rsi, mem64(rsi, L.instance_values))
        asm.test(rsi, rsi)
        asm.jz(end)
    asm.movzx(rdi.r32, mem8(rsi, L.values_size))

    def load():
        """The value whose number stands at that place of the order in which they were set, which lies behind the values or backwards before them."""
        if L.values_inline:
            asm.movzx(rax.r32, mem8(rsi, L.values_capacity))
            asm.lea(rax, mem64(rdi, 0, rax, 8))
            asm.movzx(rax.r32, mem8(rsi, L.values_items, rax, 1))
        else:
            asm.mov(rax, rdi)
            asm.neg(rax)
            asm.movzx(rax.r32, mem8(rsi, L.values_size - 1, rax, 1))
        asm.mov(rsi, mem64(rsi, L.values_items, rax, 8))

    _emit_items(asm, visit, load)
