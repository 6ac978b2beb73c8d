"""A program beside a thread that sleeps, and standard modules that the compiler needs: what of its ratio is not the compiler's doing.

    python benchmarks/bystander.py PROGRAM ARGUMENTS
    python benchmarks/bystander.py -m MODULE ARGUMENTS

Where a program spends its time in C code, where its objects happen to lie in memory decides about more than a few percent. A thread
that exists, or a module that is imported, moves them.
"""

import _thread
import ctypes  # noqa: F401
import os
import runpy
import sys

SLEEP = _thread.allocate_lock()
SLEEP.acquire()
_thread.start_new_thread(SLEEP.acquire, ())
del sys.argv[0]
if sys.argv[0] == "-m":
    del sys.argv[0]
    sys.path[0] = os.getcwd()
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
else:
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    runpy.run_path(sys.argv[0], run_name="__main__")
