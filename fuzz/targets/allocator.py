"""Target "allocator": register allocations of random programs are verified and executed, and so are parallel moves.

Three kinds of case: a program, whose allocation must verify and run right; a program whose allocation is damaged on purpose, which
the verifier must refuse if it runs wrong; and a list of parallel moves. Both judges, verifier and execution, are thus judged too.
"""

import re

from fuzz.choices import Replayed
from fuzz.reducing_data import smaller_lists
from fuzz.simulated_programs import REGISTERS, Program, make, run
from fuzz.targets import BaseTarget, Difference, Verdict
from regalloc import Allocation, AllocationError, Location, allocate, sequentialise, verify

#: Runs of a program, and decisions on loops and jumps in each; those beyond are 0.
RUNS, DECISIONS = 2, 30
#: Places of parallel moves, by kind. Constants are read only.
PLACES = {"gpr": ("a", "b", "c", "d", "slot 0", "slot 1", "slot 2", "slot 3"), "xmm": ("x", "y", "z", "slot 4", "slot 5")}
CONSTANTS = ("constant 1", "constant 2")


class Target(BaseTarget):
    """Cases are {"kind": "program", "program", "runs"}, with "damage" beside where it is damaged, or {"kind": "moves", "moves"}."""

    name = "allocator"

    def case(self, choices):
        kind = choices.weighted((6, "program"), (2, "damaged"), (2, "moves"))
        if kind == "moves":
            return {"kind": "moves", "moves": _make_moves(choices)}
        case = {"kind": "program", "program": make(choices)}
        case["runs"] = [[choices.below(100) for _ in range(choices.below(DECISIONS))] for _ in range(RUNS)]
        if kind == "damaged":
            case["damage"] = [choices.below(1 << 16), choices.pick((None, *"abcdxyz")), choices.pick((0, 1, 5, 20, 100, -5)),
                              choices.pick(("kept", "none", 0, 1, 2))]
        return case

    def run(self, case):
        try:
            if case["kind"] == "moves":
                return _run_moves(case["moves"])
            return _run_program(case)
        except Exception as problem:
            where = problem.__traceback__
            while where.tb_next is not None:
                where = where.tb_next
            name = where.tb_frame.f_code.co_name
            return Verdict(Difference(f"{type(problem).__name__} in {name}", f"{type(problem).__name__}: {problem}"))

    def text(self, case):
        if case["kind"] == "moves":
            return "\n".join(f"{destination} <- {source}" for destination, source in case["moves"]) + "\n"
        program = Program(case["program"])
        lines = [f"{2 * index:4} {_operation_text(operation)}" for index, operation in enumerate(program.operations)]
        lines += [f"# {interval!r} {interval.register_class} fixed {interval.fixed} hint {interval.hint!r}" for interval in program.intervals]
        return "\n".join([*lines, f"# runs: {case['runs']}", f"# damage: {case.get('damage')}"]) + "\n"

    def reduce(self, case):
        if case["kind"] == "moves":
            for moves in smaller_lists(case["moves"]):
                yield {**case, "moves": moves}
            return
        for runs in smaller_lists(case["runs"]):
            yield {**case, "runs": runs}
        for body in _smaller_bodies(case["program"]["body"]):
            yield {**case, "program": {**case["program"], "body": body}}
        for number, (kind, fixed, hint) in enumerate(case["program"]["values"]):
            for plain in {(kind, None, None), (kind, fixed, None), (kind, None, hint)} - {(kind, fixed, hint)}:
                values = list(case["program"]["values"])
                values[number] = list(plain)
                yield {**case, "program": {**case["program"], "values": values}}
        for number, decisions in enumerate(case["runs"]):
            for smaller in smaller_lists(decisions):
                yield {**case, "runs": [*case["runs"][:number], smaller, *case["runs"][number + 1:]]}


def _operation_text(operation):
    parts = [operation.kind]
    for name in ("reads", "arguments", "writes", "exits"):
        values = getattr(operation, name)
        if values:
            parts.append(f"{name} {', '.join(str(interval.value) for interval in values)}")
    if operation.clobber:
        parts.append(f"clobbers {operation.clobber}")
    if operation.target is not None:
        parts.append(f"-> {2 * operation.target}")
    return "; ".join(parts)


def _smaller_bodies(items):
    """Fewer items; a body in the place of its loop or jump; emptier operations."""
    yield from smaller_lists(items)
    for number, item in enumerate(items):
        before, behind = items[:number], items[number + 1:]
        if item[0] == "plain":
            for place in (1, 2, 3):
                for fewer in smaller_lists(item[place]):
                    yield [*before, [*item[:place], fewer, *item[place + 1:]], *behind]
            if item[4]:
                yield [*before, [*item[:4], ""], *behind]
            continue
        place = 1 if item[0] == "skip" else 3
        yield [*before, *item[place], *behind]
        for body in _smaller_bodies(item[place]):
            yield [*before, [*item[:place], body, *item[place + 1:]], *behind]
        if item[0] == "loop":
            for number in range(len(item[1])):
                parameters, arguments, passed = ([*part[:number], *part[number + 1:]] for part in (item[1], item[2], item[4]))
                yield [*before, ["loop", parameters, arguments, item[3], passed], *behind]


