"""Locks that are held while the process forks.

Problem: a fork while another thread is at work below one of our locks would leave the child a lock that is never released, and
half-changed tables. Idea: whoever forks takes all of them first, in the order in which they are taken elsewhere.

What registers functions for forks imports this module first where it must be done with its own before the locks are taken:
such functions are called in reverse order.

Source: CPython Modules/posixmodule.c (os_fork_impl, warn_about_fork_with_threads).
"""

import os
import sys
from _thread import RLock as _Lock
from collections import deque
from collections.abc import Callable, Iterable

#: os.fork() looks for other threads, last of all, and warns of them.
WARNS_OF_THREADS = sys.version_info >= (3, 12)

_sources: list[Callable[[], Iterable]] = []
# What this thread holds because it forks: locks may come to be meanwhile.
_held: deque = deque()


def hold(locks: Callable[[], Iterable], first: bool = False) -> None:
    """From now on the locks that a function names are held while the process forks; before those of others if they are `first`."""
    _sources.insert(0 if first else len(_sources), locks)


def _before() -> None:
    for locks in list(_sources):
        _held.extend(filter(_Lock.acquire, locks()))  # in one go: an exception that is sent to this thread comes before or behind it


def _after() -> None:
    while _held:
        _held.pop().release()


os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_after)
