"""Checks of the layout of thread and interpreter state, and of the data stack.

The thread state changes with every call, so its fields are read through ctypes cells
made beforehand: taking `.value` of one runs no Python code and pushes no frame.
A check yields (field, found, expected); see verify.py.
"""

import ctypes
import gc
import os
import sys
from _thread import get_ident, get_native_id
from types import FunctionType

from platforms import pages
from platforms.cpython import collector, symbols, threads, undisturbed
from platforms.cpython.observe import read

# uint64 around(word, function, a, b, c, d): the low 32 bits of a word before and after calling
# function(a, b, c, d), as before | after << 32, with the GIL held throughout
_AROUND = bytes.fromhex(
    "53"  # push rbx
    "41 54"  # push r12
    "41 55"  # push r13                  aligns the stack
    "48 89 FB"  # mov rbx, rdi
    "44 8B 23"  # mov r12d, [rbx]
    "48 89 F0"  # mov rax, rsi
    "48 89 D7"  # mov rdi, rdx
    "48 89 CE"  # mov rsi, rcx
    "4C 89 C2"  # mov rdx, r8
    "4C 89 C9"  # mov rcx, r9
    "FF D0"  # call rax
    "8B 03"  # mov eax, [rbx]
    "48 C1 E0 20"  # shl rax, 32
    "4C 09 E0"  # or rax, r12
    "41 5D"  # pop r13
    "41 5C"  # pop r12
    "5B"  # pop rbx
    "C3"  # ret
)
# int nothing(): a pending call that succeeds
_NOTHING = bytes.fromhex(
    "31 C0"  # xor eax, eax
    "C3"  # ret
)
_EVENTS = 0xFF  # of thread_eval_breaker; the bits above are the instrumentation version
_TRACED = 255  # of cframe_use_tracing
_MOST_PENDING = 32  # NPENDINGCALLS, of (function, argument), followed by the first's number and that behind the last (Include/internal/pycore_interp.h)
_ATTEMPTS = 20  # another thread may want the GIL at any moment
_MADE, _REUSED = 300, 100  # lists that are made to see them counted, and that CPython may have kept of dead ones


class _Cells:
    """ctypes views of the fields of this thread's state, as attributes."""

    _SIZES = {name: ctypes.c_int32 for name in ("recursion_remaining", "recursion_limit", "c_recursion_remaining")}

    def __init__(self, fields):
        self.state = threads.current()()
        for name, offset in vars(fields).items():
            if name.startswith("thread_") and offset is not None:
                name = name.removeprefix("thread_")
                kind = self._SIZES.get(name, ctypes.c_uint64)
                setattr(self, name, kind.from_address(self.state + offset))


def checks(fields, peeker):
    """All checks of this module."""
    cells = _Cells(fields)
    yield from _identity(fields, cells)
    yield from _recursion(fields, cells)
    yield from _data_stack(fields, peeker, cells)
    yield from _current_frame(fields, peeker, cells)
    yield from _handled_exception(fields, peeker, cells)
    yield from _tracing(fields, cells)
    yield from _eval_breaker(fields, cells)
    yield from _collections(fields, peeker)


def _identity(_, cells):
    yield "thread_interp", cells.interp.value, threads.interpreter()
    yield "thread_id", cells.id.value, symbols.function("PyThreadState_GetID", ctypes.c_uint64, ctypes.c_uint64)(cells.state)
    yield "thread_ident", cells.ident.value, get_ident()


def _recursion(fields, cells):
    remaining = cells.recursion_remaining
    yield "thread_recursion_limit", cells.recursion_limit.value, sys.getrecursionlimit()
    outer = remaining.value
    inner = (lambda: remaining.value)()
    yield "thread_recursion_remaining", outer - inner, 1
    yield "thread_recursion_remaining", 0 < inner < cells.recursion_limit.value, True
    if fields.thread_c_recursion_remaining is not None:
        remaining = cells.c_recursion_remaining
        outer = remaining.value
        inner = next(map(lambda _: remaining.value, (0,)))
        innermost = next(map(lambda _: next(map(lambda _: remaining.value, (0,))), (0,)))
        yield "thread_c_recursion_remaining", (outer > inner > 0, outer - inner), (True, inner - innermost)


def _data_stack(fields, peeker, cells):
    chunk, top, limit, frame, size = _observe_data_stack(fields, cells)
    yield "thread_datastack_top", top, frame + 8 * size
    length = peeker.number(chunk + fields.chunk_size)
    yield "thread_datastack_chunk", length is not None, True
    yield "chunk_size", chunk + length, limit
    yield "thread_datastack_limit", chunk + fields.chunk_data < top <= limit, True
    # Call a function with a large frame until the interpreter has to begin a new chunk.
    large = FunctionType(_cross.__code__.replace(co_stacksize=1500), {"sys": sys, "read": read})
    chunk, top = cells.datastack_chunk, cells.datastack_top
    before, after, frame, left, entered = large(large, fields, peeker, chunk, top, None)
    yield "thread_datastack_chunk", (before[0] != after[0], after[0] + fields.chunk_data), (True, frame)
    yield "chunk_data", frame, after[0] + fields.chunk_data
    yield "chunk_previous", int.from_bytes(entered[fields.chunk_previous :][:8], "little"), before[0]
    used = int.from_bytes(left[fields.chunk_top :][:8], "little")
    yield "chunk_top", before[0] + fields.chunk_data + 8 * used, before[1]


