"""Finalisers that look at frames, of operands that die with their instruction: each dies, in the interpreter's order, at its line."""

import pytest

from compare import child

PROGRAM = """
import gc, sys, warnings
from jit import jit
log = []
class Thing:
    def __init__(self, name):
        self.name = name
    def __del__(self):
        frame = sys._getframe(1)
        log.append((self.name, frame.f_code.co_name, frame.f_lineno, sorted(frame.f_locals) if LOCALS else ""))
        if self.name == "keeps":
            log.append(frame)
    def result(self, *others):
        return 5
    __iadd__ = __call__ = result
    def __add__(self, other):
        return 5
    def __matmul__(self, other):
        return 5
    def __getitem__(self, key):
        return 5
    def __eq__(self, other):
        return True
    def __lt__(self, other):
        return True
    def __contains__(self, other):
        return True
    def __hash__(self):
        return 1
    def __iter__(self):
        return iter((1, 2))
    def __format__(self, spec):
        return self.name
    def __setitem__(self, key, value):
        pass
    def __delitem__(self, key):
        pass
    def __enter__(self):
        return 1
    def __exit__(self, *_):
        pass
def make(name):
    return Thing(name)
def operators(n):
    a = make("1") + make("2")
    b = make("3") @ make("4")
    c = make("5") == make("6"), make("7") < make("8"), make("9") in make("10"), make("11") is make("12")
    d = make("13")[make("14")]
    return a, b, c, d, n
def conditions(n):
    if make("1") == make("2"):
        n += 1
    while make("3") < make("4"):
        n += 1
        if n > 3:
            break
    return n if make("5") in make("6") else -n
def stores(n):
    things = [make("1"), make("2")]
    things[0] = make("3")
    make("4")[make("5")] = make("6")
    del make("7")[make("8")]
    table = {}
    table[make("9").name] = make("10")
    table["9"] = n
    things[n % 2] += make("11")
    return len(things)
def calls(n):
    first = make("1")(make("2"), make("3"))
    second = make("4").result(make("5"))
    third = len({make("6"): make("7")}), isinstance(make("8"), Thing), max(make("9"), make("10")).name
    return first, second, f"{make('11')} {make('12')}", third[:2]
def unpacked(n):
    a, b = make("1")
    for x in make("2"):
        n += x
    c, (d, e) = make("3"), make("4")
    return n, a, b, d, e
def attributes(n):
    total = make("1").name + make("2").name
    make("3").other = make("4")
    with make("5"):
        n += 1
    return total, n
def kept(n):
    return make("keeps") + make("1"), make("2") == make("keeps"), make("keeps")[make("3")]
def deep(n):
    return n and deep(n - 1) + len(operators(0))
FUNCTIONS = [operators, conditions, stores, calls, unpacked, attributes, kept, deep]
if COMPILED:
    for function in (make, *FUNCTIONS):
        globals()[function.__name__] = jit(function)
    for function in (Thing.__init__, Thing.__del__, Thing.__add__, Thing.__matmul__, Thing.__getitem__, Thing.__eq__, Thing.__lt__, Thing.__contains__, Thing.result):
        setattr(Thing, function.__name__, jit(function))
for function in FUNCTIONS:
    call = globals()[function.__name__]
    for n in (0, 1, 2, 3) * 6:
        print(function.__name__, n, call(n))
        frames = [item for item in log if not isinstance(item, tuple)]
        print([(item if isinstance(item, tuple) else (item.f_lineno, sorted(item.f_locals))) for item in log])
        log.clear()
gc.collect()
objects = sum(isinstance(item, Thing) for item in gc.get_objects())
print(objects, log)
"""


@pytest.mark.parametrize("looks_at_locals", (False, True))
def test_each_operand_dies(looks_at_locals):
    plain, compiled = (child(f"COMPILED, LOCALS = {compiled}, {looks_at_locals}\n{PROGRAM}") for compiled in (False, True))
    assert plain.splitlines()[-1] == "0 []"
    assert plain == compiled
