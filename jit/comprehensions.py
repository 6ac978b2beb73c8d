"""Comprehensions whose code is that of a function of its own: its body is compiled once and entered directly.

Problem: ``[f(x) for x in a]`` makes a function, calls it with the iterator and drops it. CPython does all of that anew each time
(list, set and dict comprehensions before 3.12).
Idea: the function object exists only in parts (`VirtualFunction`): the code, and the cells of its free variables, which become further
arguments of the compiled body. The body's frames name the function that the comprehension stands in; CPython asks a frame's function
for nothing but its cells, before the first instruction that an exit can lead to.
Generator expressions that a builtin takes to its end (`CONSUMERS`) are comprehensions too. Their body collects what they would yield, or
decides what `any` and `all` ask; where it leaves, the interpreter goes on to the next yield, and there a generator is made that stands in
the middle of its run: the builtin is given an iterator over what was collected and that generator.
Functions that a function makes for itself, lambdas for one, are called in the same way, by it (bytecodes/nested.py) and by one another
(enclosing.py); there the function object exists, and is guarded to have its code still.
Invariants: nobody but the comprehension knows its iterator, which is called ``.0``, a name that no program can write.
"""

from types import CellType, CodeType
from weakref import ref

from jit.arguments import type_of_value
from jit.decode import raw_instructions
from jit.entries import FunctionBlock
from jit.function_records import FunctionRecord
from jit.iteration import DICT_ITERATORS, SET_ITERATOR, Entries, Enumerated, Members, Numbers, Sequence, Zipped, walked
from jit.ours import COMPREHENSIONS
from jit.types import NULL, OBJECT, Type, exact
from jit.unit import Unit, check_compilable
from jit.values import Value
from platforms.cpython.generators import collecting
from platforms.cpython.opcodes import NULL_FIRST

_ITERATORS = {type(iter([])): list, type(iter(())): tuple}
_RANGE_ITERATOR = type(iter(range(0)))
_GENERATOR, _NESTED = 0x20, 0x10
_OPTIMIZED_NEWLOCALS = 0x3
#: How builtins of one argument use a generator: ITEMS and LIST take any items into a list first, which LIST may show; KEYS hash each as it
#: comes, NUMBERS add each up.
ITEMS, LIST, KEYS, NUMBERS, ANY, ALL = "items", "list", "keys", "numbers", "any", "all"
UNSEEN = (ITEMS, KEYS, NUMBERS)
COLLECTING = (LIST, *UNSEEN)
CONSUMERS = {tuple: ITEMS, list: LIST, sorted: LIST, str.join: LIST, set: KEYS, frozenset: KEYS, sum: NUMBERS, any: ANY, all: ALL}
#: In the place of a use: the code is that of a function of which there is an object.
NESTED = "called"
#: `walked` of a source -> its Combined.
_COMBINED = {}
#: Further arguments of a body beside its iterator.
MOST_CELLS = 5


def is_comprehension(code):
    """Whether this is the code of a comprehension or generator expression, whose only argument is its iterator."""
    if not isinstance(code, CodeType) or code.co_argcount != 1 or code.co_varnames[:1] != (".0",) or code.co_kwonlyargcount or \
            len(code.co_freevars) > MOST_CELLS:
        return False
    kind = code.co_flags & ~_NESTED
    return kind == _OPTIMIZED_NEWLOCALS and code.co_name in COMPREHENSIONS or \
        kind == _OPTIMIZED_NEWLOCALS | _GENERATOR and code.co_name == "<genexpr>" and not code.co_cellvars


def is_generator(code):
    """Whether this is the code of a generator."""
    return bool(code.co_flags & _GENERATOR)


def consumer_below(w, depth):
    """How the builtin whose call is prepared `depth` below the top of the stack uses a generator, or None."""
    callee, is_method = callee_below(w, depth)
    for builtin, use in CONSUMERS.items():
        if callee is builtin:
            return use if is_method == (builtin is str.join) else None
    return None


