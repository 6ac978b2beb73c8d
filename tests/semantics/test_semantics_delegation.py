"""Generators that hand on what others yield: the innermost is resumed at once, and everything looks as if all in between ran."""

import pytest

from compare import child

HEAD = """
import gc, inspect, sys, threading, traceback, weakref
from jit import jit
log = []
def names():
    frame, found = sys._getframe(1), []
    while frame is not None:
        found.append((frame.f_code.co_name, frame.f_lineno))
        frame = frame.f_back
    return found
def steps(error):
    return [(step.name, step.lineno, step.colno, step.end_colno) for step in traceback.extract_tb(error.__traceback__)]
def outcome(function, *arguments):
    try:
        return function(*arguments)
    except BaseException as error:
        return repr(error), steps(error), repr(error.__context__), repr(error.__cause__)
"""

PROGRAMS = {
    "trees": """
class Tree:
    def __init__(self, left, value, right):
        self.left, self.value, self.right = left, value, right
    def __iter__(self):
        if self.left:
            yield from self.left
        yield self.value
        if self.right:
            yield from self.right
def tree(items):
    middle = len(items) // 2
    return Tree(tree(items[:middle]), items[middle], tree(items[middle + 1:])) if items else None
FUNCTIONS = [(Tree, "__iter__")]
def work():
    for count in (0, 1, 2, 10, 300):
        made = tree(range(count))
        print(list(made or ()), sum(made or ()), sorted(made or (), reverse=True)[:3])
""",
    "results": """
def innermost(n):
    for i in range(n):
        yield i
    return n
def middle(n, kind):
    found = yield from innermost(n)
    log.append(found)
    again = yield from innermost(found // 2)
    if kind == "number":
        return found + again
    if kind == "tuple":
        return (found, again)
    if kind == "error":
        return ValueError("a value")
def outer(n, kind):
    got = yield from middle(n, kind)
    yield "got", got if not isinstance(got, Exception) else repr(got)
    return got
def collect(n, kind):
    result = yield from outer(n, kind)
    yield repr(result)
FUNCTIONS = ["innermost", "middle", "outer", "collect"]
def work():
    for kind in ("none", "number", "tuple", "error"):
        for n in (0, 1, 4):
            print(list(collect(n, kind)), log)
            log.clear()
""",
    "exceptions": """
def innermost(what):
    yield 1
    if what is not None:
        raise what
    yield 2
def middle(what, catches):
    try:
        yield from innermost(what)
    except catches as error:
        log.append(("caught", repr(error), steps(error), repr(error.__context__)))
        yield "caught"
        if what.args:
            raise
    finally:
        log.append("finally")
def outer(what, catches):
    yield from middle(what, catches)
    yield "behind"
def top(what, catches):
    yield from outer(what, catches)
def collect(make, catches, handles):
    found = []
    try:
        if handles:
            raise LookupError
        for item in top(make(), catches):
            found.append(item)
    except LookupError as error:
        for item in top(make(), catches):
            found.append(item)
    return found
FUNCTIONS = ["innermost", "middle", "outer", "top"]
def work():
    for make in (lambda: None, ValueError, lambda: ValueError("again"), GeneratorExit, lambda: KeyboardInterrupt("now"), StopIteration,
                 lambda: StopIteration(3), lambda: StopAsyncIteration(1), lambda: SystemExit(2)):
        for catches in (ValueError, BaseException, ()):
            for handles in (False, True):
                print(outcome(collect, make, catches, handles), log)
                log.clear()
""",
    "what the innermost sees": """
made = []
def innermost():
    for _ in range(3):
        log.append((names(), [g.gi_running for g in made], [g.gi_yieldfrom is not None for g in made], list(map(inspect.getgeneratorstate, made)),
                    [g.gi_frame.f_lineno for g in made], [g.gi_frame.f_lasti for g in made], sys.exc_info()[0]))
        for g in made:
            for use in (next, lambda g: g.send(None), lambda g: g.close(), lambda g: g.throw(KeyError), lambda g: g.gi_frame.clear()):
                log.append(outcome(use, g)[0])
        log.append([sorted(g.gi_frame.f_locals) for g in made])
        yield names()[1:]
def middle(inner, name):
    local = name
    yield from inner
    yield name
def run():
    made[:] = [innermost()]
    for name in "abc":
        made.append(middle(made[-1], name))
    found = []
    for item in made[-1]:
        found.append(item)
    return found, list(map(inspect.getgeneratorstate, made))
FUNCTIONS = ["innermost", "middle"]
def work():
    for _ in range(3):
        print(run(), log)
        log.clear()
        try:
            raise KeyError
        except KeyError:
            print(run(), log)
        log.clear()
""",
    "handled exceptions": """
def innermost():
    for _ in range(3):
        yield sys.exc_info()[0], repr(sys.exception()) if hasattr(sys, "exception") else None
    try:
        {}["a"]
    except KeyError:
        yield sys.exc_info()[0]
        raise ValueError("inside")
def middle(fails):
    try:
        if fails:
            raise TypeError("handled")
        yield from innermost()
    except TypeError:
        yield from innermost()
def outer(fails):
    yield from middle(fails)
FUNCTIONS = ["innermost", "middle", "outer"]
def work():
    for fails in (False, True) * 2:
        found = []
        def gather():
            for item in outer(fails):
                found.append(item)
        print(outcome(gather), found)
""",
    "sent, thrown, closed": """
def innermost():
    got = []
    try:
        while len(got) < 6:
            got.append((yield len(got)))
    except ValueError as error:
        got.append(repr(error))
        yield "caught"
    finally:
        log.append("closed")
    return got
def middle():
    got = yield from innermost()
    log.append(got)
    return got
def outer():
    return (yield from middle())
def use(steps):
    g = outer()
    found = []
    for step in steps:
        found.append(outcome({"n": lambda: next(g), "s": lambda: g.send("sent"), "t": lambda: g.throw(ValueError("thrown")),
                              "k": lambda: g.throw(KeyError("thrown")), "c": lambda: g.close(), "l": lambda: list(g)}[step]))
    return found
FUNCTIONS = ["innermost", "middle", "outer"]
def work():
    for steps in ("n", "nnnnnnnn", "nsnsnsns", "nnt", "nntn", "nnk", "nnc", "nncn", "c", "t", "nl", "nsl", "nntl", "l", "nnnnnnnnl"):
        print(steps, use(steps), log)
        log.clear()
""",
    "depth": """
def nested(n):
    if n:
        yield from nested(n - 1)
    yield n
def deep(n):
    return n and deep(n - 1)
def down(n, extra):
    if n:
        yield from down(n - 1, extra)
    else:
        yield "before"
        yield type(outcome(deep, extra)).__name__
    yield n
def endless():
    yield 0
    yield from endless()
def exhausting(n):
    if n < 300:
        yield n
        yield from exhausting(n + 1)
    yield -n
FUNCTIONS = ["nested", "down", "endless", "exhausting"]
def work():
    for n in (0, 1, 2, 63, 64, 65, 66, 130, 400):
        print(sum(nested(n)), list(nested(n)) == list(range(n + 1)))
    print(sum(exhausting(0)))
    sys.setrecursionlimit(600)
    count = 0
    try:
        for _ in endless():
            count += 1
    except RecursionError as error:
        print(count, error, len(steps(error)))
    for n in (10, 100, 300):
        for extra in range(600 - n - 30, 600 - n + 10):
            print(n, extra, outcome(lambda: list(down(n, extra))[:2])[:2])
    sys.setrecursionlimit(1000)
""",
    "life": """
class Item:
    def __init__(self, name):
        self.name = name
    def __del__(self):
        log.append(self.name)
def innermost(item):
    yield item.name
    yield 1
    del item
    log.append("deleted")
    yield 2
def middle(name):
    mine = Item(name + " of middle")
    yield from innermost(Item(name))
    log.append("after")
def outer(name):
    yield from middle(name)
def partly(count):
    found = []
    for item in outer("thing"):
        found.append(item)
        gc.collect()
        if len(found) == count:
            break
    log.append("left")
    return found
FUNCTIONS = ["innermost", "middle", "outer"]
def work():
    for count in (1, 2, 3, 9) * 3:
        print(partly(count), log)
        log.clear()
    kept = outer("kept")
    next(kept)
    dead = weakref.ref(kept)
    del kept
    print(dead(), log)
    log.clear()
    objects = len(gc.get_objects())
    for _ in range(40):
        partly(9)
        partly(2)
        log.clear()
    gc.collect()
    print(abs(len(gc.get_objects()) - objects) < 20)
""",
    "what is raised and returned dies": """
class Item:
    def __init__(self, name):
        self.name = name
    def __del__(self):
        log.append(self.name)
class Problem(Exception):
    pass
def innermost(how):
    mine = Item("innermost's")
    yield 1
    if how == "raise":
        raise Problem(Item("argument"))
    if how == "return":
        return Item("result")
    return sys.getrefcount(mine)
def middle(how):
    mine = Item("middle's")
    try:
        found = yield from innermost(how)
    except Problem as error:
        log.append((sys.getrefcount(error), len(steps(error))))
        kept.append(weakref.ref(error))
    else:
        log.append((type(found).__name__, sys.getrefcount(found) if how == "return" else found))
        del found
    log.append("after")
    yield 2
    log.append([reference() for reference in kept])
    yield 3
def outer(how):
    mine = Item("outer's")
    try:
        yield from middle(how)
    finally:
        log.append("finally")
def held():
    x = [1]
    for item in outer("return"):
        log.append((gc.get_referrers(x) == [], len(gc.get_referents(item))))
def referents(inner):
    yield from inner
def seen():
    def leaf():
        yield 1
        log.append([[type(item).__name__ for item in gc.get_referents(g)] for g in chain])
        yield 2
    chain = [leaf()]
    for _ in range(3):
        chain.append(referents(chain[-1]))
    return list(chain[-1])
kept = []
FUNCTIONS = ["innermost", "middle", "outer", "referents"]
def work():
    for how in ("raise", "return", "count") * 4:
        for item in outer(how):
            log.append(item)
        print(how, log)
        log.clear()
        kept.clear()
    held()
    for _ in range(3):
        print(seen(), log)
        log.clear()
""",
    "callbacks of the one that has ended": """
references, made = [], []
def callback(_):
    frame = sys._getframe(1)
    log.append((frame.f_code.co_name, frame.f_lineno, [(g.gi_running, g.gi_suspended, g.gi_yieldfrom is None) for g in made]))
    for use in (next, lambda g: g.close(), lambda g: g.throw(LookupError)):
        log.append(outcome(use, made[0])[0])
def innermost(how):
    yield 1
    if how:
        raise how
    return "a value"
def make(how):
    g = innermost(how)
    references.append(weakref.ref(g, callback))
    return g
def middle(how):
    log.append((yield from make(how)))
def outer(how):
    made.append(middle(how))
    try:
        yield from made[-1]
    except ValueError as error:
        log.append(repr(error))
    yield "goes on"
def use(how):
    found = []
    for item in outer(how):
        found.append(item)
    return found
FUNCTIONS = ["innermost", "middle", "outer"]
def work():
    for how in (KeyError("lost"), None, ValueError("caught")) * 3:
        print(outcome(use, how), log)
        log.clear(), made.clear(), references.clear()
""",
    "other iterators, and others' generators": """
def shared():
    for i in range(6):
        yield i
def middle(inner):
    yield from inner
    yield "m"
def outer(inner):
    yield from middle(inner)
class Iterator:
    def __init__(self):
        self.left = 3
    def __iter__(self):
        return self
    def __next__(self):
        if not self.left:
            raise StopIteration("value")
        self.left -= 1
        return self.left
FUNCTIONS = ["shared", "middle", "outer"]
def work():
    for make in (lambda: [1, 2], lambda: (), lambda: "ab", lambda: range(3), Iterator, lambda: {1: 2}, lambda: iter([1]), shared, lambda: 5, lambda: None):
        print(outcome(lambda: list(outer(make()))))
    inner = shared()
    one, two = outer(inner), outer(inner)
    print([next(one), next(two), next(inner), next(one), next(two), list(inner), list(one), list(two)])
""",
    "traced": """
def innermost():
    yield 1
    if log is not None:
        sys.settrace(tracer)
    yield 2
    sys.settrace(None)
    yield 3
def middle():
    yield from innermost()
def outer():
    yield from middle()
def tracer(frame, event, argument):
    return None
FUNCTIONS = ["innermost", "middle", "outer"]
def work():
    events = []
    def profiler(frame, event, argument):
        if frame.f_code.co_name in ("innermost", "middle", "outer"):
            events.append((frame.f_code.co_name, event, frame.f_lineno))
    for _ in range(3):
        print(list(outer()))
        sys.setprofile(profiler)
        for item in outer():
            pass
        sys.setprofile(None)
    print(events)
""",
    "threads": """
def innermost(n):
    for i in range(n):
        yield i
def middle(n):
    yield from innermost(n)
def outer(n):
    yield from middle(n)
    yield from middle(n)
FUNCTIONS = ["innermost", "middle", "outer"]
def work():
    sys.setswitchinterval(1e-5)
    results = []
    threads = [threading.Thread(target=lambda: results.append(sum(sum(outer(50)) for _ in range(200)))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(results)
""",
}
RUN = """
if COMPILED:
    for function in FUNCTIONS:
        if isinstance(function, str):
            globals()[function] = jit(globals()[function])
        else:
            setattr(*function, jit(getattr(*function)))
work()
work()
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_differs(name):
    plain, compiled = (child(f"COMPILED = {compiled}" + HEAD + PROGRAMS[name] + RUN) for compiled in (False, True))
    assert plain == compiled
    assert plain.strip()


def test_it_is_used_and_given_back():
    """Where chains are understood; not while the compiler is told to pause, and not after the code has died."""
    child("""
import gc
import jit
from jit.delegation import routine
from jit.dispatch import COMPILER
from platforms.cpython.delegation import chained
from platforms.cpython.observe import read
from platforms.cpython.resumption import _places
def leads(code):
    return [read(place + 8) for place in _places(code) if read(place) == code]
scope = {}
exec("def outer(n): yield from (i for i in range(n))", scope)
outer = jit.jit(scope["outer"])
code = id(outer.__code__)
there = [routine()] if chained() else []
assert leads(code) == there and (code in COMPILER.generators.chained) == bool(there)
assert list(outer(3)) == [0, 1, 2]
COMPILER.generators.suspend()
assert leads(code) == [] and list(outer(3)) == [0, 1, 2]
COMPILER.generators.revive()
assert leads(code) == there
del outer, scope
gc.collect()
assert leads(code) == [] and not COMPILER.generators.chained
""")
