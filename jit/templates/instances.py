"""Making instances of Python classes, empty or with what ``__init__`` puts into them."""

from functools import lru_cache

from asm import mem8, mem64, rax, rcx, rdi, rdx, rsi
from jit.machine.refcounts import emit_incref
from jit.template import Template, template
from jit.templates.attributes import emit_values
from jit.templates.boxing import emit_box
from jit.templates.collecting import NoticedCollections
from platforms.cpython.layout import layout

L = layout()
#: Items of named tuples that are filled at once.
LONGEST_TUPLE = 32


@template("new_instance", "kind: object -- instance: any", clobbers="c")
def new_instance(asm, kind, instance, detail, emitter):
    """`detail`: address of ``object.__new__``'s C function; it needs no arguments, for ``__init__`` gets them."""
    _emit_make(asm, emitter, kind, detail)
    emitter.set_result(rax)


def _emit_make(asm, emitter, kind, maker):
    """`maker`: address of the C function of ``object.__new__``; or the number of items of a tuple."""
    with NoticedCollections(asm):
        asm.mov(rdi, kind)
        if maker <= LONGEST_TUPLE:
            asm.mov(rsi, maker)
            emitter.call_symbol("PyType_GenericAlloc")
        else:
            asm.mov(rsi, emitter.object(()))
            asm.xor(rdx.r32, rdx.r32)
            asm.call(emitter.address(maker))
    asm.test(rax, rax)
    asm.jz(emitter.throw_label())


@lru_cache(None)
def filled_template(count):
    """A new instance and `count` attributes of it."""
    effect = ", ".join(["kind: object", *(f"value{number}: any" for number in range(count))]) + " -- instance: any"
    return Template("new_filled_instance", effect, emit_filled, "c", None, False)


def emit_filled(asm, emitter, detail):
    """`detail`: (address of the C function, or number of items, Places). Behind its call rdi, the instance, and rsi, its values, are kept by all that is called."""
    maker, places = detail
    kind, *values = emitter.operation.arguments
    _emit_make(asm, emitter, emitter.operand(kind), maker)
    asm.mov(rdi, rax)
    failed, no_values = asm.label("out_of_memory"), asm.label("no_values")
    numbers = [place.number for place in places if place.offset is None]
    if numbers:
        emit_values(asm, rdi, next(place.size for place in places if place.offset is None), no_values)
        asm.mov(rsi, rax)
        _emit_order(asm, numbers)
    for place, value in zip(places, values):
        operand = emitter.operand_after(value)
        if value.type.unboxed:
            emit_box(asm, emitter, operand, value.type, failed)
        else:
            asm.mov(rax, operand)
            emit_incref(asm, rax, rcx)
        asm.mov(mem64(rdi, place.offset) if place.offset is not None else mem64(rsi, L.values_items + 8 * place.number), rax)
    emitter.set_result(rdi)
    with asm.cold():
        for label, target in ((failed, emitter.throw_label()), (no_values, emitter.mismatch_label())):
            asm.bind(label)
            asm.mov(rax, rdi)
            asm.mov(mem64(rax, L.ob_refcnt), 0)
            asm.call(emitter.dealloc_plain)
            asm.jmp(target)


def _emit_order(asm, numbers):
    """Put on record in which order the values (rsi) of a new instance are set."""
    if L.values_inline:
        asm.movzx(rcx.r32, mem8(rsi, L.values_capacity))
        asm.lea(rcx, mem64(rsi, L.values_items, rcx, 8))
        for place, number in enumerate(numbers):
            asm.mov(mem8(rcx, place), number)
    else:
        for place, number in enumerate(numbers):
            asm.mov(mem8(rsi, L.values_size - 1 - place), number)
    asm.mov(mem8(rsi, L.values_size), len(numbers))
