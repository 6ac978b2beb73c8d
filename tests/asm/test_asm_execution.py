"""Code that is run, and its results compared with Python's arithmetic."""

import ctypes
import math
import mmap
import platform
import struct

import pytest

pytest.importorskip("hypothesis")
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asm import (
    Assembler,
    al,
    cl,
    dword,
    eax,
    ecx,
    edi,
    mem64,
    qword,
    rax,
    rcx,
    rdi,
    rdx,
    relative,
    rsi,
    rsp,
    xmm0,
    xmm1,
)

pytestmark = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="calls machine code by the System V convention",
)

EDGES = (0, 1, -1, 2, -2, 63, 127, 128, 2**31 - 1, 2**31, -(2**31), 2**63 - 1, -(2**63))
integers = st.sampled_from(EDGES) | st.integers(-(2**63), 2**63 - 1)
floats = st.floats() | st.integers(-(2**53), 2**53).map(float)


def compiled(emit, result=ctypes.c_int64, arguments=(ctypes.c_int64, ctypes.c_int64)):
    """The function that `emit(assembler)` is the body of."""
    assembler = Assembler()
    emit(assembler)
    pages = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    address = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    code = assembler.finish(address)
    assert len(code) <= 4096
    pages[: len(code)] = code
    function = ctypes.CFUNCTYPE(result, *arguments)(address)
    function.pages = pages  # keeps them mapped
    return function


def wrap(value):
    """The signed 64-bit integer with the same low bits."""
    return (value + 2**63) % 2**64 - 2**63


def unsigned(value):
    """The unsigned one."""
    return value % 2**64


def two_operands(mnemonic):
    """a `mnemonic` b."""

    def emit(a):
        a.mov(rax, rdi)
        a.emit(mnemonic, rax, rsi)
        a.ret()

    return emit


def shift(mnemonic):
    """a shifted by cl."""

    def emit(a):
        a.mov(rax, rdi)
        a.mov(ecx, rsi.r32)
        a.emit(mnemonic, rax, cl)
        a.ret()

    return emit


def compare(condition):
    """Whether a and b compare so."""

    def emit(a):
        a.cmp(rdi, rsi)
        a.setcc(condition, al)
        a.movzx(eax, al)
        a.ret()

    return emit


def select(condition):
    """a if the condition holds between them, else b."""

    def emit(a):
        a.mov(rax, rsi)
        a.cmp(rdi, rsi)
        a.cmovcc(condition, rax, rdi)
        a.ret()

    return emit


def branch(condition):
    """1 from cold code if the condition holds, else 0."""

    def emit(a):
        taken = a.label()
        a.xor(eax, eax)
        a.cmp(rdi, rsi)
        a.jcc(condition, taken)
        a.ret()
        with a.cold():
            a.bind(taken)
            a.add(rax, 1)
            a.ret()

    return emit


def through_memory(a):
    """a * 3 + b, by way of the stack, an index and a constant."""
    a.sub(rsp, 24)
    a.mov(qword[rsp + 8], rdi)
    a.mov(ecx, 1)
    a.mov(rax, mem64(rsp, 0, rcx, 8))
    a.imul(rax, relative(a.constant(3)))
    a.add(rax, rsi)
    a.add(rsp, 24)
    a.ret()


def rotate(value, count):
    """The 64-bit rotation to the left."""
    value, count = unsigned(value), count % 64
    return wrap(value << count | value >> 64 - count)


def add_overflows(a):
    """Whether a + b overflows."""
    a.add(rdi, rsi)
    a.seto(al)
    a.movzx(eax, al)
    a.ret()


COMPARISONS = {
    "e": lambda x, y: x == y,
    "ne": lambda x, y: x != y,
    "l": lambda x, y: x < y,
    "le": lambda x, y: x <= y,
    "g": lambda x, y: x > y,
    "ge": lambda x, y: x >= y,
    "b": lambda x, y: unsigned(x) < unsigned(y),
    "be": lambda x, y: unsigned(x) <= unsigned(y),
    "a": lambda x, y: unsigned(x) > unsigned(y),
    "ae": lambda x, y: unsigned(x) >= unsigned(y),
    "s": lambda x, y: wrap(x - y) < 0,
    "o": lambda x, y: wrap(x - y) != x - y,
}

