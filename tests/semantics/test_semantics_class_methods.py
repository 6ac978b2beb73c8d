"""Class methods called through instances; ``getattr`` with a name that is known; ``isinstance`` and ``issubclass`` of several classes."""

import sys

from compare import assert_stays_compiled, check, child, copies


class Base:
    made = 0
    slot = "class"

    def __init__(self):
        self.value, self.other = 1, None

    @classmethod
    def name(cls, *more):
        return cls.__name__, more

    @classmethod
    def count(cls, number):
        return cls.made + number

    @property
    def computed(self):
        return self.value * 2


class Child(Base):
    made = 100

    @classmethod
    def name(cls):
        return "child", super().name(1)


class Shadowed(Base):
    def __init__(self):
        super().__init__()
        self.name = lambda *more: ("own", more)


class Slotted:
    __slots__ = ("value", "other")

    @classmethod
    def name(cls):
        return cls

    def count(self, number):
        return number


class Asked(Base):
    def __getattr__(self, name):
        return "asked", name


class Watched(Base):
    def __getattribute__(self, name):
        return object.__getattribute__(self, name) if name != "value" else "watched"


class Wrapped:
    name = classmethod(len)
    count = classmethod(lambda cls, number: (cls, number))
    value = other = 0


class Meta(type):
    def __instancecheck__(cls, item):
        return item == 1

    def __subclasscheck__(cls, item):
        return item is int


class Odd(metaclass=Meta):
    pass


class Liar:
    __class__ = Child


def instances():
    empty = Base()
    del empty.value
    filled = Base()
    filled.absent = 3
    return [Base(), Child(), Shadowed(), Slotted(), Asked(), Watched(), Wrapped(), empty, filled, 5, None, "text", Base, Child, Liar()]


def called(item, number):
    return item.name()


def counted(item, number):
    return item.count(number), item.count(number=number)


def bound(item, number):
    method = item.count
    return method(number), getattr(item, "name")()


def asked(item, number):
    return getattr(item, "value"), getattr(item, "computed", 5), getattr(item, "absent", None), getattr(item, "other", number)


def wrong(item, number):
    return getattr(item, number, "default")


def too_many(item, number):
    return getattr(item, "value", 1, 2)


def kinds(item, number):
    return (isinstance(item, (int, str)), isinstance(item, (Base, Slotted)), isinstance(item, (Base, type(None), int)), isinstance(item, (int, (str, Base))), isinstance(item, (Odd, int)),
            issubclass(type(item), (Base, int)), issubclass(type(item), (Odd, str)), isinstance(item, ()), isinstance(item, (int, 5)) if number == 1 else 0)


def subclasses(item, number):
    return issubclass(item, (Base, int)), issubclass(item, Base)


def test_all():
    for function in (called, counted, bound, asked, wrong, too_many, kinds, subclasses):
        for index in range(len(instances())):
            check(function, *((index, number) for number in (1, True, 2**70, None)), make=lambda calls: (instances()[calls[0]], calls[1]))
        check(function, *((index, number) for number in (1, "value") for index in range(len(instances()))), make=lambda calls: (instances()[calls[0]], calls[1]), repeat=2)


def test_loops():
    def f(items, number):
        found = []
        for item in items:
            for _ in range(3):
                found += item.name(), getattr(item, "value", None), isinstance(item, (Child, Slotted))
        return found

    for start in range(0, 8):
        check(f, (start,), (0,), make=lambda calls: (instances()[calls[0]:calls[0] + 3], 1), repeat=4)


def test_classes_that_change():
    def f(item):
        return item.name(), getattr(item, "value", "none"), isinstance(item, (First, Second))  # noqa: F821

    def steps(space, function):
        item = space["First"]()
        yield [function(item) for _ in range(20)]
        item.value = 5
        yield [function(item) for _ in range(3)]
        space["First"].name = classmethod(lambda cls: ("new", cls.__name__))
        yield [function(item) for _ in range(3)]
        item.name = lambda: "its own"
        yield [function(item) for _ in range(3)]
        space["First"].name = lambda self: "method"
        del item.name
        yield [function(item) for _ in range(3)]
        space["First"].value = property(lambda self: "property")
        yield [function(item) for _ in range(3)]
        space["First"] = space["Second"]
        yield [function(item) for _ in range(3)]
        space["isinstance"] = lambda item, kinds: len(kinds)
        yield [function(item) for _ in range(3)]
        item.__class__ = space["Second"]
        yield [function(item) for _ in range(3)]

    found = []
    for side in range(2):
        first = type("First", (), {"name": classmethod(lambda cls: cls.__name__)})
        second = type("Second", (), {"name": classmethod(lambda cls: cls.__name__)})
        function = copies(f, namespace={"First": first, "Second": second})[side][0]
        found.append(list(steps(function.__globals__, function)))
    assert found[0] == found[1]


def test_references():
    def f(item, other):
        item.other = other
        return item.name(), getattr(item, "other") is other, isinstance(item, (Base, Slotted))

    _, (compiled,) = copies(f)
    for make in (Base, Child, Slotted):
        item, other, before = make(), object(), None
        for number in range(160):
            compiled(item, other)
            if number == 80:
                before = sys.getrefcount(item), sys.getrefcount(other)
        assert before == (sys.getrefcount(item), sys.getrefcount(other))


def test_the_class_lives_until_its_method_has_ended():
    """The last reference to a class may be that of the instance whose class method is called."""
    text = """
import gc, sys, weakref
import jit
def make():
    class Own:
        @classmethod
        def drop(cls, items):
            items.clear()
            gc.collect()
            return cls.__name__, watched[-1]() is cls
    watched.append(weakref.ref(Own))
    return Own
@jit.jit
def f(items):
    return items[0].drop(items)
watched = []
for _ in range(30):
    items = [make()()]
    assert f(items) == ("Own", True)
gc.collect()
for _ in range(3):
    items = [make()()] * 2
    assert f(items) == ("Own", True)
"""
    child(text, environment={"JIT_EAGER": "1"})


def test_they_stay_compiled():
    def f(items):
        found = 0
        for item in items:
            found += item.count(1) + getattr(item, "value", 0) + isinstance(item, (Child, int))
        return found

    (plain,), (compiled,) = copies(f)
    items = [Base(), Child(), Base()] * 5
    for _ in range(30):
        compiled(items)
    assert_stays_compiled(compiled, lambda: [compiled(items) for _ in range(30)])
