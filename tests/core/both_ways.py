"""Run a function interpreted and compiled, and compare all that Python promises."""

import copy
import traceback
import types

import jit


def outcome(function, arguments):
    """What a call does, as plain data: ("value", type, repr) or ("exception", type, text, traceback)."""
    try:
        result = function(*arguments)
    except BaseException as problem:
        frames = [(entry.name, entry.lineno) for entry in traceback.extract_tb(problem.__traceback__)][1:]
        return ("exception", type(problem), str(problem), frames)
    return ("value", type(result), repr(result))


def fresh(function, names=()):
    """A copy with globals of its own; `names`: other functions copied along, so that they see each other."""
    namespace = dict(function.__globals__)
    copies = {}
    for item in (function, *names):
        copies[item.__name__] = types.FunctionType(
            item.__code__, namespace, item.__name__, item.__defaults__, item.__closure__)
    namespace.update(copies)
    return copies[function.__name__], list(copies.values())


def check_both_ways(function, *argument_lists, helpers=(), repeat=3):
    """Assert that the compiled function does what the interpreted one does, for each argument tuple, several times."""
    interpreted, _ = fresh(function, helpers)
    compiled, copies = fresh(function, helpers)
    for item in copies:
        jit.jit(item)
    for arguments in argument_lists:
        for _ in range(repeat):
            expected = outcome(interpreted, copy.deepcopy(arguments))
            actual = outcome(compiled, copy.deepcopy(arguments))
            assert expected == actual, (function.__name__, arguments)
