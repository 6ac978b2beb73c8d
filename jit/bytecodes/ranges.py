"""Ranges that go straight into a loop: forwards or backwards, as numbers, or as an iterator where the loop yields."""

from jit.bytecodes.builtins import builtin
from jit.bytecodes.numbers import arithmetic, number, plain_int
from jit.comprehensions import callee_below
from jit.iteration import Numbers
from jit.types import BOOL, INT, NULL, PLAIN, exact
from jit.values import BackwardRange, RangeIterator


@builtin(range)
def call_range(w, first, second=None, third=None):
    """A range that goes straight into a loop: numbers that stand for its iterator, made with GET_ITER in one step.

    With a constant step the loop tests ``next < stop`` (or >); the guard that ``stop + step`` does not overflow makes
    ``next + step`` safe for ever. Otherwise the items are counted once, as CPython does (rangeobject.c, compute_range_length).
    """
    backward = is_reversed(w, 3 + (second is not None) + (third is not None))
    header = loop_fed(w, w.index + 1 + backward)
    if header is None:
        return None
    given = [number(w, value) for value in (first, second, third) if value is not None]
    if any(value is None or value.type not in (INT, BOOL) for value in given):
        return None
    given = [plain_int(w, value) for value in given]  # as items are, and as iterators' parts must be where several meet
    start, stop = (w.constant(0), given[0]) if len(given) == 1 else given[:2]
    step = given[2] if len(given) == 3 else w.constant(1)
    if backward:
        depth = 2 + len(given)
        return range_backward(w, start, stop, step) if all(map(dies_plainly, w.state.stack[-depth:])) else None
    if header.is_object:
        remaining = w.operation("range_length", start, stop, step, exit=w.exit("range step is 0 or range too long"))
        return make_range_iterator(w, start, step, remaining, w.exit("out of memory"))
    if step.is_constant and step.constant != 0:
        if abs(step.constant) != 1:
            w.operation("guard_range_end", stop, step, exit=w.exit("range close to 2**63"))
        return RangeIterator(start, stop, step, None)
    if step.is_constant:
        return None
    length = w.operation("range_length", start, stop, step, exit=w.exit("range step is 0 or range too long"))
    return RangeIterator(start, None, step, length)


def range_backward(w, start, stop, step):
    """``reversed(range(...))``: what the call of `reversed` is given, see `reverse_range`."""
    remaining = w.operation("range_length", start, stop, step, exit=w.exit("range step is 0 or range too long"))
    before_last = arithmetic(w, "*", arithmetic(w, "-", remaining, w.constant(1)), step)
    return BackwardRange(arithmetic(w, "+", start, before_last), arithmetic(w, "-", w.constant(0), step), remaining)


def reverse_range(w, depth):
    """The call of `reversed` itself, with `depth` operands on the stack. Nothing happens, but that an iterator may be made."""
    made = w.peek()
    w.freeze()
    del w.state.stack[-depth:]
    if loop_fed(w, w.index + 1).is_object:
        w.push(make_range_iterator(w, made.first, made.step, made.remaining, w.exit_here("out of memory")))
    else:
        w.push(RangeIterator(made.first, None, made.step, made.remaining))


def make_range_iterator(w, start, step, remaining, throw):
    """A real iterator, for loops that yield."""
    made = w.operation("range_iterator", start, step, remaining, exit=throw, kind=exact(type(iter(range(0)))))
    made.facts = Numbers()
    w.state.owned |= {made}
    return made


class LoopFed:
    """The loop that takes an iterable at once. `is_object`: its iterator has to be an object."""

    __slots__ = ("is_object",)

    def __init__(self, is_object):
        self.is_object = is_object


def loop_fed(w, index):
    """The LoopFed of the GET_ITER at `index`, or None if there is none."""
    if not w.inside(index) or w.instructions[index].operation != "GET_ITER":
        return None
    following = w.instructions[index + 1].operation
    if following == "LOAD_FAST_AND_CLEAR":
        return LoopFed(False)
    return LoopFed(w.unit.yields_in_loop(index + 1)) if following == "FOR_ITER" else None


def is_reversed(w, depth):
    """Whether the call with `depth` operands gives `reversed` its only argument, which the next instruction calls."""
    following = w.instructions[w.index + 1]
    if not w.inside(w.index + 1) or (following.operation, following.argument, following.names) != ("CALL", 1, ()):
        return False
    callee, is_method = callee_below(w, depth)
    return callee is reversed and not is_method


def dies_plainly(operand):
    """Whether no exit is needed where an operand is dropped: what lies on the stack then could not be made."""
    return operand.type.unboxed or operand.is_constant or operand.type is NULL or operand.type.python in PLAIN or operand.facts == "number"
