"""A routine called with every register holding a pattern: what it returns, and which registers it changed."""

import ctypes
import gc

from asm import (Assembler, REGISTERS, mem32, mem64, r14, r14d, r15, rax, rcx, relative, rsp)
from activations import PUSHED, emit_thread_state
from jit.machine import arena
from platforms.cpython.layout import layout

L = layout()
GPRS = [REGISTERS[name] for name in "rax rcx rdx rbx rbp rsi rdi r8 r9 r10 r11 r12 r13".split()]
XMMS = [REGISTERS[f"xmm{number}"] for number in range(16)]
NAMES = [register.name for register in GPRS + XMMS]


class Probe:
    """Calls a routine from an activation of `level` (or from none, frame 8 + 16 bytes) with chosen registers."""

    def __init__(self, routine, level=None):
        self.words = arena().allocate_data(16 * len(NAMES))
        self.before = (ctypes.c_uint64 * len(NAMES)).from_address(self.words)
        self.after = (ctypes.c_uint64 * len(NAMES)).from_address(self.words + 8 * len(NAMES))
        size = 24 if level is None else level.frame_size
        asm = Assembler(comments=False)
        body = asm.label("body")
        for register in PUSHED:
            asm.push(register)
        asm.sub(rsp, 24)
        emit_thread_state(asm)
        asm.mov(r14d, mem32(r15, L.thread_recursion_remaining))
        asm.mov(mem64(rsp, 0), 0)
        asm.call(body)
        asm.marker(None)
        asm.mov(rcx, mem64(rsp, 0))
        asm.add(rcx, r14)
        asm.mov(mem32(r15, L.thread_recursion_remaining), rcx.r32)
        asm.add(rsp, 24)
        for register in reversed(PUSHED):
            asm.pop(register)
        asm.ret()
        asm.bind(body)
        asm.sub(rsp, size)
        asm.mov(mem64(rsp, 0), 0)
        asm.sub(r14d, 1)
        if level is not None:
            for place, number in level.loads:
                asm.mov(rax, relative(level.words + 8 * number))
                asm.mov(mem64(rsp, 8 * place), rax)
        self.emit_moves(asm, 0, load=True)
        asm.call(routine)
        self.emit_moves(asm, len(NAMES), load=False)
        asm.add(rsp, size)
        asm.add(r14d, 1)
        asm.ret()
        block = arena().allocate_code(asm.size_bound())
        arena().write_code(block, asm.finish(block))
        self.enter = ctypes.PYFUNCTYPE(ctypes.c_uint64)(block)

    def emit_moves(self, asm, first, load):
        for number, register in enumerate(GPRS + XMMS):
            word = relative(self.words + 8 * (first + number))
            move = asm.mov if register in GPRS else asm.movsd
            if load:
                move(register, word)
            else:
                move(word, register)

    def free(self, address, **registers):
        """Run with an object in rax whose count is set to 0 at the last moment, when no collection can meet it any more."""
        count = ctypes.c_ssize_t.from_address(address)
        return self.run(lambda: setattr(count, "value", 0), rax=address, **registers)

    def run(self, prepare=None, **registers):
        """Registers by name; the others hold patterns. Returns {name: value} of those that changed."""
        for number, name in enumerate(NAMES):
            self.before[number] = registers.get(name, 0x1111 * (number + 1) << 40 | number) & (1 << 64) - 1
        gc.disable()
        if prepare is not None:
            prepare()
        self.enter()
        gc.enable()
        return {name: self.after[number] for number, name in enumerate(NAMES) if self.after[number] != self.before[number]}

    def value(self, name):
        return self.after[NAMES.index(name)]
