"""Which code is ours, which is left alone when hot code is looked for, and which is a comprehension."""

import os
import sys
from types import ModuleType

#: What had been imported before us.
PRESENT = frozenset(sys.modules)
#: Modules of the standard library that we import, and no program has before it imports them itself.
NEEDED = frozenset(("_bisect", "_ctypes", "_heapq", "_opcode", "_struct", "_weakrefset", "array", "atexit", "ctypes", "ctypes._endian", "math",
                    "struct", "weakref"))
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PACKAGES = ("asm", "jit", "platforms", "regalloc")
#: Where files of ours lie: none of their functions is ever registered.
OURS = tuple(os.path.join(ROOT, package) + os.sep for package in PACKAGES)
#: Also the import system, which is hot only while programs start, and which the compiler itself uses.
LEFT_ALONE = (*OURS, "<frozen importlib")
NOT_THE_PROGRAM = (*OURS, "<frozen", os.path.dirname(os.__file__) + os.sep)
#: Names of the code of comprehensions that have frames of their own; it is compiled with the function that it stands in.
COMPREHENSIONS = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>"})


def is_ours(module):
    """Whether a module is; told by its file, since programs may have modules of the same names, and without running any code of theirs."""
    file = vars(module).get("__file__") if type(module) is ModuleType else None
    return type(file) is str and file.startswith(OURS)
