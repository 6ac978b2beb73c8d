"""Compiled code as a C function: for teaching, for embedding, and for C code that calls back with the GIL held."""

import ctypes

from asm import (Assembler, eax, ecx, edx, mem32, mem64, r8, r9, r14d, r15, rax, rbp, rbx, rcx, rdi, rdx, relative, rsi, rsp, xmm0)
from jit import types
from jit.entries import BLOCK, EntryEmitter, PUSHED
from jit.errors import Unsupported
from jit.machine import arena
from jit.machine.stack import emit_stack_budget
from jit.templates.calls import argument_registers
from platforms.cpython import symbols
from platforms.cpython.layout import layout

L = layout()
_C_TYPES = {types.INT: ctypes.c_int64, types.FLOAT: ctypes.c_double, types.BOOL: ctypes.c_bool}
_C_INTEGERS = (rdi, rsi, rdx, rcx, r8, r9)


def native(function, argument_types):
    """See `jit.native`.

    Raises:
        Unsupported: no version for these types. TypeError: a type that has no C form.
    """
    from jit.api import available
    if not available():
        raise Unsupported(available().reason)
    from jit.dispatch import COMPILER
    unboxed = [types.UNBOXED.get(kind) or types.OBJECT for kind in argument_types]
    if len(unboxed) != function.__code__.co_argcount:
        raise TypeError(f"{function.__qualname__} takes {function.__code__.co_argcount} arguments, not {len(unboxed)}")
    with COMPILER.lock:
        record = COMPILER.register(function)
        if record.reason is not None:
            raise Unsupported(record.reason)
        code = record.version_for(tuple(unboxed))
        if code is None:
            code = COMPILER.compile(record, function, tuple(unboxed), [None] * len(unboxed))
            COMPILER.add_version(record, code)
            COMPILER.install(record, function)
    asm = Assembler(comments=False)
    _emit(asm, code)
    block = arena().allocate_code(asm.size_bound())
    arena().write_code(block, asm.finish(block))
    result = _C_TYPES.get(code.result, ctypes.py_object)
    made = ctypes.PYFUNCTYPE(result, *[_C_TYPES.get(kind, ctypes.py_object) for kind in code.types])(block)
    made.keeps = (function, code)
    return made


def _emit(asm, code):
    """System V arguments -> body -> C result; an exception stays set and the result is 0."""
    out, failed, boxed = asm.label("out"), asm.label("failed"), asm.label("boxed")
    for register in PUSHED:
        asm.push(register)
    asm.sub(rsp, BLOCK + 80)
    integers = sum(kind is not types.FLOAT for kind in code.types)
    for number, register in enumerate(_C_INTEGERS[:integers]):
        asm.mov(mem64(rsp, 24 + 8 * number), register)
    floats = [register for register in argument_registers(code.types) if register.kind == "xmm"]
    for number, register in enumerate(floats[:4]):
        asm.movsd(mem64(rsp, 72 + 8 * number), register)
    if len(floats) > 4:
        raise Unsupported("more than four float arguments")
    emitter = EntryEmitter.for_thread_state(asm)
    emitter.emit_thread_state()
    emit_stack_budget(asm, failed)
    integer = iter(range(integers))
    place = iter(range(len(floats)))
    for kind, register in zip(code.types, argument_registers(code.types)):
        if kind is types.FLOAT:
            asm.movsd(register, mem64(rsp, 72 + 8 * next(place)))
        else:
            asm.mov(register, mem64(rsp, 24 + 8 * next(integer)))
            if kind is types.BOOL:
                asm.and_(register, 1)
    asm.call(code.address)
    asm.marker(None)
    asm.mov(ecx, mem32(rsp, 0))
    asm.add(ecx, r14d)
    asm.mov(mem32(r15, L.thread_recursion_remaining), ecx)
    asm.test(edx, edx)
    asm.jnz(boxed)
    asm.bind(out)
    asm.add(rsp, BLOCK + 80)
    for register in reversed(PUSHED):
        asm.pop(register)
    asm.ret()
    asm.bind(boxed)
    _emit_unboxing(asm, code, out, failed)
    asm.bind(failed)
    asm.xor(eax, eax)
    asm.pxor(xmm0, xmm0)
    asm.jmp(out)


def _emit_unboxing(asm, code, out, failed):
    """rax = the interpreter's result or NULL: turn it into the C result by the C-API, which raises what does not fit."""
    done, freed = asm.label("done"), asm.label("freed")
    asm.test(rax, rax)
    asm.jz(failed)
    if not code.result.unboxed:
        asm.jmp(out)
        return
    asm.mov(rbx, rax)
    asm.mov(rdi, rax)
    symbol = {types.INT: "PyLong_AsLongLong", types.FLOAT: "PyFloat_AsDouble", types.BOOL: "PyObject_IsTrue"}[code.result]
    asm.call(relative(asm.constant(symbols.address(symbol))))
    asm.mov(rbp, rax)
    asm.movsd(mem64(rsp, 8), xmm0)
    asm.mov(rdi, rbx)
    asm.call(relative(asm.constant(symbols.address("Py_DecRef"))))
    asm.mov(rax, rbp)
    asm.movsd(xmm0, mem64(rsp, 8))
    asm.jmp(out)
