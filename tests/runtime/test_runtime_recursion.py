"""Recursion: the limit is met at the interpreter's depth, changes of it are seen, and the counter stays true."""

import ctypes
import sys
import time

import pytest

from both import child, pair
from platforms.cpython import threads
from platforms.cpython.layout import layout

L = layout()


def depth_by_counter():
    """How deep the interpreter believes to be."""
    state = threads.current()()
    limit = ctypes.c_int32.from_address(state + L.thread_recursion_limit).value
    return limit - ctypes.c_int32.from_address(state + L.thread_recursion_remaining).value


SHAPES = {
    "plain": """
        def down(n):
            global deepest
            if n == 0:
                return 0
            return 1 + down(n - 1)
    """,
    "mutual": """
        def down(n):
            if n == 0:
                return 0
            return 1 + other(n - 1, 0.5)
        def other(n, x):
            if n == 0:
                return 0
            return 1 + down(n - 1)
    """,
    "calling out": """
        def down(n):
            touch(n)
            if n == 0:
                return 0
            return 1 + down(n - 1)
    """,
    "through the interpreter": """
        def down(n):
            if n == 0:
                return 0
            return 1 + plain(n - 1)
    """,
    "handlers on the way": """
        def down(n):
            if n == 0:
                return 0
            try:
                return 1 + down(n - 1)
            except RecursionError:
                raise
    """,
}


def greatest_depth(namespace, limit):
    """The greatest n for which down(n) does not raise."""
    low, high = 0, limit + 50
    while low + 1 < high:
        middle = (low + high) // 2
        try:
            assert namespace["down"](middle) == middle
            low = middle
        except RecursionError:
            high = middle
    return low


@pytest.mark.parametrize("shape", SHAPES)
def test_the_limit_is_met_at_the_same_depth(shape):
    """Compiled functions recurse exactly as deep as interpreted ones."""
    old = sys.getrecursionlimit()
    interpreted, compiled = pair(SHAPES[shape], touch=lambda n: n)
    exec("def plain(n): return down(n)", interpreted)
    exec("def plain(n): return down(n)", compiled)
    for _ in range(8):
        compiled["down"](10)
    before = depth_by_counter()
    try:
        for limit in (300, 700, 1000):
            sys.setrecursionlimit(limit)
            assert greatest_depth(interpreted, limit) == greatest_depth(compiled, limit)
            assert depth_by_counter() == before
    finally:
        sys.setrecursionlimit(old)


@pytest.mark.parametrize("ends", ["return 1", "raise ValueError(limit)"])
def test_the_limit_is_changed_below(ends):
    """setrecursionlimit in a callee keeps the counter true, however the callee ends."""
    old = sys.getrecursionlimit()
    _, compiled = pair("""
        def work(limit):
            s = 0
            for i in range(3):
                s += inner(limit, i)
            return s
        def inner(limit, i):
            return change(limit) + i
    """)
    exec(f"def change(limit):\n    sys.setrecursionlimit(limit)\n    {ends}", compiled)
    before = depth_by_counter()
    try:
        for limit in (1000, 400, 3000, 250, 1000) * 5:
            try:
                compiled["work"](limit)
            except ValueError:
                pass
            assert sys.getrecursionlimit() == limit
            assert depth_by_counter() == before
    finally:
        sys.setrecursionlimit(old)


def test_a_lowered_limit_is_obeyed_by_those_that_go_on():
    interpreted, compiled = pair("""
        def work(limit, n):
            sys.setrecursionlimit(limit)
            return down(n)
        def down(n):
            if n == 0:
                return 0
            return 1 + down(n - 1)
    """)
    old = sys.getrecursionlimit()
    try:
        for limit in (200, 500, 900):
            answers = []
            for namespace in (interpreted, compiled):
                best = 0
                for n in range(limit - 120, limit + 10):
                    sys.setrecursionlimit(1000)
                    try:
                        best = namespace["work"](limit, n)
                    except RecursionError:
                        break
                answers.append(best)
            assert answers[0] == answers[1]
    finally:
        sys.setrecursionlimit(old)


