"""A clock that shows Python code what the program is doing, hundreds of times a second.

Problem: interval timers and their signals belong to the program, a Python thread takes the GIL to tick, and either is seen by the
program. Idea: a native thread of machine code sleeps and asks CPython for a *pending call*, which the main thread
makes at its next check for signals: at a point where the frames are in order. Where the main thread does not come by, although
the process is computing (it waits for other threads), the clock's thread takes the GIL and makes the call itself.

The call is made by machine code that keeps it out of the program's sight: no signal handler runs in the meantime, the
recursion limit does not apply, and nothing happens while a debugger or profiler watches.

Sources: CPython Python/ceval_gil.c (Py_AddPendingCall: on 3.11 and 3.12 another thread's call is only noticed when the eval
breaker is set besides); futex(2); pthread_create(3).
"""

import ctypes
import signal

from platforms import pages
from platforms.cpython import symbols, threads
from platforms.cpython.layout import layout

# The block of data both pieces of code work on.
(_STOP, _OUTSTANDING, _WAITED, _WORK, _CALLABLE, _TICKS, _INTERVAL, _LATE, _NOW, _LAST,
 _MASK) = 0, 4, 8, 12, 16, 24, 32, 48, 64, 80, 88
_BLOCK = _MASK + 128
#: How long to wait for a call that the main thread does not make.
_LATE_NANOSECONDS = 20_000_000
#: Levels of recursion lent to the call.
_LEVELS = 250
_SIGNALS_OF_FAULTS = (signal.SIGSEGV, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGSYS)


def _disp(value, size=4):
    return value.to_bytes(size, "little", signed=value < 0).hex()


def _call(name):
    """mov rax, address; call rax"""
    return f"48 B8 {_disp(symbols.address(name), 8)} FF D0"


def _assemble(parts):
    """Bytes of a list of hex text, labels (`name:`) and jumps (opcode, name) with 32-bit displacements."""
    code, labels, jumps = bytearray(), {}, []
    for part in parts:
        if isinstance(part, tuple):
            code += bytes.fromhex(part[0]) + bytes(4)
            jumps.append((len(code), part[1]))
        elif part.endswith(":"):
            labels[part[:-1]] = len(code)
        else:
            code += bytes.fromhex(part)
    for end, name in jumps:
        code[end - 4:end] = (labels[name] - end).to_bytes(4, "little", signed=True)
    return bytes(code), labels


JMP, JE, JNE, JB, JGE = "E9", "0F 84", "0F 85", "0F 82", "0F 8D"


def _lend_levels():
    """Let there be at least _LEVELS levels of recursion left to the thread r12; how many there are is kept behind the mask."""
    for number, offset in enumerate(_recursion_counters()):
        kept, enough = _disp(128 + 4 * number), f"enough{number}:"
        yield f"41 8B 84 24 {_disp(offset)} 89 84 24 {kept} 3D {_disp(_LEVELS)}"  # mov eax, counter; mov kept, eax; cmp eax, LEVELS
        yield (JGE, enough[:-1])
        yield f"41 C7 84 24 {_disp(offset)} {_disp(_LEVELS)}"  # mov counter, LEVELS
        yield enough


def _take_levels_back():
    for number, offset in enumerate(_recursion_counters()):
        yield f"8B 84 24 {_disp(128 + 4 * number)} 41 89 84 24 {_disp(offset)}"  # mov eax, kept; mov counter, eax


def _recursion_counters():
    fields = layout()
    return [offset for offset in (fields.thread_recursion_remaining, fields.thread_c_recursion_remaining) if offset is not None]


def _watched():
    """Jump to `nothing` if the thread r12 is traced or profiled."""
    fields = layout()
    if fields.cframe_use_tracing is not None:
        return [f"49 8B 84 24 {_disp(fields.thread_cframe)}",  # mov rax, [r12 + cframe]
                f"80 B8 {_disp(fields.cframe_use_tracing)} 00", (JNE, "nothing")]  # cmp byte [rax + use_tracing], 0
    trace, profile = threads.trace_functions()
    return [f"49 8B 84 24 {_disp(trace)}", f"49 0B 84 24 {_disp(profile)}", (JNE, "nothing")]  # mov rax; or rax


