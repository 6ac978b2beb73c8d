"""Small functions walked in the place of their call.

Problem: a call of compiled code costs a dozen instructions and hides its types from the caller.
Idea: the bytecode of a callee that is one straight line and changes nothing but its own locals is walked with the caller's
Values as its arguments. Whatever fails inside leaves *before* the call, which the interpreter then does from its start, so an
exit never has two frames to build.
Invariants: nothing inside has an effect, owns a reference, or shows a frame; where a handler wants one of these, the walk of
the callee is undone (`NotInlined`) and the call becomes an ordinary one.
"""

from jit.decode import decode, local_count
from jit.errors import Unsupported
from jit.state import State
from jit.unit import Unit, check_compilable
from jit.values import Value

#: Instructions of a callee, and callees within each other.
LONGEST, DEEPEST = 40, 3

_ALLOWED = frozenset({
    "LOAD_FAST", "LOAD_CONST", "LOAD_GLOBAL", "LOAD_ATTR", "LOAD_METHOD", "LOAD_DEREF", "COPY_FREE_VARS", "STORE_FAST", "BINARY_OP",
    "BINARY_SUBSCR", "COMPARE_OP", "CONTAINS_OP", "IS_OP", "UNARY_NEGATIVE", "UNARY_INVERT", "UNARY_POSITIVE", "UNARY_NOT", "TO_BOOL",
    "POP_TOP", "COPY", "SWAP", "PUSH_NULL", "CALL", "BUILD_TUPLE", "UNPACK_SEQUENCE", "NOP", "RESUME", "RETURN_VALUE"})


class NotInlined(Exception):
    """The callee turned out to need what inlined code cannot have."""


class InlinedUnit:
    """The callee as handlers see it: its own code and globals; what it relies on, the caller relies on."""

    def __init__(self, outer, function):
        self.outer = outer
        self.function = function
        self.code = outer.code_of(function)

    def __getattr__(self, name):
        return getattr(self.outer, name)

    _profile = None
    global_value, feedback = Unit.global_value, Unit.feedback

    def callee(self, walker, function, arguments):
        raise NotInlined


def candidate(unit, function):
    """The instructions of a function that may be inlined, or None. Looked up once for each unit."""
    code = unit.code_of(function)
    known = unit.candidates
    # By identity: constants, hence code objects, need not be hashable.
    if id(code) not in known:
        known[id(code)] = code, _straight_line(code)
    return known[id(code)][1]


def initialiser_candidate(unit, function):
    """The same for an ``__init__`` that, besides, sets attributes of its first argument, for which it uses that for nothing else."""
    code = function.__code__
    known = unit.candidates
    key = "init", id(code)
    if key not in known:
        instructions = _straight_line(code, _ALLOWED | {"STORE_ATTR"})
        known[key] = code, instructions if instructions is not None and _only_sets(instructions) else None
    return known[key][1]


def _only_sets(instructions):
    """Whether the first local is loaded right before attributes are set, only then, and keeps its value."""
    for instruction, following in zip(instructions, instructions[1:]):
        loads = instruction.operation == "LOAD_FAST" and instruction.argument == 0
        if loads != (following.operation == "STORE_ATTR") or instruction.operation == "STORE_FAST" and instruction.argument == 0:
            return False
    return True


def _straight_line(code, allowed=_ALLOWED):
    try:
        check_compilable(code)
        instructions = decode(code)
    except Unsupported:
        return None
    operations = [instruction.operation for instruction in instructions]
    if len(operations) > LONGEST or code.co_cellvars or not allowed.issuperset(operations):
        return None
    straight = operations.count("RETURN_VALUE") == 1 and operations[-1] == "RETURN_VALUE"
    return instructions if straight else None


def inline(w, function, instructions, arguments, stores=None):
    """Walk a callee in place of the current CALL.

    Args:
        w: Walker, its state frozen before the call. arguments: Values, one for each parameter.
        stores: of an `initialiser_candidate`: list for (name, Value) of the attributes it sets, which is all that becomes of these.

    Returns:
        the result Value, or None: nothing was done.
    """
    if w.inlined >= DEEPEST or function is w.unit.function:
        return None
    saved = w.unit, w.instructions, w.index, w.end, w.state, w.instruction, w.site
    block = w.block
    length, terminator = len(block.operations), block.terminator
    w.inlined += 1
    try:
        result = _walk(w, function, instructions, arguments, stores)
    except NotInlined:
        del block.operations[length:]
        block.terminator = terminator
        result = None
    finally:
        transient, receivers = w.state.transient, w.state.receivers
        w.unit, w.instructions, w.index, w.end, w.state, w.instruction, w.site = saved
        w.inlined -= 1
    if result is not None:
        w.state.receivers = receivers
        if result in transient:
            w.state.transient |= {result}
    return result


def _walk(w, function, instructions, arguments, stores):
    from jit.walk import HANDLERS
    call = w.instruction
    w.operation("guard_levels", detail=w.inlined, exit=w.exit("recursion limit"))
    w.unit = InlinedUnit(w.unit, function)
    w.instructions = instructions
    w.end = len(instructions)
    known = w.state.receivers
    w.state = state = State(local_count(w.unit.code))
    state.receivers = dict(known)  # what is found out does not hold if the walk is undone
    state.locals[:len(arguments)] = arguments
    state.bound[:len(arguments)] = [True] * len(arguments)
    w.index = 0
    while w.index < w.end:
        instruction = instructions[w.index]
        if instruction.operation == "RETURN_VALUE":
            result = w.pop()
            if result.__class__ is not Value:
                raise NotInlined
            return result
        if stores is not None and _is_store(w, instruction, stores):
            continue
        w.instruction = call.standing_for(instruction)
        handler = HANDLERS.get(instruction.operation)
        if handler is None or handler(w, w.instruction) or state is not w.state or state.owned:
            raise NotInlined
        w.index += 1
    raise NotInlined


def _is_store(w, instruction, stores):
    """Take note of an attribute that an ``__init__`` sets; True if the instruction was part of that."""
    if instruction.operation == "STORE_ATTR":
        value = w.pop()
        if value.__class__ is not Value:
            raise NotInlined
        stores.append((w.unit.code.co_names[instruction.argument], value))
    elif instruction.operation != "LOAD_FAST" or instruction.argument != 0:
        return False
    w.index += 1
    return True
