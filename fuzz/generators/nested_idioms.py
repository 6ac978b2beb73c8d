"""Idioms about functions that others make for themselves, called through the variables that these share."""

from fuzz.generators.class_idioms import module
from fuzz.generators.iterating_idioms import DYING

IDIOMS = (
    # Recursion through a shared variable, which somebody may bind to something else in the middle.
    module(("count", "number", "few"), """
import types
def f0(p0, p1, p2):
    def make(y):
        def walk(k, deep={few}): return (y, deep) if k < 1 else walk(k - 1)
        return walk
    def walk(k, deep=0):
        nonlocal walk
        if k == {few}: walk = others[p2 % len(others)]
        if k < 1: return (deep, p1 {arithmetic} k)
        return walk(k - 1) if k {comparison} {few} else walk(k - 1, deep + 1) if k % 2 else walk(deep=deep, k=k - 1)
    first = walk
    twin = types.FunctionType(walk.__code__, {{'__builtins__': {{}}}}, 'twin', (p1,), walk.__closure__)
    others = [walk, make(p1), twin, abs, lambda k, deep=1: (k, deep), None, type]
    cells = tuple(types.CellType(cell.cell_contents) for cell in walk.__closure__)
    others.append(types.FunctionType(walk.__code__, globals(), 'copied', (p1,), cells))
    r = []
    for k in range(p0 % 9):
        for _ in range(2):
            try: r.append(walk(k))
            except Exception as e: r.append((type(e), str(e)))
        walk = first
    return r
"""),
    # Counters, lists and numbers that grow, with branches, among functions that call each other.
    module(("count", "number", "few"), """
def f0(p0, p1, p2):
    total, seen = {few}, []
    def left(k: int, x: "any" = p1) -> tuple:
        nonlocal total
        total = total {arithmetic} x
        if k {comparison} {few}: seen.append((k, x))
        return right(k - 2, x) if k > 1 else total
    def right(k, x):
        return x if k < 1 else left(k - 1) if k % 3 else [left(j, j) for j in range(k % 3 + 1)]
    def both(k):
        return left(k), right(k, {near})
    r = []
    for x in (p0 % 9, {few} % 7, 3):
        try: r.append(both(x))
        except (ArithmeticError, TypeError) as e: r.append((type(e), total, len(seen), e.__traceback__.tb_next.tb_lineno))
        if x == {few}: total = p2
    return r, total, seen
"""),
    # What a frame shows of them, what they raise, and what dies in them.
    module(("count", "few", "number"), DYING, """
def f0(p0, p1, p2):
    held = Dies(-1)
    def down(k, thing):
        if k == {few}: thing = None
        if k > 0: return down(k - 1, Dies(k))
        f, out = sys._getframe(), []
        while f is not None and f.f_globals is globals():
            out.append((f.f_code.co_name, f.f_lineno, sorted(f.f_locals), f.f_locals.get('k')))
            f = f.f_back
        if p1 {comparison} {few}: raise {error}(p2)
        return out
    r = []
    for k in range(p0 % 7):
        try: r.append(down(k, held))
        except Exception as e:
            t = e.__traceback__
            while t: r.append((t.tb_lineno, t.tb_frame.f_code.co_name)); t = t.tb_next
        if k == {few} % 5: held = None
    down = None
    return r, SEEN
"""),
)
