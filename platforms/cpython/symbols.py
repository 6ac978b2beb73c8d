"""Addresses of C functions and data: CPython's own and the C library's.

CPython's names are looked up through ctypes.pythonapi, which finds them whether they lie
in the executable or in libpython; the C library's in the global scope of the process.
"""

import ctypes
import functools

from platforms import pages

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


class _SharedObject(ctypes.Structure):
    """Dl_info, <dlfcn.h>."""

    _fields_ = [
        ("file_name", ctypes.c_char_p),
        ("base", ctypes.c_uint64),
        ("symbol_name", ctypes.c_char_p),
        ("symbol_address", ctypes.c_uint64),
    ]


def module() -> tuple[bytes, int]:
    """(file name, load address) of the executable or library CPython lies in; (b"", 0) if unknown."""
    found = _SharedObject()
    dladdr = getattr(_libc, "dladdr", None)
    if dladdr is None or not dladdr(ctypes.c_void_p(address("PyThreadState_Get")), ctypes.byref(found)):
        return (b"", 0)
    return (found.file_name, found.base)


def function(name: str, result, *arguments):
    """A callable for a C-API function, private to the caller (own argument types)."""
    return pages.prototype(result, *arguments)(address(name))
