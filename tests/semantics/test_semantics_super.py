"""Methods called through super(): the same as interpreted, also where classes, cells and arguments change."""

import pytest

from tests.semantics.test_semantics_attributes import run_both

PROGRAMS = {
    "both forms": """
class A:
    def __init__(self, x):
        super().__init__()
        self.x = x
    def f(self, n=1):
        return self.x + n
class B(A):
    def __init__(self, x):
        super(B, self).__init__(x)
        self.y = x
    def f(self, n=2):
        return super().f(n) * 2
class C(B):
    def f(self, n=3):
        return super().f(n=n) + super(B, self).f()
def main():
    return [kind(i).f() for i in range(10) for kind in (A, B, C)], [C(1.5).f(i) for i in range(3)]
""",
    "diamonds": """
class A:
    def f(self):
        return ['A']
class B(A):
    def f(self):
        return ['B'] + super().f()
class C(A):
    def f(self):
        return ['C'] + super().f()
class D(B, C):
    def f(self):
        return ['D'] + super().f()
def main():
    return [kind().f() for i in range(8) for kind in (A, B, C, D)]
""",
    "what changes": """
class A:
    def f(self):
        return 'A'
class Z:
    def f(self):
        return 'Z'
class B(A):
    def f(self):
        return 'B' + super().f()
    def g(self, other):
        self = other
        return super().f()
def one(b):
    return b.f()
def main():
    b = B()
    result = [one(b) for _ in range(5)]
    A.f = lambda self: 'new'
    result += [one(b) for _ in range(5)]
    B.__bases__ = (Z,)
    result += [one(b) for _ in range(5)]
    B.__bases__ = (A,)
    result += [b.g(B()) for _ in range(3)]
    try:
        b.g(5)
    except TypeError as error:
        result.append(str(error))
    del A.f
    try:
        one(b)
    except AttributeError as error:
        result.append(str(error))
    A.f = lambda self: 'A'
    return result
""",
    "errors": """
class A:
    def __init__(self, *, key=None):
        pass
    def f(self):
        raise ValueError(self)
class B(A):
    def f(self):
        return super().f()
    def h(self):
        return super().missing()
    def i(self):
        return super().__init__(1)
    def j(self):
        return super().__class__.__name__, super().__repr__()[:3]
    def __repr__(self):
        return 'b'
class O:
    def k(self):
        return super().__init__(1)
    def p(self):
        return super().__init__()
def main():
    result = []
    for _ in range(4):
        for owner, name in ((B(), 'f'), (B(), 'h'), (B(), 'i'), (B(), 'j'), (O(), 'k'), (O(), 'p')):
            try:
                result.append(getattr(owner, name)())
            except Exception as error:
                result.append((type(error).__name__, str(error)))
    return result
""",
    "descriptors": """
class A:
    @property
    def p(self):
        return lambda: 'property'
    @staticmethod
    def s():
        return 'static'
    @classmethod
    def c(cls):
        return cls.__name__
    v = len
class B(A):
    def all(self):
        return super().p(), super().s(), super().c(), super().v([1])
class Slotted:
    __slots__ = ('z',)
    def get(self):
        return self.z
class Derived(Slotted):
    __slots__ = ()
    def get(self):
        return super().get() + 1
def main():
    d = Derived()
    d.z = 5
    return [(B().all(), d.get()) for _ in range(8)]
""",
    "a captured self": """
class A:
    def f(self):
        return 'A'
class B(A):
    def f(self):
        g = lambda: self
        return super().f() + type(g()).__name__
def main():
    return [B().f() for _ in range(8)]
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_both_ways(name):
    run_both(PROGRAMS[name])
