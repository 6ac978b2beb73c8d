"""Machine code that makes strings of numbers and of objects.

    text_of_int   rdi = int64 -> rax = new str or NULL
    formatted_str, formatted_repr, formatted_ascii   rdi = object, rsi = specification or NULL -> rax = new reference or NULL:
        what FORMAT_VALUE does with a conversion, which are two calls of foreign code in one instruction

They obey the C calling convention. Source: CPython Objects/longobject.c (long_to_decimal_string_internal): a new string each time;
Python/ceval.c (FORMAT_VALUE).
"""

from asm import cl, ecx, mem8, mem64, r8, rax, rbx, rcx, rdi, rdx, relative, rsi, rsp
from jit.machine.refcounts import emit_decref
from platforms.cpython import symbols
from platforms.cpython.layout import layout

L = layout()
#: What converts an object before it is formatted.
CONVERSIONS = {"formatted_str": "PyObject_Str", "formatted_repr": "PyObject_Repr", "formatted_ascii": "PyObject_ASCII"}
#: n * this >> 67 is n // 10, for any n of 64 bits.
_TENTH = 0xCCCCCCCCCCCCCCCD
_LARGEST_CHARACTER = 127
#: Where the digits end on the stack; there are 20 at most, with the sign.
_END = 32


def emit(asm):
    """Emit the routines; returns their labels by name."""
    labels = {name: asm.label(name) for name in ("text_of_int", *CONVERSIONS)}
    _begin(asm, labels["text_of_int"])
    _emit_digits(asm)
    _emit_text(asm)
    for name, conversion in CONVERSIONS.items():
        _begin(asm, labels[name])
        _emit_formatted(asm, conversion)
    return labels


def _begin(asm, label):
    asm.align(16)
    asm.comment(label.name)
    asm.bind(label)


def _emit_digits(asm):
    """rsi = address of the first character."""
    again, positive, unsigned = asm.label("digit"), asm.label("positive"), asm.label("unsigned")
    asm.sub(rsp, 40)
    asm.lea(rsi, mem64(rsp, _END))
    asm.mov(rax, rdi)
    asm.test(rax, rax)
    asm.jns(positive)
    asm.neg(rax)
    asm.bind(positive)
    asm.mov(r8, relative(asm.constant(_TENTH)))
    asm.bind(again)
    asm.mov(rcx, rax)
    asm.mul(r8)
    asm.shr(rdx, 3)
    asm.lea(rax, mem64(rdx, 0, rdx, 4))
    asm.add(rax, rax)
    asm.sub(rcx, rax)
    asm.add(ecx, ord("0"))
    asm.sub(rsi, 1)
    asm.mov(mem8(rsi, 0), cl)
    asm.mov(rax, rdx)
    asm.test(rax, rax)
    asm.jnz(again)
    asm.test(rdi, rdi)
    asm.jns(unsigned)
    asm.sub(rsi, 1)
    asm.mov(mem8(rsi, 0), ord("-"))
    asm.bind(unsigned)


def _emit_text(asm):
    again, done = asm.label("character"), asm.label("done")
    asm.mov(mem64(rsp, 0), rsi)
    asm.lea(rdi, mem64(rsp, _END))
    asm.sub(rdi, rsi)
    asm.mov(rsi.r32, _LARGEST_CHARACTER)
    _call(asm, "PyUnicode_New")
    asm.test(rax, rax)
    asm.jz(done)
    asm.mov(rsi, mem64(rsp, 0))
    asm.lea(rdi, mem64(rax, L.ascii_data))
    asm.lea(rdx, mem64(rsp, _END))
    asm.bind(again)
    asm.mov(cl, mem8(rsi, 0))
    asm.mov(mem8(rdi, 0), cl)
    asm.add(rsi, 1)
    asm.add(rdi, 1)
    asm.cmp(rsi, rdx)
    asm.jb(again)
    asm.bind(done)
    asm.add(rsp, 40)
    asm.ret()


def _emit_formatted(asm, conversion):
    """Convert; an exact string is formatted only if there is a specification."""
    formatting, freed, done = asm.label("formatting"), asm.label("freed"), asm.label("done")
    asm.push(rbx)
    asm.mov(rbx, rsi)
    _call(asm, conversion)
    asm.test(rax, rax)
    asm.jz(done)
    asm.test(rbx, rbx)
    asm.jnz(formatting)
    asm.mov(rcx, relative(asm.constant(symbols.type_address(str))))
    asm.cmp(rcx, mem64(rax, L.ob_type))
    asm.je(done)
    asm.bind(formatting)
    asm.mov(rsi, rbx)
    asm.mov(rbx, rax)
    asm.mov(rdi, rax)
    _call(asm, "PyObject_Format")
    emit_decref(asm, rbx, freed)
    asm.bind(done)
    asm.pop(rbx)
    asm.ret()
    asm.bind(freed)
    asm.mov(rdi, rbx)
    asm.mov(rbx, rax)
    _call(asm, "_Py_Dealloc")
    asm.mov(rax, rbx)
    asm.jmp(done)


def _call(asm, name):
    asm.call(relative(asm.constant(symbols.address(name))))
