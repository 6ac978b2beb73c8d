"""Builtins that run no foreign code when they are called with values of certain exact types, so that they need no frame.

A frame costs more than what the smaller of them do. One row says what must be so of a call, and what comes back.
None of these lets another thread run, looks for signals, as decimal digits and the multiplication of large ints do (Objects/longobject.c,
SIGCHECK), or tells an audit hook; names of codecs, which may lead to Python code, are not among the arguments.
"""

import math
import sys
import time
from types import MethodDescriptorType, ModuleType

from jit.bytecodes.bound import descriptor_of, result_of_random
from jit.bytecodes.classes import is_list
from jit.bytecodes.fixed_types import imported_type
from jit.bytecodes.iterators import source_of
from jit.bytecodes.numbers_in_c import decimal_type
from jit.types import ARRAY, BOOL, INT, LIST, STR, TUPLE, Shape, exact
from jit.values import COLLECTED_PLAIN, SHORT, may_be_large
from platforms.cpython import instances

ITERATING = frozenset({enumerate, zip, reversed, iter})
BUILTIN_TYPES = (type, type(len), type(list.append), type(dict.__dict__["fromkeys"]), type(list.__add__))


class Blind:
    """A call that runs no foreign code.

    Attributes:
        kinds: of each argument, the types of which it must be one exactly; None: of any. rest: of those behind them; (): there must not be more.
        result: Shape of what it returns, whose type is certain, or None. names: arguments that may be given by name, all of `PLAIN_NAMED`.
        small: ints must have 64 bits at most, and texts `SHORT`: with more of them CPython calculates in Python code (3.12: Lib/_pylong.py).
        makes: what it returns may have been made by it. guard: what else must be so of the first argument: (template, reason to leave), or None.
    """

    __slots__ = ("kinds", "rest", "result", "names", "small", "makes", "guard")

    def __init__(self, kinds=(), result=None, names=(), rest=(), small=False, makes=True, guard=None):
        self.small = small
        self.guard = guard
        self.makes = makes
        self.kinds = kinds
        self.rest = rest
        self.result = result if result is None or result.__class__ is Shape else Shape(exact(result))
        self.names = names

    def takes(self, w, arguments, names):
        """Whether these argument Values are of the right types; `names`: of the last ones."""
        positional = arguments[:len(arguments) - len(names)]
        if len(positional) > len(self.kinds) and not self.rest or not all(name in self.names for name in names):
            return False
        wanted = self.kinds + (self.rest,) * (len(positional) - len(self.kinds))
        if self.small and any(may_be_large(value) for value in positional):
            return False
        return all(kind is None or value.type.python in kind or kind == (list,) and is_list(w, value) for kind, value in zip(wanted, positional)) and \
            all(value.type.python in PLAIN_NAMED for value in arguments[len(positional):])


def guard_arguments(w, found, arguments):
    """Leave where one of the texts is longer than a call that wants its arguments small takes them, or where the first is not as it must be."""
    if found.guard is not None:
        template, reason = found.guard
        w.operation(template, arguments[0], exit=w.exit(reason))
    for value in dict.fromkeys(arguments):
        if found.small and value.type is STR and not value.is_constant:
            w.operation("guard_size_most", value, exit=w.exit("a long text"), detail=(str, SHORT))


NUMBER, REAL, TEXT, OCTETS, ANY = (int, bool), (int, bool, float), (str,), (bytes,), None
PLACE = (int, bool, type(None))
PLAIN = (int, float, bool, str)
PLAIN_NAMED = (*PLAIN, bytes, type(None))
#: Of str and of bytes: names of methods, types of further arguments, result, arguments that may be given by name. OWN: the type itself.
OWN = "own"
_OF_TEXT_AND_BYTES = (
    ("upper lower title capitalize swapcase", (), OWN, ()),
    ("isdigit isalpha isspace isalnum islower isupper istitle isascii", (), bool, ()),
    ("strip lstrip rstrip", (OWN,), OWN, ()),
    ("find rfind index rindex count", (OWN, PLACE, PLACE), int, ()),
    ("startswith endswith", (OWN, PLACE, PLACE), bool, ()),
    ("replace", (OWN, OWN, NUMBER), OWN, ()),
    ("split rsplit", ((OWN, type(None)), NUMBER), list, ("sep", "maxsplit")),
    ("partition rpartition", (OWN,), tuple, ()),
    ("splitlines", (NUMBER,), list, ("keepends",)),
    ("removeprefix removesuffix", (OWN,), OWN, ()),
    ("ljust rjust center", (NUMBER, OWN), OWN, ()),
    ("zfill", (NUMBER,), OWN, ()),
    ("expandtabs", (NUMBER,), OWN, ("tabsize",)))
