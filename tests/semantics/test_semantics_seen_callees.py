"""Calls of functions and bound methods that are the values of variables: arguments, attributes, locals."""

import functools
import gc
import sys
import traceback
import weakref

import pytest
from compare import assert_stays_compiled, check, copies


def add(x, y=1):
    return x + y


def multiply(x, y=2):
    return x * y


def show(*things, **named):
    return things, named


def looks(x, y=0):
    frame = sys._getframe()
    return x, frame.f_code.co_name, frame.f_back.f_code.co_name, frame.f_back.f_lineno - frame.f_back.f_code.co_firstlineno


def fails(x, y=0):
    raise ValueError(x, y)


def yields(x, y=0):
    yield x
    yield y


class Adder:
    def __init__(self, start=0):
        self.start = start
        self.own = self.add
        self.plain = add

    def add(self, x, y=1):
        self.start += 1
        return self.start, x, y

    def __call__(self, x, y=1):
        return "called", x, y

    @classmethod
    def of_class(cls, x, y=1):
        return cls.__name__, x, y

    @staticmethod
    def static(x, y=1):
        return x, y

    def kill(self, x, y=1):
        self.own = None
        return self.start, x, y


def closure(number):
    def inner(x, y=1):
        return number, x, y
    return inner


def callees():
    adder = Adder()
    return [add, multiply, show, looks, fails, yields, adder.add, adder, Adder.add, Adder.of_class, Adder.static, closure(5), closure(6), functools.partial(add, 3), lambda x, y=1: (x, y), len, int, max,
            [].append, "text".join, Adder, None, 5, type("Derived", (Adder,), {})().add, functools.lru_cache(add), object()]


def plain(f, x):
    return f(x)


def two(f, x):
    return f(x, x)


def named(f, x):
    return f(x, y=x), f(x=1, y=x)


def loop(f, x):
    found = []
    for _ in range(3):
        found.append(f(x))
    return found


def numbers(f, x):
    total = 0
    for number in range(5):
        total += f(number)
    return total


def too_many(f, x):
    return f(x, x, x, x)


def none_at_all(f, x):
    return f()


FUNCTIONS = (plain, two, named, loop, numbers, too_many, none_at_all)
HELPERS = (add, multiply, show, looks, fails, closure)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_arguments(function):
    values = (1, True, 2**62, 1.5, "text", None)
    for number in range(len(callees())):
        check(function, *((number, value) for value in values), make=lambda calls: (callees()[calls[0]], calls[1]))
    check(function, *((number, value) for value in values for number in range(len(callees()))), make=lambda calls: (callees()[calls[0]], calls[1]), repeat=2)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_compiled_callees(function):
    for name in ("add", "multiply", "looks", "fails", "show"):
        sides = copies(function, *HELPERS)
        for value in (1, 2**62, 1.5, "text", None):
            results = []
            for side in sides:
                callee = side[0].__globals__[name]
                for _ in range(4):
                    try:
                        results.append(repr(side[0](callee, value)))
                    except Exception as problem:
                        results.append((repr(problem), [(step.name, step.lineno) for step in traceback.extract_tb(problem.__traceback__)]))
            assert results[:4] == results[4:]


def of_attributes(item, x):
    return item.own(x), item.plain(x), item.own(x, y=x), item.plain(y=x, x=1)


def of_locals(item, x):
    own, other, of_class, static = item.add, item.plain, item.of_class, item.static
    found = []
    for number in range(3):
        found += own(x), own(number, y=x), other(number), of_class(x), static(number, x)
    return found


def rebound(item, x):
    found = []
    for number in range(4):
        found.append(item.own(x))
        if number == 1:
            item.own = item.plain
        if number == 2:
            item.own = item.static
    return found


def killed(item, x):
    item.own = item.kill
    first = item.own(x)
    return first, item.own


@pytest.mark.parametrize("function", [of_attributes, of_locals, rebound, killed], ids=lambda function: function.__name__)
def test_methods(function):
    kinds = Adder, type("Derived", (Adder,), {"add": lambda self, x, y=5: ("derived", x, y)}), type("Computed", (Adder,), {"add": property(lambda self: show, lambda self, value: None)})
    for kind in kinds:
        check(function, *((kind, value) for value in (1, True, 2**62, 1.5, "text", None)), make=lambda calls: (calls[0](), calls[1]), repeat=4)
    check(function, *((kind, value) for kind in kinds for value in (1, None)), make=lambda calls: (calls[0](), calls[1]), repeat=8)


