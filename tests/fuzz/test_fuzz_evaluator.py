"""The reference evaluator agrees with CPython, covers every canonical operation, and never takes damage for the program's."""

import itertools
import opcode
import random
import re
import sys
from array import array
from collections import deque
from fractions import Fraction
from types import FunctionType

import pytest
from evaluated_functions import CASES, HOSTILE

from fuzz.evaluator import NOT_EVALUATED, OPERATIONS, NotEvaluated, WorkLimit, evaluate
from fuzz.observe import Describer
from jit.decode import decode, raw_instructions
from jit.kernels import KERNELS, fresh
from platforms.cpython import opcodes


def described(call):
    """What a call does: its result, or the exception with causes and contexts."""
    describe = Describer(frames=False)
    try:
        return "result", describe(call())
    except Exception as problem:
        return "exception", describe.exception(problem), getattr(problem, "name", None)


def assert_agrees(function, make_arguments, **how):
    """A function and its evaluation do the same to equal arguments, and leave the same of them."""
    first, second = make_arguments(), make_arguments()
    wanted = described(lambda: function(*first)), Describer(frames=False)(first)
    found = described(lambda: evaluate(function, *second, **how)), Describer(frames=False)(second)
    assert without_addresses(found) == without_addresses(wanted)


def without_addresses(description):
    return re.sub("0x[0-9a-f]{8,}", "0x", repr(description))


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].__name__)
def test_agrees_with_cpython(case, deep):
    function, *argument_texts = case
    for text in argument_texts:
        assert_agrees(function, lambda: eval(text, function.__globals__), deep=deep)


OPERATORS = {
    "arithmetic": "def f(a, b): return [a + b, a - b, a * b]",
    "division": "def f(a, b): return [a // b, a % b, a / b]",
    "bits": "def f(a, b): return [a & b, a | b, a ^ b]",
    "comparison": "def f(a, b): return [a < b, a <= b, a == b, a != b, a > b, a >= b, a is b, a is not b]",
    "in_place": "def f(a, b):\n a += b\n a -= b\n a *= b\n return a",
    "containment": "def f(a, b): return a in b, a not in b",
    "item": "def f(a, b):\n a[b] = a[b]\n del a[b]\n return a",
    "slice": "def f(a, b):\n a[b:] = a[:b]\n return a[::b]",
    "truth": "def f(a, b): return (a and b), (a or b), not a, (1 if a else 2)",
    "unary": "def f(a, b): return [-a, +b, ~a]",
    "unpacking": "def f(a, b):\n x, y = a\n p, *q = b\n return x, y, p, q",
    "displays": "def f(a, b): return [*a, *b], {*a, *b}, (*a, b), {a: b, **b}, {'k': 1, **a}",
    "text": "def f(a, b): return f'{a}{b!r:>9}{a!s}{b!a}', f'{a:{b}}'",
    "iteration": "def f(a, b):\n r = []\n for x in a:\n  for y in b:\n   r.append((x, y))\n return r",
    "attributes": "def f(a, b):\n a.attribute = b\n r = a.attribute\n del a.attribute\n return r, a.missing",
    "star_call": "def f(a, b): return dict(*a, **b)",
    "double_star_call": "def f(a, b): return dict(x=1, **a, **b)",
    "call": "def f(a, b): return a(b)",
    "method": "def f(a, b): return a.append(b), a.pop(), a.nothing()",
    "raising": "def f(a, b):\n try:\n  raise a from b\n except ValueError as e:\n  return e.args",
    "catching": "def f(a, b):\n try:\n  a + b\n except a:\n  return 1\n except (ValueError, TypeError) as e:\n  return e",
    "managing": "def f(a, b):\n with a as x, b:\n  return x",
    "matching": "def f(a, b):\n match a:\n  case [x, *y]: return x, y\n  case {'k': v, **w}: return v, w\n"
                "  case int(n) | str(n): return n\n  case None: return b\n  case Point(p, y=q): return p, q\n",
    "yielding": "def f(a, b):\n def g():\n  x = yield a\n  yield from b\n  return x\n return list(g())",
}


@pytest.mark.parametrize("name", OPERATORS)
def test_pairs_of_hostile_values(name):
    namespace = dict(HOSTILE.namespace)
    exec(OPERATORS[name], namespace)
    pairs = itertools.product(HOSTILE.values, repeat=2)
    for texts in itertools.islice(pairs, list(OPERATORS).index(name) % 3, None, 3):
        assert_agrees(namespace["f"], lambda: [eval(text, namespace) for text in texts], deep=True)


