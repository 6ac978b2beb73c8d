"""An exception that another thread sends while a function is being compiled was taken for an error of the compiler, and lost."""

import os
import subprocess
import sys

PROGRAM = """
import jit
from jit.dispatch import COMPILER
class Sent(Exception):
    pass
def f(x):
    return x + 1
def interrupted(*_):
    del COMPILER.compile
    raise Sent
f = jit.jit(f)
COMPILER.compile = interrupted
try:
    f(1)
    for _ in range(1000):
        pass
    print("lost")
except Sent:
    print("came")
print([f(x) for x in range(3)])
"""


def test_it_comes():
    """As if it had been sent in the middle: the compiler's own code raises what is of the program's classes."""
    run = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, env={**os.environ, "JIT_EAGER": "1"}, timeout=60)
    assert (run.stdout, run.stderr) == ("came\n[1, 2, 3]\n", "")
