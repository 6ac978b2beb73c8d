"""A program beside the clock and a compiler that has been loaded, and compiles nothing: what of its ratio compiled code has no part in.

    python benchmarks/idle.py PROGRAM ARGUMENTS
    python benchmarks/idle.py -m MODULE ARGUMENTS

Where a program spends its time in C code, where its objects happen to lie in memory decides about more than a few percent. A thread
that exists, or a module that is imported, moves them.
"""

import os
import runpy
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import jit
from jit.loading import assemble_routines, hide_compiler
from platforms.cpython.apart import APART

NEVER = 1 << 30

if jit.available():
    with APART:
        import jit.dispatch  # noqa: F401
        assemble_routines()
        hide_compiler()
    jit.enable(threshold=NEVER)
del sys.path[0], sys.argv[0]
if sys.argv[0] == "-m":
    del sys.argv[0]
    sys.path[0] = os.getcwd()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
else:
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    runpy.run_path(sys.argv[0], run_name="__main__")
