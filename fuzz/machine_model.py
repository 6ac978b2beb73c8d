"""A plain model of the processor: what straight-line code does to registers, memory and flags.

Written from the manual (Intel SDM volume 2), one function per group of instructions, to be read. Flags that the manual leaves
undefined are None. What would fault, or would make a result undefined, raises `Undefined` and changes nothing.
Operands are those of fuzz/instructions.py.
"""

import struct

from asm import REGISTERS
from asm.encodings import CONDITIONS

FLAGS = {"c": 0x001, "p": 0x004, "a": 0x010, "z": 0x040, "s": 0x080, "o": 0x800}
DEFAULT_NAN = 0xFFF8000000000000
QUIET = 0x0008000000000000
MASK = 2**64 - 1


class Undefined(Exception):
    """The instruction would fault here, or its result is undefined."""


def bits_of(number):
    """The IEEE 754 bits of a float."""
    return struct.unpack("<Q", struct.pack("<d", number))[0]


def float_of(bits):
    """The float of 64 bits."""
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def signed(value, width):
    """The low `width` bits as a signed integer."""
    value &= (1 << width) - 1
    return value - (1 << width) if value >> (width - 1) else value


class Machine:
    """Attributes:
        general: 16 integers. xmm: 16 pairs [low, high] of 64 bits. memory: bytearray. address: of the memory.
        flags: letter -> 0, 1 or None where undefined.
    """

    def __init__(self, general, xmm, memory, address, flags):
        self.general, self.xmm = list(general), [list(pair) for pair in xmm]
        self.memory, self.address = bytearray(memory), address
        self.flags = dict(flags)

    # -- operands ------------------------------------------------------------------------------------------

    def place(self, operand):
        """Offset into the memory of a memory operand's address."""
        offset = self.effective(operand) - self.address
        if not 0 <= offset <= len(self.memory) - operand[1]:
            raise Undefined
        return offset

    def effective(self, operand):
        """The address that a memory operand means."""
        _, _, base, index, scale, disp, _ = operand
        total = disp
        if base:
            total += self.general[REGISTERS[base].number]
        if index:
            total += self.general[REGISTERS[index].number] * scale
        return total & MASK

    def read(self, operand, width):
        """An operand of general instructions as an unsigned integer of `width` bits."""
        if isinstance(operand, int):
            return operand & (1 << width) - 1
        if isinstance(operand, str):
            return self.general[REGISTERS[operand].number] & (1 << width) - 1
        if operand[0] == "buffer":
            return self.address + operand[1] & (1 << width) - 1
        start = self.place(operand)
        return int.from_bytes(self.memory[start:start + width // 8], "little")

    def write(self, operand, width, value):
        """Write the low `width` bits; 32-bit registers clear their upper half, smaller ones keep the rest."""
        value &= (1 << width) - 1
        if not isinstance(operand, str):
            start = self.place(operand)
            self.memory[start:start + width // 8] = value.to_bytes(width // 8, "little")
            return
        number = REGISTERS[operand].number
        if width < 32:
            value |= self.general[number] & ~((1 << width) - 1)
        self.general[number] = value & MASK

    def read_xmm(self, operand, size=8):
        """[low, high] of an xmm register or of memory; high is 0 if only `size` bytes are read."""
        if isinstance(operand, str):
            return list(self.xmm[REGISTERS[operand].number])
        start = self.place([*operand[:1], size, *operand[2:]])
        data = self.memory[start:start + size].ljust(16, b"\0")
        return list(struct.unpack("<QQ", data))

    # -- flags ---------------------------------------------------------------------------------------------

    def flag(self, letter):
        value = self.flags[letter]
        if value is None:
            raise Undefined
        return value

    def set_flags(self, width, result, **more):
        """Sign, zero and parity by a result, and those given."""
        result &= (1 << width) - 1
        self.flags.update(z=int(result == 0), s=result >> (width - 1), p=1 - (result & 255).bit_count() % 2, **more)

    def holds(self, condition):
        """Whether a condition holds, by its number: odd ones are the opposite of the even one before."""
        code = CONDITIONS[condition]
        flag = self.flag
        value = (lambda: flag("o"), lambda: flag("c"), lambda: flag("z"), lambda: flag("c") | flag("z"), lambda: flag("s"),
                 lambda: flag("p"), lambda: flag("s") ^ flag("o"), lambda: flag("z") | flag("s") ^ flag("o"))[code // 2]()
        return bool(value) != bool(code % 2)

    # -- instructions --------------------------------------------------------------------------------------

    def step(self, instruction):
        """Execute an instruction; returns the label operand that it jumps to, or None.

        Raises:
            Undefined: it would fault, or do what the manual leaves open; nothing is changed.
        """
        mnemonic, _, operands = instruction
        if mnemonic[0] == "j":
            return operands[0] if mnemonic == "jmp" or self.holds(mnemonic[1:]) else None
        for prefix in ("set", "cmov"):
            if mnemonic.startswith(prefix) and mnemonic[len(prefix):] in CONDITIONS:
                self.conditional(prefix, mnemonic[len(prefix):], operands)
                return None
        METHODS[mnemonic](self, mnemonic, operands)
        return None

    def conditional(self, prefix, condition, operands):
        holds = self.holds(condition)
        if prefix == "set":
            self.write(operands[0], 8, int(holds))
            return
        width = width_of(operands)
        value = self.read(operands[1], width)
        self.write(operands[0], width, value if holds else self.read(operands[0], width))

    def move(self, mnemonic, operands):
        width = width_of(operands)
        self.write(operands[0], width, self.read(operands[1], width))

    def extend(self, mnemonic, operands):
        source = operand_width(operands[1])
        value = self.read(operands[1], source)
        self.write(operands[0], width_of(operands), value if mnemonic == "movzx" else signed(value, source))

    def address_of(self, mnemonic, operands):
        self.write(operands[0], width_of(operands), self.effective(operands[1]))

    def exchange(self, mnemonic, operands):
        width = width_of(operands)
        one, two = self.read(operands[0], width), self.read(operands[1], width)
        if isinstance(operands[1], str):
            self.write(operands[0], width, two)
            self.write(operands[1], width, one)
        else:  # memory first: the register may be part of its address
            self.write(operands[1], width, one)
            self.write(operands[0], width, two)

    def add(self, mnemonic, operands):
        """add, adc, inc."""
        width = width_of(operands)
        one = self.read(operands[0], width)
        two = 1 if mnemonic == "inc" else self.read(operands[1], width)
        carry = self.flag("c") if mnemonic == "adc" else 0
        total = one + two + carry
        self.write(operands[0], width, total)
        self.set_flags(width, total, o=int(signed(one, width) + signed(two, width) + carry != signed(total, width)),
                       a=(one ^ two ^ total) >> 4 & 1)
        if mnemonic != "inc":
            self.flags["c"] = total >> width

    def subtract(self, mnemonic, operands):
        """sub, sbb, cmp, dec, neg."""
        width = width_of(operands)
        one = self.read(operands[0], width)
        two = 1 if mnemonic == "dec" else one if mnemonic == "neg" else self.read(operands[1], width)
        one = 0 if mnemonic == "neg" else one
        borrow = self.flag("c") if mnemonic == "sbb" else 0
        result = one - two - borrow
        if mnemonic != "cmp":
            self.write(operands[0], width, result)
        self.set_flags(width, result, o=int(signed(one, width) - signed(two, width) - borrow != signed(result, width)),
                       a=(one ^ two ^ result) >> 4 & 1)
        if mnemonic != "dec":
            self.flags["c"] = int(result < 0)

    def logic(self, mnemonic, operands):
        width = width_of(operands)
        one, two = self.read(operands[0], width), self.read(operands[1], width)
        result = {"and": one & two, "test": one & two, "or": one | two, "xor": one ^ two}[mnemonic]
        if mnemonic != "test":
            self.write(operands[0], width, result)
        self.set_flags(width, result, c=0, o=0, a=None)

    def invert(self, mnemonic, operands):
        width = width_of(operands)
        self.write(operands[0], width, ~self.read(operands[0], width))

    def multiply(self, mnemonic, operands):
        """imul and mul, with one, two or three operands."""
        width = width_of(operands)
        convert = signed if mnemonic == "imul" else lambda value, _: value
        if len(operands) == 1:
            product = convert(self.read(operands[0], width), width) * convert(self.general[0] & (1 << width) - 1, width)
            if width == 8:
                self.write("ax", 16, product)
            else:
                self.write(REGISTERS_BY_WIDTH[width][0], width, product)
                self.write(REGISTERS_BY_WIDTH[width][1], width, product >> width)
        else:
            product = signed(self.read(operands[-2], width), width) * signed(self.read(operands[-1], width), width)
            self.write(operands[0], width, product)
        lost = int(convert(product & (1 << width) - 1, width) != product)
        self.flags.update(c=lost, o=lost, s=None, z=None, a=None, p=None)

    def divide(self, mnemonic, operands):
        """idiv and div."""
        width = width_of(operands)
        divisor = self.read(operands[0], width)
        if width == 8:
            low, high = "al", None
            dividend = self.general[0] & 0xFFFF
        else:
            low, high = REGISTERS_BY_WIDTH[width]
            dividend = self.read(high, width) << width | self.read(low, width)
        if mnemonic == "idiv":
            divisor, dividend = signed(divisor, width), signed(dividend, 2 * width)
        if not divisor:
            raise Undefined
        quotient = abs(dividend) // abs(divisor) * (1 if (divisor < 0) == (dividend < 0) else -1)
        least, beyond = (-(1 << width - 1), 1 << width - 1) if mnemonic == "idiv" else (0, 1 << width)
        if not least <= quotient < beyond:
            raise Undefined
        remainder = dividend - quotient * divisor
        if high is None:
            self.write("ax", 16, (remainder & 255) << 8 | quotient & 255)
        else:
            self.write(low, width, quotient)
            self.write(high, width, remainder)
        self.flags.update(dict.fromkeys("cosazp"))

    def shift(self, mnemonic, operands):
        """shl, shr and sar."""
        width = width_of(operands)
        value, count = self.read(operands[0], width), self.count(operands[1], width)
        number = signed(value, width) if mnemonic == "sar" else value
        result = number << count if mnemonic == "shl" else number >> count
        self.write(operands[0], width, result)
        if not count:
            return
        carry = result >> width & 1 if mnemonic == "shl" else number >> (count - 1) & 1
        if mnemonic != "sar" and count >= width:
            carry = None
        overflow = {"shl": (result >> (width - 1) & 1) ^ (result >> width & 1), "shr": value >> (width - 1), "sar": 0}[mnemonic]
        self.set_flags(width, result, c=carry, o=overflow if count == 1 else None, a=None)

    def rotate(self, mnemonic, operands):
        """rol and ror."""
        width = width_of(operands)
        value, count = self.read(operands[0], width), self.count(operands[1], width)
        by = count % width if mnemonic == "rol" else -count % width
        result = (value << by | value >> (width - by)) & (1 << width) - 1
        self.write(operands[0], width, result)
        if not count:
            return
        top = result >> (width - 1)
        self.flags["c"] = result & 1 if mnemonic == "rol" else top
        overflow = top ^ (result & 1) if mnemonic == "rol" else top ^ result >> (width - 2) & 1
        self.flags["o"] = overflow if count == 1 else None

    def double_shift(self, mnemonic, operands):
        """shld and shrd."""
        width = width_of(operands)
        value, other = self.read(operands[0], width), self.read(operands[1], width)
        count = self.count(operands[2], width)
        if count > width:
            raise Undefined
        if mnemonic == "shld":
            whole = (value << width | other) << count
            result, carry = whole >> width & (1 << width) - 1, whole >> 2 * width & 1
        else:
            whole = (other << width | value) >> (count - 1) if count else 0
            result, carry = (whole >> 1 if count else value) & (1 << width) - 1, whole & 1
        self.write(operands[0], width, result)
        if count:
            overflow = (value ^ result) >> (width - 1) if count == 1 else None
            self.set_flags(width, result, c=carry, o=overflow, a=None)

    def count(self, operand, width):
        """How far to shift: the processor looks at 5 or 6 bits."""
        return self.read(operand, 8) & (63 if width == 64 else 31)

    def test_bit(self, mnemonic, operands):
        """bt, bts, btr and btc; with memory and a register they reach beyond the operand, which is left out here."""
        width = width_of(operands)
        if isinstance(operands[1], str) and not isinstance(operands[0], str):
            raise Undefined
        value, bit = self.read(operands[0], width), 1 << self.read(operands[1], width if isinstance(operands[1], str) else 8) % width
        if mnemonic != "bt":
            self.write(operands[0], width, {"bts": value | bit, "btr": value & ~bit, "btc": value ^ bit}[mnemonic])
        self.flags.update(c=int(bool(value & bit)), o=None, s=None, a=None, p=None)

    def scan_bits(self, mnemonic, operands):
        """bsf, bsr, popcnt, tzcnt and lzcnt."""
        width = width_of(operands)
        value = self.read(operands[1], width)
        trailing, length = (value & -value).bit_length() - 1, value.bit_length()
        if mnemonic == "popcnt":
            self.write(operands[0], width, value.bit_count())
            self.flags.update(c=0, o=0, s=0, a=0, p=0, z=int(not value))
            return
        if mnemonic in ("bsf", "bsr"):
            if not value:
                raise Undefined
            self.write(operands[0], width, trailing if mnemonic == "bsf" else length - 1)
            self.flags.update(c=None, o=None, s=None, a=None, p=None, z=0)
            return
        result = (trailing if value else width) if mnemonic == "tzcnt" else width - length
        self.write(operands[0], width, result)
        self.flags.update(c=int(not value), z=int(not result), o=None, s=None, a=None, p=None)

    def swap_bytes(self, mnemonic, operands):
        width = width_of(operands)
        self.write(operands[0], width, int.from_bytes(self.read(operands[0], width).to_bytes(width // 8, "little"), "big"))

    def widen(self, mnemonic, operands):
        """The accumulator's sign into its wider self, or into rdx."""
        if mnemonic in ("cbw", "cwde", "cdqe"):
            half = {"cbw": 8, "cwde": 16, "cdqe": 32}[mnemonic]
            self.write(REGISTERS_BY_WIDTH[2 * half][0], 2 * half, signed(self.general[0], half))
        else:
            width = {"cwd": 16, "cdq": 32, "cqo": 64}[mnemonic]
            self.write(REGISTERS_BY_WIDTH[width][1], width, -(self.general[0] >> (width - 1) & 1))

    def carry(self, mnemonic, operands):
        self.flags["c"] = int(mnemonic == "stc")

    def nothing(self, mnemonic, operands):
        pass


def operand_width(operand):
    """Bits of a register or of memory."""
    return 8 * (REGISTERS[operand].size if isinstance(operand, str) else operand[1])


def width_of(operands):
    """Bits that an instruction works on: those of its first operand."""
    return operand_width(operands[0])


REGISTERS_BY_WIDTH = {8: ("al", "dl"), 16: ("ax", "dx"), 32: ("eax", "edx"), 64: ("rax", "rdx")}
#: Mnemonic -> function of machine, mnemonic and operands. fuzz/machine_floats.py adds those with xmm registers.
METHODS = {}
for _function, _mnemonics in ((Machine.move, "mov movabs"), (Machine.extend, "movzx movsx movsxd"), (Machine.address_of, "lea"),
                              (Machine.exchange, "xchg"), (Machine.add, "add adc inc"), (Machine.subtract, "sub sbb cmp dec neg"),
                              (Machine.logic, "and or xor test"), (Machine.invert, "not"), (Machine.multiply, "mul imul"),
                              (Machine.divide, "div idiv"), (Machine.shift, "shl shr sar"), (Machine.rotate, "rol ror"),
                              (Machine.double_shift, "shld shrd"), (Machine.test_bit, "bt bts btr btc"),
                              (Machine.scan_bits, "bsf bsr popcnt tzcnt lzcnt"), (Machine.swap_bytes, "bswap"),
                              (Machine.widen, "cbw cwde cdqe cwd cdq cqo"), (Machine.carry, "clc stc"),
                              (Machine.nothing, "nop pause endbr64")):
    METHODS.update(dict.fromkeys(_mnemonics.split(), _function))
