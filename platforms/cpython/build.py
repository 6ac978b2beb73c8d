"""Which interpreters are known: decided from plain facts, before anything else is touched.

`facts()` only asks what every Python on every system can answer; `refusal()` is a pure
function of them, so each refusal can be tested anywhere.
"""

import os
import sys
from types import SimpleNamespace

from platforms.cpython.layout import VERSIONS


class Facts(SimpleNamespace):
    """What decides whether this build of Python is known.

    implementation     sys.implementation.name
    version            (major, minor)
    release_level      "alpha", "beta", "candidate" or "final"
    system, machine    as sys.platform and uname give them
    pointer_bits       64 or 32
    debug              Py_DEBUG or Py_REF_DEBUG
    trace_references   Py_TRACE_REFS: two more words in every object
    free_threaded      Py_GIL_DISABLED
    statistics         --enable-pystats
    has_ctypes         ctypes and ctypes.pythonapi are there
    """


def facts() -> Facts:
    """The facts about the running interpreter."""
    flags = getattr(sys, "abiflags", "")
    return Facts(
        implementation=sys.implementation.name,
        version=tuple(sys.version_info[:2]),
        release_level=sys.version_info[3],
        system=sys.platform,
        machine=os.uname().machine if hasattr(os, "uname") else "",
        pointer_bits=sys.maxsize.bit_length() + 1,
        debug="d" in flags or hasattr(sys, "gettotalrefcount"),
        trace_references=hasattr(sys, "getobjects"),
        free_threaded="t" in flags or "free-threading" in sys.version,
        statistics=hasattr(sys, "_stats_on"),
        has_ctypes=_has_ctypes(),
    )


def _has_ctypes() -> bool:
    try:
        import ctypes
    except ImportError:
        return False
    return hasattr(ctypes, "pythonapi")


def refusal(known: Facts) -> str:
    """Why this build is not supported, or ""."""
    version = ".".join(map(str, known.version))
    released = known.release_level in ("candidate", "final")
    processor = f"{known.machine} ({known.pointer_bits} bits)"
    reasons = (
        (known.implementation != "cpython", f"not CPython but {known.implementation}"),
        (known.version not in VERSIONS, f"CPython {version} is not known, only {_known_versions()}"),
        (not released, f"CPython {version} {known.release_level} is not a release"),
        (known.system != "linux", f"the system is {known.system}, not linux"),
        (processor != "x86_64 (64 bits)", f"the processor is {processor}, not x86_64 (64 bits)"),
        (known.debug, "a debug build"),
        (known.trace_references, "a build that traces references (Py_TRACE_REFS)"),
        (known.free_threaded, "a free-threaded build"),
        (known.statistics, "a build that gathers statistics (--enable-pystats)"),
        (not known.has_ctypes, "this build has no ctypes"),
    )
    return next((reason for applies, reason in reasons if applies), "")


def _known_versions() -> str:
    return ", ".join(".".join(map(str, version)) for version in VERSIONS)
