"""A nan is found in containers by being the same object: one that comes into compiled code from outside stays what it is."""

import pytest

from compare import check, copies, outcome

NAN = float("nan")
OTHER = float("nan")


class Holder:
    def __init__(self, x):
        self.x = x


def found_everywhere(x):
    return [x in [x], x in (x,), x in {x}, [x].count(x), [x].index(x), [x] == [x], {x: 1} == {x: 1}, x == x, x is x]


def in_a_loop(values):
    found = []
    for x in values:
        found.append([x in [x], x in values, [x].count(x), values.count(x), x == x])
    return found


def by_subscript(values):
    found = []
    for index in range(len(values)):
        x = values[index]
        y = x
        found.append(y in [x] and x in values)
    return found


def of_attribute(holder):
    x = holder.x
    holder.x = x
    return x in [holder.x], [x, holder.x].count(x)


def two(x, y):
    return [x in [y], x in [y, x], {x, y} == {x}, len({x, y}), x == y, x < y]


def summed(values):
    total = 0.0
    for x in values:
        total += x
    return total, total in [total]


FLOATS = [1.0, -0.0, 1e308, NAN, 2.5, NAN, OTHER]


@pytest.mark.parametrize("function, calls", [
    (found_everywhere, [(1.0,), (NAN,), (OTHER,), (2.5,)]), (in_a_loop, [(FLOATS,), (tuple(FLOATS),), ([1.0, 2.0],)]),
    (by_subscript, [(FLOATS,), ([2.0, 1.0],), (tuple(FLOATS),)]), (of_attribute, [(Holder(1.0),), (Holder(NAN),), (Holder(2.0),)]),
    (two, [(1.0, 2.0), (NAN, NAN), (NAN, OTHER), (1.0, NAN)]), (summed, [([1.0, 2.0],)])], ids=lambda value: getattr(value, "__name__", ""))
def test_a_nan_from_outside(function, calls):
    check(function, *calls, repeat=4, make=lambda given: given)


def test_a_nan_comes_late():
    """When the function has been compiled for numbers, and in the middle of a loop."""
    (plain,), (fast,) = copies(in_a_loop)
    numbers = [float(number) for number in range(50)]
    for values in (numbers, numbers, numbers + [NAN, 3.0], [NAN] + numbers, numbers):
        assert outcome(fast, [values]) == outcome(plain, [values])
