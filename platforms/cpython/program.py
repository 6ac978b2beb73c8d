"""Running a program in this process exactly as `python PROGRAM` would have run it.

Problem: what runs below `python -m OTHER` has OTHER's frames under it, and whoever imitates python's
treatment of scripts, exceptions, signals and exit statuses gets some of it wrong. Idea: CPython's own
Py_RunMain() decides from three strings of its configuration (run_command, run_module, run_filename)
what to run. They are set anew and it is called once more, from machine code that takes the frames
running so far off the stack of frames. It never returns: the process ends as python's does.

Sources: CPython Modules/main.c (pymain_run_python), Python/initconfig.c, Include/cpython/initconfig.h.
"""

import ctypes
import os
import sys
import types

from platforms import pages
from platforms.cpython import build, observe, symbols
from platforms.cpython.layout import layout
from platforms.pages import memmove

#: Words of PyConfig that are searched; it is not larger.
CONFIG_WORDS = 70
#: Bytes of a wchar_t, on Linux.
_WIDE = 4
#: Bytes that are compared at once.
_AT_ONCE = 4096


class Unknown(Exception):
    """The configuration of this interpreter is not what is known."""


class Configuration:
    """Where the interpreter's PyConfig has what decides on what is run.

    Attributes:
        argv: address of its list of arguments (length, items). command: address of run_command, which run_module and
        run_filename follow.
    """

    def __init__(self):
        """Find the fields by what they must hold now.

        Raises:
            Unknown: they are not found.
        """
        reason = build.refusal(build.facts())
        if reason:
            raise Unknown(reason)
        get = symbols.optional("_Py_GetConfig")
        if get is None:
            raise Unknown("this interpreter does not give its configuration")
        start = pages.prototype(ctypes.c_uint64)(get)()
        with observe.Peeker() as peeker:
            words = [peeker.number(start + 8 * place) for place in range(CONFIG_WORDS)]
            self.argv = start + 8 * self.find_arguments(peeker, words)
            self.command = start + 8 * self.find_module(peeker, words)

    def find_arguments(self, peeker, words):
        """The place of {length, items} that hold `-m` and what follows the module in sys.orig_argv."""
        expected = ["-m", *sys.argv[1:]]
        for place, (length, items) in enumerate(zip(words, words[1:])):
            if length == len(expected) and items and all(
                    self.is_text(peeker, peeker.number(items + 8 * number), text) for number, text in enumerate(expected)):
                return place
        raise Unknown("the arguments are not found in the configuration")

    def find_module(self, peeker, words):
        """The place of {run_command, run_module, run_filename} = {NULL, name, NULL}."""
        name = sys.modules["__main__"].__spec__.parent
        for place in range(CONFIG_WORDS - 2):
            if words[place] == 0 and words[place + 2] == 0 and self.is_text(peeker, words[place + 1], name):
                return place
        raise Unknown("the module that runs is not found in the configuration")

    @staticmethod
    def is_text(peeker, address, text):
        """Whether a wchar_t string is there, with its terminating 0."""
        data = _wide(text)
        parts = {start: data[start:start + _AT_ONCE] for start in range(0, len(data), _AT_ONCE)}
        return bool(address) and all(peeker.copy(address + start, len(part)) == part for start, part in parts.items())

    def set_arguments(self, first, leading):
        """Drop the arguments before number `first`; put others, not more than these, in front."""
        length, items = observe.read(self.argv), observe.read(self.argv + 8)
        first -= len(leading)
        for number, text in enumerate(leading):
            _store(items + 8 * (first + number), _raw_copy(text))
        memmove(items, items + 8 * first, 8 * (length - first))
        _store(self.argv, length - first)

    def set(self, command=None, module=None, file=None):
        """What Py_RunMain is to run; none of them: the standard input."""
        for number, text in enumerate((command, module, file)):
            _store(self.command + 8 * number, 0 if text is None else _raw_copy(text))


