"""Instances of subclasses of list: what they inherit is as fast as a list's, what they override is called."""

import types

import pytest

import jit


class Plain(list):
    pass


class Slotted(list):
    __slots__ = ("name",)


class Length(list):
    def __len__(self):
        return 7


class Iterating(list):
    def __iter__(self):
        return iter("ab")


class Appending(list):
    def append(self, item):
        list.append(self, (item,))


class Popping(list):
    def pop(self, *where):
        return "popped", list.pop(self, *where)


CLASSES = (Plain, Slotted, Length, Iterating, Appending, Popping, list)


def work(todo, x):
    todo.append(x)
    todo.append(len(todo))
    count = len(todo)
    out = []
    for item in todo:
        out.append(item)
        if len(out) < 3:
            todo.append(item)
    return count, out, todo.pop(0), todo.pop(), len(todo)


def take(items):
    return items.pop()


def compiled(function):
    return jit.jit(types.FunctionType(function.__code__, globals()))


def both(function, make, *arguments):
    """Outcomes of a plain and a compiled call, with what became of the list."""
    found = []
    for called in (globals()[function.__name__], function):
        given = make()
        try:
            result = called(given, *arguments)
        except Exception as problem:
            result = type(problem), str(problem)
        found.append((result, list.copy(given) if isinstance(given, list) else None))
    return found


@pytest.mark.parametrize("classes", [(kind,) for kind in CLASSES] + [CLASSES, CLASSES[:2], (Plain, Iterating)],
                         ids=lambda kinds: "-".join(kind.__name__ for kind in kinds))
def test_methods_and_loops(classes):
    function = compiled(work)
    for number in range(120):
        for kind in classes:
            plain, fast = both(function, lambda: kind([1, 2.5, "x"]), number)
            assert plain == fast and type(plain[0]) is type(fast[0])


@pytest.mark.parametrize("kind", CLASSES)
def test_the_end_of_a_list(kind):
    function = compiled(take)
    for number in range(100):
        plain, fast = both(function, lambda: kind([1] if number % 10 else []))
        assert plain == fast


# No class among them: CPython 3.13.0's own specialised `append` crashes when it is given one (gh-132011).
@pytest.mark.parametrize("other", [3, None, "text", {}, (1, 2)], ids=repr)
def test_something_else_comes(other):
    function = compiled(work)
    for _ in range(60):
        plain, fast = both(function, lambda: Plain([1]), 2)
        assert plain == fast
    plain, fast = both(function, lambda: other, 1)
    assert plain == fast


def test_a_class_that_changes():
    class Changing(list):
        pass

    function = compiled(work)
    for number in range(200):
        if number == 100:
            Changing.__len__ = lambda self: 99
        if number == 150:
            Changing.__iter__ = lambda self: iter([5])
        plain, fast = both(function, lambda: Changing([1, 2]), number)
        assert plain == fast


class WithInit(list):
    def __init__(self):
        list.__init__(self, "ab")


class WithNew(list):
    def __new__(cls):
        made = list.__new__(cls)
        made.extra = 1
        return made


class Indexing(list):
    def __getitem__(self, index):
        return "item", list.__getitem__(self, index)


class Names(dict):
    pass


class Missing(dict):
    def __missing__(self, key):
        return "missing", key


class Things(set):
    pass


def make_and_use(kind):
    made = kind()
    if isinstance(made, dict):
        made["a"] = 1
        return type(made).__name__, list(made.items()), made["a"]
    if isinstance(made, set):
        made.add(1)
        return type(made).__name__, list(made)
    made.append(7)
    made.append(8.5)
    return type(made).__name__, made[0], made[-1], made[1], len(made), list(made), vars(made) if hasattr(made, "__dict__") else None


def make_plain():
    made = Plain()
    made.append(1)
    return made, made[0]


def index(items, where):
    return items[where]


@pytest.mark.parametrize("kind", [*CLASSES, WithInit, WithNew, Indexing, Names, Missing, Things], ids=lambda kind: kind.__name__)
def test_made_without_arguments(kind):
    fast = compiled(make_and_use)
    for _ in range(30):
        assert fast(kind) == make_and_use(kind)


def test_classes_that_change_how_they_are_made():
    class Changing(list):
        pass

    def make():
        made = Changing()
        made.append(1)
        return made, len(made)

    from compare import copies
    (plain,), (fast,) = copies(make, namespace={"Changing": Changing})
    changes = {"__init__": lambda self: list.__init__(self, "xy"), "__new__": lambda kind: list.__new__(Plain), "append": lambda self, item: None}
    for _ in range(20):
        assert plain() == fast()
    for name, change in changes.items():
        setattr(Changing, name, change)
        for _ in range(20):
            assert plain() == fast() and [type(item) for item in plain()] == [type(item) for item in fast()]
        delattr(Changing, name)
        for _ in range(20):
            assert plain() == fast()


class Index:
    def __repr__(self):
        return "Index()"

    def __index__(self):
        return 1


@pytest.mark.parametrize("where", [0, 1, -1, -2, 2, -3, 1 << 70, True, None, 1.0, slice(0, 1), Index(), "a"], ids=repr)
@pytest.mark.parametrize("kind", [Plain, Slotted, Indexing, Length, list], ids=lambda kind: kind.__name__)
def test_subscripts(kind, where):
    from compare import copies, outcome
    (plain,), (fast,) = copies(index)
    items = kind([1, "b"])
    for _ in range(10):
        assert outcome(plain, (items, where)) == outcome(fast, (items, where))
        assert outcome(plain, (items, 0)) == outcome(fast, (items, 0))


def test_instances_that_are_made_live_no_longer():
    import sys
    fast = compiled(make_plain)
    for _ in range(20):
        made, _ = fast()
        assert type(made) is Plain and sys.getrefcount(made) == 2
