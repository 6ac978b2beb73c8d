"""The interpreter's list of free floats, which compiled code takes floats from and gives them back to.

The list is singly linked through the floats' ob_type, and the interpreter counts its items. Where it lies differs between micro
releases, so it counts as found only when floats made and dropped here appear in it and leave it as they should. Without it
floats are made and freed by the C-API.

Source: CPython Objects/floatobject.c (PyFloat_FromDouble, _PyFloat_ExactDealloc).
"""

import functools

from platforms.cpython import observe, threads
from platforms.cpython.layout import layout

#: Items the interpreter keeps: PyFloat_MAXFREELIST.
MOST = 100
_ATTEMPTS = 3


@functools.cache
def free_list():
    """Address of the list's counter (int), behind which is the pointer to its first item, at + 8; or None."""
    fields = layout()
    if fields.interp_free_floats is None:
        return None
    address = threads.interpreter() + fields.interp_free_floats
    with observe.Peeker() as peeker:
        # Another thread may make and drop floats meanwhile.
        return address if any(_is_free_list(address, peeker) for _ in range(_ATTEMPTS)) else None


def _is_free_list(address, peeker):
    """Whether dropped floats come to lie here, and new ones are taken from here."""
    type_of = layout().ob_type
    made = list(map(float, range(MOST + 10)))
    if (peeker.number(address, 4), peeker.number(address + 8)) != (0, 0):
        return False
    following = 0
    for count in range(1, 4):
        last = id(made[-1])
        made.pop()
        if (peeker.number(address, 4), peeker.number(address + 8), peeker.number(last + type_of)) != (count, last, following):
            return False
        following = last
    made.append(float(count))
    if id(made[-1]) != last or peeker.number(address, 4) != 2:
        return False
    made.clear()
    return peeker.number(address, 4) == MOST
