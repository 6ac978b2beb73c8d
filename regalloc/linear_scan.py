"""Register allocation over live intervals.

After Poletto & Sarkar, "Linear Scan Register Allocation" (TOPLAS 21(5), 1999): whole intervals, no interference graph. Unlike
theirs, intervals are not served in order of their start but of their worth, uses per length: the inner loop's values
choose first, and what is needed only by side exits comes last. Each register keeps the sorted list of the intervals it holds.

Values are written once, so one that crosses a clobber may live in a register up to there and have a copy in a spill slot,
stored once, which is valid everywhere (splitting at the first clobber). Linear order is not execution order: where
the clobber lies in a loop that the value was defined before, the register part must end where the outermost such
loop starts, because the clobber runs before the loop's earlier positions of the next turn.
"""

from bisect import bisect_left, bisect_right

from regalloc.intervals import Allocation, Interval, Location


class _Timeline:
    """What one register or slot holds: disjoint [start, end) ranges, sorted."""

    __slots__ = ("starts", "ends")

    def __init__(self):
        self.starts = []
        self.ends = []

    def is_free(self, start, end):
        index = bisect_left(self.starts, end)
        return index == 0 or self.ends[index - 1] <= start

    def take(self, start, end):
        index = bisect_left(self.starts, start)
        self.starts.insert(index, start)
        self.ends.insert(index, end)


class _Clobbers:
    """The clobbers by position, and where a register part may last to."""

    def __init__(self, clobbers, loops):
        ordered = sorted(clobbers, key=lambda clobber: clobber.position)
        self.positions = [clobber.position for clobber in ordered]
        self.registers = [clobber.registers for clobber in ordered]
        self.loops = [self.loops_around(position, loops) for position in self.positions] if loops else None

    @staticmethod
    def loops_around(position, loops):
        """Loops that contain a position, outermost first."""
        return sorted((start, -end) for start, end in loops if start <= position < end)

    def across(self, start, end):
        """Indexes of the clobbers that a value living in [start, end) crosses."""
        return range(bisect_right(self.positions, start), bisect_left(self.positions, end))

    def lost(self, crossed):
        """Registers that one of the crossed clobbers destroys."""
        lost = set()
        for registers in {self.registers[index] for index in crossed}:
            lost |= registers
        return lost

    def first(self, start, crossed):
        """Position up to which a register that all crossed clobbers destroy keeps a value defined at `start`."""
        until = self.positions[crossed[0]]
        if self.loops is not None:
            for index in crossed:
                for loop_start, negative_end in self.loops[index]:
                    if not loop_start <= start < -negative_end:
                        until = min(until, loop_start)
                        break
        return until


def allocate(intervals, registers, clobbers, loops=()):
    """Give every interval a location.

    Args:
        intervals: list of Interval. registers: class -> sequence of registers, in order of preference.
        clobbers: list of Clobber. loops: (start, end) position ranges, nested or disjoint.

    Returns:
        Allocation.
    """
    timelines = {register: _Timeline() for group in registers.values() for register in group}
    clobbered = _Clobbers(clobbers, loops)
    locations, slots = {}, _Slots()
    wanted_by = {}
    for interval in intervals:
        if interval.hint.__class__ is Interval:
            wanted_by.setdefault(interval.hint.value, []).append(interval)
    for interval in sorted(intervals, key=_worth):
        start, end = interval.start, interval.end
        crossed = clobbered.across(start, end)
        lost = clobbered.lost(crossed) if crossed else ()
        candidates = _preferred(interval, registers[interval.register_class], locations, wanted_by)
        location = None
        for register in candidates:
            if register not in lost and timelines[register].is_free(start, end):
                timelines[register].take(start, end)
                location = Location(register, end, None)
                break
        if location is None and crossed:
            until = clobbered.first(start, crossed)
            if until > start:
                for register in candidates:
                    if timelines[register].is_free(start, until):
                        timelines[register].take(start, until)
                        location = Location(register, until, slots.take(start, end))
                        break
        locations[interval.value] = location or Location(None, start, slots.take(start, end))
    return Allocation(locations, slots.count())


def _worth(interval):
    return -interval.weight / (interval.end - interval.start + 1), interval.start


def _preferred(interval, group, locations, wanted_by):
    """The class's registers, with those of fixed, hint, and of intervals that name this one as hint in front."""
    first = [] if interval.fixed is None else [interval.fixed]
    friends = [interval.hint] if interval.hint is not None else []
    friends.extend(wanted_by.get(interval.value, ()))
    for friend in friends:
        if friend.__class__ is Interval:
            found = locations.get(friend.value)
            friend = None if found is None else found.register
        if friend is not None and friend in group and friend not in first:
            first.append(friend)
    if not first:
        return group
    return first + [register for register in group if register not in first]


class _Slots:
    """Spill slots, shared by intervals that do not overlap."""

    def __init__(self):
        self.timelines = []

    def take(self, start, end):
        for number, timeline in enumerate(self.timelines):
            if timeline.is_free(start, end):
                break
        else:
            number, timeline = len(self.timelines), _Timeline()
            self.timelines.append(timeline)
        timeline.take(start, end)
        return number

    def count(self):
        return len(self.timelines)
