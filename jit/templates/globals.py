"""Globals that keep changing: an entry of their dictionary, read anew each time.

`detail`: (dictionary, name, number of the entry). Source: Objects/dictobject.c.
"""

from asm import cl, mem8, mem64, rax, rdx
from jit.template import template
from jit.templates.boxing import UNBOX
from platforms.cpython.layout import layout

L = layout()


def _emit_value(asm, emitter, exit, detail):
    """rax = the value, if the entry is still there."""
    namespace, name, number = detail
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
