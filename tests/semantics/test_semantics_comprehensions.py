"""Comprehensions: values, exceptions and tracebacks, frames that others see, references, whatever their iterators and cells hold."""

import gc
import sys
import weakref

import jit
import pytest
from compare import check, copies

HOSTILE = [0, 1, -1, 2**31, -2**31, 2**62, -2**62, 2**63, -2**63, True, False, 1.5, -0.0, float("nan"), float("inf"), None, "", "x"]


class Odd(int):
    """An int that is none."""


class Loud:
    """Raises wherever it is asked."""

    def __add__(self, other):
        raise LookupError("loud")

    __radd__ = __mul__ = __rmul__ = __add__

    def __bool__(self):
        raise KeyError("loud truth")

    def __hash__(self):
        raise ValueError("loud hash")


def listed(xs):
    return [x + 1 for x in xs]


def filtered(xs, low):
    return [x for x in xs if x > low]


def closed(xs, k):
    return [x * k for x in xs if k]


def mapped(xs, k):
    return {x: (x, k) for x in xs}


def collected(xs):
    return {x for x in xs}


def nested(rows, k):
    return [[x + k for x in row] for row in rows]


def flat(rows):
    return [x for row in rows for x in row]


def counted(n, k):
    return [i * k for i in range(n)], {i: k for i in range(0, n, 2)}, {i % 3 for i in range(n)}


def paired(xs, ys):
    return [(i, x, y) for i, (x, y) in enumerate(zip(xs, ys))], [x for x in reversed(xs)]


def views(d):
    return [k for k in d], [v for v in d.values()], {v: k for k, v in d.items()}


def chosen(flag, a, b):
    return [x + x for x in (a if flag else b)]


def inside(xs):
    return [y for y in [x + 1 for x in xs] if y], [[z for z in [x, x]] for x in [y + 1 for y in xs]]


def rebinding(xs):
    k = 1
    first = [x + k for x in xs]
    k = "s"
    second = [k for x in xs]
    return first, second


def shadowing(x):
    return [x for x in x], x


def lambdas(xs):
    return [f() for f in [lambda: x for x in xs]]


def test_values():
    """Everything that Python's programs write, over values that are not what they were."""
    lists = [[], [1, 2, 3], [1.5, -0.0], [1, 2.5, True], [2**62, 2**63 - 1], [Odd(3), 4], ["a", 1], HOSTILE[:15], (1, 2), (), "abc",
             range(4), {1: 2}, {5}, 3, None, b"ab", bytearray(b"xy")]
    check(listed, *[(each,) for each in lists])
    check(filtered, ([1, 2, 3], 1), ([1.5, 2.5], 2), ([1, "a"], 0), ((4, 5), 4.5), (range(5), 3), ([None], 1), ([3], None))
    check(closed, ([1, 2], 3), ([1, 2], 2**62), ([1.5], 2), (["a"], 2), ([1], None), ([], Loud()), ([1], 0), ((2,), "x"))
    check(mapped, ([1, 2, 1], 3), (["a", "b"], 1.5), ([1.5, 2], None), ([[]], 1), ([(1, 2)], 1), (HOSTILE, 1))
    check(collected, ([1, 2, 1],), (["a", "b"],), ([1, True, 1.0],), ([[]],), ([(1,), (1,)],), (HOSTILE,), ("abca",))
    check(nested, ([[1], [2, 3]], 1), ([[1.5], []], 2), ([(1,), [2]], 3), ([[1], 2], 3), ([["a"]], "b"), ([[1]], "b"), ((), 0))
    check(flat, ([[1], [2, 3]],), (["ab", (1,)],), ([[1], 2],), ((),))
    check(counted, (5, 2), (0, 1), (3, "a"), (-1, 0), (2, 2**63), (True, 1), ("a", 1))
    check(paired, ([1, 2], [3.5, 4.5]), ("ab", (1, 2)), ([], []), ([1], 5))
    check(views, ({1: 2, 3: 4},), ({},), ({"a": []},), ({"a": 1.5},))
    check(chosen, (True, [1], [2.5]), (False, [1], [2.5]), (0, None, ["a"]), (1, None, ["a"]))
    check(inside, ([1, 2],), ([0, 2**63 - 1],), ([None],))
    check(rebinding, ([1, 2],), ([],), (["a"],))
    check(shadowing, ([1, 2],), ("ab",), (3,))
    check(lambdas, ([1, 2],), ([],))


