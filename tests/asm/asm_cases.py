"""Instructions to test: every row of the table, for every member of its family, with
boundary values of each operand.

A case is (mnemonic, operands, memory), where the last says which memory width the row
names ("m64"; "m" for lea), since text for other assemblers has to spell it.
"""

from itertools import cycle, islice

from asm import Assembler
from asm.encodings import FAMILIES, TABLE
from asm.operands import Memory
from asm.registers import GPR8, GPR16, GPR32, GPR64, REGISTERS, XMM

CLASSES = {"r8": GPR8, "r16": GPR16, "r32": GPR32, "r64": GPR64, "xmm": XMM}
SPECIAL_BASES = [REGISTERS[name] for name in ("rax", "rsp", "rbp", "r12", "r13")]
DISPLACEMENTS = (0, 1, -1, 127, -127, 128, -128, 129, -129, 2**31 - 1, -(2**31))
IMMEDIATES = sorted(
    value
    for n in (7, 8, 15, 16, 31, 32, 63, 64)
    for value in {2**n - 1, 2**n, 2**n + 1, -(2**n), 1 - 2**n, -1 - 2**n, 0, 1, 2, -1, -2}
)
IMMEDIATES = list(dict.fromkeys(IMMEDIATES))
BYTE_IMMEDIATES = (0, 1, 2, 31, 63, 127, 128, 255)


def addresses():
    """Keyword arguments of Memory: what the encoding of an address depends on."""
    for base in GPR64:
        yield {"base": base}
    for base in SPECIAL_BASES:
        for disp in DISPLACEMENTS[1:]:
            yield {"base": base, "disp": disp}
    indices = [register for register in GPR64 if register.name != "rsp"]
    scales, displacements = cycle((1, 2, 4, 8)), cycle(DISPLACEMENTS)
    for base in (None, *SPECIAL_BASES):
        for index in indices:
            yield dict(base=base, index=index, scale=next(scales), disp=next(displacements))
    for disp in (0, 1, -8, 2**31 - 1, -(2**31)):
        yield {"disp": disp}
        yield {"disp": disp, "segment": "fs"}
    yield {"base": REGISTERS["r13"], "disp": 16, "segment": "gs"}


ADDRESSES = list(addresses())
PER_ROW = 16  # memory operands per row; the next row goes on where one stops


class _Operands:
    """What to try for each operand pattern; addresses go round from row to row."""

    def __init__(self):
        self.addresses = cycle(ADDRESSES)

    def values(self, pattern, first, thorough):
        if pattern in CLASSES:
            return list(CLASSES[pattern])
        if pattern in REGISTERS:
            return [REGISTERS[pattern]]
        if pattern == "1":
            return [1]
        if pattern == "uimm8":
            return list(BYTE_IMMEDIATES)
        if pattern.startswith(("imm", "uimm")):
            return [value for value in IMMEDIATES if _fits(value, pattern, first)]
        count = len(ADDRESSES) if thorough else PER_ROW
        bits = pattern.lstrip("rxm")
        size = int(bits) // 8 if bits else 8
        memory = [Memory(size=size, **kwargs) for kwargs in islice(self.addresses, count)]
        if pattern.startswith("m"):
            return memory
        return [*CLASSES["xmm" if pattern[0] == "x" else "r" + bits], *memory]


def _fits(value, pattern, first):
    """Whether an instruction with this first operand takes the value; compare encoder.py."""
    width = int(pattern.lstrip("uim"))
    if pattern[0] == "u":
        return 0 <= value < 2**width
    unsigned = first != pattern and first.lstrip("rm") in (str(width), *_FIXED.get(width, ()))
    return -(2 ** (width - 1)) <= value < 2 ** (width - (not unsigned))


_FIXED = {8: ("al",), 16: ("ax",), 32: ("eax",)}


# Of these every address is tried; the others share the code that encodes addresses.
THOROUGH = ("mov r64, m64 ", "add rm64, imm8 ", "lea r64, m ", "movsd m64, xmm ", "cmp rm8, r8 ")


def rows():
    """(row, mnemonic) for all rows of the table and members of their families."""
    for row in filter(None, TABLE.splitlines()):
        mnemonic = row.split()[0]
        if "{" not in mnemonic:
            yield row, mnemonic
            continue
        before, family = mnemonic[:-1].split("{")
        seen = set()
        for member, number in FAMILIES[family].items():
            if number not in seen:  # the others are synonyms
                seen.add(number)
                yield row, before + member


def cases():
    """All (mnemonic, operands, memory pattern), once; branches to rel32 are tested apart."""
    return list(dict.fromkeys(_cases()))


def encode(mnemonic, operands):
    """The bytes of one instruction."""
    assembler = Assembler()
    assembler.emit(mnemonic, *operands)
    return assembler.finish(0)


def _cases():
    source = _Operands()
    for row, mnemonic in rows():
        head = row.partition(" : ")[0].strip()
        patterns = [p for p in head.partition(" ")[2].strip().split(", ") if p]
        if "rel32" in patterns:
            continue
        memory = next((p.lstrip("rx") for p in patterns if "m" in p[:2] and p != "xmm"), "")
        thorough = f"{mnemonic} {', '.join(patterns)} " in THOROUGH
        columns = [source.values(pattern, patterns[0], thorough) for pattern in patterns]
        # Side by side, shorter columns repeated: each value meets some others, not all.
        for n in range(max(map(len, columns), default=1)):
            operands = tuple([c[(n + i * (5 + n // 16)) % len(c)] for i, c in enumerate(columns)])
            yield mnemonic, operands, memory


def canonical(mnemonic, operands):
    """The operands that disassemblers show where a shorter instruction does the same."""
    if operands[1:] and operands[0] in GPR64:
        narrow = operands[0].r32, operands[1]
        if mnemonic == "mov" and type(operands[1]) is int and 0 <= operands[1] < 2**32:
            return narrow
        if mnemonic == "movmskpd":
            return narrow
    return operands


def intel_text(mnemonic, operands, memory):
    """The instruction as GNU as reads it after `.intel_syntax noprefix`."""
    texts = [_operand_text(operand, memory) for operand in canonical(mnemonic, operands)]
    return f"{mnemonic.replace('_', ' ')} {', '.join(texts)}".strip()


_WIDTHS = {"m8": "byte", "m16": "word", "m32": "dword", "m64": "qword", "m128": "xmmword"}


def _operand_text(operand, memory):
    if isinstance(operand, int):
        return str(operand)
    if not isinstance(operand, Memory):
        return operand.name
    terms = [operand.base.name] if operand.base else []
    if operand.index:
        terms.append(f"{operand.index.name}*{operand.scale}")
    address = f"[{'+'.join(terms)}{operand.disp:+}]" if terms else f"[{operand.disp}]"
    segment = operand.segment or ("" if terms else "ds")
    width = f"{_WIDTHS[memory]} ptr " if memory in _WIDTHS else ""
    return f"{width}{segment}{':' if segment else ''}{address}"
