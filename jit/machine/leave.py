"""Machine code that leaves compiled code for the interpreter, and that calls out of it.

Exits are jumped to with rcx = descriptor and rsp = the body's; they run the rest of the function in the interpreter and return
to the body's caller with rax = result or NULL, edx = 1. Callouts are called and usually come back.

Recursion: R is the interpreter's own counter of remaining levels, D the difference to the budget in r14d, kept in the entry
wrapper's block. R is made true before foreign code runs, and looked at again afterwards, because
sys.setrecursionlimit() may have changed it.
"""

from asm import (REGISTERS, eax, ecx, edx, esi, mem8, mem32, mem64, r8, r9, r11, r12, r13, r14, r14d, r15, rax, rbp, rbx, rcx, rdi, rdx,
                 relative, rsi, rsp, xmm0, xmm15)
from jit.machine import records as r
from jit.machine.refcounts import emit_decref
from platforms.cpython import symbols, threads
from platforms.cpython.layout import layout

L = layout()
LOCALS = 64  # bytes of a routine's own below the save area
# Offsets from S of a routine's own variables.
EXTRA, VARIANT, RESULT, BASE, XMM15, FLOAT_RESULT, RETURN = -8, -16, -24, -32, -40, -48, -56
START, THROW, AFTER = 0, 1, 2
#: What an interpreter evaluation loop takes of C recursion; given back, because compiled code counts its own stack.
C_STACK_UNITS = 2

