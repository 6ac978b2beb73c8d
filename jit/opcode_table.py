"""What becomes of each opcode of each supported CPython version: the table that ``python -m jit opcodes`` prints."""

from collections import namedtuple

import jit.dispatch  # noqa: F401  (registers handlers and templates)
from jit.template import FAMILIES
from jit.walk import HANDLERS
from platforms.cpython import opcodes
from platforms.cpython.opcode_names import versions_of_opcodes

#: name: of the opcode. versions: that have it. compiled: or left to the interpreter. how: by which handler and templates, or why not.
Row = namedtuple("Row", "name versions compiled how")

_REASONS = {
    "generators and coroutines are interpreted":
        "RETURN_GENERATOR YIELD_VALUE SEND END_SEND GET_AWAITABLE GET_AITER GET_ANEXT GET_YIELD_FROM_ITER ASYNC_GEN_WRAP END_ASYNC_FOR "
        "BEFORE_ASYNC_WITH CLEANUP_THROW",
    "exceptions are raised and handled in the interpreter":
        "RAISE_VARARGS RERAISE PUSH_EXC_INFO POP_EXCEPT CHECK_EXC_MATCH CHECK_EG_MATCH WITH_EXCEPT_START PREP_RERAISE_STAR BEFORE_WITH "
        "LOAD_ASSERTION_ERROR CALL_INTRINSIC_2",
    "only in modules and class bodies, which are interpreted":
        "LOAD_NAME STORE_NAME DELETE_NAME LOAD_BUILD_CLASS SETUP_ANNOTATIONS LOAD_CLASSDEREF LOAD_FROM_DICT_OR_DEREF "
        "LOAD_FROM_DICT_OR_GLOBALS LOAD_LOCALS IMPORT_STAR PRINT_EXPR",
    "never in a function's own bytecode": "RESERVED ENTER_EXECUTOR INTERPRETER_EXIT EXIT_INIT_CHECK",
}
_WHY_LEFT = {name: reason for reason, names in _REASONS.items() for name in names.split()}


def rows():
    """A Row for each opcode of any version, sorted by name."""
    return [Row(name, versions, *_what_becomes_of(name)) for name, versions in versions_of_opcodes().items()]


def _what_becomes_of(name):
    if name in opcodes.DROPPED or name == "KW_NAMES":
        return True, "nothing to do"
    operations = list(dict.fromkeys(operation for argument in (0, 1) for operation, _ in opcodes.canonical_form(name, argument)))
    missing = [operation for operation in operations if operation not in HANDLERS]
    if missing:
        return False, _WHY_LEFT.get(name, "no template")
    parts = []
    for operation in operations:
        handler = HANDLERS[operation]
        families = sorted({family.split()[0] for family in FAMILIES} & {operation})
        where = f"{handler.__module__.replace('.', '/')}.py: {handler.__name__}"
        parts.append(where + "".join(f", templates {family}" for family in families))
    return True, "; ".join(dict.fromkeys(parts))
