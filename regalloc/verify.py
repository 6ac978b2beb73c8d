"""Is an allocation right? Checked from the rules alone, not from how it was made."""

from regalloc.intervals import AllocationError


def verify(intervals, allocation, registers, clobbers, loops=()):
    """Check an allocation.

    Raises:
        AllocationError: a value has no place or one of the wrong class, two values share a place at one time (in any turn of
            any loop), or a register is relied on behind a clobber that destroys it.
    """
    held = {}
    for interval in intervals:
        location = allocation.locations.get(interval.value)
        if location is None or location.register is None and location.slot is None:
            raise AllocationError(f"{interval} has no location")
        if location.register is not None:
            if location.register not in registers[interval.register_class]:
                raise AllocationError(f"{interval} is in {location.register}, which is of another class")
            until = interval.end if location.slot is None else location.until
            held.setdefault(location.register, []).append((interval.start, _needed_until(interval, until, loops), interval))
            _check_clobbers(interval, location.register, until, clobbers, loops)
        if location.slot is not None:
            if not 0 <= location.slot < allocation.slots:
                raise AllocationError(f"{interval} is in slot {location.slot} of {allocation.slots}")
            held.setdefault(("slot", location.slot), []).append((interval.start, interval.end, interval))
    for place, ranges in held.items():
        ranges.sort(key=lambda entry: entry[:2])
        for (_, end, first), (start, _, second) in zip(ranges, ranges[1:]):
            if start < end:
                raise AllocationError(f"{first} and {second} are both in {place}")


def _needed_until(interval, until, loops):
    """Where a register part that is read before `until` may be overwritten.

    If it ends in a loop that the value was defined before, the next turn reads it again: not before the loop's end.
    """
    if until >= interval.end:
        return until
    return max([end for start, end in loops if start < until < end and not start <= interval.start < end], default=until)


def _check_clobbers(interval, register, until, clobbers, loops):
    """No clobber of `register` may run between the definition and a read before `until`, in any turn of any loop."""
    for clobber in clobbers:
        if register not in clobber.registers or not interval.start < clobber.position < interval.end:
            continue
        if clobber.position < until:
            raise AllocationError(f"{interval} is in {register} across the clobber at {clobber.position}")
        for start, end in loops:
            if start <= clobber.position < end and not start <= interval.start < end and until > start:
                raise AllocationError(
                    f"{interval} is in {register} in the loop {start}..{end}, whose clobber at {clobber.position} "
                    "comes before its next turn")
