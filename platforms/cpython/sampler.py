"""A clock that shows Python code what the program is doing, hundreds of times a second.

Problem: interval timers and their signals belong to the program, a Python thread takes the GIL to tick, and either is seen by the
program. Idea: a native thread of machine code sleeps and asks CPython for a *pending call*, which the main thread
makes at its next check for signals: at a point where the frames are in order. Where the main thread does not come by, although
the process is computing (it waits for other threads), the clock's thread takes the GIL and makes the call itself.

How long the thread that is looked at has computed between the tick and the call tells where the tick has met it: at a bytecode instruction it is
there at once, from a long call of C code it comes back late.

The call is made by machine code that keeps it out of the program's sight: no signal handler runs in the meantime, the
recursion limit does not apply, and nothing happens while a debugger or profiler watches.

Sources: CPython Python/ceval_gil.c (Py_AddPendingCall: on 3.11 and 3.12 another thread's call is only noticed when the eval
breaker is set besides); futex(2); pthread_create(3).
"""

import ctypes
import functools
import os
from _thread import get_native_id
from time import clock_gettime_ns

from platforms import pages
from platforms.cpython import observe, threads
from platforms.cpython.layout import layout
from platforms.cpython.undisturbed import JB, JE, JMP, JNE, ROOM, after, assemble, before, call, disp, every_signal
from platforms.pages import memmove

# The block of data both pieces of code work on.
(_STOP, _OUTSTANDING, _WAITED, _WORK, _CALLABLE, _TICKS, _INTERVAL, _LATE, _NOW, _LAST, _FUNCTIONS, _TID, _LOW,
 _HIGH, _FIRST, _THREAD, _CLOCK, _ASKED, _MET) = 0, 4, 8, 12, 16, 24, 32, 48, 64, 80, 88, 92, 96, 104, 112, 128, 136, 144, 160
#: The kind of a thread's clock in Linux's numbers for clocks (clock_getcpuclockid(3)).
_THREAD_CLOCK = 6
#: A thread's native id, behind its ident.
_NATIVE = 8
#: Threads shown, and frames of each.
_THREADS, _FRAMES = 8, 16
#: Words of the C stack above a call in which a return address into our code is looked for, and bytes of it that are the call's own.
_WORDS, _OWN = 64, ROOM + 8 + 6 * 8 + 8
#: How long to wait for a call that the main thread does not make.
_LATE_NANOSECONDS = 20_000_000


def _read_clock(place):
    """Note how long the main thread has computed, as a timespec; it has the process's id."""
    return [f"8B BB {disp(_CLOCK)} 48 8D B3 {disp(place)}", call("clock_gettime")]  # (dword [rbx + CLOCK], rbx + place)


def _watched():
    """Jump to `nothing` if the thread r12 is traced or profiled."""
    fields = layout()
    if fields.cframe_use_tracing is not None:
        return [f"49 8B 84 24 {disp(fields.thread_cframe)}",  # mov rax, [r12 + cframe]
                f"80 B8 {disp(fields.cframe_use_tracing)} 00", (JNE, "nothing")]  # cmp byte [rax + use_tracing], 0
    trace, profile = threads.trace_functions()
    return [f"49 8B 84 24 {disp(trace)}", f"49 0B 84 24 {disp(profile)}", (JNE, "nothing")]  # mov rax; or rax


