"""``x[i]`` and ``x[i] = v`` of instances of Python classes call the class's method directly: values, errors, references and frames are the interpreter's."""

import pytest

from compare import child

HEAD = """
import sys, traceback, weakref
from jit import jit
log = []
class Thing:
    def __init__(self, name):
        self.name = name
    def __del__(self):
        log.append(("dies", self.name))
    def __repr__(self):
        return f"<{self.name}>"
class SubInt(int):
    def __index__(self):
        return 1
class Raises:
    def __index__(self):
        raise KeyError("no index")
    __eq__ = __hash__ = __bool__ = __index__
    def __repr__(self):
        return "Raises()"
VALUES = [0, 1, -1, 2, 5, 2**31, -2**31, 2**62, -2**62, 2**63, -2**63, True, False, SubInt(2), 1.0, -0.0, float("nan"), float("inf"), None, "", "a",
          (), (0, 1), (1, 0), slice(0, 2), [1], b"x", Raises()]
class Grid:
    def __init__(self, *rows):
        self.rows = [list(row) for row in rows]
    def __getitem__(self, index):
        if isinstance(index, tuple):
            return self.rows[index[1]][index[0]]
        return self.rows[index]
    def __setitem__(self, index, value):
        if isinstance(index, tuple):
            self.rows[index[1]][index[0]] = value
        else:
            self.rows[index] = value
def read(grid, index):
    return grid[index]
def write(grid, index, value):
    grid[index] = value
    return value
def outcome(function, *arguments):
    try:
        found = function(*arguments)
        return type(found).__name__, repr(found)
    except BaseException as problem:
        lines = [(step.name, step.lineno) for step in traceback.extract_tb(problem.__traceback__)]
        context = problem.__context__
        return type(problem).__name__, str(problem), lines, type(context).__name__
def show(*what):
    print(*what, log)
    log.clear()
"""

