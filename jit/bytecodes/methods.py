"""Methods of builtin containers with templates of their own; see jit/bytecodes/builtins.py for what their handlers get and give."""

from jit.bytecodes.builtins import METHODS, builtin
from jit.bytecodes.classes import is_list
from jit.bytecodes.containers import sharpen
from jit.bytecodes.numbers import number
from jit.foreign import box_operands
from jit.types import BOOL, INT, LIST


def method(*descriptors):
    """Declare the decorated handler for these methods."""
    return builtin(*descriptors, table=METHODS)


@method(list.append)
def list_append(w, container, value):
    if not is_list(w, container):
        return None
    sharpen(container, value)
    w.freeze()
    w.before_effect(rebinds=False)
    boxed, = box_operands(w, 1)
    w.operation("list_append", container, boxed, exit=w.exit_here("out of memory"))
    return w.constant(None)


@method(list.pop)
def list_pop(w, container, index=None):
    """The list's reference to the item becomes ours; what was borrowed from the list may be that item."""
    if not is_list(w, container):
        return None
    place = None if index is None else machine_index(w, index)
    if index is not None and place is None:
        return None
    w.freeze()
    w.before_effect(rebinds=False)
    shape = container.shape and container.shape.element
    if index is None:
        item = w.operation("list_pop", container, exit=w.exit("pop from empty list"), shape=shape)
    else:
        item = w.operation("list_pop_at", container, place, exit=w.exit("pop index out of range"), shape=shape)
    w.state.owned |= {item}
    return item


@method(list.insert)
def list_insert(w, container, index, value):
    place = machine_index(w, index) if container.type is LIST else None
    if place is None:
        return None
    sharpen(container, value)
    w.freeze()
    w.before_effect(rebinds=False)
    boxed, = box_operands(w, 1)
    w.operation("list_insert", container, place, boxed, exit=w.exit_here("out of memory"))
    return w.constant(None)


def machine_index(w, value):
    """An int in machine form, or None."""
    found = number(w, value)
    return found if found is not None and found.type in (INT, BOOL) else None