_OF_TEXT = (("isdecimal isnumeric isidentifier isprintable", (), bool, ()), ("casefold", (), str, ()), ("join", ((list, tuple),), str, ()), ("encode", (), bytes, ()))
_OF_BYTES = (("hex", (TEXT, NUMBER), str, ()), ("decode", (), str, ()))
_OF_FLOATS = """isnan isinf isfinite hypot pow degrees radians trunc fabs floor ceil sqrt log exp cbrt exp2 log2 log10 log1p expm1 gamma lgamma erf erfc
    ldexp modf frexp remainder fmod copysign atan2 isclose sin cos tan asin acos atan sinh cosh tanh"""
#: What the program may import, functions of a module or methods of a type in it: names, types of arguments (a method's instance first), result,
#: arguments that may be given by name, types of further ones.
_IMPORTED = {
    ("binascii", None): (("hexlify b2a_hex", (OCTETS,), bytes, (), ()), ("unhexlify a2b_hex", ((bytes, str),), bytes, (), ()),
                         ("b2a_base64", (OCTETS,), bytes, ("newline",), ()), ("a2b_base64", ((bytes, str),), bytes, ("strict_mode",), ())),
    ("_struct", None): (("pack", (TEXT,), bytes, (), (*PLAIN, bytes)), ("unpack", (TEXT, OCTETS), tuple, (), ()), ("calcsize", (TEXT,), int, (), ())),
    ("_struct", "Struct"): (("pack", (ANY,), bytes, (), (*PLAIN, bytes)), ("unpack", (ANY, OCTETS), tuple, (), ())),
    ("decimal", None): (),
    ("re", "Match"): (("start end", (ANY, (int, str)), int, (), ()), ("span", (ANY, (int, str)), tuple, (), ())),
    ("collections", "deque"): (("pop popleft", (ANY,), None, (), ()), ("rotate", (ANY, NUMBER), None, (), ())),
    ("datetime", "date"): (("weekday isoweekday toordinal", (ANY,), int, (), ()),),
    ("_io", "BytesIO"): (("write", (ANY, OCTETS), int, (), ()), ("read", (ANY, PLACE), bytes, (), ()), ("getvalue", (ANY,), bytes, (), ())),
    ("_io", "StringIO"): (("write", (ANY, TEXT), int, (), ()), ("read", (ANY, PLACE), None, (), ()), ("getvalue", (ANY,), None, (), ()))}


def _methods(kind, rows):
    shapes = {list: Shape(LIST, Shape(exact(kind))), tuple: Shape(TUPLE, Shape(exact(kind))), OWN: kind}

    def types(wanted):
        return (kind,) if wanted is OWN else tuple(kind if item is OWN else item for item in wanted)

    return {getattr(kind, name): Blind(((kind,), *map(types, arguments)), shapes.get(result, result), names)
            for text, arguments, result, names in rows for name in text.split()}


