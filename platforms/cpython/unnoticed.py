"""Callbacks of ours that the program does not notice: of weak references, and finalisers.

They are called whenever something dies, in the middle of anything: at the end of what recursion is allowed, where an exception of theirs
would be reported, or under a trace function or a profiler, which would see them.

Source: CPython Objects/weakrefobject.c (handle_callback), Objects/typeobject.c (slot_tp_finalize): both go through the vectorcall pointer.
"""

import functools

from platforms.cpython import entry, undisturbed


@functools.cache
def _entrance():
    """The address of an entry of Python functions."""
    return undisturbed.caller(entry.original_vectorcall())


def unnoticed(function):
    """Let C code call a Python function undisturbed; returns it. What Python code calls is not changed on 3.11."""
    entry.set_vectorcall(function, _entrance())
    return function
