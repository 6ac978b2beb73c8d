"""Python classes whose instances hold objects in slots, values, a dict, or as a list or tuple, and have no finaliser: a table that machine code reads.

The key is a class's address, with its version tag: a class that is changed is another one. See harmless.py.
Source: CPython Objects/typeobject.c (subtype_dealloc), Objects/dictobject.c (PyDictValues).
"""

import ctypes
import functools
import struct
import weakref
from types import MemberDescriptorType

from jit.machine.arena import arena
from platforms.cpython import instances
from platforms.cpython.layout import layout
from platforms.cpython.observe import read

L = layout()
ENTRIES = 256
#: type, version tag, number of slots in the instance, offset of its list of weak references or 0, one of the three below, offset of its
#: slots, whether it is a list (1) or a tuple (2).
_ENTRY = struct.Struct("<QIIiiii")
_SIZE = 32
IS_LIST, IS_TUPLE = 1, 2
NO_DICT, VALUES, NO_VALUES = range(3)  # instances have neither values nor a dict, both, or a dict that may be absent
_HEADER = 16


@functools.cache
def table():
    """Address of the table of classes."""
    return arena().allocate_data(ENTRIES * _SIZE)


def note(kind, tag):
    """Put a Python class into the table, if freeing an instance runs none of its code."""
    builtin = next((base for base in instances.bases(kind) if base is list or base is tuple), None)
    if is_simple(kind, builtin):
        managed = instances.flags(kind) & instances.MANAGED_DICT
        values = NO_DICT if not managed else VALUES if instances.has_values(kind) else NO_VALUES
        first = instances.basic_size(builtin) if builtin else _HEADER
        words = (instances.basic_size(kind) - first) // 8
        _enter(id(kind), tag, words, instances.weak_offset(kind), values, first, {list: IS_LIST, tuple: IS_TUPLE}.get(builtin, 0))


def note_leaf(kind, tag):
    """Put a type that is written in C into the table, whose instances hold no objects and cannot be referred to weakly."""
    _enter(id(kind), tag, 0, 0, NO_DICT, _HEADER, 0)


def _enter(address, *entry):
    place = table() + (address >> 4) % ENTRIES * _SIZE
    words = struct.unpack("<4Q", _ENTRY.pack(address, *entry))
    # Other threads may look meanwhile: the address, which makes the entry valid, comes last.
    for number, word in ((0, 0), (3, words[3]), (2, words[2]), (1, words[1]), (0, words[0])):
        ctypes.c_uint64.from_address(place + 8 * number).value = word


def is_simple(kind, builtin=None):
    """Whether instances have no finaliser, and hold objects in slots, in values, and nowhere else.

    Args:
        builtin: list if they may also be lists, with items and a dict in the place of values; tuple if they may be tuples, which have neither slots nor dict.
    """
    dealloc, has_lists = _expected()
    flags = instances.flags(kind)
    if not has_lists or instances.dict_offset(kind) and not instances.has_values(kind) and not (builtin is list and flags & instances.MANAGED_DICT) or \
            builtin is tuple and flags & instances.MANAGED_DICT:
        return False
    known = {instances.weak_offset(kind)}
    if builtin is not None:
        known.update(range(_HEADER, instances.basic_size(builtin), 8))
    for base in instances.bases(kind):
        known.update(instances.slot_offset(item) for item in instances.namespace(base).values() if type(item) is MemberDescriptorType)
    if not known.issuperset(range(_HEADER, instances.basic_size(kind), 8)):
        return False  # fields of a class that is written in C
    return all(base is object or base is builtin or
               instances.flags(base) & instances.HEAP_TYPE and instances.slot_function(base, L.type_dealloc) == dealloc and
               "__del__" not in instances.namespace(base) for base in instances.bases(kind))


class _Plain:
    pass


class _Slotted:
    __slots__ = ("__weakref__", "slot")


@functools.cache
def _expected():
    """(address of the function that frees instances of Python classes, whether their lists of weak references lie where the class says)."""
    found = []
    for kind in (_Plain, _Slotted):
        instance, offset = kind(), instances.weak_offset(kind)
        before = read(id(instance) + offset)
        reference = weakref.ref(instance)
        found.append((before, read(id(instance) + offset)) == (0, id(reference)))
    return instances.slot_function(_Plain, L.type_dealloc), all(found)
