"""3.11: an object compared with by a backward jump was counted for the poll there, and never dropped: a leak at every such turn."""

import gc
import sys

import jit
import pytest


class Item:
    def __init__(self, x):
        self.x = x


def filtered(values, limit):
    return [value % limit for value in values if value < limit]


def count_down(item, end):
    turns = 0
    while item.x > end:
        turns += 1
        if turns > 5:
            break
    return turns


def by_subscript(items, end):
    turns = 0
    while items[0] > end:
        turns += 1
        if turns > 5:
            break
    return turns


CASES = [(filtered, [((255, -2305843009213693954), 3.0), ((5, -7, -3, -6, -3), 4503599627370494), ([5, 2**63], 2**64)]),
         (count_down, [(Item(10**6), 3), (Item(1e6), 3), (Item(2**70), 1.5), (Item(-7.25), -1000), (Item(True), False)]),
         (by_subscript, [([10**6], 3), ([1e6], 3), ((2**70,), 1.5), ((-7.25, 1), -1000), ([True], 0.5)])]


@pytest.mark.parametrize("function, calls", CASES, ids=lambda value: getattr(value, "__name__", ""))
def test_references_of_loop_conditions(function, calls):
    function = jit.jit(type(function)(function.__code__.replace(), function.__globals__))
    watched = [item for first, _ in calls for item in (first if type(first) in (tuple, list) else [first.x])]

    def repeat(times):
        for _ in range(times):
            for arguments in calls:
                function(*arguments)

    repeat(300)
    gc.collect()
    references = [sys.getrefcount(item) for item in watched]
    blocks = sys.getallocatedblocks()
    repeat(300)
    gc.collect()
    assert [sys.getrefcount(item) for item in watched] == references
    assert sys.getallocatedblocks() - blocks < 200
