"""Generators: what lies between two yields, compiled.

Problem: a generator is not called but resumed, wherever its consumer asks for the next item: a loop, a builtin, another generator.
Idea: all of these ask through one slot of the type, which leads through a table of code objects (platforms/cpython/resumption.py) to a
routine per code. For each yield a generator has been found waiting at, the routine has versions (`Part`) for what its variables and operand
stack then held. A part *takes over* the values, as a version entered at a loop's header does (jit/loops.py), runs to the next yield, and
puts them back, so that between two items a generator is always as the interpreter would have left it: anybody may look
at it, close it, throw into it, or resume it interpreted.

What is kept per code object and not per function: generator expressions are functions made anew each time. Compiled frames name a function
of our own with the same code and globals; CPython asks a frame's function for nothing else where an exit leads.
"""

import sys
from copy import copy
from types import CellType, FunctionType

from jit import resume_entry, types
from jit.attention import holds
from jit.budget import BUDGET
from jit.compiler import compile_function
from jit.decode import raw_instructions
from jit.depths import depths
from jit.entering import state_of
from jit.entries import FunctionBlock
from jit.errors import Unsupported
from jit.function_records import FunctionRecord
from jit.machine import monitoring, records
from jit.ours import LEFT_ALONE
from jit.unit import Unit
from jit.walk import Knowledge
from platforms.cpython import observe
from platforms.cpython.layout import layout
from platforms.cpython.resumption import clear_routine, lead, resumable, set_routine

_GENERATOR, _OTHER_KINDS, _VARIADIC = 0x20, 0x80 | 0x200, 0xC
#: Parts of one generator in all, and for one yield.
PART_LIMIT, LIMIT_AT_ONE_YIELD = 12, 4
#: Codes at once.
CODE_LIMIT = 500
#: What compiling takes at most, mostly.
SECONDS_PER_INSTRUCTION = 1e-4
#: Resumptions that find no part before one is compiled: the first, and how many times more after each.
FIRST_MISSES, MORE_MISSES, MOST_MISSES = 2, 2, 1 << 20


def is_generator(code):
    """Whether this is the code of a generator function or expression."""
    return code.co_flags & (_GENERATOR | _OTHER_KINDS) == _GENERATOR


class Part:
    """One version of what follows one yield.

    Attributes:
        offset: behind the yield, in the generator's own code. state: the LoopState it was compiled for. code: its Code.
    """

    __slots__ = ("offset", "state", "code")

    def __init__(self, offset, state, code):
        self.offset, self.state, self.code = offset, state, code


class GeneratorRecord(FunctionRecord):
    """What is known of one generator's code.

    Attributes:
        prepared: `resumable`'s. parts: list of Part. misses: how many are waited for next. entries: routines, the newest last.
        busy: something of it is being compiled.
    """

    def __init__(self, function, prepared):
        super().__init__(function, prepared.code)
        self.kept = function
        self.prepared = prepared
        self.block = FunctionBlock(function, prepared.code)
        self.parts, self.routines = [], []
        self.misses, self.busy = FIRST_MISSES, False


class PartUnit(Unit):
    """A part on its way through the compiler."""

    is_comprehension = is_part = True

    def __init__(self, record, manager):
        self.prepared = record.prepared
        super().__init__(record.kept, manager, record.code)

    def check(self, code, may_be_module):
        """See `resumable`."""

    def yields_in_loop(self, header):
        """See Unit.yields_in_loop: by position, because the loop may not be one of the part's."""
        end = self.instructions[header].target
        return any(instruction.operation == "YIELD_VALUE" for instruction in self.instructions[header:end])

    def decoded(self, code):
        """Its instructions, with the yields in their places."""
        instructions = list(super().decoded(code))
        for index, instruction in enumerate(instructions):
            if instruction.offset in self.prepared.yields and instruction.operation == "JUMP":
                instructions[index] = changed = copy(instruction)
                changed.operation, changed.target, changed.executing = "YIELD_VALUE", None, instruction.offset
                changed.following = self.prepared.yields[instruction.offset][0]
        return instructions


