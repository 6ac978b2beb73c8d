"""Finding the loop that a frame runs in, and compiling a version that takes the frame over at its header.

See jit/loops.py (what is compiled), jit/loop_entry.py (how it is entered), platforms/cpython/back_edges.py (when).
"""

import ctypes
from types import CellType

from jit import loop_entry, types
from jit.arguments import type_of_argument
from jit.attempts import retried
from jit.attention import holds
from jit.budget import BUDGET, Work
from jit.compiler import compile_function
from jit.decode import parameter_count
from jit.depths import depths
from jit.entries import FunctionBlock
from jit.errors import Unsupported
from jit.iteration import DICT_ITERATORS, SET_ITERATOR, Entries, Enumerated, Members, Numbers, Sequence, Zipped
from jit.loops import LoopState, Slot
from jit.machine import activations, monitoring, records
from jit.machine.building import SKETCHED
from jit.types import OBJECT, Shape, exact, shape_of
from jit.unit import Unit, is_module
from jit.walk import Knowledge
from platforms.cpython import observe
from platforms.cpython.apart import APART
from platforms.cpython.back_edges import OWNED_BY_THREAD, Trap
from platforms.cpython.instances import object_at
from platforms.cpython.layout import layout
from platforms.cpython.resumption import UNBOUND

#: Versions of one loop, each compiled for what the slots held then.
VERSION_LIMIT = 4
#: What compiling takes at most, mostly: a loop that costs more than is allowed is left to the next call.
SECONDS_PER_INSTRUCTION = 2e-4
#: Exits in a second of the processor's time after which a loop is entered no more: to enter and leave takes a microsecond. The same of trace events while
#: it was waited for, of which each takes 0.1 microseconds.
MOST_EXITS, MOST_EVENTS = 100_000, 200_000
#: Iterators with a position in a sequence -> the sequence's type.
_SEQUENCES = {type(iter(kind())): kind for kind in (list, tuple, bytes, bytearray, str)}
_CELL = exact(CellType)


class Loops:
    """The loops of one function that have been entered while they ran.

    Attributes:
        entries: offset of a header -> list of (LoopState, Entry), the newest last. refused: offsets of headers that are left alone.
        stale: former entries. looked: id of an Entry -> (processor's time when its exits were looked at last, how many there were, trace events by then).
    """

    def __init__(self):
        self.entries = {}
        self.refused = set()
        self.stale = []
        self.looked = {}

    def leaves_at_once(self, entry, exits, events):
        """Whether a version has left so often, since this was asked last, that entering it costs more than it can gain.

        Args:
            exits: so far. events: trace events in vain so far, of the process: see `Trap.in_vain`.
        """
        found = now, _, _ = BUDGET.clock(), exits, events
        before, exits_before, events_before = self.looked.get(id(entry), found)
        self.looked[id(entry)] = found
        return exits - exits_before > MOST_EXITS * (now - before) or events - events_before > MOST_EVENTS * (now - before)

    def codes(self):
        """(line of the loop, Code) of each."""
        return [(state.line, entry.versions[0]) for known in self.entries.values() for state, entry in known]

    def drop(self, is_stale):
        """Forget entries to versions for which `is_stale` holds; they stay where they are, because one may be waited for."""
        for known in self.entries.values():
            self.stale += [item for item in known if is_stale(item[1].versions[0])]
            known[:] = [item for item in known if not is_stale(item[1].versions[0])]

    def refuse(self, codes):
        """Enter the loops of these versions no more."""
        self.refused.update(offset for offset, known in self.entries.items() if any(entry.versions[0] in codes for _, entry in known))
        self.drop(codes.__contains__)

    def all(self):
        """All Entries."""
        return [entry for known in self.entries.values() for _, entry in known]


