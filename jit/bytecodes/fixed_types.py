"""Methods of types that are written in C and never change: ``deque.append``, ``Match.group``, ``BytesIO.write``.

Which method a name means follows from the type alone; so the type is proven, and no method object is made.
Source: CPython Python/specialize.c (specialize_attr_loadmethod), Objects/typeobject.c (type_setattro: Py_TPFLAGS_IMMUTABLETYPE).
"""

import sys
from types import MethodDescriptorType, ModuleType

from jit import receivers
from jit.bytecodes.classes import class_of_interpreter, classes_of, origin
from jit.types import OBJECT
from platforms.cpython import instances
from platforms.cpython.layout import layout


def fixed_method(w, owner, name):
    """The descriptor of the method that a name means for an object of such a type, which is proven here; None if it is not known to be of one."""
    kind = fixed_type(w, owner)
    method = None if kind is None else receivers.class_attribute(kind, name)
    if type(method) is not MethodDescriptorType:
        return None
    w.unit.keep(kind)
    if not owner.is_constant:
        guard = w.exit(f"not an exact {kind.__name__}", observe=owner)
        guard.site = origin(w, owner)
        w.operation("guard_type", owner, exit=guard, detail=kind)
    if instances.dict_offset(kind):
        w.operation("guard_not_in_dict", owner, detail=(instances.dict_offset(kind), interned(w, name)))
    return method


def fixed_type(w, owner):
    """The only type that the owner of an attribute has been seen to be of, if it is one of these; or None."""
    if owner.type is not OBJECT:
        return None
    kinds = classes_of(w, owner, note=False)
    told = class_of_interpreter(w) if not kinds and not w.knowledge.observed.get(origin(w, owner)) else None
    kind = kinds[0] if len(kinds) == 1 else told
    return kind if kind is not None and is_fixed(kind) else None


def is_fixed(kind):
    """Whether a type was written in C, has attributes that nobody can change, and looks up those of its instances as `object` does."""
    field = layout().type_getattro
    return all(type(base) is type and instances.flags(base) & instances.IMMUTABLE for base in (kind, *instances.bases(kind))) and \
        not instances.flags(kind) & instances.MANAGED_DICT and instances.dict_offset(kind) >= 0 and \
        instances.slot_function(kind, field) == instances.slot_function(object, field)


def imported_type(module, name):
    """The type of this name in a module that the program has imported, if it is one of these; or None: anything may stand in either's place."""
    found = sys.modules.get(module)
    kind = found.__dict__.get(name) if type(found) is ModuleType else None
    return kind if type(kind) is type and is_fixed(kind) and (kind.__module__, kind.__name__) == (module, name) else None


def interned(w, name):
    """The name, kept: instances' dicts have the interned object as their key."""
    w.unit.keep(name)
    return name
