"""Run a function interpreted and compiled, and compare everything a program could see.

Two copies are made of a function, with globals of their own that refer to the copies; one is given to `jit`. What counts as
equal: values and their types through containers, the sign of zeros, exceptions with arguments, cause and context, traceback
lines of every level, and what the call did to its (mutable) arguments.
"""

import copy
import inspect
import os
import subprocess
import sys
import textwrap
import traceback
import types
from array import array
from pathlib import Path

# What would not be faster is compiled all the same.
os.environ["JIT_EAGER"] = "1"
import jit  # noqa: E402

#: Longer ints are not shown in decimal.
LARGE = 1 << 200
ROOT = Path(__file__).resolve().parents[2]


def copy_function(function, namespace):
    """A function with the same code in another namespace; the code object is a copy too.

    What a function defined inside a test takes from that test becomes a global.
    """
    if function.__closure__:
        for name, cell in zip(function.__code__.co_freevars, function.__closure__):
            try:
                namespace.setdefault(name, cell.cell_contents)
            except ValueError:
                continue
        made = {}
        exec(compile(textwrap.dedent(inspect.getsource(function)), __file__, "exec"), namespace, made)
        function = types.FunctionType(made[function.__name__].__code__, namespace, function.__name__, function.__defaults__)
    new = types.FunctionType(function.__code__.replace(), namespace, function.__name__, function.__defaults__,
                             function.__closure__)
    new.__kwdefaults__ = copy.copy(function.__kwdefaults__)
    new.__qualname__ = function.__qualname__
    return new


def copies(*functions, namespace=None, compiled=None):
    """Interpreted and compiled copies of functions that may call each other.

    Args:
        functions: plain functions. namespace: further globals for each side. compiled: names to compile (all).

    Returns:
        (list of interpreted functions, list of compiled functions)
    """
    sides = []
    for side in range(2):
        scope = dict(functions[0].__globals__)
        scope.update(namespace or {})
        made = [copy_function(function, scope) for function in functions]
        for function in made:
            scope[function.__name__] = function
        if side:
            for function in made:
                if compiled is None or function.__name__ in compiled:
                    jit.jit(function)
        sides.append(made)
    return sides


def describe(value, depth=4):
    """A comparable description of a value: types all the way down."""
    kind = type(value)
    if kind is float:
        return "float", value.hex()
    if kind in (list, tuple) and depth:
        return kind.__name__, [describe(item, depth - 1) for item in value]
    if kind is dict and depth:
        return "dict", [(describe(key), describe(item, depth - 1)) for key, item in value.items()]
    if kind in (int, bool, str, bytes, bytearray, type(None), complex, range):
        text = repr(value) if kind is not int or -LARGE < value < LARGE else hex(value)
        return kind.__name__, text
    if kind is array:
        return value.typecode, describe(list(value))
    if isinstance(value, (int, float)):
        return kind.__name__, kind.__base__.__repr__(value)
    return kind.__qualname__, getattr(value, "__dict__", None) and sorted(map(str, vars(value)))


def describe_exception(error, depth=3):
    if error is None or not depth:
        return None
    lines = [(entry.name, entry.lineno) for entry in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, UnboundLocalError) and sys.version_info < (3, 12) and lines:
        # Superinstructions of 3.11 report the line of their first half, once the interpreter has warmed up.
        lines[-1] = (lines[-1][0], None)
    return (type(error).__name__, [describe(item) for item in error.args], lines, describe_exception(error.__cause__, depth - 1),
            describe_exception(error.__context__, depth - 1), error.__suppress_context__)


def outcome(function, arguments, keywords=None):
    """What a call gives or raises, and what it leaves its arguments as."""
    try:
        given = ("returned", describe(function(*arguments, **(keywords or {}))))
    except BaseException as error:
        error.__traceback__ = error.__traceback__.tb_next
        given = ("raised", describe_exception(error))
        del error
    return given, [describe(item) for item in arguments]


def check(function, *calls, helpers=(), repeat=3, namespace=None, make=None):
    """Assert that interpreted and compiled calls agree.

    Args:
        calls: argument tuples, called in turn. helpers: functions that `function` calls, compiled with it.
        repeat: how often all calls are made. make: called for fresh arguments instead of deepcopy.
    """
    (plain, *_), (fast, *_) = copies(function, *helpers, namespace=namespace)
    fresh = make or copy.deepcopy
    for _ in range(repeat):
        for arguments in calls:
            wanted = outcome(plain, fresh(arguments))
            got = outcome(fast, fresh(arguments))
            assert got == wanted, f"{function.__name__}{arguments!r:.300}\n  interpreted {wanted}\n  compiled    {got}"
    return fast


def assert_stays_compiled(function, work):
    """Assert that `work()`, which has been done before, goes on in compiled code: no call of a compiled function leaves any more."""
    before = exits_of(function)
    work()
    assert jit.explain(function).state == "compiled" and exits_of(function) == before


def exits_of(function):
    """How often the versions of a compiled function have left."""
    return sum(found.count for version in jit.explain(function).versions for found in version.exits)


def child(text, timeout=50, environment=None, arguments=()):
    """Run a program in a process of its own; returns its standard output, asserts that it ended well."""
    path = os.pathsep.join([str(ROOT), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    ended = subprocess.run([sys.executable, "-X", "faulthandler", "-c", text, *arguments], capture_output=True, text=True,
                           timeout=timeout, env={**os.environ, "PYTHONPATH": path, **(environment or {})})
    assert ended.returncode == 0, f"exit {ended.returncode}\n{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}"
    return ended.stdout
