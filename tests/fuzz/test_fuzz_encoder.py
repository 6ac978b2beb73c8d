"""Target "encoder": nothing is found where nothing is wrong; planted faults are found by each oracle, and exported."""

import struct
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from hunting import hunt, reduced, run_exported

from asm import REGISTERS, Assembler
from asm.instructions import METHODS
from asm.operands import Memory
from fuzz import disassemblers, instructions, machine_model, targets
from fuzz.choices import Seeded
from fuzz.machine import BEFORE, BEHIND, MEMORY_SIZE, Processor
from fuzz.machine_model import FLAGS, Machine, Undefined, bits_of
from fuzz.machine_programs import runnable_rows

ENCODE = Memory._encode
needs_capstone = pytest.mark.skipif(disassemblers.engine() is None, reason="needs capstone")


def squeezed(self):
    """A displacement of 128 in 8 bits."""
    if self.disp == 128 and self.base is not None:
        return ENCODE(Memory(self.base, -128, self.index, self.scale))
    return ENCODE(self)


SQUEEZED = """
from asm.operands import Memory
right = Memory._encode
def wrong(self):
    if self.disp == 128 and self.base is not None:
        return right(Memory(self.base, -128, self.index, self.scale))
    return right(self)
Memory._encode = wrong
"""


def only(kind):
    """The target, with cases of one kind."""
    class Only(Seeded):
        def weighted(self, *pairs):
            return kind if (600, "read") in pairs else super().weighted(*pairs)

    return targets.make("encoder"), Only


def hunt_kind(kind, count, divisions=True):
    """(case, difference) of the first case of a kind that differs, or None.

    Without divisions, what goes wrong does not end this process: a wrong divisor would.
    """
    target, choices = only(kind)
    if not divisions:
        target.runnable = [row for row in target.runnable if row[0] not in ("div", "idiv")]
    for number in range(count):
        case = target.case(choices(f"{kind}:{number}"))
        difference = target.run(case).difference
        if difference is not None:
            return case, difference
    return None


def test_no_difference_where_none_is():
    found, features = hunt("encoder", 900)
    assert found is None
    assert sum(feature.startswith("run: ") for feature in features) > 300
    if disassemblers.engine():
        assert any("sp+index*8+disp32" in feature for feature in features)
        assert any(feature.startswith("refused: ") for feature in features)


@pytest.mark.skipif(not disassemblers.HAVE_AS or not disassemblers.engine(), reason="needs binutils")
def test_gnu_as_agrees_and_notices(monkeypatch):
    assert hunt_kind("as", 4) is None
    monkeypatch.setattr(Memory, "_encode", squeezed)
    _, difference = hunt_kind("as", 4)
    assert difference.signature.endswith("is written otherwise by GNU as") and "+128]" in difference.detail


@pytest.mark.skipif(not disassemblers.peachpy() or not disassemblers.engine(), reason="needs PeachPy")
def test_peachpy_agrees_and_notices(monkeypatch):
    assert hunt_kind("peachpy", 150) is None
    monkeypatch.setattr(Memory, "_encode", squeezed)
    assert hunt_kind("peachpy", 300)[1].signature.endswith("is written otherwise by PeachPy")


@needs_capstone
def test_a_displacement_of_128_in_8_bits_is_found_reduced_and_exported(monkeypatch, tmp_path):
    monkeypatch.setattr(Memory, "_encode", squeezed)
    (case, difference), _ = hunt("encoder", 100)
    assert difference.signature == "the displacement of an address reads back otherwise"
    small = reduced("encoder", case, difference.signature)
    assert len(small["instructions"]) == 1 and "+128]" in targets.make("encoder").text(small)
    status, output = run_exported(tmp_path, "encoder", small, SQUEEZED)
    assert status == 1 and "the displacement of an address" in output
    monkeypatch.undo()
    assert targets.make("encoder").run(small).difference is None


@needs_capstone
@pytest.mark.parametrize("register, field, signature", [("r9", "reg_field", "a register"), ("rbx", "modrm", "the base of an address"),
                                                        ("xmm3", "reg_field", "a register")])
def test_a_wrong_modrm_bit_is_found(monkeypatch, register, field, signature):
    if field == "modrm":
        monkeypatch.setattr(Memory, "_encode", lambda self: _without_bit(self, register))
    else:
        monkeypatch.setattr(REGISTERS[register], field, REGISTERS[register].reg_field ^ 8)
    (_, difference), _ = hunt("encoder", 200)
    assert difference.signature == f"{signature} reads back otherwise"


def _without_bit(memory, name):
    modrm, tail = ENCODE(memory)
    return (modrm ^ 1 if memory.base is REGISTERS[name] and memory.index is None else modrm), tail


@needs_capstone
def test_wrong_immediates_are_found(monkeypatch):
    right = METHODS["add"]
    monkeypatch.setitem(METHODS, "add", lambda self, one, two: right(self, one, 127 if two == 128 and type(two) is int else two))
    assert hunt_kind("read", 2000)[1].signature == "an immediate reads back otherwise"


def refuse(self, one, two):
    raise TypeError("never")


