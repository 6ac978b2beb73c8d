"""Whether a call's arguments are of a version's types: tested and unboxed in an entry wrapper."""

from asm import ecx, edx, mem32, mem64, rax, rbp, rcx, rdx
from jit import types
from platforms.cpython.layout import layout

L = layout()


class ArgumentGuards:
    """The part of EntryEmitter that looks at the array of arguments at rbp."""

    def emit_argument(self, number, kind, register, other):
        """Guard and unbox one argument into `register`; jump to `other` if it does not fit."""
        asm = self.asm
        carrier, register = (register, rdx) if kind is not types.FLOAT and register.kind == "xmm" else (None, register)
        asm.mov(rax, mem64(rbp, 8 * number))
        if kind.python is not None and kind is not types.BOOL:
            asm.mov(rcx, self.constant(id(kind.python)))
            asm.cmp(mem64(rax, L.ob_type), rcx)
            asm.jne(other)
        if kind is types.INT:
            self.emit_unbox_int(register if carrier is None else rax, other)
            register = register if carrier is None else rax
        elif kind is types.FLOAT:
            asm.movsd(register, mem64(rax, L.float_value))
            asm.ucomisd(register, register)  # a nan keeps its identity
            asm.jp(self.original)
        elif kind is types.BOOL:
            done = asm.label("is_bool")
            asm.xor(register.r32, register.r32)
            asm.cmp(rax, self.constant(id(False)))
            asm.je(done)
            asm.cmp(rax, self.constant(id(True)))
            asm.jne(other)
            asm.mov(register.r32, 1)
            asm.bind(done)
        else:
            asm.mov(register, rax)
        if carrier is not None:
            asm.movq(carrier, register)

    def emit_unbox_int(self, register, other):
        asm = self.asm
        slow, done = asm.label("digits"), asm.label("unboxed")
        if L.long_size is not None:
            asm.mov(rcx, mem64(rax, L.long_size))
            asm.lea(rdx, mem64(rcx, 1))
            asm.cmp(rdx, 2)
            asm.ja(slow)
            asm.mov(register.r32, mem32(rax, L.long_digits))
            asm.imul(register, rcx)
        else:
            asm.mov(rdx, mem64(rax, L.long_tag))
            asm.cmp(rdx, 16)
            asm.jae(slow)
            asm.and_(edx, 3)
            asm.mov(ecx, 1)
            asm.sub(rcx, rdx)
            asm.mov(register.r32, mem32(rax, L.long_digits))
            asm.imul(register, rcx)
        asm.bind(done)
        with asm.cold():
            asm.bind(slow)
            asm.call(self.routines.unbox_int)
            asm.test(edx, edx)
            asm.jnz(other)
            asm.mov(register, rax)
            asm.jmp(done)

    def emit_refused(self, kinds):
        """Arguments of types that are not compiled: interpret without asking again."""
        asm = self.asm
        other = asm.label("not_refused")
        for number, kind in enumerate(kinds):
            asm.mov(rax, mem64(rbp, 8 * number))
            asm.mov(rax, mem64(rax, L.ob_type))
            if kind.python is not None:
                asm.cmp(rax, self.constant(id(kind.python)))
                asm.jne(other)
            else:
                for python in (int, float, bool, list):
                    if python is not int or len(self.record.refused) < 2:
                        asm.cmp(rax, self.constant(id(python)))
                        asm.je(other)
        asm.jmp(self.original)
        asm.bind(other)
