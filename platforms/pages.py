"""Pages of memory from the system, and small routines of machine code on them.

Problem: the standard library's mmap object cannot change a page's protection, and hides
its address. Idea: call mmap, mprotect and munmap of the C library directly.

Invariant: no page is ever writable and executable at the same time. A routine's page is
written while it is read-write, then made read-execute, once and for good.

Only private anonymous memory is used. It is fork-safe: the child gets its own
copy-on-write image at the same addresses with the same protection, so compiled code keeps
running in both processes and what one writes afterwards the other never sees. Shared or
file-backed mappings, including memory seen through two views, would let a child's
compiler rewrite code its parent is running.

What cannot be checked: a policy that kills the process instead of refusing (a seccomp
filter with SECCOMP_RET_KILL on an executable mprotect) is only noticed by dying. The
probe asks for nothing that compiled code will not need as well.
"""

import ctypes
import functools
import os

PAGE = os.sysconf("SC_PAGESIZE")
NONE, READ, WRITE, EXECUTE = 0, 1, 2, 4
_PRIVATE, _ANONYMOUS, _NORESERVE = 0x02, 0x20, 0x4000  # Linux values, <asm-generic/mman.h>
_FAILED = 2**64 - 1

#: The interpreter is held: the calls take microseconds, and getting it back from a thread that computes takes a whole switch interval.
_libc = ctypes.PyDLL(None, use_errno=True)
_mmap = _libc.mmap
_mmap.restype = ctypes.c_uint64
_mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
_mprotect = _libc.mprotect
_mprotect.restype = ctypes.c_int
_mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_munmap = _libc.munmap
_munmap.restype = ctypes.c_int
_munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
#: As in ctypes, whose own give the interpreter away.
memmove, memset = _libc.memmove, _libc.memset
memmove.restype = memset.restype = ctypes.c_void_p
memmove.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
memset.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t)


def _error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")


def reserve(size: int) -> int:
    """Reserve address space that costs nothing and cannot be touched yet."""
    address = _mmap(None, size, NONE, _PRIVATE | _ANONYMOUS | _NORESERVE, -1, 0)
    if address == _FAILED:
        raise _error(f"cannot reserve {size} bytes of address space")
    return address


def protect(address: int, size: int, protection: int) -> None:
    """Set the protection of whole pages; writable and executable together is refused."""
    if protection & WRITE and protection & EXECUTE:
        raise ValueError("memory must not be writable and executable at once")
    if _mprotect(address, size, protection):
        kind = "executable" if protection & EXECUTE else "accessible"
        raise _error(f"cannot make memory {kind}")


def release(address: int, size: int) -> None:
    """Give whole pages back to the system."""
    if _munmap(address, size):
        raise _error("cannot release memory")


def place(code: bytes) -> int:
    """Put machine code on pages of its own, executable for the rest of the process."""
    size = -(-len(code) // PAGE) * PAGE
    address = reserve(size)
    try:
        protect(address, size, READ | WRITE)
        memmove(address, code, len(code))
        protect(address, size, READ | EXECUTE)
    except OSError:
        release(address, size)
        raise
    return address


@functools.cache
def prototype(result, *arguments):
    """ctypes' class of C functions of this type that are called with the GIL held.

    ctypes makes another each time, and a class that is dropped waits for the garbage collector, whose counts programs see.
    """
    return ctypes.PYFUNCTYPE(result, *arguments)


def routine(code: bytes, result, *arguments):
    """A Python callable that runs this machine code; the GIL stays held while it runs."""
    return prototype(result, *arguments)(place(code))


_ANSWER = bytes.fromhex(
    "B8 2A 00 00 00"  # mov eax, 42
    "C3"  # ret
)


def probe() -> str:
    """Why machine code cannot run here, or "" if it can."""
    try:
        answer = routine(_ANSWER, ctypes.c_int)()
    except OSError as error:
        return f"no executable memory ({error.strerror})"
    return "" if answer == 42 else "machine code does not run as expected"
