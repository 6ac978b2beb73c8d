"""Reads moved out of loops: nobody can tell, not even who changes the containers while a loop lets signals and threads in."""

from array import array

import pytest

from compare import check, child


def dot(a, b, n):
    s = 0
    for k in range(n):
        s += a[k] * b[k]
    return s


def row_sum(rows, i, n):
    s = 0
    for k in range(n):
        s += rows[i][k]
    return s


def column_sum(rows, j):
    s = 0
    for k in range(len(rows)):
        s += rows[k][j] + rows[0][0]
    return s


def fill(items, n, value):
    for i in range(n):
        items[i] = value
    return list(items)


def search(items, wanted):
    i = 0
    while items[i] != wanted:
        i += 1
    return i


def last_first(items, n):
    found = 0
    for i in range(n):
        found = found * 3 + items[-1] - items[-i]
    return found


VECTORS = [[], [1, 2, 3], [1.5, 2.5, -0.0], [1, 2.5, 3], [True, 2, 3], [2**62] * 3, [2**64, 1, 2], ["a", 2, 3], (1, 2, 3), array("d", [1, 2, 3]),
           array("i", [1, 2, 3]), bytearray(b"abc"), b"abc", "abc", None, range(3)]


@pytest.mark.parametrize("n", [0, 1, 3, 4])
def test_two_vectors(n):
    check(dot, *((a, b, n) for a in VECTORS for b in VECTORS), repeat=1)
    for first in ([1, 2, 3], [1.5, 2.5, 3.5], array("d", [1, 2, 3]), bytearray(b"abc")):
        check(dot, *[(first, first, 3)] * 3, *((a, first, n) for a in VECTORS), *((first, b, n) for b in VECTORS), repeat=1)


def test_rows():
    rows = [[[1, 2], [3, 4]], [[1.5], [2.5]], [[1, 2], (3, 4)], [[1], None], [], [[]], ([1, 2], [3]), [[True, 2], [2**70, 1]]]
    check(row_sum, *((matrix, i, n) for matrix in rows for i in (0, 1, -1, 5) for n in (0, 1, 2, 3)), repeat=2)
    check(row_sum, *[([[1, 2], [3, 4]], 0, 2)] * 3, ([[1, 2]], 7, 0), ([[1, 2]], 7, 0), ([[1, 2]], 7, 1), ([None], 0, 2), ([[1, 2]], 0, 2))
    check(column_sum, *((matrix, j) for matrix in rows for j in (0, 1, -1, 5)), repeat=2)


@pytest.mark.parametrize("make", [list, bytearray, lambda items: array("i", items), lambda items: array("d", items),
                                  lambda items: memoryview(bytearray(items)), lambda items: memoryview(bytes(items))])
def test_stores(make):
    for value in (7, 256, -1, 1.5, True, None, 2**40):
        check(fill, *((make([1, 2, 3]), n, value) for n in (0, 1, 3, 4)), repeat=1, make=lambda given: (make([1, 2, 3]), *given[1:]))


def test_searching():
    for items in ([3, 1, 2], [1.5, 2], bytearray(b"\3\1\2"), array("b", [3, 1, 2]), [None, 2], [2**70, 2], []):
        check(search, (items, 2), (items, 9), (items, items[0] if items else 0))
        check(last_first, (items, 2), (items, 9), (items, 0), (items, -1))


CHANGED_BY_A_SIGNAL = """
import signal, sys
from array import array
from jit import jit

@jit
def wait_for(items, rows, n):
    total = 0
    while items[0] == 0:
        total += rows[0][1] * 0 + 1
    return "seen", items[0]

@jit
def run(items, rows, n):
    total = 0
    for k in range(n):
        total += items[1] + rows[0][k & 1]
    return total

def handler(*_):
    CHANGE()

signal.signal(signal.SIGALRM, handler)

def after(change, function, *arguments):
    global CHANGE
    CHANGE = change
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        return function(*arguments)
    except Exception as error:
        return type(error).__name__, str(error)

LONG = 10 ** 13
for make in (list, bytearray, lambda items: array("i", items), tuple):
    items, rows = make([1, 2, 3]), [[1, 2], [3, 4]]
    wait_for(items, rows, 3), run(items, rows, 3)

for make in (list, bytearray, lambda items: array("i", items)):
    items, rows = make([0, 2, 3]), [[1, 2], [3, 4]]
    def change():
        items[0] = 5
    print(after(change, wait_for, items, rows, LONG))
    items = make([0, 2, 3])
    print(after(lambda: items.extend(make([1] * 1000)) or change(), wait_for, items, rows, LONG))
    items = make([0, 2, 3])
    def shrink():
        del items[:]
    print(after(shrink, run, items, rows, LONG))
    items = make([0, 2, 3])
    print(after(rows.clear, run, items, rows, LONG))
    rows = [[1, 2], [3, 4]]
    print(after(lambda: rows.__setitem__(0, None), run, items, rows, LONG))
    rows = [[1, 2], [3, 4]]
    print(after(lambda: rows[0].__setitem__(1, "text"), run, items, rows, LONG))
    rows = [[1, 2], [3, 4]]
    print(after(lambda: rows[0].pop(), run, items, rows, LONG))
    rows = [[1, 2], [3, 4]]
    def replace():
        rows[0] = (1.5, "b")
    print(after(replace, run, items, rows, LONG))
"""

WANTED = """('seen', 5)
('seen', 5)
('IndexError', '{name} index out of range')
('IndexError', 'list index out of range')
('TypeError', "'NoneType' object is not subscriptable")
('TypeError', "unsupported operand type(s) for +: 'int' and 'str'")
('IndexError', 'list index out of range')
('TypeError', "unsupported operand type(s) for +: 'int' and 'str'")
"""


@pytest.mark.parametrize("environment", [{}, {"JIT_CHECK": "1"}])
def test_changed_by_a_signal_handler(environment):
    printed = child(CHANGED_BY_A_SIGNAL, environment=environment)
    assert printed == "".join(WANTED.replace("{name}", name) for name in ("list", "bytearray", "array"))


def test_changed_by_a_thread():
    """Rows are replaced and freed all the time: what is read is always some row's."""
    printed = child("""
import sys, threading, time
from jit import jit
sys.setswitchinterval(1e-5)

@jit
def total(rows, n):
    s = 0
    for k in range(n):
        s += rows[0][k & 1] - rows[1][1]
    return s

rows = [[1, 1], [1, 1]]
total(rows, 3)
stop = time.monotonic() + 3

def disturb():
    number = 0
    while time.monotonic() < stop:
        number += 1
        rows[number & 1] = [1, 1] + [number] * (number % 50)

workers = [threading.Thread(target=disturb) for _ in range(2)]
[worker.start() for worker in workers]
rounds = 0
while time.monotonic() < stop:
    assert total(rows, 20000) == 0
    rounds += 1
[worker.join() for worker in workers]
print("fine" if rounds > 3 else rounds)
""")
    assert printed == "fine\n"
