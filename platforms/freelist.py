"""Best-fit allocation inside one address range: bookkeeping only, no memory is touched.

Free blocks are kept three ways: sorted by (size, address) to find the best fit by
bisection, and by first and by past-the-end address to merge neighbours. Preferring the
lowest address among equal sizes keeps the range compact. See Knuth, The Art of Computer
Programming, volume 1, section 2.5.
"""

from bisect import bisect_left, insort


class FreeList:
    """Hands out aligned blocks of [start, start + size)."""

    def __init__(self, start: int, size: int, alignment: int):
        self.size = size
        self.alignment = alignment
        self.used: dict[int, int] = {}  # address -> size, allocated blocks
        self.used_bytes = 0
        self._by_size: list[tuple[int, int]] = []
        self._starting: dict[int, int] = {}  # first address -> size, free blocks
        self._ending: dict[int, int] = {}  # past-the-end address -> first address
        self._changing = False
        if size:
            self._insert(start, size)

    def _insert(self, start: int, size: int) -> None:
        insort(self._by_size, (size, start))
        self._starting[start] = size
        self._ending[start + size] = start

    def _remove(self, start: int) -> int:
        size = self._starting.pop(start)
        del self._ending[start + size]
        del self._by_size[bisect_left(self._by_size, (size, start))]
        return size

    def allocate(self, size: int) -> int:
        """The address of a free block of at least this size; MemoryError if there is none."""
        if size <= 0:
            raise ValueError(f"cannot allocate {size} bytes")
        self._begin()
        size = -(-size // self.alignment) * self.alignment
        position = bisect_left(self._by_size, (size, 0))
        if position == len(self._by_size):
            raise MemoryError(f"no free block of {size} bytes")
        start = self._by_size[position][1]
        self._changing = True
        whole = self._remove(start)
        if whole > size:
            self._insert(start + size, whole - size)
        self.used[start] = size
        self.used_bytes += size
        self._changing = False
        return start

    def free(self, start: int) -> None:
        """Give a block back, merged with its free neighbours."""
        self._begin()
        if start not in self.used:
            raise ValueError(f"no allocated block starts at {start:#x}")
        self._changing = True
        size = self.used.pop(start)
        self.used_bytes -= size
        before = self._ending.get(start)
        if before is not None:
            size += self._remove(before)
            start = before
        if start + size in self._starting:
            size += self._remove(start + size)
        self._insert(start, size)
        self._changing = False

    @property
    def is_whole(self) -> bool:
        """Once a change has not been completed, for want of memory, nothing can be believed any more."""
        return not self._changing

    def _begin(self) -> None:
        if self._changing:
            raise MemoryError("the bookkeeping was interrupted by an exception")

    def free_blocks(self) -> list[tuple[int, int]]:
        """(address, size) of every free block, by address."""
        return sorted(self._starting.items())
