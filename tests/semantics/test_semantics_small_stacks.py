"""Threads with little C stack: what runs there interpreted runs compiled, and too deep recursion is an error, not a crash."""

import pytest

from compare import child

THREADS = """
import threading
from jit import jit
results = []
class Thing:
    def __init__(self, x):
        self.x = x
    def __enter__(self):
        return self.x
    def __exit__(self, *_):
        return False
def leaf(x):
    return x * 2 + 1
def middle(x):
    with Thing(x) as y:
        return leaf(y) + sum(leaf(z) for z in range(3)) + len(sorted([3, 1], key=leaf))
def squares(n):
    for i in range(n):
        yield leaf(i)
def down(n):
    return 0 if n == 0 else 1 + down(n - 1)
def through(n):
    return 0 if n == 0 else 1 + max([n - 1], key=None) - n + 1 + list(map(through, [n - 1]))[0]
def endless(n):
    return endless(n + 1) + 1
def work():
    total = 0
    for i in range(50):
        total += middle(i) + sum(squares(i))
    return total, down(DEEP), through(DEEP // 5)
def attempt():
    found = [work(), work()]
    try:
        endless(0)
    except RecursionError:
        found.append("too deep")
    results.append(found)
if COMPILED:
    for function in (leaf, middle, squares, down, through, endless, work, Thing.__init__, Thing.__enter__, Thing.__exit__):
        jit(function)
if WARM:
    work(), work()
for _ in range(2):
    threading.stack_size(SIZE << 10)
    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
print(results)
"""


@pytest.mark.parametrize("warm", [False, True], ids=["compiled there", "compiled before"])
@pytest.mark.parametrize("size", [64, 128, 256, 288, 512, 1024])
def test_threads_with_small_stacks(size, warm):
    text = f"WARM, SIZE, DEEP = {warm}, {size}, {size // 8}" + THREADS
    texts = [f"COMPILED = {compiled}; {text}" for compiled in (False, True)]
    plain, compiled = (child(text, environment={"JIT_EAGER": "1"}) for text in texts)
    assert plain == compiled and "too deep" in plain
