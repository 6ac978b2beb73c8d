"""Checks of the layout of instances, of the slots of their types, and of what describes attributes.

A check yields (field, found, expected); see verify.py.
"""

import ctypes

from platforms.cpython import symbols
from platforms.cpython.observe import keep, read

_NAMES = ("first_name", "second_name", "third_name")


def checks(fields, peeker):
    """All checks of this module."""
    for check in (_types, _keys, _values, _descriptors):
        yield from check(fields, peeker)


def _make():
    """A class of instances with three attributes, and one of these."""
    def __init__(self):
        self.first_name, self.second_name, self.third_name = 1000.5, 2000.5, 3000.5

    kind = keep(type("Verified", (), {"__init__": __init__}))
    return kind, kind()


def _types(fields, peeker):
    get_slot = symbols.function("PyType_GetSlot", ctypes.c_uint64, ctypes.py_object, ctypes.c_int)
    name = peeker.copy(read(id(int) + fields.type_name), 4)
    yield "type_name", name, b"int\0"
    strange = keep(type("Strange", (), {"__getattribute__": object.__getattribute__, "__setattr__": lambda *_: None, "__init__": lambda *_: None,
                                        "__new__": lambda kind: None}))
    # Py_tp_getattro, Py_tp_setattro, Py_tp_init, Py_tp_new, <typeslots.h>
    for name, number in (("type_hash", 59), ("type_richcompare", 67), ("type_getattro", 58), ("type_setattro", 69), ("type_init", 60), ("type_new", 65)):
        yield name, read(id(strange) + getattr(fields, name)), get_slot(strange, number)


def _keys(fields, peeker):
    kind, _ = _make()
    keys = read(id(kind) + fields.type_cached_keys)
    log2 = peeker.number(keys + fields.keys_log2_index_bytes, 1)
    found = None
    if log2 is not None and log2 < 12:
        entries = keys + fields.keys_indices + (1 << log2)
        found = tuple(peeker.number(entries + 16 * number) for number in range(3))
    names = tuple(map(id, kind.__init__.__code__.co_names))
    yield "type_cached_keys", found, names


def _values(fields, peeker):
    kind, instance = _make()
    expected = (1000.5, 2000.5, 3000.5)
    yield "values_inline", bool(kind.__flags__ & 1 << 2) and fields.version >= (3, 13), fields.values_inline
    if fields.values_inline:
        values = id(instance) + kind.__basicsize__
        yield "values_valid", read(values + fields.values_valid, 1), 1
        yield "values_size", read(values + fields.values_size, 1), 3
        # As many as the shared keys have room for.
        keys = read(id(kind) + fields.type_cached_keys)
        usable = int.from_bytes(peeker.copy(keys + 16, 8) or b"", "little")
        yield "values_capacity", read(values + fields.values_capacity, 1), usable + 3
    elif fields.instance_tagged is not None:
        values = read(id(instance) + fields.instance_tagged) + 1
        yield "instance_tagged", values & 7, 0
    else:
        values = read(id(instance) + fields.instance_values)
    found = []
    for number in range(3):
        address = peeker.number(values + fields.values_items + 8 * number) or 0
        found.append(peeker.copy(address + fields.float_value, 8))
    wanted = [ctypes.string_at(id(value) + fields.float_value, 8) for value in expected]
    for name in ("values_items", "instance_values", "instance_tagged"):
        yield name, found, wanted
    if not fields.values_inline:
        yield "values_size", peeker.copy(values + fields.values_size - 3, 4), bytes((2, 1, 0, 3))
    if fields.instance_dict is not None:
        before = read(id(instance) + fields.instance_dict)
        made = instance.__dict__
        yield "instance_dict", (before, read(id(instance) + fields.instance_dict)), (0, id(made))
    if fields.values_inline:
        instance.__dict__ = {}
        yield "values_valid", read(values + fields.values_valid, 1), 0


def _is_code(address, peeker):
    """Whether machine code of CPython, where functions begin at multiples of 16, may lie there."""
    return address is not None and address % 16 == 0 and _is_executable(address)


def _is_executable(address):
    with open("/proc/self/maps") as maps:
        for line in maps:
            first, last = (int(part, 16) for part in line.split(None, 1)[0].split("-"))
            if first <= address < last:
                return line.split()[1][2] == "x"
    return False


def _descriptors(fields, peeker):
    kind = keep(type("Slotted", (), {"__slots__": ("one", "two")}))
    instance = kind()
    instance.two = 4000.5
    definition = read(id(kind.two) + fields.member_offset)
    offset = peeker.number(definition + fields.member_def_offset)
    offset = offset if offset is not None and offset < 64 else 0
    yield "member_offset", peeker.number(definition) is not None, True
    yield "member_def_offset", read(id(instance) + offset), id(instance.two)
    yield "member_def_type", peeker.number(definition + fields.member_def_type, 4), 16
    yield "member_def_flags", peeker.number(definition + fields.member_def_flags, 4), 0
    read_only = read(id(type(_make).__closure__) + fields.member_offset)  # a read-only member
    yield "member_def_flags", peeker.number(read_only + fields.member_def_flags, 4), 1
    getset = type(_make).__code__  # a getter that is called with its object and NULL
    definition = read(id(getset) + fields.getset_definition)
    name = peeker.copy(peeker.number(definition + fields.getset_definition_name) or 0, 9)
    yield "getset_definition_name", name, b"__code__\0"
    yield "getset_definition", name, b"__code__\0"
    getter = peeker.number(definition + fields.getset_definition_get)
    yield "getset_definition_get", _is_code(getter, peeker), True
    prop = property(_make)
    yield "property_get", read(id(prop) + fields.property_get), id(_make)
