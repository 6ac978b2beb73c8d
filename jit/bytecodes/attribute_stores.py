"""Attributes that are set and deleted; those that are read are in attributes.py."""

from jit import receivers
from jit.bytecodes.attributes import place_of
from jit.bytecodes.classes import meanings, on_class
from jit.foreign import Call, callout
from jit.types import BOOL, FLOAT, INT
from jit.values import Value
from jit.walk import bytecode

#: Reasons of the exits of stores to instances that have a dict, or one that only CPython can look into.
DICT_GUARD, ODD_DICT_GUARD = "the instance has a dict", "the instance has a dict that cannot be written"
_STORES = {FLOAT: "store_attribute_float", INT: "store_attribute_int", BOOL: "store_attribute_bool"}


@bytecode("STORE_ATTR")
def store_attr(w, instruction):
    """Stack: value, owner."""
    name = w.unit.code.co_names[instruction.argument]
    w.require(2)
    owner, value = w.peek(1), w.peek(2)
    if owner.__class__ is not Value or value.__class__ is not Value:
        return w.leave("attribute of an iterator is set")
    groups = [] if w.knowledge.observed.get(store_site(w, "odd dict")) else meanings(w, owner, name, receivers.find_for_store)
    if not groups:
        return set_attribute(w, name)
    return on_class(w, owner, groups, lambda choice: store(w, owner, value, name, choice))


def expects_dict(w):
    """Whether instances whose attribute is set here have had a dict."""
    return bool(w.knowledge.observed.get(store_site(w, "dict")) or w.unit.feedback(w.instruction, "dict"))


def store_site(w, found):
    """Key under which it is remembered that instances had a "dict", or an "odd dict"."""
    return w.instruction.site, found


def set_attribute(w, name):
    """PyObject_SetAttr wants owner, name, value."""
    w.freeze()
    owner, value = w.pop(), w.pop()
    w.push(owner)
    w.push(w.constant(name))
    w.push(value)
    return callout(w, Call("PyObject_SetAttr", failure=-1, has_result=False), 3)


@bytecode("DELETE_ATTR")
def delete_attr(w, instruction):
    """Stack: owner."""
    w.require(1)
    if w.peek().__class__ is not Value:
        return w.leave("attribute of an iterator is deleted")
    w.freeze()
    w.push(w.constant(w.unit.code.co_names[instruction.argument]))
    return callout(w, Call("PyObject_SetAttr", (0,), failure=-1, has_result=False), 2)


def store(w, owner, value, name, choice):
    """Set what an instance keeps: the old object's reference is dropped last, when the new one is in place."""
    receiver, meaning = choice
    w.before_effect()
    place = place_of(w, owner, receiver, meaning, name, expects_dict(w))
    exit = w.exit(ODD_DICT_GUARD if place.in_dict else DICT_GUARD, observe=owner if not owner.is_constant else None)
    exit.site = store_site(w, "odd dict" if place.in_dict else "dict")
    w.freeze()
    state = w.state
    w.pop(), w.pop()
    moved = value.type.is_object and value in state.owned and not state.holds(value) and value is not owner
    if moved:
        state.owned = state.owned - {value}
    after = w.exit_after("a finaliser looked at the frame")
    template = _STORES.get(value.type)
    if value.is_constant:
        template, value = None, value if value.type.is_object else w.constant_object(value)
    w.operation(template or "store_attribute_object", owner, value, exit=exit, after=after, detail=(place, moved))
    w.release(owner)
    return None
