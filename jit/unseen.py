"""What the compiler's modules consist of is no business of the program's garbage collector.

Collections of everything would look at some ten thousand functions, tuples and tables that never become garbage, and `gc.get_objects()`
would show them. They go to the list of our own that what is compiled goes to (platforms/cpython/collector.py). Modules of the standard library
that the compiler needs stay where they are: programs use them too.
"""

import builtins
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType

from asm.encoder import Form
from asm.operands import Memory
from asm.registers import Register
from jit import isolation, types
from jit.machine import hiding
from jit.ours import OURS
from jit.template import Template

#: The entries of our tables, and how modules were found. What else our classes make is followed by nobody: it may lead to what is the program's.
ENTRIES = (Form, Memory, Register, Template, types.Type, types.Format, ModuleSpec, SourceFileLoader, isolation.Loader)


def _is_ours(module):
    """Told by its file, since programs may have modules of the same names; without running any code of theirs."""
    file = vars(module).get("__file__") if type(module) is ModuleType else None
    return type(file) is str and file.startswith(OURS)


def hide():
    """Called when the compiler has been loaded and has not compiled anything."""
    modules = [module for module in list(sys.modules.values()) if _is_ours(module)] + isolation.modules()
    ours = {module.__name__ for module in modules}
    items = [vars(module) for module in modules] + modules
    items += {id(item): item for module in modules for item in list(vars(module).values())
              if type(item) is type and item.__module__ in ours}.values()
    hiding.hide(items, ENTRIES, (vars(builtins), sys.modules, vars(sys)))
