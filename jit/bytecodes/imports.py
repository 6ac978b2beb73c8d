"""``import`` inside a function: most often of a module that has long been imported.

Such a module is a constant, for as long as it is in ``sys.modules``; so are its names, for as long as it has them (see names.py).
Source: CPython Python/ceval.c (import_name, import_from), Python/import.c (PyImport_ImportModuleLevelObject).
"""

import builtins
from importlib.machinery import ModuleSpec
from types import BuiltinFunctionType, ModuleType

from jit.bytecodes.attributes import module_attribute
from jit.foreign import Call, callout
from jit.unit import ABSENT, looked_up
from jit.values import Value
from jit.walk import bytecode
from platforms.cpython.layout import layout
from platforms.cpython.modules import imported_modules

_namespace_of = ModuleType.__dict__["__dict__"].__get__


@bytecode("IMPORT_NAME")
def import_name(w, instruction):
    """Stack: level, what is imported from the module; with CPython's own ``__import__`` only, which is not given the local variables of functions."""
    w.require(2)
    level, names = w.peek(2), w.peek()
    if w.unit.is_module or level.__class__ is not Value or names.__class__ is not Value or not level.is_constant or type(level.constant) is not int or \
            not -1 < level.constant < 1 << 31 or not _is_original(w):
        return w.leave("an import that somebody else may do")
    name = w.unit.code.co_names[instruction.argument]
    module = _imported(w.unit, level.constant, name, names.constant) if names.is_constant else None
    w.freeze()
    w.pop(), w.pop()
    if module is not None:
        w.push(w.constant(module))
        return None
    for operand in (w.constant(name), w.constant(w.unit.function.__globals__), w.constant(None), names):
        w.push(operand)
    return callout(w, Call("PyImport_ImportModuleLevelObject", (level.constant,)), 4)


def _imported(unit, level, name, wanted):
    """The module that an import gives without doing anything, or None."""
    modules = imported_modules()
    if type(name) is not str or wanted is not None and not (type(wanted) is tuple and set(map(type, wanted)) == {str}) or \
            wanted is None and level or modules is None:
        return None
    name = _absolute(unit, level, name) if level else name
    module = None if name is None else _there(unit, modules, name, wanted or ())
    if module is None or wanted is not None or "." not in name:
        return module
    return _there(unit, modules, name.partition(".")[0])  # ``import a.b`` gives a


def _there(unit, modules, name, wanted=()):
    """A module that has been imported, relied upon, or None: it has the names that are wanted, and it is not being imported right now."""
    module = looked_up(modules, name)
    if type(module) is not ModuleType:
        return None
    namespace = _namespace_of(module)
    if any(looked_up(namespace, item) is ABSENT for item in wanted) or _may_be_initializing(looked_up(namespace, "__spec__")):
        return None
    unit.depend(modules, name, module)
    unit.depend_word(id(module) + layout().ob_type, id(ModuleType))  # another class may have code of its own for what an import asks
    return module


def _absolute(unit, level, name):
    """What ``from ...name import`` names in this package, as long as its globals say what they say now; None if they say nothing plain."""
    namespace = unit.function.__globals__
    if type(namespace) is not dict:
        return None
    package, spec = looked_up(namespace, "__package__"), looked_up(namespace, "__spec__")
    if type(package) is not str or type(spec) is not ModuleSpec or spec.parent != package or package.count(".") < level - 1 or not package:
        return None
    unit.depend(namespace, "__package__", package)
    unit.depend(namespace, "__spec__", spec)
    base = package.rsplit(".", level - 1)[0]
    return f"{base}.{name}" if name else base


def _may_be_initializing(spec):
    """Asking an object that is no plain ModuleSpec might run foreign code."""
    return spec is not None and spec is not ABSENT and (type(spec) is not ModuleSpec or vars(spec).get("_initializing", False) is not False)


@bytecode("IMPORT_FROM")
def import_from(w, instruction):
    """Stack: module -> module, one of its names."""
    module = w.peek()
    name = w.unit.code.co_names[instruction.argument]
    known = module_attribute(w, module.known or module, name) if module.__class__ is Value else None
    if known is None:
        return w.leave("a name is imported of what is no module that is known")
    w.freeze()
    w.push(known)
    return None


def _is_original(w):
    """Whether the function's builtins have CPython's own ``__import__``, on which the version relies."""
    namespace = w.unit.function.__builtins__
    if type(namespace) is not dict:
        return False
    found = looked_up(namespace, "__import__")
    w.unit.depend(namespace, "__import__", found)
    return type(found) is BuiltinFunctionType and found.__self__ is builtins and found.__name__ == "__import__"
