"""Other assemblers and disassemblers, as far as they are installed.

All work on many instructions at once, since starting a program costs more than it does.
PeachPy is plain Python that is not on the package index any more; where it is unpacked
somewhere, PEACHPY_PATH says where.
"""

import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings

from asm.operands import Memory

HAVE_BINUTILS = bool(shutil.which("as") and shutil.which("objdump") and shutil.which("objcopy"))


def gnu_assemble(texts):
    """The code that GNU as makes of the instructions."""
    source = ".intel_syntax noprefix\n" + "\n".join(texts) + "\n"
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, "out")
        command = ["as", "--64", "-o", name + ".o", "-"]
        subprocess.run(command, input=source.encode(), check=True, capture_output=True)
        command = ["objcopy", "-O", "binary", "-j", ".text", name + ".o", name]
        subprocess.run(command, check=True, capture_output=True)
        with open(name, "rb") as file:
            return file.read()


def objdump(code):
    """[(hexadecimal bytes, text in Intel syntax), ...]"""
    with tempfile.TemporaryDirectory() as folder:
        name = os.path.join(folder, "code")
        with open(name, "wb") as file:
            file.write(code)
        command = "objdump -D -w -b binary -m i386:x86-64 -M intel".split()
        run = subprocess.run([*command, name], check=True, capture_output=True, text=True)
    lines = [line.split("\t") for line in run.stdout.splitlines() if line.count("\t") == 2]
    return [(line[1].replace(" ", ""), " ".join(line[2].split())) for line in lines]


def commuted(text):
    """xchg and test mean the same with their operands in either order."""
    match = re.fullmatch(r"(xchg|test) (.*),(.*)", text)
    return f"{match[1]} {','.join(sorted(match.groups()[1:]))}" if match else text


# Capstone: operands are compared as values, not as text.


def capstone_disassembler():
    """A function from code to instructions with details, or None."""
    try:
        import capstone
    except ImportError:
        return None
    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    engine.detail = True
    return lambda code, address=0: list(engine.disasm(code, address))


def capstone_operands(instruction):
    """Operands as capstone reads them, in the form of plain_operands()."""
    from capstone import x86

    def name(register):
        return instruction.reg_name(register) if register else None

    result = []
    for operand in instruction.operands:
        if operand.type == x86.X86_OP_REG:
            result.append(name(operand.reg))
        elif operand.type == x86.X86_OP_IMM:
            result.append(operand.imm & 2 ** (8 * operand.size) - 1)
        else:
            memory = operand.mem
            parts = name(memory.base), name(memory.index), memory.scale, memory.disp
            result.append((*parts, name(memory.segment)))
    return result


def plain_operands(operands, widths):
    """Our operands as strings, numbers modulo 2**width, and tuples; widths from capstone."""
    result = []
    for operand, width in zip(operands, widths):
        if isinstance(operand, Memory):
            base, index = (r and r.name for r in (operand.base, operand.index))
            result.append((base, index, operand.scale, operand.disp, operand.segment))
        elif isinstance(operand, int):
            result.append(operand & 2 ** (8 * width) - 1)
        else:
            result.append(operand.name)
    return result


# PeachPy: an encoder that shares nothing with binutils.


def load_peachpy():
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


def peachpy_encode(peachpy, mnemonic, operands, memory):
    """The bytes PeachPy makes, or None if it does not know the instruction."""
    instruction = getattr(peachpy, mnemonic.upper(), None)
    sizes = {"m8": "byte", "m16": "word", "m32": "dword", "m64": "qword", "m128": "oword"}
    if instruction is None:
        return None
    arguments = []
    for operand in operands:
        if isinstance(operand, Memory):
            if operand.segment or operand.base is operand.index is None:
                return None
            address = _peachpy_address(peachpy, operand)
            sized = memory in sizes
            arguments.append(getattr(peachpy, sizes[memory])[address] if sized else [address])
        elif isinstance(operand, int):
            arguments.append(operand)
        else:
            arguments.append(_peachpy_register(peachpy, operand.name))
    return bytes(instruction(*arguments).encode())


def _peachpy_register(peachpy, name):
    return getattr(peachpy.registers, name)


def _peachpy_address(peachpy, operand):
    address = operand.disp
    if operand.index is not None:
        address = _peachpy_register(peachpy, operand.index.name) * operand.scale + address
    if operand.base is not None:
        address = _peachpy_register(peachpy, operand.base.name) + address
    return address
