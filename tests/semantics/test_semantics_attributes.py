"""Attributes, methods and instances of Python classes: the same as interpreted, whatever happens to class, instance or dict."""

import gc
import sys
import weakref

import jit
import pytest


def run_both(source, calls=6):
    """Run `main` of a module twice over, interpreted and with all its functions and methods compiled; both must agree call by call."""
    sides = []
    for compiled in (False, True):
        namespace = {"__name__": "attributes", "log": []}
        exec(source, namespace)
        if compiled:
            decorate(namespace)
        sides.append(namespace)
    for _ in range(calls):
        wanted, found = (attempt(namespace) for namespace in sides)
        assert found == wanted
    assert sides[0]["log"] == sides[1]["log"]
    return sides[1]


def decorate(namespace, seen=None):
    for item in list(namespace.values()):
        item = getattr(item, "__func__", item)
        if isinstance(item, property):
            for part in (item.fget, item.fset):
                if part is not None:
                    jit.jit(part)
        elif type(item).__name__ == "function" or isinstance(item, type(decorate)):
            jit.jit(item)
        elif isinstance(item, type) and item.__module__ == "attributes":
            decorate(vars(item))


def attempt(namespace):
    try:
        return repr(namespace["main"]())
    except Exception as error:
        lines, trace = [], error.__traceback__.tb_next
        while trace is not None:
            lines.append((trace.tb_frame.f_code.co_name, trace.tb_lineno))
            trace = trace.tb_next
        return type(error).__name__, str(error), lines