def callee_below(w, depth):
    """(the constant whose call is prepared `depth` below the top of the stack, whether with an object to be its first argument)."""
    pair = w.state.stack[-depth - 2:-depth]
    if len(pair) < 2 or any(item.__class__ is not Value for item in pair):
        return None, False
    below, above = pair
    if NULL_FIRST and below.type is NULL:
        below, above = above, below
    return (below.constant if below.is_constant else None), above.type is not NULL


def is_called_at_once(w, index):
    """Whether the MAKE_FUNCTION at `index` makes a comprehension's function, and its call follows with no jump between."""
    instructions = w.instructions
    end = call_ahead(w, index)
    if end is None:
        return False
    if not is_generator(w.unit.code.co_consts[instructions[index - 1].argument]):
        return True
    following = instructions[end + 1]
    if not w.inside(end + 1) or (following.operation, following.argument, following.names) != ("CALL", 1, ()):
        return False
    build = instructions[w.index]
    return consumer_below(w, build.argument if build.operation == "BUILD_TUPLE" else operands_of(w.peek().constant)) is not None


def operands_of(code):
    """Operands of MAKE_FUNCTION and what follows it, for this code."""
    return 2 if code.co_freevars else 1


def call_ahead(w, index):
    """Where the function made at `index`, if it is a comprehension's, is called, with no jump between; else None."""
    instructions = w.instructions
    if not w.inside(index) or instructions[index].operation != "MAKE_FUNCTION" or w.inlined:
        return None
    load, build, following = instructions[index - 1], instructions[index - 2], instructions[index + 1]
    code = w.unit.code.co_consts[load.argument] if load.operation == "LOAD_CONST" else None
    if not is_comprehension(code):
        return None
    closed = following.argument if following.operation == "SET_FUNCTION_ATTRIBUTE" else instructions[index].argument
    if closed != (8 if code.co_freevars else 0) or closed and (build.operation, build.argument) != ("BUILD_TUPLE", len(code.co_freevars)):
        return None
    while w.inside(index + 1):
        index += 1
        if instructions[index].operation == "GET_ITER":
            call = instructions[index + 1]
            return index + 1 if w.inside(index + 1) and (call.operation, call.argument) == ("CALL", 0) else None
    return None


class ComprehensionUnit(Unit):
    """A comprehension on its way through the compiler; `function` is the one it stands in."""

    is_comprehension = takes_iterator = True

    def __init__(self, record, manager):
        self.consumer, self.collecting, self.is_shared = record.consumer, record.collecting, record.is_shared
        code = record.code
        super().__init__(record.function(), manager, code)
        free = self.local_count - len(code.co_freevars)
        self.argument_slots = (*range(code.co_argcount), *range(free, self.local_count))

    def check(self, code, may_be_module):
        """See `is_comprehension`."""

    def decoded(self, code):
        """Its instructions, from behind the one that fetches the cells: they are there already."""
        instructions = list(super().decoded(code))
        if instructions[0].operation == "COPY_FREE_VARS":
            instructions[0] = instructions[0].copy()
            instructions[0].offset = instructions[0].following
        for index, instruction in enumerate(instructions):
            if self.collecting is not None and instruction.offset in (self.collecting.yields, self.collecting.ends):
                instructions[index] = changed = instruction.copy()
                if instruction.offset == self.collecting.ends:
                    changed.operation = "GENERATOR_ENDS"
                else:
                    changed.operation, changed.target, changed.executing = "GENERATOR_YIELDS", None, instruction.offset
                    changed.following = instruction.following + 2
        return instructions


class NestedUnit(ComprehensionUnit):
    """A function that another makes for itself, which is `function`."""

    takes_iterator = False

    def check(self, code, may_be_module):
        check_compilable(code)


def iterator_type(w, value):
    """The `Type` under which an iterator is passed to a comprehension's body, which takes one that is known for its own."""
    state, source = w.state, value.facts
    if value not in state.owned or value in state.locals or state.stack.count(value) != 1:
        return OBJECT
    if source.__class__ is Numbers:
        return exact(_RANGE_ITERATOR)
    if source.__class__ is Sequence and source.step == 1 and source.python in (list, tuple):
        return exact(type(iter(source.python())))
    if source.__class__ is Entries:
        return exact(next(kind for kind, what in DICT_ITERATORS.items() if what == source.what))
    if source.__class__ is Members:
        return exact(SET_ITERATOR)
    if source.__class__ in (Enumerated, Zipped):
        bare = without_shapes(source)
        return OBJECT if bare is None else _COMBINED.setdefault(walked(bare), Combined(bare))
    return OBJECT


