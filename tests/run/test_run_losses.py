"""What would only be lost: versions that keep leaving while there is no time to compile, and a compiler for programs that do little else than call C code."""

import pytest

from comparing import run
from test_run_control import HOT, python

LEAVING = """
import jit, jit.hot
from jit.budget import BUDGET
def kind(name):
    return type(name, (), {"__init__": lambda self, x: setattr(self, "x", x), "__slots__": ("x",)})
A, B = kind("A"), kind("B")
def g(item):
    return item.x + 1
def caller(items):
    s = 0
    for item in items:
        s += g(item)
    return s
def outer(items, count):  # compiled callers do not ask whether what they call asks for attention
    s = 0
    for _ in range(count):
        s += caller(items)
    return s
def until(happens):
    end = time.perf_counter() + 60
    while not happens() and time.perf_counter() < end:
        outer(items, 1000)
        work(0.01)
    return happens()
def exits():
    return sum(leaving.count for function in (g, caller, outer) for version in jit.explain(function).versions for leaving in version.exits)
items = [A(number) for number in range(20)]
jit.enable()
until_loaded()
BUDGET.spent -= 100  # `outer` alone would wait for seconds: it takes next to no time
assert until(lambda: jit.explain(caller).state == jit.explain(outer).state == "compiled")
"""


def test_what_loses_too_much_does_not_wait():
    code = LEAVING + """
BUDGET.spent += 1000  # nothing may be compiled for hours
assert not BUDGET.allows()
items[::2] = [B(number) for number in range(10)]
outer(items, 1000)
def settled():
    before = exits()
    outer(items, 1000)
    return exits() == before
print(until(settled), BUDGET.allows(), caller(items) == sum(item.x + 1 for item in items))
"""
    assert python(code) == "True False True\n"


def test_what_loses_little_waits():
    code = LEAVING + """
BUDGET.spent += 1000
few = [B(1)] * 40
outer(few, 1)
before = [id(version) for version in jit.hot.DETECTOR.compiler.records[id(caller)].versions]
work(0.5)
print(before == [id(version) for version in jit.hot.DETECTOR.compiler.records[id(caller)].versions])
"""
    assert python(code) == "True\n"


def test_no_compiler_for_long_calls_of_c_code():
    code = """
import jit, jit.hot, sys
from jit.budget import BUDGET, PATIENCE
def in_c(numbers):
    return sum(numbers) + max(numbers)
def in_bytecode(numbers):
    for number in numbers:
        number & 7
def spend(function, numbers, seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        function(numbers)
jit.enable()
spend(in_c, range(200_000), 0.5)  # more than three times what would load it
print(BUDGET.hot < PATIENCE, jit.hot.DETECTOR.compiler, jit.hot.DETECTOR.loading)
end = time.process_time() + 30
while jit.hot.DETECTOR.compiler is None and time.process_time() < end:  # to load it takes a while
    spend(in_bytecode, range(1000), 0.1)
print(BUDGET.hot > PATIENCE, jit.hot.DETECTOR.compiler is not None)
"""
    assert python(code) == "True None None\nTrue True\n"


@pytest.mark.parametrize("wait", ["thread.join()", "os.read(reader, 1)"])
def test_a_compiler_while_the_main_thread_waits(wait):
    """It makes no pending calls meanwhile: those that were asked for stay."""
    code = HOT + f"""
import jit, os, threading
reader, writer = os.pipe()
def compute():
    until_compiled()
    os.write(writer, b".")
thread = threading.Thread(target=compute)
thread.start()
{wait}
print(jit.explain(f).state)
"""
    assert run(["-c", code], []) == (0, "compiled\n", "")
