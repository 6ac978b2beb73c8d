"""Calls of C functions, of anything callable, and of compiled bodies.

Their operands vary in number, so their templates are made on demand, one per number of operands.
Frame slots used: 0 materialised frame, 1 spare (vectorcall may scribble on it; holds a result for a moment), 2... operands.
"""

from functools import lru_cache
from types import MethodType

from asm import eax, ecx, edx, mem64, r8, r9, r10, r11, rax, rcx, rdi, rdx, relative, rsi, rsp, xmm0
from asm import xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7
from jit import types
from jit.machine.refcounts import emit_decref, emit_incref
from jit.template import Template, template
from jit.templates.collecting import NoticedCollections, makes_collectable
from platforms.cpython.layout import layout

L = layout()
C_ARGUMENTS = (rdi, rsi, rdx, rcx, r8, r9)
GPR_ARGUMENTS = (rdi, rsi, r8, r9, r10, r11)
XMM_ARGUMENTS = (xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7)
SPARE = 1
FIRST_OPERAND = 2
_OFFSET_FLAG = 1 << 63


def _variadic(name, count, function, clobbers):
    effect = ", ".join(f"operand{number}: any" for number in range(count)) + " -- result: any"
    return Template(name, effect, function, clobbers, None, False)


@lru_cache(None)
def callout_template(count):
    """`PyObject_...` with the frame materialised around it.

    The body keeps nothing in registers meanwhile, so whoever looks at the frame finds all values in memory.
    """
    return _variadic("callout", count, emit_callout, "body")


@lru_cache(None)
def blind_template(count):
    """A C function that neither runs Python code nor looks at frames."""
    return _variadic("blind_call", count, emit_blind_call, "c")


@lru_cache(None)
def blind_vector_template(count):
    """A builtin called by its vectorcall protocol without a frame."""
    return _variadic("blind_vectorcall", count, emit_blind_vectorcall, "c")


@lru_cache(None)
def build_template(count):
    return _variadic("build", count, emit_build, "c")


@lru_cache(None)
def body_call_template(count):
    from jit.templates.body_calls import emit_body_call
    return _variadic("call_body", count, emit_body_call, "body")


def slot(number):
    return mem64(rsp, 8 * number)


def emit_callout(asm, emitter, detail):
    operation = emitter.operation
    operands = operation.arguments
    done = asm.label("have_item")
    if detail.symbol == "PyIter_Next":
        _next_item(asm, emitter, operands[0], done)
    for number, value in enumerate(operands):
        emitter.store_operand(slot(FIRST_OPERAND + number), value)
    asm.lea(rcx, relative(operation.after.address))
    asm.call(emitter.routines.callout_enter_full if detail.looks else emitter.routines.callout_enter)
    if detail.vector:
        _vectorcall_arguments(asm, emitter, detail, operands)
    else:
        for number, register in zip(range(len(operands)), C_ARGUMENTS):
            asm.mov(register, slot(FIRST_OPERAND + number))
        for number, immediate in enumerate(detail.immediates):
            asm.mov(C_ARGUMENTS[len(operands) + number], immediate)
    emitter.call_symbol(detail.symbol)
    _check(asm, emitter, detail.failure, failed_callout(asm, emitter, detail, operands))
    _consume(asm, emitter, detail.consumed, operands)
    asm.lea(rcx, relative(operation.after.address))
    asm.call(emitter.routines.callout_leave)
    must_leave = asm.label("must_leave")
    asm.test(edx, edx)
    asm.jnz(must_leave)
    with asm.cold():
        asm.bind(must_leave)
        if detail.failure == "error":
            go_on = asm.label("has_item")
            asm.test(rax, rax)
            asm.jnz(go_on)
            if detail.exhausted is not None:
                drop_operand(asm, emitter, emitter.operand_after(detail.exhausted))
            asm.jmp(emitter.mismatch_label())
            asm.bind(go_on)
        asm.jmp(emitter.stub(operation.after))
    asm.bind(done)
    if operation.results:
        emitter.set_result(rax)


