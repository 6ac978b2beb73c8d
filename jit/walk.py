"""The abstract walk: canonical instructions -> typed SSA blocks, specialised on types.

Problem: bytecode says ``BINARY_OP +``; machine code must know *int + int*. And a local may be an int on the
first turn of a loop and a float from the second on.
Idea: interpret the bytecode over types instead of values, starting from the argument types. A block is walked
once for each combination of types that reaches it (lazy basic block versioning: Chevalier-Boisvert & Feeley,
"Simple and Effective Type Check Removal through Lazy Basic Block Versioning", ECOOP 2015), up to `VERSION_LIMIT`; beyond that its
slots are boxed. Loads, stores, constants and stack shuffles only rename values.
Invariants: see jit/values.py. A block is walked only after all its forward predecessors; a loop header's
parameters are its assigned locals, and a local unbound on entry gets a flag and a type decided by the back edge.
"""

import heapq

from jit.budget import BUDGET
from jit.comprehensions import note_iterator
from jit.errors import NOT_RUN, InternalError, Unsupported
from jit.loops import take_over
from jit.merge import Merger, Restart
from jit.state import State
from jit.types import ARRAY, OBJECT, PENDING, exact
from jit.values import NotAValue

#: Versions of one bytecode block before its differing slots are boxed.
VERSION_LIMIT = 4
#: Walks of one function before it is given up (each walk after the first knows more).
WALK_LIMIT = 12
#: Seconds after which what nobody asked to be compiled is walked no more: a large function whose types do not settle is begun anew a dozen times.
LONGEST_WALKS = 0.15
#: Blocks, all versions together, beyond which a function is left interpreted.
BLOCK_LIMIT_FACTOR = 8

HANDLERS = {}

#: What may stand at the border of a handler's range: no compiled code of theirs raises, short of memory running out.
NEVER_RAISE = frozenset({
    "LOAD_CONST", "LOAD_FAST", "STORE_FAST", "PUSH_NULL", "POP_TOP", "COPY", "SWAP", "JUMP", "NOP", "RETURN_VALUE", "LOAD_FAST_AND_CLEAR",
    "BUILD_TUPLE", "BUILD_LIST", "BUILD_SET", "BUILD_MAP", "IS_OP", "END_FOR", "JUMP_BACKWARD", "POP_JUMP_IF_NONE", "POP_JUMP_IF_NOT_NONE",
    "LOAD_GLOBAL", "LOAD_DEREF"})


def bytecode(*operations):
    """Declare the decorated function ``handler(walker, instruction)`` as the meaning of canonical operations.

    A handler returns True when it has ended the block.
    """

    def declare(handler):
        for operation in operations:
            if operation in HANDLERS:
                raise InternalError(f"two handlers for {operation}")
            HANDLERS[operation] = handler
        return handler

    return declare


_ARRAY = exact(ARRAY) if ARRAY is not None else None


class Knowledge:
    """What survives from one walk (and one compilation) of a function to the next.

    Attributes:
        version_limit: versions of one bytecode block before its differing slots are boxed. generic: blocks whose differing slots are boxed. megamorphic: blocks that methods
            of many classes reach on the stack, which are merged. leaders: instructions that begin a block because several
            versions of the one before lead there. peeled: (block, local) walked once unbound, once bound.
        result: the type of the function's own result, once known. observed: site -> set of Python types met there.
        unstable: globals that keep changing. checks_stores: what is relied on is checked after stores into globals. rigid: offsets of loops in front of which a moved guard has failed.
    """

    def __init__(self, observed=None, unstable=None, rigid=(), leaders=None):
        self.generic = set()
        self.megamorphic = set()
        self.leaders = set() if leaders is None else leaders
        self.peeled = set()
        self.result = None
        self.version_limit = VERSION_LIMIT
        self.observed = {} if observed is None else observed
        self.unstable = set() if unstable is None else unstable
        self.rigid = rigid
        self.checks_stores = False


