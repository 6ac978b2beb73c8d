"""Machine code that leaves compiled code for the interpreter, and that calls out of it.

Exits are jumped to with rcx = descriptor and rsp = the body's; they run the rest of the function in the interpreter and return
to the body's caller with rax = result or NULL, edx = 1. Callouts are called and usually come back.

Recursion: R is the interpreter's own counter of remaining levels, D the difference to the budget in r14d, kept in the entry wrapper's
block. R is made true before foreign code runs, and looked at again afterwards, because sys.setrecursionlimit() may have changed it.
"""

from asm import (eax, ecx, edx, esi, mem8, mem32, mem64, r12, r13, r14, r14d, r15, rax, rbp, rbx, rcx, rdi, rdx, relative, rsi, rsp, xmm15)
from jit.machine import records as r
from jit.machine.area import (AFTER, BASE, EXTRA, GPRS, LOCALS, RESULT, START, THROW, VARIANT, XMM15, XMMS)
from jit.machine.building import SKETCHED
from jit.machine.callouts import CalloutRoutines
from jit.machine.activations import DEPTH, FIRST, INSTRUCTION, ROUTINE, SIZE as ACTIVATION_SIZE, activations
from jit.machine.dictionaries import emit_dict_entry
from jit.machine.freeing import FreeingRoutines
from platforms.cpython import back_edges, undisturbed
from platforms.cpython.layout import layout

L = layout()
#: What an interpreter evaluation loop takes of C recursion; given back, because compiled code counts its own stack.
C_STACK_UNITS = 2

