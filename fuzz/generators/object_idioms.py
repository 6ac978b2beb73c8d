"""Idioms about instances and classes: what inline caches, direct calls, and the ownership of references have to notice.

Each asks one thing several times and lets something happen in between, mostly: another class comes, a class or a function is changed, an object
loses its last reference. Names: A, B, C are classes, f0 is the entry, p<number> are its parameters, r is the result.
"""

from fuzz.generators.idioms import MODULE, Idiom, idiom_program

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
_LOUD = """GONE = []
class A:
    def __init__(self, v): self.v = v
    def __del__(self): GONE.append(self.v)
"""


def module(parameters, *texts):
    """An Idiom that is a whole module."""
    return Idiom(parameters, MODULE + "".join(texts))


IDIOMS = (
    # Truth, length, equality, hashes.
    module(("count", "number"), _TRUTHS, "def ask(c):\n    return 'yes' if {negation}c else 'no'\ndef f0(p0, p1):\n    kinds = (A, B, C)\n    return ask(kinds[p0 % 3]()), ask(p1), ask(None), ask(C(p1)), ask(B())\n"),
    module(("count", "few"), _TRUTHS, "def f0(p0, p1):\n    r = []\n    for c in (A(), A(), (A, B, C)[p0 % 3](), B(p1), None)[p0 % 3:]:\n        if {negation}c:\n            r.append(1)\n        r.append(type(c {junction} p1).__name__)\n    return r\n"),
    module(("count", "few"), _TRUTHS, "def f0(p0, p1):\n    c = (B, C)[p0 % 2](p1 % 8)\n    for r in range(9):\n        if {negation}c: break\n        c.n -= 1\n    return r, len(c), bool(c)\n"),
    module(("number", "number"), "class A:\n    def __init__(self, v): self.v = v\n    def __eq__(self, o): return self.v == o.v if isinstance(o, A) else self.v == o\n    def __hash__(self): return {few}\ndef f0(p0, p1):\n    a, b = A(p0), A(p1)\n    d = {{a: 1, p1: 2}}\n    return a == b, a != b, a == p1, len({{a, b}}), a in d, b in [1, a], d.get(p0), p1 in (a, b)\n"),
    # Classes as values; classes that change; attributes that move. A class has no list or tuple for an attribute: code holds these (README's limits).
    module(("count", "number"), _LEVELS, "def level(k):\n    return k.level\ndef f0(p0, p1):\n    kinds = A, B, C\n    r = [level(A), level(kinds[p0 % 3]), level(B)]\n    kinds[p0 // 3 % 3].level = p1 + 0\n    return r, level(A), level(C)\n"),
    module(("count", "number"), _LEVELS, "def make(k):\n    return k().name()\ndef f0(p0, p1):\n    kinds = A, B, C\n    return [make(kinds[n % 3]) for n in range(p0 % 5, 5)], make(kinds[p0 % 2])\n"),
    module(("count", "bool"), _LEVELS, "def change(c, k):\n    if k: c.__class__ = k\ndef use(c, k):\n    r = c.name()\n    change(c, k)\n    return r, c.name(), c.level\ndef f0(p0, p1):\n    kinds = (None, A, B, C)\n    return use(A(), kinds[p0 % 4]), use(A(), B if p1 else None)\n"),
    module(("count", "number"), _LEVELS, "def change(k, v):\n    k.level = v\ndef f0(p0, p1):\n    c = (A, B, C)[p0 % 3]()\n    r = c.level\n    change((A, B, C)[p0 // 3 % 3], p1 + 0)\n    s = c.level\n    if p0 % 2: c.level = {few}\n    return r, s, c.level, c.name()\n"),
    module(("bool", "number"), "class A:\n    def __init__(self, v): self.v = v\nfirst = A.__init__\ndef other(self, v): self.v = 'other', v\ndef make(v):\n    return A(v).v\ndef f0(p0, p1):\n    A.__init__ = first\n    r = [make(p1), make({few})]\n    if p0: A.__init__ = other\n    return r, make(p1), make({few})\n"),
    module(("bool", "number"), "class A:\n    def f(self, n): return n {arithmetic} 1\nclass B(A): pass\nfirst = A.f\ndef call(c, n):\n    return c.f(n)\ndef f0(p0, p1):\n    A.f = first\n    c = B()\n    r = call(c, p1)\n    if p0: {method_changed}\n    r = r, call(c, p1), call(A(), p1)\n    if 'f' in vars(B): del B.f\n    return r\n"),
    module(("count", "number"), "class A:\n    def __init__(self): self.x = 1\nclass B:\n    __slots__ = ('x', 'y')\n    def __init__(self): self.x = 2.5\nclass C:\n    x = {few}\nclass D:\n    def __getattr__(self, name): return name\nclass E:\n    @property\n    def x(self): return {number}\ndef get(c):\n    return c.x\ndef f0(p0, p1):\n    kinds = A, B, C, D, E\n    return get(kinds[p0 % 5]()), get(kinds[p0 // 5 % 5]()), [get(k()) for k in kinds]\n"),
    module(("count", "number"), "class A:\n    x = {few}\n    def __init__(self, v): self.x, self.y = v, 1\nclass B:\n    __slots__ = ('x', 'y')\n    def __init__(self, v): self.x, self.y = v, 2\ndef put(c, v):\n    c.y = v\n    return c.x, c.y\ndef f0(p0, p1):\n    c = (A, B)[p0 % 2](p1)\n    r = put(c, p1)\n    if p0 % 3 == 0: del c.x\n    try:\n        r = r, put(c, {few}), c.x\n    except AttributeError as e:\n        r = r, e.args\n    return r, hasattr(c, 'x')\n"),
    module(("number", "number"), "class A:\n    count = 0\n    def __init__(self, v):\n        type(self).count += 1\n        A.count = A.count + {few}\n        self.v = v {arithmetic} self.count\nclass B(A): pass\ndef f0(p0, p1):\n    r = [A(p0).v, B(p1).v, A(p1).v]\n    return r, A.count, B.count\n"),
    module(("number", "number"), "class A:\n    def __init__(self, v): self._v = v\n    @property\n    def v(self): return self._v\n    @v.setter\n    def v(self, v): self._v = v {arithmetic} {few}\ndef f0(p0, p1):\n    c = A(p0)\n    c.v = p1\n    c.v += {few}\n    return c.v, c._v\n"),
    module(("number", "count"), "class A:\n    def __init__(self, v): self.v = v\n    def __getattr__(self, name): return name, self.v\n    @classmethod\n    def make(cls, v, *, w={few}): return cls(v {arithmetic} w)\n    @staticmethod\n    def plain(v, w=2): return v {comparison} w\nclass B(A): pass\ndef f0(p0, p1):\n    k = (A, B)[p1 % 2]\n    c = k.make(p0)\n    return c.v, k.plain(p0), c.plain(p0, {few}), c.other, B.make(p0, w=p0).v\n"),
    # Numbers held by attributes and items, seen by others.
    module(("float", "count"), "class A:\n    def __init__(self, v): self.v = v\ndef bump(c, by):\n    c.v = c.v {arithmetic} by\n    return c.v\ndef f0(p0, p1):\n    c, kept = A(p0), []\n    for n in range(p1 % 6):\n        kept.append(c.v)\n        r = bump(c, {float})\n    before = c.v\n    bump(c, p0)\n    return kept, before, c.v\n"),
    module(("float", "float"), "class A:\n    def __init__(self, v, w): self.v, self.w = v, w\ndef swap(c):\n    c.v, c.w = c.w, c.v\ndef f0(p0, p1):\n    c = A(p0, p1)\n    b = A(c.v, c.v)\n    c.v = c.v {arithmetic} p1\n    swap(c)\n    c.w {arithmetic}= {float}\n    return c.v, c.w, b.v, b.w, p0, p1\n"),
    module(("float", "count"), "def f0(p0, p1):\n    items = [p0, p0, 1.5]\n    first = items[p1 % 3]\n    for n in range(p1 % 5):\n        items[n % 3] = items[n % 3] {arithmetic} {float}\n        last = items[n % 3]\n        items[n % 3] {arithmetic}= 0.5\n    return first, items, p0\n"),
    # Globals that callees store; functions that change.
    module(("number", "count"), "K = {number}\ndef step(a):\n    global K\n    K = (K {arithmetic} a) % 997\ndef run(a, n):\n    r = []\n    for _ in range(n % 7):\n        r.append(K)\n        step(a)\n    return r\ndef f0(p0, p1):\n    return run(p0, p1 % 6), K, run({few}, 3)\n"),
    module(("number", "count"), "K = 0\nclass A:\n    def step(self, a):\n        global K\n        K = a\ndef look():\n    return K\ndef f0(p0, p1):\n    global K\n    K = {few}\n    c, r = A(), [look(), K]\n    for n in range(p1 % 4):\n        c.step(n if n {comparison} 1 else p0)\n        r += K, look()\n    return r\n"),
    module(("number", "bool"), "def g(a, b={few}, *, c={few}): return a, b, c\ndef h(a, b=1, *, c=2): return 'h', a, b, c\nfirst, defaults, named = g.__code__, g.__defaults__, {{'c': {few}}}\ndef call(a):\n    return g(a), g(a, c=a), g(a, a)\ndef f0(p0, p1):\n    g.__code__, g.__defaults__, g.__kwdefaults__ = first, defaults, dict(named)\n    r = call(p0)\n    if p1: {function_changed}\n    return r, call(p0), call({few})\n"),
    # The last reference. No argument is one: how long these live is among README's limits.
    module(("number", "count"), _LOUD, "def take(*, value=A({few})): return value.v\ndef give(value=A({number})): return value.v\ndef f0(p0, p1):\n    GONE.clear()\n    r = [take() for _ in range(p1 % 7)], [give() for _ in range(p1 % 7)]\n    return r, GONE[:]\n"),
    module(("number", "count"), _LOUD, "def last(v):\n    c = A(v)\n    v = c.v {comparison} {few}\n    c = {few}\n    GONE.append('after')\n    return v\ndef f0(p0, p1):\n    GONE.clear()\n    c = A(p0)\n    for n in range(p1 % 4):\n        c = A(n)\n        GONE.append('turn')\n    r = last(p0), A(p0).v, [A(n) for n in range(p1 % 3)][-1:]\n    return r[:2], len(r), GONE[:]\n"),
    module(("number", "count"), _LOUD, "class B:\n    def __init__(self, a): self.a = a\ndef put(b, a):\n    b.a = a\n    GONE.append('put')\ndef f0(p0, p1):\n    GONE.clear()\n    b = B(A(p0))\n    for n in range(p1 % 4): put(b, A(n))\n    items = [A(10), A(11), b]\n    items[p1 % 3] = A(p0)\n    GONE.append('item')\n    items.pop(p1 % 2)\n    d = {{p1: b}}\n    d[p1] = b = None\n    GONE.append('end')\n    del items\n    return GONE[:]\n"),
    module(("number", "count"), _LOUD, "def fail(v, n):\n    c, d = A(v), A(n)\n    if n {comparison} 2: raise {error}(n)\n    return c.v\ndef f0(p0, p1):\n    GONE.clear()\n    r = []\n    for n in range(p1 % 5):\n        try:\n            r.append(fail(p0, n))\n        except {error} as e:\n            r.append(e.args)\n        finally:\n            GONE.append('turn')\n    return r, GONE[:]\n"),
    # Operators, calls, iteration, contexts.
    module(("number", "count"), "class A:\n    def __init__(self, v): self.v = v\n    def __add__(self, o): return self.v + o if o {comparison} {few} else NotImplemented\n    def __radd__(self, o): return 'radd', self.v\n    def __lt__(self, o): return NotImplemented if isinstance(o, B) else self.v < {few}\nclass B(A):\n    def __radd__(self, o): return 'B', self.v\n    def __gt__(self, o): return 'gt'\ndef add(a, b):\n    return a + b\ndef f0(p0, p1):\n    r = [add({few}, A(p0)), A(p0) < B(p0)]\n    try:\n        r.append(add(A(1), p1))\n        r.append(add(A(1), (1, {few}, 2.5)[p1 % 3]))\n    except TypeError as e:\n        r.append(e.args)\n    return r\n"),
    module(("count", "number"), "class A:\n    def __init__(self, n): self.n = n\n    def __iter__(self):\n        for i in range(self.n % 5): yield i {arithmetic} {few}\nclass B:\n    def __init__(self, n): self.n = n\n    def __iter__(self): return self\n    def __next__(self):\n        self.n -= 1\n        if self.n not in range(5): raise StopIteration\n        return self.n\nclass C:\n    def __init__(self, n): self.n = n\n    def __getitem__(self, i):\n        if not i < self.n % 5: raise IndexError(i)\n        return -i\ndef total(c):\n    r = []\n    for x in c: r.append(x)\n    return r\ndef f0(p0, p1):\n    k = (A, B, C)[p0 % 3]\n    return total(k(p0 % 4)), total((p1, 1)), total(k(2)), {few} in k(3), [*k(2)]\n"),
    module(("number", "count"), "LOG = []\nclass A:\n    def __init__(self, v): self.v = v\n    def __enter__(self):\n        LOG.append('in')\n        return self\n    def __exit__(self, kind, error, trace):\n        LOG.append(kind and kind.__name__)\n        return self.v {comparison} {few}\ndef f0(p0, p1):\n    LOG.clear()\n    r = 0\n    for n in range(p1 % 4):\n        with A(n) as c:\n            r = r + c.v\n            if n == {few}: raise {error}(n)\n            p0 = p0 {arithmetic} n\n    return r, p0, LOG[:]\n"),
    module(("number", "number"), "class A:\n    def __init__(self, v): self.v = v\n    def __call__(self, n=1, *rest, w={few}, **more): return self.v, n, rest, w, more\n    def f(self, n, *rest): return n, rest\ndef f0(p0, p1):\n    c = A(p0)\n    f = c.f\n    return c(), c(p1), c(1, 2, w=p1, x=3), f(p1), f(*[1, p0]), list(map(c.f, [p0, 1])), A.f(c, p1)\n"),
    module(("number", "count"), "class A(list):\n    def add(self, v):\n        self.append(v)\n        return len(self)\nclass B(dict):\n    def __missing__(self, key): return key, {few}\nclass C(list):\n    def __len__(self): return {few} % 5\n    def __getitem__(self, i): return 'item', i\ndef f0(p0, p1):\n    a, b, c = A((1, 2)), B({{1: 2}}), C((1, 2))\n    a.add(p0)\n    b[p0] = p1\n    return a[p1 % 3], a.add(1), b[1], b[p1], len(c), c[p1], [x for x in c], (A, C)[p1 % 2]([3])[0], len((a, c)[p1 % 2])\n"),
    module(("number", "text"), "class A:\n    def __init__(self, v): self.v = v\n    def __str__(self): return 's%s' % self.v\n    def __format__(self, spec): return spec + 'f'\nclass B(A):\n    def __repr__(self): return 'r'\n    __format__ = object.__format__\ndef show(c):\n    return f'{{c}}|{{c!s}}|%s' % c\ndef f0(p0, p1):\n    return show(B(p0)), show(p1), show(A(p0)), show(A(p1)), f'{{A(1):>3}}', '-'.join(map(str, (B(2), A(p0))))\n"),
    module(("count", "number"), "class A:\n    def __init__(self, n, v):\n        self.n = n\n        self.v = v\n        if n > 0: self.next = A(n - 1, v {arithmetic} {few})\n        else: self.next = None\ndef total(a):\n    if a is None: return ()\n    return (a.v, *total(a.next))\ndef f0(p0, p1):\n    return total(A(p0 % 5, p1))\n"),
    module(("number", "count"), "def make(v):\n    class A:\n        k = v\n        def f(self, n): return n {arithmetic} self.k\n    return A\ndef call(c, n):\n    return c.f(n)\ndef f0(p0, p1):\n    A, B = make(p0), make({few})\n    def local(n): return n, p0\n    r = []\n    for n in range(p1 % 5):\n        r.append(call((A, B)[n % 2](), n))\n        r.append(local(n))\n        if n == 2: local.__code__ = (lambda n: (p0, n)).__code__\n    return r\n"),
)


def object_idiom_program(choices):
    """A Program that is one of them."""
    return idiom_program(choices, IDIOMS)
