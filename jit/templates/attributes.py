"""Attributes of instances of Python classes: the guard of the class, and reading and writing values and slots.

Behind `guard_class` the receiver is known to be of one class in one state until foreign code runs; the values' place in the
instance follows from that (platforms/cpython/instances.py). A value that is not set, or has moved into a dict, is left to the interpreter.
"""

from asm import cl, ecx, mem8, mem32, mem64, rax, rcx, rdx, xmm15
from jit import types
from jit.machine import boxes
from jit.machine.refcounts import emit_incref
from jit.template import template
from jit.templates.boxing import UNBOX, emit_box
from platforms.cpython.layout import layout

L = layout()


class Place:
    """Where an instance keeps an attribute.

    Attributes:
        offset: in the instance, of a slot; None for a value. number: of the value, None for one that is in a dict only.
        size: of the instance without its values. name: of the attribute.
    """

    __slots__ = ("offset", "number", "size", "name")

    def __init__(self, offset=None, number=None, size=0, name=None):
        self.offset = offset
        self.number = number
        self.size = size
        self.name = name


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


@template("branch_class", "owner: object --", terminator=True)
def branch_on_class(asm, owner, detail, emitter):
    emit_compare_tags(asm, emitter, owner, detail)
    emitter.branch("e")


@template("truth_of_instance", "value: object -- truth: bool")
def truth_of_another_class(asm, value, truth, exit, detail, emitter):
    """None is false, instances of the classes with these version tags are true."""
    done = asm.label("truth_known")
    asm.mov(rdx, value)
    asm.xor(ecx, ecx)
    asm.cmp(rdx, emitter.object(None))
    asm.je(done)
    asm.mov(ecx, 1)
    if detail:
        emit_compare_tags(asm, emitter, rdx, detail)
        asm.jne(exit)
    else:
        asm.jmp(exit)
    asm.bind(done)
    asm.mov(truth, rcx)


@template("guard_tag", "kind: object --")
def class_has_changed(asm, kind, exit, detail, emitter):
    """The class itself is at hand."""
    asm.cmp(mem32(emitter.register(kind, rax), L.type_version_tag), signed32(detail))
    asm.jne(exit)


@template("guard_values", "owner: object --")
def instance_may_have_its_own(asm, owner, exit, detail, emitter):
    """`detail`: the instance's size without its values, whose names are known, and the name it must not have in a dict."""
    size, name = detail
    has_dict, fine = asm.label("has_dict"), asm.label("has_not_its_own")
    emit_values(asm, emitter.register(owner, rcx), size, has_dict)
    asm.bind(fine)
    with asm.cold():
        asm.bind(has_dict)
        asm.mov(rcx, owner)
        asm.mov(rdx, emitter.object(name))
        asm.call(emitter.routines.dict_attribute)
        asm.test(rax, rax)
        asm.jz(fine)
        asm.jmp(exit)


def emit_values(asm, owner, size, exit):
    """rax = address of the instance's values, such that `L.values_items` leads to the first; jumps to `exit` if it has a dict instead."""
    if L.values_inline:
        asm.cmp(mem8(owner, size + L.values_valid), 0)
        asm.je(exit)
        asm.lea(rax, mem64(owner, size))
    elif L.instance_tagged is not None:
        asm.mov(rax, mem64(owner, L.instance_tagged))
        asm.test(rax.r8, 1)
        asm.jz(exit)
        asm.add(rax, 1)
    else:
        asm.mov(rax, mem64(owner, L.instance_values))
        asm.test(rax, rax)
        asm.jz(exit)


def emit_read(asm, emitter, owner, place, exit):
    """rax = the attribute."""
    base = emitter.register(owner, rcx)
    if place.offset is not None:
        asm.mov(rax, mem64(base, place.offset))
        asm.test(rax, rax)
        asm.jz(exit)
        return
    if place.number is None:
        emit_look_up(asm, emitter, owner, place.name, exit)
        return
    has_dict, found = asm.label("has_dict"), asm.label("found")
    emit_values(asm, base, place.size, has_dict)
    asm.mov(rax, mem64(rax, L.values_items + 8 * place.number))
    asm.test(rax, rax)
    asm.jz(exit)
    asm.bind(found)
    with asm.cold():
        asm.bind(has_dict)
        emit_look_up(asm, emitter, owner, place.name, exit)
        asm.jmp(found)