class LoopEntering:
    """Enters running loops; one per process.

    Attributes:
        compiler: the Compiler. trap: the Trap that catches the frame. allows: whether a compilation of this code object may be done, which takes so many seconds.
    """

    def __init__(self, compiler, allows=lambda code, seconds: True):
        self.compiler = compiler
        self.allows = allows
        self.trap = Trap()

    def enter(self, function, frame):
        """Let a running frame of the main thread go on in compiled code from the header of its loop, when it next comes there.

        Args:
            function: of the frame, which the caller holds. frame: address of the interpreter's frame, which is that of one of
                the callers.

        Returns:
            whether that is under way.
        """
        compiler = self.compiler
        with compiler.lock, APART, BUDGET:
            try:
                return self.enter_loop(function, frame)
            finally:
                if not compiler.compilation.nesting:
                    types.forget_examples()

    def note_arguments(self, function, frame):
        """Note what a function has been called with, if nothing is known of that: it may be hot before it is called again.

        Args: function: which is registered. frame: address of the interpreter's frame of one of its calls, a caller of ours.
        """
        record = self.compiler.records.get(id(function))
        if record is not None and not record.seen and record.function() is function:
            self.compiler.do_unless_busy(self.look_at_arguments, record, frame)

    def look_at_arguments(self, record, frame):
        """See `note_arguments`."""
        try:
            with BUDGET:
                code = record.code
                values = values_in(frame, parameter_count(code)) if _is_plain(frame, code) else None
                if values is not None:
                    record.seen.append([None if slot.type is _CELL else types.remember(slot.shape) for slot in map(_slot, values)])
        finally:
            if not self.compiler.compilation.nesting:
                types.forget_examples()

    def enter_loop(self, function, frame):
        """See `enter`."""
        compiler = self.compiler
        record = compiler.register(function, automatic=True)
        code = function.__code__
        if record.reason is not None and not is_module(code) or record.code is not code or not monitoring.may_run() or \
                not _is_plain(frame, code):
            return False
        if record.loops is None:
            record.loops = Loops()
            record.block = record.block or FunctionBlock(function, code)
        unit = Unit(function, compiler, may_be_module=True)
        for header in headers_around(unit, _index_at(unit.instructions, _offset(frame, code))):
            offset = unit.instructions[header].offset
            if offset not in record.loops.refused and self.enter_at(record, unit, header, frame):
                return True
        return False

    @staticmethod
    def is_inside():
        """Whether a version that was entered is running, or one of its exits, so that it may be entered again."""
        return activations.read_depth() > 0

    def enter_at(self, record, unit, header, frame):
        """Set the trap at one header; compile if need be."""
        offset = unit.instructions[header].offset
        state = state_at(unit, header, frame)
        if state is None:
            return False
        entry = self.fitting(record, offset, state)
        if offset in record.loops.refused:
            return False
        if entry is None:
            size = sum(unit.flow.ends[block] - block for block in unit.flow.loops[header])
            if not self.allows(unit.code, size * SECONDS_PER_INSTRUCTION):
                return False
            try:
                entry = retried(self.compile, record, unit.function, header, offset, state)
            except (Unsupported, RecursionError, MemoryError):
                record.loops.refused.add(offset)
            except Exception as problem:
                self.compiler.give_up(record, unit.function, problem)
            if entry is None:
                return False
        return self.trap.set(unit.code, frame, offset, entry.address, entry)

    def fitting(self, record, offset, state):
        """The entry compiled for such a state, if there is none to be had that is better; else None."""
        for known, entry in record.loops.entries.get(offset, ()):
            code = entry.versions[0]
            if known.key() != state.key() or not holds(code, record.function()):
                continue
            counted = records.read_version(code.version_record)
            if not counted.attention:
                return entry
            if not self.compiler.learn(record, code) or len(record.loops.entries[offset]) >= VERSION_LIMIT:
                # It leaves often, and nothing is known that would change that.
                if record.loops.leaves_at_once(entry, counted.exits, self.trap.in_vain):
                    record.loops.refused.add(offset)  # it is entered no more, for it still wants attention
                    return None
                records.set_exit_limit(code.version_record, max(64, counted.pressure * 8))
                records.clear_attention(code.version_record)
                return entry
        return None

    def compile(self, record, function, header, offset, state):
        """A new version of a loop; None if the program has changed meanwhile what it relies on. Raises Unsupported."""
        known = record.loops.entries.setdefault(offset, [])
        if len(known) >= VERSION_LIMIT:
            raise Unsupported("compiled too often")
        compiler = self.compiler
        for _, entry in known:
            code = entry.versions[0]
            compiler.learn(record, code)
            if not holds(code, function):
                compiler.note_unstable(record, code)
        unit = Unit(function, compiler, may_be_module=True)
        code = compile_entered(unit, record, state, set())
        if unit.changed or not holds(code, function):
            return None
        entry = loop_entry.build(function, code, state, offset)
        known.append((state, entry))
        record.loops.leaves_at_once(entry, 0, self.trap.in_vain)  # what is lost counts from now on
        return entry


def compile_entered(unit, record, state, leaders):
    """The Code of a version that takes a frame's values over, in this LoopState; `leaders`: see walk.Knowledge. Raises Unsupported."""
    compiler = unit.manager
    unit.record, unit.types, unit.entered = record, None, state
    unit.divide(record.leaders)
    unit.knowledge = Knowledge(record.observed, compiler.unstable.names(unit.function), record.rigid, leaders)
    try:
        with compiler.compilation, Work() as work:
            code = compile_function(unit, (types.INT,), [None], unit.knowledge, record.block)
            work.promise = code.promise
    finally:
        state.forget()
    compiler.tally.compiled += 1
    return code


