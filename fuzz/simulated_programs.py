"""Programs in SSA form for the register allocator, and a machine that runs them with an allocation.

The verifier and the allocator share one understanding of the rules; this file does not: it executes. A program is a tree of
operations with loops (block parameters, back edges, any number of turns) and forward jumps. Every definition makes a token
that has not existed before, so a read that finds the token of another value, or of an earlier turn, is seen.

As plain data, a program is {"values": [[class, fixed, hint], ...], "body": [item, ...]}, where an item is
    ["plain", reads, exits, writes, clobbered registers]
    ["skip", body]                                  perhaps jumped over
    ["loop", parameters, arguments, body, passed]   entered with `arguments`, continued with `passed`
and values are numbers. A hint is a register, a number or None. Values mean something behind their definition in the same body
and in bodies inside it; references to others, and parameters that lack an argument, are left out, so any part may be cut off.
"""

from regalloc import Clobber, Interval, sequentialise

REGISTERS = {"gpr": ("a", "b", "c", "d"), "xmm": ("x", "y", "z")}
#: Registers that a call may destroy: all, some of either class, or one; none where there is no call.
CALLS = ("abcdxyz", "cdxyz", "d")
#: Operations that a run executes at most.
STEPS = 600
#: Values of a program at most: what ends the making of huge ones.
VALUES = 120


def make(choices):
    """Plain data of a program."""
    return _Maker(choices).program


class _Maker:
    def __init__(self, choices):
        self.choices = choices
        self.program = {"values": [], "body": []}
        # Half of the programs call nothing: their pressure is all that spills.
        self.calls = choices.pick((0, 0, 10, 30))
        self.block(self.program["body"], [], 0)

    def new(self):
        """A value; values may be hinted to be where an earlier one, or any register, is."""
        choices, values = self.choices, self.program["values"]
        kind = choices.pick(("gpr", "gpr", "xmm"))
        fixed = hint = None
        if choices.chance(20):
            fixed = choices.pick(REGISTERS[kind])
        elif choices.chance(30) and values:
            hint = choices.pick((choices.below(len(values)), choices.pick("abcdxyz")))
        values.append([kind, fixed, hint])
        return len(values) - 1

    def some(self, seen, limit):
        """Up to `limit` values that can be read."""
        return [self.choices.pick(seen) for _ in range(self.choices.below(limit + 1))] if seen else []

    def block(self, items, seen, depth):
        """Append items that may read the values `seen`; returns those and what this block defines itself."""
        seen = list(seen)
        for _ in range(self.choices.between(1, 7)):
            full = len(self.program["values"]) > VALUES
            shape = self.choices.weighted((65, "plain"), (15, "skip"), (20, "loop"))
            if shape == "loop" and depth < 3 and not full:
                items.append(self.loop(seen, depth))
            elif shape == "skip" and depth < 4 and not full:
                body = []
                items.append(["skip", body])
                self.block(body, seen, depth + 1)
            else:
                reads, exits = self.some(seen, 2), self.some(seen, 2)
                writes = [] if full else [self.new() for _ in range(self.choices.below(3))]
                items.append(["plain", reads, exits, writes, self.choices.pick(CALLS) if self.choices.chance(self.calls) else ""])
                seen.extend(writes)
        return seen

    def loop(self, seen, depth):
        values, body = self.program["values"], []
        arguments = self.some(seen, 3)
        parameters = list(range(len(values), len(values) + len(arguments)))
        values.extend([values[argument][0], None, argument] for argument in arguments)
        first = len(values)
        inside = self.block(body, [*seen, *parameters], depth + 1)
        passed = []
        for parameter in parameters:
            # Parameters twice: to exchange them is the hard case.
            passed.append(self.choices.pick([value for value in (*inside, *parameters) if values[value][0] == values[parameter][0]]))
        for value in passed:
            if values[value][2] is None and value >= first:
                values[value][2] = parameters[0]
        return ["loop", parameters, arguments, body, passed]


