"""Whether this process can run compiled code."""

from operator import itemgetter

from jit.switches import flag


class Availability(tuple):
    """(ok, reason): true where functions are compiled; `reason` says why not.

    Not a namedtuple, nor is anything else that is loaded below a running program: to make one evaluates a string, and CPython
    then forgets that a KeyboardInterrupt is ending the program (Python/pythonrun.c, run_eval_code_obj), whose status changes.
    """

    __slots__ = ()
    ok, reason = property(itemgetter(0)), property(itemgetter(1))

    def __new__(cls, ok, reason):
        return tuple.__new__(cls, (ok, reason))

    def __repr__(self):
        return f"Availability(ok={self.ok!r}, reason={self.reason!r})"

    def __bool__(self):
        return self.ok


def examine():
    """Ask the environment, then the platform."""
    if flag("JIT_DISABLE"):
        return Availability(False, "switched off by JIT_DISABLE")
    import platforms
    found = platforms.support()
    return Availability(found.ok, found.reason)
