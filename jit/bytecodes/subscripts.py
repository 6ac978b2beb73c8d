"""Subscripts of instances of Python classes: ``__getitem__`` and ``__setitem__`` are called directly.

Source: CPython Objects/typeobject.c (slot_mp_subscript, slot_mp_ass_subscript), Python/specialize.c (BINARY_SUBSCR_GETITEM).
"""

from jit import receivers
from jit.bytecodes.classes import classes_of, guard_classes, only_classes_seen
from jit.types import OBJECT


def load_subscript(w, container, index):
    """``container[index]`` by the method of the classes that were seen; NotImplemented if it is not one and the same function."""
    from jit.bytecodes.calls import direct_call
    function = method_of(w, container, "__getitem__")
    if function is None:
        return NotImplemented
    return direct_call(w, function, [container, index], (), 2)


def store_subscript(w, container, index, value):
    """``container[index] = value`` in the same way."""
    from jit.bytecodes.calls import call_for_effect
    function = method_of(w, container, "__setitem__")
    if function is None:
        return NotImplemented
    return call_for_effect(w, function, [container, index, value], 3)


def method_of(w, container, name):
    """The Python function that is the special method of all classes the container was seen to be of, which are guarded here; or None."""
    if container.type is not OBJECT or container.is_constant:
        return None
    if not only_classes_seen(w, container, "container"):
        return None
    kinds = classes_of(w, container, note=False)
    found = [None if kind is None or receivers.receiver(kind) is None else receivers.class_attribute(kind, name) for kind in kinds]
    if not found or not receivers.is_function(found[0]) or any(method is not found[0] for method in found):
        return None
    return found[0] if guard_classes(w, container, kinds) else None
