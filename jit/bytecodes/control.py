"""Jumps, loops and returns."""

from jit import types
from jit.bytecodes.buffers import buffer_of
from jit.bytecodes.iterators import SHARED, for_source, is_private, iterable, list_source, make_iterator, source_of
from jit.bytecodes.numbers import nonnegative
from jit.errors import Unsupported
from jit.foreign import Call, callout
from jit.iteration import SOURCES
from jit.profiles import kinds_of
from jit.values import RangeIterator, Value
from jit.walk import bytecode

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
    unique = {}
    for v, flag in drops:  # as a frame is cleared: each dies with the last variable that names it
        _, known = unique.pop(id(v), (v, None))
        unique[id(v)] = v, True if known is True else flag
    w.returns.append(value)
    w.returned.extend(kinds_of(value, w.state.receivers.get(value)))
    flags = [flag for _, flag in unique.values() if flag.__class__ is Value]
    arguments = [value] + [v for v, _ in unique.values()] + flags
    w.account_for(state, arguments)
    made = w.make_of("return", arguments, detail=list(unique.values()))
    made.exit = w.exit("no memory for the result, or a finaliser ran")
    w.block.terminator = made
    return True


@bytecode("GET_ITER")
def get_iter(w, instruction):
    value = w.peek()
    if value.__class__ is RangeIterator:
        return None
    value = buffer_of(w, iterable(w, value, "iterable"))
    source = source_of(value) or list_source(w, value)
    if source is not None:
        return make_iterator(w, value, source)
    return callout(w, Call("PyObject_GetIter"), 1, shape=value.shape)


@bytecode("FOR_ITER")
def for_iter(w, instruction):
    w.freeze()
    w.loops_reached = True
    iterator = w.peek()
    if iterator.__class__ is RangeIterator:
        return for_range(w, instruction, iterator)
    if iterator.facts.__class__ in SOURCES and not w.seen(SHARED) and (is_private(w, iterator) or w.unit.takes_iterator and iterator is w.state.locals[0]):
        return for_source(w, instruction, iterator, exhausted(w, instruction, iterator))
    if iterator.type.is_object:
        return for_anything(w, instruction, iterator)
    return w.leave("iteration over something that is no iterator")


def exhausted(w, instruction, iterator):
    """What happens where the iterator has ended: pop it and go on behind the loop."""

    def finish():
        w.pop()
        if iterator in w.state.owned and not w.state.holds(iterator):
            w.state.owned = w.state.owned - {iterator}
            w.before_effect()
            after = w.exit_here("a finaliser looked at the frame")
            after.resume, after.routine = w.instructions[instruction.target].offset, "exit_start"
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
    if w.go_on_behind():
        return None
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
    if w.go_on_behind():
        return None
    w.jump(w.index + 1)
    return True
