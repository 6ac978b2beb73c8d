"""The map file by which Linux perf names functions of a JIT: tools/perf/Documentation/jit-interface.txt.

Written to /tmp/perf-<pid>.map where JIT_PERF=1: a line ``start size name`` (hex, hex, text) for each piece of code.
"""

import os

ENABLED = os.environ.get("JIT_PERF", "") not in ("", "0")


def note(address, size, name):
    """Append one piece of machine code to the map, if that is asked for."""
    if ENABLED:
        with open(f"/tmp/perf-{os.getpid()}.map", "a", encoding="utf-8") as file:
            file.write(f"{address:x} {size:x} {name}\n")
