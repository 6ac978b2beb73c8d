"""Canonical instructions -> basic blocks, their order, and the loops they form.

The abstract walk needs three facts before it starts: where blocks begin, an order in which every forward
predecessor comes first (reverse postorder), and for each loop header the locals its body may assign, because
those get a parameter there.

Only code reachable without an exception is looked at: handlers run in the interpreter.
Loops are natural loops of retreating edges (Aho, Sethi, Ullman, "Compilers", 10.4); irreducible graphs, which
Python's compiler never makes, are refused.
"""

from jit.errors import Unsupported

_ENDS = frozenset({"RETURN_VALUE", "RAISE_VARARGS", "RERAISE", "JUMP", "JUMP_BACKWARD", "YIELD_VALUE"})
_ASSIGNS = frozenset({"STORE_FAST", "DELETE_FAST", "LOAD_FAST_AND_CLEAR"})


class Flow:
    """The control flow of one code object.

    Attributes:
        ends: first instruction index of a block -> index behind its last instruction.
        successors: block -> list of blocks. order: block -> reverse postorder number.
        loops: header block -> set of blocks. assigned: header block -> frozenset of local indexes.
        joins: blocks that more than one jump or none leads to.

    Args:
        instructions: canonical instructions. leaders: indexes that begin a block besides. entry: where execution begins.
    """

    __slots__ = ("ends", "successors", "order", "loops", "assigned", "joins")

    def __init__(self, instructions, leaders=(), entry=0):
        self.ends, self.successors = _partition(instructions, (*leaders, entry))
        self.order, retreating = _reverse_postorder(self.successors, entry)
        self.loops = _natural_loops(self.successors, self.order, retreating, entry)
        entered, joined = set(), set()
        for following in self.successors.values():
            for block in following:
                (joined if block in entered else entered).add(block)
        self.joins = {block for block in self.ends if block not in entered or block in joined}
        self.assigned = {}
        for header, body in self.loops.items():
            assigned = set()
            for start in body:
                for instruction in instructions[start:self.ends[start]]:
                    if instruction.operation in _ASSIGNS:
                        assigned.add(instruction.argument)
            self.assigned[header] = frozenset(assigned)


def _partition(instructions, further):
    """Where blocks begin and end; `further`: instructions that begin one though no jump leads there."""
    if not instructions:
        raise Unsupported("empty bytecode")
    leaders = {0, *further}
    for index, instruction in enumerate(instructions):
        if instruction.target is not None:
            leaders.add(instruction.target)
            leaders.add(index + 1)
        elif instruction.operation in _ENDS:
            leaders.add(index + 1)
    starts = sorted(leader for leader in leaders if leader < len(instructions))
    ends, successors = {}, {}
    for start, end in zip(starts, starts[1:] + [len(instructions)]):
        last = instructions[end - 1]
        following = []
        if last.target is not None:
            following.append(last.target)
        if last.operation not in _ENDS:
            if end >= len(instructions):
                raise Unsupported("bytecode runs off its end", last.line, last.operation)
            following.append(end)
        ends[start] = end
        successors[start] = following
    return ends, successors


def _reverse_postorder(successors, entry):
    """Depth-first from the entry, without recursion: hostile code may be deep."""
    postorder, retreating = [], []
    active, seen = {entry}, {entry}
    stack = [(entry, iter(successors[entry]))]
    while stack:
        block, following = stack[-1]
        for successor in following:
            if successor in active:
                retreating.append((block, successor))
            elif successor not in seen:
                seen.add(successor)
                active.add(successor)
                stack.append((successor, iter(successors[successor])))
                break
        else:
            stack.pop()
            active.discard(block)
            postorder.append(block)
    return {block: number for number, block in enumerate(reversed(postorder))}, retreating


def _natural_loops(successors, order, retreating, entry):
    predecessors = {}
    for block in order:
        for successor in successors[block]:
            predecessors.setdefault(successor, []).append(block)
    loops = {}
    for source, header in retreating:
        body = loops.setdefault(header, {header})
        pending = [source]
        while pending:
            block = pending.pop()
            if block in body:
                continue
            if block == entry:
                raise Unsupported("irreducible control flow")
            body.add(block)
            pending.extend(predecessors.get(block, ()))
    return loops
