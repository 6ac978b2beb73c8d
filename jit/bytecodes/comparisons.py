"""Comparison, truth, identity, and the jumps that depend on them."""

import operator

from jit import foreign, receivers, types
from jit.bytecodes.guards import probably
from jit.bytecodes.numbers import as_number, guess, operands
from jit.bytecodes.numbers_in_c import decimal_comparison
from jit.bytecodes.operators import compare_identities, compare_instances
from jit.errors import ArgumentsUnboxed, Unsupported
from jit.template import find
from jit.types import BOOL, FLOAT, INT, MIXED, NONE, OBJECT, STR
from jit.values import Value
from jit.walk import bytecode

_COMPARE = {"<": operator.lt, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt,
            ">=": operator.ge}


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
        return w.constant(bool(value.constant)) if kind in types.PLAIN and kind is not bytearray else None
    if value.type is BOOL:
        return value
    w.site = 0
    if value.type is OBJECT:
        truth = truth_of_object(w, value)
        if truth is not None:
            return truth
    kind = guess(w, value) if value.type is OBJECT else None
    if kind is not None:
        value = as_number(w, value, kind, 0)
    if find("truth", (value,)) is None:
        return None
    return w.operation("truth", value)


#: Types whose truth compiled code sees in an object, beside instances of Python classes, in the order in which it asks; those of them that are
#: true if they have a length.
_ORDER = (bool, int, str, list, tuple, dict, set, bytes, bytearray, frozenset)
_TRUTHS = frozenset({type(None), *_ORDER})
_SIZED = frozenset(_ORDER[2:])


def truth_of_object(w, value):
    """The truth of what probably is of one of some builtin types or an instance of a Python class that says nothing about its truth; else None."""
    seen = w.seen(0, "truth")
    builtin = [kind for kind in seen if kind.__class__ is type]
    kinds = [] if value.shape is None or value.shape.kind() is None else [value.shape.kind()]
    references = types.in_order_seen(seen)
    if any(reference.changes for reference in references) or not _TRUTHS.issuperset(builtin):
        return None
    if not seen and value.shape is not None and value.shape.type.python in _SIZED:
        builtin = [value.shape.type.python]
    for kind in (reference.kind() for reference in references):
        if kind is not None and not any(kind is other for other in kinds):
            kinds.append(kind)
    if not kinds and builtin in ([bool], [int]) or len(kinds) > receivers.POLYMORPHIC:
        return None  # better unboxed
    if not seen and not kinds and not builtin:
        if value.shape is not None and (value.shape.type.unboxed or value.shape.type is MIXED):
            return None
        builtin = [bool, int, str, list]
    tags = []
    for kind in kinds:
        receiver = receivers.receiver(kind)
        if receiver is None or any(receivers.has_attribute(kind, name) for name in ("__bool__", "__len__")):
            return None
        tags.append(receiver.tag)
    exit = w.exit("its receiver is of another class", observe=value if not value.is_constant else None)
    exit.site = (w.instruction.site, 0)
    return w.operation("truth_of_object", value, exit=exit, detail=(tags, tuple(kind for kind in _ORDER if kind in builtin)))


@bytecode("COMPARE_OP")
def compare_op(w, instruction):
    symbol = instruction.argument
    left, right = w.peek(2), w.peek(1)
    pair = operands(w, left, right, converts=False)
    if pair is None:
        texts = strings(w, left, right)
        same = compare_identities(w, symbol, w.peek(2), w.peek(1)) if texts is None else None
        if same is not None:
            left, right = w.peek(2), w.peek(1)
            w.freeze()
            w.pop(), w.pop()
            w.push(same)
            w.release(left, right)
            return None
        if texts is None:
            done = compare_instances(w, symbol, w.peek(2), w.peek(1)) if w.instruction.last else NotImplemented
            if done is NotImplemented:
                done = decimal_comparison(w, symbol, w.peek(2), w.peek(1))
            return foreign.compare(w, symbol, w.peek(2), w.peek(1)) if done is NotImplemented else done
        left, right = texts
        w.freeze()
        if symbol in ("==", "!="):
            result = w.operation("text_equal", left, right, detail=symbol)
        else:
            result = w.operation("COMPARE_OP", w.operation("text_order", left, right), w.constant(0), detail=symbol)
        w.pop(), w.pop()
        w.push(result)
        w.release(left, right)
        return None
    a, b = pair
    if a.is_constant and b.is_constant:
        result = w.constant(_COMPARE[symbol](a.constant, b.constant))
    else:
        if (a.type is FLOAT) != (b.type is FLOAT):
            a, b = exact_float(w, a), exact_float(w, b)
        jump = fused_jump(w)
        if jump is not None and not counted_by_then(w, jump, left, right):
            return branch_on(w, jump, "branch_compare", (a, b), symbol)
        result = w.operation("COMPARE_OP", a, b, detail=symbol)
    w.freeze()
    w.pop(), w.pop()
    w.push(result)
    w.release(left, right)


def strings(w, left, right):
    """Both operands of a comparison, proven to be exact strings, or None."""
    if left.__class__ is not Value or right.__class__ is not Value or STR not in (left.type, right.type):
        return None
    left = probably(w, left, (str,), "left")
    right = probably(w, right, (str,), "right")
    return (left, right) if left.type is STR and right.type is STR else None


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


