"""Jumps, loops and returns."""

from jit import types
from jit.bytecodes.containers import observe, prove
from jit.bytecodes.items import take
from jit.bytecodes.numbers import nonnegative
from jit.errors import Unsupported
from jit.foreign import Call, blind_call, callout
from jit.types import OBJECT, exact
from jit.values import RangeIterator, Value
from jit.walk import bytecode

#: Iterators that are a position in a sequence: python type -> (type of their items' container).
SEQUENCE_ITERATORS = {type(iter([])): list, type(iter(())): tuple, type(iter(b"")): bytes,
                      type(iter(bytearray())): bytearray}
ITERABLES = {sequence: exact(iterator) for iterator, sequence in SEQUENCE_ITERATORS.items()}


@bytecode("JUMP")
def jump(w, instruction):
    w.jump(instruction.target)
    return True


@bytecode("JUMP_BACKWARD")
def jump_backward(w, instruction):
    w.poll_back_edge(instruction)
    w.jump(instruction.target)
    return True


@bytecode("RETURN_VALUE")
def return_value(w, instruction):
    value = w.peek()
    if value.__class__ is not Value or value.type is types.NULL:
        return w.leave("an iterator is returned")
    w.freeze()
    if value.type is types.PENDING:
        raise Unsupported("a value of unknown type is returned")
    state = w.state
    if not value.type.unboxed and value not in state.owned:
        w.operation("incref", value)
        state.owned |= {value}
        state.transient = state.transient - {value}
    w.pop()
    drops = [(v, flag) for v, flag in zip(state.locals, state.bound) if v in state.owned and v is not value]
    drops += [(v, True) for v in state.stack if v in state.owned and v is not value]
    unique = {id(v): (v, flag) for v, flag in reversed(drops)}
    w.returns.append(value)
    flags = [flag for _, flag in unique.values() if flag.__class__ is Value]
    arguments = [value] + [v for v, _ in unique.values()] + flags
    made = w.make_of("return", arguments, detail=list(unique.values()))
    made.exit = w.exit("no memory for the result, or a finaliser ran")
    w.block.terminator = made
    return True


@bytecode("GET_ITER")
def get_iter(w, instruction):
    value = w.peek()
    if value.__class__ is RangeIterator:
        return None
    if value.type is OBJECT and not value.is_constant:
        value = iterable(w, value)
    iterator = ITERABLES.get(value.type.python)
    if iterator is not None:
        result = blind_call(w, "PyObject_GetIter", 1, iterator, value.shape)
        if not result:
            w.peek().facts = "private"
        return result
    return callout(w, Call("PyObject_GetIter"), 1, shape=value.shape)


@bytecode("FOR_ITER")
def for_iter(w, instruction):
    w.freeze()
    w.loops_reached = True
    iterator = w.peek()
    if iterator.__class__ is RangeIterator:
        return for_range(w, instruction, iterator)
    if iterator.__class__ is Value and iterator.type.python in SEQUENCE_ITERATORS and iterator.facts == "private":
        return for_sequence(w, instruction, iterator)
    if iterator.__class__ is Value and iterator.type.is_object:
        return for_anything(w, instruction, iterator)
    return w.leave("iteration over something that is no iterator")


def iterable(w, value):
    """`value` with its type proven if it probably is a sequence we walk ourselves."""
    seen = w.knowledge.observed.get((w.instruction.offset, "iterable"))
    kind = None if value.shape is None else value.shape.type.python
    if seen:
        kind = next(iter(seen)) if len(seen) == 1 else None
    if kind in ITERABLES:
        return prove(w, value, kind, "iterable")
    if not seen:
        observe(w, value, "iterable")
    return value


def exhausted(w, instruction, iterator):
    """What happens where the iterator has ended: pop it and go on behind the loop."""

    def finish():
        w.pop()
        if iterator in w.state.owned:
            after = w.exit_here("a finaliser looked at the frame")
            w.state.owned = w.state.owned - {iterator}
            after = w.exit_here("a finaliser looked at the frame")
            after.resume, after.routine = w.instructions[instruction.target].offset, "exit_start"
            w.before_effect()
            w.operation("drop", iterator, after=after)
        w.jump(instruction.target)

    return finish


def for_range(w, instruction, iterator):
    """The item is `next` itself; the iterator moves on by one addition that cannot overflow."""
    if iterator.remaining is not None:
        w.split("branch_counter", (iterator.remaining,), None, exhausted(w, instruction, iterator))
        remaining = w.operation("decrement", iterator.remaining)
    else:
        symbol = "<" if iterator.step.constant > 0 else ">"
        w.split("branch_compare", (iterator.next, iterator.stop), symbol, exhausted(w, instruction, iterator))
        remaining = None
    item = iterator.next
    following = w.operation("advance", item, iterator.step)
    if item.facts == "nonnegative" and nonnegative(iterator.step):
        following.facts = "nonnegative"
    w.pop()
    w.push(RangeIterator(following, iterator.stop, iterator.step, remaining))
    w.push(item)
    w.jump(w.index + 1)
    return True


def for_sequence(w, instruction, iterator):
    """Walk a list, tuple, bytes or bytearray by the index its iterator object keeps."""
    container = SEQUENCE_ITERATORS[iterator.type.python]
    w.split("branch_iterator", (iterator,), container, exhausted(w, instruction, iterator))
    item = take(w, "iterator_item", (iterator,), container, iterator.shape)
    if item is None:
        return True
    w.push(item)
    w.jump(w.index + 1)
    return True


def for_anything(w, instruction, iterator):
    """Any iterator, by its own tp_iternext, as a callout."""
    made = Call("PyIter_Next", failure="error")
    w.before_effect()
    w.pop()
    owned = w.state.owned
    if iterator in owned and not w.state.holds(iterator):
        made.exhausted = iterator
        w.state.owned = owned - {iterator}
    made.ended = w.exit_here("the frame is in use")
    made.ended.resume, made.ended.routine = w.instructions[instruction.target].offset, "exit_start"
    w.state.owned = owned
    w.push(iterator)
    w.push(iterator)
    ended = callout(w, made, 1)
    if ended:
        return ended
    item = w.pop()
    w.state.owned = w.state.owned - {item}
    w.split("branch_nonzero", (item,), None, exhausted(w, instruction, iterator))
    w.state.owned |= {item}
    w.push(item)
    w.jump(w.index + 1)
    return True
