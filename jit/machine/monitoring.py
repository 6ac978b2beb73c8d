"""Is somebody tracing? On 3.12 and later the answer is a version number that every (un)registration changes.

Compiled code compares it with a cell holding the version that was current when nobody was tracing. When it differs, the
entry wrapper asks `may_run`; while a tool is active everything is interpreted.
"""

import ctypes
import sys
from functools import lru_cache
from sys import getprofile, gettrace

from jit.machine.arena import arena
from platforms.cpython import back_edges, threads


@lru_cache(None)
def version_cell():
    """Address of the cell with the untraced version."""
    address = arena().allocate_data(16)
    ctypes.c_uint64.from_address(address).value = current_version()
    ctypes.c_uint64.from_address(address + 8).value = 0
    if traced():
        ctypes.c_uint64.from_address(address).value = (1 << 64) - 1
    return address


def current_version():
    """The version as compiled code reads it."""
    check = threads.tracing_check()
    if check[0] == "interp_version":
        return ctypes.c_uint64.from_address(check[1]).value
    return ctypes.c_uint64.from_address(threads.current()() + check[1]).value & check[2]


def traced():
    """Whether a trace function or a profiler is active in this thread, or a monitoring tool is registered.

    A tool may watch single code objects only, which nothing but the code object shows.
    """
    if gettrace() is not None or getprofile() is not None:
        return True
    monitoring = getattr(sys, "monitoring", None)
    if monitoring is None:
        return False
    return any(monitoring.get_tool(tool) is not None and not back_edges.is_ours(tool) for tool in range(6))


def may_run():
    """Accept the present version as untraced, if it is; returns whether compiled code may run."""
    if traced():
        return False
    if threads.tracing_check()[0] == "cframe":
        return True
    ctypes.c_uint64.from_address(version_cell()).value = current_version()
    return True
