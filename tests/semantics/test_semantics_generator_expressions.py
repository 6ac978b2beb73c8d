"""Generator expressions that a builtin takes to its end: as the interpreter does it, wherever it is left."""

import gc
import itertools
import sys
import traceback
import types

import jit
import pytest
from compare import check, copies

HOSTILE = [0, 1, -1, 2**31, 2**62, -2**62, 2**63, -2**63, True, False, 1.5, -0.0, float("nan"), float("inf"), None, "", "x", (), (1,), [], {}]


class Loud:
    """Tells who asks, by raising."""

    def __init__(self, log=None):
        self.log = log

    def asked(self, *_):
        frame, names = sys._getframe(1), []
        while frame.f_code.co_name not in ("outcome", "where"):
            names.append(frame.f_code.co_name)
            frame = frame.f_back
        raise KeyError(*names)

    __bool__ = __hash__ = __lt__ = __gt__ = __add__ = __eq__ = asked


def some(xs, k):
    return any(x > k for x in xs)


def every(xs, k):
    return all(x > k for x in xs)


def truths(xs):
    return any(x for x in xs), all(x for x in xs)


def gathered(xs, k):
    return tuple(x * k for x in xs), list(x for x in xs if k), tuple(k for _ in xs)


def ordered(xs):
    return sorted(x for x in xs), sorted(x for x in xs if x)


def keyed(xs):
    return set(x for x in xs), frozenset(x for x in xs)


def joined(xs):
    return ", ".join(str(x) for x in xs), "".join(x for x in xs)


def nested(rows, k):
    return tuple(x + k for row in rows for x in row if x), any(any(x == k for x in row) for row in rows)


def unpacked(pairs):
    return set(a + i for i, (a, b) in enumerate(pairs) if b), all(a for a, b in pairs)


def test_values():
    """Values of all kinds, where they are not what they were."""
    lists = [[], [1, 2, 3], [0, 3], [1.5, -0.0], [1, 2.5, True], [2**62, 2**63], ["a"], ["a", 1], [None, 1], (1, 2), "abc", range(4), {1: 2}, 5, None]
    check(some, *[(xs, 1) for xs in lists], ([1], "a"), ([], None))
    check(every, *[(xs, 1) for xs in lists], ([3, 4], 2), ([1], "a"))
    check(truths, *[(xs,) for xs in lists], ([[]],), ([[], 1],), ([[0], {}],), (HOSTILE,), ([float("nan")],))
    check(gathered, *[(xs, 2) for xs in lists], ([1], 2**63), ([1.5], None), ([2**62], 3))
    check(ordered, *[(xs,) for xs in lists], ([3, 1, 2],), ([1, "a"],), (["b", "a"],))
    check(keyed, *[(xs,) for xs in lists], ([[]],), ([1, []],), ([(1,), (1,)],), ([1, True, 1.0, 2],), (HOSTILE[:19],), (list("hello"),))
    check(joined, *[(xs,) for xs in lists], (["a", "b"],), (["a", None],))
    check(nested, ([[1], [2, 0]], 1), ([[1], 2], 1), ([], 0), ([[], []], 0), ([["a"]], "a"), ([[1.5]], 2**63), (["ab"], "a"))
    check(unpacked, ([(1, 2), (3, 0)],), ([],), ([(1, 2, 3)],), ([(1.5, 1)],), ([("a", 1)],), ([1],), ([(0, 1)],))


def test_objects_that_raise():
    """Truth, hash and comparison are asked for by the function, not in the generator's frame; tracebacks and positions are the same."""
    loud = Loud()
    for function, more in ((some, (1,)), (every, (1,)), (truths, ()), (gathered, (1,)), (ordered, ()), (keyed, ()), (joined, ())):
        (plain,), (fast,) = copies(function)
        for given in ([1, 2], [1, loud], [loud], [0, 1, loud, 2], [2, 3, loud], ["a", loud], [loud, loud], [3, 3, 3]) * 3:
            assert where(plain, given, *more) == where(fast, given, *more), (function, given)


