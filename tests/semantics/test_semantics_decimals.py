"""Arithmetic and comparison of Decimals (jit/bytecodes/numbers_in_c.py)."""

import _pydecimal
import decimal
import sys
from decimal import Decimal
from fractions import Fraction

import pytest
from compare import assert_stays_compiled, check, child, copies, outcome


class Derived(Decimal):
    def __add__(self, other):
        return "added by its own method", str(self), str(other)

    def __lt__(self, other):
        return "less by its own method"

    def __eq__(self, other):
        return "equal by its own method"

    __hash__ = Decimal.__hash__


class Plain(Decimal):
    pass


class Number:
    """Answers for whatever it is used with."""

    def __radd__(self, other):
        return "radd", type(other).__name__

    def __gt__(self, other):
        return "gt", type(other).__name__

    __rmul__ = __rsub__ = __rtruediv__ = __rmod__ = __rfloordiv__ = __radd__
    __ge__ = __lt__ = __le__ = __gt__


class Whole(int):
    pass


DECIMALS = [Decimal(text) for text in ("0", "-0", "1.5", "-7", "1E+3", "1E-400", "9.99999999999999999999999999999", "NaN", "-Infinity", "sNaN", "123456789012345678901234567890")]
OTHERS = [0, 1, -3, 2**31, 2**62, -2**63, 2**64, True, False, 1.5, float("nan"), -0.0, Fraction(1, 3), Whole(4), Derived("2.5"), Plain("2.5"), None, "", 1j, object()]


def shown(value):
    """A Decimal with all of its digits, whatever its class."""
    return (type(value).__name__, str(value)) if isinstance(value, Decimal) else value


