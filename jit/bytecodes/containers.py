"""Subscripts, membership and displays."""

from jit import types
from jit.bytecodes.buffers import buffer_of, load_element, store_element
from jit.bytecodes.classes import is_derived_tuple, is_list_seen
from jit.bytecodes.guards import observe, probably, prove
from jit.bytecodes.items import Built, take
from jit.bytecodes.iterators import character
from jit.bytecodes.numbers import number
from jit.bytecodes.subscripts import load_subscript, store_subscript
from jit.bytecodes.types_asked import ask
from jit.comprehensions import UNSEEN, is_called_at_once
from jit.foreign import Call, blind_call, callout
from jit.machine.lists import ROOM
from jit.types import ARRAY, BOOL, BYTEARRAY, BYTES, FLOAT, INT, LIST, NULL, OBJECT, STR, TUPLE, Shape, exact
from jit.values import Value, VirtualTuple
from jit.walk import bytecode

_INDEXED = {LIST: list, TUPLE: tuple, BYTES: bytes, BYTEARRAY: bytearray}
_SUBSCRIPTED = frozenset({str, dict, memoryview, ARRAY})
_SETS = frozenset({set, frozenset})

#: What is sliced without foreign code, if the bounds are ints or None.
SLICED = frozenset({LIST, TUPLE, STR, BYTES, BYTEARRAY})

#: Items further away do not fit an instruction's displacement; nobody has such lists.
LARGEST_CONSTANT_INDEX = 1 << 24


def index_value(w, value):
    """A subscript in machine form, or None: only exact ints and bools are taken for indexes."""
    if value.__class__ is not Value:
        return None
    w.site = 0
    if value.type.is_object and value.type.python not in (None, int, bool):
        return None
    machine = number(w, value)
    if machine is None or machine.type not in (INT, BOOL):
        return None
    return None if machine.is_constant and abs(machine.constant) > LARGEST_CONSTANT_INDEX else machine


def container_of(w, value, also=frozenset()):
    """`value` with its type proven, if it is or probably is a container we index ourselves, or one of `also`; else the value as it is."""
    if value.__class__ is Value and value.type is OBJECT and not value.is_constant:
        seen = w.seen("container", "container")
        kind = None
        if seen:
            kind = next(iter(seen)) if len(seen) == 1 else None
        elif value.shape is not None:
            kind = value.shape.type.python
        if isinstance(kind, type) and (exact(kind) in _INDEXED or kind in _SUBSCRIPTED or kind in also):
            return buffer_of(w, prove(w, value, kind, "container"))
        if not seen:
            observe(w, value, "container")
    return buffer_of(w, value)


@bytecode("BINARY_SUBSCR")
def binary_subscr(w, instruction):
    container = container_of(w, w.peek(2))
    index = w.peek(1)
    if container.__class__ is not Value or index.__class__ is not Value:
        return w.leave("subscript of an iterator")
    python = _INDEXED.get(container.type)
    if python is None and is_list_seen(w, container, "container", "__getitem__"):
        python = list
    if python is None and is_derived_tuple(w, container, "container", "__getitem__"):
        python = tuple
    if python is None:
        done = load_subscript(w, container, index)
        if done is not NotImplemented:
            return done
    machine = index_value(w, index) if python or container.type is STR or container.type.buffer else None
    if machine is None and container.type in SLICED and index.type is exact(slice) and plain_slice(index):
        return blind_call(w, "PyObject_GetItem", 2, container.type, Shape(container.type, container.shape and container.shape.element))
    if machine is None:
        return load_from_dictionary(w, container, index)
    if container.is_constant and machine.is_constant and python is tuple:
        return constant_item(w, container.constant, machine.constant)
    if container.type is STR:
        return character_at(w, container, machine, index)
    if container.facts.__class__ is Built and machine.is_constant and -len(container.facts.items) <= machine.constant < len(container.facts.items):
        item, = container.facts.borrow(w, [machine.constant])
    elif container.type.buffer:
        item = load_element(w, container, machine)
    else:
        item = take(w, "item", (container, machine), python, container.shape)
    w.freeze()
    w.pop(), w.pop()
    w.push(item)
    w.release(container, index)


def load_from_dictionary(w, container, key):
    """``container[key]`` of a dictionary, or of anything."""
    from jit.bytecodes import dictionaries
    item = dictionaries.load_item(w, container, key)
    if item is None and dictionaries.is_derived_dict(w, container, "__getitem__"):
        return dictionaries.load_derived(w, container, key)
    if item is None:
        return callout(w, Call("PyObject_GetItem"), 2)
    w.freeze()
    container, key = w.peek(2), w.peek(1)
    w.pop(), w.pop()
    w.push(item)
    w.release(container, key)
    return None


