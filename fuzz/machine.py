"""The real processor, with the interface of the model: runs straight-line code from a given state, and tells the state after it.

The code that loads and stores the state is written out in bytes here: the assembler is what is being tested.
"""

import ctypes
import struct

from fuzz.machine_model import FLAGS
from platforms.memory import CodeArena

#: Bytes of the memory that code may use, and of one piece of code.
MEMORY_SIZE, CODE_SIZE = 64, 1 << 14
#: The state: 16 registers (rsp's place is unused), 16 xmm registers, flags.
_STATE = struct.Struct("<16Q32QQ")
_XMM, _FLAGS = 128, 384
_RSP, _RDI = 4, 7


def _general(opcode, number):
    """mov between a register and its place in the state at rdi."""
    return bytes((0x4C if number > 7 else 0x48, opcode, 0x80 | (number & 7) << 3 | _RDI)) + (8 * number).to_bytes(4, "little")


def _xmm(opcode, number):
    """movups between an xmm register and its place in the state at rdi."""
    prefix = b"\x44" if number > 7 else b""
    return prefix + bytes((0x0F, opcode, 0x80 | (number & 7) << 3 | _RDI)) + (_XMM + 16 * number).to_bytes(4, "little")


_OTHERS = [number for number in range(16) if number not in (_RSP, _RDI)]
_FLAGS_PLACE = _FLAGS.to_bytes(4, "little")
BEFORE = b"".join([
    bytes.fromhex("53 55 41 54 41 55 41 56 41 57 57"),  # push rbx, rbp, r12, r13, r14, r15, rdi
    b"\xff\xb7" + _FLAGS_PLACE, b"\x9d",                # push [rdi + flags]; popfq
    *[_xmm(0x10, number) for number in range(16)],
    *[_general(0x8B, number) for number in _OTHERS],
    _general(0x8B, _RDI)])
BEHIND = b"".join([
    bytes.fromhex("57 48 8B 7C 24 08"),                 # push rdi; mov rdi, [rsp + 8]
    *[_general(0x89, number) for number in _OTHERS],
    b"\x8f\x87" + (8 * _RDI).to_bytes(4, "little"),     # pop [rdi + place of rdi]
    b"\x9c", b"\x8f\x87" + _FLAGS_PLACE,                # pushfq; pop [rdi + flags]
    *[_xmm(0x11, number) for number in range(16)],
    bytes.fromhex("5F 41 5F 41 5E 41 5D 41 5C 5D 5B C3")])


class Processor:
    """Attributes:
        code: where code must be assembled for. memory: address of the memory that it may use.
    """

    def __init__(self):
        self.arena = CodeArena(1 << 20)
        self.code = self.arena.allocate_code(CODE_SIZE)
        self.state = self.arena.allocate_data(_STATE.size)
        self.memory = self.arena.allocate_data(MEMORY_SIZE)
        # PYFUNCTYPE: no other thread runs while the code is in the making or running.
        self.enter = ctypes.PYFUNCTYPE(None, ctypes.c_uint64)(self.code)

    def run(self, code, machine):
        """Run code, which begins with BEFORE and has BEHIND behind it, from the state of a Machine.

        Returns:
            (16 integers, 16 pairs, memory, flags as the processor has them).
        """
        flags = sum(FLAGS[letter] for letter, value in machine.flags.items() if value)
        pairs = [half for pair in machine.xmm for half in pair]
        ctypes.memmove(self.state, _STATE.pack(*machine.general, *pairs, flags | 0x202), _STATE.size)
        ctypes.memmove(self.memory, bytes(machine.memory), MEMORY_SIZE)
        self.arena.write_code(self.code, code)
        self.enter(self.state)
        found = _STATE.unpack(ctypes.string_at(self.state, _STATE.size))
        pairs = [list(found[16 + 2 * number:18 + 2 * number]) for number in range(16)]
        return list(found[:16]), pairs, ctypes.string_at(self.memory, MEMORY_SIZE), found[-1]
