"""Generators: what lies between two yields, compiled.

Problem: a generator is not called but resumed, wherever its consumer asks for the next item: a loop, a builtin, another generator.
Idea: all of these ask through one slot of the type, which leads through a table of code objects (platforms/cpython/resumption.py) to a
routine per code. For each yield a generator has been found waiting at, the routine has versions (`Part`) for what its variables and operand
stack then held. A part *takes over* the values, as a version entered at a loop's header does (jit/loops.py), runs to the next yield, and
puts them back, so that between two items a generator is always as the interpreter would have left it: anybody may look
at it, close it, throw into it, or resume it interpreted.

What is kept per code object and not per function: generator expressions are functions made anew each time. Where a frame needs the function, it
is the generator's, which the routine names in its block (jit/entries.py). Nothing here holds the code, its functions or their globals.
"""

import atexit
from weakref import ref

from jit import resume_entry, types
from jit.attempts import retried
from jit.attention import holds
from jit.budget import BUDGET
from jit.decode import raw_instructions
from jit.delegation import routine
from jit.depths import depths
from jit.entering import compile_entered, state_of
from jit.entries import FunctionBlock
from jit.errors import Unsupported
from jit.function_records import FunctionRecord
from jit.machine import monitoring, records
from jit.machine.stack import is_room
from jit.ours import LEFT_ALONE
from jit.unit import Unit
from platforms.cpython.apart import APART
from platforms.cpython.audit import QUIET
from platforms.cpython.delegation import delegates
from platforms.cpython.resumption import clear_routine, lead, resumable, set_routine, waiting
from platforms.cpython.unnoticed import unnoticed

_GENERATOR, _OTHER_KINDS = 0x20, 0x80 | 0x200
#: Parts of one generator in all, and for one yield.
PART_LIMIT, LIMIT_AT_ONE_YIELD = 12, 4
#: What compiling takes at most, mostly.
SECONDS_PER_INSTRUCTION = 1e-4
#: Resumptions that find no part before one is compiled, how many times more after each, and at most.
FIRST_MISSES, MORE_MISSES, MOST_MISSES = 2, 3, 1 << 20


def is_generator(code):
    """Whether this is the code of a generator function or expression."""
    return code.co_flags & (_GENERATOR | _OTHER_KINDS) == _GENERATOR


class Part:
    """One version of what follows one yield.

    Attributes:
        offset: behind the yield, in the generator's own code. state: the LoopState it was compiled for. code: its Code. builtins: address
            of the dict it was compiled for.
    """

    __slots__ = ("offset", "state", "code", "builtins")

    def __init__(self, offset, state, code, function):
        self.offset, self.state, self.code = offset, state, code
        self.builtins = id(function.__builtins__)


class GeneratorRecord(FunctionRecord):
    """What is known of one generator's code.

    Attributes:
        generator: weak reference to the code. prepared: `resumable`'s. parts: list of Part. misses: how many are waited for next.
        routines: Entries, the newest last; former ones may still be running. busy: something of it is being compiled.
    """

    def __init__(self, function, prepared, generator):
        super().__init__(function, prepared.code)
        self.is_shared = True
        self.prepared, self.generator = prepared, generator
        self.block = FunctionBlock(None, prepared.code)
        self.parts, self.routines = [], []
        self.misses, self.busy = FIRST_MISSES, False


    def entered_codes(self):
        """See FunctionRecord."""
        return [part.code for part in self.parts]

    def drop_entered(self, is_stale):
        """See FunctionRecord. What is entered no more lives on in the routines."""
        self.parts = [part for part in self.parts if not is_stale(part.code)]


class PartUnit(Unit):
    """A part on its way through the compiler; `function` is that of a generator which waits for it."""

    is_comprehension = takes_iterator = is_part = is_shared = True

    def __init__(self, record, function, manager):
        self.prepared = record.prepared
        super().__init__(function, manager, record.code)

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
                instructions[index] = changed = instruction.copy()
                changed.operation, changed.target, changed.executing = "YIELD_VALUE", None, instruction.offset
                changed.following = self.prepared.yields[instruction.offset][0]
        return instructions


