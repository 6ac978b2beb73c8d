"""The process's one arena of executable memory and data."""

from functools import lru_cache

from jit import perfmap
from platforms.memory import CodeArena


@lru_cache(None)
def arena():
    """The arena; made at first use."""
    return CodeArena()


def placed(asm, name):
    """The address of assembled code, which stays for good; `name`: what perf calls it."""
    block = arena().allocate_code(asm.size_bound())
    text = asm.finish(block)
    arena().write_code(block, text)
    perfmap.note(block, len(text), name)
    return block
