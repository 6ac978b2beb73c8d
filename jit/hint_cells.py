"""Where dicts of instances keep a name, found out while compiled code runs.

Problem: a Hint (platforms/cpython/dictionaries.py) is read off an instance when an access is compiled; often there was none yet that had
the name, and all later accesses would look it up.
Idea: an inline cache in memory. The access compares the dict with what the cell says; the routine that looks the name up writes it there.
"""

from jit.machine import arena
from jit.machine.dictionaries import CELL_SIZE
from jit.machine.rooms import Room
from platforms.pages import memset


class HintCell:
    """A form, an entry's number and its offset (see Hint), at `address`; shared by all accesses to a name of a class."""

    __slots__ = ("address", "room")

    def __init__(self):
        self.address = arena().allocate_data(CELL_SIZE)
        self.room = Room(arena().free_data, self.address)
        memset(self.address, 0xFF, CELL_SIZE)  # no dict is of this form
