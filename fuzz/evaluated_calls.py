"""The operations of the reference evaluator on functions: calls, the making of functions and classes, imports."""

import builtins
import inspect
import sys
from functools import cache
from types import CellType, CodeType, FunctionType, MethodType

from fuzz import evaluator
from fuzz.evaluator import COROUTINES, NULL, NotEvaluated, operation
from platforms.cpython import opcodes

# -- calls ----------------------------------------------------------------------------------------------

#: Functions that look at the frame that calls them -> with how many arguments they no longer do.
LOOKING = {id(function): enough for function, enough in (
    (builtins.locals, 1), (builtins.vars, 1), (builtins.dir, 1), (builtins.eval, 2), (builtins.exec, 2), (builtins.breakpoint, 99),
    (sys._getframe, 99), (inspect.currentframe, 99), (inspect.stack, 99), (inspect.trace, 99),
    *([(sys._getframemodulename, 99)] if hasattr(sys, "_getframemodulename") else []))}


def call(frame, function, arguments, keywords):
    """Call from evaluated code."""
    if frame.deep:
        while type(function) is MethodType:
            function, arguments = function.__func__, (function.__self__, *arguments)
        if issubclass(type(function), FunctionType) and not function.__code__.co_flags & COROUTINES:
            if id(function) not in LOOKING:
                return evaluator.call(function, arguments, keywords, frame.work, True)
    if len(arguments) < LOOKING.get(id(function), 0):
        raise NotEvaluated(f"{function.__name__} looks at its caller's frame")
    if function is builtins.globals and not arguments and not keywords:
        return frame.function.__globals__
    if function is super and not arguments and not keywords:
        arguments = surroundings(frame)
    return function(*arguments, **keywords)


def surroundings(frame):
    """The arguments of ``super()``: the class whose body the function stands in, and its own first argument."""
    names = frame.evaluated.local_names
    if "__class__" not in frame.code.co_freevars or not frame.code.co_argcount:
        raise NotEvaluated("super outside of a method")
    kind, first = frame.locals[names.index("__class__", len(names) - len(frame.code.co_freevars))], frame.locals[0]
    if type(first) is CellType and names[0] in frame.code.co_cellvars:
        first = first.cell_contents
    if first is NULL:
        raise NotEvaluated("super without its first argument")
    return kind.cell_contents, first


def pop_callable(frame):
    """What is called, and its first argument if that lies beside it: (callable, arguments)."""
    frame.need(2)
    above, below = frame.pop_any(), frame.pop_any()
    if opcodes.NULL_FIRST and below is NULL:
        above, below = NULL, above
    if below is NULL:
        raise NotEvaluated("NULL is called")
    return below, [] if above is NULL else [above]


@operation("CALL")
def call_operation(frame, instruction):
    values = frame.pop_many(instruction.argument)
    function, arguments = pop_callable(frame)
    arguments += values
    del values
    first = len(arguments) - len(instruction.names)
    if first < 0:
        raise NotEvaluated("fewer arguments than names")
    keywords = dict(zip(instruction.names, arguments[first:]))
    if len(keywords) < len(instruction.names):
        raise NotEvaluated("an argument is named twice")
    frame.push(call(frame, function, arguments[:first], keywords))


@operation("CALL_FUNCTION_EX")
def call_function_ex(frame, instruction):
    keywords = frame.pop() if instruction.argument & 1 else {}
    arguments = frame.pop()
    function, first = pop_callable(frame)
    if first:
        raise NotEvaluated("a method called with a tuple")
    if type(arguments) is not tuple or type(keywords) is not dict or any(type(name) is not str for name in keywords):
        # What is wrong with them is told by Python, in the name of what is called.
        arguments, keywords = Callee(function)(*arguments, **keywords)
    frame.push(call(frame, function, arguments, keywords))


class Callee:
    """Takes the arguments of a call and returns them; in messages it goes by the name of what is called."""

    def __init__(self, function):
        object.__setattr__(self, "function", function)

    def __getattribute__(self, name):
        return getattr(object.__getattribute__(self, "function"), name)

    def __str__(self):
        return str(object.__getattribute__(self, "function"))

    def __call__(self, /, *arguments, **keywords):
        return arguments, keywords


