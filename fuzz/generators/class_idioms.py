"""Idioms about classes: which one an instance is of, what it has, and what happens when it changes; see object_idioms.py."""

from fuzz.generators.idioms import MODULE, Idiom

#: Heads that several have.
_TRUTHS = """class A: pass
class B:
    def __init__(self, n={few}): self.n = n
    def __len__(self): return abs(self.n)
class C(B):
    def __bool__(self): return self.n {comparison} {few}
"""
_LEVELS = """class A:
    level = {number}
    def name(self): return 'A', self.level
class B:
    level = {few}
    def name(self): return 'B', self.level
class C(A):
    def name(self): return 'C', super().name()
"""


def module(parameters, *texts):
    """An Idiom that is a whole module; each text may begin with an empty line."""
    return Idiom(parameters, MODULE + "".join(text.removeprefix("\n") for text in texts))


IDIOMS = (
    # Truth, length, equality, hashes.
    module(("count", "number"), _TRUTHS, """
def ask(c):
    return 'yes' if {negation}c else 'no'
def f0(p0, p1):
    kinds = (A, B, C)
    return ask(kinds[p0 % 3]()), ask(p1), ask(None), ask(C(p1)), ask(B())
"""),
    module(("count", "few"), _TRUTHS, """
def f0(p0, p1):
    r = []
    for c in (A(), A(), (A, B, C)[p0 % 3](), B(p1), None)[p0 % 3:]:
        if {negation}c:
            r.append(1)
        r.append(type(c {junction} p1).__name__)
    return r
"""),
    module(("count", "few"), _TRUTHS, """
def f0(p0, p1):
    c = (B, C)[p0 % 2](p1 % 8)
    for r in range(9):
        if {negation}c: break
        c.n -= 1
    return r, len(c), bool(c)
"""),
    module(("number", "number"), """
class A:
    def __init__(self, v): self.v = v
    def __eq__(self, o): return self.v == o.v if isinstance(o, A) else self.v == o
    def __hash__(self): return {few}
def f0(p0, p1):
    a, b = A(p0), A(p1)
    d = {{a: 1, p1: 2}}
    return a == b, a != b, a == p1, len({{a, b}}), a in d, b in [1, a], d.get(p0), p1 in (a, b)
"""),
    # Classes as values; classes that change; attributes that move. A class has no list or tuple for an attribute: code holds these (README's limits).
    module(("count", "number"), _LEVELS, """
def level(k):
    return k.level
def f0(p0, p1):
    kinds = A, B, C
    r = [level(A), level(kinds[p0 % 3]), level(B)]
    kinds[p0 // 3 % 3].level = p1 + 0
    return r, level(A), level(C)
"""),
    module(("count", "number"), _LEVELS, """
def make(k):
    return k().name()
def f0(p0, p1):
    kinds = A, B, C
    return [make(kinds[n % 3]) for n in range(p0 % 5, 5)], make(kinds[p0 % 2])
"""),
    module(("count", "bool"), _LEVELS, """
def change(c, k):
    if k: c.__class__ = k
def use(c, k):
    r = c.name()
    change(c, k)
    return r, c.name(), c.level
def f0(p0, p1):
    kinds = (None, A, B, C)
    return use(A(), kinds[p0 % 4]), use(A(), B if p1 else None)
"""),
    module(("count", "number"), _LEVELS, """
def change(k, v):
    k.level = v
def f0(p0, p1):
    c = (A, B, C)[p0 % 3]()
    r = c.level
    change((A, B, C)[p0 // 3 % 3], p1 + 0)
    s = c.level
    if p0 % 2: c.level = {few}
    return r, s, c.level, c.name()
"""),
    module(("bool", "number"), """
class A:
    def __init__(self, v): self.v = v
first = A.__init__
def other(self, v): self.v = 'other', v
def make(v):
    return A(v).v
def f0(p0, p1):
    A.__init__ = first
    r = [make(p1), make({few})]
    if p0: A.__init__ = other
    return r, make(p1), make({few})
"""),
    module(("bool", "number"), """
class A:
    def f(self, n): return n {arithmetic} 1
class B(A): pass
first = A.f
def call(c, n):
    return c.f(n)
def f0(p0, p1):
    A.f = first
    c = B()
    r = call(c, p1)
    if p0: {method_changed}
    r = r, call(c, p1), call(A(), p1)
    if 'f' in vars(B): del B.f
    return r
"""),
    module(("count", "number"), """
class A:
    def __init__(self): self.x = 1
class B:
    __slots__ = ('x', 'y')
    def __init__(self): self.x = 2.5
class C:
    x = {few}
class D:
    def __getattr__(self, name): return name
class E:
    @property
    def x(self): return {number}
def get(c):
    return c.x
def f0(p0, p1):
    kinds = A, B, C, D, E
    return get(kinds[p0 % 5]()), get(kinds[p0 // 5 % 5]()), [get(k()) for k in kinds]
"""),
    module(("count", "number"), """
class A:
    x = {few}
    def __init__(self, v): self.x, self.y = v, 1
class B:
    __slots__ = ('x', 'y')
    def __init__(self, v): self.x, self.y = v, 2
def put(c, v):
    c.y = v
    return c.x, c.y
def f0(p0, p1):
    c = (A, B)[p0 % 2](p1)
    r = put(c, p1)
    if p0 % 3 == 0: del c.x
    try:
        r = r, put(c, {few}), c.x
    except AttributeError as e:
        r = r, e.args
    return r, hasattr(c, 'x')
"""),
    module(("number", "number"), """
class A:
    count = 0
    def __init__(self, v):
        type(self).count += 1
        A.count = A.count + {few}
        self.v = v {arithmetic} self.count
class B(A): pass
def f0(p0, p1):
    r = [A(p0).v, B(p1).v, A(p1).v]
    return r, A.count, B.count
"""),
    module(("number", "number"), """
class A:
    def __init__(self, v): self._v = v
    @property
    def v(self): return self._v
    @v.setter
    def v(self, v): self._v = v {arithmetic} {few}
def f0(p0, p1):
    c = A(p0)
    c.v = p1
    c.v += {few}
    return c.v, c._v
"""),
    module(("number", "count"), """
class A:
    def __init__(self, v): self.v = v
    def __getattr__(self, name): return name, self.v
    @classmethod
    def make(cls, v, *, w={few}): return cls(v {arithmetic} w)
    @staticmethod
    def plain(v, w=2): return v {comparison} w
class B(A): pass
def f0(p0, p1):
    k = (A, B)[p1 % 2]
    c = k.make(p0)
    return c.v, k.plain(p0), c.plain(p0, {few}), c.other, B.make(p0, w=p0).v
"""),
    # Numbers held by attributes and items, seen by others.
    module(("float", "count"), """
class A:
    def __init__(self, v): self.v = v
def bump(c, by):
    c.v = c.v {arithmetic} by
    return c.v
def f0(p0, p1):
    c, kept = A(p0), []
    for n in range(p1 % 6):
        kept.append(c.v)
        r = bump(c, {float})
    before = c.v
    bump(c, p0)
    return kept, before, c.v
"""),
    module(("float", "float"), """
class A:
    def __init__(self, v, w): self.v, self.w = v, w
def swap(c):
    c.v, c.w = c.w, c.v
def f0(p0, p1):
    c = A(p0, p1)
    b = A(c.v, c.v)
    c.v = c.v {arithmetic} p1
    swap(c)
    c.w {arithmetic}= {float}
    return c.v, c.w, b.v, b.w, p0, p1
"""),
    module(("float", "count"), """
def f0(p0, p1):
    items = [p0, p0, 1.5]
    first = items[p1 % 3]
    for n in range(p1 % 5):
        items[n % 3] = items[n % 3] {arithmetic} {float}
        last = items[n % 3]
        items[n % 3] {arithmetic}= 0.5
    return first, items, p0
"""),
)
