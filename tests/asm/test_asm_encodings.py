"""Every row of the table, against independent assemblers and disassemblers.

Disassembly is compared, not bytes, because encodings are not unique. reference.txt holds
what binutils agreed with, so that the table is guarded where no tool is installed; see
record_reference.py.
"""

import os

import pytest
from asm_cases import canonical, cases, encode, intel_text, rows
from asm_oracles import (
    HAVE_BINUTILS,
    capstone_disassembler,
    capstone_operands,
    commuted,
    gnu_assemble,
    load_peachpy,
    objdump,
    peachpy_encode,
    plain_operands,
)

from asm import Assembler, Label, Memory, al, rax, rcx, relative
from asm.encodings import CONDITIONS

REFERENCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "reference.txt")

# as uses the one-byte forms of xchg with the accumulator, which the table leaves out: one
# of them is nop, and does not clear the upper half of rax.
LONGER_THAN_AS = {"xchg"}

needs_binutils = pytest.mark.skipif(not HAVE_BINUTILS, reason="needs binutils")
disassemble = capstone_disassembler()
needs_capstone = pytest.mark.skipif(disassemble is None, reason="needs capstone")
peachpy = load_peachpy()
needs_peachpy = pytest.mark.skipif(peachpy is None, reason="needs PeachPy (PEACHPY_PATH)")


@pytest.fixture(scope="module")
def encoded():
    """[(case, bytes), ...]"""
    return [(case, encode(case[0], case[1])) for case in cases()]


def test_reference(encoded):
    """Every case has the bytes that were recorded."""
    with open(REFERENCE, encoding="ascii") as file:
        expected = file.read().splitlines()
    actual = [f"{code.hex()} {intel_text(*case)}" for case, code in encoded]
    assert expected == actual


@needs_binutils
def test_binutils(encoded):
    """objdump reads from our bytes what it reads from those of GNU as; ours are not longer."""
    ours = objdump(b"".join(code for _, code in encoded))
    theirs = objdump(gnu_assemble([intel_text(*case) for case, _ in encoded]))
    assert len(encoded) == len(ours) == len(theirs)
    for (case, code), (read, text), (their_code, expected) in zip(encoded, ours, theirs):
        assert code.hex() == read, case
        assert commuted(expected) == commuted(text), case
        assert len(read) <= len(their_code) or case[0] in LONGER_THAN_AS, case


def _mnemonic(instruction):
    return instruction.mnemonic.replace(" ", "_")


def _condition_code(mnemonic):
    """je, jz -> ("j", 4); anything else is itself."""
    for prefix in ("j", "set", "cmov"):
        if mnemonic.startswith(prefix) and mnemonic[len(prefix) :] in CONDITIONS:
            return prefix, CONDITIONS[mnemonic[len(prefix) :]]
    return mnemonic


@needs_capstone
def test_capstone(encoded):
    """capstone reads back each instruction: mnemonic, registers, addresses, immediates."""
    instructions = disassemble(b"".join(code for _, code in encoded))
    assert len(encoded) == len(instructions)
    for ((mnemonic, operands, _), code), instruction in zip(encoded, instructions):
        assert code == bytes(instruction.bytes), (mnemonic, operands)
        actual = _mnemonic(instruction)
        if actual == "movabs":
            actual = mnemonic if mnemonic == "mov" else actual
        elif mnemonic == "cmpsd":
            assert actual.startswith("cmp") and actual.endswith("sd")
            actual = "cmpsd"
        assert _condition_code(mnemonic) == _condition_code(actual)
        if mnemonic.startswith("rep_") or not operands:
            continue
        operands = canonical(mnemonic, operands)
        widths = [operand.size for operand in instruction.operands]
        read = capstone_operands(instruction)
        if mnemonic == "cmpsd":  # its immediate may have become part of the name
            operands, read = operands[:2], read[:2]
        expected = plain_operands(operands, widths)
        if mnemonic in ("xchg", "test"):
            expected, read = sorted(expected, key=str), sorted(read, key=str)
        assert expected == read, (mnemonic, operands)


def _peachpy_truncates(mnemonic, operands):
    """PeachPy takes 128 as an 8-bit immediate here, which makes it -128."""
    return mnemonic == "imul" and operands[2:] and operands[2] > 127


@needs_capstone
@needs_peachpy
def test_peachpy(encoded):
    """What PeachPy encodes is, disassembled, the same instruction as ours."""
    ours, theirs = [], []
    for (mnemonic, operands, memory), code in encoded:
        if _peachpy_truncates(mnemonic, operands):
            continue
        try:
            other = peachpy_encode(peachpy, mnemonic, canonical(mnemonic, operands), memory)
        except SyntaxError:
            continue  # a form it does not know
        if other is not None:
            ours.append(code)
            theirs.append(other)
    assert len(ours) > len(encoded) * 9 // 10
    expected, actual = _texts(theirs), _texts(ours)
    assert len(ours) == len(expected) == len(actual)
    for code, their_text, our_text in zip(ours, expected, actual):
        assert their_text == our_text, code.hex()


def _texts(codes):
    instructions = disassemble(b"".join(codes))
    return [commuted(f"{i.mnemonic} {i.op_str.replace(', ', ',')}") for i in instructions]


@needs_capstone
def test_relative_operands():
    """RIP-relative operands reach a label and an address in every form that takes memory."""
    assembler = Assembler()
    label = Label("data")
    base, absolute = 0x10000, 0x22345
    expected = []
    for mnemonic, operands, memory in cases():
        places = [n for n, operand in enumerate(operands) if isinstance(operand, Memory)]
        if not places or operands[places[0]].segment:
            continue
        changed = list(operands)
        size = operands[places[0]].size
        for target, offset in ((label, 0), (label, 24), (absolute, 0)):
            changed[places[0]] = relative(target, size, offset)
            assembler.emit(mnemonic, *changed)
            expected.append((target, offset))
    end = len(assembler.buffer)
    assembler.bind(label)
    code = assembler.finish(base)
    instructions = disassemble(code[:end], base)
    assert len(expected) == len(instructions)
    for (target, offset), instruction in zip(expected, instructions):
        memory = [m for m in capstone_operands(instruction) if isinstance(m, tuple)]
        address = absolute if target is absolute else base + label.offset
        disp = address + offset - instruction.address - instruction.size
        assert [("rip", None, 1, disp, None)] == memory


def test_synonyms():
    """Conditions with several names are one instruction."""
    for name, code in CONDITIONS.items():
        first = next(n for n, c in CONDITIONS.items() if c == code)
        assert encode("set" + first, (al,)) == encode("set" + name, (al,))
        assert encode("cmov" + first, (rax, rcx)) == encode("cmov" + name, (rax, rcx))


def test_every_row_has_a_case(encoded):
    """No mnemonic of the table goes untested, but for the branches to a rel32."""
    tested = {mnemonic for (mnemonic, _, _), _ in encoded}
    branches = {mnemonic for row, mnemonic in rows() if "rel32" in row}
    assert {mnemonic for _, mnemonic in rows()} - branches <= tested
