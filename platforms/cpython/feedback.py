"""What the interpreter's specialised instructions say of the types that it has met, and of what it has run: a profile for nothing.

An instruction that has run a few times is replaced by a form for the types it met (PEP 659); forms for attributes keep the version tag of
the owner's class in the inline cache behind them. All of it is a guess: the types may be others by now. One that was
never run still has the counter that it began with.

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
#: Instructions whose counter changes whenever they are run. (On 3.11 many a PRECALL does the work of the CALL behind it.)
_COUNTED = {"BINARY_OP", "BINARY_SUBSCR", "COMPARE_OP", "CONTAINS_OP", "FOR_ITER", "LOAD_ATTR", "LOAD_GLOBAL", "LOAD_METHOD", "LOAD_SUPER_ATTR", "STORE_ATTR",
            "STORE_SUBSCR", "TO_BOOL", "UNPACK_SEQUENCE"} | ({"CALL"} if opcodes.VERSION > (3, 11) else set())
#: The counter of one that was never run, since the code was specialised on 3.11; what is appended to its name (Include/internal/pycore_code.h,
#: adaptive_counter_warmup, 3.13's pycore_backoff.h).
_COUNT_AT_FIRST, _NAMED_AT_FIRST = (0, "_ADAPTIVE") if opcodes.VERSION == (3, 11) else (17, "")


@functools.cache
def _meanings() -> dict[int, dict]:
    """What each form says: see `profile`. The role "tag" is still to be read."""
    found = {}
    for number, name in opcodes.specialised_forms().items():
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


@functools.cache
def _fresh() -> dict[int, int]:
    """The numbers of the instructions that are counted -> the number they have while they were never run."""
    named = {name: number for number, name in opcodes.specialised_forms().items()}
    return {opcode.opmap[name]: named.get(name + _NAMED_AT_FIRST, opcode.opmap[name]) for name in _COUNTED if name in opcode.opmap}


def unreached(code) -> frozenset[int] | None:
    """Byte offsets of instructions that the interpreter has never run, as far as that can be seen.

    Args:
        code: whose bytecode is known to be whole.

    Returns:
        None if it has run nothing of this code, so that nothing is known. On 3.11 it counts once the code has run eight times.
    """
    fresh, counts = _fresh(), opcodes.cache_entries()
    plain = code.co_code
    units = ctypes.string_at(id(code) + layout().code_adaptive, len(plain))
    found, position, counted, is_run = set(), 0, False, False
    while position < len(plain):
        first = fresh.get(plain[position])
        if first is not None:
            counted = True
            if units[position] == first and int.from_bytes(units[position + 2:position + 4], "little") == _COUNT_AT_FIRST:
                found.add(position)
            elif units[position] != plain[position] or _COUNT_AT_FIRST:
                is_run = True
        position += 2 + 2 * counts[plain[position]]
    return frozenset(found) if is_run or not counted else None