def _collect_parts():
    """collect(thread rdi, esi: with functions): append the thread's native id, its topmost frames and None to the list r15.

    A frame is its code, its function (its code again if there is none, or it is not to be shown) and its address. The list owns them:
    while Python code looks at them, other threads may run, and what they leave may die.
    """
    fields = layout()
    current = [f"48 8B AF {disp(fields.thread_current_frame)}"] if fields.thread_cframe is None else [
        f"48 8B AF {disp(fields.thread_cframe)} 48 8B AD {disp(fields.cframe_current_frame)}"]  # rbp = its current frame
    none = f"48 BF {disp(id(None), 8)}"  # mov rdi, None
    return [
        "collect:", "41 55 55 48 83 EC 08 89 34 24", *current,  # push r13; push rbp; sub rsp, 8; mov [rsp], esi
        f"48 8B BF {disp(fields.thread_ident + _NATIVE)}", ("E8", "append_number"),  # mov rdi, [rdi + native id]
        f"41 BD {disp(_FRAMES)}",  # mov r13d, FRAMES
        "frame:", "48 85 ED", (JE, "collected"), "45 85 ED", (JE, "collected"),  # test rbp, rbp; test r13d, r13d
        f"80 BD {disp(fields.frame_owner)} 03", (JE, "no_frame"),  # cmp byte [rbp + owner], 3: not Python's
        f"48 8B BD {disp(fields.frame_code)} 80 BD {disp(fields.frame_owner)} 01", (JE, "complete"),  # mov rdi, [rbp + code]
        # As CPython has it: a frame that has not reached its first traceable instruction is not there, unless a generator's.
        f"4C 63 8F {disp(fields.code_first_traceable)} 4E 8D 8C 4F {disp(fields.code_adaptive)}",  # movsxd r9; lea r9, [rdi + 2 r9]
        f"4C 39 8D {disp(fields.frame_instruction)}", (JB, "no_frame"),  # cmp [rbp + instruction], r9
        "complete:", ("E8", "append"), f"48 8B BD {disp(fields.frame_code)} 83 3C 24 00", (JE, "function"),  # cmp dword [rsp], 0
        f"48 83 BD {disp(fields.frame_function)} 00", (JE, "function"),  # cmp qword [rbp + function], 0
        f"48 8B BD {disp(fields.frame_function)}", "function:", ("E8", "append"), "48 89 EF", ("E8", "append_number"), "41 FF CD",  # mov rdi, rbp; dec r13d
        "no_frame:", f"48 8B AD {disp(fields.frame_previous)}", (JMP, "frame"),  # mov rbp, [rbp + previous]
        "collected:", none, ("E8", "append"), "48 83 C4 08 5D 41 5D C3",  # add rsp, 8; pop rbp; pop r13; ret
        # Without memory the list is shorter than it should be.
        "append_number:", "48 83 EC 08", call("PyLong_FromVoidPtr"), "48 85 C0", (JE, "lost"),  # sub rsp, 8; test rax, rax
        "48 89 04 24 48 89 C7", ("E8", "append"), "48 8B 3C 24", call("Py_DecRef"), "48 83 C4 08 C3",  # mov [rsp], rax; mov rdi, rax
        "append:", "48 83 EC 08 48 89 FE 4C 89 FF", call("PyList_Append"), "85 C0", (JNE, "lost"),  # mov rsi, rdi; mov rdi, r15
        "48 83 C4 08 C3", "lost:", call("PyErr_Clear"), "48 83 C4 08 C3",
    ]


def _show_parts():
    """r15 = a new list: whether this thread's topmost function runs compiled, and the frames of this (r14d = 1) or all others (0)."""
    return [
        "31 FF", call("PyList_New"), "49 89 C7 48 85 C0", (JE, "unseen"),  # xor edi, edi; mov r15, rax; test rax, rax
        "31 FF 45 85 F6", (JE, "looked"),  # xor edi, edi; test r14d, r14d
        # Is there a return address into [LOW, HIGH) on the stack just above? Then the topmost frame is that of compiled code.
        f"48 8B 43 {_LOW:02X} 48 8B 53 {_HIGH:02X} 31 C9",  # mov rax, [LOW]; mov rdx, [HIGH]; xor ecx, ecx
        "word:", f"4C 8B 84 CC {disp(_OWN)} 49 39 C0", (JB, "no_word"), "49 39 D0", (JB, "ours"),  # mov r8, [rsp + 8 rcx + OWN]
        "no_word:", f"FF C1 83 F9 {_WORDS:02X}", (JB, "word"), (JMP, "looked"),
        "ours:", "BF 01 00 00 00",  # mov edi, 1
        "looked:", ("E8", "append_number"), "45 85 F6", (JE, "others"),
        "4C 89 E7 BE 01 00 00 00", ("E8", "collect"), (JMP, "shown"),  # mov rdi, r12; mov esi, 1
        "others:", f"48 BF {disp(threads.interpreter(), 8)}", call("PyInterpreterState_ThreadHead"), "49 89 C5",
        "thread_state:", "4D 85 ED", (JE, "shown"), "4D 39 E5", (JE, "next"),  # test r13, r13; cmp r13, r12
        f"41 83 FE {_THREADS:02X}", (JE, "shown"),  # cmp r14d, THREADS
        f"4C 89 EF 8B 73 {_FUNCTIONS:02X}", ("E8", "collect"), "41 FF C6",  # mov rdi, r13; mov esi, [FUNCTIONS]; inc r14d
        "next:", "4C 89 EF", call("PyThreadState_Next"), "49 89 C5", (JMP, "thread_state"),
        "shown:",
    ]


