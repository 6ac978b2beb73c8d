"""Calls from machine code that the program does not notice: small pieces of code, written as hex text.

While such a call is made, no signal handler of the program runs (the signals wait), and the recursion limit does not count:
what the program's frames see of it is nothing. Handlers of signals that came before run first, with the program's own frame. Nothing is
traced or monitored meanwhile, no garbage is collected unless there are other threads (which may want to decide about that), and the objects
that are made do not start a collection later.

Source: CPython Python/ceval_gil.c, Modules/signalmodule.c (PyErr_CheckSignals); pthread_sigmask(3).
"""

import ctypes
import functools

from platforms import pages
from platforms.cpython import collector, symbols, threads
from platforms.cpython.layout import layout

#: Levels of recursion lent to a call.
_LEVELS = 250
#: A caller of `before` and `after` has this much room at rsp: the mask of signals, two counters of levels, the objects made, whether garbage is collected.
ROOM = 144
_MADE, _COLLECTS = 136, 140
_SIGNALS_OF_FAULTS = (4, 5, 6, 7, 8, 11, 31)  # ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS on Linux; importing `signal` takes milliseconds

JMP, JE, JNE, JB, JGE, JLE = "E9", "0F 84", "0F 85", "0F 82", "0F 8D", "0F 8E"


def disp(value, size=4):
    return value.to_bytes(size, "little", signed=value < 0).hex()


def call(name):
    """mov rax, address; call rax"""
    return f"48 B8 {disp(symbols.address(name), 8)} FF D0"


def assemble(parts):
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


def _lend_levels():
    """Let there be at least _LEVELS levels of recursion left to the thread r12; how many there are is kept behind the mask."""
    for number, offset in enumerate(_recursion_counters()):
        kept, enough = disp(128 + 4 * number), f"enough{number}:"
        yield f"41 8B 84 24 {disp(offset)} 89 84 24 {kept} 3D {disp(_LEVELS)}"  # mov eax, counter; mov kept, eax; cmp eax, LEVELS
        yield (JGE, enough[:-1])
        yield f"41 C7 84 24 {disp(offset)} {disp(_LEVELS)}"  # mov counter, LEVELS
        yield enough


def _take_levels_back():
    for number, offset in enumerate(_recursion_counters()):
        yield f"8B 84 24 {disp(128 + 4 * number)} 41 89 84 24 {disp(offset)}"  # mov eax, kept; mov counter, eax


def _count_objects():
    return f"48 B8 {disp(collector.counter(), 8)} 8B 00 89 84 24 {disp(_MADE)}"  # mov rax, counter; mov eax, [rax]; mov made, eax


def _forget_objects():
    """Do not count those made since."""
    return [f"48 B8 {disp(collector.counter(), 8)} 8B 8C 24 {disp(_MADE)} 39 08", (JLE, "few"),  # mov rax, counter; mov ecx, made; cmp [rax], ecx
            "89 08", "few:"]  # mov [rax], ecx


def _collect_nothing():
    return [f"48 BF {disp(threads.interpreter(), 8)}", call("PyInterpreterState_ThreadHead"), "48 89 C7", call("PyThreadState_Next"),  # mov rdi, rax
            f"C7 84 24 {disp(_COLLECTS)} 00 00 00 00 48 85 C0", (JNE, "several"),  # mov dword collects, 0; test rax, rax
            call("PyGC_Disable"), f"89 84 24 {disp(_COLLECTS)}",  # mov collects, eax: as it was
            "several:"]


def _collect_again():
    return [f"83 BC 24 {disp(_COLLECTS)} 00", (JE, "collects"), call("PyGC_Enable"), "collects:"]  # cmp dword collects, 0


def _recursion_counters():
    fields = layout()
    return [offset for offset in (fields.thread_recursion_remaining, fields.thread_c_recursion_remaining) if offset is not None]


@functools.cache
def every_signal():
    """The address of the mask with all signals but those of faults."""
    mask = (1 << 1024) - 1
    for number in _SIGNALS_OF_FAULTS:
        mask &= ~(1 << (number - 1))
    address = pages.reserve(pages.PAGE)
    pages.protect(address, pages.PAGE, pages.READ | pages.WRITE)
    ctypes.memmove(address, mask.to_bytes(128, "little"), 128)
    return address


def before(refused):
    """Begin; r12 = thread state. Goes to the label `refused`, with all undone, if a handler has raised an exception."""
    return [
        f"BF 02 00 00 00 48 BE {disp(every_signal(), 8)} 48 89 E2", call("pthread_sigmask"),  # (SIG_SETMASK, all, rsp)
        call("PyErr_CheckSignals"), "85 C0", (JE, "undisturbed"),  # test eax, eax
        *unmask(), (JMP, refused),
        "undisturbed:", *_lend_levels(), _count_objects(), *_collect_nothing(),
        f"41 FF 84 24 {disp(layout().thread_tracing)}",  # inc dword [r12 + tracing]: as in a trace function, nothing is traced
    ]


def after():
    """End; keeps none of the caller's scratch registers."""
    return [f"41 FF 8C 24 {disp(layout().thread_tracing)}", *_forget_objects(), *_collect_again(), *_take_levels_back(), *unmask()]


def unmask():
    """Let signals through again."""
    return ["BF 02 00 00 00 48 89 E6 31 D2", call("pthread_sigmask")]  # (SIG_SETMASK, rsp, NULL)


def vectorcall():
    """The address of a PyObject_Vectorcall whose callee is not disturbed and does not disturb."""
    return caller(symbols.address("PyObject_Vectorcall"))


@functools.cache
def caller(address):
    """The same for any function like it."""
    code, _ = assemble([
        "53 41 54 41 55 41 56 41 57 48 81 EC", disp(ROOM),  # push rbx, r12, r13, r14, r15; sub rsp, ROOM
        "48 89 FB 49 89 F5 49 89 D6 49 89 CF",  # mov rbx, rdi; mov r13, rsi; mov r14, rdx; mov r15, rcx
        call("PyThreadState_Get"), "49 89 C4", *before("refused"),
        f"48 89 DF 4C 89 EE 4C 89 F2 4C 89 F9 48 B8 {disp(address, 8)} FF D0 48 89 C3",  # mov rax, address; call rax; mov rbx, rax
        *after(), "48 89 D8", (JMP, "out"),  # mov rax, rbx
        "refused:", "31 C0",
        "out:", "48 81 C4", disp(ROOM), "41 5F 41 5E 41 5D 41 5C 5B C3",
    ])
    return pages.place(code)
