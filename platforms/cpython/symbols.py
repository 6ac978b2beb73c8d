"""Addresses of C functions and data: CPython's own and the C library's.

CPython's names are looked up through ctypes.pythonapi, which finds them whether they lie
in the executable or in libpython; the C library's in the global scope of the process.
"""

import ctypes
import functools

_libc = ctypes.CDLL(None)


@functools.cache
def address(name: str) -> int:
    """The address of an exported function or variable; LookupError if there is none."""
    for library in (ctypes.pythonapi, _libc):
        try:
            return ctypes.addressof(ctypes.c_char.in_dll(library, name))
        except ValueError:
            continue
    raise LookupError(f"no exported symbol {name}")


def optional(name: str) -> int | None:
    """The address of a symbol that not every version exports."""
    try:
        return address(name)
    except LookupError:
        return None


def type_address(cls: type) -> int:
    """The address of the PyTypeObject."""
    return id(cls)


def function(name: str, result, *arguments):
    """A callable for a C-API function, private to the caller (own argument types)."""
    return ctypes.PYFUNCTYPE(result, *arguments)(address(name))
