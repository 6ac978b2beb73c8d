"""Programs made ready to run: a namespace, the entry function, fresh arguments."""

import marshal
import warnings
from types import FunctionType

import jit
from fuzz.assembling import assemble
from jit import dump, profit

# What would not be faster is compiled all the same, and the compiler checks itself.
profit.EAGER = dump.CHECK = True

FILENAME = "<fuzz>"
_NAME = "__fuzz_program__"


class Unusable(Exception):
    """The program cannot be run at all: it says nothing."""


class Loaded:
    """A program in a namespace of its own.

    Attributes:
        namespace: the module's globals. entry: the function called. functions: all Python functions of the module, methods too.
    """

    def __init__(self, prepared):
        program = prepared.program
        self.namespace = {"__name__": _NAME, "__builtins__": __builtins__}
        try:
            exec(marshal.loads(prepared.code), self.namespace)
            self.entry = self.namespace[program.entry]
            if prepared.entry_code is not None:
                self.entry.__code__ = prepared.assembled(self.entry)
        except Exception as problem:
            raise Unusable(f"{type(problem).__name__}: {problem}") from None
        self.calls = [marshal.loads(call) for call in prepared.calls]
        self.functions = list(functions_of(self.namespace))

    def arguments(self, number):
        """Fresh arguments of a call."""
        try:
            found = eval(self.calls[number], self.namespace)
        except Exception as problem:
            raise Unusable(f"arguments: {type(problem).__name__}: {problem}") from None
        if type(found) is not tuple:
            raise Unusable("arguments that are no tuple")
        return found

    def decorate(self):
        """Give every function to the compiler."""
        for function in self.functions:
            jit.jit(function)
        return self


class Prepared:
    """A program compiled by Python, once for all ways of running it.

    Raises:
        Unusable: Python does not compile it.
    """

    def __init__(self, program):
        self.program = program
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.code = marshal.dumps(compile(program.source, FILENAME, "exec"))
                self.calls = [marshal.dumps(compile(call, FILENAME, "eval")) for call in program.calls]
                self.entry_code = program.code or None
                self.made = None
        except Exception as problem:
            raise Unusable(f"{type(problem).__name__}: {problem}") from None

    def assembled(self, entry):
        """A copy of the code object that takes the place of the entry's own."""
        if self.made is None:
            self.made = assemble(self.entry_code, entry.__code__)
        return self.made.replace()


def functions_of(namespace):
    """The Python functions that a module's namespace defines, those of its classes included, in order."""
    for item in list(namespace.values()):
        if isinstance(item, FunctionType) and item.__module__ == _NAME:
            yield item
        elif isinstance(item, type) and item.__module__ == _NAME:
            for member in list(item.__dict__.values()):
                for part in (member, getattr(member, "__func__", None), getattr(member, "fget", None), getattr(member, "fset", None)):
                    if isinstance(part, FunctionType) and part.__module__ == _NAME:
                        yield part
