"""Which objects machine code holds, whose addresses it has.

Nothing may live longer because a function was compiled: a list that was a global, and what is in it, dies when the global is rebound, though a version
that knew its address is still there. So each object that code refers to is one of these:

- *held*: it leads to nothing of the program's: numbers, strings, tuples of such, functions written in C;
- *watched*: held by a weak reference, at whose end the version is no longer entered: functions, classes, modules, instances;
- *loose*: the rest, lists and dicts above all. Its address stands for it only as long as what it was read from still has it. Another
  object of the same address must not be taken for it: where a class had it, the class's version tag tells, which is never given twice; of what a dictionary had,
  not more than its type may be relied on, and that is compared with the address.

Source: CPython Doc/c-api/type.rst (Py_TPFLAGS_HAVE_GC).
"""

from types import BuiltinFunctionType, ClassMethodDescriptorType, CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType, MethodDescriptorType, ModuleType, WrapperDescriptorType

from jit.types import is_class
from platforms.cpython import instances

_WATCHED = (FunctionType, ModuleType)
#: What collections know of, but is made of nothing that could lead to a Python function.
_HELD = (BuiltinFunctionType, ClassMethodDescriptorType, CodeType, GetSetDescriptorType, MemberDescriptorType, MethodDescriptorType, WrapperDescriptorType)
#: Types whose instances may change: whoever relies on one of these relies on its type alone.
_CHANGING = (list, dict)
#: Items of tuples, within each other, that are looked at.
_DEPTH, _ITEMS = 4, 1000


def is_one_of(kind, kinds):
    """Without asking a metaclass."""
    return any(kind is other for other in kinds)


def is_watched(item):
    """Whether machine code that refers to an object watches it."""
    kind = type(item)
    if kind is BuiltinFunctionType:
        return item.__self__ is not None and type(item.__self__) is not ModuleType and not is_class(item.__self__)  # bound to what may lead anywhere
    return is_one_of(kind, _WATCHED) or bool(instances.weak_offset(kind)) and kind is not frozenset and not is_one_of(kind, _HELD)


def is_loose(item, depth=_DEPTH):
    """Whether machine code that refers to an object does neither hold nor watch it."""
    kind = type(item)
    if kind is tuple or kind is frozenset:
        return not depth or len(item) > _ITEMS or any(not is_held(part, depth - 1) for part in item)
    return bool(instances.flags(kind) & (instances.HAVE_GC | instances.HEAP_TYPE)) and not is_one_of(kind, _HELD) and not is_watched(item)


def is_held(item, depth=_DEPTH):
    """Whether machine code that refers to an object holds it."""
    return not is_watched(item) and not is_loose(item, depth)


def is_reliable(item):
    """Whether it can be relied on that a dictionary has this object: where it is loose, its address and type say all that is known of it."""
    return is_one_of(type(item), _CHANGING) or not is_loose(item)


def identity(item):
    """(address, address of its type or 0): what a dictionary must have where this object is relied on."""
    return id(item), id(type(item)) if is_loose(item) else 0


def is_same(item, expected):
    """Whether an object is the one whose `identity` is expected. What is held or watched needs no look at its type."""
    address, kind = expected
    return id(item) == address and (not kind or id(type(item)) == kind)


def can_die(item):
    """Static types never die (and have no weak references)."""
    return not is_class(item) or bool(instances.flags(item) & instances.HEAP_TYPE)
