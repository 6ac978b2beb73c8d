"""3.13 has no dictionary versions; it tells watchers of each change. Ours is machine code that counts.

All watched dictionaries share the counter, which then serves as everybody's version word: a change elsewhere costs a look at
the keys one relies on, not a wrong answer. The callback must not be Python: it is still called while the interpreter
shuts down.
"""

import ctypes
from functools import lru_cache

from asm import Assembler, eax, relative
from jit import perfmap
from jit.machine.arena import arena
from platforms.cpython import symbols
from platforms.cpython.layout import layout


@lru_cache(None)
def _watcher():
    """(watcher id, address of the counter)."""
    cell = arena().allocate_data(16)
    asm = Assembler(comments=False)
    asm.add(relative(cell), 1)
    asm.xor(eax, eax)
    asm.ret()
    code = arena().allocate_code(asm.size_bound())
    text = asm.finish(code)
    arena().write_code(code, text)
    perfmap.note(code, len(text), "jit::dictionary watcher")
    number = symbols.function("PyDict_AddWatcher", ctypes.c_int, ctypes.c_void_p)(code)
    return number, cell


@lru_cache(None)
def _watch():
    return symbols.function("PyDict_Watch", ctypes.c_int, ctypes.c_int, ctypes.py_object)


def watched_word(namespace):
    """Watch a dict; returns (address, value now, kind 0) of the word that changes whenever it does."""
    number, cell = _watcher()
    _watch()(number, namespace)
    return (cell, ctypes.c_int64.from_address(cell).value, 0)


def our_bit():
    """The bit of our watcher in a dict's tag; 0 where dictionaries have versions."""
    return 0 if layout().dict_version is not None else 1 << _watcher()[0]
