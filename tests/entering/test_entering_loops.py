"""Loops that are entered while they run give what they give without."""

import sys
from types import FunctionType, SimpleNamespace

import pytest

from entered import both, enter, fresh
from jit import entering


def count_up(hook, n):
    total = 0
    for i in range(n):
        hook()
        total += i * i
    return total, i


def while_loop(hook, n):
    total = i = 0
    while i < n:
        hook()
        i += 1
        total ^= i
    return total, i


def forever(hook, n):
    i = 0
    while True:
        hook()
        i += 1
        if i > n:
            return i


def floats(hook, n):
    x = 0.5
    for i in range(n):
        hook()
        x = x * 1.0001 + i
    return x


def over_list(hook, n):
    items = [j % 7 for j in range(n)]
    total = 0
    for item in items:
        hook()
        total += item
    return total, item


def star_arguments(hook, *numbers):
    total = 0
    for i in range(numbers[0]):
        hook()
        total += i * len(numbers)
    return total, numbers


def more_parameters(hook, n, *rest, step=1, **more):
    total = 0
    for i in range(0, n, step):
        hook()
        total += i
    more["total"] = total
    return rest, step, more


def over_enumerate(hook, n):
    total = 0
    for i, item in enumerate([j / 2 for j in range(n)]):
        hook()
        total += i * item
    return total


def over_zip(hook, n):
    total = 0
    for i, item in zip(range(n), [j / 2 for j in range(n)]):
        hook()
        total += i * item
    return total


def over_dict(hook, n):
    total = 0
    for key, value in {str(j): j for j in range(n)}.items():
        hook()
        total += value + len(key)
    return total, key


def over_generator(hook, n):
    total = 0
    for value in (j * 3 for j in range(n)):
        hook()
        total += value
    return total


def over_string(hook, n):
    total = 0
    for letter in "abcdefgh" * n:
        hook()
        total += ord(letter)
    return total, letter


