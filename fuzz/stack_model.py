"""Does a code object keep its operand stack in order?

Problem: the interpreter checks nothing: a code object that pops too much, or whose paths disagree on the depth, crashes it.
Idea: follow the depth along every path, exceptions included, by `dis.stack_effect`; a second opinion on generators that keep
books of their own. Depths only: what an item is, the generators must know.
"""

import dis

from jit.decode import exception_entries, raw_instructions
from jit.errors import Unsupported
from platforms.cpython import opcodes

_ENDS = {"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE", "JUMP_FORWARD", "JUMP_BACKWARD",
         "JUMP_BACKWARD_NO_INTERRUPT"}
#: Operands that are gone when an instruction raises: as a number, or what is added to its argument.
_TAKES = {"BINARY_OP": 2, "BINARY_SUBSCR": 2, "COMPARE_OP": 2, "CONTAINS_OP": 2, "IS_OP": 2, "UNARY_NEGATIVE": 1,
          "UNARY_INVERT": 1, "UNARY_NOT": 1, "UNARY_POSITIVE": 1, "TO_BOOL": 1, "GET_ITER": 1, "STORE_SUBSCR": 3,
          "DELETE_SUBSCR": 2, "UNPACK_SEQUENCE": 1, "LOAD_ATTR": 1, "LOAD_METHOD": 1, "STORE_ATTR": 2, "CHECK_EXC_MATCH": 1}
_TAKES_ARGUMENT = {"CALL": 2, "BUILD_TUPLE": 0, "BUILD_LIST": 0, "RAISE_VARARGS": 0, "BUILD_MAP": 0, "BUILD_STRING": 0,
                   "CALL_KW": 3}
if "PRECALL" in opcodes.NUMBERS:
    # By dis, the arguments leave the stack with PRECALL; the interpreter takes them with CALL.
    _TAKES_ARGUMENT["PRECALL"] = _TAKES_ARGUMENT.pop("CALL")
    _TAKES["CALL"] = 2


class StackError(ValueError):
    """A path underflows, exceeds the stack size, disagrees with another, or ends nowhere."""


def depth_needed(code):
    """The deepest stack of any path.

    Args:
        code: types.CodeType; its own co_stacksize is not looked at.

    Returns:
        int.

    Raises:
        StackError: the code object must not be executed.
    """
    try:
        instructions = {start: rest for start, *rest in raw_instructions(code)}
        entries = exception_entries(code)
    except Unsupported as problem:
        raise StackError(str(problem)) from None
    depths, pending, deepest = {}, [(0, 0)], 0
    while pending:
        start, depth = pending.pop()
        if depths.setdefault(start, depth) != depth:
            raise StackError(f"offset {start} is reached with {depth} and with {depths[start]} items")
        if start not in instructions:
            raise StackError(f"offset {start} is no instruction")
        for following, after, highest in _steps(start, depth, *instructions[start], entries):
            deepest = max(deepest, highest)
            if depths.get(following) != after:
                pending.append((following, after))
    return deepest


def verify(code):
    """As `depth_needed`, and the stack size of the code object must suffice."""
    needed = depth_needed(code)
    if needed > code.co_stacksize:
        raise StackError(f"{needed} items on a stack of {code.co_stacksize}")
    return needed


def _steps(start, depth, own, name, argument, following, entries):
    """Where one instruction leads: (offset, depth there, highest depth on the way)."""
    number = opcodes.NUMBERS.get(name)
    if number is None:
        raise StackError(f"{name} at {own} is not for code objects")
    given = argument if number >= dis.HAVE_ARGUMENT else None
    taken = _TAKES.get(name, argument + _TAKES_ARGUMENT[name] if name in _TAKES_ARGUMENT else 0)
    if depth < taken:
        raise StackError(f"{name} at {own} underflows")
    for first, end, handler, kept, lasti in entries:
        if first <= own < end:
            if depth - taken < kept:
                raise StackError(f"{name} at {own} may leave fewer items than its handler keeps")
            yield handler, kept + lasti + 1, max(depth, kept + lasti + 1)
    paths = []
    if name in opcodes.JUMPS:
        target = following + (-2 if name in opcodes.JUMPS_BACKWARD else 2) * argument
        paths.append((target, depth + dis.stack_effect(number, given, jump=True)))
    if name not in _ENDS:
        paths.append((following, depth + dis.stack_effect(number, given, jump=False)))
    elif depth + dis.stack_effect(number, given) < 0:
        raise StackError(f"{name} at {own} underflows")
    if name == "RETURN_GENERATOR":
        # The generator goes on behind it with what was sent.
        paths = [(following, depth + 1)]
    for place, after in paths:
        if after < 0:
            raise StackError(f"{name} at {own} underflows")
        yield place, after, max(depth, after)
