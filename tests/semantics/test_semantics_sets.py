"""Sets of strings and ints, with keys of other kinds among them, and what a program may do from within a comparison."""

import sys

import pytest
from compare import copies, outcome

LOG = []


class IntLike:
    """Hashes like an int, is equal to it, and tells."""

    def __init__(self, value):
        self.value = value

    def __hash__(self):
        return hash(self.value)

    def __eq__(self, other):
        LOG.append((sys._getframe(1).f_code.co_name, sys._getframe(1).f_lineno, str(other)))
        return self.value == other


class Raising(IntLike):
    __hash__ = IntLike.__hash__

    def __eq__(self, other):
        raise ZeroDivisionError("compared")


class SubInt(int):
    pass


class SubStr(str):
    def __eq__(self, other):
        LOG.append(("SubStr", sys._getframe(1).f_code.co_name))
        return False

    __hash__ = str.__hash__


class SubSet(set):
    def __contains__(self, key):
        return "contains"

    def add(self, key):
        set.add(self, (key,))


def has(items, key):
    return key in items, key not in items


def add(items, key):
    items.add(key)
    return len(items)


def discard(items, key):
    items.discard(key)
    return len(items)


def branch(items, key):
    if key in items:
        return "in"
    items.add(key)
    return "added"


def many(items, key):
    count = 0
    for i in range(300):
        if i * 7 % 64 not in items:
            items.add(i * 7 % 64)
            count += 1
        if i % 5 == 0:
            items.discard(i)
        items.add(key)
    return count


def texts(items, key):
    count = 0
    for word in ("a", "b", "cc", "é", "", "a" * 50) * 3:
        word = word + "!"
        if word in items:
            count += 1
        else:
            items.add(word)
        if len(word) == 3:
            items.discard(word)
    return count, key in items


KEYS = [0, 1, -1, -2, 5, 2**31, 2**61 - 2, 2**61 - 1, 2**61, -2**61, 2**63 - 1, -2**63, 2**63, 2**100, True, 1.0, float("nan"), "a", "", "é", SubInt(5), SubStr("a"),
        None, (1,), [], IntLike(5), Raising(5), frozenset({1}), {1}, b"a"]


def containers():
    yield from ({1, 2, 5}, set(), frozenset({1, "a"}), {"a", "é"}, {IntLike(5)}, {Raising(5), 1}, {Raising(1)}, set(range(-50, 50)), SubSet({1, 5}),
                {SubStr("a"), "b"}, {SubInt(5), 2**63, 2**100, -1, -2}, {1.0, 0}, {True}, {float(2**61), 2**61 - 1}, [1, 5], {5: 1}, "abc", None, 5, {0, 32, 64, 96, 128} | {-1})


def state(items):
    return sorted(map(repr, items)) if isinstance(items, (set, frozenset)) and not any(isinstance(item, IntLike) for item in items) else None


@pytest.mark.parametrize("function", [has, add, discard, branch, many, texts], ids=lambda function: function.__name__)
def test_keys_and_sets(function):
    for number in range(len(list(containers()))):
        (plain,), (fast,) = copies(function)
        for key in KEYS:
            for _ in range(2):
                logs = []
                for side in (plain, fast):
                    LOG.clear()
                    items = list(containers())[number]
                    result = outcome(side, (items, key))
                    logs.append((result[0], repr(result[1:])[:100], list(LOG), state(items)))
                assert logs[0] == logs[1], (number, key)


def test_all_kinds_at_one_place():
    """A version that met ints meets everything else."""
    for function in (has, add, discard, branch):
        (plain,), (fast,) = copies(function)
        for key in (1, 2, 3, *KEYS):
            for number in range(len(list(containers()))):
                results = [outcome(side, (list(containers())[number], key)) for side in (plain, fast)]
                assert repr(results[0])[:100] == repr(results[1])[:100], (function, key, number)


def test_references():
    (plain,), (fast,) = copies(branch)
    items, key = set(), "a rather long key"
    for word in [key + str(i) for i in range(20)] + list(range(1000, 1020)):
        fast(items, word)
        fast(items, word)
    assert items == {key + str(i) for i in range(20)} | set(range(1000, 1020))
    word = "one more " + key
    before = sys.getrefcount(word)
    fast(items, word)
    assert sys.getrefcount(word) == before + 1
    items.discard(word)
    assert sys.getrefcount(word) == before
    number = 10**15
    for _ in range(100):
        assert fast({number}, number) == "in"
    assert plain(items, 5) == "added" and fast(items, 5) == "in"


def test_collisions():
    """Ints whose hashes begin at the same place, so that the search goes through whole tables."""
    (plain,), (fast,) = copies(has)
    for size in (1, 5, 20, 100, 1000):
        items = {number << 20 for number in range(size)}
        for number in range(size + 20):
            assert fast(items, number << 20) == plain(items, number << 20)
        for number in range(0, size, 3):
            items.discard(number << 20)
        for number in range(size + 20):
            assert fast(items, number << 20) == plain(items, number << 20)


TABLE, NAMES, FEW = {"a": 1, 5: "five", 2**61: None}, {"a", 5}, frozenset({1, "b"})


def rebind(how):
    """Called in the midst: somebody changes what the names of the module stand for."""


def use_globals(keys, how):
    found = []
    for key in keys:
        found.append((key in TABLE, key in NAMES, key not in FEW, TABLE.get(key, "none")))
        TABLE[key] = len(found)
        NAMES.add(key)
        if len(found) == 2:
            rebind(how)
        found.append((TABLE[key] if key in TABLE else None, key in NAMES))
        NAMES.discard(key)
        if key in {1, "a", None}:
            found.append("constant")
    return found, sorted(map(repr, TABLE.items())), sorted(map(repr, NAMES))


@pytest.mark.parametrize("how", ["not", "rebound", "other types", "cleared", "deleted"])
def test_containers_that_are_globals(how):
    def change(space):
        if how == "rebound":
            space["TABLE"], space["NAMES"], space["FEW"] = {"new": 1}, {"new"}, frozenset()
        if how == "other types":
            space["TABLE"], space["NAMES"], space["FEW"] = SubDict(b=2), SubSet({1}), (1, 2)
        if how == "cleared":
            space["TABLE"].clear(), space["NAMES"].clear()
        if how == "deleted":
            space.pop("FEW", None)

    sides = copies(use_globals)
    results = []
    for (function,) in sides:
        space, seen = function.__globals__, []
        for keys in (["a", "b", "c"], [5, 6, 7], ["a", 5, 2**61, 1], [1.5, None, (1,)], ["x", IntLike(5), 3]) * 3:
            space.update(TABLE={"a": 1, 5: "five", 2**61: None}, NAMES={"a", 5}, FEW=frozenset({1, "b"}), rebind=lambda _: change(space))
            seen.append(repr(outcome(function, (keys, how))).replace("object at 0x", "")[:400].split(" IntLike")[0])
        results.append(seen)
    assert results[0] == results[1]


class SubDict(dict):
    def __missing__(self, key):
        return "missing"
