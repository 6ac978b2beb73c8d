"""Loops whose compiled versions leave at each turn are entered no more."""

from jit.budget import BUDGET
from jit.entering import MOST_EXITS, Loops


def test_exits_in_a_second(monkeypatch):
    now = 100.0
    monkeypatch.setattr(BUDGET, "clock", lambda: now)
    loops, entry, other = Loops(), object(), object()
    assert not loops.leaves_at_once(entry, 10 * MOST_EXITS)  # nobody knows in how long a time
    now += 1
    assert not loops.leaves_at_once(entry, 11 * MOST_EXITS)
    now += 1
    assert loops.leaves_at_once(entry, 12 * MOST_EXITS + 1)
    assert not loops.leaves_at_once(other, 12 * MOST_EXITS + 1)
    now += 10
    assert not loops.leaves_at_once(entry, 13 * MOST_EXITS)
