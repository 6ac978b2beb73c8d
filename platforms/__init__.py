"""The only package that knows what it runs on: system, processor, CPython.

`support()` answers whether everything the compiler relies on is as it must be here;
it never guesses: what is not known exactly is refused, with the reason. Nothing else in
this package may be used where support() is not ok.
"""

from _thread import RLock
from collections import namedtuple


class Support(namedtuple("Support", "ok reason")):
    """Whether machine code may be used in this process, and if not, why ("" if ok)."""

    __slots__ = ()


_support = None
_examining = RLock()


def support() -> Support:
    """Check the interpreter, the system and every struct offset, once; by one thread, the others wait."""
    global _support
    with _examining:
        if _support is None:
            reason = _refusal()
            _support = Support(not reason, reason)
    return _support


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
