"""Dictionaries with keys that are strings, ints, or objects that equal nothing else (classes, most instances): looked up by machine code, where no
other key can bring a comparison of its own.

Where one could, the first guard that fails is remembered, and the instruction is a callout from then on.
"""

from jit import types
from jit.bytecodes.classes import derives_from, is_derived, only_classes_seen
from jit.bytecodes.containers import container_of, sharpen
from jit.bytecodes.guards import divides, meet, probably
from jit.bytecodes.items import borrow
from jit.bytecodes.methods import method
from jit.bytecodes.numbers import number
from jit.foreign import Call, box_operands, callout
from jit.types import INT, OBJECT, STR, ClassReference, exact
from jit.unit import ABSENT
from jit.values import Value
from jit.walk import bytecode
from platforms.cpython import instances

DICT = exact(dict)
#: Exact types that the collector of garbage never knows.
_UNTRACKED = frozenset({int, float, bool, str, bytes, type(None)})
#: Number of a key's place among those where the types of an instruction's operands are noted.
_KEY_SITE = 8
_FOREIGN = "keys that only CPython can compare"


def key_of(w, container, key, kinds=(DICT,), derived=False):
    """(family, key Value) if a container proven to be a dictionary is to be looked up by such a key, guessed from what was seen; else None.

    Args:
        kinds: Types to take in the place of the dictionary's. derived: it is known to be of a class derived from dict.
    """
    if container.__class__ is not Value or not derived and container.type not in kinds or key.__class__ is not Value or w.inlined:
        return None
    if w.knowledge.observed.get((w.instruction.site, "keys")):
        return None
    key = probably(w, key, (str, int), "key")
    if key.type is STR:
        return "text", key
    w.site = _KEY_SITE
    if key.type.python is int:
        key = number(w, key) if key.type.is_object and not key.is_constant else key
    if key is None:
        return None
    if key.type is INT:
        return "int", key
    return ("object", key) if _equals_itself_alone(w, key) else None


def _equals_itself_alone(w, key):
    """Whether a key probably has the hash and the comparison of `object`: then it is looked up by its address."""
    if key.is_constant:
        return key.type.is_object and instances.compares_by_identity(type(key.constant))
    if key.type is not OBJECT:
        return False
    seen = w.seen("key", "key")
    kinds = [kind.kind() if kind.__class__ is ClassReference else kind for kind in seen]
    return bool(kinds) and all(kind is not None and kind is not object and instances.compares_by_identity(kind) for kind in kinds)


def foreign_exit(w, container):
    """Taken where a key may bring a comparison of its own."""
    leaving = w.exit(_FOREIGN, observe=container)
    leaving.site = w.instruction.site, "keys"
    return leaving


def load_item(w, container, key):
    """``container[key]``: the item's Value, borrowed from the dictionary, or None."""
    found = key_of(w, container, key)
    if found is None:
        return None
    family, key = found
    shape = container.shape and container.shape.element
    item = w.operation(f"dict_item_{family}", container, key, exit=foreign_exit(w, container), mismatch=w.exit("there is no such key"),
                       shape=shape)
    return borrow(w, item, ())


def is_derived_dict(w, container, method):
    """Whether a value is of one subclass of dict that was seen here, `defaultdict` or `Counter` mostly, with this method of dict's; it is guarded here."""
    if container.__class__ is not Value or container.type is not OBJECT or container.is_constant or w.inlined:
        return False
    seen = w.seen("container", "container")
    kind = next(iter(seen)) if len(seen) == 1 else None
    kind = kind.kind() if kind.__class__ is ClassReference else kind
    if not derives_from(kind, dict, method):
        return False
    if not instances.flags(kind) & instances.IMMUTABLE:
        return only_classes_seen(w, container, "container") and is_derived(w, container, dict, method)
    w.unit.keep(kind)
    guard = w.exit(f"not an exact {kind.__name__}", observe=container)
    guard.site = w.instruction.site, "container"
    w.operation("guard_type", container, exit=guard, detail=kind)
    return True


def load_derived(w, container, key):
    """``container[key]`` where a key that is not there may mean a call of `__missing__`: only then CPython's function is called."""
    found = key_of(w, container, key, derived=True)
    if found is None or not divides(w):
        return callout(w, Call("PyObject_GetItem"), 2)
    family, key = found
    absent = w.constant(ABSENT)
    item = w.operation(f"dict_get_{family}", container, key, absent, exit=foreign_exit(w, container), shape=container.shape and container.shape.element)

    def present():
        popped = w.pop(), w.pop()
        w.push(borrow(w, item, ()))
        w.release(*dict.fromkeys(popped))
        meet(w)

    w.freeze()
    w.split("branch_same", (item, absent), None, present)
    return callout(w, Call("PyObject_GetItem"), 2)


def contains(w, container, key):
    """``key in container`` as a BOOL Value, or None."""
    found = key_of(w, container, key)
    if found is None:
        return None
    family, key = found
    return w.operation(f"dict_contains_{family}", container, key, exit=foreign_exit(w, container))


def store_item(w, container, key):
    """Stack: value, container, key; done if it gives True. What was there before is dropped last."""
    found = key_of(w, container, key, derived=is_derived_dict(w, container, "__setitem__"))
    if found is None:
        return False
    family, key = found
    value = w.peek(3)
    sharpen(container, value)
    w.before_effect()
    leaving = foreign_exit(w, container)
    w.freeze()
    stack = w.state.stack
    stack[-3], stack[-2], stack[-1] = stack[-2], stack[-1], stack[-3]
    boxed, = box_operands(w, 1)
    tracked = boxed.type.python not in _UNTRACKED
    old = w.operation(f"dict_store_{family}", container, key, boxed, exit=leaving, detail=tracked)
    popped = stack[-3:]
    del stack[-3:]
    w.state.owned |= {old}
    w.release(*dict.fromkeys(popped))
    w.drop(old)
    return True


@bytecode("DELETE_SUBSCR")
def delete_subscr(w, instruction):
    """Stack: container, key. What the key stood for is dropped last."""
    w.require(2)
    container = container_of(w, w.peek(2))
    found = key_of(w, container, w.peek())
    if found is None:
        return callout(w, Call("PyObject_DelItem", failure=-1, has_result=False), 2)
    family, key = found
    w.before_effect()
    absent = w.exit("there is no such key")
    leaving = foreign_exit(w, container)
    w.freeze()
    old = w.operation(f"dict_delete_{family}", container, key, exit=leaving, mismatch=absent)
    stack = w.state.stack
    popped = stack[-2:]
    del stack[-2:]
    w.state.owned |= {old}
    w.release(*dict.fromkeys(popped))
    w.drop(old)
    return None


@method(dict.get)
def dict_get(w, container, key, default=None):
    """What is given back is borrowed from the dictionary, or is the default, a constant."""
    default = w.constant(None) if default is None else default
    if not default.is_constant:
        return None
    found = key_of(w, container, key)
    if found is None:
        return None
    family, key = found
    element = container.shape and container.shape.element
    shape = element if element is not None else types.Shape(default.type) if default.type.unboxed else None
    boxed = default if default.type.is_object else w.constant_object(default)
    item = w.operation(f"dict_get_{family}", container, key, boxed, exit=foreign_exit(w, container), shape=shape)
    return borrow(w, item, ())
