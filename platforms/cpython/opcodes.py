"""What each CPython version's raw opcodes mean, as canonical instructions.

Problem: 3.11, 3.12 and 3.13 spell the same operation differently (PRECALL + CALL, fused
LOAD_FAST_LOAD_FAST, RETURN_CONST, arguments that carry flags in their low bits ...).
Idea: one table per version from raw opcode to a list of *canonical* ``(operation, argument)``
pairs, so that everything after decoding knows one instruction set.
Invariant: a raw opcode that is not listed is passed on under its own name; the compiler then
leaves to the interpreter there, it never guesses.

Source: Python/bytecodes.c (3.12, 3.13), Python/ceval.c (3.11), Lib/opcode.py of each version.
"""

import ctypes
import functools
import opcode
import sys

from platforms.cpython.layout import layout

VERSION = sys.version_info[:2]

#: Symbols of BINARY_OP's argument (``opcode._nb_ops`` without its NB_ prefix); + 13 is in place.
BINARY_SYMBOLS = ("+", "&", "//", "<<", "@", "*", "%", "|", "**", ">>", "-", "/", "^")
COMPARE_SYMBOLS = ("<", "<=", "==", "!=", ">", ">=")

#: Operations dropped while decoding: they have no effect on values.
DROPPED = frozenset({"NOP", "RESUME", "CACHE", "PRECALL", "EXTENDED_ARG"})


def _binary_op(argument, version):
    in_place = "=" if argument >= 13 else ""
    return [("BINARY_OP", BINARY_SYMBOLS[argument % 13] + in_place)]


def _compare_op(argument, version):
    """From 3.13 on one bit asks for the truth of the result, for a jump behind it that takes True and False alone."""
    shift = {(3, 11): 0, (3, 12): 4}.get(version, 5)
    compare = ("COMPARE_OP", COMPARE_SYMBOLS[argument >> shift])
    return [compare, ("TO_BOOL", 0)] if version >= (3, 13) and argument & 16 else [compare]


def _load_global(argument, version):
    """The low bit asks for a NULL beside the value; which of the two is pushed first changed in 3.13."""
    load = ("LOAD_GLOBAL", argument >> 1)
    if not argument & 1:
        return [load]
    return [load, ("PUSH_NULL", 0)] if version >= (3, 13) else [("PUSH_NULL", 0), load]


def _load_attr(argument, version):
    if version == (3, 11):
        return [("LOAD_ATTR", argument)]
    return [("LOAD_METHOD" if argument & 1 else "LOAD_ATTR", argument >> 1)]


def _fused(first, second):
    return lambda argument, version: [(first, argument >> 4), (second, argument & 15)]


#: CALL_INTRINSIC_1's functions that were opcodes of their own in 3.11 (Include/internal/pycore_intrinsics.h).
_INTRINSICS = {5: "UNARY_POSITIVE", 6: "LIST_TO_TUPLE"}


def _call_intrinsic(argument, version):
    return [(_INTRINSICS.get(argument, "CALL_INTRINSIC_1"), argument)]


_COMMON = {
    "CALL_INTRINSIC_1": _call_intrinsic,
    "BINARY_OP": _binary_op,
    "COMPARE_OP": _compare_op,
    "LOAD_GLOBAL": _load_global,
    "LOAD_ATTR": _load_attr,
    "IS_OP": lambda argument, version: [("IS_OP", bool(argument))],
    "CONTAINS_OP": lambda argument, version: [("CONTAINS_OP", bool(argument))],
    "JUMP_FORWARD": lambda argument, version: [("JUMP", argument)],
    "JUMP_BACKWARD": lambda argument, version: [("JUMP_BACKWARD", argument)],
    "JUMP_BACKWARD_NO_INTERRUPT": lambda argument, version: [("JUMP", argument)],
    "CALL_KW": lambda argument, version: [("CALL", argument)],
    "RETURN_CONST": lambda argument, version: [("LOAD_CONST", argument), ("RETURN_VALUE", 0)],
    "LOAD_FAST_CHECK": lambda argument, version: [("LOAD_FAST", argument)],
    "LOAD_FAST_LOAD_FAST": _fused("LOAD_FAST", "LOAD_FAST"),
    "STORE_FAST_LOAD_FAST": _fused("STORE_FAST", "LOAD_FAST"),
    "STORE_FAST_STORE_FAST": _fused("STORE_FAST", "STORE_FAST"),
}


