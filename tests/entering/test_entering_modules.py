"""Loops of modules, whose names are globals, give what they give without being entered."""

import sys
import traceback

import pytest

from entered import AT, ENTERING, Hook

CASES = {
    "ints": """
total = 0
for i in range(N):
    hook()
    total += i * 3
""",
    "ints_of_every_size": """
values = [0, 1, -1, 5, -5, -6, 256, 257, 2**30 - 1, 2**30, -2**30, 1 - 2**30, 2**60 - 1, 2**60, -2**60, 1 - 2**60, 2**62, 2**63 - 1, -2**63]
seen = []
x = y = 0
for i in range(N):
    hook()
    y = x
    x = values[i % 19]
    seen.append((x, y, x + 0 == values[i % 19]))
    x = x - 1
    seen.append(x)
""",
    "grows": """
x, y = 1, -1
seen = []
for i in range(N):
    hook()
    x *= 3
    y = y * 2 - 1
    seen.append((x, y))
""",
    "floats": """
x = 0.5
seen = []
for i in range(N):
    hook()
    y = x
    x = x * 1.01 + i
    seen.append((x, y))
""",
    "aliases": """
x = 1000
held = [x]
seen = []
for i in range(N):
    hook()
    y = x
    x += 1000
    held.append(x)
    z = x
    x += 1
    seen.append((y, z, x, held[-1]))
""",
    "while": """
n = 0
while n < N:
    hook()
    n += 1
    if n % 7 == 3:
        continue
    if n > N - 5:
        break
else:
    n = "else"
""",
    "nested": """
total = 0
for i in range(N // 10):
    for j in range(10):
        hook()
        total += i * j
    last = j
""",
    "other_types": """
x = 0
seen = []
for i in range(N):
    hook()
    x = i if i % 3 == 0 else str(i) if i % 3 == 1 else [i]
    y = None if i % 2 else x
    flag = i % 5 == 0
    seen.append((x, y, flag))
    i = float(i)
""",
    "callee_reads_and_writes": """
def read():
    return total, i
def write():
    global total
    total = total + 1
seen = []
total = 0
for i in range(N):
    hook()
    total += 1
    seen.append(read())
    write()
    total += 1
    seen.append(total)
""",
    "callee_deletes": """
def remove():
    global x
    del x
x = 0
for i in range(N):
    hook()
    x = i
    if i == N - 3:
        remove()
    y = x
""",
    "deletes": """
for i in range(N):
    hook()
    x = i * 1000
    y = x
    del x
    assert 'x' not in globals()
""",
    "keys_come_and_go": """
for i in range(N):
    hook()
    x = i * 1000
    globals()[f"name{i}"] = i
    if i % 3 == 0:
        del globals()[f"name{i}"]
    if i == 40:
        for j in range(1000):
            globals()[f"other{j}"] = j
        for j in range(1000):
            del globals()[f"other{j}"]
    x += 1
""",
    "through_globals": """
g = globals()
x = 0
for i in range(N):
    hook()
    x += 1
    g["x"] = g["x"] + 1
    vars()["x"] += 1
    locals()["x"] += 1
    exec("x += 1")
    y = eval("x") + x
""",
    "raises": """
total = 0
for i in range(N):
    hook()
    total += 1000
    total += 10 // (N - 10 - i)
""",
    "catches": """
total = 0
caught = []
for i in range(N):
    hook()
    try:
        total += 10 // (i % 5)
    except ZeroDivisionError as problem:
        caught.append(str(problem))
    finally:
        total += 1000
""",
    "inside_try": """
total = 0
try:
    for i in range(N):
        hook()
        total += 1000 // (N - 10 - i)
except ZeroDivisionError as problem:
    text = str(problem)
""",
    "undefined": """
total = 0
for i in range(N):
    hook()
    total += i
    if i == N - 5:
        total += missing
""",
    "builtin_is_shadowed": """
seen = []
for i in range(N):
    hook()
    seen.append(abs(-i))
    if i == N // 2:
        abs = str
""",
    "function_is_rebound": """
def f(x):
    return x + 1
seen = []
for i in range(N):
    hook()
    seen.append(f(i))
    if i % 10 == 0:
        f = (lambda y: (lambda x: x + y))(i)
""",
    "constant_of_a_callee": """
def f():
    return limit + 1
limit = 1000
seen = []
for i in range(N):
    hook()
    seen.append(f())
    limit = limit + 1
    seen.append(f())
""",
    "functions_and_classes_made": """
seen = []
for i in range(N):
    hook()
    def f(x=i):
        return x * 2
    class C:
        value = i
    seen.append((f(), C.value))
""",
    "comprehensions": """
seen = []
for i in range(N):
    hook()
    seen.append([j * i for j in range(3)])
    total = sum(k for k in seen[-1])
""",
    "finalisers": """
class Thing:
    def __init__(self, number):
        self.number = number
    def __del__(self):
        global died
        died = died + self.number
        seen.append((died, i))
died = 0
seen = []
for i in range(N):
    hook()
    thing = Thing(i)
    died = died + 1000
thing = None
del Thing.__del__
""",
    "reference_counts": """
import gc, sys
class Thing: pass
thing = Thing()
seen = []
for i in range(N):
    hook()
    other = thing
    if i % 20 == 19:
        gc.collect()  # what the compiler has left refers to constants
        seen.append(sys.getrefcount(thing))
    i = thing
""",
    "frames": """
import sys
seen = []
def look():
    frame = sys._getframe(1)
    return frame.f_code.co_name, frame.f_lineno, frame.f_locals is frame.f_globals, frame.f_locals["i"], frame.f_globals is globals()
for i in range(N):
    hook()
    if i > 10:
        seen.append(look())
        frame = sys._getframe()
        seen.append((frame.f_lineno, frame.f_locals is globals()))
        del frame
""",
    "global_in_a_function": """
def count(n):
    global total, fraction
    for i in range(n):
        total += 1
        fraction = fraction * 0.5 + 1
        hook()
total, fraction = 0, 0.25
count(N)
""",
}


