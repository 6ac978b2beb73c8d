"""Flags of locals that are bound together are one flag.

Problem: a local that is unbound before a loop has a flag (see jit/walk.py), and most loops assign several such locals. Each flag took a
place, and a move on every back edge.
Idea: flags of one block that get equal values on every edge into it are equal. Suppose that all flags of a block are, and part those
that some edge tells apart, until nothing changes.
Source: Alpern, Wegman, Zadeck, "Detecting Equality of Variables in Programs", POPL 1988.
"""


def merge_flags(walker):
    """Replace equal flags by the first of them wherever a finished Walker's blocks and exits name them."""
    same = _classes(walker.blocks)
    first = {}
    for parameter, name in same.items():
        first.setdefault(name, parameter)
    chosen = {parameter: first[name] for parameter, name in same.items() if first[name] is not parameter}
    if not chosen:
        return
    for block in walker.blocks:
        _thin_out(block, chosen)
    for block in walker.blocks:
        _rename(block, chosen)
    for leaving in walker.exits:
        leaving.bound = tuple(_renamed(leaving.bound, chosen))


def _thin_out(block, chosen):
    """Take out a block's parameters that are chosen others for."""
    kept = [place for place, parameter in enumerate(block.parameters) if parameter not in chosen]
    if len(kept) == len(block.parameters):
        return
    block.parameters = [block.parameters[place] for place in kept]
    block.slots = [block.slots[place] for place in kept]
    for edge in block.predecessors:
        edge.arguments = [edge.arguments[place] for place in kept]


def _rename(block, chosen):
    if block.state is not None:
        block.state.bound = _renamed(block.state.bound, chosen)
    for edge in block.predecessors:
        edge.arguments = _renamed(edge.arguments, chosen)
    for operation in (*block.operations, block.terminator):
        operation.arguments = _renamed(operation.arguments, chosen)
    if block.terminator.template.name == "return":
        block.terminator.detail = [(value, chosen.get(flag, flag)) for value, flag in block.terminator.detail]


def _renamed(values, chosen):
    return [chosen.get(value, value) for value in values]


def _classes(blocks):
    """Flag -> a name that equal flags share."""
    same = {parameter: block.number for block in blocks if len(block.predecessors) > 0
            for parameter, slot in zip(block.parameters, block.slots) if slot[0] == "bound"}
    count = 0
    while True:
        names = {}
        parted = {}
        for block in blocks:
            for place, (parameter, slot) in enumerate(zip(block.parameters, block.slots)):
                if parameter in same:
                    given = tuple(_name(edge.arguments[place], same) for edge in block.predecessors)
                    parted[parameter] = names.setdefault((same[parameter], given), len(names))
        same = parted
        if len(names) == count:
            return same
        count = len(names)


def _name(value, same):
    if value in same:
        return same[value], None
    return ("constant", bool(value.constant)) if value.is_constant else id(value)