def _blind_callables():
    list_like = (list, tuple, range, bytes, bytearray, str)
    table = {list.pop: Blind(((list,), NUMBER), makes=False), list.insert: Blind(((list,), NUMBER, ANY), makes=False), list.reverse: Blind(((list,),), makes=False),
             list.copy: Blind(((list,),), list), dict.copy: Blind(((dict,),), dict, guard=("guard_cloned", "a dict whose keys are compared when it is copied")),
             **{method: Blind(((dict,),)) for method in (dict.keys, dict.values, dict.items)},
             **{kind: Blind(((float, bool, str),), str) for kind in (str, repr, ascii)}, hash: Blind((PLAIN,), int), callable: Blind((ANY,), bool),
             id: Blind((ANY,), int), abs: Blind(((complex,),), float), complex: Blind(((*PLAIN, complex), (*REAL, complex)), complex),
             divmod: Blind(((float,), REAL), tuple), round: Blind(((float,), NUMBER)), format: Blind(((float, str), TEXT), str),
             **{to_text: Blind((NUMBER,), str) for to_text in (hex, oct, bin, chr)}, ord: Blind(((str, bytes),), int),
             int: Blind((PLAIN, NUMBER), int, ("base",), small=True), float: Blind((PLAIN,), float), range: Blind((NUMBER, NUMBER), small=True), dict: Blind(), set: Blind(), object: Blind(),
             list: Blind((list_like,)), tuple: Blind((list_like,)), bytearray: Blind(((int, bytes, bytearray),)), bytes: Blind(((int, bytes, bytearray),)),
             int.bit_length: Blind((NUMBER,), int), int.bit_count: Blind((NUMBER,), int), float.is_integer: Blind(((float,),), bool),
             int.to_bytes: Blind((NUMBER, NUMBER, TEXT), bytes, ("length", "byteorder", "signed")), int.from_bytes: Blind((OCTETS, TEXT), int, ("byteorder", "signed")),
             **_methods(str, _OF_TEXT_AND_BYTES + _OF_TEXT), **_methods(bytes, _OF_TEXT_AND_BYTES + _OF_BYTES)}
    if ARRAY is not None:
        table[ARRAY.append] = Blind(((ARRAY,), REAL))
    for name in ("time", "perf_counter", "monotonic", "process_time"):
        table[getattr(time, name)] = Blind((), float)
        table[getattr(time, name + "_ns")] = Blind((), int)
    for name in _OF_FLOATS.split():
        table[getattr(math, name)] = Blind((REAL, REAL))
    table[math.isqrt] = Blind((NUMBER,), int, small=True)
    return table


#: Builtins that run no foreign code -> what their arguments must be.
BLIND = _blind_callables()
#: Of `_IMPORTED`, what has not been met yet.
_missing = set(_IMPORTED)


def _meet_imported():
    """Put what has been imported meanwhile into the table, if it is what its name says: anything may stand in a module's place."""
    for place in list(_missing):
        name, kind = place
        module = sys.modules.get(name)
        if type(module) is not ModuleType:
            continue
        _missing.discard(place)
        if name == "decimal":
            BLIND.update(_of_decimals(decimal_type()))
        held = module.__dict__ if kind is None else _namespace(imported_type(*place))
        for text, kinds, result, names, rest in _IMPORTED[place]:
            for function in map(held.get, text.split()):
                if type(function) is MethodDescriptorType or type(function) is type(len) and function.__self__ is module:
                    BLIND[function] = Blind(kinds, result, names, rest)


def _of_decimals(kind):
    """What there is to call of the class of Decimals, or of None."""
    return {} if kind is None else {kind: Blind(((*PLAIN, kind),), kind), instances.namespace(kind)["quantize"]: Blind((ANY, (kind, int)), kind, ("rounding",))}


def _namespace(kind):
    return {} if kind is None else instances.namespace(kind)


def is_builtin(value):
    """Whether a callable is written in C, of a type that hashes and compares without the program's code."""
    return any(type(value) is kind for kind in BUILTIN_TYPES)


def blind(w, callee, arguments, names=()):
    """The `Blind` of a builtin that, called with values of these exact types, runs no code but its own; or None.

    Args:
        names: of the last arguments.
    """
    if not is_builtin(callee):
        return None
    if callee in ITERATING:
        return _ITERATION if not names and bool(arguments) and all(source_of(value) is not None for value in arguments[:1 if callee is enumerate else None]) and \
            (callee is not enumerate or len(arguments) == 1 or len(arguments) == 2 and arguments[1].type in (INT, BOOL)) else None
    if (callee is set or callee is frozenset) and arguments:
        return _COLLECTION if not names and len(arguments) == 1 and arguments[0].facts is COLLECTED_PLAIN else None
    if _missing:
        _meet_imported()
    found = BLIND.get(callee)
    return found if found is not None and found.takes(w, arguments, names) else None


_ITERATION = _COLLECTION = Blind()


def blind_method(w, callee, arguments, names=()):
    """The `Blind` of a method of a C type, bound to an instance, that runs no foreign code when it is called with these arguments; or None."""
    found = descriptor_of(w, callee)
    if found is None:
        return None
    method, owner = found
    result = result_of_random(method)
    if result is not None and not names and (not arguments or len(arguments) == 1 and arguments[0].type in (INT, BOOL)):
        return Blind((), result)
    return blind(w, method, [owner, *arguments], names)
