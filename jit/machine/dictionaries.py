"""Machine code that looks up attributes in the dict of an instance: for instances that have one instead of an array of values.

    dict_attribute   rcx = instance whose type has a managed dictionary, rdx = name (an interned str)
                     -> rax = the attribute (borrowed), 0 if the dict has none, 1 if only CPython can tell; rcx, rdx are lost
    dict_attribute_noted   the same, and rax = address of a cell (jit/hint_cells.py) that is told where it was found
    dict_entry       rcx = an exact dict, else the same
    next_entry       rcx = an iterator over a dict, which is moved on behind deleted entries -> rax = address of the next entry's key, 0 at the end,
                     1 if only CPython can tell; all else is kept
    dict_store       the same as dict_attribute, and rax = object to put there; without a dict, the instance has no attribute of this name
                     -> rax = the old object, now ours, or 0; rcx = the new one; edx = 1: nothing done, only CPython can tell; 2: no memory

The index is probed as CPython does, but keys are compared by identity: a key that is equal and not identical is CPython's business,
and cannot be told from another one, so the search goes on and ends with an answer of 1 if any such key had the same hash.
Source: CPython Objects/dictobject.c (unicodekeys_lookup_unicode), Include/internal/pycore_dict.h.
"""

import ctypes
from functools import lru_cache

from asm import ecx, eax, edx, mem8, mem16, mem32, mem64, r8, r9, r10, rax, rcx, rdi, rdx, relative, rsi, rsp
from jit.machine.arena import arena
from jit.machine.saving import AREA, emit_call, emit_restore, emit_save
from jit.machine.refcounts import emit_incref
from platforms.cpython.layout import layout
from platforms.pages import memset

L = layout()
#: Between versions that compiled code gives to dicts it changes: more than CPython uses the low bits for (DICT_VERSION_INCREMENT).
VERSION_STEP = 1 << 12
_FIRST_VERSION = 1 << 62  # CPython's own come not so far
#: The bytes of a keys object that a Hint's form is compared with, from `keys_log2_size` on.
FORM = 0xFFFFFF
#: Places in the table of dicts relied upon; a power of 2.
PLACES = 1 << 16
UNICODE, SPLIT = 1, 2
#: A HintCell: form and number, 32 bits each, then the offset.
CELL_FORM, CELL_NUMBER, CELL_OFFSET, CELL_SIZE = 0, 4, 8, 16
PERTURB_SHIFT = 5
EMPTY, DUMMY = -1, -2
_SAVED = (rsi, rdi, r8, r9, r10)


def emit(asm):
    """Emit the routine; returns its label by name."""
    labels = {name: asm.label(name) for name in ("dict_attribute", "dict_attribute_noted", "next_entry", "dict_store")}
    for name, emit_one in (("dict_attribute", _Lookup(asm).emit), ("dict_attribute_noted", _Lookup(asm, noted=True).emit),
                           ("next_entry", lambda: _emit_next_entry(asm)), ("dict_store", lambda: _emit_store(asm, labels["dict_attribute"]))):
        asm.align(16)
        asm.comment(name)
        asm.bind(labels[name])
        emit_one()
    return labels


def emit_dict_entry(asm, label):
    """Emit `dict_entry`, which routines themselves call."""
    asm.align(16)
    asm.bind(label)
    _Lookup(asm, of_instance=False).emit()


@lru_cache(None)
def version_source():
    """Address of the version that compiled code last gave to a dict it changed."""
    address = arena().allocate_data(8)
    ctypes.c_uint64.from_address(address).value = _FIRST_VERSION
    return address


@lru_cache(None)
def relied_upon():
    """Address of `PLACES` bytes: those that `place` gives for dicts whose entries some version relies on are not 0.

    Such a dict may be an instance's as well (``self.__dict__ = globals()``), or anybody's (``globals()[name] = value``); what compiled code changes in it, other compiled code
    would not learn in time.
    """
    address = arena().allocate_data(PLACES)
    memset(address, 0, PLACES)
    return address


