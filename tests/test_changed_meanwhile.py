"""What other threads change while the compiler looks at it makes it look again, or at once, and never wrong."""

import sys
import threading
import time
import warnings
from types import SimpleNamespace

import pytest

import jit
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


def failing(monkeypatch, times):
    """Let compilations fail so many times, as where a key is gone that was there a moment ago."""
    compile_version, left = COMPILER.compile, [times]

    def compile_or_fail(*arguments):
        if left[0]:
            left[0] -= 1
            raise KeyError("gone")
        return compile_version(*arguments)

    monkeypatch.setattr(COMPILER, "compile", compile_or_fail)
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
    monkeypatch.setattr("jit.dispatch._thread", SimpleNamespace(_count=lambda: threads))  # there may be some that tests have left, or run in
    left = failing(monkeypatch, times)
    double = decorated()
    with pytest.warns(RuntimeWarning, match="internal error: KeyError"):
        assert double(2) == 4
    assert left == [0] and not jit.explain(double).versions


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
