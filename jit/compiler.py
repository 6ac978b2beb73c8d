"""One function, one tuple of argument types -> machine code in executable memory.

    decode -> blocks -> walk -> order -> liveness -> allocate -> descriptors -> emit -> link

Every arrow is a function from one plain value to the next; `JIT_DUMP` prints them (jit/dump.py).
"""

import weakref
from sys import is_finalizing
from time import perf_counter

from asm import Assembler, r8, r9, r10, r11, r12, r13, rbx, rdi, rsi
from asm import xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12
from jit import descriptors, dump, perfmap, types
from jit.alive import Alive
from jit.emitter import Emitter
from jit.errors import NOT_WORTHWHILE, NotWorthwhile, Unsupported
from jit.flags import merge_flags
from jit.holding import can_die, identity
from jit.hoisting import hoist
from jit.liveness import Numbering
from jit.order import arrange
from jit.profit import expected_gain, is_hoped_for, is_promising, is_worthwhile, promise, shows_frames
from jit.machine import arena, records, routines
from jit.machine.dictionaries import rely
from jit.machine.rooms import Room
from jit.restarting import mark_restarts
from jit.templates import (attributes, body_calls, boxing, buffers, calls, classes, collected, control, dictionaries, floats, globals, generators, hoisted, instances, items, iterating, loops, mixed, numbers, sets, slices, stores, strings, sums)  # noqa: F401
from jit.unit import ABSENT
from jit.values import ExitNote, exit_note
from jit.walk import walk
from platforms.cpython import symbols, threads
from platforms.cpython.dictionaries import hint
from platforms.cpython.layout import layout
from platforms.cpython.unnoticed import unnoticed
from regalloc import allocate, verify

GPRS = (rsi, rdi, r8, r9, r10, r11, rbx, r12, r13)
XMMS = (xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12)
REGISTERS = {"gpr": GPRS, "xmm": XMMS}
LOST_IN_C = frozenset((rsi, rdi, r8, r9, r10, r11) + XMMS)
LOST_IN_BODY = frozenset(GPRS + XMMS)
#: A body's frame may not be larger: the entry wrapper counts on it when it divides the C stack.
FRAME_LIMIT = 4000
#: Bytecode instructions beyond which a function stays interpreted.
INSTRUCTION_LIMIT = 50_000
#: Exits and notes after which a version that is only hoped for is looked at (see records.FIRST_EXIT_LIMIT).
SHORT_EXIT_LIMIT = 4


#: Every version there is.
CODES = Alive()


class Code:
    """The machine code of one version and all that belongs to it.

    Attributes:
        types, result: argument and result `Type`s. returned: ClassReferences of what it probably returns. address: of the body. size: bytes of machine code.
        namespace: address of the globals it was compiled for. noted: what `ExitNote`s are made of: tuples, which the collector does not look at. data: address of the data block. kept: Python objects it holds the addresses of.
        watched: weak references to more such objects; when one dies, the version is never entered again and
            left at its next check. foreign: whether a call of it can run code other than its own. shows: whether it gives frames of its callers away.
        taken: positions of the arguments whose reference the body takes over, see Unit.taken.
        promise: see profit.promise. gain: nanoseconds, see profit.expected_gain. on_trial, was_tried: see trials.py. callees: BodyCells it calls through. checked_address: where the body asks first for what it relies on.
        expected: site -> the types and classes that had been seen there when this was compiled.
        argument_shapes: Remembered or None of each argument; returned_shape: of the result, if it is a container.
        version_record: address. seconds: time to compile. chunks: see `listing`, in one tuple: the collector looks at all that is kept of
            versions, again and again.
    """

    __slots__ = ("types", "result", "address", "block", "size", "data", "kept", "callees", "version_record", "seconds",
                 "chunks", "noted", "namespace", "dependencies", "words", "notes", "function_record", "frame_size", "bytes", "__weakref__",
                 "data_size", "knowledge", "watched", "foreign", "room", "checked_address", "argument_shapes", "expected", "returned", "returned_shape", "shows",
                 "promise", "gain", "on_trial", "was_tried", "taken")

    def listing(self):
        """(offset, end, comments) of all of its machine code; comments: strings and Instructions."""
        parts = iter(self.chunks)
        for start in parts:
            end, count = next(parts), next(parts)
            yield start, end, [next(parts) for _ in range(count)]

    @property
    def exits(self):
        """`ExitNote` of each place where it may leave."""
        return [ExitNote(*note) for note in self.noted]


