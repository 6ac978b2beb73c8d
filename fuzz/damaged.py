"""Damaged code objects as plain data: a source text, a function in it, and a list of changes to that function's code object.

What makes CPython itself crash when a code object is made, or when it is asked for its bytecode, must not be made: numbers behind
which CPython looks up tables of tools or executors that are not there, and a last code unit whose inline caches lie behind the end
(CPython writes there). A cut off instruction of which one code unit of cache is left is fair: it can be made, but not asked for co_code.

Changes, in the order they are applied:
    ["byte", place, value]  ["cut", place]  ["remove", place, units]  ["repeat", place, from, units]  ["exchange", place, place]
    ["bytes", hexadecimal]                      all the bytecode
    ["nops", count]                             behind the end
    ["table", name, place, value]               one byte of the exception or the line table
    ["field", name, value]                      of code.replace; bytes as hexadecimal, constants as Python expressions
Places are bytes or code units modulo the length.
"""

import functools
import opcode
import types
import warnings

from platforms.cpython import opcodes

FILENAME = "<damaged>"
_CACHES = opcodes.cache_entries()
_NOP = bytes((opcode.opmap["NOP"], 0))
_FATAL = {number for name, number in opcode.opmap.items()
          if name in ("INSTRUMENTED_LINE", "INSTRUMENTED_INSTRUCTION", "ENTER_EXECUTOR")}
TABLES = ("co_exceptiontable", "co_linetable")
_BYTES = ("co_code", *TABLES)
_EXPRESSIONS = ("co_consts",)
_TEXTS = ("co_names", "co_varnames", "co_cellvars", "co_freevars")


class Unmakeable(Exception):
    """Python refuses to make such a code object, or the source does not even load."""


class Scene:
    """A function with its damaged code.

    Attributes:
        namespace: globals. function: of the name asked for. functions: all functions of the source, in order.

    Raises:
        Unmakeable: see there.
    """

    def __init__(self, source, name, changes):
        self.namespace = {"__builtins__": __builtins__, "__name__": "damaged"}
        try:
            exec(compiled(source), self.namespace)
        except Exception as problem:
            raise Unmakeable(f"{type(problem).__name__}: {problem}") from None
        found = self.namespace.get(name)
        if type(found) is not types.FunctionType:
            raise Unmakeable(f"{name} is no function")
        code = damaged(found.__code__, changes)
        cells = tuple([types.CellType(number) for number in range(len(code.co_freevars))])
        self.function = types.FunctionType(code, self.namespace, name, found.__defaults__, cells)
        self.namespace[name] = self.function
        self.functions = [item for item in self.namespace.values() if type(item) is types.FunctionType]


@functools.lru_cache(256)
def compiled(source):
    """The module's code."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compile(source, FILENAME, "exec")


@functools.lru_cache(256)
def code_of(source, name):
    """The code object that a case damages, for generators to look at; see Scene for what is raised."""
    return Scene(source, name, ()).function.__code__


def damaged(code, changes):
    """A copy of a code object with the changes.

    Raises:
        Unmakeable: Python refuses to make it.
    """
    fields = {"co_code": bytearray(code.co_code)}
    for kind, *parts in changes:
        if kind in _CODE_CHANGES:
            _CODE_CHANGES[kind](fields["co_code"], *parts)
        elif kind == "table":
            name, place, value = parts
            table = fields.setdefault(name, bytearray(getattr(code, name)))
            if table:
                table[place % len(table)] = value
        else:
            name, value = parts
            fields[name] = bytearray.fromhex(value) if name in _BYTES else _field(code, name, value)
    fields = {name: bytes(item) if name in _BYTES else item for name, item in fields.items()}
    fields["co_code"] = makeable(fields["co_code"])
    try:
        return code.replace(**fields)
    except (ValueError, TypeError, OverflowError, SystemError, MemoryError) as problem:
        raise Unmakeable(f"{type(problem).__name__}: {problem}") from None


def _field(code, name, value):
    if name in _EXPRESSIONS:
        return tuple([code if text == "code" else eval(text) for text in value])
    return tuple(value) if name in _TEXTS else value


def makeable(units):
    """Bytecode without what makes CPython crash before anybody else sees it."""
    made = bytearray(units[:len(units) // 2 * 2])
    for place in range(0, len(made), 2):
        if made[place] in _FATAL:
            made[place] = _NOP[0]
    place = 0
    while place < len(made):
        last, place = place, place + 2 + 2 * caches_of(made[place])
    if place > len(made) and last == len(made) - 2:
        made += _NOP
    return bytes(made)


@functools.cache
def caches_of(number):
    """Code units of cache behind an opcode number, specialised ones and those of tools included."""
    return _CACHES[opcodes.base_opcode(number)]


def _byte(units, place, value):
    if units:
        units[place % len(units)] = value


def _cut(units, place):
    del units[2 * place % (len(units) + 2):]


def _remove(units, place, count):
    start = 2 * place % (len(units) + 2)
    del units[start:start + 2 * count]


def _repeat(units, place, source, count):
    start, source = 2 * place % (len(units) + 2), 2 * source % (len(units) + 2)
    units[start:start] = units[source:source + 2 * count]


def _exchange(units, one, two):
    one, two = 2 * one % (len(units) or 2), 2 * two % (len(units) or 2)
    units[one:one + 2], units[two:two + 2] = units[two:two + 2], units[one:one + 2]


def _bytes(units, text):
    units[:] = bytes.fromhex(text)


def _nops(units, count):
    units += _NOP * count


_CODE_CHANGES = {"byte": _byte, "cut": _cut, "remove": _remove, "repeat": _repeat, "exchange": _exchange, "bytes": _bytes, "nops": _nops}