def _call_parts():
    """int pending(block): the call, by the main thread; int call(block): by any thread that has the GIL."""
    fields = layout()
    return [
        "pending:", f"C7 47 {_OUTSTANDING:02X} 00 00 00 00",  # mov dword [rdi + OUTSTANDING], 0
        "call:", "53 41 54 41 55 48 81 EC 90 00 00 00",  # push rbx; push r12; push r13; sub rsp, 144
        "48 89 FB", _call("PyThreadState_Get"), "49 89 C4",  # mov rbx, rdi; r12 = PyThreadState_Get()
        *_watched(),
        f"BF 02 00 00 00 48 8D 73 {_MASK:02X} 48 89 E2", _call("pthread_sigmask"),  # (SIG_SETMASK, rbx + MASK, rsp)
        *_lend_levels(),
        f"48 8B 7B {_CALLABLE:02X}", _call("PyObject_CallNoArgs"), "49 89 C5",  # r13 = PyObject_CallNoArgs([rbx + CALLABLE])
        *_take_levels_back(),
        "BF 02 00 00 00 48 89 E6 31 D2", _call("pthread_sigmask"),  # (SIG_SETMASK, rsp, NULL)
        "4D 85 ED", (JE, "failed"),  # test r13, r13
        f"48 B8 {_disp(id(None), 8)} 49 39 C5", (JE, "none"),  # mov rax, None; cmp r13, rax
        f"49 8B 7D {fields.ob_type:02X} 4C 89 EE", _call("PyErr_SetObject"),  # (type of r13, r13)
        "4C 89 EF", _call("Py_DecRef"), "B8 FF FF FF FF", (JMP, "out"),  # Py_DecRef(r13); mov eax, -1
        "none:", "4C 89 EF", _call("Py_DecRef"), (JMP, "nothing"),
        "failed:", _call("PyErr_Clear"),
        "nothing:", "31 C0",  # xor eax, eax
        "out:", "48 81 C4 90 00 00 00 41 5D 41 5C 5B C3",  # add rsp, 144; pop r13; pop r12; pop rbx; ret
    ]


def _thread_parts():
    """void *thread(block): tick until told to stop."""
    kind, breaker, _ = threads.eval_breaker()
    notice = [f"48 B8 {_disp(breaker, 8)} C7 00 01 00 00 00"] if kind == "absolute" else []  # mov rax, breaker; mov dword [rax], 1
    return [
        "thread:", "53 41 54 41 55 48 89 FB",  # push rbx; push r12; push r13; mov rbx, rdi
        f"4C 8D 63 {_INTERVAL:02X}",  # lea r12, [rbx + INTERVAL]
        "tick:", "48 89 DF BE 80 00 00 00 31 D2 4D 89 E2 B8 CA 00 00 00 0F 05",  # futex(rbx, WAIT | PRIVATE, 0, r12)
        "83 3B 00", (JNE, "end"),  # cmp dword [rbx + STOP], 0
        f"48 FF 43 {_TICKS:02X} 4C 8D 63 {_INTERVAL:02X}",  # inc qword [rbx + TICKS]; lea r12, [rbx + INTERVAL]
        f"83 7B {_WORK:02X} 00", (JNE, "by_itself"),  # cmp dword [rbx + WORK], 0
        f"83 7B {_OUTSTANDING:02X} 00", (JNE, "late"),  # cmp dword [rbx + OUTSTANDING], 0
        f"C7 43 {_OUTSTANDING:02X} 01 00 00 00 C7 43 {_WAITED:02X} 00 00 00 00",  # OUTSTANDING = 1; WAITED = 0
        ("48 8D 3D", "pending"), "48 89 DE", _call("Py_AddPendingCall"),  # lea rdi, pending; mov rsi, rbx
        "85 C0", (JNE, "refused"), *notice, (JMP, "tick"),  # test eax, eax
        "refused:", f"C7 43 {_OUTSTANDING:02X} 00 00 00 00", (JMP, "tick"),
        "late:", f"4C 8D 63 {_LATE:02X}",  # lea r12, [rbx + LATE]
        f"BF 02 00 00 00 48 8D 73 {_NOW:02X}", _call("clock_gettime"),  # (CLOCK_PROCESS_CPUTIME_ID, rbx + NOW)
        f"48 69 43 {_NOW:02X} 00 CA 9A 3B 48 03 43 {_NOW + 8:02X}",  # imul rax, [NOW], 10**9; add rax, [NOW + 8]
        f"48 89 C1 48 2B 4B {_LAST:02X} 48 89 43 {_LAST:02X}",  # mov rcx, rax; sub rcx, [LAST]; mov [LAST], rax
        f"FF 43 {_WAITED:02X} 83 7B {_WAITED:02X} 02", (JB, "tick"),  # inc dword [WAITED]; cmp dword [WAITED], 2
        f"48 81 F9 {_disp(_LATE_NANOSECONDS // 2)}", (JB, "tick"),  # cmp rcx, half of the time
        "by_itself:", _call("PyGILState_Ensure"), "41 89 C5 48 89 DF", ("E8", "call"),  # mov r13d, eax; mov rdi, rbx; call call
        _call("PyErr_Clear"), "44 89 EF", _call("PyGILState_Release"), (JMP, "tick"),  # mov edi, r13d
        "end:", "41 5D 41 5C 5B 31 C0 C3",  # pop r13; pop r12; pop rbx; xor eax, eax; ret
    ]


