"""Machine code that frees objects, with an interpreter frame for what finalisers may see, or without where none can run; and drops references
of an activation that leaves.
"""

import itertools

from asm import eax, ecx, mem32, mem64, r8, r9, r10, r11, r12, r13, r15, rax, rbp, rbx, rcx, rdi, rdx, rsi, rsp, xmm0, xmm14, xmm15
from jit.machine import records as r
from jit.machine.area import BASE, EXTRA, RETURN, XMMS
from jit.machine.harmless import emit_go_through_set, emit_unless_harmless, emit_unless_referred
from jit.machine.holders import HOLDERS, emit_go_to_kind
from jit.machine.kept import emit_keep
from platforms.cpython.layout import layout

L = layout()
#: Lists and tuples of more items are freed with a frame around it, whatever they hold: it costs little beside the rest.
MOST_ITEMS = 64
#: What C functions may change; and what templates use besides registers that were allocated.
_GPRS = (rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11)
_SCRATCH = (xmm0, xmm14, xmm15)


class FreeingRoutines:
    """The part of LeaveRoutines that frees objects whose count has reached 0."""

    def emit_deallocs(self):
        """For bodies that keep floats in registers, and for those that do not."""
        for suffix in ("", "_no_floats"):
            freed = self.asm.label("freed_without_frame")
            self.emit_dealloc("dealloc" + suffix, freed)
            self.emit_dealloc_plain("dealloc_plain" + suffix, freed)

    def emit_dealloc(self, name, freed):
        """Args: freed: where to go when no frame is needed."""
        asm = self.asm
        self.begin(name)
        emit_keep(asm)
        self.emit_without_frame_if_harmless(freed)
        self.emit_save(called=True)
        asm.mov(mem64(rbp, EXTRA), rax)
        self.emit_own_frame()
        self.emit_true_recursion(0)
        asm.mov(rdi, mem64(rbp, EXTRA))
        self.frames.call("_Py_Dealloc")
        self.emit_go_on()

    def emit_without_frame_if_harmless(self, freed):
        """Go to `freed` if the object in rax frees itself without running Python code: a number or string, a small list, tuple or set, an instance."""
        asm = self.asm
        is_list, is_set, start, again, other, foreign, look_deeper, harmless, plain, wanted = (
            asm.label(name) for name in ("is_list", "is_set", "start", "item", "other", "foreign", "look_deeper", "harmless", "plain", "frame_wanted"))
        holders = [asm.label(kind.__name__) for kind, _ in HOLDERS]
        for register in (rcx, rdx, rsi, rdi):
            asm.push(register)
        asm.mov(rdx, mem64(rax, L.ob_type))
        asm.cmp(rdx, self.frames.pointer(id(list)))
        asm.je(is_list)
        asm.cmp(rdx, self.frames.pointer(id(tuple)))
        asm.jne(other)
        asm.mov(rdi, mem64(rax, L.tuple_size))
        asm.lea(rsi, mem64(rax, L.tuple_items))
        asm.jmp(start)
        asm.bind(is_list)
        asm.mov(rdi, mem64(rax, L.list_size))
        asm.mov(rsi, mem64(rax, L.list_items))
        asm.bind(start)
        asm.cmp(rdi, MOST_ITEMS)
        asm.ja(foreign)
        asm.xor(ecx, ecx)  # an item that nothing else refers to
        asm.bind(again)
        asm.sub(rdi, 1)
        asm.js(harmless)
        asm.mov(rdx, mem64(rsi, 0, rdi, 8))
        asm.test(rdx, rdx)
        asm.jz(again)
        asm.cmp(mem64(rdx, L.ob_refcnt), 1)
        asm.cmove(rcx, rdx)
        asm.mov(rdx, mem64(rdx, L.ob_type))
        for kind in (int, float, str, type(None), bool):
            asm.cmp(rdx, self.frames.pointer(id(kind)))
            asm.je(again)
        asm.bind(foreign)
        for register in (rdi, rsi, rdx, rcx):
            asm.pop(register)
        asm.jmp(look_deeper)
        asm.bind(other)
        for kind in (int, float, str, bytes):
            asm.cmp(rdx, self.frames.pointer(id(kind)))
            asm.je(plain)
        emit_go_to_kind(asm, [(set, is_set), (frozenset, is_set), *((kind, label) for (kind, _), label in zip(HOLDERS, holders))])
        for register in (rdi, rsi, rdx, rcx):
            asm.pop(register)
        asm.bind(look_deeper)
        emit_unless_harmless(asm, wanted)
        asm.jmp(freed)
        asm.bind(is_set)
        emit_go_through_set(asm, plain, foreign)
        for (kind, offsets), label in zip(HOLDERS, holders):
            asm.bind(label)
            self.emit_is_only_holder(kind, offsets, foreign)
            asm.jmp(plain)
        asm.bind(harmless)
        asm.test(rcx, rcx)
        asm.jz(plain)
        self.emit_keep_numbers()
        asm.bind(plain)
        for register in (rdi, rsi, rdx, rcx):
            asm.pop(register)
        asm.jmp(freed)
        asm.bind(wanted)

    def emit_is_only_holder(self, kind, offsets, foreign):
        """Go to `foreign` if the object in rax is the last to refer to one of the objects that it holds, or is referred to weakly."""
        asm = self.asm
        emit_unless_referred(asm, rax, kind, foreign)
        for offset in offsets:
            following = asm.label("following")
            asm.mov(rdx, mem64(rax, offset))
            asm.test(rdx, rdx)
            asm.jz(following)
            asm.cmp(mem64(rdx, L.ob_refcnt), 1)
            asm.je(foreign)
            asm.bind(following)

    def emit_keep_numbers(self):
        """Take the numbers that only the list or tuple in rax refers to out of it, items at rsi, so that their blocks can be kept."""
        asm = self.asm
        again, number, done = asm.label("item"), asm.label("number"), asm.label("done")
        asm.mov(rdi, mem64(rax, L.ob_size))
        asm.bind(again)
        asm.sub(rdi, 1)
        asm.js(done)
        asm.mov(rcx, mem64(rsi, 0, rdi, 8))
        asm.test(rcx, rcx)
        asm.jz(again)
        asm.cmp(mem64(rcx, L.ob_refcnt), 1)
        asm.jne(again)
        asm.mov(rdx, mem64(rcx, L.ob_type))
        for kind in (int, float):
            asm.cmp(rdx, self.frames.pointer(id(kind)))
            asm.je(number)
        asm.jmp(again)
        asm.bind(number)
        asm.mov(mem64(rsi, 0, rdi, 8), 0)
        asm.mov(mem64(rcx, L.ob_refcnt), 0)
        asm.push(rax)
        asm.mov(rax, rcx)
        asm.call(self.labels["dealloc_plain"])
        asm.pop(rax)
        asm.jmp(again)
        asm.bind(done)

    def emit_dealloc_plain(self, name, freed):
        """Args: freed: label of what frees an object that is not kept."""
        asm = self.asm
        self.begin(name)
        emit_keep(asm)
        asm.bind(freed)
        saved = (_GPRS, _SCRATCH) if name.endswith("no_floats") else (_GPRS, XMMS)
        area = 8 * sum(map(len, saved)) + 8 & -16 | 8  # which leaves the stack aligned
        places = [(register, mem64(rsp, 8 * number)) for number, register in enumerate(itertools.chain(*saved))]
        asm.sub(rsp, area)
        for register, place in places:
            (asm.movsd if register in XMMS else asm.mov)(place, register)
        asm.mov(rdi, rax)
        self.frames.call("_Py_Dealloc")
        for register, place in places:
            (asm.movsd if register in XMMS else asm.mov)(register, place)
        asm.add(rsp, area)
        asm.ret()

    def emit_dealloc_at_return(self):
        asm = self.asm
        self.begin("dealloc_at_return")
        emit_keep(asm)
        self.emit_without_frame_if_harmless(self.labels["dealloc_plain"])
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
        self.emit_restore()
        asm.ret()

    def emit_drop_last(self):
        """rdi = an object whose count has just reached 0; frees it and returns rax unchanged, for no activation's sake.

        A wrapper jumps here: what it drops may be the owner of its own code.
        """
        asm = self.asm
        self.begin("drop_last")
        asm.push(rax)
        self.frames.call("_Py_Dealloc")
        asm.pop(rax)
        asm.ret()

    def emit_drop_loose(self):
        """Drop what the descriptor says no slot names: frame r12 shows the instruction that does so in the interpreter. Lost: all but rbx, rbp, r12."""
        asm = self.asm
        loose, again, none = (asm.label(name) for name in ("loose", "loose_object", "none_loose"))
        asm.cmp(mem32(rbx, r.FLAGS), r.ONE_LOOSE)
        asm.jae(loose)
        asm.bind(none)
        with asm.cold():
            asm.bind(loose)
            asm.mov(rax, mem64(rbx, r.EXECUTING))
            asm.mov(mem64(r12, L.frame_instruction), rax)
            self.frames.emit_link()
            self.emit_true_recursion(0)
            asm.mov(r13.r32, mem32(rbx, r.N_ENTRIES))
            asm.shl(r13, 4)
            asm.lea(r13, mem64(rbx, r.ENTRIES, r13, 1))
            asm.bind(again)
            asm.movsxd(rdx, mem32(r13, 4))
            asm.mov(rdi, mem64(rbp, 0, rdx, 1))
            asm.call(self.frames.xdecref)
            asm.add(r13, r.ENTRY_SIZE)
            asm.mov(eax, mem32(rbx, r.FLAGS))
            asm.shr(rax, (r.ONE_LOOSE - 1).bit_length())
            asm.add(eax, mem32(rbx, r.N_ENTRIES))
            asm.shl(rax, 4)
            asm.lea(rax, mem64(rbx, r.ENTRIES, rax, 1))
            asm.cmp(r13, rax)
            asm.jb(again)
            self.frames.emit_unlink()
            asm.mov(eax, mem32(r15, L.thread_recursion_remaining))
            asm.call(self.update_budget)
            asm.jmp(none)

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
