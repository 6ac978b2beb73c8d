"""Machine code around foreign code: callouts, pending work, freeing, and the question whether compiled code may go on afterwards."""

from asm import (eax, edx, mem8, mem32, mem64, r8, r9, r12, r13, r15, rax, rbp, rbx, rcx, rdi, rdx, relative, rsi, rsp, xmm0)
from jit.machine import records as r
from jit.machine.area import (BASE, EXTRA, FLOAT_RESULT, LOCALS, RESULT, START, THROW, VARIANT)
from jit.machine.refcounts import emit_incref
from platforms.cpython import threads
from platforms.cpython.layout import layout

L = layout()


class CalloutRoutines:
    """The part of LeaveRoutines that usually comes back."""

    def emit_own_frame(self):
        """Materialise callers and this activation; frame in the frame slot and r12, linked, executing."""
        asm = self.asm
        fine = asm.label("built")
        asm.call(self.frames.materialise_callers)
        asm.mov(mem64(rbp, BASE), r13)
        asm.mov(edx, 1)
        asm.call(self.frames.build)
        asm.test(eax, eax)
        asm.jz(fine)
        asm.call(self.frames.clear)
        asm.jmp(self.frames.abandon)
        asm.bind(fine)
        asm.mov(rax, mem64(rbx, r.EXECUTING))
        asm.mov(mem64(r12, L.frame_instruction), rax)
        self.frames.emit_link()
        asm.mov(mem64(rbp, r.SAVE_AREA), r12)

    def emit_callout_enter(self):
        asm = self.asm
        self.begin("callout_enter")
        self.emit_save(called=True)
        self.emit_own_frame()
        self.emit_true_recursion(0)
        for register in (rbx, r12, r13):
            asm.mov(register, mem64(rbp, 8 * register.number))
        asm.mov(rbp, mem64(rbp, 8 * rbp.number))
        asm.add(rsp, r.SAVE_AREA + LOCALS - 8)
        asm.ret()

    def emit_callout_leave(self):
        """rax, xmm0 kept; edx = 1 if the body must leave."""
        self.begin("callout_leave")
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
        asm.mov(rax, mem64(r12, L.frame_object))
        asm.or_(rax, mem64(r12, L.frame_locals))
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

    def emit_tracing_check(self, label):
        """Jump to `label` if a tracer, profiler or monitoring tool wants events."""
        asm = self.asm
        check = threads.tracing_check()
        if check[0] == "cframe":
            asm.mov(rax, mem64(r15, check[1]))
            asm.cmp(mem8(rax, check[2]), 0)
        else:
            from jit.machine.monitoring import version_cell
            trace, profile = threads.trace_functions()
            asm.mov(rax, mem64(r15, trace))
            asm.or_(rax, mem64(r15, profile))
            asm.jne(label)
            if check[0] == "interp_version":
                asm.mov(rax, self.frames.pointer(check[1]))
                asm.mov(rax, mem64(rax, 0))
            else:
                asm.mov(rax, mem64(r15, check[1]))
                asm.and_(rax, -256)
            asm.cmp(rax, relative(version_cell()))
        asm.jne(label)

    def emit_revalidate(self):
        """rcx = version record; eax = 1 if what it relies on still holds (words brought up to date), else 0; 0 also while traced.

        A word of kind 0 that differs means a dictionary changed, perhaps elsewhere than in the keys relied upon.
        """
        asm = self.asm
        loop, next_word, look, bad, traced, changed = (
            asm.label(n) for n in ("words", "next_word", "look", "bad", "traced", "changed"))
        self.begin("revalidate")
        self.emit_tracing_check(traced)
        asm.mov(eax, mem32(rcx, r.N_WORDS))
        asm.mov(r8, mem64(rcx, r.WORDS))
        asm.xor(r9.r32, r9.r32)
        asm.bind(loop)
        asm.sub(eax, 1)
        asm.js(look)
        asm.mov(rdx, mem64(r8, 0))
        asm.mov(rdx, mem64(rdx, 0))
        asm.cmp(rdx, mem64(r8, 8))
        asm.je(next_word)
        asm.cmp(mem64(r8, 16), 0)
        asm.jne(bad)
        asm.mov(r9.r32, 1)
        asm.bind(next_word)
        asm.add(r8, r.WORD_SIZE)
        asm.jmp(loop)
        asm.bind(look)
        asm.mov(eax, 1)
        asm.test(r9, r9)
        asm.jnz(changed)
        asm.ret()
        asm.bind(bad)
        asm.mov(mem64(rcx, r.ATTENTION), 1)
        asm.bind(traced)
        asm.xor(eax, eax)
        asm.ret()

        asm.bind(changed)
        self.emit_look_into_dictionaries()

    def emit_look_into_dictionaries(self):
        """rcx = version record whose words changed: eax = 1, and the words brought up to date, if the keys relied on are as they were."""
        asm = self.asm
        keys, good, out, refresh, done = (asm.label(n) for n in ("keys", "good", "out", "refresh", "refreshed"))
        failed, nothing, have, absent = (asm.label(n) for n in ("failed", "nothing", "have", "absent"))
        asm.push(rbx)
        asm.push(r12)
        asm.push(r13)
        asm.mov(rbx, rcx)
        asm.mov(r12.r32, mem32(rbx, r.N_DEPENDENCIES))
        asm.mov(r13, mem64(rbx, r.DEPENDENCIES))
        asm.bind(keys)
        asm.sub(r12, 1)
        asm.js(good)
        asm.mov(rdi, mem64(r13, 0))
        asm.mov(rsi, mem64(r13, 8))
        self.frames.call("PyDict_GetItemWithError")
        asm.test(rax, rax)
        asm.jz(nothing)
        asm.bind(have)
        asm.cmp(rax, mem64(r13, 16))
        asm.jne(failed)
        asm.add(r13, r.DEPENDENCY_SIZE)
        asm.jmp(keys)
        asm.bind(good)
        asm.mov(eax, mem32(rbx, r.N_WORDS))
        asm.mov(r8, mem64(rbx, r.WORDS))
        asm.bind(refresh)
        asm.sub(eax, 1)
        asm.js(done)
        asm.mov(rdx, mem64(r8, 0))
        asm.mov(rdx, mem64(rdx, 0))
        asm.mov(mem64(r8, 8), rdx)
        asm.add(r8, r.WORD_SIZE)
        asm.jmp(refresh)
        asm.bind(done)
        asm.mov(eax, 1)
        asm.bind(out)
        asm.pop(r13)
        asm.pop(r12)
        asm.pop(rbx)
        asm.ret()
        asm.bind(nothing)
        # Absent, or a comparison of keys has raised.
        self.frames.call("PyErr_Occurred")
        asm.test(rax, rax)
        asm.jz(absent)
        self.frames.call("PyErr_Clear")
        asm.jmp(failed)
        asm.bind(absent)
        asm.xor(eax, eax)
        asm.jmp(have)
        asm.bind(failed)
        asm.mov(mem64(rbx, r.ATTENTION), 1)
        asm.xor(eax, eax)
        asm.jmp(out)

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
        raised = asm.label("raised")
        asm.jz(raised)
        asm.mov(rdi, rax)
        asm.call(self.frames.xdecref)
        asm.bind(done)
        with asm.cold():
            asm.bind(raised)
            self.emit_hide_poll_function()
            asm.jmp(error)

    def emit_hide_poll_function(self):
        """Take the poll function's own frame, the outermost, off the traceback of the exception it raised."""
        asm = self.asm
        last, restore = asm.label("no_inner_frame"), asm.label("restore")
        kind, value, trace = (mem64(rbp, offset) for offset in (EXTRA, VARIANT, RESULT))
        for register, place in ((rdi, kind), (rsi, value), (rdx, trace)):
            asm.lea(register, place)
        self.frames.call("PyErr_Fetch")
        asm.mov(rdi, trace)
        asm.test(rdi, rdi)
        asm.jz(restore)
        asm.mov(rax, mem64(rdi, L.traceback_next))
        asm.mov(trace, rax)
        asm.test(rax, rax)
        asm.jz(last)
        emit_incref(asm, rax, rcx)
        asm.bind(last)
        asm.call(self.frames.xdecref)
        asm.bind(restore)
        for register, place in ((rdi, kind), (rsi, value), (rdx, trace)):
            asm.mov(register, place)
        self.frames.call("PyErr_Restore")

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
