"""Linear order of the block versions, with loops contiguous, and the loops among them.

Linear scan reads liveness off positions, so a loop must occupy one run of positions. A topological order (back edges
ignored) that always continues in the innermost loop begun gives that for reducible graphs.
"""

from jit.errors import Unsupported


class Loop:
    """A natural loop of block versions.

    Attributes:
        header: Block. blocks: set of Blocks. depth: 1 for an outermost loop. parent: Loop or None.
    """

    __slots__ = ("header", "blocks", "depth", "parent")

    def __init__(self, header):
        self.header = header
        self.blocks = {header}
        self.depth = 0
        self.parent = None


def arrange(entry):
    """Order the blocks reachable from `entry`; sets their `depth`, `loop`, `order`, and marks backward edges.

    Returns:
        (list of Blocks, list of Loops).
    """
    reachable, backward = _explore(entry)
    loops = _loops(backward)
    innermost = {}
    for loop in sorted(loops, key=lambda loop: -len(loop.blocks)):
        for block in loop.blocks:
            outer = innermost.get(block)
            if block is loop.header and outer is not None:
                loop.parent = outer
            innermost[block] = loop
    for loop in sorted(loops, key=lambda loop: -len(loop.blocks)):
        loop.depth = 1 if loop.parent is None else loop.parent.depth + 1
    ordered = _schedule(entry, reachable, innermost)
    for number, block in enumerate(ordered):
        block.order = number
        block.loop = innermost.get(block)
        block.depth = 0 if block.loop is None else block.loop.depth
    return ordered, loops


def _explore(entry):
    """Depth-first: the reachable blocks, and the edges that go back to an ancestor."""
    seen, active, backward = {entry}, {entry}, []
    stack = [(entry, iter(entry.edges))]
    while stack:
        block, edges = stack[-1]
        for edge in edges:
            target = edge.target
            if target in active:
                edge.backward = True
                backward.append(edge)
            elif target not in seen:
                seen.add(target)
                active.add(target)
                stack.append((target, iter(target.edges)))
                break
        else:
            stack.pop()
            active.discard(block)
    return seen, backward


def _loops(backward):
    loops = {}
    for edge in backward:
        loop = loops.get(edge.target)
        if loop is None:
            loop = loops[edge.target] = Loop(edge.target)
        pending = [edge.source]
        while pending:
            block = pending.pop()
            if block not in loop.blocks:
                loop.blocks.add(block)
                if not block.predecessors:
                    raise Unsupported("irreducible control flow")
                pending.extend(entering.source for entering in block.predecessors)
    return list(loops.values())


def _chain(loop):
    chain = []
    while loop is not None:
        chain.append(loop)
        loop = loop.parent
    return chain


def _schedule(entry, reachable, innermost):
    waiting = {}
    for block in reachable:
        waiting[block] = 0
    for block in reachable:
        for edge in block.edges:
            if not edge.backward:
                waiting[edge.target] += 1
    ordered = []
    ready = {None: [entry]}
    active = [None]
    while True:
        while active and not ready.get(active[-1]):
            active.pop()
        if not active:
            break
        block = ready[active[-1]].pop()
        loop = innermost.get(block)
        if loop is not None and loop.header is block:
            active.append(loop)
        ordered.append(block)
        for edge in reversed(block.edges):
            if edge.backward:
                continue
            target = edge.target
            waiting[target] -= 1
            if not waiting[target]:
                home = innermost.get(target)
                if home is not None and home.header is target:
                    home = home.parent
                ready.setdefault(home, []).append(target)
    if len(ordered) != len(reachable):
        raise Unsupported("irreducible control flow")
    return ordered
