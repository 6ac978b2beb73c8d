"""Calls out of compiled code into the C-API.

Two kinds:
    * *blind* calls run no Python code and look at no frame (building a list, concatenating strings): a plain C call.
    * *callouts* may do anything. The interpreter frame is materialised around them, so that tracebacks, sys._getframe and
      debuggers see what the interpreter would show; afterwards the compiled code goes on, unless somebody kept the
      frame, tracing was switched on, or a global it relies on was rebound: then it leaves behind the call.

Operands lie on top of the abstract stack; they are boxed there, so that an exception finds them in the frame.
"""

from jit.errors import Unsupported
from jit.template import find
from jit.types import BOOL, BOOL_OBJECT, BYTEARRAY, INT, LIST, NULL, OBJECT, STR, Shape
from jit.values import Value
from platforms.cpython.opcodes import DROPPING, FIRST_LAST, LAST_FIRST

BINARY = {
    "+": "PyNumber_Add", "-": "PyNumber_Subtract", "*": "PyNumber_Multiply", "/": "PyNumber_TrueDivide",
    "//": "PyNumber_FloorDivide", "%": "PyNumber_Remainder", "@": "PyNumber_MatrixMultiply", "&": "PyNumber_And",
    "|": "PyNumber_Or", "^": "PyNumber_Xor", "<<": "PyNumber_Lshift", ">>": "PyNumber_Rshift",
    "**": "PyNumber_Power",
    "+=": "PyNumber_InPlaceAdd", "-=": "PyNumber_InPlaceSubtract", "*=": "PyNumber_InPlaceMultiply",
    "/=": "PyNumber_InPlaceTrueDivide", "//=": "PyNumber_InPlaceFloorDivide", "%=": "PyNumber_InPlaceRemainder",
    "@=": "PyNumber_InPlaceMatrixMultiply", "&=": "PyNumber_InPlaceAnd", "|=": "PyNumber_InPlaceOr",
    "^=": "PyNumber_InPlaceXor", "<<=": "PyNumber_InPlaceLshift", ">>=": "PyNumber_InPlaceRshift",
    "**=": "PyNumber_InPlacePower",
}
COMPARISONS = {"<": 0, "<=": 1, "==": 2, "!=": 3, ">": 4, ">=": 5}


class Call:
    """What a call operation needs to know.

    Attributes:
        symbol: C function. immediates: int arguments behind the pointers. vector: arguments go as a vectorcall array.
        names: keyword names tuple object or None. consumed: operand Values whose reference the call uses up.
        failure: result that means an exception (0 for pointers, -1 for ints, "truth" for ints that answer a question,
            "falsehood" if the opposite is wanted, "error" where NULL without an exception ends an iteration).
        has_result: an owned object comes back.
        looks: it looks at the locals of the frame by itself, not through a frame object. shows: it gives a frame of a caller away.
        makes: it may make objects that the collector knows. drops: the operands are dropped where it fails, too. ended: exit taken when an iteration has ended and the frame is in use. exhausted: iterator to drop before that.
    """

    __slots__ = ("symbol", "immediates", "vector", "names", "consumed", "failure", "has_result", "looks", "shows", "ended", "exhausted", "drops", "makes")

    def __init__(self, symbol, immediates=(), vector=False, names=None, failure=0, has_result=True):
        self.symbol = symbol
        self.immediates = immediates
        self.vector = vector
        self.names = names
        self.consumed = []
        self.failure = failure
        self.has_result = has_result
        self.looks = self.shows = False
        self.ended = self.exhausted = None
        self.drops = False
        self.makes = True


def box_operands(w, count):
    """Replace the top `count` stack items by objects; returns them, lowest first.

    Returns None if one of them is an iterator that exists only as numbers.
    """
    stack = w.state.stack
    if len(stack) < count:
        raise Unsupported("operand stack underflow")
    if any(item.__class__ is not Value for item in stack[-count:]):
        return None
    for depth in range(count, 0, -1):
        value = stack[-depth]
        if value.type.is_object:
            continue
        boxed = w.box(value)
        stack[-depth] = boxed
        if not boxed.is_constant:
            w.state.owned |= {boxed}
    return stack[-count:]


def as_dropped(operation, operands):
    """Operands of a C function in the order in which the instruction drops them."""
    if operation in LAST_FIRST:
        return operands[-1:] + operands[:-1]
    return operands[1:] + operands[:1] if operation in FIRST_LAST else operands


def callout(w, call, count, kind=OBJECT, shape=None):
    """Call `call.symbol` with the top `count` stack items; pop them and push the result (if it has one)."""
    if len(w.state.stack) < count or any(item.__class__ is not Value for item in w.state.stack[-count:]):
        return w.leave("operands of a call that are no objects")
    w.before_effect()
    w.freeze()
    operands = box_operands(w, count)
    call.drops = w.instruction.operation in DROPPING
    throw = None if call.drops else w.exit_here("exception")
    del w.state.stack[-count:]
    state = w.state
    for value in as_dropped(w.instruction.operation, operands):
        if value in state.owned and not state.holds(value):
            call.consumed.append(value)
            state.owned = state.owned - {value}
    throw = throw or w.exit_here("exception")
    after = w.exit_after("the frame is in use", "exit_after" if call.has_result else "exit_start")
    arguments = [value for value in operands if value.type is not NULL]
    result = w.operation_of(callout_template(len(arguments)), arguments, exit=throw, after=after, mismatch=call.ended,
                            detail=call, kind=kind if call.has_result else None, shape=shape)
    if call.has_result:
        w.push(result)
        state.owned |= {result}
    return None


