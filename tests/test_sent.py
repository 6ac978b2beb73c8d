"""Exceptions sent to a thread while our code runs in it reach the program, and leave nothing locked or given up.

They are sent by C code without arguments that our code calls, so that CPython raises them right behind that call.
"""

import ctypes
import functools
import threading
from types import SimpleNamespace

import pytest

import jit
from jit import misses
from jit.detector import Detector
from jit.dispatch import COMPILER
from platforms import forks
from platforms.memory import CodeArena


class Stop(Exception):
    """The program's."""


KINDS = (Stop, RuntimeError, TimeoutError, ValueError, SystemExit, KeyboardInterrupt)


def sending(kind):
    """A C function that sends an exception to this thread and returns 1."""
    send = ctypes.PyDLL(None).PyThreadState_SetAsyncExc
    return functools.partial(send, ctypes.c_ulong(threading.get_ident()), ctypes.py_object(kind))


def is_free(lock):
    """Whether another thread could take it."""
    found = []

    def look():
        found.append(lock.acquire(blocking=False))
        if found[0]:
            lock.release()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.parametrize("kind", KINDS)
def test_while_a_function_is_compiled(monkeypatch, kind):
    @jit.jit
    def double(x):
        return x + x

    with monkeypatch.context() as patch:
        patch.setattr(misses, "monitoring", SimpleNamespace(may_run=sending(kind)))
        with pytest.raises(kind):
            double(1)
    assert is_free(COMPILER.lock)
    assert [double(2), double(3)] == [4, 6]
    assert len(jit.explain(double).versions) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_while_the_clock_looks(monkeypatch, kind):
    detector = Detector()
    detector.sampler = SimpleNamespace(running=True, delay=0.0, work=None)
    detector.loading = True
    monkeypatch.setattr(detector, "load_further", sending(kind))
    with pytest.raises(kind):
        answer = detector.sample([False])
        if answer is not None:  # as the clock does
            raise answer
        (lambda: None)()
    assert not detector.given_up and not detector.busy


def test_an_error_of_ours_is_none_that_was_sent(monkeypatch):
    detector = Detector()
    detector.sampler = SimpleNamespace(running=True, delay=0.0, work=lambda wanted: None)
    detector.loading = True
    monkeypatch.setattr(detector, "load_further", functools.partial(int, "wrong"))
    assert detector.sample([False]) is None
    assert detector.given_up and isinstance(detector.problem, ValueError)


def test_a_lock_that_has_just_been_taken(monkeypatch):
    """It is released again."""
    released = []
    lock = SimpleNamespace(acquire=sending(Stop), release=lambda: released.append(True))
    with pytest.raises(Stop):
        type(COMPILER).do_unless_busy(SimpleNamespace(lock=lock), lambda: None)
    assert released == [True]

    arena = CodeArena(1 << 16)
    address = arena.allocate_data(64)
    monkeypatch.setattr(arena, "_lock", lock)
    monkeypatch.setattr(arena, "_take_up_freed", lambda: None)
    with pytest.raises(Stop):
        arena.free_data(address)
    assert released == [True, True]


def test_a_lock_that_another_thread_has():
    done = []
    with COMPILER.lock:
        thread = threading.Thread(target=lambda: done.append(COMPILER.do_unless_busy(done.append, "work")))
        thread.start()
        thread.join()
    assert done == [None]
    COMPILER.do_unless_busy(done.append, "work")
    assert done == [None, "work"]


def test_locks_held_while_the_process_forks():
    """Each that was taken is known to be held, whenever an exception comes."""
    locks = [threading.RLock(), threading.RLock()]
    source = lambda: locks  # noqa: E731
    forks.hold(source)
    try:
        forks._before()
        try:
            assert not any(map(is_free, locks))
        finally:
            forks._after()
        assert all(map(is_free, locks))
    finally:
        forks._sources.remove(source)
