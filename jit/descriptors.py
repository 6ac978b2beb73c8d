"""Exits -> descriptors: the data by which shared machine code builds interpreter frames.

A descriptor says for each local and operand-stack slot where its value is (register, spill slot, or a constant) and
how to make an object of it; the layout is in jit/machine/records.py.
Each owned reference is moved into the frame by the first slot that names it; further slots borrow.
"""

from jit import types
from jit.errors import InternalError
from jit.machine import records as r
from jit.values import RangeIterator, Value, VirtualFunction

#: kind by (unboxed type)
_UNBOXED_KIND = {types.INT: r.INT, types.FLOAT: r.FLOAT, types.BOOL: r.BOOL}
_NULL_ENTRY = (r.NULL, 0, 0)


class DescriptorWriter:
    """Turns exits into entries, given where the allocator put the values."""

    def __init__(self, locations, first_slot):
        self.locations = locations
        self.first_slot = first_slot
        self.cache = {}

    def location(self, value, position):
        """Byte offset of a value in the save area, at a position."""
        place = self.locations[value.home or value]
        if place.register is not None and (place.slot is None or position < place.until):
            register = place.register
            return r.xmm_location(register.number) if register.kind == "xmm" else r.gpr_location(register.number)
        if place.slot is None:
            raise InternalError(f"{value} has no location at {position}")
        return r.slot_location(self.first_slot + place.slot)

    def entries(self, leaving):
        """The entries of one Exit, and how many frame slots they fill."""
        position = leaving.position
        given = set()
        found = []
        for value, bound in zip(leaving.locals, leaving.bound):
            if value is None or bound is False:
                found.append(_NULL_ENTRY)
                continue
            if value.type is types.PENDING:
                found.append(_NULL_ENTRY)
                continue
            if bound.__class__ is Value and not bound.is_constant:
                found.append((r.IF, self.location(bound, position), 0))
            found.append(self.entry(value, leaving.owned, given, position))
        count = len(leaving.locals)
        for item in leaving.stack:
            count += 1
            if item.__class__ is RangeIterator:
                found.append((r.RANGE_ITERATOR_STOP if item.remaining is None else r.RANGE_ITERATOR, 0, 0))
                for part in item.parts():
                    found.append((r.INT_CONSTANT, 0, int(part.constant)) if part.is_constant else
                                 (r.INT, self.location(part, position), 0))
            else:
                found.extend(self.item_entries(item, leaving.owned, given, position))
        return found, count

    def loose_entries(self, leaving):
        """Entries of what is dropped once the frame is there."""
        return [(r.OWNED, self.location(value, leaving.position), 0) for value in leaving.loose]

    def item_entries(self, item, owned, given, position):
        """The entries of a Value, or of a tuple's items followed by one that puts them together."""
        if item.__class__ is Value:
            return [self.entry(item, owned, given, position)]
        if item.__class__ is VirtualFunction:
            cells = [self.entry(cell, owned, given, position) for cell in item.cells]
            return [*cells, (r.TUPLE, 0, len(cells)), (r.CLOSURE, 0, id(item.code))] if cells else [(r.MADE_FUNCTION, 0, id(item.code))]
        parts = [entry for part in item.items for entry in self.item_entries(part, owned, given, position)]
        return [*parts, (r.TUPLE, 0, len(item.items))]

    def entry(self, value, owned, given, position):
        kind = value.type
        if value.is_constant:
            if kind is types.NULL:
                return _NULL_ENTRY
            return (r.CONST, 0, id(value.constant))
        location = self.location(value, position)
        unboxed = _UNBOXED_KIND.get(kind)
        if unboxed is not None:
            return (unboxed, location, 0)
        root = value.home or value
        if value in owned and root not in given:
            given.add(root)
            return (r.OWNED, location, 0)
        return (r.BORROWED, location, 0)

    def observe(self, leaving):
        """Location of the object whose type a failed guard reports, or -1."""
        if leaving.observe is None:
            return -1
        if leaving.observe == "rax":
            return r.gpr_location(0)
        if leaving.observe.is_constant:  # what it is has always been known
            return -1
        return self.location(leaving.observe, leaving.position)
