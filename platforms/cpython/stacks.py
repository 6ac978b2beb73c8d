"""Which addresses in a range lie on the C stacks of the interpreter's threads.

Problem: machine code may be given back only when no activation returns into it. Idea: look, conservatively. Every word on any
stack that points into the range counts, whether it is a return address, a saved register or left over from earlier calls. While this thread holds
the GIL the others stand still in a call, with all that they will go on with on their stacks: C functions save the registers they use.

glibc puts a thread's descriptor, whose address is the thread's ident, into the mapping of its stack. The kernel reads the memory for us
(proc(5): /proc/self/mem), so a mapping that goes away meanwhile is an error and not a crash.
"""

import ctypes
import os
import sys

from platforms import pages
from platforms.cpython import observe, symbols, threads
from platforms.cpython.layout import layout

#: Modules that move stacks away while their coroutines wait: what lies on those cannot be found.
STACK_SWITCHERS = ("greenlet", "_greenlet", "greenlet._greenlet", "gevent", "_continuation")
#: Bytes of one mapping that are looked through at most; and at a time.
LARGEST_MAPPING = 256 << 20
_PIECE = 1 << 20
_WORD = 8
_UNTOUCHED = bytes(pages.PAGE)


class Unknown(Exception):
    """Some thread's stack cannot be looked at; says why."""


def pointers_into(low, high):
    """The addresses in [low, high) that are found on stacks, as a set.

    Args:
        low, high: of a range not larger than 4 GB.

    Raises:
        Unknown: not all stacks can be seen.
    """
    switcher = next((name for name in STACK_SWITCHERS if name in sys.modules), None)
    if switcher is not None:
        raise Unknown(f"{switcher} keeps stacks where they cannot be found")
    found = set()
    try:
        memory = os.open("/proc/self/mem", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as problem:
        raise Unknown(f"/proc/self/mem: {problem.strerror}") from None
    try:
        for start, end in _stacks():
            _search(memory, start, end, low, high, found)
    except OSError as problem:
        raise Unknown(f"a stack cannot be read: {problem.strerror}") from None
    finally:
        os.close(memory)
    return found


def _idents():
    """The idents of the threads that have a thread state."""
    following = symbols.function("PyThreadState_Next", ctypes.c_uint64, ctypes.c_uint64)
    state = symbols.function("PyInterpreterState_ThreadHead", ctypes.c_uint64, ctypes.c_uint64)(threads.interpreter())
    while state:
        yield observe.read(state + layout().thread_ident)
        state = following(state)


def _stacks():
    """(start, end) of the mappings that are stacks."""
    idents = set(_idents())
    found, first = [], False
    try:
        with open("/proc/self/maps", encoding="ascii", errors="replace") as maps:
            lines = maps.readlines()
    except OSError as problem:
        raise Unknown(f"/proc/self/maps: {problem.strerror}") from None
    for line in lines:
        bounds, access, *_ = line.split(None, 2)
        start, end = (int(word, 16) for word in bounds.split("-"))
        is_first = line.rstrip().endswith("[stack]")
        first = first or is_first
        if access[:2] == "rw" and (is_first or any(start <= ident < end for ident in idents)):
            if end - start > LARGEST_MAPPING:
                raise Unknown("a stack lies in a very large mapping")
            found.append((start, end))
    if not first:
        raise Unknown("the process's first stack is not marked")
    return found


def _search(memory, start, end, low, high, found):
    """Add to `found` the words of one mapping that point into [low, high)."""
    tops = {address >> 32 for address in (low, high - 1)}
    patterns = [top.to_bytes(4, "little") for top in tops]
    for piece in range(start, end, _PIECE):
        data = os.pread(memory, min(_PIECE, end - piece), piece)
        for page in range(0, len(data), pages.PAGE):
            # Most of a stack was never touched, and to search zeros for something that ends with zeros takes long.
            if not data.startswith(_UNTOUCHED, page):
                _search_page(data[page:page + pages.PAGE], patterns, low, high, found)


def _search_page(data, patterns, low, high, found):
    """The same for some of its bytes; `patterns`: the upper halves of such words."""
    for pattern in patterns:
        place = data.find(pattern, 4)
        while place >= 0:
            if place % _WORD == 4:
                word = int.from_bytes(data[place - 4:place + 4], "little")
                if low <= word < high:
                    found.add(word)
            place = data.find(pattern, place + 1)
