"""Arithmetic, comparison and truth of numbers.

Operands are brought to machine form first: an object that is (or is guessed to be) an exact int, float or bool is
guarded and unboxed; then the family ``BINARY_OP <symbol>`` chooses the template by type.
"""

import operator

from jit import foreign, types
from jit.errors import Unsupported
from jit.template import find
from jit.types import BOOL, FLOAT, INT, NONE, OBJECT, UNBOXED
from jit.values import Value
from jit.walk import bytecode

_FOLD = {"+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod,
         "/": operator.truediv, "&": operator.and_, "|": operator.or_, "^": operator.xor}
_COMPARE = {"<": operator.lt, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt,
            ">=": operator.ge}
#: Constants are folded only while they stay small: a ``2 ** 10 ** 6`` must not run while compiling.
_FOLD_LIMIT = 1 << 62


def unbox_as(w, value, kind):
    """Guard that `value` is an exact `kind` and give its machine form; the state then names that instead."""
    name = {INT: "unbox_int", FLOAT: "unbox_float", BOOL: "unbox_bool"}[kind]
    exit = w.exit(f"not an exact {kind.name}", observe=value if not value.is_constant else None)
    exit.site = (w.instruction.offset, w.site)
    w.site += 1
    return w.operation(name, value, exit=exit)


def guess(w, value, other=None):
    """The unboxed type an object probably has, or None if it is not a number.

    What was observed at this place decides; then the other operand; then the value's own shape.
    """
    if value.type.python is not None:
        return UNBOXED.get(value.type.python)
    seen = w.knowledge.observed.get((w.instruction.offset, w.site))
    if seen:
        kinds = {UNBOXED.get(kind) for kind in seen}
        return kinds.pop() if len(kinds) == 1 else None
    if value.shape is not None and value.shape.type.unboxed:
        return value.shape.type
    if value.shape is not None and value.shape.type is not OBJECT:
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
    return foreign.binary(w, symbol, left, right)


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


@bytecode("UNARY_NOT")
def unary_not(w, instruction):
    value = w.peek()
    truth = truth_of(w, value)
    if truth is None:
        return w.leave(f"truth of {value.type.name}")
    result = w.constant(not truth.constant) if truth.is_constant else w.operation("not", truth)
    w.freeze()
    w.pop()
    w.push(result)
    w.release(value)


@bytecode("TO_BOOL")
def to_bool(w, instruction):
    value = w.peek()
    following = w.instructions[w.index + 1]
    if value.__class__ is Value and value.type is INT and not value.is_constant and \
            following.operation.startswith(("POP_JUMP_IF_TRUE", "POP_JUMP_IF_FALSE")) and w.inside(w.index + 1):
        w.freeze()
        w.push(w.constant(0))
        return branch_on(w, w.index + 1, "branch_compare", (value, w.peek()), "!=")
    truth = truth_of(w, value)
    if truth is None:
        ended = foreign.callout(w, foreign.Call("PyObject_IsTrue", failure="truth"), 1, kind=types.BOOL_OBJECT)
        if not ended:
            w.unbox_plain_bool()
        return ended
    w.freeze()
    w.pop()
    w.push(truth)
    w.release(value)
    return None


def truth_of(w, value):
    """The truth of a Value as a BOOL Value, or None if it takes foreign code to find out."""
    if value.__class__ is not Value:
        return None
    if value.is_constant:
        kind = type(value.constant)
        return w.constant(bool(value.constant)) if kind in types.PLAIN else None
    if value.type is BOOL:
        return value
    w.site = 0
    if value.type is OBJECT and guess(w, value) is not None:
        value = unbox_as(w, value, guess(w, value))
    if find("truth", (value,)) is None:
        return None
    return w.operation("truth", value)


@bytecode("COMPARE_OP")
def compare_op(w, instruction):
    symbol = instruction.argument
    left, right = w.peek(2), w.peek(1)
    pair = operands(w, left, right)
    if pair is None:
        return foreign.compare(w, symbol, left, right)
    a, b = pair
    if a.is_constant and b.is_constant:
        result = w.constant(_COMPARE[symbol](a.constant, b.constant))
    else:
        if (a.type is FLOAT) != (b.type is FLOAT):
            a, b = exact_float(w, a), exact_float(w, b)
        jump = fused_jump(w)
        if jump is not None and not (left in w.state.owned or right in w.state.owned):
            return branch_on(w, jump, "branch_compare", (a, b), symbol)
        result = w.operation("COMPARE_OP", a, b, detail=symbol)
    w.freeze()
    w.pop(), w.pop()
    w.push(result)
    w.release(left, right)


def exact_float(w, value):
    """A double that compares as the int does: ints beyond 2**53 leave (CPython compares them exactly)."""
    if value.type is FLOAT:
        return value
    if value.is_constant and abs(value.constant) <= 1 << 53:
        return w.constant(float(value.constant))
    return w.operation("int_to_exact_float", value)


def fused_jump(w):
    """The conditional jump right behind the present instruction, if it consumes just the result."""
    index = w.index + 1
    following = w.instructions[index]
    if following.operation == "TO_BOOL":
        index += 1
        following = w.instructions[index]
    if following.operation.startswith(("POP_JUMP_IF_TRUE", "POP_JUMP_IF_FALSE")) and w.inside(index):
        return index
    return None