class Operation:
    """One operation; `kind` is plain, skip (perhaps jump to `target`), loop (a header) or again (the back edge to `target`).

    Attributes:
        reads, exits: values read at the operation's start, and at its end (by exits). writes: values defined.
        arguments: what a loop is entered with, or continued with. clobber: registers destroyed, or ().
        kept: of a loop's header, values from before it that the loop reads.
    """

    def __init__(self, kind, reads=(), exits=(), writes=(), clobber=(), arguments=(), target=None):
        self.kind = kind
        self.reads, self.exits, self.writes = reads, exits, writes
        self.clobber, self.arguments, self.target = clobber, arguments, target
        self.kept = []


class Program:
    """A program in linear order, its live intervals, clobbers and loops.

    Positions are the compiler's: operation i reads at 2i and writes at 2i + 1; an exit's values live to 2i + 2; a value defined
    before a loop and read inside lives to the loop's end.
    """

    def __init__(self, plain):
        self.values = plain["values"]
        self.operations, self.intervals, self.loops, self.clobbers = [], [], [], []
        self.made = {}
        self.block(plain["body"], {}, ())
        for index, operation in enumerate(self.operations):
            if operation.clobber:
                self.clobbers.append(Clobber(2 * index + 1, frozenset(operation.clobber)))

    def define(self, numbers):
        """Intervals of values that the next operation but one defines, that is, the one appended now."""
        found, position = [], 2 * len(self.operations) + 1
        for number in numbers:
            if number not in self.made:
                kind, fixed, hint = self.values[number]
                interval = Interval(len(self.intervals), position, position + 1, kind, 0.0, self.made.get(hint, hint), fixed)
                if interval.hint.__class__ is int:
                    interval.hint = None
                self.made[number] = interval
                self.intervals.append(interval)
                found.append(interval)
        return found

    def use(self, numbers, seen, position, around, weight=True):
        """The intervals of those values that are seen, noted as used inside the loops whose headers are `around`."""
        found = [seen[number] for number in numbers if number in seen]
        for interval in found:
            interval.end = max(interval.end, position)
            if weight:
                interval.weight += 10.0 ** len(around)
            for header in around:
                if 2 * header > interval.start:
                    self.operations[header].kept.append(interval)  # the loop's end is not known yet
                    break
        return found

    def block(self, items, seen, around):
        """Lay out items; `seen`: number -> interval. Returns what is seen at the end."""
        seen = dict(seen)
        for item in items:
            if item[0] == "plain":
                self.plain(item, seen, around)
            elif item[0] == "skip":
                skip = Operation("skip")
                self.operations.append(skip)
                self.block(item[1], seen, around)
                skip.target = len(self.operations)
            else:
                self.loop(item, seen, around)
        return seen

    def plain(self, item, seen, around):
        _, reads, exits, writes, clobber = item
        index = len(self.operations)
        reads = self.use(reads, seen, 2 * index, around)
        exits = self.use(exits, seen, 2 * index + 2, around, weight=False)
        defined = self.define(writes)
        seen.update((number, self.made[number]) for number in writes if self.made[number] in defined)
        self.operations.append(Operation("plain", reads, exits, defined, clobber))

    def loop(self, item, seen, around):
        """A loop; parameters are defined by its header and given anew by its back edge."""
        _, parameters, arguments, body, passed = item
        header = len(self.operations)
        whole = [(parameter, argument, number) for parameter, argument, number in zip(parameters, arguments, passed)
                 if argument in seen and parameter not in self.made and self.values[argument][0] == self.values[parameter][0]]
        arguments = self.use([argument for _, argument, _ in whole], seen, 2 * header, around)
        defined = self.define([parameter for parameter, _, _ in whole])
        operation = Operation("loop", writes=defined, arguments=arguments)
        self.operations.append(operation)
        inside = {**seen, **{parameter: interval for (parameter, _, _), interval in zip(whole, defined)}}
        end_seen = self.block(body, inside, (*around, header))
        # A parameter whose new value was cut off stays what it is.
        numbers = [number if number in end_seen and end_seen[number].register_class == interval.register_class else parameter
                   for (parameter, _, number), interval in zip(whole, defined)]
        end = 2 * len(self.operations) + 2
        again = self.use(numbers, end_seen, end, (*around, header))
        self.operations.append(Operation("again", arguments=again, target=header))
        for interval in operation.kept:
            interval.end = max(interval.end, end)
        self.loops.append((2 * header, end))


