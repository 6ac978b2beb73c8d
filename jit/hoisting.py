"""Loop-invariant reads of lists and byte arrays, moved in front of the loop.

Problem: ``a[i][k] * b[k][j]`` looks up the row ``a[i]``, and the size and the place of the items of every list, in each turn.
Idea: an innermost loop whose operations change nothing but numbers, and run no code of others, cannot change them. They are read
before the loop; what an item's read still has to do is check the index and the item's type. Only where the loop lets pending
work in (`poll`) may anything have happened: behind that, out of line, the reads are done once more.
Invariants: a moved guard leaves before the loop's first turn, or, when it fails behind a poll, where that poll would have left.
Source: Aho, Lam, Sethi, Ullman, "Compilers", 9.5 (code motion).
"""

from jit.template import find
from jit.types import ARRAY, BYTEARRAY, INT, LIST
from jit.values import Exit, Operation, RangeIterator, Value, VirtualFunction, VirtualTuple

#: What loops may consist of: none of these changes a container's header or a pointer in it, or runs foreign code.
QUIET = frozenset({
    *(f"BINARY_OP {symbol}" for symbol in ("+", "-", "*", "/", "//", "%", "**", "&", "|", "^", "<<", ">>")),
    *(f"{family}_{kind}" for family in ("item", "known_item", "element") for kind in ("int", "float", "bool", "object", "exact")),
    "item_byte", "abs", "min", "max", "sqrt", "round", "floor", "ceil", "float_to_int", "libm_1", "libm_2", "UNARY_NEGATIVE",
    "UNARY_INVERT", "bool_to_int", "not", "truth", "COMPARE_OP", "branch_compare", "branch_bool", "branch_counter", "branch_same",
    "advance", "decrement", "int_to_float", "int_to_exact_float", "unbox_int", "unbox_float", "unbox_double", "unbox_bool", "guard_type", "guard_size",
    "same", "incref", "jump", "poll", "length", "store_byte", "store_element_int", "store_element_float", "code_at", "code_of",
    "text_equal", "guard_levels", "range_length", "guard_range_end", "leave"})
#: Reads that are moved whole when their operands are invariant.
_MOVED = frozenset({"item_int", "item_float", "item_bool", "item_object", "item_exact", "length"})
#: What reads or writes an item, and can do so by the address and number of the items.
_BY_ADDRESS = frozenset({*(f"item_{kind}" for kind in ("int", "float", "bool", "object", "exact", "byte")), "store_byte",
                         *(f"{family}_{kind}" for family in ("element", "store_element") for kind in ("int", "float"))})


def hoist(walker, loops, rigid):
    """Move what can be moved out of the innermost loops.

    Args:
        walker: the finished Walker. loops: from `order.arrange`. rigid: offsets of loops in front of which a guard has failed.

    Returns:
        whether anything was moved.
    """
    parents = {loop.parent for loop in loops}
    return any([_Hoister(walker, loop).run() for loop in loops
                if loop not in parents and walker.instructions[loop.header.index].offset not in rigid])