PROGRAMS = {
    "hostile values": """
def make():
    return Grid([1, 2.5, "x"], [True, None, 2**63], [Thing("t"), (), []])
def work():
    for value in VALUES:
        for other in VALUES[::3]:
            grid = make()
            show(outcome(read, grid, value), outcome(write, grid, value, other), repr(grid.rows), outcome(write, grid, (1, 1), value), repr(grid.rows))
CLASSES = [Grid]
""",
    "numbers in registers": """
def fill(grid, count):
    total = 0.0
    for x in range(count):
        for y in range(count):
            grid[x, y] = x * 1.5 + y
            total += grid[y, x]
        row = grid[x]
        row[0] -= 1.5
    for x in range(count):
        grid[0, 0] *= 2.0
        grid[x % 2, 0] -= grid[0, 1]
    return total
def work():
    for count in (0, 1, 2, 3, 3, 3, 4):
        grid = Grid([0] * 3, [0] * 3, [0.0] * 3)
        show(outcome(fill, grid, count), grid.rows)
CLASSES = [Grid]
FUNCTIONS = [fill]
""",
    "several classes": """
class Own(Grid):
    def __getitem__(self, index):
        return "own", Grid.__getitem__(self, index)
class Inherits(Grid):
    pass
class Slots:
    __slots__ = "a"
    def __getitem__(self, index):
        return self.a
    def __setitem__(self, index, value):
        self.a = index, value
class Row(list):
    def __getitem__(self, index):
        return "row", list.__getitem__(self, index)
    def __setitem__(self, index, value):
        list.__setitem__(self, index, [value])
class Names(dict):
    def __getitem__(self, index):
        return "names", self.get(index)
    def __missing__(self, index):
        return "missing"
class Text(str):
    def __getitem__(self, index):
        return "text", len(self)
class Pair(tuple):
    def __getitem__(self, index):
        return tuple.__getitem__(self, -1 - index)
class Static:
    __getitem__ = staticmethod(lambda index: ("static", index))
    __setitem__ = classmethod(lambda cls, index, value: log.append((cls.__name__, index, value)))
class Bound:
    pass
Bound.__getitem__ = Grid([1, 2]).__getitem__
class Instance:
    pass
class Defaults:
    def __getitem__(self, index, other="default"):
        return index, other
    def __setitem__(self, index, value, *rest, key=5):
        log.append((index, value, rest, key))
class Meta(type):
    def __getitem__(cls, index):
        return cls.__name__, index
class Made(metaclass=Meta):
    def __class_getitem__(cls, index):
        return "class getitem"
class Plain:
    def __class_getitem__(cls, index):
        return "generic", index
class Only:
    def __getitem__(self, index):
        return index
class Stays:
    def __setitem__(self, index, value):
        return Thing(f"result {index}")
class Asks:
    def __getattribute__(self, name):
        log.append(name)
        return object.__getattribute__(self, name)
    def __getitem__(self, index):
        return index
def make():
    instance = Instance()
    instance.__getitem__ = lambda index: "never"
    return [Grid([1], [2]), Own([1], [2]), Inherits([1], [2]), Slots(), Row([1, 2]), Names(a=1), Text("ab"), Pair((1, 2)), Static(), Bound(), instance,
            Defaults(), Made, Made(), Plain, Plain(), Only(), Stays(), Asks(), [1, 2], {0: 1, 1: 2}, "ab", (1, 2), b"ab", None, 5]
def work():
    for _ in range(3):
        for thing in make():
            for index in (0, 1, "a"):
                show(outcome(read, thing, index), outcome(write, thing, index, "new"), outcome(read, thing, index))
    for many in (make()[:3], make()[:6], make()):
        for _ in range(40):
            for thing in many:
                outcome(read, thing, 0)
                outcome(write, thing, 1, 2)
        show([outcome(read, thing, 0) for thing in many], [outcome(write, thing, 0, 3) for thing in many])
CLASSES = [Grid, Own, Slots, Row, Names, Text, Pair, Defaults, Only, Stays, Asks]
""",
    "the class changes": """
class Changing:
    def __getitem__(self, index):
        return index * 2
    def __setitem__(self, index, value):
        log.append((index, value))
def loop(thing, count, when, change):
    found = []
    for i in range(count):
        if i == when:
            change()
        found.append(thing[i])
        thing[i] = i
    return found
def other_get():
    Changing.__getitem__ = lambda self, index: ("other", index)
def other_set():
    Changing.__setitem__ = lambda self, index, value: log.append("other")
def no_get():
    del Changing.__getitem__
def no_set():
    del Changing.__setitem__
def back(get=Changing.__getitem__, set=Changing.__setitem__):
    Changing.__getitem__, Changing.__setitem__ = get, set
def code():
    Changing.__getitem__.__code__ = (lambda self, index: -index).__code__
def work():
    for change in (back, other_get, back, other_set, no_get, back, no_set, back, code, back):
        show(change.__name__, outcome(loop, Changing(), 30, 20, change))
CLASSES = [Changing]
FUNCTIONS = [loop]
""",
    "references": """
class Holder:
    def __init__(self):
        self.kept = None
    def __getitem__(self, index):
        if index == 3:
            self.kept = None
        counts = sys.getrefcount(self) > 0
        del self
        log.append("self is gone")
        return counts, index
    def __setitem__(self, index, value):
        old, self.kept = self.kept, value
        del old
        log.append(("set", index))
        return Thing(f"result of {index}")
def borrowed(holder):
    index = Thing("index")
    found = holder[index]
    del index
    return found
def temporary(n):
    return Holder()[n]
def stores(holder, n):
    holder[Thing("key")] = Thing(n)
    log.append("stored")
    holder[n] = holder
    holder[n] = Thing("last")
    return holder.kept.name
def counts(holder, value):
    counted = sys.getrefcount(value), sys.getrefcount(holder)
    for n in range(20):
        holder[value] = value
        holder[n]
    return [sys.getrefcount(value) - counted[0], sys.getrefcount(holder) - counted[1]]
def work():
    for n in range(8):
        holder = Holder()
        show(outcome(borrowed, holder))
        show(outcome(temporary, n))
        show(outcome(stores, holder, n))
        show(outcome(counts, Holder(), Thing("value")))
        show()
CLASSES = [Holder]
FUNCTIONS = [borrowed, temporary, stores, counts]
""",
    "results that die and raise": """
class Result:
    def __del__(self):
        log.append(sys._getframe(1).f_lineno - sys._getframe(1).f_code.co_firstlineno)
class Gives:
    def __setitem__(self, index, value):
        if index == 7:
            raise LookupError(value)
        return [None, 5, 2.5, True, Result(), "x", [Result()]][index]
def assign(thing, count):
    done = 0
    for n in range(count):
        try:
            thing[n] = done
            done += 1
        except LookupError as problem:
            log.append((str(problem), problem.__traceback__.tb_lineno > 0))
        finally:
            done += 10
    return done
def work():
    for count in (1, 2, 5, 7, 8, 8, 9, 8):
        show(outcome(assign, Gives(), count))
CLASSES = [Gives]
FUNCTIONS = [assign]
""",
    "frames": """
class Looks:
    def __init__(self):
        self.names = []
    def __getitem__(self, index):
        if index % 5 == 4:
            frame = sys._getframe()
            self.names.append((frame.f_code.co_name, frame.f_back.f_code.co_name, frame.f_back.f_lineno - frame.f_back.f_code.co_firstlineno,
                               sorted(frame.f_back.f_locals)))
        return index
    def __setitem__(self, index, value):
        if index % 5 == 4:
            frame = sys._getframe(1)
            self.names.append(("set", frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno, frame.f_locals.get("total")))
        if index == 13:
            {}[value]
def use(thing, count):
    total = 0
    for n in range(count):
        total += thing[n]
        thing[
            n
        ] = total
    return total, thing.names
def deep(thing, level):
    return thing[level]
class Deep:
    def __getitem__(self, level):
        return 0 if not level else 1 + deep(self, level - 1)
    def __setitem__(self, level, value):
        self[level + 1] = value
def work():
    for count in (3, 12, 12, 12, 20, 20):
        show(outcome(use, Looks(), count))
    for level in (1, 10, 100):
        show(outcome(deep, Deep(), level))
    for _ in range(2):
        kind, text, lines, context = outcome(deep, Deep(), 10**6)
        show(kind, text, sorted(set(lines)), context)
        kind, text, lines, context = outcome(write, Deep(), 0, 1)
        show(kind, text, sorted(set(lines)), context)
CLASSES = [Looks, Deep]
FUNCTIONS = [use, deep]
""",
}

