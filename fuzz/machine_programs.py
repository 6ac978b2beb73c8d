"""Straight-line machine code with random state, run by the processor and by its model.

Safe by construction: of registers, rsp is left alone; memory is used through addresses that lie in the buffer; jumps go forward. What the
model says would fault, or be undefined, is replaced by a nop. Values never depend on where the buffer lies: a register that holds
an address is given another value behind the instruction that needs it.
"""

from asm.encodings import CONDITIONS
from fuzz import machine_floats  # noqa: F401 - it adds to METHODS
from fuzz.instructions import CLASSES, DISPLACEMENTS, IMMEDIATES, ROWS, Assembled, Maker
from fuzz.machine import BEFORE, BEHIND, MEMORY_SIZE
from fuzz.machine_model import FLAGS, METHODS, REGISTERS, Machine, Undefined
from platforms import cpu

#: Bits of doubles worth trying: 0, 1, the next ones, halves, the borders of integers, infinities, nans, the least and the greatest.
DOUBLES = (0, 0x3FF0000000000000, 0xBFF0000000000000, 1 << 63, 0x3FF0000000000001, 0x3FE0000000000000, 0x4004000000000000,
           0xC00C000000000000, 0x41DFFFFFFFC00000, 0x41E0000000000000, 0xC1E0000000200000, 0x43E0000000000000, 0xC3E0000000000000,
           0x43DFFFFFFFFFFFFF, 0x4330000000000001, 0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000000, 0xFFF8000000000123,
           0x7FF0000000000001, 1, 0x000FFFFFFFFFFFFF, 0x0010000000000000, 0x7FEFFFFFFFFFFFFF)
INTEGERS = tuple(value % 2**64 for value in IMMEDIATES)
#: Conditions by their first name.
_FIRST_NAMES = {code: name for name, code in reversed(CONDITIONS.items())}.values()
_BRANCHES = {f"{prefix}{name}" for prefix in ("j", "set", "cmov") for name in _FIRST_NAMES}
_FEATURES = {"popcnt": "popcnt", "lzcnt": "lzcnt", "tzcnt": "bmi1"}
_RSP = {"rsp", "esp", "sp", "spl"}
#: Registers that instructions use without naming them.
_IMPLICIT = {"rax", "rcx", "rdx"}
_PLAIN = {kind: [name for name in names if name not in _RSP] for kind, names in CLASSES.items()}


def runnable_rows():
    """The rows of the table that the model knows and the processor has."""
    missing = {mnemonic for mnemonic, feature in _FEATURES.items() if feature not in cpu.features()}
    return [(mnemonic, patterns) for mnemonic, patterns in ROWS
            if mnemonic in (METHODS.keys() | _BRANCHES | {"jmp"}) - missing and (mnemonic != "jmp" or patterns == "rel32")]


