"""Random programs in SSA form, and a machine that runs them with an allocation.

The verifier and the allocator share one understanding of the rules; this file does not: it executes. A program is a list of
operations with loops (block parameters, back edges, any number of turns) and forward jumps. Every definition makes a token
that has not existed before, so a read that finds the token of another value, or of an earlier turn, is seen.
"""

import random

from regalloc import Clobber, Interval, sequentialise

REGISTERS = {"gpr": ("a", "b", "c", "d"), "xmm": ("x", "y", "z")}
#: Registers that a call may destroy: all, some of either class, or one.
CALLS = (frozenset("abcdxyz"), frozenset("cdxyz"), frozenset("d"))


class Operation:
    """One operation; `kind` is plain, skip (perhaps jump to `target`), loop (a header) or again (the back edge to `target`).

    Attributes:
        reads, exits: values read at the operation's start, and at its end (by exits). writes: values defined.
        arguments: what a loop is entered with, or continued with. clobber: registers destroyed, or None.
    """

    def __init__(self, kind, reads=(), exits=(), writes=(), clobber=None, arguments=(), target=None):
        self.kind = kind
        self.reads, self.exits, self.writes = reads, exits, writes
        self.clobber, self.arguments, self.target = clobber, arguments, target


class Program:
    """A random program, its live intervals, clobbers and loops.

    Positions are the compiler's: operation i reads at 2i and writes at 2i + 1; an exit's values live to 2i + 2; a value defined
    before a loop and read inside lives to the loop's end.
    """

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.operations, self.intervals, self.loops, self.clobbers = [], [], [], []
        # Half of the programs call nothing: their pressure is all that spills.
        self.calls = self.chance.choice((0.0, 0.1, 0.3))
        self.block([], (), 0)
        for index, operation in enumerate(self.operations):
            if operation.clobber is not None:
                self.clobbers.append(Clobber(2 * index + 1, operation.clobber))

    def new(self, position):
        chance = self.chance
        interval = Interval(len(self.intervals), position, position + 1, chance.choice(("gpr", "gpr", "xmm")))
        if chance.random() < 0.2:
            interval.fixed = chance.choice(REGISTERS[interval.register_class])
        elif chance.random() < 0.3 and self.intervals:
            interval.hint = chance.choice((chance.choice(self.intervals), chance.choice("abcdxyz")))
        self.intervals.append(interval)
        return interval

    def use(self, interval, position, around, weight=True):
        """Note a use inside the loops whose headers are `around`; the loops' ends are not known yet."""
        interval.end = max(interval.end, position)
        if weight:
            interval.weight += 10.0 ** len(around)
        for header in around:
            if 2 * header > interval.start:
                self.operations[header].kept.add(interval)
                break

    def pick(self, seen, limit):
        return [self.chance.choice(seen) for _ in range(self.chance.randint(0, limit))] if seen else []

    def block(self, seen, around, depth):
        """Operations that may read the values `seen`; those they define are seen by later ones of this block only."""
        seen = list(seen)
        for _ in range(self.chance.randint(1, 7)):
            shape = self.chance.random()
            if shape < 0.2 and depth < 3:
                self.loop(seen, around, depth)
            elif shape < 0.35 and depth < 4:
                skip = Operation("skip")
                self.operations.append(skip)
                self.block(seen, around, depth + 1)
                skip.target = len(self.operations)
            else:
                self.plain(seen, around)

    def plain(self, seen, around):
        index = len(self.operations)
        reads, exits = self.pick(seen, 2), self.pick(seen, 2)
        clobber = self.chance.choice(CALLS) if self.chance.random() < self.calls else None
        for interval in reads:
            self.use(interval, 2 * index, around)
        for interval in exits:
            self.use(interval, 2 * index + 2, around, weight=False)
        writes = [self.new(2 * index + 1) for _ in range(self.chance.randint(0, 2))]
        self.operations.append(Operation("plain", reads, exits, writes, clobber))
        seen.extend(writes)

    def loop(self, seen, around, depth):
        """A loop; parameters are defined by its header and given anew by its back edge."""
        header = len(self.operations)
        arguments = self.pick(seen, 3)
        for interval in arguments:
            self.use(interval, 2 * header, around)
        parameters = [self.new(2 * header + 1) for _ in arguments]
        for parameter, argument in zip(parameters, arguments):
            parameter.register_class, parameter.fixed, parameter.hint = argument.register_class, None, argument
        operation = Operation("loop", writes=parameters, arguments=arguments)
        operation.kept = set()
        self.operations.append(operation)
        inside, first = (*around, header), len(self.intervals)
        self.block([*seen, *parameters], inside, depth + 1)
        back = len(self.operations)
        # What dominates the back edge is not tracked: parameters (permuted, too) and values from before the loop do. Values
        # of an operation in front of it do as well.
        fresh = [self.new(2 * back + 1) for _ in range(self.chance.randint(0, 2))]
        self.operations.append(Operation("plain", writes=fresh))
        back += 1
        choices = [*seen, *parameters, *parameters, *fresh]
        passed = [self.chance.choice([c for c in choices if c.register_class == p.register_class]) for p in parameters]
        for interval in passed:
            self.use(interval, 2 * back + 2, inside)
            if interval.hint is None and interval in self.intervals[first:] and parameters:
                interval.hint = parameters[0]
        self.operations.append(Operation("again", arguments=passed, target=header))
        end = 2 * back + 2
        for interval in operation.kept:
            interval.end = max(interval.end, end)
        self.loops.append((2 * header, end))


