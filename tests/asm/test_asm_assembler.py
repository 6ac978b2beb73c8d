"""Labels, fixups, sections, markers, constants, alignment, comments."""

import struct

import pytest

from asm import (
    Assembler,
    AssemblyError,
    qword,
    r12,
    rax,
    rcx,
    relative,
    xmm0,
    xmm15,
)

BASE = 0x400000


@pytest.fixture
def a():
    """A new assembler."""
    return Assembler()


def displacement(code, position):
    """The 32 bits at `position`, signed."""
    return struct.unpack_from("<i", code, position)[0]


def encoding(mnemonic, *operands):
    """One instruction in hexadecimal."""
    assembler = Assembler()
    assembler.emit(mnemonic, *operands)
    return assembler.finish(0).hex()


# Labels and branches.


def test_branches(a):
    """Forward, backward and to an absolute address, for all branch instructions."""
    forward, backward = a.label("forward"), a.label("backward")
    a.bind(backward)
    a.jmp(forward)
    a.jo(backward)
    a.call(BASE + 0x1234)
    a.bind(forward)
    code = a.finish(BASE)
    assert 16 == forward.offset and 0 == backward.offset
    assert (0xE9, 16 - 5) == (code[0], displacement(code, 1))
    assert (b"\x0f\x80", -11) == (code[5:7], displacement(code, 7))
    assert (0xE8, 0x1234 - 16) == (code[11], displacement(code, 12))


def test_indirect_branches():
    """jmp and call take registers and memory."""
    assert "ffe0" == encoding("jmp", rax)
    assert "41ff5424" "10" == encoding("call", qword[r12 + 16])


def test_label_bound_twice(a):
    """A label means one place."""
    label = a.label("here")
    a.bind(label)
    with pytest.raises(AssemblyError, match="label here is bound twice"):
        a.bind(label)


@pytest.mark.parametrize("use", ["jmp", "lea", "marker"])
def test_label_not_bound(a, use):
    """A label that is used must be somewhere; one that is not used need not."""
    label = a.label("nowhere")
    a.label("unused")
    if use == "jmp":
        a.jmp(label)
    elif use == "lea":
        a.lea(rax, relative(label))
    else:
        a.marker(label)
    with pytest.raises(AssemblyError, match="label nowhere is used but not bound"):
        a.finish(0)


def test_label_of_another_assembler(a):
    """A label bound elsewhere has no place here."""
    other = Assembler()
    label = other.label()
    other.bind(label)
    other.finish(0)
    a.jmp(label)
    with pytest.raises(AssemblyError):
        a.finish(0)


@pytest.mark.parametrize("emit", ["jmp", "lea", "marker"])
def test_out_of_range(a, emit):
    """An address that 32 bits do not reach is refused at both ends."""
    length = {"jmp": 5, "lea": 7, "marker": 0}[emit]
    for distance in (2**31 - 1, 2**31, -(2**31), -(2**31) - 1):
        target = 2**40 + length + distance
        a = Assembler()
        if emit == "jmp":
            a.jmp(target)
        elif emit == "lea":
            a.lea(rax, relative(target))
        else:
            a.marker(target)
        if -(2**31) <= distance < 2**31:
            code = a.finish(2**40)
            position = {"jmp": 1, "lea": 3, "marker": 3}[emit]
            assert distance == displacement(code, position)
        else:
            with pytest.raises(AssemblyError, match="out of reach"):
                a.finish(2**40)


@pytest.mark.parametrize("immediate, size", [(1, 1), (1000, 4)])
def test_relative_with_immediate(a, immediate, size):
    """The displacement counts from the end of the instruction, behind the immediate."""
    label = a.label()
    a.add(relative(label, 8, 16), immediate)
    end = len(a.buffer)
    a.bind(label)
    code = a.finish(BASE)
    assert 7 + size == end
    assert 16 == displacement(code, 3)
    assert immediate == int.from_bytes(code[7:], "little")


def test_finish_again(a):
    """finish() may be called for another address."""
    a.call(BASE)
    assert -5 == displacement(a.finish(BASE), 1)
    assert -21 == displacement(a.finish(BASE + 16), 1)


# Sections.


def test_cold_section(a):
    """Cold code stands behind hot code; its own cold code behind it; exceptions end contexts."""
    out, back = a.label("out"), a.label("back")
    a.jo(out)
    with a.cold():
        a.bind(out)
        a.int3()
        with a.cold():
            a.ud2()
        a.jmp(back)
    with pytest.raises(KeyError), a.cold():
        raise KeyError
    a.bind(back)
    a.ret()
    code = a.finish(BASE)
    assert "0f8001000000" "c3" "cc" "e9f9ffffff" "0f0b" == code.hex()
    assert 7 == out.offset