@needs_capstone
def test_wrong_refusals_and_wrong_instructions_are_found(monkeypatch):
    monkeypatch.setitem(METHODS, "sub", refuse)
    assert hunt_kind("read", 500)[1].signature.endswith("is refused")
    monkeypatch.setitem(METHODS, "sub", METHODS["sbb"])
    assert "sub" in hunt_kind("read", 500)[1].signature


def test_execution_alone_finds_wrong_instructions(monkeypatch):
    """Without a disassembler."""
    monkeypatch.setattr(disassemblers, "engine", lambda: None)
    assert hunt_kind("run", 200) is None
    monkeypatch.setitem(METHODS, "sub", METHODS["sbb"])
    case, difference = hunt_kind("run", 1000, divisions=False)
    assert difference.signature.startswith("sub r") and "leaves another value" in difference.signature
    small = reduced("encoder", case, difference.signature)
    assert len([name for name, _, _ in small["instructions"] if name != "nop"]) <= 3


@pytest.mark.parametrize("mnemonic", ["imul", "cvtsd2si", "shrd"])
def test_a_wrong_model_would_show(monkeypatch, mnemonic):
    """The processor is asked indeed."""
    right = machine_model.METHODS[mnemonic]

    def wrong(machine, name, operands):
        right(machine, name, operands)
        machine.write(operands[0], 16 if mnemonic != "cvtsd2si" else 32, 0x5A5)

    monkeypatch.setitem(machine_model.METHODS, mnemonic, wrong)
    assert hunt_kind("run", 2500, divisions=False)[1].signature.startswith(f"{mnemonic} ")


def test_every_runnable_row_runs():
    """The model says of no row that it can never be executed."""
    target, choices = only("run")
    reached = set()
    for number in range(700):
        reached |= target.run(target.case(choices(number))).features
    wanted = {f"run: {mnemonic} {patterns}" for mnemonic, patterns in runnable_rows()}
    assert len(wanted) > 400 and len(wanted - reached) < 25


def test_the_state_survives_a_round_trip():
    processor = Processor()
    assembler = Assembler()
    assembler.db(BEFORE + BEHIND)
    general = [number * 0x0123456789ABCDEF % 2**64 for number in range(16)]
    xmm = [[2 * number, 2**64 - number - 1] for number in range(16)]
    memory = struct.pack("<8Q", *range(100, 108))
    assert len(memory) == MEMORY_SIZE
    for flags in (dict.fromkeys(FLAGS, 1), dict.fromkeys(FLAGS, 0), dict(zip(FLAGS, (1, 0, 1, 0, 1, 0)))):
        machine = Machine(general, xmm, memory, processor.memory, flags)
        found = processor.run(assembler.finish(processor.code), machine)
        assert [value for number, value in enumerate(found[0]) if number != 4] == [value for number, value in enumerate(general) if number != 4]
        assert found[1:3] == (xmm, memory)
        assert {letter: int(bool(found[3] & bit)) for letter, bit in FLAGS.items()} == flags


def model(general=(0,) * 16, xmm=((0, 0),) * 16):
    return Machine(general, xmm, bytes(MEMORY_SIZE), 1 << 40, dict.fromkeys(FLAGS, 0))


def test_the_model_by_hand():
    """Figures worked out without it."""
    machine = model((2**63 - 1, 0, 1, *[0] * 13))
    machine.step(["add", "rm64, r64", ["rax", "rdx"]])
    assert machine.general[0] == 2**63 and machine.flags == {"c": 0, "p": 1, "a": 1, "z": 0, "s": 1, "o": 1}
    machine.step(["cqo", "", []])
    assert machine.general[2] == 2**64 - 1
    machine.step(["mov", "r64, imm64", ["rcx", 2]])
    machine.step(["idiv", "rm64", ["rcx"]])
    assert (machine.general[0], machine.general[2]) == (2**64 - 2**62, 0) and set(machine.flags.values()) == {None}
    with pytest.raises(Undefined):
        machine.step(["setl", "rm8", ["al"]])
    with pytest.raises(Undefined):
        machine.step(["div", "rm64", ["rdx"]])
    machine = model(xmm=[[bits_of(2.5), 7], [bits_of(-0.0), 8], *[[0, 0]] * 14])
    machine.step(["divsd", "xmm, xm64", ["xmm0", "xmm1"]])
    assert machine.xmm[0] == [bits_of(float("-inf")), 7]
    machine.step(["ucomisd", "xmm, xm64", ["xmm0", "xmm1"]])
    assert machine.holds("b") and not machine.holds("p")
    machine.step(["cvttsd2si", "r64, xm64", ["rbx", "xmm0"]])
    assert machine.general[3] == 2**63


def test_texts_name_everything():
    memory = ["m", 8, "rbx", "rcx", 4, -129, None]
    assert instructions.instruction_text(["mov", "r64, m64", ["rax", memory]]) == "mov rax, qword ptr [rbx+rcx*4-129]"
    assert instructions.instruction_text(["jmp", "rel32", [["label", 3]]]) == "jmp l3"