def character_at(w, text, machine, index):
    """``text[index]``."""
    code = w.operation("code_at", text, machine)
    code.facts = "nonnegative"
    w.freeze()
    w.pop(), w.pop()
    character(w, code)
    w.release(text, index)


def constant_item(w, container, index):
    if not -len(container) <= index < len(container):
        return w.leave("index out of range")
    w.pop(), w.pop()
    w.push(w.constant(container[index]))


@bytecode("STORE_SUBSCR")
def store_subscr(w, instruction):
    """Stack: value, container, index."""
    container = container_of(w, w.peek(2))
    value, index = w.peek(3), w.peek(1)
    if value.__class__ is not Value or container.__class__ is not Value or index.__class__ is not Value:
        return w.leave("an iterator is stored")
    done = store_subscript(w, container, index, value)
    if done is not NotImplemented:
        return done
    machine = index_value(w, index) if container.type in (LIST, BYTEARRAY) or container.type.buffer else None
    if machine is None:
        from jit.bytecodes import dictionaries
        return None if dictionaries.store_item(w, container, w.peek(1)) else store_anything(w)
    if container.type.buffer:
        if not store_element(w, container, machine, value):
            return store_anything(w)
        w.freeze()
        w.pop(), w.pop(), w.pop()
        w.release(value, container, index)
        return None
    if container.type is BYTEARRAY:
        stored = number(w, value, machine)
        if stored is None or stored.type not in (INT, BOOL):
            return store_anything(w)
        w.operation("store_byte", container, machine, stored)
    else:
        sharpen(container, value)
        w.settle(index, machine)
        w.before_effect()
        return store_item(w, container, machine, value)
    w.freeze()
    w.pop(), w.pop(), w.pop()
    w.release(value, container, index)


def store_anything(w):
    """PyObject_SetItem wants container, index, value."""
    stack = w.state.stack
    w.freeze()
    stack[-3], stack[-2], stack[-1] = stack[-2], stack[-1], stack[-3]
    return callout(w, Call("PyObject_SetItem", failure=-1, has_result=False), 3)


def sharpen(container, value):
    """What is stored in a container of unknown items tells their shape."""
    shape = container.shape
    if shape is not None and shape.element is None:
        shape.element = value.shape if value.shape is not None else Shape(value.type)


def store_item(w, container, index, value):
    """``list[index] = value``: the old item's reference is dropped last, when the new one is in place."""
    exit = w.exit("index out of range")
    w.freeze()
    stack = w.state.stack
    del stack[-3:]
    state = w.state
    moved = value.type.is_object and value in state.owned and not state.holds(value)
    if moved:
        state.owned = state.owned - {value}
    after = w.exit_after("a finaliser looked at the frame")
    name = {FLOAT: "store_item_float", INT: "store_item_int", BOOL: "store_item_bool"}.get(value.type)
    if value.is_constant:
        name, value = "store_item_object", value if value.type.is_object else w.constant_object(value)
    w.operation(name or "store_item_object", container, index, value, exit=exit, after=after, detail=moved)
    w.release(container)
    return None


@bytecode("BUILD_TUPLE", "BUILD_LIST")
def build(w, instruction):
    count = instruction.argument
    is_list = instruction.operation == "BUILD_LIST"
    w.require(count)
    following = w.instructions[w.index + 1]
    if any(item.__class__ is not Value or item.type is NULL for item in w.state.stack[len(w.state.stack) - count:]):
        return w.leave("an iterator is put into a container")
    if not is_list and count and following.operation == "CALL" and following.argument == 2 and not following.names and w.inside(w.index + 1) and \
            ask(w, count):
        w.index += 1
        return None
    if not is_list and count and following.operation == "LOAD_CONST" and is_called_at_once(w, w.index + 2):
        w.freeze()
        cells = w.state.stack[-count:]
        del w.state.stack[-count:]
        w.push(VirtualTuple(cells))
        return None
    if not is_list and following.operation == "UNPACK_SEQUENCE" and following.argument == count and \
            w.inside(w.index + 1) and count:
        stack = w.state.stack
        stack[-count:] = stack[-count:][::-1]
        w.index += 1
        return None
    return build_sequence(w, count, is_list)


