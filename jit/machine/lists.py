"""Machine code for lists: those that generator expressions are collected in, which nobody sees, and room that is given back.

    collecting_list      -> rax = an empty list that the collector of garbage does not know, or NULL; one that was idle, if there is one
    tuple_of_collected   rdi = a list, whose reference is used up -> rax = tuple of its items; NULL: nothing was done
    set_of_collected     the same, of numbers and strings -> rax = set of them
    list_of_collected    rdi = a list of less than two items, whose reference is used up -> rax = list with the room that list() leaves; NULL as above
    drop_collected       rdi = a list of numbers and strings, whose reference is used up
    pop_at       rdi = list, rsi = index: what list.pop gives
    pop_last     rax = list that is not empty -> rax = its last item, ours; rcx, rdx are lost, all else is kept

The others obey the C calling convention. Source: CPython Objects/listobject.c (list_extend, list_resize), Objects/setobject.c (set_add_entry).
"""

import ctypes

from asm import eax, ecx, edx, mem32, mem64, r8, r9, r10, r11, r12, rax, rbp, rbx, rcx, rdi, rdx, relative, rsi, rsp
from jit.machine.refcounts import emit_decref, emit_incref
from jit.machine.saving import emit_call, emit_restore, emit_save
from platforms.cpython import symbols
from platforms.cpython.layout import layout

L = layout()
NAMES = ("collecting_list", "tuple_of_collected", "set_of_collected", "list_of_collected", "drop_collected", "pop_at", "pop_last")
#: Items that a new list has room for: what CPython expects of an iterator that does not tell its length.
ROOM = 8
#: What gives back room in the way of each version.
_POP = list.pop
#: Room that a list() of one item is left with.
_ROOM_OF_ONE = 4
#: Lists that wait for the next generator expression at most, and the room that these may have.
MOST_IDLE, MOST_ROOM = 8, 512
#: The number of lists that are idle, and these.
_idle = (ctypes.c_uint64 * (1 + MOST_IDLE))()


def emit(asm):
    """Emit the routines; returns their labels by name."""
    labels = {name: asm.label(name) for name in (*NAMES, "keep_idle")}
    for name, emit_one in (("collecting_list", _collecting_list), ("tuple_of_collected", _tuple), ("set_of_collected", _set),
                           ("list_of_collected", _list), ("drop_collected", _drop), ("keep_idle", _keep_idle), ("pop_at", _pop_at),
                           ("pop_last", _pop_last)):
        asm.align(16)
        asm.comment(name)
        asm.bind(labels[name])
        emit_one(asm, labels)
    return labels


def _begin(asm):
    """rbx = the first argument; rbp, r12 are free, and the stack is aligned. Returns the label of the end, where rax is returned."""
    for register in (rbx, rbp, r12):
        asm.push(register)
    asm.mov(rbx, rdi)
    return asm.label("out")


def _end(asm, out):
    asm.bind(out)
    for register in (r12, rbp, rbx):
        asm.pop(register)
    asm.ret()


def _collecting_list(asm, _):
    none, out = asm.label("none_idle"), asm.label("out")
    asm.mov(rcx, relative(asm.constant(ctypes.addressof(_idle))))
    asm.mov(rdx, mem64(rcx, 0))
    asm.sub(rdx, 1)
    asm.js(none)
    asm.mov(mem64(rcx, 0), rdx)
    asm.mov(rax, mem64(rcx, 8, rdx, 8))
    asm.ret()
    asm.bind(none)
    asm.sub(rsp, 8)
    asm.mov(rdi, ROOM)
    emit_call(asm, "PyList_New")
    asm.mov(mem64(rsp, 0), rax)
    asm.test(rax, rax)
    asm.jz(out)
    asm.mov(mem64(rax, L.list_size), 0)
    asm.mov(rdi, rax)
    emit_call(asm, "PyObject_GC_UnTrack")
    asm.bind(out)
    asm.pop(rax)
    asm.ret()


def _keep_idle(asm, _):
    """rdi = a list without items, whose only reference is ours: it waits for the next generator expression, or is freed."""
    free = asm.label("free")
    asm.cmp(mem64(rdi, L.list_allocated), MOST_ROOM)
    asm.ja(free)
    asm.mov(rcx, relative(asm.constant(ctypes.addressof(_idle))))
    asm.mov(rdx, mem64(rcx, 0))
    asm.cmp(rdx, MOST_IDLE)
    asm.jae(free)
    asm.mov(mem64(rcx, 8, rdx, 8), rdi)
    asm.add(mem64(rcx, 0), 1)
    asm.ret()
    asm.bind(free)
    asm.jmp(relative(asm.constant(symbols.address("Py_DecRef"))))


