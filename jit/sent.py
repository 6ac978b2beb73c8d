"""Exceptions that somebody sends to a thread (PyThreadState_SetAsyncExc) while the compiler works in it: they are the program's.

CPython raises them wherever it looks for signals: at the beginning of functions, at the end of loops' turns and behind calls.
Source: CPython Python/ceval.c, Python/ceval_gil.c (_Py_HandlePending); Python/pystate.c.
"""

import sys

from jit.ours import LEFT_ALONE, PACKAGES
from platforms.cpython import threads

#: Where classes of exceptions come from that are not the program's.
_NOT_THE_PROGRAM = frozenset({*PACKAGES, *sys.stdlib_module_names} - {"__main__"})
#: Classes of which something in the compiler may raise an exception that says nothing.
_RAISED_HERE = (AssertionError, MemoryError, RecursionError, StopIteration)


def was_sent(problem):
    """Whether an exception that was met in the compiler had been sent to this thread.

    It was raised by our own code (not by an audit hook, say), and is of a class of the program's, or of Python's and says nothing, as CPython makes those it raises.
    """
    step = problem.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    if step is None or not step.tb_frame.f_code.co_filename.startswith(LEFT_ALONE):
        return False
    package = str(type(problem).__module__).partition(".")[0]
    return package not in _NOT_THE_PROGRAM or package not in PACKAGES and not problem.args and not isinstance(problem, _RAISED_HERE)


def hand_back(problem):
    """Send an exception that was met in the compiler once more, if it had been sent to this thread; returns whether it had."""
    if was_sent(problem):
        threads.raise_later(type(problem))
        return True
    return False
