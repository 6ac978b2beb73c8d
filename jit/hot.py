"""Hot code by itself: switching it on and off.

    detector.py    the clock's samples: what is hot
    loading.py     the compiler is loaded when something is
    budget.py      how much time may go into it
    automatic.py   functions that wait for the budget, or are given back
    eager.py       every function at its first call, for testing
    running_report.py   what came of it
"""

import atexit

from jit.budget import BUDGET
from jit.detector import Detector
from platforms.cpython import collector
from platforms.cpython.audit import QUIET

#: The detector, once there has been one.
DETECTOR = None


def start(threshold=None, eager=False, stats=False, beginning=None):
    """Begin to look for hot functions, or go on.

    Args:
        threshold: samples in which a function must be found. eager: compile every function at its first call instead.
        stats: tell on stderr at the end what became of them. beginning: a Beginning that ends with this, or None.
    """
    global DETECTOR
    QUIET.install()
    if DETECTOR is None:
        DETECTOR = Detector()
        atexit.register(end)
    if threshold is not None:
        DETECTOR.threshold = threshold
    DETECTOR.stats = DETECTOR.stats or stats
    if stats:
        import jit.report  # noqa: F401  what functions had is told of when they die
    if eager:
        DETECTOR.start_eagerly()
    else:
        DETECTOR.start()
    if DETECTOR.compiler is not None:
        DETECTOR.compiler.revive()
    if beginning is not None:
        beginning.end(collector)


def stop():
    """Look for no more, and hand back what was found to the interpreter."""
    if DETECTOR is not None:
        with QUIET:
            DETECTOR.stop()
            if DETECTOR.compiler is not None:
                DETECTOR.compiler.suspend()


def end():
    """The program has ended."""
    with QUIET:
        DETECTOR.stop()
        if DETECTOR.stats:
            from jit.running_report import show
            show(DETECTOR)
        if DETECTOR.compiler is not None:
            DETECTOR.compiler.shut_down()


class Pause:
    """While entered, nothing is found or compiled by itself; what is compiled goes on. For `with`; may be nested."""

    def __enter__(self):
        BUDGET.pauses += 1
        return self

    def __exit__(self, *_):
        BUDGET.pauses -= 1
