"""What the reference evaluator knows of a code object before it runs it: instructions, handlers, how arguments are bound.

Kept per code object (compared by identity: equality of code objects is dear, and says yes where types of constants differ).
"""

from bisect import bisect_left
from keyword import iskeyword
from types import FunctionType

from jit.decode import decode, exception_entries, raw_instructions
from jit.errors import Unsupported

_POSITIONAL_REST, _KEYWORD_REST = 0x4, 0x8
_KEPT, _MOST_KEPT = {}, 256


class Refused(Exception):
    """A code object that cannot be understood."""


class Evaluated:
    """A code object, ready to be run.

    Attributes:
        code: the code object. instructions: canonical. starts: byte offset of a raw instruction -> index of the instruction
        to go on with, where that is possible. handlers: see `jit.decode.exception_entries`. cells: the locals that are cells
        and no parameters.
    """

    def __init__(self, code):
        self.code = code
        try:
            self.instructions = decode(code)
            self.handlers = exception_entries(code)
        except Unsupported as problem:
            raise Refused(problem.reason) from None
        self.starts = _starts(code, self.instructions)
        self.cells = tuple(name for name in code.co_cellvars if name not in code.co_varnames)
        self.local_names = code.co_varnames + self.cells + code.co_freevars
        self._binder = None

    def bind(self, function, arguments, keywords):
        """The values of a call's parameters, in the order of the code's locals.

        A function that has the same parameters and returns them does it, so that defaults and errors are Python's own.
        """
        if self._binder is None:
            self._binder = _binder(self.code)
        binder = FunctionType(self._binder, {}, function.__name__, function.__defaults__)
        binder.__qualname__, binder.__kwdefaults__ = function.__qualname__, function.__kwdefaults__
        return binder(*arguments, **keywords)


def evaluated(code):
    """The `Evaluated` of a code object; raises `Refused`."""
    found = _KEPT.get(id(code))
    if found is None:
        if len(_KEPT) >= _MOST_KEPT:
            _KEPT.clear()
        found = _KEPT[id(code)] = Evaluated(code)
    return found


def _starts(code, instructions):
    """Where each raw instruction begins among the canonical ones; those that are decoded to nothing, where the next does.

    What is decoded together with the raw instruction before (a call and its keyword names) cannot be gone to.
    """
    offsets = [instruction.offset for instruction in instructions]
    executed = {instruction.executing for instruction in instructions}
    found = {}
    for start, own, *_ in raw_instructions(code):
        index = bisect_left(offsets, start)
        if index < len(offsets) and (own not in executed or offsets[index] == start):
            found[start] = index
    return found


def _binder(code):
    """Code of a function with the same parameters that returns them in a list."""
    positional, total = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    rest, keywords = bool(code.co_flags & _POSITIONAL_REST), bool(code.co_flags & _KEYWORD_REST)
    names = [name if name.isidentifier() and not iskeyword(name) else f"hidden_{number}"
             for number, name in enumerate(code.co_varnames[:total + rest + keywords])]
    parts = names[:positional]
    if code.co_posonlyargcount:
        parts.insert(code.co_posonlyargcount, "/")
    if rest:
        parts.append("*" + names[total])
    elif total > positional:
        parts.append("*")
    parts += names[positional:total]
    if keywords:
        parts.append("**" + names[-1])
    namespace = {}
    try:
        exec(f"def binder({', '.join(parts)}): return [{', '.join(names)}]", namespace)
    except (SyntaxError, ValueError):
        raise Refused("parameters that no function has") from None
    return namespace["binder"].__code__
