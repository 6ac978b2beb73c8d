"""Keyword-only parameters, *args, **kwargs, and more parameters than there are registers of one kind: every way to call them."""

import functools
import gc
import itertools
import sys
import threading

import pytest

import jit
from compare import copies, describe, outcome
from jit.dispatch import COMPILER
from jit.machine.records import read_version

SIGNATURES = {
    "kwonly": "a, b=2, *, c, d=4",
    "kwonly only": "*, a=1, b",
    "args": "*args",
    "kwargs": "**kwargs",
    "both": "*args, **kwargs",
    "after args": "a, *args, x=1, **kwargs",
    "positional only": "a, b=5, /, c=7, *, d=8, **kwargs",
    "posonly and args": "a, /, *args, a2=3",
    "twelve": "a, b, c, d, e, f, g, h, i=9, j=10, k=11, l=12",
    "twelve kwonly": "a, b, c, d, e, f, *, g, h, i=9, j=10, k=11, l=12",
    "fourteen": "a, b, c, d, e, f, g, h, i, j, k, l, m, n",
    "fifteen": "a, b, c, d, e, f, g, h, i, j, k, l, m, n, o=15",
    "seventeen": "a=1, b=2, c=3, d=4, e=5, f=6, g=7, h=8, i=9, j=10, k=11, l=12, m=13, n=14, o=15, p=16, q=17",
    "many and all": "a=1, b=2, c=3, d=4, e=5, *args, f=6, g=7, h=8, i=9, **kwargs",
}
VALUES = [1, 2.5, "text", None, True, 2**70, (1, 2), [3], float("nan"), -0.0, object]


class Text(str):
    pass


def names_of(signature):
    return [part.strip("* ").partition("=")[0] for part in signature.split(",") if part.strip() not in ("*", "/")]


def make(signature):
    """A function that gives back its parameters, and a plain copy."""
    space = {}
    exec(f"def f({signature}):\n    return {', '.join(names_of(signature))},", space)
    (plain,), (compiled,) = copies(space["f"])
    for function in (plain, compiled):
        function.__kwdefaults__ = space["f"].__kwdefaults__ and dict(space["f"].__kwdefaults__)
    return plain, compiled


def calls(signature):
    """(positional arguments, keyword arguments) of calls, right and wrong."""
    names = names_of(signature)
    for number in range(len(names) + 3):
        values = [VALUES[(number + place) % len(VALUES)] for place in range(number)]
        yield values, {}
        for chosen in (names[-1:], names[:1], names[number:], names[number:number + 2], ["zz"], names[number:] + ["zz", "yy"], [Text("zz")], [Text(names[-1])]):
            yield values, {name: VALUES[(place + number) % len(VALUES)] for place, name in enumerate(chosen)}
    parts = "".join(["z", "z"])
    yield [1], {parts: 1, "".join([names[-1][0], names[-1][1:]]): 2}


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
def test_every_way_to_call(signature):
    plain, compiled = make(signature)
    for _ in range(2):
        for positional, keywords in calls(signature):
            assert outcome(compiled, positional, keywords) == outcome(plain, positional, keywords)


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
def test_numbers_in_all_places(signature):
    """Unboxed arguments in registers of both kinds."""
    names = [name for name in names_of(signature) if name not in ("args", "kwargs")]
    if not names:
        return
    space = {}
    exec(f"def f({signature}):\n    return {' + '.join(names)}, {', '.join(names)}", space)
    (plain,), (compiled,) = copies(space["f"])
    plain.__kwdefaults__ = compiled.__kwdefaults__ = space["f"].__kwdefaults__
    positional_only = signature.split("/")[0].count(",") if "/" in signature else 0
    for numbers in ([1] * len(names), [0.5] * len(names), [place if place % 2 else place + 0.5 for place in range(len(names))], [2**62] * len(names), [True] * len(names),
                    ["s"] * len(names)):
        for _ in range(3):
            positional, keywords = numbers[:positional_only], dict(zip(names[positional_only:], numbers[positional_only:]))
            assert outcome(compiled, positional, keywords) == outcome(plain, positional, keywords)


def test_defaults_that_change():
    plain, compiled = make("a, b=2, *, c=3, d=4")
    steps = [lambda f: None, lambda f: f.__kwdefaults__.update(c="changed"), lambda f: f.__kwdefaults__.pop("d"), lambda f: setattr(f, "__kwdefaults__", None),
             lambda f: setattr(f, "__kwdefaults__", {"c": 1, "d": 2}), lambda f: setattr(f, "__defaults__", None), lambda f: setattr(f, "__defaults__", (7, 8)),
             lambda f: f.__kwdefaults__.update({Text("d"): 5}), lambda f: setattr(f, "__kwdefaults__", type("Sub", (dict,), {})(c=8, d=9))]
    for step in steps:
        for function in (plain, compiled):
            step(function)
        for positional, keywords in [((), {}), ((1,), {}), ((1, 2), {"c": 5}), ((1,), {"d": 6})]:
            for _ in range(3):
                assert outcome(compiled, positional, keywords) == outcome(plain, positional, keywords)


