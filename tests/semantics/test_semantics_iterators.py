"""Loops over everything whose iterator fields compiled code reads, while the loops' bodies change what they walk over."""

import sys
from array import array

import pytest

import jit
from compare import check, copies, outcome


class Text(str):
    def __iter__(self):
        return iter("sub")


class Items(list):
    def __iter__(self):
        return iter([1, 2])


class Counted:
    """An iterator of Python's own making, which may end, fail, or change what others walk over."""

    def __init__(self, count, action=None):
        self.count, self.action = count, action

    def __iter__(self):
        return self

    def __next__(self):
        if self.action is not None:
            self.action()
        if not self.count:
            raise StopIteration
        self.count -= 1
        return self.count


ITERABLES = [[], [1, 2, 3], [1.5, -0.0, 2.5], [1, 2.5, "x", None, True, 2**70], (), (1, 2), ("a", None), b"", b"abc", bytearray(b"\xffz"), "",
             "abc", "h\xe9llo", "a\u20acb", "x\U0001f600y", "\0", range(0), range(5), range(10, 0, -3), range(2**63 - 2, 2**63 + 1),
             range(-2**63, -2**63 + 2), range(2**70, 2**70 + 2), {1: 2, 3: 4}, {7}, Text("ab"), Items([7, 8, 9]), None, 5, [(1, 2), (3, 4)],
             [[1, 2], [3, 4]], [(1, 2), (3,)], array("d", [1.5, 2.5]), array("b", [-1, 2]), array("Q", [1, 2**64 - 1]), array("q", [-2**63]),
             array("f", [0.1]), array("H"), array("u", "ab"), [[1.5, "a"], ["b", 2]]]


def each(items):
    found = []
    for item in items:
        found.append(item)
    return found


def total(items):
    s = 0
    for item in items:
        s += item
    return s


def numbered(items):
    found = []
    for index, item in enumerate(items):
        found.append((index, item))
    return found


def numbered_whole(items):
    found = []
    for pair in enumerate(items, 5):
        found.append(pair)
    return found


def numbered_pairs(items):
    found = []
    for index, (a, b) in enumerate(items):
        found.append((index, a, b))
    return found


def backwards(items):
    found = []
    for item in reversed(items):
        found.append(item)
    return found


def characters(text):
    found = 0
    for character in text:
        found = found * 31 + ord(character)
        if character == "a" or "b" == character:
            found += 1
        if character > "y":
            break
    else:
        return found, "whole"
    return found, character


@pytest.mark.parametrize("function", [each, total, numbered, numbered_whole, numbered_pairs, backwards, characters])
def test_one_iterable(function):
    check(function, *((items,) for items in ITERABLES), repeat=2)


@pytest.mark.parametrize("function", [each, total, numbered, backwards])
@pytest.mark.parametrize("items", [[1, 2, 3], "abc", (1.5, 2.5), b"ab", array("i", [1, 2]), range(3)], ids=str)
def test_one_type_then_all_others(function, items):
    check(function, *[(items,)] * 3, *((other,) for other in ITERABLES), (items,), repeat=1)


def zipped(a, b):
    found = []
    for x, y in zip(a, b):
        found.append((x, y))
    return found


def zipped_numbered(a, b):
    s = 0
    for i, (x, y) in enumerate(zip(a, b)):
        s += i * x * y
    return s, i, x, y


def zipped_three(a, b):
    found = []
    for x, (y, z) in zip(a, zip(b, a)):
        found.append((x, y, z))
    return found


def zipped_with_itself(a, b):
    iterator = iter(a)
    found = []
    for x, y in zip(iterator, iterator):
        found.append((x, y))
    return found, list(iterator)


@pytest.mark.parametrize("function", [zipped, zipped_numbered, zipped_three, zipped_with_itself])
def test_two_iterables(function):
    plain = [[], [1, 2, 3], [1.5, 2.5], (1, 2), "ab\xe9", b"xyz", range(4), {1: 2}, None, array("d", [1.5]), ["x", 2]]
    check(function, *((a, b) for a in plain for b in plain), repeat=1)


@pytest.mark.parametrize("start", [0, 1, -5, True, 2**63 - 2, 2**63 - 1, 2**63, -2**63, 2**70, 1.5, None, "1"])
def test_start_of_an_enumeration(start):
    def f(items, start):
        found = []
        for index, item in enumerate(items, start):
            found.append((index, type(index), item))
        return found
    check(f, ([1, 2, 3], start), ([1, 2, 3], 7), ("ab", start))


def growing(items, limit):
    for i, item in enumerate(items):
        if len(items) < limit:
            items.append(item)
    return items, i


