"""Functions run interpreted and compiled over hostile values: same value, type, exception, message and traceback."""

import math

import pytest
from both_ways import check_both_ways


class IntSubclass(int):
    pass


class FloatSubclass(float):
    pass


class Hostile:
    """Raises in every operator."""

    def __add__(self, other):
        raise KeyError("hostile")

    __radd__ = __sub__ = __mul__ = __lt__ = __gt__ = __eq__ = __bool__ = __index__ = __add__
    __hash__ = None

    def __repr__(self):
        return "Hostile()"


VALUES = [0, 1, -1, 2, 7, -3, 2**31, -(2**31), 2**53 + 1, 2**62, -(2**62), 2**63 - 1, 2**63, -(2**63), 10**30, True, False,
          1.5, -0.0, 0.0, float("inf"), float("nan"), 1e300, None, "", "a", IntSubclass(3), FloatSubclass(2.5), Hostile(),
          (1, 2)]
SYMBOLS = ["+", "-", "*", "//", "%", "/", "&", "|", "^", "<<", ">>", "**", "<", "<=", "==", "!=", ">", ">="]


def harmless(symbol, left, right):
    """Leave out what would fill the memory."""
    if symbol in ("<<", "**"):
        return not (isinstance(right, int) and abs(right) > 70)
    if symbol == "*":
        sizes = [value for value in (left, right) if isinstance(value, int) and abs(value) > 100]
        return not (sizes and any(isinstance(value, (str, tuple)) for value in (left, right)))
    return True


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_binary_operations(symbol):
    namespace = {}
    exec(f"def operate(a, b):\n    x = a\n    return x {symbol} b", namespace)
    pairs = [(a, b) for a in VALUES for b in VALUES if harmless(symbol, a, b)]
    check_both_ways(namespace["operate"], *pairs, repeat=1)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_binary_operations_with_constants(symbol):
    for constant in (0, 1, -1, 3, 8, -8, 2**31, 2**40, 2.5, -0.0, True):
        if isinstance(constant, int) and symbol in ("<<", "**") and abs(constant) > 8:
            continue
        namespace = {}
        exec(f"def operate(a):\n    return a {symbol} {constant}, {constant} {symbol} (a if a is None else a)", namespace)
        values = [value for value in VALUES if harmless(symbol, value, constant) and harmless(symbol, constant, value)]
        check_both_ways(namespace["operate"], *[(value,) for value in values], repeat=1)


@pytest.mark.parametrize("text", ["-a", "~a", "+a", "not a", "abs(a)", "int(a)", "float(a)", "bool(a)", "round(a)",
                                  "a is None", "a is True", "1 if a else 2", "a and 3", "a or 3", "len(a)", "min(a, 1)",
                                  "max(a, 1.5)", "divmod(a, 3)", "isinstance(a, int)", "isinstance(a, (float, str))"])
def test_unary_operations(text):
    namespace = {}
    exec(f"def operate(a):\n    return {text}", namespace)
    check_both_ways(namespace["operate"], *[(value,) for value in VALUES], repeat=1)


def accumulate(n, x):
    total = 0
    for _ in range(n):
        total += x
        if total > 10**18:
            total = total * 10
    return total


def test_overflow_and_type_changes():
    check_both_ways(accumulate, (10, 5), (10, 10**17), (100, 10**17), (5, 1.5), (5, IntSubclass(2)), (5, True), (5, "a"),
                    (0, None), (3, Hostile()))


def item(a, i):
    b = a[i]
    return b


def test_subscripts():
    check_both_ways(item, ([1, 2, 3], 0), ([1, 2, 3], -1), ([1], 5), ([1], -5), ([1.5], 0), ((1, 2), 1), ("abc", 1),
                    ("a\xe9\u20ac", 2), ({1: 2}, 1), (b"abc", 2), (bytearray(b"xyz"), -1), ([None], 0), ([2**70], 0),
                    ([1], True), ([1], 2**63), ([1, 2], "x"))


def store(a, i, value):
    a[i] = value
    return a


def test_subscript_stores():
    check_both_ways(store, ([1, 2, 3], 0, 9), ([1, 2, 3], -1, 1.5), ([1], 5, 1), ([1.5, 2.5], 0, 3.5), ([1.5], 0, "x"),
                    ({}, 1, 2), ([1], True, False), ([None, []], 1, None), (bytearray(3), 1, 255), (bytearray(3), 1, 256),
                    (bytearray(3), 1, -1), (bytearray(3), 9, 1), ((1,), 0, 2))


def guarded(a, b):
    try:
        return a // b
    except ZeroDivisionError as problem:
        return str(problem)
    finally:
        a = 3


