"""What is made before the program begins is not in the collector's lists."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jit.beginning import Beginning
from platforms.cpython import collector

ROOT = str(Path(__file__).parents[2])
SEEN = """
import gc
seen = list(map(id, gc.get_objects()))
state = gc.isenabled(), gc.get_count()[0] < gc.get_threshold()[0], gc.get_freeze_count(), gc.callbacks
import ctypes
loop = [ctypes]
loop.append(loop)
del loop
print(state, id(ctypes) in seen, id(ctypes.CDLL) in seen, id(vars(ctypes)) in seen, gc.collect(), len(seen))
"""


def run(*options, **environment):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JIT_")} | environment
    done = subprocess.run([sys.executable, *options], capture_output=True, text=True, timeout=60, env=environment | {"PYTHONPATH": ROOT})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.rsplit(None, 2)


@pytest.mark.parametrize("options", [[], ["--eager"]], ids=["hot", "eager"])
def test_a_program_finds_nothing_of_it(options):
    plain, compiled = run("-c", SEEN), run("-m", "jit", "run", *options, "-c", SEEN)
    assert compiled[:2] == plain[:2] and compiled[0].startswith("(True, True, ")
    if not options:
        # The rest had been imported before (runpy, what it needs, this package), or is made where modules must be compiled (classes of syntax trees).
        assert int(compiled[2]) < int(plain[2]) + 1700


def made():
    return [[] for _ in range(100)]


def are_seen(items):
    return [any(item is other for other in gc.get_objects()) for item in items]


def test_what_is_made_meanwhile_is_hidden_and_dies():
    before = [[], []]
    beginning = Beginning()
    items = made()
    assert not gc.isenabled()
    beginning.end(collector)
    after = [[], []]
    assert gc.isenabled() and set(are_seen(items)) == {False} and set(are_seen(before + after)) == {True}
    assert all(map(gc.is_tracked, items))
    del items[::2], items[0], items[-1]
    gc.collect()
    assert set(are_seen(items)) == {False}


def test_the_collector_stays_off():
    gc.disable()
    try:
        Beginning().end(collector)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_nothing_is_hidden_if_all_has_been_collected_meanwhile():
    beginning = Beginning()
    items = made()
    gc.collect()
    late = made()
    beginning.end(collector)
    assert set(are_seen(items + late)) == {True}


def test_nothing_between_two_lists():
    first, last = [], []
    collector.hide_between(first, last)
    collector.hide_between(last, first)
    assert are_seen([first, last]) == [True, True]
