"""Random operands and programs."""

import pytest

pytest.importorskip("hypothesis")

from asm_cases import encode
from asm_oracles import capstone_disassembler, capstone_operands, plain_operands
from hypothesis import given, settings
from hypothesis import strategies as st

from asm import Assembler, Memory, relative
from asm.registers import GPR8, GPR32, GPR64, XMM

disassemble = capstone_disassembler()
pytestmark = pytest.mark.skipif(disassemble is None, reason="needs capstone")

INDICES = [register for register in GPR64 if register.name != "rsp"]
WIDTHS = {8: GPR64, 4: GPR32, 1: GPR8}


def memory(size):
    """Any memory operand of that size."""
    return st.builds(
        Memory,
        base=st.none() | st.sampled_from(GPR64),
        disp=st.integers(-200, 200) | st.integers(-(2**31), 2**31 - 1),
        index=st.none() | st.sampled_from(INDICES),
        scale=st.sampled_from((1, 2, 4, 8)),
        size=st.just(size),
        segment=st.sampled_from((None, None, "fs", "gs")),
    )


@st.composite
def instructions(draw):
    """(mnemonic, operands) of common shapes."""
    size = draw(st.sampled_from(sorted(WIDTHS)))
    register = st.sampled_from(WIDTHS[size])
    rm = register | memory(size)
    kind = draw(st.sampled_from(("alu", "immediate", "float", "shift", "set")))
    if kind == "alu":
        mnemonic = draw(st.sampled_from(("add", "sub", "cmp", "and", "xor", "mov")))
        operands = draw(st.tuples(register, rm) | st.tuples(rm, register))
    elif kind == "immediate":
        mnemonic = draw(st.sampled_from(("add", "sub", "cmp", "or", "test")))
        least = -(2 ** min(31, size * 8 - 1))
        operands = draw(st.tuples(rm, st.integers(-128, 127) | st.integers(least, -least - 1)))
    elif kind == "float":
        mnemonic = draw(st.sampled_from(("addsd", "movsd", "ucomisd", "sqrtsd")))
        operands = draw(st.tuples(st.sampled_from(XMM), st.sampled_from(XMM) | memory(8)))
    elif kind == "shift":
        mnemonic = draw(st.sampled_from(("shl", "shr", "sar", "rol")))
        operands = draw(st.tuples(rm, st.integers(0, 255)))
    else:
        mnemonic = draw(st.sampled_from(("sete", "setl", "seta")))
        operands = (draw(st.sampled_from(GPR8) | memory(1)),)
    return mnemonic, operands


def same(instruction, mnemonic, operands):
    """Whether capstone read this instruction."""
    widths = [operand.size for operand in instruction.operands]
    # A scale means nothing without an index.
    ours = [
        (o[0], o[1], o[2] if o[1] else 1, *o[3:]) if isinstance(o, tuple) else o
        for o in plain_operands(operands, widths)
    ]
    return instruction.mnemonic == mnemonic and capstone_operands(instruction) == ours


@given(instructions())
@settings(max_examples=500, deadline=None)
def test_round_trip(case):
    """Any instruction is read back as it was written."""
    mnemonic, operands = case
    (instruction,) = disassemble(encode(mnemonic, operands))
    assert same(instruction, mnemonic, operands), (instruction.mnemonic, instruction.op_str)


@given(st.integers())
@settings(max_examples=300, deadline=None)
def test_any_immediate(value):
    """An immediate is encoded faithfully, or refused."""
    for mnemonic, register, least, greatest in (
        ("mov", GPR64[3], -(2**63), 2**64 - 1),
        ("mov", GPR32[3], -(2**31), 2**32 - 1),
        ("add", GPR64[0], -(2**31), 2**31 - 1),
        ("add", GPR32[9], -(2**31), 2**32 - 1),
        ("cmp", GPR8[5], -128, 255),
    ):
        if not least <= value <= greatest:
            with pytest.raises(TypeError):
                encode(mnemonic, (register, value))
            continue
        (instruction,) = disassemble(encode(mnemonic, (register, value)))
        read = instruction.operands[1]
        assert (value - read.imm) % 2 ** (8 * register.size) == 0


steps = st.lists(
    st.sampled_from(("mov", "bind", "jmp", "je", "cold", "align", "marker", "lea", "constant")),
    max_size=40,
)


class Program:
    """A random program, and where it refers to what."""

    def __init__(self, random):
        self.assembler = Assembler()
        self.random = random
        self.labels = [self.assembler.label(str(n)) for n in range(4)]
        self.unbound = list(self.labels)
        self.references = []  # (section, end of the instruction, label, offset)

    def step(self, name, steps):
        """Emit something."""
        a, random = self.assembler, self.random
        if name == "mov":
            a.mov(GPR64[random.randrange(16)], random.randrange(2**40))
        elif name == "bind" and self.unbound:
            a.bind(self.unbound.pop())
        elif name == "align":
            a.align(random.choice((4, 16, 32)))
        elif name == "marker":
            a.marker(None)
        elif name == "cold":
            with a.cold():
                for inner in random.sample(steps, min(3, len(steps))):
                    self.step(inner, [])
        elif name in ("jmp", "je"):
            label = random.choice(self.labels)
            a.emit(name, label)
            self.note(label)
        elif name == "lea":
            label, offset = random.choice(self.labels), random.randrange(-99, 99)
            a.lea(GPR64[0], relative(label, 8, offset))
            self.note(label, offset)
        elif name == "constant":
            label = a.constant(random.randrange(5))
            a.mov(GPR64[9], relative(label))
            self.note(label)

    def note(self, label, offset=0):
        """The instruction just emitted refers to label + offset."""
        a = self.assembler
        self.references.append((a.section, len(a.buffer), label, offset))


@given(steps, st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_programs(steps, random):
    """Labels end up where they were bound, and every reference reaches its label."""
    program = Program(random)
    for name in steps:
        program.step(name, steps)
    a = program.assembler
    while program.unbound:
        a.bind(program.unbound.pop())
    bound = a.size_bound()
    code = a.finish(0x10000)
    assert len(code) <= bound
    for section, end, label, offset in program.references:
        end += section.start
        displacement = int.from_bytes(code[end - 4 : end], "little", signed=True)
        assert label.offset + offset == end + displacement