def nested_handlers(n):
    log = []
    for i in range(n):
        try:
            try:
                log.append(10 // (i - 2))
            except ZeroDivisionError:
                log.append("zero")
                raise ValueError(i)
            finally:
                log.append(i)
        except ValueError as problem:
            log.append(str(problem))
    return log


def test_exceptions():
    check_both_ways(guarded, (7, 2), (7, 0), (1.5, 0), (1, None))
    check_both_ways(nested_handlers, (5,))


def recurse(n):
    if n == 0:
        return 0
    return 1 + recurse(n - 1)


def test_recursion_error_comes_at_the_same_depth():
    check_both_ways(recurse, (10,), (100,), (3000,))


def maybe_unbound(n):
    for i in range(n):
        x = i
    return x


def shadowed(n):
    for i in range(n):
        if i > 2:
            return previous, i
        previous = i * 0.5
    return i


def test_unbound_locals():
    check_both_ways(maybe_unbound, (3,), (0,))
    check_both_ways(shadowed, (10,), (2,), (0,))


def ranges(a, b, c):
    found = []
    for i in range(a, b, c):
        found.append(i)
    return found, i


def test_ranges():
    check_both_ways(ranges, (0, 10, 1), (10, 0, -1), (0, 10, 3), (0, 0, 1), (5, 1, 2), (0, 5, 0), (2**63 - 5, 2**63 - 1, 1),
                    (2**63 - 5, 2**63 + 3, 2), (-(2**63), -(2**63) + 3, 1), (0, 10, 7), (0, 3, True), (0, 2.5, 1))


def total(sequence):
    s = 0
    for x in sequence:
        s = s + x
    return s


def test_iteration():
    check_both_ways(total, ([1, 2, 3],), ([1, 2.5],), ([],), ([1.0, 2.0],), ((1, 2),), (["a"],), ([2**63, 1],),
                    (range(5),), ({1: 2, 3: 4},), (b"abc",), (bytearray(b"ab"),), ({3},), (7,))


def grow_while_iterating(a):
    for x in a:
        if x < 50:
            a.append(x * 2)
        if len(a) > 30:
            a.pop()
            break
    return a


def shrink_while_indexing(a):
    s = 0
    for i in range(len(a)):
        s += a[i]
        a.pop()
    return s


def test_mutation_during_iteration():
    check_both_ways(grow_while_iterating, ([1, 2, 3],), ([],))
    check_both_ways(shrink_while_indexing, ([1, 2, 3, 4],))


def float_work(x, n):
    s = 0.0
    for i in range(n):
        s = s * x + i / (i + 1)
    return s, s // 3.0, s % 2.5, -s, abs(s), s > 3


def mathematics(x):
    return math.sqrt(x), math.sin(x), math.floor(x), math.ceil(x), math.exp(x), math.atan2(x, 2)


def test_floats():
    check_both_ways(float_work, (0.5, 10), (2, 5), (-1.5, 7), (float("nan"), 3), (1e308, 5))
    check_both_ways(mathematics, (2.0,), (-1.0,), (1000.0,), (4,), ("a",), (float("inf"),), (float("nan"),))


def fibonacci_pairs(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a, b


def listed(n):
    return [[i * j for j in range(3)] for i in range(n)]


def filled(n):
    b = bytearray(n)
    for i in range(n):
        b[i] = i * 7 % 256
    return bytes(b), b[-1] if n else None


def strings(n):
    r = []
    for i in range(n):
        r.append(str(i) + "x")
    return "".join(r)


def loops(n):
    i = 0
    while True:
        i += 1
        if i > n:
            break
        if i % 3 == 0:
            continue
    else:
        return -1
    return i


def closures(n):
    k = n * 2

    def inner(x):
        return x + k

    t = 0
    for i in range(n):
        t += inner(i)
    k = 5
    return t, inner(1)


def test_programs():
    check_both_ways(fibonacci_pairs, (10,), (100,))
    check_both_ways(listed, (5,), (0,))
    check_both_ways(filled, (10,), (0,), (300,))
    check_both_ways(strings, (5,))
    check_both_ways(loops, (10,), (0,), (50,))
    check_both_ways(closures, (5,))


def leaf(a, b=2):
    return a * b + 1


def middle(a, n):
    s = 0
    for i in range(n):
        s += leaf(a) + leaf(i, b=3) + leaf(b=i, a=a)
    return s


def outer(a, n):
    try:
        return middle(a, n)
    except TypeError as problem:
        return str(problem)


def test_calls_between_compiled_functions():
    check_both_ways(outer, (3, 4), (2**62, 3), (1.5, 3), ("a", 2), (None, 2), (3, 4), helpers=(middle, leaf))
