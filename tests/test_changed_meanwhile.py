"""What other threads change while the compiler looks at it makes it look again, or at once, and never wrong."""

import sys
import threading
import time
import warnings
from types import SimpleNamespace

import pytest

import jit
from jit import resuming
from jit.dispatch import COMPILER
from jit.types import LIST, exact, shape_of


@pytest.fixture
def another_thread():
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    yield
    end.set()
    thread.join()


def failing(monkeypatch, times, owner=COMPILER, name="compile"):
    """Let compilations fail so many times, as where a key is gone that was there a moment ago."""
    compile_it, left = getattr(owner, name), [times]

    def compile_or_fail(*arguments):
        if left[0]:
            left[0] -= 1
            raise KeyError("gone")
        return compile_it(*arguments)

    monkeypatch.setattr(owner, name, compile_or_fail)
    return left


def decorated():
    @jit.jit
    def double(x):
        return x + x
    return double


def test_it_is_tried_again(monkeypatch, another_thread):
    left = failing(monkeypatch, 1)
    double = decorated()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert double(2) == 4
    assert left == [0] and len(jit.explain(double).versions) == 1


@pytest.mark.parametrize("times, threads", [(1, 0), (2, 1)])
def test_but_once_and_not_without_other_threads(monkeypatch, times, threads):
    monkeypatch.setattr("jit.dump.CHECK", False)
    monkeypatch.setattr("jit.attempts._thread", SimpleNamespace(_count=lambda: threads))  # there may be some that tests have left, or run in
    left = failing(monkeypatch, times)
    double = decorated()
    with pytest.warns(RuntimeWarning, match="internal error: KeyError"):
        assert double(2) == 4
    assert left == [0] and not jit.explain(double).versions


def numbers():
    """A function that makes generators, of code that nothing is known of."""
    def count(n):
        while n:
            yield n
            n -= 1
            yield -n
    count.__code__ = count.__code__.replace()
    return jit.jit(count)


def parts_of(generator):
    return COMPILER.generators.record_of(generator.gi_code).parts


@pytest.mark.parametrize("finish", [next, list, lambda generator: generator.close()])
def test_a_generator_that_another_thread_resumes(monkeypatch, finish):
    """Its frame holds what has been freed, or other things: what was looked at before is what counts."""
    is_wanted, others = resuming.Generators.is_wanted, []

    def go_on(record, offset):
        if not others:
            others.append(finish(generator))
        return is_wanted(record, offset)

    monkeypatch.setattr(resuming.Generators, "is_wanted", staticmethod(go_on))
    count = numbers()
    generator = count(9)
    found = list(generator)
    everything = [x for n in range(9, 0, -1) for x in (n, 1 - n)]
    assert others and found == everything[:1] + (everything[2:] if finish is next else [])
    assert parts_of(generator) and list(count(9)) == everything


@pytest.mark.parametrize("failures", [1, 2])
def test_generators_are_tried_again(monkeypatch, another_thread, failures):
    monkeypatch.setattr("jit.dump.CHECK", False)
    failing(monkeypatch, failures, resuming, "compile_entered")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        generator = numbers()(9)
        assert sum(generator) == 9
    assert [str(each.message).split("; ")[0].split(": ", 2)[2] for each in warned] == ["internal error: KeyError('gone')"] * (failures - 1)


def test_containers_that_are_emptied():
    """Their first item is looked at while others come and go."""
    items, mapping, end = [1], {"x": 1}, time.monotonic() + 0.4

    def change():
        turn = 0
        while time.monotonic() < end:
            turn += 1
            items.append(turn)
            mapping[turn] = turn
            items.clear()
            mapping.clear()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=change)
    try:
        thread.start()
        while time.monotonic() < end:
            assert shape_of(items).type is LIST and shape_of(mapping).type is exact(dict)
            assert shape_of([items, (1, items)]).element.type is LIST
    finally:
        thread.join()
        sys.setswitchinterval(interval)
