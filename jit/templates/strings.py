"""Characters of strings. A character is its code point until somebody needs the string."""

import ctypes
from functools import lru_cache

from asm import Memory, cl, ecx, eax, mem8, mem32, mem64, rax, rcx, rdi, rdx, relative, rsi, rsp
from jit.machine.refcounts import emit_incref
from jit.template import FAMILIES, Template, template
from jit.templates.calls import FIRST_OPERAND, slot
from jit.templates.items import emit_index
from platforms.cpython.layout import layout

L = layout()
_ASCII = 1 << L.unicode_ascii_bit
_COMPACT = 1 << L.unicode_compact_bit
_KIND_MASK = 7
#: The strings of one character up to this code point exist once (Latin-1).
_SINGLE = 256
_LARGEST = 0x10FFFF
_characters = [chr(code) for code in range(_SINGLE)]
_table = (ctypes.c_uint64 * _SINGLE)(*map(id, _characters))


def emit_character(asm, code, base, index, exit):
    """code = the code point at a checked index of the string in register `base`; rcx is lost."""
    other, two, four, done = (asm.label(name) for name in ("not_ascii", "two_bytes", "four_bytes", "character"))
    asm.mov(ecx, mem32(base, L.unicode_state))
    asm.test(ecx, _ASCII)
    asm.jz(other)
    scaled = index if not isinstance(index, int) else None
    constant = index if scaled is None else 0

    def place(offset, size):
        return Memory(base, offset + constant * size, scaled, size, size=size)

    asm.movzx(code.r32, place(L.ascii_data, 1))
    asm.bind(done)
    with asm.cold():
        asm.bind(other)
        asm.test(ecx, _COMPACT)
        asm.jz(exit)
        asm.shr(ecx, L.unicode_kind_bit)
        asm.and_(ecx, _KIND_MASK)
        asm.cmp(ecx, 2)
        asm.je(two)
        asm.ja(four)
        asm.movzx(code.r32, place(L.compact_data, 1))
        asm.jmp(done)
        asm.bind(two)
        asm.movzx(code.r32, place(L.compact_data, 2))
        asm.jmp(done)
        asm.bind(four)
        asm.mov(code.r32, place(L.compact_data, 4))
        asm.jmp(done)


@template("code_at", "text: object, index: int -- code: int")
def string_index_out_of_range(asm, text, index, code, exit, emitter):
    base, index = emit_index(asm, emitter, text, index, exit, L.unicode_length)
    if base is rcx:
        asm.mov(rax, rcx)
        base = rax
    emit_character(asm, code, base, index, exit)


@template("text_of_int", "value: int -- text: any", clobbers="c")
def text_of_int(asm, value, text, emitter):
    emitter.place([(rdi, value)])
    asm.call(emitter.routines.text_of_int)
    asm.test(rax, rax)
    asm.jz(emitter.throw_label())
    asm.mov(text, rax)


@lru_cache(None)
def join_template(count):
    """One string of `count` strings."""
    effect = ", ".join(f"operand{number}: any" for number in range(count)) + " -- result: any"
    return Template("join_texts", effect, _join_texts, "c", None, False)


def _join_texts(asm, emitter):
    operands = emitter.operation.arguments
    for number, value in enumerate(operands):
        emitter.store_operand(slot(FIRST_OPERAND + number), value)
    asm.mov(rdi, emitter.object(""))
    asm.lea(rsi, slot(FIRST_OPERAND))
    asm.mov(rdx, len(operands))
    emitter.call_symbol("_PyUnicode_JoinArray")
    asm.test(rax, rax)
    asm.jz(emitter.throw_label())
    emitter.set_result(rax)


@template("append_text", "text: object, more: object -- longer: any", clobbers="c")
def append_text(asm, text, more, longer, emitter):
    """The C function replaces a pointer in memory: one on the stack."""
    emitter.place([(rdi, text), (rsi, more)])
    asm.push(rdi)
    asm.push(rdi)
    asm.mov(rdi, rsp)
    emitter.call_symbol("PyUnicode_Append")
    asm.pop(rax)
    asm.pop(rcx)
    asm.test(rax, rax)
    asm.jz(emitter.throw_label())
    asm.mov(longer, rax)


def append_template():
    return FAMILIES["append_text"][0]


@template("character", "code: int -- character: any")
def character(asm, code, character, emitter):
    """The string of one character; those beyond Latin-1 are made anew."""
    beyond, done = asm.label("beyond_latin_1"), asm.label("made")
    asm.mov(rax, code)
    asm.cmp(rax, _SINGLE)
    asm.jae(beyond)
    asm.mov(rcx, relative(asm.constant(ctypes.addressof(_table))))
    asm.mov(rax, mem64(rcx, 0, rax, 8))
    emit_incref(asm, rax, rcx)
    asm.bind(done)
    asm.mov(character, rax)
    with asm.cold():
        asm.bind(beyond)
        asm.mov(rcx, emitter.symbol("PyUnicode_FromOrdinal"))
        asm.call(emitter.routines.preserved_call)
        asm.test(rax, rax)
        asm.jz(emitter.throw_label())
        asm.jmp(done)


@template("guard_character", "code: int --")
def no_code_point(asm, code, exit):
    asm.mov(rax, code)
    asm.cmp(rax, _LARGEST)
    asm.ja(exit)


@template("code_of", "text: str -- code: int")
def not_one_character(asm, text, code, exit, emitter):
    """ord() of a string."""
    asm.mov(rax, text)
    asm.cmp(mem64(rax, L.unicode_length), 1)
    asm.jne(exit)
    emit_character(asm, code, rax, 0, exit)



@template("text_equal", "left: str, right: str -- result: bool")
def text_equal(asm, left, right, result, emitter, detail):
    """One object is equal to itself; different lengths differ; one ASCII character is compared here, the rest by CPython."""
    compare, decided = asm.label("compare"), asm.label("decided")
    asm.mov(rax, left)
    asm.mov(rdx, right)
    asm.cmp(rax, rdx)
    asm.je(decided)
    asm.mov(rcx, mem64(rax, L.unicode_length))
    asm.cmp(rcx, mem64(rdx, L.unicode_length))
    asm.jne(decided)
    asm.cmp(rcx, 1)
    asm.jne(compare)
    asm.mov(ecx, mem32(rax, L.unicode_state))
    asm.and_(ecx, mem32(rdx, L.unicode_state))
    asm.test(ecx, _ASCII)
    asm.jz(compare)
    asm.mov(cl, mem8(rax, L.ascii_data))
    asm.cmp(cl, mem8(rdx, L.ascii_data))
    asm.bind(decided)
    # The flags say equal or not.
    (asm.sete if detail == "==" else asm.setne)(cl)
    asm.movzx(ecx, cl)
    asm.mov(result, rcx)
    with asm.cold():
        asm.bind(compare)
        _compare(asm, emitter)
        asm.test(eax, eax)
        asm.jmp(decided)


def _compare(asm, emitter):
    """eax < 0, 0, > 0: how the strings in rax and rdx are ordered."""
    asm.mov(rcx, emitter.symbol("PyUnicode_Compare"))
    asm.call(emitter.routines.preserved_call)


@template("text_order", "left: str, right: str -- order: int")
def text_order(asm, left, right, order, emitter):
    asm.mov(rdx, right)
    asm.mov(rax, left)
    _compare(asm, emitter)
    asm.movsxd(order, eax)
