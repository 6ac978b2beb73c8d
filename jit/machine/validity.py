"""Machine code that asks whether what a version relies on still holds, and whether anybody traces."""

from asm import eax, mem8, mem32, mem64, r8, r9, r12, r13, r15, rax, rbx, rcx, rdi, rdx, relative, rsi
from jit.machine import records as r
from jit.machine.dictionaries import FORM
from platforms.cpython import threads
from platforms.cpython.layout import layout

L = layout()


class ValidityRoutines:
    """The part of LeaveRoutines that checks versions."""

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
        loop, next_word, differs, look, bad, traced, changed = (
            asm.label(n) for n in ("words", "next_word", "differs", "look", "bad", "traced", "changed"))
        self.begin("revalidate")
        self.emit_tracing_check(traced)
        asm.mov(eax, mem32(rcx, r.N_WORDS))
        asm.mov(r8, mem64(rcx, r.WORDS))
        asm.xor(r9.r32, r9.r32)
        asm.test(eax, eax)
        asm.jz(look)
        asm.bind(loop)
        asm.mov(rdx, mem64(r8, 0))
        asm.mov(rdx, mem64(rdx, 0))
        asm.cmp(rdx, mem64(r8, 8))
        asm.jne(differs)
        asm.bind(next_word)
        asm.add(r8, r.WORD_SIZE)
        asm.sub(eax, 1)
        asm.jnz(loop)
        asm.bind(look)
        asm.mov(eax, 1)
        asm.test(r9, r9)
        asm.jnz(changed)
        asm.ret()
        asm.bind(differs)
        asm.mov(r9.r32, 1)
        asm.cmp(mem64(r8, 16), 0)
        asm.je(next_word)
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
        failed, have, same, absent, ask = (asm.label(n) for n in ("failed", "have", "same", "absent", "ask"))
        asm.push(rbx)
        asm.push(r12)
        asm.push(r13)
        asm.mov(rbx, rcx)
        asm.mov(r12.r32, mem32(rbx, r.N_DEPENDENCIES))
        asm.mov(r13, mem64(rbx, r.DEPENDENCIES))
        asm.bind(keys)
        asm.sub(r12, 1)
        asm.js(good)
        self.emit_look_up(have, ask)
        asm.bind(have)
        asm.cmp(rax, mem64(r13, r.D_VALUE))
        asm.jne(failed)
        asm.mov(rdx, mem64(r13, r.D_TYPE))
        asm.test(rdx, rdx)
        asm.jz(same)
        asm.cmp(rdx, mem64(rax, L.ob_type))  # nobody holds it: another may have its address
        asm.jne(failed)
        asm.bind(same)
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
        asm.bind(ask)
        asm.mov(rdi, mem64(r13, r.D_MAPPING))
        asm.mov(rsi, mem64(r13, r.D_KEY))
        self.frames.call("PyDict_GetItemWithError")
        asm.test(rax, rax)
        asm.jnz(have)
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

    def emit_look_up(self, have, ask):
        """rax = what the dict of the dependency at r13 has under its key, or 0: at the place it had it when compiled, or by looking it up.

        Jumps to `ask` if only CPython can tell; what is found at its place may also be at `have`.
        """
        asm = self.asm
        elsewhere = asm.label("elsewhere")
        asm.mov(rdi, mem64(r13, r.D_MAPPING))
        asm.mov(rsi, mem64(r13, r.D_KEY))
        asm.mov(rdx, mem64(rdi, L.dict_keys))
        asm.mov(eax, mem32(rdx, L.keys_log2_size))
        asm.and_(eax, FORM)
        asm.cmp(eax, mem32(r13, r.D_FORM))
        asm.jne(elsewhere)
        asm.mov(eax, mem32(r13, r.D_NUMBER))
        asm.cmp(rax, mem64(rdx, L.keys_entries_used))
        asm.jae(elsewhere)
        asm.add(rdx, mem64(r13, r.D_OFFSET))
        asm.cmp(mem64(rdx, 0), rsi)
        asm.jne(elsewhere)
        asm.mov(rax, mem64(rdx, 8))
        asm.jmp(have)
        asm.bind(elsewhere)
        asm.mov(rcx, rdi)
        asm.mov(rdx, rsi)
        asm.call(self.dict_entry)
        asm.cmp(rax, 1)
        asm.je(ask)
