"""``match``: class, sequence, mapping and value patterns, over subjects of all kinds."""

import collections
import sys
import types

import pytest

from compare import assert_stays_compiled, check, copies

LOG = []


class Point:
    __match_args__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y


class Nearer(Point):
    pass


class Slotted:
    __slots__ = ("x", "y")
    __match_args__ = ("y",)

    def __init__(self, x, y):
        self.x, self.y = x, y


class Computed:
    __match_args__ = ("x",)

    @property
    def x(self):
        LOG.append("x")
        return 5

    @property
    def y(self):
        raise AttributeError("y")


class Failing:
    __match_args__ = ("x", "y")

    @property
    def x(self):
        raise ValueError("x")


class Generic:
    __match_args__ = ("x", "y")

    def __getattr__(self, name):
        LOG.append(name)
        if name == "x":
            return 1
        raise AttributeError(name)


class Empty:
    __match_args__ = ("x", "y")


class Liar:
    """Its `__class__` says something else."""

    @property
    def __class__(self):
        LOG.append("class")
        return Point


class Meta(type):
    def __instancecheck__(cls, instance):
        LOG.append("check")
        return True


class Anything(metaclass=Meta):
    pass


class BadArguments:
    __match_args__ = ["x"]
    x = 1


class OddArguments:
    __match_args__ = ("x", 5)
    x = 1


class Twice:
    __match_args__ = ("x", "x")
    x = 1


class SubInt(int):
    pass


class SubStr(str):
    pass


class SubList(list):
    pass


class SubDict(dict):
    def get(self, key, default=None):
        LOG.append(key)
        return dict.get(self, key, default)


class Mapped(collections.UserDict):
    pass


class Sequenced(collections.UserList):
    def __len__(self):
        LOG.append("len")
        return 2


class BadLength(collections.UserList):
    def __len__(self):
        raise ValueError("len")


class OddKey(str):
    def __eq__(self, other):
        raise KeyError("odd")

    __hash__ = str.__hash__


SUBJECTS = [0, 1, -1, 2, True, False, 2**31, 2**62, 2**63, -2**63, 0.0, -0.0, 1.5, float("nan"), float("inf"), None, "", "a", "ab", b"", b"ab", bytearray(b"ab"), (), (1,), (1, 2),
            (1, 2, 3), [], [1], [1, 2], [1, 2, 3], ["a", None], [[1, 2], (3, 4)], range(2), {}, {"k": 1}, {"k": 1, "j": 2}, {"j": None}, {1: 2}, {1: 2, "k": [1]}, {OddKey("k"): 1}, {1.0: "float"},
            set(), frozenset({1}), collections.deque([1, 2]), collections.OrderedDict(k=1), types.MappingProxyType({"k": 1}), SubInt(1), SubStr("ab"), SubList([1, 2]), SubDict(k=1),
            Mapped(k=1), Sequenced([1, 2]), BadLength([1]), Point(1, 2), Point(0, None), Point([1], "a"), Nearer(1, 2), Slotted(1, 2), Slotted(None, 0), Computed(), Failing(), Generic(), Empty(), Liar(),
            Anything(), BadArguments(), OddArguments(), Twice(), Point, int, len, 1j, ...]


def classes(subject):
    match subject:
        case Point(x=0, y=value):
            return "zero", value
        case Point(1, second):
            return "one", second
        case Slotted(second):
            return "slotted", second
        case Point():
            return "point"
        case Computed(x=first):
            return "computed", first
        case _:
            return None


def attributes(subject):
    match subject:
        case Computed(y=first):
            return "y", first
        case Generic(x=first, y=second):
            return first, second
        case Generic(first):
            return "generic", first
        case Failing(first, second):
            return first, second
        case Empty(x=first):
            return "empty", first
        case Nearer(x, y):
            return x, y
    return "none"


def wrong(subject):
    match subject:
        case BadArguments(first):
            return first
    match subject:
        case OddArguments(first, second):
            return first, second
    match subject:
        case Twice(first, second):
            return first, second
    match subject:
        case Liar():
            return "liar"
    match subject:
        case Point(first, second, third):
            return first, second, third


def twice(subject):
    match subject:
        case Point(1, x=1):
            return 1
    match subject:
        case SubInt(_, _):
            return 2


def builtins_(subject):
    match subject:
        case bool(x):
            return "bool", x
        case int(x):
            return "int", x
        case float(real=x):
            return "float", x
        case str(x) if x:
            return "str", x
        case bytes() | bytearray():
            return "bytes"
        case list([first, *_]):
            return "list", first
        case dict(x):
            return "dict", len(x)
        case tuple((first, second)):
            return "tuple", first, second
        case Anything():
            return "anything"


def sequences(subject):
    match subject:
        case []:
            return "empty"
        case [only]:
            return "one", only
        case [1, second]:
            return "starts with one", second
        case [first, [second, third]] | [[first, second], (third, _)]:
            return "nested", first, second, third
        case [first, *others, last]:
            return first, others, last
    return "no sequence"