class Context:
    """What the emitter takes from outside; see `Emitter`."""


def compile_function(unit, argument_types, shapes, knowledge, function_record):
    """Compile `unit` for these argument types.

    Args:
        unit: Unit. argument_types: list of Type. shapes: list of Shape or None. knowledge: Knowledge.
        function_record: FunctionBlock, the function's record in the data arena.

    Returns:
        Code.

    Raises:
        Unsupported: the function (for these types) is left interpreted.
    """
    try:
        return _compile(unit, argument_types, shapes, knowledge, function_record)
    finally:
        unit.take_apart()


def _compile(unit, argument_types, shapes, knowledge, function_record):
    started = perf_counter()
    if len(unit.instructions) > INSTRUCTION_LIMIT:
        raise Unsupported("too many instructions")
    kinds = list(argument_types)
    if not calls.in_registers(kinds):
        raise Unsupported("too many arguments")
    walker = walk(unit, kinds, shapes, knowledge)
    if unit.unreached and not walker.returns and not walker.loops_reached:
        unit.unreached = frozenset()
        walker = walk(unit, kinds, shapes, knowledge)
    try:
        order, loops = arrange(walker.entry)
    except Unsupported:
        # Versions of nested loops can be entered from one another; one version of each block cannot.
        knowledge.version_limit = 1
        walker = walk(unit, kinds, shapes, knowledge)
        order, loops = arrange(walker.entry)
    prune(walker, order)
    hoist(walker, loops, knowledge.rigid)
    dump.show_walk(unit, order)
    result = walker.result_type()
    if not walker.returns and not walker.loops_reached:
        reason, line, operation = unit.notes[0] if unit.notes else ("it never returns", None, None)
        raise Unsupported(reason, line, operation)
    is_called = unit.entered is None and unit.record is not None and unit.record.is_called
    if not is_worthwhile(order, unit.entered is not None and not unit.is_part, not unit.is_second, is_called):
        raise NotWorthwhile(NOT_WORTHWHILE, helps_callers=is_promising(expected_gain(order), 0.0, is_called=True))
    argument_registers = calls.argument_registers(kinds)
    numbering = Numbering(order, loops, list(zip(walker.entry.parameters, argument_registers)), LOST_IN_C, LOST_IN_BODY)
    overflow = entry_exit(unit, walker)
    overflow.position = order[0].start + 1
    intervals = list(numbering.intervals.values())
    allocation = allocate(intervals, REGISTERS, numbering.clobbers, numbering.loops)
    if dump.CHECK:
        verify(intervals, allocation, REGISTERS, numbering.clobbers, numbering.loops)
    dump.show_allocation(unit, numbering, allocation)
    for interval in intervals:
        interval.hint = None  # so that no two refer to each other
    context = make_context(unit, walker, order, allocation, argument_registers, result, overflow)
    if drops_at_return(order):
        mark_self_calls(order)
    code = Code()
    exits = collect_exits(order, overflow)
    code.taken = () if unit.entered else unit.taken(kinds)
    mark_restarts(order if unit.entered is None else [], {walker.entry.parameters[index] for index in code.taken})
    mark_loops(exits, numbering)
    place_data(unit, code, exits, allocation, context, function_record.address)
    try:
        emit_code(unit, code, walker, numbering, allocation, context)
    except BaseException:
        arena().free_data(code.data)
        raise
    if is_hoped_for(order):
        records.set_exit_limit(code.version_record, SHORT_EXIT_LIMIT)
    code.types, code.result = tuple(kinds), result
    code.promise, code.gain = promise(order), expected_gain(order)
    code.on_trial, code.was_tried = not is_promising(code.gain, code.promise, is_called), False
    code.returned = tuple(dict.fromkeys(walker.returned))
    code.kept, watched = unit.kept_and_watched()
    poison = poisoner(code.version_record)
    code.watched = [weakref.ref(item, poison) for item in watched if can_die(item)]
    code.callees = list(unit.callees)
    code.expected = {key: frozenset(seen) for key, seen in knowledge.observed.items()}
    code.argument_shapes, code.returned_shape = list(map(types.remember, shapes)), returned_shape(walker)
    code.foreign = runs_foreign_code(order)
    code.shows = any(shows_frames(operation) for block in order for operation in block.operations)
    code.namespace = id(unit.function.__globals__)
    code.dependencies = [(None if namespace is unit.function.__globals__ else namespace, key, identity(expected))
                         for namespace, key, expected in unit.dependencies.values()]
    code.words, code.notes = unit.words, unit.notes
    code.noted = tuple(map(exit_note, exits))
    code.function_record = function_record
    code.frame_size = context.frame_size
    code.knowledge = knowledge
    code.room = Room(free, code.block, code.data)
    code.seconds = perf_counter() - started
    CODES.note(code)
    dump.show_code(unit, code)
    return code


