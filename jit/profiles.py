"""What the attributes of a class's instances were seen to be: guesses for functions that see such an instance for the first time.

Problem: a function compiled at its first call knows the classes of its arguments and, through them, of what these hold; what a callee
gives it, it does not know, and each thing it has to learn by leaving costs a compilation.
Idea: whenever an instance is looked into while compiling, the types of all its attributes are noted. A note is a guess, guarded
where it is used. Only types are kept, and classes weakly.
"""

import weakref

from jit.hint_cells import HintCell
from jit.receivers import POLYMORPHIC
from jit.types import LIST, MIXED, OBJECT, STATIC_ADDRESSES, TUPLE, UNBOXED, ClassReference, Shape, exact, instance_of, in_order_seen
from platforms.cpython import dictionaries, instances

#: Classes that are remembered; more, and the dead ones are dropped, then all.
LIMIT = 4096

_profiles = {}


class Profile:
    """What is known of one class. Attributes: kind: weak reference. seen: name -> set of builtin types and ClassReferences. hints: name -> Hint.
    absences: name -> Absence. cells: name -> HintCell."""

    __slots__ = ("kind", "seen", "hints", "absences", "cells")

    def __init__(self, kind):
        self.kind = weakref.ref(kind)
        self.seen = {}
        self.hints = {}
        self.absences = {}
        self.cells = {}


def _profile(kind, make=False):
    found = _profiles.get(id(kind))
    if found is not None and found.kind() is kind:
        return found
    if not make:
        return None
    if len(_profiles) >= LIMIT:
        for address in [address for address, profile in _profiles.items() if profile.kind() is None]:
            del _profiles[address]
        if len(_profiles) >= LIMIT:
            _profiles.clear()
    found = _profiles[id(kind)] = Profile(kind)
    return found


def note(instance):
    """Note the types of the attributes that an instance keeps in its array of values."""
    kind = type(instance)
    names = instances.shared_names(kind)
    for number, name in enumerate(names or ()):
        found, item = instances.attribute(instance, number)
        if found:
            note_attribute(kind, name, item)


def note_attribute(kind, name, item):
    """Note that instances of a class have been seen to keep such an object under a name."""
    made = type(item)
    if item is None or id(made) not in STATIC_ADDRESSES and not instances.flags(made) & instances.HEAP_TYPE:
        return
    seen = _profile(kind, make=True).seen.setdefault(name, set())
    if len(seen) <= POLYMORPHIC:
        seen.add(made if id(made) in STATIC_ADDRESSES else ClassReference(made))
    if (made is list or made is tuple) and name.__class__ is str:
        for first in item:  # at once: another thread may empty it the next moment
            note_attribute(kind, (name, "items"), first)
            break


def hint(kind, name, example):
    """Where the dicts of a class's instances probably keep a name, as the Hint of those that were seen, or None.

    Args:
        example: an instance to look into, or None.
    """
    mapping = None if example is None else instances.mapping(example)
    if mapping is not None and name in mapping:
        found = dictionaries.hint(mapping, name)
        if found is not None:
            _profile(kind, make=True).hints[name] = found
            return found
    profile = _profile(kind)
    return None if profile is None else profile.hints.get(name)


def hint_cell(kind, name):
    """The HintCell for a name of a class's instances."""
    cells = _profile(kind, make=True).cells
    if name not in cells:
        cells[name] = HintCell()
    return cells[name]


def absence(kind, name, example):
    """How the dicts of a class's instances probably show that they have not a name, as an Absence, or None.

    Args:
        example: an instance to look into, or None.
    """
    mapping = None if example is None else instances.mapping(example)
    if mapping is not None and name not in mapping:
        found = dictionaries.absence(mapping, name)
        if found is not None:
            _profile(kind, make=True).absences[name] = found
            return found
    profile = _profile(kind)
    return None if profile is None else profile.absences.get(name)


def is_known(kind):
    """Whether an instance of a class has been looked into."""
    return _profile(kind) is not None


def guess(kind, name):
    """The Shape of what instances of a class probably keep under a name, or None."""
    profile = _profile(kind)
    seen = profile.seen.get(name) if profile is not None else None
    shape = shape_of_kinds(seen) if seen else None
    if shape is not None and shape.type in (LIST, TUPLE) and name.__class__ is str:
        shape.element = guess(kind, (name, "items"))
    return shape


def shape_of_kinds(seen):
    """The Shape of something that is of one of some types, or None.

    Args:
        seen: builtin types and ClassReferences.
    """
    builtin = [kind for kind in seen if kind.__class__ is not ClassReference]
    if len(seen) == 2 and int in builtin and float in builtin:
        return Shape(MIXED)
    if builtin:
        return Shape(UNBOXED.get(builtin[0]) or exact(builtin[0])) if len(seen) == 1 else None
    kinds = [kind for kind in (reference.kind() for reference in in_order_seen(seen)) if kind is not None]
    if not kinds or len(kinds) > POLYMORPHIC:
        return None
    shape = instance_of(kinds[0])
    shape.more = tuple(kinds[1:])
    return shape


def kinds_of(value, known):
    """Builtin types and ClassReferences that a Value probably is of.

    Args:
        known: list of Receivers that its class was tested for, or None.
    """
    if known is not None:
        return [ClassReference(receiver.kind) for receiver in known]
    if value.is_constant or value.type is not OBJECT or value.shape is None:
        return []
    return [ClassReference(kind) for kind in value.shape.kinds()]