def hashing(xs):
    return {x: 1 for x in xs}, {x for x in xs}


def truths(xs):
    return [1 for x in xs if x]


def test_objects_that_raise():
    """The traceback has the comprehension's line and name."""
    check(listed, ([1, 2],), ([1, Loud()],), make=lambda arguments: arguments)
    check(hashing, ([1, 2],), ([1, Loud()],), make=lambda arguments: arguments)
    check(truths, ([1, 2],), ([1, Loud()],), make=lambda arguments: arguments)


class Box:
    """Has an attribute and a method."""

    def __init__(self, value):
        self.value = value

    def more(self, by):
        return self.value + by

    def all_of(self, boxes):
        return [box.more(self.value) for box in boxes if box is not self], {box.value: self for box in boxes}


def boxed(values, extra):
    boxes = [Box(value) for value in values]
    first = boxes[0]
    made, known = first.all_of(boxes)
    return made, [key for key in known], [box.more(extra) for box in boxes], len([known.get(key) for key in known])


def test_methods_and_cells():
    """`self`, methods and dictionaries in cells."""
    check(boxed, ([1, 2, 3], 4), ([1.5, 2.5], 1), ([1, "a"], 2), ([2**63, 1], 1), ([], 1), (["a", "b"], "c"))


def frames_seen(xs):
    seen = []
    return [look(seen, x) for x in xs], seen


def look(seen, x):
    frame = sys._getframe(1)
    while frame.f_code.co_name != "frames_seen":
        shown = {key: value for key, value in frame.f_locals.items() if key in ("x", "seen")}
        seen.append((frame.f_code.co_name, frame.f_lineno - frame.f_back.f_code.co_firstlineno, len(shown)))
        frame = frame.f_back
    return x


def test_frames():
    """What is called from a comprehension sees its frame, and the function's below."""
    check(frames_seen, ([1, 2, 3],), ([],), ((1.5,),), helpers=(), namespace={"look": look})


KEPT = []


def keeper(xs):
    k = "local"
    return [keep(k, x) for x in xs]


def keep(k, x):
    KEPT.append(sys._getframe(1))
    return x


def test_frames_that_are_kept():
    """A frame object that lives on keeps the comprehension's variables; the rest of it is interpreted."""
    (plain,), (fast,) = copies(keeper, namespace={"keep": keep})
    for function in (plain, fast, fast, fast):
        KEPT.clear()
        assert function([1, 2, 3]) == [1, 2, 3]
        assert KEPT[0].f_code.co_name == ("<listcomp>" if sys.version_info < (3, 12) else "keeper")
        assert KEPT[0].f_locals.get("x") == (3 if sys.version_info < (3, 12) else None)
        assert KEPT[-1] is KEPT[0]


class Stubborn:
    """An iterator that raises after some items, or whose items change what is iterated over."""

    def __init__(self, items, target=None):
        self.items = list(items)
        self.target = target

    def __iter__(self):
        return self

    def __next__(self):
        if not self.items:
            raise StopIteration
        item = self.items.pop(0)
        if item is None:
            raise RuntimeError("no more")
        return item


def growing(xs, limit):
    return [xs.append(x) for x in xs if len(xs) < limit], xs


def shrinking(xs):
    return [xs.pop() for x in xs], xs


def iterated(make):
    return [x + 1 for x in make()], {x: 1 for x in make()}


