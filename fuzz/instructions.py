"""Random machine instructions as plain data, made from the assembler's table, and how they are assembled.

An instruction is [mnemonic, patterns of its operands as the table spells them, operands]. An operand is
    "rax"                                                         a register
    5                                                             an immediate
    ["m", size, base, index, scale, displacement, segment]        memory; all but size, scale and displacement may be None
    ["rip", size, target, offset]                                 memory relative to the instruction pointer
    ["label", number], ["address", n], ["constant", n]            targets: an instruction of the same list (or the end), an
                                                                  address, a 64-bit constant (of "rip" alone)
    ["buffer", offset]                                            as an immediate: an address known when it runs
"""

from asm import REGISTERS, Assembler, relative
from asm.encodings import FAMILIES, TABLE
from asm.operands import Memory
from asm.registers import GPR8, GPR16, GPR32, GPR64, XMM

CLASSES = {kind: [register.name for register in group]
           for kind, group in {"r8": GPR8, "r16": GPR16, "r32": GPR32, "r64": GPR64, "xmm": XMM}.items()}
DISPLACEMENTS = (0, 1, -1, 8, 127, -128, 128, -129, 126, 129, -127, 2**31 - 1, -(2**31), 255, 256, -256, 65536)
IMMEDIATES = (0, 1, -1, 2, -2, 127, 128, -128, -129, 255, 256, -256, *(sign * 2**n + by for n in (15, 16, 31, 32, 63, 64)
                                                                      for sign in (1, -1) for by in (-1, 0, 1)))
#: Addresses that code is assembled for, and branches to absolute addresses lead near.
BASE = 0x40000000


def _rows():
    """(row, mnemonic, patterns) for all rows of the table and members of their families; synonyms once."""
    for row in filter(None, TABLE.splitlines()):
        head = row.partition(" : ")[0].strip()
        name, _, patterns = head.partition(" ")
        if "{" not in name:
            yield name, patterns.strip()
            continue
        before, family = name[:-1].split("{")
        for member in {number: member for member, number in reversed(FAMILIES[family].items())}.values():
            yield before + member, patterns.strip()


ROWS = list(_rows())


