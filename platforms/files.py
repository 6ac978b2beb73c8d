"""Reading small files without giving the interpreter away.

Problem: each system call that CPython makes for a file lets other threads run, and a thread waits up to a whole switch interval (5 ms) until
it gets the interpreter back from one that computes. An import makes about eight of them.
Idea: files of ours are small and in the page cache; the C library reads them with the interpreter held.

Source: System V ABI for x86-64 and Linux's struct stat (stat(2)).
"""

import ctypes
import os

_SIZE, _MODIFIED = 48, 88
#: A struct stat, and room for most files. Kept: a ctypes class that is dropped waits for the program's garbage collector.
_Stat, _Room = ctypes.c_char * 144, ctypes.c_char * 65536

_libc = ctypes.PyDLL(None, use_errno=True)
_fstat = getattr(_libc, "fstat", None)  # glibc before 2.33 has it under another name
_libc.read.restype = ctypes.c_ssize_t
_libc.read.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t)
_libc.open.argtypes = (ctypes.c_char_p, ctypes.c_int)


def stat(path):
    """(seconds of the last change, size) of a file; raises OSError."""
    if _fstat is None:
        found = os.stat(path)
        return int(found.st_mtime), found.st_size
    descriptor = _open(path)
    try:
        return _stat(descriptor, path)
    finally:
        _libc.close(descriptor)


def read(path):
    """A file's bytes; raises OSError."""
    if _fstat is None:
        with open(path, "rb") as file:
            return file.read()
    descriptor = _open(path)
    try:
        room, pieces = _Room(), []
        while True:
            count = _libc.read(descriptor, room, len(room))
            if count < 0:
                _fail(path)
            if not count:
                return b"".join(pieces)
            pieces.append(ctypes.string_at(room, count))
    finally:
        _libc.close(descriptor)


def _open(path):
    descriptor = _libc.open(os.fsencode(path), os.O_RDONLY | os.O_CLOEXEC)
    if descriptor < 0:
        _fail(path)
    return descriptor


def _stat(descriptor, path):
    found = _Stat()
    if _fstat(descriptor, found):
        _fail(path)
    return tuple(int.from_bytes(found.raw[place:place + 8], "little", signed=True) for place in (_MODIFIED, _SIZE))


def _fail(path):
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number), path)
