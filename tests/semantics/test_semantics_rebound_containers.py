"""A container that a global, a class or a module has is exchanged while a function uses it: by a callee, a finaliser, another thread, a signal."""

import gc
import signal
import threading
import types

import pytest

import jit
from compare import describe

HELPERS = """
class Part:
    def __init__(self, number):
        self.number = number
    def __del__(self):
        log.append(self.number)
    def __repr__(self):
        return f"Part {self.number}"
    def __eq__(self, other):
        return self is other
    def __hash__(self):
        return self.number
made = 0
def make():
    global made
    made += 10
    return KIND(made)
calls = 0
def look(value=None):
    global calls
    calls += 1
    if calls % PERIOD == 0:
        exchange(make())
    return len(log)
def small(value):
    look()
    return value
"""
KINDS = {
    "list": "def KIND(n): return [Part(n), Part(n + 1), n, 2.5]",
    "dict": "def KIND(n): return {0: Part(n), 1: Part(n + 1), 2: n, 3: 2.5}",
    "tuple": "def KIND(n): return (Part(n), Part(n + 1), n, 2.5)",
    "list of lists": "def KIND(n): return [[Part(n)], [Part(n + 1), n], n, [2.5]]",
    "tuple of tuples": "def KIND(n): return ((Part(n),), (Part(n + 1), n), n, (2.5,))",
    "by turns": "def KIND(n): return [[Part(n), 1, n, 2], (Part(n), 1, n, 2), {0: Part(n), 2: n}, Part(n)][n // 10 % 4]",
}
PLACES = {
    "global": ("G", "def exchange(item):\n    global G\n    G = item\n"),
    "class": ("C.G", "class C: pass\ndef exchange(item):\n    C.G = item\n"),
    "instance's class": ("c.G", "class C: pass\nc = C()\ndef exchange(item):\n    C.G = item\n"),
    "module": ("m.G", "m = types.ModuleType('m')\ndef exchange(item):\n    m.G = item\n"),
}
BODIES = {
    "kept by the stack": "take(G, look(), G[0])",
    "an item kept by the stack": "take(G[1], look(), G[0] is G[1])",
    "bound to a variable": "x = G\n        look()\n        take(x, x[2])\n        del x",
    "a variable of an item": "x = G[1]\n        look()\n        take(x, G[2])",
    "walked": "for x in G:\n            take(x, look())",
    "walked within": "for x in list(G):\n            for y in G:\n                take(x, y, look(), G[2])",
    "comprehension": "take([small(x) for x in G], look())",
    "generator expression": "take(sum(1 for x in G if small(x) is not None), look())",
    "called with": "take(small(G), G[0])",
    "length": "take(len(G) + look(), len(G))",
    "identity": "take(G is small(G), G is G)",
    "contains": "take(2.5 in G, look() in G, G[1] in G)",
    "stored": "G[2] = look()\n        take(G[2])",
    "augmented": "G[2] += look()\n        take(G[2])",
    "unpacked": "a, b, c, d = G\n        look()\n        take(a, c)\n        del a, b",
    "method": "x = G.count if hasattr(G, 'count') else G.get\n        take(x(look()), G[2])",
    "in a call of a method": "take((G.index if hasattr(G, 'index') else G.get)(2.5), look())",
    "sliced": "take(G[1:3] if type(G) is not dict else 0, look(), G[2])",
    "caught": "try:\n            G[look() + 50 if turn % 3 == 2 else 0]\n        except (IndexError, KeyError) as problem:\n            take(str(problem), G[2])",
    "with": "with held(G) as x:\n            look()\n            take(x[0])\n        del x",
    "formatted": "take(f'{G[0]} {look()} {G[1]}')",
    "compared": "take(G == G, look(), G != small(G))",
    "returned early": "if turn == 7:\n            return G, seen, look()\n        take(G[0])",
}


def program(kind, place, body, period, compiled):
    name, exchange = PLACES[place]
    names = {"log": [], "PERIOD": period, "types": types}
    exec(HELPERS + KINDS[kind] + "\n" + exchange, names)

    class held:
        def __init__(self, item):
            self.item = item

        def __enter__(self):
            return self.item

        def __exit__(self, *_):
            self.item = None

    names["held"] = held
    names["exchange"](names["make"]())
    lines = BODIES[body].replace("G", name) if name != "G" else BODIES[body]
    exec(f"def run(turns):\n    seen = []\n    def take(*values):\n        seen.append([str(value) for value in values])\n        seen.append(list(log))\n"
         f"    for turn in range(turns):\n        {lines}\n    return seen", names)
    if compiled:
        names["run"] = jit.jit(names["run"])
        jit.jit(names["small"]), jit.jit(names["look"])
    return names


def outcome(names, calls=4):
    found = []
    for _ in range(calls):
        try:
            found.append(str(names["run"](10)))
        except Exception as problem:
            found.append(describe(str(problem)))
        found.append(list(names["log"]))
    names["exchange"](None)
    found.append(list(names["log"]))
    return found


#: Every body with every kind, and either with every place.
COMBINATIONS = [(body, kind, list(PLACES)[(i + j) % len(PLACES)]) for i, body in enumerate(BODIES) for j, kind in enumerate(KINDS)]


@pytest.mark.parametrize("body, kind, place", COMBINATIONS)
def test_a_callee_exchanges_it(body, kind, place):
    for period in (1, 4):
        assert outcome(program(kind, place, body, period, True)) == outcome(program(kind, place, body, period, False))


@pytest.mark.parametrize("kind", KINDS)
def test_a_finaliser_exchanges_it(kind):
    source = """
class Last:
    def __del__(self):
        exchange(make())
def run(turns):
    seen = []
    for turn in range(turns):
        last = Last()
        seen.append((str(G[0]), list(log)))
        x = G[1]
        last = None
        seen.append((str(x), str(G[0]), list(log)))
    return seen
"""
    found = []
    for compiled in True, False:
        names = program(kind, "global", "length", 1000, False)
        exec(source, names)
        if compiled:
            names["run"] = jit.jit(names["run"])
        found.append(outcome(names))
    assert found[0] == found[1]


@pytest.mark.parametrize("by", ["thread", "signal"])
def test_somebody_else_exchanges_it_at_any_time(by):
    names = {"log": [], "Part": type("Part", (), {"__del__": lambda self: names["log"].append(1)})}
    exec("""
G = [[1, 2, 3], 1.5, 7]
def run(turns):
    s = 0
    for turn in range(turns):
        x = G
        s += x[2] + len(x) + len(x[0])
        for y in G:
            s += y is None
        s += G[2] - 7
    return s
""", names)
    run = jit.jit(names["run"])
    stop, made = threading.Event(), 0

    def exchange(*_):
        nonlocal made
        made += 1
        names["G"] = [[1, 2, 3, names["Part"]()][:3], 1.5, 7, ] if made % 2 else [[1, 2, 3], 1.5, 7]

    def work():
        while not stop.is_set():
            exchange()

    assert run(1000) == 13_000
    if by == "thread":
        thread = threading.Thread(target=work)
        thread.start()
    else:
        before = signal.signal(signal.SIGALRM, exchange)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        for _ in range(60):
            assert run(20_000) == 13 * 20_000
    finally:
        if by == "thread":
            stop.set()
            thread.join()
        else:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
    gc.collect()
    assert made > 10