def _call_parts():
    """int pending(block): the call, by the main thread, about itself; int call(block): by another, about all others."""
    fields = layout()
    return [
        "pending:", f"C7 47 {_OUTSTANDING:02X} 00 00 00 00 BE 01 00 00 00", (JMP, "body"),  # mov dword [rdi + OUTSTANDING], 0; mov esi, 1
        "call:", "31 F6",  # xor esi, esi
        "body:", f"53 41 54 41 55 41 56 41 57 55 48 81 EC {disp(ROOM + 8)}",  # push rbx, r12, r13, r14, r15, rbp; sub rsp, ROOM + 8
        "48 89 FB 41 89 F6", *_read_clock(_MET), call("PyThreadState_Get"), "49 89 C4",  # mov rbx, rdi; mov r14d, esi; r12 = PyThreadState_Get()
        *_watched(),
        *before("failed"), *_show_parts(),
        f"48 8B 7B {_CALLABLE:02X} 4C 89 FE 31 D2", call("PyObject_CallFunctionObjArgs"),  # r13 = ([rbx + CALLABLE], r15, NULL)
        "49 89 C5 4C 89 FF", call("Py_DecRef"), (JMP, "seen"),  # mov rdi, r15
        "unseen:", call("PyErr_Clear"), f"49 BD {disp(id(None), 8)} 4C 89 EF", call("Py_IncRef"),  # mov r13, None; mov rdi, r13
        "seen:", *after(),
        "4D 85 ED", (JE, "failed"),  # test r13, r13
        f"48 B8 {disp(id(None), 8)} 49 39 C5", (JE, "none"),  # mov rax, None; cmp r13, rax
        f"49 8B 7D {fields.ob_type:02X} 4C 89 EE", call("PyErr_SetObject"),  # (type of r13, r13)
        "4C 89 EF", call("Py_DecRef"), "B8 FF FF FF FF", (JMP, "out"),  # Py_DecRef(r13); mov eax, -1
        "none:", "4C 89 EF", call("Py_DecRef"), (JMP, "nothing"),
        "failed:", "B8 FF FF FF FF", (JMP, "out"),  # mov eax, -1: a signal handler's exception
        "nothing:", "31 C0",  # xor eax, eax
        "out:", f"48 81 C4 {disp(ROOM + 8)} 5D 41 5F 41 5E 41 5D 41 5C 5B C3",  # add rsp, ROOM + 8; pop rbp, r15, r14, r13, r12, rbx; ret
    ]


