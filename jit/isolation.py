"""Imports of our own that a running program neither sees nor disturbs.

Problem: below a program, most of the compiler is imported while the program runs. Its packages asm, regalloc and platforms would
be in the program's way if it has modules of these names, or they would not be found, because sys.path is the program's.
Idea: our modules run with builtins of their own, whose `__import__` takes these packages from a table of ours and leaves all
else to Python. What gives modules such builtins is the finder in sys.path_importer_cache for our directories.

Modules of `jit` itself are in sys.modules as ever: programs may import jit.
"""

import builtins
import os
import sys
from _thread import RLock
from importlib.machinery import FileFinder, SourceFileLoader
from importlib.util import module_from_spec

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PRIVATE = frozenset(("asm", "regalloc", "platforms"))

_modules = {}
_finders = {}
_loading = set()
_lock = RLock()


class Loader(SourceFileLoader):
    """Runs modules with our builtins; reads them without letting other threads run, once that can be done."""

    def path_stats(self, path):
        files = _modules.get("platforms.files")
        if not hasattr(files, "_fail"):  # its last name: not loaded, or not wholly
            return super().path_stats(path)
        modified, size = files.stat(path)
        return {"mtime": modified, "size": size}

    def get_data(self, path):
        files = _modules.get("platforms.files")
        return files.read(path) if hasattr(files, "_fail") else super().get_data(path)

    def exec_module(self, module):
        module.__dict__["__builtins__"] = BUILTINS
        exec(self.get_code(module.__name__), module.__dict__)


def _finder(directory):
    finder = _finders.get(directory)
    if finder is None:
        finder = _finders[directory] = FileFinder(directory, (Loader, [".py"]))
    return finder


def private_import(name, globals=None, locals=None, fromlist=(), level=0):
    """`__import__` of our modules."""
    top = name.partition(".")[0]
    if level or top not in PRIVATE:
        return builtins.__import__(name, globals, locals, fromlist, level)
    module = _load(name)
    if not fromlist:
        return _modules[top]
    if hasattr(module, "__path__"):
        for item in fromlist:
            if item != "*" and not hasattr(module, item):
                _load(f"{name}.{item}")
    return module


def _load(name):
    """A module of the private packages; loaded once."""
    module = _modules.get(name)
    if module is not None and name not in _loading:
        return module
    with _lock:
        module = _modules.get(name)
        if module is not None:  # loaded by now, or being loaded further up on this thread
            return module
        parent, _, child = name.rpartition(".")
        directory = _load(parent).__path__[0] if parent else ROOT
        if name in _modules:
            return _modules[name]  # the package has imported it
        spec = _finder(directory).find_spec(name)
        if spec is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        module = _modules[name] = module_from_spec(spec)
        _loading.add(name)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del _modules[name]
            raise
        finally:
            _loading.discard(name)
        if parent:
            setattr(_modules[parent], child, module)
        return module


def modules():
    """Those of the private packages that have been loaded."""
    return list(_modules.values())


BUILTINS = dict(vars(builtins), __import__=private_import)


def install():
    """From now on our modules are imported so; those that are imported already are not changed."""
    base = os.path.join(ROOT, "jit")
    for directory in [base, *(entry.path for entry in os.scandir(base) if entry.is_dir())]:
        sys.path_importer_cache[directory] = _finder(directory)
