"""What the compiler consists of is in none of the garbage collector's lists; what is the program's stays there."""

import subprocess
import sys

import pytest

HIDDEN = """
import sys
from jit.compilation import collector  # the compiler's own
from platforms.cpython.observe import read

def hidden():
    "Addresses of the objects in the list that no collection looks at, which has to be whole and without marks."
    hot = sys.modules.get("jit.hot")
    clock = hot.DETECTOR.sampler if hot is not None else None
    ticking = clock is not None and clock.running
    if ticking:  # its thread makes objects of ours, and frees some
        clock.stop()
    head = place = collector.own_list()
    found = []
    while read(place) != head:
        following = read(place)
        assert read(following + 8) & ~1 == place
        place = following
        found.append(place + 16)
    assert read(head + 8) == place
    if ticking:
        clock.start()
    return found
"""
RUNNING = """
import functools, gc, string, sys, types
import jit.hot
from jit.ours import NEEDED, PRESENT
OURS = {"jit", "asm", "regalloc", "platforms", "ast"} | NEEDED - PRESENT
seen_before = [item for item in gc.get_objects() if str(getattr(item, "__module__", "jit")).partition(".")[0] not in OURS]
@functools.cache
def cached(number):
    return [number]
held = [[number] for number in range(100)] + [cached, cached.cache_parameters, cached(1), cached.cache_parameters.__closure__, functools, vars(functools), functools.cache, "".join, string, vars(string)]
while jit.hot.DETECTOR.compiler is None:
    for _ in range(100_000): pass
""" + HIDDEN + """
out_of_sight, seen = set(hidden()), set(map(id, gc.get_objects()))
print(len(out_of_sight) > 8000, out_of_sight.isdisjoint(seen))
print(*(id(item) in out_of_sight for item in (jit.hot, vars(jit.hot), jit.hot.Detector, jit.hot.start)))
print([item for item in (*seen_before, *held, vars(sys), sys.modules, vars(types), globals(), hidden, vars(__builtins__))
       if type(item) in (types.FunctionType, types.ModuleType, type(cached), type, dict, list) and gc.is_tracked(item) and id(item) in out_of_sight])
print(id(jit.hot.DETECTOR) in seen, id(jit.hot.DETECTOR.compiler) in seen)
gc.collect()
class Cycle: pass
for _ in range(100):
    cycle = Cycle()
    cycle.cycle, cycle.ours = cycle, jit.hot.Detector
del cycle
print(gc.collect() >= 99, gc.collect())
gc.freeze(); gc.unfreeze(); gc.collect()
print(len(hidden()) >= len(out_of_sight) - 100)
"""


@pytest.mark.parametrize("way", [("-m", "jit", "run"), ("-m", "jit", "run", "--eager"), (), ("late",)], ids=["hot", "eager", "enabled", "late"])
def test_the_compiler_itself(tmp_path, way):
    script = tmp_path / "running.py"
    before = {(): "import jit\njit.enable()\n", ("late",): "import jit.hot\njit.enable()\n"}.get(way, "")
    script.write_text(before + RUNNING)
    options = () if before else way
    done = subprocess.run([sys.executable, "-X", "faulthandler", *options, str(script)], capture_output=True, text=True)
    # What is made before the program begins is hidden, whatever it leads to: it never dies.
    detector, compiler = "-m" not in way, "--eager" not in way
    assert (done.stdout, done.stderr) == (f"True True\nTrue True True True\n[]\n{detector} {compiler}\nTrue 0\nTrue\n", "")


NAMESAKES = """
import asm, gc
print([gc.is_tracked(item) and any(item is other for other in gc.get_objects()) for item in (asm, vars(asm), asm.data, asm.Class, asm.function)])
asm.data.clear()
print(gc.collect() > 0)
"""


