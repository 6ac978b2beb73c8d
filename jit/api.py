"""What users call. Everything heavy is imported inside the functions, so that ``import jit`` costs next to nothing."""

from types import FunctionType, MethodType

from jit.carried import mark

_support = None


def available():
    """Whether functions are compiled here, and if not, why.

    Returns:
        object with `ok` (bool) and `reason` (str); it is true where compiling works.
    """
    global _support
    if _support is None:
        from jit.availability import examine
        _support = examine()
    return _support


def jit(function):
    """Compile a Python function at its first call, for the types of its arguments; usable as a decorator.

    Args:
        function: a function, method, staticmethod, classmethod or lambda.

    Returns:
        the same object; calls of it run machine code wherever that gives what Python gives.

    Raises:
        TypeError: it is not a Python function.
    """
    target = function
    while isinstance(target, (staticmethod, classmethod, MethodType)):
        target = target.__func__
    if not isinstance(target, FunctionType):
        raise TypeError(f"jit takes a Python function, not {type(function).__name__}")
    mark(target)
    if available():
        from jit.dispatch import COMPILER
        COMPILER.register(target)
    return function


def explain(function):
    """What became of a function: see `jit.report.Explanation`; ``print`` it to read it."""
    from jit.report import explain as make
    return make(_plain(function))


def disassemble(function, file=None):
    """Source lines, bytecode and machine code of a function's versions, side by side.

    Args:
        function: a decorated function. file: where to print; None returns the text instead.
    """
    from jit.disassembly import function_text
    text = function_text(_plain(function))
    if file is None:
        return text
    print(text, file=file)
    return None


def native(function, *argument_types):
    """The raw entry of one version as a ctypes function: C values in and out, the GIL held, exceptions raised.

    The function is decorated, and compiled for these types if it is not yet. The ctypes object keeps the machine code alive;
    C code must not use it for longer. As everywhere in ctypes, ints given are cut to 64 bits. A result that the C type does
    not hold raises OverflowError. Where a global the version relied on was rebound, the function object is called. It may
    run compiled code while a debugger traces.

    Args:
        function: a Python function. argument_types: a class for each parameter: int (int64_t), float (double), bool (_Bool);
            any other (PyObject *).

    Raises:
        TypeError: a wrong number of types, or not types. jit.errors.Unsupported: it is not compiled for them.
    """
    from jit.natives import native as make
    return make(_plain(function), argument_types)


def statistics():
    """Counts and sums over all compiled functions of the process: see `jit.report.Statistics`."""
    from jit.report import statistics as make
    return make()


def enable(threshold=None, eager=False):
    """From now on find the hot functions of this program and compile them, as `python -m jit run` does.

    Where functions are not compiled (see `available`) this does nothing.

    Args:
        threshold: samples in which a function must be found running before it is compiled (2).
        eager: compile every function at its first call instead; for testing.
    """
    if threshold is not None and (type(threshold) is not int or threshold < 1):
        raise ValueError(f"threshold is a number from 1 on, not {threshold!r}")
    from jit.isolation import install
    from jit.ours import PACKAGES
    install(PACKAGES)
    if available():
        from jit.hot import start
        start(threshold, eager)


def disable():
    """Undo `enable`: look for no more hot functions, and interpret those that were found. Decorated functions stay as they are."""
    from jit.hot import stop
    stop()


def paused():
    """A context manager: in `with jit.paused():` nothing is found or compiled by itself; what is compiled already is run.

    It holds for all threads, and may be nested.
    """
    from jit.hot import Pause
    return Pause()


def _plain(function):
    while isinstance(function, (staticmethod, classmethod, MethodType)):
        function = function.__func__
    if not isinstance(function, FunctionType):
        raise TypeError(f"a Python function is wanted, not {type(function).__name__}")
    return function
