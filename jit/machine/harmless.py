"""Which dead objects can be freed without a frame around it: no code but CPython's own runs, and nobody can look.

Problem: freeing an instance of a Python class may run finalisers, of its own or of what only it holds; so the frames of all compiled
callers are built first, which costs more than the freeing.
Idea: classes that are compiled for are put into a table if they have no finaliser and nothing but slots and values; machine code looks
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
from platforms.cpython import instances
from platforms.cpython.layout import layout
from platforms.cpython.observe import read

L = layout()
_ENTRIES = 256
#: type, version tag, words in the instance behind its header, offset of its list of weak references or 0, whether it has values.
_ENTRY = struct.Struct("<QIIii")
_SIZE = 32
_HEADER = 16
#: Pointers that are visited, and levels.
MOST_VISITED, DEEPEST = 24, 4
#: Objects of these types hold nothing.
PLAIN = (float, int, str, type(None), bool, bytes)
_SAVED = (rax, rcx, rdx, rsi, rdi, r8, r9, r10)


def _put(place, word):
    ctypes.c_uint64.from_address(place).value = word


@functools.cache
def table():
    """Address of the table of classes."""
    return arena().allocate_data(_ENTRIES * _SIZE)


def note(kind, tag):
    """Put a Python class into the table, if freeing an instance runs none of its code."""
    if is_simple(kind):
        place = table() + (id(kind) >> 4) % _ENTRIES * _SIZE
        values = bool(instances.flags(kind) & instances.MANAGED_DICT)
        words = (instances.basic_size(kind) - _HEADER) // 8
        entry = _ENTRY.pack(id(kind), tag, words, instances.weak_offset(kind), values)
        # Other threads may look meanwhile: the address, which makes the entry valid, comes last.
        _put(place, 0)
        for offset in (16, 8, 0):
            _put(place + offset, int.from_bytes(entry[offset:offset + 8], "little"))


def is_simple(kind):
    """Whether instances have no finaliser, and hold objects in slots, in values, and nowhere else."""
    dealloc, has_lists = _expected()
    if not has_lists or instances.dict_offset(kind) and not instances.has_values(kind):
        return False
    known = {instances.weak_offset(kind)}
    for base in instances.bases(kind):
        known.update(instances.slot_offset(item) for item in instances.namespace(base).values() if type(item) is MemberDescriptorType)
    if not known.issuperset(range(_HEADER, instances.basic_size(kind), 8)):
        return False  # fields of a class that is written in C
    return all(base is object or instances.flags(base) & instances.HEAP_TYPE and instances.slot_function(base, L.type_dealloc) == dealloc and
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
    instance = asm.label("instance")
    asm.cmp(rdx, relative(asm.constant(id(list))))
    asm.jne(instance)
    asm.mov(rdi, mem64(rsi, L.list_size))
    asm.mov(rsi, mem64(rsi, L.list_items))
    asm.jmp(items)
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


def _emit_instance(asm, visit, stop):
    """rsi = an instance of the class rdx: its slots, then its values."""
    no_list, end = asm.label("no_list"), asm.label("no_values")
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
    _emit_items(asm, visit, lambda: asm.mov(rsi, mem64(rsi, _HEADER, rdi, 8)))
    asm.pop(rcx)
    asm.cmp(mem32(rcx, 20), 0)
    asm.je(end)
    _emit_values(asm, visit, stop)
    asm.bind(end)


def _emit_values(asm, visit, stop):
    if L.values_inline:
        asm.cmp(mem64(rsi, L.instance_dict), 0)
        asm.jne(stop)
        asm.mov(rax, mem64(rsi, L.ob_type))
        asm.add(rsi, mem64(rax, L.type_basicsize))
        asm.cmp(mem8(rsi, L.values_valid), 0)
        asm.je(stop)
        asm.movzx(rdi.r32, mem8(rsi, L.values_capacity))
        _emit_items(asm, visit, lambda: asm.mov(rsi, mem64(rsi, L.values_items, rdi, 8)))
        return
    if L.instance_tagged is not None:
        asm.mov(rsi, mem64(rsi, L.instance_tagged))
        asm.test(rsi.r8, 1)
        asm.jz(stop)
        asm.add(rsi, 1)
    else:
        asm.mov(rsi, mem64(rsi, L.instance_values))
        asm.test(rsi, rsi)
        asm.jz(stop)
    asm.movzx(rdi.r32, mem8(rsi, L.values_size))

    def load():
        """The value whose number stands at that place of the order in which they were set."""
        asm.mov(rax, rdi)
        asm.neg(rax)
        asm.movzx(rax.r32, mem8(rsi, L.values_size - 1, rax, 1))
        asm.mov(rsi, mem64(rsi, L.values_items, rax, 8))

    _emit_items(asm, visit, load)
