"""What `gc.collect()` counts is the program's own garbage: compiling, leaving and freeing leave nothing for it."""

import gc
import subprocess
import sys

import pytest

from compare import child, outcome  # noqa: F401  (compile what is not worth it, too)
from jit import jit, kernels
from jit.api import explain
from test_semantics_hidden import HIDDEN

SCALE = 0.01

PROGRAMS = {
    "loops, displays, comprehensions": """
def run():
    items, table = [1, 2, 3], {}
    for item in items:
        table[item] = [item * other for other in items]
    return table, {item: 1 for item in items}, any(item > 1 for item in items), sum(item for item in items)
""",
    "instances": """
class A:
    def __init__(self, x):
        self.x = x
    def step(self):
        return self.x + 1
class B(A):
    def step(self):
        return super().step() * 1.5
def run():
    total = 0
    for a in (A(1), B(2), A(2.5)) * 3:
        total += a.step()
        a.y = total
    return total
""",
    "nothing but refusals": """
def later(*, x=2):
    return x
def run():
    import math
    with open('/dev/null') as file:
        file.read()
    try:
        return later().y
    except AttributeError:
        return [later(x=c) for c in 'abc']
""",
    "generators": """
def squares(n):
    i = 0
    while i < n:
        yield i * i
        i += 1
def run():
    return [list(squares(5)) for _ in range(5)], sorted(squares(4)), sum(squares(9))
""",
    "types that settle late": """
def run():
    for k in range(3):
        s, t = k, None
        for i in range(4):
            if i > 1:
                s, t = s + 0.5, i
            while t is not None and t > 0:
                t -= 1
        s = str(s)
    return s, fib(9)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
""",
    "functions that are dropped": """
def run():
    for i in range(4):
        double = wrap(lambda x: (x * 2, i))
        double(i), double(1.5), double('a')
""",
    "exits": """
def run():
    found = []
    for item in (1, 2, 1 << 70, 'a', None, 2.5):
        try:
            found.append(add(item))
        except TypeError as problem:
            found.append(str(problem))
    return found
def add(x):
    return x + 1
""",
}


@pytest.fixture(autouse=True)
def collected():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_is_left(name):
    namespace = {"wrap": jit}
    exec(PROGRAMS[name], namespace)
    for thing in list(namespace.values()):
        if type(thing) is type(explain):
            jit(thing)
        for inner in list(vars(thing).values()) if isinstance(thing, type) else ():
            if type(inner) is type(explain):
                jit(inner)
    gc.collect()
    for _ in range(4):
        namespace["run"]()
        assert gc.collect() == 0


@pytest.mark.parametrize("kernel", kernels.KERNELS, ids=lambda kernel: kernel.name)
def test_kernels_leave_nothing(kernel):
    function = kernels.fresh(kernel, jit)
    gc.collect()
    arguments = kernel.make_arguments(SCALE)
    for _ in range(2):
        function(*arguments)
        assert gc.collect() == 0


COUNTED = """
import gc
gc.disable()
class Node:
    def __init__(self, other):
        self.other = other
def cycle():
    first = Node(None)
    first.other = Node(first)
    return [x for x in (1, 2) if x > 1]
def closure():
    def down(n):
        return [n] if n == 0 else down(n - 1)
    return down(3)
found = [gc.collect() and 0]
for _ in range(3):
    closure(), cycle(), sorted([2, 1], key=lambda x: -x), (lambda: cycle())()
    found.append(gc.collect())
print(found)
"""


def test_counts_below_run(tmp_path):
    """Everything compiled at its first call, from the first line on."""
    script = tmp_path / "counted.py"
    script.write_text(COUNTED)
    texts = [subprocess.run([sys.executable, *launcher, str(script)], capture_output=True, text=True, check=True).stdout
             for launcher in ([], ["-m", "jit", "run", "--eager"])]
    assert texts[0] == texts[1] and texts[0]


HOT = """
import gc
gc.collect(); gc.disable()
def count(n):
    total = 0
    for i in range(n):
        total += i % 7
    return total
def twice(n):
    return count(n) + count(n)
found = set()
for _ in range(600):
    twice(30_000)  # for longer than a collection takes, or the program would not be hot
    found.add(gc.collect())
import sys
print(found, "jit.dispatch" in sys.modules)
"""


def test_loading_leaves_no_garbage(tmp_path):
    """Nor does compiling by itself: in between the program collects, and counts."""
    script = tmp_path / "hot.py"
    script.write_text(HOT)
    done = subprocess.run([sys.executable, "-m", "jit", "run", str(script)], capture_output=True, text=True, check=True)
    assert done.stdout == "{0} True\n"


def test_verifying_leaves_no_garbage():
    code = "import gc\nfrom jit.api import available\ngc.collect(); gc.disable()\nprint(available().ok, gc.collect())\n" \
           "import jit.dispatch, jit.entering\nfrom jit.machine import routines\nroutines()\nprint(gc.collect())"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True 0\n0\n"


LISTED = HIDDEN + """
import gc, weakref
from jit.dispatch import COMPILER

def make(number):
    space = {}
    exec(f"def f(n):\\n    total = {number}\\n    for i in range(n): total += i\\n    return total", space)
    return space["f"]

functions = [make(number) for number in range(50)]
before = len(gc.get_objects())
assert [f(4) for f in functions] == [number + 6 for number in range(50)]
records = [COMPILER.records[id(f)] for f in functions if id(f) in COMPILER.records]
assert len(records) > 40 and all(record.versions for record in records)
print(len(gc.get_objects()) - before < 50)
seen = set(map(id, gc.get_objects()))
out_of_sight = set(hidden())
print(len(out_of_sight) > 1000, out_of_sight.isdisjoint(seen), all(id(record.versions[0]) in out_of_sight for record in records))
codes = [weakref.ref(record.versions[0]) for record in records]
del functions, records
gc.collect()
print(sum(code() is not None for code in codes), len(hidden()) < len(out_of_sight))
gc.freeze(); gc.unfreeze(); gc.collect()
hidden()
"""


def test_what_the_compiler_keeps_is_in_no_list_of_the_collectors(tmp_path):
    script = tmp_path / "listed.py"
    script.write_text(LISTED)
    done = subprocess.run([sys.executable, "-X", "faulthandler", "-m", "jit", "run", "--eager", str(script)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True\nTrue True True\n0 True\n", "")
