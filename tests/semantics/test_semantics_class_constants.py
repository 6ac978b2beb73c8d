"""Attributes of classes with metaclasses (members of enumerations, for one), and sizes of sets and dicts."""

import enum

import jit
import pytest
from compare import copies


class Kind(enum.Enum):
    BIG = 1
    SMALL = 2


class Flags(enum.IntFlag):
    A = 1
    B = 2


class Meta(type):
    @property
    def shown(cls):
        return cls.__name__

    def __getattr__(cls, name):
        return f"no {name}"


class Base(metaclass=Meta):
    level = 3


class Strange(type):
    def __getattribute__(cls, name):
        return "strange" if name == "level" else super().__getattribute__(name)


class Odd(metaclass=Strange):
    level = 4


def which(kind):
    return kind == Kind.BIG, kind is Kind.SMALL, Kind.BIG.name, Flags.A | Flags.B, Kind.BIG != kind


def attributes():
    return Base.level, Base.shown, Base.absent, Odd.level, Kind.SMALL.value


def sizes(items, times):
    total = 0
    for number in range(times):
        total += len(items)
        if items:
            total += 1
    return total


@pytest.mark.parametrize("kind", [Kind.BIG, Kind.SMALL, 1, None, "BIG", Flags.A])
def test_members(kind):
    (plain,), (fast,) = copies(which)
    for _ in range(40):
        assert plain(kind) == fast(kind)


def test_metaclasses():
    (plain,), (fast,) = copies(attributes)
    for _ in range(5):
        assert plain() == fast()
    Base.level = 5
    assert plain() == fast() and fast()[0] == 5
    Meta.level = property(lambda cls: "of the metaclass")
    assert plain() == fast() and fast()[0] == "of the metaclass"
    del Meta.level
    Base.level = 3
    assert plain() == fast()


@pytest.mark.parametrize("items", [set(), {1, 2}, frozenset("abc"), {}, {1: 2}, [], [1], (), "ab", b"", range(4), None, 7])
def test_sizes(items):
    (plain,), (fast,) = copies(sizes)
    for _ in range(3):
        results = []
        for function in (plain, fast):
            try:
                results.append(function(items, 5))
            except TypeError as problem:
                results.append(str(problem))
        assert results[0] == results[1]


def test_sizes_that_change():
    def grow(items, table, times):
        sizes = []
        for number in range(times):
            items.add(number % 7)
            table[number % 5] = number
            sizes.append((len(items), len(table)))
        return sizes, len(items), len(table)

    (plain,), (fast,) = copies(grow)
    for _ in range(3):
        assert plain(set(), {}, 20) == fast(set(), {}, 20)


def test_objects_of_unknown_types():
    class Sized:
        def __len__(self):
            return 9

    @jit.jit
    def size(box):
        return len(box[0])

    for _ in range(40):
        for item in ([1, 2], {1}, {}, "abc", Sized(), (1,), frozenset((1, 2))):
            assert size([item]) == len(item)
    with pytest.raises(TypeError):
        size([1])