def _conditional_jumps():
    """POP_JUMP_FORWARD_IF_X / POP_JUMP_BACKWARD_IF_X (3.11) and POP_JUMP_IF_X (later) are one operation."""
    table = {}
    for condition in ("TRUE", "FALSE", "NONE", "NOT_NONE"):
        name = f"POP_JUMP_IF_{condition}"
        for raw in (name, f"POP_JUMP_FORWARD_IF_{condition}"):
            table[raw] = lambda argument, version, name=name: [(name, argument)]
        table[f"POP_JUMP_BACKWARD_IF_{condition}"] = lambda argument, version, name=name: [(name + "_BACKWARD", argument)]
    return table


CANONICAL = {**_COMMON, **_conditional_jumps()}

#: Raw names whose argument is a jump distance in code units, forwards or backwards.
JUMPS_BACKWARD = frozenset(name for name in opcode.opmap if "JUMP_BACKWARD" in name)
JUMPS = frozenset(opcode.opname[op] for op in opcode.hasjrel) | JUMPS_BACKWARD

#: What goes on nowhere behind itself: jumps, and the end.
JUMPS_ALWAYS = frozenset({"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"})
LEAVE = frozenset({"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE"})

#: What drops its operands before it raises the exception that a C function has set; others leave them to whoever unwinds the operand stack.
DROPPING = frozenset({"BINARY_OP", "BINARY_SUBSCR", "BINARY_SLICE", "CALL", "CALL_FUNCTION_EX", "COMPARE_OP", "CONTAINS_OP", "DELETE_SUBSCR",
                      "LIST_EXTEND", "SET_UPDATE", "STORE_ATTR", "STORE_SLICE", "STORE_SUBSCR"})

#: What drops the last argument of its C function first: the value that is stored, what is sought, what a list takes up.
LAST_FIRST = frozenset({"CONTAINS_OP", "LIST_EXTEND", "STORE_ATTR", "STORE_SUBSCR"})
#: What drops the first one, the container, last.
FIRST_LAST = frozenset({"BINARY_SLICE", "STORE_SLICE"})

#: Number of each opcode that may stand in a code object: no pseudo instructions of the compiler, none that tools or CPython's own
#: optimisers put in later.
NUMBERS = {name: number for name, number in opcode.opmap.items()
           if number < 256 and not name.startswith(("INSTRUMENTED_", "<"))
           and name not in ("CACHE", "RESERVED", "ENTER_EXECUTOR")}

#: Names whose argument is an index of co_names above one bit that asks for a NULL (or a method) beside the value.
FLAGGED_NAMES = {"LOAD_GLOBAL"} if "LOAD_METHOD" in NUMBERS else {"LOAD_GLOBAL", "LOAD_ATTR"}

#: Two locals in one argument.
PAIRED_LOCALS = {"LOAD_FAST_LOAD_FAST", "STORE_FAST_LOAD_FAST", "STORE_FAST_STORE_FAST"} & set(NUMBERS)


def compare_arguments():
    """What COMPARE_OP's arguments are spelled: "<", and "bool(<)" where the result is converted to a bool.

    Returns:
        dict of spelling -> argument, as CPython's own compiler writes them. Where there is no conversion, both mean the same.
    """
    import dis
    found = {}
    for symbol in COMPARE_SYMBOLS:
        for spelling, text in ((symbol, f"a {symbol} b"), (f"bool({symbol})", f"0 if a {symbol} b else 1")):
            instructions = dis.get_instructions(compile(text, "", "eval"))
            found[spelling] = next(each.arg for each in instructions if each.opname == "COMPARE_OP")
    return found


