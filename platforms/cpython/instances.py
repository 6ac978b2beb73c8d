"""Where instances of Python classes keep their attributes.

An instance with a *managed dictionary* has no dict until somebody asks for it: its values lie in an array, by the number that each
name has in its class's shared keys. Slots lie in the instance itself.

Source: CPython Objects/dictobject.c, Include/internal/pycore_dict.h (PyDictValues), Objects/typeobject.c.
"""

import ctypes
import functools
import sys

from platforms import pages
from platforms.cpython.layout import layout
from platforms.cpython.observe import read
from platforms.cpython.undisturbed import JE, JNE, assemble, call, disp

MANAGED_DICT = 1 << 4
INLINE_VALUES = 1 << 2
IMMUTABLE = 1 << 8
HEAP_TYPE = 1 << 9
HAVE_GC = 1 << 14
ABSTRACT = 1 << 20
_SPLIT_KEYS = 2
_OBJECT_EX = 16  # of a PyMemberDef: a slot
_READ_ONLY = 1
_ADDRESS = ctypes.c_void_p
_MISSING = object()

#: Functions of a class that ask neither it nor its metaclass.
flags, basic_size, dict_offset, weak_offset, _mro, namespace = (
    type.__dict__[name].__get__ for name in ("__flags__", "__basicsize__", "__dictoffset__", "__weakrefoffset__", "__mro__", "__dict__"))


def bases(kind: type) -> tuple[type, ...]:
    """A class and its bases in the order of look-ups; () of a class in C that has never been made ready."""
    return _mro(kind) or ()


def slot_function(kind: type, field: int) -> int:
    """The address in one of a type's slots."""
    return read(id(kind) + field)


def identity_slots() -> tuple[int, int]:
    """What a type has in its slots for hash and comparison if its instances equal nothing but themselves."""
    return slot_function(object, layout().type_hash), slot_function(object, layout().type_richcompare)


def compares_by_identity(kind: type) -> bool:
    """Whether instances have the hash and the comparison of `object`."""
    return (slot_function(kind, layout().type_hash), slot_function(kind, layout().type_richcompare)) == identity_slots()


@functools.cache
def _type_lookup():
    return pages.prototype(_ADDRESS, _ADDRESS, _ADDRESS)(("_PyType_Lookup", ctypes.pythonapi))


def version_tag(kind: type) -> int:
    """The number that stands for the class, its bases and their attributes as they are now; 0 if there is none."""
    field = id(kind) + layout().type_version_tag
    if not read(field, 4):
        # A lookup assigns one.
        _type_lookup()(id(kind), id("__purejit_absent__"))
    return read(field, 4)


def known_tag(kind: type) -> int:
    """The same, if it has been asked for before, else 0."""
    return read(id(kind) + layout().type_version_tag, 4)


def has_values(kind: type) -> bool:
    """Whether instances may keep their attributes in an array of values."""
    bits = flags(kind)
    if not bits & MANAGED_DICT or not bits & HEAP_TYPE:
        return False
    return bool(bits & INLINE_VALUES) if layout().values_inline else True


@functools.lru_cache(64)
def _objects(count: int) -> type:
    """The ctypes type of so many references in a row; ctypes itself makes it anew each time."""
    return ctypes.py_object * count


def shared_names(kind: type) -> list[str] | None:
    """The names in a class's shared keys, by number; None if it has none."""
    fields = layout()
    keys = shared_keys(kind)
    if not keys or read(keys + fields.keys_kind, 1) != _SPLIT_KEYS:
        return None
    entries = keys + fields.keys_indices + (1 << read(keys + fields.keys_log2_index_bytes, 1))
    words = fields.keys_entry_size // 8
    try:
        return _objects(words * read(keys + fields.keys_entries_used)).from_address(entries)[::words]
    except ValueError:  # an entry without a key
        return None


def introduce(kind: type, name: str) -> bool:
    """Put a name into a class's shared keys, as the first instance to get such an attribute would: a passing instance gets it.

    Nothing is done where making or freeing an instance would run foreign code, or where instances are not `object`'s alone.
    """
    fields = layout()
    plain = all(slot_function(kind, field) == slot_function(object, field) for field in (fields.type_new, fields.type_setattro))
    if not plain or not has_values(kind) or any("__del__" in namespace(base) for base in bases(kind)):
        return False
    try:
        object.__setattr__(object.__new__(kind), name, None)
    except (TypeError, AttributeError):
        return False  # an abstract class
    return True