def test_calling_out_at_every_level_costs_linear_time():
    """Frames of compiled callers are not built anew for each call out."""
    _, compiled = pair("""
        def down(n):
            touch(n)
            if n == 0:
                return 0
            return 1 + down(n - 1)
    """, touch=lambda n: n)
    down = compiled["down"]

    def seconds(n):
        best = 1.0
        for _ in range(5):
            start = time.perf_counter()
            down(n)
            best = min(best, time.perf_counter() - start)
        return best

    down(10)
    assert seconds(800) < 40 * seconds(100)


def test_deep_recursion_does_not_crash():
    """With a limit beyond what the C stack bears, RecursionError is raised in time, in every thread."""
    source = """
        import sys, threading, jit
        def touch(n):
            return n
        @jit.jit
        def down(n):
            if n == 0:
                return 0
            return 1 + down(n - 1)
        @jit.jit
        def calling(n):
            touch(n)
            if n == 0:
                return 0
            return 1 + calling(n - 1)
        @jit.jit
        def sorting(n):
            if n == 0:
                return 0
            return sorted([n - 1], key=sorting)[0] + 1
        for function in (down, calling, sorting):
            for _ in range(5):
                function(5)
        sys.setrecursionlimit(10**6)
        def attempt():
            for function in (down, calling):
                for n in (3000, 10**6):
                    try:
                        function(n)
                    except RecursionError:
                        pass
            if sys.version_info >= (3, 12):
                try:
                    sorting(10**6)
                except RecursionError:
                    pass
        attempt()
        thread = threading.Thread(target=attempt)
        thread.start()
        thread.join()
        sys.setrecursionlimit(1000)
        print(down(100), calling(100))
    """
    assert child(source) == "100 100"


def test_unknown_stack_bounds():
    """Where a thread's stack bounds cannot be had (no /proc), compiled code runs all the same."""
    source = """
        import errno
        from platforms import pages
        from platforms.cpython import threads
        limits = threads.stack_limits()
        limits["pthread_getattr_np"] = pages.place(bytes.fromhex("b802000000c3"))  # mov eax, ENOENT; ret
        threads.stack_limits = lambda: limits
        import jit
        @jit.jit
        def down(n):
            if n == 0:
                return 0
            return 1 + down(n - 1)
        print(down(10), down(500))
    """
    assert child(source, timeout=30) == "10 500"


def test_the_main_thread_is_asked_for_its_stack_once():
    """The C library reads /proc/self/maps for it, and threads that are begun again and again take its place in the table."""
    source = """
        import threading
        from platforms import pages
        from platforms.cpython import symbols, threads as states
        asked = pages.reserve(4096)
        pages.protect(asked, 4096, pages.READ | pages.WRITE)
        function = symbols.address("pthread_getattr_np")
        limits = states.stack_limits()
        limits["pthread_getattr_np"] = pages.place(bytes.fromhex(  # mov rax, asked; inc qword [rax]; mov rax, function; jmp rax
            "48B8" + asked.to_bytes(8, "little").hex() + "48FF00" + "48B8" + function.to_bytes(8, "little").hex() + "FFE0"))
        states.stack_limits = lambda: limits
        import jit
        from platforms.cpython.observe import read
        @jit.jit
        def down(n):
            if n == 0:
                return 0
            return 1 + down(n - 1)
        print(down(500))
        before = read(asked)
        for _ in range(40):
            results = []
            thread = threading.Thread(target=lambda: results.append(down(50)))
            thread.start()
            thread.join()
            results.append(down(500))
            assert results == [50, 500], results
        print(before, 40 <= read(asked) - before <= 41)
    """
    assert child(source, timeout=30).split() == ["500", "1", "True"]