def _cross(again, fields, peeker, chunk, top, before):
    """Recurse until the data stack's chunk changes; what is then in and about both chunks."""
    now = (chunk.value, top.value)
    if before is None or before[0] == now[0]:
        return again(again, fields, peeker, chunk, top, now)
    frame = read(id(sys._getframe()) + fields.frame_object_frame)
    left, entered = peeker.copy(before[0], fields.chunk_data), peeker.copy(now[0], fields.chunk_data)
    return before, now, frame, left or b"", entered or b""


def _observe_data_stack(fields, cells):
    frame = sys._getframe()
    code = frame.f_code
    slots = len({*code.co_varnames, *code.co_cellvars, *code.co_freevars})
    size = slots + code.co_stacksize + fields.frame_specials_slots
    frame = read(id(frame) + fields.frame_object_frame)
    return cells.datastack_chunk.value, cells.datastack_top.value, cells.datastack_limit.value, frame, size


def _current_frame(fields, peeker, cells):
    if fields.thread_current_frame is not None:
        yield ("thread_current_frame", *_observe_current_frame(fields, cells.current_frame))
        return
    size = fields.cframe_previous + 8
    found, frame = _observe_cframe(fields, peeker, cells.cframe, size)
    yield "thread_cframe", found is not None, True
    yield "cframe_current_frame", int.from_bytes(found[fields.cframe_current_frame :][:8], "little"), frame
    outer = cells.cframe.value
    found, _ = next(map(lambda _: _observe_cframe(fields, peeker, cells.cframe, size), (0,)))
    yield "cframe_previous", int.from_bytes(found[fields.cframe_previous :][:8], "little"), outer


def _observe_current_frame(fields, current_frame):
    frame = read(id(sys._getframe()) + fields.frame_object_frame)
    return current_frame.value, frame


def _observe_cframe(fields, peeker, cframe, size):
    frame = read(id(sys._getframe()) + fields.frame_object_frame)
    written = peeker.write(peeker.sink, cframe.value, size)  # while this is the current frame
    return peeker.collect(written, size), frame


def _handled_exception(fields, peeker, cells):
    def handling():
        try:
            raise LookupError
        except LookupError as error:
            item = peeker.copy(cells.exc_info.value, 16)
            yield item, id(error), cells.exc_info.value

    outer = cells.exc_info.value  # while no generator runs: nothing but this thread's own
    (item, error, inner), outer = _first(handling, cells.exc_info)
    yield "thread_exc_info", (item is not None, inner != outer), (True, True)
    yield "exc_item_value", int.from_bytes(item[fields.exc_item_value :][:8], "little"), error
    yield "exc_item_previous", int.from_bytes(item[fields.exc_item_previous :][:8], "little"), outer


def _first(generator, exc_info):
    """The generator's first item, and the exception item while only our callers handle anything."""
    return next(generator()), exc_info.value


def _tracing(fields, cells):
    if fields.cframe_use_tracing is not None:
        byte = ctypes.c_uint8.from_address(cells.cframe.value + fields.cframe_use_tracing)
        traced, after = byte.value, 0
        if not traced:  # else somebody traces already and is not disturbed
            sys.setprofile(_ignore)
            traced = byte.value
            sys.setprofile(None)
            after = byte.value
        yield "cframe_use_tracing", (traced, after), (_TRACED, 0)
    if fields.thread_trace_function is not None:
        yield from _trace_functions(fields, cells)
    if fields.interp_monitoring_version is not None:
        yield from _monitoring(fields, cells)


def _trace_functions(fields, cells):
    """Each of the two pointers is set by its own function and by nothing else."""
    def pointers():
        return [bool(read(cells.state + offset)) for offset in (fields.thread_trace_function, fields.thread_profile_function)]

    found = [pointers()]
    if sys.gettrace() is not None or sys.getprofile() is not None:
        # Somebody traces already and is not disturbed: the pointers must say who.
        yield "thread_trace_function", found[0][0], sys.gettrace() is not None
        yield "thread_profile_function", found[0][1], sys.getprofile() is not None
        yield "thread_tracing", read(cells.state + fields.thread_tracing, 4) in (0, 1, undisturbed.OURS), True
        return
    levels = [read(cells.state + fields.thread_tracing, 4)]
    sys.settrace(lambda *_: levels.append(read(cells.state + fields.thread_tracing, 4)))
    found.append(pointers())
    sys.settrace(None)
    sys.setprofile(_ignore)
    found.append(pointers())
    sys.setprofile(None)
    yield "thread_trace_function", [trace for trace, _ in found], [False, True, False]
    yield "thread_profile_function", [profile for _, profile in found], [False, False, True]
    yield "thread_tracing", levels[:2], [0, 1]