def rely(mapping):
    """Compiled code does not write into this dict from now on (and into a few others)."""
    ctypes.c_uint8.from_address(relied_upon() + (id(mapping) >> 4 & PLACES - 1)).value = 1


def emit_refuse_relied(asm, mapping, scratch, other, refused):
    """Jump to `refused` if compiled code may not write into the dict in `mapping`; `scratch` and `other` are lost.

    One that only a single thing refers to is nobody's namespace.
    """
    its_own = asm.label("its_own")
    asm.cmp(mem64(mapping, L.ob_refcnt), 1)
    asm.je(its_own)
    asm.mov(scratch, mapping)
    asm.shr(scratch, 4)
    asm.and_(scratch, PLACES - 1)
    asm.lea(other, relative(relied_upon()))
    asm.cmp(mem8(other, 0, scratch, 1), 0)
    asm.jne(refused)
    asm.bind(its_own)


def _emit_next_entry(asm):
    """Iterators over dicts that share their keys, or have changed their size, are left to CPython."""
    plain, general, found, ended, unknown, out = (asm.label(name) for name in ("plain", "general", "found", "ended", "unknown", "out"))
    saved = rdx, rsi, rdi, rcx
    for register in saved:
        asm.push(register)
    asm.mov(rdx, mem64(rcx, L.dict_iterator_dict))
    asm.test(rdx, rdx)
    asm.jz(ended)
    asm.mov(rax, mem64(rdx, L.dict_used))
    asm.cmp(rax, mem64(rcx, L.dict_iterator_used))
    asm.jne(unknown)
    asm.cmp(mem64(rdx, L.dict_values), 0)
    asm.jne(unknown)
    asm.mov(rsi, mem64(rdx, L.dict_keys))
    asm.mov(rdi, mem64(rcx, L.dict_iterator_position))
    asm.movzx(ecx, mem8(rsi, L.keys_log2_index_bytes))
    asm.mov(eax, 1)
    asm.shl(rax, ecx.r8)
    asm.lea(rdx, mem64(rsi, L.keys_indices, rax, 1))
    asm.cmp(mem8(rsi, L.keys_kind), 0)
    asm.je(general)
    for start, of_any_type in ((plain, False), (general, True)):
        asm.bind(start)
        asm.cmp(rdi, mem64(rsi, L.keys_entries_used))
        asm.jae(ended)
        if of_any_type:
            asm.lea(rax, mem64(rdi, 0, rdi, 2))
            asm.lea(rax, mem64(rdx, 8, rax, 8))
        else:
            asm.mov(rax, rdi)
            asm.shl(rax, 4)
            asm.add(rax, rdx)
        asm.cmp(mem64(rax, 8), 0)
        asm.jne(found)
        asm.add(rdi, 1)
        asm.jmp(start)
    asm.bind(found)
    asm.mov(rcx, mem64(rsp, 0))
    # An entry too many: keys have been exchanged.
    asm.cmp(mem64(rcx, L.dict_iterator_left), 0)
    asm.je(unknown)
    asm.mov(mem64(rcx, L.dict_iterator_position), rdi)
    emit_answers(asm, saved, ended, unknown, out)


def emit_answers(asm, saved, ended, unknown, out):
    """The end of a routine that pushed the registers `saved`: with rax as it is, and from `ended` with 0, from `unknown` with 1."""
    asm.bind(out)
    for register in reversed(saved):
        asm.pop(register)
    asm.ret()
    asm.bind(ended)
    asm.xor(eax, eax)
    asm.jmp(out)
    asm.bind(unknown)
    asm.mov(eax, 1)
    asm.jmp(out)


