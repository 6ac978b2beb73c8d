"""Other people's opinions on machine code: capstone reads it; GNU as and PeachPy write it, for capstone to read that, too.

All are optional. PeachPy is plain Python that is not on the package index; where it is unpacked somewhere, PEACHPY_PATH says where.
"""

import functools
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings

from asm import REGISTERS
from asm.encodings import CONDITIONS
from fuzz.instructions import instruction_text

#: Of their memory operands capstone tells a wrong size.
_WRONG_SIZES = ("comisd",)


@functools.cache
def engine():
    """capstone's engine, or None."""
    try:
        import capstone
    except ImportError:
        return None
    made = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    made.detail = True
    return made


def disassemble(code, address=0):
    """capstone's instructions."""
    return list(engine().disasm(code, address))


def disagreement(assembled, number, instruction):
    """How capstone reads an assembled instruction otherwise than it was meant.

    Returns:
        (signature, detail) or None.
    """
    start, end = assembled.ranges[number]
    code = assembled.code[start:end]
    read = disassemble(code, assembled.base + start)
    signature = _misreading(assembled, instruction, read, code)
    if signature is None:
        return None
    texts = "; ".join(f"{item.mnemonic} {item.op_str}" for item in read)
    return signature, f"{instruction_text(instruction)} is {code.hex(' ')}, read as: {texts}"


def _misreading(assembled, instruction, read, code):
    mnemonic, patterns, _ = instruction
    if len(read) != 1 or read[0].size != len(code):
        return f"{_row(mnemonic, patterns)} is no single instruction"
    if _condition_code(mnemonic) != _condition_code(_read_mnemonic(mnemonic, patterns, read[0])):
        return f"{_row(mnemonic, patterns)} reads back as another instruction"
    part = None if mnemonic.startswith("rep_") else _other_operand(assembled, instruction, read[0], code)
    return part and f"{part} reads back otherwise"


def _row(mnemonic, patterns):
    """The row's name: one for all conditions."""
    prefix, condition = _condition_code(mnemonic)
    return f"{prefix}{'cc' if condition is not None else ''} {patterns}".strip()


def _read_mnemonic(mnemonic, patterns, read):
    actual = read.mnemonic.replace(" ", "_")
    if actual == "movabs" and mnemonic == "mov":
        return "mov"
    if mnemonic == "cmpsd" and patterns and actual.startswith("cmp") and actual.endswith("sd"):
        return "cmpsd"  # its immediate may have become part of the name
    return actual


@functools.cache
def _condition_code(mnemonic):
    """je, jz -> ("j", 4); anything else is itself."""
    for prefix in ("j", "set", "cmov"):
        if mnemonic.startswith(prefix) and mnemonic[len(prefix):] in CONDITIONS:
            return prefix, CONDITIONS[mnemonic[len(prefix):]]
    return mnemonic, None


def _other_operand(assembled, instruction, read, code):
    """What operand, or part of one, differs; None if all is as it was meant."""
    mnemonic, patterns, operands = instruction
    patterns = patterns.split(", ") if patterns else []
    if mnemonic == "cmpsd":
        if code[-1] != operands[2] & 255 or not 0 <= operands[2] < 256:
            return "an immediate"
        operands, found = operands[:2], list(read.operands)[:2]
    else:
        found = list(read.operands)
    operands = _shown(mnemonic, operands)
    if mnemonic in ("xchg", "test") and len(operands) == len(found) == 2 and _swapped(read, operands, found):
        found.reverse()
    if len(operands) != len(found):
        return "the number of operands"
    for operand, pattern, other in zip(operands, patterns, found):
        part = _difference(assembled, operand, pattern, read, other)
        if part:
            return part
    return None


def _swapped(read, operands, found):
    """Whether the operands of xchg or test stand in the other order, which means the same."""
    if isinstance(operands[0], str):
        return found[0].type != 1 or read.reg_name(found[0].reg) != operands[0]
    return found[0].type == 1


def _shown(mnemonic, operands):
    """The operands that disassemblers show where a shorter instruction does the same."""
    if operands[1:] and isinstance(operands[0], str) and REGISTERS[operands[0]].size == 8 and REGISTERS[operands[0]].kind == "gpr":
        short = mnemonic == "mov" and isinstance(operands[1], int) and 0 <= operands[1] < 2**32
        if short or mnemonic == "movmskpd":
            return [REGISTERS[operands[0]].r32.name, *operands[1:]]
    return operands


