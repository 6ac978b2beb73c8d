"""The map file by which Linux perf names functions of a JIT: tools/perf/Documentation/jit-interface.txt.

Written to /tmp/perf-<pid>.map where JIT_PERF=1: a line ``start size name`` (hex, hex, text) for each piece of code. perf takes the
last line that covers an address, so memory used anew needs no more than a new line.
"""

import os
import sys

ENABLED = os.environ.get("JIT_PERF", "") not in ("", "0")


def note(address, size, name):
    """Append one piece of machine code to the map, if that is asked for. A file that cannot be written is complained of once."""
    global ENABLED
    if not ENABLED:
        return
    try:
        with open(f"/tmp/perf-{os.getpid()}.map", "a", encoding="utf-8", errors="replace") as file:
            file.write(f"{address:x} {size:x} {' '.join(name.split())}\n")
    except OSError as problem:
        ENABLED = False
        print(f"purejit: no map for perf: {problem}", file=sys.stderr)


def note_labels(block, size, offsets):
    """Note the routines of one block.

    Args:
        offsets: name -> offset of its first instruction.
    """
    ordered = sorted(offsets.items(), key=lambda item: item[1])
    for (name, start), (_, end) in zip(ordered, [*ordered[1:], ("", size)]):
        note(block + start, end - start, f"jit::{name}")
