"""Finalisers of cyclic garbage that rebind what compiled code relies on, while that makes objects (jit/templates/collecting.py)."""

import pytest
from compare import child

PROGRAM = """
import gc, sys
import compare
running, deaths = True, 0
class Cycle:
    def __init__(self):
        self.me = self
    def __del__(self):
        global running, deaths
        deaths += 1
        if deaths > 2500:
            running = False
            kept.append([])
class Point:
    def __init__(self, x):
        self.x = x
class Named(tuple):
    pass
kept = []
def identity(x):
    return x
def main(text, mapping, point):
    turns, made = 0, []
    while running:
        MAKE
        turns += 1
        if turns > 300_000:
            return "never noticed"
    return "noticed" if turns > 1000 else "too soon"
_, (fast,) = compare.copies(main)
scope = fast.__globals__
def garbage(number):
    gc.collect()  # and next when main has made some thousand objects
    gc.set_threshold(20_000)
    for _ in range(number):
        scope["Cycle"]()
scope["Cycle"].__del__ = type(main)(Cycle.__del__.__code__, scope)
for _ in range(4):
    scope["running"], scope["deaths"] = True, 0
    garbage(3000)
    print(fast("some text", {1: 2}, Point(1)))
"""
MADE = {"list": "made.append([turns, text])", "tuple": "made.append((turns, text, made))", "instance": "made.append(Point(turns))", "text methods": "made.append(text.split(' '))",
        "dict": "made.append({'a': turns})", "set": "made.append({turns, text})", "dict copied": "made.append(mapping.copy())", "list copied": "made.append([text][:])",
        "view": "made.append(mapping.items())", "comprehension": "made.append([x for x in (text, turns)])", "lambda": "made.append(lambda: turns)", "iterator": "made.append(iter([text]))",
        "method": "made.append(made.append)", "bound": "made.append(point.__init__)", "slice stored": "made[:0] = [turns, [text]]", "tuple of a generator": "made.append(tuple(x for x in (text, turns)))", "set of a generator": "made.append(set(x for x in (text, turns)))",
        "unpacked": "a, *made2 = text; made.append(made2)"}


@pytest.mark.parametrize("make", MADE)
def test_a_loop_sees_what_a_finaliser_rebinds(make):
    """At its next turn at the latest."""
    assert child(PROGRAM.replace("MAKE", MADE[make])) == "noticed\n" * 4
