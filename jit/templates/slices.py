"""Slices with machine bounds, and what moves many items of a list at once: calls of jit/machine/slices.py and of CPython's C functions."""

from functools import lru_cache

from asm import mem64, r8, r9, r10, r11, rax, rcx, rdi, rdx, rsi
from jit.machine.slices import LARGEST, LOWEST
from jit.template import Template, template
from jit.templates.collecting import NoticedCollections
from platforms.cpython.layout import layout

L = layout()
#: How a bound that is absent is written in `detail`; and one that is the operation's next argument.
ABSENT, GIVEN = None, "given"


@lru_cache(None)
def slice_template(name, count):
    """``name``: slice, store_slice or move_slice; the operands are those of its routine that are not absent."""
    effect = ", ".join(f"operand{number}: any" for number in range(count)) + " -- result: any"
    return Template(name, effect, {"slice": emit_slice, "store_slice": emit_slice, "move_slice": emit_move_slice}[name], "c", None, False)


def bounds(start, stop, step):
    """What stands for absent bounds: (start, stop, step), each a number or `GIVEN`; `step` is a number."""
    backward = step < 0
    return ((LARGEST if backward else 0) if start is ABSENT else GIVEN, (LOWEST if backward else LARGEST) if stop is ABSENT else GIVEN, step)


def _place(emitter, parts, registers):
    """Bring the operands and numbers of `parts` into registers."""
    operands = iter(emitter.operation.arguments)
    emitter.place([(register, emitter.operand(next(operands)) if part is GIVEN else part) for part, register in zip(parts, registers)])


def emit_slice(asm, emitter, detail):
    """`detail`: routine, parts."""
    routine, parts = detail
    _place(emitter, parts, (rdi, rsi, rdx, rcx))
    with NoticedCollections(asm):
        asm.call(getattr(emitter.routines, routine))
    asm.test(rax, rax)
    asm.jz(emitter.throw_label())
    emitter.set_result(rax)


def emit_move_slice(asm, emitter, detail):
    _, parts = detail
    _place(emitter, parts, (rdi, rsi, rdx, r8, r9, r10, r11))
    with NoticedCollections(asm):
        asm.call(emitter.routines.move_slice)
    asm.cmp(rax, 1)
    asm.je(emitter.stub(emitter.operation.exit))
    asm.jb(emitter.throw_label())
    emitter.set_result(rax)


@template("list_insert", "container: object, index: int, value: object --", clobbers="c")
def list_insert(asm, container, index, value, emitter):
    """PyList_Insert takes any index, as list.insert does."""
    emitter.place([(rdi, container), (rsi, index), (rdx, value)])
    emitter.call_symbol("PyList_Insert")
    asm.test(rax.r32, rax.r32)
    asm.js(emitter.throw_label())


@template("list_pop_at", "container: object, index: int -- item: object", clobbers="c")
def pop_index_out_of_range(asm, container, index, item, exit, emitter):
    """The items behind move down. Where half of the room would be unused, CPython gives it back."""
    positive, shrink, done, again, end = (asm.label(name) for name in ("positive", "shrink", "popped", "move_down", "moved"))
    emitter.place([(rdi, container), (rsi, index)])
    asm.mov(rdx, mem64(rdi, L.list_size))
    asm.test(rsi, rsi)
    asm.jns(positive)
    asm.add(rsi, rdx)
    asm.bind(positive)
    asm.cmp(rsi, rdx)
    asm.jae(exit)
    asm.mov(rax, mem64(rdi, L.list_items))
    asm.mov(r8, mem64(rax, 0, rsi, 8))
    asm.sub(rdx, 1)
    if L.emptied_list_cleared:
        asm.jz(shrink)
    asm.mov(rcx, mem64(rdi, L.list_allocated))
    asm.shr(rcx, 1)
    asm.cmp(rdx, rcx)
    asm.jl(shrink)
    asm.mov(mem64(rdi, L.list_size), rdx)
    asm.bind(again)
    asm.cmp(rsi, rdx)
    asm.jge(end)
    asm.mov(rcx, mem64(rax, 8, rsi, 8))
    asm.mov(mem64(rax, 0, rsi, 8), rcx)
    asm.add(rsi, 1)
    asm.jmp(again)
    asm.bind(end)
    asm.mov(item, r8)
    asm.bind(done)
    with asm.cold():
        asm.bind(shrink)
        asm.call(emitter.routines.pop_at)
        asm.test(rax, rax)
        asm.jz(emitter.throw_label())
        asm.mov(item, rax)
        asm.jmp(done)
