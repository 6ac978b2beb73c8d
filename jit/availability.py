"""Whether this process can run compiled code."""

from collections import namedtuple

from jit.switches import flag


class Availability(namedtuple("Availability", "ok reason")):
    """True where functions are compiled; `reason` says why not."""

    __slots__ = ()

    def __bool__(self):
        return self.ok


def examine():
    """Ask the environment, then the platform."""
    if flag("JIT_DISABLE"):
        return Availability(False, "switched off by JIT_DISABLE")
    import platforms
    found = platforms.support()
    return Availability(found.ok, found.reason)