def shrinking(items, limit):
    found = []
    for item in items:
        found.append(item)
        if len(items) > limit:
            items.pop()
    return found


def shrinking_backwards(items, limit):
    found = []
    for item in reversed(items):
        found.append(item)
        if len(items) > limit:
            del items[-2:]
    return found


def emptied(items, limit):
    found = []
    for x, y in zip(items, items):
        found.append((x, y))
        items.clear()
    return found


@pytest.mark.parametrize("function", [growing, shrinking, shrinking_backwards, emptied])
def test_mutated_while_walked(function):
    for make in (list, bytearray, lambda items: array("i", items)):
        check(function, (make([1, 2, 3, 4, 5]), 3), (make([1, 2, 3, 4, 5]), 9), (make([]), 2), (make([1]), 0))


def test_what_an_iterator_is_left_as():
    """The objects exist, and whoever else names them sees how far they are."""
    def f(items, stop):
        iterator = iter(items)
        pairs = enumerate(iterator)
        for index, item in pairs:
            if index == stop:
                break
        rest = next(iterator, "ended"), next(pairs, "ended")
        return rest, list(iterator), list(pairs)
    check(f, ([1, 2, 3, 4, 5, 6], 1), ([1, 2, 3], 2), ([1, 2], 5), ("abcdef", 0), (range(6), 2))


def test_an_ended_iterator_stays_ended():
    def f(items):
        iterator = iter(items)
        first = []
        for item in iterator:
            first.append(item)
        items.append(99)
        for item in iterator:
            first.append(item)
        return first
    check(f, ([1, 2, 3],), ([],))


def test_nested_and_left_early():
    def f(rows, wanted):
        for i, row in enumerate(rows):
            for j, item in enumerate(row):
                if item == wanted:
                    return i, j
            else:
                continue
            break
        return None
    check(f, ([[1, 2], [3, 4]], 3), ([[1, 2], [3, 4]], 9), ([(1.5,), (2.5,)], 2.5), (["ab", "cd"], "c"), ([[1], None], 9))


def test_exceptions_in_the_body():
    def f(items, divisors):
        s = 0
        for i, (item, divisor) in enumerate(zip(items, divisors)):
            s += item // divisor
            if s == 5:
                raise KeyError(i, item)
        return s
    check(f, ([1, 2, 3], [1, 1, 0]), ([2, 3, 3], [1, 1, 0]), ([10, 20], [3, 4]), ([1, "x"], [1, 1]))


def test_iterators_that_run_code():
    def f(items, others):
        found = []
        for i, (a, b) in enumerate(zip(items, others)):
            found.append((i, a, b))
        return found
    for count in (0, 1, 5):
        (plain,), (fast,) = copies(f)
        for _ in range(3):
            wanted = outcome(plain, ([1, 2, 3], Counted(count)))[0]
            assert outcome(fast, ([1, 2, 3], Counted(count)))[0] == wanted
            items = [1, 2, 3]
            wanted = outcome(plain, (items, Counted(9, items.clear)))[0]
            items = [1, 2, 3]
            assert outcome(fast, (items, Counted(9, items.clear)))[0] == wanted


@pytest.mark.parametrize("function", [numbered, backwards, zipped, zipped_numbered, characters])
def test_references(function):
    compiled = jit.jit(type(function)(function.__code__, function.__globals__))
    item = object()
    for items in ([item] * 5, (item, item), "a\u20acb", [(item, 1)] * 3):
        arguments = (items, items) if function.__code__.co_argcount == 2 else (items,)
        counts = []
        for _ in range(50):
            try:
                compiled(*arguments)
            except TypeError:
                pass
            counts.append((sys.getrefcount(item), sys.getrefcount(items)))
        assert counts[-1] == counts[5]


# -- arrays and memoryviews ----------------------------------------------------------------------------

def element(items, index):
    item = items[index]
    return item, type(item)


def store(items, index, value):
    items[index] = value
    return list(items)


def fill(items, n):
    for i in range(n):
        items[i] = items[i - 1] + 1
    return len(items), list(items)


EDGES = [0, 1, -1, 127, 128, -128, -129, 255, 256, 2**15, 2**16 - 1, 2**16, 2**31 - 1, 2**31, -2**31 - 1, 2**32, 2**63 - 1, -2**63, 2**63,
         2**64 - 1, 2**64, True, 1.5, float("nan"), -0.0, 1e300, None, "a", b"a"]