def _emit_store(asm, look_up):
    """The old object is kept from being freed by CPython: what that runs wants to see a frame. There is none where there is no dict."""
    absent, unknown, known, no_dict, stored = (asm.label(name) for name in ("absent", "unknown", "known", "no_dict", "stored"))
    asm.sub(rsp, 8)  # what is called wants it aligned
    for register in (rax, rcx, rdx):
        asm.push(register)
    asm.mov(rax, mem64(rcx, L.instance_dict if L.instance_dict is not None else L.instance_tagged))
    asm.test(rax, rax)
    asm.jz(no_dict)
    if L.instance_dict is None:
        asm.test(rax.r32, 1)
        asm.jnz(no_dict)
    emit_refuse_relied(asm, rax, rcx, rdx, unknown)
    asm.mov(rcx, mem64(rsp, 8))
    asm.mov(rdx, mem64(rsp, 0))
    asm.call(look_up)
    asm.cmp(rax, 1)
    asm.je(unknown)
    asm.jb(absent)
    emit_incref(asm, rax, rcx)
    asm.bind(absent)
    # The old object takes the name's place on the stack.
    asm.pop(rdx)
    asm.push(rax)
    emit_save(asm)
    asm.mov(rax, mem64(rsp, AREA + 8))
    asm.mov(rdi, mem64(rax, L.instance_dict if L.instance_dict is not None else L.instance_tagged))
    asm.mov(rsi, rdx)
    asm.mov(rdx, mem64(rsp, AREA + 16))
    emit_call(asm, "PyDict_SetItem")
    asm.jmp(stored)
    asm.bind(no_dict)
    asm.mov(mem64(rsp, 0), 0)
    emit_save(asm)
    asm.mov(rsi, rdx)
    asm.mov(rdi, rcx)
    asm.mov(rdx, mem64(rsp, AREA + 16))
    emit_call(asm, "PyObject_GenericSetAttr")
    asm.bind(stored)
    emit_restore(asm)
    asm.mov(edx, eax)
    asm.and_(edx, 2)
    asm.bind(known)
    asm.pop(rax)
    asm.pop(rcx)
    asm.pop(rcx)
    asm.add(rsp, 8)
    asm.ret()
    asm.bind(unknown)
    asm.mov(edx, 1)
    asm.jmp(known)


