"""Calls of compiled bodies, which may end in the interpreter."""

import ctypes

from asm import eax, edx, mem64, r8, rax, rcx, rdi, rdx, relative, rsi, xmm0, xmm15
from jit import types
from jit.machine.refcounts import emit_decref, emit_incref
from jit.templates.attributes import emit_type_of
from jit.templates.boxing import UNBOX
from jit.templates.calls import SPARE, argument_registers, drop_operand, slot
from platforms.cpython.generators import CONVERTS_STOP_ITERATION
from platforms.cpython.layout import layout

L = layout()


def emit_body_call(asm, emitter, detail):
    operation = emitter.operation
    operands = operation.arguments
    target = detail.target
    registers = argument_registers(target.types)
    emitter.place([(register, emitter.operand(value)) for register, value in zip(registers, operands)])
    if target.foreign and target.function is not None:
        # The callee must outlive its call, whatever is rebound meanwhile.
        asm.mov(rax, emitter.operand(target.function))
        emit_incref(asm, rax, rcx)
    asm.call(emitter.body_label if target.address is None else relative(target.address))
    asm.marker(operation.after.address)
    slow, done = asm.label("foreign_code_ran"), asm.label("called")
    if target.foreign and target.function is not None:
        _drop_callee(asm, emitter, target)
    # Whenever code other than compiled code ran below, this activation has a frame now.
    asm.cmp(slot(0), 0)
    asm.jne(slow)
    emitter.set_result(xmm0 if target.result is types.FLOAT else rax)
    asm.bind(done)
    with asm.cold():
        asm.bind(slow)
        left = asm.label("callee_left")
        asm.test(edx, edx)
        asm.jnz(left)
        _look_around(asm, emitter, detail, done)
        asm.bind(left)
        _callee_left(asm, emitter, detail, done)


def _drop_callee(asm, emitter, target):
    freed, dropped = asm.label("freed"), asm.label("dropped")
    asm.mov(rcx, emitter.operand(target.function))
    emit_decref(asm, rcx, freed)
    asm.bind(dropped)
    with asm.cold():
        asm.bind(freed)
        asm.movq(xmm15, rax)
        asm.mov(rax, rcx)
        asm.call(emitter.dealloc_plain)
        asm.movq(rax, xmm15)
        asm.jmp(dropped)


def _look_around(asm, emitter, detail, done):
    """Foreign code ran below the callee: go on if nothing is different, else box the result and leave."""
    kind = detail.target.result
    result = xmm0 if kind is types.FLOAT else rax
    changed = asm.label("must_leave")
    asm.lea(rcx, relative(emitter.operation.after.address))
    asm.call(emitter.routines.resume_caller)
    asm.test(edx, edx)
    asm.jnz(changed)
    emitter.set_result(result)
    asm.jmp(done)
    asm.bind(changed)
    emitter.move(slot(SPARE), result)
    if kind is types.FLOAT:
        asm.movsd(xmm15, slot(SPARE))
        asm.call(emitter.routines.box_float)
    elif kind is types.INT:
        asm.mov(rax, slot(SPARE))
        asm.call(emitter.routines.box_int)
    elif kind is types.BOOL:
        asm.mov(rcx, slot(SPARE))
        asm.test(rcx, rcx)
        asm.mov(rax, emitter.object(False))
        asm.cmovne(rax, emitter.object(True))
        emit_incref(asm, rax, rcx)
    else:
        asm.mov(rax, slot(SPARE))
    asm.test(rax, rax)
    asm.jz(emitter.throw_label())
    asm.mov(slot(SPARE), rax)
    for value in detail.consumed:
        drop_operand(asm, emitter, emitter.operand_after(value))
    if detail.discards:
        drop_operand(asm, emitter, slot(SPARE))
    asm.mov(rax, slot(SPARE))
    asm.jmp(emitter.stub(emitter.operation.after))


def _callee_left(asm, emitter, detail, done):
    """The callee ended in the interpreter: rax is its boxed result or NULL."""
    operation = emitter.operation
    kind = detail.target.result
    give_up = asm.label("result_differs")
    asm.test(rax, rax)
    if detail.generates and CONVERTS_STOP_ITERATION:
        _convert_stop_iteration(asm, emitter)
    else:
        asm.jz(emitter.throw_label())
    asm.mov(slot(SPARE), rax)
    if detail.initialises:
        _check_none(asm, emitter, detail)
    if detail.operator is not None:
        _complete(asm, emitter, detail.operator)
    asm.lea(rcx, relative(operation.after.address))
    asm.call(emitter.routines.resume_caller)
    asm.test(edx, edx)
    asm.jnz(give_up)
    if kind.unboxed:
        result = emitter.result_register()
        UNBOX[kind.name](asm, emitter, result, give_up, give_up)
        asm.mov(rdx, slot(SPARE))
        freed, dropped = asm.label("freed"), asm.label("dropped")
        emit_decref(asm, rdx, freed)
        asm.bind(dropped)
        emitter.set_result(result)
        asm.jmp(done)
        asm.bind(freed)
        asm.mov(rax, rdx)
        asm.call(emitter.dealloc_plain)
        asm.jmp(dropped)
    else:
        if kind.python is not None:
            emitter.compare_type(rax, kind.python)
            asm.jne(give_up)
        emitter.set_result(rax)
        asm.jmp(done)
    asm.bind(give_up)
    for value in detail.consumed:
        drop_operand(asm, emitter, emitter.operand_after(value))
    if detail.discards:
        drop_operand(asm, emitter, slot(SPARE))
    asm.mov(rax, slot(SPARE))
    asm.jmp(emitter.stub(operation.mismatch or operation.after))


