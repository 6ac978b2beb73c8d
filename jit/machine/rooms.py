"""Memory in the arena that is given back together with the object that holds it.

`weakref.finalize` would do, but its registry is the whole program's: a program that goes through it (as Python's own exit does)
while something is compiled would find it changed under its hands.
"""

import functools
import sys

from platforms.cpython.unnoticed import unnoticed


class Room:
    """Calls a function when it dies, unless the interpreter is shutting down."""

    __slots__ = ("give_back", "arguments")

    def __init__(self, give_back, *arguments):
        _set_up()
        self.give_back = give_back
        self.arguments = arguments

    def __del__(self, is_finalizing=sys.is_finalizing):
        if not is_finalizing() and hasattr(self, "arguments"):  # else an exception was sent to the thread in `__init__`
            self.give_back(*self.arguments)


@functools.cache
def _set_up():
    """Not before there are rooms: until then nothing is known of the platform."""
    unnoticed(Room.__del__)