class Named:
    """A number that is none."""


def run(text, at, n, namespace=None):
    """(how it ended, names left behind)"""
    namespace = {} if namespace is None else namespace
    namespace.update(N=n, hook=Hook(at), __name__="case")
    try:
        exec(compile(text, "case.py", "exec"), namespace)
        ended = None
    except Exception as problem:
        ended = type(problem), str(problem), [(step.name, step.lineno, step.colno) for step in traceback.extract_tb(problem.__traceback__)[1:]]
        problem.__traceback__ = None
    finally:
        ENTERING.trap.clear()
    for name in ("__builtins__", "hook", "g"):
        namespace.pop(name, None)
    shown = {name: repr(value).split(" at 0x")[0] for name, value in namespace.items()}
    return ended, shown, list(namespace)


@pytest.mark.parametrize("n", [60, 400])
@pytest.mark.parametrize("name", CASES)
def test_the_same_both_ways(name, n):
    expected = run(CASES[name], (), n)
    before = ENTERING.trap.caught
    assert run(CASES[name], AT, n) == expected
    assert ENTERING.trap.caught > before


def test_locals_of_their_own_are_left_alone():
    names, own = {"hook": Hook(AT)}, {}
    before = ENTERING.trap.caught
    exec("for i in range(60):\n hook()\n x = i * 1000\n", names, own)
    assert ENTERING.trap.caught == before and own == {"i": 59, "x": 59000} and "x" not in names


def test_class_bodies_are_left_alone():
    names = {"hook": Hook(AT)}
    before = ENTERING.trap.caught
    exec("class C:\n for i in range(60):\n  hook()\n  x = i * 1000\n", names)
    assert ENTERING.trap.caught == before and names["C"].x == 59000


@pytest.mark.parametrize("value", [True, -0.0, float("nan"), float("inf"), None, "", 1 << 80, type("I", (int,), {})(5), type("F", (float,), {})(2.5),
                                   Named()], ids=lambda value: type(value).__name__)
def test_whatever_stands_in_the_place_of_a_number(value):
    text = """
x = 0
seen = []
for i in range(N):
    hook()
    x = x + 1000
    if i % 10 == 9:
        seen.append(x)
        x = value
        same = x is value
        y = x
        x = 70000 * i
"""
    def values():
        return {"value": value}
    expected = run(text, (), 100, values())
    assert run(text, AT, 100, values()) == expected


def test_a_module_may_die():
    import gc
    import weakref
    class Held:
        pass
    names = {"hook": Hook(AT), "held": Held()}
    seen = weakref.ref(names["held"])
    exec("for i in range(60):\n hook()\n x = held\n", names)
    ENTERING.trap.clear()
    names = None
    gc.collect()
    assert seen() is None
    assert sys.getrefcount(Held)
