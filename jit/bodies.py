"""Where compiled callers find the bodies they call directly.

Problem: a version whose guards keep failing is compiled anew with what they met, and so would be all that jumps into it.
Idea: callers jump through a cell. The new body takes the old one's place if it gives the same type of result; because callers have not
asked for what it relies on, it is entered where it asks for itself (`Emitter.checked_entry`).
"""

import ctypes

from jit.machine import arena
from jit.machine.rooms import Room


class BodyCell:
    """The address of a body, in memory.

    Attributes:
        address: of the cell. code: the Code it leads to, which lives as long as the cell may be jumped through.
    """

    def __init__(self, code):
        self.address = arena().allocate_data(8)
        self.room = Room(arena().free_data, self.address)
        self.lead(code, code.address)

    def lead(self, code, address):
        """From now on calls enter `code` at `address`."""
        self.code = code
        ctypes.c_uint64.from_address(self.address).value = address

    def can_lead(self, code):
        """Whether callers compiled for the present body can do with another."""
        return code.result is self.code.result and (self.code.foreign or not code.foreign)