def returned_shape(walker):
    """What callers may guess of the items of a container that is returned, or None."""
    shapes = {id(value.shape): value.shape for value in walker.returns}
    shape = shapes.popitem()[1] if len(shapes) == 1 else None
    return types.remember(shape) if shape is not None and shape.element is not None else None


def poisoner(version_record):
    """A weak reference's callback: an object whose address a version holds has died."""

    def poison(_, is_finalizing=is_finalizing):
        if not is_finalizing():
            records.poison(version_record)

    return unnoticed(poison)


def runs_foreign_code(order):
    """Whether a body can run code that is not its own before it returns: calls, finalisers, signal handlers."""
    for block in order:
        for operation in block.operations:
            name = operation.template.name
            if name in ("callout", "poll", "store_global_int", "store_global_float") or operation.after is not None and name != "call_body":
                return True
            if name == "call_body" and operation.detail.target.foreign:
                return True
        if block.terminator.template.name == "return" and block.terminator.detail:
            return True
    return False


def drops_at_return(order):
    """Whether a finaliser may run while a body returns, when it is too late for the body itself to notice its effects."""
    return any(block.terminator.template.name == "return" and block.terminator.detail for block in order)


def mark_self_calls(order):
    """Let recursive calls check what the version relies on when they return."""
    for block in order:
        for operation in block.operations:
            if operation.template.name == "call_body" and operation.detail.target.address is None:
                operation.detail.target.foreign = True


def mark_loops(exits, numbering):
    """Which exits lie in a loop, and which have none before them."""
    first_loop = min((start for start, _ in numbering.loops), default=2 * numbering.count + 2)
    for leaving in exits:
        leaving.early = leaving.position <= first_loop
        leaving.in_loop = any(start <= leaving.position <= end for start, end in numbering.loops)


def free(block, data):
    """Give a dead version's memory back."""
    arena().free_code(block)
    arena().free_data(data)


_DROPS = ("drop", "drop_if")


def prune(walker, order):
    """Take out equal flags, and drops of what turned out to be numbers, or never to be bound: types of loop parameters are known late."""
    merge_flags(walker)
    for block in order:
        block.operations = [operation for operation in block.operations
                            if operation.template.name not in _DROPS or holds_reference(operation.arguments[-1])]
        terminator = block.terminator
        if terminator.template.name == "return":
            terminator.detail = [(value, flag) for value, flag in terminator.detail if holds_reference(value)]
            flags = [flag for _, flag in terminator.detail if flag is not True]
            terminator.arguments = terminator.arguments[:1] + [value for value, _ in terminator.detail] + flags


def holds_reference(value):
    return value.type.is_object and value.type is not types.PENDING


def entry_exit(unit, walker):
    """The exit taken when the recursion budget is used up: the interpreter starts the function from its beginning."""
    state = walker.entry.state
    from jit.values import Exit
    leaving = Exit("recursion limit", unit.instructions[0], *state.snapshot())
    leaving.resume, leaving.executing = unit.instructions[0].offset, unit.instructions[0].executing
    leaving.number = len(walker.exits)
    return leaving


def collect_exits(order, overflow):
    """The exits that operations refer to, each once."""
    found = {overflow: None}
    for block in order:
        for operation in (*block.operations, block.terminator):
            for leaving in (operation.exit, operation.after, operation.mismatch):
                if leaving is not None:
                    found[leaving] = None
    return list(found)


