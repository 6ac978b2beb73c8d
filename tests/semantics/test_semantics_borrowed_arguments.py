"""C code may call a compiled function with references that are not its own, and let go of them meanwhile."""

import pytest

from compare import child

HEAD = """
import gc, sys
from itertools import pairwise
from jit import jit
def junk():
    return [[n] for n in range(100)], [object() for n in range(100)]
"""

PROGRAMS = {
    "an iterator that ends within itself": """
class Item:
    count = 0
    def __init__(self, most):
        self.most = most
    def __iter__(self):
        return self
    def __next__(self):
        if self.count >= self.most:
            raise StopIteration
        self.count += 1
        if self.count == 1:
            found = next(pairs, None)
            junk()
            return found
        return [self.count]
    def __del__(self):
        print("gone", self.count)
FUNCTIONS = [Item.__next__, Item.__iter__]
def work():
    global pairs
    for most in (1, 2, 3, 4):
        pairs = pairwise(Item(most))
        print(list(pairs))
    pairs = None
""",
    "an operand that its own method rebinds": """
class Number:
    def __init__(self, x):
        self.x = x
    def __add__(self, other):
        clear()
        return self.x + other.x
    def __len__(self):
        clear()
        return self.x
    def __bool__(self):
        clear()
        return self.x > 1
    def __del__(self):
        print("gone", self.x)
def clear():
    numbers.clear()
    junk()
FUNCTIONS = [Number.__add__, Number.__len__, Number.__bool__]
def work():
    for i in range(3):
        for use in (lambda: numbers[0] + numbers[1], lambda: len(numbers[0]), lambda: bool(numbers[1]), lambda: list(map(len, iter(numbers)))):
            numbers[:] = [Number(i + 1), Number(i + 2)]
            print(use())
numbers = []
""",
    "references stay what they are": """
class Thing:
    def method(self, other, x, y=None):
        if x % 3 == 0:
            raise ValueError(x)
        return gc.isenabled(), other.attribute if x % 2 else len(junk())
    attribute = 5
FUNCTIONS = [Thing.method]
thing, other = Thing(), Thing()
def work():
    for x in range(300):
        for call in (lambda: thing.method(other, x), lambda: thing.method(x=x, other=other), lambda: list(map(thing.method, [other], [x]))):
            try:
                call()
            except ValueError:
                pass
        if x in (100, 299):
            print(sys.getrefcount(thing), sys.getrefcount(other), sys.getrefcount(Thing))
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_arguments_live(name):
    tail = "if COMPILED:\n    for function in FUNCTIONS:\n        jit(function)\nwork()\nwork()\n"
    texts = [f"COMPILED = {compiled}" + HEAD + PROGRAMS[name] + tail for compiled in (False, True)]
    plain, compiled = (child(text, environment={"JIT_EAGER": "1"}) for text in texts)
    assert plain == compiled
