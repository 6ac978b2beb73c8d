"""The typed SSA form that flows from the abstract walk to the emitter.

Invariants:
    * A `Value` is defined once, by one `Operation` or as a parameter of one `Block`.
    * An `Exit` holds the whole state of the interpreter at one bytecode: what each local and each
      operand-stack item is. It is a *use* of every value it names.
    * Ownership is a property of the state, not of the value: a value in `owned` carries exactly one reference that
      the compiled code must hand on or drop, however many slots name it.
"""

from jit.types import INT, NULL, OBJECT, STATIC_ADDRESSES, UNBOXED, exact


class Value:
    """One SSA value.

    Attributes:
        number: its name in dumps. type: `Type`. constant: the Python object if `is_constant`.
        shape: `Shape` guess of a container or None. permanent: a borrowed reference valid for the whole activation.
        mortal: a constant that may die where what it was read from is rebound. known: the mortal constant that this is, held by a reference.
        origin: names the place where the value comes from, the same in every compilation, or None.
        start, end, weight, hint: live interval, filled in by the compiler.
    """

    __slots__ = ("number", "type", "constant", "is_constant", "shape", "permanent", "start", "end", "weight", "hint",
                 "home", "block", "facts", "origin", "mortal", "known")

    def __init__(self, number, type, shape=None):
        self.number = number
        self.type = type
        self.constant = None
        self.is_constant = False
        self.shape = shape
        self.permanent = False
        self.start = self.end = -1
        self.weight = 0.0
        self.hint = None
        self.home = None
        self.block = None
        self.facts = None
        self.origin = None
        self.mortal = False
        self.known = None

    def __repr__(self):
        if self.is_constant:
            return f"{self.constant!r:.24}"
        return f"v{self.number}:{self.type.name}"


def constant_value(number, constant):
    """A value known while compiling; it occupies no register."""
    kind = type(constant)
    static = id(kind) in STATIC_ADDRESSES  # which runs no code of a metaclass
    value_type = UNBOXED.get(kind) if static else OBJECT
    if value_type is INT and not -(1 << 63) <= constant < 1 << 63:
        value_type = exact(int)
    elif value_type is None:
        value_type = exact(kind)
    value = Value(number, value_type)
    value.constant = constant
    value.is_constant = True
    value.permanent = True
    return value


def null_value():
    """The NULL beside a callable on the operand stack."""
    value = Value(-1, NULL)
    value.is_constant = True
    value.permanent = True
    return value


def by_number(values):
    """A set of Values in an order that is the same in every compilation."""
    return sorted(values, key=lambda value: value.number)


class NotAValue(Exception):
    """An item of the operand stack that exists only in parts was used as a value; Python's compiler writes no such code."""


class InParts:
    """What stands on the operand stack for an object that is not made yet."""

    __slots__ = ()

    @property
    def type(self):
        raise NotAValue

    is_constant = facts = shape = type


class RangeIterator(InParts):
    """A range iterator that exists only as numbers; an exit builds the object.

    Attributes:
        next, step: Values (int). stop: Value if the loop tests ``next < stop`` (the step's sign is known), else None.
        remaining: Value counting the items left if the sign is only known at run time, else None.
    """

    __slots__ = ("next", "stop", "step", "remaining")

    def __init__(self, next, stop, step, remaining):
        self.next = next
        self.stop = stop
        self.step = step
        self.remaining = remaining

    def moves_like(self, other):
        """Whether one loop can be made for both: what it tests follows from the step, unless the items are counted."""
        if self.remaining is None:
            return other.remaining is None and self.step is other.step
        return other.remaining is not None

    def parts(self):
        """Its values in descriptor order."""
        return (self.next, self.stop if self.remaining is None else self.remaining, self.step)

    def __repr__(self):
        return f"range({self.next}, {self.stop or self.remaining}, {self.step})"


