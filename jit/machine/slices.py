"""Slices of lists, tuples and strings whose bounds are machine ints: no slice object is made.

    list_slice, tuple_slice, text_slice   rdi = container, rsi = start, rdx = stop (and rcx = step, of lists) -> rax = new reference or NULL
    store_slice   rdi = list, rsi = start, rdx = stop, rcx = a list or tuple: the items between are replaced by those
                  -> rax = new reference, to be dropped: what holds the old items; NULL without memory
    move_slice    ``list[rsi:rdx] = r8[r9:r10:r11]`` of the list rdi, where both have the same size -> rax as of store_slice, or 1 if they have not

They obey the C calling convention. A bound that is absent is given as the number it stands for: 0, or the largest and the lowest int.
What may run a collection of garbage comes first; whoever has changed the list meanwhile makes the routine start again.
Source: CPython Objects/sliceobject.c (PySlice_AdjustIndices), Objects/listobject.c (list_subscript, list_ass_slice, list_dealloc).
"""

from asm import eax, mem64, r8, r9, r10, r11, rax, rbp, rbx, rcx, rdi, rdx, relative, rsi, rsp
from jit.machine.refcounts import emit_incref
from platforms.cpython import symbols
from platforms.cpython.layout import layout

L = layout()
NAMES = ("list_slice", "tuple_slice", "text_slice", "store_slice", "move_slice")
LARGEST, LOWEST = (1 << 63) - 1, -(1 << 63)


def emit(asm):
    """Emit the routines; returns their labels by name."""
    labels = {name: asm.label(name) for name in (*NAMES, "slice_bounds")}
    for name, emit_one in (("slice_bounds", _bounds), ("list_slice", _list_slice), ("store_slice", _store_slice), ("move_slice", _move_slice),
                           ("tuple_slice", lambda asm, labels: _simple(asm, labels, "PyTuple_GetSlice")),
                           ("text_slice", lambda asm, labels: _simple(asm, labels, "PyUnicode_Substring"))):
        asm.align(16)
        asm.comment(name)
        asm.bind(labels[name])
        emit_one(asm, labels)
    return labels


def _call(asm, name):
    asm.call(relative(asm.constant(symbols.address(name))))


def _bounds(asm, labels):
    """rdi = container, rsi = start, rdx = stop, rcx = step, not 0 -> rsi = first place, rdx = end, rax = number of items; r11 is lost."""
    backward, some, none = asm.label("backward"), asm.label("some"), asm.label("none")
    asm.mov(rax, mem64(rdi, L.ob_size))
    asm.test(rcx, rcx)
    asm.js(backward)
    for bound in (rsi, rdx):
        _adjust(asm, bound, lambda: asm.xor(bound.r32, bound.r32), lambda: asm.mov(bound, rax))
    asm.mov(rax, rdx)
    asm.sub(rax, rsi)
    asm.jle(none)
    asm.cmp(rcx, 1)
    asm.jne(some)
    asm.ret()
    asm.bind(backward)
    for bound in (rsi, rdx):
        _adjust(asm, bound, lambda: asm.mov(bound, -1), lambda: asm.lea(bound, mem64(rax, -1)))
    asm.mov(rax, rsi)
    asm.sub(rax, rdx)
    asm.jle(none)
    asm.cmp(rcx, -1)
    asm.jne(some)
    asm.ret()
    asm.bind(none)
    asm.xor(eax, eax)
    asm.ret()
    # (distance - 1) // |step| + 1
    asm.bind(some)
    positive = asm.label("positive")
    asm.mov(r11, rcx)
    asm.test(r11, r11)
    asm.jns(positive)
    asm.neg(r11)
    asm.bind(positive)
    asm.push(rdx)
    asm.sub(rax, 1)
    asm.xor(rdx.r32, rdx.r32)
    asm.div(r11)
    asm.add(rax, 1)
    asm.pop(rdx)
    asm.ret()


def _adjust(asm, bound, below, beyond):
    """A bound in place, rax = the size: negative ones count from the end; what lies outside is cut off."""
    positive, done = asm.label("positive"), asm.label("adjusted")
    asm.test(bound, bound)
    asm.jns(positive)
    asm.add(bound, rax)
    asm.jns(done)
    below()
    asm.jmp(done)
    asm.bind(positive)
    asm.cmp(bound, rax)
    asm.jl(done)
    beyond()
    asm.bind(done)