def _difference(assembled, operand, pattern, read, other):
    """The part of one operand that differs; `other` is capstone's, whose type is 1, 2 or 3: register, immediate, memory."""
    if isinstance(operand, str):
        return None if other.type == 1 and read.reg_name(other.reg) == operand else "a register"
    if isinstance(operand, int) or operand[0] == "buffer":
        value = operand if isinstance(operand, int) else assembled.buffer + operand[1] & 2**64 - 1
        bits = 8 * other.size
        fits = other.type == 2 and -(2 ** (bits - 1)) <= value < 2**bits
        return None if fits and (other.imm - value) % 2**bits == 0 else "an immediate"
    if operand[0] in ("label", "address"):
        return None if other.type == 2 and other.imm == assembled.address(operand) else "a branch target"
    if other.type != 3:
        return "a memory operand"
    if operand[0] == "rip":
        disp = assembled.address(operand[2]) + operand[3] - read.address - read.size
        wanted = ("rip", None, 1, disp, None)
    else:
        wanted = tuple(operand[2:])
    memory = other.mem
    names = [read.reg_name(register) if register else None for register in (memory.base, memory.index, memory.segment)]
    got = (names[0], names[1], memory.scale, memory.disp, names[2])
    for part, one, two in zip(("base", "index", "scale", "displacement", "segment"), wanted, got):
        if one != two:
            return f"the {part} of an address"
    bits = pattern.lstrip("rxm")
    sized = read.mnemonic not in _WRONG_SIZES and bits in ("8", "16", "32", "64") and other.size * 8 != int(bits)
    return "the size of a memory operand" if sized else None


# GNU as


HAVE_AS = bool(shutil.which("as"))


def gnu_assemble(texts):
    """What GNU as makes of the lines: the text section of its object file.

    Raises:
        RuntimeError: it refuses a line.
    """
    source = ".intel_syntax noprefix\n" + "\n".join(texts) + "\n"
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, "out.o")
        done = subprocess.run(["as", "--64", "-o", name, "-"], input=source.encode(), capture_output=True)
        if done.returncode:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        with open(name, "rb") as file:
            return _text_section(file.read())


def _text_section(data):
    """The contents of .text in an ELF file: its first section with instructions."""
    table = int.from_bytes(data[0x28:0x30], "little")
    size, count = (int.from_bytes(data[at:at + 2], "little") for at in (0x3A, 0x3C))
    for start in range(table, table + size * count, size):
        flags = int.from_bytes(data[start + 8:start + 16], "little")
        if flags & 4:  # SHF_EXECINSTR
            offset, length = (int.from_bytes(data[start + at:start + at + 8], "little") for at in (0x18, 0x20))
            return data[offset:offset + length]
    return b""


def normal_text(read):
    """An instruction of capstone's; xchg and test mean the same with their operands in either order."""
    text = f"{read.mnemonic} {read.op_str.replace(', ', ',')}"
    match = re.fullmatch(r"(xchg|test) (.*),(.*)", text)
    return f"{match[1]} {','.join(sorted(match.groups()[1:]))}" if match else text


def shown(instruction):
    """The instruction with the operands that `normal_text` has of the shortest encoding."""
    mnemonic, patterns, operands = instruction
    return [mnemonic, patterns, _shown(mnemonic, operands)]


# PeachPy


@functools.cache
def peachpy():
    """The module with PeachPy's instructions, or None."""
    path = os.environ.get("PEACHPY_PATH")
    if path and path not in sys.path:
        sys.path.append(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module("peachpy.x86_64")
    except ImportError:
        return None


def peachpy_encode(instruction):
    """The bytes PeachPy makes, or None if it does not know the instruction (or is known to make it wrong)."""
    mnemonic, patterns, operands = shown(instruction)
    known = getattr(peachpy(), mnemonic.upper(), None)
    # It takes 128 as an 8-bit immediate of imul, which makes it -128.
    if known is None or mnemonic == "imul" and operands[2:] and operands[2] > 127:
        return None
    arguments = []
    for pattern, operand in zip(patterns.split(", "), operands):
        if isinstance(operand, int):
            arguments.append(operand)
        elif isinstance(operand, str):
            arguments.append(getattr(peachpy().registers, operand))
        elif operand[0] != "m" or operand[6] or operand[2] is operand[3] is None:
            return None
        else:
            arguments.append(_peachpy_memory(operand, pattern))
    try:
        return bytes(known(*arguments).encode())
    except SyntaxError:
        return None  # a form it does not know


def _peachpy_memory(operand, pattern):
    _, size, base, index, scale, disp, _ = operand
    address = disp
    if index is not None:
        address = getattr(peachpy().registers, index) * scale + address
    if base is not None:
        address = getattr(peachpy().registers, base) + address
    name = {"8": "byte", "16": "word", "32": "dword", "64": "qword", "128": "oword"}.get(pattern.lstrip("rxm"))
    return [address] if name is None else getattr(peachpy(), name)[address]