INTEGER_SAMPLES = {
    "add": (two_operands("add"), lambda x, y: wrap(x + y)),
    "sub": (two_operands("sub"), lambda x, y: wrap(x - y)),
    "imul": (two_operands("imul"), lambda x, y: wrap(x * y)),
    "and": (two_operands("and"), lambda x, y: x & y),
    "or": (two_operands("or"), lambda x, y: x | y),
    "xor": (two_operands("xor"), lambda x, y: x ^ y),
    "popcnt": (two_operands("popcnt"), lambda x, y: unsigned(y).bit_count()),
    "shl": (shift("shl"), lambda x, y: wrap(x << y % 64)),
    "sar": (shift("sar"), lambda x, y: x >> y % 64),
    "shr": (shift("shr"), lambda x, y: wrap(unsigned(x) >> y % 64)),
    "rol": (shift("rol"), rotate),
    "ror": (shift("ror"), lambda x, y: rotate(x, -y)),
    "memory": (through_memory, lambda x, y: wrap(3 * x + y)),
    "overflow": (add_overflows, lambda x, y: wrap(x + y) != x + y),
}
for _condition, _holds in COMPARISONS.items():
    INTEGER_SAMPLES["set" + _condition] = compare(_condition), _holds
    _selected = lambda x, y, holds=_holds: x if holds(x, y) else y  # noqa: E731
    INTEGER_SAMPLES["cmov" + _condition] = select(_condition), _selected
    INTEGER_SAMPLES["j" + _condition] = branch(_condition), _holds

FUNCTIONS = {}


def function_of(name, samples, **signature):
    """Compiled once."""
    if name not in FUNCTIONS:
        FUNCTIONS[name] = compiled(samples[name][0], **signature)
    return FUNCTIONS[name]


@pytest.mark.parametrize("name", INTEGER_SAMPLES)
def test_integer_edges(name):
    """All pairs of edge values."""
    function, expected = function_of(name, INTEGER_SAMPLES), INTEGER_SAMPLES[name][1]
    for x in EDGES:
        for y in EDGES:
            assert expected(x, y) == function(x, y), (x, y)


@given(st.sampled_from(sorted(INTEGER_SAMPLES)), integers, integers)
@settings(max_examples=300, deadline=None)
def test_integers(name, x, y):
    """Random pairs."""
    expected = INTEGER_SAMPLES[name][1]
    assert expected(x, y) == function_of(name, INTEGER_SAMPLES)(x, y)


def divide(result):
    """The quotient (rax) or the remainder (rdx), truncating."""

    def emit(a):
        a.mov(rax, rdi)
        a.cqo()
        a.idiv(rsi)
        a.mov(rax, result)
        a.ret()

    return emit


@given(integers, integers.filter(bool))
@example(-7, 2)
@settings(deadline=None)
def test_division(x, y):
    """idiv truncates toward zero, unlike Python."""
    if (x, y) == (-(2**63), -1):
        return  # the quotient does not fit: a processor exception
    quotient = abs(x) // abs(y) * (1 if (x < 0) == (y < 0) else -1)
    samples = {"quotient": (divide(rax),), "remainder": (divide(rdx),)}
    assert quotient == function_of("quotient", samples)(x, y)
    assert x - quotient * y == function_of("remainder", samples)(x, y)


def two_floats(mnemonic):
    """xmm0 `mnemonic` xmm1."""

    def emit(a):
        a.emit(mnemonic, xmm0, xmm1)
        a.ret()

    return emit


def negate(a):
    """-a, by a mask from the constant pool."""
    a.xorpd(xmm0, relative(a.constant16(struct.pack("<QQ", 2**63, 0))))
    a.ret()


