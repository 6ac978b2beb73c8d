"""Holes in CPython's pools of small blocks are filled."""

import os
import subprocess
import sys

import pytest

from platforms.cpython import pools


TOGETHER = """
from platforms.cpython import pools
def behind_each_other(size):
    made = [block for _ in range(5) for block in pools._row(size)]
    return sum(id(after) - id(block) == size for block, after in zip(made, made[1:]))
for size in range(64, 513, 64):
    made = [bytes(size - 33) for _ in range(3000)]
    for index in range(0, 3000, 3):
        made[index] = None
    scattered, filled = behind_each_other(size), pools.fill()
    print(size, scattered < 10, filled > 1000 // 3, behind_each_other(size) > 25)
print(pools.fill() < 2000)
"""


def test_what_is_made_next_lies_together():
    """In a process of its own: the holes of a long run may lie in any order."""
    done = subprocess.run([sys.executable, "-c", TOGETHER], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("".join(f"{size} True True True\n" for size in range(64, 513, 64)) + "True\n", "")


@pytest.mark.parametrize("kind", ["malloc", "debug", "malloc_debug", "pymalloc_debug"])
def test_other_memory_is_left_alone(kind):
    """Where each block has bytes around it, or lies elsewhere, next to nothing is kept."""
    code = "from platforms.cpython import pools\nprint([pools.fill() < 2000 for _ in range(5)])"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONMALLOC": kind}, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == (f"{[True] * 5}\n", "")


def test_nothing_that_the_collector_sees_is_kept():
    import gc
    before = len(gc.get_objects())
    pools.fill()
    assert len(gc.get_objects()) <= before + 2
