"""Named tuples and other subclasses of tuple: made, read by name and by index, unpacked, matched."""

import collections
import sys
from typing import NamedTuple

from compare import assert_stays_compiled, check, copies

Pair = collections.namedtuple("Pair", "a b")
One = collections.namedtuple("One", "a")
None_ = collections.namedtuple("None_", "")
Default = collections.namedtuple("Default", "a b c", defaults=(5, []))
Renamed = collections.namedtuple("Renamed", "a def a", rename=True)
Many = collections.namedtuple("Many", [f"f{number}" for number in range(40)])


class Typed(NamedTuple):
    a: float
    b: int = 7

    def total(self):
        return self.a + self.b

    def moved(self, other):
        return Typed(self.a + other.a, self.b + other[1])


class Slotless(Pair):
    """Has a dict."""


class Slotted(Pair):
    __slots__ = ()

    @property
    def b(self):
        return "own", self[1]


class Iterated(Pair):
    __slots__ = ()

    def __iter__(self):
        return iter((7, 8))

    def __getitem__(self, index):
        return "item", index

    def __len__(self):
        return 9


class Made(Pair):
    __slots__ = ()

    def __new__(cls, a, b):
        return super().__new__(cls, b, a)


class Initialised(Pair):
    def __init__(self, *arguments):
        self.given = arguments


class Watched(Pair):
    __slots__ = ()

    def __getattribute__(self, name):
        return name


class Mortal(Pair):
    def __del__(self):
        LOG.append(len(self))


class Meta(type):
    def __call__(cls, *arguments):
        return arguments


Called = Meta("Called", (Pair,), {})


class Plain(tuple):
    a = 5


LOG = []
KINDS = [Pair, Default, Renamed, Typed, Slotless, Slotted, Iterated, Made, Initialised, Watched, Called, Mortal]
VALUES = [0, 1, -1, True, 2**31, 2**62, 2**63, -2**63, 1.5, -0.0, float("nan"), None, "", "text", [1], object, Pair(1, 2)]
INSTANCES = [Pair(1, 2), Pair(1.5, "b"), Pair(None, [1]), Default(1, 2), Renamed(1, 2, 3), Typed(1.5), Slotless(1, 2), Slotted(1, 2), Iterated(1, 2), Made(1, 2), Initialised(1, 2), Watched(1, 2),
             tuple.__new__(Pair, (1,)), tuple.__new__(Pair, ()), tuple.__new__(Pair, (1, 2, 3)), (1, 2), [1, 2], Plain((1, 2)), One(1), None_(), 5, None, Many(*range(40))]


def same(calls):
    return calls


def test_made():
    def f(kind, a, b):
        return kind(a, b), kind(b=a, a=b), kind(a, b=b)

    for kind in KINDS:
        check(f, *((kind, a, b) for a, b in zip(VALUES, VALUES[::-1])), make=same)


def test_made_of_a_known_class():
    def f(a, b):
        return Pair(a, b), Pair(b=a, a=b), One(a), None_(), Default(a), Default(a, b), Default(a, c=b), Typed(a), Typed(a, b), Made(a, b), Slotted(a, b).b, Slotless(a, b)

    def g(a, b):
        return Pair(a)

    def h(a, b):
        return Pair(a, b, a)

    def i(a, b):
        return Pair(a, c=b)

    def j(a, b):
        return [Many(*range(40)).f39, Renamed(a, b, a)._1, Called(a, b), Initialised(a, b).given]

    for function in (f, g, h, i, j):
        check(function, *zip(VALUES, VALUES[::-1]), make=same)