@operation("DICT_MERGE")
def dict_merge(frame, instruction):
    """Add keyword arguments to a dict of them. What is called lies below it, for messages."""
    mapping = frame.pop()
    target = frame.container(instruction.argument, dict)
    function = frame.peek(instruction.argument + (2 if opcodes.NULL_FIRST else 3))
    if type(mapping) is dict and any(type(name) is not str for name in mapping):
        # Python tells it at the call itself, which may be much later.
        twice = [str(name) for name in mapping if name in target][:1]
        Callee(function)(**dict.fromkeys(twice), **dict.fromkeys(twice))
        target.update(mapping)
        return
    target.update(Callee(function)(**target, **mapping)[1])


# -- functions and classes ------------------------------------------------------------------------------

DEFAULTS, KEYWORD_DEFAULTS, ANNOTATIONS, CLOSURE = 1, 2, 4, 8


@operation("MAKE_FUNCTION")
def make_function(frame, instruction):
    """Up to 3.12 the argument says which attributes lie below the code object; in 3.13 it is 0."""
    code = frame.pop()
    if type(code) is not CodeType:
        raise NotEvaluated("a function of no code")
    values = {flag: frame.pop() for flag in (CLOSURE, ANNOTATIONS, KEYWORD_DEFAULTS, DEFAULTS) if instruction.argument & flag}
    # A function cannot be without a closure at first, as it is in 3.13: it gets an empty one.
    function = with_closure(frame, code, values.pop(CLOSURE, tuple([CellType() for _ in code.co_freevars])))
    for flag, value in values.items():
        set_attribute(function, flag, value)
    frame.push(function)


def with_closure(frame, code, closure):
    sound = type(closure) is tuple and all(type(item) is CellType for item in closure)
    if not sound or len(closure) != len(code.co_freevars):
        raise NotEvaluated("a closure that is none")
    return FunctionType(code, frame.function.__globals__, None, None, closure or None)


def set_attribute(function, flag, value):
    if type(value) is not (dict if flag == KEYWORD_DEFAULTS else tuple):
        raise NotEvaluated("an attribute that no function has")
    if flag == DEFAULTS:
        function.__defaults__ = value
    elif flag == KEYWORD_DEFAULTS:
        function.__kwdefaults__ = value
    else:
        function.__annotations__ = dict(zip(value[::2], value[1::2]))


@operation("SET_FUNCTION_ATTRIBUTE")
def set_function_attribute(frame, instruction):
    value, function = frame.pop_many(2)
    if instruction.argument not in (DEFAULTS, KEYWORD_DEFAULTS, ANNOTATIONS, CLOSURE) or type(function) is not FunctionType:
        raise NotEvaluated("an attribute that no function has")
    if instruction.argument == CLOSURE:
        # Closures cannot be replaced; nobody else has seen the function yet.
        bare, function = function, with_closure(frame, function.__code__, value)
        function.__defaults__, function.__kwdefaults__ = bare.__defaults__, bare.__kwdefaults__
        function.__annotations__ = bare.__annotations__
    else:
        set_attribute(function, instruction.argument, value)
    frame.push(function)


@operation("LOAD_BUILD_CLASS")
def load_build_class(frame, instruction):
    if "__build_class__" not in frame.builtins:
        raise NameError("__build_class__ not found", name="__build_class__")
    frame.push(frame.builtins["__build_class__"])


# -- imports --------------------------------------------------------------------------------------------


@operation("IMPORT_NAME")
def import_name(frame, instruction):
    level, wanted = frame.pop_many(2)
    if "__import__" not in frame.builtins:
        raise ImportError("__import__ not found")
    frame.push(frame.builtins["__import__"](frame.name(instruction), frame.function.__globals__, None, wanted, level))


@cache
def importer(name):
    """A function that takes a name from a module."""
    code = compile(f"def take():\n    from module import {name} as taken\n    return taken", "<import>", "exec")
    function = code.co_consts[0]

    def take(module):
        return FunctionType(function, {"__builtins__": {"__import__": lambda *_: module}})()

    return take


@operation("IMPORT_FROM")
def import_from(frame, instruction):
    try:
        take = importer(frame.name(instruction))
    except SyntaxError:
        raise NotEvaluated("a name that cannot be imported") from None
    frame.push(take(frame.peek(1)))
