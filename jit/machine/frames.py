"""Machine code that builds, links, looks at and clears interpreter frames.

Roles of registers in all shared routines: rbp = S, the base of the save area of the activation in question; rbx = its
descriptor; r12 = an interpreter frame; r15 = thread state; r14d = recursion budget. C functions preserve all of these.

A compiled activation usually has no interpreter frame. It gets one (it is *materialised*) when foreign code is about to run
that could look: its own and its compiled callers' frames, outermost first, because frames live on a stack of their own, the
data stack. Copies hold references of their own, so dropping an unneeded frame is dropping these.

Source: CPython Python/frame.c, Python/ceval.c (_PyEvalFrameClearAndPop), Python/pystate.c (push_chunk,
_PyThreadState_PopFrame), Include/internal/pycore_frame.h.
"""

import ctypes

from asm import (al, byte, eax, ecx, edi, edx, esi, mem8, mem32, mem64, r8, r9, r10, r12, r13, r14, r15, rax, rbp, rbx, rcx, rdi,
                 rdx, relative, rsi, rsp, xmm0)
from jit.machine import records as r
from jit.machine.refcounts import emit_decref, emit_incref
from platforms.cpython import symbols
from platforms.cpython.layout import layout

L = layout()
CHUNK_SIZE = 16384
CHUNK_SPARE = 1000  # slots
FRAME_OWNED_BY_FRAME_OBJECT = 2


class _Arena(ctypes.Structure):
    _fields_ = [("context", ctypes.c_uint64), ("allocate", ctypes.c_uint64), ("free", ctypes.c_uint64)]


def _chunk_allocator():
    """CPython's arena allocator, which data stack chunks come from and go back to."""
    found = _Arena()
    symbols.function("PyObject_GetArenaAllocator", None, ctypes.c_void_p)(ctypes.addressof(found))
    return found


