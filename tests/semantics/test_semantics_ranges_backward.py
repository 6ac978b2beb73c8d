"""Loops over ``reversed(range(...))``, forwards where loops yield, and what such iterators show where they are left."""

import itertools

import pytest
from compare import check, copies, outcome

BOUNDS = [0, 1, -1, 2, 5, 10, -7, 2**31, -2**31, 2**62, 2**63 - 1, -2**63, 2**63, True, 1.5, None]


def one(n):
    found = []
    for i in reversed(range(n)):
        found.append(i)
        if i == 3:
            found.append(len(found))
    return found


def three(a, b, c):
    found = []
    for i in reversed(range(a, b, c)):
        found.append(i)
        if len(found) > 20:
            break
    return found


def nested(a, b):
    total = 0
    for i in reversed(range(a, b)):
        for j in reversed(range(i)):
            total += i * j
            if j < 5:
                continue
        if total > 10**6:
            return i, total
    return total


def comprehended(n):
    return [i for i in reversed(range(n))], tuple(i for i in reversed(range(n, 3)))


def overflowing(n, k):
    total = k
    for i in reversed(range(n)):
        total += total
        if i == 2:
            total += i
    return total


def yielding(a, b, c):
    for i in reversed(range(a, b, c)):
        for j in range(a, 3):
            yield i, j
        yield i


def taken(a, b, c):
    return list(itertools.islice(yielding(a, b, c), 30))


@pytest.mark.parametrize("n", BOUNDS)
def test_one_bound(n):
    if not isinstance(n, int) or abs(n) < 1000:
        check(one, (n,))
        check(comprehended, (n,))


@pytest.mark.parametrize("a", BOUNDS)
def test_three_bounds(a):
    """Compiled for the first of the other bounds, and for each type anew."""
    for first, c in enumerate((1, -1, 3, -2, 0, 2**62, -2**63, True)):
        (plain,), (fast,) = copies(three)
        for b in (*BOUNDS[first:], *BOUNDS[:first]):
            for _ in range(2):
                assert outcome(fast, (a, b, c)) == outcome(plain, (a, b, c)), (a, b, c)


@pytest.mark.parametrize("a, b", [(0, 9), (3, 40), (-5, 5), (40, 3), (0, 200)])
def test_nested(a, b):
    check(nested, (a, b))


@pytest.mark.parametrize("n, k", [(5, 1), (70, 1), (63, -1), (3, 2**61), (3, 1.5), (3, "a")])
def test_left_in_the_midst(n, k):
    check(overflowing, (n, k))


def test_in_generators():
    (_, plain), (_, fast) = copies(yielding, taken)
    for a, b, c in [(0, 5, 1), (5, 0, -1), (0, 2**62, 2**60), (-3, 3, 2), (2, 2, 1)] * 4:
        assert plain(a, b, c) == fast(a, b, c)


def test_a_reversed_that_is_another():
    (plain,), (fast,) = copies(one, namespace={"reversed": lambda items: [7, 8]})
    assert plain(5) == fast(5) == [7, 8]
    for function in (plain, fast):
        del function.__globals__["reversed"]
    assert plain(5) == fast(5)


def test_ends_that_are_objects():
    """Operands that are dropped between the two calls, where an exit could not make the range."""
    class Sized:
        def __len__(self):
            return 5

    def shuffled(x, end):
        found = []
        for i in reversed(range(1, len(x))):
            found.append(i)
        for i in reversed(range(end(), 9)):
            found.append(i)
        return found

    (plain,), (fast,) = copies(shuffled)
    for x in ([1, 2, 3], Sized(), "abc", {1: 2}) * 10:
        for end in (lambda: 3, lambda: True, lambda: 10**30):
            results = []
            for function in (plain, fast):
                try:
                    results.append(function(x, end))
                except (TypeError, OverflowError) as problem:
                    results.append(str(problem))
            assert results[0] == results[1]
