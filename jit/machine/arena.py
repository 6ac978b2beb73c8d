"""The process's one arena of executable memory and data."""

from functools import lru_cache

from platforms.memory import CodeArena


@lru_cache(None)
def arena():
    """The arena; made at first use."""
    return CodeArena()
