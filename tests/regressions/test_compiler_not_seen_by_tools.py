"""What traces or monitors the program does not see the compiler that is asked meanwhile: each function is then called for the first time, or misses."""

import sys

import pytest

import jit


def make():
    def helper(i):
        x = i + 1
        return x * 2

    def other(i):
        return "other", i

    return jit.jit(helper), other


def ours(names):
    return [name for name in names if "/jit/" in name or "/platforms/" in name]


@pytest.mark.parametrize("switch", [sys.settrace, sys.setprofile])
def test_function_with_another_code(switch):
    helper, other = make()
    assert helper(1) == 4
    helper.__code__ = other.__code__
    seen = []

    def tracer(frame, event, argument):
        seen.append(frame.f_code.co_filename)
        return tracer

    switch(tracer)
    try:
        result = helper(2)
    finally:
        switch(None)
    assert result == ("other", 2) and seen and not ours(seen)


@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="sys.monitoring came with 3.12")
@pytest.mark.parametrize("calls", [((1,),), ((1,), (2.5,)), ((1,), (1,), (2.5,))])
def test_monitoring(calls):
    helper, _ = make()
    for arguments in calls[:-1]:
        helper(*arguments)
    seen, monitoring = [], sys.monitoring
    monitoring.use_tool_id(4, "test")
    monitoring.register_callback(4, monitoring.events.PY_START, lambda code, _: seen.append(code.co_filename))
    monitoring.set_events(4, monitoring.events.PY_START)
    try:
        result = helper(*calls[-1])
    finally:
        monitoring.set_events(4, 0)
        monitoring.register_callback(4, monitoring.events.PY_START, None)
        monitoring.free_tool_id(4)
    assert result == (calls[-1][0] + 1) * 2
    assert seen == [__file__]
