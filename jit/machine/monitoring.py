"""Is somebody tracing? On 3.12 and later the answer is a version number that every (un)registration changes.

Compiled code compares it with a cell holding the version that was current when nobody was tracing. When it differs, the
entry wrapper asks `may_run`; while a tool is active everything is interpreted.

A tool that wants events of single code objects changes no number: `sys.monitoring.set_local_events` is led through machine code that spoils the cell.
Source: CPython Python/instrumentation.c (monitoring_set_local_events).
"""

import ctypes
import sys
from functools import lru_cache
from sys import getprofile, gettrace
from types import BuiltinFunctionType

from asm import Assembler, mem64, rax, rcx, rdx, relative, rsi
from jit.machine.arena import arena, placed
from jit.machine.lookers import definition
from platforms.cpython import back_edges, threads

#: In the cell while the version has to be looked into.
_SPOILT = (1 << 64) - 1


@lru_cache(None)
def version_cell():
    """Address of the cell with the untraced version."""
    address = arena().allocate_data(16)
    ctypes.c_uint64.from_address(address).value = current_version()
    ctypes.c_uint64.from_address(address + 8).value = 0
    if traced():
        ctypes.c_uint64.from_address(address).value = _SPOILT
    return address


def watch_local_events():
    """Notice from now on when a tool other than ours wants events of a code object; not where the program has put something else in the function's place."""
    monitoring = getattr(sys, "monitoring", None)
    function = getattr(monitoring, "set_local_events", None)
    if type(function) is not BuiltinFunctionType or function.__self__ is not monitoring or function.__name__ != "set_local_events":
        return
    asm = Assembler(comments=False)
    ours, other = asm.label("ours"), asm.label("other")
    original = definition(function)
    asm.test(rdx, rdx)  # the number of arguments, which rsi points to
    asm.jz(ours)
    asm.mov(rax, relative(asm.constant(id(monitoring.OPTIMIZER_ID))))
    asm.cmp(mem64(rsi, 0), rax)
    asm.jne(other)
    asm.mov(rax, relative(asm.constant(back_edges.watching())))
    asm.cmp(mem64(rax, 0), 0)
    asm.jne(ours)
    asm.bind(other)
    asm.mov(rcx, _SPOILT)
    asm.mov(relative(version_cell()), rcx)
    asm.bind(ours)
    asm.jmp(relative(asm.constant(original.original)))
    original.lead(placed(asm, "jit::set_local_events"))


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
