"""The map file by which Linux perf names functions of a JIT: tools/perf/Documentation/jit-interface.txt.

Written to /tmp/perf-<pid>.map where JIT_PERF=1: a line ``start size name`` (hex, hex, text) for each piece of code. Which of two
lines that cover an address perf takes is up to how its tree of symbols happens to be balanced, so there never are two: where
memory is used anew, the file is written anew without what was there. What was freed and not used anew keeps its name, for
the samples taken while it ran. A forked child has a file of its own.
"""

import os
from bisect import bisect_left

from jit.switches import complain, flag

ENABLED = flag("JIT_PERF")

_starts = []
_entries = {}
_written_by = None


def path():
    """Where perf looks for this process's map."""
    return f"/tmp/perf-{os.getpid()}.map"


def note(address, size, name):
    """Put one piece of machine code on the map, if that is asked for. A map that cannot be written is complained of once."""
    if not ENABLED or size <= 0:
        return
    anew = _forget(address, address + size) or _written_by != os.getpid()
    _starts.insert(bisect_left(_starts, address), address)
    _entries[address] = f"{address:x} {size:x} {' '.join(name.split())}\n", address + size
    _write(anew, address)


def note_labels(block, size, offsets):
    """Note the routines of one block.

    Args:
        offsets: name -> offset of its first instruction.
    """
    ordered = sorted(offsets.items(), key=lambda item: item[1])
    for (name, start), (_, end) in zip(ordered, [*ordered[1:], ("", size)]):
        note(block + start, end - start, f"jit::{name}")


def _forget(start, end):
    """Take pieces that overlap this range off the map; returns whether there were any."""
    index = bisect_left(_starts, start)
    if index and _entries[_starts[index - 1]][1] > start:
        index -= 1
    last = index
    while last < len(_starts) and _starts[last] < end:
        del _entries[_starts[last]]
        last += 1
    del _starts[index:last]
    return last > index


def _write(anew, *added):
    """Write all pieces, or add some to the file."""
    global ENABLED, _written_by
    try:
        # Nobody else may lead the file elsewhere: /tmp is everybody's.
        with open(path(), "w" if anew else "a", encoding="utf-8", errors="replace",
                  opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, 0o644)) as file:
            file.writelines(_entries[start][0] for start in (_starts if anew else added))
        _written_by = os.getpid()
    except OSError as problem:
        ENABLED = False
        complain(f"no map for perf: {problem}")


def _after_fork():
    if ENABLED and _entries:
        _write(anew=True)


if ENABLED:
    os.register_at_fork(after_in_child=_after_fork)
