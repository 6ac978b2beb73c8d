"""Dictionaries looked up by machine code: keys of every sort, tables of every kind, finalisers of replaced values, versions and watchers."""

import gc
import sys

import pytest

import jit
from compare import check, copies


class Equal:
    """A key that claims to be equal to what it is told, with a hash of its choice."""

    def __init__(self, other, seen=None, action=None):
        self.other, self.seen, self.action = other, seen, action

    def __hash__(self):
        return hash(self.other)

    def __eq__(self, other):
        if self.action is not None:
            self.action()
        return type(other) is type(self.other) and other == self.other


class Raising(Equal):
    __hash__ = Equal.__hash__

    def __eq__(self, other):
        raise ValueError(other)


class SubStr(str):
    pass


class SubInt(int):
    pass


class SubDict(dict):
    def __missing__(self, key):
        return "missing", key

    def get(self, key, default=None):
        return "got", key


LARGE = {f"key{n}": n for n in range(50_000)}
COLLIDING = {n << 20: n for n in range(200)}
DICTS = [{}, {"a": 1, "b": 2.5, "key7": None}, {1: 1, 2: 2.5, "a": 3}, {-1: "x", -2: "y", 0: "z"}, {True: 1, 0.0: 2, (1, 2): 3}, {2**61 - 1: 1, 2**61: 2, 2**70: 3},
         {2**62: 1, -2**63: 2, 2**63 - 1: 3}, COLLIDING, {"é": 1, "\U0001f600": 2, "": 3}, SubDict(a=1), {SubStr("a"): 1, SubInt(7): 2}, None, [1, 2], "abc"]
KEYS = ["a", "b", "key7", "key49999", "", "é", "\U0001f600", 0, 1, 2, 7, -1, -2, 5 << 20, 2**61 - 1, -2**61, 2**61 - 2, 2**62, 2**63 - 1, -2**63, 2**63, 2**70, True,
        False, 0.0, None, (1, 2), SubStr("a"), SubInt(1), "".join(["ke", "y7"]), [1]]


@pytest.mark.parametrize("keys", [["a"] * 4, [1] * 4, ["b", 1, None, "a"]])
def test_looking_up(keys):
    def f(d, key):
        found = key in d
        missing = key not in d
        return found, missing, d.get(key), d.get(key, 7), d.get(key, 2**70), d[key]
    warm = [({"a": 1, 1: 2.5, "b": 3, None: 4}, key) for key in keys]
    check(f, *warm, *((d, key) for d in DICTS for key in KEYS), repeat=1)


def test_looking_up_in_a_large_table():
    def f(key):
        d = LARGE
        return key in d, d.get(key), d[key]
    check(f, ("a",), ("key0",), ("key49999",), ("key70000",), (5,), ("".join(["key", "123"]),))


@pytest.mark.parametrize("value", [1, 2**40, 1.5, None, "s", True, [1]])
def test_storing(value):
    def f(d, key, value):
        d[key] = value
        d[key] += value
        d["new"] = value
        d[12345] = value
        return d
    check(f, *((d, key, value) for d in DICTS for key in KEYS), repeat=1)


def test_keys_with_comparisons_of_their_own():
    def f(d, key, n):
        for i in range(n):
            d[key] = d.get(key, 0) + 1
            if key in d:
                n += d[key]
        return n
    for make in (Equal, Raising):
        check(f, *(({make(key): 5, "other": 1, 3: 2}, key, 3) for key in ("a", 1, 2**40)), repeat=4, make=lambda arguments: (dict(arguments[0]), *arguments[1:]))


def test_comparisons_that_change_the_dictionary():
    def f(d, key):
        before = d.get("sane", 0)
        found = key in d
        d[key] = 7
        return before, found, d[key], len(d)

    def make(arguments):
        d = {"sane": 1}
        d[Equal("a", action=lambda: d.pop("sane", None))] = 2
        return d, "a"
    check(f, (None,), (None,), repeat=10, make=make)


class Node:
    """Looks at a dictionary, and may change it, when it dies."""

    def __init__(self, d, seen, change):
        self.d, self.seen, self.change = d, seen, change

    def __del__(self):
        self.seen.append(sorted(map(str, self.d.items())))
        self.change(self.d)


