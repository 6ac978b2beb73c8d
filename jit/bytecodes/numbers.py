"""Arithmetic of numbers.

Operands are brought to machine form first: an object that is (or is guessed to be) an exact int, float or bool is
guarded and unboxed; then the family ``BINARY_OP <symbol>`` chooses the template by type.
"""

import operator

from jit import foreign
from jit.bytecodes.numbers_in_c import complex_arithmetic, decimal_arithmetic
from jit.bytecodes.operators import binary_on_instances, format_text
from jit.template import find
from jit.templates.mixed import MIXED_SYMBOLS
from jit.types import BOOL, FLOAT, INT, MIXED, OBJECT, STR, UNBOXED, Shape
from jit.values import Value
from jit.walk import bytecode

_FOLD = {"+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod,
         "/": operator.truediv, "&": operator.and_, "|": operator.or_, "^": operator.xor}
_UNARY = {"UNARY_NEGATIVE": "PyNumber_Negative", "UNARY_POSITIVE": "PyNumber_Positive", "UNARY_INVERT": "PyNumber_Invert"}
#: Constants are folded only while they stay small: a ``2 ** 10 ** 6`` must not run while compiling.
_FOLD_LIMIT = 1 << 62


def unbox_as(w, value, kind, name=None):
    """Guard that `value` is an exact `kind` and give its machine form; the state then names that instead."""
    name = name or {INT: "unbox_int", FLOAT: "unbox_float", BOOL: "unbox_bool"}[kind]
    exit = w.exit(f"not an exact {kind.name}", observe=value if not value.is_constant else None)
    exit.site = (w.instruction.site, w.site)
    w.site += 1
    return w.operation(name, value, exit=exit)


#: What the operand at a place of an operation is called in the interpreter's profile.
_TOLD = {("BINARY_OP", 0): "left", ("BINARY_OP", 1): "right", ("COMPARE_OP", 0): "left", ("COMPARE_OP", 1): "right", ("BINARY_SUBSCR", 0): "index",
         ("STORE_SUBSCR", 0): "index", ("TO_BOOL", 0): "truth"}


def guess(w, value, other=None):
    """The unboxed type an object probably has, or MIXED, or None if it is not a number.

    What was observed at this place decides; then the value's own shape; then the type of the other operand.
    """
    if value.type.python is not None:
        return UNBOXED.get(value.type.python)
    if value.facts == "number":
        return MIXED
    seen = w.seen(w.site, _TOLD.get((w.instruction.operation, w.site)))
    if seen:
        kinds = {UNBOXED.get(kind) for kind in seen}
        return kinds.pop() if len(kinds) == 1 else MIXED if kinds == {INT, FLOAT} else None
    if value.shape is not None and (value.shape.type.unboxed or value.shape.type is MIXED):
        return value.shape.type
    if value.shape is not None and (value.shape.type is not OBJECT or value.shape.kind() is not None):
        return None
    if other in (INT, FLOAT, MIXED):
        return other if other is not MIXED else FLOAT
    if other is not None and other.python is not None and other not in (INT, FLOAT, BOOL):
        return None
    return INT if other is None or other is OBJECT else None


def number(w, value, other=None):
    """Machine form of `value` (a Value of an unboxed type), or None if it is no number as far as can be told."""
    if value.__class__ is not Value:
        return None
    if value.type.unboxed:
        return value
    if value.is_constant:
        return None
    kind = guess(w, value, None if other is None else other.type)
    if kind is MIXED and (other is None or other.type is not FLOAT):
        return None
    return None if kind is None else as_number(w, value, kind, w.site)


def as_number(w, value, kind, site):
    """`value` unboxed as the guessed type; what may be an int or a float, as the double of the same value."""
    if value.type.unboxed:
        return value
    w.site = site
    return unbox_as(w, value, FLOAT, "unbox_double") if kind is MIXED else unbox_as(w, value, kind)


def operand_kinds(w, left, right):
    """The types, unboxed or MIXED, that two operands have or are guessed to have; None if either is no number."""
    if left.__class__ is not Value or right.__class__ is not Value:
        return None
    kinds = []
    for site, (value, other) in enumerate(((left, right.type), (right, left.type))):
        if value.type.unboxed:
            kinds.append(value.type)
            continue
        if value.is_constant or value.type.python not in (None, int, float, bool):
            return None
        w.site = site
        kind = guess(w, value, kinds[0] if kinds else other)
        if kind is None:
            return None
        kinds.append(kind)
    return kinds


def operands(w, left, right, converts=True):
    """Both operands in machine form, what may be an int or a float as the double of the same value; None if either is no number.

    Args:
        converts: an operation on an int and a float gives what it gives for two floats. Otherwise it is enough that one is MIXED.
    """
    kinds = operand_kinds(w, left, right)
    if kinds is None or MIXED in kinds and converts and FLOAT not in kinds:
        return None
    return as_number(w, left, kinds[0], 0), as_number(w, right, kinds[1], 1)


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
    if is_mixed(w, symbol, left, right):
        return mixed_operation(w, symbol, (left, right), "mixed_arithmetic")
    left, right = w.peek(2), w.peek(1)
    done = NotImplemented
    if left.__class__ is right.__class__ is Value:
        done = format_text(w, symbol, left, right) if left.type is STR else binary_on_instances(w, symbol, left, right)
    for operate in (decimal_arithmetic, complex_arithmetic):
        if done is NotImplemented:
            done = operate(w, symbol, left, right)
    return foreign.binary(w, symbol, left, right) if done is NotImplemented else done


def is_mixed(w, symbol, left, right):
    """Whether this is arithmetic on numbers of which one may be an int or a float, and the other no float for certain."""
    kinds = operand_kinds(w, left, right)
    return kinds is not None and MIXED in kinds and symbol.rstrip("=") in MIXED_SYMBOLS


def mixed_operation(w, symbol, values, template=None):
    """The operands are proven to be ints or floats; the result is an object, of the type that they make it at run time."""
    for site, value in enumerate(values):
        if value.type is OBJECT and value.facts != "number":
            exit = w.exit("neither int nor float", observe=value)
            exit.site = w.instruction.site, site
            w.operation("guard_number", value, exit=exit)
    done = foreign.blind_call(w, symbol, len(values), OBJECT, Shape(MIXED), template=template)
    if not done:
        w.peek().facts = "number"
    return done


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
    w.site = 0
    if machine is None and instruction.operation != "UNARY_INVERT" and value.__class__ is Value and value.type is OBJECT and \
            not value.is_constant and guess(w, value) is MIXED:
        return mixed_operation(w, _UNARY[instruction.operation], (value,))
    if machine is None or machine.type is FLOAT and instruction.operation == "UNARY_INVERT":
        return foreign.callout(w, foreign.Call(_UNARY[instruction.operation]), 1)
    if machine.type is BOOL and instruction.operation == "UNARY_INVERT":
        # From 3.12 on with a DeprecationWarning each time.
        return foreign.callout(w, foreign.Call(_UNARY[instruction.operation]), 1)
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


def plain_int(w, value):
    """A Value of type int for one of type int or bool."""
    if value.type is not BOOL:
        return value
    return w.constant(int(value.constant)) if value.is_constant else w.operation("bool_to_int", value)
