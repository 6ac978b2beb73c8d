"""Imports of our own that a running program neither sees nor disturbs.

Problem: below a program, most of the compiler is imported while the program runs. Its packages asm, regalloc and platforms would
be in the program's way if it has modules of these names, or they would not be found, because sys.path is the program's. So is sys.modules, which
programs put back to what it was; and so may be a file `bisect.py`. And each system call of an import gives the interpreter to the program,
which computes and gives it back after a whole switch interval: some thousand of them made seconds.
Idea: our modules run with builtins of their own, whose `__import__` takes these packages, and what we need of the standard library, from a
table of ours and leaves all else to Python. What gives modules such builtins is the finder in sys.path_importer_cache for our directories; it finds and
reads files with the interpreter held.

Modules of `jit` itself are in sys.modules as ever: programs may import jit.

Source: CPython Lib/importlib/_bootstrap_external.py (SourceLoader, FileFinder, PathFinder), Lib/importlib/_bootstrap.py (_load_unlocked).
"""

import builtins
import os
import sys
from _thread import RLock
from importlib.machinery import BuiltinImporter, FileFinder, ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

from jit.ours import PACKAGES, ROOT, is_ours

#: Before there is any function here: none is to call what the program has put in the place of one of Python's.
__builtins__ = dict(vars(builtins))

#: Modules of the standard library that may be called like a program's: written in Python, and in C.
STANDARD = frozenset(("_opcode_metadata", "bisect", "heapq", "opcode"))
EXTENSIONS = frozenset(("array", "math"))
_OURS = STANDARD.union(EXTENSIONS, PACKAGES)
_LIBRARY = os.path.dirname(os.__file__)
_FOLDERS = (_LIBRARY, os.path.join(_LIBRARY, "lib-dynload"))

_modules = {}
_finders = {}
_shown = {"jit"}
_loading = set()
_lock = RLock()


def _files():
    """The module that reads files without giving the interpreter away, once it is loaded wholly."""
    files = _modules.get("platforms.files")
    return None if files is None or "platforms.files" in _loading else files


class Loader(SourceFileLoader):
    """Runs modules with our builtins, each once, whoever imports it."""

    def path_stats(self, path):
        files = _files()
        if files is None:
            return super().path_stats(path)
        modified, size = files.stat(path)
        return {"mtime": modified, "size": size}

    def get_data(self, path):
        files = _files()
        return super().get_data(path) if files is None else files.read(path)

    def _cache_bytecode(self, source, path, data):
        files = _files()
        if files is None:
            super()._cache_bytecode(source, path, data)
            return
        try:
            files.write(path, data)
        except OSError:  # there is no folder yet, or it cannot be written to
            super()._cache_bytecode(source, path, data)

    def exec_module(self, module):
        name = module.__name__
        with _lock:
            if _modules.setdefault(name, module) is not module:
                sys.modules[name] = _modules[name]  # where Python looks for what it has imported
                return
            module.__dict__["__builtins__"] = BUILTINS
            _loading.add(name)
            try:
                exec(self.get_code(name), module.__dict__)
            except BaseException:
                del _modules[name]
                raise
            finally:
                _loading.discard(name)


class Finder(FileFinder):
    """Finds our modules in a directory of ours."""

    def find_spec(self, name, target=None):
        files = _files()
        if files is None:
            return super().find_spec(name, target)
        base = os.path.join(self.path, name.rpartition(".")[2])
        for path, folders in (base + ".py", None), (os.path.join(base, "__init__.py"), [base]):
            try:
                files.stat(path)
            except OSError:
                continue
            return spec_from_file_location(name, path, loader=Loader(name, path), submodule_search_locations=folders)
        return None


def _finder(directory):
    finder = _finders.get(directory)
    if finder is None:
        finder = _finders[directory] = Finder(directory, (Loader, [".py"]))
    return finder


def private_import(name, globals=None, locals=None, fromlist=(), level=0):
    """`__import__` of our modules."""
    top = name.partition(".")[0]
    if level or top not in _OURS:
        return builtins.__import__(name, globals, locals, fromlist, level)
    if top not in PACKAGES:
        return _standard(name)
    module = _load(name)
    if not fromlist:
        return _modules[top]
    if hasattr(module, "__path__"):
        for item in fromlist:
            if item != "*" and not hasattr(module, item):
                _load(f"{name}.{item}")
    return module


def _load(name):
    """A module of our packages; loaded once."""
    module = _modules.get(name)
    if module is not None and name not in _loading:
        return module
    with _lock:
        module = _modules.get(name)
        if module is not None:  # loaded by now, or being loaded further up on this thread
            return module
        parent, _, child = name.rpartition(".")
        if not parent and name in _shown and is_ours(sys.modules.get(name)):
            return _modules.setdefault(name, sys.modules[name])  # Python's own finders have found the package
        directory = _load(parent).__path__[0] if parent else ROOT
        if name in _modules:
            return _modules[name]  # the package has imported it
        module = _run(_finder(directory).find_spec(name), name)
        if parent:
            setattr(_modules[parent], child, module)
        # Not before: other threads would find it there before it is whole.
        if name.partition(".")[0] in _shown:
            sys.modules.setdefault(name, module)
        return module


def _run(spec, name):
    if spec is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _standard(name):
    """A module of the standard library, whatever the program calls so; one that the program has or would import itself is shared if it is that one."""
    module = sys.modules.get(name)
    if type(module) is ModuleType and _is_standard(spec := vars(module).get("__spec__")) and not is_initializing(spec):  # without running code of the program's
        return module
    if name not in _modules:
        with _lock:
            if name not in _modules:
                if name in EXTENSIONS:
                    return _extension(name)
                path = os.path.join(_LIBRARY, name + ".py")
                if not os.path.exists(path):
                    return builtins.__import__(name)
                _run(spec_from_file_location(name, path, loader=Loader(name, path)), name)
    return _modules[name]


def _extension(name):
    """The same of one written in C, whose functions and types are known by their addresses."""
    if name not in sys.modules and _is_standard(BuiltinImporter.find_spec(name) or PathFinder.find_spec(name)):
        return builtins.__import__(name)
    module = _modules[name] = _run(PathFinder.find_spec(name, _FOLDERS), name)
    return module


def _is_standard(spec):
    """Told by where it comes from."""
    origin = spec.origin if type(spec) is ModuleSpec else None
    return type(origin) is str and (origin == "built-in" or os.path.dirname(origin) in _FOLDERS)


def is_initializing(spec):
    """Whether somebody is importing the module of that ModuleSpec: what is there of it may not be whole."""
    return getattr(spec, "_initializing", False)


def being_imported():
    """Whether the program itself is importing a part of the compiler, or what that imports."""
    return any(type(module) is ModuleType and is_initializing(spec := vars(module).get("__spec__"))
               and (is_ours(module) if name.partition(".")[0] in PACKAGES else name in _OURS and _is_standard(spec))
               for name, module in list(sys.modules.items()))


def modules():
    """Those that have been loaded so."""
    return list(_modules.values())


BUILTINS = dict(__builtins__, __import__=private_import)


def install(shown=("jit",)):
    """From now on our modules are imported so; those that are there already are not changed.

    Args:
        shown: packages of ours whose modules are in sys.modules besides, where nothing else is of the name.
    """
    _shown.update(shown)
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] in PACKAGES and is_ours(module):
            _modules.setdefault(name, module)
    for package in shown:
        for directory, folders, _ in os.walk(os.path.join(ROOT, package)):
            folders[:] = [folder for folder in folders if folder != "__pycache__"]
            sys.path_importer_cache[directory] = _finder(directory)
