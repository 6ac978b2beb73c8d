"""Machine code that walks the compiled callers of an activation and gives them interpreter frames.

Behind every call of a body stands a marker, a nop whose displacement leads from the return address to the caller's descriptor (0: the
caller is an entry wrapper). The descriptor says how large the caller's frame is, and so where the next return address lies.
"""

from asm import eax, ecx, edx, mem32, mem64, r8, r12, r13, r14d, rax, rbp, rbx, rcx, rdx, rsp
from jit.machine import records as r
from platforms.cpython.layout import layout

L = layout()


class CallerRoutines:
    """The part of FrameRoutines that deals with compiled callers."""

    def emit_base_of_frame(self, target, frame, descriptor):
        """target = address of the wrapper's block, kept behind the frame of `descriptor`; target is neither of the two."""
        asm = self.asm
        asm.mov(target, mem64(descriptor, r.FUNCTION_RECORD))
        asm.mov(target.r32, mem32(target, r.FRAME_SLOTS))
        asm.mov(target, mem64(frame, 0, target, 8))

    def emit_materialise_callers(self):
        """Give every compiled caller of activation (rbp, rbx) a linked frame; r13 = address of the wrapper's block."""
        asm = self.asm
        loop, base, known, build, done = (asm.label(n) for n in ("callers", "base", "known", "next_caller", "all_callers"))
        asm.align(16)
        asm.bind(self.materialise_callers)
        asm.push(rbp)
        asm.push(rbx)
        asm.push(r12)
        asm.mov(r12, rsp)
        # rcx = caller's rsp, rdx = its descriptor; r8 runs along the return addresses.
        asm.mov(ecx, mem32(rbx, r.FRAME_SIZE))
        asm.lea(r8, mem64(rbp, r.SAVE_AREA, rcx, 1))
        asm.bind(loop)
        asm.mov(rax, mem64(r8, 0))
        asm.movsxd(rdx, mem32(rax, 3))
        asm.lea(rcx, mem64(r8, 8))
        asm.test(rdx, rdx)
        asm.jz(base)
        asm.add(rdx, rax)
        asm.mov(rax, mem64(rcx, 0))
        asm.test(rax, rax)
        asm.jnz(known)
        asm.push(rcx)
        asm.push(rdx)
        asm.mov(eax, mem32(rdx, r.FRAME_SIZE))
        asm.lea(r8, mem64(rcx, 0, rax, 1))
        asm.jmp(loop)
        asm.bind(known)
        self.emit_base_of_frame(r13, rax, rdx)
        asm.jmp(build)
        asm.bind(base)
        asm.mov(r13, rcx)
        asm.bind(build)
        asm.cmp(rsp, r12)
        asm.je(done)
        asm.pop(rbx)
        asm.pop(rbp)
        asm.push(r12)
        asm.push(rbp)
        asm.sub(rbp, r.SAVE_AREA)
        asm.call(self.sketch)
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

    def emit_abandon(self):
        """There is no memory for a frame, and without it nobody can go on: activation (rbp, rbx) and all its compiled callers end.

        The exception is set, the activation itself has no frame. The entry wrapper gets NULL; what the bodies
        held is lost.
        """
        asm = self.asm
        loop, base, none = asm.label("abandon_caller"), asm.label("base"), asm.label("no_frame")
        asm.align(16)
        asm.bind(self.abandon)
        asm.mov(ecx, mem32(rbx, r.FRAME_SIZE))
        asm.lea(r13, mem64(rbp, r.SAVE_AREA, rcx, 1))
        asm.bind(loop)
        asm.add(r14d, 1)
        asm.mov(rax, mem64(r13, 0))
        asm.movsxd(rdx, mem32(rax, 3))
        asm.test(rdx, rdx)
        asm.jz(base)
        asm.lea(rbp, mem64(r13, 8))
        asm.lea(rbx, mem64(rax, 0, rdx, 1))
        asm.mov(r12, mem64(rbp, 0))
        asm.test(r12, r12)
        asm.jz(none)
        self.emit_unlink()
        asm.call(self.clear)
        asm.bind(none)
        asm.mov(ecx, mem32(rbx, r.FRAME_SIZE))
        asm.lea(r13, mem64(rbp, 0, rcx, 1))
        asm.jmp(loop)
        asm.bind(base)
        asm.mov(rsp, r13)
        asm.xor(eax, eax)
        asm.mov(edx, 1)
        asm.ret()
