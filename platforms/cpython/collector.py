"""What the garbage collector knows of what the compiler makes: nothing.

How many objects have been made since garbage was last collected starts collections; what the compiler makes is not counted, so that the
program's garbage is collected when it would be without the compiler. And what it keeps, some hundred objects for each version, is in none
of the collector's lists but in one of our own (platforms/cpython/undisturbed.py puts it there): no collection looks at it,
and `gc.get_objects` and `gc.get_referrers` do not show it. Such an object dies like any other, for to leave a list is the same for all lists.
It must not be part of cyclic garbage, which nobody would find.

Source: CPython Modules/gcmodule.c (gc_alloc, gc_list_*), Python/gc.c; Include/internal/pycore_gc.h (struct gc_generation, PyGC_Head).
"""

import ctypes
import functools
from types import FrameType

from platforms import pages
from platforms.cpython import threads
from platforms.cpython.layout import layout
from platforms.pages import memmove


def counter() -> int:
    """The address of the number, an int."""
    return threads.interpreter() + layout().interp_gc_count


#: The youngest generation's list, from its counter: behind it are a threshold and that. Bytes of the collector's in front of an object.
LIST, HEAD = -20, 16
#: Further from a collection than what is made meanwhile; not so far that it would matter if another thread, which has seen it, put it back there later.
_FAR = -100_000
#: Types of objects that are the program's though the compiler's looking made them: they stay where the collector finds them.
PROGRAMS = (FrameType,)


def youngest() -> int:
    """The address of the head of the list of what was made since the last collection."""
    return counter() + LIST


@functools.cache
def own_list() -> int:
    """The address of the head of our own list; it is there for as long as the process lives."""
    head = pages.reserve(pages.PAGE)
    pages.protect(head, pages.PAGE, pages.READ | pages.WRITE)
    memmove(head, head.to_bytes(8, "little") * 2, 16)
    return head


@functools.cache
def _number():
    return ctypes.c_int.from_address(counter())


def made() -> int:
    """The number."""
    return _number().value


def forget(before: int):
    """Do not count what was made since the number was `before`."""
    number = _number()
    if number.value > before or number.value < 0:
        number.value = before


def put_off():
    """Start no collection, whatever is made, until `forget` is called; the program's own calls of the collector work, and end this."""
    _number().value = _FAR
