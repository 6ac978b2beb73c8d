"""Target "encoder": random instructions are assembled, read back by capstone, written by GNU as and PeachPy too, and run.

Kinds of case: "read" (capstone reads every instruction; operands are compared with those asked for), "as" (many instructions, one call
of GNU as), "peachpy", and "run": straight-line code, executed from a random state and compared with a model of the processor. What
capstone reads otherwise is never run.
"""

from functools import cached_property

from fuzz import disassemblers, machine_programs
from fuzz.instructions import CLASSES, ROWS, Assembled, Maker, instruction_text, operand_kind
from fuzz.machine import Processor
from fuzz.machine_model import FLAGS
from fuzz.reducing_data import plainer_lists, smaller_integers, smaller_lists
from fuzz.targets import BaseTarget, Difference, Verdict

#: Instructions of a case, by its kind.
COUNTS = {"read": 12, "as": 300, "peachpy": 6}
_NOP = ["nop", "", []]


class Target(BaseTarget):
    """Cases are {"kind", "instructions"}, with "cold" (from which number on they are cold code) or, if run, the state beside."""

    name = "encoder"

    @cached_property
    def processor(self):
        return Processor()

    @cached_property
    def runnable(self):
        return machine_programs.runnable_rows()

    def case(self, choices):
        kind = choices.weighted((600, "read"), (380, "run"), (17, "peachpy"), (3, "as"))
        if kind == "run":
            return {"kind": kind, **machine_programs.make(choices, self.runnable)}
        count = choices.between(1, COUNTS[kind])
        maker = Maker(choices, ROWS, count)
        instructions = [maker.instruction() for _ in range(count)]
        return {"kind": kind, "instructions": instructions, "cold": choices.below(2 * count)}

    def run(self, case):
        kind = case["kind"]
        missing = {"read": disassemblers.engine() is None and "capstone", "run": False,
                   "as": not disassemblers.HAVE_AS and "GNU as", "peachpy": disassemblers.peachpy() is None and "PeachPy"}[kind]
        if missing:
            return Verdict(skipped=f"{missing} is not there")
        try:
            return {"read": self.read, "run": self.execute, "as": self.compare_as, "peachpy": self.compare_peachpy}[kind](case)
        except Exception as problem:
            where = problem.__traceback__
            while where.tb_next is not None:
                where = where.tb_next
            name = where.tb_frame.f_code.co_name
            return Verdict(Difference(f"{type(problem).__name__} in {name}", f"{type(problem).__name__}: {problem}"))

    def read(self, case):
        assembled = Assembled(case["instructions"], case["cold"])
        found = self.misread(assembled, case["instructions"])
        if found:
            return Verdict(Difference(*found))
        return Verdict(features=frozenset(_features(assembled, case["instructions"])))

    @staticmethod
    def misread(assembled, instructions):
        """What is refused wrongly, or read back otherwise: (signature, detail) or None."""
        for number, instruction in enumerate(instructions):
            if number in assembled.refusals:
                if not _may_be_refused(instruction):
                    return f"a legal {instruction[1].rpartition(', ')[2]} is refused", assembled.refusals[number]
            elif disassemblers.engine() is not None:
                found = disassemblers.disagreement(assembled, number, instruction)
                if found:
                    return found
        for value, label in assembled.constants.items():
            if assembled.code[label.offset:label.offset + 8] != value.to_bytes(8, "little"):
                return "a constant is another", f"{value:#x} at {label.offset}"
        return None

    def execute(self, case):
        execution = machine_programs.Execution(case, self.processor.memory)
        instructions = execution.instructions
        assembled = execution.assembled(len(instructions), self.processor)
        found = self.misread(assembled, instructions)
        if found:
            return Verdict(Difference(*found))
        if execution.compare(assembled, execution.after, self.processor):
            for count in range(1, len(instructions) + 1):
                found = execution.difference(count, self.processor)
                if found:
                    what, detail = found
                    mnemonic, patterns, _ = instructions[count - 1]
                    detail = f"after {instruction_text(instructions[count - 1])}, number {count - 1}: {detail}"
                    return Verdict(Difference(f"{mnemonic} {patterns} leaves another value in {what}", detail))
        return Verdict(features=frozenset(f"run: {instructions[number][0]} {instructions[number][1]}" for number in execution.reached))

    @staticmethod
    def written_elsewhere(instructions, write):
        """Compare with what `write(list of instructions)` makes, read by capstone, of all with registers, memory, immediates."""
        own, assembled = [], Assembled(instructions)
        for number, instruction in enumerate(instructions):
            plain = not any(isinstance(operand, list) and operand[0] != "m" for operand in instruction[2])
            if plain and number not in assembled.refusals:
                start, end = assembled.ranges[number]
                own.append((instruction, assembled.code[start:end]))
        for (instruction, code), other in zip(own, write([instruction for instruction, _ in own])):
            if other is None or other == code:
                continue
            mine, theirs = disassemblers.disassemble(code), disassemblers.disassemble(other)
            if [*map(disassemblers.normal_text, mine)] != [*map(disassemblers.normal_text, theirs)]:
                detail = f"{instruction_text(instruction)} is {code.hex(' ')}, there {other.hex(' ')}"
                return f"{instruction[0]} {instruction[1]} is written otherwise", detail
        return None

    def compare_as(self, case):
        def write(instructions):
            code = disassemblers.gnu_assemble([instruction_text(disassemblers.shown(instruction)) for instruction in instructions])
            return [bytes(read.bytes) for read in disassemblers.disassemble(code)]
        found = self.written_elsewhere(case["instructions"], write)
        return Verdict(found and Difference(f"{found[0]} by GNU as", found[1]), frozenset(["GNU as"]))

    def compare_peachpy(self, case):
        found = self.written_elsewhere(case["instructions"], lambda instructions: map(disassemblers.peachpy_encode, instructions))
        return Verdict(found and Difference(f"{found[0]} by PeachPy", found[1]), frozenset(["PeachPy"]))

    def text(self, case):
        lines = [f"l{number}:  {instruction_text(instruction)}" for number, instruction in enumerate(case["instructions"])]
        if case["kind"] == "run":
            lines += [f"# {name} {value:#x}" for name, value in zip(CLASSES["r64"], case["general"])]
            lines += [f"# xmm{number} {low:#x} {high:#x}" for number, (low, high) in enumerate(case["xmm"])]
            lines += [f"# memory {' '.join(f'{word:#x}' for word in case['memory'])}", f"# flags {dict(zip(FLAGS, case['flags']))}"]
        else:
            lines.append(f"# {case['kind']}; cold from l{case['cold']} on")
        return "\n".join(lines) + "\n"

    def reduce(self, case):
        # Labels are numbers of instructions: with nops in the place of instructions they stay what they are, at least at first.
        for instructions in (*plainer_lists(case["instructions"], _NOP), *smaller_lists(case["instructions"])):
            yield {**case, "instructions": instructions}
        for name, plain in (("general", 0), ("xmm", [0, 0]), ("memory", 0), ("flags", 0)):
            for items in plainer_lists(case.get(name, []), plain):
                yield {**case, name: items}
        for name in ("general", "memory"):
            for number, value in enumerate(case.get(name, ())):
                for smaller in smaller_integers(value):
                    yield {**case, name: [*case[name][:number], smaller, *case[name][number + 1:]]}
        if case.get("cold", 0):
            yield {**case, "cold": 0}


def _may_be_refused(instruction):
    """Whether no row of the table takes the immediate as it is: the pattern the instruction was made from does not."""
    _, patterns, operands = instruction
    pattern = patterns.rpartition(", ")[2]
    if "imm" not in pattern:
        return False
    bits, value = int(pattern.lstrip("uim")), operands[-1]
    return not (0 <= value < 2**bits if pattern[0] == "u" else -(2 ** (bits - 1)) <= value < 2 ** (bits - 1))


def _features(assembled, instructions):
    """Rows, and kinds of operands, that were encoded."""
    for number, (mnemonic, patterns, operands) in enumerate(instructions):
        refused = "refused: " if number in assembled.refusals else ""
        yield f"{refused}{mnemonic} {patterns}"
        kinds = ", ".join(map(operand_kind, operands))
        yield f"{refused}{patterns}: {kinds}"
