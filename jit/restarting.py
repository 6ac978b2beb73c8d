"""Exits before which nothing has happened.

Problem: an exit builds a frame and runs it in a nested interpreter loop, which costs twice what a call does; and a function that
is called with the wrong values leaves at once on every call.
Idea: as long as a body has only computed, the interpreter can as well make the whole call. The exit routine then only tells the
entry wrapper, which still has the arguments as they came, or takes back those that the body took over. Calls from compiled code
have none, so they build the frame.
"""

from jit.hoisting import QUIET

#: Operations that nobody can tell have run.
PURE = QUIET - {"poll", "incref", "store_byte", "store_element_int", "store_element_float"} | {
    "list_items", "bytearray_items", "array_items", "view_items", "view_length", "guard_array", "guard_view", "branch_nonzero",
    "cell_int", "cell_float", "cell_bool", "cell_object", "cell_exact", "guard_cell", "global_int", "global_float", "global_bool",
    "global_object", "global_exact", "guard_bound", "guard_distinct", "sum_int", "sum_float"}


def mark_restarts(order, taken):
    """Set `restarts` of the exits that come before any effect and any loop, where no reference is owned but those that came with the call.

    Args:
        order: all blocks in linear order, loops known. taken: Values of the arguments that the body takes over.
    """
    pure = set(order[:1])
    for block in order:
        if block not in pure and not (block.predecessors and all(edge.source in pure for edge in block.predecessors)):
            continue
        if block.loop is not None:
            continue
        for operation in (*block.operations, block.terminator):
            if operation.template.name not in PURE or operation.after is not None:
                break
            for leaving in (operation.exit, operation.mismatch):
                if leaving is not None and leaving.routine == "exit_start" and leaving.owned == taken:
                    leaving.restarts = True
        else:
            pure.add(block)
            continue
        pure.discard(block)
