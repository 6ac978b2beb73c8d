"""Live intervals of all values, for the register allocator.

Operation i reads at position 2i and writes at 2i + 1. A value named by an exit of operation i is needed until 2i + 2, so
no output of i takes its register. A value defined before a loop and used inside lives to the loop's end.
"""

from regalloc import Clobber, Interval

#: How much more a use counts per level of loop nesting.
LOOP_WEIGHT = 8.0


class Numbering:
    """Positions and intervals.

    Attributes:
        order: list of Blocks, each with `start` and `end` positions. intervals: root Value -> Interval.
        clobbers: list of Clobber. loops: list of (start, end).
    """

    def __init__(self, order, loops, entry_registers, lost_in_c, lost_in_body):
        self.order = order
        self.values = {}
        self.clobbers = []
        self.lost = {"c": lost_in_c, "body": lost_in_body}
        self._number()
        self.loops = sorted((min(b.start for b in loop.blocks), max(b.end for b in loop.blocks)) for loop in loops)
        self.spans = {id(loop): (min(b.start for b in loop.blocks), max(b.end for b in loop.blocks)) for loop in loops}
        for block in order:
            self._scan(block)
        self._extend_over_loops()
        self.intervals = self._intervals(entry_registers)

    def _number(self):
        index = 0
        for block in self.order:
            block.start = 2 * index
            index += 1
            for operation in block.operations:
                operation.position = index
                index += 1
            block.terminator.position = index
            index += 1
            block.end = 2 * index
        self.count = index

    def _scan(self, block):
        weight = LOOP_WEIGHT ** min(block.depth, 6)
        for parameter in block.parameters:
            self._define(parameter, block.start + 1, block)
            parameter.weight += weight
        for operation in block.operations:
            self._operation(operation, block, weight)
        self._operation(block.terminator, block, weight)
        end = block.end
        for edge in block.edges:
            for value in edge.arguments:
                if value is not None and not value.is_constant:
                    self._use(value, end, block, weight)
            for value in edge.increfs:
                if not value.is_constant:
                    self._use(value, end, block, weight)

    def _operation(self, operation, block, weight):
        position = 2 * operation.position
        leaves = operation.exit is not None or operation.after is not None
        last = position + 2 if leaves or operation.template.clobbers else position
        for value in operation.arguments:
            if not value.is_constant:
                self._use(value, last, block, weight)
        for value in operation.results:
            self._define(value, position + 1, block)
            value.weight += weight
        for leaving in (operation.exit, operation.after, operation.mismatch):
            if leaving is not None:
                self._exit(leaving, position, block)
        if operation.template.clobbers:
            self.clobbers.append(Clobber(position + 1, self.lost[operation.template.clobbers]))

    def _exit(self, leaving, position, block):
        end = position + 2
        for value in leaving.values():
            self._use(value, end, block, 0.0)
        if end - 1 > leaving.position:
            leaving.position = end - 1

    def _define(self, value, position, block):
        value.start = position
        value.end = max(value.end, position + 1)
        value.block = block
        self.values[value] = None

    def _use(self, value, position, block, weight):
        root = value.home or value
        root.weight += weight
        if position > root.end:
            root.end = position
        if root.block is not block and block.loop is not None:
            uses = self.values.get(root)
            if uses is None:
                uses = self.values[root] = {}
            uses[block.loop] = None

    def _extend_over_loops(self):
        """A use inside a loop of a value defined outside keeps it to the end of the outermost such loop."""
        spans = self.spans
        for value, uses in self.values.items():
            if not uses:
                continue
            for loop in uses:
                while loop is not None:
                    start, end = spans[id(loop)]
                    if start <= value.start < end:
                        break
                    if end > value.end:
                        value.end = end
                    loop = loop.parent

    def _intervals(self, entry_registers):
        intervals = {}
        for value in self.values:
            if value.home is None:
                intervals[value] = Interval(value, value.start, value.end, value.type.register_class, value.weight)
        for value, register in entry_registers:
            if value in intervals and register.kind == value.type.register_class:
                intervals[value].fixed = register
        for block in self.order:
            for edge in block.edges:
                for parameter, value in zip(edge.target.parameters, edge.arguments):
                    if value is None or value.is_constant:
                        continue
                    mine, other = intervals[parameter], intervals[value.home or value]
                    if mine.register_class == other.register_class:
                        if edge.backward:
                            if other.hint is None:
                                other.hint = mine
                        elif mine.hint is None:
                            mine.hint = other
        return intervals
