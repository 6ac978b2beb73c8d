"""Numbers that are objects, as operands of everything: their reference counts stay what they were."""

from compare import child

PROGRAM = """
import sys
from array import array
from types import SimpleNamespace
from jit import jit
def get(d, k): return d[k]
def add(x, y): return x + y
def store(a, d): a[d.i] = d.v
def load(a, d): return a[d.i]
def augmented(a, d): a[d.i] += d.one
def sliced(a, d): return a[d.i:d.j]
def slice_stored(a, d): a[d.i:d.j] = [1]
def deleted(a, d):
    a.append(3)
    del a[d.i]
def inserted(a, d):
    a.insert(d.i, d.v)
    a.pop(d.i)
def compared(a, d): return d.i == d.j, d.i < d.j, d.i is d.j
def arithmetic(a, d): return d.i + d.j, d.i * d.v, d.i // d.j, -d.i, d.i / d.j
def bitwise(a, d): return d.i ** 2, d.i << 1, d.i >> 1, d.i & d.j, d.i | d.j, d.i ^ d.j, ~d.i, d.i % d.j
def ranged(a, d): return [x for x in range(d.i, d.i + 3)]
def contained(a, d): return d.i in (1, 2, 3), d.i in a
def builtins(a, d): return min(d.i, d.j), max(d.i, d.j), abs(d.i), len(a), int(d.i), float(d.i), str(d.i), round(d.i), divmod(d.i, d.j), chr(d.i)
def true(a, d):
    if d.i:
        return 1
    return 2
def called(a, d): return get({1: 2}, 1), add(d.i, d.j)
def unpacked(a, d):
    x, y = d.i, d.j
    return x
def built(a, d): return (d.i, d.j)[0], [d.i, d.j][1]
def formatted(a, d): return f"{d.i} {d.j:5}"
def from_tuple(a, d): return d.t[d.k]
def in_dictionary(a, d):
    d.m[d.i] = d.v
    return d.m[d.i], d.i in d.m, d.m.get(d.i)
def from_dictionary(a, d):
    d.m[d.j] = d.v
    del d.m[d.j]
def attribute(a, d):
    d.n = d.i
    d.n = None
def reduced(a, d): return sum([d.i, d.j]), any([d.i]), all([d.j])
def in_loop(a, d):
    for k in range(3):
        a[d.i] = k
        a[d.j] = d.v
    return a[d.i]
def chained(a, d):
    a[0], a[1], a[-2] = d.i, d.j, 7
    a[-2], a[a[0]] = a[a[0]], a[-2]
    a[a[1]] = a[a[a[0] - 1]]
FUNCTIONS = [chained, store, load, augmented, sliced, slice_stored, deleted, inserted, compared, arithmetic, bitwise, ranged, contained, builtins, true, called,
             unpacked, built, formatted, from_tuple, in_dictionary, from_dictionary, attribute, reduced, in_loop]
if COMPILED:
    get, add = jit(get), jit(add)
CONTAINERS = (lambda: [0] * 1000, lambda: bytearray(1000), lambda: array("q", [0] * 1000), lambda: memoryview(bytearray(1000)),
              lambda: array("d", [0] * 1000), lambda: dict(zip(range(1000), range(1000))), lambda: "x" * 1000)
for function in FUNCTIONS:
    called = jit(function) if COMPILED else function
    for make in CONTAINERS:
        i, j, v = int("700"), int("990"), int("200")
        d = SimpleNamespace(i=i, j=j, v=v, one=1, t=(i, j, 3), k=1, m={})
        a = make()
        counts = []
        for repeat in range(260):
            try:
                called(a, d)
            except Exception as error:
                problem = str(error)
            if repeat in (60, 259):
                counts.append([sys.getrefcount(number) for number in (i, j)])
        print(function.__name__, type(a).__name__, [after - before for before, after in zip(*counts)])
"""


def test_counts_of_operands():
    plain, compiled = (child(f"COMPILED = {compiled}\n{PROGRAM}") for compiled in (False, True))
    assert plain == compiled
    assert len(plain.splitlines()) == 25 * 7


def test_counts_of_functions_behind_conditions():
    """What is on the operand stack while a condition among the arguments is evaluated."""
    plain, compiled = (child(f"COMPILED = {compiled}" + """
import sys
from jit import jit
def add(x, y):
    return [x, y]
class Thing:
    def method(self, x, y):
        return x
class Other(Thing):
    pass
class Third(Thing):
    pass
thing, bound, items = Thing(), Thing().method, [3]
others = [Thing(), Other(), Third()]
def both(a, b): return add(a, a and b)
def either(a, b): return add(a or b, not a and not b)
def chained(a, b): return add(a, 0 < a < b)
def chosen(a, b): return add(a if b else b, b)
def method(a, b): return thing.method(a and b, b or a), bound(a or b, a and b)
def nested(a, b): return add(add(a, a and b), add(b or a, a)) and items
def looped(a, b):
    for k in range(3):
        add(k, k and a)
    return add(k or b, [x and b for x in (a, b)])
def stored(a, b):
    for one in others:
        one.value = items
        one.other = bound
    return a
FUNCTIONS = [both, either, chained, chosen, method, nested, looped, stored]
watched = add, thing, bound, items, Thing, Thing.method
if COMPILED:
    add, Thing.method = jit(add), jit(Thing.method)
for function in FUNCTIONS:
    called = jit(function) if COMPILED else function
    for a, b in ((1, 2), (0, 5), ([], "x"), ("", None), (thing, items)):
        counts = []
        for repeat in range(120):
            try:
                called(a, b)
            except TypeError as error:
                problem = str(error)
            if repeat in (60, 119):
                counts.append(list(map(sys.getrefcount, watched)))
        print(function.__name__, [after - before for before, after in zip(*counts)])
""") for compiled in (False, True))
    assert plain == compiled
    assert len(plain.splitlines()) == 8 * 5
