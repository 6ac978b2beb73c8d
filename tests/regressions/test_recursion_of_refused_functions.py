"""A function that is left interpreted may call itself as often as in the interpreter alone: CPython 3.12 lets calls through C nest less deeply."""

import os
import subprocess
import sys

PROGRAM = """
import contextlib
context = contextlib.nullcontext()
def with_context(n):
    with context:
        return n and with_context(n - 1)
def caught(n):
    try:
        return caught(n + 1)
    except RecursionError:
        return n
for _ in range(30):
    with_context(900)
for _ in range(400):
    depth = caught(0)
print(depth)
"""


def test_depth():
    runs = [subprocess.run([sys.executable, *options, "-c", PROGRAM], capture_output=True, text=True, env=os.environ) for options in
            ((), ("-m", "jit", "run", "--eager"))]
    assert [run.stderr for run in runs] == ["", ""]
    plain, compiled = (int(run.stdout) for run in runs)
    assert plain - 20 < compiled <= plain  # `jit run` has frames of its own
