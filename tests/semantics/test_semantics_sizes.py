"""How much memory containers take (sys.getsizeof): what makes and changes them leaves the room that the interpreter leaves."""

from compare import check

import sys


def listed(n):
    return sys.getsizeof(list(i for i in range(n))), sys.getsizeof(list(c for c in "abcdefghijklmnopqrstuvwxyz"[:n]))


def ordered(n):
    return sys.getsizeof(sorted(-i for i in range(n))), sorted(i % 3 for i in range(n))


def comprehended(n):
    return sys.getsizeof([i for i in range(n)]), sys.getsizeof({i for i in range(n)}), sys.getsizeof({i: 1 for i in range(n)})


def keyed(n):
    return sys.getsizeof(set(i for i in range(n))), sys.getsizeof(frozenset(str(i) for i in range(n))), sys.getsizeof(dict((i, 1) for i in range(n)))


def displayed(n):
    return [sys.getsizeof(each) for each in ([1, 2, 3], [*range(n)], [*[1] * n], list((1,) * n), [1] * n + [2], [1, 2, 3, 4, 5][:n])]


def appended(n):
    items, sizes = [], []
    for i in range(n):
        items.append(i)
        sizes.append(sys.getsizeof(items))
    return sizes


def extended(n):
    items = [1, 2]
    items.extend(i for i in range(n))
    items += (i for i in range(n))
    return sys.getsizeof(items)


def popped(n):
    items, sizes = [], []
    for i in range(n):
        items.append(i)
    while items:
        sizes.append((items.pop(), sys.getsizeof(items)))
    return sizes


def popped_at(n, k):
    items, sizes = [0] * n, []
    while items:
        items.pop(k)
        sizes.append(sys.getsizeof(items))
    return sizes


def emptied(n):
    one, two, sizes = list(range(n)), list(range(n)), []
    while one:
        one.pop()
        two.pop(0)
    one += [1, 2, 3]
    two.extend((1, 2, 3))
    return sys.getsizeof(one), sys.getsizeof(two), one.pop(), two.pop(-3)


def sliced(n):
    items = [0] * n
    items[1:2] = [1, 2, 3]
    sizes = [sys.getsizeof(items)]
    items.insert(0, 3)
    sizes.append(sys.getsizeof(items))
    del items[2:]
    sizes.append(sys.getsizeof(items))
    del items[0]
    return sizes, sys.getsizeof(items)


def bytes_appended(n):
    items = bytearray()
    for i in range(n):
        items.append(i & 255)
    return sys.getsizeof(items)


def test_sizes():
    counts = [(n,) for n in range(70)]
    for function in (listed, ordered, comprehended, keyed, displayed, appended, extended, popped, emptied, sliced, bytes_appended):
        check(function, *counts, *reversed(counts))
    check(popped_at, *[(n, k) for n in range(40) for k in (0, -1)])
