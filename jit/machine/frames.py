"""Machine code that builds, links, looks at and clears interpreter frames.

Roles of registers in all shared routines: rbp = S, the base of the save area of the activation in question; rbx = its
descriptor; r12 = an interpreter frame; r15 = thread state; r14d = recursion budget. C functions preserve all of these.

A compiled activation usually has no interpreter frame. It gets one (it is *materialised*) when foreign code is about to run
that could look: its own and its compiled callers' frames, outermost first, because frames live on a stack of their own, the
data stack. Copies hold references of their own, so dropping an unneeded frame is dropping these.

A caller's frame stays until control comes back to the caller, which finds its frame slot set: so if one activation has a
frame, all outside it have, each is built at most once per call it makes, and the walk over the callers ends at the
first frame. One slot behind each frame holds the address of the wrapper's block, so that it need not be walked for.

Source: CPython Python/frame.c, Python/ceval.c (_PyEvalFrameClearAndPop), Python/pystate.c (push_chunk,
_PyThreadState_PopFrame), Include/internal/pycore_frame.h.
"""

import ctypes

from asm import (eax, ecx, edx, mem8, mem32, mem64, r12, r13, r15, rax, rbp, rbx, rcx, rdi, rdx, relative, rsi, rsp)
from jit.machine.building import SKETCHED, BuildRoutines
from jit.machine.callers import CallerRoutines
from jit.machine.refcounts import emit_decref, emit_incref
from platforms.cpython import symbols
from platforms.cpython.layout import SUSPENDED, layout

L = layout()
FRAME_OWNED_BY_FRAME_OBJECT = 2


class _Arena(ctypes.Structure):
    _fields_ = [("context", ctypes.c_uint64), ("allocate", ctypes.c_uint64), ("free", ctypes.c_uint64)]


def _chunk_allocator():
    """CPython's arena allocator, which data stack chunks come from and go back to."""
    found = _Arena()
    symbols.function("PyObject_GetArenaAllocator", None, ctypes.c_void_p)(ctypes.addressof(found))
    return found


def emit_frame_slots(asm, target, code):
    """target = number of slots in a frame of the code object in `code`."""
    if L.code_framesize is not None:
        asm.mov(target.r32, mem32(code, L.code_framesize))
        return
    asm.mov(target.r32, mem32(code, L.code_nlocalsplus))
    asm.add(target.r32, mem32(code, L.code_stacksize))
    asm.add(target.r32, L.frame_specials_slots)


def emit_current_frame(asm, target, thread):
    """target = the current frame of the thread state in `thread`, which may be the same register, or 0."""
    if L.thread_current_frame is not None:
        asm.mov(target, mem64(thread, L.thread_current_frame))
    else:
        asm.mov(target, mem64(thread, L.thread_cframe))
        asm.mov(target, mem64(target, L.cframe_current_frame))


class FrameRoutines(BuildRoutines, CallerRoutines):
    """Emits the routines that deal with frames; `labels` are theirs to call.

    Each is called with the stack aligned to 16 bytes.
    """

    def __init__(self, asm):
        self.asm = asm
        self.allocator = _chunk_allocator()
        self.build = asm.label("build_frame")
        self.sketch = asm.label("sketch_frame")
        self.fill = asm.label("fill_frame")
        self.clear = asm.label("clear_frame")
        self.pop = asm.label("pop_frame")
        self.materialise_callers = asm.label("materialise_callers")
        self.abandon = asm.label("abandon")
        self.xdecref = asm.label("xdecref_rdi")

    def emit(self):
        self.emit_xdecref()
        self.emit_build()
        self.emit_sketch()
        self.emit_fill()
        self.emit_pop()
        self.emit_clear()
        self.emit_materialise_callers()
        self.emit_abandon()

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
        sketched, full = asm.label("sketched"), asm.label("full")
        asm.align(16)
        asm.bind(self.clear)
        asm.cmp(mem32(r12, L.frame_stacktop), SKETCHED)
        asm.je(sketched)
        asm.bind(full)
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
        asm.bind(sketched)
        # It holds nothing. A frame object may live on, and is to show the locals.
        asm.cmp(mem64(r12, L.frame_object), 0)
        asm.je(self.pop)
        asm.push(rbx)
        asm.push(rbp)
        asm.sub(rsp, 8)
        self.emit_fill_sketch()
        asm.add(rsp, 8)
        asm.pop(rbp)
        asm.pop(rbx)
        asm.jmp(full)

    def emit_fill_sketch(self):
        """Fill the sketched frame r12 by copying from its activation, which stands still; eax as for `fill`. rbx, rbp are lost."""
        asm = self.asm
        asm.mov(rcx, mem64(r12, L.frame_code))
        emit_frame_slots(asm, rdx, rcx)
        asm.mov(rbp, mem64(r12, 8, rdx, 8))
        asm.mov(rbx, mem64(r12, 16, rdx, 8))
        asm.mov(edx, 1)
        asm.call(self.fill)

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
        if L.frame_is_entry is not None:
            # 3.11 takes a generator's frame from its caller's before it is cleared (genobject.c, gen_send_ex2).
            asm.mov(rax, mem64(r12, L.frame_code))
            asm.test(mem32(rax, L.code_flags), SUSPENDED)
            asm.jnz(no_back)
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