def test_callers_that_are_compiled():
    def inner(a, *, b=2, c=3):
        return a, b, c

    def rest(*args, k=1, **kwargs):
        return args, k, kwargs

    def outer(n):
        found = []
        for i in range(n):
            found.append((inner(i), inner(i, b=i + 0.5), inner(a=i, c="c"), rest(i, n), rest(i, z=i), rest(k=i), rest(*found[:2], **{"q": i})))
        return found
    (plain, own_inner, own_rest), (fast, fast_inner, fast_rest) = copies(outer, inner, rest)
    own_inner.__kwdefaults__, fast_inner.__kwdefaults__ = {"b": 2, "c": 3}, {"b": 2, "c": 3}
    for change in range(4):
        assert describe(fast(4)) == describe(plain(4))
        for function in (own_inner, fast_inner):
            if change == 0:
                function.__kwdefaults__["b"] = "other"
            elif change == 1:
                del function.__kwdefaults__["c"]
                function.__kwdefaults__["c"] = "again"
            else:
                function.__kwdefaults__ = {"b": change, "c": None}
    for function in (own_inner, fast_inner):
        del function.__kwdefaults__["c"]
    assert outcome(fast, (3,)) == outcome(plain, (3,))


def test_exceptions_and_tracebacks():
    def f(*args, key=None, **more):
        total = 0
        for item in args:
            total += item / key
        return total + more["missing"]
    (plain,), (compiled,) = copies(f)
    for positional, keywords in [((1, 2), {"key": 2}), ((1,), {"key": 0}), ((1,), {}), ((1, "x"), {"key": 1}), ((), {"missing": 3}), ((1,), {"key": 1, "missing": 1.5})]:
        for _ in range(3):
            assert outcome(compiled, positional, keywords) == outcome(plain, positional, keywords)


def test_frames_show_the_parameters():
    seen = []

    def look():
        frame = sys._getframe(1)
        seen.append((frame.f_code.co_name, sorted(frame.f_locals.items(), key=repr)))

    def f(a, *args, x=1, **kwargs):
        look()
        args = args[1:]
        kwargs["more"] = x
        look()
        return locals()
    (plain,), (compiled,) = copies(f, namespace={"look": look})
    plain.__kwdefaults__ = compiled.__kwdefaults__ = {"x": 1}
    for chosen in (plain, compiled):
        for _ in range(3):
            chosen(1, 2, 3, y=4)
            chosen(1, x=5)
    half = len(seen) // 2
    assert seen[:half] == seen[half:] and half == 12


def test_the_dictionary_and_the_tuple_are_the_callees_own():
    def f(*args, **kwargs):
        kwargs["new"] = 1
        kwargs.pop("old", None)
        return args, kwargs
    _, (compiled,) = copies(f)
    given, values = {"old": 1, "kept": 2}, (1, 2)
    for _ in range(5):
        assert compiled(*values, **given) == ((1, 2), {"kept": 2, "new": 1}) and given == {"old": 1, "kept": 2}
    first, second = compiled(1), compiled(1)
    assert first[1] is not second[1] and gc.is_tracked(compiled(object())[0])


def test_references():
    def f(a, *args, k, d=DEFAULT, **kwargs):
        return len(args) + len(kwargs)
    (_,), (compiled,) = copies(f, namespace={"DEFAULT": DEFAULT})
    compiled.__kwdefaults__ = {"d": DEFAULT}
    items = [object() for _ in range(4)]

    def run():
        for _ in range(40):
            assert compiled(items[0], items[1], k=items[2], z=items[3]) == 2
            assert compiled(items[0], k=items[2], d=items[3]) == 0
            for wrong in (lambda: compiled(items[0]), lambda: compiled(items[0], items[1], a=1, k=2)):
                with pytest.raises(TypeError):
                    wrong()
    run()
    gc.collect()
    before = [sys.getrefcount(item) for item in (*items, DEFAULT, compiled)]
    run()
    gc.collect()
    assert [sys.getrefcount(item) for item in (*items, DEFAULT, compiled)] == before


class Default:
    pass


DEFAULT = Default()


def test_a_default_dies_during_the_call():
    """The function's default is taken away while it runs: the parameter keeps it alive."""
    def f(*, d=None):
        take_away()
        gc.collect()
        return d.name
    space = {}
    (plain,), (compiled,) = copies(f, namespace=space)
    for chosen in (plain, compiled):
        for _ in range(4):
            thing = Default()
            thing.name = "alive"
            chosen.__kwdefaults__ = {"d": thing}
            del thing
            chosen.__globals__["take_away"] = lambda: chosen.__kwdefaults__.clear()
            assert chosen() == "alive"


