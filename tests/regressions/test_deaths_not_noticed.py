"""Compiled functions die anywhere: the compiler gives their code back without the program's noticing, and without fail."""

import sys

import pytest

import jit
from jit.machine.arena import arena


def make():
    """A compiled function with code of its own."""
    namespace = {}
    exec("def f(i): return i + 1", namespace)
    function = jit.jit(namespace.pop("f"))
    assert function(2) == 3
    return function


def drop(functions):
    """Drop one at each level, to the end of what recursion is allowed."""
    function = functions.pop()
    function(1)
    function = None
    return drop(functions)


def test_at_the_end_of_recursion(monkeypatch):
    for _ in range(2):
        make()
    used = arena().statistics()["code_bytes_used"]
    reports = []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: reports.append(str(report.exc_value)))
    limit, depth = sys.getrecursionlimit(), 0
    frame = sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    for levels in range(30, 50):
        functions = [make() for _ in range(60)]
        sys.setrecursionlimit(depth + levels)
        try:
            with pytest.raises(RecursionError):
                drop(functions)
        finally:
            sys.setrecursionlimit(limit)
        del functions
    assert not reports
    assert arena().statistics()["code_bytes_used"] <= used + 4096


@pytest.mark.parametrize("switch", [sys.settrace, sys.setprofile])
def test_under_a_tracer(switch):
    function, seen = make(), []

    def tracer(frame, event, argument):
        seen.append(frame.f_code.co_filename)
        return tracer

    switch(tracer)
    function = None
    switch(None)
    assert function is None and not [name for name in seen if "/jit/" in name or "/platforms/" in name]
