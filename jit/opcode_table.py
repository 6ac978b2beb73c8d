"""Which opcodes of which CPython version are compiled, by what, and why the others are left to the interpreter."""

import dis
import textwrap
from collections import namedtuple

import jit.dispatch  # noqa: F401  (declares handlers and templates)
from jit.bytecodes import builtins
from jit.template import FAMILIES
from jit.walk import HANDLERS
from platforms.cpython import opcodes
from platforms.cpython.layout import VERSIONS
from platforms.cpython.opcode_names import versions_of_opcodes

#: Folded into its neighbours while decoding.
NOTHING_TO_DO = opcodes.DROPPED | {"KW_NAMES"}

#: Why opcodes without a handler have none.
_REASONS = {
    "generators and coroutines are interpreted": """
        ASYNC_GEN_WRAP BEFORE_ASYNC_WITH CLEANUP_THROW END_ASYNC_FOR END_SEND GET_AITER GET_ANEXT GET_AWAITABLE
        GET_YIELD_FROM_ITER RETURN_GENERATOR SEND""",
    "class bodies and modules are interpreted": """
        DELETE_NAME IMPORT_STAR LOAD_CLASSDEREF LOAD_FROM_DICT_OR_DEREF LOAD_FROM_DICT_OR_GLOBALS LOAD_LOCALS
        PRINT_EXPR SETUP_ANNOTATIONS""",
    "the interpreter's own; in no function": "ENTER_EXECUTOR EXIT_INIT_CHECK INTERPRETER_EXIT RESERVED",
    "every exception is raised and handled in the interpreter": """
        CHECK_EG_MATCH CHECK_EXC_MATCH LOAD_ASSERTION_ERROR POP_EXCEPT PREP_RERAISE_STAR PUSH_EXC_INFO RAISE_VARARGS
        RERAISE WITH_EXCEPT_START""",
    "no template: something is deleted": "DELETE_DEREF DELETE_GLOBAL",
    "no template: a class is made": "LOAD_BUILD_CLASS",
    "no template: rare operations of many kinds": "CALL_INTRINSIC_1 CALL_INTRINSIC_2",
}
LEFT = {name: reason for reason, names in _REASONS.items() for name in names.split()}


#: What may follow the prefix by which handlers name a family (see jit/bytecodes/items.py).
_SUFFIXES = frozenset({"int", "float", "bool", "byte", "exact", "object"})


class Row(namedtuple("Row", "name versions operations handlers templates reason")):
    """How one opcode fares.

    Attributes:
        name: raw opcode. versions: {(3, minor): whether it is compiled}; versions that lack the opcode are not in it.
        operations: canonical operations it stands for. handlers: functions that give them their meaning, in order.
        templates: families of machine code they choose from. reason: why it is left, "" if it is compiled everywhere.
    """

    __slots__ = ()

    @property
    def how(self):
        """In a few words: what compiles it, or why nothing does."""
        if self.reason:
            return self.reason
        if not self.operations:
            return "nothing to do"
        names = ", ".join(dict.fromkeys(f"{module_of(handler)}.{handler.__name__}" for handler in self.handlers))
        templates = ", ".join(family.removeprefix(self.name + " ") for family in self.templates)
        return f"{names}: {templates}" if templates else names


def rows():
    """A `Row` for every opcode of every supported version, by name."""
    return [_row(name, {version: _operations(name, version) for version in VERSIONS if "{}.{}".format(*version) in versions})
            for name, versions in versions_of_opcodes().items()]


def _operations(name, version):
    """The canonical operations an opcode may stand for; the lowest bit of its argument can be a flag."""
    if name in NOTHING_TO_DO:
        return ()
    return tuple(dict.fromkeys(operation for argument in (0, 1)
                               for operation, _ in opcodes.canonical_form(name, argument, version)))


