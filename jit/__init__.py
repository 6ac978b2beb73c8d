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

try:
    import jit.ours  # noqa: F401  first, for what it says of what was there before
    from jit.api import available, disable, disassemble, enable, explain, jit, native, paused, statistics
except (ImportError, SyntaxError) as problem:
    # By its name, Python knows it for an error of this package, which `python -m jit` then shows in one line.
    raise ImportError(f"the installation of purejit is damaged: {problem}", name=__name__) from problem

__all__ = ["available", "disable", "disassemble", "enable", "explain", "jit", "native", "paused", "statistics"]
