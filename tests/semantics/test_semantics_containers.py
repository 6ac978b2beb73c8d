"""Lists, tuples, bytes and strings that change, lie or fail while compiled code works on them."""

import pytest

from compare import check, copies


class Index:
    """An index that is asked for its number, and may do something first."""

    def __init__(self, number, action=None):
        self.number, self.action = number, action

    def __index__(self):
        if self.action is not None:
            self.action()
        return self.number


class SubList(list):
    def __getitem__(self, index):
        return ("sub", index)

    def __len__(self):
        return 77

    def __iter__(self):
        return iter("sub")


class SubInt(int):
    def __index__(self):
        return 0


CONTAINERS = [[], [1, 2, 3], [1.5, 2.5], [1, 2.5, "x", None, True], [2**70, -2**63, 2**63 - 1], (), (1, 2, 3), (1.5, "a"), b"", b"abc",
              bytearray(b"xyz"), "", "héllo", "\U0001f600x", range(5), {0: "a", -1: "b", 2: "c"}, SubList([1, 2]), None, 5, [[1], [2.5]],
              [True, False, True]]
INDEXES = [0, 1, 2, 3, -1, -3, -4, 2**31, 2**63 - 1, -2**63, 2**63, 10**30, True, False, None, 1.0, "a", SubInt(2), slice(None), slice(1, 2),
           slice(None, None, -1), slice(0, 100, 0)]


def test_reading_items():
    def f(container, index):
        item = container[index]
        return item, item
    check(f, *((container, index) for container in CONTAINERS for index in INDEXES), repeat=1)


@pytest.mark.parametrize("index", ["0", "-1", "2", "-3", "100", "1:", ":-1", "::2", "::-1", "i:j", "i:", "True"])
def test_reading_items_by_constants_and_slices(index):
    scope = {}
    exec(f"def f(container, i=0, j=2):\n    return container[{index}]", scope)
    check(scope["f"], *((container, 0, 2) for container in CONTAINERS), ([1, 2, 3], -2, 10**30), ([1, 2, 3], None, None),
          ([1, 2], 1.5, 2), ((1, 2, 3), 2**63, -2**63), repeat=2)


@pytest.mark.parametrize("value", [7, -1, 256, 2**40, 2**70, 1.5, -0.0, True, None, "s", [1]])
def test_storing_items(value):
    def f(container, index, item):
        container[index] = item
        return container
    check(f, *((container, index, value) for container in CONTAINERS for index in INDEXES), repeat=1)


def test_augmented_items():
    def f(container, index, item):
        container[index] += item
        container[index] *= 2
        return container
    check(f, *((container, index, item) for container in CONTAINERS for index in (0, -1, 5, True) for item in (1, 2.5, 2**62)), repeat=1)


def test_loops_over_everything():
    def f(items):
        seen = []
        total = 0
        for item in items:
            seen.append(item)
            total = total + 1
        else:
            seen.append("else")
        return seen, total
    check(f, *((container,) for container in CONTAINERS), repeat=2)
    check(f, *((container,) for container in reversed(CONTAINERS)), repeat=2)


def test_sums_over_items_of_mixed_types():
    def f(items):
        total = 0
        for item in items:
            total += item
        return total
    check(f, ([1, 2, 3],), ([1, 2.5],), ([2**62, 2**62, 1],), ([True, 1, 1.5],), (["a"],), ([1, None],), ((1.5, 2),), (b"abc",), ([],),
          (range(2**63 - 3, 2**63 + 2),), ({1: 2},), repeat=3)


def test_list_grows_and_shrinks_while_iterated():
    def grow(items):
        for item in items:
            if len(items) < 20:
                items.append(item + 1)
        return items

    def shrink(items):
        seen = 0
        for item in items:
            seen += item
            items.pop()
        return seen, items

    def clear(items):
        for item in items:
            items.clear()
            items.append(item)
            items.append(item)
            if item > 100:
                break
            item += 1
            items[0] = item
            if len(items) > 5:
                return items
            items.pop()
        return items
    check(grow, ([1, 2],), ([],), ([1.5],))
    check(shrink, ([1, 2, 3, 4],), ([1.5, 2],), ([],))
    check(clear, ([1, 2, 3],), ([],), ([1.5],))


def test_index_shrinks_the_list_it_indexes():
    def f(items, index, value):
        items[index] = value
        return items[index], items

    def make(arguments):
        items = list(arguments[0])
        return items, Index(arguments[1], items.clear), arguments[2]
    check(f, ([1, 2, 3], 1, 5), ([1.5], 0, 5.5), make=make)


