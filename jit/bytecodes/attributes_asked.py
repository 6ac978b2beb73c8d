"""Attributes that are asked for by a function, and may not be there: ``getattr(x, "name")``, ``getattr(x, "name", default)``, ``hasattr(x, "name")``.

Where the classes that were seen have no such attribute, and no ``__getattr__``, it is looked for in the instance alone.
Source: CPython Python/bltinmodule.c (builtin_getattr, builtin_hasattr).
"""

import sys

from jit import profiles, receivers
from jit.bytecodes.attributes import guard_kept, kept_attribute, place_of, stored_value
from jit.bytecodes.builtins import builtin
from jit.bytecodes.classes import rely_on_keys
from jit.bytecodes.items import borrow
from platforms.cpython import instances


@builtin(getattr)
def call_getattr(w, owner, name, *default):
    """An attribute that instances keep, or a default, a constant; without one the interpreter goes on where it is not set."""
    if not is_name(name) or len(default) > 1:
        return None
    if not default:
        return kept_attribute(w, owner, name.constant)
    default, = default
    kept = guard_optional(w, owner, name.constant) if default.is_constant else None
    if kept is None:
        return None
    receiver, meaning = kept
    if meaning.how == "item":
        return stored_value(w, owner, receiver, meaning, name.constant)
    boxed = default if default.type.is_object else w.constant_object(default)
    item = w.operation("attribute_or", owner, boxed, detail=place_of(w, owner, receiver, meaning, name.constant),
                       shape=profiles.guess(receiver.kind, name.constant))
    return borrow(w, item, ())


@builtin(hasattr)
def call_hasattr(w, owner, name):
    """Whether an instance keeps an attribute."""
    kept = guard_optional(w, owner, name.constant) if is_name(name) else None
    if kept is None:
        return None
    receiver, meaning = kept
    return w.constant(True) if meaning.how == "item" else w.operation("has_attribute", owner, detail=place_of(w, owner, receiver, meaning, name.constant))


def is_name(value):
    """Whether a Value is a known exact string, interned as names of attributes are."""
    return value.is_constant and type(value.constant) is str and sys.intern(value.constant) is value.constant


def guard_optional(w, owner, name):
    """(Receiver, Attribute) that tells where instances keep an attribute, their classes guarded, if nobody is asked where it is not set; or None."""
    kept = guard_kept(w, owner, name)
    if not kept or any(receivers.has_attribute(receiver.kind, "__getattr__") for receiver, _ in kept):
        return None
    if kept[0][1].how == "dict":
        # An instance without a dict has it as soon as the name is one of those that all share.
        for receiver, meaning in kept:
            names = instances.shared_names(receiver.kind)
            if names is None or name in names:
                return None
            meaning.keys = instances.shared_keys(receiver.kind), len(names)
        rely_on_keys(w, kept)
    return kept[0]