def test_a_module_of_the_programs_with_the_name_of_ours(tmp_path):
    (tmp_path / "asm.py").write_text("class Class: pass\ndef function(): pass\ndata = [[]]\ndata[0].append(data[0])\n")
    (tmp_path / "namesakes.py").write_text("import asm, gc\ngc.disable()\nimport jit.hot\nwhile jit.hot.DETECTOR.compiler is None:\n"
                                           "    for _ in range(100_000): pass\n" + NAMESAKES)
    for options in ((), ("--eager",)):
        done = subprocess.run([sys.executable, "-m", "jit", "run", *options, str(tmp_path / "namesakes.py")], capture_output=True, text=True)
        assert (done.stdout, done.stderr) == ("[True, True, True, True, True]\nTrue\n", "")


FOLLOWED = HIDDEN + """
import gc, types
from jit.machine import hiding

module = types.ModuleType("module")
exec('''
class Class:
    def method(self): return [].append
    @property
    def prop(self): return self
def outer(default=["of a default"]):
    cell = ["in a cell"]
    return lambda: cell
inner = outer()
nested = {"a": [("b", {"c": ["deep"]})]}
nested["itself"] = nested
''', vars(module))
excepted, other = {"not": ["followed"]}, ["of another's"]
def foreign(default=other): return default
module.foreign, module.excepted, module.object = foreign, excepted, types.SimpleNamespace(inside=["an instance"])
module.untracked = (1, 2)
before = len(hidden())
items = [vars(module), module, module.Class]
hiding.hide(items, (), (excepted,))
found = hidden()
moved = [module, vars(module), module.Class, module.Class.method, vars(module.Class)["prop"], module.outer, module.outer.__defaults__[0],
         module.inner, module.inner.__closure__[0], module.inner(), module.nested, module.nested["a"], module.nested["a"][0][1]["c"]]
print(all(id(item) in found for item in moved), len(found) == len(set(found)))
print(*(id(item) in found for item in (foreign, other, excepted, excepted["not"], module.object, module.object.inside, list, object, globals())))
hiding.hide(items, (), (excepted,))
print(len(hidden()) == len(found), all(map(gc.is_tracked, moved)))
hiding.hide([], (), ())
single = types.ModuleType("single")
single.items = [["dies"]]
hiding.hide([vars(single), single], (), ())
more = len(hidden())
del single  # what is not cyclic dies as ever
print(more - len(hidden()))
"""


def test_what_is_followed_and_what_is_not():
    done = subprocess.run([sys.executable, "-X", "faulthandler", "-c", FOLLOWED], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True True\nFalse False False False False False False False False\nTrue True\n4\n", "")


def test_the_main_thread_is_the_main_thread():
    """`threading` takes the thread that imports it first for that; the compiler is loaded in a thread of its own."""
    code = "import sys, jit.hot\nwhile jit.hot.DETECTOR.compiler is None:\n    for _ in range(100_000): pass\n" \
        "print('threading' in sys.modules)\nimport threading\nprint(threading.current_thread() is threading.main_thread())"
    done = subprocess.run([sys.executable, "-m", "jit", "run", "-c", code], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\nTrue\n", "")


def test_no_metaclass_of_the_programs_is_asked(tmp_path):
    """Our looking at classes happens in a thread of ours: what the program would see there is none of its own doing."""
    script = tmp_path / "asked.py"
    script.write_text("""
import struct, threading, weakref
import jit.hot
asked = []
class Meta(type):
    def __getattribute__(cls, name): asked.append(name); return type.__getattribute__(cls, name)
    def __eq__(cls, other): asked.append("=="); return cls is other
    def __hash__(cls): asked.append("hash"); return 1
class Kind(metaclass=Meta): pass
class Instance:
    @property
    def __class__(self): asked.append("__class__"); return type
class Named:
    __module__ = Instance()
weakref.put, struct.put, weakref.other, weakref.named = Kind, Kind, Instance(), Named
del asked[:]
while jit.hot.DETECTOR.compiler is None:
    for _ in range(100_000): pass
print(asked)
""")
    done = subprocess.run([sys.executable, "-X", "faulthandler", "-m", "jit", "run", str(script)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")
