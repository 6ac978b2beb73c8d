"""The oracles see what they should, and call nothing of what they look at."""

import array

import pytest

from fuzz.observe import Describer, first_difference, outcome


def described(value):
    return Describer()(value)


@pytest.mark.parametrize("one, two", [
    (0.0, -0.0), (1, True), (1, 1.0), (0, None), ("a", b"a"), ([1], (1,)), (2**200, 2**200 + 1), (b"a", bytearray(b"a")), ({1: 2}, {1: 2.0}),
    ({1, 2}, frozenset({1, 2})), (range(3), range(4)), (array.array("i", [1]), array.array("q", [1])), ([[], []], [[[]]]),
    ({1: 1, 2: 2}, {2: 2, 1: 1}),
])
def test_different_values_are_described_differently(one, two):
    assert described(one) != described(two)


@pytest.mark.parametrize("make", [
    lambda: float("nan"), lambda: [1, [2.5, "x"], {"k": (None, ...)}], lambda: {3, 1, 2}, lambda: ValueError("x", 1), lambda: len,
    lambda: array.array("d", [0.5]), lambda: slice(1, None, 2), lambda: memoryview(b"ab"),
])
def test_equal_values_are_described_equally(make):
    assert described(make()) == described(make())


def test_identity_and_aliasing_are_part_of_it():
    shared = [1]
    assert described([shared, shared]) != described([[1], [1]])
    loop = []
    loop.append(loop)
    assert described(loop) == ("list", 0, [("same", 0)])


def test_frames_of_our_own_are_not_shown():
    """Those in the traceback of an exception that a frame's variable holds."""
    def raising():
        held = TypeError(1)
        raise held

    found = outcome(raising, [], {})
    assert "raising" in repr(found) and "held" in repr(found) and "outcome" not in repr(found)


def test_addresses_in_texts_are_not():
    """Messages contain them: `[].index(instance)`."""
    class Nameless:
        pass

    first, second = Nameless(), Nameless()
    assert repr(first) != repr(second) and described(repr(first)) == described(repr(second)) != described(repr(Nameless))
    assert described("at 0x1") != described("at 0x2")


def test_names_in_an_instances_dictionary_may_be_anything():
    class Holder:
        pass

    def make(name):
        made = Holder()
        made.__dict__[name] = 1
        return made

    assert described(make(float("nan"))) == described(make(float("nan"))) != described(make(float("inf")))


class Hostile(int):
    """Every way of looking at it from inside fails."""

    def fail(self, *_):
        raise AssertionError("called")

    __repr__ = __str__ = __eq__ = __hash__ = __bool__ = __index__ = __int__ = __getattribute__ = __len__ = fail


def test_nothing_of_a_hostile_object_is_called():
    one, two = Hostile(3), Hostile(4)
    assert described(one)[0] == "Hostile"
    assert described([one]) == described([Hostile(3)]) != described([two])


class Slotted:
    __slots__ = ("a", "b")


def test_attributes():
    one, two = Slotted(), Slotted()
    one.a = 1
    assert described(one) != described(two)
    two.a = 1
    assert described(one) == described(two)


def raises(x):
    y = x + 1
    try:
        raise KeyError(y)
    except KeyError as error:
        raise ValueError(x) from error


def test_exceptions_with_all_that_belongs_to_them():
    found = outcome(raises, (1,), {"G": 2, "__hidden__": 3})
    kind, arguments, lines, places, cause, context, suppressed = found["exception"]
    assert (kind, arguments, suppressed) == ("ValueError", [("int", 1)], True)
    assert [name for name, _ in lines] == ["raises"] and ("y", ("int", 2)) in places[0]
    assert cause[0] == context[0] == "KeyError"
    assert found["globals"] == [("G", ("int", 2))]


def test_arguments_are_looked_at_afterwards():
    one = outcome(list.append, ([], 1), {})
    two = outcome(list.append, ([], 2), {})
    assert first_difference(one, two)[0] == "arguments"


def test_a_released_view_is_described_as_such():
    view = memoryview(b"ab")
    before = described(view)
    view.release()
    assert described(view) == described(view) != before


def test_references_of_arguments_are_counted():
    kept = []

    def keep(item):
        kept.append(item)

    def fail(item):
        raise ValueError

    def ask(item):
        return item.missing

    assert first_difference(outcome(keep, ([1],), {}), outcome(lambda item: None, ([1],), {}))[0] == "references"
    assert first_difference(outcome(keep, (1,), {}), outcome(lambda item: None, (1,), {})) is None
    assert outcome(fail, ([],), {})["references"] == outcome(len, ([],), {})["references"]
    assert "references" not in outcome(ask, ([],), {}) and "references" not in outcome(len, ([],), {}, frames=False)


def test_differences_are_named_without_values():
    assert first_difference(outcome(abs, (-3,), {}), outcome(abs, (-4,), {}))[0] == "result: int"
    assert first_difference(outcome(abs, (1,), {}), outcome(abs, (1.0,), {}))[0] == "result: int became float"
    assert first_difference(outcome(abs, (1,), {}), outcome(abs, ("",), {}))[0] == "a result became TypeError"
    assert first_difference(outcome(int, ("x",), {}), outcome(int, ("y",), {}))[0] == "exception: arguments of ValueError"
    assert first_difference(outcome(abs, (2,), {}), outcome(abs, (2,), {})) is None


def test_what_is_printed():
    prints = lambda: print(object())  # noqa: E731  at another address each time
    assert first_difference(outcome(prints, (), {}), outcome(prints, (), {})) is None
    assert outcome(print, (1, 2.5), {})["stdout"] == "1 2.5\n"
    assert first_difference(outcome(print, (1,), {}), outcome(lambda x: None, (1,), {}))[0] == "stdout"


def test_what_found_the_recursion_limit_is_no_difference():
    def fail(text):
        raise RecursionError(text)

    texts = ("maximum recursion depth exceeded in comparison", "maximum recursion depth exceeded while calling a Python object")
    one, two = (outcome(fail, (text,), {}) for text in texts)
    assert one["exception"][1] == two["exception"][1]
    assert outcome(fail, ("another",), {})["exception"][1] != one["exception"][1]