def shared_keys(kind: type) -> int:
    """Address of a class's shared keys; 0 if it has none."""
    if not has_values(kind):
        return 0
    return read(id(kind) + layout().type_cached_keys)


def attribute(instance: object, number: int) -> tuple[bool, object]:
    """(True, the attribute) that an instance keeps under a number of its class's shared keys, or (False, None). Runs no foreign code."""
    kind = type(instance)
    if not has_values(kind):
        return False, None
    item = _attribute()(id(instance), 8 * number, basic_size(kind))
    return (False, None) if item is _MISSING else (True, item)


@functools.cache
def _attribute():
    """PyObject *attribute(instance, offset among the values, size of such instances): _MISSING if it has none.

    In one go: the next moment another thread may free its values.
    """
    fields = layout()
    if fields.values_inline:
        find = ["48 01 D7", f"80 7F {fields.values_valid:02X} 00", (JE, "none")]  # add rdi, rdx; cmp byte [rdi + valid], 0
    elif fields.instance_tagged is not None:
        find = [f"48 8B 7F {disp(fields.instance_tagged, 1)} 40 F6 C7 01", (JE, "none"), "48 FF C7"]  # mov rdi, [rdi + tagged]; test dil, 1; inc rdi
    else:
        find = [f"48 8B 7F {disp(fields.instance_values, 1)} 48 85 FF", (JE, "none")]  # mov rdi, [rdi + values]; test rdi, rdi
    code, _ = assemble(["53", *find, f"48 8B 5C 37 {fields.values_items:02X} 48 85 DB", (JNE, "found"),  # push rbx; mov rbx, [rdi + rsi + items]; test rbx, rbx
                        "none:", f"48 BB {disp(id(_MISSING), 8)}",  # mov rbx, _MISSING
                        "found:", "48 89 DF", call("Py_IncRef"), "48 89 D8 5B C3"])  # mov rdi, rbx; mov rax, rbx; pop rbx; ret
    return pages.routine(code, ctypes.py_object, *[ctypes.c_uint64] * 3)


def name_in_messages(kind: type) -> str:
    """A class's name as C code gives it in messages, with the module if it is written in C (tp_name)."""
    return ctypes.string_at(read(id(kind) + layout().type_name)).decode()


def mapping(instance: object) -> dict | None:
    """The dict of an instance of a class with managed dictionaries, if it has an exact one whose keys are all strings."""
    fields = layout()
    if fields.instance_dict is not None:
        _, found = object_at(id(instance) + fields.instance_dict)
    else:
        place = id(instance) + fields.instance_tagged
        if read(place) & 1:
            return None
        _, found = object_at(place)  # once its values are in a dict, they stay in one
    return found if type(found) is dict and all(type(key) is str for key in list(found)) else None


def dict_attribute(instance: object, name: str) -> tuple[bool, object]:
    """The same for an attribute in the instance's dict, if it has one."""
    found = mapping(instance)
    item = _MISSING if found is None else found.get(name, _MISSING)
    return (False, None) if item is _MISSING else (True, item)


def slot_value(instance: object, offset: int) -> tuple[bool, object]:
    """The same for a slot."""
    return object_at(id(instance) + offset)


def object_at(place: int) -> tuple[bool, object]:
    """(True, the object that memory known to be readable refers to), or (False, None). In one go: the next moment another thread may drop it."""
    try:
        return True, ctypes.py_object.from_address(place).value
    except ValueError:  # NULL
        return False, None


def tuple_getter() -> type | None:
    """The class of the descriptors that named tuples have for their fields, if there are named tuples; their `__reduce__` tells the index.

    Source: CPython Modules/_collectionsmodule.c (tuplegetter).
    """
    kind = getattr(sys.modules.get("_collections"), "_tuplegetter", None)
    return kind if type(kind) is type and (not flags(kind) & HEAP_TYPE or flags(kind) & IMMUTABLE) else None


def slot_offset(descriptor: object) -> int | None:
    """Where instances keep what a member descriptor made by ``__slots__`` stands for; None if it is another one."""
    fields = layout()
    definition = read(id(descriptor) + fields.member_offset)
    if read(definition + fields.member_def_type, 4) != _OBJECT_EX or read(definition + fields.member_def_flags, 4) & _READ_ONLY:
        return None
    return read(definition + fields.member_def_offset)
