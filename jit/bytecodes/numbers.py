"""Arithmetic of numbers.

Operands are brought to machine form first: an object that is (or is guessed to be) an exact int, float or bool is
guarded and unboxed; then the family ``BINARY_OP <symbol>`` chooses the template by type.
"""

import operator

from jit import foreign
from jit.bytecodes.operators import binary_on_instances
from jit.template import find
from jit.types import BOOL, FLOAT, INT, OBJECT, UNBOXED
from jit.values import Value
from jit.walk import bytecode

_FOLD = {"+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod,
         "/": operator.truediv, "&": operator.and_, "|": operator.or_, "^": operator.xor}
#: Constants are folded only while they stay small: a ``2 ** 10 ** 6`` must not run while compiling.
_FOLD_LIMIT = 1 << 62


def unbox_as(w, value, kind, name=None):
    """Guard that `value` is an exact `kind` and give its machine form; the state then names that instead."""
    name = name or {INT: "unbox_int", FLOAT: "unbox_float", BOOL: "unbox_bool"}[kind]
    exit = w.exit(f"not an exact {kind.name}", observe=value if not value.is_constant else None)
    exit.site = (w.instruction.site, w.site)
    w.site += 1
    return w.operation(name, value, exit=exit)


def guess(w, value, other=None):
    """The unboxed type an object probably has, or None if it is not a number.

    What was observed at this place decides; then the other operand; then the value's own shape.
    """
    if value.type.python is not None:
        return UNBOXED.get(value.type.python)
    seen = w.knowledge.observed.get((w.instruction.site, w.site))
    if seen:
        kinds = {UNBOXED.get(kind) for kind in seen}
        return kinds.pop() if len(kinds) == 1 else None
    if value.shape is not None and value.shape.type.unboxed:
        return value.shape.type
    if value.shape is not None and (value.shape.type is not OBJECT or value.shape.kind() is not None):
        return None
    if other is not None and other.type in (INT, FLOAT):
        return other.type
    if other is not None and other.type.python is not None and other.type not in (INT, FLOAT, BOOL):
        return None
    return INT if other is None or other.type is OBJECT else None


def number(w, value, other=None):
    """Machine form of `value` (a Value of an unboxed type), or None if it is no number as far as can be told."""
    if value.__class__ is not Value:
        return None
    if value.type.unboxed:
        return value
    if value.is_constant:
        return None
    if other is not None and other.type is FLOAT and w.knowledge.observed.get((w.instruction.site, w.site)) == {int, float}:
        # Beside a float, an int that a double holds exactly counts as that.
        return unbox_as(w, value, FLOAT, "unbox_double")
    kind = guess(w, value, other)
    return None if kind is None else unbox_as(w, value, kind)


def operands(w, left, right):
    """Both operands in machine form, an int converted where the other is a float; None if either is no number."""
    w.site = 0
    if left.__class__ is not Value or right.__class__ is not Value:
        return None
    for value in (left, right):
        if not value.type.unboxed and (value.is_constant or value.type.python not in (None, int, float, bool)):
            return None
    if left.type is OBJECT and right.type is OBJECT:
        for one, two in ((left, right), (right, left)):
            if guess(w, one) is None:
                return None
    a = number(w, left, right)
    b = None if a is None else number(w, right, a)
    return None if b is None else (a, b)


def to_float(w, value):
    """The double for an int or bool Value (nearest, ties to even: Objects/longobject.c, PyLong_AsDouble)."""
    if value.type is FLOAT:
        return value
    if value.is_constant:
        return w.constant(float(value.constant))
    return w.operation("int_to_float", value)


@bytecode("BINARY_OP")
def binary_op(w, instruction):
    symbol = instruction.argument
    left, right = w.peek(2), w.peek(1)
    pair = operands(w, left, right)
    if pair is not None:
        result = arithmetic(w, symbol.rstrip("="), *pair)
        if result is not None:
            w.freeze()
            w.pop(), w.pop()
            w.push(result)
            w.release(left, right)
            return None
    done = binary_on_instances(w, symbol, w.peek(2), w.peek(1))
    return foreign.binary(w, symbol, left, right) if done is NotImplemented else done


def arithmetic(w, symbol, a, b):
    """Result Value of a number operation, or None where no template does it."""
    folded = fold(w, symbol, a, b)
    if folded is not None:
        return folded
    if symbol == "/" or a.type is FLOAT or b.type is FLOAT:
        if symbol == "/" and a.type is not FLOAT and b.type is not FLOAT:
            return w.operation("BINARY_OP /", a, b)
        if symbol not in ("+", "-", "*", "/", "//", "%", "**"):
            return None
        a, b = to_float(w, a), to_float(w, b)
    name = f"BINARY_OP {symbol}"
    if find(name, (a, b)) is None:
        return None
    result = w.operation(name, a, b)
    if result.type is INT and symbol in ("+", "*", "//", "%", "&", ">>") and nonnegative(a) and nonnegative(b):
        result.facts = "nonnegative"
    elif result.type is INT and symbol in ("%", "&") and (nonnegative(b) or symbol == "&" and nonnegative(a)):
        result.facts = "nonnegative"
    return result


def nonnegative(value):
    return value.facts == "nonnegative" or value.type is BOOL or value.is_constant and value.constant >= 0


def fold(w, symbol, a, b):
    """Fold constants by Python's own operators; errors and large results are left to run time."""
    if not (a.is_constant and b.is_constant) or symbol not in _FOLD:
        return None
    try:
        result = _FOLD[symbol](a.constant, b.constant)
    except (ArithmeticError, TypeError):
        return None
    if type(result) is int and abs(result) >= _FOLD_LIMIT:
        return None
    return w.constant(result)


@bytecode("UNARY_NEGATIVE", "UNARY_INVERT", "UNARY_POSITIVE")
def unary(w, instruction):
    value = w.peek()
    w.site = 0
    machine = number(w, value)
    if machine is None or machine.type is FLOAT and instruction.operation == "UNARY_INVERT":
        return w.leave(f"{instruction.operation} of {value.type.name}")
    if machine.type is BOOL and instruction.operation == "UNARY_INVERT":
        # From 3.12 on with a DeprecationWarning each time.
        return foreign.callout(w, foreign.Call("PyNumber_Invert"), 1)
    if machine.is_constant:
        apply = {"UNARY_NEGATIVE": operator.neg, "UNARY_INVERT": operator.invert,
                 "UNARY_POSITIVE": operator.pos}[instruction.operation]
        result = w.constant(apply(machine.constant))
    elif instruction.operation == "UNARY_POSITIVE":
        result = machine if machine.type is not BOOL else w.operation("bool_to_int", machine)
    else:
        result = w.operation(instruction.operation, machine)
    w.freeze()
    w.pop()
    w.push(result)
    w.release(value)
