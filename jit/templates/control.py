"""Jumps, returns, leaving, and letting pending work in."""

from asm import edx, mem64, r14d, rax, rcx, rdx, relative, xmm0, xmm15
from jit import types
from jit.machine import records
from jit.machine.refcounts import emit_decref
from jit.template import template
from jit.templates.boxing import emit_box
from jit.values import Value
from platforms.cpython.layout import layout

L = layout()


@template("jump", "--", terminator=True)
def jump(emitter):
    emitter.jump()


@template("guard_levels", "--")
def recursion_limit(asm, exit, detail):
    """So many further levels of recursion are left, as inlined callees would use."""
    asm.cmp(r14d, detail)
    asm.jl(exit)


@template("unreachable", "--", terminator=True)
def unreachable(asm):
    asm.ud2()


@template("leave", "--", terminator=True)
def leave(asm, exit):
    asm.jmp(exit)


@template("poll", "--")
def poll(asm, exit, emitter):
    """Signals, other threads, garbage collection: one comparison while nothing waits."""
    emitter.compare_eval_breaker()
    again, pending = asm.label("polled"), asm.label("pending")
    asm.jne(pending)
    asm.bind(again)
    with asm.cold():
        asm.bind(pending)
        asm.lea(rcx, relative(emitter.operation.exit.address))
        asm.call(emitter.routines.poll)
        if emitter.operation.detail is not None:
            emitter.repeat(*emitter.operation.detail)
        asm.jmp(again)


@template("return", "value: any --", terminator=True)
def return_result(asm, emitter):
    """Result into rax or xmm0, references dropped in slot order, frame popped, edx = 0."""
    operation = emitter.operation
    value = operation.arguments[0]
    operand = emitter.operand(value)
    if emitter.result is types.OBJECT and value.type.unboxed:
        emit_box(asm, emitter, operand, value.type, emitter.throw_label())
    elif value.type is types.FLOAT:
        emitter.move(xmm0, operand)
    else:
        emitter.move(rax, operand)
    for dropped, flag in operation.detail:
        if dropped.type.is_object and dropped.type is not types.PENDING:
            _drop(asm, emitter, dropped, flag)
    emitter.epilogue()


def _drop(asm, emitter, value, flag):
    skip = asm.label("dropped")
    if flag.__class__ is Value:
        asm.cmp(emitter.operand(flag), 0)
        asm.je(skip)
    asm.mov(rdx, emitter.operand(value))
    freed = asm.label("freed")
    emit_decref(asm, rdx, freed)
    asm.bind(skip)
    with asm.cold():
        asm.bind(freed)
        asm.movq(xmm15, rax)
        asm.mov(rax, rdx)
        asm.lea(rcx, relative(emitter.operation.exit.address))
        asm.call(emitter.routines.dealloc_at_return)
        asm.movq(rax, xmm15)
        asm.jmp(skip)


#: A place that notes types asks for attention when it has seen this many.
OBSERVATIONS = 32


@template("observe", "value: object --")
def observe(asm, value, emitter):
    """Note the type of an object in the descriptor of an exit that is never taken."""
    done = asm.label("noted")
    asm.mov(rax, value)
    asm.mov(rax, mem64(rax, L.ob_type))
    asm.lea(rcx, relative(emitter.operation.exit.address))
    asm.mov(rdx, mem64(rcx, records.COUNT))
    asm.and_(edx, records.OBSERVED_TYPES - 1)
    asm.mov(mem64(rcx, records.OBSERVED, rdx, 8), rax)
    asm.add(mem64(rcx, records.COUNT), 1)
    asm.cmp(mem64(rcx, records.COUNT), OBSERVATIONS)
    enough = asm.label("enough")
    asm.je(enough)
    asm.bind(done)
    with asm.cold():
        asm.bind(enough)
        asm.mov(rdx, mem64(rcx, records.VERSION_RECORD))
        asm.mov(mem64(rdx, records.ATTENTION), 1)
        # Compiled callers do not look at that word.
        asm.mov(rax, emitter.address(emitter.routines.attend))
        asm.xor(edx, edx)
        asm.mov(rcx, emitter.symbol("Py_AddPendingCall"))
        asm.call(emitter.routines.preserved_call)
        asm.jmp(done)
