"""Idioms about builtins that are called without a frame: with values of the types for which that is so, and with others at the same place."""

from fuzz.generators.class_idioms import module

#: Looks at its caller when it is asked for a number or a text.
_LOOKING = """import sys
SEEN = []
class Looks:
    def __index__(self):
        f = sys._getframe(1)
        SEEN.append((f.f_code.co_name, f.f_lineno, sorted(f.f_locals)))
        return 2
    __int__ = __round__ = __index__
    def __float__(self): return float(self.__index__())
    def __repr__(self): return 'looks' * self.__index__()
class T(str):
    def __str__(self): return 'its own'
    def find(self, *a): return a
"""
_DECIMALS = """import decimal
from decimal import Decimal
class D(Decimal):
    def __add__(self, o): return 'its own', str(o)
    def __lt__(self, o): return 0
def of(v):
    try: return Decimal(v)
    except (TypeError, ValueError, ArithmeticError): return v
def shown(v): return str(v), type(v).__name__
"""

IDIOMS = (
    module(("text", "text", "few"), """
def f0(p0, p1, p2):
    r = []
    for part in p0.split(p1 or ' ', p2):
        r += part.strip().upper(), part.find(p1), part.count(p1, p2), part.startswith(p1), part.partition(p1 or 'x')[{few} % 3]
        r.append(part.isdigit() {junction} part.rjust(p2, '*') + part.replace(p1, '-', p2))
    return r, p0.encode().hex(), p0.index(p1, {few})
"""),
    module(("text", "number"), _LOOKING, """
def take(s, n):
    return s.find('a', n), s.center(n % 9 if n {comparison} {few} else {few}), s.zfill({few}), s.expandtabs(n % 5)
def f0(p0, p1):
    r = [take(p0, k) for k in range(3)]
    for s, n in ((T(p0), 1), (p0, Looks()), (p0, True), (p0, p1), (b'ab', 2), (p0, None))[{few} % 6:]:
        try: r.append(take(s, n))
        except (TypeError, OverflowError, MemoryError) as e: r.append(str(e))
    return r, SEEN
"""),
    module(("number", "few"), _LOOKING, """
def ask(v, n):
    return int(v), float(v), round(v, n), format(v), hash(v) {comparison} {few}, repr(v)
def f0(p0, p1):
    r = []
    for v in (p0, {number}, {few}, str(p0), Looks(), T({few}), p0)[p1 % 5:]:
        for n in (p1, {few}, Looks()):
            try: r.append(ask(v, n))
            except (TypeError, ValueError, OverflowError) as e: r.append((type(e), str(e), e.__traceback__.tb_lineno))
    return r, SEEN
"""),
    module(("text", "few"), """
def number(s):
    try: return int(s)
    except ValueError:
        try: return float(s)
        except ValueError as e: return str(e)
def f0(p0, p1):
    return [number(s) for s in (p0, '{few}', str({number}), p0 + '1', ' 7 ', '0x1f', b'5')], int('12', base=p1), int(p0 or '1', p1)
"""),
    module(("number", "number"), """
import struct
def put(v, w):
    s = struct.pack('<qd', v, w)
    return s.hex(), struct.unpack('<qd', s), len(s), int.from_bytes(s, 'big', signed=True)
def f0(p0, p1):
    r = []
    for v, w in ((1, 2.5), (p0, p1), ({number}, {number}), (p1, 1)):
        try: r.append(put(v, w))
        except (struct.error, OverflowError, TypeError) as e: r.append((type(e), str(e)))
    return r, p0.to_bytes({few} % 9, 'little', signed={few} > 0)
"""),
    module(("text", "few"), """
import re
def look(m, k):
    return m.start(k), m.end(), m.span(k), m.group(k)
def f0(p0, p1):
    r = []
    for p in ('(a)|b', '.', '(?P<a>x*)', 'q'):
        for m in re.finditer(p, p0 + 'ab'):
            for k in (0, p1, 'a', True):
                try: r.append(look(m, k))
                except IndexError as e: r.append(str(e))
    return r, look(None if p1 {comparison} {few} else re.match('', p0), 0)
"""),
    module(("number", "number"), _DECIMALS, """
def run(a, b):
    return a + b, a - b, a * b, a {comparison} b, a == b, a % b, a / b
def f0(p0, p1):
    a, b, r = of(p0), of(p1), []
    for x, y in ((Decimal('1.5'), 2), (a, b), (b, {few}), (a, {number}), (D(3), a), (b, a), ({few}, b)):
        try: r.append(list(map(shown, run(x, y))))
        except (ArithmeticError, TypeError) as e: r.append((type(e).__name__, e.__traceback__.tb_next and e.__traceback__.tb_next.tb_lineno))
    return r
"""),
    module(("number", "few"), _DECIMALS, """
def total(items, start):
    for v in items:
        if v {comparison} {few}: start = start {arithmetic} v
        else: start += v
        kept = [start, (v, start)]
    return start, kept
def f0(p0, p1):
    items = [Decimal(k) / 7 for k in range(p1 % 9)]
    with decimal.localcontext() as context:
        context.prec = {few} % 12 + 1
        context.traps[decimal.Inexact] = {few} > 4
        r = [shown(total(items, s)[0]) for s in (Decimal(1), 0, Decimal('{few}'))]
        r.append(shown(total([*items, of(p0), {number}], Decimal(2))[0]))
    return r, [s.__name__ for s, v in context.flags.items() if v]
"""),
)
