"""Attributes of instances of Python classes: the guard of the class, and reading and writing values and slots.

Behind `guard_class` the receiver is known to be of one class in one state until foreign code runs; the values' place in the
instance follows from that (platforms/cpython/instances.py). A value that is not set, or has moved into a dict, is left to the interpreter.
"""

from asm import cl, eax, ecx, mem8, mem64, rax, rcx, rdx, xmm15
from jit import types
from jit.machine import boxes
from jit.machine.refcounts import emit_incref
from jit.template import template
from jit.templates.boxing import UNBOX, emit_box
from jit.templates.instance_dicts import emit_absence, emit_look_up, emit_place_in_dict, emit_set_in_dict
from platforms.cpython.layout import layout

L = layout()


class Place:
    """Where an instance keeps an attribute.

    Attributes:
        offset: in the instance, of a slot; None for a value. number: of the value, None for one that is in a dict only.
        size: of the instance without its values. name: of the attribute. hint: Hint where a dict probably keeps it, or None; cell: HintCell if there is no Hint.
        in_dict: instances that have a dict are to be expected.
    """

    __slots__ = ("offset", "number", "size", "name", "hint", "cell", "in_dict")

    def __init__(self, offset=None, number=None, size=0, name=None, hint=None, cell=None, in_dict=False):
        self.offset = offset
        self.number = number
        self.size = size
        self.name = name
        self.hint = hint
        self.cell = cell
        self.in_dict = in_dict or hint is not None or offset is None and number is None


@template("guard_values", "owner: object --")
def instance_may_have_its_own(asm, owner, exit, detail, emitter):
    """`detail`: the instance's size without its values, whose names are known; the name it must not have in a dict; Absence of it, or None."""
    size, name, absence = detail
    has_dict, fine = asm.label("has_dict"), asm.label("has_not_its_own")
    emit_values(asm, emitter.register(owner, rcx), size, has_dict)
    asm.bind(fine)
    with asm.cold():
        asm.bind(has_dict)
        if absence is not None:
            otherwise = asm.label("look_up")
            emit_absence(asm, emitter, owner, absence, otherwise)
            asm.jmp(fine)
            asm.bind(otherwise)
        asm.mov(rcx, owner)
        asm.mov(rdx, emitter.object(name))
        asm.call(emitter.routines.dict_attribute)
        asm.test(rax, rax)
        asm.jz(fine)
        asm.jmp(exit)


@template("guard_not_in_dict", "owner: object --")
def it_may_have_its_own(asm, owner, exit, detail, emitter):
    """`detail`: where an instance of a type written in C has its dict, which is made when it is needed; the name."""
    offset, name = detail
    has_dict, fine = asm.label("has_dict"), asm.label("has_not_its_own")
    asm.mov(rcx, mem64(emitter.register(owner, rcx), offset))
    asm.test(rcx, rcx)
    asm.jnz(has_dict)
    asm.bind(fine)
    with asm.cold():
        asm.bind(has_dict)
        emitter.compare_type(rcx, dict, rdx)
        asm.jne(exit)
        asm.mov(rdx, emitter.object(name))
        asm.call(emitter.routines.dict_entry)
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


def emit_read(asm, emitter, owner, place, exit, absent=None):
    """rax = the attribute; jumps to `absent`, or to `exit` without that, if it is not set."""
    base = emitter.register(owner, rcx)
    if place.offset is not None:
        asm.mov(rax, mem64(base, place.offset))
        asm.test(rax, rax)
        asm.jz(absent or exit)
        return
    if place.number is None:
        emit_look_up(asm, emitter, owner, place, exit, absent)
        return
    has_dict, found = asm.label("has_dict"), asm.label("found")
    emit_values(asm, base, place.size, has_dict)
    asm.mov(rax, mem64(rax, L.values_items + 8 * place.number))
    asm.test(rax, rax)
    asm.jz(absent or exit)
    asm.bind(found)
    with asm.cold():
        asm.bind(has_dict)
        emit_look_up(asm, emitter, owner, place, exit, absent)
        asm.jmp(found)


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


@template("attribute_or", "owner: object, default: object -- item: object")
def only_CPython_can_look_up_the_attribute(asm, owner, default, item, exit, detail, emitter):
    _emit_optional(asm, emitter, owner, detail, exit, item, lambda: None, lambda: asm.mov(rax, default))


@template("has_attribute", "owner: object -- found: bool")
def only_CPython_can_look_for_the_attribute(asm, owner, found, exit, detail, emitter):
    _emit_optional(asm, emitter, owner, detail, exit, found, lambda: asm.mov(eax, 1), lambda: asm.xor(eax, eax))


def _emit_optional(asm, emitter, owner, place, exit, result, emit_found, emit_absent):
    """result = the attribute, which is in rax, after `emit_found`, or what `emit_absent` leaves in rax."""
    absent, done = asm.label("absent"), asm.label("found_or_not")
    emit_read(asm, emitter, owner, place, exit, absent)
    emit_found()
    asm.bind(done)
    asm.mov(result, rax)
    with asm.cold():
        asm.bind(absent)
        emit_absent()
        asm.jmp(done)


# -- writing ------------------------------------------------------------------------------------------

def emit_place(asm, emitter, owner, place, exit):
    """rdx = address of the attribute's pointer; uses rax, rcx. Jumps to `exit` if the instance has a dict."""
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
    asm.jz(done if place.number is None else first)
    emitter.emit_drop_rax()
    asm.bind(done)
    if place.number is None:
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


