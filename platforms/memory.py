"""The arena that compiled code and its data live in.

Problem: compiled code refers to other code, to descriptors and to counters by 32-bit
displacements, so all of it must lie within 2 GB; and a page must never be writable and
executable at once. Idea: reserve one range of addresses; the first part holds code, the
second part data. A write to code goes through one small machine routine on a page of its
own, which is always read-execute: it makes just the pages concerned read-write, copies,
and makes them read-execute again, in one call.

Why no running code is hurt: the routine is called with the GIL held throughout, and
compiled code runs only with the GIL held, so no thread can be executing on those pages
meanwhile. Code that is suspended there (it called out, and this write happens below it)
finds its page executable again before it goes on. Changing a page's protection makes the
kernel interrupt every other core that may have the page cached, which also makes them
fetch the new instructions.

Fork-safety: see pages.py; in addition the bookkeeping is locked while a fork happens.

The range is never given back on its own: redirected functions may outlive every Python
object that knows of the arena while the interpreter shuts down.

Finalizers may run in the middle of any allocation here and may free blocks themselves.
So freeing only queues the block, and whoever holds the lock takes the queue up; an
allocation from inside another one is refused with MemoryError, which means "not now".
"""

import _thread
import ctypes
import os
import sys
import weakref
from collections import deque

from platforms import forks, pages
from platforms.freelist import FreeList
from platforms.pages import memset

_INT3 = b"\xcc"

# long write(first page, bytes of pages, destination, source, count)
_WRITE = bytes.fromhex(
    "49 89 D1"  # mov r9, rdx           destination; system calls destroy rcx, r11 and rax
    "49 89 CA"  # mov r10, rcx          source
    "BA 03 00 00 00"  # mov edx, PROT_READ | PROT_WRITE
    "B8 0A 00 00 00"  # mov eax, SYS_mprotect
    "0F 05"  # syscall
    "48 85 C0"  # test rax, rax
    "75 23"  # jnz done                 rax = -errno
    "48 89 FA"  # mov rdx, rdi
    "49 89 F3"  # mov r11, rsi
    "4C 89 CF"  # mov rdi, r9
    "4C 89 D6"  # mov rsi, r10
    "4C 89 C1"  # mov rcx, r8
    "F3 A4"  # rep movsb
    "48 89 D7"  # mov rdi, rdx
    "4C 89 DE"  # mov rsi, r11
    "BA 05 00 00 00"  # mov edx, PROT_READ | PROT_EXEC
    "B8 0A 00 00 00"  # mov eax, SYS_mprotect
    "0F 05"  # syscall
    "C3"  # done: ret
)

_write_routine = None
_arenas: "weakref.WeakSet[CodeArena]" = weakref.WeakSet()


def _writer():
    global _write_routine
    if _write_routine is None:
        numbers = [ctypes.c_uint64] * 3 + [ctypes.c_char_p, ctypes.c_uint64]
        _write_routine = pages.routine(_WRITE, ctypes.c_long, *numbers)
    return _write_routine


class CodeArena:
    """One reserved range: code (read-execute) below, data (read-write) above."""

    ALIGNMENT = 16

    def __init__(self, size: int = 64 << 20, code_size: int | None = None):
        size = -(-size // (2 * pages.PAGE)) * 2 * pages.PAGE
        code_size = size // 2 if code_size is None else -(-code_size // pages.PAGE) * pages.PAGE
        if not 0 < code_size < size < 1 << 31:
            raise ValueError("an arena has code, data, and less than 2 GB")
        self._write = _writer()
        self.start, self.size, self.code_size = pages.reserve(size), size, code_size
        data = self.start + code_size
        pages.protect(data, size - code_size, pages.READ | pages.WRITE)
        self._code = FreeList(self.start, code_size, self.ALIGNMENT)
        self._data = FreeList(data, size - code_size, self.ALIGNMENT)
        self._lock = _thread.RLock()
        self._busy = False  # an allocation is in progress below us on this thread
        self._freed: deque[tuple[FreeList, int]] = deque()
        _arenas.add(self)

    def allocate_code(self, size: int) -> int:
        """Room for machine code, 16-aligned; not accessible before it is written."""
        return self._allocate(self._code, size)

    def allocate_data(self, size: int) -> int:
        """Zeroed memory for data, 16-aligned."""
        address = self._allocate(self._data, size)
        memset(address, 0, size)
        return address

    def write_code(self, address: int, code: bytes) -> None:
        """Put bytes into allocated room for code."""
        if not (self.start <= address and address + len(code) <= self.start + self.code_size):
            raise ValueError(f"{address:#x} is not in the code part of this arena")
        first = address & -pages.PAGE
        size = -(-(address + len(code) - first) // pages.PAGE) * pages.PAGE
        result = self._write(first, size, address, bytes(code), len(code)) if code else 0
        if result:
            raise OSError(-result, f"cannot write machine code: {os.strerror(-result)}")

    def free_code(self, address: int) -> None:
        """Give room for code back. Nothing may still run or return there."""
        self._free(self._code, address)

    def free_data(self, address: int) -> None:
        """Give memory for data back."""
        self._free(self._data, address)

    @property
    def used_bytes(self) -> int:
        """Bytes of code and data that are allocated."""
        return self._code.used_bytes + self._data.used_bytes

    def blocks(self) -> list[tuple[int, int]]:
        """(address, size) of every allocated block, by address."""
        with self._lock:
            before, self._busy = self._busy, True  # what dies meanwhile waits
            try:
                return sorted([*self._code.used.items(), *self._data.used.items()])
            finally:
                self._busy = before

    def close(self) -> None:
        """Give all memory back. Nothing may still point into the arena."""
        pages.release(self.start, self.size)
        self._code = self._data = FreeList(self.start, 0, self.ALIGNMENT)

    def statistics(self) -> dict[str, int]:
        """Bytes and blocks in use and free, for each part."""
        with self._lock:
            self._take_up_freed()
            return {
                f"{name}_{what}": value
                for name, part in (("code", self._code), ("data", self._data))
                for what, value in (
                    ("bytes_used", part.used_bytes),
                    ("bytes_free", part.size - part.used_bytes),
                    ("blocks_used", len(part.used)),
                    ("blocks_free", len(part.free_blocks())),
                )
            }

    def _allocate(self, part: FreeList, size: int) -> int:
        with self._lock:
            if self._busy:
                raise MemoryError("the arena is in the middle of another allocation")
            self._take_up_freed()
            self._busy = True
            try:
                return part.allocate(size)
            finally:
                self._busy = False

    def _free(self, part: FreeList, address: int, is_finalizing=sys.is_finalizing) -> None:
        if is_finalizing():
            return  # nobody will use the room, and modules may be half gone
        if address not in part.used or (part, address) in self._freed:
            raise ValueError(f"no allocated block starts at {address:#x}")
        self._freed.append((part, address))
        # An exception that another thread sends to this one is raised behind a call, as if that of acquire() had failed. Here none is made.
        taken, = map(self._lock.acquire, (False,))
        try:
            if taken:
                self._take_up_freed()
        finally:
            if taken:
                self._lock.release()

    def _take_up_freed(self) -> None:
        """Return queued blocks to their lists. The lock is held."""
        while self._freed and not self._busy and self._code.is_whole and self._data.is_whole:
            self._busy = True
            try:
                part, address = self._freed.popleft()
                if part is self._code:
                    self.write_code(address, _INT3 * part.used[address])
                part.free(address)
            finally:
                self._busy = False


forks.hold(lambda: [arena._lock for arena in list(_arenas)])
