"""Registers, memory operands, the choice of forms, and what is refused."""

import enum

import pytest

from asm import (
    REGISTERS,
    Assembler,
    Label,
    Memory,
    al,
    byte,
    cl,
    dword,
    eax,
    ecx,
    mem8,
    mem16,
    mem32,
    mem64,
    mem128,
    oword,
    qword,
    r8,
    r12,
    r13,
    rax,
    rbp,
    rbx,
    rcx,
    relative,
    rsp,
    sil,
    spl,
    word,
    xmm0,
    xmm15,
)


@pytest.fixture
def a():
    """A new assembler."""
    return Assembler()


def encoding(mnemonic, *operands):
    """One instruction in hexadecimal."""
    assembler = Assembler()
    assembler.emit(mnemonic, *operands)
    return assembler.finish(0).hex()


# Registers and memory operands.


def test_register_widths():
    """Each general purpose register knows its other widths; names are in REGISTERS."""
    assert (rax.r64, rax.r32, rax.r16.name, rax.r8) == (rax, eax, "ax", al)
    assert r8.r8.name == "r8b" and r8.r32.r64 is r8
    assert (rax.size, eax.size, al.size, xmm0.size) == (8, 4, 1, 16)
    assert (rax.kind, xmm15.kind, xmm15.number, repr(r12)) == ("gpr", "xmm", 15, "r12")
    assert len(REGISTERS) == 80


@pytest.mark.parametrize(
    "operand, text",
    [
        (qword[rsp + 8], "qword[rsp + 8]"),
        (qword[8 + rsp], "qword[rsp + 8]"),
        (qword[rax - 8], "qword[rax - 8]"),
        (dword[rax + rcx * 8 + 16], "dword[rax + rcx*8 + 16]"),
        (word[16 + rcx * 8 + rax - 1], "word[rax + rcx*8 + 15]"),
        (byte[(rax + 4) + (rcx + 4)], "byte[rax + rcx*1 + 8]"),
        (oword[2 * rcx], "oword[rcx*2]"),
        (qword[rax], "qword[rax]"),
        (qword[4096], "qword[4096]"),
        (mem8(rax), "byte[rax]"),
        (mem16(rax, 2), "word[rax + 2]"),
        (mem32(rax, 0, rcx, 4), "dword[rax + rcx*4]"),
        (mem64(rbp, index=rcx, scale=2), "qword[rbp + rcx*2]"),
        (mem128(None, -8), "oword[-8]"),
        (Memory(disp=-8, segment="fs"), "qword[fs:-8]"),
        (relative(0x1000), "qword[relative 0x1000]"),
        (relative(Label("data"), 4, 8), "dword[relative <data> + 8]"),
    ],
)
def test_memory_operands(operand, text):
    """Address expressions in any order give base, index and displacement."""
    assert text == repr(operand)


def test_memory_operands_are_shared():
    """The same address is the same object, which the memo of the assembler needs."""
    assert qword[rsp + 8] is mem64(rsp, 8, None, 1)


@pytest.mark.parametrize(
    "make, error",
    [
        (lambda: qword[rax + rsp], ValueError),
        (lambda: mem64(rax, index=rsp, scale=1), ValueError),
        (lambda: mem64(rax, index=rcx, scale=3), ValueError),
        (lambda: mem64(rax, 2**31), ValueError),
        (lambda: mem64(rax, -(2**31) - 1), ValueError),
        (lambda: mem64(rax, 1.0), TypeError),
        (lambda: mem64(eax), TypeError),
        (lambda: mem64(xmm0), TypeError),
        (lambda: mem64(rax, index=8), TypeError),
        (lambda: Memory(rax, size=3), ValueError),
        (lambda: Memory(rax, segment="ds"), ValueError),
        (lambda: qword["rax"], TypeError),
        (lambda: rax + rcx + rbx, TypeError),
        (lambda: rax * 2 + rcx * 2, TypeError),
        (lambda: rax + "x", TypeError),
        (lambda: relative(rax), TypeError),
    ],
)
def test_bad_addresses(make, error):
    """What no address can be is refused where it is written."""
    with pytest.raises(error):
        make()


# Choice of forms.