def _list_slice(asm, labels):
    """On the stack: list, start, stop, step; number of items and first place; the size of the list."""
    again, retry, copy, item, done = (asm.label(name) for name in ("again", "retry", "copy", "item", "done"))
    asm.sub(rsp, 56)
    for place, register in enumerate((rdi, rsi, rdx, rcx)):
        asm.mov(mem64(rsp, 8 * place), register)
    asm.bind(again)
    asm.mov(rax, mem64(rdi, L.list_size))
    asm.mov(mem64(rsp, 48), rax)
    asm.call(labels["slice_bounds"])
    asm.mov(mem64(rsp, 32), rax)
    asm.mov(mem64(rsp, 40), rsi)
    asm.mov(rdi, rax)
    _call(asm, "PyList_New")
    asm.test(rax, rax)
    asm.jz(done)
    asm.mov(rdi, mem64(rsp, 0))
    asm.mov(rcx, mem64(rdi, L.list_size))
    asm.cmp(rcx, mem64(rsp, 48))
    asm.jne(retry)
    asm.bind(copy)
    asm.mov(rsi, mem64(rdi, L.list_items))
    asm.mov(rdx, mem64(rsp, 40))
    asm.lea(rsi, mem64(rsi, 0, rdx, 8))
    asm.mov(rdi, mem64(rax, L.list_items))
    asm.mov(r8, mem64(rsp, 32))
    asm.mov(r9, mem64(rsp, 24))
    asm.shl(r9, 3)
    asm.bind(item)
    asm.sub(r8, 1)
    asm.js(done)
    asm.mov(rdx, mem64(rsi, 0))
    emit_incref(asm, rdx, rcx)
    asm.mov(mem64(rdi, 0), rdx)
    asm.add(rsi, r9)
    asm.add(rdi, 8)
    asm.jmp(item)
    asm.bind(done)
    asm.add(rsp, 56)
    asm.ret()
    asm.bind(retry)
    # The new list is as good as empty.
    asm.mov(rdi, rax)
    _call(asm, "_Py_Dealloc")
    for place, register in enumerate((rdi, rsi, rdx, rcx)):
        asm.mov(register, mem64(rsp, 8 * place))
    asm.jmp(again)


def _simple(asm, labels, symbol):
    """By a C function that takes the container, the first place and the end."""
    ordered = asm.label("in_order")
    asm.sub(rsp, 8)
    asm.mov(rcx.r32, 1)
    asm.call(labels["slice_bounds"])
    asm.cmp(rdx, rsi)
    asm.jge(ordered)
    asm.mov(rdx, rsi)
    asm.bind(ordered)
    _call(asm, symbol)
    asm.add(rsp, 8)
    asm.ret()


def _store_slice(asm, labels):
    """The old items are put into a list of their own first, so that replacing them frees nothing."""
    done, failed = asm.label("done"), asm.label("failed")
    asm.sub(rsp, 40)
    for place, register in enumerate((rdi, rsi, rdx, rcx)):
        asm.mov(mem64(rsp, 8 * place), register)
    asm.mov(rcx.r32, 1)
    asm.call(labels["list_slice"])
    asm.test(rax, rax)
    asm.jz(done)
    asm.mov(mem64(rsp, 32), rax)
    for place, register in enumerate((rdi, rsi, rdx)):
        asm.mov(register, mem64(rsp, 8 * place))
    asm.mov(rcx.r32, 1)
    asm.call(labels["slice_bounds"])
    asm.mov(rcx, mem64(rsp, 24))
    _call(asm, "PyList_SetSlice")
    asm.test(eax, eax)
    asm.js(failed)
    asm.mov(rax, mem64(rsp, 32))
    asm.bind(done)
    asm.add(rsp, 40)
    asm.ret()
    asm.bind(failed)
    # All old items are still in the list.
    asm.mov(rdi, mem64(rsp, 32))
    _call(asm, "_Py_Dealloc")
    asm.xor(eax, eax)
    asm.jmp(done)


