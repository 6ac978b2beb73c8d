"""Idioms about what is called, and asked for, by a value: functions and bound methods in variables, attributes that may not be there, methods of types in C."""

from fuzz.generators.class_idioms import module

#: A head that several have.
_CALLEES = """def g(a, b={few}, *, c={few}): return a, b, c
def h(a, b=1, *, c=2): return 'h', a, b, c
class A:
    def __init__(self, v): self.v, self.f, self.own = v, g, self.step
    def step(self, a, b={few}): self.v = a; return self.v, b
    def __call__(self, a, b=5): return 'called', a, b
class B(A):
    def step(self, a, b={few}): return 'other', a, b
"""
_ASKED = """class A:
    def __init__(self, v): self.v = v
class B(A):
    x = {number}
class C(A):
    def __getattr__(self, name): return name, 'asked'
class D:
    __slots__ = ('v', 'x')
    def __init__(self, v): self.x = v
"""

IDIOMS = (
    # Functions and bound methods in variables.
    module(("number", "count"), _CALLEES, """
def call(f, a):
    return f(a), f(a, {few}), f(b=a, a={few})
def f0(p0, p1):
    callees = [g, h, A(p0).step, B(p0).step, A(p0), lambda a, b=1: (a, b), g]
    r = [call(g, p0) for _ in range(3)]
    for f in callees[p1 % 7:]:
        r.append(call(f, p0))
    return r
"""),
    module(("number", "count"), _CALLEES, """
def run(f, n):
    r = 0
    for k in range(n % 9):
        r = r {arithmetic} f(k)
    return r
def f0(p0, p1):
    def inner(a): return a {arithmetic} {few}
    return run(inner, p1), run(lambda a: p0, p1), run(inner, {few}), run(abs, p1)
"""),
    module(("number", "count"), _CALLEES, """
def run(c, n):
    own, r = c.step, []
    for k in range(n % 6):
        r += own(k), c.own(k, c.v), c.f(k)
        if k == {few}: c.own, c.f = c.f, c.own
    return r
def f0(p0, p1):
    return run(A(p0), p1), run(B(p0), p1), run((A, B)[p1 % 2](p0), 5)
"""),
    module(("number", "bool"), _CALLEES, """
first, defaults, named = g.__code__, g.__defaults__, {{'c': {few}}}
def run(f, c, a):
    return f(a), f(a, c=a), c.f(a), c.own(a)
def f0(p0, p1):
    g.__code__, g.__defaults__, g.__kwdefaults__ = first, defaults, dict(named)
    c = A(p0)
    r = run(g, c, p0)
    if p1: {function_changed}
    return r, run(g, c, p0), run(g, c, {few})
"""),
    # Attributes that may not be there.
    module(("number", "count"), _ASKED, """
def ask(c):
    return getattr(c, 'x', {number}), hasattr(c, 'x'), getattr(c, 'v', None), hasattr(c, 'v')
def f0(p0, p1):
    kinds, r = (A, B, C, D, A), []
    for k in range(p1 % 9):
        c = kinds[(k {arithmetic} {few}) % 5 if k {comparison} {few} else p1 % 5](p0)
        r.append(ask(c))
        if k == {few}: c.x = k
        r.append(ask(c))
    return r, ask(p0), ask(None)
"""),
    module(("number", "count"), _ASKED, """
def ask(c):
    r = getattr(c, 'x', 1)
    return 'set' if hasattr(c, 'x') {junction} r else r
def f0(p0, p1):
    c = (A, B, D)[p1 % 3](p0)
    r = [ask(c) for _ in range(3)]
    for change in (lambda: setattr(c, 'x', p0), lambda: delattr(c, 'x'), lambda: setattr(A, 'x', {few}), lambda: vars(c).update(x=2), lambda: setattr(c, '__class__', A))[p1 % 5:]:
        try: change()
        except Exception as e: r.append(type(e))
        r.append(ask(c))
    if 'x' in vars(A): del A.x
    return r, ask(c)
"""),
    # Methods of types in C.
    module(("number", "count"), """
from collections import deque
class A(deque):
    def append(self, v): super().append((v, {few}))
class B:
    def __init__(self, *v): self.v = list(v)
    def append(self, v): self.v.append(v)
    def popleft(self): return self.v.pop(0)
    def __len__(self): return len(self.v)
def run(q, v, n):
    r = []
    for k in range(n % 8):
        q.append(v {arithmetic} k)
        if k {comparison} {few}: r.append(q.popleft())
    return r, len(q)
def f0(p0, p1):
    kinds = (deque, deque, A, B, list)
    return run(deque(), p0, p1), run(deque((p0, 1), 2), p0, p1), run(kinds[p1 % 5](), p0, 3), run(deque(), {number}, 6)
"""),
    module(("number", "count"), """
from io import BytesIO, StringIO
def run(s, v, n):
    for _ in range(n % 5):
        s.write(v)
    return s.tell(), s.getvalue()
def f0(p0, p1):
    s = BytesIO()
    r = run(s, b'ab', p1), run(StringIO(), 'c', p1)
    if p1 {comparison} {few}: s.write = lambda v: r
    elif p1 {comparison} {few}: s.close()
    return r, run(s, b'x', 3), run(BytesIO(), p0, p1 % 2)
"""),
)
