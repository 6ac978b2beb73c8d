"""Attributes of instances that have a dict: by a hint first, which says where dicts of such instances keep the name, else by looking it up.

A dict's keys object whose size is the one of the hint has entries at the same places; the key found there tells whether the hint is right.
Source: CPython Python/bytecodes.c (LOAD_ATTR_WITH_HINT, STORE_ATTR_WITH_HINT), Objects/dictobject.c (insertdict).
"""

from asm import eax, edx, mem8, mem32, mem64, rax, rcx, rdx, relative, xmm15
from jit.machine.dictionaries import CELL_FORM, CELL_NUMBER, CELL_OFFSET, FORM, VERSION_STEP, emit_refuse_relied, version_source
from jit.machine.refcounts import emit_decref
from platforms.cpython.layout import layout

L = layout()


def emit_look_up(asm, emitter, owner, place, exit, absent=None):
    """rax = the attribute in the instance's dict. Jumps to `absent`, or to `exit` without that, if there is none, to `exit` if only CPython can tell."""
    found, otherwise = asm.label("found_in_dict"), asm.label("look_up")
    _emit_entry(asm, emitter, owner, place, otherwise)
    asm.mov(rax, mem64(rdx, 0))
    asm.test(rax, rax)
    asm.jnz(found)
    asm.bind(otherwise)
    _emit_search(asm, emitter, owner, place)
    asm.cmp(rax, 1)
    if absent is not None:
        asm.jb(absent)
    asm.jbe(exit)
    asm.bind(found)


def _emit_search(asm, emitter, owner, place):
    """rax = the attribute, as `dict_attribute` finds it; where it is found goes into the cell, if there is one."""
    asm.mov(rcx, owner)
    asm.mov(rdx, emitter.object(place.name))
    if place.cell is None:
        asm.call(emitter.routines.dict_attribute)
    else:
        asm.lea(rax, relative(place.cell.address))
        asm.call(emitter.routines.dict_attribute_noted)


def emit_absence(asm, emitter, owner, absence, otherwise):
    """Go on if the instance's dict has not the name, as its index shows in the places where that of another one did; else to `otherwise`."""
    emit_dict(asm, emitter, owner, otherwise)
    asm.mov(rdx, mem64(rcx, L.dict_keys))
    asm.mov(eax, mem32(rdx, L.keys_log2_size))
    asm.and_(eax, FORM)
    asm.cmp(eax, absence.form)
    asm.jne(otherwise)
    for index, number, entry, other in absence.probes:
        asm.cmp(mem8(rdx, index), number)
        asm.jne(otherwise)
        if number >= 0:
            asm.mov(rax, emitter.object(other))
            asm.cmp(mem64(rdx, entry), rax)
            asm.jne(otherwise)


def emit_dict(asm, emitter, owner, otherwise):
    """rcx = the instance's dict, if it has an exact one."""
    asm.mov(rcx, owner)
    if L.instance_dict is not None:
        asm.mov(rcx, mem64(rcx, L.instance_dict))
    else:
        asm.mov(rcx, mem64(rcx, L.instance_tagged))
        asm.test(rcx.r32, 1)
        asm.jnz(otherwise)
    asm.test(rcx, rcx)
    asm.jz(otherwise)
    emitter.compare_type(rcx, dict, rax)
    asm.jne(otherwise)


def _emit_entry(asm, emitter, owner, place, otherwise, written=False):
    """rcx = the instance's dict, rdx = address of the value (which may be NULL) of the entry that the hint leads to, if its key is the name."""
    hint, cell = place.hint, place.cell
    emit_dict(asm, emitter, owner, otherwise)
    if written:
        emit_refuse_relied(asm, rcx, rax, rdx, otherwise)
    asm.mov(rdx, mem64(rcx, L.dict_keys))
    asm.mov(eax, mem32(rdx, L.keys_log2_size))
    asm.and_(eax, FORM)
    if hint is None:
        asm.cmp(eax, relative(cell.address + CELL_FORM, size=4))
        asm.jne(otherwise)
        asm.mov(eax, relative(cell.address + CELL_NUMBER, size=4))
        asm.cmp(mem64(rdx, L.keys_entries_used), rax)
        asm.jbe(otherwise)
        asm.add(rdx, relative(cell.address + CELL_OFFSET))
        asm.mov(rax, emitter.object(place.name))
        asm.cmp(mem64(rdx, 0), rax)
        asm.jne(otherwise)
        asm.add(rdx, 8)
        return
    asm.cmp(eax, hint.form)
    asm.jne(otherwise)
    asm.cmp(mem64(rdx, L.keys_entries_used), hint.number)
    asm.jbe(otherwise)
    asm.mov(rax, emitter.object(place.name))
    asm.cmp(mem64(rdx, hint.offset), rax)
    asm.jne(otherwise)
    asm.add(rdx, hint.offset + 8)


def emit_place_in_dict(asm, emitter, owner, place, tracked, otherwise):
    """rdx = address of the value, which is there and about to be replaced. Uses rax, rcx.

    Args:
        tracked: the new value may be one that the garbage collector has to find through the dict.
    """
    _emit_entry(asm, emitter, owner, place, otherwise, written=True)
    asm.cmp(mem64(rdx, 0), 0)
    asm.je(otherwise)
    if tracked:
        asm.cmp(mem64(rcx, L.gc_next), 0)
        asm.je(otherwise)
    if L.dict_watchers:
        asm.cmp(mem8(rcx, L.dict_tag), 0)
        asm.jne(otherwise)
    source = version_source()
    asm.mov(rax, VERSION_STEP)
    asm.add(rax, relative(source))
    asm.mov(relative(source), rax)
    asm.mov(mem64(rcx, L.dict_tag), rax)


def emit_set_in_dict(asm, emitter, owner, place, emit_value, ownership, exit, done):
    """Put the reference that `emit_value` leaves in rax into the instance's dict under the attribute's name.

    Args:
        emit_value: may lose all scratch registers. ownership: of that reference: "borrowed", "moved" (ours to give away) or "boxed" (made here).
        exit: taken where the dict is not ours to write, or only CPython can tell what is in it. done: where to go on.
    """
    stored, failed, dropped, freed = (asm.label(name) for name in ("set", "not_set", "box_dropped", "box_freed"))
    if place.cell is not None:
        _emit_search(asm, emitter, owner, place)
    emit_value()
    asm.mov(rcx, owner)
    asm.mov(rdx, emitter.object(place.name))
    asm.call(emitter.routines.dict_store)
    asm.test(edx, edx)
    asm.jnz(failed)
    if ownership != "borrowed":
        # The dict has one as well.
        emit_decref(asm, rcx, stored)
    asm.bind(stored)
    asm.test(rax, rax)
    asm.jz(done)
    emitter.emit_drop_rax()
    asm.jmp(done)
    asm.bind(failed)
    if ownership == "boxed":
        emit_decref(asm, rcx, freed)
        asm.bind(dropped)
    asm.sub(edx, 1)
    asm.jz(exit)
    asm.jmp(emitter.throw_label())
    if ownership == "boxed":
        asm.bind(freed)
        asm.mov(rax, rcx)
        asm.movq(xmm15, rdx)
        asm.call(emitter.dealloc_plain)
        asm.movq(rdx, xmm15)
        asm.jmp(dropped)
