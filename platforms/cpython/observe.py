"""Reading memory while verifying: plain reads inside known objects, safe reads elsewhere.

A pointer found in a field that is still under suspicion must not be followed blindly.
`Peeker` lets the kernel read for us: writing from a bad address into a pipe fails with
EFAULT instead of killing the process. The interpreter is held meanwhile, so that what is
looked at does not change, and nobody waits for it.
"""

import ctypes
import os

from platforms.pages import memmove

_SMALL = {1: ctypes.c_uint8, 2: ctypes.c_uint16, 4: ctypes.c_uint32, 8: ctypes.c_uint64}
_PIPE_LIMIT = 4096  # always fits into an empty pipe; read at once elsewhere, too

#: Kept: a ctypes class that is dropped waits for the program's garbage collector.
_Room = ctypes.c_char * _PIPE_LIMIT
_libc = ctypes.PyDLL(None)
_libc.write.restype = _libc.read.restype = ctypes.c_ssize_t
_libc.write.argtypes = (ctypes.c_int, ctypes.c_uint64, ctypes.c_size_t)
_libc.read.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t)


def read(address: int, size: int = 8) -> int:
    """An unsigned number in memory known to be readable."""
    return _SMALL[size].from_address(address).value


def read_signed(address: int, size: int = 8) -> int:
    """A signed number in memory known to be readable."""
    return int.from_bytes(copy(address, size), "little", signed=True)


def copy(address: int, size: int) -> bytes:
    """Memory known to be readable. ctypes.string_at tells audit hooks of each call, also in a thread that is not ours."""
    room, parts = _Room(), []
    for start in range(0, size, _PIPE_LIMIT):
        length = min(_PIPE_LIMIT, size - start)
        memmove(room, address + start, length)
        parts.append(room.raw[:length])
    return b"".join(parts)


_kept = []


def keep(item):
    """Returns it. It lives on: what refers to itself would wait for the program's garbage collector, whose counts programs see."""
    _kept.append(item)
    return item


def let_go():
    """Keep nothing any more: everything is verified anew."""
    _kept.clear()


class Peeker:
    """Reads any address without risk; use as a context manager."""

    def __enter__(self):
        self.source, self.sink = os.pipe()
        self.room = _Room()
        self.write = _libc.write
        return self

    def __exit__(self, *_):
        os.close(self.source)
        os.close(self.sink)

    def copy(self, address: int, size: int) -> bytes | None:
        """The bytes there, or None if they cannot all be read."""
        assert size <= _PIPE_LIMIT
        return self.collect(self.write(self.sink, address, size), size)

    def collect(self, written: int, size: int) -> bytes | None:
        """What one write into the sink brought."""
        if written <= 0 or _libc.read(self.source, self.room, written) != size:
            return None
        return self.room.raw[:size]

    def number(self, address: int, size: int = 8) -> int | None:
        """An unsigned number there, or None."""
        data = self.copy(address, size)
        return None if data is None else int.from_bytes(data, "little")