class Sampler:
    """A clock. It must be stopped before the interpreter ends, and does not go on in a forked child by itself.

    Attributes:
        running: whether its thread exists.
    """

    def __init__(self, function):
        """Make a clock that stands still.

        Args:
            function: called without arguments. It returns None, or an exception that the program is to see.
        """
        code, labels = _assemble(_thread_parts() + _call_parts())
        self._entry = pages.place(code) + labels["thread"]
        self.function = function
        self.running = False
        # Never freed: a pending call may come late.
        self._block = pages.reserve(pages.PAGE)
        pages.protect(self._block, pages.PAGE, pages.READ | pages.WRITE)
        self._set(_CALLABLE, id(function), 8)
        self._set(_LATE + 8, _LATE_NANOSECONDS, 8)
        mask = (1 << 1024) - 1
        for number in _SIGNALS_OF_FAULTS:
            mask &= ~(1 << (number - 1))
        self._set(_MASK, mask, 128)
        libc = ctypes.CDLL(None)
        self._create, self._join, self._syscall = libc.pthread_create, libc.pthread_join, libc.syscall
        self._sigmask = ctypes.PyDLL(None).pthread_sigmask
        self._thread = ctypes.c_ulong()

    def _set(self, offset, value, size=4):
        ctypes.memmove(self._block + offset, value.to_bytes(size, "little"), size)

    def set_interval(self, seconds):
        """How long to sleep between two calls, less than a second; from the next tick on."""
        self._set(_INTERVAL + 8, int(seconds * 1e9), 8)

    def work(self, wanted):
        """Whether its own thread is to make every call, so that the function may do longer work beside the program."""
        self._set(_WORK, int(wanted))

    @property
    def ticks(self):
        """How often the clock has ticked."""
        return ctypes.c_uint64.from_address(self._block + _TICKS).value

    def start(self):
        """Let it tick; returns False if there can be no thread."""
        if self.running:
            return True
        self._set(_STOP, 0)
        self._set(_OUTSTANDING, 0)
        before = (ctypes.c_uint64 * 16)()
        every = self._block + _MASK
        self._sigmask(2, ctypes.c_void_p(every), before)  # the new thread is not to be given the program's signals
        self.running = self._create(ctypes.byref(self._thread), None, ctypes.c_void_p(self._entry),
                                    ctypes.c_void_p(self._block)) == 0
        self._sigmask(2, before, None)
        return self.running

    def stop(self):
        """Stop it and wait until its thread is gone. A call that is already pending may still come."""
        if not self.running:
            return
        self.running = False
        self._set(_STOP, 1)
        self._syscall(202, ctypes.c_void_p(self._block), 129, 1, None, None, 0)  # futex: FUTEX_WAKE | FUTEX_PRIVATE_FLAG
        self._join(self._thread, None)

    def abandon(self):
        """In a forked child, where its thread does not exist."""
        self.running = False