def _tuple(asm, labels):
    shared, again, moved = asm.label("shared"), asm.label("item"), asm.label("moved")
    out = _begin(asm)
    asm.cmp(mem64(rbx, L.ob_refcnt), 1)
    asm.jne(shared)
    asm.mov(rdi, mem64(rbx, L.list_size))
    emit_call(asm, "PyTuple_New")
    asm.test(rax, rax)
    asm.jz(out)
    asm.mov(rcx, mem64(rbx, L.list_size))
    asm.mov(rsi, mem64(rbx, L.list_items))
    asm.bind(again)
    asm.sub(rcx, 1)
    asm.js(moved)
    asm.mov(rdx, mem64(rsi, 0, rcx, 8))
    asm.mov(mem64(rax, L.tuple_items, rcx, 8), rdx)
    asm.jmp(again)
    asm.bind(moved)
    asm.mov(rbp, rax)
    asm.mov(mem64(rbx, L.list_size), 0)
    asm.mov(rdi, rbx)
    asm.call(labels["keep_idle"])
    asm.mov(rax, rbp)
    _end(asm, out)
    with asm.cold():
        asm.bind(shared)
        emit_call(asm, "PyList_AsTuple")
        asm.test(rax, rax)
        asm.jz(out)
        asm.mov(rbp, rax)
        asm.mov(rdi, rbx)
        emit_call(asm, "Py_DecRef")
        asm.mov(rax, rbp)
        asm.jmp(out)


def _set(asm, labels):
    """rbp = the set, r12 = index of the item, rsi = the item, rdx = its hash."""
    again, put, following, slow, done, failed = (asm.label(name) for name in ("item", "put", "next", "slow", "done", "failed"))
    out = _begin(asm)
    asm.xor(rdi.r32, rdi.r32)
    emit_call(asm, "PySet_New")
    asm.test(rax, rax)
    asm.jz(out)
    asm.mov(rbp, rax)
    asm.xor(r12.r32, r12.r32)
    asm.bind(again)
    asm.cmp(r12, mem64(rbx, L.list_size))
    asm.jge(done)
    asm.mov(rax, mem64(rbx, L.list_items))
    asm.mov(rsi, mem64(rax, 0, r12, 8))
    _emit_hash(asm, put, slow)
    asm.bind(put)
    _emit_put(asm, following, slow)
    asm.bind(following)
    asm.add(r12, 1)
    asm.jmp(again)
    asm.bind(done)
    asm.mov(rdi, rbx)
    asm.call(labels["drop_collected"])
    asm.mov(rax, rbp)
    _end(asm, out)
    asm.bind(slow)
    asm.mov(rdi, rbp)
    emit_call(asm, "PySet_Add")
    asm.test(eax, eax)
    asm.jz(following)
    asm.bind(failed)
    asm.mov(rdi, rbp)
    emit_call(asm, "Py_DecRef")
    asm.xor(eax, eax)
    asm.jmp(out)


def _emit_hash(asm, known, other):
    """To `known` for a string that knows its hash; fall through for an int of one digit; else to `other`."""
    number = asm.label("number")
    asm.mov(rax, mem64(rsi, L.ob_type))
    asm.cmp(rax, relative(asm.constant(id(int))))
    asm.je(number)
    asm.cmp(rax, relative(asm.constant(id(str))))
    asm.jne(other)
    asm.mov(rdx, mem64(rsi, L.unicode_hash))
    asm.cmp(rdx, -1)
    asm.je(other)
    asm.jmp(known)
    asm.bind(number)
    # rcx = 1, 0 or -1: the sign.
    if L.long_size is not None:
        asm.mov(rcx, mem64(rsi, L.long_size))
        asm.lea(rax, mem64(rcx, 1))
        asm.cmp(rax, 2)
        asm.ja(other)
    else:
        asm.mov(rax, mem64(rsi, L.long_tag))
        asm.cmp(rax, 2 << 3)
        asm.jae(other)
        asm.and_(rax, 3)
        asm.mov(rcx, 1)
        asm.sub(rcx, rax)
    asm.mov(rdx.r32, mem32(rsi, L.long_digits))
    asm.imul(rdx, rcx)
    asm.cmp(rdx, -1)
    asm.jne(known)
    asm.mov(rdx, -2)