class LeaveRoutines(CalloutRoutines, FreeingRoutines):
    """Emits exits, callouts and the poll; `frames` is the FrameRoutines they use."""

    NAMES = ("exit_start", "exit_throw", "exit_after", "callout_enter", "callout_enter_full", "callout_leave", "resume_caller", "poll", "dealloc", "dealloc_plain",
             "dealloc_no_floats", "dealloc_plain_no_floats", "dealloc_at_return", "drop_last", "revalidate", "dict_entry", "attend")

    def __init__(self, asm, frames, poll_function, attention_function):
        self.asm = asm
        self.frames = frames
        self.poll_function = poll_function
        self.attention_function = attention_function
        self.labels = {name: asm.label(name) for name in self.NAMES}
        self.leave = asm.label("leave")
        self.must_leave = asm.label("must_leave")
        self.dict_entry = self.labels["dict_entry"]
        self.update_budget = asm.label("update_budget")

    def emit(self):
        for name, variant in (("exit_start", START), ("exit_throw", THROW), ("exit_after", AFTER)):
            self.emit_exit(name, variant)
        self.emit_leave()
        self.emit_update_budget()
        self.emit_must_leave()
        emit_dict_entry(self.asm, self.dict_entry)
        self.emit_revalidate()
        self.emit_callout_enter()
        self.emit_callout_enter(full=True)
        self.emit_callout_leave()
        self.emit_resume_caller()
        self.emit_poll()
        self.emit_deallocs()
        self.emit_dealloc_at_return()
        self.emit_drop_last()
        self.emit_attend()

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
        reuse, run, no_slot, failed, finish, sketched = (
            asm.label(n) for n in ("reuse", "run", "no_slot", "failed", "finish", "sketched"))
        asm.bind(self.leave)
        self.emit_count()
        self.emit_restart()
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
        self.emit_drop_loose()
        self.emit_instruction_pointer()
        self.emit_true_recursion(1)
        if L.thread_c_recursion_remaining is not None:
            asm.add(mem32(r15, L.thread_c_recursion_remaining), C_STACK_UNITS)
        self.emit_wait()
        asm.mov(rdi, r15)
        asm.mov(rsi, r12)
        asm.xor(edx, edx)
        asm.cmp(mem64(rbp, VARIANT), THROW)
        asm.sete(edx.r8)
        self.frames.call("_PyEval_EvalFrameDefault")
        asm.mov(mem64(rbp, RESULT), rax)
        self.emit_cease()
        if L.thread_c_recursion_remaining is not None:
            asm.sub(mem32(r15, L.thread_c_recursion_remaining), C_STACK_UNITS)
        if L.frame_is_entry is not None:
            # 3.11 leaves clearing an entry frame to whoever made it.
            asm.call(self.frames.clear)
        asm.bind(finish)
        asm.mov(eax, mem32(r15, L.thread_recursion_remaining))
        asm.sub(eax, 1)
        asm.call(self.update_budget)
        asm.add(r14d, 1)
        asm.mov(rax, mem64(rbp, RESULT))
        asm.mov(edx, 1)
        asm.mov(ecx, mem32(rbx, r.FRAME_SIZE))
        asm.lea(rsp, mem64(rbp, r.SAVE_AREA, rcx, 1))
        asm.ret()

        asm.bind(reuse)
        # Foreign code ran before this: it may have changed the limit, and then raised.
        asm.mov(eax, mem32(r15, L.thread_recursion_remaining))
        asm.call(self.update_budget)
        self.frames.emit_unlink()
        asm.cmp(mem32(r12, L.frame_stacktop), SKETCHED)
        asm.je(sketched)
        self.emit_release_owned()
        asm.mov(mem64(rbp, r.SAVE_AREA), 0)
        asm.jmp(run)

        asm.bind(sketched)
        asm.mov(mem64(rbp, r.SAVE_AREA), 0)
        asm.xor(edx, edx)
        asm.call(self.frames.fill)
        asm.test(eax, eax)
        asm.jz(run)

        asm.bind(failed)
        asm.mov(mem64(rbp, RESULT), 0)
        asm.call(self.frames.clear)
        self.emit_true_recursion(1)
        asm.jmp(finish)

    def emit_wait(self):
        """A version that was entered at a loop's header is entered again when frame r12 comes there (jit/loop_entry.py)."""
        asm = self.asm
        elsewhere = asm.label("elsewhere")
        asm.mov(eax, mem32(rbx, r.FLAGS))
        asm.test(eax, r.ENTERED)
        asm.jz(elsewhere)
        asm.lea(rcx, relative(activations()))
        asm.mov(rax, mem64(rcx, DEPTH))
        asm.test(rax, rax)
        asm.jz(elsewhere)
        asm.add(rcx, rax)
        asm.mov(rdi, r12)
        asm.mov(rsi, mem64(rcx, FIRST - ACTIVATION_SIZE + INSTRUCTION))
        asm.mov(rdx, mem64(rcx, FIRST - ACTIVATION_SIZE + ROUTINE))
        self.emit_call_address(back_edges.wait())
        asm.bind(elsewhere)

    def emit_cease(self):
        """The frame that `emit_wait` let wait for is over."""
        asm = self.asm
        elsewhere = asm.label("elsewhere_too")
        asm.mov(eax, mem32(rbx, r.FLAGS))
        asm.test(eax, r.ENTERED)
        asm.jz(elsewhere)
        self.emit_call_address(back_edges.cease())
        asm.bind(elsewhere)

    def emit_call_address(self, address):
        self.asm.call(relative(self.asm.constant(address)))

    def emit_attend(self):
        """A C function for Py_AddPendingCall: versions that ask for attention get it.

        Untraced: CPython 3.11 runs in circles where a function is entered traced, in a pending call, while another one waits
        (ceval.c: DO_TRACING goes back to RESUME as long as the eval breaker is set, and pending calls do not nest).
        """
        asm = self.asm
        failed, done = asm.label("attention_failed"), asm.label("attention_given")
        self.begin("attend")
        asm.push(rbx)
        if L.cframe_use_tracing is not None:
            self.frames.call("PyThreadState_Get")
            asm.mov(rbx, rax)
            asm.mov(rcx, mem64(rbx, L.thread_cframe))
            asm.mov(mem8(rcx, L.cframe_use_tracing), 0)
        asm.mov(rdi, self.frames.pointer(id(self.attention_function)))
        for register in (esi, edx, ecx):
            asm.xor(register, register)
        self.emit_call_address(undisturbed.vectorcall())
        if L.cframe_use_tracing is not None:
            self.emit_trace_again()
        asm.mov(rdi, rax)
        asm.test(rax, rax)
        asm.jz(failed)
        asm.call(self.frames.xdecref)
        asm.xor(eax, eax)
        asm.bind(done)
        asm.pop(rbx)
        asm.ret()
        asm.bind(failed)
        # A signal handler has raised meanwhile, for one: the program gets it.
        asm.mov(eax, -1)
        asm.jmp(done)

    def emit_trace_again(self):
        """As CPython's PyThreadState_LeaveTracing has it, for the thread in rbx; rax is kept."""
        asm = self.asm
        untraced = asm.label("untraced")
        asm.mov(rcx, mem64(rbx, L.thread_cframe))
        asm.mov(rdx, mem64(rbx, L.thread_trace_function))
        asm.or_(rdx, mem64(rbx, L.thread_profile_function))
        asm.jz(untraced)
        asm.mov(mem8(rcx, L.cframe_use_tracing), 255)
        asm.bind(untraced)

    def emit_count(self):
        """Count the exit, note the type of the object a guard refused, ask for attention when there are too many."""
        asm = self.asm
        unobserved, counted = asm.label("unobserved"), asm.label("counted")
        asm.add(mem64(rbx, r.COUNT), 1)
        asm.cmp(mem64(rbp, VARIANT), THROW)
        asm.je(counted)
        asm.movsxd(rax, mem32(rbx, r.OBSERVE))
        asm.test(rax, rax)
        asm.js(unobserved)
        asm.mov(rax, mem64(rbp, 0, rax, 1))
        asm.mov(rax, mem64(rax, L.ob_type))
        asm.mov(rcx, mem64(rbx, r.COUNT))
        asm.and_(ecx, r.OBSERVED_TYPES - 1)
        asm.mov(mem64(rbx, r.OBSERVED, rcx, 8), rax)
        asm.bind(unobserved)
        asm.mov(rdx, mem64(rbx, r.VERSION_RECORD))
        asm.add(mem64(rdx, r.EXITS), 1)
        asm.mov(eax, mem32(rbx, r.WEIGHT))
        asm.add(rax, mem64(rdx, r.PRESSURE))
        asm.mov(mem64(rdx, r.PRESSURE), rax)
        asm.cmp(rax, mem64(rdx, r.EXIT_LIMIT))
        asm.jb(counted)
        asm.cmp(mem64(rdx, r.ATTENTION), 0)
        asm.jne(counted)
        asm.mov(mem64(rdx, r.ATTENTION), 1)
        # Compiled callers enter the version without looking at that word.
        asm.lea(rdi, relative(self.labels["attend"]))
        asm.xor(esi, esi)
        self.frames.call("Py_AddPendingCall")
        asm.bind(counted)

    def emit_restart(self):
        """Let an entry wrapper that called this body make the call in the interpreter, from its start: edx = 2."""
        asm = self.asm
        no = asm.label("no_restart")
        asm.mov(eax, mem32(rbx, r.FLAGS))
        asm.test(eax, r.RESTARTS)
        asm.jz(no)
        asm.cmp(mem64(rbp, VARIANT), START)
        asm.jne(no)
        asm.mov(ecx, mem32(rbx, r.FRAME_SIZE))
        asm.lea(rcx, mem64(rbp, r.SAVE_AREA, rcx, 1))
        asm.mov(rax, mem64(rcx, 0))
        asm.cmp(mem32(rax, 3), 0)
        asm.jne(no)
        asm.add(r14d, 1)
        asm.mov(edx, 2)
        asm.mov(rsp, rcx)
        asm.ret()
        asm.bind(no)

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
        asm.mov(edx, mem32(rbx, r.FLAGS))
        asm.test(edx, r.NULL_ABOVE)
        asm.jz(have)
        asm.mov(mem64(r12, L.frame_localsplus + 8, rcx, 8), 0)
        asm.add(mem32(r12, L.frame_stacktop), 1)
        asm.bind(have)
        asm.mov(mem64(r12, L.frame_instruction), rax)
