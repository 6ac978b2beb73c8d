"""Classes that are passed as arguments: what class methods do with ``cls``, and instances with ``self.__class__``."""

import gc
import weakref

import jit
import pytest
from compare import copies


class Meta(type):
    @property
    def shown(cls):
        return "shown by the metaclass"

    def of_meta(cls):
        return cls.level


def make_family():
    """Classes of its own for each side of a comparison, for they are changed."""
    class Base:
        level = 1

        def __init__(self, n=0):
            self.n = n

        @classmethod
        def larger(cls, a, b):
            return a.n > b.n

        @classmethod
        def largest(cls, a, b):
            if cls.larger(a, b):
                return a
            return b

        @classmethod
        def make(cls, n):
            made = cls(n)
            made.level_seen = cls.level
            return made

        @staticmethod
        def twice(n):
            return n * 2

        @classmethod
        def through(cls, n):
            return cls.twice(n) + cls.level

        def own_level(self):
            return self.__class__.level

        def another(self):
            return self.__class__(self.n + 1)

    class Derived(Base):
        level = 2

        @classmethod
        def larger(cls, a, b):
            return a.n < b.n

    class Strange(Base):
        level = 3

        @property
        def __class__(self):
            return Derived

    class WithMeta(Base, metaclass=Meta):
        level = 4

        @classmethod
        def make(cls, n):
            made = super().make(n)
            made.shown = cls.shown, cls.of_meta()
            return made

    return Base, Derived, Strange, WithMeta


def use(cls, n):
    out = []
    for i in range(3):
        a, b = cls(i), cls(n)
        made = cls.make(i)
        chosen = cls.largest(a, b)
        out.append((chosen is a, made.n, made.level_seen, type(made) is cls, cls.through(i), a.own_level(), type(b.another()) is cls,
                    getattr(made, "shown", None)))
    return out


def read(cls):
    return cls.level, cls.__name__, cls.absent


def sides():
    return [(function, make_family()) for (function,) in copies(use)]


def same(pairs, which, n):
    results = [function(family[which], n) for function, family in pairs]
    assert results[0] == results[1]
    return results[0]


def compile_methods(family):
    for kind in family:
        for item in vars(kind).values():
            function = getattr(item, "__func__", item)
            if type(function) is type(compile_methods):
                jit.jit(function)


@pytest.mark.parametrize("order", [(0,), (0, 1), (1, 0, 2, 3), (3, 2, 1, 0, 3)])
def test_families(order):
    pairs = sides()
    compile_methods(pairs[1][1])
    for _ in range(40):
        for which in order:
            for n in (-1, 1, 2.5):
                same(pairs, which, n)


def change_level(family):
    family[0].level = 10


def change_method(family):
    family[0].larger = classmethod(lambda cls, a, b: True)


def change_to_instance_method(family):
    family[0].twice = staticmethod(lambda n: n * 3)


def change_initialiser(family):
    def __init__(self, n):
        self.n = -n
    family[0].__init__ = __init__


def add_new(family):
    family[0].__new__ = lambda kind, *rest: object.__new__(family[1])


@pytest.mark.parametrize("change", [change_level, change_method, change_to_instance_method, change_initialiser, add_new],
                         ids=lambda change: change.__name__)
def test_changes(change):
    pairs = sides()
    compile_methods(pairs[1][1])
    for round in range(3):
        for _ in range(40):
            for which in (0, 1):
                same(pairs, which, 1)
        if round == 0:
            for _, family in pairs:
                change(family)


def test_instances_whose_class_is_changed():
    pairs = sides()
    compile_methods(pairs[1][1])
    found = []
    for function, family in pairs:
        thing = family[0](1)
        seen = []
        for round in range(120):
            if round % 30 == 10:
                thing.__class__ = family[1]
            if round % 30 == 20:
                thing.__class__ = family[0]
            seen.append((thing.own_level(), type(thing.another()).__name__))
        found.append(seen)
    assert found[0] == found[1] and len(set(found[0])) == 2


@pytest.mark.parametrize("value", [int, 5, None, "text", object(), type, Meta("Made", (), {"level": 7}), type("Odd", (), {"absent": 1, "level": 2})],
                         ids=lambda value: type(value).__name__)
def test_something_else_in_its_place(both, value):
    for _ in range(3):
        both(read, make_family()[0])
        both(read, value)


def test_many_classes():
    """Every call has a class of its own."""
    (plain,), (fast,) = copies(use)
    for n in range(150):
        family = make_family()
        assert plain(family[n % 2], 1) == fast(family[n % 2], 1)


def test_classes_can_die():
    _, (fast,) = copies(use)
    references = []
    for _ in range(5):
        family = make_family()
        compile_methods(family)
        for _ in range(20):
            fast(family[0], 1)
        references += [weakref.ref(kind) for kind in family]
        del family
    for _ in range(3):
        gc.collect()
    assert [reference for reference in references if reference() is not None] == []
    assert fast(make_family()[0], 1)
