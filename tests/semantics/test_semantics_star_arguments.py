"""Calls with *arguments and **keywords, dictionaries that are merged, imports in functions, attributes that are deleted."""

import collections
import sys

import pytest

from compare import check, child, copies

from jit.dispatch import COMPILER


def taker(*args, **kwargs):
    return args, sorted(kwargs.items(), key=repr)


def two(a, b=5, *, c=7):
    return a, b, c


class SubTuple(tuple):
    pass


class SubDict(dict):
    def keys(self):
        return ["other"]


class Mapping:
    def __init__(self, items):
        self.items_ = dict(items)

    def keys(self):
        return list(self.items_)

    def __getitem__(self, key):
        return self.items_[key]


class Raises:
    def __iter__(self):
        raise ValueError("no")

    def keys(self):
        raise AttributeError("no keys")


class OddText(str):
    def __eq__(self, other):
        raise KeyError("odd")

    __hash__ = str.__hash__


POSITIONAL = [(), [], (1,), [1, 2], (1, 2, 3), SubTuple((1, 2)), range(2), "ab", {1: 2}, {3}, iter([4, 5]), None, 5, Raises(), (None, 1.5, 2**70, True)]
KEYWORDS = [{}, {"c": 1}, {"b": 1, "c": 2}, {"a": 1}, {"zz": 1}, {1: 2}, {OddText("c"): 1, "d": 2}, SubDict(c=1), collections.OrderedDict(c=3), Mapping({"c": 1}), Mapping({1: 1}),
            None, 5, Raises()]


@pytest.mark.parametrize("keywords", range(len(KEYWORDS)))
def test_calls_with_both(keywords):
    def f(a, k):
        return taker(*a), taker(**k), taker(0, *a, **k)

    def g(a, k):
        return two(*a, **k)

    def h(a, k):
        return taker(*a, x=1, **k), taker(x=1, **k)
    for function in (f, g, h):
        check(function, *((a, KEYWORDS[keywords]) for a in POSITIONAL), namespace={"taker": taker, "two": two}, repeat=2)


def test_merged():
    def f(a, b):
        return {**a}, {**a, **b}, {"x": 1, **a, "y": 2}, {1: 2, **b}
    check(f, *((a, b) for a in KEYWORDS for b in KEYWORDS[:8]), repeat=2)


def test_lists_extended():
    def f(a, b):
        return [*a], [1, *a, *b], (*a, *b), [*b, 1]
    check(f, *((a, b) for a in POSITIONAL for b in POSITIONAL[::3]), repeat=2)


def test_what_is_no_callable():
    def f(g, a):
        return g(*a)
    check(f, *((g, a) for g in (taker, 5, None, int, str, list, dict, max, Mapping, "x".join, lambda *a: 1 / 0) for a in POSITIONAL), repeat=2)


def test_the_caller_is_seen():
    def look(*args):
        frame = sys._getframe(1)
        return frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno, sorted(frame.f_locals)

    def f(a):
        x = 1
        return look(*a), look(*a, x), vars(*a)
    check(f, ((),), ((), ), namespace={"look": look})


def test_references():
    def f(g, a, k):
        return len(g(*a, **k))
    _, (compiled,) = copies(f)
    item, given, named = object(), [], {}
    given.append(item)
    named["item"] = item
    for _ in range(3):
        compiled(taker, given, named)
    before = sys.getrefcount(item), sys.getrefcount(given), sys.getrefcount(named)
    for _ in range(50):
        compiled(taker, given, named)
        compiled(taker, tuple(given), named)
    assert (sys.getrefcount(item), sys.getrefcount(given), sys.getrefcount(named)) == before


def test_they_stay_compiled():
    def f(g, a, k):
        import sys
        return g(1, *a, **k), {**k, "x": sys}
    _, (compiled,) = copies(f)
    for _ in range(9):
        compiled(taker, (1, 2), {"k": 1})
    record = COMPILER.records[id(compiled)]
    assert record.versions and record.reason is None
    assert not [note.reason for code in record.versions for note in code.exits if "no dictionary" in note.reason]


def test_attributes_deleted():
    class Holder:
        __slots__ = ("a", "b", "__dict__")

    class Own:
        def __delattr__(self, name):
            raise KeyError(name)

    def f(o):
        o.a = 1
        o.c = 2
        del o.a
        del o.c
        return hasattr(o, "a"), hasattr(o, "c")

    def g(o):
        del o.missing
    check(f, (Holder(),), (Own(),), (5,), (None,), (taker,))
    check(g, (Holder(),), (Own(),), (5,), (None,), (taker,))


