"""Making an existing function object run machine code.

A function is called through its `vectorcall` pointer, so storing another address there
redirects every call, and the object keeps its identity, code, defaults and signature.
Call sites that were specialised for the function compare its version; version 0 makes
them look again. 3.12 and later have PyFunction_SetVectorcall for exactly this.

3.11 ignores the pointer in CALL when the object's type is exactly `function`. There the
object is also given another type: a subclass of `function` that differs in nothing else
and has the same name. The interpreter then takes the general path, and so do isinstance,
inspect and cloudpickle (which pickles by value wherever it would do so for a function).

Sources: PEP 590; CPython Objects/funcobject.c, Python/ceval.c (CALL, PRECALL).
"""

import ctypes
import functools
from types import FunctionType

from platforms.cpython import observe, symbols
from platforms.cpython.layout import layout
from platforms.pages import memmove

_BASETYPE, _IMMUTABLE, _HAVE_VECTORCALL, _METHOD_DESCRIPTOR = 1 << 10, 1 << 8, 1 << 11, 1 << 17


def _store(address: int, value: int, size: int = 8) -> None:
    memmove(address, value.to_bytes(size, "little"), size)


@functools.cache
def original_vectorcall() -> int:
    """The address every function's vectorcall pointer has unless it was redirected."""
    return observe.read(id(_pristine) + layout().function_vectorcall)


def _pristine():
    """Never redirected, never called."""


class _ForTheClass(str):
    """An attribute of the class that leaves its instances the one functions have.

    A class has its own __module__ and __doc__, which would hide those of the function.
    """

    def __new__(cls, name: str, text: str):
        self = super().__new__(cls, text)
        self.inherited = FunctionType.__dict__[name]
        return self

    def __get__(self, function, owner):
        return str(self) if function is None else self.inherited.__get__(function)

    def __set__(self, function, value):
        self.inherited.__set__(function, value)

    def __delete__(self, function):
        self.inherited.__delete__(function)


def _reduce(self, protocol):
    """Pickle and copy as functions are: by name, and not at all."""
    return self.__qualname__


@functools.cache
def _redirected_type() -> type:
    """3.11: the type of redirected functions."""
    flags_address = id(FunctionType) + layout().type_flags
    flags = observe.read(flags_address)
    body = {"__slots__": (), "__reduce_ex__": _reduce}
    for name, text in (("__module__", FunctionType.__module__), ("__doc__", FunctionType.__doc__)):
        body[name] = _ForTheClass(name, text)
    # `function` does not allow subclasses; it does for the length of this statement.
    _store(flags_address, flags | _BASETYPE)
    try:
        cls = type("function", (FunctionType,), body)
    finally:
        _store(flags_address, flags)
    del cls.__slots__
    flags_address = id(cls) + layout().type_flags
    inherited = observe.read(flags_address) & ~_BASETYPE
    # A class made by a class statement does not inherit these; without METHOD_DESCRIPTOR
    # every method call would allocate a bound method.
    _store(flags_address, inherited | _HAVE_VECTORCALL | _METHOD_DESCRIPTOR | _IMMUTABLE)
    symbols.function("PyType_Modified", None, ctypes.py_object)(cls)
    return cls


@functools.cache
def _reference_counting():
    return (
        symbols.function("Py_IncRef", None, ctypes.py_object),
        symbols.function("Py_DecRef", None, ctypes.py_object),
    )


def _retype(function: FunctionType, old: type, new: type) -> None:
    """Change ob_type. Objects of heap types hold a reference to their type."""
    incref, decref = _reference_counting()
    if type(function) is old:
        if new is not FunctionType:
            incref(new)
        _store(id(function) + layout().ob_type, id(new))
        if old is not FunctionType:
            decref(old)


def set_vectorcall(function: FunctionType, address: int) -> None:
    """Let C code that calls this function run machine code."""
    _set_vectorcall()(function, address)


@functools.cache
def _set_vectorcall():
    """The C-API's way (3.12 and later) or our own stores."""
    if symbols.optional("PyFunction_SetVectorcall") is not None:
        return symbols.function("PyFunction_SetVectorcall", None, ctypes.py_object, ctypes.c_uint64)

    def store(function, address):
        _store(id(function) + layout().function_vectorcall, address)
        _store(id(function) + layout().function_version, 0, 4)

    return store


def is_set_by_others() -> bool:
    """Whether C code has a way to let calls of a function go elsewhere (3.12 and later), which all calls then obey."""
    return symbols.optional("PyFunction_SetVectorcall") is not None


def redirect(function: FunctionType, address: int) -> None:
    """Make calls of this function run machine code with the vectorcall signature.

    The caller keeps the code alive as long as the function. Assigning __code__ or
    __defaults__ does not undo this; the machine code has to check for itself.
    """
    if not isinstance(function, FunctionType):
        raise TypeError(f"cannot redirect {type(function).__name__}")
    set_vectorcall(function, address)
    if layout().version == (3, 11):
        _retype(function, FunctionType, _redirected_type())


def restore(function: FunctionType) -> None:
    """Undo redirect(); harmless if there was none."""
    if not is_redirected(function):
        return
    _set_vectorcall()(function, original_vectorcall())
    if layout().version == (3, 11):
        _retype(function, _redirected_type(), FunctionType)


def restore_dying(address: int) -> None:
    """Undo redirect() of the function at this address, whose weak references have just been cleared.

    It may still be called: the collector clears the weak references of cyclic garbage before it runs its finalizers, and
    those may bring it back. Of 3.11's type nothing is undone, because a deallocation that has begun relies on it.
    """
    _store(address + layout().function_vectorcall, original_vectorcall())


def is_redirected(function: FunctionType) -> bool:
    """True if calls of this function run machine code."""
    if not isinstance(function, FunctionType):
        return False
    return observe.read(id(function) + layout().function_vectorcall) != original_vectorcall()
