"""Whoever looks at the frame of a compiled function while it calls out sees its locals as the interpreter would show them."""

import inspect
import sys
import threading
import traceback
import warnings

import jit
import pytest


def looked(depth=1):
    return dict(sys._getframe(depth).f_locals)


def two_up():
    return looked(3)


def through():
    return two_up()


def by_frame(a, b):
    c = a * 2
    found = looked(1)
    return found, c, b


def of_caller(a):
    b = a + 0.5
    return through(), b


def by_locals(a, b):
    c = [a]
    return locals(), c


def by_dir(a, b):
    c = b
    return dir(), c


def by_vars(a):
    b = a
    return vars(), b


def by_eval(a, b):
    c = a + b
    return eval("a, b, c, c * 2")


def by_exec(a):
    b = []
    exec("b.append(a)")
    return b


def by_map(a, b):
    return list(map(eval, ["a", "b + a"]))


def in_a_loop(n):
    total = 0
    for i in range(n):
        found = looked(1) if i % 3 == 1 else None
        total += i if found is None else len(found) + found["i"] * 2
    return total


def by_stack(a):
    b = a
    frames = inspect.stack()
    return frames[0].function, frames[0].frame.f_locals["b"], frames[0].lineno - frames[0].frame.f_code.co_firstlineno, b


def warned(a):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("look", stacklevel=1)
    return caught[0].lineno - warned.__code__.co_firstlineno, a


def unbound(a, b):
    if a > 10:
        late = 5
    found = looked(1)
    return found


def in_traceback(a):
    b = a + 1
    try:
        return fail(a, b)
    except ValueError as error:
        return [sorted((name, repr(item)) for name, item in frame.f_locals.items() if name in ("a", "b", "c"))
                for frame, _ in traceback.walk_tb(error.__traceback__)]


def fail(a, b):
    c = looked(1)
    raise ValueError(c)


def counted(a):
    b = [a]
    c = b
    return sys.getrefcount(b), c


FUNCTIONS = (by_frame, of_caller, by_locals, by_dir, by_vars, by_eval, by_exec, by_map, in_a_loop, by_stack, warned, unbound, in_traceback,
             counted)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_it_looks_the_same(both, function):
    count = function.__code__.co_argcount
    for arguments in ((7, 3), (2.5, 1), (2**40, 5)):
        if function is in_a_loop:
            arguments = (9,)
        both(function, *arguments[:count])


def test_a_frame_that_is_kept_shows_what_there_was():
    kept = []

    def keep():
        kept.append(sys._getframe(1))

    @jit.jit
    def function(a):
        b = a * 2
        keep()
        b += 1
        return b

    assert [function(5), function(6)] == [11, 13]
    assert [frame.f_locals["a"] for frame in kept] == [5, 6]
    assert [frame.f_locals["b"] for frame in kept] == [11, 13]  # they ran to their ends in the interpreter
    assert kept[0].f_code is function.__code__


def test_another_thread_looks():
    waiting, go_on, found = threading.Event(), threading.Event(), []

    @jit.jit
    def function(a, b):
        c = a + b
        waiting.set()
        go_on.wait(10)
        return c

    thread = threading.Thread(target=lambda: found.append([function(1, 2.5), function(2, 2.5)][0]))
    thread.start()
    assert waiting.wait(10)
    frame = sys._current_frames()[thread.ident]
    while frame.f_code is not function.__code__:
        frame = frame.f_back
    shown = dict(frame.f_locals)
    del frame
    go_on.set()
    thread.join()
    assert found == [3.5]
    assert shown["a"] == 1 and shown["b"] == 2.5 and shown["c"] == 3.5


@pytest.mark.skipif(sys.version_info < (3, 13), reason="frames' locals cannot be written to before Python 3.13")
def test_locals_written_through_a_frame():
    def change():
        sys._getframe(1).f_locals["b"] = [1, 2]

    @jit.jit
    def function(a):
        b = [a]
        change()
        return b

    assert [function(1), function(2)] == [[1, 2]] * 2


def test_methods_with_super():
    class Base:
        def value(self, a):
            return a + 1

    class Derived(Base):
        @jit.jit
        def value(self, a):
            return super().value(a) * 2

    assert [Derived().value(n) for n in (1, 2.5, 3)] == [4, 7.0, 8]


def test_the_builtins_stay_what_they_are():
    jit.jit(by_locals)(1, 2)
    assert locals.__name__ == "locals" and eval("1 + 1") == 2 and eval("x", {"x": 5}) == 5
    assert dir.__doc__ and vars(jit) is jit.__dict__ and exec("pass") is None
    assert "sys" in dir(sys.modules[__name__]) and type(sys._getframe().f_locals) is not None


def test_the_recursion_of_frames_built_late():
    """Locals of callers are built from where their values are while they are suspended."""
    @jit.jit
    def down(n, x):
        y = x + n
        if n == 0:
            return look()
        found = down(n - 1, y)
        return found

    def look():
        frame, found = sys._getframe(1), []
        while frame.f_code is down.__code__:
            found.append((frame.f_locals["n"], frame.f_locals["x"], frame.f_locals["y"]))
            frame = frame.f_back
        return found

    results = [down(5, 0.5) for _ in range(4)]
    assert results[0] == results[3] and len(results[0]) == 6
    assert results[0][0] == (0, 0.5 + 15, 0.5 + 15) and results[0][-1] == (5, 0.5, 5.5)