def _next_item(asm, emitter, iterator, done):
    """rax = the next item of an iterator of a list or tuple that has one, with a reference, and go to `done`; else go on."""
    other, of_list, have = asm.label("other_iterator"), asm.label("of_list"), asm.label("have_items")
    base = emitter.register(emitter.operand(iterator), rdi)
    asm.mov(rax, mem64(base, L.ob_type))
    asm.cmp(rax, emitter.object(type(iter([]))))
    asm.je(of_list)
    asm.cmp(rax, emitter.object(type(iter(()))))
    asm.jne(other)
    asm.mov(rcx, mem64(base, L.sequence_iterator_sequence))
    asm.test(rcx, rcx)
    asm.jz(other)
    asm.mov(rdx, mem64(base, L.sequence_iterator_index))
    asm.cmp(rdx, mem64(rcx, L.ob_size))
    asm.jae(other)
    asm.add(rcx, L.tuple_items)
    asm.jmp(have)
    asm.bind(of_list)
    asm.mov(rcx, mem64(base, L.sequence_iterator_sequence))
    asm.test(rcx, rcx)
    asm.jz(other)
    asm.mov(rdx, mem64(base, L.sequence_iterator_index))
    asm.cmp(rdx, mem64(rcx, L.list_size))
    asm.jae(other)
    asm.mov(rcx, mem64(rcx, L.list_items))
    asm.bind(have)
    asm.mov(rax, mem64(rcx, 0, rdx, 8))
    emit_incref(asm, rax, rcx)
    asm.add(mem64(base, L.sequence_iterator_index), 1)
    asm.jmp(done)
    asm.bind(other)


def failed_callout(asm, emitter, detail, operands):
    """Where to go if the C function reports an exception."""
    if not detail.drops or not detail.consumed:
        return emitter.throw_label()
    failed = asm.label("failed")
    with asm.cold():
        asm.bind(failed)
        _consume(asm, emitter, detail.consumed, operands)
        asm.jmp(emitter.throw_label())
    return failed


def _check(asm, emitter, failure, failed=None):
    """Go to `failed`, or the exception exit, if the C function reports an exception; turn a truth value into True or False."""
    failed = failed or emitter.throw_label()
    if failure in (-1, "truth", "falsehood"):
        asm.test(eax, eax)
        asm.js(failed)
        if failure != -1:
            asm.mov(rcx, emitter.object(failure == "truth"))
            asm.mov(rax, emitter.object(failure != "truth"))
            asm.cmovne(rax, rcx)
            emit_incref(asm, rax)
    elif failure == "error":
        fine = asm.label("no_error")
        asm.test(rax, rax)
        asm.jnz(fine)
        emitter.call_symbol("PyErr_Occurred")
        asm.test(rax, rax)
        asm.jnz(failed)
        asm.bind(fine)
    else:
        asm.test(rax, rax)
        asm.jz(failed)


def _consume(asm, emitter, consumed, operands):
    """Drop the operands' references while the frame still stands."""
    if not consumed:
        return
    asm.mov(slot(SPARE), rax)
    for value in consumed:
        drop_operand(asm, emitter, slot(FIRST_OPERAND + operands.index(value)))
    asm.mov(rax, slot(SPARE))


def drop_operand(asm, emitter, operand):
    """Drop a reference where the frame stands already; rax is lost."""
    freed, dropped = asm.label("freed"), asm.label("dropped")
    asm.mov(rdx, operand)
    emit_decref(asm, rdx, freed)
    asm.bind(dropped)
    with asm.cold():
        asm.bind(freed)
        asm.mov(rax, rdx)
        asm.call(emitter.dealloc_plain)
        asm.jmp(dropped)


def emit_blind_call(asm, emitter, detail):
    operands = emitter.operation.arguments
    moves = [(C_ARGUMENTS[number], emitter.operand(value)) for number, value in enumerate(operands)]
    with NoticedCollections(asm, makes_collectable(emitter.operation)):
        emitter.place(moves)
        for number, immediate in enumerate(detail.immediates):
            asm.mov(C_ARGUMENTS[len(operands) + number], immediate)
        emitter.call_symbol(detail.symbol)
    _check(asm, emitter, detail.failure)
    if emitter.operation.results:
        emitter.set_result(rax)


def emit_blind_vectorcall(asm, emitter, detail):
    operands = emitter.operation.arguments
    for number, value in enumerate(operands):
        emitter.store_operand(slot(FIRST_OPERAND + number), value)
    with NoticedCollections(asm, detail.makes and makes_collectable(emitter.operation)):
        _vectorcall_arguments(asm, emitter, detail, operands)
        emitter.call_symbol(detail.symbol)
    asm.test(rax, rax)
    asm.jz(emitter.throw_label())
    emitter.set_result(rax)


def _vectorcall_arguments(asm, emitter, detail, operands):
    """Callable, arguments, their number and keyword names, from the frame's slots."""
    asm.mov(rdi, slot(FIRST_OPERAND))
    asm.lea(rsi, slot(FIRST_OPERAND + 1))
    positional = len(operands) - 1 - (len(detail.names.constant) if detail.names is not None else 0)
    asm.mov(rdx, positional | _OFFSET_FLAG)
    if detail.names is not None:
        asm.mov(rcx, emitter.operand(detail.names))
    else:
        asm.xor(ecx, ecx)


