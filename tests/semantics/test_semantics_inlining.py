"""Small callees are walked in the place of their call: nobody can tell, whatever fails or is rebound in them."""

import sys

import pytest

import jit
from compare import check, copies, outcome

VALUES = [0, 1, -1, 2**31, 2**62, 2**63 - 1, -2**63, 2**64, True, 1.5, -0.0, float("nan"), float("inf"), None, "", "ab", [], [1, 2], (1,), (1, 2)]



def added(a, b=3):
    return a + b - OFFSET


def quotient(a, b):
    whole = a // b
    return whole


def norm(pair):
    x, y = pair
    return x * x + y * y


def item(items, index):
    return items[index]


def same(value):
    return value


def twice(a):
    return added(a) - added(a, 2)


def nothing():
    pass


def calls(a, b):
    total = [same(a), same(b), nothing()]
    total.append(added(a))
    total.append(added(b=a, a=b))
    total.append(twice(b))
    return total


def calls_that_fail(a, b):
    try:
        first = quotient(a, b)
    except ZeroDivisionError:
        first = "divided by zero"
    return first, quotient(b, a), norm((a, b)), item([a, b], 1)


HELPERS = (added, quotient, norm, item, same, twice, nothing)


@pytest.mark.parametrize("function", [calls, calls_that_fail])
def test_hostile_arguments(function):
    check(function, *((a, b) for a in VALUES for b in VALUES), helpers=HELPERS, namespace={"OFFSET": 7}, repeat=1)
    check(function, *[(5, 3)] * 3, *((a, b) for a in VALUES for b in VALUES[::3]), helpers=HELPERS, namespace={"OFFSET": 7}, repeat=1)


def loop(n):
    total = 0
    for i in range(n):
        total += twice(i) + item(ROWS, i % 3)
    return total


def sides(**names):
    (plain, *_), (fast, *_) = copies(loop, *HELPERS, namespace={"OFFSET": 7, "ROWS": [1, 2, 3], **names})
    return plain, fast


def test_what_an_inlined_callee_relies_on():
    plain, fast = sides()
    changes = [{"OFFSET": 8}, {"ROWS": (1.5, 2, 3)}, {"OFFSET": 1.5}, {"OFFSET": "a"}, {"OFFSET": 2**62}, {"OFFSET": 1, "ROWS": [1, 2, 3]},
               {"added": max}, {"twice": int}, {"item": lambda items, index: 5}]
    for names in [{}, *changes]:
        for side in (plain, fast):
            side.__globals__.update(names)
        for n in (10, 3, 0):
            assert outcome(fast, (n,)) == outcome(plain, (n,)), names


def test_code_and_defaults_replaced():
    plain, fast = sides()
    for step in range(4):
        for side in (plain, fast):
            callee = side.__globals__["added"]
            if step == 1:
                callee.__defaults__ = (10,)
            elif step == 2:
                callee.__code__ = (lambda a, b: a - b).__code__
            elif step == 3:
                callee.__defaults__ = None
        for _ in range(3):
            assert outcome(fast, (10,)) == outcome(plain, (10,)), step


def test_closures_of_callees():
    def make(compiled):
        factor = 3

        def scaled(x):
            return x * factor

        def change(new):
            nonlocal factor
            factor = new
        return (jit.jit(scaled) if compiled else scaled), change

    for compiled in (False, True):
        scaled, change = make(compiled)
        scope = {"scaled": scaled}
        exec("def run(n):\n    s = 0\n    for i in range(n):\n        s += scaled(i)\n    return s", scope)
        run = jit.jit(scope["run"]) if compiled else scope["run"]
        found = []
        for new in (3, 4, 1.5, 2**62, "a"):
            change(new)
            found.extend(outcome(run, (n,))[0][:2] for n in (5, 1))
        if compiled:
            assert str(found) == wanted
        wanted = str(found)


def descend(n):
    if n:
        return descend(n - 1) + twice(n)
    return 0


def test_levels_of_recursion_that_inlined_callees_would_use():
    (plain, *_), (fast, *_) = copies(descend, *HELPERS, namespace={"OFFSET": 7})
    limit = sys.getrecursionlimit()
    try:
        sys.setrecursionlimit(220)
        plain(50), fast(50)
        for n in range(120, 225):
            try:
                wanted = plain(n)
            except RecursionError:
                wanted = "too deep"
            try:
                got = fast(n)
            except RecursionError:
                got = "too deep"
            assert got == wanted, n
    finally:
        sys.setrecursionlimit(limit)


def test_references():
    (_, *_), (fast, *_) = copies(calls, *HELPERS, namespace={"OFFSET": 7})
    value = "a string of our own" * 2
    before = None
    for number in range(300):
        try:
            fast(value, 3)
        except TypeError:
            pass
        if number == 50:
            before = sys.getrefcount(value)
    assert sys.getrefcount(value) == before


def test_an_inlined_callee_is_not_called():
    (_, *_), (fast, *rest) = copies(loop, *HELPERS, namespace={"OFFSET": 7, "ROWS": [1, 2, 3]})
    fast(10)
    for callee in rest:
        assert not jit.explain(callee).versions
