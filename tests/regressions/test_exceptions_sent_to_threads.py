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
raising = "def interrupted(*_):\\n    del COMPILER.compile\\n    raise Sent"
scope = {"COMPILER": COMPILER, "Sent": Sent}
exec(compile(raising, where(jit.__file__), "exec"), scope)
interrupted = scope["interrupted"]
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


def run(where):
    text = PROGRAM.replace("where(jit.__file__)", where)
    return subprocess.run([sys.executable, "-W", "ignore", "-c", text], capture_output=True, text=True, env={**os.environ, "JIT_EAGER": "1"}, timeout=60)


def test_it_comes():
    """As if it had been sent in the middle: the compiler's own code raises what is of the program's classes."""
    done = run("jit.__file__")
    assert (done.stdout, done.stderr) == ("came\n[1, 2, 3]\n", "")


def test_what_the_programs_own_code_raises_there_does_not_come():
    """An audit hook, say, that the compiler makes run."""
    done = run("'hook.py'")
    assert (done.stdout, done.stderr) == ("lost\n[1, 2, 3]\n", "")
