"""Idioms about what loops and comprehensions walk over, and about what dies when they are over."""

from fuzz.generators.class_idioms import module

#: Tells of its death, and by whom it was let go.
DYING = """import sys
SEEN = []
class Dies:
    def __init__(self, n): self.n = n
    def __del__(self):
        f = sys._getframe(1)
        SEEN.append((self.n, *((f.f_code.co_name, f.f_lineno) if f.f_globals is globals() else ())))
    def __hash__(self): return self.n
"""

IDIOMS = (
    # Sets that change while they are walked over. (The hash of a nan follows from its address, and so does its place.)
    module(("count", "few", "number"), """
def walk(s, n, v):
    r = []
    for x in s:
        r.append(x)
        if len(r) == n % 7:
            if {few} > 3: s.discard(x); s.add(int({near}))
            elif {few} > 0: s.add(v)
            elif {few} > -6: s.discard(v)
            else: s.clear()
        if len(r) > 30: {way}
    return r, len(s)
def f0(p0, p1, p2):
    r, p1, p2 = [], p1 if p1 == p1 else 0, p2 if p2 == p2 else 5
    for s in (set(range(p0 % 20)), {{p1, p2, 1.5}}, {{1, 2, 3}}, set(range(0, 99, {few} or 1)), set()):
        s = {{v for v in s if v == v}}
        try: r.append(walk(s, p1, p2))
        except RuntimeError as e: r.append(str(e))
    return r, sorted(map(repr, {{x {arithmetic} {few} for x in frozenset(range(p0 % 9)) if x or {few} > 0}})), [x for x in {{True, {near}, p1}} if x == x]
"""),
    # Enumerations and zips, of containers that change.
    module(("numbers", "count", "few"), """
def both(x, y):
    return [(i, a) for i, a in enumerate(x, {few}) if a {comparison} {number}], [a {arithmetic} b for a, b in zip(x, y)], {{a: i for i, (a, b) in enumerate(zip(y, x))}}
def shrink(x, y, n):
    r = []
    for i, (a, b) in enumerate(zip(x, y)):
        r.append((i, a, b))
        if i == n % 5 and type(x) is list: del x[{few}:]
        if i > 20: {way}
    return r
def f0(p0, p1, p2):
    r, many = [], list(p0)
    for x, y in ((many, range(p1)), (range(p1), many), ({{1, 2, 3}}, many), ('ab', {{1: 2, 3: 4}}), ({{p2: p1, 5: 6}}.items(), many), (many, many), (b'ab', (1.5, None)), (p2, many)):
        try: r.append(both(x, y))
        except (TypeError, ZeroDivisionError, OverflowError) as e: r.append((type(e), e.__traceback__.tb_next and e.__traceback__.tb_next.tb_lineno))
        try: r.append(shrink(x, y, p2))
        except (TypeError, RuntimeError) as e: r.append(str(e))
    return r
"""),
    # Functions, iterators and closures that die, with what they hold.
    module(("few", "count"), DYING, """
def make(n, kept):
    thing = Dies(n)
    def inner(a=thing if {few} > 2 else n, *, b={few}): return thing if {few} > 0 else a
    if {few} > 5: inner.extra = Dies(n + 100)
    if {few} < -5: kept.append(inner)
    return inner
def f0(p0, p1):
    kept, r = [], []
    for k in range(p1 % 9 + 3):
        f = make(k, kept)
        g = f if k % 3 == p0 % 3 else (lambda: f)
        r.append(f() is g())
        f = None
        g = None
        for i, t in enumerate([Dies(k + 200), 1] if {few} > 0 else (1, Dies(k + 300))): t = None
        for t in {{Dies(k + 400), 5}}: t = i = None
        for a, b in zip([Dies(k + 500)], ([f, kept],)): a = b = None
    kept.clear()
    return r, SEEN
"""),
    # Several references from one thing that dies.
    module(("few", "count"), DYING, """
class Holds:
    def __init__(self, *items): self.items, self.more = items, [*items, {few}]
def f0(p0, p1):
    for k in range(p1 % 6 + 2):
        a, b = [Dies(k)], (Dies(k + 50), {few})
        t = Holds(a, b, a) if k % 4 == 0 else [a, [b, a], {{1: b}}] if k % 4 == 1 else (lambda x=(a, b): a) if k % 4 == 2 else [[[a]], a, b, {{2, 3}}, b]
        if p0 {comparison} {few}: a = b = None
        t = None
        a = b = 1
    return SEEN
"""),
    # Complex numbers; ints, floats and others at the same place.
    module(("number", "float", "few"), """
def run(z, w):
    return z {arithmetic} w, abs(z), z * z + w, complex(w, {few})
def f0(p0, p1, p2):
    r = []
    for z, w in ((1j, 2.5), (complex(p1, 1), p0), (p0, 1.5 + 2j), (1j, 1j), (complex('nan'), p2), (p1, p2), (0j, 0), (1 + 1j, {number}), (True, 1j)):
        try: r.append(list(map(repr, run(z, w))))
        except (ArithmeticError, TypeError) as e: r.append((type(e), str(e), e.__traceback__.tb_next.tb_lineno))
    z = 0
    for k in range(p2 % 9 + 3):
        if abs(z) > {few} + 12: break
        z = z * z + complex(0.25, k)
    return r, repr(z)
"""),
    # Copies whose keys are compared, tables with tuples for keys, sequences put together.
    module(("few", "count", "text"), """
import sys
SEEN = []
class K:
    def __init__(self, n): self.n = n
    def __hash__(self): return self.n % 3
    def __eq__(self, o):
        f = sys._getframe(1)
        SEEN.append((f.f_code.co_name, f.f_lineno))
        return self is o
def copy(d): return d.copy()
def build(a, b): return {{(1, 'x'): a, (1, 'y'): b, (2.0, None): 3}}, {{a: 1, b: 2, a: {few}}}
def join(x, n): return x + x, x * n, (x * {few}) + x[:n]
def f0(p0, p1, p2):
    keys = [K(k) for k in range(p1 % 12)]
    d = dict.fromkeys(keys, p0)
    for k in keys[:{few}]: del d[k]
    r = [len(copy({{1: 2}})), list(copy(d)) == list(d), len(copy({{'a': 1}}))]
    for a, b in ((1, 2), (p0, p2), ('a', 'a'), (keys and keys[0], p0), ([], 1)):
        try: r.append(len(build(a, b)[{few} % 2]))
        except TypeError as e: r.append(str(e))
    for x in ((1, p0), p2, b'ab', [p0], bytearray(b'c'), ''):
        try: r.append(join(x, p0))
        except (TypeError, MemoryError, OverflowError) as e: r.append(str(e))
    return r, SEEN
"""),
)
