"""Functions kept in variables that inner functions share, called through these: by the function that makes them, by themselves and by each other."""

import sys
import traceback
import types

import pytest
from compare import copies, outcome

import jit
from jit.dispatch import COMPILER
from platforms.cpython import feedback

LOG = []


def recursive(n, x):
    def power(k):
        return x if k < 2 else power(k - 1) + power(k - 2)

    return power(n), power(n + 1), [power(k) for k in range(n)]


def siblings(n, x):
    parent = list(range(n + 4))

    def find(k):
        while parent[k] != k:
            k = parent[k]
        return k

    def union(a, b):
        a, b = find(a), find(b)
        parent[a] = b
        return a == b

    return [union(k, k + 3) for k in range(n)], [find(k) for k in range(n)], x


def mutual(n, x):
    def even(k):
        return x if k == 0 else odd(k - 1)

    def odd(k):
        return "no" if k == 0 else even(k - 1)

    return [even(k) for k in range(n)], odd(n)


def counting(n, x):
    count, seen = 0, []

    def walk(k, text):
        nonlocal count
        count += 1
        if k:
            walk(k - 1, text + "a")
            seen.append((k, text, x))
            walk(k - 1, text)

    walk(n, "")
    return count, seen


def in_comprehensions(n, x):
    def tree(k):
        return [tree(j) for j in range(k)] or x

    return tree(n % 5), [tree(k) for k in range(3)], {k: tree(k) for k in range(2)}


def three_deep(n, x):
    def outer(a):
        def inner(b):
            return x if b == 0 else outer(b - 1)

        return inner(a - 1) if a > 0 else "end"

    return [outer(k) for k in range(n)]


def shadowed(n, x):
    def walk(k):
        def walk(j):
            return "inner", j, x

        return walk(k)

    return [walk(k) for k in range(n)]


def rebound(n, x):
    def step(k):
        nonlocal step
        if k == 3:
            step = others[x % 5 if type(x) is int else 0]
        return k if k < 1 else (k, step(k - 1))

    def other(k):
        return "other", k, x

    def same():
        def step(k):
            return "same name", k
        return step

    others = [other, same(), len, "no function", type]
    return step(n)


def another_of_its_code(n, x):
    """The same code with other cells, and with other globals."""
    def make(y):
        def walk(k):
            return y if k < 1 else walk(k - 1)
        return walk

    def walk(k):
        nonlocal walk
        if k == 2:
            walk = make("made")
        if k == 4:
            walk = types.FunctionType(walk.__code__, {"__builtins__": {"len": x}}, "walk", None, walk.__closure__)
        return length([k, x]) if k < 1 else walk(k - 1)

    def length(items):
        return len(items)

    return walk(n % 4), make(x)(n), walk(n)


def other_globals(n, x):
    def value(k):
        return where if k < 1 else value(k - 1)

    before = value(n)
    value = types.FunctionType(value.__code__, {"where": ("elsewhere", x)}, "value", None, value.__closure__)
    return before, value(n)


def other_builtins(n, x):
    def value(k):
        return len("four") if k < 1 else value(k - 1)

    before = value(n)
    value = types.FunctionType(value.__code__, {"__builtins__": {"len": lambda _: x}}, "value", None, value.__closure__)
    return before, value(n)


def other_code(n, x):
    def value(k):
        return "first" if k < 1 else value(k - 1)

    def second(k):
        return value, x

    before = value(n)
    value.__code__ = second.__code__
    return before, value(n)[1]


def deleted(n, x):
    def walk(k):
        nonlocal walk
        if k == 2:
            del walk
        return x if k < 1 else walk(k - 1)

    try:
        return walk(n)
    except NameError as problem:
        return str(problem)


def wrong_calls(n, x):
    def walk(k, *more):
        return walk() if k == 2 else (k, more) if k < 1 else walk(k - 1, x)

    def fixed(k):
        return fixed(k, x) if k == 2 else fixed() if k == 1 else fixed(k - 1)

    out = []
    for function in (walk, fixed):
        for k in range(n):
            try:
                out.append(function(k))
            except TypeError as problem:
                out.append(str(problem))
    return out


def keywords_and_defaults(n, x):
    def walk(k, deep=0, *, last=None):
        return (deep, last, x) if k < 1 else walk(k - 1, deep + 1) if k % 2 else walk(k - 1, last=k, deep=deep)

    def plain(k, deep):
        return deep if k < 1 else plain(deep=deep + 1, k=k - 1)

    return walk(n), walk(n, last=x), plain(n, 0), plain(deep=x, k=0)


def positional_only(n, x):
    def walk(k, /, deep=3, *, other=1):
        return deep, other, x

    def name(k, /, deep):
        return k, deep

    out = []
    for call in (lambda: walk(1, deep=2), lambda: walk(1, other=x), lambda: name(1, deep=x), lambda: name(k=1, deep=2), lambda: name(1, deep=2, deeper=3)):
        try:
            out.append(call())
        except TypeError as problem:
            out.append(str(problem))
    return out


def annotated(n, x):
    def walk(k: int, deep: "how deep" = 0, more: list[int] | None = None) -> tuple[int, object]:
        return (deep, x) if k < 1 else walk(k - 1, deep=deep + 1)

    def bare(k: len):
        return k

    found = [walk.__annotations__, bare.__annotations__, walk(n), bare(x), walk.__defaults__]
    walk.__annotations__["k"] = x
    return found, walk.__annotations__, bare.__annotations__ is bare.__annotations__


def annotations_that_raise(n, x):
    try:
        def walk(k: missing_name, deep=x) -> x[0]:  # noqa: F821
            return k
    except NameError as problem:
        return str(problem)
    return walk(n)


