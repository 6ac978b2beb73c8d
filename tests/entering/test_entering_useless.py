"""Loops whose compiled versions leave at each turn are entered no more."""

import pytest

from entered import ENTERING, both
from jit.budget import BUDGET
from jit.entering import MOST_EVENTS, MOST_EXITS, Loops
from platforms.cpython.back_edges import PATIENCE, PATIENCE_AGAIN
from platforms.cpython.layout import layout


@pytest.mark.parametrize("exits, events", [(MOST_EXITS, 0), (0, MOST_EVENTS), (MOST_EXITS, MOST_EVENTS)])
def test_exits_and_events_in_a_second(monkeypatch, exits, events):
    now = 100.0
    monkeypatch.setattr(BUDGET, "clock", lambda: now)
    loops, entry, other = Loops(), object(), object()
    assert not loops.leaves_at_once(entry, 10 * exits, 10 * events)  # nobody knows in how long a time
    now += 1
    assert not loops.leaves_at_once(entry, 11 * exits, 11 * events)
    now += 1
    assert loops.leaves_at_once(entry, 12 * exits + 1, 12 * events + 1)
    assert not loops.leaves_at_once(other, 12 * exits + 1, 12 * events + 1)
    now += 10
    assert not loops.leaves_at_once(entry, 13 * exits, 13 * events)


def interpreted(n):
    for _ in range(n):
        n -= 1
    return n


def leaving_each_time(hook, n):
    total = 0
    for i in range(n):
        hook()

        def made(x: int):  # is left to the interpreter
            return x
        total += interpreted(2000)  # more events than a frame that has just left is waited for
    return total, made(i)


def test_the_frame_is_waited_for_for_a_short_time():
    """Whatever it calls is traced meanwhile on 3.11, and takes several times as long."""
    before, at = ENTERING.trap.in_vain, (3, 13, 23, 33, 43)
    both(leaving_each_time, 60, at=at)
    assert ENTERING.trap.in_vain - before <= len(at) * (PATIENCE + 2 * PATIENCE_AGAIN)
    assert layout().cframe_use_tracing is None or ENTERING.trap.in_vain - before >= PATIENCE_AGAIN
