"""Every operator over every pair of hostile operands gives what the interpreter gives."""

import pytest

from compare import check, copies


class SubInt(int):
    pass


class SubFloat(float):
    pass


class Raises:
    """Raises from every operator it is asked for."""

    def __repr__(self):
        return "Raises()"

    def __add__(self, other):
        raise KeyError("refused")

    __radd__ = __sub__ = __rsub__ = __lt__ = __gt__ = __le__ = __ge__ = __eq__ = __ne__ = __mul__ = __add__
    __rmul__ = __truediv__ = __mod__ = __and__ = __bool__ = __index__ = __neg__ = __invert__ = __add__
    __hash__ = None


class Answers(int):
    """An int that answers differently."""

    def __add__(self, other):
        return "added"

    __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __floordiv__ = __mod__ = __and__ = __pow__ = __add__
    __lt__ = __gt__ = __eq__ = lambda self, other: "compared"
    __neg__ = __invert__ = __abs__ = lambda self: "turned"
    __bool__ = lambda self: False
    __hash__ = int.__hash__


INTS = [0, 1, -1, 2, 3, -7, 63, 64, 255, 256, 257, -5, -6, 2**30 - 1, 2**30, 2**31, -2**31, 2**53, 2**53 + 1, -2**53 - 1, 2**62,
        -2**62, 2**63 - 1, -2**63, 2**63, -2**63 - 1, 10**30]
FLOATS = [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -3.75, 1e300, -1e300, 5e-324, 2.0**53, 2.0**63, -2.0**63, float("inf"), float("-inf"),
          float("nan")]
OTHERS = [True, False, None, "", "a", (), (1, 2), [], [1], b"x", 1j, SubInt(3), SubFloat(2.5), Answers(5), Raises()]
VALUES = INTS + FLOATS + OTHERS


def function(text, name="f"):
    scope = {}
    exec(text, scope)
    return scope[name]


def reasonable(symbol, left, right):
    """Whether the operands do not ask for astronomically large numbers or sequences."""
    numbers = [int(value) for value in (left, right) if isinstance(value, int)]
    large = any(abs(value) > 5000 for value in numbers)
    if symbol == "**":
        return not (isinstance(right, int) and abs(int(right)) > 300)
    if symbol == "<<":
        return not (isinstance(right, int) and int(right) > 300)
    return not (symbol == "*" and large and any(isinstance(value, (str, bytes, tuple, list)) for value in (left, right)))


def pairs(symbol, step):
    """Every `step`-th pair, numbers of one kind kept together so that one version meets many of them."""
    groups = [(INTS, INTS), (FLOATS, FLOATS), (INTS, FLOATS), (FLOATS, INTS), ([True, False], VALUES), (VALUES, [True, False]),
              (OTHERS, VALUES), (VALUES, OTHERS)]
    for lefts, rights in groups:
        all_pairs = [(left, right) for left in lefts for right in rights if reasonable(symbol, left, right)]
        yield from all_pairs[::step if len(all_pairs) > 300 else 1]


ARITHMETIC = ["+", "-", "*", "//", "%", "/", "&", "|", "^", "<<", ">>", "**", "@"]
COMPARISONS = ["<", "<=", "==", "!=", ">", ">="]


@pytest.mark.parametrize("symbol", ARITHMETIC + COMPARISONS)
def test_binary_operator(symbol):
    check(function(f"def f(a, b):\n    x = a\n    return x {symbol} b"), *pairs(symbol, 2), repeat=1)


@pytest.mark.parametrize("symbol", ARITHMETIC)
def test_augmented_assignment(symbol):
    check(function(f"def f(a, b):\n    a {symbol}= b\n    return a, b"), *pairs(symbol, 5), repeat=1)


@pytest.mark.parametrize("symbol", ARITHMETIC + COMPARISONS)
@pytest.mark.parametrize("constant", ["0", "1", "-1", "2", "8", "63", "-7", "(1 << 62)", "0.0", "-2.5", "True", "(2**63)"])
def test_operator_with_a_constant(symbol, constant):
    text = f"def f(a):\n    c = {constant}\n    return a {symbol} c\ndef g(a):\n    c = {constant}\n    return c {symbol} a"
    values = [value for value in VALUES if reasonable(symbol, value, eval(constant))]
    check(function(text, "f"), *((value,) for value in values), repeat=1)
    values = [value for value in VALUES if reasonable(symbol, eval(constant), value)]
    check(function(text, "g"), *((value,) for value in values), repeat=1)