def _move_slice(asm, labels):
    """A slice that is turned round in place needs no second list; else the items are exchanged with those of a new one."""
    other, again, done, none, differ = (asm.label(name) for name in ("other", "item", "done", "nothing_old", "sizes_differ"))
    for register in (rbx, rbp):
        asm.push(register)
    asm.sub(rsp, 56)
    for place, register in enumerate((rdi, rsi, rdx, r8, r9, r10, r11)):
        asm.mov(mem64(rsp, 8 * place), register)
    asm.cmp(rdi, r8)
    asm.jne(other)
    asm.cmp(r11, -1)
    asm.jne(other)
    # rbx = first place, rbp = end of the one; the other must lead from there back to the first.
    asm.mov(rcx.r32, 1)
    asm.call(labels["slice_bounds"])
    asm.mov(rbx, rsi)
    asm.lea(rbp, mem64(rsi, 0, rax, 1))
    asm.mov(r9, rax)
    asm.mov(rsi, mem64(rsp, 32))
    asm.mov(rdx, mem64(rsp, 40))
    asm.mov(rcx, -1)
    asm.call(labels["slice_bounds"])
    asm.cmp(rax, r9)
    asm.jne(differ)
    asm.add(rsi, 1)
    asm.cmp(rsi, rbp)
    asm.jne(other)
    asm.mov(rax, mem64(rdi, L.list_items))
    asm.lea(rsi, mem64(rax, 0, rbx, 8))
    asm.lea(rdi, mem64(rax, -8, rbp, 8))
    asm.bind(again)
    # Signed: an empty list's items are at NULL.
    asm.cmp(rsi, rdi)
    asm.jge(none)
    asm.mov(rax, mem64(rsi, 0))
    asm.mov(rcx, mem64(rdi, 0))
    asm.mov(mem64(rsi, 0), rcx)
    asm.mov(mem64(rdi, 0), rax)
    asm.add(rsi, 8)
    asm.sub(rdi, 8)
    asm.jmp(again)
    asm.bind(none)
    asm.mov(rax, relative(asm.constant(id(None))))
    emit_incref(asm, rax, rcx)
    asm.bind(done)
    asm.add(rsp, 56)
    for register in (rbp, rbx):
        asm.pop(register)
    asm.ret()
    asm.bind(other)
    _exchange(asm, labels, done, differ)


def _exchange(asm, labels, done, differ):
    """rax = a new list of the other slice's items, exchanged with those that were in the way."""
    again, sizes = asm.label("item"), asm.label("new_of_other_size")
    for place, register in zip((3, 4, 5, 6), (rdi, rsi, rdx, rcx)):
        asm.mov(register, mem64(rsp, 8 * place))
    asm.call(labels["list_slice"])
    asm.test(rax, rax)
    asm.jz(done)
    asm.mov(rbp, rax)
    for place, register in enumerate((rdi, rsi, rdx)):
        asm.mov(register, mem64(rsp, 8 * place))
    asm.mov(rcx.r32, 1)
    asm.call(labels["slice_bounds"])
    asm.cmp(rax, mem64(rbp, L.list_size))
    asm.jne(sizes)
    asm.mov(rcx, mem64(rdi, L.list_items))
    asm.lea(rsi, mem64(rcx, 0, rsi, 8))
    asm.mov(rdi, mem64(rbp, L.list_items))
    asm.mov(r8, rax)
    asm.mov(rax, rbp)
    asm.bind(again)
    asm.sub(r8, 1)
    asm.js(done)
    asm.mov(rcx, mem64(rsi, 0))
    asm.mov(rdx, mem64(rdi, 0))
    asm.mov(mem64(rsi, 0), rdx)
    asm.mov(mem64(rdi, 0), rcx)
    asm.add(rsi, 8)
    asm.add(rdi, 8)
    asm.jmp(again)
    asm.bind(sizes)
    # Its items are all held by the list they came from.
    asm.mov(rdi, rbp)
    _call(asm, "_Py_Dealloc")
    asm.bind(differ)
    asm.mov(eax, 1)
    asm.jmp(done)