IMPORTS = """
import builtins, sys
import jit
seen = []
def f(n):
    import os.path
    import json as j
    from . import nothing
def g():
    import os.path, math
    return os.path.join('a', 'b'), math.pi
def h():
    import no_such_module_here
def dotted():
    import json.decoder
    import xml.etree.ElementTree as tree, os.path as path
    return json.decoder.__name__, json.scanner.__name__, tree.__name__, path.sep
def wanted():
    import colorsys
    return colorsys.__name__, sys._getframe().f_code.co_name
def names():
    from os.path import join, sep
    from colorsys import rgb_to_hls as rgb, ONE_THIRD
    return join('a', 'b'), sep, rgb(0, 0.5, 1), ONE_THIRD
def missing():
    from math import pi, no_such_name
    return pi
def looking():
    from odd import value, absent, __name__, __class__
    return value, absent, __name__, __class__.__name__
def relative():
    from .decoder import JSONDecoder
    from . import scanner
    return JSONDecoder.__name__, scanner.__name__
def run(function, *arguments):
    try:
        return function(*arguments)
    except BaseException as error:
        lines, walker = [], error.__traceback__
        while walker is not None:
            lines.append((walker.tb_frame.f_code.co_name, walker.tb_lineno))
            walker = walker.tb_next
        return type(error).__name__, str(error), [line for line in lines if not line[0].startswith('_')]
def everything():
    result = []
    for function, *arguments in ((f, 1), (g,), (h,), (wanted,), (h,), (wanted,), (names,), (missing,), (looking,), (relative,), (dotted,)):
        result += [run(function, *arguments) for _ in range(4)]
    original = builtins.__import__
    def own(name, globals=None, locals=None, fromlist=(), level=0):
        if not name.startswith('jit'):
            seen.append((name, globals['__name__'], locals is None or sorted(locals), fromlist, level))
        return original(name, globals, locals, fromlist, level)
    builtins.__import__ = own
    try:
        result += [run(g) for _ in range(3)]
    finally:
        builtins.__import__ = original
    result += [run(g) for _ in range(3)]
    import colorsys, json, math, types
    colorsys.ONE_THIRD = 5
    result += [run(names), run(names)]
    math.no_such_name = 1
    result += [run(missing), run(missing)]
    del math.no_such_name
    result += [run(missing), run(missing)]
    class Odd(types.ModuleType):
        def __getattribute__(self, name):
            seen.append(name)
            return types.ModuleType.__getattribute__(self, name)
    def absent(name):
        seen.append(name)
        if name == 'absent':
            return 'given'
        raise AttributeError(name)
    for made in (types.ModuleType('odd'), Odd('odd'), object()):
        sys.modules['odd'] = made
        result += [run(looking), run(looking)]
        if isinstance(made, types.ModuleType):
            made.value = 1
            result += [run(looking), run(looking)]
            made.__getattr__ = absent
            result += [run(looking), run(looking)]
            made.value, made.absent = 2, 3
            result += [run(looking), run(looking)]
            made.__spec__ = types.SimpleNamespace(_initializing=True, name='odd')
            result += [run(looking), run(looking)]
    del sys.modules['odd']
    result += [run(looking), run(looking)]
    globals().update(__package__='json', __spec__=json.__spec__)
    result += [run(relative), run(relative)]
    decoder = sys.modules.pop('json.decoder')
    result += [run(dotted), sys.modules['json.decoder'] is decoder]
    sys.modules['json.decoder'] = json.decoder = decoder
    whole = sys.modules['json']
    sys.modules['json'] = types.SimpleNamespace(decoder=math, scanner=math)
    result += [run(dotted), run(dotted)]
    sys.modules['json'] = whole
    result += [run(dotted), run(dotted)]
    scanner, json.scanner = json.scanner, math
    result += [run(relative), run(relative)]
    json.scanner = scanner
    result += [run(relative), run(relative)]
    globals().update(__package__='json.tool')
    result += [run(relative), run(relative)]
    globals().update(__package__='json', __spec__=None)
    result += [run(relative), run(relative)]
    globals().update(__package__=None, __spec__=None)
    hidden = sys.modules
    sys.modules = {'colorsys': math}
    result += [run(names), run(wanted)]
    sys.modules = hidden
    del colorsys, sys.modules['colorsys']
    result.append(run(names))
    del sys.modules['colorsys']
    result.append(run(wanted))
    sys.modules['colorsys'] = None
    result.append(run(wanted))
    return result, seen
plain = everything()
seen.clear()
sys.modules.pop('colorsys', None)
for name in ('f', 'g', 'h', 'wanted', 'names', 'missing', 'looking', 'relative', 'dotted'):
    globals()[name] = jit.jit(globals()[name])
compiled = everything()
assert compiled[0] == plain[0], [pair for pair in zip(compiled[0], plain[0]) if pair[0] != pair[1]]
assert compiled[1] == plain[1], (compiled[1], plain[1])
"""


def test_imports():
    assert child(IMPORTS, environment={"JIT_EAGER": "1"}) is not None
