"""Machine code that gives a generator's next item: the routine of one code object, with all parts there are of it (jit/resuming.py).

It is called as CPython's gen_iternext is, and stands in its place. A generator that waits at a yield, that nobody looks at, and whose
variables and operands are of the types one of the parts was compiled for, is run by that part; any other by CPython. Of these, those are
counted that wait at a yield; when there have been enough, the compiler is shown the generator.

A part returns an item, the generator suspended; or what the generator returns, or NULL with an exception, the generator still running and
empty. CPython ends it then: it runs a RETURN_VALUE, or the generator is closed, so that all it keeps about generators is in order.

Source: CPython Objects/genobject.c (gen_iternext, gen_send_ex2, gen_close).
"""

import ctypes

from asm import (Assembler, eax, ecx, edi, edx, mem8, mem32, mem64, r12, r14d, rax, rbp, rbx, rcx, rdi, rdx, relative, rsi, rsp)
from jit import perfmap, types
from jit.decode import local_count
from jit.entries import ARGUMENTS, FUNCTION, PUSHED, Entry
from jit.loop_entry import BLOCK, LEAST_LEVELS, LoopEntryEmitter
from jit.machine import arena, records, routines
from jit.machine.refcounts import emit_decref, emit_incref
from jit.machine.rooms import Room
from jit.machine.stack import emit_stack_budget
from jit.templates.calls import argument_registers
from platforms.cpython import resumption, symbols, undisturbed
from platforms.cpython.layout import layout

L = layout()
#: What lies in front of a generator's frame: the exception it handles.
EXCEPTION = L.generator_frame - 32
_CLOSE = "close"
_MESSAGE = ctypes.create_string_buffer(b"generator raised StopIteration")


class Counter:
    """A number in the data arena; freed with this object."""

    def __init__(self):
        self.address = arena().allocate_data(8)
        self.room = Room(arena().free_data, self.address)


def build(record, miss):
    """The routine for a record's present parts.

    Args:
        miss: called with a generator for which there is no part, after `record.misses` such.

    Returns:
        Entry.
    """
    asm = Assembler(comments=False)
    counter = Counter()
    ResumeEmitter(asm, record, miss, counter.address).emit()
    block = arena().allocate_code(asm.size_bound())
    text = asm.finish(block)
    arena().write_code(block, text)
    ctypes.c_uint64.from_address(counter.address).value = record.misses
    perfmap.note(block, len(text), f"jit::generator {record.name}")
    return Entry(block, [part.code for part in record.parts], [miss, counter])


