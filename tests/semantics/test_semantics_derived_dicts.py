"""Subscripts of defaultdict, Counter, OrderedDict and of Python classes derived from dict."""

import collections
import sys
from collections import Counter, OrderedDict, defaultdict

from compare import assert_stays_compiled, check, copies


class Plain(dict):
    pass


class Missing(dict):
    def __missing__(self, key):
        self[key] = len(self)
        return key


class Raises(dict):
    def __missing__(self, key):
        raise ValueError(key)


class Gets(dict):
    def __getitem__(self, key):
        return "got"


class Sets(dict):
    def __setitem__(self, key, value):
        dict.__setitem__(self, str(key), [value])


class Text(str):
    def __eq__(self, other):
        raise KeyError("odd")

    __hash__ = str.__hash__


class Key:
    pass


KEY = Key()
KINDS = [lambda: defaultdict(int), lambda: defaultdict(list), lambda: defaultdict(None, {"a": 1}), lambda: defaultdict(lambda: 1 / 0), Counter, OrderedDict, Plain, Missing, Raises, Gets, Sets, dict,
         lambda: defaultdict(int, {Text("a"): 5}), lambda: Counter({KEY: 1, "a": 2, 1: 3, 2.5: 4})]
KEYS = [0, 1, -1, True, 2**31, 2**62, 2**63, 1.5, 1.0, float("nan"), None, "", "a", "ab", Text("ab"), (1, 2), [], KEY, Key, b"a"]


def same(calls):
    return calls


def load(items, key):
    return items[key], len(items), list(items)


def store(items, key):
    items[key] = key
    return list(items.items())


def count(items, key):
    items[key] += 1
    return list(items.items())


def test_each():
    for make in KINDS:
        for function in (load, store, count):
            check(function, *((key,) for key in KEYS), make=lambda calls: (make(), *calls))


def test_all_in_turn():
    for function in (load, store, count):
        check(function, *((number, key) for number in range(len(KINDS)) for key in KEYS), make=lambda calls: (KINDS[calls[0]](), *calls[1:]), repeat=2)


def test_loops():
    def f(items, keys):
        found = []
        for key in keys:
            items[key] += 1
            found.append(items[key])
        return found, list(items.items())

    for make in (lambda: defaultdict(int), Counter, lambda: Missing({"a": 1})):
        for keys in (["a", "b", "a"] * 5, [number % 5 for number in range(40)], [KEY, Key] * 6, ["a", 1, KEY, 2**70, None, 1.5] * 3, [Text("a"), "a"]):
            check(f, (keys,), make=lambda calls: (make(), *calls), repeat=4)


def test_classes_that_change():
    def f(items, keys):
        found = []
        for key in keys:
            found.append(items[key])
            items[key] = key
        return found, list(items.items())

    def steps(function):
        class Own(dict):
            def __missing__(self, key):
                return "missing", key
        for number in range(4):
            yield function(Own(a=1), ["a", "b", "c"])
        Own.__missing__ = lambda self, key: "new"
        yield function(Own(a=1), ["a", "b", "c"])
        Own.__setitem__ = lambda self, key, value: None
        yield function(Own(a=1), ["a", "b", "c"])
        Own.__getitem__ = lambda self, key: "own"
        yield function(Own(a=1), ["a", "b", "c"])
        del Own.__getitem__, Own.__setitem__, Own.__missing__
        yield function(Own(a=1), ["a", "a"])
        try:
            yield function(Own(a=1), ["a", "b"])
        except KeyError as error:
            yield str(error)

    (plain,), (compiled,) = copies(f)
    assert list(steps(plain)) == list(steps(compiled)) == list(steps(compiled))


def test_references():
    def f(items, key, value):
        items[key] = value
        items[key] = items[key]
        items["absent"]
        del items["absent"]
        return items[key] is value

    _, (compiled,) = copies(f)
    for items in (defaultdict(list), Missing(), Counter()):
        for key in ("a", 5, KEY):
            value, before = object(), None
            items["absent"] = 0
            for number in range(60):
                assert compiled(items, key, value)
                if number == 20:
                    before = sys.getrefcount(value), sys.getrefcount(items), sys.getrefcount(KEY)
            assert before == (sys.getrefcount(value), sys.getrefcount(items), sys.getrefcount(KEY))


def test_deaths():
    def f(items, log, make):
        items["a"] = make(log)
        log.append("stored")
        items["a"] = 1
        log.append("replaced")
        return log

    class Loud:
        def __init__(self, log):
            self.log = log

        def __del__(self):
            frame = sys._getframe(1)
            self.log.append((frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno))

    (plain,), (compiled,) = copies(f)
    for make in (lambda: defaultdict(int), Counter, collections.OrderedDict, Plain):
        assert [compiled(make(), [], Loud) for _ in range(5)] == 5 * [plain(make(), [], Loud)]


def test_they_stay_compiled():
    def f(count):
        numbers, words = defaultdict(int), Counter()
        for number in range(count):
            numbers[number % 7] += 1
            words["ab"[number % 2]] += number
        return dict(numbers), dict(words)

    (plain,), (compiled,) = copies(f)
    for _ in range(30):
        assert compiled(50) == plain(50)
    assert_stays_compiled(compiled, lambda: compiled(500))
