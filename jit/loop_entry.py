"""Machine code between an interpreter frame at a loop's header and the version that takes it over.

It is called with the frame's address when that is about to execute the header (platforms/cpython/back_edges.py). If nobody holds the
frame, the version still holds and the slots hold what it was compiled for, its body runs in the frame's place: it takes the values out
of the slots, and neither frame walks nor the count of recursion see the frame meanwhile. What comes of it is left in the empty frame with
a code object of two instructions, which return the result or raise the exception. That code never reaches RESUME, so CPython shows it
to nobody.

An exit of the version lets the interpreter run on in a frame of its own, called from within the version. When that frame comes
to a header it is not entered itself, or each exit would need more of the C stack: it hands its values back to the empty frame,
returns a mark through the version to here, and the frame, which is again as it was at a header, is entered anew.

Source: CPython Python/bytecodes.c (RETURN_VALUE, RERAISE), Include/internal/pycore_frame.h (_PyFrame_IsIncomplete).
"""

from asm import (Assembler, eax, ecx, edx, mem8, mem32, mem64, r8, r12, r13, r14d, r15, rax, rbp, rbx, rcx, rdi, rdx, relative, rsi, rsp)
from jit import perfmap, types
from jit.entries import ARGUMENTS, FUNCTION, PUSHED, Entry, EntryEmitter
from jit.iteration import DICT_ITERATORS, SET_ITERATOR, Entries, Enumerated, Members, Numbers, Sequence, nodes
from jit.machine import activations as active
from jit.machine import arena, records, routines
from jit.machine.refcounts import emit_decref, emit_incref
from jit.machine.stack import emit_stack_budget
from jit.templates.calls import argument_registers
from jit.templates.iterating import emit_part
from jit.unit import is_module
from platforms.cpython import symbols
from platforms.cpython.back_edges import OWNED_BY_C_STACK, OWNED_BY_THREAD, instruction
from platforms.cpython.layout import layout
from platforms.cpython.shell import shell

L = layout()
_RANGE_ITERATOR = type(iter(range(0)))
#: Levels of recursion that must be left.
LEAST_LEVELS = 8
#: The block at [rsp] is that of entries.py, and behind it how many bytes of activations there were before.
DEPTH, BLOCK = 24, 40
#: What a frame returns that has come to a header again.
_MARK = object()


def build(function, code, state, offset):
    """The entry of one version.

    Args:
        function: its function. code: the version's Code. state: the LoopState it was compiled for. offset: of the header's instruction.

    Returns:
        Entry, whose address is that of a C function: void enter(frame).
    """
    asm = Assembler(comments=False)
    emitter = LoopEntryEmitter(asm, function, code, state, offset)
    emitter.emit()
    block = arena().allocate_code(asm.size_bound())
    text = asm.finish(block)
    arena().write_code(block, text)
    perfmap.note(block, len(text), f"jit::loop of {function.__qualname__}")
    return Entry(block, [code], [function.__code__, emitter.shell])


