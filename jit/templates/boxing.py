"""Between Python objects and machine numbers; type guards and references.

`exit` is for what cannot be unboxed; `mismatch` for an object of another type than guessed, which its stub finds in rax.
"""

from asm import cl, dl, ecx, edx, mem32, mem64, rax, rcx, rdx, xmm15
from jit import types
from jit.machine.mixed import emit_small_int
from jit.machine.refcounts import emit_incref
from jit.template import template
from platforms.cpython.layout import layout

L = layout()


# -- unboxing --------------------------------------------------------------------------------

def emit_unbox_int(asm, emitter, item, exit, mismatch):
    """item = int64 of the object in rax: one digit inline, more by the shared routine; leaves beyond 64 bits."""
    emitter.compare_type(rax, int)
    asm.jne(mismatch)
    slow, done = asm.label("digits"), asm.label("unboxed")
    if L.long_size is not None:
        asm.mov(rcx, mem64(rax, L.long_size))
        asm.lea(rdx, mem64(rcx, 1))
        asm.cmp(rdx, 2)
        asm.ja(slow)
        asm.mov(edx, mem32(rax, L.long_digits))
        asm.imul(rdx, rcx)
    else:
        asm.mov(rdx, mem64(rax, L.long_tag))
        asm.cmp(rdx, 16)
        asm.jae(slow)
        asm.and_(edx, 3)
        asm.mov(ecx, 1)
        asm.sub(rcx, rdx)
        asm.mov(edx, mem32(rax, L.long_digits))
        asm.imul(rdx, rcx)
    asm.mov(item, rdx)
    asm.bind(done)
    with asm.cold():
        asm.bind(slow)
        asm.call(emitter.routines.unbox_int)
        asm.test(edx, edx)
        asm.jnz(exit)
        asm.mov(item, rax)
        asm.jmp(done)


def emit_unbox_float(asm, emitter, item, exit, mismatch):
    emitter.compare_type(rax, float)
    asm.jne(mismatch)
    asm.movsd(item, mem64(rax, L.float_value))
    emit_nan_check(asm, item, exit)


def emit_nan_check(asm, item, exit):
    """Leave with a nan, whose identity containers go by: it may not become a number."""
    asm.ucomisd(item, item)
    asm.jp(exit)


def emit_unbox_bool(asm, emitter, item, exit, mismatch):
    done = asm.label("is_bool")
    asm.xor(edx, edx)
    asm.cmp(rax, emitter.object(True))
    asm.sete(dl)
    asm.je(done)
    asm.cmp(rax, emitter.object(False))
    asm.jne(mismatch)
    asm.bind(done)
    asm.mov(item, rdx)


UNBOX = {"int": emit_unbox_int, "float": emit_unbox_float, "bool": emit_unbox_bool}


def _unbox(kind):
    def emit(asm, value, result, exit, emitter):
        asm.mov(rax, value)
        UNBOX[kind](asm, emitter, result, exit, exit)
    emit.__name__ = f"not_an_exact_{kind}"
    return emit


for _kind in UNBOX:
    template(f"unbox_{_kind}", f"value: object -- result: {_kind}")(_unbox(_kind))


@template("unbox_double", "value: object -- result: float")
def neither_float_nor_exact_int(asm, value, result, exit, emitter):
    """The double for an exact float, or for an exact int that has one of exactly its value."""
    is_float, several, done = asm.label("is_float"), asm.label("several_digits"), asm.label("unboxed")
    asm.mov(rax, value)
    emitter.compare_type(rax, float)
    asm.je(is_float)
    emitter.compare_type(rax, int)
    asm.jne(exit)
    emit_small_int(asm, result, rax, False, several)
    asm.jmp(done)
    asm.bind(is_float)
    asm.movsd(result, mem64(rax, L.float_value))
    emit_nan_check(asm, result, exit)
    asm.bind(done)
    with asm.cold():
        asm.bind(several)
        asm.call(emitter.routines.unbox_int)
        asm.test(edx, edx)
        asm.jnz(exit)
        asm.mov(rcx, 1 << 53)
        asm.lea(rdx, mem64(rax, 0, rcx))
        asm.add(rcx, rcx)
        asm.cmp(rdx, rcx)
        asm.ja(exit)
        asm.pxor(result, result)
        asm.cvtsi2sd(result, rax)
        asm.jmp(done)