def test_iterators():
    """Iterables that change under the loop, and iterators of Python's own and others' making."""
    check(growing, ([1, 2], 6), ([], 3), ([1.5], 2))
    check(shrinking, ([1, 2, 3, 4],), ([],))
    check(iterated, (lambda: Stubborn([1, 2]),), (lambda: Stubborn([1, None]),), (lambda: [1, 2],), (lambda: (i for i in (1, 2)),),
          (lambda: 5,), make=lambda arguments: arguments)


def drained(xs, more):
    it = iter(xs)
    first = [x for x in it]
    xs.append(more)
    return first, [x for x in it], list(it)


def taken_from(xs):
    it = iter(xs)
    return [(x, next(it, None)) for x in it], [x for x in it]


def counted_twice(xs):
    it = enumerate(xs)
    return [i for i, x in it if i < 2], [x for i, x in it], any(x for x in iter(it)), tuple(i for i in it)


def test_iterators_that_others_know():
    """What has come to its end stays there, though the list grows; what others take is not seen again."""
    check(drained, ([1, 2], 3), ([], 1), ([1.5], "a"))
    check(taken_from, ([1, 2, 3],), ([],), ((1, 2),), (range(5),))
    check(counted_twice, ([1, 2, 3],), ([],), ((1, 2),), ("ab",))


def test_types_that_change():
    """A comprehension that was compiled for ints meets other things, at any turn."""
    side = copies(listed, nested)
    for (plain, rows), (fast, fast_rows) in [(side[0], side[1])]:
        for _ in range(40):
            assert fast([1, 2, 3]) == [2, 3, 4]
        for item in HOSTILE[:15]:
            for place in range(4):
                given = [1, 2, 3]
                given.insert(place, item)
                wanted, got = [], []
                for function, into in ((plain, wanted), (fast, got)):
                    try:
                        into.append(repr(function(given)))
                    except TypeError as problem:
                        into.append(str(problem))
                assert got == wanted


def test_references():
    """Nothing is held longer than the interpreter holds it, and nothing is freed twice."""
    (plain,), (fast,) = copies(closed)
    token = object()

    class Multiplies:
        def __rmul__(self, other):
            return token

    k = Multiplies()
    for function in (plain, fast):
        function([1, 2], k)
    before = sys.getrefcount(token), sys.getrefcount(k)
    for _ in range(50):
        fast([1, 2], k)
    assert (sys.getrefcount(token), sys.getrefcount(k)) == before
    items = [token] * 3
    (plain,), (fast,) = copies(chosen)
    for _ in range(20):
        with pytest.raises(TypeError):
            fast(True, items, None)
    assert sys.getrefcount(token) == before[0] + 3


def dying(xs, log):
    return [log.append(len(xs)) or Dies(log) for x in xs] and len(log)


class Dies:
    """Tells when it dies, and where it stood."""

    def __init__(self, log):
        self.log = log

    def __del__(self):
        self.log.append("died")


def test_finalisers():
    """Results that die at once do so at the same time."""
    check(dying, ([1, 2], []), ([], []))


def test_functions_die():
    """A function whose comprehension was compiled is freed with its namespace."""
    namespace = {}
    exec("def f(xs, k):\n    return [x + k for x in xs]", namespace)
    function = jit.jit(namespace["f"])
    for _ in range(5):
        assert function([1], 2) == [3]
    gone = weakref.ref(function)
    del function
    namespace.clear()
    gc.collect()
    assert gone() is None


def test_recursion():
    """A comprehension counts as the level that it is."""
    def depth(n):
        return [depth(n - 1) for _ in (1,)] if n else []

    check(depth, (3,), (0,))
    (plain,), (fast,) = copies(depth)
    for function in (plain, fast):
        with pytest.raises(RecursionError):
            function(10**6)


def test_traced():
    """Under a trace function all of it is shown."""
    (plain,), (fast,) = copies(nested)
    fast([[1]], 2), fast([[1]], 2)
    shown = []
    for function in (plain, fast):
        events = []
        sys.settrace(lambda frame, event, argument: events.append((frame.f_code.co_name, event)))
        try:
            function([[1, 2], [3]], 4)
        finally:
            sys.settrace(None)
        shown.append(events)
    assert shown[0] == shown[1]
