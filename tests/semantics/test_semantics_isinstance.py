"""isinstance of values of several classes: the same as interpreted, also where classes change or lie about themselves."""

import pytest

from tests.semantics.test_semantics_attributes import run_both

PROGRAMS = {
    "several classes": """
class A: pass
class B(A): pass
class C: pass
class Liar:
    __class__ = A
class Late(C): pass
things = [A(), B(), C(), None, 1, 'x', True, A, Late(), 2.5] * 3
def count(things, kind):
    found = 0
    for thing in things:
        if isinstance(thing, A):
            found += 1
        elif isinstance(thing, (C, int)):
            found += 100
    return found
def main():
    result = [count(things[:n], None) for n in range(len(things))]
    result.append(count(things + [Liar()], None))
    return result
""",
    "bases that change": """
class A: pass
class B: pass
class C(B): pass
class D(B): pass
things = [C(), D(), A()] * 4
def kinds(things):
    return [(1 if isinstance(thing, A) else 0) for thing in things], sum([isinstance(thing, A) for thing in things])
def walk(things):
    found = 0
    for thing in things:
        if isinstance(thing, A):
            found += 1
    return found
def main():
    C.__bases__ = (B,)
    before = walk(things), kinds(things)
    C.__bases__ = (A,)
    return before, walk(things), kinds(things), walk(things[:2])
""",
    "a class that asks": """
class Meta(type):
    def __instancecheck__(self, thing):
        log.append(type(thing).__name__)
        return True
class A(metaclass=Meta): pass
class B: pass
class Proxy:
    def __init__(self, target):
        self.target = target
    @property
    def __class__(self):
        return self.target
def walk(things):
    found = 0
    for thing in things:
        if isinstance(thing, A):
            found += 1
        if isinstance(thing, B):
            found += 10
    return found
def main():
    return walk([B(), Proxy(B), Proxy(int), 1, A()]), walk([Proxy(B)] * 3 + [B()] * 2)
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_both_ways(name):
    run_both(PROGRAMS[name])




def kinds_of(items):
    out = []
    for item in items:
        out.append((isinstance(item, int), isinstance(item, (str, float)), isinstance(item, type(None))))
    return out


def test_builtin_types_alone():
    from compare import copies
    class Number(int):
        pass

    values = [1, "a", 2.5, None, True, [1], (1,), {}, set(), b"b", 2**70, Number(3), object(), int]
    for first in range(len(values)):
        (plain,), (fast,) = copies(kinds_of)
        for count in (1, 2, 3, 6, len(values)):
            items = (values[first:] + values[:first])[:count]
            for _ in range(2):
                assert plain(items) == fast(items)