def test_a_function_that_goes_while_it_runs():
    space = {"gc": gc}
    exec("def f(*args, k=1):\n    global f\n    del f\n    gc.collect()\n    return args, k\ndef g(a, b=2):\n    global g\n    del g\n    gc.collect()\n    return a, b", space)
    sources = {name: space[name] for name in "fg"}
    for _ in range(20):
        for name, function in sources.items():
            made = type(function)(function.__code__, space, name, function.__defaults__)
            made.__kwdefaults__ = function.__kwdefaults__
            space[name] = jit.jit(made)
            del made
            result = eval("f(1, 2)" if name == "f" else "g(a=1)", space)
            assert result == (((1, 2), 1) if name == "f" else (1, 2))


def test_classes_and_methods():
    space = {}
    exec("""
class Point:
    def __init__(self, x, *, y=0, **more):
        self.x, self.y, self.more = x, y, more
    def moved(self, *deltas, scale=1):
        for delta in deltas:
            self.x += delta * scale
        return self
    @classmethod
    def make(cls, *args, **kwargs):
        return cls(*args, **kwargs)
    @staticmethod
    def many(*items):
        return items
class Derived(Point):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
def run(n):
    found = []
    for i in range(n):
        p = Point(i, y=i + 1)
        q = Derived(i, y=2.5, z=i)
        found.append((p.moved(1, 2, scale=i).x, q.moved().x, Point.make(i, y=3).y, p.many(i, n), q.more, Point(i).y))
    return found
""", space)
    wanted = space["run"](5)
    for name in ("__init__", "moved"):
        jit.jit(vars(space["Point"])[name])
    for item in (vars(space["Point"])["make"].__func__, vars(space["Point"])["many"].__func__, vars(space["Derived"])["__init__"], space["run"]):
        jit.jit(item)
    for _ in range(4):
        assert space["run"](5) == wanted


def test_called_from_c():
    def key(*args, sign=-1):
        return sign * args[0]

    def total(*args):
        return sum(args)
    (plain_key, plain_total), (fast_key, fast_total) = copies(key, total)
    plain_key.__kwdefaults__ = fast_key.__kwdefaults__ = {"sign": -1}
    for _ in range(3):
        for key_function, total_function in ((plain_key, plain_total), (fast_key, fast_total)):
            assert sorted(range(5), key=key_function) == [4, 3, 2, 1, 0]
            assert list(map(total_function, range(3), range(3), range(3))) == [0, 3, 6]
            assert list(itertools.starmap(total_function, [(1, 2), ()])) == [3, 0]
            assert functools.partial(key_function, sign=2)(4) == 8 and functools.reduce(total_function, range(5)) == 10


def test_recursion_and_threads():
    def walk(*path, depth=0, **more):
        if depth > 5:
            return len(path) + len(more)
        return walk(*path, depth, depth=depth + 1, **more) + walk(depth=depth + 1, a=1, **{"b": 2})

    def deep(*args, n=0):
        return deep(*args, n=n + 1)
    (plain, plain_deep), (fast, fast_deep) = copies(walk, deep)
    for function in (plain, fast):
        function.__kwdefaults__ = {"depth": 0}
    for function in (plain_deep, fast_deep):
        function.__kwdefaults__ = {"n": 0}
    wanted = plain(1, x=2)
    results = []
    threads = [threading.Thread(target=lambda: results.extend(fast(1, x=2) for _ in range(5))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [wanted] * 20
    for chosen in (plain_deep, fast_deep):
        with pytest.raises(RecursionError):
            chosen(1, 2)


@pytest.mark.parametrize("signature", ["*, c=1", "*args", "**kwargs", "a, b, c, d, e, f, g, h"])
def test_they_are_compiled(signature):
    _, compiled = make(signature)
    arguments = range(8) if "h" in signature else ()
    for _ in range(3):
        compiled(*arguments)
    record = COMPILER.records[id(compiled)]
    assert record.reason is None and len(record.versions) == 1 and not record.refused


@pytest.mark.parametrize("signature", ["first, second=2, *, third", "third, first=1", "first, *more, third=5", "aa, bb, cc, dd=1, *rest, ee, ff=7"])
def test_names_that_are_not_interned_enter_compiled_code(signature):
    """C code that makes them anew calls so: asyncio's tasks call loop.call_soon."""
    plain, compiled = make(signature)
    names = [name for name in names_of(signature) if name not in ("more", "rest")]
    given = {"".join([name[:1], name[1:]]): place for place, name in enumerate(names)}
    assert all(one is not other for one, other in zip(given, map(sys.intern, names)))
    for _ in range(5):
        assert outcome(compiled, [], given) == outcome(plain, [], given)
    version, = COMPILER.records[id(compiled)].versions
    assert read_version(version.version_record).calls == 5
    for wrong in ({**given, "zzz": 1}, {**given, Text(names[0]): 1}, dict(list(given.items())[1:]), {name + "z": 1 for name in given}):
        assert outcome(compiled, [], wrong) == outcome(plain, [], wrong)
        assert outcome(compiled, [7], wrong) == outcome(plain, [7], wrong)