@template("guard_type", "value: object --")
def guard_type(asm, value, exit, detail, emitter):
    emitter.compare_type(emitter.register(value, rax), detail)
    asm.jne(exit)


@template("branch_type", "value: object --", terminator=True)
def branch_on_type(asm, value, detail, emitter):
    emitter.compare_type(emitter.register(value, rax), detail)
    emitter.branch("e")


@template("guard_bound", "flag: int --")
def guard_bound(asm, flag, exit):
    asm.cmp(flag, 0)
    asm.je(exit)


@template("guard_same", "left: object, right: object --")
def another_object(asm, left, right, exit):
    asm.mov(rax, left)
    asm.cmp(rax, right)
    asm.jne(exit)


@template("guard_distinct", "left: any, right: any --")
def compared_with_itself(asm, left, right, exit):
    asm.mov(rax, left)
    asm.cmp(rax, right)
    asm.je(exit)


@template("same", "left: any, right: any -- result: bool")
def same_object(asm, left, right, result):
    asm.mov(rax, left)
    asm.cmp(rax, right)
    asm.sete(cl)
    asm.movzx(ecx, cl)
    asm.mov(result, rcx)


@template("branch_same", "left: object, right: object --", terminator=True)
def branch_on_identity(asm, left, right, emitter):
    asm.mov(rax, left)
    asm.cmp(rax, right)
    emitter.branch("e")


@template("branch_nonzero", "value: object --", terminator=True)
def branch_on_pointer(asm, value, emitter):
    asm.cmp(value, 0)
    emitter.branch("ne")


# -- boxing -------------------------------------------------------------------------------------

def emit_box(asm, emitter, value, kind, failed):
    """rax = new reference to the object for `value` of unboxed type `kind`; jumps to `failed` without memory."""
    if kind is types.BOOL:
        if isinstance(value, int):
            asm.mov(rax, emitter.object(bool(value)))
            emit_incref(asm, rax)
            return
        asm.mov(rax, emitter.object(False))
        asm.cmp(value, 0)
        asm.cmovne(rax, emitter.object(True))
        emit_incref(asm, rax)
        return
    if kind is types.FLOAT:
        emitter.move(xmm15, value)
        asm.call(emitter.routines.box_float)
    else:
        asm.mov(rax, value)
        asm.call(emitter.routines.box_int)
    asm.test(rax, rax)
    asm.jz(failed)


@template("box", "value: any -- boxed: any")
def box(asm, value, boxed, emitter):
    emit_box(asm, emitter, value, emitter.operation.arguments[0].type, emitter.throw_label())
    asm.mov(boxed, rax)


@template("incref", "value: object --")
def incref(asm, value, emitter):
    emit_incref(asm, emitter.register(value, rax))


@template("hold", "value: object -- held: any")
def hold(asm, value, held, emitter):
    """A constant that may die before it is used; `held` is a reference to it."""
    asm.mov(held, value)
    emit_incref(asm, held)


@template("incref_if", "flag: int, value: object --")
def incref_if(asm, flag, value, emitter):
    skip = asm.label("unbound")
    asm.cmp(flag, 0)
    asm.je(skip)
    emit_incref(asm, emitter.register(value, rax))
    asm.bind(skip)


@template("drop", "value: object --")
def drop(asm, value, emitter):
    emitter.emit_drop(value, emitter.operation.arguments[0])


@template("drop_unless", "flag: int, value: object --")
def drop_unless(asm, flag, value, emitter):
    """What was boxed of a local that is not bound."""
    skip = asm.label("bound")
    asm.cmp(flag, 0)
    asm.jne(skip)
    emitter.emit_drop(value, emitter.operation.arguments[1])
    asm.bind(skip)


@template("drop_if", "flag: int, value: any --")
def drop_if(asm, flag, value, emitter):
    kind = emitter.operation.arguments[1].type
    if kind.unboxed or kind is types.PENDING:
        return
    skip = asm.label("unbound")
    asm.cmp(flag, 0)
    asm.je(skip)
    emitter.emit_drop(value, emitter.operation.arguments[1])
    asm.bind(skip)