def build_sequence(w, count, is_list):
    """Put the top `count` stack items into a new list or tuple."""
    items = w.state.stack[len(w.state.stack) - count:]  # before they are boxed
    shape = Shape(LIST if is_list else TUPLE)
    if items:
        shape.element = items[0].shape or Shape(items[0].type)
    w.before_effect(rebinds=False)
    w.freeze()
    from jit.foreign import box_operands
    operands = box_operands(w, count) if count else []
    throw = w.exit_here("out of memory")
    state = w.state
    del state.stack[len(state.stack) - count:]
    moved = []
    for place, value in enumerate(operands):
        last = not any(other is value for other in operands[place + 1:])
        moves = value in state.owned and last and not state.holds(value)
        if moves:
            state.owned = state.owned - {value}
        moved.append(moves)
    from jit.templates.calls import build_template
    collects = is_list and not count and w.unit.is_comprehension and w.unit.consumer is not None and not state.stack
    if collects and w.unit.consumer in UNSEEN:
        result = w.operation("collecting_list", exit=throw, shape=shape)
    else:
        result = w.operation_of(build_template(count), list(operands), exit=throw, detail=(is_list, moved, ROOM if collects else 0),
                                kind=LIST if is_list else TUPLE, shape=shape)
    if not is_list:
        result.facts = Built(tuple(items))
    w.push(result)
    state.owned |= {result}


@bytecode("LIST_APPEND")
def list_append(w, instruction):
    """A comprehension appends to the list that lies `argument` below the top."""
    value, container = w.peek(), w.peek(instruction.argument + 1)
    if value.__class__ is not Value or container.__class__ is not Value or container.type is not LIST:
        return w.leave("LIST_APPEND to something else")
    sharpen(container, value)
    w.freeze()
    append(w, container)


def append(w, container):
    """Append the top of the stack to a list and pop it."""
    from jit.foreign import box_operands
    w.before_effect(rebinds=False)
    value, = box_operands(w, 1)
    throw = w.exit_here("out of memory")
    w.pop()
    state = w.state
    moved = value in state.owned and not state.holds(value)
    if moved:
        state.owned = state.owned - {value}
    w.operation("list_append", container, value, exit=throw, detail=moved)


@bytecode("CONTAINS_OP")
def contains_op(w, instruction):
    """``a in b``: PySequence_Contains wants the container first."""
    left, right = w.peek(2), w.peek(1)
    if left.__class__ is not Value or right.__class__ is not Value:
        return w.leave("membership of an iterator")
    found = among_constants(w, left, right)
    if found is None:
        from jit.bytecodes import dictionaries, sets
        right = container_of(w, right, _SETS)
        found = dictionaries.contains(w, right, left)
        if found is None:
            found = sets.contains(w, right, left)
    if found is not None:
        result = w.operation("not", found) if instruction.argument else found
        w.freeze()
        left, right = w.peek(2), w.peek(1)
        w.pop(), w.pop()
        w.push(result)
        w.release(left, right)
        return None
    left, right = w.peek(2), w.peek(1)
    left = probably(w, left, (str,), "sought") if known_strings(right) else left
    w.freeze()
    stack = w.state.stack
    stack[-1], stack[-2] = left, right
    w.site = 0
    # Whoever leaves behind the call finds the instruction's result on the stack: negated already for ``not in``.
    failure = "falsehood" if instruction.argument else "truth"
    if contains_plainly(left, right):
        ended = blind_call(w, "PySequence_Contains", 2, types.BOOL_OBJECT, failure=failure)
    else:
        ended = callout(w, Call("PySequence_Contains", failure=failure), 2, kind=types.BOOL_OBJECT)
    if ended:
        return ended
    w.unbox_plain_bool()
    return None


def among_constants(w, value, container):
    """``value in (1, 2, 3)`` for a number, as a BOOL Value; None for anything else."""
    if not container.is_constant or type(container.constant) not in (tuple, frozenset) or not 0 < len(container.constant) <= 8:
        return None
    if value.type is not INT or value.is_constant or any(type(item) is not int for item in container.constant):
        return None
    if any(abs(item) >= 1 << 62 for item in container.constant):
        return None
    found = None
    for item in container.constant:
        equal = w.operation("COMPARE_OP", value, w.constant(item), detail="==")
        found = equal if found is None else w.operation("BINARY_OP |", found, equal)
    return found


def plain_slice(value):
    """Whether a slice's bounds are ints or None, so that using it runs no foreign code."""
    if value.is_constant:
        parts = (value.constant.start, value.constant.stop, value.constant.step)
        return all(type(part) in (int, type(None)) for part in parts)
    return value.facts == "plain"


def known_strings(container):
    return container.type is STR or container.is_constant and type(container.constant) in (tuple, frozenset) and \
        all(type(item) is str for item in container.constant)


def contains_plainly(value, container):
    """Whether looking for `value` compares strings or numbers only."""
    if known_strings(container):
        return value.type is STR
    return container.type.python in (range, bytes, bytearray) and value.type in (INT, BOOL)