def run(program, allocation, seed):
    """Run on a machine whose registers and slots hold tokens.

    Returns:
        None, or a text that tells the first read that found something else than its value.
    """
    machine, truth = {}, {}
    chance, operations = random.Random(seed), program.operations
    serial, turns, index, budget = 0, {}, 0, 600

    def place(interval, position):
        location = allocation.locations[interval.value]
        if location.register is not None and (location.slot is None or position < location.until):
            return location.register
        return location.slot

    def places(interval, position):
        """Where a definition or a back edge must put a value."""
        location = allocation.locations[interval.value]
        found = [] if location.slot is None else [location.slot]
        if location.register is not None and (location.slot is None or position < location.until):
            found.append(location.register)
        return found

    def wrong(interval, position):
        found = machine.get(place(interval, position))
        if found != truth[interval.value]:
            return f"{interval} at {position}: {place(interval, position)} holds {found}, not {truth[interval.value]}"
        return None

    def transfer(parameters, arguments, position, start):
        """An edge's parallel move, made sequential."""
        moves = [(there, place(argument, position)) for parameter, argument in zip(parameters, arguments)
                 for there in places(parameter, start)]
        for there, source in sequentialise(moves, lambda _: "scratch"):
            machine[there] = machine.get(source)
        truth.update({p.value: t for p, t in [(p, truth[a.value]) for p, a in zip(parameters, arguments)]})

    while index < len(operations) and budget:
        budget -= 1
        operation, position = operations[index], 2 * index
        # A back edge is taken after its operation, where all that exits need is still there.
        where = position + 1 if operation.kind == "again" else position
        for interval in [*operation.reads, *operation.arguments]:
            if complaint := wrong(interval, where):
                return complaint
        if operation.clobber is not None:
            for register in operation.clobber:
                machine[register] = "rubbish"
        if operation.kind == "loop":
            turns[index] = chance.randint(0, 3)
            transfer(operation.writes, operation.arguments, position, position + 1)
        else:
            for interval in operation.writes:
                serial += 1
                truth[interval.value] = (interval.value, serial)
                for there in places(interval, position + 1):
                    machine[there] = truth[interval.value]
        for interval in operation.exits:
            if complaint := wrong(interval, position + 1):
                return complaint
        index += 1
        if operation.kind == "skip" and chance.random() < 0.4:
            index = operation.target
        elif operation.kind == "again" and turns[operation.target]:
            turns[operation.target] -= 1
            header = operations[operation.target]
            transfer(header.writes, operation.arguments, where, 2 * operation.target + 1)
            index = operation.target + 1
    return None