def defaults_made_anew(n, x):
    items = [x]

    def walk(k, seen=items, pair=(n, x)):
        seen.append(k)
        return (len(seen), pair) if k < 1 else walk(k - 1)

    return walk(n), walk(1), len(items)


def defaults_replaced(n, x):
    def walk(k, deep=1):
        return deep if k < 1 else walk(k - 1)

    before = walk(n)
    walk.__defaults__ = (x,)
    return before, walk(n), walk(0)


def raising(n, x):
    def walk(k):
        if k == 0:
            raise ValueError(x)
        try:
            return walk(k - 1) + 1
        finally:
            LOG.append(k)

    LOG.clear()
    try:
        return walk(n)
    except ValueError:
        kind, value, trace = sys.exc_info()
        return kind.__name__, value.args, [(item.name, item.lineno) for item in traceback.extract_tb(trace)], list(LOG)


def looking(n, x):
    def walk(k):
        if k:
            return walk(k - 1)
        frame, out = sys._getframe(), []
        while frame.f_code.co_name in ("walk", "looking"):
            out.append((frame.f_code.co_qualname, frame.f_lineno, sorted(frame.f_locals), frame.f_locals.get("k"), frame.f_code.co_freevars))
            frame = frame.f_back
        return out, x

    return walk(n)


def large(n, x):
    """Many arguments and many cells."""
    a, b, c, d, e = 1, 2.0, "c", x, [n]

    def walk(k, p, q, r, s, t):
        return (a, b, c, d, e, p, q, r, s, t) if k < 1 else walk(k - 1, q, r, s, t, p)

    return walk(n, 1, 2.5, "3", x, None)


def counted(n, x):
    def walk(k):
        return [sys.getrefcount(walk)] if k < 1 else walk(k - 1) + [sys.getrefcount(walk), k]

    def inner(k):
        return sys.getrefcount(other), k

    other, found = inner, []
    for k in range(n):
        found.append(inner(k))
    return walk(n), found, [inner(k) for k in range(n)], sys.getrefcount(inner), sys.getrefcount(walk)


def generators(n, x):
    def walk(k):
        if k:
            yield from walk(k - 1)
        yield k, x

    return list(walk(n))


def dying(n, x):
    class Loud:
        def __del__(self):
            LOG.append(sys._getframe(1).f_code.co_name)

    def walk(k, thing):
        thing = None if k == 1 else thing
        return k if k < 1 else walk(k - 1, Loud())

    LOG.clear()
    return walk(n, Loud()), list(LOG)


def changing_types(n, x):
    def walk(k, value):
        return value if k < 1 else walk(k - 1, (value, x) if k % 3 == 0 else x if k % 3 == 1 else 1.5)

    return walk(n, 1), walk(n, x), walk(n, "text")


def overflowing(n, x):
    def walk(k, value):
        return value if k < 1 else walk(k - 1, value * 3037000500 + 1)

    return walk(n, 1), walk(n, -1)


def decorated(n, x):
    def twice(function):
        return lambda k: (function(k), function(k))

    @twice
    def walk(k):
        return x if k < 1 else walk(k - 1)

    return walk(n % 4)


class Tree:
    def __init__(self, depth):
        self.depth, self.visited = depth, 0

    def leaves(self, x):
        def walk(k):
            self.visited += 1
            return 1 if k == 0 else walk(k - 1) + walk(k - 1)

        return walk(self.depth), self.visited, x


def method(n, x):
    return [Tree(k).leaves(x) for k in range(n % 6)]


FUNCTIONS = [recursive, siblings, mutual, counting, in_comprehensions, three_deep, shadowed, rebound, another_of_its_code, other_globals, other_builtins, other_code,
             deleted, wrong_calls, keywords_and_defaults, positional_only, annotated, annotations_that_raise, defaults_made_anew, defaults_replaced, raising, looking, counted,
             large, generators, dying, changing_types, overflowing, decorated, method]
VALUES = [0, 1, 2, 3, 4, -1, 2**31, 2**62, 2**63, True, 1.5, -0.0, float("nan"), float("inf"), None, "", "a", (1, 2)]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_enclosed_functions(function):
    for first in range(0, len(VALUES), 6):
        (plain,), (fast,) = copies(function)
        for x in (VALUES[first], VALUES[first], *VALUES):
            for n in (6, 7, 0):
                results = [repr(outcome(side, (n, x)))[:3000] for side in (plain, fast)]
                assert results[0] == results[1], (n, x)


def test_they_are_entered_directly():
    """No code runs that is not compiled, though each call of the outer function makes its inner ones anew."""
    def run(n):
        def walk(k: int, deep: int = 0) -> int:
            return leaf(k) if k < 1 else walk(k - 1) + walk(k - 2, deep=deep + 1)

        def leaf(k, sign=1):
            return sign if k < 1 else 0

        return walk(n)

    run = jit.jit(run)
    for _ in range(20):
        assert run(6) == 21
    record = COMPILER.records[id(run)]
    nested = {found.code.co_name: found for found in record.comprehensions.values()}
    assert set(nested) == {"walk", "leaf"} and all(len(found.versions) == 1 for found in nested.values())
    assert all(feedback.unreached(found.code) is None for found in nested.values()), "the interpreter has never run them"
    assert any(cell.code is nested["walk"].versions[0] for cell in record.versions[0].callees)
    told = jit.explain(run)
    assert not any(leaving.count for version in told.versions for leaving in version.exits)
    assert {inner.name.rpartition(".")[2]: inner.versions[0].types for inner in told.inner} == {"walk": ("int", "int", "cell", "cell"), "leaf": ("int", "int")}
    assert f"\n  {told.inner[0].name}: compiled\n    (int, int" in str(told)
