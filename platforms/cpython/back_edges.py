"""Catching a running frame when it next comes to a given instruction, and letting machine code redirect it.

The places where CPython's evaluation loop gives its frame away and reads it back, stack pointer and instruction pointer too, are
the calls of trace functions (3.11: a line's beginning, and whatever a jump back leads to) and of monitoring callbacks (3.12 and later: jumps).
The frame is at its exact state there. The trace function or callback is machine code and serves one frame, once.

Sources: CPython Python/ceval.c (DO_TRACING, maybe_call_line_trace), Python/instrumentation.c (_Py_call_instrumentation_jump).
"""

import ctypes
import functools
import sys
from sys import getprofile, gettrace

from platforms import pages
from platforms.cpython import observe, threads
from platforms.cpython.layout import layout
from platforms.cpython.undisturbed import JE, JMP, JNE, assemble, call, disp
from platforms.pages import memmove

# The block of data: the frame waited for, the instruction's address (3.11) or offset, the routine to call, events to wait for at most, frames caught,
# events in vain, whether it is we who set local events.
_FRAME, _INSTRUCTION, _ROUTINE, _PATIENCE, _HITS, _IN_VAIN, _WATCHING = 0, 8, 16, 24, 32, 40, 48
#: Events after which a trace function is taken away again; the same where a frame is waited for that has just left compiled code. Whatever is interpreted
#: meanwhile, by functions that the frame calls too, takes several times as long: 0.1 us more for each event.
PATIENCE, PATIENCE_AGAIN = 5_000, 1_000
_LINE = 2
#: What a frame's owner may be (_frameowner); the second is there from 3.12 on: an evaluation loop's own frame.
OWNED_BY_THREAD, OWNED_BY_C_STACK = 0, 3
_TOOL = "purejit"
_METHOD_FASTCALL = 0x80


@functools.cache
def _block():
    """The address of the block, never freed."""
    address = pages.reserve(pages.PAGE)
    pages.protect(address, pages.PAGE, pages.READ | pages.WRITE)
    return address


def _set(offset, value):
    memmove(_block() + offset, value.to_bytes(8, "little"), 8)


def watching():
    """The address of a word that is not 0 while it is `Trap` that calls sys.monitoring.set_local_events."""
    return _block() + _WATCHING


def _watch(tool, code, events):
    _set(_WATCHING, 1)
    try:
        sys.monitoring.set_local_events(tool, code, events)
    finally:
        _set(_WATCHING, 0)


def instruction(code, offset):
    """How `wait` is told of an instruction: its address (3.11) or its offset."""
    return id(code) + layout().code_adaptive + offset if layout().cframe_use_tracing is not None else offset


@functools.cache
def _trace_function():
    """int trace(object, frame object, event, argument)"""
    fields = layout()
    block = disp(_block(), 8)
    code, _ = assemble([
        "53",  # push rbx
        f"48 BB {block} 4C 8B 86 {disp(fields.frame_object_frame)}",  # mov rbx, block; mov r8, [rsi + frame]
        "48 83 3B 00", (JE, "forget"),  # cmp qword [FRAME], 0
        f"4C 3B 43 {_FRAME:02X}", (JNE, "other"), "83 FA 03", (JE, "forget"),  # cmp r8, [FRAME]; cmp edx, RETURN
        f"4D 8B 88 {disp(fields.frame_instruction)} 4C 3B 4B {_INSTRUCTION:02X}", (JNE, "other"),  # mov r9, [r8 + instruction]
        f"83 FA {_LINE:02X}", (JNE, "other"), call("PyThreadState_Get"),  # cmp edx, LINE
        f"48 C7 80 {disp(fields.thread_trace_function)} 00 00 00 00",  # mov qword [rax + trace function], 0
        f"48 8B 3B 48 C7 03 00 00 00 00 48 FF 43 {_HITS:02X} FF 53 {_ROUTINE:02X}",  # mov rdi, [FRAME]; [FRAME] = 0; inc; call
        (JMP, "out"),
        "other:", f"48 FF 43 {_IN_VAIN:02X} 48 FF 4B {_PATIENCE:02X}", (JNE, "out"),  # inc qword [IN_VAIN]; dec qword [PATIENCE]
        "forget:", "48 C7 03 00 00 00 00", call("PyThreadState_Get"),  # [FRAME] = 0
        f"48 C7 80 {disp(fields.thread_trace_function)} 00 00 00 00",
        "out:", "31 C0 5B C3",  # xor eax, eax; pop rbx; ret
    ])
    return pages.place(code)


