"""Calls from machine code that the program does not notice: small pieces of code, written as hex text.

While such a call is made, no signal handler of the program runs (the signals wait), and the recursion limit does not count:
what the program's frames see of it is nothing. Handlers of signals that came before run first, with the program's own frame. Nothing is
traced or monitored meanwhile, no garbage is collected unless there are other threads (which may want to decide about that), and the objects
that are made do not start a collection later. Those that are kept are no business of the collector's (platforms/cpython/collector.py).

Source: CPython Python/ceval_gil.c, Modules/signalmodule.c (PyErr_CheckSignals); pthread_sigmask(3).
"""

import functools

from platforms import pages
from platforms.cpython import collector, symbols, threads
from platforms.cpython.layout import layout
from platforms.pages import memmove

#: Added to the levels of trace functions that run in a thread: as in one of these, nothing is traced; and whoever looks sees what is ours (audit.py).
OURS = 0x10001
#: Levels of recursion lent to a call.
_LEVELS = 250
#: A caller of `before` and `after` has this much room at rsp: the mask of signals, two counters of levels, the objects made, whether garbage is collected, the head of a list.
# A multiple of 16.
ROOM = 176
_MADE, _COLLECTS, _LISTED = 136, 140, 144
_SIGNALS_OF_FAULTS = (4, 5, 6, 7, 8, 11, 31)  # ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS on Linux; importing `signal` takes milliseconds

JMP, JE, JNE, JB, JA, JL, JGE, JLE = "E9", "0F 84", "0F 85", "0F 82", "0F 87", "0F 8C", "0F 8D", "0F 8E"


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
    """Unless there are other threads, which could also make what the collector has to know of."""
    return [f"48 C7 84 24 {disp(_LISTED)} 00 00 00 00",  # mov qword listed, 0: nothing is set aside
            f"48 BF {disp(threads.interpreter(), 8)}", call("PyInterpreterState_ThreadHead"), "48 89 C7", call("PyThreadState_Next"),  # mov rdi, rax
            f"C7 84 24 {disp(_COLLECTS)} 00 00 00 00 48 85 C0", (JNE, "several"),  # mov dword collects, 0; test rax, rax
            call("PyGC_Disable"), f"89 84 24 {disp(_COLLECTS)}",  # mov collects, eax: as it was
            *_set_aside(), "several:"]


def _set_aside():
    """Take what the youngest generation holds into a list on the stack, so that it will hold what is made from now on."""
    return [
        f"48 B8 {disp(collector.youngest(), 8)} 4C 8D 84 24 {disp(_LISTED)}",  # mov rax, youngest; lea r8, listed
        "4D 89 00 4D 89 40 08 48 8B 08 48 39 C1", (JE, "aside"),  # mov [r8], r8; mov [r8 + 8], r8; mov rcx, [rax]; cmp rcx, rax
        "48 8B 50 08 49 89 08 49 89 50 08 4C 89 02",  # mov rdx, [rax + 8]; mov [r8], rcx; mov [r8 + 8], rdx; mov [rdx], r8
        *_set_previous("49 89 C9", "4D 89 C2"),  # of rcx to r8
        "48 89 00 48 89 40 08",  # mov [rax], rax; mov [rax + 8], rax
        "aside:",
    ]


def _put_back():
    """Put what has been made into the list that no collection looks at, and what was set aside where it was."""
    kept = [part for kind in collector.PROGRAMS for part in (f"49 BA {disp(id(kind), 8)} 4D 39 D1", (JE, "left"))]  # mov r10, kind; cmp r9, r10
    return [
        f"48 83 BC 24 {disp(_LISTED)} 00", (JE, "restored"),  # cmp qword listed, 0
        f"48 B8 {disp(collector.youngest(), 8)} 49 B8 {disp(collector.own_list(), 8)} 48 8B 08",  # mov rax, youngest; mov r8, own; mov rcx, [rax]
        "object:", "48 39 C1", (JE, "hidden"),  # cmp rcx, rax
        f"48 8B 11 4C 8B 49 {collector.HEAD + layout().ob_type:02X}", *kept,  # mov rdx, [rcx]; mov r9, [rcx + type]
        "4C 8B 51 08 49 83 E2 FC 49 89 12",  # mov r10, [rcx + 8]; and r10, ~3; mov [r10], rdx
        *_set_previous("49 89 D1", ""),  # of rdx to r10
        "4D 8B 50 08 49 89 0A",  # mov r10, [r8 + 8]; mov [r10], rcx
        *_set_previous("49 89 C9", ""),  # of rcx to r10
        "4C 89 01 49 89 48 08",  # mov [rcx], r8; mov [r8 + 8], rcx
        "left:", "48 89 D1", (JMP, "object"),  # mov rcx, rdx
        "hidden:", f"4C 8D 84 24 {disp(_LISTED)} 49 8B 08 4C 39 C1", (JE, "restored"),  # lea r8, listed; mov rcx, [r8]; cmp rcx, r8
        "4D 8B 58 08 48 8B 10 48 89 08",  # mov r11, [r8 + 8]; mov rdx, [rax]; mov [rax], rcx
        *_set_previous("49 89 C9", "49 89 C2"),  # of rcx to rax
        "49 89 13", *_set_previous("49 89 D1", "4D 89 DA"),  # mov [r11], rdx; of rdx to r11
        "restored:",
    ]


def _set_previous(of, to):
    """Let the object at r9 follow that at r10; its flags stay. Args: of, to: code that loads these."""
    return [f"{of} {to}",
            "41 53 4D 8B 59 08 41 83 E3 03 4D 09 D3 4D 89 59 08 41 5B"]  # push r11; mov r11, [r9 + 8]; and r11d, 3; or r11, r10; mov [r9 + 8], r11; pop


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
    memmove(address, mask.to_bytes(128, "little"), 128)
    return address


def before(refused):
    """Begin; r12 = thread state. Goes to the label `refused`, with all undone, if a handler has raised an exception."""
    return [
        f"BF 02 00 00 00 48 BE {disp(every_signal(), 8)} 48 89 E2", call("pthread_sigmask"),  # (SIG_SETMASK, all, rsp)
        call("PyErr_CheckSignals"), "85 C0", (JE, "undisturbed"),  # test eax, eax
        *unmask(), (JMP, refused),
        "undisturbed:", *_lend_levels(), _count_objects(), *_collect_nothing(),
        f"41 81 84 24 {disp(layout().thread_tracing)} {disp(OURS)}",  # add dword [r12 + tracing], OURS
    ]


def after():
    """End; keeps none of the caller's scratch registers."""
    return [f"41 81 AC 24 {disp(layout().thread_tracing)} {disp(OURS)}", *_put_back(), *_forget_objects(), *_collect_again(), *_take_levels_back(), *unmask()]


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