FLOAT_SAMPLES = {
    "addsd": (two_floats("addsd"), lambda x, y: x + y),
    "subsd": (two_floats("subsd"), lambda x, y: x - y),
    "mulsd": (two_floats("mulsd"), lambda x, y: x * y),
    "negate": (negate, lambda x, y: -x),
    "movapd": (two_floats("movapd"), lambda x, y: y),
}
DOUBLES = {"result": ctypes.c_double, "arguments": (ctypes.c_double, ctypes.c_double)}


@given(st.sampled_from(sorted(FLOAT_SAMPLES)), floats, floats)
@settings(max_examples=300, deadline=None)
def test_floats(name, x, y):
    """Scalar arithmetic is that of Python's floats."""
    expected = FLOAT_SAMPLES[name][1](x, y)
    actual = function_of(name, FLOAT_SAMPLES, **DOUBLES)(x, y)
    assert (math.isnan(expected) and math.isnan(actual)) or (
        struct.pack("<d", expected) == struct.pack("<d", actual)
    )


def sequence(*instructions):
    """Just these."""

    def emit(a):
        for instruction in instructions:
            a.emit(*instruction)
        a.ret()

    return emit


def swapped(x):
    """The bytes in the other order."""
    return int.from_bytes(x.to_bytes(8, "little", signed=True), "big", signed=True)


CONVERSIONS = {
    "movzx8": (sequence(("movzx", eax, rdi.r8)), lambda x: x & 0xFF),
    "movzx16": (sequence(("movzx", eax, rdi.r16)), lambda x: x & 0xFFFF),
    "mov32": (sequence(("mov", eax, edi)), lambda x: x & 0xFFFFFFFF),
    "movsx8": (sequence(("movsx", rax, rdi.r8)), lambda x: (x + 128) % 256 - 128),
    "movsx16": (sequence(("movsx", rax, rdi.r16)), lambda x: (x + 2**15) % 2**16 - 2**15),
    "movsxd": (sequence(("movsxd", rax, edi)), lambda x: (x + 2**31) % 2**32 - 2**31),
    "neg": (sequence(("mov", rax, rdi), ("neg", rax)), lambda x: wrap(-x)),
    "not": (sequence(("mov", rax, rdi), ("not", rax)), lambda x: ~x),
    "lea": (sequence(("lea", rax, qword[rdi + rdi * 4 - 7])), lambda x: wrap(5 * x - 7)),
    "movq": (sequence(("movq", xmm1, rdi), ("movq", rax, xmm1)), lambda x: x),
    "bswap": (sequence(("mov", rax, rdi), ("bswap", rax)), swapped),
    "bt": (
        sequence(("xor", eax, eax), ("bt", rdi, 40), ("setb", al)),
        lambda x: x >> 40 & 1,
    ),
    "to double and back": (
        sequence(("cvtsi2sd", xmm1, edi), ("cvttsd2si", rax, xmm1)),
        lambda x: (x + 2**31) % 2**32 - 2**31,
    ),
}


@given(st.sampled_from(sorted(CONVERSIONS)), integers)
@settings(max_examples=300, deadline=None)
def test_conversions(name, x):
    """Widening, narrowing, and other instructions of one operand."""
    assert CONVERSIONS[name][1](x) == function_of(name, CONVERSIONS)(x, 0)


@given(integers)
@settings(deadline=None)
def test_int_to_float(x):
    """cvtsi2sd rounds as float() does."""
    samples = {"float": (sequence(("cvtsi2sd", xmm0, rdi)),)}
    assert float(x) == function_of("float", samples, result=ctypes.c_double)(x, 0)


def test_copy():
    """rep movsq, and 32-bit memory operands."""
    source = (ctypes.c_int64 * 100)(*range(100))
    target = (ctypes.c_int64 * 100)()

    def copy(a):
        a.mov(ecx, 100)
        a.rep_movsq()
        a.mov(eax, dword[rdi - 8])
        a.ret()

    function = compiled(copy)
    assert 99 == function(ctypes.addressof(target), ctypes.addressof(source))
    assert list(source) == list(target)
