"""Machine code that walks over sets.

    next_member   rcx = an iterator over a set or frozenset, which is moved on behind places without a member -> rax = address of the next member's entry,
                  0 at the end, 1 if only CPython can tell; all else is kept

Source: CPython Objects/setobject.c (setiter_iternext).
"""

from asm import mem64, rax, rcx, rdi, rdx, rsi
from jit.machine.dictionaries import emit_answers
from platforms.cpython.layout import layout

L = layout()
#: A set's entry: key, hash. The hash where a member has been taken out.
_KEY, _HASH, _TAKEN_OUT = 0, 8, -1
_SAVED = rdx, rsi, rdi


def emit(asm):
    """Emit the routine; returns its label by name. Sets that have changed their size are left to CPython."""
    names = "next_member", "place", "empty", "found", "ended", "unknown", "out"
    start, place, empty, found, ended, unknown, out = (asm.label(name) for name in names)
    asm.align(16)
    asm.comment("next_member")
    asm.bind(start)
    for register in _SAVED:
        asm.push(register)
    asm.mov(rdx, mem64(rcx, L.set_iterator_set))
    asm.test(rdx, rdx)
    asm.jz(ended)
    asm.mov(rax, mem64(rdx, L.set_used))
    asm.cmp(rax, mem64(rcx, L.set_iterator_used))
    asm.jne(unknown)
    asm.mov(rsi, mem64(rcx, L.set_iterator_position))
    asm.mov(rdi, mem64(rdx, L.set_table))
    asm.mov(rdx, mem64(rdx, L.set_mask))
    asm.bind(place)
    asm.cmp(rsi, rdx)
    asm.ja(ended)
    asm.mov(rax, rsi)
    asm.shl(rax, 4)
    asm.add(rax, rdi)
    asm.cmp(mem64(rax, _KEY), 0)
    asm.je(empty)
    asm.cmp(mem64(rax, _HASH), _TAKEN_OUT)
    asm.jne(found)
    asm.bind(empty)
    asm.add(rsi, 1)
    asm.jmp(place)
    asm.bind(found)
    asm.mov(mem64(rcx, L.set_iterator_position), rsi)
    emit_answers(asm, _SAVED, ended, unknown, out)
    return {"next_member": start}