#: On exhaustion FOR_ITER continues behind these, which only tidy the operand stack (END_FOR; POP_TOP).
FOR_ITER_SKIP = {(3, 11): 0, (3, 12): 1}.get(VERSION, 2)

#: How a call's operands lie on the stack: NULL (or method) below the callable, or above it.
NULL_FIRST = VERSION < (3, 13)


def cache_entries():
    """Code units of inline cache behind each opcode number.

    Returns:
        list of 256 ints (``opcode._inline_cache_entries`` is a list up to 3.12, a dict by name in 3.13).
    """
    raw = opcode._inline_cache_entries
    if isinstance(raw, dict):
        counts = [0] * 256
        for name, count in raw.items():
            if name in opcode.opmap and opcode.opmap[name] < 256:
                counts[opcode.opmap[name]] = count
        return counts
    return list(raw)


def stack_effect(name, argument, jumps):
    """By how much a raw instruction makes the operand stack grow; `jumps`: where it jumps."""
    if name == "FOR_ITER" and jumps:
        return -1  # and what would tidy up is skipped
    number = opcode.opmap[name]
    return opcode.stack_effect(number, argument if number >= opcode.HAVE_ARGUMENT else None, jump=jumps)


def is_cut_off(code):
    """Whether the last instruction's inline cache would lie behind the end of the bytecode.

    CPython itself writes there when asked for ``co_code`` of such a code object (Objects/codeobject.c, deopt_code), so this
    must be known first. Looks at the bytecode in place, where instructions may be specialised already.
    """
    fields = layout()
    length = ctypes.c_ssize_t.from_address(id(code) + fields.ob_size).value
    units = ctypes.string_at(id(code) + fields.code_adaptive, 2 * length)
    counts, plain = cache_entries(), set(NUMBERS.values())
    index = 0
    while index < length:
        number = units[2 * index]
        if number not in plain:
            number = base_opcode(number)
        if number in _HIDING:
            return False  # it is running under a tool, so the interpreter takes it for sound
        index += 1 + counts[number]
    return index != length


#: Opcodes that hide the instruction in whose place they stand.
_HIDING = {number for name, number in opcode.opmap.items() if name in ("INSTRUMENTED_LINE", "INSTRUMENTED_INSTRUCTION", "ENTER_EXECUTOR")}


def specialised_forms() -> dict[int, str]:
    """The name of each specialised form by its number."""
    names = getattr(opcode, "_specialized_instructions", None)
    if names is None:
        return {number: name for name, number in opcode._specialized_opmap.items()}
    free = (number for number, name in enumerate(opcode.opname) if name.startswith("<"))
    return dict(zip(free, names))


@functools.cache
def _bases():
    """The opcode in whose place each opcode stands that is put into running bytecode."""
    base = {form: name for name, family in opcode._specializations.items() for form in family}
    hiding = {number: name.removeprefix("INSTRUMENTED_") for name, number in opcode.opmap.items() if name.startswith("INSTRUMENTED_")}
    names = {number: base.get(name) for number, name in specialised_forms().items()} | hiding
    return {number: opcode.opmap[name] for number, name in names.items() if name in opcode.opmap}


def base_opcode(number):
    """The opcode that a specialised one, or one that tools put in, stands for; others stand for themselves.

    Source: Lib/dis.py of each version, which is not asked: the program may be in the middle of importing it.
    """
    return _bases().get(number, number)


def raw_names():
    """Names by opcode number; numbers without a name read ``<n>``, which nothing compiles."""
    return list(opcode.opname[:256])


def canonical_form(name, argument, version=VERSION):
    """The canonical instructions of one raw instruction.

    Args:
        name: raw opcode name. argument: its argument with EXTENDED_ARG folded in. version: whose bytecode it is.

    Returns:
        list of (operation, argument); empty for instructions without effect.
    """
    if name in DROPPED:
        return []
    translate = CANONICAL.get(name)
    return [(name, argument)] if translate is None else translate(argument, version)
