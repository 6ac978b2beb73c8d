"""Programs are run with their allocation: every read sees its value, in every turn of every loop."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.choices import Seeded
from fuzz.simulated_programs import REGISTERS, Program, make, run
from regalloc import Allocation, AllocationError, Location, allocate, verify

SEEDS = st.integers(0, 1 << 40)


def allocated(seed):
    program = Program(make(Seeded(seed)))
    return program, allocate(program.intervals, REGISTERS, program.clobbers, program.loops)


def verified(program, allocation):
    """The verifier's complaint, or None."""
    try:
        verify(program.intervals, allocation, REGISTERS, program.clobbers, program.loops)
    except AllocationError as error:
        return str(error)
    return None


def mutated(allocation, chance):
    """An allocation with one location changed."""
    locations = dict(allocation.locations)
    value = chance.choice(list(locations))
    old = locations[value]
    register = chance.choice((old.register, *"abcdxyz"))
    slot = chance.choice((old.slot, None, chance.randrange(allocation.slots + 1)))
    locations[value] = Location(register, max(0, old.until + chance.choice((0, 1, 5, 20, 100, -5))), slot)
    return Allocation(locations, allocation.slots)


@given(SEEDS)
@settings(max_examples=500, deadline=None)
def test_every_read_sees_its_value(seed):
    program, allocation = allocated(seed)
    assert verified(program, allocation) is None
    for turn in range(3):
        assert run(program, allocation, Seeded(turn)) is None


def test_the_programs_are_worth_running():
    """Among them are splits at clobbers, splits before loops, entire spills, and values in registers over loops."""
    seen = set()
    for seed in range(150):
        program, allocation = allocated(seed)
        starts = {start for start, _ in program.loops}
        for interval in program.intervals:
            location = allocation.locations[interval.value]
            if location.register is None:
                seen.add("spilled")
            elif location.slot is not None:
                seen.add("before a loop" if location.until in starts else "at a clobber")
            elif any(interval.start < start and end <= interval.end for start, end in program.loops):
                seen.add("over a loop")
    assert {"spilled", "before a loop", "at a clobber", "over a loop"} == seen


@given(SEEDS)
@settings(max_examples=300, deadline=None)
def test_what_the_verifier_accepts_runs_right(seed):
    """Broken at random, an allocation is either refused or still right."""
    program, allocation = allocated(seed)
    chance = random.Random(seed)
    for _ in range(6 if program.intervals else 0):
        broken = mutated(allocation, chance)
        if verified(program, broken) is None:
            for turn in range(2):
                assert run(program, broken, Seeded(turn)) is None


def test_what_runs_wrong_is_refused():
    """Many random breakages show in a run, and the verifier refuses each of those."""
    wrong = refused = 0
    for seed in range(250):
        program, allocation = allocated(seed)
        chance = random.Random(seed)
        for _ in range(4 if program.intervals else 0):
            broken = mutated(allocation, chance)
            try:
                complaint = run(program, broken, Seeded(0))
            except ValueError:
                complaint = "two moves to one place"
            if complaint is not None:
                wrong += 1
                refused += verified(program, broken) is not None
    assert wrong > 100
    assert wrong == refused