def _run_program(case):
    program = Program(case["program"])
    allocation = allocate(program.intervals, REGISTERS, program.clobbers, program.loops)
    damaged = case.get("damage") is not None and program.intervals
    if damaged:
        allocation = _damaged(program, allocation, case["damage"])
    refusal = _refusal(program, allocation)
    if refusal and not damaged:
        return Verdict(Difference(f"the verifier refuses: {_without_names(refusal)}", refusal))
    if refusal:
        return Verdict(features=frozenset([f"refused: {_without_names(refusal)}"]))
    for decisions in case["runs"]:
        complaint = run(program, allocation, Replayed(decisions))
        if complaint:
            what = "the verifier accepts what runs wrong" if damaged else "a read finds another value"
            return Verdict(Difference(what, f"{complaint}\n{allocation.dump()}"))
    return Verdict(features=frozenset(_features(program, allocation)))


def _refusal(program, allocation):
    try:
        verify(program.intervals, allocation, REGISTERS, program.clobbers, program.loops)
    except AllocationError as error:
        return str(error)
    return None


def _without_names(refusal):
    """A complaint of the verifier without values and registers."""
    refusal = re.sub(r"[0-9]+ [0-9]+\.\.[0-9]+|[0-9]+\.\.[0-9]+|[0-9]+", "#", refusal)
    return re.sub(r"\bin (\('slot', #\)|slot #|[a-dxyz])\b", "in #", refusal)


def _damaged(program, allocation, damage):
    """An allocation with one location changed."""
    number, register, later, slot = damage
    value = program.intervals[number % len(program.intervals)].value
    locations = dict(allocation.locations)
    old = locations[value]
    slot = {"kept": old.slot, "none": None}.get(slot, slot)
    if slot is not None and slot != old.slot:
        slot %= allocation.slots + 1
    locations[value] = Location(register or old.register, max(0, old.until + later), slot)
    return Allocation(locations, allocation.slots)


def _features(program, allocation):
    """What an allocation is made of."""
    starts = {start for start, _ in program.loops}
    calls = len(program.clobbers) > 0
    for interval in program.intervals:
        location = allocation.locations[interval.value]
        around = sum(interval.start < start and end <= interval.end for start, end in program.loops)
        if location.register is None:
            where = "spilled"
        elif location.slot is not None:
            where = "before a loop" if location.until in starts else "at a clobber"
        else:
            where = "in a register"
        fixed = "" if interval.fixed is None else f", {'as' if location.register == interval.fixed else 'not as'} fixed"
        hint = "" if interval.hint is None else ", hinted"
        yield f"{interval.register_class} {where}, over {around} loops, {'with' if calls else 'without'} calls{fixed}{hint}"
    yield f"{allocation.slots.bit_length()} bits of slots, {len(program.loops)} loops"


def _make_moves(choices):
    """Moves to distinct places, from places or constants of their kind, or from one another."""
    moves = []
    for kind, places in PLACES.items():
        for place in places:
            if choices.chance(60):
                source = choices.pick((*places, *CONSTANTS) if choices.chance(20) else places)
                moves.append([place, source])
    for number in range(len(moves) - 1, 0, -1):
        other = choices.between(0, number)
        moves[number], moves[other] = moves[other], moves[number]
    return moves


def _run_moves(moves):
    """Do the moves one after the other, and compare with doing them at once."""
    kind_of = {place: kind for kind, places in PLACES.items() for place in places}
    start = {place: f"value of {place}" for place in (*kind_of, *CONSTANTS)}
    wanted = {**start, **{destination: start[source] for destination, source in moves}}
    ordered = sequentialise([tuple(move) for move in moves], lambda place: f"scratch {kind_of.get(place)}")
    found = dict(start)
    for destination, source in ordered:
        found[destination] = found.get(source)
    shown = "\n".join(f"{destination} <- {source}" for destination, source in ordered)
    if {place: found[place] for place in start} != wanted:
        return Verdict(Difference("parallel moves end with other values", f"{found}, not {wanted}\n{shown}"))
    real = sum(destination != source for destination, source in moves)
    scratch = sum(destination.startswith("scratch") for destination, _ in ordered)
    if len(ordered) - scratch != real:
        return Verdict(Difference("parallel moves are not one for each", shown))
    mixed = any(kind_of.get(destination, destination[8:]) != kind_of.get(source, source[8:])
                for destination, source in ordered if not source.startswith("constant"))
    if mixed:
        return Verdict(Difference("parallel moves use a scratch place of another kind", shown))
    return Verdict(features=frozenset([f"moves: {min(real, 6)}, cycles: {scratch}"]))
