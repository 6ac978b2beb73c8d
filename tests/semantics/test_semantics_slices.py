"""Slices with machine bounds, the methods of lists that move items, and finalisers that look at the list meanwhile."""

import gc
import sys

import pytest

from compare import check, copies, outcome

BOUNDS = [None, 0, 1, 2, -1, -2, 3, 7, -7, True, 2**62, -2**62, 2**63 - 1, -2**63]
FOREIGN_BOUNDS = [2**63, -2**70, 1.5, "a"]
VALUES = [[], [1], [1.5, None, "x", 2**70], [1, 2, 3, 4, 5, 6], (), (1, 2, 3), "", "héllo", "abc\U0001f600", b"bytes", bytearray(b"array"), range(6), None, 7,
          {1: 2}]


def function(text):
    scope = {}
    exec(text, scope)
    return scope["f"]


@pytest.mark.parametrize("text", ["i:j", "i:", ":j", ":", "i:j:-1", "i::-1", ":j:2", "::-3", f"i:j:{2**63 - 1}", f"i:j:{-2**63}", "i:j:k"])
def test_loading_slices(text):
    f = function(f"def f(a, i, j, k=1):\n    b = a[{text}]\n    return b, a[{text}], b is a")
    for container in VALUES:
        check(f, *((container, i, j) for i in BOUNDS for j in (*BOUNDS, *FOREIGN_BOUNDS)[::2 if i else 1]), repeat=1)
    check(f, *(([1, 2, 3], i, j) for i in FOREIGN_BOUNDS for j in (1, None)), repeat=2)


@pytest.mark.parametrize("text", ["i:j", "i:", ":j", ":", "i:j:-1", "i:j:2"])
def test_storing_slices(text):
    f = function(f"def f(a, i, j, v):\n    a[{text}] = v\n    return a, v")
    for value in VALUES:
        check(f, *((container, i, j, value) for container in ([], [1, 2, 3, 4, 5], [1.5, "x"]) for i in BOUNDS[::2] for j in BOUNDS[1::2]), repeat=1)


@pytest.mark.parametrize("to, source", [("i:j", "k:l"), (":j + 1", "k::-1"), ("i:j", "j:i:-1"), (":", "::-1"), ("i:", "k:l:2"), ("i:", ":")])
def test_moving_slices(to, source):
    f = function(f"def f(a, b, i, j, k, l):\n    for turn in range(2):\n        a[{to}] = b[{source}]\n    return a, b")
    g = function(f"def f(a, i, j, k, l):\n    for turn in range(2):\n        a[{to}] = a[{source}]\n    return a")
    numbers = (0, 1, 2, 3, -1, -3, 5, 2**63 - 1)
    places = [(i, j, k, l) for i in numbers[:4] for j in numbers[1:] for k in numbers for l in (2, 3, -1)]
    check(f, *(([1, 2, 3, 4], [5, "b", 2.5], *place) for place in places), repeat=1)
    check(g, *(([1, "b", 2.5, 4], *place) for place in places), repeat=2)


def test_an_alias_is_moved_within_itself():
    def f(a, k):
        b = a
        b[:k] = a[k - 1::-1]
        a[1:k] = b[:k - 1]
        return a, b
    check(f, *((list(range(size)), k) for size in (0, 1, 2, 5, 9) for k in range(size + 2)))


def test_list_methods():
    def f(a, i, value):
        insert, pop = a.insert, a.pop
        insert(i, value)
        a.insert(i, 2.5)
        first = pop(i)
        second = a.pop(i)
        third = pop()
        return a, first, second, third
    check(f, *((a, i, value) for a in ([1], [1, 2, 3], ["x", None, 2.5, 2**70]) for i in (0, 1, 2, -1, -2, 50, -50, True, 2**63 - 1, -2**63, 2**63)
               for value in (5, 2**40, 1.5, None, "s", [1])), repeat=1)


def test_popping_from_the_front_gives_room_back():
    def f(a):
        sizes = []
        while a:
            a.pop(0)
            sizes.append(a.__sizeof__())
        return sizes
    check(f, (list(range(100)),), ([str(n) for n in range(40)],))


def test_what_was_borrowed_outlives_the_pop():
    def f(a):
        x, y = a[-1], a.pop()
        n = ord(y)
        y = None
        b = a[0]
        z = a.pop(0)
        m = ord(z)
        z = None
        return x, n, b, m
    check(f, *([[chr(1000 + n), chr(2000 + n), chr(3000 + n)]] for n in range(5)), repeat=20)


