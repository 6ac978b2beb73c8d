"""Comprehensions whose code is that of a function of its own: its body is compiled once and entered directly.

Problem: ``[f(x) for x in a]`` makes a function, calls it with the iterator and drops it. CPython does all of that anew each time
(list, set and dict comprehensions before 3.12).
Idea: the function object exists only in parts (`VirtualFunction`): the code, and the cells of its free variables, which become further
arguments of the compiled body. The body's frames name the function that the comprehension stands in; CPython asks a frame's function
for nothing but its cells, before the first instruction that an exit can lead to.
Invariants: nobody but the comprehension knows its iterator, which is called ``.0``, a name that no program can write.
"""

from types import CellType, CodeType

from jit.entries import FunctionBlock
from jit.function_records import FunctionRecord
from jit.iteration import Numbers, Sequence
from jit.types import OBJECT, exact
from jit.unit import Unit

_NAMES = frozenset({"<listcomp>", "<setcomp>", "<dictcomp>"})
_ITERATORS = {type(iter([])): list, type(iter(())): tuple}
_RANGE_ITERATOR = type(iter(range(0)))
_OPTIMIZED_NEWLOCALS = 0x3
#: Further arguments of a body beside its iterator.
MOST_CELLS = 5


def is_comprehension(code):
    """Whether this is the code of a comprehension, whose only argument is its iterator."""
    return isinstance(code, CodeType) and code.co_name in _NAMES and code.co_argcount == 1 and code.co_varnames[:1] == (".0",) and \
        code.co_flags & ~0x1F == 0 and not code.co_flags & 0xC and not code.co_kwonlyargcount and len(code.co_freevars) <= MOST_CELLS


def is_called_at_once(w, index):
    """Whether the MAKE_FUNCTION at `index` makes a comprehension's function, and its call follows with no jump between."""
    instructions = w.instructions
    if not w.inside(index) or instructions[index].operation != "MAKE_FUNCTION" or w.inlined:
        return False
    load, build, following = instructions[index - 1], instructions[index - 2], instructions[index + 1]
    code = w.unit.code.co_consts[load.argument] if load.operation == "LOAD_CONST" else None
    if not is_comprehension(code):
        return False
    closed = following.argument if following.operation == "SET_FUNCTION_ATTRIBUTE" else instructions[index].argument
    if closed != (8 if code.co_freevars else 0) or closed and (build.operation, build.argument) != ("BUILD_TUPLE", len(code.co_freevars)):
        return False
    while w.inside(index + 1):
        index += 1
        if instructions[index].operation == "GET_ITER":
            return w.inside(index + 1) and instructions[index + 1].operation == "CALL" and instructions[index + 1].argument == 0
    return False


class ComprehensionUnit(Unit):
    """A comprehension on its way through the compiler; `function` is the one it stands in."""

    is_comprehension = True

    def __init__(self, function, code, manager):
        super().__init__(function, manager, code)
        free = self.local_count - len(code.co_freevars)
        self.argument_slots = (0, *range(free, self.local_count))
        first = self.instructions[0]
        if first.operation == "COPY_FREE_VARS":
            # The cells are there already.
            first.offset = first.following


def iterator_type(value):
    """The `Type` under which an iterator is passed to a comprehension's body."""
    source = value.facts
    if source.__class__ is Numbers:
        return exact(_RANGE_ITERATOR)
    if source.__class__ is Sequence and source.step == 1 and source.python in (list, tuple):
        return exact(type(iter(source.python())))
    return OBJECT


def note_iterator(value):
    """What a body's iterator walks over follows from its type."""
    python = value.type.python
    if python is _RANGE_ITERATOR:
        value.facts = Numbers()
    elif python in _ITERATORS:
        value.facts = Sequence(_ITERATORS[python], value.shape)


class Comprehensions:
    """The part of Compiler that compiles comprehensions."""

    def all_records(self):
        """The records of all functions, and of the comprehensions in them."""
        waiting = list(self.records.values())
        while waiting:
            record = waiting.pop()
            yield record
            waiting.extend(record.comprehensions.values())

    def comprehension(self, unit, walker, code, arguments):
        """See Unit.comprehension."""
        record = comprehension_record(unit, code)
        kinds = iterator_type(arguments[0]), *[exact(CellType)] * len(code.co_freevars)
        if record is None or kinds in record.refused or kinds in record.in_progress:
            return None
        return self.target(unit, walker, record, kinds, arguments)


def comprehension_record(unit, code):
    """The FunctionRecord of a comprehension in a unit, or None if it has none."""
    found = unit.record.comprehensions.get(id(code))
    if found is None or found.code is not code:
        found = FunctionRecord(unit.function, code)
        found.block = FunctionBlock(unit.function, code)
        unit.record.comprehensions[id(code)] = found
    return found
