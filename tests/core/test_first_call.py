"""The entry that functions share before their first call."""

import sys
import threading

import jit
from jit.dispatch import COMPILER
from platforms.cpython import observe
from platforms.cpython.layout import layout


def vectorcall(function):
    return observe.read(id(function) + layout().function_vectorcall)


def fresh(text="lambda a, b=2, *, c=0: a"):
    return jit.jit(eval(text))


def test_it_is_shared_until_the_first_call():
    one, two = (fresh("lambda a, b=2: a * b") for _ in range(2))
    assert vectorcall(one) == vectorcall(two) == COMPILER.first.address
    assert one(3) == 6
    assert vectorcall(one) != vectorcall(two)
    assert jit.explain(one).versions and jit.explain(two).state == "waiting"


def test_first_calls_of_every_kind():
    text = "lambda a, b=2: (a, b)"
    assert fresh(text)(1) == (1, 2)
    assert fresh(text)(1, b=5) == (1, 5)
    assert fresh(text)(b=5, a=4) == (4, 5)
    assert fresh(text)(*(7, 8)) == (7, 8)
    assert fresh(text)(**{"a": 9}) == (9, 2)
    for wrong in ((), (1, 2, 3)):
        try:
            fresh(text)(*wrong)
        except TypeError as error:
            assert "positional argument" in str(error)
        else:
            raise AssertionError("no TypeError")


def test_methods():
    class Thing:
        @jit.jit
        def double(self, n):
            return n * 2

    thing = Thing()
    assert thing.double(4) == 8 and thing.double(n=5) == 10
    assert jit.explain(Thing.double).state == "compiled"


def test_a_traced_first_call_shows_its_lines_and_nothing_else():
    function, events = fresh("lambda a: a + 1"), []

    def trace(frame, event, argument):
        events.append((frame.f_code.co_name, event))
        return trace

    sys.settrace(trace)
    try:
        result = function(1)
    finally:
        sys.settrace(None)
    assert result == 2
    assert {name for name, _ in events if name != "trace"} == {"<lambda>"}


def test_at_the_end_of_the_stack():
    """Where there is room for the call but not for compiling it is interpreted, and compiled another time."""
    function = fresh("lambda a: a + 1")

    def down(n):
        try:
            return down(n + 1)
        except RecursionError:
            try:
                return function(1)
            except RecursionError:
                return None

    assert down(0) in (2, None)
    assert function(1) == 2 and function(2.5) == 3.5
    assert jit.explain(function).versions


def test_many_threads_at_once():
    functions = [fresh("lambda a: a * 3") for _ in range(30)]
    barrier, results = threading.Barrier(4), []

    def work():
        barrier.wait()
        results.append([function(7) for function in functions])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[21] * 30] * 4


def test_decorating_does_not_assemble_anything():
    before = COMPILER.first
    functions = [fresh("lambda a: a") for _ in range(50)]
    assert COMPILER.first is before and len({vectorcall(function) for function in functions}) == 1


def test_code_replaced_before_the_first_call():
    function = fresh("lambda a: a + 1")
    function.__code__ = (lambda a: a - 1).__code__
    assert [function(5), function(5)] == [4, 4]
    function = fresh("lambda a: a + 1")
    function.__code__ = (lambda *a: a).__code__
    assert [function(5), function(5, 6)] == [(5,), (5, 6)]