def _ignore(*_):
    """A profile function that ignores every event."""


def _monitoring(fields, cells):
    """The version moves when a tool asks for events, and code that runs next takes it over."""
    version = ctypes.c_uint64.from_address(threads.interpreter() + fields.interp_monitoring_version)
    breaker = cells.eval_breaker if fields.thread_eval_breaker is not None else None
    before = version.value
    if not before:
        _move_monitoring_version()
        yield "interp_monitoring_version", version.value != before, True
    seen = (lambda: sys._getframe().f_code)()
    seen = read(id(seen) + fields.code_instrumentation_version)
    yield "code_instrumentation_version", seen, version.value
    yield "interp_monitoring_version", seen, version.value
    if breaker is not None:
        yield "thread_eval_breaker", breaker.value & ~_EVENTS, version.value & ~_EVENTS


def _move_monitoring_version():
    """Ask for an event that costs nothing, and no more; needs one of the six tool ids."""
    monitoring = sys.monitoring
    free = [tool for tool in range(5, -1, -1) if monitoring.get_tool(tool) is None]
    if free:
        monitoring.use_tool_id(free[0], "purejit verifies its layout")
        monitoring.set_events(free[0], monitoring.events.RAISE)
        monitoring.set_events(free[0], 0)
        monitoring.free_tool_id(free[0])


def _eval_breaker(fields, cells):
    interpreter, nothing = threads.interpreter(), pages.place(_NOTHING)
    if fields.thread_eval_breaker is not None:
        # An empty asynchronous exception for this thread: an event without consequences.
        word, request = cells.state + fields.thread_eval_breaker, ("PyThreadState_SetAsyncExc", get_ident())
        yield "thread_eval_breaker", _becomes_set(word, *request, mask=_EVENTS), True
        return
    request = ("Py_AddPendingCall", nothing)
    if fields.version == (3, 12):
        request = ("_PyEval_AddPendingCall", interpreter, nothing)  # noticed in every thread
    noticed = False
    if fields.interp_pending_calls is not None:
        # It may be set already, and while the main thread waits for something it stays so. What is added goes into the queue behind it.
        word = interpreter + fields.interp_pending_calls
        calls = word + 8
        place, following = _around(calls + 16 * _MOST_PENDING + 4, *request)
        yield "interp_pending_calls", (_around(word, *request)[1], following, read(calls + 16 * place)), (1, (place + 1) % _MOST_PENDING, nothing)
        # 3.11 sets the breaker at once only in the main thread. Elsewhere the counter, which
        # lies in the same struct, has to do.
        noticed = get_native_id() != os.getpid()
    noticed = noticed or _becomes_set(interpreter + fields.interp_eval_breaker, *request)
    yield "interp_eval_breaker", noticed, True
    # Set only while another thread waits for the GIL, so known by its place in the struct.
    yield "interp_gil_drop_request", fields.interp_gil_drop_request, fields.interp_eval_breaker + 4


def _leads_to(peeker, item, head):
    """Whether an item of one of the collector's lists is one of the last in that of this head."""
    for _ in range(_REUSED):
        if item in (head, None):
            break
        item = peeker.number(item)
    return item == head


def _collections(fields, peeker):
    """The number that starts collections, the thresholds 24 bytes apart, and the list of the youngest generation."""
    counter = threads.interpreter() + fields.interp_gc_count
    thresholds = [read(counter - 4 + 24 * generation, 4) for generation in range(3)]
    yield "interp_gc_count", thresholds, [threshold & 0xFFFFFFFF for threshold in gc.get_threshold()]
    yield "interp_gc_count", collector.is_counted_at(counter), True
    with collector.Uncollected():
        yield "interp_gc_count", any(_counts(peeker, counter) for _ in range(_ATTEMPTS)), True


def _counts(peeker, counter):
    """Whether the counters are those of the generations, and the list that of the youngest; not if other threads make or collect much meanwhile."""
    older = [read(counter + 24 * generation, 4) for generation in (1, 2)]
    same = older == list(gc.get_count()[1:])
    before = read(counter, 4)
    made = [[] for _ in range(_MADE)]
    return same and read(counter, 4) - before >= len(made) - _REUSED and \
        _leads_to(peeker, id(made[-1]) - collector.HEAD, counter + collector.LIST)


def _becomes_set(word, name, *arguments, mask=0xFFFFFFFF):
    """Whether calling a C function sets a word (its bits in mask) that was zero."""
    with collector.Uncollected():  # a due collection keeps the eval breaker set
        for _ in range(_ATTEMPTS):
            _ignore()  # the interpreter handles what is pending when it enters a function
            before, after = _around(word, name, *arguments)
            if not before & mask:
                return bool(after & mask)
    return False


def _around(word, name, *arguments):
    """A word of 32 bits before and after calling a C function."""
    around = pages.routine(_AROUND, *[ctypes.c_uint64] * 7)
    result = around(word, symbols.address(name), *(*arguments, 0, 0, 0)[:4])
    return result & 0xFFFFFFFF, result >> 32