def headers_around(unit, index):
    """Indexes of the headers of the loops around an instruction, the innermost first."""
    start = max(begin for begin in unit.flow.ends if begin <= index)
    around = [(len(body), header) for header, body in unit.flow.loops.items() if start in body]
    return [header for _, header in sorted(around)]


def _index_at(instructions, offset):
    """The index of the canonical instruction that an offset belongs to; a frame that has just begun is before the first."""
    return max((index for index, instruction in enumerate(instructions) if instruction.offset <= offset), default=0)


def _is_plain(frame, code):
    """Whether the interpreter runs the frame, nobody else knows it, and it is that of a function called in the usual way."""
    fields = layout()
    shown = observe.read(frame + fields.frame_object)
    return observe.read(frame + fields.frame_code) == id(code) and observe.read(frame + fields.frame_owner, 1) == OWNED_BY_THREAD and \
        observe.read(frame + fields.frame_stacktop, 4) != SKETCHED and _has_usual_locals(frame, code) and \
        (not shown or observe.read(shown + fields.ob_refcnt) == 1)


def _has_usual_locals(frame, code):
    """Whether nobody has been given the locals of a function as a dict; a module's are its globals."""
    fields = layout()
    usual = observe.read(frame + fields.frame_globals) if is_module(code) else 0
    return observe.read(frame + fields.frame_locals) == usual


def _offset(frame, code):
    """The byte offset of the instruction that a frame executes."""
    return observe.read(frame + layout().frame_instruction) - id(code) - layout().code_adaptive


def state_at(unit, header, frame):
    """The LoopState of a frame that runs in the loop of `header`: iterators and what else lies below are the same all the time.

    Returns:
        None if the depth of the stack is not known, or an iterator is just dying.
    """
    try:
        depth = depths(unit.code)[unit.instructions[header].offset]
    except (Unsupported, KeyError):
        return None
    values = values_in(frame, unit.local_count + depth)
    return None if values is None else state_of(unit, header, values)


def values_in(frame, count):
    """What the first places of a frame hold, or None if an iterator is just dying.

    Args: frame: address of a frame of this thread that runs.
    """
    base = frame + layout().frame_localsplus
    addresses = [observe.read(base + 8 * number) for number in range(count)]
    if any(address and not observe.read(address + layout().ob_refcnt) for address in addresses):
        return None
    return [ctypes.cast(address, ctypes.py_object).value if address else UNBOUND for address in addresses]


def state_of(unit, header, values):
    """The LoopState of a frame with these variables and operands that is to go on at an instruction."""
    slots = [_slot(value) for value in values]
    return LoopState(header, slots[:unit.local_count], slots[unit.local_count:], unit.instructions[header].line)


def _slot(value):
    if value is UNBOUND:
        return Slot(None)
    if type(value) is CellType:
        return Slot(_CELL, Shape(_CELL, _shape_in(value)))
    source = source_of(value)
    return Slot(OBJECT if source is not None else type_of_argument(value), shape_of(value), source)


def _shape_in(cell):
    """The Shape of a cell's content, or None if it is empty."""
    try:
        return shape_of(cell.cell_contents)
    except ValueError:
        return None


def source_of(iterator):
    """What an iterator walks over, as its fields say, or None."""
    fields = layout()
    kind = type(iterator)
    if kind is type(iter(range(0))):
        return Numbers()
    for known, sequence in _SEQUENCES.items():
        if kind is known:
            _, walked = object_at(id(iterator) + fields.sequence_iterator_sequence)
            return Sequence(sequence, shape_of(walked)) if type(walked) is sequence else None
    for known, what in DICT_ITERATORS.items():
        if kind is known:
            is_alive, walked = object_at(id(iterator) + fields.dict_iterator_dict)
            return Entries(what, shape_of(walked)) if is_alive else None
    if kind is SET_ITERATOR:
        return Members() if observe.read(id(iterator) + fields.set_iterator_set) else None
    if kind is enumerate:
        inner = source_of(object_at(id(iterator) + fields.enumerate_iterator)[1])
        return None if inner is None else Enumerated(inner, False)
    if kind is zip:
        _, parts = object_at(id(iterator) + fields.zip_iterators)
        inner = [source_of(part) for part in parts]
        return None if not inner or None in inner else Zipped(inner)
    return None