@pytest.mark.parametrize(
    "operands, expected",
    [
        (("mov", rax, 5), "b805000000"),
        (("mov", rax, 2**32 - 1), "b8ffffffff"),
        (("mov", rax, -1), "48c7c0ffffffff"),
        (("mov", rax, 2**64 - 1), "48c7c0ffffffff"),
        (("mov", rax, 2**32), "48b80000000001000000"),
        (("mov", rax, 2**63), "48b80000000000000080"),
        (("movabs", rax, 1), "48b80100000000000000"),
        (("mov", spl, 1), "40b401"),
        (("add", rax, 127), "4883c07f"),
        (("add", rax, 128), "480580000000"),
        (("add", rcx, 128), "4881c180000000"),
        (("add", ecx, 2**32 - 128), "83c180"),
        (("add", al, 255), "04ff"),
        (("add", byte[rax], -128), "800080"),
        (("and", rax, rcx), "4821c8"),
        (("shl", rax, 1), "48d1e0"),
        (("shl", rax, cl), "48d3e0"),
        (("test", rax, mem64(rcx)), "488501"),
        (("mov", rax, mem64(r12)), "498b0424"),
        (("mov", rax, mem64(r13)), "498b4500"),
        (("mov", rax, Memory(disp=-8, segment="fs")), "64488b0425f8ffffff"),
        (("cvtsi2sd", xmm0, rax), "f2480f2ac0"),
        (("movq", xmm0, rax), "66480f6ec0"),
        (("movq", xmm0, mem64(rax)), "f30f7e00"),
        (("ret",), "c3"),
        (("nop", 7), "0f1f8000000000"),
        (("nop", rax), "480f1fc0"),
        (("rep_movsq",), "f348a5"),
        (("mov", rax, True), "b801000000"),
        (("mov", rax, enum.IntEnum("E", "ONE TWO").TWO), "b802000000"),
    ],
)
def test_form(operands, expected):
    """The shortest form that does what is asked."""
    assert expected == encoding(*operands)


@pytest.mark.parametrize(
    "operands",
    [
        ("add", rax, 2**31),
        ("add", rax, 2**40),
        ("add", rax, 2**64 - 1),
        ("add", rax, -(2**31) - 1),
        ("add", rax, 1.5),
        ("add", rax, None),
        ("add", rax, "1"),
        ("add", rax, ecx),
        ("add", rax),
        ("add",),
        ("add", 5, rax),
        ("add", mem64(rax), mem64(rcx)),
        ("add", qword[rax], 2**31),
        ("add", relative(0x1000), 2**31),
        ("add", relative(0x1000), relative(0x1000)),
        ("add", rax, Label()),
        ("mov", rax, 2**64),
        ("mov", rax, -(2**63) - 1),
        ("mov", eax, 2**32),
        ("mov", al, 256),
        ("mov", al, -129),
        ("mov", rax, xmm0),
        ("mov", qword[rax], 2**32),
        ("movzx", rax, ecx),
        ("movsd", xmm0, mem32(rax)),
        ("movaps", rax, mem128(rax)),
        ("lea", rax, rcx),
        ("shl", rax, 256),
        ("shl", rax, -1),
        ("shl", rax, sil),
        ("imul", rax, rcx, 2**31),
        ("imul", relative(0), rax),
        ("push", eax),
        ("push", 2**31),
        ("ret", -1),
        ("ret", 2**16),
        ("jo", rax),
        ("jo", "label"),
        ("jmp", eax),
        ("jmp", 1.0),
        ("nop", 10),
        ("nop", 0),
        ("sete", rax),
        ("cqo", rax),
    ],
)
def test_no_form(operands):
    """What cannot be encoded raises TypeError, shows the operands, and emits nothing."""
    assembler = Assembler()
    with pytest.raises(TypeError) as error:
        assembler.emit(*operands)
    shown = ", ".join(map(repr, operands[1:]))
    assert f"no form of {operands[0]} takes ({shown})" == str(error.value)
    assert b"" == assembler.finish(0)


def test_unhashable_operand(a):
    """An operand that cannot even be looked up is a TypeError as well."""
    with pytest.raises(TypeError):
        a.add(rax, [1])


def test_unknown_mnemonic(a):
    """emit() knows the mnemonics of the table only."""
    with pytest.raises(TypeError, match="no instruction is called 'frobnicate'"):
        a.emit("frobnicate", rax)


def test_method_names():
    """Keywords have an underscore; emit() takes both spellings; cc is a parameter, too."""
    for name in ("and", "or"):
        assembler = Assembler()
        getattr(assembler, name + "_")(rax, rcx)
        assembler.emit(name, rax, rcx)
        assembler.emit(name + "_", rax, rcx)
        code = assembler.finish(0)
        assert code[:3] == code[3:6] == code[6:]
    assembler = Assembler()
    label = assembler.label()
    assembler.bind(label)
    assembler.jcc("nz", label)
    assembler.setcc("nz", al)
    assembler.cmovcc("nz", rax, rcx)
    assembler.not_(rax)
    assert "0f85faffffff" "0f95c0" "480f45c1" "48f7d0" == assembler.finish(0).hex()


def test_memo_is_bounded(a):
    """Endless immediates do not fill the memory, and results stay right when it is emptied."""
    for n in range(5000):
        a.mov(rax, 2**40 + n)
    code = a.finish(0)
    assert [2**40 + n for n in range(5000)] == [
        int.from_bytes(code[10 * n + 2 : 10 * n + 10], "little") for n in range(5000)
    ]
