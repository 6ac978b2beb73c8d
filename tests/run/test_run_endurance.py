"""Threads that redefine what they run, and definitions that come and go: a few seconds of what `tests/run/endurance` does for long."""

import pytest

from comparing import PROGRAMS, run

ENDURANCE = PROGRAMS.parent / "endurance"


@pytest.mark.parametrize("options", [[], ["--eager"]], ids=["hot", "eager"])
def test_threads_that_redefine_what_they_run(options):
    status, output, errors = run([str(ENDURANCE / "threads.py"), "3"], options, timeout=300)
    assert (status, errors) == (0, ""), output


@pytest.mark.parametrize("options, times", [([], "4000"), (["--eager"], "40")], ids=["hot", "eager"])
def test_memory_stays_flat(options, times):
    status, output, errors = run([str(ENDURANCE / "memory.py"), times], options, timeout=300)
    assert (status, errors) == (0, ""), output