def _emit_put(asm, done, slow):
    """Put the item where its hash leads, if nothing else is there and there is room; to `slow` if CPython has to look further."""
    empty = asm.label("empty")
    asm.mov(rax, mem64(rbp, L.set_mask))
    asm.mov(rcx, rax)
    asm.and_(rcx, rdx)
    asm.shl(rcx, 4)
    asm.add(rcx, mem64(rbp, L.set_table))
    asm.mov(r8, mem64(rcx, 0))
    asm.test(r8, r8)
    asm.jz(empty)
    asm.cmp(r8, rsi)
    asm.je(done)
    asm.jmp(slow)
    asm.bind(empty)
    asm.mov(r8, mem64(rbp, L.set_fill))
    asm.add(r8, 1)
    asm.lea(r9, mem64(r8, 0, r8, 4))
    asm.lea(r10, mem64(rax, 0, rax, 2))
    asm.cmp(r9, r10)
    asm.jae(slow)
    emit_incref(asm, rsi, r11)
    asm.mov(mem64(rcx, 0), rsi)
    asm.mov(mem64(rcx, 8), rdx)
    asm.mov(mem64(rbp, L.set_fill), r8)
    asm.add(mem64(rbp, L.set_used), 1)


def _list(asm, labels):
    none, have = asm.label("none"), asm.label("have")
    out = _begin(asm)
    asm.mov(rbp, mem64(rbx, L.list_size))
    asm.xor(rdi.r32, rdi.r32)
    asm.test(rbp, rbp)
    asm.jz(none)
    asm.mov(rdi, _ROOM_OF_ONE)
    asm.bind(none)
    emit_call(asm, "PyList_New")
    asm.test(rax, rax)
    asm.jz(out)
    asm.mov(mem64(rax, L.list_size), rbp)
    asm.test(rbp, rbp)
    asm.jz(have)
    asm.mov(rcx, mem64(rbx, L.list_items))
    asm.mov(rdx, mem64(rcx, 0))
    emit_incref(asm, rdx, rcx)
    asm.mov(rcx, mem64(rax, L.list_items))
    asm.mov(mem64(rcx, 0), rdx)
    asm.bind(have)
    asm.mov(rbp, rax)
    asm.mov(rdi, rbx)
    emit_call(asm, "Py_DecRef")
    asm.mov(rax, rbp)
    _end(asm, out)


def _drop(asm, labels):
    shared, again, freed, dropped = (asm.label(name) for name in ("shared", "item", "freed", "dropped"))
    out = _begin(asm)
    asm.cmp(mem64(rbx, L.ob_refcnt), 1)
    asm.jne(shared)
    asm.mov(r12, mem64(rbx, L.list_size))
    asm.mov(rbp, mem64(rbx, L.list_items))
    asm.mov(mem64(rbx, L.list_size), 0)
    asm.bind(again)
    asm.sub(r12, 1)
    asm.js(dropped)
    asm.mov(rdi, mem64(rbp, 0, r12, 8))
    emit_decref(asm, rdi, freed)
    asm.jmp(again)
    asm.bind(freed)
    emit_call(asm, "_Py_Dealloc")
    asm.jmp(again)
    asm.bind(dropped)
    asm.mov(rdi, rbx)
    asm.call(labels["keep_idle"])
    _end(asm, out)
    with asm.cold():
        asm.bind(shared)
        emit_call(asm, "Py_DecRef")
        asm.jmp(out)


def _pop_last(asm, _):
    """Without memory for less room the list keeps what it has."""
    failed, done = asm.label("failed"), asm.label("done")
    emit_save(asm)
    asm.push(rax)
    asm.sub(rsp, 8)
    asm.mov(rdi, relative(asm.constant(id(_POP))))
    asm.lea(rsi, mem64(rsp, 8))
    asm.mov(edx, 1)
    asm.xor(ecx, ecx)
    emit_call(asm, "PyObject_Vectorcall")
    asm.test(rax, rax)
    asm.jz(failed)
    asm.bind(done)
    asm.add(rsp, 16)
    emit_restore(asm)
    asm.ret()
    asm.bind(failed)
    emit_call(asm, "PyErr_Clear")
    asm.mov(rdi, mem64(rsp, 8))
    asm.mov(rdx, mem64(rdi, L.list_size))
    asm.sub(rdx, 1)
    asm.mov(mem64(rdi, L.list_size), rdx)
    asm.mov(rax, mem64(rdi, L.list_items))
    asm.mov(rax, mem64(rax, 0, rdx, 8))
    asm.jmp(done)


def _pop_at(asm, _):
    out = _begin(asm)
    asm.mov(rdi, rsi)
    emit_call(asm, "PyLong_FromLongLong")
    asm.mov(rbp, rax)
    asm.test(rax, rax)
    asm.jz(out)
    asm.push(rbp)
    asm.push(rbx)
    asm.mov(rdi, relative(asm.constant(id(_POP))))
    asm.mov(rsi, rsp)
    asm.mov(edx, 2)
    asm.xor(ecx, ecx)
    emit_call(asm, "PyObject_Vectorcall")
    asm.add(rsp, 16)
    asm.mov(rdi, rbp)
    asm.mov(rbp, rax)
    emit_call(asm, "Py_DecRef")
    asm.mov(rax, rbp)
    _end(asm, out)
