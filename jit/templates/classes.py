"""Tests of the classes that values are of, by their version tags."""

from types import FunctionType

from asm import cl, eax, ecx, mem32, mem64, rax, rcx, rdi, rdx, rsi
from jit.machine.arena import arena
from jit.machine.refcounts import emit_incref
from jit.template import template
from jit.templates.items import SIZE
from platforms.cpython import entry
from platforms.cpython.layout import layout

L = layout()
#: Bit of tp_flags that classes have (Include/object.h, Py_TPFLAGS_TYPE_SUBCLASS).
TYPE_SUBCLASS_BIT = 31


def signed32(number):
    """A 32-bit number as an immediate operand."""
    return number - (1 << 32) if number >= 1 << 31 else number


@template("guard_class", "owner: object --")
def receiver_of_another_class(asm, owner, exit, detail, emitter):
    """`detail`: version tags."""
    emit_compare_tags(asm, emitter, owner, detail)
    asm.jne(exit)


def emit_compare_tags(asm, emitter, owner, tags):
    """Equal if the owner's class has one of these version tags."""
    found = asm.label("found")
    asm.mov(rax, mem64(emitter.register(owner, rax), L.ob_type))
    for tag in tags[:-1]:
        asm.cmp(mem32(rax, L.type_version_tag), signed32(tag))
        asm.je(found)
    asm.cmp(mem32(rax, L.type_version_tag), signed32(tags[-1]))
    asm.bind(found)


@template("instance_of", "value: object -- answer: bool")
def instance_of_another_class(asm, value, answer, exit, detail, emitter):
    """`detail`: (version tag, answer) for each class that was seen."""
    known = asm.label("known")
    asm.mov(rax, mem64(emitter.register(value, rax), L.ob_type))
    for result in (True, False):
        asm.mov(ecx, int(result))
        for tag in [tag for tag, said in detail if said is result]:
            asm.cmp(mem32(rax, L.type_version_tag), signed32(tag))
            asm.je(known)
    asm.jmp(exit)
    asm.bind(known)
    asm.mov(answer, rcx)


@template("branch_class", "owner: object --", terminator=True)
def branch_on_class(asm, owner, detail, emitter):
    emit_compare_tags(asm, emitter, owner, detail)
    emitter.branch("e")


@template("truth_of_object", "value: object -- truth: bool")
def truth_of_another_class(asm, value, truth, exit, detail, emitter):
    """None is false, instances of the classes with these version tags are true, bools, ints and containers are asked: `detail` is (tags, types)."""
    tags, kinds = detail
    done, is_true = asm.label("truth_known"), asm.label("is_true")
    asm.mov(rdx, value)
    asm.xor(ecx, ecx)
    asm.cmp(rdx, emitter.object(None))
    asm.je(done)
    for kind in kinds:
        if kind is bool:
            asm.cmp(rdx, emitter.object(False))
            asm.je(done)
            asm.cmp(rdx, emitter.object(True))
            asm.je(is_true)
            continue
        other = asm.label("of_another_type")
        emitter.compare_type(rdx, kind, rax)
        asm.jne(other)
        if kind is not int:
            asm.cmp(mem64(rdx, SIZE[kind]), 0)
            asm.je(done)
        elif L.long_tag is not None:
            asm.mov(eax, mem32(rdx, L.long_tag))
            asm.and_(eax, 3)
            asm.cmp(eax, 1)
            asm.je(done)
        else:
            asm.cmp(mem64(rdx, L.long_size), 0)
            asm.je(done)
        asm.jmp(is_true)
        asm.bind(other)
    if tags:
        emit_compare_tags(asm, emitter, rdx, tags)
        asm.jne(exit)
    else:
        asm.jmp(exit)
    asm.bind(is_true)
    asm.mov(ecx, 1)
    asm.bind(done)
    asm.mov(truth, rcx)


@template("guard_code", "function: object --")
def function_has_another_code(asm, function, exit, detail, emitter):
    """A function has a certain code object, namespace of builtins, and defaults if these are given; and it is called as CPython would call it,
    or by code of ours: C code may have given it a vectorcall of its own."""
    base = emitter.register(function, rax)
    for offset, expected in zip((L.function_code, L.function_builtins, L.function_defaults), detail):
        asm.mov(rcx, emitter.object(expected))
        asm.cmp(mem64(base, offset), rcx)
        asm.jne(exit)
    if entry.is_set_by_others():
        pristine, space = asm.label("pristine"), arena()
        asm.mov(rcx, mem64(base, L.function_vectorcall))
        asm.cmp(rcx, emitter.address(entry.original_vectorcall()))
        asm.je(pristine)
        asm.sub(rcx, emitter.address(space.start))
        asm.cmp(rcx, space.size)
        asm.jae(exit)
        asm.bind(pristine)


@template("guard_enclosed", "function: object --")
def something_else_is_called(asm, function, exit, detail, emitter):
    """It is a function, with these globals, and the rest of the above."""
    namespace, rest = detail
    base = emitter.register(function, rax)
    emitter.compare_type(base, FunctionType)
    asm.jne(exit)
    asm.mov(rcx, emitter.object(namespace))
    asm.cmp(mem64(base, L.function_globals), rcx)
    asm.jne(exit)
    function_has_another_code(asm, function, exit, rest, emitter)


@template("closure_cell", "function: object -- cell: object")
def closure_cell(asm, function, cell, detail, emitter):
    """`detail`: which of the cells of a function with free variables. It lives as long as the function does."""
    asm.mov(rax, mem64(emitter.register(function, rax), L.function_closure))
    asm.mov(cell, mem64(rax, L.tuple_items + 8 * detail))


@template("guard_tag", "kind: object --")
def class_has_changed(asm, kind, exit, detail, emitter):
    """The class itself is at hand."""
    asm.cmp(mem32(emitter.register(kind, rax), L.type_version_tag), signed32(detail))
    asm.jne(exit)


@template("type_of", "value: object -- kind: object")
def type_of(asm, value, kind, emitter):
    """A new reference to the type."""
    asm.mov(rax, mem64(emitter.register(value, rax), L.ob_type))
    emit_incref(asm, rax, rcx)
    asm.mov(kind, rax)


@template("has_type_flag", "value: object -- answer: bool")
def has_type_flag(asm, value, answer, detail, emitter):
    """`detail`: number of a bit of tp_flags."""
    asm.mov(rax, mem64(emitter.register(value, rax), L.ob_type))
    asm.mov(rax, mem64(rax, L.type_flags))
    asm.bt(rax, detail)
    asm.setb(cl)
    asm.movzx(ecx, cl)
    asm.mov(answer, rcx)


@template("derives_from", "value: object -- answer: bool", clobbers="c")
def derives_from(asm, value, answer, exit, detail, emitter):
    """`detail`: classes. `exit`: the value is no class."""
    found = asm.label("found")
    base = emitter.register(value, rdi)
    asm.mov(rax, mem64(base, L.ob_type))
    asm.mov(rax, mem64(rax, L.type_flags))
    asm.bt(rax, TYPE_SUBCLASS_BIT)
    asm.jnc(exit)
    emitter.place([(rdi, value)])
    for number, kind in enumerate(detail):
        if number:
            asm.mov(rdi, emitter.after_call("value"))
        asm.mov(rsi, emitter.object(kind))
        emitter.call_symbol("PyType_IsSubtype")
        asm.test(eax, eax)
        if number < len(detail) - 1:
            asm.jnz(found)
    asm.bind(found)
    asm.setne(cl)
    asm.movzx(ecx, cl)
    asm.mov(answer, rcx)