def mappings(subject):
    match subject:
        case {"k": 1, "j": other}:
            return "both", other
        case {"k": [first]}:
            return "list", first
        case {"k": first, **others}:
            return first, others
        case {1: first}:
            return "number", first
        case {"missing": first, None: second, -1.5: third}:
            return first, second, third
        case {}:
            return "mapping"
    return "no mapping"


def values(subject):
    match subject:
        case None | True | False:
            return "single"
        case 1 | 2 | "a" | 1.5 | -1 | 1j:
            return "literal"
        case sys.maxsize:
            return "maxsize"
        case [1, 2] as both:
            return both
        case other:
            return "other", other


FUNCTIONS = [classes, attributes, wrong, twice, builtins_, sequences, mappings, values]


def given(calls):
    return calls


@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_alone(function):
    """A version of its own for each kind of subject."""
    for subject in SUBJECTS:
        check(function, (subject,), make=given)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_all_in_turn(function):
    check(function, *((subject,) for subject in SUBJECTS), make=given)
    check(function, *((subject,) for subject in SUBJECTS[::-1]), make=given)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_in_a_loop(function):
    """One place sees many kinds, in a loop."""
    def f(subjects):
        found = []
        for subject in subjects:
            try:
                found.append(function(subject))
            except (TypeError, ValueError, KeyError) as error:
                found.append(str(error))
        return found

    for start in range(0, len(SUBJECTS), 5):
        check(f, (SUBJECTS[start:start + 5] * 3,), ((SUBJECTS[start:start + 3] + SUBJECTS[::9]) * 2,), helpers=(function,), make=given)


def test_foreign_code_runs_as_often():
    for function in FUNCTIONS:
        (plain,), (compiled,) = copies(function)
        for _ in range(3):
            logs = []
            for side in (plain, compiled):
                LOG.clear()
                for subject in SUBJECTS:
                    try:
                        side(subject)
                    except (TypeError, ValueError, KeyError):
                        LOG.append("raised")
                logs.append(LOG[:])
            assert logs[0] == logs[1]


def test_classes_that_change():
    class Shape:
        __match_args__ = ("a",)

        def __init__(self):
            self.a, self.b = 1, 2

    class Round(Shape):
        pass

    def f(subject):
        match subject:
            case Shape(value):
                return value
        return "none"

    def steps(function):
        made = Shape(), Round()
        yield [function(item) for item in made * 3]
        Shape.__match_args__ = ("b",)
        yield [function(item) for item in made * 3]
        Round.__match_args__ = ("a",)
        yield [function(item) for item in made * 3]
        Shape.a = property(lambda self: 7)
        yield [function(item) for item in made * 3]
        Round.__bases__ = (Point,)
        yield [function(item) for item in made * 3]
        del made[1].a
        made[1].__class__ = Shape
        yield [function(item) for item in made * 3]
        Shape.__match_args__ = ("c",)
        yield [function(item) for item in made * 3]
        del Shape.__match_args__
        try:
            yield function(made[0])
        except TypeError as error:
            yield str(error)

    found = []
    for side in range(2):
        Shape.__match_args__ = ("a",)
        vars(Shape).get("a") and delattr(Shape, "a")
        if "__match_args__" in vars(Round):
            del Round.__match_args__
        Round.__bases__ = (Shape,)
        function = copies(f, namespace={"Shape": Shape})[side][0]
        found.append(list(steps(function)))
    assert found[0] == found[1]


def test_references():
    items = object(), [], Point(object(), []), Slotted(object(), 1), {"k": object(), "j": []}, [object(), []]
    watched = [*items, items[2].x, items[2].y, items[3].x, items[4]["k"], items[4]["j"], *items[5]]
    for function in (classes, sequences, mappings, values):
        _, (compiled,) = copies(function)
        for _ in range(9):
            for item in items:
                compiled(item)
        before = [sys.getrefcount(item) for item in watched]
        for _ in range(50):
            for item in items:
                compiled(item)
        assert before == [sys.getrefcount(item) for item in watched]


def test_lists_and_tuples_are_unpacked_alike():
    def f(rows):
        total = 0
        for row in rows:
            a, b = row
            total += a
        return total, b

    check(f, ([(1, 2), [3, 4]] * 3,), ([[1, 2], (1.5, "b"), [2**70, None]],), ([(1, 2), [3, 4], (5, 6, 7)],), ([(1, 2), [3, 4], [5]],), ([(1, 2), [3, 4], "ab", range(2)],),
          ([(1, 2), [3, 4], SubList([5, 6]), None],), repeat=4)


def test_they_stay_compiled():
    def evaluate(node):
        match node:
            case Point(x, y):
                return evaluate(x) + evaluate(y)
            case Slotted(x=x, y=y):
                return evaluate(x) - evaluate(y)
            case [a, b] | [a, b, _]:
                return a * b
            case {"k": value}:
                return value
            case int(number):
                return number
            case _:
                return None

    (plain,), (compiled,) = copies(evaluate, namespace={"Point": Point, "Slotted": Slotted})
    tree = Point(Slotted([1, 2], {"k": 3}), Point((3, 4, 5), Point(6, Slotted(7, 8))))
    for _ in range(300):
        assert compiled(tree) == plain(tree)
    assert_stays_compiled(compiled, lambda: [compiled(tree) for _ in range(30)])