def run(program, allocation, choices):
    """Run on a machine whose registers and slots hold tokens.

    Args:
        program: Program. allocation: of its intervals. choices: decides how often loops turn and which jumps are taken.

    Returns:
        None, or a text that tells the first read that found something else than its value.

    Raises:
        ValueError: two moves of an edge have one destination.
    """
    return _Run(program, allocation, choices).complaint()


class _Run:
    def __init__(self, program, allocation, choices):
        self.operations, self.allocation, self.choices = program.operations, allocation, choices
        self.machine, self.truth = {}, {}
        self.serial, self.turns = 0, {}

    def places(self, interval, position):
        """Where a value must be put at a position."""
        location = self.allocation.locations[interval.value]
        found = [] if location.slot is None else [location.slot]
        if location.register is not None and (location.slot is None or position < location.until):
            found.append(location.register)
        return found

    def place(self, interval, position):
        """Where a value is read at a position: in its register as long as that holds it; None if it has no place."""
        return (self.places(interval, position) or [None])[-1]

    def wrong(self, interval, position):
        """None, or how a read goes wrong."""
        place = self.place(interval, position)
        found, wanted = self.machine.get(place), self.truth[interval.value]
        return None if found == wanted else f"{interval} at {position}: {place} holds {found}, not {wanted}"

    def transfer(self, parameters, arguments, position, start):
        """An edge's parallel move, made sequential."""
        moves = [(there, self.place(argument, position)) for parameter, argument in zip(parameters, arguments)
                 for there in self.places(parameter, start)]
        for there, source in sequentialise(moves, lambda _: "scratch"):
            self.machine[there] = self.machine.get(source)
        self.truth.update([(p.value, self.truth[a.value]) for p, a in zip(parameters, arguments)])

    def complaint(self):
        index = 0
        for _ in range(STEPS):
            if index == len(self.operations):
                return None
            problem = self.step(index)
            if problem:
                return problem
            index = self.following(index)
        return None

    def step(self, index):
        """Execute one operation, but not the jump behind it."""
        operation, position = self.operations[index], 2 * index
        # A back edge is taken after its operation, where all that exits need is still there.
        where = position + 1 if operation.kind == "again" else position
        problems = [self.wrong(interval, where) for interval in (*operation.reads, *operation.arguments)]
        self.machine.update(dict.fromkeys(operation.clobber, "rubbish"))
        if operation.kind == "loop":
            self.turns[index] = self.choices.below(4)
            self.transfer(operation.writes, operation.arguments, position, position + 1)
        else:
            for interval in operation.writes:
                self.serial += 1
                self.truth[interval.value] = (interval.value, self.serial)
                for there in self.places(interval, position + 1):
                    self.machine[there] = self.truth[interval.value]
        problems += [self.wrong(interval, position + 1) for interval in operation.exits]
        return next(filter(None, problems), None)

    def following(self, index):
        """Index of the operation that comes next; a back edge that is taken moves its values."""
        operation = self.operations[index]
        if operation.kind == "skip" and self.choices.chance(40):
            return operation.target
        if operation.kind == "again" and self.turns[operation.target]:
            self.turns[operation.target] -= 1
            header = self.operations[operation.target]
            self.transfer(header.writes, operation.arguments, 2 * index + 1, 2 * operation.target + 1)
            return operation.target + 1
        return index + 1
