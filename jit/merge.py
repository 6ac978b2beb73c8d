"""Where control flow meets: versions of blocks, their parameters, and the edges into them."""

import heapq
from types import FunctionType

from jit.builder import Builder
from jit.errors import InternalError, Unsupported
from jit.receivers import POLYMORPHIC
from jit.state import State
from jit.types import INT, NULL, OBJECT, PENDING
from jit.values import Block, Edge, RangeIterator, Value, VirtualFunction, by_number


class Restart(Exception):
    """The walk learnt something it needed from the start; walk again."""


class Merger(Builder):
    """Basic block versioning: which version of a block an edge enters, and what it passes."""

    # -- blocks and edges -----------------------------------------------------------------

    def new_block(self, index):
        block = Block(index, len(self.blocks))
        self.blocks.append(block)
        if len(self.blocks) > self.limit:
            raise Unsupported("too many block versions")
        return block

    def jump(self, target, terminate=True):
        """End the block with a jump to the bytecode block `target`."""
        if target in self.flow.loops and not self.inlined:
            self.hold_mortals()
        self.own_borrowed()
        if terminate:
            self.block.terminator = self.make("jump", ())
        self.add_edge(target, self.state)

    def add_edge(self, target, state):
        edge = Edge(self.block, None)
        self.block.edges.append(edge)
        waiting = self.pending.get(target)
        if waiting is None:
            self.pending[target] = [(edge, state)]
            heapq.heappush(self.heap, (self.flow.order[target], target))
        else:
            waiting.append((edge, state))
        return edge

    def branch(self, name, arguments, detail, if_true, if_false, true_state=None, exit=None):
        """End the block with a two-way branch.

        Args:
            name: family of terminator templates. if_true, if_false: bytecode blocks.
            true_state: state on the true edge if it differs from the current one.
        """
        self.own_borrowed()
        self.block.terminator = self.make(name, arguments, exit=exit, detail=detail)
        self.add_edge(if_true, self.state if true_state is None else true_state)
        self.add_edge(if_false, self.state)
        return True

    def receive(self, index, incoming):
        """Attach incoming edges to versions of the bytecode block `index`; return the new versions."""
        versions = self.versions.setdefault(index, [])
        is_header = index in self.flow.loops
        groups = []
        for edge, state in incoming:
            if is_header and any(self.attach(block, edge, state) for block in versions):
                continue
            for group in groups:
                if all(self.mergeable(index, state, other) for _, other in group):
                    group.append((edge, state))
                    break
            else:
                groups.append([(edge, state)])
        created = []
        limit = self.version_limit(incoming)
        if index in self.knowledge.generic and len(groups) > limit:
            self.knowledge.megamorphic.add(index)
            raise Restart
        for group in groups:
            if len(versions) >= limit and index not in self.knowledge.generic:
                self.knowledge.generic.add(index)
                raise Restart
            block = self.new_block(index)
            block.is_header = is_header
            block.generic = index in self.knowledge.generic
            versions.append(block)
            self.create_state(block, [state for _, state in group])
            for edge, state in group:
                if not self.attach(block, edge, state):
                    raise InternalError("a new block does not fit the states it was made for")
            created.append(block)
        return created

    def version_limit(self, incoming):
        """How many versions a block may have: more where methods of several classes are about to be called."""
        several = self.knowledge.version_limit > 1 and any(_is_method(item) for _, state in incoming for item in state.stack)
        return self.knowledge.version_limit + 2 * POLYMORPHIC if several else self.knowledge.version_limit

    def mergeable(self, index, left, right):
        """Whether two states can share one version: no slot is unboxed in one and something else in the other."""
        if len(left.stack) != len(right.stack):
            raise Unsupported("operand stack of two depths")
        for a, b in zip(left.stack, right.stack):
            if a.__class__ is not b.__class__ or a.__class__ is RangeIterator and not a.moves_like(b):
                raise Unsupported("two kinds of iterator meet")
            if a.__class__ is VirtualFunction and a is not b:
                raise Unsupported("two functions in parts meet")
        if index not in self.knowledge.megamorphic and self.knowledge.version_limit > 1:
            if any(a is not b and (_is_method(a) or _is_method(b)) for a, b in zip(left.stack, right.stack)):
                return False
        if index in self.knowledge.generic:
            return True
        for number, (a, b) in enumerate(zip(left.locals, right.locals)):
            if a is b:
                continue
            if a is None or b is None:
                if (index, number) in self.knowledge.peeled:
                    return False
                continue
            if a.type is not b.type and not (a.type.is_object and b.type.is_object):
                return False
        for a, b in zip(left.stack, right.stack):
            if a.__class__ is Value and a.type is not b.type and not (a.type.is_object and b.type.is_object and NULL not in (a.type, b.type)):
                return False
        return True

    def create_state(self, block, states):
        """Make the entry state of a new version: parameters where its incoming states differ or its loop assigns."""
        first = states[0]
        if len(states) == 1 and not block.is_header:
            state = block.state = first.copy()
            state.owned, state.transient = first.owned & state.values(), frozenset()
            return
        state = block.state = State(0)
        assigned = self.flow.assigned.get(block.index, ())
        for number in range(len(first.locals)):
            values = [other.locals[number] for other in states]
            bounds = [other.bound[number] for other in states]
            looped = number in assigned
            value = values[0]
            bound = bounds[0]
            peeled = (block.index, number) in self.knowledge.peeled
            present = [v for v in values if v is not None]
            if present and (looped or any(v is not value for v in values)):
                # A pointer that may be garbage (unbound) is never borrowed: its reference is counted by its flag. Nor is one where other edges may enter.
                owned = block.is_header or any(v in other.owned for v, other in zip(values, states))
                value = self.parameter(block, present, ("local", number), looped, owned or len(present) < len(values))
            elif not present and looped and not peeled:
                value = self.add_parameter(block, self.value(PENDING), ("local", number))
                state.owned |= {value}
            if any(b is not bound for b in bounds) or (looped and not peeled and bound is not True):
                bound = self.add_parameter(block, self.value(INT), ("bound", number))
            state.locals.append(value)
            state.bound.append(bound)
        self.depth = len(first.stack)
        for number, item in enumerate(first.stack):
            items = [other.stack[number] for other in states]
            state.stack.append(self.merge_item(block, number, items, states))
        for value in state.values():
            if any(value in other.owned for other in states):
                state.owned |= {value}
        if not block.is_header:  # which other edges may enter
            self.merge_receivers(block, states)

    @staticmethod
    def merge_receivers(block, states):
        """A value is of one of the classes that it is of on any edge, if it is known on all."""
        def note(value, incoming):
            known = [other.receivers.get(item) for other, item in zip(states, incoming)]
            if None not in known:
                classes = {receiver.tag: receiver for found in known for receiver in found}
                if len(classes) <= POLYMORPHIC:
                    block.state.receivers[value] = list(classes.values())

        for parameter, slot in zip(block.parameters, block.slots):
            if slot[0] in ("local", "stack"):
                note(parameter, [other.slot(slot) for other in states])
        for value in states[0].receivers:
            note(value, [value] * len(states))

    def merge_item(self, block, number, items, states):
        item = items[0]
        if item.__class__ is RangeIterator:
            parts = []
            advances = block.is_header and self.instructions[block.index].operation == "FOR_ITER" and \
                number == len(block.state.stack) and number == self.depth - 1
            for name in ("next", "stop", "step", "remaining"):
                values = [getattr(other, name) for other in items]
                part = values[0]
                if part is not None and (any(v is not part for v in values) or advances and name in ("next", "remaining")):
                    part = self.parameter(block, values, ("item", number, name), True)
                    if name == "next" and all(_nonnegative(v) for v in values) and _nonnegative(item.step):
                        part.facts = "nonnegative"
                parts.append(part)
            return RangeIterator(*parts)
        if any(other is not item for other in items):
            owned = any(value in other.owned for value, other in zip(items, states))
            return self.parameter(block, items, ("stack", number), False, owned or block.is_header)  # which other edges may enter
        return item

    def parameter(self, block, values, slot, looped, owned=False):
        """A parameter for `slot`, typed by the values known so far; `owned`: it has a reference of its own in any case."""
        kind = values[0].type
        for value in values:
            if value.type is not kind:
                both = kind.is_object and value.type.is_object and PENDING not in (kind, value.type)
                if PENDING in (kind, value.type):
                    kind = kind if value.type is PENDING else value.type
                elif both or block.generic:
                    kind = OBJECT
                else:
                    raise InternalError(f"{kind} and {value.type} in one parameter")
        if block.generic and looped and slot[0] == "local":
            kind = OBJECT
        new = self.add_parameter(block, self.value(kind, values[0].shape), slot)
        new.origin = "merged", block.index, slot
        if kind.is_object and (looped or owned or not all(_lasting(value) for value in values)):
            block.state.owned |= {new}
        elif kind.is_object:
            new.permanent = True
        return new

    def add_parameter(self, block, value, slot):
        block.parameters.append(value)
        block.slots.append(slot)
        value.block = block
        return value

    def attach(self, block, edge, state):
        """Let `edge`, leaving in `state`, enter `block`; False if the types do not fit."""
        slots = set(block.slots)
        entry = block.state
        if len(entry.stack) != len(state.stack):
            raise Unsupported("operand stack of two depths")
        for number, value in enumerate(entry.locals):
            if ("local", number) not in slots and state.locals[number] is not value:
                return False
            if ("bound", number) not in slots and state.bound[number] is not entry.bound[number]:
                return False
        for number, item in enumerate(entry.stack):
            mine = state.stack[number]
            if item.__class__ is RangeIterator:
                if mine.__class__ is not RangeIterator or not mine.moves_like(item):
                    return False
                for name in ("next", "stop", "step", "remaining"):
                    if ("item", number, name) not in slots and getattr(mine, name) is not getattr(item, name):
                        return False
            elif mine.__class__ is RangeIterator or ("stack", number) not in slots and mine is not item:
                return False
        arguments, boxes = [], False
        for parameter, slot in zip(block.parameters, block.slots):
            value = state.slot(slot)
            if slot[0] == "bound":
                value = value if value.__class__ is Value else self.constant(1 if value else 0)
            elif value is not None and value.type is not parameter.type:
                wanted = parameter.type
                if wanted is PENDING or value.type is PENDING:
                    pass
                elif wanted is OBJECT and value.type.is_object:
                    pass
                elif wanted is OBJECT and block.generic:
                    boxes = True
                else:
                    return False
            arguments.append(value)
        for parameter, value in zip(block.parameters, arguments):
            if value is not None and parameter.type is PENDING and value.type is not PENDING:
                parameter.type = OBJECT if block.generic else value.type
                boxes = boxes or block.generic and not value.type.is_object
                parameter.shape = value.shape
        if boxes:
            edge, arguments, state = self.boxing_block(block, edge, arguments, state)
        edge.target = block
        edge.arguments = arguments
        block.predecessors.append(edge)
        self.transfer_ownership(block, edge, arguments, state)
        return True

    def drop_unbound(self, slot, boxed):
        """Nobody else does if the local that has been boxed is not bound: a reference to it counts by its flag."""
        flag = self.state.bound[slot[1]] if slot[0] == "local" else True
        if flag.__class__ is Value and not flag.is_constant:
            self.operation("drop_unless", flag, boxed)

    def boxing_block(self, block, edge, arguments, state):
        """Insert a block on `edge` that boxes what a generic version wants boxed."""
        middle = self.new_block(block.index)
        middle.state = state
        middle.predecessors.append(edge)
        edge.target = middle
        saved = self.block, self.state, self.instruction, self.drops
        self.begin(middle, state.copy())
        self.instruction = self.instructions[block.index]
        self.snapshot_state()
        boxed = []
        for parameter, slot, value in zip(block.parameters, block.slots, arguments):
            if value is not None and parameter.type is OBJECT and value.type.unboxed:
                value = self.box(value)
                if not value.is_constant:
                    self.state.owned |= {value}
                    self.drop_unbound(slot, value)
            boxed.append(value)
        middle.terminator = self.make("jump", ())
        second = Edge(middle, None)
        middle.edges.append(second)
        state = self.state
        self.block, self.state, self.instruction, self.drops = saved
        return second, boxed, state

    def transfer_ownership(self, block, edge, arguments, state):
        """Add the references that the target owns and the source does not."""
        wanted = {}
        for parameter, value in zip(block.parameters, arguments):
            if value is not None and parameter in block.state.owned and value.type.is_object:
                wanted[value] = wanted.get(value, 0) + 1
        for value in by_number(block.state.owned):
            if value.block is not block:
                wanted[value] = wanted.get(value, 0) + 1
        self.account_for(state, wanted)
        for value, count in wanted.items():
            have = 1 if value in state.owned else 0
            edge.increfs.extend([value] * (count - have))


def _is_method(item):
    """Whether a stack item is a function that is about to be called, perhaps directly."""
    known = item.__class__ is Value and (item.known or item)
    return known and known.is_constant and isinstance(known.constant, FunctionType)


def _lasting(value):
    """Whether a pointer to the value's object stays valid without a reference of ours; boxing makes new objects."""
    return value.permanent and not value.mortal and (value.type.is_object or value.is_constant)


def _nonnegative(value):
    return value is not None and (value.facts == "nonnegative" or value.is_constant and value.constant >= 0)
