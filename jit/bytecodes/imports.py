"""``import`` inside a function: most often of a module that has long been imported.

Source: CPython Python/ceval.c (import_name).
"""

import builtins
from types import BuiltinFunctionType

from jit.foreign import Call, callout
from jit.unit import looked_up
from jit.values import Value
from jit.walk import bytecode


@bytecode("IMPORT_NAME")
def import_name(w, instruction):
    """Stack: level, what is imported from the module; with CPython's own ``__import__`` only, which is not given the local variables of functions."""
    w.require(2)
    level, names = w.peek(2), w.peek()
    if w.unit.is_module or level.__class__ is not Value or names.__class__ is not Value or not level.is_constant or type(level.constant) is not int or \
            not -1 < level.constant < 1 << 31 or not _is_original(w):
        return w.leave("an import that somebody else may do")
    w.freeze()
    w.pop(), w.pop()
    for operand in (w.constant(w.unit.code.co_names[instruction.argument]), w.constant(w.unit.function.__globals__), w.constant(None), names):
        w.push(operand)
    return callout(w, Call("PyImport_ImportModuleLevelObject", (level.constant,)), 4)


def _is_original(w):
    """Whether the function's builtins have CPython's own ``__import__``, on which the version relies."""
    namespace = w.unit.function.__builtins__
    if type(namespace) is not dict:
        return False
    found = looked_up(namespace, "__import__")
    w.unit.depend(namespace, "__import__", found)
    return type(found) is BuiltinFunctionType and found.__self__ is builtins and found.__name__ == "__import__"
