"""Dictionaries and sets whose keys are classes and instances that equal nothing else: looked up by their addresses."""

import gc
import sys

import pytest

from compare import copies

from jit.dispatch import COMPILER


class Node:
    def __init__(self, name):
        self.name = name

    def __repr__(self):
        return self.name


class Slotted:
    __slots__ = ("name",)

    def __init__(self, name):
        self.name = name

    __repr__ = Node.__repr__


class Hashed(Node):
    """It equals its like, and has their hash."""

    def __hash__(self):
        return hash(self.name)

    def __eq__(self, other):
        return isinstance(other, Hashed) and other.name == self.name


class Compared(Node):
    """A comparison of its own, and no hash."""

    def __eq__(self, other):
        return True


class Meta(type):
    def __hash__(cls):
        return 7

    def __eq__(cls, other):
        return True


class Classy(metaclass=Meta):
    pass


class PlainMeta(type):
    pass


class Plain(metaclass=PlainMeta):
    pass


def place(target):
    """An object whose hash is that of another one's address, and which says that it is equal."""
    class Impostor:
        def __hash__(self):
            return object.__hash__(target)

        def __eq__(self, other):
            log.append("asked")
            return True
    return Impostor()


log = []
NODES = [Node(name) for name in "abc"] + [Slotted("s"), int, str, Plain, len, gc]
OTHERS = [Hashed("h"), Hashed("h"), Compared("k"), Classy, "text", 5, 1.5, None, (1, 2), True, [], frozenset()]


def ask(d, s, k):
    return k in d, k in s, k not in d, d.get(k), d.get(k, 5)


def item(d, s, k):
    try:
        return d[k]
    except KeyError as error:
        return error.args


def put(d, s, k):
    d[k] = 1
    s.add(k)
    first = len(d), len(s), d[k]
    d[k] = 2
    s.add(k)
    s.discard(k)
    s.discard(k)
    return first, len(d), len(s), d[k], k in s


def display(d, s, k):
    return {k}, {k: 1}, {k, 1}, {1: 2, 3: 4}


def tables():
    keys = NODES[::2] + ["x", 1]
    return [({}, set()), ({key: number for number, key in enumerate(keys)}, set(keys)), ({"a": 1, "b": 2}, {"a", "b"}), ({1: 2}, {1, 2}),
            ({Hashed("h"): 1, Node("z"): 2}, {Hashed("h"), 3})]


@pytest.mark.parametrize("function", [ask, item, put, display], ids=lambda function: function.__name__)
@pytest.mark.parametrize("first", [NODES, OTHERS], ids=["nodes", "others"])
def test_any_keys(function, first):
    """Warmed up with one sort of keys, then called with both."""
    (plain,), (compiled,) = copies(function)
    for _ in range(80):
        for key in first:
            for chosen in (plain, compiled):
                try:
                    chosen({1: 1}, {1}, key)
                except TypeError:
                    pass
    for key in (*NODES, *OTHERS, *NODES):
        for number in range(len(tables())):
            results = []
            for chosen in (plain, compiled):
                table, members = tables()[number]
                try:
                    results.append((chosen(table, members, key), list(table.items()), sorted(members, key=repr)))
                except Exception as error:
                    results.append((type(error), str(error), list(table.items()), sorted(members, key=repr)))
            assert repr(results[0]) == repr(results[1])


@pytest.mark.parametrize("function", [ask, put, item], ids=lambda function: function.__name__)
def test_a_key_with_the_same_hash_is_asked(function):
    node = Node("n")
    _, (compiled,) = copies(function)
    for _ in range(300):
        compiled({node: 1}, {node}, node)
    (plain, _), _ = copies(function, function)
    results = []
    for chosen in (plain, compiled):
        log.clear()
        impostor = place(node)
        results.append((chosen({impostor: 3}, {impostor}, node), list(log)))
    assert results[0] == results[1] and results[0][1]


def test_they_need_no_callout():
    def f(d, s, k):
        return k in s, d.get(k)
    _, (compiled,) = copies(f)
    for _ in range(300):
        compiled({}, set(), NODES[0])
    record = COMPILER.records[id(compiled)]
    assert record.versions and not [note.reason for code in record.versions for note in code.exits if note.reason == "the frame is in use"]


def test_references():
    def f(d, s, k):
        d[k] = s
        s.add(k)
        s.discard(k)
        return k in d, {k}, {k: k}
    _, (compiled,) = copies(f)
    node, table, members = Node("n"), {}, set()
    for _ in range(300):
        compiled(table, members, node)
    gc.collect()
    before = sys.getrefcount(node), sys.getrefcount(members)
    for _ in range(50):
        compiled(table, members, node)
    gc.collect()
    assert (sys.getrefcount(node), sys.getrefcount(members)) == before


def test_a_class_gets_a_hash_of_its_own():
    def f(d, k):
        return k in d, d.get(k)
    class Late:
        pass
    (plain,), (compiled,) = copies(f)
    first, second = Late(), Late()
    for _ in range(300):
        compiled({first: 1}, first)
    Late.__hash__ = lambda self: 3
    Late.__eq__ = lambda self, other: True
    assert compiled({first: 1}, second) == plain({first: 1}, second) == (True, 1)
    del Late.__hash__, Late.__eq__
    assert compiled({first: 1}, second) == plain({first: 1}, second) == (False, None)


def test_many_keys():
    def count(nodes, rounds):
        seen, number = {nodes[0]}, {nodes[0]: 0}
        for _ in range(rounds):
            for node in nodes:
                if node not in seen:
                    seen.add(node)
                    number[node] = len(number)
        return len(seen), [number[node] for node in nodes]
    nodes = [Node(str(i)) for i in range(3000)]
    (plain,), (compiled,) = copies(count)
    for _ in range(2):
        assert compiled(nodes, 3) == plain(nodes, 3)
