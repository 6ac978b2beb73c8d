"""Lists that generator expressions are collected in, and what builtins make of them: jit/machine/lists.py.

What uses up the list's reference has done nothing where it fails.
"""

from asm import mem64, rax, rdi
from jit.template import template
from jit.templates.collecting import NoticedCollections
from platforms.cpython.layout import layout

L = layout()


@template("collecting_list", "-- made: list", clobbers="c")
def collecting_list(asm, emitter):
    with NoticedCollections(asm):
        asm.call(emitter.routines.collecting_list)
    _result(asm, emitter)


@template("tuple_of_collected", "items: list -- made: tuple", clobbers="c")
def tuple_of_collected(asm, items, emitter):
    emitter.place([(rdi, items)])
    with NoticedCollections(asm):
        asm.call(emitter.routines.tuple_of_collected)
    _result(asm, emitter)


@template("set_of_collected", "items: list -- made: set", clobbers="c")
def set_of_collected(asm, items, emitter):
    emitter.place([(rdi, items)])
    with NoticedCollections(asm):
        asm.call(emitter.routines.set_of_collected)
    _result(asm, emitter)


@template("list_of_collected", "items: list -- made: list", clobbers="c")
def list_of_collected(asm, items, emitter):
    """It is the result, unless it has more room than list() leaves."""
    enough = asm.label("enough_items")
    emitter.place([(rdi, items)])
    asm.mov(rax, rdi)
    asm.cmp(mem64(rax, L.list_size), 2)
    asm.jge(enough)
    asm.call(emitter.routines.list_of_collected)
    asm.test(rax, rax)
    asm.jz(emitter.throw_label())
    asm.bind(enough)
    emitter.set_result(rax)


@template("drop_collected", "items: list --", clobbers="c")
def drop_collected(asm, items, emitter):
    emitter.place([(rdi, items)])
    asm.call(emitter.routines.drop_collected)


def _result(asm, emitter):
    asm.test(rax, rax)
    asm.jz(emitter.throw_label())
    emitter.set_result(rax)
