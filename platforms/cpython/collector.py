"""How many objects have been made since garbage was last collected: that number starts collections.

What the compiler makes meanwhile is not counted, so that the program's garbage is collected when it would be without the compiler.

Source: CPython Modules/gcmodule.c (gc_alloc), Python/gc.c; Include/internal/pycore_gc.h (struct gc_generation).
"""

import ctypes
import functools

from platforms.cpython import threads
from platforms.cpython.layout import layout


def counter() -> int:
    """The address of the number, an int."""
    return threads.interpreter() + layout().interp_gc_count


@functools.cache
def _number():
    return ctypes.c_int.from_address(counter())


def made() -> int:
    """The number."""
    return _number().value


def forget(before: int):
    """Do not count what was made since the number was `before`."""
    number = _number()
    if number.value > before:
        number.value = before
