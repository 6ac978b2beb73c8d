"""The dictionary of imported modules, which programs may hide behind another ``sys.modules``.

Source: CPython Python/import.c (PyImport_GetModuleDict).
"""

import ctypes
import sys

from platforms.cpython import symbols

_address_of_modules = symbols.function("PyImport_GetModuleDict", ctypes.c_void_p)


def imported_modules():
    """What `import` looks modules up in, if that is ``sys.modules`` and a plain dict; else None."""
    modules = getattr(sys, "modules", None)
    return modules if type(modules) is dict and id(modules) == _address_of_modules() else None