GPRS = [REGISTERS[name] for name in ("rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split())]
XMMS = [REGISTERS[f"xmm{number}"] for number in range(16)]


class LeaveRoutines:
    """Emits exits, callouts and the poll; `frames` is the FrameRoutines they use."""

    NAMES = ("exit_start", "exit_throw", "exit_after", "callout_enter", "callout_leave", "poll", "dealloc", "dealloc_plain",
             "dealloc_at_return", "revalidate")

    def __init__(self, asm, frames, poll_function):
        self.asm = asm
        self.frames = frames
        self.poll_function = poll_function
        self.labels = {name: asm.label(name) for name in self.NAMES}
        self.leave = asm.label("leave")
        self.must_leave = asm.label("must_leave")
        self.update_budget = asm.label("update_budget")

    def emit(self):
        for name, variant in (("exit_start", START), ("exit_throw", THROW), ("exit_after", AFTER)):
            self.emit_exit(name, variant)
        self.emit_leave()
        self.emit_update_budget()
        self.emit_must_leave()
        self.emit_revalidate()
        self.emit_callout_enter()
        self.emit_callout_leave()
        self.emit_poll()
        self.emit_dealloc()
        self.emit_dealloc_plain()
        self.emit_dealloc_at_return()

    def begin(self, name):
        self.asm.align(16)
        self.asm.comment(name)
        self.asm.bind(self.labels[name])

    # -- save area -----------------------------------------------------------------------------------

    def emit_save(self, called):
        """Store all registers in the save area; rbp = S, rbx = descriptor (from rcx), rsp aligned below.

        A called routine's return address lies where xmm15 would go, so that is kept among the locals.
        """
        asm = self.asm
        distance = r.SAVE_AREA + LOCALS - (8 if called else 0)
        asm.sub(rsp, distance)
        for register in GPRS:
            if register is not rsp:
                asm.mov(mem64(rsp, LOCALS + 8 * register.number), register)
        for register in XMMS[:15]:
            asm.movsd(mem64(rsp, LOCALS + 128 + 8 * register.number), register)
        asm.movsd(mem64(rsp, LOCALS + XMM15), xmm15)
        asm.lea(rbp, mem64(rsp, LOCALS))
        asm.mov(rbx, rcx)

    def emit_restore(self):
        """Undo emit_save(called=True), all registers as they were."""
        asm = self.asm
        for register in XMMS[:15]:
            asm.movsd(register, mem64(rsp, LOCALS + 128 + 8 * register.number))
        asm.movsd(xmm15, mem64(rsp, LOCALS + XMM15))
        for register in GPRS:
            if register not in (rsp, r14):
                asm.mov(register, mem64(rsp, LOCALS + 8 * register.number))
        asm.add(rsp, r.SAVE_AREA + LOCALS - 8)

    # -- recursion -------------------------------------------------------------------------------------

    def emit_true_recursion(self, extra):
        """R := r14d + D + extra; the wrapper's block address is at [S + BASE]."""
        asm = self.asm
        asm.mov(rcx, mem64(rbp, BASE))
        asm.mov(rax, mem64(rcx, 0))
        asm.add(eax, r14d)
        if extra:
            asm.add(eax, extra)
        asm.mov(mem32(r15, L.thread_recursion_remaining), eax)

    def emit_update_budget(self):
        """eax = levels remaining for this activation now: a lower limit lowers the budget, a higher one raises D."""
        asm = self.asm
        lower = asm.label("lower")
        asm.align(16)
        asm.bind(self.update_budget)
        asm.mov(rcx, mem64(rbp, BASE))
        asm.mov(edx, eax)
        asm.sub(edx, mem32(rcx, 0))
        asm.cmp(edx, r14d)
        asm.jl(lower)
        asm.sub(eax, r14d)
        asm.movsxd(rax, eax)
        asm.mov(mem64(rcx, 0), rax)
        asm.ret()
        asm.bind(lower)
        asm.mov(r14d, edx)
        asm.ret()

    # -- exits -------------------------------------------------------------------------------------------

    def emit_exit(self, name, variant):
        asm = self.asm
        self.begin(name)
        self.emit_save(called=False)
        asm.mov(mem64(rbp, EXTRA), rax)
        asm.mov(mem64(rbp, VARIANT), variant)
        if variant != AFTER:
            asm.jmp(self.leave)

    def emit_leave(self):
        """Hand the activation (rbp, rbx) over; [S + VARIANT] says how, [S + EXTRA] is the object to push for AFTER."""
        asm = self.asm
        reuse, run, no_slot, failed, finish = (asm.label(n) for n in ("reuse", "run", "no_slot", "failed", "finish"))
        asm.bind(self.leave)
        self.emit_count()
        asm.call(self.frames.materialise_callers)
        asm.mov(mem64(rbp, BASE), r13)
        asm.mov(eax, mem32(rbx, r.FLAGS))
        asm.test(eax, r.HAS_FRAME_SLOT)
        asm.jz(no_slot)
        asm.mov(r12, mem64(rbp, r.SAVE_AREA))
        asm.test(r12, r12)
        asm.jnz(reuse)
        asm.bind(no_slot)
        asm.xor(edx, edx)
        asm.call(self.frames.build)
        asm.test(eax, eax)
        asm.jnz(failed)
        asm.bind(run)
        self.emit_instruction_pointer()
        self.emit_true_recursion(1)
        if L.thread_c_recursion_remaining is not None:
            asm.add(mem32(r15, L.thread_c_recursion_remaining), C_STACK_UNITS)
        asm.mov(rdi, r15)
        asm.mov(rsi, r12)
        asm.xor(edx, edx)
        asm.cmp(mem64(rbp, VARIANT), THROW)
        asm.sete(edx.r8)
        self.frames.call("_PyEval_EvalFrameDefault")
        asm.mov(mem64(rbp, RESULT), rax)
        if L.thread_c_recursion_remaining is not None:
            asm.sub(mem32(r15, L.thread_c_recursion_remaining), C_STACK_UNITS)
        if L.frame_is_entry is not None:
            # 3.11 leaves clearing an entry frame to whoever made it.
            asm.call(self.frames.clear)
        asm.bind(finish)
        asm.mov(eax, mem32(r15, L.thread_recursion_remaining))
        asm.sub(eax, 1)
        asm.call(self.update_budget)
        asm.call(self.frames.drop_callers)
        asm.add(r14d, 1)
        asm.mov(rax, mem64(rbp, RESULT))
        asm.mov(edx, 1)
        asm.mov(ecx, mem32(rbx, r.FRAME_SIZE))
        asm.lea(rsp, mem64(rbp, r.SAVE_AREA, rcx, 1))
        asm.ret()

        asm.bind(reuse)
        self.frames.emit_unlink()
        self.emit_release_owned()
        asm.mov(mem64(rbp, r.SAVE_AREA), 0)
        asm.jmp(run)

        asm.bind(failed)
        asm.mov(mem64(rbp, RESULT), 0)
        asm.call(self.frames.clear)
        self.emit_true_recursion(1)
        asm.jmp(finish)

    def emit_count(self):
        """Count the exit, note the type of the object a guard refused, ask for attention when there are too many."""
        asm = self.asm
        unobserved, enough, counted = asm.label("unobserved"), asm.label("enough"), asm.label("counted")
        asm.add(mem64(rbx, r.COUNT), 1)
        asm.cmp(mem64(rbp, VARIANT), THROW)
        asm.je(counted)
        asm.movsxd(rax, mem32(rbx, r.OBSERVE))
        asm.test(rax, rax)
        asm.js(unobserved)
        asm.mov(rax, mem64(rbp, 0, rax, 1))
        asm.mov(rax, mem64(rax, L.ob_type))
        asm.mov(mem64(rbx, r.OBSERVED), rax)
        asm.bind(unobserved)
        asm.mov(rdx, mem64(rbx, r.VERSION_RECORD))
        asm.mov(rax, mem64(rdx, r.EXITS))
        asm.add(rax, 1)
        asm.mov(mem64(rdx, r.EXITS), rax)
        asm.cmp(rax, mem64(rdx, r.EXIT_LIMIT))
        asm.jb(counted)
        asm.mov(mem64(rdx, r.ATTENTION), 1)
        asm.bind(counted)

    def emit_instruction_pointer(self):
        """Where the interpreter goes on in frame r12, and for AFTER the result on top of its stack."""
        asm = self.asm
        throw, after, have = asm.label("throw"), asm.label("after"), asm.label("have_pointer")
        asm.mov(rax, mem64(rbp, VARIANT))
        asm.cmp(eax, THROW)
        asm.je(throw)
        asm.cmp(eax, AFTER)
        asm.je(after)
        asm.mov(rax, mem64(rbx, r.RESUME))
        asm.jmp(have)
        asm.bind(throw)
        asm.mov(rax, mem64(rbx, r.EXECUTING))
        asm.jmp(have)
        asm.bind(after)
        asm.mov(ecx, mem32(r12, L.frame_stacktop))
        asm.mov(rax, mem64(rbp, EXTRA))
        asm.mov(mem64(r12, L.frame_localsplus, rcx, 8), rax)
        asm.add(mem32(r12, L.frame_stacktop), 1)
        asm.mov(rax, mem64(rbx, r.FOLLOWING))
        asm.bind(have)
        asm.mov(mem64(r12, L.frame_instruction), rax)

    def emit_release_owned(self):
        """The frame holds copies already: drop the body's own references (entries OWNED)."""
        asm = self.asm
        loop, skip, owned, done, drop = (asm.label(n) for n in ("release", "skip", "owned", "released", "drop"))
        asm.mov(mem64(rbp, RETURN), r12)
        asm.lea(r13, mem64(rbx, r.ENTRIES))
        asm.mov(ecx, mem32(rbx, r.N_ENTRIES))
        asm.shl(rcx, 4)
        asm.lea(r12, mem64(r13, 0, rcx, 1))
        asm.bind(loop)
        asm.cmp(r13, r12)
        asm.jae(done)
        asm.mov(eax, mem32(r13, 0))
        asm.movsxd(rdx, mem32(r13, 4))
        asm.cmp(eax, r.OWNED)
        asm.je(owned)
        asm.cmp(eax, r.OWNED_OR_NULL)
        asm.je(owned)
        asm.cmp(eax, r.IF)
        asm.jne(skip)
        asm.cmp(mem64(rbp, 0, rdx, 1), 0)
        asm.jne(skip)
        asm.add(r13, 16)
        asm.jmp(skip)
        asm.bind(owned)
        asm.mov(rdi, mem64(rbp, 0, rdx, 1))
        asm.call(self.frames.xdecref)
        asm.bind(skip)
        asm.add(r13, 16)
        asm.jmp(loop)
        asm.bind(done)
        asm.mov(r12, mem64(rbp, RETURN))

    # -- callouts --------------------------------------------------------------------------------------------

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
        self.frames.call("PyErr_Clear")
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
        asm = self.asm
        self.begin("callout_leave")
        asm.sub(rsp, r.SAVE_AREA + LOCALS - 8)
        for register in (rbx, rbp, r12, r13):
            asm.mov(mem64(rsp, LOCALS + 8 * register.number), register)
        asm.lea(rbp, mem64(rsp, LOCALS))
        asm.mov(rbx, rcx)
        asm.mov(mem64(rbp, RESULT), rax)
        asm.movsd(mem64(rbp, FLOAT_RESULT), xmm0)
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
        """eax = 0: frames dropped, go on; 1: the body must leave, its frame stands."""
        asm = self.asm
        done = asm.label("checked")
        asm.call(self.must_leave)
        asm.test(eax, eax)
        asm.jnz(done)
        # The own frame first, it is the innermost.
        asm.mov(r12, mem64(rbp, r.SAVE_AREA))
        asm.mov(mem64(rbp, r.SAVE_AREA), 0)
        self.frames.emit_unlink()
        asm.call(self.frames.clear)
        asm.call(self.frames.drop_callers)
        asm.xor(eax, eax)
        asm.bind(done)

    def emit_must_leave(self):
        """eax = 1 if compiled code of activation (rbp, rbx) may not go on behind foreign code; brings r14d up to date."""
        asm = self.asm
        leave, out = asm.label("leave"), asm.label("out")
        asm.align(16)
        asm.bind(self.must_leave)
        asm.push(r13)
        self.emit_find_base()
        asm.mov(eax, mem32(r15, L.thread_recursion_remaining))
        asm.call(self.update_budget)
        asm.mov(r12, mem64(rbp, r.SAVE_AREA))
        asm.mov(rax, mem64(r12, L.frame_object))
        asm.or_(rax, mem64(r12, L.frame_locals))
        asm.jnz(leave)
        asm.call(self.frames.look_at_callers)
        asm.test(eax, eax)
        asm.jnz(leave)
        self.emit_tracing_check(leave)
        asm.mov(rcx, mem64(rbx, r.VERSION_RECORD))
        asm.call(self.labels["revalidate"])
        asm.test(eax, eax)
        asm.jz(leave)
        asm.xor(eax, eax)
        asm.bind(out)
        asm.pop(r13)
        asm.ret()
        asm.bind(leave)
        asm.mov(eax, 1)
        asm.jmp(out)

    def emit_find_base(self):
        asm = self.asm
        self.frames.emit_walk(lambda: None, lambda: asm.mov(mem64(rbp, BASE), rcx))

    def emit_tracing_check(self, label):
        """Jump to `label` if a tracer, profiler or monitoring tool wants events."""
        asm = self.asm
        check = threads.tracing_check()
        if check[0] == "cframe":
            asm.mov(rax, mem64(r15, check[1]))
            asm.cmp(mem8(rax, check[2]), 0)
        else:
            from jit.machine.monitoring import version_cell
            if check[0] == "interp_version":
                asm.mov(rax, self.frames.pointer(check[1]))
                asm.mov(rax, mem64(rax, 0))
            else:
                asm.mov(rax, mem64(r15, check[1]))
                asm.and_(rax, -256)
            asm.cmp(rax, relative(version_cell()))
        asm.jne(label)

    def emit_revalidate(self):
        """rcx = version record; eax = 1 if what it relies on still holds (words brought up to date), else 0.

        A word of kind 0 that differs means a dictionary changed, perhaps elsewhere than in the keys relied upon.
        """
        asm = self.asm
        loop, next_word, look, keys, found, good, bad, out, refresh = (
            asm.label(n) for n in ("words", "next_word", "look", "keys", "found", "good", "bad", "out", "refresh"))
        self.begin("revalidate")
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
        saved = asm.label("changed")
        asm.jnz(saved)
        asm.ret()
        asm.bind(bad)
        asm.mov(mem64(rcx, r.ATTENTION), 1)
        asm.xor(eax, eax)
        asm.ret()

        asm.bind(saved)
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
        asm.cmp(rax, mem64(r13, 16))
        failed = asm.label("failed")
        asm.jne(failed)
        asm.add(r13, r.DEPENDENCY_SIZE)
        asm.jmp(keys)
        asm.bind(good)
        asm.mov(eax, mem32(rbx, r.N_WORDS))
        asm.mov(r8, mem64(rbx, r.WORDS))
        asm.bind(refresh)
        done = asm.label("refreshed")
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
        asm.bind(failed)
        asm.mov(mem64(rbx, r.ATTENTION), 1)
        asm.xor(eax, eax)
        asm.jmp(out)

    # -- pending work ------------------------------------------------------------------------------------------

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
        self.emit_find_base()
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

    # -- freeing ---------------------------------------------------------------------------------------------------

    def emit_dealloc(self):
        asm = self.asm
        self.begin("dealloc")
        self.emit_save(called=True)
        asm.mov(mem64(rbp, EXTRA), rax)
        self.emit_own_frame()
        self.emit_true_recursion(0)
        asm.mov(rdi, mem64(rbp, EXTRA))
        self.frames.call("_Py_Dealloc")
        self.emit_go_on()

    def emit_dealloc_plain(self):
        asm = self.asm
        self.begin("dealloc_plain")
        self.emit_save(called=True)
        asm.mov(rdi, rax)
        self.frames.call("_Py_Dealloc")
        self.emit_restore()
        asm.ret()

    def emit_dealloc_at_return(self):
        asm = self.asm
        self.begin("dealloc_at_return")
        self.emit_save(called=True)
        asm.mov(mem64(rbp, EXTRA), rax)
        asm.call(self.frames.materialise_callers)
        asm.mov(mem64(rbp, BASE), r13)
        self.emit_true_recursion(1)
        asm.mov(rdi, mem64(rbp, EXTRA))
        self.frames.call("_Py_Dealloc")
        asm.mov(eax, mem32(r15, L.thread_recursion_remaining))
        asm.sub(eax, 1)
        asm.call(self.update_budget)
        asm.call(self.frames.force_drop_callers)
        self.emit_restore()
        asm.ret()
