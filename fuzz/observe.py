"""The oracles: what a call did, as plain comparable data.

Problem: two runs make different objects, in different namespaces, at different addresses, yet everything Python promises must be equal.
Idea: describe values structurally, from outside (no method of a hostile object is ever called), numbering mutable objects in the
order they are met, so that identity and aliasing are part of the description. One `Describer` sees result, arguments and globals.
"""

import io
import re
import sys
import traceback
from array import array
from contextlib import nullcontext, redirect_stdout
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType

#: Ints of more bits are described in hexadecimal; longer containers by their first items and length.
LARGE_BITS, LONG = 200, 200
#: Levels of causes and contexts, and of nested containers.
CHAIN, DEPTH = 4, 12
#: What differs in the text of an object that has no better one, as in the message of list.index.
_ADDRESS = re.compile(" at 0x[0-9a-f]+")
#: Of classes that are made at run time (Include/object.h, Py_TPFLAGS_HEAPTYPE).
_FLAGS, _HEAP_TYPE = type.__dict__["__flags__"], 1 << 9
_BY_NAME = (FunctionType, BuiltinFunctionType, type)
_HIDDEN = (ModuleType, FunctionType, type, BuiltinFunctionType, CodeType)


class Describer:
    """Turns values into nested tuples; the same object gets the same number in all of them.

    Attributes:
        frames: whether tracebacks of exceptions, and the locals found there, are part of the description.
    """

    def __init__(self, frames=True):
        self.frames = frames
        self.numbers = {}
        self.kept = []

    def __call__(self, value, depth=DEPTH):
        kind = type(value)
        if kind is int:
            return "int", value if value.bit_length() < LARGE_BITS else hex(value)
        if kind is float:
            return "float", value.hex()
        if kind is bool or value is None:
            return "constant", repr(value)
        if kind is str:
            return "str", _ADDRESS.sub(" at 0x", repr(value))
        if kind in (bytes, complex, range, slice, type(...), type(NotImplemented)):
            return kind.__name__, repr(value)
        for base in _BY_NAME:
            if issubclass(kind, base):  # isinstance would ask the value
                return base.__name__, base.__dict__["__qualname__"].__get__(value)
        return self.structure(value, kind, depth)

    def structure(self, value, kind, depth):
        """The description of what has an identity."""
        number = self.numbers.get(id(value))
        if number is not None and kind is not tuple:
            return "same", number
        number = self.numbers[id(value)] = len(self.numbers)
        self.kept.append(value)
        if depth == 0:
            return kind.__qualname__, number, "..."
        name = kind.__qualname__
        if issubclass(kind, BaseException):
            return name, number, self.exception(value, 1)
        content = self.content(value, depth - 1)
        if kind in (list, tuple, dict, set, frozenset, bytearray, array):
            return name, number, content
        return name, number, content, self.attributes(value, kind, depth - 1)

    def content(self, value, depth):
        """What a container or a subclass of a number or text holds."""
        kind = type(value)
        if issubclass(kind, list):
            return self.items(list.__iter__(value), list.__len__(value), depth)
        if issubclass(kind, tuple):
            return self.items(tuple.__iter__(value), tuple.__len__(value), depth)
        if issubclass(kind, dict):
            return [(self(key, depth), self(item, depth)) for key, item in dict.items(value)]
        if issubclass(kind, (set, frozenset)):
            return sorted((self(item, depth) for item in type(value).__mro__[-2].__iter__(value)), key=repr)
        for base in (int, float, str, bytes, bytearray):
            if issubclass(kind, base):
                return base.__repr__(value)
        if issubclass(kind, array):
            return value.typecode, repr(value.tobytes())
        if issubclass(kind, memoryview):
            try:
                return value.format, value.readonly
            except ValueError:
                return "released"
        if issubclass(kind, MethodType):
            return self(value.__self__, depth), value.__func__.__qualname__
        return None

    def items(self, items, length, depth):
        described = [self(item, depth) for _, item in zip(range(LONG), items)]
        return described if length <= LONG else (described, length)

    def attributes(self, value, kind, depth):
        """Instance dictionary and slots, not through the instance's own ways."""
        found = []
        try:
            found = list(object.__getattribute__(value, "__dict__").items())
        except AttributeError:
            pass
        for base in kind.__mro__:
            slots = base.__dict__.get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else tuple(slots):
                member = base.__dict__.get(name)
                try:
                    found.append((name, type(member).__get__(member, value, kind)))
                except (AttributeError, TypeError):
                    continue
        return [(name if type(name) is str else self(name, depth), self(item, depth)) for name, item in found]

    def exception(self, error, levels=CHAIN):
        """Type, arguments, traceback without our own frames, locals of its frames, cause and context."""
        if error is None or levels == 0:
            return None
        trace = error.__traceback__ if self.frames else None
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        lines = [(entry.name, entry.lineno) for entry in traceback.extract_tb(trace, limit=40)] if trace else []
        if isinstance(error, UnboundLocalError) and lines:
            # Fused instructions of 3.11 report the line of their first half once the interpreter has warmed up.
            lines[-1] = (lines[-1][0], None)
        places = []
        while trace is not None and len(places) < 3:
            places.append([(name, self(item, 4)) for name, item in trace.tb_frame.f_locals.items()])
            trace = trace.tb_next
        arguments = BaseException.args.__get__(error)
        if type(error) is RecursionError:
            # Which C function finds the limit reached depends on what the interpreter has specialised.
            arguments = tuple(item.split(" in ")[0].split(" while ")[0] if type(item) is str else item for item in arguments)
        return (type(error).__qualname__, [self(item, 4) for item in arguments], lines, places,
                self.exception(error.__cause__, levels - 1), self.exception(error.__context__, levels - 1), error.__suppress_context__)