def test_methods_of_compiled_classes():
    def run(kind, count):
        item = kind(3)
        step, total = item.step, 0
        for number in range(count):
            total += step(number) + item.kept(number)
        return total, item.seen

    def __init__(self, start):
        self.start, self.seen, self.kept = start, 0, self.step

    def step(self, number):
        self.seen += 1
        return self.start * number

    results = []
    for side in copies(run, __init__, step):
        kind = type("Built", (), {"__init__": side[1], "step": side[2]})
        results.append([side[0](kind, 50) for _ in range(10)])
        kind.step = lambda self, number: number
        results[-1] += [side[0](kind, 50) for _ in range(10)]
    assert results[0] == results[1]


def test_code_and_defaults_that_change():
    def f(g, x):
        return [g(x) for _ in range(3)], g(x)

    found = []
    for side in copies(f, add, multiply):
        function, one, other = side
        seen = [function(one, 5) for _ in range(10)]
        one.__defaults__ = (10,)
        seen += [function(one, 5) for _ in range(10)]
        one.__code__ = other.__code__
        seen += [function(one, 5) for _ in range(10)]
        one.__defaults__ = None
        try:
            function(one, 5)
        except TypeError as problem:
            seen.append(str(problem))
        found.append(seen)
    assert found[0] == found[1]


def test_one_and_the_same_leaves_nothing():
    def f(g, item, count):
        total, method = 0, item.add
        for number in range(count):
            total += g(number) + len(item.own(number)) + len(method(number))
        return total

    (plain_one, *_), (fast, one, *_) = copies(f, add)
    item = Adder()
    for _ in range(10):
        assert fast(one, item, 20) == plain_one(add, Adder(), 20)
    assert_stays_compiled(fast, lambda: [fast(one, item, 20) for _ in range(30)])


def test_many_leave_once():
    def f(g, count):
        total = 0
        for number in range(count):
            total += g(number)
        return total

    (slow,), (fast,) = copies(f)
    several = [lambda x, step=step: x * step for step in range(10)]
    for g in several:
        assert fast(g, 20) == slow(g, 20)
    assert_stays_compiled(fast, lambda: [fast(g, 20) for g in several])


def test_nothing_lives_longer():
    def f(g, x):
        return g(x)

    class Held:
        pass

    _, (fast,) = copies(f)
    for _ in range(20):
        held = Held()
        seen = weakref.ref(held)
        function = (lambda held: lambda x: (x, held is None))(held)
        method = Adder().add
        owner = weakref.ref(method.__self__)
        method.__self__.__dict__.clear()
        method.__self__.start = 0
        for _ in range(3):
            assert fast(function, 1) == (1, False) and fast(method, 1)[1:] == (1, 1)
        del held, function, method
        assert seen() is None and owner() is None
    gc.collect()


def test_references():
    def f(item, g, x):
        own = item.add
        return own(x), item.own(x), g(x), item.plain(x)

    _, (fast, one) = copies(f, add)
    item, x, counts = Adder(), 12345.5, []
    for number in range(200):
        fast(item, one, x)
        if number in (60, 199):
            counts.append([sys.getrefcount(thing) for thing in (item, x, one, item.own, item.plain, Adder.add)])
    assert counts[0] == counts[1]


def test_the_only_holder_of_its_owner_goes_during_the_call():
    def run(holder, kind, count):
        found = []
        for number in range(count):
            holder.own = kind(holder, number).step
            found.append(holder.own(number))
            held = kind(holder, -number).step
            holder.own = held
            found.append(held(5))
            found.append(kind(holder, number).step(7))
        return found

    def __init__(self, holder, number):
        self.holder, self.number = holder, number

    def step(self, given):
        holder = self.holder
        holder.own = None
        holder.log.append(given)
        self.holder = None
        return self.number, given, self.__class__.__name__

    results = []
    for side in copies(run, __init__, step):
        gone, log = [], []
        kind = type("Owner", (), {"__init__": side[1], "step": side[2], "__del__": lambda self: gone.append((self.number, len(log)))})
        holder = type("Holder", (), {})()
        holder.log = log
        results.append(([side[0](holder, kind, 9) for _ in range(12)], gone, log))
    assert results[0] == results[1] and len(results[0][1]) == 12 * 9 * 3
