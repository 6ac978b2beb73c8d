"""Who a finaliser sees below it, where garbage is collected while compiled code runs: the program's functions, and nobody of ours."""

import gc
import signal
import sys
import traceback

import pytest

import jit


@pytest.fixture
def collecting():
    """Garbage is collected often."""
    thresholds, enabled = gc.get_threshold(), gc.isenabled()
    gc.enable()
    gc.collect()
    gc.set_threshold(100)
    yield
    gc.set_threshold(*thresholds)
    if not enabled:
        gc.disable()


def ours(names):
    return [name for name in names if "/jit/" in name or "/platforms/" in name]


def test_finalisers_of_garbage(collecting):
    seen = []

    class Noting:
        def __del__(self):
            frame = sys._getframe(1)
            while frame is not None:
                seen.append(frame.f_code.co_filename)
                frame = frame.f_back

    def work(count):
        total = 0
        for i in range(count):
            item = Noting()
            item.me = item
            total += i
        return total

    jit.jit(work)
    for _ in range(5):
        assert work(500) == 124750
    assert len(seen) > 2000
    assert not sorted(set(ours(seen)))


def test_traceback_of_a_signal_handler_that_raises(collecting):
    def handler(number, frame):
        raise ValueError(frame.f_code.co_name)

    def work(count):
        kept = []
        for i in range(count):
            kept.append([i])
            if i == 900:
                signal.raise_signal(signal.SIGUSR1)
        return len(kept)

    jit.jit(work)
    assert work(800) == 800
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        with pytest.raises(ValueError, match="work") as caught:
            work(5000)
    finally:
        signal.signal(signal.SIGUSR1, before)
    names = [entry.name for entry in traceback.extract_tb(caught.value.__traceback__)]
    assert names[1:] == ["work", "handler"]
