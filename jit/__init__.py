"""purejit: a just-in-time compiler for stock CPython, written in Python.

    from jit import jit

    @jit
    def total(n):
        s = 0
        for i in range(n):
            s += i * i
        return s

Importing this module is cheap; the compiler is loaded when the first function is decorated.
"""

from jit.api import available, disassemble, explain, jit, native, statistics

__all__ = ["available", "disassemble", "explain", "jit", "native", "statistics"]