def _wide(text):
    """A text as C has it, with its terminating 0; bytes that were not decoded are lone surrogates on either side."""
    return text.encode("utf-32-le", "surrogatepass") + bytes(_WIDE)


def _raw_copy(text):
    """The address of a wchar_t string that PyMem_RawFree may free."""
    data = _wide(text)
    allocate = pages.prototype(ctypes.c_uint64, ctypes.c_size_t)(symbols.address("PyMem_RawMalloc"))
    address = allocate(len(data))
    if not address:
        raise MemoryError
    memmove(address, data, len(data))
    return address


def _store(address, value, size=8):
    memmove(address, value.to_bytes(size, "little"), size)


def absolute(name):
    """A script's name as CPython makes it absolute: without looking at what it means."""
    if os.path.isabs(name):
        return name
    try:
        here = os.getcwd()
    except OSError:
        return name
    return f"{here}{os.sep}{name}"


def renew_main():
    """Put a `__main__` into sys.modules that is as CPython makes it at start."""
    import builtins
    import importlib.machinery
    module = types.ModuleType("__main__")
    module.__loader__ = importlib.machinery.BuiltinImporter
    module.__annotations__ = {}
    module.__builtins__ = builtins
    sys.modules["__main__"] = module


def forget_path():
    """Take what `-m` has put in front of sys.path out again."""
    if not sys.flags.safe_path and sys.path:
        del sys.path[0]


# int run(thread, levels, levels of C)
def _text():
    fields = layout()
    parts = ["53"]  # push rbx                               aligns the stack
    if fields.thread_current_frame is None:
        parts += ["48 8B 87", _number(fields.thread_cframe),  # mov rax, [rdi + cframe]
                  "48 C7 80", _number(fields.cframe_current_frame), "00 00 00 00"]  # mov qword [rax + current_frame], 0
    else:
        parts += ["48 C7 87", _number(fields.thread_current_frame), "00 00 00 00"]  # mov qword [rdi + current_frame], 0
    if fields.thread_c_recursion_remaining is not None:
        parts += ["89 97", _number(fields.thread_c_recursion_remaining)]  # mov [rdi + c_recursion_remaining], edx
    parts += ["89 B7", _number(fields.thread_recursion_remaining),  # mov [rdi + recursion_remaining], esi
              "48 B8", _number(symbols.address("Py_RunMain"), 8), "FF D0",  # mov rax, Py_RunMain; call rax
              "89 C7",  # mov edi, eax
              "48 B8", _number(symbols.address("exit"), 8), "FF D0"]  # mov rax, exit; call rax
    return bytes.fromhex(" ".join(parts))


def _number(value, size=4):
    return value.to_bytes(size, "little").hex()


def _levels_of_c(interpreter):
    """Levels of C that a thread of the interpreter at this address has when it has just been made, or 0 where they are not counted apart."""
    fields = layout()
    if fields.thread_c_recursion_remaining is None:
        return 0
    made = pages.prototype(ctypes.c_uint64, ctypes.c_uint64)(symbols.address("PyThreadState_New"))(interpreter)
    levels = observe.read(made + fields.thread_c_recursion_remaining, 4)
    for name in ("PyThreadState_Clear", "PyThreadState_Delete"):
        pages.prototype(None, ctypes.c_uint64)(symbols.address(name))(made)
    return levels


def run():
    """Run what the configuration says, with no frame below it, and end the process as python does."""
    thread = pages.prototype(ctypes.c_uint64)(symbols.address("PyThreadState_Get"))()
    interpreter = pages.prototype(ctypes.c_uint64)(symbols.address("PyInterpreterState_Get"))()
    main = pages.routine(_text(), ctypes.c_int, ctypes.c_uint64, ctypes.c_int, ctypes.c_int)
    not_running = symbols.optional("_PyInterpreterState_SetNotRunningMain")
    if not_running is not None:
        pages.prototype(None, ctypes.c_uint64)(not_running)(interpreter)
    main(thread, sys.getrecursionlimit(), _levels_of_c(interpreter))