def test_align(a):
    """Padding is nops; sections start at addresses that keep the alignment asked for."""
    a.ret()
    a.align(8)
    assert 8 == len(a.buffer)
    a.ret()
    inside = a.label()
    with a.cold():
        a.int3()
        a.align(32)
        a.bind(inside)
        a.int3()
    assert 32 == a.alignment()
    bound = a.size_bound()
    code = a.finish(BASE)
    assert 64 == inside.offset
    assert bound == len(code) == 65
    assert bytes.fromhex("c3" "0f1f8000000000" "c3") == code[:9]
    with pytest.raises(AssemblyError, match="not aligned to 32"):
        a.finish(BASE + 16)


@pytest.mark.parametrize("alignment", [0, 3, -8])
def test_bad_alignment(a, alignment):
    """Only powers of two."""
    with pytest.raises(AssemblyError):
        a.align(alignment)


@pytest.mark.parametrize("length", range(0, 40))
def test_padding_is_whole_instructions(length):
    """Any length can be padded, and consists of nops."""
    capstone = pytest.importorskip("capstone")
    assembler = Assembler()
    assembler.db(b"\xcc" * (64 - length))
    assembler.align(64)
    code = assembler.finish(0)[64 - length :]
    engine = capstone.Cs(capstone.CS_ARCH_X86, capstone.CS_MODE_64)
    nops = list(engine.disasm(code, 0))
    assert {"nop"} >= {nop.mnemonic for nop in nops}
    assert length == sum(nop.size for nop in nops) == len(code)


def test_data(a):
    """db and dq emit what they are given."""
    a.db(b"abc")
    a.dq(-1)
    a.dq(2**64 - 2)
    assert b"abc" + b"\xff" * 8 + b"\xfe" + b"\xff" * 7 == a.finish(0)
    for value in (2**64, -(2**63) - 1):
        with pytest.raises(AssemblyError):
            a.dq(value)


def test_markers(a):
    """A marker's displacement is its target minus its own address, or 0."""
    label = a.label()
    a.call(BASE)
    a.marker(BASE + 0x1000)
    a.marker(label)
    a.marker(None)
    a.bind(label)
    code = a.finish(BASE)
    assert [0x1000 - 5, 26 - 12, 0] == [displacement(code, n) for n in (8, 15, 22)]
    assert [b"\x0f\x1f\x80"] * 3 == [code[n : n + 3] for n in (5, 12, 19)]
    with pytest.raises(TypeError):
        a.marker(rax)


def test_constants(a):
    """Constants are shared, aligned, and behind all code."""
    one = a.constant(struct.pack("<d", 1.0))
    assert one is a.constant(0x3FF0000000000000)
    mask = a.constant16(b"\xff" * 16)
    other = a.constant(-1)
    assert mask is a.constant16(b"\xff" * 16)
    a.movsd(xmm0, relative(one))
    a.andpd(xmm0, relative(mask))
    a.movsd(xmm15, relative(other))
    with a.cold():
        a.ud2()
    bound = a.size_bound()
    code = a.finish(BASE)
    assert len(code) == bound
    assert 0 == mask.offset % 16 and 0 == one.offset % 8 == other.offset % 8
    assert b"\xff" * 16 == code[mask.offset : mask.offset + 16]
    assert struct.pack("<d", 1.0) == code[one.offset : one.offset + 8]
    assert b"\xff" * 8 == code[other.offset : other.offset + 8]
    assert one.offset - 8 == displacement(code, 4)
    with pytest.raises(AssemblyError, match="not aligned to 16"):
        a.finish(BASE + 8)


def test_bad_constants(a):
    """A constant has exactly its size."""
    with pytest.raises(AssemblyError):
        a.constant(b"1234567")
    with pytest.raises(AssemblyError):
        a.constant16(b"12345678")
    with pytest.raises(AssemblyError):
        a.constant(2**64)


# Listings.


def test_listing(a):
    """Comments come back with the code they are about, cold code and constants last."""
    out = a.label()
    a.comment("start")
    a.comment("compare")
    a.cmp(rax, rcx)
    a.comment("leave")
    a.jne(out)
    with a.cold():
        a.comment("exit")
        a.bind(out)
        a.ud2()
    a.comment("end")
    a.ret()
    a.constant(5)
    with pytest.raises(AssemblyError):
        a.listing()
    a.finish(BASE)
    assert [
        (0, 3, ["start", "compare"]),
        (3, 9, ["leave"]),
        (9, 10, ["end"]),
        (10, 12, ["exit"]),
        (12, 24, ["constants"]),
    ] == a.listing()


def test_listing_without_comments():
    """Recording can be switched off; the listing is then one chunk."""
    assembler = Assembler(comments=False)
    assembler.comment("nothing")
    assembler.ret()
    assembler.finish(0)
    assert [(0, 1, [])] == assembler.listing()
