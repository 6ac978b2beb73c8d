"""Builtins that run no foreign code when they are called with values of certain exact types, so that they need no frame."""

import math

from jit.bytecodes.bound import descriptor_of, result_of_random
from jit.bytecodes.classes import is_list
from jit.bytecodes.iterators import source_of
from jit.types import ARRAY, BOOL, INT, exact
from jit.values import COLLECTED_PLAIN

ITERATING = frozenset({enumerate, zip, reversed, iter})
BUILTIN_TYPES = (type, type(len), type(list.append), type(dict.__dict__["fromkeys"]), type(list.__add__))


def is_builtin(value):
    """Whether a callable is written in C, of a type that hashes and compares without the program's code."""
    return any(type(value) is kind for kind in BUILTIN_TYPES)


def is_blind(w, callee, arguments):
    """Whether a builtin, called with values of these exact types, runs no code but its own."""
    if not is_builtin(callee):
        return False
    if callee in ITERATING:
        return bool(arguments) and all(source_of(value) is not None for value in arguments[:1 if callee is enumerate else None]) and \
            (callee is not enumerate or len(arguments) == 1 or len(arguments) == 2 and arguments[1].type in (INT, BOOL))
    if callee is set or callee is frozenset:
        return len(arguments) == 1 and arguments[0].facts is COLLECTED_PLAIN
    wanted = BLIND.get(callee)
    if wanted is None or len(arguments) > len(wanted):
        return False
    return all(kind is None or value.type.python in kind or kind == (list,) and is_list(w, value) for kind, value in zip(wanted, arguments))


def blind_method(w, callee, arguments, kind):
    """(type of the result, True) of a method of a C type that runs no foreign code, called with these arguments; else (`kind`, False)."""
    found = descriptor_of(w, callee)
    if found is None:
        return kind, False
    method, owner = found
    result = result_of_random(method)
    if result is not None and (not arguments or len(arguments) == 1 and arguments[0].type in (INT, BOOL)):
        return exact(result), True
    return kind, is_blind(w, method, [owner, *arguments])


def _blind_callables():
    text, number, anything = (str,), (int, bool), None
    table = {list.pop: ((list,), number), list.insert: ((list,), number, anything), list.reverse: ((list,),),
             list.copy: ((list,),), dict.keys: ((dict,),), dict.values: ((dict,),), dict.items: ((dict,),), dict.copy: ((dict,),), str.join: (text, (list, tuple)), str.replace: (text, text, text), str.split: (text, text),
             str: ((int, float, bool, str),), repr: ((int, float, bool, str),), divmod: (number + (float,),) * 2,
             hash: ((int, float, bool, str),), range: (number,) * 3, list: ((list, tuple, range, bytes, bytearray, str),),
             tuple: ((list, tuple, range, bytes, bytearray, str),), bytearray: ((int, bytes, bytearray, list),),
             bytes: ((int, bytes, bytearray),), hex: (number,), bin: (number,), chr: (number,), ord: (text,)}
    if ARRAY is not None:
        table[ARRAY.append] = ((ARRAY,), (int, bool, float))
    for name in ("upper", "lower", "strip", "lstrip", "rstrip", "title", "capitalize", "isdigit", "isalpha", "isspace"):
        table[getattr(str, name)] = (text,)
    for name in ("startswith", "endswith", "find", "rfind", "count", "index"):
        table[getattr(str, name)] = (text, text)
    for name in ("gcd", "isqrt", "isnan", "isinf", "isfinite", "hypot", "pow", "degrees", "radians", "factorial", "trunc", "fabs",
                 "floor", "ceil", "sqrt", "log", "exp"):
        table[getattr(math, name)] = ((int, float, bool),) * 2
    return table


#: Builtins that run no foreign code, with the exact types their arguments must have (None: any).
BLIND = _blind_callables()