@pytest.mark.parametrize("code", "bBhHiIlLqQfd")
@pytest.mark.parametrize("view", [False, True])
def test_elements_of_every_format(code, view):
    def make(arguments):
        items, *rest = arguments
        copied = array(items.typecode, items)
        return (memoryview(copied) if view else copied, *rest)

    float_code = code in "fd"
    items = array(code, [0, 1, 2] if not float_code else [0.5, -1.5, 2.0])
    unsigned = code.isupper()
    if not float_code:
        bits = 8 * items.itemsize
        items.extend([(1 << bits) - 1, 0] if unsigned else [(1 << bits - 1) - 1, -1 << bits - 1])
    check(element, *((items, index) for index in (0, 1, -1, -2, 4, 5, 99, -6, True, 2**63, -2**63, 1.0, None)), make=make)
    check(store, *((items, index, value) for value in EDGES for index in (1, -1, 9)), repeat=2, make=make)
    check(fill, (items, 3), (items, 99), make=make)


def test_views_that_are_no_plain_arrays():
    storage = bytearray(range(48))

    def views():
        released = memoryview(storage)
        released.release()
        return [memoryview(storage), memoryview(bytes(storage)), memoryview(storage)[::2], memoryview(storage)[::-1],
                memoryview(storage).cast("d"), memoryview(storage).cast("c"), memoryview(storage).cast("?"), memoryview(storage)[5:5],
                memoryview(storage).cast("B", [6, 8]), memoryview(b""), released,
                memoryview(storage).cast("h")[3:9]]

    count = len(views())
    for first in range(count):
        for function, rest in ((element, (1,)), (store, (2, 3)), (len, ())):
            target = function if function is not len else length
            (plain,), (fast,) = copies(target)
            for number in (first, first, *range(count)):
                before = bytes(storage)
                wanted = outcome(plain, (views()[number], *rest))[0]
                after, storage[:] = bytes(storage), before
                assert outcome(fast, (views()[number], *rest))[0] == wanted, (function, first, number)
                assert bytes(storage) == after


def length(items):
    return len(items)


def test_a_view_released_and_an_array_resized_in_the_loop():
    def f(view, n):
        s = 0
        for i in range(n):
            s += view[i]
            if i == 3:
                view.release()
        return s

    def g(items, n):
        s = 0
        for i in range(n):
            s += items[i]
            if i == 3:
                del items[5:]
        return s
    check(f, (array("d", [1.5] * 9), 3), (array("d", [1.5] * 9), 9), make=lambda given: (memoryview(given[0]), given[1]))
    check(g, (array("d", [1.5] * 9), 3), (array("d", [1.5] * 9), 9), (array("i", [1] * 9), 9))


def test_arrays_of_one_format_then_another():
    def f(items):
        s = 0
        for i in range(len(items)):
            s += items[i]
        for item in items:
            s += item
        return s
    check(f, *((array(code, [1, 2, 3]),) for code in "dddiiibQfdi"), ([1, 2, 3],), (b"abc",), ("abc",), repeat=3)


# -- strings ------------------------------------------------------------------------------------------

TEXTS = ["", "a", "b", "ab", "abc", "\xe9", "\u20ac", "\U0001f600", "a\xe9", "a\u20ac", "\0", "aa", Text("a"), None, 1, b"a", "a" * 100, "a" * 99 + "b"]


@pytest.mark.parametrize("symbol", ["==", "!=", "<", "<=", ">", ">="])
def test_comparing_strings(symbol):
    scope = {}
    exec(f"def f(a, b):\n    if a {symbol} b:\n        return 1, a {symbol} b\n    return 2, a {symbol} b\n"
         f"def g(a):\n    return a {symbol} 'ab', '\\xe9' {symbol} a", scope)
    check(scope["f"], *((a, b) for a in TEXTS for b in TEXTS), repeat=1)
    check(scope["g"], *((a,) for a in TEXTS), repeat=2)


def test_equal_strings_that_are_two_objects():
    def f(a, b):
        return a == b, a != b, a < b, a[0] == b[0]
    for text in ("ab", "\xe9", "a\u20ac", "\U0001f600" * 3):
        check(f, (text, "".join([*text])), (text + "x", "".join([*text]) + "x"))


def test_characters_by_index():
    def f(text, index):
        character = text[index]
        return character, ord(character), chr(ord(character) + 1), character is text[index]
    check(f, *((text, index) for text in TEXTS for index in (0, 1, -1, 2, 99, True, None, 2**63)))


@pytest.mark.parametrize("code", [0, 65, 255, 256, 0xD800, 0x10FFFF, 0x110000, -1, 2**31, 2**63, True, 65.0, None, "a"])
def test_chr_and_ord(code):
    def f(code):
        return chr(code), ord(chr(code))
    check(f, (code,), (65,), (code,))