class Walker(Merger):
    """One walk. `operations`: see the methods that handlers use, from `push` on."""

    def __init__(self, unit, knowledge):
        super().__init__(unit, knowledge)
        self.instructions = unit.instructions
        self.flow = unit.flow
        self.blocks = unit.blocks
        self.versions = {}
        self.pending = {}
        self.heap = []
        self.returns = []
        self.returned = []
        self.deferred = self.incomplete = False
        self.calls_itself = False
        self.loops_reached = False
        self.overwritten = set()
        self.computed = {}
        self.limit = BLOCK_LIMIT_FACTOR * len(self.flow.ends) + 64

    # -- running ---------------------------------------------------------------------------

    def run(self, argument_types, shapes):
        """Walk the function.

        Args:
            argument_types: `Type` of each parameter, in the order of the code's locals. shapes: `Shape` or None of each.
        """
        first = self.unit.entered.header if self.unit.entered else 0
        entry = self.new_block(first)
        self.entry = entry
        state = State(self.unit.local_count)
        taken = () if self.unit.entered else self.unit.taken(argument_types)
        for index, (kind, shape) in enumerate(zip(argument_types, shapes)):
            value = self.value(kind, shape)
            value.permanent = index not in taken or self.unit.argument_slots[index] not in self.unit.rebound  # then its variable holds it to the end
            value.origin = "argument", index
            entry.parameters.append(value)
            if self.unit.entered is None:
                slot = self.unit.argument_slots[index]
                state.locals[slot] = value
                state.bound[slot] = True
        state.owned = frozenset(entry.parameters[index] for index in taken)
        if self.unit.takes_iterator and self.unit.entered is None:
            note_iterator(state.locals[0])
        entry.state = state
        self.begin(entry, state.copy())
        self.instruction = self.instructions[first]
        self.snapshot_state()
        self.prologue()
        self.jump(first)
        while self.heap:
            _, index = heapq.heappop(self.heap)
            incoming = self.pending.pop(index, None)
            if incoming:
                for block in self.receive(index, incoming):
                    self.walk(block)
        written = self.unit.manager.unstable.relied_upon(self.unit.dependencies)
        if written:
            self.knowledge.unstable |= written
            raise Restart
        if self.relies_on_overwritten():
            self.knowledge.checks_stores = True
            raise Restart
        if self.deferred:
            self.resolve_result()
        if self.incomplete:
            raise Restart

    def prologue(self):
        """At the start of a body that may be entered again and again: let pending work in; prove what arrays hold. Or take a frame's values."""
        if self.unit.entered is not None:
            take_over(self, self.unit.entered)
            return
        if self.unit.polls_at_entry:
            self.operation("poll", exit=self.exit("eval breaker"))
        from jit.bytecodes.buffers import buffer_of
        for value in dict.fromkeys(self.state.locals):
            if value is not None and value.type is _ARRAY:
                buffer_of(self, value)  # each block that indexes it would have versions with and without

    def relies_on_overwritten(self):
        """Whether a callee takes a global for constant that this function overwrites without asking afterwards."""
        namespace = id(self.unit.function.__globals__)
        return any((namespace, name) in self.unit.dependencies for name in self.overwritten)

    def resolve_result(self):
        """A call of the function itself was met before its result type was known."""
        self.knowledge.result = self.type_of_returns()
        raise Restart

    def type_of_returns(self):
        """The representation of the result: unboxed if all returns agree, else an object."""
        found = {value.type for value in self.returns}
        return found.pop() if len(found) == 1 else OBJECT

    def result_type(self):
        """The same, as calls of the function by itself have been told."""
        return self.knowledge.result if self.calls_itself else self.type_of_returns()

    def told_wrong(self):
        """Whether a result type that calls of the function by itself have been told is not that of all returns."""
        if not self.calls_itself or self.knowledge.result in (OBJECT, self.type_of_returns()):
            return False
        self.knowledge.result = OBJECT
        return True

    def walk(self, block):
        """Walk one block version from its first instruction to the end of the basic block."""
        self.begin(block, block.state.copy())
        self.end = self.flow.ends[block.index]
        index = block.index
        fresh = True
        if self.unit.is_module and index not in self.flow.loops[self.unit.entered.header]:
            self.instruction = self.instructions[index]
            self.snapshot_state()
            self.leave("the module's loop has ended")
            return
        instructions = self.instructions
        while index < self.end:
            self.instruction = instruction = instructions[index]
            self.index = index
            self.group = None
            if fresh:
                self.snapshot_state(instruction.last)
                if instruction.own in self.unit.unreached:
                    self.leave(NOT_RUN)
                    return
            fresh = instruction.last
            handler = HANDLERS.get(instruction.operation)
            if handler is None:
                self.leave(f"{instruction.operation} is not compiled")
                return
            if instruction.executing in self.unit.handlers_missed and instruction.operation not in NEVER_RAISE:
                self.leave("its exception handler begins or ends here")
                return
            try:
                ended = handler(self, instruction)
            except NotAValue:
                self.leave("an iterator or a tuple in parts is used as a value")
                return
            if ended:
                return
            if self.state.owned:
                self.let_go()
            if self.drops and instruction.last:
                self.flush_drops()
            index = self.index + 1
        self.instruction = None
        self.jump(self.end)

    def inside(self, index):
        """Whether the instruction at `index` belongs to the basic block being walked."""
        return index < self.end

    def go_on_behind(self):
        """Walk on into the block that follows the current instruction, if nothing else leads there; else False."""
        following = self.end
        if following in self.flow.joins or self.index + 1 != following:
            return False
        self.end = self.flow.ends[following]
        return True

    def flush_drops(self):
        """Drop what the first half of a fused instruction let go: the interpreter cannot resume between the halves."""
        drops, self.drops = self.drops, []
        for value, flag in drops:
            self.drop(value, flag)

    def begin(self, block, state):
        self.block = block
        self.state = state
        self.drops = []


