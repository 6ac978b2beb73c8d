"""Subscripts of arrays and memoryviews whose items are machine numbers."""

from jit.bytecodes.numbers import number, to_float
from jit.types import ARRAY, BOOL, FLOAT, INT
from jit.values import Value


def array_format(value):
    """The Format of a proven array's items, or None."""
    return value.type.buffer if value.type.python is ARRAY else None


def buffer_of(w, value):
    """`value` with the format of its items proven, if it is an array or memoryview and its format is known or guessed."""
    if value.__class__ is not Value or value.type.buffer is not None or value.is_constant or \
            value.type.python not in (ARRAY, memoryview):
        return value
    shape = value.shape
    if shape is None or shape.type.buffer is None or shape.type.python is not value.type.python:
        return value
    site = w.instruction.site, "buffer"
    if w.knowledge.observed.get(site):
        return value
    guard = w.exit("items of another format", observe=value)
    guard.site = site
    kind = shape.type
    w.operation("guard_array" if kind.python is ARRAY else "guard_view", value, exit=guard, detail=kind.buffer)
    return w.alias(value, kind)


def load_element(w, container, index):
    """The machine number at a subscript."""
    buffer = container.type.buffer
    item = w.operation(f"element_{buffer.type.name}", container, index, detail=container.type)
    if buffer.type is INT and buffer.lowest == 0:
        item.facts = "nonnegative"
    return item


def store_element(w, container, index, value):
    """Store a number; False if `value` is none that fits the format without foreign code."""
    buffer = container.type.buffer
    stored = number(w, value, w.constant(0.5 if buffer.type is FLOAT else 0))
    if stored is None or buffer.type is INT and stored.type not in (INT, BOOL):
        return False
    if buffer.type is FLOAT:
        stored = to_float(w, stored)
    w.operation(f"store_element_{buffer.type.name}", container, index, stored, detail=container.type)
    return True

