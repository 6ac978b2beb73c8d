"""Operands that are not registers: memory, RIP-relative memory, labels.

Memory operands are encoded when they are made: what follows the opcode depends on the
instruction only in the three reg bits of ModRM. The constructors mem64, qword[...] and so
on return the same object for the same address, so that the assembler's memo, which is
keyed on operand identity, hits. Immediates are plain ints and need no class.
"""

from functools import lru_cache

from asm.registers import GPR64, REX_X, Address, format_address

_SIZE_NAMES = {1: "byte", 2: "word", 4: "dword", 8: "qword", 16: "oword"}
_SHAPES = {size: f"m{size * 8}" for size in _SIZE_NAMES}
_RELATIVE_SHAPES = {size: f"rip m{size * 8}" for size in _SIZE_NAMES}
_ADDRESS_REGISTERS = frozenset(GPR64)
_SCALES = {1: 0x00, 2: 0x40, 4: 0x80, 8: 0xC0}
_SEGMENTS = ("fs", "gs")


class AssemblyError(Exception):
    """The program as a whole cannot be assembled: labels, ranges, alignment."""


class Label:
    """A place in the code; `offset` from the code's start is known after finish()."""

    __slots__ = ("name", "position", "offset")

    def __init__(self, name="label"):
        self.name = name
        self.position = None  # how far into the section that it is bound in
        self.offset = None

    def __repr__(self):
        return f"<{self.name}>"


class Memory:
    """`size` bytes at base + index*scale + disp, with an optional segment override."""

    kind = "memory"

    __slots__ = (
        *("base", "disp", "index", "scale", "size", "segment"),
        *("shape", "modrm", "rex", "tail"),  # as in Register
    )

    def __init__(self, base=None, disp=0, index=None, scale=1, size=8, segment=None):
        self.base, self.disp, self.index, self.scale = base, disp, index, scale
        self.size, self.segment = size, segment
        self._check()
        self.shape = f"{segment} m{size * 8}" if segment else _SHAPES[size]
        self.rex = 0 if base is None else base.rex
        if index is not None and index.number & 8:
            self.rex |= REX_X
        self.modrm, self.tail = self._encode()

    def _check(self):
        for register in (self.base, self.index):
            if register is not None and register not in _ADDRESS_REGISTERS:
                raise TypeError(f"an address is made of 64-bit registers, not {register!r}")
        if type(self.disp) is not int:
            raise TypeError(f"displacement {self.disp!r} is not an integer")
        if not -0x80000000 <= self.disp <= 0x7FFFFFFF:
            raise ValueError(f"displacement {self.disp} does not fit in 32 bits")
        if self.scale not in _SCALES:
            raise ValueError(f"scale {self.scale!r} is not 1, 2, 4 or 8")
        if self.index is not None and self.index.number == 4:
            raise ValueError(f"rsp cannot be the index in {self!r}")
        if self.size not in _SHAPES:
            raise ValueError(f"no memory operand has {self.size!r} bytes")
        if self.segment is not None and self.segment not in _SEGMENTS:
            raise ValueError(f"segment {self.segment!r} is not one of {_SEGMENTS}")

    def _encode(self):
        """ModRM without its reg field, and the SIB and displacement bytes after it."""
        base, disp = self.base, self.disp
        if base is None:
            # ModRM alone would mean RIP-relative; in SIB, base 101 under mod 00 is "none".
            return 0x04, self._sib(5) + disp.to_bytes(4, "little", signed=True)
        low = base.number & 7
        # rbp and r13 under mod 00 mean something else, hence need a displacement.
        if disp == 0 and low != 5:
            mod, tail = 0x00, b""
        elif -128 <= disp <= 127:
            mod, tail = 0x40, disp.to_bytes(1, "little", signed=True)
        else:
            mod, tail = 0x80, disp.to_bytes(4, "little", signed=True)
        # rsp and r12 as rm mean "SIB follows", hence as a base need it.
        if self.index is None and low != 4:
            return mod | low, tail
        return mod | 4, self._sib(low) + tail

    def _sib(self, base):
        if self.index is None:
            return bytes((4 << 3 | base,))  # index 100: none
        return bytes((_SCALES[self.scale] | (self.index.number & 7) << 3 | base,))

    def __repr__(self):
        segment = f"{self.segment}:" if self.segment else ""
        return f"{_SIZE_NAMES.get(self.size, self.size)}[{segment}{format_address(self)}]"


class Relative(Memory):
    """`size` bytes at target + offset, addressed relative to the instruction pointer."""

    __slots__ = ("target", "offset")

    def __init__(self, target, size=8, offset=0):
        if not isinstance(target, (Label, int)):
            raise TypeError(f"{target!r} is neither a label nor an address")
        self.target, self.offset, self.size = target, offset, size
        self.base = self.index = self.segment = None
        self.disp, self.scale = 0, 1
        self.shape = _RELATIVE_SHAPES[size]
        self.modrm, self.rex, self.tail = 0x05, 0, b"\0\0\0\0"  # the displacement is a fixup

    def __repr__(self):
        target = hex(self.target) if isinstance(self.target, int) else self.target
        offset = f" + {self.offset}" if self.offset else ""
        return f"{_SIZE_NAMES[self.size]}[relative {target}{offset}]"


relative = Relative


class _Size:
    """`qword[address]`: a memory operand of this size at an address expression."""

    __slots__ = ("make",)

    def __init__(self, make):
        self.make = make

    def __getitem__(self, address):
        if type(address) is Address:
            return self.make(address.base, address.disp, address.index, address.scale)
        return self.make(None, address) if isinstance(address, int) else self.make(address)


def _constructor(size):
    # Bounded, because displacements may be as many as there are addresses.
    @lru_cache(maxsize=4096, typed=True)  # 1.0 is no displacement
    def memory(base, disp=0, index=None, scale=1):
        return Memory(base, disp, index, scale, size)

    return memory


mem8, mem16, mem32, mem64, mem128 = map(_constructor, (1, 2, 4, 8, 16))
byte, word, dword, qword, oword = map(_Size, (mem8, mem16, mem32, mem64, mem128))
