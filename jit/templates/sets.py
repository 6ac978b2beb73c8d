"""Sets with keys of one of the families of jit/machine/lookups.py: ``..._text``, ``..._int`` or ``..._object``.

`exit` is taken where only CPython can tell; see jit/machine/lookups.py.
"""

from asm import rax, rcx, rdi, rdx, rsi
from jit.machine.lookups import FAMILIES
from jit.template import template
from jit.templates.dictionaries import declare_contains, emit_drop_key, emit_find


def _declare(kind, wanted):
    routine = f"find_{kind}_in_set"

    declare_contains(f"set_contains_{kind}", wanted, routine)

    @template(f"set_add_{kind}", f"container: object, key: {wanted} --", clobbers="c")
    def set_add(asm, container, key, emitter):
        absent, done = asm.label("absent"), asm.label("added")
        emit_find(asm, emitter, routine, container, key)
        asm.jb(absent)
        asm.bind(done)
        with asm.cold():
            asm.bind(absent)
            _emit_change(asm, emitter, kind, "PySet_Add")
            asm.jmp(done)

    @template(f"set_discard_{kind}", f"container: object, key: {wanted} --", clobbers="c")
    def set_discard(asm, container, key, emitter):
        done = asm.label("discarded")
        emit_find(asm, emitter, routine, container, key)
        asm.jb(done)
        _emit_change(asm, emitter, kind, "PySet_Discard")
        asm.bind(done)


def _emit_change(asm, emitter, kind, symbol):
    """Call `symbol` with the set and the key as an object."""
    asm.mov(rsi, emitter.after_call("key"))
    if kind == "int":
        asm.mov(rax, rsi)
        asm.call(emitter.routines.box_int)
        asm.test(rax, rax)
        asm.jz(emitter.throw_label())
        asm.mov(rsi, rax)
    asm.mov(rdi, emitter.after_call("container"))
    if kind == "int":
        asm.push(rsi)
        asm.push(rsi)
    emitter.call_symbol(symbol)
    if kind == "int":
        asm.mov(rcx, rax)
        asm.pop(rdx)
        asm.pop(rdx)
        emit_drop_key(asm, emitter)
        asm.mov(rax, rcx)
    asm.test(rax.r32, rax.r32)
    asm.js(emitter.throw_label())


for _family in FAMILIES:
    _declare(_family, "int" if _family == "int" else "object")