def where(function, *arguments):
    try:
        return repr(function(*arguments))
    except Exception as error:
        steps = traceback.extract_tb(error.__traceback__)[1:]
        return repr(error), [(step.name, step.lineno, step.colno, step.end_colno) for step in steps]


def stopping(xs, ends):
    return tuple(next(ends) for x in xs), any(next(ends) for x in xs)


def test_stop_iteration():
    """A StopIteration in a generator is a RuntimeError outside."""
    check(stopping, ([1], iter([1])), make=lambda arguments: (arguments[0], iter([1])))
    check(stopping, ([1, 2, 3], None), ([], None), make=lambda arguments: (arguments[0], iter([1])))
    check(stopping, ([1], None), make=lambda arguments: (arguments[0], iter([1, 0])))


def shortened(xs, log):
    return any(log.append(x) or x for x in xs), all(log.append(x) or x for x in xs), log


def test_the_end_is_not_passed():
    """What lies behind the item that decides is not asked for."""
    check(shortened, ([0, 1, 2], []), ([1, 0, 2], []), ([], []), ([None, "", "a", 3], []), ([2, [], 3], []))
    for function in [each for side in copies(some) for each in side] * 2:
        source = iter([1, 5, 7, 9])
        assert function(source, 4)
        assert list(source) == [7, 9]


def watching(xs, seen):
    return any(look(seen, x) for x in xs), tuple(look(seen, x) for x in xs), set(look(seen, x) for x in xs), seen


def look(seen, x):
    frame = sys._getframe(1)
    while frame.f_code.co_name != "watching":
        seen.append((frame.f_code.co_name, frame.f_lineno - frame.f_back.f_code.co_firstlineno, sorted(frame.f_locals)[-2:]))
        frame = frame.f_back
    seen.append(frame.f_lineno - frame.f_code.co_firstlineno)
    return x


def test_frames():
    """What is called from the generator sees its frame and the function's below, at the builtin's call."""
    check(watching, ([0, 1, 2], []), ([], []), ((1.5,), []), (["a", 0], []), namespace={"look": look})


KEPT = []


def keeper(xs):
    k = "local"
    return tuple(keep(k, x) for x in xs), any(keep(k, x) for x in xs)


def keep(k, x):
    KEPT.append(sys._getframe(1))
    return x


def test_frames_that_are_kept():
    """A frame object that lives on."""
    (plain,), (fast,) = copies(keeper, namespace={"keep": keep})
    for function in (plain, fast, fast, fast):
        KEPT.clear()
        assert function([0, 1, 2]) == ((0, 1, 2), True)
        assert [frame.f_code.co_name for frame in KEPT] == ["<genexpr>"] * 5
        assert KEPT[0].f_back is None or KEPT[0].f_back.f_code.co_name == "keeper"


def test_left_at_any_item():
    """Wherever the types change, the rest comes from a generator that stands there."""
    functions = [(some, (10**9,)), (every, (-1,)), (gathered, (2,)), (keyed, ()), (joined, ())]
    for function, more in functions:
        (plain,), (fast,) = copies(function)
        for _ in range(40):
            where(fast, [1, 2, 3], *more)
        for item in HOSTILE:
            for place in range(4):
                given = [1, 2, 3]
                given.insert(place, item)
                assert where(plain, given, *more) == where(fast, given, *more), (function, given)


def test_many_keys():
    """More keys than are collected at once; the set is filled in the same order."""
    (plain,), (fast,) = copies(keyed)
    many = [i * 7919 % 100003 for i in range(10000)]
    for _ in range(3):
        assert [list(each) for each in fast(many)] == [list(each) for each in plain(many)]


def test_references():
    """Nothing is held longer than the interpreter holds it."""
    token = object()
    for function, arguments in ((truths, ([0, token, None],)), (gathered, ([(token,)], 1)), (keyed, ([1, token],)), (joined, ([token, 1],))):
        (plain,), (fast,) = copies(function)
        for each in (plain, fast):
            where(each, *arguments)
        before = sys.getrefcount(token)
        for _ in range(60):
            where(fast, *arguments)
        assert sys.getrefcount(token) == before, function


