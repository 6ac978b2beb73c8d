"""What builtins make of the lists that generator expressions have been collected in (jit/comprehensions.py), which they use up."""

from jit.bytecodes.builtins import builtin
from jit.foreign import Call, callout
from jit.values import COLLECTED, COLLECTED_LIST, COLLECTED_PLAIN


@builtin(tuple)
def tuple_of_collected(w, items):
    return use_up(w, "tuple_of_collected", items, (COLLECTED, COLLECTED_PLAIN))


@builtin(set)
def set_of_collected(w, items):
    return use_up(w, "set_of_collected", items, (COLLECTED_PLAIN,))


@builtin(list)
def list_of_collected(w, items):
    return use_up(w, "list_of_collected", items, (COLLECTED_LIST,))


def use_up(w, name, items, facts):
    """The result of the template `name`, which takes the list over; None if it is no such list."""
    state = w.state
    if items.facts not in facts or items not in state.owned or items in state.locals or state.stack.count(items) != 1:
        return None
    w.before_effect(rebinds=False)
    w.freeze()
    made = w.operation(name, items, exit=w.exit_here("out of memory"), shape=items.shape)
    state.owned = state.owned - {items} | {made}
    return made


def sort_collected(w, depth):
    """``sorted(generator)``: the list is sorted in place, and the result (CPython Python/bltinmodule.c, builtin_sorted); NotImplemented if others see it."""
    made = list_of_collected(w, w.peek())
    if made is None:
        return NotImplemented
    w.state.stack[-depth:] = made, made
    return callout(w, Call("PyList_Sort", failure=-1, has_result=False), 1)
