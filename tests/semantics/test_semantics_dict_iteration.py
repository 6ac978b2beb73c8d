"""Loops over dicts and their views: whatever keys and values are, and whatever is done to the dict meanwhile."""

import gc
import operator
import sys
from collections import Counter, OrderedDict, defaultdict

import pytest
from compare import copies, outcome


class Sub(dict):
    pass


class Iterating(dict):
    def __iter__(self):
        return iter(["own", "iterator"])

    def items(self):
        return [(1, 2)]


class Thing:
    def __init__(self):
        self.a, self.b = 1, 2.5


class Loud:
    def __del__(self):
        LOG.append(sys._getframe(1).f_code.co_name)


LOG = []


def keys(d, n):
    out = []
    for key in d:
        out.append(key)
    for key in d.keys():
        out.append(key)
    return out


def values(d, n):
    total = []
    for value in d.values():
        total.append(value)
    return total


def items(d, n):
    out = []
    for key, value in d.items():
        out.append((value, key))
    for item in d.items():
        out.append(item)
    return out


def adding(d, n):
    total = n
    for value in d.values():
        total += value
    for key, value in d.items():
        total += value * n
    return total


def combined(d, n):
    out = []
    for i, (key, value) in enumerate(d.items()):
        out.append((i, key, value))
    for key, value in zip(d, d.values()):
        out.append((key, value))
    for i, key in enumerate(d):
        if i == n:
            break
        out.append(key)
    return out


def comprehensions(d, n):
    return {key: value for key, value in d.items()}, [key for key in d], {value for value in d.values() if value}, [pair for pair in d.items()]


def changing(d, n):
    out = []
    for key in d:
        out.append(key)
        if len(out) == n:
            d["new key"] = 1
    return out


def replacing(d, n):
    for key, value in d.items():
        d[key] = [value]
    return list(d.items())


def deleting(d, n):
    out = []
    for key, value in d.items():
        out.append(value)
        if len(out) == n:
            del d[key]
            d[key] = "again"
        if len(out) > 40:
            return out
    return out


def by_hand(d, n):
    iterator = iter(d.items())
    out = [next(iterator, None)]
    for key, value in iterator:
        out.append((key, value))
        if len(out) == n:
            out.append(operator.length_hint(iterator))
    return out, operator.length_hint(iterator), next(iterator, "end")


def by_builtins(d, n):
    out = []
    for key in reversed(d):
        out.append(key)
    for item in reversed(d.items()):
        out.append(item)
    for key in iter(d):
        out.append(key)
    for i, value in enumerate(d.values(), n):
        out.append((i, value))
    for a, b in zip(d.items(), d.keys()):
        out.append((a, b))
    view = d.values()
    for value in view:
        out.append(value)
    for value in view:
        out.append(value)
    return out, list(d), tuple(d.items()), sorted(map(str, d)), len(view), n in d.keys(), list(reversed(d.values()))


def nested(d, n):
    out = []
    for a in d:
        for b, c in d.items():
            out.append((a, b, c))
            if len(out) > 30:
                return out
    return out


def dicts():
    yield from ({}, {"a": 1, "b": 2}, {1: 2, 3: 4.5, "x": None}, {1.5: 1, None: 2, (1, 2): 3}, {"a": 1.5, "b": 2.5, "c": 3.5}, {str(n): n for n in range(300)},
                {n: n * n for n in range(20)}, Sub(a=1, b=2), Iterating(a=1), OrderedDict(a=1, b=2), defaultdict(int, a=1), Counter("hello"), vars(Thing()),
                {"a": True, "b": 2**70, "c": -1}, {"a": []})
    shrunk = {n: n for n in range(20)}
    for n in range(0, 20, 2):
        del shrunk[n]
    yield shrunk
    emptied = {"a": 1, "b": 2}
    del emptied["a"]
    yield emptied
    yield {"a": 1, 5: 6}.items()
    yield [1, 2]
    yield None


FUNCTIONS = [keys, values, items, adding, combined, comprehensions, changing, replacing, deleting, by_hand, by_builtins, nested]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_dicts_of_all_kinds(function):
    """One version after the other meets all of them, and each is met first."""
    count = len(list(dicts()))
    for first in range(count):
        (plain,), (fast,) = copies(function)
        for number in (first, first, *range(first, count, 4), first):
            for n in (1, 2):
                results = [repr(outcome(side, (list(dicts())[number], n)))[:2000] for side in (plain, fast)]
                assert results[0] == results[1], (first, number)


def test_what_dies_when_a_loop_ends():
    def use(made):
        for key, value in made().items():
            value = None
        for key in list({1: made()}.values())[0]:
            break
        return key

    (plain,), (fast,) = copies(use)
    for make in (lambda: {"a": Loud(), "b": 1}, lambda: {1: 2}, lambda: {"a": {"b": Loud()}}):
        for _ in range(30):
            logs = []
            for side in (plain, fast):
                LOG.clear()
                gc.collect()
                LOG.clear()
                result = side(make)
                logs.append((result, sorted(LOG)))
            assert logs[0] == logs[1]


def test_references():
    (fast,), = [copies(items)[1]]
    key, value = "a rather long key", object()
    d = {key: value, 1: value}
    fast(d, 1)
    before = sys.getrefcount(key), sys.getrefcount(value), sys.getrefcount(d)
    for _ in range(50):
        fast(d, 1)
    assert before == (sys.getrefcount(key), sys.getrefcount(value), sys.getrefcount(d))


def test_loops_that_are_entered_while_they_run():
    from compare import child
    assert child("""
import jit.hot, time
jit.enable(threshold=2)
d = {str(n): n for n in range(1000)}
def main():
    total, end = 0, time.perf_counter() + 1.5
    while time.perf_counter() < end:
        for key, value in d.items():
            total += value
        for key in d:
            total += len(key)
        for value in d.values():
            total -= value
    return total % (sum(map(len, d)))
print(main())
""") == "0\n"