def _thread_parts():
    """void *thread(block): tick until told to stop."""
    kind, breaker, _ = threads.eval_breaker()
    notice = [f"48 B8 {disp(breaker, 8)} C7 00 01 00 00 00"] if kind == "absolute" else []  # mov rax, breaker; mov dword [rax], 1
    return [
        "thread:", "53 41 54 41 55 48 89 FB",  # push rbx; push r12; push r13; mov rbx, rdi
        f"B8 BA 00 00 00 0F 05 89 43 {_TID:02X}",  # TID = gettid()
        f"B8 27 00 00 00 0F 05 F7 D0 C1 E0 03 83 C8 {_THREAD_CLOCK:02X} 89 83 {disp(_CLOCK)}",  # CLOCK = ~getpid() << 3 | THREAD_CLOCK
        f"4C 8D 63 {_FIRST:02X}",  # lea r12, [rbx + FIRST]
        "tick:", "48 89 DF BE 80 00 00 00 31 D2 4D 89 E2 B8 CA 00 00 00 0F 05",  # futex(rbx, WAIT | PRIVATE, 0, r12)
        "83 3B 00", (JNE, "end"),  # cmp dword [rbx + STOP], 0
        f"48 FF 43 {_TICKS:02X} 4C 8D 63 {_INTERVAL:02X}",  # inc qword [rbx + TICKS]; lea r12, [rbx + INTERVAL]
        f"83 7B {_WORK:02X} 00", (JNE, "by_itself"),  # cmp dword [rbx + WORK], 0
        f"83 7B {_OUTSTANDING:02X} 00", (JNE, "late"),  # cmp dword [rbx + OUTSTANDING], 0
        f"C7 43 {_OUTSTANDING:02X} 01 00 00 00 C7 43 {_WAITED:02X} 00 00 00 00",  # OUTSTANDING = 1; WAITED = 0
        f"48 C7 83 {disp(_ASKED)} FF FF FF 7F",  # mov qword [rbx + ASKED], as if it had not been asked yet
        ("48 8D 3D", "pending"), "48 89 DE", call("Py_AddPendingCall"),  # lea rdi, pending; mov rsi, rbx
        # The clock is read behind it: were this thread to wait here, the main thread would seem to have been quicker, not slower.
        "85 C0", (JNE, "refused"), *notice, *_read_clock(_ASKED), (JMP, "tick"),  # test eax, eax
        "refused:", f"C7 43 {_OUTSTANDING:02X} 00 00 00 00", (JMP, "tick"),
        "late:", f"4C 8D 63 {_LATE:02X}",  # lea r12, [rbx + LATE]
        f"BF 02 00 00 00 48 8D 73 {_NOW:02X}", call("clock_gettime"),  # (CLOCK_PROCESS_CPUTIME_ID, rbx + NOW)
        f"48 69 43 {_NOW:02X} 00 CA 9A 3B 48 03 43 {_NOW + 8:02X}",  # imul rax, [NOW], 10**9; add rax, [NOW + 8]
        f"48 89 C1 48 2B 4B {_LAST:02X}",  # mov rcx, rax; sub rcx, [LAST]
        f"FF 43 {_WAITED:02X} 83 7B {_WAITED:02X} 02", (JB, "tick"),  # inc dword [WAITED]; cmp dword [WAITED], 2
        f"48 81 F9 {disp(_LATE_NANOSECONDS // 2)}", (JB, "tick"),  # cmp rcx, half of the time
        f"48 89 43 {_LAST:02X}",  # mov [LAST], rax: on a busy machine it takes the process longer to compute so much
        "by_itself:", call("PyGILState_Ensure"), "41 89 C5 48 89 DF", ("E8", "call"),  # mov r13d, eax; mov rdi, rbx; call call
        call("PyErr_Clear"), "44 89 EF", call("PyGILState_Release"), (JMP, "tick"),  # mov edi, r13d
        "end:", "41 5D 41 5C 5B 31 C0 C3",  # pop r13; pop r12; pop rbx; xor eax, eax; ret
    ]


def _start_parts():
    """int start(block, nanoseconds to the first tick): make the thread, which is not to be given the program's signals. As pthread_create() returns."""
    return [
        "start:", "53 41 54 48 81 EC 88 00 00 00 48 89 FB",  # push rbx; push r12; sub rsp, 136 (a sigset_t has 128 bytes); mov rbx, rdi
        f"48 89 B3 {disp(_FIRST + 8)}",  # mov [FIRST + 8], rsi
        *(f"C7 43 {word:02X} 00 00 00 00" for word in (_STOP, _TID, _OUTSTANDING)),  # mov dword word, 0
        f"BF 02 00 00 00 48 BE {disp(every_signal(), 8)} 48 89 E2", call("pthread_sigmask"),  # (SIG_SETMASK, every signal, rsp)
        f"48 8D BB {disp(_THREAD)} 31 F6", ("48 8D 15", "thread"), "48 89 D9", call("pthread_create"),  # (rbx + THREAD, NULL, thread, rbx)
        "41 89 C4 BF 02 00 00 00 48 89 E6 31 D2", call("pthread_sigmask"),  # mov r12d, eax; (SIG_SETMASK, rsp, NULL)
        "44 89 E0 48 81 C4 88 00 00 00 41 5C 5B C3",  # mov eax, r12d; add rsp, 136; pop r12; pop rbx; ret
    ]


