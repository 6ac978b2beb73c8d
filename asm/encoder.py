"""Forms and operands to bytes.

Which form fits, and where its operands go, depends only on the operands' *shapes* ("r64",
"m8", "imm"; named in registers.py and operands.py), never on which register or address it
is. So a row of the table is parsed when it is first needed, and encoder_for() turns the
rows that fit some shapes into one function from operands to bytes, in which everything
known beforehand is a constant. What remains is to join

    heads[REX bits of the operands]   prefixes, REX, opcode: one entry per value of the bits
    ModRM                             the rm operand's bits | the reg operand's bits
    tail                              what the rm operand brings along: SIB, displacement
    immediate

Invariant: a function returns the exact encoding or raises TypeError; nothing is truncated.
"""

from functools import lru_cache
from operator import contains

from asm.encodings import FAMILIES, ROWS
from asm.registers import REX_NEEDED

_BYTES = tuple([bytes((value,)) for value in range(256)])
_LEGACY_PREFIXES = (0x66, 0xF2, 0xF3)
_SEGMENT_PREFIXES = {"": b"", "fs": b"\x64", "gs": b"\x65", "rip": b""}

# _REX[W][bits]: the REX prefix, or nothing if none is needed.
_REX = (
    [_BYTES[0x40 | bits & REX_NEEDED - 1] if bits else b"" for bits in range(16)],
    [_BYTES[0x48 | bits & REX_NEEDED - 1] for bits in range(16)],
)
_IMMEDIATE_BYTES = {"ib": 1, "iw": 2, "id": 4, "io": 8, "cd": 4}

# The shapes that stand for a register in a form; they need no encoding there.
_FIXED = ("al", "cl", "ax", "eax", "rax")
_REGISTER_SHAPES = {
    "r8": ("r8", "al", "cl"),
    "r16": ("r16", "ax"),
    "r32": ("r32", "eax"),
    "r64": ("r64", "rax"),
    "xmm": ("xmm",),
}
_ANY_MEMORY = ("m8", "m16", "m32", "m64", "m128")


@lru_cache(maxsize=None)  # there are as many patterns as the table has
def _accepted_shapes(pattern):
    """The operand shapes that a pattern of the table takes."""
    if pattern in _REGISTER_SHAPES:
        return _REGISTER_SHAPES[pattern]
    if pattern in _FIXED:
        return (pattern,)
    if pattern in ("m", "m128"):
        return _ANY_MEMORY
    if pattern.startswith("rm"):
        return (*_REGISTER_SHAPES["r" + pattern[2:]], "m" + pattern[2:])
    if pattern.startswith("xm") and pattern != "xmm":
        return ("xmm", *_accepted_shapes(pattern[1:]))
    if pattern.startswith("m"):
        return (pattern,)
    if pattern == "rel32":
        return ("rel32",)
    return ("imm",)


class Form:
    """One row of the table, for one mnemonic."""

    __slots__ = ("mnemonic", "row", "family", "number", "operands", "accepted", "encoding")

    def __init__(self, mnemonic, row, family, number):
        self.mnemonic, self.row, self.family, self.number = mnemonic, row, family, number
        head, _, self.encoding = row.partition(" : ")
        operands = head.partition(" ")[2].strip()
        self.operands = operands.split(", ") if operands else []
        self.accepted = [_accepted_shapes(operand) for operand in self.operands]

    def takes(self, shapes):
        """Whether operands of these shapes fit."""
        return len(shapes) == len(self.accepted) and all(map(contains, self.accepted, shapes))

    def immediate_ranges(self, wraps):
        """(least, greatest) pairs of the immediates that this form encodes without loss.

        `wraps` says that the instruction takes unsigned operands too, so that 2**32 - 1, say,
        is as good a name for a 32-bit -1.
        """
        pattern = self.operands[-1]
        if pattern == "1":
            return [(1, 1)]
        width = int(pattern.lstrip("uim"))
        if pattern.startswith("u"):
            return [(0, 2**width - 1)]
        least = -(2 ** (width - 1))
        if self.sets_every_bit():
            return [(least, 2**width - 1)]
        ranges = [(least, -least - 1)]
        if wraps:
            full = 2 ** _register_width(self.operands[0])
            ranges.append((full + least, full - 1))
        return ranges

    def sets_every_bit(self):
        """Whether the immediate is as wide as the first operand, hence not extended."""
        first, last = self.operands[0], self.operands[-1]
        return last.startswith("imm") and first != last and _register_width(first) == int(last[3:])

    def parse(self):
        """prefixes, REX.W, opcode, what follows it ("/r", "/2", "+r" or ""), immediate's size."""
        prefixes, wide, opcode, field, immediate = b"", False, b"", "", 0
        for word in self.encoding.split():
            if word == "REX.W":
                wide = True
            elif word[0] == "/":
                field = word if word[1:] != self.family else f"/{self.number}"
            elif word in _IMMEDIATE_BYTES:
                immediate = _IMMEDIATE_BYTES[word]
            else:
                value, field = self._opcode_byte(word, field)
                if not opcode and not wide and value in _LEGACY_PREFIXES:
                    prefixes += _BYTES[value]
                else:
                    opcode += _BYTES[value]
        return prefixes, wide, opcode, field, immediate

    def _opcode_byte(self, word, field):
        digits, _, addend = word.partition("+")
        value = int(digits, 16)
        if addend == "r":
            return value, "+r"
        if addend:
            factor, _, family = addend.rpartition("*")
            assert family in FAMILIES, word
            value += int(factor or 1) * self.number
        return value, field