class ResumeEmitter(LoopEntryEmitter):
    """Emits it. rbx = the generator's function, rbp = the frame's slots, r12 = the frame, r15 = thread state."""

    def __init__(self, asm, record, miss, counter):
        self.asm = asm
        self.record = record
        self.code = record.generator()
        self.counter = counter
        self.shown = miss
        self.routines = routines()
        self.original = asm.label("original")
        self.miss = asm.label("miss")
        self.out = asm.label("out")
        self.resumed = asm.label("resumed")

    def emit(self):
        asm = self.asm
        for register in PUSHED:
            asm.push(register)
        asm.sub(rsp, BLOCK)
        asm.lea(r12, mem64(rdi, L.generator_frame))
        asm.lea(rbp, mem64(r12, L.frame_localsplus))
        waits = asm.label("waits")
        asm.cmp(mem8(rdi, L.generator_state), L.generator_suspended & 0xFF)
        asm.je(waits)
        asm.cmp(mem8(rdi, L.generator_state), L.generator_suspended - 1 & 0xFF)  # not begun
        asm.jne(self.original)
        asm.bind(waits)
        self.emit_thread_state()
        self.emit_tracing_check()
        self.emit_unseen_check()
        low = asm.label("low")
        emit_stack_budget(asm, low)
        asm.cmp(r14d, LEAST_LEVELS)  # none of the parts is left at its beginning
        asm.jl(self.original)
        asm.mov(rbx, mem64(r12, L.frame_function))
        for part in self.record.parts:
            self.emit_part_of(part)
        self.emit_resumed()
        self.emit_miss()
        asm.bind(self.original)
        self.emit_generator(rdi)
        self.emit_restore()
        asm.jmp(self.constant(resumption.original()))
        asm.bind(low)
        asm.call(self.constant(symbols.address("PyErr_Clear")))
        asm.jmp(self.original)

    def emit_generator(self, register):
        """register = the generator."""
        self.asm.lea(register, mem64(r12, -L.generator_frame))

    def emit_restore(self):
        asm = self.asm
        asm.add(rsp, BLOCK)
        for register in reversed(PUSHED):
            asm.pop(register)

    def emit_unseen_check(self):
        """Go to `original` if anybody has the frame or its dict of locals, or if it handles an exception."""
        asm = self.asm
        unknown, unhandled = asm.label("unknown"), asm.label("unhandled")
        asm.cmp(mem64(r12, L.frame_locals), 0)
        asm.jne(self.original)
        asm.mov(rax, mem64(r12, -L.generator_frame + EXCEPTION))
        asm.test(rax, rax)
        asm.jz(unhandled)
        asm.cmp(rax, self.constant(id(None)))
        asm.jne(self.original)
        asm.bind(unhandled)
        asm.mov(rax, mem64(r12, L.frame_object))
        asm.test(rax, rax)
        asm.jz(unknown)
        asm.cmp(mem64(rax, L.ob_refcnt), 1)
        asm.jne(self.original)
        asm.cmp(mem64(rax, L.frame_object_trace), 0)
        asm.jne(self.original)
        asm.bind(unknown)

    # -- parts ---------------------------------------------------------------------------------------------

    def emit_part_of(self, part):
        """Run the part if it is one for this generator, as it is now."""
        asm = self.asm
        start, other = asm.label("part"), asm.label("other_part")
        code = part.code
        asm.bind(start)
        asm.mov(rax, self.constant(resumption.resume_word(self.code, part.offset)))
        asm.cmp(mem64(r12, L.frame_instruction), rax)
        asm.jne(other)
        for field, namespace in ((L.frame_globals, code.namespace), (L.frame_builtins, part.builtins)):
            asm.mov(rax, self.constant(namespace))
            asm.cmp(mem64(r12, field), rax)
            asm.jne(other)
        missed, self.miss = self.miss, other
        for number, slot in enumerate(part.state.slots()):
            self.emit_slot(number, slot)
        self.miss = missed
        self.emit_words(code, start)
        asm.cmp(relative(code.version_record + records.ATTENTION), 0)
        asm.jne(self.miss)
        asm.mov(mem8(r12, L.generator_state - L.generator_frame), resumption.EXECUTING)
        asm.add(relative(code.version_record + records.CALLS), 1)
        asm.mov(mem64(rsp, FUNCTION), rbx)
        asm.mov(mem64(rsp, ARGUMENTS), rbp)
        emit_incref(asm, rbx, rcx)
        asm.mov(argument_registers([types.INT])[0], rbp)
        self.emit_run(code, self.resumed)
        asm.jmp(self.resumed)
        asm.bind(other)

    def emit_resumed(self):
        """rax = what a part has returned."""
        asm = self.asm
        over, kept, raised, returned = (asm.label(name) for name in ("parts_over", "kept", "raised", "returned"))
        asm.jmp(over)
        asm.bind(self.resumed)
        asm.mov(rbp, mem64(rsp, ARGUMENTS))
        asm.lea(r12, mem64(rbp, -L.frame_localsplus))
        asm.mov(rdi, mem64(rsp, FUNCTION))
        emit_decref(asm, rdi, kept)  # the frame holds it, too
        asm.bind(kept)
        asm.test(rax, rax)
        asm.jz(raised)
        asm.cmp(mem8(r12, L.generator_state - L.generator_frame), resumption.EXECUTING)
        asm.je(returned)
        asm.bind(self.out)
        self.emit_restore()
        asm.ret()
        asm.bind(returned)
        asm.mov(rbx, rax)
        self.emit_return()
        asm.bind(raised)
        self.emit_raise()
        asm.bind(over)

    def emit_suspend(self):
        """Let the empty generator wait, with nothing on its operand stack."""
        asm = self.asm
        asm.mov(mem32(r12, L.frame_stacktop), local_count(self.code))
        asm.mov(mem8(r12, L.generator_state - L.generator_frame), L.generator_suspended & 0xFF)

    def emit_return(self):
        """The generator has returned rbx: end it, and let StopIteration say so if it is not None."""
        asm = self.asm
        valued, kept = asm.label("valued"), asm.label("kept")
        self.emit_suspend()
        if self.record.prepared.ends is not None:
            asm.mov(rax, self.constant(resumption.resume_word(self.code, self.record.prepared.ends)))
            asm.mov(mem64(r12, L.frame_instruction), rax)
            self.emit_generator(rdi)
            asm.call(self.constant(resumption.original()))
        else:
            self.emit_close()
        asm.cmp(rbx, self.constant(id(None)))
        asm.jne(valued)
        asm.mov(rdi, rbx)
        asm.call(self.constant(symbols.address("Py_DecRef")))
        asm.bind(kept)
        asm.xor(eax, eax)
        asm.jmp(self.out)
        asm.bind(valued)
        asm.mov(rdi, rbx)
        asm.call(self.constant(symbols.address("_PyGen_SetStopIterationValue")))
        asm.mov(rdi, rbx)
        asm.call(self.constant(symbols.address("Py_DecRef")))
        asm.jmp(kept)

    def emit_raise(self):
        """An exception is set: end the generator, and set it again."""
        asm = self.asm
        plain = asm.label("no_stop_iteration")
        self.emit_suspend()
        if symbols.optional("PyErr_GetRaisedException") is not None:
            asm.call(self.constant(symbols.address("PyErr_GetRaisedException")))
            asm.mov(rbx, rax)
            self.emit_close()
            asm.mov(rdi, rbx)
            asm.call(self.constant(symbols.address("PyErr_SetRaisedException")))
        else:
            asm.sub(rsp, 32)
            for number, register in enumerate((rdi, rsi, rdx)):
                asm.lea(register, mem64(rsp, 8 * number))
            asm.call(self.constant(symbols.address("PyErr_Fetch")))
            self.emit_close()
            for number, register in enumerate((rdi, rsi, rdx)):
                asm.mov(register, mem64(rsp, 8 * number))
            asm.call(self.constant(symbols.address("PyErr_Restore")))
            asm.add(rsp, 32)
            # From 3.12 on the generator's bytecode does this.
            asm.mov(rax, self.constant(symbols.address("PyExc_StopIteration")))
            asm.mov(rdi, mem64(rax, 0))
            asm.call(self.constant(symbols.address("PyErr_ExceptionMatches")))
            asm.test(eax, eax)
            asm.jz(plain)
            asm.mov(rax, self.constant(symbols.address("PyExc_RuntimeError")))
            asm.mov(rdi, mem64(rax, 0))
            asm.mov(rsi, self.constant(ctypes.addressof(_MESSAGE)))
            asm.xor(eax, eax)
            asm.call(self.constant(symbols.address("_PyErr_FormatFromCause")))
            asm.bind(plain)
        asm.xor(eax, eax)
        asm.jmp(self.out)

    def emit_close(self):
        """Close the generator. No exception is set before or after."""
        asm = self.asm
        closed = asm.label("closed")
        self.emit_generator(rdi)
        asm.mov(rsi, self.constant(id(_CLOSE)))
        asm.xor(edx, edx)
        asm.xor(eax, eax)
        asm.call(self.constant(symbols.address("PyObject_CallMethodObjArgs")))
        asm.mov(rdi, rax)
        asm.test(rax, rax)
        asm.jnz(closed)
        asm.call(self.constant(symbols.address("PyErr_Clear")))
        asm.xor(edi, edi)
        asm.bind(closed)
        asm.call(self.constant(symbols.address("Py_DecRef")))

    # -- no part -------------------------------------------------------------------------------------------

    def emit_miss(self):
        """Count; in the end show the generator to the compiler. Then it is CPython's turn."""
        asm = self.asm
        enough, answered, failed = asm.label("enough"), asm.label("answered"), asm.label("failed")
        asm.bind(self.miss)
        asm.sub(relative(self.counter), 1)
        asm.je(enough)
        with asm.cold():
            asm.bind(enough)
            self.emit_generator(rax)
            asm.mov(mem64(rsp, FUNCTION), rax)
            asm.mov(rdi, self.constant(id(self.shown)))
            asm.lea(rsi, mem64(rsp, FUNCTION))
            asm.mov(edx, 1)
            asm.xor(ecx, ecx)
            asm.call(self.constant(undisturbed.vectorcall()))
            asm.test(rax, rax)
            asm.jz(failed)
            asm.mov(rdi, rax)
            asm.call(self.constant(symbols.address("Py_DecRef")))
            asm.bind(answered)
            asm.jmp(self.original)
            asm.bind(failed)
            # A signal handler has raised: for the program that is as if it had while it asked for the item.
            asm.jmp(self.out)