def branch_on(w, index, name, arguments, detail):
    """Compare-and-branch in one: pop both operands, skip the jump at `index`, end the block."""
    jump = w.instructions[index]
    exit = None
    if jump.operation.endswith("_BACKWARD"):
        w.poll_back_edge(jump)
    w.pop(), w.pop()
    if_true, if_false = jump.target, index + 1
    if "_FALSE" in jump.operation:
        if_true, if_false = if_false, if_true
    return w.branch(name, arguments, detail, if_true, if_false, exit=exit)


@bytecode("POP_JUMP_IF_TRUE", "POP_JUMP_IF_FALSE", "POP_JUMP_IF_TRUE_BACKWARD", "POP_JUMP_IF_FALSE_BACKWARD")
def pop_jump_if(w, instruction):
    value = w.peek()
    if value.__class__ is Value and value.type is INT and not value.is_constant:
        w.freeze()
        w.push(w.constant(0))
        return branch_on(w, w.index, "branch_compare", (value, w.peek()), "!=")
    truth = truth_of(w, value)
    if truth is None:
        return w.leave(f"truth of {value.type.name}")
    w.freeze()
    backward = instruction.operation.endswith("_BACKWARD")
    if_true, if_false = instruction.target, w.index + 1
    if "_FALSE" in instruction.operation:
        if_true, if_false = if_false, if_true
    if truth.is_constant:
        target = if_true if truth.constant else if_false
        if backward and target == instruction.target:
            w.poll_back_edge(instruction)
        w.pop()
        w.release(value)
        w.jump(target)
        return True
    if backward:
        w.poll_back_edge(instruction)
    w.pop()
    w.release_before_jump(value, truth)
    return w.branch("branch_bool", (truth,), None, if_true, if_false)


@bytecode("JUMP_IF_TRUE_OR_POP", "JUMP_IF_FALSE_OR_POP")
def jump_if_or_pop(w, instruction):
    value = w.peek()
    truth = truth_of(w, value)
    if truth is None:
        return w.leave(f"truth of {value.type.name}")
    if value in w.state.owned:
        return w.leave("and/or of an object")
    w.freeze()
    on_true = "_TRUE" in instruction.operation
    if truth.is_constant:
        if truth.constant is on_true:
            w.jump(instruction.target)
        else:
            w.pop()
            w.jump(w.index + 1)
        return True
    kept = w.state.copy()
    w.pop()
    if on_true:
        return w.branch("branch_bool", (truth,), None, instruction.target, w.index + 1, true_state=kept)
    popped = w.state
    w.state = kept
    return w.branch("branch_bool", (truth,), None, w.index + 1, instruction.target, true_state=popped)


@bytecode("POP_JUMP_IF_NONE", "POP_JUMP_IF_NOT_NONE", "POP_JUMP_IF_NONE_BACKWARD", "POP_JUMP_IF_NOT_NONE_BACKWARD")
def pop_jump_if_none(w, instruction):
    value = w.peek()
    if value.__class__ is not Value:
        return w.leave("an iterator is compared with None")
    w.freeze()
    backward = instruction.operation.endswith("_BACKWARD")
    if_none, if_other = instruction.target, w.index + 1
    if "NOT_NONE" in instruction.operation:
        if_none, if_other = if_other, if_none
    if backward:
        w.poll_back_edge(instruction)
    w.pop()
    if value.type is not OBJECT:
        w.release(value)
        w.jump(if_none if value.type is NONE else if_other)
        return True
    if value in w.state.owned and not w.state.holds(value):
        w.push(value)
        return w.leave("an object is compared with None and dropped")
    return w.branch("branch_same", (value, w.constant(None)), None, if_none, if_other)


@bytecode("IS_OP")
def is_op(w, instruction):
    left, right = w.peek(2), w.peek(1)
    if left.__class__ is not Value or right.__class__ is not Value:
        return w.leave("identity of an iterator")
    result = identity(w, left, right)
    if result is None:
        # Leaving here would box numbers that were one object before.
        raise Unsupported(f"identity of {left.type.name} and {right.type.name}", instruction.line, instruction.operation)
    if instruction.argument:
        result = w.constant(not result.constant) if result.is_constant else w.operation("not", result)
    w.freeze()
    w.pop(), w.pop()
    w.push(result)
    w.release(left, right)


def identity(w, left, right):
    """``left is right``, or None where unboxing has lost the identity (ints and floats)."""
    if left.type is BOOL and right.type is BOOL:
        if left.is_constant and right.is_constant:
            return w.constant(left.constant is right.constant)
        return w.operation("COMPARE_OP", left, right, detail="==")
    if left.type.python is not None and right.type.python is not None and left.type.python is not right.type.python:
        return w.constant(False)
    if left.type.is_object and right.type.is_object:
        if left.is_constant and right.is_constant:
            return w.constant(left.constant is right.constant)
        return w.operation("same", left, right)
    unboxed, other = (left, right) if left.type.unboxed else (right, left)
    if other.is_constant and type(other.constant) is not unboxed.type.python:
        return w.constant(False)
    if unboxed.type is BOOL and not other.is_constant and other.type is OBJECT:
        return w.operation("same", w.box(unboxed), other) if unboxed.is_constant else None
    return None