def _register_width(pattern):
    fixed = {"al": 8, "ax": 16, "eax": 32, "rax": 64}
    return fixed[pattern] if pattern in fixed else int(pattern.lstrip("rm"))


def forms_of(mnemonic):
    """The forms of a mnemonic, in order of preference."""
    return [Form(mnemonic, *row) for row in ROWS[mnemonic]]


def branch_opcode(mnemonic):
    """The bytes of a branch to a rel32, with 0 as the displacement."""
    form = next(form for form in forms_of(mnemonic) if form.operands == ["rel32"])
    return form.parse()[2] + b"\0\0\0\0"


def encoder_for(forms, shapes):
    """A function from operands of these shapes to bytes, or None if no form takes them.

    It returns None if the immediate is too big. With a RIP-relative operand ("rip m64") it
    returns the bytes, how many of them follow the displacement, and that operand, since the
    displacement has yet to be filled in.
    """
    special = next((shape for shape in shapes if " " in shape), "")
    address_kind = special.partition(" ")[0]
    plain = [shape.rpartition(" ")[2] for shape in shapes]
    fitting = [form for form in forms if form.takes(plain)]
    if not fitting:
        return None
    segment = _SEGMENT_PREFIXES[address_kind]
    relative = shapes.index(special) if address_kind == "rip" else None
    if plain and plain[-1] == "imm":
        choices = _immediate_choices(fitting, segment)
        return _with_immediate(choices, len(plain), relative)
    encode = _without_immediate(fitting[0], fitting[0].parse(), segment)
    if relative is not None:
        return lambda *operands: (encode(*operands), 0, operands[relative])
    return encode


def _immediate_choices(forms, segment):
    """(least, greatest, bytes, mask, encoder of the other operands), in order of preference."""
    wraps = any([form.sets_every_bit() for form in forms])
    choices = []
    for form in forms:
        encoding = form.parse()
        size = encoding[4]
        encode_rest = _without_immediate(form, encoding, segment)
        for least, greatest in form.immediate_ranges(wraps):
            choices.append((least, greatest, size, 256**size - 1, encode_rest))
    return choices


def _with_immediate(choices, count, relative):
    """Take the first form whose immediate can hold the last of `count` operands.

    `relative` is the place of a RIP-relative operand, or None.
    """

    def encode_two(operand, value):
        for low, high, size, mask, encode_rest in choices:
            if low <= value <= high:
                return encode_rest(operand) + (value & mask).to_bytes(size, "little")
        return None

    def encode_any(*operands):
        value = operands[-1]
        for low, high, size, mask, encode_rest in choices:
            if low <= value <= high:
                code = encode_rest(*operands[:-1]) + (value & mask).to_bytes(size, "little")
                return code if relative is None else (code, size, operands[relative])
        return None

    return encode_two if count == 2 and relative is None else encode_any


def _without_immediate(form, encoding, segment):
    """A function from the operands other than the immediate to bytes."""
    prefixes, wide, opcode, field, _ = encoding
    before = segment + prefixes
    operands = [o for o, shapes in zip(form.operands, form.accepted) if shapes != ("imm",)]
    if field == "":
        code = before + (b"\x48" if wide else b"") + opcode
        return lambda *fixed: code
    if field == "+r":
        return _register_in_opcode(before, wide, opcode)
    heads = [before + rex + opcode for rex in _REX[wide]]
    if field != "/r":
        encode = _rm(heads, int(field[1:]) << 3)
    elif operands[0] in _REGISTER_SHAPES:
        encode = _reg_rm(heads)
    else:
        encode = _rm_reg(heads)
    if operands[-1] == "cl":
        return lambda *operands: encode(*operands[:-1])
    return encode


def _register_in_opcode(before, wide, opcode):
    first, last = opcode[:-1], opcode[-1]
    heads = [before + rex + first for rex in _REX[wide]]
    return lambda reg: heads[reg.rex] + _BYTES[last + (reg.number & 7)]


def _rm(heads, extension):
    return lambda rm: heads[rm.rex] + _BYTES[rm.modrm | extension] + rm.tail


def _reg_rm(heads):
    def encode(reg, rm):
        return heads[reg.rex_reg | rm.rex] + _BYTES[rm.modrm | reg.reg_field] + rm.tail

    return encode


def _rm_reg(heads):
    def encode(rm, reg):
        return heads[reg.rex_reg | rm.rex] + _BYTES[rm.modrm | reg.reg_field] + rm.tail

    return encode