def outcome(function, arguments, namespace, printing=True, frames=True):
    """Call ``function(*arguments)`` and describe what came of it.

    Args:
        namespace: globals to describe. printing: catch what is printed; not while several threads are at it.
        frames: describe tracebacks and locals of frames.

    Returns:
        dict of part -> description: "result" or "exception", "arguments", "globals", "stdout" if something was printed, and with
        frames "references": how many of them arguments have that were made for the call.
    """
    result = problem = None
    with redirect_stdout(io.StringIO()) if printing else nullcontext() as printed:
        try:
            result = function(*arguments)
        except Exception as error:
            problem = error
    describe = Describer(frames)
    # First what is there in every way of running, so that its numbers do not depend on the frames of a traceback.
    found = {"arguments": [describe(item) for item in arguments], "globals": described_globals(namespace, describe)}
    if problem is None:
        found["result"] = describe(result)
    else:
        found["exception"] = describe.exception(problem)
        problem.__traceback__ = None
    if frames and not issubclass(type(problem), AttributeError):  # that may hold its object, or not (see README's limits)
        del describe
        found["references"] = [(type(item).__qualname__, sys.getrefcount(item)) for item in arguments if is_new(item)]
    if printing and printed.tell():
        found["stdout"] = _ADDRESS.sub(" at 0x", printed.getvalue())
    return found


def is_new(item):
    """Whether an argument was made for its call, so that what holds it is known."""
    kind = type(item)
    return kind in (list, dict, set, bytearray, array, memoryview) or bool(_FLAGS.__get__(kind) & _HEAP_TYPE)


def described_globals(namespace, describe):
    """(name, description) of a module's data."""
    return [(name, describe(item)) for name, item in list(namespace.items()) if not issubclass(type(item), _HIDDEN) and not name.startswith("__")]


#: The parts of an exception's description, in order.
_EXCEPTION_PARTS = ("type", "arguments", "traceback", "locals", "cause", "context", "suppressed context")


def first_difference(wanted, got):
    """Where two outcomes part.

    Returns:
        None, or (what: the same for the same kind of difference, one text of each outcome there).
    """
    if wanted == got:
        return None
    for part in ("result", "exception"):
        if (part in wanted) != (part in got):
            return f"{_summary(wanted)} became {_summary(got)}", repr(wanted)[:2000], repr(got)[:2000]
    for part in ("result", "exception", *wanted, *got):
        one, two = wanted.get(part), got.get(part)
        if one == two:
            continue
        what = part
        if part == "exception":
            index = next(number for number, pair in enumerate(zip(one, two)) if pair[0] != pair[1])
            what, one, two = f"exception: {_EXCEPTION_PARTS[index]} of {wanted[part][0]}", one[index], two[index]
        elif part == "result":
            what = f"result: {one[0]}" if one[0] == two[0] else f"result: {one[0]} became {two[0]}"
        return what, repr(one)[:2000], repr(two)[:2000]
    return "outcome", repr(wanted)[:2000], repr(got)[:2000]


def _summary(found):
    if "exception" in found:
        return found["exception"][0]
    return "a result"