def counted_by_then(w, index, *operands):
    """Whether references of operands are to be dropped when the jump at `index` takes them: backward jumps count what is borrowed, to poll."""
    counted = w.state.owned
    if w.instructions[index].operation.endswith("_BACKWARD"):
        counted = counted | w.state.transient
    return any(operand in counted for operand in operands)


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
    backward = instruction.operation.endswith("_BACKWARD")
    if truth is None:
        if value.__class__ is not Value or w.inlined:
            return w.leave("truth of an iterator")
        if backward:
            w.poll_back_edge(instruction)
        if ask_for_truth(w):
            return True
        value = truth = w.peek()
        backward = False
    w.freeze()
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


def ask_for_truth(w):
    """Replace the object on the stack by its truth, by PyObject_IsTrue; whoever leaves behind that finds True or False there, and jumps."""
    ended = foreign.callout(w, foreign.Call("PyObject_IsTrue", failure="truth"), 1, kind=types.BOOL_OBJECT)
    if not ended:
        after = w.block.operations[-1].after
        after.resume = after.following = w.instruction.offset
        w.unbox_plain_bool()
    return ended


@bytecode("JUMP_IF_TRUE_OR_POP", "JUMP_IF_FALSE_OR_POP")
def jump_if_or_pop(w, instruction):
    value = w.peek()
    truth = truth_of(w, value)
    if truth is None:
        return w.leave(f"truth of {value.type.name}")
    on_true = "_TRUE" in instruction.operation
    if value in w.state.owned and not truth.is_constant:
        return jump_or_drop(w, instruction, w.operation("not", truth) if on_true else truth)
    w.freeze()
    if truth.is_constant:
        if truth.constant is on_true:
            w.jump(instruction.target)
        else:
            w.pop()
            w.jump(w.index + 1)
        return True
    state = w.state
    kept = state.copy()
    w.pop()
    # Borrowed from a container, and not held where it is popped: only the edge that keeps it takes a reference.
    alone = value in state.transient and not state.holds(value)
    if alone:
        state.transient = state.transient - {value}
    w.before_effect(rebinds=False)
    kept.owned, kept.transient = state.owned, frozenset()
    if alone:
        kept.owned = kept.owned | {value}
    if on_true:
        ended = w.branch("branch_bool", (truth,), None, instruction.target, w.index + 1, true_state=kept)
        keeping = w.block.edges[-2]
    else:
        w.state = kept
        ended = w.branch("branch_bool", (truth,), None, w.index + 1, instruction.target, true_state=state)
        keeping = w.block.edges[-1]
    if alone:
        keeping.increfs.append(value)
    return ended


def jump_or_drop(w, instruction, goes_on):
    """Jump with the object on the stack, or drop it and go on, as the BOOL Value says."""
    w.split("branch_bool", (goes_on,), None, lambda: w.jump(instruction.target))
    value = w.pop()
    w.release(value)
    w.jump(w.index + 1)
    return True


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
        is_none = w.operation("same", value, w.constant(None))
        # What is freed was not None, so the interpreter may take True for it.
        w.release_before_jump(value, w.constant(True))
        return w.branch("branch_bool", (is_none,), None, if_none, if_other)
    return w.branch("branch_same", (value, w.constant(None)), None, if_none, if_other)


@bytecode("IS_OP")
def is_op(w, instruction):
    left, right = w.peek(2), w.peek(1)
    if left.__class__ is not Value or right.__class__ is not Value:
        return w.leave("identity of an iterator")
    result = identity(w, left, right)
    if result is None:
        # Leaving here would box numbers that were one object before.
        raise unknown_identity(left, right, f"identity of {left.type.name} and {right.type.name}", instruction)
    if instruction.argument:
        result = w.constant(not result.constant) if result.is_constant else w.operation("not", result)
    w.freeze()
    w.pop(), w.pop()
    w.push(result)
    w.release(left, right)


def unknown_identity(left, right, reason, instruction):
    """Why the function is not compiled; if it is for arguments having been unboxed, which."""
    numbers = [value for value in (left, right) if value.type.unboxed]
    origins = [value.origin for value in numbers]
    if all(type(origin) is tuple and origin[0] == "argument" for origin in origins):
        return ArgumentsUnboxed({position for _, position in origins}, reason, instruction.line, instruction.operation)
    return Unsupported(reason, instruction.line, instruction.operation)


def is_small(value):
    """Whether a Value is a constant int of those that exist once."""
    return value.type is INT and value.is_constant and -5 <= value.constant <= 256


def identity(w, left, right):
    """``left is right``, or None where unboxing has lost the identity (ints and floats)."""
    if left.type is BOOL and right.type is BOOL:
        if left.is_constant and right.is_constant:
            return w.constant(left.constant is right.constant)
        return w.operation("COMPARE_OP", left, right, detail="==")
    if left.type is INT and right.type is INT and (is_small(left) or is_small(right)):
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
    if is_small(unboxed) and other.type is OBJECT and not other.is_constant:
        return w.operation("same", w.box(unboxed), other)
    if unboxed.type is BOOL and not other.is_constant and other.type is OBJECT:
        return w.operation("same", w.box(unboxed), other) if unboxed.is_constant else None
    return None
