"""Machine code around foreign code: callouts and pending work."""

from asm import (eax, ecx, edx, mem32, mem64, r12, r13, r14d, r15, rax, rbp, rbx, rcx, rdi, rdx, rsi, rsp, xmm0)
from jit.machine import records as r
from jit.machine.area import (BASE, FLOAT_RESULT, LOCALS, RESULT, START, THROW, VARIANT)
from jit.machine.building import SKETCHED
from jit.machine.validity import ValidityRoutines
from platforms.cpython import threads
from platforms.cpython.layout import layout

L = layout()


class CalloutRoutines(ValidityRoutines):
    """The part of LeaveRoutines that usually comes back."""

    def emit_own_frame(self):
        """Materialise callers and this activation; frame in the frame slot and r12, linked, executing."""
        asm = self.asm
        asm.call(self.frames.materialise_callers)
        asm.mov(mem64(rbp, BASE), r13)
        asm.call(self.frames.sketch)
        asm.mov(rax, mem64(rbx, r.EXECUTING))
        asm.mov(mem64(r12, L.frame_instruction), rax)
        self.frames.emit_link()
        asm.mov(mem64(rbp, r.SAVE_AREA), r12)

    def emit_is_known(self):
        """Nonzero: somebody has frame r12's frame object or its dict of locals, which a module's frame always has. Lost: rax."""
        asm = self.asm
        of_module = asm.label("of_module")
        asm.mov(rax, mem64(r12, L.frame_locals))
        asm.cmp(rax, mem64(r12, L.frame_globals))
        asm.mov(rax, 0)
        asm.je(of_module)
        asm.mov(rax, mem64(r12, L.frame_locals))
        asm.bind(of_module)
        asm.or_(rax, mem64(r12, L.frame_object))

    def emit_callout_enter(self, full=False):
        """rcx = descriptor; the body keeps nothing in registers, so that they can all be used.

        Args:
            full: for foreign code that looks at the locals of its caller's frame by itself.
        """
        asm = self.asm
        callers, have_base, failed = asm.label("callers_first"), asm.label("have_base"), asm.label("no_memory")
        self.begin("callout_enter_full" if full else "callout_enter")
        asm.mov(rbx, rcx)
        asm.lea(rbp, mem64(rsp, 8 - r.SAVE_AREA))
        asm.sub(rsp, 8)
        asm.mov(ecx, mem32(rbx, r.FRAME_SIZE))
        asm.lea(r13, mem64(rbp, r.SAVE_AREA + 8, rcx, 1))
        asm.mov(rax, mem64(r13, -8))
        asm.movsxd(rdx, mem32(rax, 3))
        asm.test(rdx, rdx)
        asm.jz(have_base)
        asm.add(rdx, rax)
        asm.mov(rax, mem64(r13, 0))
        asm.test(rax, rax)
        asm.jz(callers)
        self.frames.emit_base_of_frame(r13, rax, rdx)
        asm.bind(have_base)
        asm.call(self.frames.sketch)
        if full:
            asm.mov(edx, 1)
            asm.call(self.frames.fill)
            asm.test(eax, eax)
            asm.jnz(failed)
        asm.mov(rax, mem64(rbx, r.EXECUTING))
        asm.mov(mem64(r12, L.frame_instruction), rax)
        self.frames.emit_link()
        asm.mov(mem64(rbp, r.SAVE_AREA), r12)
        asm.mov(rax, mem64(r13, 0))
        asm.add(eax, r14d)
        asm.mov(mem32(r15, L.thread_recursion_remaining), eax)
        asm.add(rsp, 8)
        asm.ret()
        asm.bind(callers)
        asm.call(self.frames.materialise_callers)
        asm.jmp(have_base)
        if full:
            asm.bind(failed)
            asm.call(self.frames.clear)
            asm.jmp(self.frames.abandon)

    def emit_callout_leave(self):
        """rcx = descriptor; rax is kept; edx = 1 if the body must leave. It keeps nothing else in registers."""
        asm = self.asm
        slow, chunk = asm.label("look_closer"), asm.label("first_of_chunk")
        self.begin("callout_leave")
        asm.mov(rbp, rax)
        asm.mov(rbx, rcx)
        asm.mov(r12, mem64(rsp, 8))
        asm.mov(rcx, mem64(rbx, r.FUNCTION_RECORD))
        asm.mov(ecx, mem32(rcx, r.FRAME_SLOTS))
        asm.mov(r13, mem64(r12, 0, rcx, 8))
        asm.mov(eax, mem32(r15, L.thread_recursion_remaining))
        asm.sub(eax, mem32(r13, 0))
        asm.cmp(eax, r14d)
        asm.jne(slow)
        asm.cmp(mem32(r12, L.frame_stacktop), SKETCHED)
        asm.jne(slow)
        self.emit_is_known()
        asm.jnz(slow)
        asm.mov(rcx, mem64(rbx, r.VERSION_RECORD))
        asm.sub(rsp, 8)
        asm.call(self.labels["revalidate"])
        asm.add(rsp, 8)
        asm.test(eax, eax)
        asm.jz(slow)
        self.frames.emit_unlink()
        asm.mov(rsi, mem64(r15, L.thread_datastack_chunk))
        asm.add(rsi, L.chunk_data)
        asm.cmp(rsi, r12)
        asm.je(chunk)
        asm.mov(mem64(r15, L.thread_datastack_top), r12)
        done = asm.label("popped")
        asm.bind(done)
        asm.mov(mem64(rsp, 8), 0)
        asm.mov(rax, rbp)
        asm.xor(edx, edx)
        asm.ret()
        asm.bind(chunk)
        asm.sub(rsp, 8)
        asm.call(self.frames.pop)
        asm.add(rsp, 8)
        asm.jmp(done)
        asm.bind(slow)
        asm.mov(rcx, rbx)
        asm.mov(rax, rbp)
        self.emit_leave_foreign_code(recursion_is_true=True)

    def emit_resume_caller(self):
        """Like callout_leave, for a body to which a call returned and which finds that it has got a frame meanwhile."""
        self.begin("resume_caller")
        self.emit_leave_foreign_code(recursion_is_true=False)

    def emit_leave_foreign_code(self, recursion_is_true):
        asm = self.asm
        asm.sub(rsp, r.SAVE_AREA + LOCALS - 8)
        for register in (rbx, rbp, r12, r13):
            asm.mov(mem64(rsp, LOCALS + 8 * register.number), register)
        asm.lea(rbp, mem64(rsp, LOCALS))
        asm.mov(rbx, rcx)
        asm.mov(mem64(rbp, RESULT), rax)
        asm.movsd(mem64(rbp, FLOAT_RESULT), xmm0)
        self.emit_find_base()
        if not recursion_is_true:
            self.emit_true_recursion(0)
        self.emit_after_foreign_code()
        asm.mov(edx, eax)
        asm.mov(rax, mem64(rbp, RESULT))
        asm.movsd(xmm0, mem64(rbp, FLOAT_RESULT))
        for register in (rbx, r12, r13):
            asm.mov(register, mem64(rbp, 8 * register.number))
        asm.mov(rbp, mem64(rbp, 8 * rbp.number))
        asm.add(rsp, r.SAVE_AREA + LOCALS - 8)
        asm.ret()

    def emit_after_foreign_code(self):
        """eax = 0: own frame dropped, go on; 1: the body must leave, its frame stands. [S + BASE] is known."""
        asm = self.asm
        done = asm.label("checked")
        asm.call(self.must_leave)
        asm.test(eax, eax)
        asm.jnz(done)
        asm.mov(r12, mem64(rbp, r.SAVE_AREA))
        asm.mov(mem64(rbp, r.SAVE_AREA), 0)
        self.frames.emit_unlink()
        asm.call(self.frames.clear)
        asm.xor(eax, eax)
        asm.bind(done)

    def emit_must_leave(self):
        """eax = 1 if compiled code of activation (rbp, rbx) may not go on behind foreign code; brings r14d up to date.

        Its callers are not asked here: each asks for itself when control comes back to it.
        """
        asm = self.asm
        leave = asm.label("leave")
        asm.align(16)
        asm.bind(self.must_leave)
        asm.sub(rsp, 8)
        asm.mov(eax, mem32(r15, L.thread_recursion_remaining))
        asm.call(self.update_budget)
        asm.mov(r12, mem64(rbp, r.SAVE_AREA))
        self.emit_is_known()
        asm.jnz(leave)
        asm.mov(rcx, mem64(rbx, r.VERSION_RECORD))
        asm.call(self.labels["revalidate"])
        asm.xor(eax, 1)
        asm.add(rsp, 8)
        asm.ret()
        asm.bind(leave)
        asm.mov(eax, 1)
        asm.add(rsp, 8)
        asm.ret()

    def emit_find_base(self):
        """[S + BASE] from the activation's own frame."""
        asm = self.asm
        asm.mov(rax, mem64(rbp, r.SAVE_AREA))
        self.frames.emit_base_of_frame(rcx, rax, rbx)
        asm.mov(mem64(rbp, BASE), rcx)

    def emit_poll(self):
        asm = self.asm
        self.begin("poll")
        error = asm.label("error")
        self.emit_save(called=True)
        self.emit_own_frame()
        self.emit_true_recursion(0)
        kind, where, size = threads.eval_breaker()
        if kind == "thread":
            asm.mov(rdi, r15)
            self.frames.call("_Py_HandlePending")
            asm.test(eax, eax)
            asm.jnz(error)
        else:
            self.emit_pending(error, where)
        self.emit_go_on()
        asm.bind(error)
        asm.mov(mem64(rbp, VARIANT), THROW)
        asm.jmp(self.leave)

    def emit_pending(self, error, breaker):
        """3.11, 3.12: signals and pending calls, the GIL for other threads, then whatever is left by a Python function."""
        asm = self.asm
        kept, done = asm.label("gil_kept"), asm.label("handled")
        self.frames.call("Py_MakePendingCalls")
        asm.test(eax, eax)
        asm.jnz(error)
        asm.mov(rax, self.frames.pointer(threads.interpreter() + L.interp_gil_drop_request))
        asm.cmp(mem32(rax, 0), 0)
        asm.je(kept)
        self.frames.call("PyEval_SaveThread")
        asm.mov(rdi, rax)
        self.frames.call("PyEval_RestoreThread")
        # Another thread may have sent a signal meanwhile; its handler is to see the compiled function's frame.
        self.frames.call("Py_MakePendingCalls")
        asm.test(eax, eax)
        asm.jnz(error)
        asm.bind(kept)
        asm.mov(rax, self.frames.pointer(breaker))
        asm.cmp(mem32(rax, 0), 0)
        asm.je(done)
        asm.mov(rdi, self.frames.pointer(id(self.poll_function)))
        self.frames.call("PyObject_CallNoArgs")
        asm.test(rax, rax)
        asm.jz(error)
        asm.mov(rdi, rax)
        asm.call(self.frames.xdecref)
        asm.bind(done)

    def emit_go_on(self):
        """Behind foreign code, in a routine that keeps all registers: return to the body, or leave at `resume`."""
        asm = self.asm
        stay = asm.label("must_leave_now")
        self.emit_after_foreign_code()
        asm.test(eax, eax)
        asm.jnz(stay)
        self.emit_restore()
        asm.ret()
        asm.bind(stay)
        asm.mov(mem64(rbp, VARIANT), START)
        asm.jmp(self.leave)