class Generators:
    """The generators that are resumed in compiled code.

    Attributes:
        compiler: the Compiler. known: id of a code object -> (weak reference to it, GeneratorRecord, or None: it is left alone).
        chained: ids of those that hand on what others yield.
        dead: GeneratorRecords of code that has died: a routine may be at its end still.
        is_over: the program ends. is_suspended: between `suspend` and `revive`.
    """

    def __init__(self, compiler):
        self.compiler = compiler
        self.known, self.chained = {}, set()
        self.dead = []
        self.is_over = self.is_suspended = False

    def all(self):
        """All records."""
        return [record for _, record in list(self.known.values()) if record is not None]

    def record_of(self, code):
        """The record of a code object, or None."""
        reference, record = self.known.get(id(code), (None, None))
        return record if reference is not None and reference() is code else None

    def want(self, function, automatic):
        """Have the generators of this function's code compiled, if that can be done.

        Args:
            automatic: nobody asked for it, so that it is done within the budget only.
        """
        code = function.__code__
        if self.is_over:
            return
        if id(code) in self.known:
            record = self.record_of(code)
            if record is not None:
                record.automatic = record.automatic and automatic
            return
        with self.compiler.lock:
            if not self.known:
                atexit.register(self.shut_down)
            if not self.compiler.compilation.nesting:  # what is being compiled holds what no record leads to yet
                self.compiler.make_room()
            record = self.prepare(function, code)
            if record is None and delegates(code):
                self.chain(code)
            if record is not None:
                record.automatic = automatic
                try:
                    is_led = set_routine(id(code), self.build(record))
                except MemoryError:
                    is_led = False
                record = record if is_led else None
            self.known[id(code)] = ref(code, self.forgetter(id(code))), record

    def chain(self, code):
        """Generators of this code that wait at a `yield from` are passed over (jit/delegation.py)."""
        if lead() and not code.co_filename.startswith(LEFT_ALONE):
            try:
                address = routine()
            except MemoryError:
                return
            if address is not None and set_routine(id(code), address):
                self.chained.add(id(code))

    def suspend(self):
        """Interpret what nobody asked for, until `revive`."""
        self.is_suspended = True
        self.unchain()
        self.clear(record for record in self.all() if record.automatic)

    def revive(self):
        """Undo `suspend`."""
        self.is_suspended = False
        for code in self.chained:
            set_routine(code, routine())
        for record in self.all():
            code = record.generator()
            if code is not None and record.routines:
                set_routine(id(code), record.routines[-1].address)

    def unchain(self):
        for code in self.chained:
            clear_routine(code)

    def shut_down(self):
        """The program ends: what the routines refer to may go before the last generator does."""
        self.is_over = True
        with QUIET:
            self.unchain()
            self.clear(self.all())
        self.dead += self.all()  # a thread may be in one
        self.known.clear()  # code that dies from now on concerns nobody: its callback would meet modules that have been taken down

    def sweep(self, is_running):
        """Let go of what dead code has left.

        Args:
            is_running: whether a stack leads into a list of Codes and Entries.
        """
        waiting, self.dead[:] = list(self.dead), []
        for record in waiting:
            if is_running([*record.routines, *record.entered_codes()]):
                self.dead.append(record)
            else:
                record.parts, record.routines = [], []  # which know the record

    @staticmethod
    def clear(found):
        for record in found:
            code = record.generator()
            if code is not None:
                clear_routine(id(code))

    def forgetter(self, address):
        """A callback for the death of the code at an address."""
        def forget(_, known=self.known, dead=self.dead, chained=self.chained, clear_routine=clear_routine):
            clear_routine(address)
            chained.discard(address)
            _, record = known.pop(address, (None, None))
            if record is not None:
                dead.append(record)
        return unnoticed(forget)

    @staticmethod
    def prepare(function, code):
        """A record, or None."""
        if code.co_filename.startswith(LEFT_ALONE) or not lead():
            return None
        try:
            prepared = resumable(code, raw_instructions(code), depths(code))
        except Unsupported:
            return None
        return None if prepared is None else GeneratorRecord(function, prepared, ref(code))

    def build(self, record):
        """The address of a routine for the present parts."""
        record.routines.append(resume_entry.build(record, self.miss_handler(record)))
        return record.routines[-1].address

    def miss_handler(self, record):
        """What is called with a generator for which there is no part."""
        def miss(generator):
            if record.busy or self.compiler.compilation.nesting or BUDGET.depth or not is_room():
                return
            with self.compiler.lock, APART, BUDGET:
                record.busy = True
                try:
                    self.miss(record, generator)
                except (RecursionError, MemoryError):
                    pass  # the routine stays what it is, and asks no more
                except Exception as problem:
                    self.give_up(record, problem)
                finally:
                    record.busy = False
                    if not self.compiler.compilation.nesting:
                        types.forget_examples()
        return miss

    def give_up(self, record, problem):
        """An error of ours: the generators stay interpreted."""
        self.clear([record])
        self.compiler.give_up(record, record.function(), problem)

    def miss(self, record, generator):
        """A generator waits at a yield with values that no part takes: compile one. The routine is made anew in any case."""
        code = record.generator()
        record.misses = min(MOST_MISSES, record.misses * MORE_MISSES)
        found = waiting(generator, code) if monitoring.may_run() else None
        if found is not None:
            record.function = ref(found.function)
            record.parts = [part for part in record.parts if self.is_valid(record, part, found.function)]
            if self.is_wanted(record, found.offset):
                self.try_compile(record, found)
        if self.is_over or self.is_suspended and record.automatic or not record.parts and all(resume in record.refused for resume in record.prepared.resumes):
            clear_routine(id(code))
        else:
            set_routine(id(code), self.build(record))

    def try_compile(self, record, found):
        """Add a part for what a generator that waits holds, or the reason why there is none."""
        offset = found.offset
        try:
            retried(self.compile, record, found)
        except Unsupported as problem:
            record.refused[offset] = problem.kept()
        except (RecursionError, MemoryError) as problem:
            record.refused[offset] = Unsupported(f"{type(problem).__name__} while compiling")
        except Exception as problem:
            record.refused[offset] = Unsupported(f"internal error: {problem!r}")
            self.compiler.give_up(record, found.function, problem)

    @staticmethod
    def is_wanted(record, offset):
        """Whether there is to be one more part."""
        return offset in record.prepared.resumes and offset not in record.refused and len(record.parts) < PART_LIMIT and \
            record.compilations < 2 * PART_LIMIT and sum(part.offset == offset for part in record.parts) < LIMIT_AT_ONE_YIELD

    def is_valid(self, record, part, function):
        """Whether a part may go on being entered. Of one whose guards keep failing it is learnt what comes, or its yield is left alone."""
        code = part.code
        if code.namespace != id(function.__globals__):
            return record.compilations < PART_LIMIT
        if not holds(code, function):
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
                                                      most.line, most.operation)
            return False
        records.set_exit_limit(code.version_record, max(64, state.pressure * 8))
        records.clear_attention(code.version_record)
        return True

    def compile(self, record, found):
        """A Part for a generator that waits; raises Unsupported."""
        unit = PartUnit(record, found.function, self.compiler)
        goes_on, depth = record.prepared.resumes[found.offset]
        header = next(index for index, instruction in enumerate(unit.instructions) if instruction.offset >= goes_on)
        if record.automatic and not BUDGET.allows_for(unit.code, len(unit.instructions) * SECONDS_PER_INSTRUCTION):
            return
        state = state_of(unit, header, found.values[:unit.local_count + depth])
        record.compilations += 1
        code = compile_entered(unit, record, state, record.leaders)
        if not unit.changed and holds(code, found.function):
            record.parts.append(Part(found.offset, state, code, found.function))
