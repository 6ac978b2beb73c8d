"""Functions that would be slower compiled stay interpreted, and say so."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import jit, sys
class Point:
    def __init__(self, x):
        self.x = x
    def get(self):
        return self.x
def attribute(p, n):
    s = 0
    for i in range(n):
        s += p.x + p.get()
    return s
def numbers(a, n):
    s = 0
    for i in range(n):
        s += a * i
    return s
def table(d, n):
    f = d["a"]
    return f(f(f(f(f(f(f(f(f(f(n))))))))))
def numbers_and_a_rare_call(a, n):
    s = 0
    for i in range(n):
        if i * 3 == a:
            print("never")
        s += a * i - s // 3
    return s
def mixture(p, n):
    s = p.x
    for i in range(n):
        s += i * i
    return s
def frames(a, n):
    s = 0
    for i in range(n):
        s += i * a - s // 3 + sys._getframe(0).f_lineno
    return s
def handed_on(f, n):
    return f(n)
calls = [(frames, 2), (handed_on, float), (attribute, Point(3)), (numbers, 5), (table, dict.fromkeys("abcde", abs)), (numbers_and_a_rare_call, 1), (mixture, Point(2))]
for function, argument in calls:
    wanted = function(argument, 100)
    compiled = jit.jit(function)
    assert [compiled(argument, 100) for _ in range(40)] == [wanted] * 40
    print(function.__name__, "compiled" if jit.explain(function).versions else "interpreted")
"""


#: Each of the first two gains next to nothing, and is compiled for a compiled caller; the third loses.
CALLEES = """
import binascii
import jit
@jit.jit
def encoded(data):
    return binascii.b2a_uu(data)
@jit.jit
def handed_on(f, data):
    return f(data)
@jit.jit
def there_and_back(data):
    return binascii.a2b_uu(binascii.b2a_uu(data))
UU = binascii.b2a_uu(b"abc")
callees = [encoded, handed_on, there_and_back]
def show():
    print(*("compiled" if jit.explain(callee).versions else "interpreted" for callee in callees))
@jit.jit
def caller(data, n):
    made = b""
    for i in range(n):
        made = encoded(data)
        made = handed_on(bytes, made)
        made = there_and_back(made)
    return made
for _ in range(40):
    assert encoded(b"abc") == UU and handed_on(bytes, b"abc") == there_and_back(b"abc") == b"abc"
{before}
for _ in range(40):
    assert caller(b"abc", 50) == UU
show()
for _ in range(40):
    assert encoded(b"abc") == UU and handed_on(bytes, b"abc") == there_and_back(b"abc") == b"abc"
show()
"""


def run(program, **variables):
    """Lines that a program prints."""
    environment = {name: value for name, value in os.environ.items() if name != "JIT_EAGER"}
    environment.update({"PYTHONPATH": os.pathsep.join(sys.path)}, **variables)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("before", ["show()", ""])
def test_a_function_that_gains_next_to_nothing_is_compiled_for_its_compiled_callers(before):
    seen = ["interpreted interpreted interpreted"] if before else []
    assert run(CALLEES.format(before=before)) == [*seen, *["compiled compiled interpreted"] * 2]


@pytest.mark.parametrize("eager", [False, True])
def test_only_what_gains_is_compiled(eager):
    printed = run(PROGRAM, **({"JIT_EAGER": "1"} if eager else {}))
    left = {"table", "frames", "handed_on"}  # the last would gain next to nothing
    names = ["frames", "handed_on", "attribute", "numbers", "table", "numbers_and_a_rare_call", "mixture"]
    assert printed == [f"{name} {'interpreted' if name in left and not eager else 'compiled'}" for name in names]