def emit_build(asm, emitter, detail):
    """A new list or tuple; items whose reference is ours are moved in, others get one more. A list has room for so many items."""
    is_list, moved, room = detail
    operands = emitter.operation.arguments
    with NoticedCollections(asm):
        asm.mov(rdi, max(room, len(operands)))
        emitter.call_symbol("PyList_New" if is_list else "PyTuple_New")
    asm.test(rax, rax)
    asm.jz(emitter.throw_label())
    if room:
        asm.mov(mem64(rax, L.list_size), len(operands))
    base, offset = rax, L.tuple_items
    if is_list and operands:
        asm.mov(rdi, mem64(rax, L.list_items))
        base, offset = rdi, 0
    for number, value in enumerate(operands):
        asm.mov(rsi, emitter.operand_after(value))
        if not moved[number]:
            emit_incref(asm, rsi, rcx)
        asm.mov(mem64(base, offset + 8 * number), rsi)
    emitter.set_result(rax)


def argument_registers(kinds):
    """Registers in which a body of these argument types gets them; the last of those for floats carry what there is no other for."""
    registers, gprs, xmms, others = [], iter(GPR_ARGUMENTS), iter(XMM_ARGUMENTS), reversed(XMM_ARGUMENTS)
    for kind in kinds:
        registers.append(next(xmms) if kind is types.FLOAT else next(gprs, None) or next(others))
    return registers


def in_registers(kinds):
    """Whether there are registers for arguments of all these types."""
    floats = kinds.count(types.FLOAT)
    return floats + max(0, len(kinds) - floats - len(GPR_ARGUMENTS)) <= len(XMM_ARGUMENTS)


@template("list_append", "container: object, value: object --")
def list_append(asm, container, value, detail, emitter):
    """Inline while there is room; growing is PyList_Append's. `detail`: the value's reference is ours to give away."""
    slow, done = asm.label("grow"), asm.label("appended")
    base = emitter.register(container, rcx)
    asm.mov(rdx, mem64(base, L.list_size))
    asm.cmp(rdx, mem64(base, L.list_allocated))
    asm.jge(slow)
    asm.mov(rax, mem64(base, L.list_items))
    asm.lea(rdx, mem64(rax, 0, rdx, 8))
    asm.mov(rax, value)
    asm.mov(mem64(rdx, 0), rax)
    asm.add(mem64(base, L.list_size), 1)
    if not detail:
        emit_incref(asm, rax, rdx)
    asm.bind(done)
    with asm.cold():
        asm.bind(slow)
        asm.mov(rdx, value)
        asm.mov(rax, base)
        asm.mov(rcx, emitter.symbol("PyList_Append"))
        asm.call(emitter.routines.preserved_call)
        asm.test(eax, eax)
        asm.js(emitter.throw_label())
        if detail:
            # The list has taken a reference of its own.
            asm.mov(rax, value)
            emit_decref(asm, rax, done)
        asm.jmp(done)


@template("list_pop", "container: object -- item: object")
def pop_from_empty_list(asm, container, item, exit, emitter):
    """Inline while the room is kept; giving back the half of it that would be unused is CPython's (Objects/listobject.c, list_resize)."""
    shrink, popped = asm.label("shrink"), asm.label("popped")
    base = emitter.register(container, rcx)
    asm.mov(rdx, mem64(base, L.list_size))
    asm.sub(rdx, 1)
    asm.js(exit)
    if L.emptied_list_cleared:
        asm.jz(shrink)
    asm.mov(rax, mem64(base, L.list_allocated))
    asm.shr(rax, 1)
    asm.cmp(rdx, rax)
    asm.jl(shrink)
    asm.mov(rax, mem64(base, L.list_items))
    asm.mov(item, mem64(rax, 0, rdx, 8))
    asm.mov(mem64(emitter.register(container, rcx), L.list_size), rdx)
    asm.bind(popped)
    with asm.cold():
        asm.bind(shrink)
        asm.mov(rax, container)
        asm.call(emitter.routines.pop_last)
        asm.mov(item, rax)
        asm.jmp(popped)


# -- what a method object is bound to -------------------------------------------------------------------

@template("bound_to", "method: object -- owner: any")
def bound_to(asm, method, owner, emitter):
    asm.mov(owner, mem64(emitter.register(method, rax), L.cfunction_m_self))


@template("bound_instance", "method: object -- owner: object")
def bound_instance(asm, method, owner, emitter):
    """What a method object is bound to; it lives as long as that."""
    asm.mov(owner, mem64(emitter.register(method, rax), L.method_self))


@template("guard_bound_function", "method: object, function: object --")
def another_function_is_bound(asm, method, function, exit, emitter):
    base = emitter.register(method, rcx)
    emitter.compare_type(base, MethodType, rax)
    asm.jne(exit)
    asm.mov(rax, function)
    asm.cmp(mem64(base, L.method_function), rax)
    asm.jne(exit)
