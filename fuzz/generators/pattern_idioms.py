"""Idioms about patterns, starred targets and displays, and classes derived from tuple and dict; see object_idioms.py.

None calls Python code of the standard library: whether that is compiled depends on the programs that ran before.
"""

from fuzz.generators.class_idioms import module

#: A head that several have.
_NODES = """class A:
    __match_args__ = ('v', 'w')
    def __init__(self, v, w={few}): self.v, self.w = v, w
class B(A): pass
class C:
    __slots__ = ('v', 'w')
    __match_args__ = ('w',)
    def __init__(self, v, w): self.v, self.w = v, w
class D:
    __match_args__ = ('v',)
    @property
    def v(self): return 'asked', {few}
def look(c):
    match c:
        case A(v={few}): return 'few'
        case A(v, w): return v, w
        case C(w, v=v): return 'C', v, w
        case D(v): return v
        case int(n): return n {arithmetic} {few}
        case str() | float() as n: return 'or', n
        case [n, *m] if n {comparison} {few}: return n, m
        case (n, m) | [m, n, _]: return m, n
        case {{'k': n, 1: m}} | {{'k': n, **m}}: return n, m
    return None
"""
_SUBJECTS = "(A(p0), B(p1), C(p0, p1), D(), p0, p1, [p0, p1], (p1, p0), [1, 2, p0], {{'k': p0}}, {{'k': p1, 1: p0}}, None, A(p1, p0), 'k', {few})"

IDIOMS = (
    module(("number", "number"), _NODES, f"""
def f0(p0, p1):
    return [look(c) for c in {_SUBJECTS}]
"""),
    module(("count", "number"), _NODES, f"""
def f0(p0, p1):
    kinds = {_SUBJECTS}
    return [look(kinds[(n * p0) % 15]) for n in range(12)], look(kinds[p0 % 15])
"""),
    module(("number", "count"), _NODES, """
def f0(p0, p1):
    A.__match_args__ = ('v', 'w')
    c, r = A(p0, {few}), []
    for n in range(6):
        r.append(look(c))
        if n == p1 % 6: A.__match_args__ = ('w', 'v')
        if n == p1 % 5: c = (B, C)[p1 % 2](p0, n)
    return r
"""),
    module(("number", "count"), """
def first(row):
    a, *b = row
    return a, b
def ends(row):
    a, *b, c = row
    return c, b, a
def f0(p0, p1):
    rows = (p0, p1), [p0, {few}, p1], (p0,), 'ab', range({few} % 4), [], {{p1: p0}}, [p1, [p0]], p0, {{p1}}
    r = []
    for n in range(8):
        for f in (first, ends):
            try: r.append(f(rows[n * p1 % 10]))
            except (TypeError, ValueError) as e: r.append(str(e))
    return r
"""),
    module(("number", "count"), """
def taken(*a): return a
def all(a, b):
    return [*a, *b], (p0, *b)[1:], taken(*a, *b), len({{*a, 5}}), taken(*a)
p0 = {few}
def f0(p0, p1):
    rows = (p0, p1), [p0], 'ab', range(p1 % 4), {{p1: p0}}, (n {arithmetic} {few} for n in range(p1 % 3)), p0, {{p1}}, [[]], map(abs, (p1,))
    r = []
    for n in range(8):
        try: r.append(all(rows[n * p1 % 10], rows[n]))
        except (TypeError, ValueError, ZeroDivisionError) as e: r.append(str(e))
    return r
"""),
    module(("number", "number"), """
from collections import namedtuple
class A(namedtuple('A', 'v w', defaults=({few},))):
    __slots__ = ()
    def moved(self, o): return A(self.v {arithmetic} o[0], w=o.w)
B = namedtuple('B', 'w v')
class C(A):
    def __iter__(self): return iter(({few}, 'own'))
def look(c):
    v, w = c
    return c.v, c[1], c[-1], len(c), v, w, c.w
def f0(p0, p1):
    r = []
    for n in range(6):
        c = (A(p0, n), B(p1, p0), A(n), C(p0, p1), tuple.__new__(A, (p0,)))[n * {few} % 5]
        try: r += look(c), A(p1, n).moved(c)
        except (TypeError, ValueError, IndexError, ZeroDivisionError) as e: r.append(str(e))
    return r
"""),
    module(("number", "number"), """
from collections import defaultdict
class A(dict):
    def __missing__(self, k):
        if k {comparison} {few}: self[k] = {few}
        return 1
class B(dict):
    def __missing__(self, k): return 0
def count(d, keys):
    r = []
    for k in keys:
        d[k] += k
        r.append(d[k])
    return r, list(d.items())
def f0(p0, p1):
    r = []
    for make in (lambda: defaultdict(int), B, A, dict, lambda: defaultdict(lambda: p1)):
        for keys in ((p0, p1, p0), [n % 3 for n in range(5)], [{few}, p0]):
            try: r.append(count(make(), keys))
            except (KeyError, TypeError) as e: r.append(type(e).__name__)
    return r
"""),
    module(("number", "count"), """
class A:
    def __init__(self, v): self.v = v
    @classmethod
    def make(cls, v): return cls(v)
    @classmethod
    def name(cls): return cls.__name__
class B(A):
    @classmethod
    def name(cls): return 'own', super().name()
class C:
    v = {few}
    def make(self, v): return A(v)
    def name(self): return {few}
def ask(c, n):
    return c.name(), getattr(c.make(n), 'v'), getattr(c, 'v', None), isinstance(c, (B, C)), isinstance(n, (int, str)), isinstance(c, (A, int))
def f0(p0, p1):
    kinds, r = [A(p0), B(p1), C(), A, B(p0), C], []
    for n in range(7):
        try: r.append(ask(kinds[n * p1 % 6], (p0, n)[n % 2]))
        except (TypeError, AttributeError) as e: r.append(str(e))
        if n == p1 % 9: kinds[0].name = lambda: 'its'
    return r
"""),
)
