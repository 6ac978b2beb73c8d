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


class Base:
    def __init__(self):
        self.n = 1

    def which(self):
        return self.n, self.n + 1


class First(Base):
    pass


class Second(Base):
    pass


class Overriding(Base):
    def which(self):
        return "overridden"


def test_relatives():
    from jit import receivers
    Base(), First(), Second(), Overriding()
    assert {kind.__name__ for kind in receivers.relatives(Base)} == {"Base", "First", "Second", "Overriding"}
    assert receivers.relatives(Base, [Second])[0] is Second
    assert receivers.common_base([First, Second]) is Base and receivers.common_base([First, Base]) is Base
    assert receivers.common_base([First, int]) is None and receivers.common_base([First]) is First
    assert receivers.home_of(Second, Base.which) is Base and receivers.home_of(Overriding, First.__init__) is Base
    assert receivers.home_of(int, Base.which) is None
    many = [type(f"Kind{number}", (First,), {}) for number in range(receivers.POLYMORPHIC + 1)]
    assert [kind.__name__ for kind in receivers.relatives(First)] == ["First"]
    for kind in many:
        kind()
    assert receivers.relatives(First) == []


def test_a_method_is_compiled_for_all_classes_that_have_it():
    which = jit.jit(type(Base.which)(Base.which.__code__.replace(), {}, "which"))
    family = type("Family", (), {"which": which, "__init__": Base.__init__})
    members = [type(f"Member{number}", (family,), {}) for number in range(3)]
    for member in members:
        member()
    for _ in range(100):
        for member in members:
            assert member().which() == (1, 2)
    told = jit.explain(which)
    assert [version.calls for version in told.versions] == [300] and not any(leaving.count for leaving in told.versions[0].exits)