class BackwardRange(InParts):
    """A range between its call and the call of `reversed` that follows at once, where no exit leads.

    Attributes:
        first, step, remaining: Values of the iterator that comes of it.
    """

    __slots__ = ("first", "step", "remaining")

    def __init__(self, first, step, remaining):
        self.first, self.step, self.remaining = first, step, remaining

    def parts(self):
        """Its values."""
        return self.first, self.step, self.remaining


class LocalFunction:
    """Facts of a function that was made in this one: its `code`, the Values of its `cells`, and its `defaults` if they are a constant tuple."""

    __slots__ = ("code", "cells", "defaults")

    def __init__(self, code, cells=(), defaults=()):
        self.code = code
        self.cells = cells
        self.defaults = defaults


class VirtualTuple(InParts):
    """A tuple on the operand stack that is about to be taken apart; an exit builds it. `items`: Values and VirtualTuples."""

    __slots__ = ("items",)

    def __init__(self, items):
        self.items = items

    def __repr__(self):
        return f"({', '.join(map(repr, self.items))})"


class VirtualFunction(InParts):
    """The function of a comprehension, which is called at once and then gone; an exit in between makes it.

    Attributes:
        code: its code object. cells: Values, of its free variables. consumer: None, or how what the call gives is used (see comprehensions.py).
    """

    __slots__ = ("code", "cells", "consumer")

    def __init__(self, code, cells, consumer=None):
        self.code = code
        self.cells = cells
        self.consumer = consumer

    def __repr__(self):
        return f"function({', '.join([self.code.co_name, *map(repr, self.cells)])})"


def named_by(item):
    """The Values that an item of the operand stack stands for."""
    if item.__class__ is Value:
        return (item,)
    if item.__class__ is RangeIterator or item.__class__ is BackwardRange:
        return item.parts()
    if item.__class__ is VirtualFunction:
        return item.cells
    return [value for part in item.items for value in named_by(part)]


class Exit:
    """A place where compiled code gives its frame to the interpreter.

    Attributes:
        reason: text. instruction: the `Instruction` at which (or after which) the interpreter goes on.
        resume, executing, following: byte offsets (None where the exit has no such use).
        locals, bound, stack: the state. owned: values that carry a reference.
        observe: Value whose type a failed guard reports, or None.
        number: index among the version's exits. address: of its descriptor, once placed. labels: of its stubs, by
            routine. site: key under which an observed type is remembered. position: last position at which it is taken.
        restarts: nothing that anybody could notice has happened before it, so the interpreter may make the whole call.
        loose: owned values that no slot names, which are to be dropped. null_above: a NULL lies on top of the result of "exit_after". hoisted: offset of the loop it was moved in front of, or None.
            early: no loop lies before it, so taking it means that little was gained.
    """

    __slots__ = ("reason", "instruction", "resume", "executing", "following", "locals", "bound", "stack", "owned",
                 "observe", "number", "address", "labels", "routine", "site", "position", "early", "hoisted", "restarts", "in_loop", "null_above", "loose")

    def __init__(self, reason, instruction, locals, bound, stack, owned):
        self.reason = reason
        self.instruction = instruction
        self.resume = self.executing = self.following = None
        self.locals = locals
        self.bound = bound
        self.stack = stack
        self.owned = owned
        self.observe = None
        self.number = -1
        self.address = 0
        self.labels = {}
        self.routine = "exit_start"
        self.site = None
        self.position = -1
        self.early = self.in_loop = False
        self.hoisted = None
        self.restarts = self.null_above = False
        self.loose = ()

    def values(self):
        """Every non-constant Value the exit needs (with repeats)."""
        for value in self.locals:
            if value is not None and not value.is_constant:
                yield value
        for flag in self.bound:
            if flag.__class__ is Value:
                yield flag
        for item in self.stack:
            for value in named_by(item):
                if not value.is_constant:
                    yield value
        yield from self.loose
        if self.observe.__class__ is Value:
            yield self.observe


class ExitNote:
    """What is kept of an `Exit` once it is compiled; attributes as there, `line` and `operation` of its instruction."""

    __slots__ = ("address", "number", "reason", "line", "operation", "routine", "site", "hoisted", "early")

    def __init__(self, *fields):
        (self.address, self.number, self.reason, self.line, self.operation, self.routine, self.site, self.hoisted,
         self.early) = fields


