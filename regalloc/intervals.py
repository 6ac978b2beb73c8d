"""What the register allocator takes and gives.

Positions: instruction i reads its inputs at position 2i and writes its outputs at 2i + 1, so an output may take the register
of an input that ends there; what must survive the whole instruction ends at 2i + 2.
Registers, register classes and values are opaque hashable objects: the allocator knows no machine.
"""


class Interval:
    """The life of one value, from its only definition to its last use.

    Attributes:
        value: what lives. start, end: it occupies [start, end). register_class: key into the registers.
        weight: uses, weighted by loop depth; uses only in exits count nothing.
        hint: a register, or an Interval whose register would be welcome. fixed: a register it arrives in.
    """

    __slots__ = ("value", "start", "end", "register_class", "weight", "hint", "fixed")

    def __init__(self, value, start, end, register_class, weight=0.0, hint=None, fixed=None):
        self.value = value
        self.start = start
        self.end = end
        self.register_class = register_class
        self.weight = weight
        self.hint = hint
        self.fixed = fixed

    def __repr__(self):
        return f"{self.value} {self.start}..{self.end}"


class Clobber:
    """At `position`, the contents of `registers` (a frozenset) are lost; who lives across it must not be there."""

    __slots__ = ("position", "registers")

    def __init__(self, position, registers):
        self.position = position
        self.registers = registers


class Location:
    """Where a value is.

    Attributes:
        register: valid for reads before position `until` (always, if there is no slot), or None.
        slot: index of the spill slot that holds it from its definition on, or None.
    """

    __slots__ = ("register", "until", "slot")

    def __init__(self, register, until, slot):
        self.register = register
        self.until = until
        self.slot = slot

    def __repr__(self):
        if self.register is None:
            return f"slot {self.slot}"
        return f"{self.register}" if self.slot is None else f"{self.register} until {self.until}, slot {self.slot}"


class Allocation:
    """The result: `locations` by value, and the number of spill `slots` used."""

    __slots__ = ("locations", "slots")

    def __init__(self, locations, slots):
        self.locations = locations
        self.slots = slots

    def dump(self):
        """A table for people."""
        return "\n".join(f"{value!s:>16}  {location!r}" for value, location in self.locations.items())


class AllocationError(Exception):
    """An allocation breaks its own rules."""
