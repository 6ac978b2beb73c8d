"""How machine code finds the current thread state, pending events and tracing.

Thread state. 3.11 keeps the current PyThreadState* in a cell of _PyRuntime. 3.12 and later
keep it in the thread-local variable _Py_tss_tstate, which is local to CPython's module, so
it is looked for in that module's own thread-local block and nowhere else. Both cells
hold the state only while the thread holds the GIL: that tells them from other
pointers to the same state. If anything is doubtful, compiled code calls a C function.

Sources: CPython Python/pystate.c; Drepper, "ELF Handling For Thread-Local Storage",
section 3.4.6 (x86-64); dlinfo(3).
"""

import _thread
import ctypes
import functools

from platforms import pages
from platforms.cpython import observe, symbols
from platforms.cpython.layout import layout

_RUNTIME_PREFIX = 1024  # bytes of _PyRuntime that are searched; it is much larger
_DLINFO_TLS_DATA = 10  # RTLD_DI_TLS_DATA
_NOLOAD_LAZY = 5  # RTLD_NOLOAD | RTLD_LAZY
_PT_TLS = 7
_TLS_LIMIT = 1 << 16
_libc = ctypes.CDLL(None)

# uint64 thread_pointer()
_THREAD_POINTER = bytes.fromhex(
    "64 48 8B 04 25 00 00 00 00"  # mov rax, fs:[0]     the x86-64 ABI keeps fs itself there
    "C3"  # ret
)
# uint64 load(address)
_LOAD = bytes.fromhex(
    "48 8B 07"  # mov rax, [rdi]
    "C3"  # ret
)


@functools.cache
def current() -> "ctypes._CFuncPtr":
    """A callable giving the address of the calling thread's PyThreadState."""
    return symbols.function("PyThreadState_Get", ctypes.c_uint64)


@functools.cache
def _thread_pointer():
    return pages.routine(_THREAD_POINTER, ctypes.c_uint64)


@functools.cache
def _load_without_gil():
    return ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_uint64)(pages.place(_LOAD))


def _cells(start: int, size: int) -> list[int]:
    """Addresses in a readable range that hold the thread state just while we have the GIL."""
    state = current()()
    words = memoryview(observe.copy(start, size & -8)).cast("Q")
    found = [start + 8 * index for index, word in enumerate(words) if word == state]
    return [cell for cell in found if _load_without_gil()(cell) != state]


def _tls_size(base: int) -> int:
    """Bytes of thread-local data the ELF headers at a load address declare; 0 if unknown."""
    with observe.Peeker() as peeker:
        header = peeker.copy(base, 64)
        if header is None or header[:4] != b"\x7fELF":
            return 0
        offset = int.from_bytes(header[32:40], "little")
        count = int.from_bytes(header[56:58], "little")
        for index in range(count):
            entry = peeker.copy(base + offset + 56 * index, 56)
            if entry is not None and int.from_bytes(entry[:4], "little") == _PT_TLS:
                return int.from_bytes(entry[40:48], "little")
    return 0


@functools.cache
def _module() -> tuple[int, int]:
    """(dl handle, size of the thread-local block) of the module CPython lies in."""
    file_name, base = symbols.module()
    dlopen = getattr(_libc, "dlopen", None)
    if not base or dlopen is None:
        return (0, 0)
    dlopen.restype = ctypes.c_void_p
    for name in (file_name, None):  # None: the main program
        handle = dlopen(name, _NOLOAD_LAZY)
        if handle and _tls_block(handle):
            return (handle, _tls_size(base))
    return (0, 0)


def _tls_block(handle: int) -> int:
    """The calling thread's block for a module; 0 if it has none (yet)."""
    block = ctypes.c_uint64(0)
    dlinfo = getattr(_libc, "dlinfo", None)
    if dlinfo is None or dlinfo(ctypes.c_void_p(handle), _DLINFO_TLS_DATA, ctypes.byref(block)):
        return 0
    return block.value