def exit_note(leaving):
    """The fields of an Exit's ExitNote."""
    instruction = leaving.instruction
    return (leaving.address, leaving.number, leaving.reason, instruction.line, instruction.operation, leaving.routine, leaving.site,
            leaving.hoisted, leaving.early)


class Operation:
    """One step of machine work: a template applied to values.

    Attributes:
        template: `Template`. arguments: Values. results: Values. exit: `Exit` or None.
        detail: anything else the template wants (a symbol, an offset, a list of exits).
        instruction: where it comes from.
    """

    __slots__ = ("template", "arguments", "results", "exit", "after", "mismatch", "detail", "instruction",
                 "position")

    def __init__(self, template, arguments, results, exit, after, detail, instruction):
        self.template = template
        self.arguments = arguments
        self.results = results
        self.exit = exit
        self.after = after
        self.mismatch = None
        self.detail = detail
        self.instruction = instruction
        self.position = -1

    def __repr__(self):
        results = ", ".join(map(repr, self.results))
        arguments = ", ".join(map(repr, self.arguments))
        return f"{results}{' = ' if results else ''}{self.template.name}({arguments})"


#: Facts of lists that generator expressions have been collected in: of any items, of numbers and strings, of any for who shows the list.
COLLECTED, COLLECTED_PLAIN, COLLECTED_LIST = "collected", "collected plain", "collected list"
#: Facts of an object that holds nothing but numbers and strings, and that nobody else will ever see.
HOLDS_PLAIN = "holds plain"


class Edge:
    """A jump from one block to another, with the values its parameters get.

    Attributes:
        arguments: Values, one for each of target.parameters. increfs: Values that need one more reference each.
    """

    __slots__ = ("source", "target", "arguments", "increfs", "label", "backward")

    def __init__(self, source, target):
        self.source = source
        self.target = target
        self.arguments = []
        self.increfs = []
        self.label = None
        self.backward = False


class Block:
    """A basic block specialised on the types of its state.

    Attributes:
        index: first instruction. parameters: Values. operations: list. terminator: Operation. edges: outgoing, in the
        terminator's order. predecessors: incoming Edges. state: entry `State`. is_header: a loop starts here.
    """

    __slots__ = ("index", "number", "parameters", "slots", "operations", "terminator", "edges", "predecessors", "state",
                 "is_header", "depth", "start", "end", "label", "loop", "order", "generic")

    def __init__(self, index, number):
        self.index = index
        self.number = number
        self.parameters = []
        self.slots = []
        self.operations = []
        self.terminator = None
        self.edges = []
        self.predecessors = []
        self.state = None
        self.is_header = False
        self.depth = 0
        self.start = self.end = -1
        self.label = None
        self.loop = None
        self.order = -1
        self.generic = False

    def take_apart(self):
        """Refer to nothing any more."""
        self.parameters = self.slots = self.operations = self.edges = self.predecessors = ()
        self.terminator = self.state = self.loop = None

    def __repr__(self):
        return f"block{self.number}"


def renamed(item, old, new):
    """A stack item with `new` in the place of `old`."""
    if item.__class__ is VirtualTuple:
        return VirtualTuple([renamed(part, old, new) for part in item.items])
    if item.__class__ is VirtualFunction:
        return VirtualFunction(item.code, tuple(renamed(cell, old, new) for cell in item.cells), item.consumer)
    return new if item is old else item


#: Fewer characters than the digits from which on CPython makes ints in Python code (3.12: Lib/_pylong.py).
SHORT = 4000


def may_be_large(value):
    """Whether an argument may be an int of more than 64 bits, or is a long text; other texts are to be guarded."""
    if value.is_constant:
        return type(value.constant) is int and not -1 << 63 <= value.constant < 1 << 63 or type(value.constant) is str and len(value.constant) > SHORT
    return value.type.is_object and value.type.python is int
