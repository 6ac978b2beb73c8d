"""Runs functions plainly and with their loops entered while they run, and compares."""

import gc
import sys
import traceback
from types import FunctionType

from jit.dispatch import COMPILER
from jit.entering import LoopEntering
from platforms.cpython import observe
from platforms.cpython.layout import layout

ENTERING = LoopEntering(COMPILER)
#: Called in a loop, the hook lets its caller's loop be entered at these calls.
AT = (3, 7, 50, 51, 200)


def enter(frame):
    """Let the loop a frame is in be entered; returns whether that is under way. The caller must not keep the frame."""
    function = function_of(frame)
    address = observe.read(id(frame) + layout().frame_object_frame)
    del frame
    return ENTERING.enter(function, address)


def function_of(frame):
    import ctypes
    address = observe.read(id(frame) + layout().frame_object_frame)
    function = ctypes.cast(observe.read(address + layout().frame_function), ctypes.py_object).value
    assert type(function) is FunctionType or isinstance(function, FunctionType)
    return function


class Hook:
    """Called once per turn by the functions under test."""

    def __init__(self, at):
        self.at, self.count = at, 0

    def __call__(self):
        self.count += 1
        if self.count in self.at:
            enter(sys._getframe(1))


def outcome(function, at, *arguments):
    """(kind of end, result or exception, lines of its traceback)"""
    try:
        result = "returned", function(Hook(at), *arguments), None
    except BaseException as problem:
        lines = [(step.name, step.lineno - function.__code__.co_firstlineno, step.line, step.colno, step.end_colno)
                 for step in traceback.extract_tb(problem.__traceback__) if step.filename == function.__code__.co_filename]
        result = "raised", (type(problem), str(problem)), lines
        problem.__traceback__ = None
    ENTERING.trap.clear()
    gc.collect()
    return result


def fresh(function):
    """The same function as another object, so that nothing is compiled of it yet."""
    copy = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    copy.__qualname__, copy.__kwdefaults__ = function.__qualname__, function.__kwdefaults__
    return copy


def both(function, *arguments, entered=1, at=AT):
    """Run it both ways; `entered`: at least so many times a frame must have been caught."""
    expected = outcome(fresh(function), (), *arguments)
    compiled = fresh(function)
    before = ENTERING.trap.caught
    actual = outcome(compiled, at, *arguments)
    assert repr(actual) == repr(expected)
    assert ENTERING.trap.caught - before >= entered
    return compiled
