"""Loops over sets and frozensets: whatever their members are, and whatever is done to the set meanwhile."""

import gc
import operator
import sys

import pytest
from compare import child, copies, outcome


class Sub(set):
    pass


class Iterating(frozenset):
    def __iter__(self):
        return iter(["own", "iterator"])


class Colliding:
    def __init__(self, name):
        self.name = name

    def __hash__(self):
        return -2

    def __repr__(self):
        return self.name


class Loud:
    def __init__(self, name="loud"):
        self.name = name

    def __hash__(self):
        return len(self.name)

    def __del__(self):
        LOG.append((self.name, sys._getframe(1).f_code.co_name))


LOG = []


def members(s, n):
    out = []
    for member in s:
        out.append(member)
    return out


def adding(s, n):
    total = n
    for member in s:
        total += member
        total *= 2
    return total


def combined(s, n):
    out = []
    for i, member in enumerate(s):
        out.append((i, member))
    for a, b, c in zip(s, range(10), s):
        out.append((a, b, c))
    for a, b in zip([1, 2, 3], s):
        out.append((a, b))
    for i, member in enumerate(s, n):
        if i == 3:
            break
        out.append(member)
    for member in iter(s):
        out.append(member)
    return out


def comprehensions(s, n):
    return [m for m in s], {m: n for m in s}, {m for m in s if m}, sum(1 for m in s), [m for m in s if m in s], [*s], all(m == m for m in s), tuple(s)


def growing(s, n):
    out = []
    for member in s:
        out.append(member)
        if len(out) == n:
            s.add("new")
    return out


def exchanging(s, n):
    """The size stays the same."""
    out = []
    for member in s:
        out.append(member)
        if len(out) == n:
            s.discard(member)
            s.add(-n)
        if len(out) > 400:
            break
    return out


def emptied(s, n):
    out = []
    for member in s:
        out.append(member)
        if len(out) == n:
            s.clear()
    return out


def by_hand(s, n):
    iterator = iter(s)
    out = [next(iterator, None)]
    for member in iterator:
        out.append(member)
        if len(out) == n:
            out.append(operator.length_hint(iterator))
    return out, operator.length_hint(iterator), next(iterator, "end")


def walked_on(s, n):
    """What a loop that is left has not come to."""
    iterator = iter(s)
    out = []
    for member in iterator:
        out.append(member)
        if len(out) == n:
            break
    return out, operator.length_hint(iterator), list(iterator)


def nested(s, n):
    out = []
    for a in s:
        for b in s:
            out.append((a, b))
            if len(out) > 30:
                return out
    return out


def backwards(s, n):
    return [member for member in reversed(s)]


def sets():
    yield from (set(), {1, 2}, {1, 3, 4.5, None}, {"a", "b"}, {1.5, 2.5, float("inf")}, {True, 2**70, -1}, frozenset(), frozenset((1, 2, 3)), frozenset("abc"), {(1, 2), (3,)},
                set(range(300)), {str(n) for n in range(40)}, Sub((1, 2)), Iterating((1, 2)), {Colliding("a"), Colliding("b"), Colliding("c")})
    shrunk = set(range(20))
    shrunk.difference_update(range(0, 20, 2))
    yield shrunk
    for last in (0, 7):
        holes = set(range(8))
        holes.difference_update(set(range(8)) - {last})
        yield holes
    yield {1: 2}.keys()
    yield [1, 2]
    yield None


FUNCTIONS = [members, adding, combined, comprehensions, growing, exchanging, emptied, by_hand, walked_on, nested, backwards]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_sets_of_all_kinds(function):
    """One version after the other meets all of them, and each is met first."""
    count = len(list(sets()))
    for first in range(0, count, 2):
        (plain,), (fast,) = copies(function)
        for number in (first, first, *range(first, count, 3), first):
            for n in (1, 2):
                given = list(sets())[number], list(sets())[number]
                if isinstance(given[0], set) and any(isinstance(member, (Colliding, str)) for member in given[0]):
                    given = given[0], given[0].copy()  # the order follows the addresses of these members, and how they came in
                    if given[0] != given[1] or list(given[0]) != list(given[1]):
                        continue
                results = [repr(outcome(side, (made, n)))[:2000] for side, made in zip((plain, fast), given)]
                assert results[0] == results[1], (first, number)


def test_what_dies_meanwhile():
    def use(make, n):
        count = 0
        for member in make():
            count += 1
            member = None
        for member in [make()][0]:
            break
        s = set(make())
        for member in s:
            s.discard(member)
            s.add(count)
            member = None
            break
        return count

    (plain,), (fast,) = copies(use)
    for make in (lambda: {Loud()}, lambda: frozenset((1, 2)), lambda: {1, Loud(), (Loud("inner"),)}):
        for n in range(30):
            logs = []
            for side in (plain, fast):
                gc.collect()
                LOG.clear()
                result = side(make, n)
                logs.append((result, sorted(LOG)))
            assert logs[0] == logs[1]


def test_references():
    (_,), (fast,) = copies(members)
    key, s = object(), set()
    s |= {key, "a rather long text", 1}
    fast(s, 1)
    before = sys.getrefcount(key), sys.getrefcount(s)
    for _ in range(50):
        fast(s, 1)
    assert before == (sys.getrefcount(key), sys.getrefcount(s))


def test_loops_that_are_entered_while_they_run():
    assert child("""
import jit, jit.hot, time
jit.enable(threshold=2)
s = set(range(1000))
f = frozenset(range(1000, 2000))
def is_entered():  # when the clock finds it is up to the machine's load
    return "entered" in str(jit.explain(main))
def main():
    total, turn, end = 0, 0, time.perf_counter() + 40
    while time.perf_counter() < end and (turn % 500 or not is_entered()):
        turn += 1
        for member in s:
            total += member
        for member in f:
            total -= member
        total += 1_000_000
    return total
print(main(), is_entered())
""") == "0 True\n"


def test_a_generator_that_waits_in_one():
    def walk(s):
        for member in s:
            yield member

    def use(s, n):
        return [list(walk(s)), [(a, b) for a, b in zip(walk(s), walk(s))]]

    (_, plain), (_, fast) = copies(walk, use)
    for _ in range(10):
        for made in ({1, 2, 3}, frozenset((5, 6)), set()):
            assert plain(made, 1) == fast(made, 1)
