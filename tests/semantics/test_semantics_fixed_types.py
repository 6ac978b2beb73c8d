"""Methods of types that are written in C, and of classes derived from them."""

import array
import datetime
import decimal
import io
import os
import re
import struct
import sys
import weakref
from collections import Counter, OrderedDict, defaultdict, deque

import pytest
from compare import assert_stays_compiled, check, child, copies


class Derived(deque):
    def append(self, item):
        super().append(("derived", item))


class Plain(deque):
    pass


class Duck:
    def append(self, item):
        return "duck", item

    def popleft(self):
        return "duck"

    write = append
    group = popleft


class Looking:
    """Looks at its caller when it dies, is compared or hashed."""

    def __init__(self, seen):
        self.seen = seen

    def look(self):
        frame = sys._getframe(2)
        self.seen.append((frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno, sorted(frame.f_locals)))

    def __del__(self):
        self.look()

    def __eq__(self, other):
        self.look()
        return False

    __hash__ = None


def shadowed():
    made = io.BytesIO()
    made.write = lambda data: ("its own", data)
    return made


def text_file():
    """Has a dict from the start: open() sets its mode."""
    return open(os.devnull, "w")


def with_dict():
    made = io.BytesIO()
    vars(made).update(other=1)
    return made


class Name(str):
    def __eq__(self, other):
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def with_keys():
    made = io.BytesIO()
    vars(made)[Name("write")] = lambda data: ("by a name", data)
    return made


def closed():
    made = io.BytesIO()
    made.close()
    return made


OWNERS = [lambda: deque([1, 2.5, "x"]), lambda: deque(), lambda: deque([1, 2], 2), lambda: Derived([1]), lambda: Plain([1]), Duck, lambda: [1, 2], lambda: array.array("d", [1.0]), io.BytesIO, io.StringIO,
          shadowed, closed, text_file, with_dict, with_keys, lambda: re.match("(a)(b)?", "a"), lambda: re.compile("a+"), lambda: decimal.Decimal("1.50"), lambda: datetime.date(2020, 1, 2), lambda: struct.Struct("<Q"),
          lambda: OrderedDict(a=1), lambda: Counter("aab"), lambda: defaultdict(list), lambda: memoryview(b"abc"), lambda: {"a": 1}, lambda: {1}, lambda: (1, 2), lambda: b"abc", lambda: "abc", lambda: 5, lambda: None]
VALUES = (1, 2**70, 1.5, b"data", "text", None)


def both_ends(x, value):
    x.append(value)
    x.append(value)
    return x.popleft(), len(x)


def write(x, value):
    return x.write(value), x.write(value), x.tell()


def group(x, value):
    return x.group(), x.group(1), x.group(2), x.span()


def match(x, value):
    found = x.match(value)
    return found and found.group(), x.findall("aab")


def others(x, value):
    return x.isoformat(), x.year


def packed(x, value):
    return x.pack(value), x.size


def ordered(x, value):
    x.move_to_end("a")
    return x.most_common() if value == 1 else list(x.items())


def rotated(x, value):
    for number in range(3):
        x.rotate(number)
        x.extend([value])
    return x.count(value), x.index(value)


def named(x, value):
    return x.append(item=value)


def many(x, value):
    return x.append(value, value, value)


def nothing(x, value):
    return x.append()


FUNCTIONS = (both_ends, write, group, match, others, packed, ordered, rotated)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_each_type(function):
    for number in range(len(OWNERS)):
        check(function, *((number, value) for value in VALUES), make=lambda calls: (OWNERS[calls[0]](), calls[1]))


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_types_in_turn(function):
    check(function, *((number, value) for value in VALUES[:2] for number in range(len(OWNERS))), make=lambda calls: (OWNERS[calls[0]](), calls[1]), repeat=3)


@pytest.mark.parametrize("function", [named, many, nothing], ids=lambda function: function.__name__)
def test_wrong_calls(function):
    """Which type the message names is the business of LOAD_METHOD."""
    for number in range(len(OWNERS)):
        check(function, *((number, value) for value in VALUES), make=lambda calls: (OWNERS[calls[0]](), calls[1]))
    check(function, *((number, value) for value in VALUES[:2] for number in range(len(OWNERS))), make=lambda calls: (OWNERS[calls[0]](), calls[1]), repeat=3)


def test_what_dies_looks_at_its_caller():
    def f(items, kind):
        items.append(kind)
        items.append(1)
        items.append(2)
        return items.count(2), items.maxlen

    results = []
    for side in copies(f):
        seen = []
        for _ in range(30):
            side[0](deque([Looking(seen)], 2), Looking(seen))
        results.append(seen)
    assert results[0] == results[1] and len(results[0]) > 30


def test_its_own_attribute_later():
    def f(stream):
        stream.write(b"x")
        return stream.tell()

    for side in copies(f):
        stream = io.BytesIO()
        for _ in range(50):
            side[0](stream)
        assert stream.getvalue() == b"x" * 50
        seen = []
        stream.write = seen.append
        for _ in range(50):
            side[0](stream)
        assert stream.getvalue() == b"x" * 50 and seen == [b"x"] * 50
        del stream.write
        side[0](stream)
        assert stream.getvalue() == b"x" * 51


def test_files_stay_compiled():
    def f(out, count):
        for _ in range(count):
            out.write("text")
        return out.mode

    _, (fast,) = copies(f)
    with text_file() as out:
        for _ in range(10):
            assert fast(out, 20) == "w"
        assert_stays_compiled(fast, lambda: [fast(out, 20) for _ in range(30)])


def test_nothing_is_left_or_kept():
    def f(items, count):
        for number in range(count):
            items.append(number)
            items.appendleft(items.pop())
            items.popleft()
        return len(items)

    _, (fast,) = copies(f)
    for _ in range(10):
        assert fast(deque([0]), 50) == 1
    assert_stays_compiled(fast, lambda: [fast(deque([0]), 50) for _ in range(30)])
    item, items = object(), deque()
    reference = weakref.ref(items)
    before = sys.getrefcount(item)

    def g(items, item):
        items.append(item)
        return items.pop()

    _, (again,) = copies(g)
    for _ in range(100):
        again(items, item)
    assert sys.getrefcount(item) == before
    del items
    assert reference() is None


def test_the_interpreters_profile_is_enough():
    """Where the interpreter has met one type the first version knows it."""
    text = """
import jit
from collections import deque
def f(items):
    for number in range(100):
        items.append(number)
        items.popleft()
    return len(items)
for _ in range(20):
    f(deque())
f = jit.jit(f)
items = deque()
print({f(items) for _ in range(50)}, len(jit.explain(f).versions), sum(leaving.count for version in jit.explain(f).versions for leaving in version.exits))
"""
    assert child(text) == "{0} 1 0\n"
