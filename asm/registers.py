"""The registers of x86-64, and the address expressions that can be written with them.

Every register is one object for the whole process, so registers compare and hash by
identity. A register carries the bits it adds to an instruction in each place where it can
stand, so that encoding is a matter of joining what the operands bring along.
Source: Intel SDM volume 2, chapter 2.
"""

# What a register adds to the index into Form.heads: the REX bits, except that W belongs to
# the form, so that its bit is free to say "a REX prefix is needed even if it is 0x40".
REX_B, REX_X, REX_R, REX_NEEDED = 1, 2, 4, 8

_NAMES_64 = "rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split()
_NAMES_32 = "eax ecx edx ebx esp ebp esi edi r8d r9d r10d r11d r12d r13d r14d r15d".split()
_NAMES_16 = "ax cx dx bx sp bp si di r8w r9w r10w r11w r12w r13w r14w r15w".split()
_NAMES_8 = "al cl dl bl spl bpl sil dil r8b r9b r10b r11b r12b r13b r14b r15b".split()

# Registers that forms name literally ("shl rm64, cl"); the others are known by their class.
_NAMED_IN_FORMS = frozenset(("al", "cl", "ax", "eax", "rax"))


class Register:
    """A register: `number` 0-15, `size` in bytes, `kind` "gpr" or "xmm"."""

    __slots__ = (
        *("name", "number", "size", "kind", "r64", "r32", "r16", "r8"),
        "shape",  # what form selection sees: "r64", "xmm", or its name if forms mention it
        "modrm",  # ModRM when it stands in the rm field
        "reg_field",  # ModRM bits when it stands in the reg field
        "rex",  # REX bits (REX_B, REX_NEEDED) when in the rm field or in the opcode
        "rex_reg",  # REX bits (REX_R, REX_NEEDED) when in the reg field
        "tail",  # the bytes after ModRM: none, but memory operands have some
    )

    def __init__(self, name, number, size):
        self.name, self.number, self.size = name, number, size
        self.kind = "xmm" if size == 16 else "gpr"
        if self.kind == "xmm":
            self.shape = "xmm"
        else:
            self.shape = name if name in _NAMED_IN_FORMS else f"r{size * 8}"
        # Without REX the numbers 4-7 of byte registers mean ah, ch, dh, bh.
        needed = REX_NEEDED if size == 1 and 4 <= number < 8 else 0
        self.modrm = 0xC0 | number & 7
        self.reg_field = (number & 7) << 3
        self.rex = needed | (REX_B if number & 8 else 0)
        self.rex_reg = needed | (REX_R if number & 8 else 0)
        self.tail = b""

    def __repr__(self):
        return self.name

    def __add__(self, other):
        if type(other) is int:
            return Address(self, other)
        return Address(self) + other

    __radd__ = __add__

    def __sub__(self, displacement):
        return Address(self, -displacement)

    def __mul__(self, scale):
        return Address(None, 0, self, scale)

    __rmul__ = __mul__


class Address:
    """`base + index*scale + displacement`, not yet of any size: `qword[...]` gives it one."""

    __slots__ = ("base", "disp", "index", "scale")

    def __init__(self, base=None, disp=0, index=None, scale=1):
        self.base, self.disp, self.index, self.scale = base, disp, index, scale

    def __repr__(self):
        return format_address(self)

    def __add__(self, other):
        if type(other) is int:
            return Address(self.base, self.disp + other, self.index, self.scale)
        if isinstance(other, Register):
            other = Address(other)
        elif not isinstance(other, Address):
            return NotImplemented
        # An unscaled register goes where there is room; a base as an index is scaled by 1.
        base, index, scale = self.base, self.index, self.scale
        if other.base is not None:
            if base is None:
                base = other.base
            elif index is None:
                index, scale = other.base, 1
            else:
                raise self._too_many(other)
        if other.index is not None:
            if index is not None:
                raise self._too_many(other)
            index, scale = other.index, other.scale
        return Address(base, self.disp + other.disp, index, scale)

    def _too_many(self, other):
        return TypeError(f"[{self!r}] + [{other!r}] is more than base + index*scale + disp")

    __radd__ = __add__

    def __sub__(self, displacement):
        return self + -displacement


def format_address(address):
    """The text between the brackets of anything with base, index, scale and disp."""
    terms = [address.base.name] if address.base is not None else []
    if address.index is not None:
        terms.append(f"{address.index.name}*{address.scale}")
    disp = address.disp
    if not terms:
        return str(disp)
    text = " + ".join(terms)
    return f"{text} {'-' if disp < 0 else '+'} {abs(disp)}" if disp else text


def _family(names, size):
    return tuple([Register(name, number, size) for number, name in enumerate(names)])


GPR64 = _family(_NAMES_64, 8)
GPR32 = _family(_NAMES_32, 4)
GPR16 = _family(_NAMES_16, 2)
GPR8 = _family(_NAMES_8, 1)
XMM = _family([f"xmm{number}" for number in range(16)], 16)

for _widths in zip(GPR64, GPR32, GPR16, GPR8):
    for _register in _widths:
        _register.r64, _register.r32, _register.r16, _register.r8 = _widths

REGISTERS = {r.name: r for family in (GPR64, GPR32, GPR16, GPR8, XMM) for r in family}
globals().update(REGISTERS)
__all__ = ["Address", "Register", *REGISTERS]