def _row(name, by_version):
    operations = tuple(dict.fromkeys(operation for found in by_version.values() for operation in found))
    compiled = {version: all(operation in HANDLERS for operation in found) for version, found in by_version.items()}
    handlers = [HANDLERS[operation] for operation in operations if operation in HANDLERS]
    reason = "" if all(compiled.values()) else LEFT.get(name, "no template")
    templates = sorted({family for operation, handler in zip(operations, handlers) for family in families(operation, handler)})
    return Row(name, compiled, operations, handlers, templates, reason)


def families(operation, handler):
    """Template families that a handler, or a function of its module that it uses, names in full or by their prefix."""
    words = {operation}
    seen, waiting = set(), [handler]
    while waiting:
        function = waiting.pop()
        seen.add(function)
        for code in _codes(function.__code__):
            words.update(constant for constant in code.co_consts if isinstance(constant, str))
            used = [handler.__globals__.get(instruction.argval) for instruction in dis.get_instructions(code)
                    if instruction.opname == "LOAD_GLOBAL"]
            waiting += [item for item in used if getattr(item, "__module__", None) == handler.__module__
                        and hasattr(item, "__code__") and item not in seen]
    return [family for family in FAMILIES if family in words or family.split()[0] == operation
            or family.rpartition("_")[0] in words and family.rpartition("_")[2] in _SUFFIXES]


def _codes(code):
    """A code object and those of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if hasattr(constant, "co_consts"):
            yield from _codes(constant)


def module_of(function):
    """The last part of the name of the module a function is from."""
    return function.__module__.rpartition(".")[2]


def table_text():
    """All rows, no line longer than 100 characters."""
    lines = [f"{'opcode':29} " + " ".join(f"{major}.{minor}" for major, minor in VERSIONS)
             + "  compiled by function: templates, or why not"]
    for row in rows():
        start = f"{row.name:29} " + " ".join(f"{_state(row, version):4}" for version in VERSIONS) + "  "
        lines += textwrap.wrap(row.how, 100, initial_indent=start, subsequent_indent=" " * (len(start) + 4),
                               break_long_words=False, break_on_hyphens=False)
    lines += ["", "left: compiled code hands its frame to the interpreter there.  - : this version has no such opcode.",
              "Functions are in jit/bytecodes, templates in jit/templates.",
              "python -m jit opcodes NAME tells more of those whose name contains NAME."]
    return "\n".join(lines)


def _state(row, version):
    return "-" if version not in row.versions else "yes" if row.versions[version] else "left"


def details_text(text):
    """What is known of the opcodes whose name contains `text`; "" if there are none."""
    return "\n\n".join(_details(row) for row in rows() if text.upper() in row.name)


def _details(row):
    lines = [f"{row.name}: " + ", ".join(f"{version[0]}.{version[1]} {'compiled' if compiled else 'left'}"
                                         for version, compiled in sorted(row.versions.items()))]
    if row.reason:
        lines.append(f"  left: {row.reason}")
    elif not row.operations:
        lines.append("  nothing to do: it has no effect, or belongs to its neighbour")
    for operation, handler in zip(row.operations, row.handlers):
        lines.append(f"  {operation}: {handler.__name__} in {handler.__module__.replace('.', '/')}.py")
    if row.operations and not row.templates and not row.reason:
        lines.append("  no template: it renames values, or calls the C-API")
    if "CALL" in row.operations:
        known = sorted(getattr(item, "__qualname__", repr(item)) for item in (*builtins.CALLABLES, *builtins.METHODS))
        lines += textwrap.wrap("with templates of their own: " + ", ".join(known), 100, initial_indent="  ",
                               subsequent_indent="    ")
    for family in row.templates:
        lines += [f"    {family:16} {_effect(template)}" for template in FAMILIES[family]]
    return "\n".join(lines)


def _effect(template):
    """The typed stack effect as it was declared."""
    inputs, outputs = (", ".join(f"{item}: {'any' if kind is None else kind.name}" for item, kind in items)
                       for items in (template.inputs, template.outputs))
    return f"({inputs}) -> ({outputs})" if outputs else f"({inputs})"
