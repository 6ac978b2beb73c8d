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
