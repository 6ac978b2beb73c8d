"""Idioms about instances and classes: what inline caches, direct calls, and the ownership of references have to notice.

Each asks one thing several times and lets something happen in between, mostly: another class comes, a class or a function is changed, an object
loses its last reference. Names: A, B, C are classes, f0 is the entry, p<number> are its parameters, r is the result. Those about classes alone
are in class_idioms.py, those about what is called in callee_idioms.py, about builtins without frames in blind_idioms.py, about iteration in
iterating_idioms.py, about functions in functions in nested_idioms.py, about patterns in pattern_idioms.py.
"""

from fuzz.generators import blind_idioms, callee_idioms, class_idioms, iterating_idioms, nested_idioms, pattern_idioms
from fuzz.generators.class_idioms import module
from fuzz.generators.idioms import idiom_program

#: A head that several have.
_LOUD = """GONE = []
class A:
    def __init__(self, v): self.v = v
    def __del__(self): GONE.append(self.v)
"""

IDIOMS = (
    *class_idioms.IDIOMS,
    *callee_idioms.IDIOMS,
    *blind_idioms.IDIOMS,
    *iterating_idioms.IDIOMS,
    *nested_idioms.IDIOMS,
    *pattern_idioms.IDIOMS,
    # Globals that callees store; functions that change.
    module(("number", "count"), """
K = {number}
def step(a):
    global K
    K = (K {arithmetic} a) % 997
def run(a, n):
    r = []
    for _ in range(n % 7):
        r.append(K)
        step(a)
    return r
def f0(p0, p1):
    return run(p0, p1 % 6), K, run({few}, 3)
"""),
    module(("number", "count"), """
K = 0
class A:
    def step(self, a):
        global K
        K = a
def look():
    return K
def f0(p0, p1):
    global K
    K = {few}
    c, r = A(), [look(), K]
    for n in range(p1 % 4):
        c.step(n if n {comparison} 1 else p0)
        r += K, look()
    return r
"""),
    module(("number", "bool"), """
def g(a, b={few}, *, c={few}): return a, b, c
def h(a, b=1, *, c=2): return 'h', a, b, c
first, defaults, named = g.__code__, g.__defaults__, {{'c': {few}}}
def call(a):
    return g(a), g(a, c=a), g(a, a)
def f0(p0, p1):
    g.__code__, g.__defaults__, g.__kwdefaults__ = first, defaults, dict(named)
    r = call(p0)
    if p1: {function_changed}
    return r, call(p0), call({few})
"""),
    # The last reference. No argument is one: how long these live is among README's limits.
    module(("number", "count"), _LOUD, """
def take(*, value=A({few})): return value.v
def give(value=A({number})): return value.v
def f0(p0, p1):
    GONE.clear()
    r = [take() for _ in range(p1 % 7)], [give() for _ in range(p1 % 7)]
    return r, GONE[:]
"""),
    module(("number", "count"), _LOUD, """
def last(v):
    c = A(v)
    v = c.v {comparison} {few}
    c = {few}
    GONE.append('after')
    return v
def f0(p0, p1):
    GONE.clear()
    c = A(p0)
    for n in range(p1 % 4):
        c = A(n)
        GONE.append('turn')
    r = last(p0), A(p0).v, [A(n) for n in range(p1 % 3)][-1:]
    return r[:2], len(r), GONE[:]
"""),
    module(("number", "count"), _LOUD, """
class B:
    def __init__(self, a): self.a = a
def put(b, a):
    b.a = a
    GONE.append('put')
def f0(p0, p1):
    GONE.clear()
    b = B(A(p0))
    for n in range(p1 % 4): put(b, A(n))
    items = [A(10), A(11), b]
    items[p1 % 3] = A(p0)
    GONE.append('item')
    items.pop(p1 % 2)
    d = {{p1: b}}
    d[p1] = b = None
    GONE.append('end')
    del items
    return GONE[:]
"""),
    module(("number", "count"), _LOUD, """
def fail(v, n):
    c, d = A(v), A(n)
    if n {comparison} 2: raise {error}(n)
    return c.v
def f0(p0, p1):
    GONE.clear()
    r = []
    for n in range(p1 % 5):
        try:
            r.append(fail(p0, n))
        except {error} as e:
            r.append(e.args)
        finally:
            GONE.append('turn')
    return r, GONE[:]
"""),
    # Operators, calls, iteration, contexts.
    module(("number", "count"), """
class A:
    def __init__(self, v): self.v = v
    def __add__(self, o): return self.v + o if o {comparison} {few} else NotImplemented
    def __radd__(self, o): return 'radd', self.v
    def __lt__(self, o): return NotImplemented if isinstance(o, B) else self.v < {few}
class B(A):
    def __radd__(self, o): return 'B', self.v
    def __gt__(self, o): return 'gt'
def add(a, b):
    return a + b
def f0(p0, p1):
    r = [add({few}, A(p0)), A(p0) < B(p0)]
    try:
        r.append(add(A(1), p1))
        r.append(add(A(1), (1, {few}, 2.5)[p1 % 3]))
    except TypeError as e:
        r.append(e.args)
    return r
"""),
    module(("count", "number"), """
class A:
    def __init__(self, n): self.n = n
    def __iter__(self):
        for i in range(self.n % 5): yield i {arithmetic} {few}
class B:
    def __init__(self, n): self.n = n
    def __iter__(self): return self
    def __next__(self):
        self.n -= 1
        if self.n not in range(5): raise StopIteration
        return self.n
class C:
    def __init__(self, n): self.n = n
    def __getitem__(self, i):
        if not i < self.n % 5: raise IndexError(i)
        return -i
def total(c):
    r = []
    for x in c: r.append(x)
    return r
def f0(p0, p1):
    k = (A, B, C)[p0 % 3]
    return total(k(p0 % 4)), total((p1, 1)), total(k(2)), {few} in k(3), [*k(2)]
"""),
    module(("number", "count"), """
LOG = []
class A:
    def __init__(self, v): self.v = v
    def __enter__(self):
        LOG.append('in')
        return self
    def __exit__(self, kind, error, trace):
        LOG.append(kind and kind.__name__)
        return self.v {comparison} {few}
def f0(p0, p1):
    LOG.clear()
    r = 0
    for n in range(p1 % 4):
        with A(n) as c:
            r = r + c.v
            if n == {few}: raise {error}(n)
            p0 = p0 {arithmetic} n
    return r, p0, LOG[:]
"""),
    module(("count", "number"), """
class A:
    def __init__(self, v): self.v = v
    def __enter__(self): return self.v
    def __exit__(self, kind, error, trace): return False
class B(A):
    def __enter__(self): return self.v {arithmetic} {few}
    def __exit__(self, kind, error, trace): return kind is not None
class C(A):
    def __enter__(self):
        self.__class__ = B
        return self
def use(c, n):
    r = []
    for i in range(4):
        with c as a, A(i) as b:
            if i {comparison} {few}: {way}
            r.append((a, b {arithmetic} n))
            if i == {few}: raise {error}(i)
    return r
def f0(p0, p1):
    kinds = A, B, C, A
    return use(kinds[p0 % 4](p0), p1), use(kinds[p0 // 4 % 4](p1), {few}), use(A(1), p1)
"""),
    module(("number", "number"), """
class A:
    def __init__(self, v): self.v = v
    def __call__(self, n=1, *rest, w={few}, **more): return self.v, n, rest, w, more
    def f(self, n, *rest): return n, rest
def f0(p0, p1):
    c = A(p0)
    f = c.f
    return c(), c(p1), c(1, 2, w=p1, x=3), f(p1), f(*[1, p0]), list(map(c.f, [p0, 1])), A.f(c, p1)
"""),
    module(("number", "count"), """
class A(list):
    def add(self, v):
        self.append(v)
        return len(self)
class B(dict):
    def __missing__(self, key): return key, {few}
class C(list):
    def __len__(self): return {few} % 5
    def __getitem__(self, i): return 'item', i
def f0(p0, p1):
    a, b, c = A((1, 2)), B({{1: 2}}), C((1, 2))
    a.add(p0)
    b[p0] = p1
    return a[p1 % 3], a.add(1), b[1], b[p1], len(c), c[p1], [x for x in c], (A, C)[p1 % 2]([3])[0], len((a, c)[p1 % 2])
"""),
    module(("number", "text"), """
class A:
    def __init__(self, v): self.v = v
    def __str__(self): return 's%s' % self.v
    def __format__(self, spec): return spec + 'f'
class B(A):
    def __repr__(self): return 'r'
    __format__ = object.__format__
def show(c):
    return f'{{c}}|{{c!s}}|%s' % c
def f0(p0, p1):
    return show(B(p0)), show(p1), show(A(p0)), show(A(p1)), f'{{A(1):>3}}', '-'.join(map(str, (B(2), A(p0))))
"""),
    module(("count", "number"), """
class A:
    def __init__(self, n, v):
        self.n = n
        self.v = v
        if n > 0: self.next = A(n - 1, v {arithmetic} {few})
        else: self.next = None
def total(a):
    if a is None: return ()
    return (a.v, *total(a.next))
def f0(p0, p1):
    return total(A(p0 % 5, p1))
"""),
    module(("number", "count"), """
def make(v):
    class A:
        k = v
        def f(self, n): return n {arithmetic} self.k
    return A
def call(c, n):
    return c.f(n)
def f0(p0, p1):
    A, B = make(p0), make({few})
    def local(n): return n, p0
    r = []
    for n in range(p1 % 5):
        r.append(call((A, B)[n % 2](), n))
        r.append(local(n))
        if n == 2: local.__code__ = (lambda n: (p0, n)).__code__
    return r
"""),
)


def object_idiom_program(choices):
    """A Program that is one of them."""
    return idiom_program(choices, IDIOMS)
