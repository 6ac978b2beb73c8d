"""Sets with keys of one of the families of jit/machine/lookups.py: ``..._text``, ``..._int`` or ``..._object``.

`exit` is taken where only CPython can tell; see jit/machine/lookups.py.
"""

from jit.machine.lookups import FAMILIES
from jit.template import template
from jit.templates.dictionaries import declare_contains, emit_change, emit_find


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
            emit_change(asm, emitter, kind, "PySet_Add")
            asm.jmp(done)

    @template(f"set_discard_{kind}", f"container: object, key: {wanted} --", clobbers="c")
    def set_discard(asm, container, key, emitter):
        done = asm.label("discarded")
        emit_find(asm, emitter, routine, container, key)
        asm.jb(done)
        emit_change(asm, emitter, kind, "PySet_Discard")
        asm.bind(done)


for _family in FAMILIES:
    _declare(_family, "int" if _family == "int" else "object")
