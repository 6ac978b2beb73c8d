"""Loads, stores and stack shuffles: they rename values and emit nothing, except where a local may be unbound."""

from jit.errors import Unsupported
from jit.types import NULL, PENDING
from jit.values import RangeIterator, Value
from jit.walk import Restart, bytecode


@bytecode("LOAD_FAST")
def load_fast(w, instruction):
    number = instruction.argument
    state = w.state
    value = state.locals[number]
    bound = state.bound[number]
    if bound is not True:
        if value is None or bound is False:
            return w.leave("local variable is not bound here")
        if value.type is PENDING:
            w.knowledge.peeled.add((value.block.index, number))
            raise Restart
        w.operation("guard_bound", bound, exit=w.exit("local variable may be unbound"))
        state.bound[number] = True
    w.push(value)


@bytecode("LOAD_CONST")
def load_const(w, instruction):
    w.push(w.constant(w.unit.code.co_consts[instruction.argument]))


@bytecode("STORE_FAST")
def store_fast(w, instruction):
    state = w.state
    number = instruction.argument
    if w.peek().__class__ is Value and w.peek().mortal and not w.inlined:
        w.hold_mortals()  # so that what a loop's variables are is the same in its first turn and in the others
    w.freeze()
    value = w.pop()
    if value.__class__ is not Value:
        raise Unsupported("an iterator is stored in a variable", instruction.line)
    old, bound = state.locals[number], state.bound[number]
    unbound = value.type is NULL
    state.locals[number] = None if unbound else value
    state.bound[number] = not unbound
    drop_local(w, old, bound)


@bytecode("DELETE_FAST")
def delete_fast(w, instruction):
    state = w.state
    number = instruction.argument
    old, bound = state.locals[number], state.bound[number]
    if bound is False:
        return w.leave("local variable is not bound here")
    w.freeze()
    if bound is not True:
        w.operation("guard_bound", bound, exit=w.exit("local variable may be unbound"))
    state.locals[number], state.bound[number] = None, False
    drop_local(w, old, True)


def drop_local(w, old, bound):
    """Drop the reference of a local's former value, if it had one and nothing else names it."""
    if old is None or old not in w.state.owned or w.state.holds(old):
        return
    if bound is False:
        w.state.owned -= {old}
    else:
        w.drop(old, bound)


@bytecode("LOAD_FAST_AND_CLEAR")
def load_fast_and_clear(w, instruction):
    """An inlined comprehension saves the variable it will overwrite."""
    state = w.state
    number = instruction.argument
    value, bound = state.locals[number], state.bound[number]
    if bound is False:
        w.push(w.null)
    elif bound is True:
        w.push(value)
        state.locals[number], state.bound[number] = None, False
    elif bound.__class__ is Value and bound.block is not None and (bound.block.index, number) not in w.knowledge.peeled:
        # Walked once unbound and once bound, this is known: usually a comprehension's own variable is never bound.
        w.knowledge.peeled.add((bound.block.index, number))
        raise Restart
    else:
        return w.leave("a variable that may be unbound is saved by a comprehension")


@bytecode("POP_TOP")
def pop_top(w, instruction):
    w.freeze()
    w.release(w.pop())


@bytecode("END_FOR")
def end_for(w, instruction):
    return w.leave("END_FOR is reached by falling through")


@bytecode("PUSH_NULL")
def push_null(w, instruction):
    w.push(w.null)


@bytecode("COPY")
def copy(w, instruction):
    value = w.peek(instruction.argument)
    if value.__class__ is RangeIterator:
        raise Unsupported("an iterator is copied", instruction.line)
    w.push(value)


@bytecode("SWAP")
def swap(w, instruction):
    w.peek(instruction.argument)
    stack = w.state.stack
    stack[-1], stack[-instruction.argument] = stack[-instruction.argument], stack[-1]