class Combined(Type):
    """The type of an enumeration or a zip whose parts are known. Attribute `source`: what it walks over."""

    __slots__ = ("source",)

    def __init__(self, source):
        super().__init__("enumerate" if source.__class__ is Enumerated else "zip", "gpr", enumerate if source.__class__ is Enumerated else zip, False)
        self.source = source


def without_shapes(source):
    """A source of which nothing is guessed; None if bodies are not compiled for such."""
    if source.__class__ is Enumerated:
        inner = without_shapes(source.source)
        return inner and Enumerated(inner, source.nonnegative)
    if source.__class__ is Zipped:
        parts = [without_shapes(part) for part in source.sources]
        return None if None in parts else Zipped(parts)
    if source.__class__ is Entries:
        return Entries(source.what, None)
    if source.__class__ is Sequence:
        return None if source.buffer is not None else Sequence(source.python, None, source.step)
    return source


def note_iterator(value):
    """What a body's iterator walks over follows from its type."""
    python = value.type.python
    if value.type.__class__ is Combined:
        value.facts = value.type.source
    elif python is _RANGE_ITERATOR:
        value.facts = Numbers()
    elif python in _ITERATORS:
        value.facts = Sequence(_ITERATORS[python], value.shape)
    elif python in DICT_ITERATORS:
        value.facts = Entries(DICT_ITERATORS[python], value.shape)
    elif python is SET_ITERATOR:
        value.facts = Members()


class Comprehensions:
    """The part of Compiler that compiles comprehensions."""

    def all_records(self):
        """The records of all functions and generators, and of the comprehensions in them."""
        waiting = list(self.records.values())
        waiting += self.generators.all()
        while waiting:
            record = waiting.pop()
            yield record
            waiting.extend(record.comprehensions.values())

    def comprehension(self, unit, walker, made, arguments):
        """See Unit.comprehension."""
        record = comprehension_record(unit.record, unit.function, made.code, made.consumer)
        kinds = iterator_type(walker, arguments[0]), *[exact(CellType)] * len(made.cells)
        if record.reason is not None or kinds in record.refused or kinds in record.in_progress:
            return None
        return self.target(unit, walker, record, kinds, arguments)

    def nested(self, unit, walker, record, arguments):
        """See Unit.nested."""
        cell = exact(CellType)
        kinds = record.versions_kinds(cell if value.type is cell else type_of_value(value) for value in arguments)
        if any(value.type.unboxed and kind is OBJECT for value, kind in zip(arguments, kinds)):
            return None
        if record is unit.record and kinds == unit.types:
            return self.itself(unit, walker)
        if record.reason is not None or kinds in record.refused or kinds in record.in_progress:
            return None
        return self.target(unit, walker, record, kinds, arguments)


def comprehension_record(enclosing, function, code, consumer):
    """The FunctionRecord of a comprehension, or of a function for which `consumer` is NESTED, in another function.

    Args:
        enclosing: the FunctionRecord of that one. function: itself.
    """
    found = enclosing.comprehensions.get((id(code), consumer))
    if found is not None and enclosing.is_shared:
        found.function = ref(function)  # the generator's own, of which there are many
    if found is None or found.source is not code:
        found = enclosing.comprehensions[id(code), consumer] = FunctionRecord(function, code)
        found.source, found.consumer, found.collecting, found.is_shared, found.enclosing = code, consumer, None, enclosing.is_shared, enclosing
        found.name, found.is_called = code.co_qualname, True  # by nobody else
        if consumer is NESTED:
            found.consumer, found.is_nested = None, True
        elif consumer is not None:
            found.collecting = collecting(code, raw_instructions(code), consumer in COLLECTING)
            if found.collecting is None:
                found.reason = "its bytecode is not what Python's compiler makes of a generator expression"
                return found
            found.code = found.collecting.code
        found.block = FunctionBlock(None if enclosing.is_shared else function, found.code)
    return found