def counted(f, *arguments):
    before = [sys.getrefcount(item) for item in arguments[:2]]
    result = f(*arguments)
    after = [sys.getrefcount(item) for item in arguments[:2]]
    return result, [b - a for a, b in zip(before, after)]


def test_counts_of_references():
    def f(item, other, n):
        a = [item, other, item, n]
        b = a[1:]
        b[0:2] = a[::-2]
        a[:] = a[::-1]
        a.insert(1, other)
        a[0:3] = b
        c = (item, other, a)[0:2]
        d = a.pop(0)
        return len(a) + len(b) + len(c)
    (plain,), (fast,) = copies(f)
    item, other = object(), object()
    for _ in range(50):
        assert counted(fast, item, other, 5) == counted(plain, item, other, 5)


class Watcher:
    """Notes, and may change, a list when it dies."""

    def __init__(self, watched, seen, change):
        self.watched, self.seen, self.change = watched, seen, change

    def __del__(self):
        self.seen.append([type(item).__name__ for item in self.watched])
        self.change(self.watched)


@pytest.mark.parametrize("change", [lambda a: None, lambda a: a.clear(), lambda a: a.append(1), lambda a: a.reverse()])
@pytest.mark.parametrize("text", ["a[0:2] = b", "a[:] = b[::-1]", "a[0:3] = b[0:3]", "a[1:] = ()", "a[:] = a[1:]", "a[0:9] = b[0:9]"])
def test_finalisers_of_replaced_items(change, text):
    f = function(f"def f(a, b):\n    n = 5\n    {text}\n    n = n + len(a)\n    return n, len(b)")
    (plain,), (fast,) = copies(f)

    def run(f):
        seen, a = [], []
        a.extend(Watcher(a, seen, change) for _ in range(3))
        result = f(a, [1, 2, 3])
        kinds = [type(item).__name__ for item in a]
        for item in list(a):
            if isinstance(item, Watcher):
                item.change = lambda a: None
        return result, kinds, list(seen)
    for _ in range(12):
        assert run(fast) == run(plain)


def test_a_collection_in_the_middle_changes_the_list():
    def f(a, n):
        total = 0
        for i in range(n):
            b = a[1:]
            total += len(b) * 0
            a[0:2] = b[::-1][0:1]
            a.append(i)
        return total

    class Cycle:
        def __init__(self, a):
            self.me, self.a = self, a

        def __del__(self):
            del self.a[4:]
    (plain,), (fast,) = copies(f)
    old = gc.get_threshold()
    try:
        for threshold in (1, 2, 3, 7):
            gc.set_threshold(threshold)
            for size in range(1, 12):
                a = list(range(size + 3))
                cycles = [Cycle(a) for _ in range(5)]
                del cycles
                assert fast(a, 50) == plain(list(a), 50)
    finally:
        gc.set_threshold(*old)


def test_exceptions_in_slices_have_their_lines():
    def f(a, i, j):
        b = 0
        b = a[i:
              j]
        a[i:j] = b[
            ::-1]
        return b
    check(f, ([1, 2, 3], 0, 2), ([1, 2, 3], 1, None), ([1, 2, 3], "x", 2), ((1, 2, 3), 0, 2), ("abc", 0, 1), (None, 1, 2), ({}, 1, 2))


def test_sizes_that_differ_are_not_moved_again():
    def f(a, b, n):
        for i in range(n):
            a[:i] = b[i:]
        return a
    check(f, ([1, 2], [3, 4, 5], 6), ([], list(range(30)), 25), repeat=30)


def test_a_container_that_the_interpreter_has_met_as_another():
    """What is sliced was a dictionary for the interpreter, and is a list for the version."""
    def f(container, i=0, j=2):
        return container[::2], container[i:j], container[::-1]
    mixed = [({1: 2}, 0, 2), ([1, 2, 3], 0, 2), ((1, 2, 3), 1, None), ("abc", 0, 2), ([1, 2, 3], -2, 10**30), ([1, 2, 3], None, None), ([1, 2], 1.5, 2), ((1, 2), 2**63, 0)]
    (plain,), (compiled,) = copies(f)
    for first in mixed:
        (plain,), (compiled,) = copies(f)
        for arguments in [first] * 12 + mixed * 3:
            assert outcome(compiled, arguments) == outcome(plain, arguments)