def test_generators_are_collected():
    """A generator that was made in the middle of its run, and dropped there, leaves nothing behind."""
    (plain,), (fast,) = copies(some)
    counts = []
    for _ in range(6):
        for _ in range(100):
            with pytest.raises(TypeError):
                fast([0, "a", 3], 1)
        gc.collect()
        # By identity: other tests leave classes that cannot be compared.
        kinds = types.GeneratorType, itertools.chain, types.FunctionType
        counts.append(sum(any(type(each) is kind for kind in kinds) for each in gc.get_objects()))
    assert counts[-1] <= counts[-2] + 20


def shadowed(xs, any):
    return any(x for x in xs)


def keywords(xs):
    return sorted((x for x in xs), reverse=True), any(*[(x for x in xs)]), list(zip(x for x in xs))


def kept_generator(xs):
    g = (x + 1 for x in xs)
    return next(g), list(g), type(g).__name__, g.gi_code.co_name


def test_other_uses():
    """Names that mean something else, and generators that live on."""
    check(shadowed, ([1, 2], list), ([1, 2], any), ([1], type), make=lambda arguments: arguments, namespace={})
    check(keywords, ([1, 3, 2],), ([],))
    check(kept_generator, ([1, 2],), ([2**63],), (["a"],), ([],))


def test_rebound():
    """Somebody puts another function in the place of the builtin."""
    namespace = {}
    exec("def f(xs):\n    return any(x > 1 for x in xs), tuple(x for x in xs)", namespace)
    fast = jit.jit(namespace["f"])
    for _ in range(5):
        assert fast([1, 2]) == (True, (1, 2))
    namespace["any"] = lambda generator: [type(generator), *generator]
    assert fast([1, 2]) == ([types.GeneratorType, False, True], (1, 2))
    del namespace["any"]
    assert fast([1, 2]) == (True, (1, 2))


def deep(n):
    return any(deep(n - 1) for _ in (1,)) if n else True


def test_recursion():
    """A generator counts as the level that it is."""
    check(deep, (3,), (0,))
    (plain,), (fast,) = copies(deep)
    for function in (plain, fast):
        with pytest.raises(RecursionError):
            function(10**6)


def test_endless():
    """An endless source is no obstacle where an item decides."""
    (plain,), (fast,) = copies(some)
    for function in (plain, fast, fast, fast):
        assert function(itertools.count(), 1000)


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


def squares(n):
    return sum(i * i for i in range(n))


def numbers(items):
    return sum(x for x in items)


def several(items):
    return sum(x * 0.5 for x in items if x), sum(1 for x in items if x > 2), sum((x for x in items), 10)


class Odd(int):
    def __radd__(self, other):
        LOG.append(other)
        return 5


LOG = []


@pytest.mark.parametrize("function, arguments", [
    (squares, [0, 1, 5, 100, 4095, 4096, 4097, 20000]),
    (numbers, [[], [1, 2, 3], [1.5, 2], [True, 2], [2**70, 1], list(range(6000)), [1, "a"], [None], [[1]], [float("nan"), 1], [1e308, 1e308, -1e308],
               [0.1] * 10, [1, Odd(2)], ["a"], 5, [2**62] * 5, [1, 2.5] * 3000]),
    (several, [[1, 2, 3], [1.5, 2.5], [0.0, -0.0], [2**62, 2**62], [1, None], list(range(5000)), [3, "a"]]),
], ids=lambda item: getattr(item, "__name__", ""))
def test_sums(function, arguments):
    from compare import copies, outcome
    for first in range(len(arguments)):
        (plain,), (fast,) = copies(function)
        for argument in (arguments[first], arguments[first], *arguments):
            logs = []
            for side in (plain, fast):
                LOG.clear()
                logs.append((repr(outcome(side, (argument,)))[:300], list(LOG)))
            assert logs[0] == logs[1], argument