SMALL = {"sumsq": (30,), "fib": (7,), "mandelbrot": (4, 10), "collatz": (20,), "sieve_list": (30,), "sieve_bytearray": (bytearray(b"\1" * 30),),
         "spectral_norm": (3, 2), "fannkuch": (4,), "matmul": ([[1.0, 2.0]], [[3.0], [4.0]], [[0.0]]),
         "advance": ([[0.0] * 7, [1.0] * 7], 0.01, 2)}


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_kernels(kernel):
    text = repr(SMALL[kernel.name])
    assert_agrees(fresh(kernel), lambda: eval(text), deep=True)


# -- coverage -------------------------------------------------------------------------------------------


def canonical_operations():
    """All operations that decoding gives on the running version."""
    found = set()
    for name, number in opcode.opmap.items():
        if number < 256 and not name.startswith("INSTRUMENTED_") and name != "KW_NAMES":  # folded into CALL
            for argument in range(13):
                try:
                    found.update(operation for operation, _ in opcodes.canonical_form(name, argument))
                except IndexError:
                    assert name == "COMPARE_OP"
    return found


def test_every_operation_is_evaluated_or_named():
    assert canonical_operations() <= set(OPERATIONS) | NOT_EVALUATED
    assert not set(OPERATIONS) & NOT_EVALUATED


def test_the_cases_reach_every_operation():
    reached, codes = set(), [case[0].__code__ for case in CASES]
    for source in OPERATORS.values():
        namespace = {}
        exec(source, namespace)
        codes.append(namespace["f"].__code__)
    while codes:
        code = codes.pop()
        reached.update(instruction.operation for instruction in decode(code))
        codes += [item for item in code.co_consts if hasattr(item, "co_code")]
    # Which of two forms of a jump the compiler uses is its own choice.
    assert {name for name in canonical_operations() & set(OPERATIONS) - reached if not name.startswith("POP_JUMP")} <= {"CLEANUP_THROW"}


# -- limits and refusals --------------------------------------------------------------------------------


def test_endless_loops_end():
    def endless():
        while True:
            pass

    with pytest.raises(WorkLimit):
        evaluate(endless, limit=1000)


def test_the_limit_holds_for_all_frames_together():
    def inner():
        for _ in range(10):
            pass

    def outer():
        for _ in range(10):
            inner()

    assert evaluate(outer, limit=300) is None
    with pytest.raises(WorkLimit):
        evaluate(outer, limit=300, deep=True)


def test_nothing_catches_the_limit():
    def stubborn():
        while True:
            try:
                while True:
                    pass
            except:  # noqa: E722
                pass

    with pytest.raises(WorkLimit):
        evaluate(stubborn, limit=1000)


def test_a_limit_that_code_swallows_is_told_all_the_same():
    def endless():
        while True:
            yield

    class Swallows:
        def __getitem__(self, items):
            try:
                return list(items)
            except BaseException:
                return None

    def outer():
        return Swallows()[endless()]

    with pytest.raises(WorkLimit):
        evaluate(outer, limit=1000, deep=True)


def test_deep_recursion_has_no_answer():
    def down(n):
        return 0 if n == 0 else down(n - 1)

    assert evaluate(down, 20, deep=True) == 0
    with pytest.raises(NotEvaluated, match="deep"):
        evaluate(down, sys.getrecursionlimit() - 100, deep=True)


async def coroutine():
    return 1


def looks_at_locals():
    return locals()


def looks_at_its_frame():
    return sys._getframe()


def evaluates():
    return eval("1")


def catches_groups():
    try:
        raise ExceptionGroup("", [ValueError()])  # noqa: F821
    except* ValueError:
        pass


@pytest.mark.parametrize("function", [coroutine, looks_at_locals, looks_at_its_frame, evaluates, catches_groups])
def test_no_answer(function):
    with pytest.raises(NotEvaluated):
        evaluate(function)


def test_only_python_functions():
    with pytest.raises(TypeError):
        evaluate(len, [])


# -- damage ---------------------------------------------------------------------------------------------


def assembled(*pairs, **changes):
    """A function of raw instructions; damaged ones are not to be called."""
    counts = opcodes.cache_entries()
    units = b"".join(bytes([opcode.opmap[name], argument]) + bytes(2 * counts[opcode.opmap[name]]) for name, argument in pairs)
    code = (lambda a: a).__code__.replace(co_code=units, co_stacksize=8, **changes)
    return FunctionType(code, {})