class _Hoister:
    """One loop. `before`: the operations that were moved in front of it."""

    def __init__(self, walker, loop):
        self.walker = walker
        self.loop = loop
        self.blocks = loop.blocks
        self.before = []
        self.headers = {}

    def run(self):
        entries = [edge for edge in self.loop.header.predecessors if edge.source not in self.blocks]
        if len(entries) != 1 or entries[0].source.terminator.template.name != "jump" or not self.is_quiet():
            return False
        self.edge = entries[0]
        for block in self.spine():
            block.operations = [operation for operation in block.operations if not self.moves(operation)]
        if not self.before:
            return False
        self.edge.source.operations.extend(self.before)
        self.repeat_behind_polls()
        return True

    def is_quiet(self):
        for block in self.blocks:
            for operation in (*block.operations, block.terminator):
                if operation.template.name not in QUIET or operation.after is not None:
                    return False
        return True

    def spine(self):
        """The blocks that every turn runs through, from the header on, as far as the loop does not fork."""
        block = self.loop.header
        while True:
            yield block
            inside = [edge.target for edge in block.edges if edge.target in self.blocks and edge.target is not self.loop.header]
            if len(inside) != 1 or len(inside[0].predecessors) != 1:
                return
            block = inside[0]

    def is_invariant(self, value):
        return value.is_constant or value.block not in self.blocks

    def moves(self, operation):
        """Move an operation, or what it reads of a list's header; True if nothing of it stays."""
        name = operation.template.name
        if name in _MOVED and all(map(self.is_invariant, operation.arguments)):
            if operation.exit is not None:
                operation.exit = self.exit_before(operation.exit.reason)
            if operation.mismatch is not None:
                leaving = operation.mismatch
                operation.mismatch = self.exit_before(leaving.reason, leaving.observe, leaving.site)
            for value in operation.results:
                value.block = self.edge.source
            self.before.append(operation)
            return True
        if name in _BY_ADDRESS and self.is_invariant(operation.arguments[0]):
            container = operation.arguments[0]
            readers = _header_readers(container)
            # Whether a memoryview may be written to is looked at where it is written to.
            if readers is not None and not (name.startswith("store") and container.type.python is memoryview):
                operation.arguments = [*self.header_of(container, readers), *operation.arguments[1:]]
                operation.template = find(f"at_{name}", operation.arguments)
        return False

    def header_of(self, container, readers):
        """(address of a container's items, their number), read before the loop."""
        found = self.headers.get(container)
        if found is None:
            found = self.headers[container] = []
            for name, detail in readers:
                operation = Operation(find(name, [container]), [container], [], None, None, detail, self.edge.source.terminator.instruction)
                if operation.template.takes_exit:
                    operation.exit = self.exit_before(operation.template.label.replace("_", " "))
                value = self.walker.value(INT)
                value.block = self.edge.source
                operation.results.append(value)
                self.before.append(operation)
                found.append(value)
        return found

    def exit_before(self, reason, observe=None, site=None):
        """An exit that resumes at the loop's header, in the state in which it is entered."""
        header, edge = self.loop.header, self.edge
        given = dict(zip(header.parameters, edge.arguments))
        state = header.state
        counts = {}
        for value in state.owned:
            value = _passed(given, value)
            if value.__class__ is Value and not value.is_constant and value.type.is_object:
                counts[value] = counts.get(value, 0) + 1
        owned = frozenset(value for value, count in counts.items() if count > edge.increfs.count(value))
        bounds = [_passed(given, flag) if flag.__class__ is Value else flag for flag in state.bound]
        bounds = [bool(flag.constant) if flag.__class__ is Value and flag.is_constant else flag for flag in bounds]
        values = [None if value is None else _passed(given, value) for value in state.locals]
        stack = [_passed(given, item) for item in state.stack]
        instruction = self.walker.instructions[header.index]
        made = Exit(reason, instruction, tuple(values), tuple(bounds), tuple(stack), owned)
        made.resume, made.executing = instruction.offset, instruction.executing
        made.observe, made.site, made.hoisted = observe, site, instruction.offset
        made.number = len(self.walker.exits)
        self.walker.exits.append(made)
        return made

    def repeat_behind_polls(self):
        """Polls do the moved reads again; what these need and give lives as long as the loop."""
        values = [value for operation in self.before for value in (*operation.arguments, *operation.results) if not value.is_constant]
        for block in self.blocks:
            for operation in block.operations:
                if operation.template.name == "poll":
                    operation.detail = self.loop.header, self.before
                    operation.arguments = list(dict.fromkeys(values))


def _passed(given, item):
    """What an item of the header's state is on entry; `given`: arguments by parameter."""
    if item.__class__ is RangeIterator:
        return RangeIterator(*(part and _passed(given, part) for part in (item.next, item.stop, item.step, item.remaining)))
    if item.__class__ is VirtualTuple:
        return VirtualTuple([_passed(given, part) for part in item.items])
    if item.__class__ is VirtualFunction:
        return VirtualFunction(item.code, tuple(_passed(given, cell) for cell in item.cells), item.consumer)
    return given.get(item, item)


def _header_readers(container):
    """(template name, detail) for the address and the number of a container's items; None if it has no such header."""
    if container.is_constant:
        return None
    if container.type is LIST:
        return ("list_items", None), ("length", list)
    if container.type is BYTEARRAY:
        return ("bytearray_items", None), ("length", bytearray)
    if container.type.buffer is not None:
        return (("array_items", None), ("length", ARRAY)) if container.type.python is ARRAY else (("view_items", None), ("view_length", None))
    return None