def arithmetic(x, y):
    results = []
    for operate in (lambda: x + y, lambda: x - y, lambda: x * y, lambda: x / y, lambda: x // y, lambda: x % y):
        try:
            results.append(shown(operate()))
        except (ArithmeticError, TypeError) as error:
            results.append((type(error).__name__, str(error)))
    return results


def one_by_one(x, y):
    return shown(x + y), shown(x * y), shown(y - x)


def divided(x, y):
    return shown(x / y), shown(x // y), shown(x % y)


def compared(x, y):
    return x < y, x <= y, x == y, x != y, x > y, x >= y


def branches(x, y):
    found = []
    if x < y:
        found.append("<")
    if x >= y:
        found.append(">=")
    if x == y:
        found.append("==")
    if x != y:
        found.append("!=")
    return found


def raised(x, y):
    x += y
    x *= 2
    x -= True
    x /= 3
    return shown(x)


PAIRS = [(x, y) for x in DECIMALS for y in (*DECIMALS, *OTHERS)] + [(y, x) for x in DECIMALS[:8] for y in (*OTHERS, Number())]


@pytest.mark.parametrize("function", [arithmetic, one_by_one, divided, compared, branches, raised])
def test_of_all_kinds(function):
    """Decimals first, and then what is none in the same compiled code; then each alone."""
    check(function, *[(x, y) for x in DECIMALS[:7] for y in DECIMALS[:7]], *PAIRS, repeat=2, make=tuple)
    check(function, *[(x, y) for x, y in PAIRS if type(x) is int or type(y) is int], repeat=4, make=tuple)


@pytest.mark.parametrize("other", OTHERS, ids=lambda item: type(item).__name__)
@pytest.mark.parametrize("function", [one_by_one, compared, raised])
def test_each_alone(function, other):
    check(function, *[(x, other) for x in DECIMALS], *[(other, x) for x in DECIMALS], repeat=3, make=tuple)


def itself(x):
    return x == x, x != x, x <= x, x + x if x == x else "not itself"


def test_a_decimal_and_itself():
    for value in DECIMALS:
        check(itself, *[(value,)] * 3, *[(other,) for other in DECIMALS], make=tuple)


def total(items, start):
    summed = start
    for item in items:
        if item > 100:
            summed -= item / 2
        else:
            summed += item * 3
    return summed


def test_a_loop_stays_compiled():
    items = [Decimal(number) / 4 for number in range(-100, 900)]
    check(total, (items, Decimal(0)), (items, 0), (items + [1, 2], Decimal("1E+30")), ([], Decimal("NaN")), (items + [0.5], Decimal(0)), (items + ["x"], Decimal(0)))
    _, (fast,) = copies(total)
    for _ in range(10):
        fast(items, Decimal(0))
    assert_stays_compiled(fast, lambda: fast(items, Decimal(1)))


@pytest.mark.parametrize("settings", [{"prec": 3}, {"prec": 3, "traps": [decimal.Inexact]}, {"Emax": 2, "Emin": -2}, {"traps": []},
                                      {"rounding": decimal.ROUND_UP, "prec": 5}, {"traps": [decimal.FloatOperation]}], ids=str)
@pytest.mark.parametrize("function", [arithmetic, compared, raised, one_by_one])
def test_contexts_and_traps(function, settings):
    """The thread's context decides about results, and gets the same flags."""
    pairs = [(x, y) for x in DECIMALS for y in (DECIMALS[2], DECIMALS[5], DECIMALS[10], 3, 2**64, 0.5)]
    seen = []
    for (each,) in copies(function):
        with decimal.localcontext(decimal.Context(**settings)) as context:
            results = [[outcome(each, pair) for pair in pairs] for _ in range(3)]
            seen.append((results, [signal.__name__ for signal, is_set in context.flags.items() if is_set]))
    assert seen[0] == seen[1]


def used(x, y):
    made = x + y
    found = [shown(made), str(made), f"{made:.2f}", hash(made) == hash(x + y), bool(made), not made, shown(-made), shown(abs(made)), isinstance(made, Decimal)]
    found += [made.is_signed(), shown(made.copy_negate()), shown(made.quantize(x)), shown(made.quantize(x, rounding="ROUND_UP")), made.as_tuple(), {made: 1}[made], made in (x, made), int(made)]
    match made:
        case Decimal():
            found.append("matched")
    try:
        return made[0]
    except TypeError as error:
        found.append(str(error))
    try:
        made.digits = 1
    except AttributeError as error:
        found.append(str(error))
    return found, [shown(item) for item in sorted([made, x, y])]


def test_what_is_done_with_results():
    check(used, *[(x, y) for x in DECIMALS[:7] for y in DECIMALS[:7]], (Decimal("NaN"), Decimal(1)), (Decimal("sNaN"), Decimal(1)), (Derived(1), Decimal(2)), make=tuple)


def made(text, number):
    return shown(Decimal(text)), shown(Decimal(number) + Decimal(text))


def test_decimals_are_made():
    check(made, ("1.5", 3), ("", 3), ("x", 3), ("1e5", 2**70), ("7", 0.1), ("7", float("nan")), ("7", Decimal("2")), ("7", (0, (1, 2), -1)), (5, "5"), ("7", Whole(3)), (Derived(2), Plain(3)), ("7", None), make=tuple)


def test_by_the_one_written_in_python():
    values = [_pydecimal.Decimal(text) for text in ("1.5", "-2", "NaN", "0")]
    check(compared, *[(x, y) for x in values for y in values], make=tuple)
    check(compared, *[(Decimal(1), value) for value in values], (Decimal(1), Decimal(2)), make=tuple)


def kept(n):
    held = []
    for i in range(n):
        value = Decimal(i) / 7
        held.append(value + 1)
        held[0] = value
    return held


def test_references():
    counts = []
    for (function,) in copies(kept):
        for _ in range(20):
            held = function(30)
        counts.append([sys.getrefcount(item) for item in held])
    assert counts[0] == counts[1]


def test_memory_is_given_back():
    program = """
import sys
import compare
from decimal import Decimal
def work(n, box):
    total = Decimal(0)
    for i in range(n):
        box[0] = total
        total = total * 3 - i if total < 1000 else Decimal(i) / 7
        box.append([total, (total, i)])
        box.pop()
    return total
_, (fast,) = compare.copies(work)
for _ in range(20):
    fast(1000, [None])
before = sys.getallocatedblocks()
for _ in range(20):
    fast(1000, [None])
print(abs(sys.getallocatedblocks() - before) < 100)
"""
    assert child(program) == "True\n"


def test_without_the_module():
    program = """
import sys
sys.modules["_decimal"] = None
import compare
from decimal import Decimal
def add(x, y):
    return x + y, x < y
_, (fast,) = compare.copies(add)
for _ in range(50):
    assert fast(Decimal("1.5"), 2) == (Decimal("3.5"), True) and fast(1, 2) == (3, True)
print(type(Decimal(1).__add__).__name__)
"""
    assert child(program) == "method\n"