class _RunnableMaker(Maker):
    """Makes instructions that can be run, several for one with memory."""

    def __init__(self, choices, rows, count):
        super().__init__(choices, rows, count)
        self.made = []

    def append(self):
        """Append an instruction and what it needs around it."""
        choices = self.choices
        mnemonic, patterns = choices.pick(self.rows)
        named = patterns.split(", ") if patterns else []
        operands = [self.operand(pattern) for pattern in named]
        needed = [number for number, operand in enumerate(operands) if isinstance(operand, list) and operand[0] == "m"]
        if not needed or mnemonic in ("lea", "nop"):
            self.made.append([mnemonic, patterns, operands])
            return
        place, pattern = needed[0], named[needed[0]]
        used = {REGISTERS[operand].r64.name for operand in operands if isinstance(operand, str) and REGISTERS[operand].kind == "gpr"}
        free = [name for name in _PLAIN["r64"] if name not in used | _IMPLICIT]
        size = 16 if pattern.endswith("128") else operands[place][1]
        before, operands[place], base = self.address(free, operands[place][1], size)
        behind = ["mov", "r64, uimm32", [base, choices.below(256)]]
        self.made += [*before, [mnemonic, patterns, operands], behind]

    def address(self, free, width, size):
        """(instructions that make an address in the buffer, memory operand, register that holds the address)."""
        choices = self.choices
        goal = choices.below(MEMORY_SIZE // size) * size if choices.chance(70) else choices.below(MEMORY_SIZE - size + 1)
        base, disp = choices.pick(free), choices.pick(DISPLACEMENTS)
        if choices.chance(50):
            return [["mov", "r64, imm64", [base, ["buffer", goal - disp]]]], ["m", width, base, None, 1, disp, None], base
        if choices.chance(10):
            return [["mov", "r64, imm64", [base, ["buffer", goal - disp]]]], ["m", width, None, base, 1, disp, None], base
        index, scale = choices.pick([name for name in free if name != base]), choices.pick((1, 2, 4, 8))
        number = choices.pick(IMMEDIATES)
        number = number if -(2**63) <= number < 2**63 else 3
        before = [["mov", "r64, imm64", [index, number]],
                  ["mov", "r64, imm64", [base, ["buffer", goal - disp - number * scale]]]]
        return before, ["m", width, base, index, scale, disp, None], base

    def operand(self, pattern):
        if pattern in _PLAIN:
            return self.choices.pick(_PLAIN[pattern])
        found = super().operand(pattern)
        if isinstance(found, str) and found in _RSP:
            return REGISTERS[found].name.replace("sp", "di")  # rdi, edi, di, dil
        return found

    def immediate(self, pattern):
        """Always what the pattern takes."""
        found, bits = super().immediate(pattern), int(pattern.lstrip("uim"))
        low, high = (0, 2**bits - 1) if pattern[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return found if low <= found <= high else low

    def memory(self, size):
        """For lea, any address; otherwise it is replaced."""
        found = super().memory(size)
        if found[0] == "rip":
            return ["m", size, "rax", None, 1, 0, None]
        return [*found[:2], *(name and name.replace("rsp", "rdi") for name in found[2:4]), *found[4:6], None]

    def target(self, kinds):
        """Jumps go forward."""
        return ["label", len(self.made) + 1 + self.choices.below(4)]


def make(choices, rows):
    """A case's plain data: instructions and state."""
    maker = _RunnableMaker(choices, rows, 0)
    for _ in range(choices.between(1, 12)):
        maker.append()
    return {"instructions": maker.made, "general": [choices.pick(INTEGERS) for _ in range(16)],
            "xmm": [[choices.pick(DOUBLES), choices.pick(DOUBLES)] for _ in range(16)],
            "memory": [choices.pick(DOUBLES if choices.chance(50) else INTEGERS) for _ in range(MEMORY_SIZE // 8)],
            "flags": [choices.below(2) for _ in FLAGS]}


class Execution:
    """A case, executed by the model.

    Attributes:
        instructions: with nops where the model cannot follow. before, after: Machine. reached: numbers of those executed.
    """

    def __init__(self, case, address):
        memory = b"".join(word.to_bytes(8, "little") for word in case["memory"])
        self.before = Machine(case["general"], case["xmm"], memory, address, dict(zip(FLAGS, case["flags"])))
        self.instructions = list(case["instructions"])
        self.after, self.reached = self.simulated(len(self.instructions))

    def simulated(self, count):
        """The state after the first `count` instructions, and which of them were reached."""
        before = self.before
        machine = Machine(before.general, before.xmm, before.memory, before.address, before.flags)
        number, reached = 0, []
        while number < count:
            instruction = self.instructions[number]
            reached.append(number)
            try:
                target = machine.step(instruction)
            except Undefined:
                self.instructions[number] = ["nop", "", []]
                target = None
            number = number + 1 if target is None else max(number + 1, target[1])
        return machine, reached

    def assembled(self, count, processor):
        """The first `count` instructions in machine code."""
        return Assembled(self.instructions[:count], None, processor.code, processor.memory, BEFORE, BEHIND)

    def difference(self, count, processor):
        """What the processor makes of the first `count` instructions otherwise than the model: (what, detail) or None."""
        return self.compare(self.assembled(count, processor), self.simulated(count)[0], processor)

    def compare(self, assembled, wanted, processor):
        """The same, for machine code and the state that the model ends in."""
        general, xmm, memory, flags = processor.run(assembled.code, self.before)
        for number in range(16):
            if general[number] != wanted.general[number] and number != 4:
                return "a register", f"{CLASSES['r64'][number]} is {general[number]:#x}, by the model {wanted.general[number]:#x}"
        for number in range(16):
            if xmm[number] != wanted.xmm[number]:
                texts = [" ".join(f"{half:#x}" for half in pair) for pair in (xmm[number], wanted.xmm[number])]
                return "an xmm register", f"xmm{number} is {texts[0]}, by the model {texts[1]}"
        if memory != wanted.memory:
            return "memory", f"memory is {memory.hex()}, by the model {wanted.memory.hex()}"
        for letter, bit in FLAGS.items():
            value = wanted.flags[letter]
            if value is not None and bool(flags & bit) != bool(value):
                return f"the {letter} flag", f"the {letter} flag is {int(bool(flags & bit))}, by the model {value}"
        return None
