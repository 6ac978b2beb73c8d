"""Every debugging switch of the compiler, in one place.

JIT_DUMP=instructions,values,intervals,asm,exits   print these stages of every compilation to stderr
JIT_DUMP_ONLY=qualname                             only of the function with this qualified name
JIT_CHECK=1                                        verify the compiler's own invariants at every compilation
"""

import atexit
import os
import sys

from jit.switches import complain, flag

KNOWN = ("instructions", "values", "intervals", "asm", "exits")
STAGES = frozenset(filter(None, map(str.strip, os.environ.get("JIT_DUMP", "").split(","))))
ONLY = os.environ.get("JIT_DUMP_ONLY", "")
CHECK = flag("JIT_CHECK")

_met = not ONLY


def wanted(stage, unit):
    """Whether a stage of this unit is to be printed."""
    global _met
    if stage not in STAGES or ONLY and unit.name != ONLY:
        return False
    _met = True
    return True


def _check_settings():
    """Tell of settings that print nothing, which otherwise look like a compiler that does nothing."""
    unknown = STAGES.difference(KNOWN)
    if unknown:
        complain(f"JIT_DUMP knows {', '.join(KNOWN)}, not {', '.join(sorted(unknown))}")
    if ONLY and not STAGES:
        complain("JIT_DUMP_ONLY does nothing without JIT_DUMP")
    elif ONLY:
        atexit.register(_check_met)


def _check_met():
    if not _met:
        complain(f"no function of the qualified name {ONLY!r}, which JIT_DUMP_ONLY asks for, was compiled")


_check_settings()


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
            write(f"exit {leaving.number}: line {leaving.line}: {leaving.reason}")
    if wanted("asm", unit):
        from jit.disassembly import listing_text
        write(listing_text(code))
