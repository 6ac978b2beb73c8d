"""What the compiler's modules consist of is no business of the program's garbage collector.

Collections of everything would look at some ten thousand functions, tuples and tables that never become garbage, and `gc.get_objects()`
would show them. They go to the list of our own that what is compiled goes to (platforms/cpython/collector.py), and so do modules of the standard
library that were not there before us. Those that were are the program's.
"""

import _weakref
import builtins
import ctypes
import functools
import gc
import sys
import weakref
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import ModuleType

from asm.encoder import Form
from asm.operands import Memory
from asm.registers import Register
from jit import isolation, types
from jit.machine import hiding
from jit.ours import NEEDED, PRESENT, is_ours
from jit.template import Template
from platforms import pages

#: The entries of our tables, and how modules were found. What else our classes make is followed by nobody: it may lead to what is the program's.
ENTRIES = (Form, Memory, Register, Template, types.Type, types.Format, ModuleSpec, SourceFileLoader, isolation.Loader)


#: What a class says of itself, without asking its metaclass, which may be the program's.
_module_of, _namespace_of = vars(type)["__module__"].__get__, vars(type)["__dict__"].__get__


def _comes_from(kind, modules):
    """Whether a class was made in one of these modules."""
    name = _module_of(kind)
    return type(name) is str and name in modules


def syntax_trees():
    """The classes of syntax trees: compile(), with which programs are run below us, makes all 130 of them, the first time that it is called."""
    if "_ast" in sys.modules:
        return []
    found = [kind for kind in type.__subclasses__(object) if type(kind) is type and _comes_from(kind, ("ast",)) and kind.__name__ == "AST"]
    for kind in found:
        found.extend(type.__subclasses__(kind))
    return found


def c_types(names):
    """Classes that ctypes has made for modules of these names, and its prototypes of functions for us."""
    caches = [item for item in gc.get_referents(pages.prototype) if type(item) is dict]
    found = [value for cache in caches for value in cache.values() if issubclass(type(value), type)]
    return found + [kind for base in (ctypes.Array, ctypes.Structure) for kind in type.__subclasses__(base) if _comes_from(kind, names)]


def hide():
    """Called when the compiler has been loaded and has not compiled anything."""
    ours = [module for module in list(sys.modules.values()) if is_ours(module)] + isolation.modules()
    modules = ours + [sys.modules[name] for name in NEEDED - PRESENT if type(sys.modules.get(name)) is ModuleType]
    names = {module.__name__ for module in modules}
    values = [value for module in modules for value in list(vars(module).values())]
    theirs = set(map(id, vars(_weakref).values()))
    classes = list({id(item): item for item in values if issubclass(type(item), type) and _comes_from(item, names) and id(item) not in theirs}.values())
    classes += syntax_trees() + c_types(names - {"ctypes"})
    namespaces = [namespace for kind in classes for namespace in gc.get_referents(_namespace_of(kind))]
    items = [vars(module) for module in modules] + modules + classes + namespaces
    items += [reference for kind in classes for reference in weakref.getweakrefs(kind)]  # those by which classes know what is derived from them
    # Of the function that each cache has besides, the closure: it is one of functools', whose globals are not ours.
    items += [value.cache_parameters.__closure__ for module in ours for value in list(vars(module).values())
              if type(value) is functools._lru_cache_wrapper]
    kinds = {type(namespace) for namespace in namespaces if isinstance(namespace, dict)} - {dict}
    hiding.hide(items, (*ENTRIES, *kinds), (vars(builtins), sys.modules, vars(sys)))
