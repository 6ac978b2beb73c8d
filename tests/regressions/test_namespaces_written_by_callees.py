"""Machine code wrote into the globals, as such or as into any dictionary, and its compiled callers and it itself went on with what had been there."""

import jit
import pytest

SOURCE = """
STEP = 0
def bump():
    global STEP
    STEP = STEP + 1
    return STEP
def bump_float(x):
    global STEP
    STEP = STEP + x
    return STEP
def put(d, k):
    d[k] = d[k] + 1
    return 1
def put_attribute(item):
    item.STEP = item.STEP + 1
    return 1
def by_global(): return bump() + STEP
def by_float(x): return bump_float(x) + STEP
def by_item(d, k): return put(d, k) + STEP
def by_attribute(item): return put_attribute(item) + STEP
def outer(n, d, k):
    total = 0
    for _ in range(n):
        total += by_item(d, k) * 10 + by_global()
        total += STEP
    return total
def own(d, k):
    d[k] = d[k] + 1
    return STEP
def loop(n, d, k):
    total = 0
    for number in range(n):
        d[k] = number + 1000
        total += STEP
    return total
def keys(n, d):
    total = 0
    for number in range(n):
        d['STEP'] = number
        d['other'] = STEP
        total += d['other'] + STEP
    return total
class Item:
    pass
item = Item()
item.__dict__ = globals()
plain = Item()
plain.STEP = 1
"""
CALLS = ["by_global()", "by_float(0.5)", "by_item(globals(), 'STEP')", "by_attribute(item)", "outer(3, globals(), 'STEP')", "own(globals(), 'STEP')",
         "loop(5, globals(), 'STEP')", "keys(4, globals())"]
#: What the functions are used with first.
USUAL = {"by_item": "by_item({'STEP': 5}, 'STEP')", "by_attribute": "by_attribute(plain)", "outer": "outer(2, {'STEP': 1}, 'STEP')",
         "own": "own({'STEP': 7}, 'STEP')", "loop": "loop(3, {'STEP': 0}, 'STEP')", "keys": "keys(2, {})"}


def results(call, warm, compiled):
    space = {}
    exec(SOURCE, space)
    if compiled:
        for item in list(space.values()):
            if hasattr(item, "__code__"):
                jit.jit(item)
    for _ in range(warm):
        eval(USUAL.get(call.partition("(")[0], "0"), space)
    return [(eval(call, space), space["STEP"]) for _ in range(5)]


@pytest.mark.parametrize("warm", [0, 1, 5, 200])
@pytest.mark.parametrize("call", CALLS)
def test_namespaces_written_by_callees(call, warm):
    assert results(call, warm, True) == results(call, warm, False)
