"""Leaving the program memory that lies together.

Problem: what has been imported leaves holes in CPython's pools of small blocks, one for every object that died in between. What the program makes next
goes into these holes, far from each other: programs that make many small objects (unpickling, JSON, decimals) become some percent slower whenever
anything large is imported below them.
Idea: fill the holes with blocks that are never used, until CPython gives out those behind each other that were never used before. It costs less than
a millisecond, and some hundred kilobytes of memory that is in use anyway.

Source: CPython Objects/obmalloc.c (ALIGNMENT, SMALL_REQUEST_THRESHOLD; the same in 3.11 to 3.13): what is free in a pool are blocks freed before,
the last one first, and then those that were never used, in the order of their addresses.
"""

_ALIGNMENT, _LARGEST = 16, 512
#: Blocks in a row; how many of them lie behind each other where none was used before (some are made of what has just died); rows of one size at most.
_ROW, _BEHIND, _ROWS = 8, 4, 500
_EMPTY = bytes().__sizeof__()
_HALVES = (0.5,) * _ROW
_filling = []


def fill() -> int:
    """Fill the holes; returns how many blocks that took. None are kept where memory comes from elsewhere (PYTHONMALLOC)."""
    before = len(_filling)
    for size in range(_ALIGNMENT, _LARGEST + 1, _ALIGNMENT):
        blocks = _row(size)
        while len(blocks) < 2 * _ROW or not (_is_new(blocks[-_ROW:], size) and _is_new(blocks[-2 * _ROW:-_ROW], size)):
            if len(blocks) >= _ROW * _ROWS:
                return len(_filling) - before
            blocks += _row(size)
        _filling.extend(blocks)
    return len(_filling) - before


def _row(size):
    """Objects of this size, which refer to nothing and are in no free list of their type."""
    if size == 16:
        return [object() for _ in range(_ROW)]
    if size == 32:
        return list(map(complex, _HALVES))
    return list(map(bytes, (size - _EMPTY,) * _ROW))


def _is_new(row, size):
    return sum(id(after) - id(block) == size for block, after in zip(row, row[1:])) >= _BEHIND
