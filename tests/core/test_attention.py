"""Versions that compiled callers enter directly get attention too, and what is raised meanwhile reaches the program."""

import os
import subprocess
import sys

import jit

PROGRAM = """
import signal, sys
import jit
from jit.dispatch import COMPILER

@jit.jit
def leaf(a):
    return a.x + 1

@jit.jit
def caller(a, n):
    s = 0
    for i in range(n):
        s += leaf(a)
        s -= 0 if i % 3 else 1
    return s

class A:
    def __init__(self): self.x = 1
class B:
    def __init__(self): self.y, self.x = 5, 2

def interrupted():
    raise KeyboardInterrupt

caller(A(), 10)
COMPILER.attend_all = interrupted
from jit.machine import attention_handlers
attention_handlers[:] = [interrupted]
try:
    for _ in range(50):
        caller(B(), 100)
    print("nothing raised")
except KeyboardInterrupt:
    print("interrupted")
"""


def test_what_is_raised_while_versions_get_attention_is_not_lost():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "JIT_EAGER": "1"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout == "interrupted\n", done.stderr
    assert done.stderr == ""


def test_a_version_called_directly_is_compiled_anew_for_what_it_meets():
    class A:
        def __init__(self):
            self.x = 1

    class B:
        def __init__(self):
            self.y, self.x = 5, 2

    def value(item):
        return item.x

    def recurse(item, depth):
        # Too long to be inlined, because it calls itself.
        return value(item) if depth == 0 else recurse(item, depth - 1)

    for function in (value, recurse):
        jit.jit(function)

    def total(items):
        s = 0
        for item in items:
            s += recurse(item, 1)
        return s

    jit.jit(total)
    assert total([A()] * 10) == 10
    for _ in range(20):
        assert total([B(), A()] * 20) == 60
    before = sum(exit.count for version in jit.explain(recurse).versions for exit in version.exits)
    assert total([B(), A()] * 50) == 150
    assert sum(exit.count for version in jit.explain(recurse).versions for exit in version.exits) == before