def test_read():
    def names(item):
        return item.a, item.b

    def indexes(item):
        return item[0], item[1], item[-1], len(item)

    def unpacked(item):
        a, b = item
        return a, b

    def some(item):
        a, *b = item
        return a, b

    def matched(item):
        match item:
            case Pair(1, b=second):
                return "pair", second
            case Typed(a):
                return "typed", a
            case [a, b]:
                return a, b

    def stored(item):
        item.a = 1

    def called(item):
        return item.total(), item._replace(a=3), item._asdict(), item == (1, 2), hash(item), item + (1,), item[:1]

    for function in (names, indexes, unpacked, some, matched, stored, called):
        for item in INSTANCES:
            check(function, (item,), make=same)
        check(function, *((item,) for item in INSTANCES), make=same)
        check(function, *((item,) for item in INSTANCES[::-1]), make=same)


def test_classes_that_change():
    def f(kind, a, b):
        made = kind(a, b)
        first, second = made
        return made.a, made[0], first, second, len(made), made

    def steps(function):
        Own = collections.namedtuple("Own", "a b")
        yield [function(Own, number, "b") for number in range(30)]
        Own.a = property(lambda self: "property")
        yield [function(Own, number, "b") for number in range(3)]
        del Own.a
        try:
            yield function(Own, 1, 2)
        except AttributeError as error:
            yield str(error)
        Own.a = Pair.b
        yield [function(Own, number, "b") for number in range(3)]
        Own.__iter__ = lambda self: iter("xy")
        yield [function(Own, number, "b") for number in range(3)]
        Own.__getitem__ = lambda self, index: "item"
        Own.__len__ = lambda self: 77
        yield [function(Own, number, "b") for number in range(3)]
        Own.__new__.__defaults__ = (1, 2)
        yield [function(Own, number, "b") for number in range(3)]
        Own.__new__.__globals__["_tuple_new"] = lambda cls, items: tuple.__new__(cls, items[::-1])
        yield [tuple(function(Own, number, "b")) for number in range(3)]
        Own.__new__.__globals__["_tuple_new"] = tuple.__new__
        Own.__init__ = lambda self, *arguments: LOG.append(arguments)
        yield [tuple(function(Own, number, "b")) for number in range(3)]
        Own.__new__ = lambda cls, a, b: Pair(b, a)
        yield [tuple(function(Own, number, "b")) for number in range(3)]

    def described(items):
        return repr([tuple(item) if isinstance(item, tuple) else item for item in items])

    for _ in range(2):
        (plain,), (compiled,) = copies(f)
        found = []
        for function in (plain, compiled):
            LOG.clear()
            found.append([described(items) for items in steps(function)] + LOG[:])
        assert found[0] == found[1]


def test_references():
    def f(a, b):
        made = Pair(a, b)
        again = Pair(made.b, made.a)
        c, d = again
        return c is made[1], len(again)

    def g(pair):
        a, b = pair
        return pair.a is a, pair[1] is b

    _, compiled = copies(f, g)
    one, two = object(), []
    pair = Pair(one, two)
    watched = one, two, pair, Pair
    before = None
    for number in range(120):
        compiled[0](one, two)
        compiled[1](pair)
        if number == 40:
            before = [sys.getrefcount(item) for item in watched]
    assert before == [sys.getrefcount(item) for item in watched]


def test_deaths():
    """Items that die with their tuple, in the middle of compiled code."""
    class Loud:
        def __init__(self, log):
            self.log = log

        def __del__(self):
            frame = sys._getframe(1)
            self.log.append((frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno, sorted(frame.f_locals)))

    def f(log):
        pair = Pair(Loud(log), 1)
        log.append("made")
        pair = pair.b
        log.append("gone")
        for number in range(3):
            Pair(Loud(log), number)
        return log

    (plain,), (compiled,) = copies(f, namespace={"Loud": Loud})
    wanted = plain([])
    assert [compiled([]) for _ in range(6)] == 6 * [wanted]


def test_they_stay_compiled():
    def f(count):
        total, last = 0.0, Typed(0.0, 0)
        for number in range(count):
            a, b = last = last.moved(Typed(0.5, 1))
            total += last.a + last[1] + len(last) + a + b
        return total, last

    (plain,), (compiled,) = copies(f)
    for _ in range(30):
        assert compiled(50) == plain(50)
    assert_stays_compiled(compiled, lambda: compiled(500))
