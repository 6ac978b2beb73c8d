"""What the interpreter's specialised instructions say of the types that it has met: a profile for nothing.

An instruction that has run a few times is replaced by a form for the types it met (PEP 659); forms for attributes keep the version tag of
the owner's class in the inline cache behind them. All of it is a guess: the types may be others by now.

Source: Python/specialize.c, Include/internal/pycore_code.h (_PyAttrCache, _PyLoadMethodCache), Lib/dis.py of each version.
"""

import ctypes
import functools
import opcode

from platforms.cpython import opcodes
from platforms.cpython.layout import layout

_TYPES = {"INT": int, "FLOAT": float, "STR": str, "UNICODE": str, "LIST": list, "TUPLE": tuple, "TWO_TUPLE": tuple, "DICT": dict, "SET": set, "BOOL": bool,
          "NONE": type(None)}
#: Where the version tag is, from the instruction: behind it and a counter.
_TAG = 4
#: Endings of forms of LOAD_ATTR, LOAD_METHOD and STORE_ATTR that have the tag of the owner's class there.
_TAGGED = ("_INSTANCE_VALUE", "_SLOT", "_WITH_HINT", "_PROPERTY", "_GETATTRIBUTE_OVERRIDDEN", "_METHOD_LAZY_DICT", "_METHOD_NO_DICT", "_METHOD_WITH_VALUES",
           "_METHOD_WITH_DICT", "_NONDESCRIPTOR_NO_DICT", "_NONDESCRIPTOR_WITH_VALUES")


def forms() -> dict[int, str]:
    """The name of each specialised form by its number."""
    names = getattr(opcode, "_specialized_instructions", None)
    if names is None:
        from _opcode_metadata import _specialized_opmap
        return {number: name for name, number in _specialized_opmap.items()}
    free = (number for number, name in enumerate(opcode.opname) if name.startswith("<"))
    return dict(zip(free, names))


@functools.cache
def _meanings() -> dict[int, dict]:
    """What each form says: see `profile`. The role "tag" is still to be read."""
    found = {}
    for number, name in forms().items():
        meaning = _meaning(name)
        if meaning:
            found[number] = meaning
    return found


def _meaning(name):
    for family in ("BINARY_OP_", "COMPARE_OP_"):
        if name.startswith(family):
            kind = _TYPES.get(name.removesuffix("_JUMP").rpartition("_")[2])
            return {role: kind for role in ("left", "right")} if kind else None
    for family in ("BINARY_SUBSCR_", "STORE_SUBSCR_", "CONTAINS_OP_", "UNPACK_SEQUENCE_"):
        if name.startswith(family):
            kind = _TYPES.get(name.removeprefix(family).removesuffix("_INT"))
            return kind and {"container": kind, **({"index": int} if name.endswith("_INT") else {})}
    if name.startswith("TO_BOOL_"):
        kind = _TYPES.get(name.removeprefix("TO_BOOL_"))
        return kind and {"truth": kind}
    if name.startswith(("LOAD_ATTR_", "LOAD_METHOD_", "STORE_ATTR_")) and name.endswith(_TAGGED):
        return {"tag": None, **({"dict": True} if name.endswith(("_WITH_HINT", "_WITH_DICT")) else {})}
    return None


def profile(code) -> dict[int, dict]:
    """What is known of a code object's instructions.

    Args:
        code: whose bytecode is known to be whole (see `opcodes.is_cut_off`).

    Returns:
        dict of byte offset -> {role: type}; roles: "left", "right" (operands), "container", "index", "truth" (what is asked for it), "tag": the version
        tag of the owner's class, "dict": True where the owner had a dict. Instructions of which nothing is known are left out.
    """
    meanings = _meanings()
    fields = layout()
    plain = code.co_code
    units = ctypes.string_at(id(code) + fields.code_adaptive, len(plain))
    counts = opcodes.cache_entries()
    found = {}
    position = 0
    while position < len(plain):
        number = units[position]
        meaning = meanings.get(number)
        if meaning is not None:
            if "tag" in meaning:
                meaning = {**meaning, "tag": int.from_bytes(units[position + _TAG:position + _TAG + 4], "little")}
            found[position] = meaning
        position += 2 + 2 * counts[plain[position]]
    return found
