"""Functions that are made in the function that calls them: closures, lambdas, and what may happen to them."""

import sys
import traceback

import pytest
from compare import copies, outcome

LOG = []


def closure(n, x):
    def inner(y):
        return y + x

    total = 0
    for i in range(n):
        total += inner(i)
    return total


def lambdas(n, x):
    double = lambda y: y * 2  # noqa: E731
    apply = lambda f, y: f(y) + x  # noqa: E731
    out = []
    for i in range(n):
        out.append((double(i), double(x), apply(double, i)))
    return out


def counting(n, x):
    count = 0

    def step(by):
        nonlocal count
        count = count + by
        return count

    for i in range(n):
        step(x)
    return count, step(1)


def rebound(n, x):
    out = []

    def inner(y):
        return y, x

    for i in range(n):
        out.append(inner(i))
        if i == 2:
            x = "changed"
        if i == 3:
            def inner(y):
                return "other", y, x
    return out


def other_code(n, x):
    def inner(y):
        return y, "first"

    def second(y):
        return y, "second"

    out = []
    for i in range(n):
        out.append(inner(i))
        if i == 2:
            inner.__code__ = second.__code__
    return out, inner.__name__


def with_defaults(n, x):
    def inner(y, z=5):
        return y, z

    out = [inner(i) for i in range(n)]
    for i in range(n):
        out.append(inner(i))
        out.append(inner(i, x))
        if i == 2:
            inner.__defaults__ = ("new",)
    return out, inner(z=1, y=2)


def recursive(n, x):
    def factorial(k):
        return 1 if k < 2 else k * factorial(k - 1)

    return [factorial(i) for i in range(n)], factorial(n + 20)


def wrong_calls(n, x):
    def inner(y):
        return y

    out = []
    for arguments in ((), (1, 2), (1,)):
        try:
            if len(arguments) == 0:
                out.append(inner())
            elif len(arguments) == 2:
                out.append(inner(1, 2))
            else:
                out.append(inner(1))
        except TypeError as problem:
            out.append(str(problem))
    return out


def raising(n, x):
    def inner(y):
        if y == 3:
            raise ValueError(x, y)
        return 10 // (y - 5)

    out = []
    for i in range(n):
        try:
            out.append(inner(i))
        except (ValueError, ZeroDivisionError):
            kind, value, trace = sys.exc_info()
            out.append((kind.__name__, value.args, [(item.name, item.lineno) for item in traceback.extract_tb(trace)]))
    return out


def looking(n, x):
    def inner(y):
        frame = sys._getframe()
        return sorted(locals()), frame.f_code.co_qualname, frame.f_back.f_code.co_name, frame.f_back.f_locals["n"], frame.f_code.co_freevars, x

    return [inner(i) for i in range(n)], inner(1)


def unbound(n, x):
    def inner():
        return late

    out = []
    for i in range(n):
        try:
            out.append(inner())
        except NameError as problem:
            out.append(str(problem))
        if i == 1:
            late = x
        if i == 3:
            del late
    return out


def deep(n, x):
    def outer(y):
        def inner(z):
            return z + y + x
        return inner(y) + inner(1)

    total = 0
    for i in range(n):
        total += outer(i)
    return total


def many_ways(n, x):
    if n % 2:
        def inner(y):
            return "odd", y
    else:
        def inner(y):
            return "even", y, x
    functions = [inner, lambda y: y]
    out = []
    for i in range(n):
        out.append(inner(i))
        out.append(functions[i % 2](x))
    return out, list(map(inner, range(2)))


def generators(n, x):
    def inner(y):
        yield y
        yield x

    return [list(inner(i)) for i in range(n)], list(inner(x))


def iterating(n, x):
    """The first argument of such a function is no iterator of its own."""
    def total(items):
        seen = []
        for item in items:
            seen.append(item)
            if len(seen) == 2:
                break
        return seen, list(items)

    return [total(iter([1, 2, 3, x])) for _ in range(n)], total((1, 2, 3))


def dying(n, x):
    class Loud:
        def __del__(self):
            LOG.append(sys._getframe(1).f_code.co_name)

    def inner(thing):
        thing = None
        return 1

    total = 0
    for i in range(n):
        total += inner(Loud())
    return total, list(LOG)


def keyword(n, x):
    def inner(y, z, *more, w=1):
        return y, z, more, w

    return [inner(i, 2) for i in range(n)], inner(1, z=2), inner(1, 2, 3, w=4)


FUNCTIONS = [closure, lambdas, counting, rebound, other_code, with_defaults, recursive, wrong_calls, raising, looking, unbound, deep, many_ways, generators, iterating,
             dying, keyword]
VALUES = [0, 1, -1, 2**31, 2**62, 2**63, True, 1.5, -0.0, float("nan"), float("inf"), None, "", "a", (1, 2)]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_local_functions(function):
    for first in range(0, len(VALUES), 2):
        (plain,), (fast,) = copies(function)
        for x in (VALUES[first], VALUES[first], *VALUES):
            for n in (6, 7, 0):
                results = []
                for side in (plain, fast):
                    LOG.clear()
                    results.append(repr(outcome(side, (n, x)))[:3000])
                assert results[0] == results[1], (n, x)


def test_references_and_lifetimes():
    import gc
    import weakref

    def make(items):
        def inner(thing):
            return [thing]

        for item in items:
            inner(item)
        return inner

    (plain,), (fast,) = copies(make)
    thing = object()
    for _ in range(30):
        fast([thing] * 5)
    before = sys.getrefcount(thing)
    kept = [fast([thing] * 5) for _ in range(50)]
    assert sys.getrefcount(thing) == before
    references = [weakref.ref(function) for function in kept]
    assert kept[0](1) == [1] and len({id(function) for function in kept}) == 50
    del kept
    gc.collect()
    assert not any(reference() for reference in references)


def test_recursion_is_counted():
    def run(depth):
        def down(k):
            return 0 if k == 0 else 1 + up(k - 1)

        def up(k):
            return down(k)

        try:
            return down(depth)
        except RecursionError as problem:
            return str(problem)

    (plain,), (fast,) = copies(run)
    for depth in (0, 5, 100, 100_000):
        assert plain(depth) == fast(depth)