def _tls_offsets() -> set[int]:
    """Offsets from the thread pointer at which the thread state is found."""
    handle, size = _module()
    block = _tls_block(handle) if handle else 0
    if not block or not 0 < size <= _TLS_LIMIT:
        return set()
    pointer = _thread_pointer()()
    return {cell - pointer for cell in _cells(block, size)}


def in_other_thread(function):
    """Run a function in a new thread and return its result; None if it gave none in time."""
    result, done = [], _thread.allocate_lock()
    done.acquire()

    def run():
        try:
            result.append(function())
        finally:
            done.release()

    try:
        _thread.start_new_thread(run, ())
    except RuntimeError:
        return None
    return result[0] if done.acquire(timeout=5) and result else None


@functools.cache
def thread_state_source() -> tuple[str, int]:
    """("cell", absolute address), ("tls", offset from fs) or ("call", function address)."""
    if layout().version == (3, 11):
        cells = _cells(symbols.address("_PyRuntime"), _RUNTIME_PREFIX)
        if len(cells) == 1:
            return ("cell", cells[0])
    else:
        offsets = _tls_offsets()
        if len(offsets) == 1 and min(offsets) < 0 and in_other_thread(_tls_offsets) == offsets:
            return ("tls", min(offsets))
    return ("call", symbols.address("PyThreadState_Get"))


@functools.cache
def interpreter() -> int:
    """The address of the running PyInterpreterState."""
    return symbols.function("PyInterpreterState_Get", ctypes.c_uint64)()


def eval_breaker() -> tuple[str, int, int]:
    """("absolute", address, size) or ("thread", offset, size): non-zero asks for a poll."""
    fields = layout()
    if fields.thread_eval_breaker is not None:
        return ("thread", fields.thread_eval_breaker, 1)
    return ("absolute", interpreter() + fields.interp_eval_breaker, 4)


def tracing_check() -> tuple:
    """How machine code sees that a tracer, profiler or monitoring tool wants events.

    ("cframe", offset of cframe in the thread, offset of the byte that is then non-zero)
    ("interp_version", absolute address of a uint64, its present value)
    ("thread_version", offset in the thread of a uint64, mask): the masked value changes
    """
    fields = layout()
    if fields.cframe_use_tracing is not None:
        return ("cframe", fields.thread_cframe, fields.cframe_use_tracing)
    if fields.thread_eval_breaker is not None:
        return ("thread_version", fields.thread_eval_breaker, 0xFFFFFFFFFFFFFF00)
    address = interpreter() + fields.interp_monitoring_version
    return ("interp_version", address, observe.read(address))


def raise_later(kind: type) -> None:
    """Let an exception of this class be raised in the calling thread, as soon as Python code looks for what waits there."""
    symbols.function("PyThreadState_SetAsyncExc", ctypes.c_int, ctypes.c_ulong, ctypes.py_object)(_thread.get_ident(), kind)


def c_levels_are_few() -> bool:
    """Whether a call that the interpreter makes through C takes from levels of which there are less than it may call by itself.

    So it is in 3.12: 1,500, of which such a call takes two. Source: CPython Include/cpython/pystate.h (C_RECURSION_LIMIT).
    """
    fields = layout()
    return fields.thread_c_recursion_remaining is not None and \
        observe.read(current()() + fields.thread_c_recursion_remaining, 4) < 2 * observe.read(current()() + fields.thread_recursion_limit, 4)


def trace_functions() -> tuple:
    """Offsets in the thread of pointers that are not NULL while sys.settrace or sys.setprofile is on in it; 3.12 and later.

    The version of `tracing_check` belongs to the whole interpreter, and need not change when a second thread is traced.
    """
    fields = layout()
    if fields.thread_trace_function is None:
        return ()
    return (fields.thread_trace_function, fields.thread_profile_function)


#: Number of Linux's system call; what it gives the main thread is the process's number.
GETTID = 186


def stack_limits() -> dict[str, int]:
    """What a per-thread stack limit needs: C functions and the unique id of a thread."""
    names = ("pthread_self", "pthread_getattr_np", "pthread_attr_getstack", "pthread_attr_destroy", "getpid", "syscall")
    addresses = {name: symbols.address(name) for name in names}
    return addresses | {"thread_id": layout().thread_id}