class _Storing:
    """The parts that stores have in common: where the value goes, and what happens where the instance has a dict.

    Attributes:
        ownership, emit_value: see `emit_set_in_dict`. tracked: the value may be one that the garbage collector looks into.
    """

    def __init__(self, asm, emitter, owner, detail, exit, ownership, emit_value):
        self.asm, self.emitter, self.owner, self.exit = asm, emitter, owner, exit
        self.place = detail[0]
        self.ownership, self.emit_value = ownership, emit_value
        self.tracked = ownership != "boxed"
        self.done = asm.label("stored")

    def emit_find(self):
        """rdx = address of the attribute's pointer; uses rax, rcx. Without one the value is set, and control goes to `done`."""
        asm, place = self.asm, self.place
        if not place.in_dict:
            emit_place(asm, self.emitter, self.owner, place, self.exit)
            return
        located = asm.label("located")
        if place.number is None:
            self.emit_find_in_dict(located)
        else:
            has_dict = asm.label("has_dict")
            emit_place(asm, self.emitter, self.owner, place, has_dict)
            with asm.cold():
                asm.bind(has_dict)
                self.emit_find_in_dict(located)
        asm.bind(located)

    def emit_find_in_dict(self, located):
        asm, place = self.asm, self.place
        otherwise = asm.label("not_as_hinted")
        emit_place_in_dict(asm, self.emitter, self.owner, place, self.tracked, otherwise)
        asm.jmp(located)
        asm.bind(otherwise)
        emit_set_in_dict(asm, self.emitter, self.owner, place, self.emit_value, self.ownership, self.exit, self.done)

    def emit_boxed(self):
        """Box the value and store it; where there is no memory, leave."""
        asm = self.asm
        self.emit_value()
        asm.movq(xmm15, rax)
        if self.place.in_dict:
            # What it was found by is lost, so it is looked up again, and has a reference already.
            again = _Storing(asm, self.emitter, self.owner, (self.place,), self.exit, "boxed", lambda: asm.movq(rax, xmm15))
            again.done = self.done
            again.emit_find()
        else:
            emit_place(asm, self.emitter, self.owner, self.place, self.exit)
        asm.movq(rax, xmm15)
        emit_replace(asm, self.emitter, self.place)


@template("store_attribute_object", "owner: object, value: object --")
def store_attribute_of_dict(asm, owner, value, exit, detail, emitter):
    """`detail`: (Place, whether the value's reference is ours to give away)."""
    place, moved = detail
    storing = _Storing(asm, emitter, owner, detail, exit, "moved" if moved else "borrowed", lambda: asm.mov(rax, value))
    storing.emit_find()
    asm.mov(rax, value)
    if not moved:
        emit_incref(asm, rax, rcx)
    emit_replace(asm, emitter, place)
    asm.bind(storing.done)


@template("store_attribute_float", "owner: object, value: float --")
def store_attribute_of_dict_float(asm, owner, value, exit, detail, emitter):
    """A float that only the instance refers to is overwritten in place: nobody can tell it from a new one."""
    replace = asm.label("replace")
    storing = _Storing(asm, emitter, owner, detail, exit, "boxed", lambda: emit_box(asm, emitter, value, types.FLOAT, emitter.throw_label()))
    storing.emit_find()
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
    asm.bind(storing.done)
    with asm.cold():
        asm.bind(replace)
        storing.emit_boxed()
        asm.jmp(storing.done)


@template("store_attribute_int", "owner: object, value: int --")
def store_attribute_of_dict_int(asm, owner, value, exit, detail, emitter):
    """Small ints exist once, side by side: their address is computed. Others overwrite an int that only the instance refers to."""
    large, replace = asm.label("large"), asm.label("replace")
    storing = _Storing(asm, emitter, owner, detail, exit, "boxed", lambda: emit_box(asm, emitter, value, types.INT, emitter.throw_label()))
    storing.emit_find()
    asm.mov(rax, value)
    asm.lea(rcx, mem64(rax, -boxes.SMALLEST))
    asm.cmp(rcx, boxes.SMALL_COUNT)
    asm.jae(large)
    asm.imul(rax, rcx, L.small_int_stride)
    asm.add(rax, emitter.object(boxes.SMALLEST))
    if not L.immortal_refcounts:
        asm.add(mem64(rax, L.ob_refcnt), 1)
    emit_replace(asm, emitter, detail[0])
    asm.bind(storing.done)
    with asm.cold():
        asm.bind(large)
        asm.mov(rcx, mem64(rdx, 0))
        asm.test(rcx, rcx)
        asm.jz(replace)
        asm.mov(rdx, rax)
        asm.call(emitter.routines.overwrite_int)
        asm.test(eax, eax)
        asm.jnz(storing.done)
        asm.bind(replace)
        storing.emit_boxed()
        asm.jmp(storing.done)


@template("store_attribute_bool", "owner: object, value: bool --")
def store_attribute_of_dict_bool(asm, owner, value, exit, detail, emitter):
    storing = _Storing(asm, emitter, owner, detail, exit, "boxed", lambda: emit_box(asm, emitter, value, types.BOOL, emitter.throw_label()))
    storing.emit_find()
    emit_box(asm, emitter, value, types.BOOL, emitter.throw_label())
    emit_replace(asm, emitter, detail[0])
    asm.bind(storing.done)


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