_RAISED = ctypes.create_string_buffer(b"generator raised StopIteration")


def _convert_stop_iteration(asm, emitter):
    """Raise the exception that is set if the last result was NULL; a StopIteration may not leave a generator (PEP 479)."""
    have = asm.label("have_result")
    asm.jnz(have)
    asm.mov(rdi, emitter.object(StopIteration))
    emitter.call_symbol("PyErr_ExceptionMatches")
    asm.test(eax, eax)
    asm.jz(emitter.throw_label())
    asm.mov(rdi, emitter.object(RuntimeError))
    asm.mov(rsi, emitter.address(ctypes.addressof(_RAISED)))
    asm.xor(eax, eax)
    emitter.call_symbol("_PyErr_FormatFromCause")
    asm.jmp(emitter.throw_label())
    asm.bind(have)


_NOT_NONE = ctypes.create_string_buffer(b"__init__() should return None, not '%.200s'")


def _check_none(asm, emitter, detail):
    """``__init__`` ended in the interpreter: raise what CPython does if its result, in the spare slot, is not None."""
    fine = asm.label("is_none")
    asm.cmp(rax, emitter.object(None))
    asm.je(fine)
    with_type = emitter.address(ctypes.addressof(_NOT_NONE))
    asm.mov(rdx, mem64(rax, L.ob_type))
    asm.mov(rdx, mem64(rdx, L.type_name))
    asm.mov(rdi, emitter.object(TypeError))
    asm.mov(rsi, with_type)
    asm.xor(eax, eax)
    emitter.call_symbol("PyErr_Format")
    drop_operand(asm, emitter, slot(SPARE))
    asm.jmp(emitter.throw_label())
    asm.bind(fine)


_NOT_SUPPORTED = ctypes.create_string_buffer(b"'%s' not supported between instances of '%.100s' and '%.100s'")
_RICH_COMPARE = 67  # Py_tp_richcompare, <typeslots.h>


def _complete(asm, emitter, operator):
    """An operator's method ended in the interpreter: if its result, in the spare slot, is NotImplemented, do what CPython does then.

    Source: CPython Objects/object.c (do_richcompare), Objects/abstract.c (binop_type_error).
    """
    missing, fine = asm.label("not_implemented"), asm.label("implemented")
    asm.cmp(rax, emitter.object(NotImplemented))
    asm.je(missing)
    asm.bind(fine)
    with asm.cold():
        asm.bind(missing)
        drop_operand(asm, emitter, slot(SPARE))
        if operator.comparison is None:
            _load_type_name(asm, emitter, rax, operator.left)
            _load_type_name(asm, emitter, rdx, operator.right)
            asm.mov(rcx, emitter.address(id(operator.text) + L.bytes_data))
            asm.call(emitter.routines.raise_unsupported)
            asm.jmp(emitter.throw_label())
        else:
            _compare_reflected(asm, emitter, operator, fine)


def _compare_reflected(asm, emitter, operator, fine):
    """Ask the right operand; then all are equal to themselves only, and there is no order."""
    nobody, answered = asm.label("nobody"), asm.label("answered")
    is_object = not operator.right.type.unboxed  # numbers know nothing of others' instances
    if is_object:
        emit_type_of(asm, emitter, rdi, emitter.operand_after(operator.right), operator.right)
        asm.mov(rsi, _RICH_COMPARE)
        emitter.call_symbol("PyType_GetSlot")
        asm.test(rax, rax)
        asm.jz(nobody)
        asm.mov(rdi, emitter.operand_after(operator.right))
        asm.mov(rsi, emitter.operand_after(operator.left))
        asm.mov(edx, operator.reflected)
        asm.call(rax)
        asm.test(rax, rax)
        asm.jz(emitter.throw_label())
        asm.mov(slot(SPARE), rax)
        asm.cmp(rax, emitter.object(NotImplemented))
        asm.jne(fine)
        drop_operand(asm, emitter, slot(SPARE))
    asm.bind(nobody)
    if operator.text in (b"==\0", b"!=\0"):
        asm.mov(rax, emitter.object(operator.text == b"!=\0"))
        if is_object:
            asm.mov(rcx, emitter.operand_after(operator.left))
            asm.mov(rdx, emitter.operand_after(operator.right))
            asm.cmp(rcx, rdx)
            asm.jne(answered)
            asm.mov(rax, emitter.object(operator.text == b"==\0"))
        asm.bind(answered)
        emit_incref(asm, rax, rcx)
        asm.mov(slot(SPARE), rax)
        asm.jmp(fine)
        return
    _load_type_name(asm, emitter, rcx, operator.left)
    _load_type_name(asm, emitter, r8, operator.right)
    asm.mov(rdi, emitter.object(TypeError))
    asm.mov(rsi, emitter.address(ctypes.addressof(_NOT_SUPPORTED)))
    asm.mov(rdx, emitter.address(id(operator.text) + L.bytes_data))
    asm.xor(eax, eax)
    emitter.call_symbol("PyErr_Format")
    asm.jmp(emitter.throw_label())


def _load_type_name(asm, emitter, register, value):
    """register = the name of the type of one of the operator's operands."""
    emit_type_of(asm, emitter, register, emitter.operand_after(value), value)
    asm.mov(register, mem64(register, L.type_name))
