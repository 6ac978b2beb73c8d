"""Unpacking of lists and tuples, straight from memory."""

from jit.bytecodes.classes import is_derived_tuple
from jit.bytecodes.guards import divides, meet, observe, prove
from jit.bytecodes.items import Built, borrow, computed_with, element_guess, take
from jit.bytecodes.slices import Bounds, copy_slice
from jit.foreign import blind_call
from jit.types import FLOAT, INT, LIST, OBJECT, TUPLE, Shape, exact
from jit.values import Value, VirtualTuple
from jit.walk import bytecode


@bytecode("UNPACK_SEQUENCE")
def unpack_sequence(w, instruction):
    container = w.peek()
    count = instruction.argument
    if container.__class__ is VirtualTuple and len(container.items) == count:
        w.freeze()
        w.pop()
        w.state.stack.extend(container.items[::-1])
        return None
    if both_seen(w, container) and divides(w):
        w.split("branch_type", (container,), tuple, lambda: unpack(w, prove(w, container, list, "container"), list, count) or meet(w))
        return unpack(w, w.alias(container, TUPLE), tuple, count)
    container, python = unpacked_container(w, container)
    if python is None:
        return w.leave(f"unpacking of {container.type.name}" if container.__class__ is Value else "an iterator is unpacked")
    return unpack(w, container, python, count)


def both_seen(w, container):
    """Whether lists and tuples have been unpacked here, and nothing else."""
    return container.__class__ is Value and container.type is OBJECT and not container.is_constant and w.seen("container", "container") == {list, tuple}


def unpack(w, container, python, count):
    """Stack: container, a `python` of `count` items."""
    if container.is_constant and python is tuple:
        if len(container.constant) != count:
            return w.leave("wrong number of values to unpack")
        w.pop()
        for item in reversed(container.constant):
            w.push(w.constant(item))
        return None
    if container.facts.__class__ is Built and len(container.facts.items) == count:
        return unpacked(w, container, container.facts.borrow(w, range(count)))
    w.operation("guard_size", container, exit=w.exit("wrong number of values to unpack"), detail=(python, count))
    locals = stored_in(w, count)
    named = None not in locals and any(w.state.locals[local] in w.state.owned for local in locals)
    items = [take_at(w, container, place, python, (w.instruction.site, place), named, local) for place, local in enumerate(locals)]
    return unpacked(w, container, items)


def unpacked_container(w, container):
    """A Value with its type proven, if that is or probably is tuple or list; and which of them, else None."""
    if container.__class__ is not Value:
        return container, None
    if container.type is OBJECT and not container.is_constant:
        if is_derived_tuple(w, container, "container", "__iter__"):
            return container, tuple
        seen = w.seen("container", "container")
        kind = next(iter(seen)) if seen and len(seen) == 1 else container.shape and container.shape.type.python or tuple
        if kind in (tuple, list):
            container = prove(w, container, kind, "container")
    python = {TUPLE: tuple, LIST: list}.get(container.type)
    if python is None and container.type is OBJECT and not container.is_constant:
        observe(w, container, "container")
    return container, python


@bytecode("UNPACK_EX")
def unpack_ex(w, instruction):
    """``a, *b, c = items``: what is before and behind the list of the others is read where it lies."""
    before, behind = instruction.argument & 0xFF, instruction.argument >> 8
    container, python = unpacked_container(w, w.peek())
    if python is None or container.is_constant or not before + behind:
        return w.leave("something else is unpacked with a *target")
    w.operation("guard_size_least", container, exit=w.exit("not enough values to unpack"), detail=(python, before + behind))
    site = w.instruction.site
    first = [take_at(w, container, place, python, (site, place), False, None) for place in range(before)]
    last = [take(w, "item", (container, w.constant(place - behind)), python, container.shape, role=before + place) for place in range(behind)]
    # The container stays on top, so that no frame's operand stack is higher than the instruction makes it.
    w.freeze()
    w.state.stack[-1:] = [*reversed(last), *reversed(first), container]
    ended = copy_slice(w, container, LIST if python is list else TUPLE, Bounds(w.constant(before), w.constant(-behind) if behind else None), 0)
    if not ended and python is tuple:
        ended = blind_call(w, "PySequence_List", 1, LIST, Shape(LIST, container.shape and container.shape.element))
    if ended:
        return ended
    others = w.pop()
    w.state.stack.insert(len(w.state.stack) - before, others)
    return None


def unpacked(w, container, items):
    """Put the items in the place of the container."""
    w.freeze()
    w.pop()
    for item in reversed(items):
        w.push(item)
    w.release(container)


def stored_in(w, count):
    """The number of the local that the instructions behind give each of `count` unpacked items, or None: it is unpacked in its turn, or used."""
    index = w.index + 1
    found = []
    while len(found) < count:
        nested = 1
        first = w.instructions[index] if w.inside(index) else None
        while nested and w.inside(index) and w.instructions[index].operation in ("STORE_FAST", "UNPACK_SEQUENCE"):
            nested += w.instructions[index].argument - 1 if w.instructions[index].operation == "UNPACK_SEQUENCE" else -1
            index += 1
        if nested:
            return found + [None] * (count - len(found))
        found.append(first.argument if first.operation == "STORE_FAST" else None)
    return found


def take_at(w, container, number, python, site, named, local):
    """Item `number` of a container whose size is known. A number is unboxed where it is used, unless that is sure to be: many are only moved.

    Args:
        local: it is given to this local. named: all items of its container are given to locals, of which some own what they have: dropping a proven number is no effect,
        so that what else was borrowed stays borrowed.
    """
    fields = container.shape and container.shape.fields
    known = Shape(TUPLE, fields[number]) if fields and number < len(fields) else container.shape
    kind, shape = element_guess(w, known, site)
    if kind in (INT, FLOAT) and local is not None and computed_with(w, local):
        return w.operation(f"known_item_{kind.name}", container, detail=(python, number), mismatch=w.mismatch_exit(f"item is no {kind.name}", site))
    if kind in (INT, FLOAT) and python is list and named:
        kind = exact(kind.python)
        item = w.operation("known_item_exact", container, detail=((python, number), kind.python), kind=kind,
                           mismatch=w.mismatch_exit(f"item is no {kind.name}", site))
        return borrow(w, item, (container,))
    if kind.unboxed:
        shape = Shape(kind)
    return borrow(w, w.operation("known_item_object", container, detail=(python, number), shape=shape), (container,))
