"""FILE:FUNC on the command line: the function it names, decorated, and compiled for the arguments asked for."""

import builtins
import functools
import importlib
import importlib.machinery
import importlib.util
import os
import sys
from types import FunctionType, MethodType

import jit
from jit.decode import parameter_count
from jit.errors import CommandError

#: The file's name among the modules: not `__main__`, so that it does not run what it does as a program.
MODULE = "__jit_target__"
#: Where objects that stand for a function keep it.
_INNER = ("__wrapped__", "__func__", "fget", "func")


def load(target, types, call):
    """Find a function, decorate it, and do what makes versions of it.

    Args:
        target: "FILE:FUNC", FUNC a dotted name. types: argument types by name, separated by commas, or None.
        call: an expression to evaluate in the file's namespace, or None.

    Returns:
        the function.

    Raises:
        CommandError: any of this fails.
    """
    path, colon, name = target.rpartition(":")
    if not colon or not path or not name:
        raise CommandError(f"{target!r} is not of the form FILE:FUNC")
    module = run_file(path)
    function = find_function(module, path, name)
    jit.jit(function)
    if types is not None:
        compile_types(module, function, types)
    if call is not None:
        try:
            # Not as text: a ^C that ends eval of text would count as unhandled even where it is handled.
            eval(compile(call, "--call", "eval"), module.__dict__)
        except KeyboardInterrupt:
            raise
        except BaseException as problem:
            raise CommandError(f"{call}: {told(problem)}") from None
    return function


def told(problem):
    """An exception in one line."""
    text = " ".join(str(problem).split())
    return f"{type(problem).__name__}: {text}" if text else type(problem).__name__


def run_file(path):
    """The module that a file makes, whatever the file is called."""
    if os.path.isdir(path):
        raise CommandError(f"{path} is a directory, not a Python file")
    if not os.path.exists(path):
        raise CommandError(f"no file {path!r}")
    loader = importlib.machinery.SourceFileLoader(MODULE, path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(MODULE, loader))
    sys.modules[MODULE] = module
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    sys.argv = [path]
    try:
        loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as problem:
        raise CommandError(f"{path} does not load: {told(problem)}") from None
    return module


def find_function(module, path, name):
    """The Python function behind a dotted name, its decorators taken off."""
    if "<" in name:
        raise CommandError(f"{name}: a function inside a function has no name outside; name the outer one")
    found = module
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except Exception:
            raise CommandError(f"{path} has no function {name!r}{suggestion(found, part)}") from None
    if isinstance(found, type):
        raise CommandError(f"{name} is a class; name a function in it, such as {name}.method")
    function = inner_function(found)
    if function is None:
        raise CommandError(f"{name} is no Python function, but of type {type(found).__name__}")
    return function


def suggestion(holder, name):
    """A name in `holder` that is much like the wrong one, for the end of a message."""
    import difflib
    close = difflib.get_close_matches(name, [word for word in dir(holder) if not word.startswith("__")], 1)
    return f"; it has {close[0]!r}" if close else ""


def inner_function(item):
    """What decorators and descriptors wrap, to the innermost Python function; None if there is none."""
    for _ in range(100):
        inner = next((getattr(item, name) for name in _INNER if is_function_like(getattr(item, name, None))), None)
        if inner is None:
            return item if isinstance(item, FunctionType) else None
        item = inner
    return None


def is_function_like(item):
    """Whether something may lead to a Python function."""
    return isinstance(item, (FunctionType, MethodType, staticmethod, classmethod, property, functools.partial)) \
        or callable(item) and hasattr(item, "__wrapped__")


def compile_types(module, function, text):
    """Compile a version for argument types given by name.

    Raises:
        CommandError: a name is no type, or there are more or fewer than parameters.
    """
    from jit.arguments import type_of_kind
    from jit.dispatch import COMPILER
    kinds = tuple(type_of_kind(find_type(module, name.strip())) for name in filter(None, text.split(",")))
    record = COMPILER.register(function)
    if record.reason is not None:
        return
    count = parameter_count(function.__code__)
    if len(kinds) != count:
        raise CommandError(f"{function.__qualname__} takes {count} arguments, not {len(kinds)}")
    with COMPILER.lock:
        if record.version_for(kinds) is None:
            COMPILER.try_compile(record, function, kinds, [None] * count)
            COMPILER.install(record, function)


def find_type(module, name):
    """The class of this name: builtin, of the file, or MODULE.NAME."""
    if name == "None":
        return type(None)
    holder, _, last = name.rpartition(".")
    try:
        found = getattr(builtins, name, None) or functools.reduce(getattr, name.split("."), module)
    except AttributeError:
        try:
            found = getattr(importlib.import_module(holder), last) if holder else None
        except (ImportError, AttributeError):
            found = None
    if not isinstance(found, type):
        raise CommandError(f"{name!r} is no type that builtins, the file or its modules have")
    return found