@pytest.mark.parametrize("expression", ["-a", "~a", "+a", "not a", "abs(a)", "int(a)", "float(a)", "bool(a)", "round(a)", "len(a)",
                                        "1 if a else 2", "a is None", "a is not None", "a is True", "a and 5", "a or 5",
                                        "a.__class__", "str(a)", "isinstance(a, int)", "isinstance(a, (float, bool))",
                                        "min(a, 3)", "max(a, 2.5)", "min(3, a, -1)", "divmod(a, 7)", "pow(a, 3)", "ord(a)", "chr(a)",
                                        "sum([a, a])", "a < 5 < 7", "0 <= a <= 255", "a == a", "a != a", "(a, a)", "[a, 1, a]",
                                        "range(a)", "f'{a}'", "a in (1, 2.5, None)", "{a: 1}", "a if a else a", "hash(a)"])
def test_expression_of_one_value(expression):
    check(function(f"def f(a):\n    return {expression}"), *((value,) for value in VALUES), repeat=1)


@pytest.mark.parametrize("name", ["sqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "expm1", "log1p",
                                  "asinh", "acosh", "atanh", "log", "log2", "log10", "floor", "ceil", "fabs", "trunc", "isnan",
                                  "gamma"])
def test_function_of_math(name):
    check(function(f"import math\ndef f(a):\n    return math.{name}(a)"), *((value,) for value in VALUES), repeat=1)


@pytest.mark.parametrize("name", ["atan2", "fmod", "copysign", "hypot", "pow", "gcd"])
def test_function_of_math_with_two_arguments(name):
    numbers = [(left, right) for left in INTS + FLOATS for right in FLOATS + INTS][::3]
    check(function(f"import math\ndef f(a, b):\n    return math.{name}(a, b)"), *numbers, repeat=1)


def test_errors_keep_their_line_and_message():
    """A failing operator in the middle of a longer expression reports the interpreter's line."""
    def f(a, b, c):
        x = (a +
             b //
             c)
        y = [x,
             a << b,
             a % c]
        return y
    check(f, (1, 2, 3), (1, 2, 0), (1, -2, 3), (1.5, 2, 3), ("a", 2, 3), (2**62, 2**40, 1) if False else (2**62, 3, 1), (1, 2, "x"))


def test_hot_loop_meets_every_edge():
    """An accumulator that starts as an int becomes a big integer, a float, or fails, at every place of a loop."""
    def f(n, start, step):
        total = start
        for i in range(n):
            total = total * 3 + step
            if total == 0:
                total -= step
        return total
    check(f, (5, 1, 1), (50, 1, 1), (50, 1, 0.5), (50, 1.5, 1), (50, 2**61, -1), (50, True, False), (3, "a", "b"), (50, SubInt(1), 1),
          (50, 1, Answers(1)), (50, 0, Raises()), (400, 1.0, 1e300))


def test_identity_of_numbers():
    """A number is the object it was: what cannot be known of unboxed numbers is not compiled."""
    def through_a_loop(x, n):
        y = x
        for i in range(n):
            y = y
        return y is x, x is None, x is not Ellipsis

    def items(a, i):
        return a[i] is a[i], a[0] is a[1], a[0] is None

    def constants(x):
        y = 1000
        z = 1000
        return y is z, x is y, x is x
    check(through_a_loop, (1000.5, 3), (10**6, 2), (5, 2), (True, 2), (None, 2), ("a", 1))
    check(items, ([1.5, 2.5], 1), ([10**5, 7], 0), ([None, None], 0), ([True, False], 0))
    check(constants, (1000,), (1000.0,), (3,))


def test_inverting_a_bool_warns_as_ever():
    import warnings

    def f(a, n):
        for i in range(n):
            b = ~a
        return b, ~(n > 1)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        counts = []
        for functions in copies(f):
            seen.clear()
            assert [functions[0](True, 3), functions[0](False, 3), functions[0](5, 3)] == [(-2, -2), (-1, -2), (-6, -2)]
            counts.append([(item.category, item.lineno) for item in seen if "Bitwise" in str(item.message)])
    assert counts[0] == counts[1]