def emit_look_up(asm, emitter, owner, name, exit):
    """rax = the attribute in the instance's dict."""
    asm.mov(rcx, owner)
    asm.mov(rdx, emitter.object(name))
    asm.call(emitter.routines.dict_attribute)
    asm.cmp(rax, 1)
    asm.jbe(exit)


def _reader(kind):
    def emit(asm, owner, item, exit, detail, emitter):
        emit_read(asm, emitter, owner, detail, exit)
        UNBOX[kind](asm, emitter, item, exit, emitter.mismatch_label())
    emit.__name__ = "attribute_is_not_set"
    return emit


for _kind in UNBOX:
    template(f"attribute_{_kind}", f"owner: object -- item: {_kind}")(_reader(_kind))


@template("attribute_object", "owner: object -- item: object")
def attribute_is_not_set_object(asm, owner, item, exit, detail, emitter):
    emit_read(asm, emitter, owner, detail, exit)
    asm.mov(item, rax)


@template("attribute_exact", "owner: object -- item: any")
def attribute_is_not_set_exact(asm, owner, item, exit, detail, emitter):
    emit_read(asm, emitter, owner, detail[0], exit)
    emitter.compare_type(rax, detail[1])
    asm.jne(emitter.mismatch_label())
    asm.mov(item, rax)


# -- writing ------------------------------------------------------------------------------------------

def emit_place(asm, emitter, owner, place, exit):
    """rdx = address of the attribute's pointer; uses rax, rcx. An instance whose dict exists is left to the interpreter."""
    base = emitter.register(owner, rcx)
    if place.offset is not None:
        asm.lea(rdx, mem64(base, place.offset))
        return
    if L.values_inline:
        asm.cmp(mem64(base, L.instance_dict), 0)
        asm.jne(exit)
    emit_values(asm, base, place.size, exit)
    asm.lea(rdx, mem64(rax, L.values_items + 8 * place.number))


def emit_replace(asm, emitter, place):
    """Put the reference in rax where rdx points and drop the old one; the first value of a name goes on record."""
    first, done = asm.label("first"), asm.label("stored")
    asm.mov(rcx, mem64(rdx, 0))
    asm.mov(mem64(rdx, 0), rax)
    asm.mov(rax, rcx)
    asm.test(rax, rax)
    asm.jz(first if place.offset is None else done)
    emitter.emit_drop_rax()
    asm.bind(done)
    if place.offset is not None:
        return
    with asm.cold():
        asm.bind(first)
        emit_note_order(asm, place.number)
        asm.jmp(done)


def emit_note_order(asm, number):
    """A name gets its first value (rdx points to it): its number is appended to the order in which the dict would have it."""
    values = -L.values_items - 8 * number
    if L.values_inline:
        asm.movzx(ecx, mem8(rdx, values + L.values_size))
        asm.movzx(rax.r32, mem8(rdx, values + L.values_capacity))
        asm.lea(rax, mem64(rcx, L.values_items, rax, 8))
        asm.mov(mem8(rdx, values, rax, 1), number)
        asm.add(ecx, 1)
        asm.mov(mem8(rdx, values + L.values_size), cl)
    else:
        asm.movzx(ecx, mem8(rdx, values + L.values_size))
        asm.add(ecx, 1)
        asm.mov(mem8(rdx, values + L.values_size), cl)
        asm.neg(rcx)
        asm.mov(mem8(rdx, values + L.values_size, rcx, 1), number)


@template("store_attribute_object", "owner: object, value: object --")
def store_attribute_of_dict(asm, owner, value, exit, detail, emitter):
    """`detail`: (Place, whether the value's reference is ours to give away)."""
    place, moved = detail
    emit_place(asm, emitter, owner, place, exit)
    asm.mov(rax, value)
    if not moved:
        emit_incref(asm, rax, rcx)
    emit_replace(asm, emitter, place)