def callout_template(count):
    from jit.templates.calls import callout_template as make
    return make(count)


def blind_call(w, symbol, count, kind, shape=None, immediates=(), failure=0, template=None):
    """A C call that runs no Python code, with the top `count` stack items; pop them, push its owned result.

    What it allocates may let a garbage collection happen, and so finalisers (in CPython 3.11).

    Args:
        template: name of the one that takes the place of the C call.
    """
    w.before_effect(rebinds=False)
    w.freeze()
    operands = box_operands(w, count)
    if operands is None:
        return w.leave("operands of a call that are no objects")
    call = Call(symbol, immediates, failure=failure)
    throw = w.exit_here("exception")
    from jit.templates.calls import blind_template
    chosen = find(template, operands) if template else blind_template(count)
    result = w.operation_of(chosen, list(operands), exit=throw, detail=call, kind=kind, shape=shape)
    del w.state.stack[-count:]
    w.push(result)
    w.state.owned |= {result}
    w.release(*operands)
    return None


def blind_vectorcall(w, call, count, kind, shape=None):
    """A builtin that runs no foreign code, called with the top `count` stack items: NULL or callable, then arguments."""
    w.before_effect(rebinds=False)
    w.freeze()
    operands = box_operands(w, count)
    throw = w.exit_here("exception")
    from jit.templates.calls import blind_vector_template
    arguments = [value for value in operands if value.type is not NULL]
    result = w.operation_of(blind_vector_template(len(arguments)), arguments, exit=throw, detail=call, kind=kind, shape=shape)
    del w.state.stack[-count:]
    w.push(result)
    w.state.owned |= {result}
    w.release(*dict.fromkeys(operands))
    return None


def binary(w, symbol, left, right):
    """A binary operation on operands that are not both numbers."""
    if left.__class__ is not Value or right.__class__ is not Value:
        return w.leave("arithmetic on an iterator")
    plain = symbol.rstrip("=")
    if symbol == "*" and left.type in (LIST, BYTEARRAY) and right.type in (INT, BOOL):
        return blind_call(w, "PyNumber_Multiply", 2, left.type, Shape(left.type, left.shape and left.shape.element))
    if symbol == "+" and left.type is LIST and right.type is LIST:
        return blind_call(w, "PyNumber_Add", 2, LIST, Shape(LIST, left.shape and left.shape.element))
    kind = left.type.python
    if plain == "+" and kind is right.type.python and kind in (tuple, bytes) or plain == "*" and kind in (tuple, bytes, str) and right.type in (INT, BOOL):
        return blind_call(w, BINARY[plain], 2, left.type)
    if plain == "+" and left.type is STR and right.type is STR:
        return None if append_text(w, left) else blind_call(w, "PyUnicode_Concat", 2, STR)
    if plain == "**":
        w.push(w.constant(None))
        return callout(w, Call(BINARY[symbol]), 3)
    return callout(w, Call(BINARY[symbol]), 2)


def append_text(w, left):
    """``text += more``, if only the variable refers to the text: it is made longer in place, as the interpreter does; True if so.

    PyUnicode_Append looks itself whether anybody else does. It uses up the reference; without memory the variable is unbound.
    """
    state = w.state
    following = w.instructions[w.index + 1] if w.inside(w.index + 1) else None
    if following is None or following.operation != "STORE_FAST" or left not in state.owned or w.inlined or not w.instruction.last:
        return False
    number = following.argument
    if state.locals[number] is not left or state.bound[number] is not True or state.locals.count(left) != 1 or state.stack.count(left) != 1:
        return False
    w.before_effect()
    w.freeze()
    right = w.pop()
    w.pop()
    state.locals[number], state.bound[number] = None, False
    state.owned = state.owned - {left}
    w.push(right)
    throw = w.exit_here("exception")
    w.pop()
    from jit.templates.strings import append_template
    made = w.operation_of(append_template(), [left, right], exit=throw, kind=STR)
    w.push(made)
    state.owned |= {made}
    w.release(right)
    return True


def compare(w, symbol, left, right):
    """A comparison of operands that are not both numbers."""
    if left.__class__ is not Value or right.__class__ is not Value:
        return w.leave("comparison of an iterator")
    if not w.instruction.last:
        return compare_for_truth(w, symbol, left, right)
    return callout(w, Call("PyObject_RichCompare", (COMPARISONS[symbol],)), 2)


def compare_for_truth(w, symbol, left, right):
    """A comparison together with the truth of its result, which are one instruction: nothing may leave in between.

    The C function takes an object to be equal to itself without asking it, so that is left to the interpreter.
    """
    if symbol in ("==", "!="):
        if left is right:
            return w.leave("an object is compared with itself")
        if left.type.is_object and right.type.is_object:
            w.operation("guard_distinct", left, right, exit=w.exit("an object is compared with itself"))
    ended = callout(w, Call("PyObject_RichCompareBool", (COMPARISONS[symbol],), failure="truth"), 2, kind=BOOL_OBJECT)
    if not ended:
        w.unbox_plain_bool()
    return ended