class Generators:
    """The generators that are resumed in compiled code.

    Attributes:
        compiler: the Compiler. records: id of a code object -> GeneratorRecord, or None: it is left alone.
    """

    def __init__(self, compiler):
        self.compiler = compiler
        self.records = {}

    def want(self, function):
        """Have the generators of this function's code compiled; returns its record, or None if they are left alone."""
        code = function.__code__
        found = self.records.get(id(code), self)
        if found is None or found is not self and found.prepared.generator is code:
            return found
        with self.compiler.lock:
            self.clean()
            record = self.records[id(code)] = self.prepare(code, function.__globals__)
            if record is None or not set_routine(code, self.build(record)):
                self.records[id(code)] = record = None
            return record

    @staticmethod
    def prepare(code, namespace):
        if code.co_filename.startswith(LEFT_ALONE) or not lead():
            return None
        try:
            prepared = resumable(code, raw_instructions(code), depths(code))
        except Unsupported:
            return None
        if prepared is None:
            return None
        return GeneratorRecord(FunctionType(code, namespace, code.co_name, None, tuple(CellType() for _ in code.co_freevars)), prepared)

    def clean(self):
        """Forget codes that nobody but we hold."""
        for key, record in list(self.records.items()):
            # The function's and `prepared`'s reference, and the argument.
            if record is None and len(self.records) > CODE_LIMIT or \
                    record is not None and not record.busy and sys.getrefcount(record.prepared.generator) <= 3:
                del self.records[key]
                if record is not None:
                    clear_routine(record.prepared.generator)
                    record.parts.clear()

    def build(self, record):
        """The address of a routine for the present parts."""
        record.routines.append(resume_entry.build(record, self.miss_handler(record)))
        return record.routines[-1].address

    def miss_handler(self, record):
        def miss(generator):
            if record.busy or self.compiler.nesting or BUDGET.depth:
                return
            with self.compiler.lock, BUDGET:
                record.busy = True
                try:
                    self.miss(record, generator)
                finally:
                    record.busy = False
                    if not self.compiler.nesting:
                        types.forget_examples()
        return miss

    def miss(self, record, generator):
        """A generator waits at a yield with values that no part takes: compile one. The routine is made anew in any case."""
        prepared = record.prepared
        if record.misses < MOST_MISSES:
            record.misses *= 1 + MORE_MISSES
        if monitoring.may_run():
            record.parts = [part for part in record.parts if self.is_valid(record, part)]
            offset = observe.read(id(generator) + layout().generator_frame + layout().frame_instruction) - \
                id(prepared.generator) - layout().code_adaptive - layout().instruction_resume_bias
            if offset in prepared.resumes and offset not in record.refused and len(record.parts) < PART_LIMIT and record.compilations < 2 * PART_LIMIT and \
                    sum(part.offset == offset for part in record.parts) < LIMIT_AT_ONE_YIELD:
                try:
                    self.compile(record, generator, offset)
                except (Unsupported, RecursionError, MemoryError) as problem:
                    record.refused[offset] = problem
                except Exception as problem:
                    record.refused[offset] = problem
                    self.compiler.give_up(record, record.kept, problem)
        if not record.parts and all(resume in record.refused for resume in prepared.resumes):
            clear_routine(prepared.generator)
        else:
            set_routine(prepared.generator, self.build(record))

    def is_valid(self, record, part):
        """Whether a part may go on being entered. Of one whose guards keep failing it is learnt what comes, or its yield is left alone."""
        code = part.code
        if not holds(code, record.kept):
            self.compiler.note_unstable(record, code)
            return False
        state = records.read_version(code.version_record)
        if not state.attention:
            return True
        if self.compiler.learn(record, code):
            return False
        if state.exits * 2 > state.calls:
            most = max(code.exits, key=lambda leaving: records.read_count(leaving.address))
            record.refused[part.offset] = Unsupported(f"it left its compiled code on most resumptions: {most.reason}",
                                                      most.instruction.line, most.instruction.operation)
            return False
        records.set_exit_limit(code.version_record, max(64, state.pressure * 8))
        records.clear_attention(code.version_record)
        return True

    def compile(self, record, generator, offset):
        """A Part for a generator that waits; raises Unsupported."""
        compiler = self.compiler
        unit = PartUnit(record, compiler)
        goes_on, depth = record.prepared.resumes[offset]
        header = next(index for index, instruction in enumerate(unit.instructions) if instruction.offset >= goes_on)
        if not BUDGET.affords(len(unit.instructions) * SECONDS_PER_INSTRUCTION):
            return
        frame = id(generator) + layout().generator_frame
        state = state_of(frame, header, unit.local_count, depth, unit.instructions[header].line)
        if state is None:
            return
        record.compilations += 1
        unit.record = record
        unit.types = None
        unit.entered = state
        unit.divide(record.leaders)
        knowledge = unit.knowledge = Knowledge(record.observed, compiler.unstable.names(record.kept), record.rigid, record.leaders)
        compiler.nesting += 1
        try:
            code = compile_function(unit, (types.INT,), [None], knowledge, record.block)
        finally:
            compiler.nesting -= 1
            state.forget()
        compiler.tally.compiled += 1
        if not unit.changed and holds(code, record.kept):
            record.parts.append(Part(offset, state, code))
