"""Whom the frames of a traceback name as their callers (f_back), when generators have raised: on 3.11 a generator's frame names none."""

from compare import child

PROGRAM = """
import sys
from jit import jit
def callers(error):
    step, found = error.__traceback__, []
    while step is not None:
        back = step.tb_frame.f_back
        found.append((step.tb_frame.f_code.co_name, step.tb_lineno, back and back.f_code.co_name))
        step = step.tb_next
    return found
def counting(n):
    for i in range(n):
        yield i
    raise ValueError(n)
def outer(n):
    yield 1
    yield from counting(n)
def outermost(n):
    yield from outer(n)
def called(n):
    raise KeyError(n)
def calling(n):
    for i in range(n):
        yield i
    yield called(n)
def looped(n):
    total = 0
    for item in counting(n):
        total += item
    return total
def chained(n):
    total = 0
    for item in outermost(n):
        total += item
    return total
def listed(n): return list(counting(n))
def summed(n): return sum(1 // (i - 3) for i in range(n))
def expressed(n): return tuple(item + 1 for item in counting(n))
def chosen(n): return any(1 // (2 - i) == 5 for i in range(n))
def nexted(n):
    items = counting(n)
    while True:
        next(items)
def sent(n):
    items = outermost(n)
    next(items)
    while True:
        items.send(None)
def unpacked(n):
    a, *b = calling(n)
    return a, b
def thrown(n):
    items = counting(n)
    next(items)
    items.throw(OSError(n))
def caught(n):
    try:
        return list(calling(n))
    except KeyError as error:
        return callers(error)
FUNCTIONS = [looped, chained, listed, summed, expressed, chosen, nexted, sent, unpacked, thrown, caught]
if sys.argv[1] == "jit":
    FUNCTIONS = list(map(jit, FUNCTIONS))
    counting, outer, outermost, called, calling = map(jit, (counting, outer, outermost, called, calling))
for turn in range(4):
    for function in FUNCTIONS:
        try:
            print(function.__name__, function(5))
        except Exception as error:
            print(function.__name__, callers(error))
"""


def test_the_same_frames_name_the_same_callers():
    plain, compiled = (child(PROGRAM, environment={"JIT_EAGER": "1"}, arguments=(way,)) for way in ("plain", "jit"))
    assert plain.count("'counting'") > 20
    assert compiled == plain