def walk(unit, argument_types, shapes, knowledge):
    """Walk `unit` until nothing new is learnt.

    Returns:
        the finished `Walker`.

    Raises:
        Unsupported: the function is left interpreted.
    """
    started = BUDGET.own_seconds()
    for _ in range(WALK_LIMIT):
        if BUDGET.own_seconds() - started > LONGEST_WALKS and not BUDGET.unlimited and unit.record is not None and unit.record.automatic:
            raise Unsupported("it takes too long to compile")
        unit.reset()
        walker = Walker(unit, knowledge)
        try:
            walker.run(argument_types, shapes)
            conflict = _check_edges(walker)
        except Restart:
            unit.divide(knowledge.leaders)
            continue
        if not conflict and not walker.told_wrong():
            return walker
    raise Unsupported("types do not settle")


def _check_edges(walker):
    """Types of pending parameters were decided late: do all edges still agree?"""
    _spread_types(walker)
    conflict = False
    for block in walker.blocks:
        for edge in block.edges:
            for parameter, value, slot in zip(edge.target.parameters, edge.arguments, edge.target.slots):
                if value is None or value.type is parameter.type:
                    continue
                if parameter.type is PENDING:
                    # A generic block would have to box what an outer loop's parameter turned out to be.
                    walker.knowledge.peeled.update({(edge.target.index, slot[1]), (value.block.index, slot[1])})
                    conflict = True
                    continue
                if parameter.type.is_object and value.type.is_object and value.type is not PENDING and parameter.type is OBJECT:
                    continue
                if value.type is PENDING:
                    continue
                walker.knowledge.peeled.add((edge.target.index, slot[1]))
                conflict = True
    return conflict


def _spread_types(walker):
    """A parameter that took an outer loop's pending parameter takes the type that one was given later."""
    changed = True
    while changed:
        changed = False
        for block in walker.blocks:
            for edge in block.edges:
                if edge.target.generic:
                    continue
                for parameter, value in zip(edge.target.parameters, edge.arguments):
                    if parameter.type is PENDING and value is not None and value.type is not PENDING:
                        parameter.type = value.type
                        changed = True