class FrameRoutines:
    """Emits the routines that deal with frames; `labels` are theirs to call.

    Each is called with the stack aligned to 16 bytes.
    """

    def __init__(self, asm):
        self.asm = asm
        self.allocator = _chunk_allocator()
        self.build = asm.label("build_frame")
        self.clear = asm.label("clear_frame")
        self.pop = asm.label("pop_frame")
        self.materialise_callers = asm.label("materialise_callers")
        self.drop_callers = asm.label("drop_callers")
        self.force_drop_callers = asm.label("force_drop_callers")
        self.look_at_callers = asm.label("look_at_callers")
        self.xdecref = asm.label("xdecref_rdi")

    def emit(self):
        self.emit_xdecref()
        self.emit_build()
        self.emit_pop()
        self.emit_clear()
        self.emit_materialise_callers()
        self.emit_look_at_callers()
        self.emit_drop_callers()

    def call(self, name):
        """Call a C function."""
        self.asm.call(relative(self.asm.constant(symbols.address(name))))

    def pointer(self, value):
        """Memory operand holding a 64-bit constant."""
        return relative(self.asm.constant(value))

    # -- references ------------------------------------------------------------------------------

    def emit_xdecref(self):
        """Drop the reference in rdi, if it is not NULL."""
        asm = self.asm
        done, freed = asm.label("done"), asm.label("freed")
        asm.align(16)
        asm.bind(self.xdecref)
        asm.test(rdi, rdi)
        asm.jz(done)
        emit_decref(asm, rdi, freed)
        asm.bind(done)
        asm.ret()
        asm.bind(freed)
        asm.jmp(self.pointer(symbols.address("_Py_Dealloc")))

    # -- building --------------------------------------------------------------------------------

    def emit_build(self):
        """r12 = new frame on the data stack for descriptor rbx and save area rbp, not linked, without instruction pointer.

        edx on entry: 1 copy (owned references stay with the body), 0 move. eax on return: 0, or 1 if memory ran
        out (some slots are then NULL and an exception is set).
        """
        asm = self.asm
        slow, fill, loop, done = (asm.label(name) for name in ("new_chunk", "fill", "entries", "filled"))
        asm.align(16)
        asm.bind(self.build)
        asm.push(rbx)
        asm.push(r14)
        asm.push(r13)
        asm.sub(rsp, 48)
        asm.mov(mem64(rsp, 0), rdx)
        asm.mov(mem64(rsp, 8), 0)
        asm.mov(r8, mem64(rbx, r.FUNCTION_RECORD))
        asm.mov(ecx, mem32(r8, r.FRAME_SLOTS))
        asm.mov(r12, mem64(r15, L.thread_datastack_top))
        asm.lea(rax, mem64(r12, 0, rcx, 8))
        asm.cmp(rax, mem64(r15, L.thread_datastack_limit))
        asm.jae(slow)
        asm.mov(mem64(r15, L.thread_datastack_top), rax)
        asm.bind(fill)
        asm.mov(r9, mem64(r8, r.FUNCTION))
        emit_incref(asm, r9, rcx)
        asm.mov(mem64(r12, L.frame_function), r9)
        asm.mov(rax, mem64(r8, r.CODE))
        emit_incref(asm, rax, rcx)
        asm.mov(mem64(r12, L.frame_code), rax)
        asm.mov(rax, mem64(r9, L.function_globals))
        asm.mov(mem64(r12, L.frame_globals), rax)
        asm.mov(rax, mem64(r9, L.function_builtins))
        asm.mov(mem64(r12, L.frame_builtins), rax)
        asm.xor(eax, eax)
        asm.mov(mem64(r12, L.frame_locals), rax)
        asm.mov(mem64(r12, L.frame_object), rax)
        asm.mov(mem64(r12, L.frame_previous), rax)
        # One store for stacktop and the flags behind it: not an entry frame, owned by the thread.
        asm.mov(eax, mem32(rbx, r.STACKTOP))
        asm.mov(mem64(r12, L.frame_stacktop), rax)
        asm.lea(r13, mem64(r12, L.frame_localsplus))
        asm.lea(r14, mem64(rbx, r.ENTRIES))
        asm.mov(rbx.r32, mem32(rbx, r.N_ENTRIES))
        asm.shl(rbx, 4)
        asm.add(rbx, r14)
        asm.bind(loop)
        asm.cmp(r14, rbx)
        asm.jae(done)
        self.emit_entry(loop)
        asm.bind(done)
        asm.mov(rax, mem64(rsp, 8))
        asm.add(rsp, 48)
        asm.pop(r13)
        asm.pop(r14)
        asm.pop(rbx)
        asm.ret()
        asm.bind(slow)
        self.emit_new_chunk(fill)

    def emit_entry(self, loop):
        """Produce one frame slot [r13] from the entry at r14."""
        asm = self.asm
        store, boxed, owned, pointer, null = (asm.label(name) for name in ("store", "boxed", "owned", "pointer", "null"))
        asm.mov(eax, mem32(r14, 0))
        asm.movsxd(rdx, mem32(r14, 4))
        kinds = {kind: asm.label(f"kind{kind}") for kind in range(13)}
        for kind in (r.INT, r.FLOAT, r.NULL, r.OWNED, r.BORROWED, r.CONST, r.IF, r.BOOL, r.RANGE_ITERATOR_STOP,
                     r.RANGE_ITERATOR, r.INT_CONSTANT, r.OWNED_OR_NULL, r.BORROWED_OR_NULL):
            asm.cmp(eax, kind)
            asm.je(kinds[kind])
        asm.ud2()

        asm.bind(kinds[r.INT])
        asm.mov(rdi, mem64(rbp, 0, rdx, 1))
        self.call("PyLong_FromLongLong")
        asm.jmp(boxed)
        asm.bind(kinds[r.INT_CONSTANT])
        asm.mov(rdi, mem64(r14, 8))
        self.call("PyLong_FromLongLong")
        asm.jmp(boxed)
        asm.bind(kinds[r.FLOAT])
        asm.movsd(xmm0, mem64(rbp, 0, rdx, 1))
        self.call("PyFloat_FromDouble")
        asm.bind(boxed)
        asm.test(rax, rax)
        asm.jnz(store)
        asm.mov(mem64(rsp, 8), 1)
        asm.jmp(store)

        asm.bind(kinds[r.BOOL])
        asm.mov(rcx, mem64(rbp, 0, rdx, 1))
        asm.mov(rax, self.pointer(id(False)))
        asm.test(rcx, rcx)
        asm.cmovne(rax, self.pointer(id(True)))
        asm.jmp(pointer)
        asm.bind(kinds[r.CONST])
        asm.mov(rax, mem64(r14, 8))
        asm.jmp(pointer)
        asm.bind(kinds[r.OWNED_OR_NULL])
        asm.bind(kinds[r.OWNED])
        asm.mov(rax, mem64(rbp, 0, rdx, 1))
        asm.cmp(mem64(rsp, 0), 0)
        asm.je(store)
        asm.test(rax, rax)
        asm.jz(store)
        asm.jmp(pointer)
        asm.bind(kinds[r.BORROWED_OR_NULL])
        asm.bind(kinds[r.BORROWED])
        asm.mov(rax, mem64(rbp, 0, rdx, 1))
        asm.test(rax, rax)
        asm.jz(store)
        asm.bind(pointer)
        emit_incref(asm, rax, rcx)
        asm.bind(store)
        asm.mov(mem64(r13, 0), rax)
        asm.add(r13, 8)
        asm.add(r14, 16)
        asm.jmp(loop)

        asm.bind(kinds[r.IF])
        asm.add(r14, 16)
        asm.cmp(mem64(rbp, 0, rdx, 1), 0)
        asm.jne(loop)
        asm.bind(kinds[r.NULL])
        asm.xor(eax, eax)
        asm.jmp(store)

        asm.bind(kinds[r.RANGE_ITERATOR])
        asm.bind(kinds[r.RANGE_ITERATOR_STOP])
        self.emit_range_iterator(store)

    def emit_range_iterator(self, store):
        """rax = new range_iterator from three sub-entries: next, remaining or stop, step."""
        asm = self.asm
        asm.mov(mem64(rsp, 40), rax)
        for number in range(3):
            constant, have = asm.label("constant"), asm.label("have")
            entry = 16 * (number + 1)
            asm.cmp(mem32(r14, entry), r.INT_CONSTANT)
            asm.je(constant)
            asm.movsxd(rdx, mem32(r14, entry + 4))
            asm.mov(rax, mem64(rbp, 0, rdx, 1))
            asm.jmp(have)
            asm.bind(constant)
            asm.mov(rax, mem64(r14, entry + 8))
            asm.bind(have)
            asm.mov(mem64(rsp, 16 + 8 * number), rax)
        asm.add(r14, 48)
        counted, down, divide, empty = (asm.label(name) for name in ("counted", "down", "divide", "empty"))
        asm.cmp(mem64(rsp, 40), r.RANGE_ITERATOR)
        asm.je(counted)
        asm.mov(rax, mem64(rsp, 24))
        asm.mov(rcx, mem64(rsp, 32))
        asm.mov(rdx, mem64(rsp, 16))
        asm.test(rcx, rcx)
        asm.js(down)
        asm.cmp(rdx, rax)
        asm.jge(empty)
        asm.sub(rax, rdx)
        asm.jmp(divide)
        asm.bind(down)
        asm.neg(rcx)
        asm.cmp(rax, rdx)
        asm.jge(empty)
        asm.sub(rdx, rax)
        asm.mov(rax, rdx)
        asm.bind(divide)
        asm.sub(rax, 1)
        asm.xor(edx, edx)
        asm.div(rcx)
        asm.add(rax, 1)
        asm.mov(mem64(rsp, 24), rax)
        asm.jmp(counted)
        asm.bind(empty)
        asm.mov(mem64(rsp, 24), 0)
        asm.bind(counted)
        asm.mov(rdi, self.pointer(id(type(iter(range(0))))))
        self.call("_PyObject_New")
        failed = asm.label("no_memory")
        asm.test(rax, rax)
        asm.jz(failed)
        if L.range_iterator_index is not None:
            asm.mov(mem64(rax, L.range_iterator_index), 0)
        for offset, number in ((L.range_iterator_start, 0), (L.range_iterator_len, 1), (L.range_iterator_step, 2)):
            asm.mov(rcx, mem64(rsp, 16 + 8 * number))
            asm.mov(mem64(rax, offset), rcx)
        asm.jmp(store)
        asm.bind(failed)
        asm.mov(mem64(rsp, 8), 1)
        asm.jmp(store)

    def emit_new_chunk(self, fill):
        """The data stack's chunk is full: r12 = frame at the start of a new one (pystate.c, push_chunk)."""
        asm = self.asm
        double, sized, first, linked, failed = (asm.label(n) for n in ("double", "sized", "first", "linked", "failed"))
        asm.lea(rcx, mem64(rcx, CHUNK_SPARE))
        asm.shl(rcx, 3)
        asm.mov(eax, CHUNK_SIZE)
        asm.bind(double)
        asm.cmp(rax, rcx)
        asm.jae(sized)
        asm.add(rax, rax)
        asm.jmp(double)
        asm.bind(sized)
        asm.mov(mem64(rsp, 16), rax)
        asm.mov(rdi, self.pointer(self.allocator.context))
        asm.mov(rsi, rax)
        asm.call(self.pointer(self.allocator.allocate))
        asm.test(rax, rax)
        asm.jz(failed)
        asm.mov(rdx, mem64(rsp, 16))
        asm.mov(rsi, mem64(r15, L.thread_datastack_chunk))
        asm.mov(mem64(rax, L.chunk_previous), rsi)
        asm.mov(mem64(rax, L.chunk_size), rdx)
        asm.mov(mem64(rax, L.chunk_top), 0)
        asm.lea(r12, mem64(rax, L.chunk_data))
        asm.test(rsi, rsi)
        asm.jz(first)
        asm.mov(rcx, mem64(r15, L.thread_datastack_top))
        asm.sub(rcx, rsi)
        asm.sub(rcx, L.chunk_data)
        asm.shr(rcx, 3)
        asm.mov(mem64(rsi, L.chunk_top), rcx)
        asm.jmp(linked)
        asm.bind(first)
        asm.add(r12, 8)
        asm.bind(linked)
        asm.mov(mem64(r15, L.thread_datastack_chunk), rax)
        asm.add(rdx, rax)
        asm.mov(mem64(r15, L.thread_datastack_limit), rdx)
        asm.mov(r8, mem64(rbx, r.FUNCTION_RECORD))
        asm.mov(ecx, mem32(r8, r.FRAME_SLOTS))
        asm.lea(rax, mem64(r12, 0, rcx, 8))
        asm.mov(mem64(r15, L.thread_datastack_top), rax)
        asm.jmp(fill)
        asm.bind(failed)
        # No memory for a frame at all: nothing can be handed over, in the interpreter either.
        asm.lea(rdi, relative(self.fatal_message()))
        self.call("Py_FatalError")
        asm.ud2()

    def fatal_message(self):
        """An 8-byte constant that serves as the text of the last resort."""
        return self.asm.constant(b"memory!\0")

    # -- the current frame ------------------------------------------------------------------------

    def emit_link(self):
        """Make r12 the current frame."""
        asm = self.asm
        if L.thread_current_frame is not None:
            holder, offset = r15, L.thread_current_frame
        else:
            asm.mov(rcx, mem64(r15, L.thread_cframe))
            holder, offset = rcx, L.cframe_current_frame
        asm.mov(rax, mem64(holder, offset))
        asm.mov(mem64(r12, L.frame_previous), rax)
        asm.mov(mem64(holder, offset), r12)

    def emit_unlink(self):
        """r12 was the current frame; its predecessor is now."""
        asm = self.asm
        asm.mov(rax, mem64(r12, L.frame_previous))
        if L.thread_current_frame is not None:
            asm.mov(mem64(r15, L.thread_current_frame), rax)
        else:
            asm.mov(rcx, mem64(r15, L.thread_cframe))
            asm.mov(mem64(rcx, L.cframe_current_frame), rax)

    # -- clearing ---------------------------------------------------------------------------------

    def emit_pop(self):
        """Give the memory of frame r12 back to the data stack (pystate.c, _PyThreadState_PopFrame)."""
        asm = self.asm
        chunk = asm.label("whole_chunk")
        asm.align(16)
        asm.bind(self.pop)
        asm.mov(rsi, mem64(r15, L.thread_datastack_chunk))
        asm.lea(rax, mem64(rsi, L.chunk_data))
        asm.cmp(rax, r12)
        asm.je(chunk)
        asm.mov(mem64(r15, L.thread_datastack_top), r12)
        asm.ret()
        asm.bind(chunk)
        asm.mov(rax, mem64(rsi, L.chunk_previous))
        asm.mov(mem64(r15, L.thread_datastack_chunk), rax)
        asm.mov(rcx, mem64(rax, L.chunk_top))
        asm.lea(rcx, mem64(rax, L.chunk_data, rcx, 8))
        asm.mov(mem64(r15, L.thread_datastack_top), rcx)
        asm.add(rax, mem64(rax, L.chunk_size))
        asm.mov(mem64(r15, L.thread_datastack_limit), rax)
        asm.mov(rdx, mem64(rsi, L.chunk_size))
        asm.mov(rdi, self.pointer(self.allocator.context))
        asm.jmp(self.pointer(self.allocator.free))

    def emit_clear(self):
        """Clear the unlinked frame r12 and pop it: references dropped, or handed to its frame object if that lives on.

        frame.c, _PyFrame_Clear and take_ownership.
        """
        asm = self.asm
        plain, loop, done, last = (asm.label(name) for name in ("plain", "slots", "cleared", "last_reference"))
        asm.align(16)
        asm.bind(self.clear)
        asm.push(rbx)
        asm.push(r13)
        asm.sub(rsp, 8)
        asm.mov(rbx, mem64(r12, L.frame_object))
        asm.test(rbx, rbx)
        asm.jz(plain)
        asm.mov(mem64(r12, L.frame_object), 0)
        asm.cmp(mem64(rbx, L.ob_refcnt), 1)
        asm.je(last)
        self.emit_take_ownership()
        asm.mov(rdi, rbx)
        asm.call(self.xdecref)
        asm.jmp(done)
        asm.bind(last)
        asm.mov(rdi, rbx)
        asm.call(self.xdecref)
        asm.bind(plain)
        asm.mov(rbx.r32, mem32(r12, L.frame_stacktop))
        asm.lea(r13, mem64(r12, L.frame_localsplus))
        ended = asm.label("ended")
        asm.bind(loop)
        asm.test(rbx, rbx)
        asm.jz(ended)
        asm.mov(rdi, mem64(r13, 0))
        asm.call(self.xdecref)
        asm.add(r13, 8)
        asm.sub(rbx, 1)
        asm.jmp(loop)
        asm.bind(ended)
        for field in (L.frame_locals, L.frame_function, L.frame_code):
            asm.mov(rdi, mem64(r12, field))
            asm.call(self.xdecref)
        asm.bind(done)
        asm.call(self.pop)
        asm.add(rsp, 8)
        asm.pop(r13)
        asm.pop(rbx)
        asm.ret()

    def emit_take_ownership(self):
        """Frame object rbx outlives frame r12: copy the frame into it."""
        asm = self.asm
        no_back, tracked = asm.label("no_back"), asm.label("tracked")
        asm.lea(r13, mem64(rbx, L.frame_object_data))
        asm.mov(rdi, r13)
        asm.mov(rsi, r12)
        asm.mov(ecx, mem32(r12, L.frame_stacktop))
        asm.add(ecx, L.frame_localsplus // 8)
        asm.rep_movsq()
        asm.mov(mem64(rbx, L.frame_object_frame), r13)
        asm.mov(mem8(r13, L.frame_owner), FRAME_OWNED_BY_FRAME_OBJECT)
        self.call("PyEval_GetFrame")
        asm.test(rax, rax)
        asm.jz(no_back)
        emit_incref(asm, rax, rcx)
        asm.mov(mem64(rbx, L.frame_object_back), rax)
        asm.bind(no_back)
        asm.mov(mem64(r13, L.frame_previous), 0)
        asm.mov(rdi, rbx)
        self.call("PyObject_GC_IsTracked")
        asm.test(eax, eax)
        asm.jnz(tracked)
        asm.mov(rdi, rbx)
        self.call("PyObject_GC_Track")
        asm.bind(tracked)

    # -- compiled callers ---------------------------------------------------------------------------

    def emit_walk(self, at_caller, at_base):
        """Walk from activation (rbp, rbx) outwards.

        Emits a loop with rcx = caller's rsp, rdx = its descriptor at `at_caller()`, and at the base, rcx = the
        wrapper's block, falls through to `at_base()`. r8 runs along the return addresses and must be kept.
        """
        asm = self.asm
        loop, base = asm.label("callers"), asm.label("base")
        asm.mov(ecx, mem32(rbx, r.FRAME_SIZE))
        asm.lea(r8, mem64(rbp, r.SAVE_AREA, rcx, 1))
        asm.bind(loop)
        asm.mov(rax, mem64(r8, 0))
        asm.movsxd(rdx, mem32(rax, 3))
        asm.lea(rcx, mem64(r8, 8))
        asm.test(rdx, rdx)
        asm.jz(base)
        asm.add(rdx, rax)
        at_caller()
        asm.mov(eax, mem32(rdx, r.FRAME_SIZE))
        asm.lea(r8, mem64(rcx, 0, rax, 1))
        asm.jmp(loop)
        asm.bind(base)
        at_base()

    def emit_materialise_callers(self):
        """Give every compiled caller of activation (rbp, rbx) a linked frame; r13 = address of the wrapper's block."""
        asm = self.asm
        build, done = asm.label("next_caller"), asm.label("all_callers")
        asm.align(16)
        asm.bind(self.materialise_callers)
        asm.push(rbp)
        asm.push(rbx)
        asm.push(r12)
        asm.mov(r12, rsp)

        def at_caller():
            has_frame = asm.label("has_frame")
            asm.cmp(mem64(rcx, 0), 0)
            asm.jne(has_frame)
            asm.push(rcx)
            asm.push(rdx)
            asm.bind(has_frame)

        def at_base():
            asm.mov(r13, rcx)

        self.emit_walk(at_caller, at_base)
        asm.bind(build)
        asm.cmp(rsp, r12)
        asm.je(done)
        asm.pop(rbx)
        asm.pop(rbp)
        asm.push(r12)
        asm.push(rbp)
        asm.sub(rbp, r.SAVE_AREA)
        asm.mov(edx, 1)
        asm.call(self.build)
        asm.mov(rax, mem64(rbx, r.EXECUTING))
        asm.mov(mem64(r12, L.frame_instruction), rax)
        self.emit_link()
        asm.pop(rcx)
        asm.mov(mem64(rcx, 0), r12)
        asm.pop(r12)
        asm.jmp(build)
        asm.bind(done)
        asm.pop(r12)
        asm.pop(rbx)
        asm.pop(rbp)
        asm.ret()

    def emit_look_at_callers(self):
        """eax = 1 if a compiled caller of activation (rbp, rbx) has a frame that somebody looks at, else 0."""
        asm = self.asm
        kept = asm.label("kept")
        asm.align(16)
        asm.bind(self.look_at_callers)

        def look():
            none = asm.label("no_frame")
            asm.mov(rax, mem64(rcx, 0))
            asm.test(rax, rax)
            asm.jz(none)
            asm.mov(r9, mem64(rax, L.frame_object))
            asm.or_(r9, mem64(rax, L.frame_locals))
            asm.jnz(kept)
            asm.bind(none)

        self.emit_walk(look, lambda: None)
        asm.xor(eax, eax)
        asm.ret()
        asm.bind(kept)
        asm.mov(eax, 1)
        asm.ret()

    def emit_drop_callers(self):
        """Drop the frames of the compiled callers of activation (rbp, rbx), unless somebody looks at one of them.

        `force_drop_callers` drops them all the same: a frame object then lives on as that of an ended call.
        """
        asm = self.asm
        kept = asm.label("kept")
        asm.align(16)
        asm.bind(self.drop_callers)
        asm.sub(rsp, 8)
        asm.call(self.look_at_callers)
        asm.add(rsp, 8)
        asm.test(eax, eax)
        asm.jnz(kept)
        asm.bind(self.force_drop_callers)
        asm.push(rbp)
        asm.push(rbx)
        asm.push(r12)
        asm.push(r13)
        asm.sub(rsp, 8)

        def drop():
            none = asm.label("no_frame")
            asm.cmp(mem64(rcx, 0), 0)
            asm.je(none)
            asm.mov(r12, mem64(rcx, 0))
            asm.mov(mem64(rcx, 0), 0)
            asm.mov(r13, rcx)
            asm.mov(rbx, rdx)
            self.emit_unlink()
            asm.call(self.clear)
            asm.mov(rcx, r13)
            asm.mov(rdx, rbx)
            asm.bind(none)

        self.emit_walk(drop, lambda: None)
        asm.add(rsp, 8)
        asm.pop(r13)
        asm.pop(r12)
        asm.pop(rbx)
        asm.pop(rbp)
        asm.bind(kept)
        asm.ret()