def make_context(unit, walker, order, allocation, argument_registers, result, overflow):
    outgoing, has_calls = 0, False
    for block in order:
        for operation in block.operations:
            if operation.template.clobbers or operation.after is not None:
                has_calls = True
                if operation.template.name in ("callout", "call_body", "blind_vectorcall", "join_texts"):
                    outgoing = max(outgoing, calls.FIRST_OPERAND + len(operation.arguments))
            elif operation.template.name == "poll":
                has_calls = True
        if block.terminator.detail and block.terminator.template.name == "return":
            has_calls = True
    context = Context()
    context.has_frame_slot = has_calls
    context.first_slot = max(outgoing, calls.FIRST_OPERAND if has_calls else 0)
    size = 8 * (context.first_slot + allocation.slots)
    context.frame_size = size + (8 if size % 16 == 0 else 0)
    if context.frame_size > FRAME_LIMIT:
        raise Unsupported("too many values live at once")
    context.routines = routines()
    context.result = result
    context.is_entered = unit.entered is not None  # whoever enters it has seen to it that there are levels of recursion left
    context.argument_registers = argument_registers
    context.overflow_exit = overflow
    context.eval_breaker = threads.eval_breaker()
    context.symbol = symbols.address
    return context


def place_data(unit, code, exits, allocation, context, function_record):
    """Allocate and fill the version's data block: version record, words, dependencies, descriptors."""
    writer = descriptors.DescriptorWriter(allocation.locations, context.first_slot)
    made = []
    for leaving in exits:
        entries, count = writer.entries(leaving)
        made.append((leaving, entries, count, writer.loose_entries(leaving)))
    words, dependencies = guard_tables(unit)
    context.words = words
    sizes = [records.descriptor_size(len(entries) + len(loose)) for _, entries, _, loose in made]
    head = records.version_size(len(words), len(dependencies))
    code.data_size = head + sum(sizes)
    code.data = code.version_record = context.version_record = arena().allocate_data(code.data_size)
    records.write_version(code.data, words, dependencies)
    base = symbols_code_address(unit.code)
    address = code.data + head
    biases = layout()
    for (leaving, entries, count, loose), size in zip(made, sizes):
        leaving.address = address
        records.write_descriptor(
            address, frame_size=context.frame_size, stacktop=count, function_record=function_record,
            version_record=code.version_record,
            resume=_at(base, leaving.resume, biases.instruction_resume_bias),
            executing=_at(base, leaving.executing, biases.instruction_executing_bias),
            following=_at(base, leaving.following, biases.instruction_resume_bias),
            observe=writer.observe(leaving),
            flags=records.HAS_FRAME_SLOT * context.has_frame_slot | records.RESTARTS * leaving.restarts | records.NULL_ABOVE * leaving.null_above |
            records.ENTERED * (unit.entered is not None and not unit.is_part),
            identity=leaving.number, entries=entries, loose=loose, weight=records.LOOP_WEIGHT if leaving.in_loop else records.WEIGHT_ELSEWHERE)
        address += size


def _at(base, offset, bias):
    return 0 if offset is None else base + offset + bias


def symbols_code_address(code):
    """Address of a code object's first instruction."""
    return id(code) + layout().code_adaptive


def guard_tables(unit):
    """The version's words and dependencies.

    Returns:
        (list of (address, expected, kind), list of (dict address, key address, expected address or 0, address of its type or 0, Hint or None)).
    """
    words = []
    seen = set()
    for namespace, key, expected in unit.dependencies.values():
        if id(namespace) not in seen:
            seen.add(id(namespace))
            words.append(records.dictionary_word(namespace))
            rely(namespace)
    for address, expected in unit.words.items():
        words.append((address, expected, 1))
    dependencies = [(id(namespace), id(key), *((0, 0, None) if expected is ABSENT else (*identity(expected), hint(namespace, key))))
                    for namespace, key, expected in unit.dependencies.values()]
    return words, dependencies


def emit_code(unit, code, walker, numbering, allocation, context):
    assembler = Assembler(comments=True)
    emitter = Emitter(assembler, walker, numbering, allocation, context)
    emitter.emit()
    bound = assembler.size_bound()
    code.block = arena().allocate_code(bound)
    try:
        text = assembler.finish(code.block)
        arena().write_code(code.block, text)
    except BaseException:
        arena().free_code(code.block)
        raise
    code.address = code.block + emitter.body_label.offset
    code.checked_address = code.block + emitter.checked_label.offset
    code.size = len(text)
    code.bytes = text
    perfmap.note(code.block, len(text), f"py::{unit.name}:{unit.code.co_filename}")
    code.chunks = tuple(part for start, end, comments in assembler.listing() for part in (start, end, len(comments), *comments))