@functools.cache
def _arm():
    """int arm(void *): a pending call that lets the evaluation loop it interrupts, and those below it, call the trace function."""
    fields = layout()
    code, _ = assemble([
        "53", f"48 BB {disp(_block(), 8)}", call("PyThreadState_Get"), "48 83 3B 00", (JE, "out"),  # push rbx; mov rbx, block; cmp [FRAME], 0
        f"48 8B 88 {disp(fields.thread_trace_function)} 48 0B 88 {disp(fields.thread_profile_function)}", (JNE, "forget"),  # mov rcx; or rcx
        f"48 B9 {disp(_trace_function(), 8)} 48 89 88 {disp(fields.thread_trace_function)}",  # mov rcx, trace; mov [rax + ...], rcx
        # Evaluation loops inherit this byte when the one above them ends.
        f"48 8B 88 {disp(fields.thread_cframe)} C6 81 {disp(fields.cframe_use_tracing)} FF", (JMP, "out"),  # mov rcx, [rax + cframe]; mov byte
        "forget:", "48 C7 03 00 00 00 00",  # [FRAME] = 0
        "out:", "31 C0 5B C3",  # xor eax, eax; pop rbx; ret
    ])
    return pages.place(code)


@functools.cache
def _callback():
    """A builtin of (code, offset, destination) for monitoring."""
    fields = layout()
    code, _ = assemble([
        "53", f"48 BB {disp(_block(), 8)}",  # push rbx; mov rbx, block
        # Offsets are ints of one digit. They are compared first: most jumps lead elsewhere.
        f"48 8B 46 10 8B 40 {fields.long_digits:02X} 48 3B 43 {_INSTRUCTION:02X}", (JNE, "out"),  # mov rax, [rsi + 16]; mov eax, [rax + digits]
        call("PyThreadState_Get"), *_current(), f"48 3B 7B {_FRAME:02X}", (JNE, "out"),  # cmp rdi, [FRAME]
        f"48 C7 03 00 00 00 00 48 FF 43 {_HITS:02X} FF 53 {_ROUTINE:02X}",  # [FRAME] = 0; inc; call
        "out:", f"48 B8 {disp(id(None), 8)} 5B C3",  # mov rax, None (which is immortal); pop rbx; ret
    ])
    definition = ctypes.create_string_buffer(32)
    name = ctypes.create_string_buffer(b"jump")
    words = (ctypes.addressof(name), pages.place(code), _METHOD_FASTCALL, 0)
    definition.raw = b"".join(word.to_bytes(8, "little") for word in words)
    make = ctypes.pythonapi.PyCFunction_NewEx
    make.restype, make.argtypes = ctypes.py_object, [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
    return make(ctypes.addressof(definition), None, None), definition, name


def _current():
    """rdi = the current frame of the thread rax."""
    fields = layout()
    if fields.thread_current_frame is None:
        return [f"48 8B 80 {disp(fields.thread_cframe)} 48 8B B8 {disp(fields.cframe_current_frame)}"]
    return [f"48 8B B8 {disp(fields.thread_current_frame)}"]


@functools.cache
def wait():
    """void wait(frame, instruction, routine): like `Trap.set`, for machine code that is about to let the interpreter run the frame.

    From 3.12 on it takes that the code is being watched already; else it has no effect.
    """
    fields = layout()
    watch = []
    if fields.cframe_use_tracing is not None:
        watch = [
            call("PyThreadState_Get"),
            f"48 8B 88 {disp(fields.thread_trace_function)} 48 0B 88 {disp(fields.thread_profile_function)}", (JNE, "forget"),
            f"48 B9 {disp(_trace_function(), 8)} 48 89 88 {disp(fields.thread_trace_function)}",  # mov rcx, trace; mov [rax + ...], rcx
            f"48 8B 88 {disp(fields.thread_cframe)} C6 81 {disp(fields.cframe_use_tracing)} FF", (JMP, "out"),
            "forget:", "48 C7 03 00 00 00 00"]  # [FRAME] = 0
    code, _ = assemble([
        "53", f"48 BB {disp(_block(), 8)}", "48 89 3B",  # push rbx; mov rbx, block; mov [FRAME], rdi
        f"48 89 73 {_INSTRUCTION:02X} 48 89 53 {_ROUTINE:02X} 48 C7 43 {_PATIENCE:02X} {disp(PATIENCE_AGAIN)}",  # mov ..., rsi; mov ..., rdx
        *watch, "out:", "5B C3",
    ])
    return pages.place(code)


@functools.cache
def cease():
    """void cease(): wait no more for the frame given to `wait`, which is over."""
    fields = layout()
    tracing = []
    if fields.cframe_use_tracing is not None:
        tracing = [
            call("PyThreadState_Get"), f"48 B9 {disp(_trace_function(), 8)} 48 39 88 {disp(fields.thread_trace_function)}",  # mov rcx; cmp
            (JNE, "out"), f"48 C7 80 {disp(fields.thread_trace_function)} 00 00 00 00",
            f"31 D2 48 83 B8 {disp(fields.thread_profile_function)} 00", (JE, "unprofiled"), "B2 FF",  # xor edx, edx; mov dl, 255
            "unprofiled:", f"48 8B 88 {disp(fields.thread_cframe)} 88 91 {disp(fields.cframe_use_tracing)}"]  # mov [rcx + ...], dl
    code, _ = assemble(["53", f"48 BB {disp(_block(), 8)} 48 C7 03 00 00 00 00", *tracing, "out:", "5B C3"])
    return pages.place(code)


class Trap:
    """Waits for one frame at a time; for the main thread.

    Attributes:
        code: whose jumps are watched (3.12 and later), or None. keep: what the routine lies in.
    """

    def __init__(self):
        self.code = self.keep = None

    @property
    def caught(self):
        """How often a frame has been caught."""
        return observe.read(_block() + _HITS)

    @property
    def in_vain(self):
        """How many trace events there have been while a frame was waited for (3.11)."""
        return observe.read(_block() + _IN_VAIN)

    @property
    def is_set(self):
        """Whether a frame is waited for."""
        return bool(observe.read(_block() + _FRAME))

    def set(self, code, frame, offset, routine, keep):
        """Call `routine` with the address of `frame` when that is about to execute the instruction at `offset`, after a jump back.

        Args:
            code: the frame's code object. frame: address of the interpreter's frame, which runs in this thread and is that of one of
                the callers. offset: in bytes. routine: address of a C function of one argument; it may redirect the frame. keep: held meanwhile.

        Returns:
            whether it could be set: not while somebody else traces or monitors.
        """
        self.clear()
        self.keep = keep
        _set(_ROUTINE, routine)
        _set(_PATIENCE, PATIENCE)
        _set(_INSTRUCTION, instruction(code, offset))
        return self._trace(frame) if layout().cframe_use_tracing is not None else self._monitor(code, frame)

    def _trace(self, frame):
        fields = layout()
        thread = threads.current()()
        if observe.read(thread + fields.thread_trace_function) or observe.read(thread + fields.thread_profile_function):
            return False
        _set(_FRAME, frame)
        # Not from here: CPython 3.11 runs in circles where a function is entered traced, in a pending call, while another one waits.
        if ctypes.pythonapi.Py_AddPendingCall(ctypes.c_void_p(_arm()), None):
            self.clear()
        return self.is_set

    def _monitor(self, code, frame):
        monitoring = sys.monitoring
        tool = monitoring.OPTIMIZER_ID
        if gettrace() is not None or getprofile() is not None or monitoring.get_tool(tool) is not None:
            return False
        monitoring.use_tool_id(tool, _TOOL)
        monitoring.register_callback(tool, monitoring.events.JUMP, _callback()[0])
        self.code = code
        _set(_FRAME, frame)
        _watch(tool, code, monitoring.events.JUMP)
        return True

    def clear(self):
        """Wait no more, and watch nothing."""
        _set(_FRAME, 0)
        if self.code is not None:
            code, self.code = self.code, None
            monitoring = sys.monitoring
            tool = monitoring.OPTIMIZER_ID
            _watch(tool, code, 0)
            monitoring.register_callback(tool, monitoring.events.JUMP, None)
            monitoring.free_tool_id(tool)


def is_ours(tool):
    """Whether a monitoring tool is the one that `Trap` registers."""
    return tool == sys.monitoring.OPTIMIZER_ID and sys.monitoring.get_tool(tool) == _TOOL
