"""Machine code that looks up what a method call calls.

    method_to_call   rdi = object, rsi = name -> rax = a callable, or 0 with an exception set

It obeys the C calling convention. As in LOAD_METHOD a method of a type written in C is not bound in the way that reading the attribute would bind it: an error
of its call names the type that it is defined in.
Source: CPython Objects/object.c (_PyObject_GetMethod), Objects/classobject.c (PyMethod_New).
"""

from asm import eax, mem64, rax, rbx, rdi, rdx, rsi, rsp
from jit.machine.saving import emit_call


def emit(asm):
    """Emit the routine; returns its label by name."""
    label, done = asm.label("method_to_call"), asm.label("found")
    asm.align(16)
    asm.comment("method_to_call")
    asm.bind(label)
    asm.push(rbx)
    asm.sub(rsp, 16)
    asm.mov(rbx, rdi)
    asm.mov(mem64(rsp, 0), 0)
    asm.mov(rdx, rsp)
    emit_call(asm, "_PyObject_GetMethod")
    asm.test(eax, eax)
    asm.mov(rax, mem64(rsp, 0))
    asm.jz(done)
    asm.mov(rdi, rax)
    asm.mov(rsi, rbx)
    emit_call(asm, "PyMethod_New")
    asm.mov(rdi, mem64(rsp, 0))
    asm.mov(mem64(rsp, 0), rax)
    emit_call(asm, "Py_DecRef")
    asm.mov(rax, mem64(rsp, 0))
    asm.bind(done)
    asm.add(rsp, 16)
    asm.pop(rbx)
    asm.ret()
    return {"method_to_call": label}
