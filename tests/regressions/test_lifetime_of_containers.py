"""What compiled code has read of a global, a class, a module or a closure dies when that is rebound, and at the program's end, whatever it is."""

import collections
import contextvars
import gc
import itertools
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

import jit

ROOT = str(Path(__file__).parents[2])


class Part:
    """Tells when it dies."""

    log = []

    def method(self, *_):
        return 0

    def __del__(self):
        self.log.append("finalised")


CONTAINERS = {
    "list": lambda: [Part()], "dict": lambda: {"a": Part()}, "set": lambda: {Part()}, "frozenset": lambda: frozenset([Part()]),
    "tuple": lambda: (Part(), 1), "tuple of tuples": lambda: (([Part()],), 2), "iterator": lambda: iter([Part()]), "view": lambda: {"a": Part()}.values(),
    "proxy": lambda: types.MappingProxyType({"a": Part()}), "chain": lambda: itertools.chain([Part()]), "deque": lambda: collections.deque([Part()]),
    "slice": lambda: slice(Part()), "bound builtin": lambda: [Part()].append, "bound method": lambda: Part().method, "enumerate": lambda: enumerate([Part()]),
    "map": lambda: map(str, [Part()]), "zip": lambda: zip([Part()]), "instance": Part, "cell": lambda: types.CellType(Part()),
    "generator": lambda: (item for item in [Part()]), "property": lambda: property(Part().method), "static method": lambda: staticmethod(Part().method),
    "context variable": lambda: contextvars.ContextVar("x", default=Part()), "default dict": lambda: collections.defaultdict(list, a=Part()),
    "exception": lambda: ValueError(Part()), "ordered dict": lambda: collections.OrderedDict(a=Part()), "alias": lambda: list[Part()],
    "namespace": lambda: types.SimpleNamespace(a=Part()), "reversed": lambda: reversed([Part()])}
READ = "def read():\n    count = 0\n    for _ in range(20):\n        count += {} is None\n        look()\n    return count\n"


def global_(item):
    names = {"G": item, "look": lambda: None}
    exec(READ.format("G"), names)
    return names["read"], lambda: names.update(G=None)


def passed_on(item):
    names = {"G": item, "look": lambda: None, "take": lambda _: None}
    exec(READ.format("take(G) or G"), names)
    return names["read"], lambda: names.update(G=None)


def of_a_class(item):
    kind = type("Kind", (), {"G": item})
    names = {"Kind": kind, "look": lambda: None}
    exec(READ.format("Kind.G"), names)
    return names["read"], lambda: setattr(kind, "G", None)


def of_an_instance(item):
    kind = type("Kind", (), {"G": item})
    names = {"instance": kind(), "look": lambda: None}
    exec(READ.format("instance.G"), names)
    return names["read"], lambda: setattr(kind, "G", None)


def of_a_module(item):
    module = types.ModuleType("module")
    module.G = item
    names = {"module": module, "look": lambda: None}
    exec(READ.format("module.G"), names)
    return names["read"], lambda: setattr(module, "G", None)


def of_a_closure(item):
    names = {"look": lambda: None}
    exec("def outer(G):\n" + "".join(f"    {line}\n" for line in READ.format("G").splitlines()) +
         "    def rebind():\n        nonlocal G\n        G = None\n    return read, rebind\n", names)
    return names["outer"](item)


def of_the_builtins(item):
    names = {"look": lambda: None, "__builtins__": {"G": item, "range": range}}
    exec(READ.format("G"), names)
    return names["read"], lambda: names["__builtins__"].update(G=None)


SOURCES = [global_, passed_on, of_a_class, of_an_instance, of_a_module, of_a_closure, of_the_builtins]


def outcome(source, make, compile):
    read, rebind = source(make())
    read = compile(read)
    results = [read(), read()]
    gc.collect()
    Part.log.clear()
    rebind()
    died = len(Part.log)
    return results + [read()], died


@pytest.mark.parametrize("make", CONTAINERS.values(), ids=CONTAINERS)
@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
@pytest.mark.filterwarnings("ignore:functools.partial")
def test_it_dies_when_it_is_rebound(source, make):
    assert outcome(source, make, jit.jit) == outcome(source, make, lambda read: read) == ([0, 0, 20], 1)


def test_it_dies_while_the_function_that_read_it_runs():
    """And what the function has in hand lives for as long as the interpreter would have it."""
    names = {"Part": Part, "log": Part.log}
    exec("""
def rebind(turn):
    global G
    if turn == 7:
        G = [Part()]
def run(take):
    seen = []
    for turn in range(10):
        take(G, rebind(turn), seen)
    return seen
""", names)
    names["take"] = lambda items, _, seen: seen.append(len(Part.log))
    outcomes = []
    for compiled in False, True:
        names["G"] = [Part()]
        run = jit.jit(names["run"]) if compiled else names["run"]
        for _ in range(3):
            Part.log.clear()
            outcomes.append((compiled, run(names["take"])))
    assert [seen for compiled, seen in outcomes if compiled] == [seen for compiled, seen in outcomes if not compiled] == [[0] * 8 + [1] * 2] * 3


class Other:
    """As large as a list."""

    __slots__ = ("a", "b", "c")

    def __len__(self):
        return 77


@pytest.mark.parametrize("place", ["global", "module"])
def test_another_object_of_its_address_is_not_taken_for_it(place):
    names, found = {"module": types.ModuleType("module"), "other": lambda: 0}, 0
    exec("def read():\n    return len({}) + other()".format("G" if place == "global" else "module.G"), names)
    read = jit.jit(names["read"])
    home = names if place == "global" else vars(names["module"])
    for _ in range(20):
        home["G"] = [1, 2, 3]
        for _ in range(3):
            assert read() == 3
        spare = [[] for _ in range(200)]
        spare.clear()  # no more lists are kept for new ones
        address = id(home["G"])
        home["G"] = None
        others = [Other() for _ in range(3000)]
        home["G"] = next((other for other in others if id(other) == address), others[0])
        found += id(home["G"]) == address
        del others
        assert read() == 77
    assert found, "no object has got the address"


AT_THE_END = """
class Part:
    def __del__(self):
        print("finalised", flush=True)
{}
def read(x):
    count = 0
    for _ in range(100000):
        count += {} is x
    return count
for _ in range(80):
    read(None)
print("end", flush=True)
"""


@pytest.mark.parametrize("options", [[], ["--eager"]], ids=["hot", "eager"])
@pytest.mark.parametrize("made, read", [("G = [Part()]", "G"), ("G = {1: (Part(),)}", "G"), ("G = (Part(), 1)", "G"), ("class C: G = [Part()]", "C.G"), ("G = Part()", "G")])
def test_it_dies_at_the_end(options, made, read):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JIT_")} | {"PYTHONPATH": ROOT}
    done = subprocess.run([sys.executable, "-m", "jit", "run", *options, "-c", AT_THE_END.format(made, read)], capture_output=True, text=True, timeout=120, env=environment)
    assert (done.stdout, done.stderr, done.returncode) == ("end\nfinalised\n", "", 0)