def collected(rows, k):
    return (tuple(tuple(x for x in row) for row in rows), set(len(set(x + k for x in row)) for row in rows),
            sum(sum(x for x in row) for row in rows), frozenset(str(x) for row in rows for x in row))


def test_lists_that_are_used_again():
    """Many at a time, larger ones than are kept, equal keys, and what is left in the middle."""
    rows = [[[1, 2, 3]], [[1, 1], [2, 2, 1 << 40]], [list(range(2000))] * 3, [[]], [], [[-1, -2, -1]], [list(range(-300, 300))], [[0.5, 1, True]],
            [[1], [None]], [[1, 2], [1, "a"]], [[1 << 62, 1 << 70]], [[1, -1, 1 << 61, (1 << 61) - 1, -(1 << 61)]]]
    check(collected, *[(each, k) for k in (0, 3, -1, 1 << 62) for each in rows])


def ordered_sets(items):
    found = set(x for x in items)
    return list(found), found, sys.getsizeof(found)


def test_order_of_sets():
    """It shows in which order items were put in, and when there was made room."""
    texts = [f"text {i}" for i in range(200)]
    for count in (*range(12), 19, 20, 21, 77, 200):
        check(ordered_sets, (texts[:count],), ([i * 8 for i in range(count)],), ([-i for i in range(count)],), ([i << 28 for i in range(count)],),
              ([x for i in range(count) for x in (i, str(i), float(i), i + 0.5)],))


class Hiding:
    """Keeps all lists that refer to it, in the middle of a generator's run."""

    def __init__(self, kept):
        self.kept = kept

    def __index__(self):
        self.kept.extend(item for item in gc.get_referrers(self) if type(item) is list and item is not self.kept)
        return 1


def kept_and_used(things):
    return tuple(x.__index__() and x for x in things), list(x.__index__() and x for x in things)


def test_nobody_finds_the_lists():
    """A program that looks for what refers to its objects finds what it finds in the interpreter."""
    outcomes = []
    for function in [each for side in copies(kept_and_used) for each in side]:
        lists = []
        for _ in range(20):
            kept = []
            thing = Hiding(kept)
            result = function([thing, thing])
            gc.collect()
            lists.append((len(kept), [len(each) for each in kept], sys.getrefcount(thing), result == ((thing, thing), [thing, thing])))
            del kept[:]
        outcomes.append(lists)
    assert outcomes[0] == outcomes[1]


def test_lists_that_are_used_again_leave_nothing_behind():
    (_,), (fast,) = copies(collected)
    for _ in range(50):
        fast([[1, 2], list(range(300))], 1)
    item = [object()]
    before = sys.getrefcount(item[0]), sys.getrefcount(1000000)
    for _ in range(200):
        with pytest.raises(TypeError):
            fast([item, [1]], 1)
        fast([[1000000] * 9], 0)
    assert (sys.getrefcount(item[0]), sys.getrefcount(1000000)) == before


def counted(things, seen):
    return (sum(seen(x) for x in things), set(seen(x) for x in things), tuple(seen(x) and x for x in things), list(seen(x) or x for x in things),
            any(seen(x) for x in things), all(seen(x) for x in things))


class Number(int):
    """Its sum, hash and truth are asked for by the builtin."""

    log = []

    def __add__(self, other):
        self.log.append(sys.getrefcount(self))
        return int(self) + other

    __radd__ = __add__

    def __hash__(self):
        self.log.append(sys.getrefcount(self))
        return 1

    def __bool__(self):
        self.log.append(sys.getrefcount(self))
        return True

    def __del__(self):
        self.log.append(int(self))


def test_items_die_as_they_are_used():
    """Wherever a body leaves: what goes on after it holds nothing that it has handed out."""
    outcomes = []
    for function in [each for side in copies(counted) for each in side]:
        logs = []
        for kind in (int, Number, int, Number, Number):
            for _ in range(6):
                result = function([3, 1, 2], lambda x: kind(x + 1000))
                logs.append((repr(result), Number.log[:]))
                del result
                Number.log.clear()
        outcomes.append(logs)
    assert outcomes[0] == outcomes[1]
