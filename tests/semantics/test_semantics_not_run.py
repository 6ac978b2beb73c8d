"""What the interpreter had never run when a function was found hot is compiled when it is met."""

import gc

import jit
import pytest
from compare import copies, copy_function, outcome
from jit.budget import BUDGET
from jit.dispatch import COMPILER
from jit.errors import NOT_RUN
from jit.function_records import PATIENCE, TELLING

HOSTILE = [0, 1, 77, -1, True, 2**31, 2**62, -2**63, 2**63, 1.5, -0.0, float("nan"), None, "", "text", [1], object]


@pytest.fixture(autouse=True)
def unlimited(monkeypatch):
    monkeypatch.setattr(BUDGET, "unlimited", True)


def automatic(function, *warm):
    """A copy of a function that has been run with these arguments and was then found hot; and its record."""
    function = copy_function(function, {})
    for _ in range(20):
        function(*warm)
    return function, COMPILER.register(function, automatic=True)


def left_out(function):
    return [reason for version in jit.explain(function).versions for _, _, reason in version.notes].count(NOT_RUN)


def branching(x, limit):
    total = 0
    for number in range(4):
        if x == 77:
            raise ValueError(str(x))
        total = total + x
        if total > limit:
            total = total.real
    return total


def test_a_branch_that_was_never_run():
    function, _ = automatic(branching, 1, 100)
    assert function(2, 100) == 8 and left_out(function) == 2
    for _ in range(200):
        assert function(2, 1) == 8
    assert left_out(function) == 1  # it has been compiled since
    before = jit.explain(function).versions[0].calls
    assert function(3, 1) == 12 and jit.explain(function).versions[0].calls == before + 1


@pytest.mark.parametrize("x", HOSTILE, ids=repr)
@pytest.mark.parametrize("limit", [None, "", 1.5, 5], ids=repr)
def test_both_ways(x, limit):
    function, _ = automatic(branching, 1, 100)
    (plain,), _ = copies(branching)
    for _ in range(3):
        assert outcome(function, (x, limit)) == outcome(plain, (x, limit))


def raising(x):
    if x:
        raise KeyError(x)


def test_what_returns_only_where_it_was_never_run():
    """It is compiled as a whole: without any return there would be nothing to compile."""
    def forever(x):
        while True:
            if x:
                return x + 1
            raise KeyError

    function = copy_function(forever, {})
    for _ in range(20):
        with pytest.raises(KeyError):
            function(0)
    COMPILER.register(function, automatic=True)
    assert function(1) == 2 and function(5) == 6


def test_what_was_asked_for_is_compiled_as_a_whole():
    function = copy_function(branching, {})
    for _ in range(20):
        function(1, 100)
    function = jit.jit(function)
    assert function(2, 1) == 8 and not left_out(function)


def test_in_the_end_all_is_compiled():
    def steps(n):
        if n == 1:
            return n.real
        if n == 2:
            return n.imag
        if n == 3:
            return n.numerator
        if n == 4:
            return n.denominator
        if n == 5:
            return n.real + 1
        if n == 6:
            return n.real + 2
        return n

    function, record = automatic(steps, 0)
    expected = [0, 1, 0, 3, 1, 6, 8]
    for n in range(7):
        for _ in range(300):
            assert function(n) == expected[n]
    assert TELLING < record.compilations <= TELLING + 2 and not left_out(function)


def test_the_code_is_replaced():
    function, record = automatic(branching, 1, 100)
    assert function(2, 100) == 8 and left_out(function)
    function.__code__ = copy_function(raising, {}).__code__.replace(co_argcount=1)
    for _ in range(3):
        with pytest.raises(KeyError):
            function(1)
        assert function(0) is None


def test_compiling_anew_waits(monkeypatch):
    """For as long as it took, and several times more; until then the old version does."""
    function, record = automatic(branching, 1, 100)
    assert function(2, 100) == 8 and record.seconds > 0
    monkeypatch.setattr(BUDGET, "unlimited", False)
    monkeypatch.setattr(BUDGET, "spent", -1e9)
    record.due = BUDGET.clock() + 1000
    code = record.versions[0]
    for _ in range(300):
        assert function(2, 1) == 8
    assert record.versions == [code] and COMPILER.inattentive
    COMPILER.resume()
    assert record.versions == [code]
    record.due = 0.0
    COMPILER.attend_from = 0.0
    COMPILER.resume()
    assert function(2, 1) == 8 and len(record.versions) == 1 and record.versions != [code] and left_out(function) == 1

    now = BUDGET.clock()
    record.note_seconds(1.0, 0.0)
    assert record.due >= now + PATIENCE and not record.is_due()
    record.note_seconds(1.0, 1.0)
    assert record.is_due()


def test_nothing_is_kept_alive():
    function, record = automatic(branching, 1, 100)
    function(2, 100)
    del function
    gc.collect()
    assert record.function() is None


@pytest.mark.parametrize("eager", [True, False])
def test_a_version_whose_exits_take_more_than_it_gains(eager, monkeypatch):
    """Two of five calls leave at once: less than half, but each takes longer than the others gain."""
    def looked_up(items, key):
        return items[key]

    function, record = automatic(looked_up, {1: 2}, 1)
    items = {1: 2}
    assert function(items, 1) == 2 and len(record.versions) == 1
    monkeypatch.setattr("jit.profit.EAGER", eager)
    for _ in range(1000):
        assert [function(items, 1) for _ in range(3)] == [2, 2, 2]
        for _ in range(2):
            with pytest.raises(KeyError):
                function(items, 5)
    assert bool(record.versions) == eager