@pytest.mark.parametrize("change", [lambda d: None, lambda d: d.clear(), lambda d: d.update(a=9), lambda d: d.update({str(n): n for n in range(40)})])
def test_finalisers_of_replaced_values(change):
    def f(d, n):
        x = d["b"]
        d["a"] = n
        d["b"] = [n]
        return x, len(d)
    (plain,), (fast,) = copies(f)

    def run(f):
        seen, d = [], {}
        d["b"] = "text of b"
        d["a"] = Node(d, seen, change)
        result = f(d, 2**40)
        return result, sorted(map(str, d.items())), seen
    for _ in range(12):
        assert run(fast) == run(plain)


def test_counts_of_references():
    def f(d, key, value, n):
        for i in range(n):
            d[key] = value
            d[i] = value
            d[key] = d[i]
        a = d.get(key)
        b = d.get("absent")
        c = key in d, i in d
        return a is value, b

    def run(f):
        key, value = "".join(["some", "key"]), object()
        d = {}
        before = sys.getrefcount(key), sys.getrefcount(value), sys.getrefcount(d)
        f(d, key, value, 4)
        held = sys.getrefcount(key), sys.getrefcount(value), sys.getrefcount(d)
        d.clear()
        return [b - a for a, b in zip(before, held)], sys.getrefcount(key) - before[0], sys.getrefcount(value) - before[1]
    (plain,), (fast,) = copies(f)
    for _ in range(30):
        assert run(fast) == run(plain)


def test_what_is_stored_is_known_to_the_collector():
    def f(d, key, value):
        d[key] = value
        return d
    (plain,), (fast,) = copies(f)
    for value in (1, "s", [1], (1,), None, object()):
        for key in ("a", "b", 7):
            for _ in range(4):
                made = [gc.is_tracked(g({"a": 1, "b": 2}, key, value)) for g in (plain, fast)]
                assert made[0] == made[1]


def test_a_namespace_that_compiled_code_relies_on():
    """Stores by machine code give the dictionary a new version, and tell its watchers."""
    scope = {"limit": 1}
    exec("def reads():\n    return limit\ndef writes(namespace, name, value):\n    namespace[name] = value", scope)
    reads, writes = jit.jit(scope["reads"]), jit.jit(scope["writes"])
    for number in range(200):
        writes({"limit": 0}, "limit", number)
        writes(scope, "limit", number)
        assert reads() == number
        writes(scope, "other", str(number))
        assert reads() == number


def test_attributes_through_a_dictionary():
    class C:
        def method(self):
            return "class"

    def writes(d, name, value):
        d[name] = value
        return d[name], name in d

    def reads(c):
        return c.x, c.method
    (plain, plain_reads), (fast, fast_reads) = copies(writes, reads)
    for f, g in ((plain, plain_reads), (fast, fast_reads)):
        results = []
        for number in range(100):
            c = C()
            c.x = 0
            results.append(f(c.__dict__, "x", number))
            results.append(f(c.__dict__, "y", number))
            results.append(g(c)[0])
            results.append(f(c.__dict__, "method", number))
            results.append(g(c)[1])
        assert results == [found for number in range(100) for found in ((number, True), (number, True), number, (number, True), number)]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="no watchers")
def test_watchers_hear_of_stores():
    testcapi = pytest.importorskip("_testcapi")

    def writes(d, value):
        d["x"] = value
        d["y"] = value
        d[5] = value
    (plain,), (fast,) = copies(writes)
    number = testcapi.add_dict_watcher(0)
    try:
        for _ in range(5):
            heard = []
            for f in (plain, fast):
                d = {"x": 0}
                f(d, 1)
                testcapi.watch_dict(number, d)
                f(d, 2)
                f(d, 3)
                heard.append(list(testcapi.get_dict_watcher_events()))
                testcapi.unwatch_dict(number, d)
                del testcapi.get_dict_watcher_events()[:]
            assert heard[0] == heard[1] and heard[0]
    finally:
        testcapi.clear_dict_watcher(number)


def test_types_change_after_warming_up():
    def f(d, key, value):
        d[key] = value
        return d.get(key, 0), key in d, d[key]
    check(f, *(({"a": 1}, "a", 1),) * 5, ({1: 1}, 1, 1), (SubDict(a=1), "a", 2), ([1, 2, 3], 1, 5), ({"a": 1}, 1.5, None), (None, 1, 2), ({}, [], 1), repeat=4)