class Maker:
    """Makes instructions from choices.

    Args:
        rows: (mnemonic, patterns) to take. count: instructions that there will be, for labels.
    """

    def __init__(self, choices, rows, count):
        self.choices, self.rows, self.count = choices, rows, count

    def instruction(self):
        mnemonic, patterns = self.choices.pick(self.rows)
        return [mnemonic, patterns, [self.operand(pattern) for pattern in filter(None, patterns.split(", "))]]

    def operand(self, pattern):
        choices = self.choices
        if pattern in CLASSES:
            return choices.pick(CLASSES[pattern])
        if pattern in REGISTERS:
            return pattern
        if pattern == "1":
            return 1
        if pattern == "rel32":
            return self.target(("label", "address"))
        if pattern.lstrip("u").startswith("imm"):
            return self.immediate(pattern)
        bits = pattern.lstrip("rxm")
        if pattern[0] != "m" and choices.chance(50):
            return choices.pick(CLASSES["xmm" if pattern[0] == "x" else "r" + bits])
        return self.memory(int(bits) // 8 if bits else 8)

    def immediate(self, pattern):
        """Mostly what the pattern takes, sometimes what it may have to refuse; the borders are the most likely."""
        choices, bits = self.choices, int(pattern.lstrip("uim"))
        if choices.chance(10):
            return choices.pick(IMMEDIATES)
        low, high = (0, 2**bits - 1) if pattern[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        if choices.chance(30):
            return choices.between(low, high)
        return choices.pick([value for value in IMMEDIATES if low <= value <= high])

    def target(self, kinds):
        kind = self.choices.pick(kinds)
        if kind == "label":
            return [kind, self.choices.below(self.count + 1)]
        if kind == "constant":
            return [kind, self.choices.below(4) * 0x0123456789ABCDEF]
        return [kind, BASE + self.choices.pick((0, 1, -1, 4096, 2**29, -(2**29)))]

    def memory(self, size):
        choices = self.choices
        if choices.chance(10):
            return ["rip", size, self.target(("label", "address", "constant")), choices.pick((0, 0, 8, -8))]
        base = choices.pick((*CLASSES["r64"], None))
        index, scale = None, 1
        if choices.chance(50):
            index, scale = choices.pick([name for name in CLASSES["r64"] if name != "rsp"]), choices.pick((1, 2, 4, 8))
        disp = choices.between(-(2**31), 2**31 - 1) if choices.chance(10) else choices.pick(DISPLACEMENTS)
        return ["m", size, base, index, scale, disp, choices.pick(("fs", "gs")) if choices.chance(3) else None]


class Assembled:
    """Instructions in machine code.

    Attributes:
        code: all of it. ranges: (start, end) offsets of each instruction, (0, 0) of those that were refused. refusals: number of an
        instruction -> the assembler's message. labels: those of the instructions, and of the end of the hot code.
        constants: value -> label.
    """

    def __init__(self, instructions, cold=None, base=BASE, buffer=0, before=b"", behind=b""):
        """Assemble; instructions from number `cold` on are cold code. before, behind: bytes around the hot code.

        Raises:
            Exception: whatever the assembler raises but TypeError, which is its way to refuse operands.
        """
        assembler = Assembler()
        self.labels = [assembler.label(f"l{number}") for number in range(len(instructions) + 1)]
        self.refusals, self.constants, self.buffer = {}, {}, buffer
        assembler.db(before)
        hot = len(instructions) if cold is None else min(cold, len(instructions))
        ends = [self.emit(assembler, number, instructions[number]) for number in range(hot)]
        assembler.bind(self.labels[-1])
        assembler.db(behind)
        with assembler.cold():
            ends += [self.emit(assembler, number, instructions[number]) for number in range(hot, len(instructions))]
        self.code = assembler.finish(base)
        self.base = base
        self.ranges = [(label.offset, label.offset + size) for label, size in zip(self.labels, ends)]

    def emit(self, assembler, number, instruction):
        """Emit one; returns its length."""
        mnemonic, _, operands = instruction
        assembler.bind(self.labels[number])
        start = len(assembler.buffer)
        made = [self.operand(assembler, operand) for operand in operands]
        try:
            assembler.emit(mnemonic, *made)
        except TypeError as problem:
            self.refusals[number] = str(problem)
        return len(assembler.buffer) - start

    def operand(self, assembler, operand):
        """What the assembler takes for an operand."""
        if isinstance(operand, str):
            return REGISTERS[operand]
        if isinstance(operand, int):
            return operand
        kind, *rest = operand
        if kind == "m":
            size, base, index, scale, disp, segment = rest
            return Memory(base and REGISTERS[base], disp, index and REGISTERS[index], scale, size, segment)
        if kind == "rip":
            return relative(self.target(assembler, rest[1]), rest[0], rest[2])
        return self.target(assembler, operand)

    def target(self, assembler, target):
        kind, number = target
        if kind == "label":
            return self.labels[min(number, len(self.labels) - 1)]
        if kind == "constant":
            label = assembler.constant(number)
            self.constants[number] = label
            return label
        return self.buffer + number & 2**64 - 1 if kind == "buffer" else number

    def address(self, target):
        """Where a target has come to lie."""
        kind, number = target
        if kind == "label":
            return self.base + self.labels[min(number, len(self.labels) - 1)].offset
        return self.base + self.constants[number].offset if kind == "constant" else number


def operand_kind(operand):
    """What the encoding of an operand depends on, in a few words."""
    if isinstance(operand, str):
        return operand if operand in ("al", "cl", "ax", "eax", "rax") else "register"
    if isinstance(operand, int):
        return f"{operand.bit_length() // 8 * 8} bits"
    if operand[0] != "m":
        return operand[0]
    _, _, base, index, scale, disp, segment = operand
    low = base and REGISTERS[base].number & 7
    parts = ["none" if base is None else "sp" if low == 4 else "bp" if low == 5 else "base"]
    if index:
        parts.append(f"index*{scale}")
    parts.append("" if disp == 0 else "disp8" if -128 <= disp <= 127 else "disp32")
    return "+".join(filter(None, parts)) + (" " + segment if segment else "")


def instruction_text(instruction):
    """The instruction as GNU as reads it after ``.intel_syntax noprefix``; labels as l5."""
    mnemonic, patterns, operands = instruction
    widths = {"8": "byte", "16": "word", "32": "dword", "64": "qword", "128": "xmmword"}
    texts = []
    for pattern, operand in zip(patterns.split(", "), operands):
        width = widths.get(pattern.lstrip("rxm"), "")
        texts.append(_operand_text(operand, f"{width} ptr " if width else ""))
    return f"{mnemonic.replace('_', ' ')} {', '.join(texts)}".strip()


def _operand_text(operand, width):
    if isinstance(operand, (str, int)):
        return str(operand)
    kind, *rest = operand
    if kind == "rip":
        offset = f"{rest[2]:+}" if rest[2] else ""
        return f"{width}[rip to {_operand_text(rest[1], '')}{offset}]"
    if kind != "m":
        return f"l{rest[0]}" if kind == "label" else f"{rest[0]:#x}" if kind == "address" else f"{kind} {rest[0]}"
    _, base, index, scale, disp, segment = rest
    terms = ([base] if base else []) + ([f"{index}*{scale}"] if index else [])
    address = f"[{'+'.join(terms)}{disp:+}]" if terms else f"[{disp}]"
    return f"{width}{segment + ':' if segment else '' if terms else 'ds:'}{address}"