def nested(hook, n):
    total = 0
    for i in range(n // 10):
        for j in range(10):
            hook()
            for k in range(3):
                total += i * j + k
    return total, i, j, k


def one_after_another(hook, n):
    total = 0
    for i in range(n):
        hook()
        total += i
    for i in range(n):
        hook()
        total -= i * 0.5
    while total < 10 ** 6:
        hook()
        total += 10 ** 4
    return total


def inside_try(hook, n):
    total = 0
    try:
        for i in range(n):
            hook()
            total += 1000 // (n - 20 - i)
    except ZeroDivisionError as problem:
        return total, i, str(problem)
    finally:
        total += 1
    return total


def try_inside(hook, n):
    total = caught = 0
    for i in range(n):
        hook()
        try:
            total += 10 // (i % 5)
        except ZeroDivisionError:
            caught += 1
        finally:
            total += 1
    return total, caught, i


def raises_each_turn(hook, n):
    caught = 0
    for i in range(n):
        hook()
        try:
            raise ValueError(i)
        except ValueError as problem:
            caught += problem.args[0]
    return caught


def in_handler(hook, n):
    total = 0
    try:
        raise KeyError("outer")
    except KeyError as problem:
        for i in range(n):
            hook()
            total += i
            if i == n - 2:
                seen = sys.exc_info()[1] is problem
    return total, seen, sys.exc_info()


class Context:
    def __init__(self, swallows):
        self.swallows, self.seen = swallows, []

    def __enter__(self):
        return self

    def __exit__(self, *details):
        self.seen.append(details[0])
        return self.swallows


def inside_with(hook, n):
    total = 0
    with Context(True) as context:
        for i in range(n):
            hook()
            total += 1000 // (n - 20 - i)
    return total, i, context.seen


def with_inside(hook, n):
    context = Context(False)
    total = 0
    for i in range(n):
        hook()
        with context:
            total += i
    return total, len(context.seen)


def raises_out(hook, n):
    total = 0
    for i in range(n):
        hook()
        total += 1000 // (n - 20 - i)
    return total


def raises_from_callee(hook, n):
    def callee(i):
        return 1000 // (n - 20 - i)
    total = 0
    for i in range(n):
        hook()
        total += callee(i)
    return total


def breaks(hook, n):
    for i in range(n):
        hook()
        if i * i > n * n // 2:
            break
    else:
        return "else"
    return i


def with_else(hook, n):
    for i in range(n):
        hook()
    else:
        return "else", i


def unbound_later(hook, n):
    for i in range(n):
        hook()
        if i > n:
            never = 1
    return never


def deletes(hook, n):
    for i in range(n):
        hook()
        x = [i]
        del x
    return x


def type_changes(hook, n):
    total = 0
    for i in range(n):
        hook()
        total += 1 if i < n // 2 else 0.25
    return total


def type_alternates(hook, n):
    seen = []
    for i in range(n):
        hook()
        x = i if i & 1 else i / 2
        seen.append(x + 1)
    return seen


def grows_beyond_64_bits(hook, n):
    x = 1
    for i in range(n):
        hook()
        x = x * 3 + 1
    return x


def starts_beyond_64_bits(hook, n):
    x = 1 << 70
    for i in range(n):
        hook()
        x -= 1
    return x


def bools(hook, n):
    flag = True
    for i in range(n):
        hook()
        flag = not flag
    return flag


def closures(hook, n):
    total = 0
    def add(x):
        nonlocal total
        total += x
    for i in range(n):
        hook()
        add(i)
        total += 1
    return total


def builds(hook, n):
    found = []
    for i in range(n):
        hook()
        found.append((i, str(i), {i: [i]}))
    return found


def comprehensions(hook, n):
    total = 0
    for i in range(n):
        hook()
        total += sum([j for j in range(5)]) + len({j: i for j in range(3)})
    return total


def recursive(hook, n, depth=3):
    total = 0
    for i in range(n):
        hook()
        if i == n // 2 and depth:
            total += recursive(hook, n, depth - 1)
        total += i
    return total


def shows_locals(hook, n):
    shown = []
    for i in range(n):
        hook()
        if i % 50 == 0:
            shown.append({name: value for name, value in locals().items() if name not in ("shown", "hook")})
    shown.append({name: value for name, value in sys._getframe().f_locals.items() if name not in ("shown", "hook")})
    return shown


def shows_frames(hook, n):
    seen = []
    for i in range(n):
        hook()
        frame = sys._getframe()
        seen.append((frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno, frame.f_back.f_code.co_name))
        del frame
    return seen


def holds_a_frame(hook, n):
    frames = []
    total = 0
    for i in range(n):
        hook()
        total += i
        if i == 30:
            frames.append(sys._getframe())
    return total, frames[0] is sys._getframe(), frames[0].f_locals["total"], frames[0].f_lineno - frames[0].f_code.co_firstlineno


def held_from_the_start(hook, n):
    frame = sys._getframe()
    for i in range(n):
        hook()
    return frame is sys._getframe(), frame.f_locals["i"]


def rebinds_globals(hook, n):
    global GLOBAL
    GLOBAL = 0
    for i in range(n):
        hook()
        GLOBAL += 1
    return GLOBAL


def unpacks(hook, n):
    total = 0
    for i, (a, *rest) in enumerate([(j, j, j) for j in range(n)]):
        hook()
        total += a + sum(rest)
    return total


CASES = [value for value in list(globals().values())
         if isinstance(value, FunctionType) and value.__code__.co_varnames[:1] == ("hook",)]


#: Somebody has the frame (a traceback, or `locals` gave out its dict), or compiled code would never come round.
LEFT_ALONE = {held_from_the_start, in_handler, raises_each_turn, shows_locals}


@pytest.mark.parametrize("n", [60, 400])
@pytest.mark.parametrize("function", CASES, ids=lambda function: function.__name__)
def test_the_same_both_ways(function, n):
    both(function, n, entered=function not in LEFT_ALONE)


@pytest.mark.parametrize("threads", [0, 1])
def test_what_looks_like_an_error_is_tried_again_beside_threads(monkeypatch, threads):
    """Other threads may have changed what was looked at."""
    compile_entered, met = entering.compile_entered, []

    def compile_or_fail(*arguments):
        met.append(arguments)
        if len(met) == 1:
            raise KeyError("gone")
        return compile_entered(*arguments)

    monkeypatch.setattr("jit.dump.CHECK", False)
    monkeypatch.setattr("jit.attempts._thread", SimpleNamespace(_count=lambda: threads))
    monkeypatch.setattr(entering, "compile_entered", compile_or_fail)
    function = fresh(count_up)
    entered = []

    def hook():
        if not entered:
            entered.append(enter(sys._getframe(1)))
    assert function(hook, 100) == count_up(lambda: None, 100)
    assert entered == [bool(threads)] and len(met) == 1 + threads
