"""Generator expressions that builtins take to their end, as loops (jit/comprehensions.py); yields of others (jit/resuming.py)."""

from jit.attention import CALLEE_LEFT
from jit.bytecodes.comparisons import truth_of
from jit.bytecodes.containers import append
from jit.bytecodes.control import return_value
from jit.bytecodes.guards import probably
from jit.bytecodes.operands import BodyCall, call_body, drop_consumed, take_operands
from jit.comprehensions import ALL, ANY, COLLECTING, ITEMS, KEYS, LIST, NUMBERS
from jit.errors import Unsupported
from jit import types
from jit.types import BOOL, NULL, OBJECT, PENDING
from jit.values import COLLECTED, COLLECTED_LIST, COLLECTED_PLAIN, Value
from jit.walk import bytecode
from platforms.cpython.resumption import resume_word

#: Types whose hash and comparison run no foreign code, and never fail.
PLAIN_KEYS = frozenset({int, float, bool, str, bytes, type(None)})
#: What must be yielded to builtins that deal with each item at once, so that collecting all before makes no difference: (types, the role
#: in which they are observed, why it is given up).
_PLAIN = {KEYS: (PLAIN_KEYS, "key", "keys whose hash may run foreign code are yielded"),
          NUMBERS: (frozenset({int, float, bool}), "number", "what is no plain number is yielded to be added up")}
#: Such items that are collected at once: of more keys, many may be equal, and more numbers take memory that adding them up does not.
MOST_COLLECTED = 4096
_FACTS = {ITEMS: COLLECTED, LIST: COLLECTED_LIST, KEYS: COLLECTED_PLAIN, NUMBERS: COLLECTED_PLAIN}


@bytecode("GENERATOR_YIELDS")
def generator_yields(w, instruction):
    """Where a generator would yield the top of the stack; whatever leaves here has yielded it."""
    value, use = w.peek(), w.unit.consumer
    if value.__class__ is not Value:
        return w.leave("an iterator is yielded")
    if use in (ANY, ALL):
        return decide(w, value, use)
    container = w.state.stack[0]
    if use in _PLAIN:
        kinds, role, reason = _PLAIN[use]
        value = probably(w, value, kinds, role)
        if (type(value.constant) if value.is_constant else value.type.python) not in kinds:
            return give_up(w, value, role, reason)
        w.operation("guard_few", container, detail=MOST_COLLECTED, exit=w.exit("many items"))
    w.freeze()
    append(w, container)
    return None


def give_up(w, value, role, reason):
    """Leave the first time that nothing is known of what is yielded; later the generator is left as it is."""
    if value.type is not OBJECT or w.knowledge.observed.get((w.instruction.site, role)):
        raise Unsupported(reason, w.instruction.line, "YIELD_VALUE")
    return w.leave(reason)


def decide(w, value, use):
    """The end is near where `any` meets something true, `all` something false."""
    truth = truth_of(w, value)
    if truth is None:
        return give_up(w, value, 0, "objects whose truth may run foreign code are yielded")
    w.freeze()

    def decided():
        w.push(w.constant(use == ANY))
        return return_value(w, w.instruction)

    if truth.is_constant:
        if truth.constant == (use == ANY):
            return decided()
    else:
        w.split("branch_bool", (truth if use == ALL else w.operation("not", truth),), None, decided)
    w.pop()
    w.release(value)
    return None


@bytecode("GENERATOR_ENDS")
def generator_ends(w, instruction):
    """Where a generator would return; its container lies on the stack alone."""
    if w.unit.consumer in (ANY, ALL):
        w.freeze()
        w.pop()
        w.push(w.constant(w.unit.consumer == ALL))
    return return_value(w, instruction)


def yields_all(target, use):
    """Whether a body gives what it is to give."""
    return target.result is (BOOL if use in (ANY, ALL) else types.LIST)


def call_generator(w, target, arguments, use):
    """The call that makes a generator, and where `any` or `all` is asked, the builtin's call behind it, at once.

    The function shows the line of the builtin's call while the generator runs. If the body leaves, the interpreter calls the builtin.
    """
    following = w.instructions[w.index + 1]
    w.before_effect()
    w.freeze()
    throw = w.exit_here("exception")
    consumed = take_operands(w, 2)
    left = w.exit_after(CALLEE_LEFT, "exit_after")
    detail = BodyCall(target, consumed, generates=True)
    throw.executing = left.executing = following.executing
    if use in COLLECTING:
        result = call_body(w, arguments, detail, throw, left)
        w.state.owned |= {result}
        result.facts = _FACTS[use]
    else:
        del w.state.stack[-2:]
        w.instruction = following
        result = call_body(w, arguments, detail, throw, w.exit_after(CALLEE_LEFT, "exit_after"))
        w.block.operations[-1].mismatch = left
        w.index += 1
    w.push(result)
    drop_consumed(w, consumed)
    return None


@bytecode("YIELD_VALUE")
def yield_value(w, instruction):
    """Give all values back to the generator, as objects, and return the item."""
    if not w.unit.is_part:
        return w.leave("YIELD_VALUE is not compiled here")
    state = w.state
    names = [*zip(state.locals, state.bound), *((item, True) for item in state.stack[1:])]
    if any(value is not None and (value.__class__ is not Value or value.type is PENDING) for value, _ in names):
        return w.leave("an iterator or a tuple in parts is yielded across, or a value of unknown type")
    if any(flag is not True and value is not None and value.type.unboxed for value, flag in names):
        return w.leave("a number that may be unbound is yielded across")
    held = [value for value, _ in names]
    if any(flag is not True and value is not None and held.count(value) > 1 for value, flag in names):
        return w.leave("an object that may be unbound has two names")
    w.freeze()
    for value, _ in names:
        if value is not None and value.type.unboxed and value in state.values():
            boxed = w.box(value)
            w.replace(value, boxed)
            if not boxed.is_constant:
                state.owned |= {boxed}
    generator, *stack, item = state.stack
    slots, arguments, moved = [], [item, generator], set()
    for number, (value, flag) in enumerate([*zip(state.locals, state.bound), *((operand, True) for operand in stack)]):
        if value is None or flag is False or value.type is NULL:
            continue
        _move(w, value, flag, moved)
        flags = [len(arguments) + 1] if flag is not True else []
        slots.append((number, len(arguments), *(flags or [None])))
        arguments += [value, flag] if flags else [value]
    _move(w, item, True, moved)
    w.returns.append(item)
    following, depth = w.unit.prepared.yields[instruction.offset]
    detail = slots, w.unit.local_count + depth, resume_word(w.unit.record.generator(), following)
    w.block.terminator = w.make_of("suspend", arguments, detail=detail)
    return True


def _move(w, value, flag, moved):
    """One reference to `value` goes elsewhere: ours, or another."""
    if value in w.state.owned and value not in moved:
        moved.add(value)
    elif flag is True:
        w.operation("incref", value)
    else:
        w.operation("incref_if", flag, value)