TAIL = """
if sys.argv[1] == "jit":
    for function in (read, write, *globals().get("FUNCTIONS", ())):
        jit(function)
    for kind in CLASSES:
        for function in list(vars(kind).values()):
            if type(function) is type(read):
                jit(function)
for _ in range(ROUNDS):
    work()
"""
#: Where once is often enough.
ROUNDS = {"hostile values": 2, "frames": 2}


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_interpreted(name):
    text = HEAD + PROGRAMS[name] + TAIL.replace("ROUNDS", str(ROUNDS.get(name, 8)))
    plain, fast = (child(text, arguments=(mode,)).splitlines() for mode in ("plain", "jit"))
    assert len(plain) > 10 and fast == plain


def test_they_are_called_directly():
    text = HEAD + PROGRAMS["numbers in registers"] + """
import jit as package
for function in (read, write, fill, Grid.__getitem__, Grid.__setitem__):
    jit(function)
for _ in range(30):
    fill(Grid([0.0] * 3, [0.0] * 3, [0.0] * 3), 3)
shown = str(package.explain(fill))
print(shown)
def calls():
    return [int(str(package.explain(method)).split(" calls from interpreted")[0].split()[-1]) for method in (Grid.__getitem__, Grid.__setitem__)]
before = calls()
fill(Grid([0.0] * 3, [0.0] * 3, [0.0] * 3), 3)
assert calls() == before, (before, calls())
"""
    assert "compiled" in child(text)
