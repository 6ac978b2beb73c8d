"""Every debugging switch of the compiler, in one place.

JIT_DUMP=instructions,values,intervals,asm,exits   print these stages of every compilation to stderr
JIT_DUMP_ONLY=qualname                             only of the function with this qualified name
JIT_CHECK=1                                        verify the compiler's own invariants at every compilation
"""

import os
import sys

STAGES = frozenset(filter(None, os.environ.get("JIT_DUMP", "").split(",")))
ONLY = os.environ.get("JIT_DUMP_ONLY", "")
KNOWN = ("instructions", "values", "intervals", "asm", "exits")
CHECK = os.environ.get("JIT_CHECK", "") not in ("", "0")

if not STAGES.issubset(KNOWN):
    print(f"purejit: JIT_DUMP knows {', '.join(KNOWN)}, not {', '.join(sorted(STAGES.difference(KNOWN)))}", file=sys.stderr)


def wanted(stage, unit):
    """Whether a stage of this unit is to be printed."""
    return stage in STAGES and (not ONLY or unit.function.__qualname__ == ONLY)


def write(text):
    print(text, file=sys.stderr)


def show_walk(unit, order):
    if wanted("instructions", unit):
        write(instructions_text(unit))
    if wanted("values", unit):
        write(values_text(order))


def instructions_text(unit):
    """The canonical instructions, one a line."""
    return "\n".join(f"{index:4} {instruction}" for index, instruction in enumerate(unit.instructions))


def values_text(blocks):
    """The typed SSA blocks."""
    lines = []
    for block in blocks:
        parameters = ", ".join(map(repr, block.parameters))
        lines.append(f"{block}({parameters}):{' loop' if block.is_header else ''}")
        lines.extend(f"    {operation}" for operation in block.operations)
        lines.append(f"    {block.terminator}")
        for edge in block.edges:
            lines.append(f"        -> {edge.target}({', '.join(map(repr, edge.arguments))})")
    return "\n".join(lines)


def show_allocation(unit, numbering, allocation):
    if wanted("intervals", unit):
        for value, interval in numbering.intervals.items():
            write(f"{value!r:16} {interval.start}..{interval.end} {allocation.locations[value]}")


def show_code(unit, code):
    if wanted("exits", unit):
        for leaving in code.exits:
            write(f"exit {leaving.number}: line {leaving.instruction.line}: {leaving.reason}")
    if wanted("asm", unit):
        from jit.disassembly import listing_text
        write(listing_text(code))