class _Lookup:
    """rsi = keys, rdi = dict, r8 = place in the index, r9 = perturbation, r10 = hash; rdx = name; on the stack, if `noted`: the cell."""

    def __init__(self, asm, of_instance=True, noted=False):
        self.asm = asm
        self.of_instance = of_instance
        self.noted = noted
        self.absent, self.unknown, self.done, self.found = (asm.label(name) for name in ("absent", "unknown", "done", "found"))

    def emit(self):
        asm = self.asm
        for register in _SAVED:
            asm.push(register)
        if self.noted:
            asm.push(rax)
        self.emit_dict()
        asm.mov(rsi, mem64(rdi, L.dict_keys))
        asm.movzx(eax, mem8(rsi, L.keys_kind))
        asm.test(eax, eax)
        asm.jz(self.unknown)
        asm.mov(r10, mem64(rdx, L.unicode_hash))
        asm.mov(r9, r10)
        asm.mov(r8, r10)
        self.emit_probes()
        asm.bind(self.unknown)
        asm.mov(eax, 1)
        asm.jmp(self.done)
        asm.bind(self.absent)
        asm.xor(eax, eax)
        asm.bind(self.done)
        if self.noted:
            asm.add(rsp, 8)
        for register in reversed(_SAVED):
            asm.pop(register)
        asm.ret()

    def emit_dict(self):
        """rdi = the dict."""
        asm = self.asm
        if not self.of_instance:
            asm.mov(rdi, rcx)
            return
        if L.instance_dict is not None:
            asm.mov(rdi, mem64(rcx, L.instance_dict))
        else:
            asm.mov(rdi, mem64(rcx, L.instance_tagged))
            asm.test(rdi.r32, 1)
            asm.jnz(self.unknown)
        asm.test(rdi, rdi)
        asm.jz(self.absent)
        asm.mov(rax, relative(asm.constant(id(dict))))
        asm.cmp(mem64(rdi, L.ob_type), rax)
        asm.jne(self.unknown)

    def emit_probes(self):
        asm = self.asm
        again, other = asm.label("again"), asm.label("other_key")
        asm.bind(again)
        # Place in the index: the low bits.
        asm.movzx(ecx, mem8(rsi, L.keys_log2_size))
        asm.mov(eax, 1)
        asm.shl(rax, ecx.r8)
        asm.sub(rax, 1)
        asm.and_(r8, rax)
        self.emit_index()
        asm.cmp(rax, EMPTY)
        asm.je(self.absent)
        asm.jl(other)
        # rcx = address of the entry's key.
        asm.mov(rcx, rax)
        asm.shl(rcx, 4)
        asm.add(rcx, rsi)
        asm.push(rax)
        asm.push(rcx)
        asm.movzx(ecx, mem8(rsi, L.keys_log2_index_bytes))
        asm.mov(eax, 1)
        asm.shl(rax, ecx.r8)
        asm.pop(rcx)
        asm.lea(rcx, mem64(rcx, L.keys_indices, rax, 1))
        asm.pop(rax)
        asm.cmp(mem64(rcx, 0), rdx)
        asm.je(self.found)
        asm.mov(rcx, mem64(rcx, 0))
        asm.test(rcx, rcx)
        asm.jz(other)
        asm.cmp(mem64(rcx, L.unicode_hash), r10)
        asm.je(self.unknown)
        asm.bind(other)
        asm.shr(r9, PERTURB_SHIFT)
        asm.lea(r8, mem64(r8, 0, r8, 4))
        asm.lea(r8, mem64(r8, 1, r9, 1))
        asm.jmp(again)
        asm.bind(self.found)
        self.emit_value()

    def emit_index(self):
        """rax = entry number at place r8 of the index, whose items have 1, 2 or 4 bytes."""
        asm = self.asm
        one, two, have = asm.label("one_byte"), asm.label("two_bytes"), asm.label("have_entry")
        asm.movzx(eax, mem8(rsi, L.keys_log2_index_bytes))
        asm.sub(eax, ecx)
        asm.jz(one)
        asm.cmp(eax, 1)
        asm.je(two)
        asm.movsxd(rax, mem32(rsi, L.keys_indices, r8, 4))
        asm.jmp(have)
        asm.bind(two)
        asm.movsx(rax, mem16(rsi, L.keys_indices, r8, 2))
        asm.jmp(have)
        asm.bind(one)
        asm.movsx(rax, mem8(rsi, L.keys_indices, r8, 1))
        asm.bind(have)

    def emit_value(self):
        """rax = the value of entry rax, whose key is at rcx."""
        asm = self.asm
        split = asm.label("split")
        asm.cmp(mem8(rsi, L.keys_kind), SPLIT)
        asm.je(split)
        if self.noted:
            self.emit_note()
        asm.mov(rax, mem64(rcx, 8))
        asm.jmp(self.done)
        asm.bind(split)
        asm.mov(rcx, mem64(rdi, L.dict_values))
        asm.test(rcx, rcx)
        asm.jz(self.unknown)
        asm.mov(rax, mem64(rcx, L.values_items, rax, 8))
        asm.jmp(self.done)

    def emit_note(self):
        """Write into the cell that entry rax, whose key is at rcx, is where dicts with such keys have the name. r8, r9 are lost."""
        asm = self.asm
        asm.mov(r9, mem64(rsp, 0))
        asm.mov(mem32(r9, CELL_NUMBER), eax)
        asm.mov(r8, rcx)
        asm.sub(r8, rsi)
        asm.mov(mem64(r9, CELL_OFFSET), r8)
        asm.mov(eax, mem32(rsi, L.keys_log2_size))
        asm.and_(eax, FORM)
        asm.mov(mem32(r9, CELL_FORM), eax)
