"""The only package that knows what it runs on: system, processor, CPython.

`support()` answers whether everything the compiler relies on is as it must be here;
it never guesses: what is not known exactly is refused, with the reason. Nothing else in
this package may be used where support() is not ok.
"""

import functools
from collections import namedtuple


class Support(namedtuple("Support", "ok reason")):
    """Whether machine code may be used in this process, and if not, why ("" if ok)."""

    __slots__ = ()


@functools.cache
def support() -> Support:
    """Check the interpreter, the system and every struct offset, once."""
    reason = _refusal()
    return Support(not reason, reason)


def _refusal() -> str:
    # In this order: each step may rely on what the ones before it established, and
    # nothing that needs ctypes or Linux is imported before those are known to be there.
    from platforms.cpython import build

    reason = build.refusal(build.facts())
    if reason:
        return reason
    from platforms import pages
    from platforms.cpython import running, verify

    return pages.probe() or running.refusal() or verify.refusal()


def describe() -> dict:
    """What this process runs on, as plain data for people."""
    from platforms.description import describe

    return describe()