DAMAGED = {
    "underflow": [("POP_TOP", 0), ("LOAD_CONST", 0), ("RETURN_VALUE", 0)],
    "underflow of two": [("LOAD_CONST", 0), ("BINARY_OP", 0), ("RETURN_VALUE", 0)],
    "underflow of many": [("LOAD_CONST", 0), ("BUILD_LIST", 9), ("RETURN_VALUE", 0)],
    "copy of nothing": [("COPY", 1), ("RETURN_VALUE", 0)],
    "copy at no depth": [("LOAD_CONST", 0), ("COPY", 0), ("RETURN_VALUE", 0)],
    "swap": [("LOAD_CONST", 0), ("SWAP", 3), ("RETURN_VALUE", 0)],
    "NULL as an operand": [("PUSH_NULL", 0), ("LOAD_CONST", 0), ("BINARY_OP", 0), ("RETURN_VALUE", 0)],
    "NULL returned": [("PUSH_NULL", 0), ("RETURN_VALUE", 0)],
    "the end": [("LOAD_CONST", 0)],
    "a constant": [("LOAD_CONST", 99), ("RETURN_VALUE", 0)],
    "a local": [("LOAD_FAST", 99), ("RETURN_VALUE", 0)],
    "a name": [("LOAD_CONST", 0), ("DELETE_ATTR", 99), ("LOAD_CONST", 0), ("RETURN_VALUE", 0)],
    "a cell": [("LOAD_DEREF", 0), ("RETURN_VALUE", 0)],
    "a cell deleted": [("DELETE_DEREF", 0), ("LOAD_CONST", 0), ("RETURN_VALUE", 0)],
    "a closure": [("COPY_FREE_VARS", 3), ("LOAD_CONST", 0), ("RETURN_VALUE", 0)],
    "no list": [("LOAD_CONST", 0), ("LOAD_CONST", 0), ("LIST_APPEND", 1), ("RETURN_VALUE", 0)],
    "no iterator": [("LOAD_CONST", 0), ("FOR_ITER", 0), ("RETURN_VALUE", 0), ("RETURN_VALUE", 0), ("RETURN_VALUE", 0)],
    "no exception": [("LOAD_CONST", 0), ("PUSH_EXC_INFO", 0), ("RETURN_VALUE", 0)],
    "nothing to reraise": [("LOAD_CONST", 0), ("RERAISE", 0)],
    "no place": [("LOAD_CONST", 0), ("LOAD_ASSERTION_ERROR", 0), ("RERAISE", 1)],
    "a raise of three": [("LOAD_CONST", 0), ("RAISE_VARARGS", 3)],
    "no function": [("LOAD_CONST", 0), ("MAKE_FUNCTION", 0), ("RETURN_VALUE", 0)],
    "unpacked too far": [("LOAD_CONST", 0), ("UNPACK_SEQUENCE", 250), ("RETURN_VALUE", 0)],
    "no keys": [("LOAD_CONST", 0), ("MATCH_KEYS", 0), ("RETURN_VALUE", 0)],
    "a yield": [("LOAD_CONST", 0), ("YIELD_VALUE", 0), ("RETURN_VALUE", 0)],
    "a generator": [("RETURN_GENERATOR", 0), ("RETURN_VALUE", 0)],
    "a send": [("LOAD_CONST", 0), ("LOAD_CONST", 0), ("SEND", 0), ("RETURN_VALUE", 0)],
    "a call": [("CALL", 0), ("RETURN_VALUE", 0)],
    "a call of NULL": [("PUSH_NULL", 0), ("PUSH_NULL", 0), ("CALL", 0), ("RETURN_VALUE", 0)],
    "a with": [("BEFORE_WITH", 0), ("RETURN_VALUE", 0)],
    "a with's end": [("WITH_EXCEPT_START", 0), ("RETURN_VALUE", 0)],
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_code_has_no_answer(name):
    with pytest.raises(NotEvaluated):
        evaluate(assembled(*DAMAGED[name]), 1)


def test_a_comparison_for_its_truth():
    function = assembled(("LOAD_FAST", 0), ("LOAD_FAST", 0), ("COMPARE_OP", opcodes.compare_arguments()["bool(==)"]), ("RETURN_VALUE", 0))
    odd = HOSTILE.namespace["Odd"]()
    assert evaluate(function, odd) == function(odd)


def handler(start, length, target, depth):
    return bytes([0x80 | start, length, target, depth << 1])


@pytest.mark.parametrize("table", [handler(0, 9, 99 & 63, 0), handler(0, 9, 4, 31), b"\x80\x01"])
def test_damaged_exception_tables(table):
    raising = assembled(("LOAD_ASSERTION_ERROR", 0), ("RAISE_VARARGS", 1), ("LOAD_CONST", 0), ("RETURN_VALUE", 0), co_exceptiontable=table)
    with pytest.raises(NotEvaluated):
        evaluate(raising, 1)


def test_a_sound_exception_table():
    code = assembled(("LOAD_ASSERTION_ERROR", 0), ("RAISE_VARARGS", 1), ("RETURN_VALUE", 0), co_exceptiontable=handler(0, 2, 2, 0))
    assert type(evaluate(code, 1)) is AssertionError


def test_parameters_that_no_function_has():
    twice = assembled(("LOAD_CONST", 0), ("RETURN_VALUE", 0), co_argcount=2, co_nlocals=2, co_varnames=("a", "a"))
    with pytest.raises(NotEvaluated):
        evaluate(twice, 1, 2)
    keyword = assembled(("LOAD_FAST", 0), ("RETURN_VALUE", 0), co_varnames=("if",))
    assert evaluate(keyword, 7) == 7


def arithmetic(a, b):
    total = 0
    for i in (1, 2, 3):
        try:
            total += a // (b - i)
        except ZeroDivisionError:
            total = -total
        while total > 100:
            total = total // 2
    return total if a else (b, total)


def test_mutated_code_never_shows_the_evaluator():
    """A function of numbers raises neither of these, whatever it is turned into; lists and dicts of the evaluator might."""
    rng, answers, counts = random.Random(7), 0, opcodes.cache_entries()
    numbers = [number for name, number in sorted(opcode.opmap.items())
               if number < 256 and "INSTRUMENTED" not in name and name != "ENTER_EXECUTOR"]
    places = [own for _, own, *_ in raw_instructions(arithmetic.__code__)]
    for _ in range(600):
        units = bytearray(arithmetic.__code__.co_code)
        for _ in range(rng.randrange(1, 4)):
            place = rng.choice(places)
            if rng.random() < 0.4:
                units[place + 1] = rng.randrange(12)
            else:
                # Of as many cache entries: CPython itself writes behind bytecode that is cut off.
                units[place] = rng.choice([number for number in numbers if counts[number] == counts[units[place]]])
        function = FunctionType(arithmetic.__code__.replace(co_code=bytes(units)), {})
        try:
            evaluate(function, 5, 2, limit=2000)
        except NotEvaluated:
            continue
        except Exception as problem:
            assert not isinstance(problem, (IndexError, KeyError, SyntaxError, RecursionError)), list(decode(function.__code__))
        answers += 1
    assert 50 < answers < 550


def test_operands_die_with_their_operation():
    class Counted:
        alive = 0

        def __init__(self):
            Counted.alive += 1

        def __del__(self):
            Counted.alive -= 1

        def __add__(self, other):
            raise ValueError

    def raise_and_keep():
        try:
            Counted() + 1
        except ValueError as problem:
            return problem, Counted.alive

    kept, alive = evaluate(raise_and_keep)
    assert type(kept) is ValueError
    assert alive == 1 and evaluate(lambda: Counted.alive) == 1  # __add__'s own frame keeps it, as in CPython
    del kept
    assert Counted.alive == 0


def test_locals_of_what_has_raised_die_first_one_first():
    died = []

    class Noted:
        def __init__(self, name):
            self.name = name

        def __del__(self):
            died.append(self.name)

    def fail(one, two):
        three = Noted("three")
        return three, missing  # noqa: F821

    def call_and_go_on():
        try:
            fail(Noted("one"), Noted("two"))
        except NameError:
            pass
        died.append("handled")

    call_and_go_on()
    assert died == ["one", "two", "three", "handled"]
    died.clear()
    evaluate(call_and_go_on, deep=True)
    assert died == ["one", "two", "three", "handled"]


def test_what_a_generator_held_dies_with_it():
    died = []

    class Noted:
        def __del__(self):
            died.append("noted")

    def delegating(item):
        try:
            yield from (item, 2)
        finally:
            died.append("finally")

    def handling(item):
        try:
            raise ValueError
        except ValueError:
            yield item

    for generator, expected in ((delegating, ["finally", "noted"]), (handling, ["noted"])):
        def begin_and_drop():
            next(generator(Noted()))

        begin_and_drop()
        assert died == expected
        died.clear()
        evaluate(begin_and_drop, deep=True)
        assert died == expected
        died.clear()


@pytest.mark.parametrize("manager", [1, "a", None, range(3)] + [array(code) for code in "bd"] + [deque(), Fraction(1), type, Describer])
def test_what_is_no_context_manager(manager):
    def entered(manager):
        with manager:
            pass

    assert_agrees(entered, lambda: (manager,))