class LoopEntryEmitter(EntryEmitter):
    """Emits it. rbx = function, rbp = the frame's slots, r12 = the frame, r15 = thread state, r13 = the block of activations."""

    def __init__(self, asm, function, code, state, offset):
        self.asm = asm
        self.code = function.__code__
        self.version = code
        self.state = state
        self.routines = routines()
        self.shell = shell(function.__code__)
        self.instruction = instruction(function.__code__, offset)
        self.miss = self.other = self.original = asm.label("refused")
        self.enter = asm.label("enter")

    def emit(self):
        asm = self.asm
        start, low, out = asm.label("start"), asm.label("low"), asm.label("out")
        asm.bind(self.enter)
        for register in PUSHED:
            asm.push(register)
        asm.sub(rsp, BLOCK)
        asm.mov(r12, rdi)
        asm.lea(rbp, mem64(r12, L.frame_localsplus))
        asm.mov(rbx, mem64(r12, L.frame_function))
        asm.mov(rax, self.constant(id(self.code)))
        asm.cmp(mem64(r12, L.frame_code), rax)
        asm.jne(self.miss)
        asm.cmp(mem64(rbx, L.function_code), rax)
        asm.jne(self.miss)
        self.emit_thread_state()
        self.emit_frame_check()
        asm.bind(start)
        self.emit_words(self.version, start)
        asm.cmp(relative(self.version.version_record + records.ATTENTION), 0)
        asm.jne(self.miss)
        for number, slot in enumerate(self.state.slots()):
            self.emit_slot(number, slot)
        self.emit_hand_back()
        # The frame's own level of recursion is the body's.
        asm.add(mem32(r15, L.thread_recursion_remaining), 1)
        emit_stack_budget(asm, low)
        asm.cmp(r14d, LEAST_LEVELS)
        asm.jl(out)
        self.emit_activation()
        self.emit_body()
        self.emit_again()
        self.emit_leave_frame()
        asm.bind(self.miss)
        asm.add(rsp, BLOCK)
        for register in reversed(PUSHED):
            asm.pop(register)
        asm.ret()
        with asm.cold():
            asm.bind(low)
            asm.call(self.constant(symbols.address("PyErr_Clear")))
            asm.bind(out)
            asm.sub(mem32(r15, L.thread_recursion_remaining), 1)
            asm.jmp(self.miss)

    # -- whose frame it is ---------------------------------------------------------------------------------

    def emit_frame_check(self):
        """Go to `miss` if anybody has the frame, its dict of locals, or traces."""
        asm = self.asm
        unknown = asm.label("unknown")
        asm.cmp(mem8(r12, L.frame_owner), OWNED_BY_THREAD)
        asm.jne(self.miss)
        asm.xor(eax, eax)
        if is_module(self.code):
            asm.mov(rax, mem64(r12, L.frame_globals))
        asm.cmp(mem64(r12, L.frame_locals), rax)
        asm.jne(self.miss)
        asm.mov(rax, mem64(r12, L.frame_object))
        asm.test(rax, rax)
        asm.jz(unknown)
        asm.cmp(mem64(rax, L.ob_refcnt), 1)
        asm.jne(self.miss)
        asm.cmp(mem64(rax, L.frame_object_trace), 0)
        asm.jne(self.miss)
        asm.bind(unknown)
        asm.mov(rax, mem64(r15, L.thread_trace_function))
        asm.or_(rax, mem64(r15, L.thread_profile_function))
        asm.jne(self.miss)
        if L.thread_cframe is None or L.cframe_use_tracing is None:
            self.emit_tracing_check()
        asm.lea(r13, relative(active.activations()))
        asm.cmp(mem64(r13, active.DEPTH), active.LIMIT)
        asm.jge(self.miss)

    def emit_hand_back(self):
        """If an exit of a version that was entered runs in this frame: give the values to the frame it was entered in, return the mark."""
        asm = self.asm
        fresh = asm.label("fresh")
        asm.lea(r13, relative(active.activations()))
        asm.mov(rcx, mem64(r13, active.DEPTH))
        asm.test(rcx, rcx)
        asm.jz(fresh)
        asm.lea(rcx, mem64(r13, active.FIRST - active.SIZE, rcx, 1))
        asm.mov(rax, mem64(r12, L.frame_code))
        asm.cmp(mem64(rcx, active.CODE), rax)
        asm.jne(fresh)
        asm.mov(rdx, mem64(r12, L.frame_previous))
        if L.frame_is_entry is not None:
            asm.cmp(mem8(r12, L.frame_is_entry), 0)
            asm.je(fresh)
        else:
            # The evaluation loop has a frame of its own there.
            asm.cmp(mem8(rdx, L.frame_owner), OWNED_BY_C_STACK)
            asm.jne(fresh)
            asm.mov(rdx, mem64(rdx, L.frame_previous))
        asm.cmp(mem64(rcx, active.PREVIOUS), rdx)
        asm.jne(fresh)
        asm.mov(rdi, mem64(rcx, active.FRAME))
        for number in range(len(self.state.slots())):
            asm.mov(rax, mem64(rbp, 8 * number))
            asm.mov(mem64(rdi, L.frame_localsplus + 8 * number), rax)
            asm.mov(mem64(rbp, 8 * number), 0)
        asm.mov(mem32(rdi, L.frame_stacktop), len(self.state.slots()))
        asm.mov(rax, mem64(r12, L.frame_instruction))
        asm.mov(mem64(rdi, L.frame_instruction), rax)
        asm.lea(rax, relative(self.enter))
        asm.mov(mem64(r13, active.NEXT), rax)
        asm.mov(rbx, self.constant(id(_MARK)))
        emit_incref(asm, rbx, rcx)
        self.emit_leave_frame()
        asm.jmp(self.miss)
        asm.bind(fresh)

    def emit_activation(self):
        """Note that the version runs; rcx = the frame's caller."""
        asm = self.asm
        asm.lea(r13, relative(active.activations()))
        asm.mov(rcx, mem64(r13, active.DEPTH))
        asm.mov(mem64(rsp, DEPTH), rcx)
        asm.lea(rdx, mem64(r13, active.FIRST, rcx, 1))
        asm.add(rcx, active.SIZE)
        asm.mov(mem64(r13, active.DEPTH), rcx)
        asm.mov(mem64(rdx, active.FRAME), r12)
        self.emit_caller()
        asm.mov(mem64(rdx, active.PREVIOUS), rcx)
        asm.mov(rax, self.constant(id(self.code)))
        asm.mov(mem64(rdx, active.CODE), rax)
        asm.mov(rax, self.constant(self.instruction))
        asm.mov(mem64(rdx, active.INSTRUCTION), rax)
        asm.lea(rax, relative(self.enter))
        asm.mov(mem64(rdx, active.ROUTINE), rax)

    def emit_again(self):
        """If rbx is the mark, enter the frame anew."""
        asm = self.asm
        ended = asm.label("ended")
        asm.cmp(rbx, self.constant(id(_MARK)))
        asm.jne(ended)
        asm.mov(rdi, rbx)
        asm.call(self.constant(symbols.address("Py_DecRef")))
        asm.lea(r13, relative(active.activations()))
        asm.mov(rax, mem64(r13, active.NEXT))
        asm.mov(rdi, r12)
        asm.add(rsp, BLOCK)
        for register in reversed(PUSHED):
            asm.pop(register)
        asm.jmp(rax)
        asm.bind(ended)

    # -- what the frame holds ------------------------------------------------------------------------------

    def emit_slot(self, number, slot):
        """Go to `miss` unless the slot holds what it is to hold."""
        asm = self.asm
        asm.mov(rax, mem64(rbp, 8 * number))
        asm.test(rax, rax)
        if slot.type is None:
            asm.jnz(self.miss)
            return
        asm.jz(self.miss)
        if slot.type.python is not None:
            self.emit_type_check(rax, slot.type.python)
        if slot.source is not None:
            for path, part in nodes(slot.source):
                asm.mov(r8, mem64(rbp, 8 * number))
                base = emit_part(asm, self, r8, path)
                self.emit_part_check(base, part)

    def register(self, register, _):
        """As templates ask an Emitter."""
        return register

    def emit_type_check(self, register, kind):
        self.asm.mov(rdx, self.constant(id(kind)))
        self.asm.cmp(mem64(register, L.ob_type), rdx)
        self.asm.jne(self.miss)

    def emit_part_check(self, base, part):
        asm = self.asm
        if part.__class__ is Numbers:
            self.emit_type_check(base, _RANGE_ITERATOR)
        elif part.__class__ is Entries:
            self.emit_type_check(base, next(kind for kind, what in DICT_ITERATORS.items() if what == part.what))
        elif part.__class__ is Members:
            self.emit_type_check(base, SET_ITERATOR)
        elif part.__class__ is Enumerated:
            self.emit_type_check(base, enumerate)
        elif part.__class__ is Sequence:
            self.emit_type_check(base, type(iter(part.python())))
            asm.mov(rax, mem64(base, L.sequence_iterator_sequence))
            asm.test(rax, rax)
            asm.jz(self.miss)
            self.emit_type_check(rax, part.python)
        else:
            self.emit_type_check(base, zip)
            asm.mov(rax, mem64(base, L.zip_iterators))
            asm.cmp(mem64(rax, L.tuple_size), len(part.sources))
            asm.jne(self.miss)

    # -- running -------------------------------------------------------------------------------------------

    def emit_current_frame(self, source):
        """Make the frame in register `source` the current one; rax is lost."""
        asm = self.asm
        if L.thread_current_frame is not None:
            asm.mov(mem64(r15, L.thread_current_frame), source)
        else:
            asm.mov(rax, mem64(r15, L.thread_cframe))
            asm.mov(mem64(rax, L.cframe_current_frame), source)

    def emit_caller(self):
        """rcx = the frame below this one, without that of a call from C between them: where an exit puts another on it, two of these would be
        in a row, and CPython's faulthandler takes the second for Python's (Python/traceback.c, dump_traceback: 3.13 crashes).
        """
        asm = self.asm
        asm.mov(rcx, mem64(r12, L.frame_previous))
        if L.frame_is_entry is None:
            known = asm.label("caller")
            asm.test(rcx, rcx)
            asm.jz(known)
            asm.cmp(mem8(rcx, L.frame_owner), OWNED_BY_C_STACK)
            asm.jne(known)
            asm.mov(rcx, mem64(rcx, L.frame_previous))
            asm.bind(known)

    def emit_body(self):
        """Run the version, with rcx as the current frame; rax = result or NULL."""
        asm = self.asm
        boxed, kept = asm.label("boxed"), asm.label("kept")
        code = self.version
        asm.sub(mem32(r15, L.thread_tracing), 1)
        self.emit_current_frame(rcx)
        asm.add(relative(code.version_record + records.CALLS), 1)
        asm.mov(mem64(rsp, FUNCTION), rbx)
        asm.mov(mem64(rsp, ARGUMENTS), rbp)
        emit_incref(asm, rbx, rcx)
        asm.mov(argument_registers([types.INT])[0], rbp)
        asm.call(code.address)
        asm.marker(None)
        asm.mov(ecx, mem32(rsp, 0))
        asm.add(ecx, r14d)
        asm.sub(ecx, 1)
        asm.mov(mem32(r15, L.thread_recursion_remaining), ecx)
        asm.test(edx, edx)
        asm.jnz(boxed)
        self.emit_box_result(code)
        asm.bind(boxed)
        asm.mov(rbp, mem64(rsp, ARGUMENTS))
        asm.lea(r12, mem64(rbp, -L.frame_localsplus))
        asm.mov(rbx, rax)
        asm.mov(rdi, mem64(rsp, FUNCTION))
        emit_decref(asm, rdi, kept)  # the frame holds it, too
        asm.bind(kept)
        asm.lea(rcx, relative(active.activations()))
        asm.mov(rax, mem64(rsp, DEPTH))
        asm.mov(mem64(rcx, active.DEPTH), rax)
        asm.add(mem32(r15, L.thread_tracing), 1)
        self.emit_current_frame(r12)

    def emit_leave_frame(self):
        """The frame is empty. Let it return rbx, or raise the exception that is set."""
        asm = self.asm
        raised, left = asm.label("raised"), asm.label("left")
        asm.test(rbx, rbx)
        asm.jz(raised)
        asm.mov(eax, L.code_adaptive)
        asm.bind(left)
        asm.mov(mem64(rbp, 0), rbx)
        asm.mov(mem32(r12, L.frame_stacktop), 1)
        asm.mov(rcx, self.constant(id(self.shell)))
        asm.add(rax, rcx)
        asm.mov(mem64(r12, L.frame_instruction), rax)
        emit_incref(asm, rcx, rdx)
        asm.mov(rdi, mem64(r12, L.frame_code))
        asm.mov(mem64(r12, L.frame_code), rcx)
        asm.call(self.constant(symbols.address("Py_DecRef")))
        with asm.cold():
            asm.bind(raised)
            self.emit_fetch()
            asm.mov(eax, L.code_adaptive + 2)
            asm.jmp(left)

    def emit_fetch(self):
        """rbx = the exception that is set, with its traceback; none is set afterwards."""
        asm = self.asm
        if symbols.optional("PyErr_GetRaisedException") is not None:
            asm.call(self.constant(symbols.address("PyErr_GetRaisedException")))
            asm.mov(rbx, rax)
            return
        asm.sub(rsp, 32)
        for name in ("PyErr_Fetch", "PyErr_NormalizeException"):
            for number, register in enumerate((rdi, rsi, rdx)):
                asm.lea(register, mem64(rsp, 8 * number))
            asm.call(self.constant(symbols.address(name)))
        no_traceback = asm.label("no_traceback")
        asm.mov(rbx, mem64(rsp, 8))
        asm.mov(rsi, mem64(rsp, 16))
        asm.test(rsi, rsi)
        asm.jz(no_traceback)
        asm.mov(rdi, rbx)
        asm.call(self.constant(symbols.address("PyException_SetTraceback")))
        asm.mov(rdi, mem64(rsp, 16))
        asm.call(self.constant(symbols.address("Py_DecRef")))
        asm.bind(no_traceback)
        asm.mov(rdi, mem64(rsp, 0))
        asm.call(self.constant(symbols.address("Py_DecRef")))
        asm.add(rsp, 32)