@template("store_attribute_float", "owner: object, value: float --")
def store_attribute_of_dict_float(asm, owner, value, exit, detail, emitter):
    """A float that only the instance refers to is overwritten in place: nobody can tell it from a new one."""
    place = detail[0]
    replace, done = asm.label("replace"), asm.label("stored")
    emit_place(asm, emitter, owner, place, exit)
    asm.mov(rax, mem64(rdx, 0))
    asm.test(rax, rax)
    asm.jz(replace)
    asm.cmp(emitter.refcount(rax), 1)
    asm.jne(replace)
    emitter.compare_type(rax, float, rcx)
    asm.jne(replace)
    source = value
    if value.kind != "xmm":
        asm.movsd(xmm15, value)
        source = xmm15
    asm.movsd(mem64(rax, L.float_value), source)
    asm.bind(done)
    with asm.cold():
        asm.bind(replace)
        emitter.move(xmm15, value)
        asm.call(emitter.routines.box_float)
        _store_boxed(asm, emitter, owner, place, exit)
        asm.jmp(done)


def _store_boxed(asm, emitter, owner, place, exit):
    """Store the new reference in rax, or leave without memory."""
    asm.test(rax, rax)
    asm.jz(emitter.throw_label())
    asm.movq(xmm15, rax)
    emit_place(asm, emitter, owner, place, exit)
    asm.movq(rax, xmm15)
    emit_replace(asm, emitter, place)


@template("store_attribute_int", "owner: object, value: int --")
def store_attribute_of_dict_int(asm, owner, value, exit, detail, emitter):
    """Small ints exist once, side by side: their address is computed; others are boxed out of line."""
    place = detail[0]
    large, done = asm.label("large"), asm.label("stored")
    emit_place(asm, emitter, owner, place, exit)
    asm.mov(rax, value)
    asm.lea(rcx, mem64(rax, -boxes.SMALLEST))
    asm.cmp(rcx, boxes.SMALL_COUNT)
    asm.jae(large)
    asm.imul(rax, rcx, L.small_int_stride)
    asm.add(rax, emitter.object(boxes.SMALLEST))
    if not L.immortal_refcounts:
        asm.add(mem64(rax, L.ob_refcnt), 1)
    emit_replace(asm, emitter, place)
    asm.bind(done)
    with asm.cold():
        asm.bind(large)
        asm.call(emitter.routines.box_int)
        _store_boxed(asm, emitter, owner, place, exit)
        asm.jmp(done)


@template("store_attribute_bool", "owner: object, value: bool --")
def store_attribute_of_dict_bool(asm, owner, value, exit, detail, emitter):
    emit_place(asm, emitter, owner, detail[0], exit)
    emit_box(asm, emitter, value, types.BOOL, emitter.throw_label())
    emit_replace(asm, emitter, detail[0])


@template("guard_implemented", "result: object, left: any, right: any --")
def operation_is_not_implemented(asm, result, left, right, detail, emitter):
    """`detail`: the operator, as a C string in a bytes object that the version holds."""
    fails = asm.label("not_implemented")
    asm.mov(rax, result)
    asm.cmp(rax, emitter.object(NotImplemented))
    asm.je(fails)
    with asm.cold():
        asm.bind(fails)
        for register, operand, value in ((rax, left, emitter.operation.arguments[1]), (rdx, right, emitter.operation.arguments[2])):
            emit_type_of(asm, emitter, register, operand, value)
            asm.mov(register, mem64(register, L.type_name))
        asm.mov(rcx, emitter.address(id(detail) + L.bytes_data))
        asm.call(emitter.routines.raise_unsupported)
        asm.jmp(emitter.throw_label())


def emit_type_of(asm, emitter, register, operand, value):
    """register = the type of an operand, boxed or not."""
    if value.type.unboxed or value.is_constant:
        asm.mov(register, emitter.object(value.type.python or type(value.constant)))
    else:
        asm.mov(register, operand)
        asm.mov(register, mem64(register, L.ob_type))
