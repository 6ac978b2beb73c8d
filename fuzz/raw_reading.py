"""A second reading of bytecode, as literal as can be, to hold the compiler's own (jit/decode.py) against."""

import bisect
import dis
import opcode

from platforms.cpython import opcodes

_CACHES = opcodes.cache_entries()
_EXTENDED = opcode.opmap["EXTENDED_ARG"]
#: What moves, replaces or drops its argument, or stands for several.
_TRANSLATED = set(opcodes.CANONICAL)


def read(units):
    """Raw instructions: own offset -> (name, argument, following offset)."""
    found, place, digits = {}, 0, []
    while place < len(units):
        number, digit = units[place], units[place + 1]
        digits.append(digit)
        following = place + 2 + 2 * _CACHES[number]
        if number != _EXTENDED:
            found[place] = opcode.opname[number], int.from_bytes(bytes(digits), "big"), following
            digits = []
        place = following
    return found


def contradiction(code, instructions):
    """How decoded instructions contradict the bytecode: (what, detail) or None."""
    raw = read(code.co_code)
    offsets = [instruction.offset for instruction in instructions]
    executing = [instruction.executing for instruction in instructions]
    if offsets != sorted(offsets):
        return "offsets go backwards", str(offsets)
    for number, instruction in enumerate(instructions):
        name, argument, following = raw.get(instruction.executing, ("nothing", 0, 0))
        detail = f"{instruction!r}, bytecode: {name} {argument} at {instruction.executing}"
        if instruction.following != following:
            return "another following offset", detail
        if name == instruction.operation and name not in _TRANSLATED and instruction.argument != argument:
            return "another argument", detail
        jumps = name in opcodes.JUMPS and instruction.target is not None
        if jumps and instruction.target != bisect.bisect_left(executing, _destination(name, argument, following)):
            return "another jump target", f"{detail}, target {instructions[instruction.target]!r}"
    return None


def _destination(name, argument, following):
    if "BACKWARD" in name:
        return following - 2 * argument
    return following + 2 * argument + (2 * opcodes.FOR_ITER_SKIP if name == "FOR_ITER" else 0)


def table_contradiction(code, entries):
    """How parsed entries contradict the exception table as the module dis reads it: (what, detail) or None."""
    wanted = [(item.start, item.end, item.target, item.depth, int(item.lasti)) for item in dis._parse_exception_table(code)]
    return None if wanted == entries else ("another exception table", f"{entries}, by dis {wanted}")
