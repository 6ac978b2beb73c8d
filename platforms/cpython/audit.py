"""Audit hooks of the program are told of what the program does, and not of what we do in its threads.

Problem: the compiler looks at functions and at memory, and each look is an audit event. A hook of the program's would see thousands, and one that
refuses some raises in the middle of the compiler, and again wherever that tries to put things in order.
Idea: ``sys.addaudithook`` is led through machine code that adds, in the hook's place, a builtin function that calls it, unless the thread is ours at
the moment: by its levels of trace functions (undisturbed.py), or because it is within `QUIET`.

Hooks that were there before, hooks in C, and those with ``__cantrace__`` are told of everything.
Source: PEP 578; CPython Python/sysmodule.c (sys_audit_tstate, sys_addaudithook_impl), Include/methodobject.h (PyMethodDef).
"""

import ctypes
import sys

from platforms import pages
from platforms.cpython import observe, symbols, threads
from platforms.cpython.layout import layout
from platforms.cpython.undisturbed import JE, JGE, JMP, JNE, OURS, assemble, call, disp
from platforms.pages import memmove

#: In our page of data: the thread state that is within QUIET, or 0; two PyMethodDefs; names.
_QUIET, _ADDING, _TELLING, _NAMES = 0, 16, 48, 80
_METHOD_DEF = 32
_FASTCALL, _KEYWORDS = 0x80, 0x02
_NAME, _CAN_TRACE = b"addaudithook\0", b"__cantrace__\0"


def _telling(data):
    """PyObject *tell(hook, arguments, number): call it, or return None."""
    return [
        "tell:", "53 41 54 41 55 48 89 FB 49 89 F4 49 89 D5",  # push rbx, r12, r13; mov rbx, rdi; mov r12, rsi; mov r13, rdx
        call("PyThreadState_Get"), f"48 B9 {disp(data + _QUIET, 8)} 48 39 01", (JE, "silent"),  # mov rcx, quiet; cmp [rcx], rax
        f"81 B8 {disp(layout().thread_tracing)} {disp(OURS)}", (JGE, "silent"),  # cmp dword [rax + tracing], OURS
        "48 89 DF 4C 89 E6 4C 89 EA 31 C9 41 5D 41 5C 5B",  # mov rdi, rbx; rsi, r12; rdx, r13; xor ecx, ecx; pop r13, r12, rbx
        f"48 B8 {disp(symbols.address('PyObject_Vectorcall'), 8)} FF E0",  # mov rax, address; jmp rax
        "silent:", f"48 BF {disp(id(None), 8)}", call("Py_IncRef"), f"48 B8 {disp(id(None), 8)} 41 5D 41 5C 5B C3",
    ]


def _adding(data, original):
    """PyObject *add(module, arguments, number, names): as sys.addaudithook, which ends at the address `original`."""
    return [
        "add:", "53 41 54 41 55 41 56 48 83 EC 18",  # push rbx, r12, r13, r14; sub rsp, 24
        "48 89 FB 49 89 F4 49 89 D5 49 89 CE",  # mov rbx, rdi; r12, rsi; r13, rdx; r14, rcx
        "48 89 D0 48 85 C9", (JE, "counted"), f"48 03 41 {layout().ob_size:02X}",  # mov rax, rdx; test rcx, rcx; add rax, [rcx + size]
        "counted:", "48 83 F8 01", (JNE, "as_it_is"),  # cmp rax, 1
        f"49 8B 3C 24 48 BE {disp(data + _NAMES + len(_NAME), 8)}", call("PyObject_HasAttrString"),  # mov rdi, [r12]; mov rsi, name
        "85 C0", (JNE, "as_it_is"),  # test eax, eax
        f"48 BF {disp(data + _TELLING, 8)} 49 8B 34 24 31 D2 31 C9", call("PyCMethod_New"),  # mov rdi, definition; mov rsi, [r12]; xor edx, ecx
        "48 85 C0", (JE, "out"), "48 89 04 24",  # test rax, rax; mov [rsp], rax
        "48 89 DF 48 89 E6 4C 89 EA 4C 89 F1",  # mov rdi, rbx; rsi, rsp; rdx, r13; rcx, r14
        f"48 B8 {disp(original, 8)} FF D0 48 89 C3 48 8B 3C 24", call("Py_DecRef"),  # mov rax, original; call rax; mov rbx, rax; mov rdi, [rsp]
        "48 89 D8", (JMP, "out"),  # mov rax, rbx
        "as_it_is:", "48 89 DF 4C 89 E6 4C 89 EA 4C 89 F1",
        f"48 83 C4 18 41 5E 41 5D 41 5C 5B 48 B8 {disp(original, 8)} FF E0",  # add rsp, 24; pop; mov rax, original; jmp rax
        "out:", "48 83 C4 18 41 5E 41 5D 41 5C 5B C3",
    ]


def _definition():
    """The bytes of sys.addaudithook's PyMethodDef; None if that is not what is known."""
    function = sys.addaudithook
    if type(function) is not type(len):
        return None
    with observe.Peeker() as peeker:
        place = peeker.number(id(function) + layout().cfunction_m_ml)
        found = place and peeker.copy(place, _METHOD_DEF)
        if not found or int.from_bytes(found[layout().method_def_flags:][:4], "little") != _FASTCALL | _KEYWORDS:
            return None
        return found if peeker.copy(int.from_bytes(found[:8], "little"), len(_NAME)) == _NAME else None


class Quiet:
    """While entered, by one thread at a time, hooks are not told of what it does. May be nested.

    Attributes:
        cell: the c_uint64 that says which thread state is within, or None as long as hooks are added as ever.
    """

    def __init__(self):
        self.cell = None
        self.depth = 0
        self.current = threads.current()

    def install(self):
        """Lead sys.addaudithook here, for as long as the process lives."""
        found = None if self.cell is not None else _definition()
        if found is None:
            return
        data = pages.reserve(pages.PAGE)
        pages.protect(data, pages.PAGE, pages.READ | pages.WRITE)
        memmove(data + _NAMES, _NAME + _CAN_TRACE, len(_NAME + _CAN_TRACE))
        meth = slice(layout().method_def_meth, layout().method_def_meth + 8)
        code, labels = assemble(_adding(data, int.from_bytes(found[meth], "little")) + _telling(data))
        start = pages.place(code)
        adding, telling = bytearray(found), bytearray(_METHOD_DEF)
        adding[meth] = (start + labels["add"]).to_bytes(8, "little")
        telling[:8], telling[meth] = (data + _NAMES).to_bytes(8, "little"), (start + labels["tell"]).to_bytes(8, "little")
        telling[layout().method_def_flags] = _FASTCALL
        memmove(data + _ADDING, bytes(adding + telling), 2 * _METHOD_DEF)
        memmove(id(sys.addaudithook) + layout().cfunction_m_ml, (data + _ADDING).to_bytes(8, "little"), 8)
        self.cell = ctypes.c_uint64.from_address(data + _QUIET)

    def __enter__(self):
        if self.cell is not None and self.cell.value in (0, self.current()):
            self.cell.value = self.current()
            self.depth += 1

    def __exit__(self, *_):
        if self.cell is not None and self.cell.value == self.current():
            self.depth -= 1
            if not self.depth:
                self.cell.value = 0

    def begin_in_child(self):
        """In a forked child: a thread that was within is not there, unless it is this one."""
        if self.cell is not None and self.cell.value not in (0, self.current()):
            self.cell.value = self.depth = 0


QUIET = Quiet()
