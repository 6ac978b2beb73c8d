"""Machine code that walks the compiled callers of an activation, and gives them interpreter frames or takes these away.

Behind every call of a body stands a marker, a nop whose displacement leads from the return address to the caller's descriptor (0: the
caller is an entry wrapper). The descriptor says how large the caller's frame is, and so where the next return address lies.
"""

from asm import eax, ecx, edx, mem32, mem64, r8, r9, r12, r13, rax, rbp, rbx, rcx, rdx, rsp
from jit.machine import records as r
from platforms.cpython.layout import layout

L = layout()


class CallerRoutines:
    """The part of FrameRoutines that deals with compiled callers."""

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