class Sampler:
    """A clock. It must be stopped before the interpreter ends, and does not go on in a forked child by itself.

    Attributes:
        running: whether its thread exists. knows_threads: whether `stacks` gives native ids of threads.
    """

    def __init__(self, function):
        """Make a clock that stands still.

        Args:
            function: called with a list, see `stacks`. It returns None, or an exception that the program is to see.
        """
        code, labels = assemble(_start_parts() + _thread_parts() + _call_parts() + _collect_parts())
        start = pages.place(code)
        self._pending = start + labels["pending"]
        self.function = function
        self.running = False
        self.knows_threads = observe.read(threads.current()() + layout().thread_ident + _NATIVE) == get_native_id()
        # Never freed: a pending call may come late.
        self._block = pages.reserve(pages.PAGE)
        pages.protect(self._block, pages.PAGE, pages.READ | pages.WRITE)
        self._words = memoryview((ctypes.c_uint64 * (pages.PAGE // 8)).from_address(self._block)).cast("B").cast("Q")
        self._set(_CALLABLE, id(function), 8)
        self._set(_LATE + 8, _LATE_NANOSECONDS, 8)
        libc = ctypes.CDLL(None)
        self._join, self._syscall = libc.pthread_join, libc.syscall
        self._add = ctypes.PyDLL(None).Py_AddPendingCall
        self._start = pages.prototype(ctypes.c_int, ctypes.c_uint64, ctypes.c_uint64)(start + labels["start"])

    def _set(self, offset, value, size=4):
        memmove(self._block + offset, value.to_bytes(size, "little"), size)

    def set_interval(self, seconds):
        """How long to sleep between two calls, less than a second; from the next tick on."""
        self._set(_INTERVAL + 8, int(seconds * 1e9), 8)

    def set_code(self, low, high):
        """The addresses between which compiled code lies."""
        self._set(_LOW, low, 8)
        self._set(_HIGH, high, 8)

    @staticmethod
    def stacks(shown):
        """What a call has shown, as a list: for each thread (native id, frames), the topmost frame first.

        Args:
            shown: what the function was called with.

        Returns:
            (whether the topmost function of the thread that is looked at runs compiled; list). Frames are (code object, function
            or the code object again, address of the frame).
        """
        found, place = [], 1
        while place < len(shown):
            end = shown.index(None, place)
            found.append((shown[place], [tuple(shown[first:first + 3]) for first in range(place + 1, end, 3)]))
            place = end + 1
        return bool(shown[0]), found

    def work(self, wanted):
        """Whether its own thread is to make every call, so that the function may do longer work beside the program."""
        self._set(_WORK, int(wanted))

    def show_functions(self, wanted):
        """Whether calls in its own thread show functions of others: these could see that theirs live longer than they should."""
        self._set(_FUNCTIONS, int(wanted))

    @property
    def delay(self):
        """Seconds that the main thread has computed from the tick until the call that is being made, if it makes that: to be read first of all."""
        asked, met = _ASKED // 8, _MET // 8
        return self._words[met] - self._words[asked] + (self._words[met + 1] - self._words[asked + 1]) * 1e-9

    @staticmethod
    def computed(thread):
        """Nanoseconds that a thread of this process, by its native id, has computed. Raises OSError if there is none."""
        return clock_gettime_ns(~thread << 3 | _THREAD_CLOCK)

    @property
    def ticks(self):
        """How often the clock has ticked."""
        return self._words[_TICKS // 8]

    def start(self):
        """Let it tick; returns False if there can be no thread."""
        if not self.running:
            self.running = self._start(self._block, self._words[_INTERVAL // 8 + 1]) == 0
        return self.running

    def stop(self):
        """Stop it and wait until its thread is gone. A call that is already pending may still come."""
        if not self.running:
            return
        self.running = False
        self._set(_STOP, 1)
        self._syscall(202, ctypes.c_void_p(self._block), 129, 1, None, None, 0)  # futex: FUTEX_WAKE | FUTEX_PRIVATE_FLAG
        self._join(ctypes.c_ulong(self._words[_THREAD // 8]), None)
        # It is joined a moment before the system has forgotten it, and os.fork() warns of threads that the system knows.
        process = os.getpid()
        while self._words[_TID // 8] >> 32 and self._syscall(234, process, self._words[_TID // 8] >> 32, 0) == 0:  # tgkill
            pass

    def start_in_child(self, seconds):
        """Let it tick in a forked child, where its thread is gone, if that ran.

        Args:
            seconds: to the first tick, less than one.
        """
        self.running = self._start(self._block, int(seconds * 1e9)) == 0

    def request(self):
        """Ask for one call soon, without the clock; by the main thread."""
        self.requester()()

    def requester(self):
        """What does that when it is called, without running any Python code, which would be interrupted by the call."""
        return functools.partial(self._add, ctypes.c_void_p(self._pending), ctypes.c_void_p(self._block))
