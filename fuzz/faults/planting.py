"""How a fault gets into a program that runs.

Problem: most of the product's functions are known under several names (imported by name, kept in tables of templates, made by
other functions), so that replacing an attribute of a module would miss most of their callers.
Idea: a function keeps its identity and gets another `__code__`. The module's source is compiled once more with one place in it
changed, and every function that was made from that place takes the changed code.
Invariant: a place that does not exist (any more), or is not the only one, is an error: `NoSuchPlace`.
"""

import ast
import gc
from dataclasses import dataclass
from importlib import import_module
from inspect import getsource
from types import CodeType, FunctionType


class NoSuchPlace(Exception):
    """What a fault changes is not there: the product has been changed, so the fault must be, too."""


@dataclass(frozen=True)
class Fault:
    """One mistake.

    Attributes:
        name: in kebab-case. part: of the product it lies in. target: name of the fuzz target that must find it.
        plant: callable without arguments that plants it in this process, before anything is compiled.
        explanation: one sentence. witness: source of a program that shows it, see fuzz/faults/witness.py.
    """

    name: str
    part: str
    target: str
    plant: object
    explanation: str
    witness: str


def rewriting(module, function, *changes):
    """A fault's `plant`: other source for parts of one function.

    Args:
        module: dotted name. function: qualified name of a function or class in it. changes: pairs (text as it is, text instead),
        of equally many lines; the first must be found in the function exactly once.
    """

    def plant():
        _take_code(import_module(module), function, changes)

    return plant


def replacing(module, name, make):
    """A fault's `plant`: an attribute of a module replaced by what `make` makes of it."""

    def plant():
        owner = import_module(module)
        if not hasattr(owner, name):
            raise NoSuchPlace(f"{module} has no {name}")
        old = getattr(owner, name)
        new = make(old)
        if new == old:
            raise NoSuchPlace(f"{module}.{name} stays as it was")
        setattr(owner, name, new)

    return plant


def replacing_item(module, name, key, value):
    """A fault's `plant`: another value under one key of a table; `name` may be followed by attributes and integer keys."""

    def plant():
        owner, table = import_module(module), name
        for step in table.split("."):
            owner = owner[int(step)] if step.isdigit() else getattr(owner, step, None)
        try:
            old = owner[key]
        except (LookupError, TypeError):
            raise NoSuchPlace(f"{module}.{name} has no {key!r}") from None
        if old == value:
            raise NoSuchPlace(f"{module}.{name}[{key!r}] is {value!r} already")
        owner[key] = value

    return plant


def together(*plants):
    """A fault's `plant`: several places of one mistake."""

    def plant():
        for one in plants:
            one()

    return plant


def _take_code(module, function, changes):
    source = getsource(module)
    lines = source.splitlines(keepends=True)
    node = _definition(ast.parse(source), function, module.__name__)
    text = "".join(lines[node.lineno - 1:node.end_lineno])
    for old, new in changes:
        if text.count(old) != 1:
            raise NoSuchPlace(f"{module.__name__}.{function} contains {text.count(old)} times: {old}")
        if old.count("\n") != new.count("\n"):
            raise NoSuchPlace(f"lines of {function} would move: {old}")
        text = text.replace(old, new)
    changed = "".join([*lines[:node.lineno - 1], text, *lines[node.end_lineno:]])
    codes = {}
    for code in _codes(compile(changed, module.__file__, "exec", dont_inherit=True)):
        if f"{code.co_qualname}.".startswith(f"{function}."):
            codes[code.co_qualname, code.co_firstlineno] = code
    found = [item for item in gc.get_objects() if type(item) is FunctionType and item.__globals__ is module.__dict__ and
             (item.__code__.co_qualname, item.__code__.co_firstlineno) in codes]
    for item in found:
        item.__code__ = codes[item.__code__.co_qualname, item.__code__.co_firstlineno]
    if not found:
        raise NoSuchPlace(f"nothing has been made of {module.__name__}.{function}")


def _definition(tree, function, module):
    """The node that defines a qualified name."""
    node = tree
    for name in function.split("."):
        inside = [child for child in node.body if getattr(child, "name", None) == name]
        if len(inside) != 1:
            raise NoSuchPlace(f"{module} has {len(inside)} definitions of {function}")
        node = inside[0]
    return node


def _codes(code):
    """A code object and all in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