def test_operators_that_clear_the_list_in_the_middle():
    class Clears:
        def __init__(self, items):
            self.items = items

        def __radd__(self, other):
            self.items.clear()
            return other

        __rmul__ = __radd__

        def __eq__(self, other):
            self.items.clear()
            return False

        def __bool__(self):
            self.items.clear()
            return True

    def f(items, hostile):
        a, b = items[0], items[1]
        c = items[0] + hostile
        if hostile == a:
            return 1
        items.append(b)
        while hostile:
            return items[0], a, b, c
        return None

    def make(arguments):
        items = [object, [1]] if arguments[0] else [1.5, 2]
        return items, Clears(items)
    check(f, (True,), (False,), (True,), make=make)


def test_finalisers_change_the_list_that_drops_them():
    class Final:
        def __init__(self, items):
            self.items = items

        def __del__(self):
            self.items.append("deleted")
            if len(self.items) > 3:
                self.items.clear()

    def f(items, n):
        for i in range(n):
            items[0] = i
            items.append(i)
            items[-1] = None
        return items

    def make(arguments):
        items = []
        items.extend([Final(items), 1, 2][:arguments[0]])
        return items, 3
    check(f, (1,), (2,), (3,), make=make)


def test_unpacking():
    def two(pair):
        a, b = pair
        return b, a

    def swap(a, b, c, n):
        for i in range(n):
            a, b, c = c, a, b
        return a, b, c

    def nested(items):
        total = 0
        for (a, b), c in items:
            total += a * b + c
        return total
    check(two, ((1, 2),), ([1.5, 2],), ((1,),), ((1, 2, 3),), ("ab",), (5,), ({1: 2, 3: 4},), ((None, [1]),), ((2**70, 1),))
    check(swap, (1, 2.5, "c", 4), (2**70, None, [1], 5), (1, 2, 3, 100))
    check(nested, ([((1, 2), 3), ([1.5, 2], 3)],), ([((1, 2, 3), 4)],), ([((2**62, 4), 1)],))


def test_nested_lists():
    def f(rows, n):
        total = 0
        for i in range(n):
            row = rows[i]
            for j in range(len(row)):
                total += row[j] * rows[j][i]
                row[j] = total
        return total, rows
    square = [[1, 2], [3, 4]]
    shared = [1, 2]
    check(f, (square, 2), ([[1.5, 2.0], [1.0, 2]], 2), ([[1], [2, 3]], 2), ([shared, shared], 2), (["ab", "cd"], 2), ([[2**62, 9], [9, 2**62]], 2),
          ([(1, 2), (3, 4)], 2), (square, 3), ([], 1))


def test_comprehensions_and_appends():
    def f(n, x):
        squares = [i * x for i in range(n)]
        pairs = [(i, j) for i in range(n) for j in range(i) if (i + j) % 2]
        squares += [y for y in squares if y]
        return squares, pairs
    check(f, (5, 2), (5, 2.5), (0, 1), (5, 2**62), (3, "a"), (4, None))


def test_bytes_are_bounded():
    def f(buffer, index, value):
        buffer[index] = value
        buffer[index] ^= 255
        return buffer[index], buffer
    check(f, *((bytearray(b"abc"), index, value) for index in (0, -1, 2, 3, -4, 2**63) for value in (0, 255, 256, -1, 2**63, True, 1.5, None)),
          repeat=1)


def test_identity_of_objects_survives():
    """Objects that are not numbers keep their identity through locals, lists, tuples and exits."""
    def f(a, items, n):
        items.append(a)
        b = items[-1]
        c = (b, a)
        x, y = c
        total = n * n * n
        return a is b, b is c[0], x is y, y is a, items[0] is items[-1], total, a is None
    check(f, ([], [1], 5), ({}, [], 2**40), (None, [None], 2**30), ("é", ["é"], 2**25), (True, [True], 2**25))


def test_truth_of_several_types_at_one_place():
    class Plain:
        pass

    class False_:
        def __bool__(self):
            return False

    class Sized(list):
        pass

    def choose(x):
        return 1 if x else 2

    def negate(x):
        return not x

    values = [0, 1, -1, 2**70, -2**70, True, False, None, "", "a", [], [1], (), (1,), {}, {1: 2}, set(), {1}, b"", b"a", bytearray(), bytearray(b"x"),
              frozenset(), 0.0, 1.5, -0.0, float("nan"), Plain(), False_(), Sized(), Sized([1]), 0j, range(0), range(2)]
    for function in (choose, negate):
        for first in range(0, len(values), 3):
            (plain,), (fast,) = copies(function)
            for shift in (0, 1, 2, 5, 9):
                for value in (values[first], values[(first + shift) % len(values)]) * 2:
                    assert plain(value) == fast(value), value
        for value in values * 4:
            assert plain(value) == fast(value), value
