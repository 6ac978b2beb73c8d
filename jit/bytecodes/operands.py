"""Operands of direct calls: who holds a reference to them before, during and behind the call."""

from jit.templates.calls import body_call_template
from jit.values import named_by


class BodyCall:
    """A direct call of compiled code.

    Attributes:
        target: what the unit's manager returned for the callee. consumed: Values whose reference the call uses up.
        initialises: it is a call of ``__init__``, whose result must be None. discards: the call's result is none of the instruction.
        operator: None, or the Operator whose method is called.
        generates: it stands for a generator.
    """

    __slots__ = ("target", "consumed", "initialises", "discards", "generates", "operator")

    def __init__(self, target, consumed, initialises=False, discards=False, generates=False, operator=None):
        self.target, self.consumed, self.operator = target, consumed, operator
        self.initialises, self.discards = initialises, discards or initialises
        self.generates = generates


def take_operands(w, depth):
    """Pop a call's operands; returns those whose reference the call uses up."""
    state = w.state
    popped = state.stack[-depth:]
    del state.stack[-depth:]
    consumed = []
    for value in dict.fromkeys(popped):
        if value in state.owned and not state.holds(value):
            consumed.append(value)
            state.owned = state.owned - {value}
    return consumed


def give(w, target, arguments, depth):
    """Let the callee have the references it takes over; where the call alone holds an argument, that is the operands' own.

    Source: CPython Python/ceval.c (_PyEvalFramePushAndInit), which steals the operands.
    """
    state, given = w.state, set()
    rest = [*state.locals, *(value for item in state.stack[:-depth] for value in named_by(item))]
    for index in target.taken:
        value = arguments[index]
        if value in state.owned and value not in given and not any(value is other for other in rest):
            given.add(value)
        else:
            w.operation("incref", value)
    # Where the call raises, the interpreter drops its operands: these are gone already.
    state.stack[-depth:] = [w.constant(None) if item in given else item for item in state.stack[-depth:]]
    state.owned -= given


def hold(w, target, arguments):
    """The same where the caller holds the arguments until the call has ended, as C code does."""
    for index in target.taken:
        w.operation("incref", arguments[index])


def call_body(w, ordered, detail, throw, after):
    """Append the call of a BodyCall's target, with these Values as arguments; returns its result."""
    return w.operation_of(body_call_template(len(ordered)), ordered, exit=throw, after=after, detail=detail, kind=detail.target.result)


def drop_consumed(w, consumed):
    """Drop arguments that nothing else holds; where the call leaves, its template drops them."""
    for value in consumed:
        w.state.owned |= {value}
        w.drop(value)


def with_operands(w, popped, consumed, result, check):
    """Call `check` with the result in the state in which the operands have not been popped yet: as where C code asks for it."""
    state = w.state
    depth = len(state.stack)
    state.stack.extend((*popped, result))
    state.owned |= set(consumed)
    check(result)
    del state.stack[depth:]
    state.owned -= set(consumed)
