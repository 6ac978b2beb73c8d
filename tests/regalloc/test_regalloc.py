"""The allocator by properties and by simulation; the verifier by broken allocations; parallel moves by doing them."""

import copy
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regalloc import AllocationError, Clobber, Interval, Location, allocate, sequentialise, verify

GPRS, XMMS = ("a", "b", "c", "d"), ("x", "y")
REGISTERS = {"gpr": GPRS, "xmm": XMMS}


@st.composite
def problems(draw):
    """Random intervals, clobbers and properly nested loops."""
    intervals = []
    for number in range(draw(st.integers(0, 25))):
        start = draw(st.integers(0, 60)) * 2 + 1
        end = start + draw(st.integers(1, 60))
        intervals.append(Interval(number, start, end, draw(st.sampled_from(("gpr", "xmm"))), draw(st.floats(0, 100))))
    for interval in intervals:
        if intervals and draw(st.booleans()):
            interval.hint = draw(st.sampled_from(intervals))
        elif draw(st.booleans()):
            interval.fixed = draw(st.sampled_from(REGISTERS[interval.register_class]))
    clobbers = [Clobber(draw(st.integers(0, 60)) * 2 + 1, frozenset(draw(st.sets(st.sampled_from(GPRS + XMMS)))))
                for _ in range(draw(st.integers(0, 6)))]
    loops = []
    if draw(st.booleans()):
        start = draw(st.integers(0, 40)) * 2
        end = start + draw(st.integers(4, 40)) * 2
        loops.append((start, end))
        if end - start > 8 and draw(st.booleans()):
            loops.append((start + 2, end - 2))
    return intervals, clobbers, loops


@given(problems())
@settings(max_examples=120, deadline=None)
def test_allocations_verify(problem):
    intervals, clobbers, loops = problem
    allocation = allocate(intervals, REGISTERS, clobbers, loops)
    verify(intervals, allocation, REGISTERS, clobbers, loops)
    assert set(allocation.locations) == {interval.value for interval in intervals}


@given(problems(), st.randoms())
@settings(max_examples=100, deadline=None)
def test_every_read_sees_its_value(problem, chance):
    """Run the positions in order (each loop twice) on a machine whose clobbered registers turn to rubbish."""
    intervals, clobbers, loops = problem
    allocation = allocate(intervals, REGISTERS, clobbers, loops)
    last = max([interval.end for interval in intervals], default=0) + 1
    trace = list(range(last))
    for start, end in sorted(loops, key=lambda loop: loop[0] - loop[1]):
        inside = [place for place, position in enumerate(trace) if start <= position < end]
        if inside:
            trace[inside[-1] + 1:inside[-1] + 1] = trace[inside[0]:inside[-1] + 1]
    lives_over = {}
    for interval in intervals:
        end = interval.end
        for start, stop in loops:
            # A value defined before a loop and used in it is needed on its every turn.
            if not start <= interval.start < stop and start <= end < stop:
                end = stop
        lives_over[interval.value] = end
    if any(lives_over[interval.value] != interval.end for interval in intervals):
        return  # not what the compiler passes: it extends such lives itself
    machine = {}
    for position in trace:
        for interval in intervals:
            location = allocation.locations[interval.value]
            if interval.start < position <= interval.end:
                use_register = location.register is not None and (location.slot is None or position < location.until)
                place = location.register if use_register else ("slot", location.slot)
                assert machine.get(place) == interval.value, (interval, position, location)
        for clobber in clobbers:
            if clobber.position == position:
                for register in clobber.registers:
                    machine[register] = "rubbish"
        for interval in intervals:
            location = allocation.locations[interval.value]
            if interval.start == position:
                if location.register is not None:
                    machine[location.register] = interval.value
                if location.slot is not None:
                    machine["slot", location.slot] = interval.value


def place(text):
    """Intervals from lines such as ``v 1..9 weight``."""
    intervals = []
    for line in text.split(";"):
        name, lives, weight = line.split()
        start, end = map(int, lives.split(".."))
        intervals.append(Interval(name, start, end, "gpr", float(weight)))
    return intervals


def test_the_most_used_values_get_the_registers():
    found = allocate(place("a 1..9 1; b 1..9 50; c 1..9 9"), {"gpr": ("r", "s")}, []).locations
    assert (found["b"].register, found["c"].register, found["a"].register, found["a"].slot) == ("r", "s", None, 0)


def test_survivors_are_preferred_across_a_call():
    call = [Clobber(5, frozenset("r"))]
    found = allocate(place("a 1..9 1"), {"gpr": ("r", "s")}, call).locations["a"]
    assert (found.register, found.slot) == ("s", None)
    found = allocate(place("a 1..9 1"), {"gpr": ("r",)}, call).locations["a"]
    assert (found.register, found.until, found.slot) == ("r", 5, 0)


def test_a_register_part_ends_before_the_loop_whose_clobber_it_crosses():
    found = allocate(place("a 1..20 1"), {"gpr": ("r",)}, [Clobber(15, frozenset("r"))], [(6, 20)]).locations["a"]
    assert (found.register, found.until) == ("r", 6)


@pytest.mark.parametrize("breakage", ["share", "clobber", "class", "missing", "slot"])
def test_the_verifier_notices(breakage):
    intervals = place("a 1..9 1; b 1..9 1")
    clobbers = [Clobber(5, frozenset("r"))]
    registers = {"gpr": ("s", "t", "r")}
    allocation = allocate(intervals, registers, clobbers)
    verify(intervals, allocation, registers, clobbers)
    broken = copy.copy(allocation)
    broken.locations = dict(allocation.locations)
    broken.locations["a"] = {"share": Location(allocation.locations["b"].register, 9, None), "clobber": Location("r", 9, None),
                             "class": Location("x", 9, None), "missing": Location(None, 0, None),
                             "slot": Location(None, 0, 7)}[breakage]
    with pytest.raises(AllocationError):
        verify(intervals, broken, registers, clobbers)


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 9)), unique_by=lambda move: move[0]))
def test_parallel_moves(moves):
    places = {number: f"value {number}" for number in range(10)}
    expected = {**places, **{destination: places[source] for destination, source in moves}}
    ordered = sequentialise(moves, lambda _: "scratch")
    for destination, source in ordered:
        places[destination] = places[source]
    places.pop("scratch", None)
    assert expected == places
    real = [move for move in moves if move[0] != move[1]]
    assert len(ordered) <= len(real) + len(real) // 2


def test_moves_to_one_place_are_refused():
    with pytest.raises(ValueError):
        sequentialise([("a", "b"), ("a", "c")], lambda _: "s")


def test_growth_is_moderate():
    """Ten thousand intervals are no problem (a bound on work, not on time)."""
    chance = random.Random(1)
    intervals = [Interval(n, s := chance.randrange(20_000), s + chance.randrange(2, 40), "gpr", chance.random())
                 for n in range(10_000)]
    allocation = allocate(intervals, {"gpr": tuple(range(10))}, [])
    verify(intervals, allocation, {"gpr": tuple(range(10))}, [])