PROGRAMS = {
    "values of all kinds": """
class C:
    def __init__(self, a, b):
        self.a = a
        self.b = b
    def sum(self):
        return self.a + self.b
    def swap(self):
        self.a, self.b = self.b, self.a
def use(c, n):
    for i in range(n):
        c.swap()
        c.a += i
    return c.sum(), c.a, c.b, list(c.__dict__.items()) if n == 7 else None
def main():
    return [use(C(x, y), n) for x, y in ((1, 2), (1.5, 2), (2**62, 2**62), (-0.0, 0.0), (True, 5), ('a', 'b')) for n in (0, 3, 7) if n == 0 or x != 'a']
""",
    "order of names": """
class C:
    def first(self):
        self.x = 1
        self.y = 2
        self.z = 3
    def second(self):
        self.z = 30
        self.x = 10
        self.y = 20
def main():
    a, b = C(), C()
    a.first()
    b.second()
    a.second()
    return list(a.__dict__.items()), list(b.__dict__.items()), list(vars(b))
""",
    "attribute not set": """
class C:
    def get(self):
        return self.x
def main():
    c, found = C(), []
    for turn in range(4):
        try:
            found.append(c.get())
        except AttributeError as error:
            found.append(str(error))
        if turn == 1:
            c.x = 5
        if turn == 2:
            del c.x
    return found
""",
    "instance gets a dict": """
class C:
    def __init__(self):
        self.x = 1
    def bump(self):
        self.x += 1
        return self.x
def main():
    c = C()
    c.bump()
    d = c.__dict__
    c.bump()
    d['x'] = 50
    c.bump()
    c.__dict__ = {'x': 100, 'bump': lambda: 'own'}
    r = c.x, c.bump()
    del c.bump
    return r, c.bump(), sorted(c.__dict__), len(d)
""",
    "own attribute before the method": """
class C:
    def f(self):
        return 'class'
def call(c):
    return c.f()
def main():
    c, d = C(), C()
    r = [call(c), call(d)]
    c.f = lambda: 'own'
    r += [call(c), call(d)]
    del c.f
    return r + [call(c)]
""",
    "the class changes": """
class C:
    k = 1
    def f(self):
        return self.k
def call(c):
    return c.f(), c.k, C.k
def main():
    c = C()
    r = [call(c)]
    C.k = 2
    r.append(call(c))
    C.f = lambda self: 'other'
    r.append(call(c))
    C.k = 1
    del C.f
    try:
        call(c)
    except AttributeError as e:
        r.append(str(e))
    C.f = lambda self: self.k
    return r
""",
    "the class changes while its method runs": """
class C:
    def f(self, turn):
        r = self.g()
        change(turn)
        return r, self.g()
    def g(self):
        return 'first'
def change(turn):
    if turn == 2:
        C.g = lambda self: 'second'
    if turn == 4:
        C.g = g
g = C.g
def main():
    c = C()
    return [c.f(turn) for turn in range(6)]
""",
    "an instance changes its class": """
class A:
    def __init__(self): self.x = 1
    def f(self): return 'A', self.x
class B:
    def __init__(self): self.y, self.x = 2, 3
    def f(self): return 'B', self.x
def twice(a):
    r = a.f()
    turn(a)
    return r, a.f(), a.x
def turn(a):
    a.__class__ = B if type(a) is A else A
def main():
    return [twice(a) for a in (A(), A(), B(), A())]
""",
    "many classes": """
class Base:
    def __init__(self, v): self.v = v
    def area(self): return self.v * self.factor()
    def factor(self): return 0
classes = [type('K%d' % n, (Base,), {'factor': eval('lambda self: %d' % n)}) for n in range(9)]
def total(items):
    s = 0
    for item in items:
        s += item.area() + item.v
    return s
def main():
    return [total([classes[n % count](n) for n in range(20)]) for count in (1, 2, 3, 5, 9)]
""",
    "slots": """
class S:
    __slots__ = ('a', 'b')
    def __init__(self, a):
        self.a = a
    def more(self):
        self.b = self.a + 1
        return self.b
def main():
    s = S(3)
    r = []
    for i in range(3):
        try:
            r.append(s.b)
        except AttributeError as e:
            r.append(str(e))
        r.append(s.more())
        s.a = 2.5
        if i == 1:
            del s.b
    return r
""",
    "properties and descriptors": """
class D:
    def __get__(self, instance, owner): return 'got', instance is None
    def __set__(self, instance, value): log.append(value)
class N:
    def __get__(self, instance, owner): return 'non-data'
class C:
    d = D()
    n = N()
    def __init__(self): self._x = 1
    @property
    def x(self): return self._x
    @x.setter
    def x(self, value): self._x = value * 2
    @staticmethod
    def s(a): return a + 1
    @classmethod
    def c(cls, a): return cls.__name__, a
def use(c):
    c.x = c.x + 1
    c.d = 5
    return c.x, c.d, c.n, c.s(1), c.c(2), C.s(3), C.c(4)
def main():
    c = C()
    r = [use(c), use(c)]
    c.__dict__['n'] = 'own'
    c.__dict__['d'] = 'hidden'
    return r + [use(c)]
""",
    "getattr and getattribute": """
class G:
    def __init__(self): self.x = 1
    def __getattr__(self, name): return 'missing ' + name
class H:
    def __getattribute__(self, name): return 'all ' + name
class S:
    def __setattr__(self, name, value): log.append((name, value))
def use(g, h, s):
    s.x = 5
    return g.x, g.y, h.x, h.anything
def main():
    return use(G(), H(), S())
""",
    "making instances": """
class Plain: pass
class Counted:
    made = 0
    def __init__(self, a, b=2, *, c=3):
        Counted.made += 1
        self.a, self.b = a, b
class WithNew:
    def __new__(cls, *a): return 'no instance' if a else super().__new__(cls)
class Wrong:
    def __init__(self, a): 
        if a: return 5
class Fails:
    def __init__(self, a): raise ValueError(a)
class Meta(type):
    def __call__(cls, *a): return ('meta', a)
class WithMeta(metaclass=Meta): pass
def make(kind, *a): return kind(*a)
def main():
    r = [type(Plain()).__name__, Counted(1).b, Counted(1, 5).b, Counted(a=7).a, WithNew(1), type(WithNew()).__name__, WithMeta(3), Counted.made > 0]
    for f in (lambda: Wrong(1), lambda: Fails(2), lambda: Plain(1), lambda: Counted(), lambda: Counted(1, 2, 3)):
        try:
            r.append(type(f()).__name__)
        except (TypeError, ValueError) as e:
            r.append((type(e).__name__, str(e)))
    return r, type(Wrong(0)).__name__
""",
    "an init that sometimes returns something": """
class C:
    def __init__(self, a):
        self.a = a
        if a == 3:
            return helper(a)
def helper(a): return a
def make(a): return C(a).a
def main():
    r = []
    for a in (1, 2, 3, 4):
        try: r.append(make(a))
        except TypeError as e: r.append(str(e))
    return r
""",
    "class methods and classes derived from builtin ones": """
class Stack(list):
    limit = 3
    def put(self, item):
        if len(self) < self.limit: self.append(item)
        return len(self)
    @classmethod
    def of(cls, *items):
        made = cls()
        for item in items: made.put(item)
        return made
    @classmethod
    def name(cls, a): return cls.__name__, a
class Deep(Stack):
    def append(self, item):
        log.append(item)
        super().append(item)
class Text(str):
    def twice(self): return self.upper() + self
def use(n): return Stack.name(n), Deep.name(n + 0.5)
def main():
    r = [(Stack.of(1, 2, 3, 4), Deep.of('a', 'b'), use(n), Text('ab').twice()) for n in range(3)]
    s = Stack((1,))
    s.append = log.append
    return r, s.put(5), s
""",
    "truth of instances": """
class Node:
    def __init__(self, next): self.next = next
class Falsy:
    def __bool__(self): return False
class Sized:
    def __len__(self): return 0
def length(node):
    n = 0
    while node:
        n += 1
        node = node.next
    return n
def truths(items): return [1 if item else 0 for item in items], [not item for item in items]
def main():
    node = None
    for _ in range(5): node = Node(node)
    return length(node), length(None), truths([node, None, Falsy(), Sized(), 0, 1.5, '', 'a', []]), length(Node(Falsy()))
""",
    "isinstance": """
class A: pass
class B(A): pass
class Liar:
    @property
    def __class__(self): return A
def what(x): return isinstance(x, A), isinstance(x, B), isinstance(x, (int, B)), isinstance(x, int)
def main(): return [what(x) for x in (A(), B(), Liar(), 1, None, 'a', A(), B())]
""",
    "linked structures": """
class Node:
    def __init__(self, value, next): self.value, self.next = value, next
def build(n):
    node = None
    for i in range(n): node = Node(i, node)
    return node
def reverse(node):
    previous = None
    while node is not None:
        node.next, previous, node = previous, node, node.next
    return previous
def values(node):
    found = []
    while node is not None:
        found.append(node.value)
        node = node.next
    return found
def main(): return values(reverse(build(6))), values(build(3))
""",
    "finalisers of what is overwritten": """
class Noisy:
    def __init__(self, name): self.name = name
    def __del__(self):
        log.append(self.name)
        holder.x = None if len(log) % 3 == 0 else holder.x
class Holder:
    def put(self, item):
        self.x = item
        return self.x is item
holder = Holder()
def main():
    holder.x = None
    r = [holder.put(Noisy(n)) for n in range(6)]
    return r, len(log)
""",
    "class attributes through instances and classes": """
class Base:
    limit = 10
    table = {'a': 1}
    def use(self, n):
        self.table['a'] += n
        return self.limit + n, self.table['a'], type(self).limit
class Derived(Base):
    limit = 20.5
def main():
    r = [k().use(n) for k in (Base, Derived) for n in (1, 2)]
    d = Derived()
    d.limit = 'own'
    try: r.append(d.use(1))
    except TypeError as e: r.append(str(e))
    Base.table['a'] = 1
    return r
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_both_ways(name):
    run_both(PROGRAMS[name])


def test_what_is_compiled_is_compiled():
    namespace = run_both(PROGRAMS["values of all kinds"])
    assert jit.explain(namespace["use"]).versions and jit.explain(namespace["C"].sum).versions


def test_classes_and_instances_die_in_time():
    """Nothing compiled keeps a class, an instance or what it holds alive."""
    def make():
        class Local:
            def __init__(self, x):
                self.x = x

            def get(self):
                return self.x
        return Local

    @jit.jit
    def use(item):
        return item.get() + item.x

    references = []
    for _ in range(12):
        kind = make()
        for function in (kind.__init__, kind.get):
            jit.jit(function)
        item = kind(3)
        assert [use(item) for _ in range(5)] == [6] * 5
        references += [weakref.ref(kind), weakref.ref(item)]
        del item, function
        assert references[-1]() is None
        del kind
    gc.collect()
    assert not any(reference() for reference in references)


def test_reference_counts_of_attributes_stay():
    class Holder:
        def __init__(self, item):
            self.item = item

        def get(self):
            return self.item

        def exchange(self, other):
            self.item, other.item = other.item, self.item
            return self.item

    @jit.jit
    def use(one, two):
        one.exchange(two)
        return one.get() is two.get()

    for function in (Holder.__init__, Holder.get, Holder.exchange):
        jit.jit(function)
    first, second = object(), object()
    one, two = Holder(first), Holder(second)
    use(one, two)
    before = sys.getrefcount(first), sys.getrefcount(second), sys.getrefcount(one)
    for _ in range(1000):
        use(one, two)
    assert (sys.getrefcount(first), sys.getrefcount(second), sys.getrefcount(one)) == before
    assert jit.explain(Holder.exchange).versions


OPERATORS = """
class V:
    def __init__(self, x): self.x = x
    def __add__(self, other):
        if type(other) is V: return V(self.x + other.x)
        if other == 99: return NotImplemented
        return V(self.x + 1)
    def __radd__(self, other): return ('radd', other, self.x)
    def __mul__(self, factor): return V(self.x * factor)
    __rmul__ = __mul__
    def __sub__(self, other): log.append('sub'); return NotImplemented
    def __eq__(self, other): return self.x == other.x
    def __lt__(self, other): return self.x < other.x
    def __repr__(self): return 'V(%r)' % self.x
class W(V):
    def __radd__(self, other): return 'W first'
class I(V):
    def __iadd__(self, other): self.x += 100; return self
class U:
    def __radd__(self, other): return 'U asked'
    def __rsub__(self, other): return 'U asked again'
class M:
    def __add__(self, other): return 1 if other else 'no'
class N(int):
    def __sub__(self, other): log.append('N sub'); return NotImplemented
    def __rsub__(self, other): log.append('N rsub'); return NotImplemented
    def __mul__(self, other): return NotImplemented
class X:
    def __mul__(self, other): return NotImplemented
    def __index__(self): return 2
def add(a, b): return a + b
def sub(a, b): return a - b
def mul(a, b): return a * b
def more(a, b):
    a += b
    return a
def same(a, b): return a == b, a != b
def less(a, b): return 'less' if a < b else 'not', a > b
def attempt(f, *a):
    try: return f(*a)
    except (TypeError, AttributeError) as e: return type(e).__name__, str(e)
def main():
    pairs = [(V(1), V(2)), (V(1), 2), (V(1), W(2)), (W(1), V(2)), (V(1), U()), (2, V(1)), (2.5, V(1)), (V(1), 99), (V(1), 'a'), ('a', V(1)),
             (I(1), V(2)), (M(), 0), (M(), 5), (V(2.5), V(2.5)), (V(1), None), (None, V(1)), (V(2), I(3)), (N(5), 3), (3, N(5)), (N(5), N(2)), (2.5, N(1)), (X(), [1]), (X(), 'ab'), (X(), 3)]
    found = []
    for f in (add, sub, mul, more, same, less):
        for a, b in pairs * 2:
            found.append(attempt(f, a, b))
    for _ in range(12):
        found.append((attempt(add, V(1), V(2)), attempt(add, V(1), 99), attempt(sub, V(1), V(2)), attempt(less, V(1), V(2)), attempt(mul, 3, V(2))))
    return found
"""


@pytest.mark.parametrize("one", [None, "add", "sub", "mul", "more", "same", "less"])
def test_operators_of_instances(one):
    source = OPERATORS if one is None else OPERATORS.replace("(add, sub, mul, more, same, less)", f"({one},)")
    run_both(source, calls=4)


def test_operators_of_one_class_are_called_directly():
    namespace = run_both(OPERATORS.replace("def main():", "def main():\n    return [less(add(V(n), V(2)), mul(V(n), 2)) for n in range(5)]\ndef other():"), calls=8)
    for name in ("add", "mul", "less"):
        assert "call" in jit.disassemble(namespace[name]) and jit.explain(namespace[name]).versions
