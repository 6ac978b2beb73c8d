"""The operations of the reference evaluator on control: jumps, loops, exceptions, ``with``, generators."""

from types import GeneratorType

from fuzz.evaluator import COROUTINES, DELEGATE, GENERATOR, NULL, RETURN, TRACEBACK, YIELD, Chains, NotEvaluated, operation
from platforms.cpython.instances import name_in_messages

# -- jumps and loops ------------------------------------------------------------------------------------

END = object()


@operation("JUMP", "JUMP_BACKWARD")
def jump(frame, instruction):
    frame.jump(instruction)


@operation("POP_JUMP_IF_TRUE", "POP_JUMP_IF_TRUE_BACKWARD")
def pop_jump_if_true(frame, instruction):
    if frame.pop():
        frame.jump(instruction)


@operation("POP_JUMP_IF_FALSE", "POP_JUMP_IF_FALSE_BACKWARD")
def pop_jump_if_false(frame, instruction):
    if not frame.pop():
        frame.jump(instruction)


@operation("POP_JUMP_IF_NONE", "POP_JUMP_IF_NONE_BACKWARD")
def pop_jump_if_none(frame, instruction):
    if frame.pop() is None:
        frame.jump(instruction)


@operation("POP_JUMP_IF_NOT_NONE", "POP_JUMP_IF_NOT_NONE_BACKWARD")
def pop_jump_if_not_none(frame, instruction):
    if frame.pop() is not None:
        frame.jump(instruction)


@operation("JUMP_IF_TRUE_OR_POP")
def jump_if_true_or_pop(frame, instruction):
    if frame.peek(1):
        frame.jump(instruction)
    else:
        frame.pop()


@operation("JUMP_IF_FALSE_OR_POP")
def jump_if_false_or_pop(frame, instruction):
    if frame.peek(1):
        frame.pop()
    else:
        frame.jump(instruction)


@operation("FOR_ITER")
def for_iter(frame, instruction):
    """Push the next item, or drop the iterator and leave the loop."""
    iterator = frame.peek(1)
    try:
        item = next(iterator, END)
    except TypeError:
        if lookup(iterator, "__next__") is NULL:
            raise NotEvaluated("a loop over what is no iterator") from None
        raise
    if item is END:
        frame.pop()
        frame.jump(instruction)
    else:
        frame.push(item)


@operation("RETURN_VALUE")
def return_value(frame, instruction):
    return RETURN, frame.pop()


# -- exceptions -----------------------------------------------------------------------------------------


def exception(value):
    """`value`, which well-formed code has an exception for."""
    if not issubclass(type(value), BaseException):
        raise NotEvaluated("an exception that is none")
    return value


@operation("PUSH_EXC_INFO")
def push_exc_info(frame, instruction):
    """From now on the exception is handled; what was handled before lies below it."""
    problem = exception(frame.pop())
    frame.push(frame.handled, problem)
    frame.handled = problem


@operation("POP_EXCEPT")
def pop_except(frame, instruction):
    before = frame.pop()
    frame.handled = None if before is None else exception(before)


@operation("CHECK_EXC_MATCH")
def check_exc_match(frame, instruction):
    kinds = frame.pop()
    frame.push(matches(exception(frame.peek(1)), kinds))


def matches(problem, kinds):
    """Whether an except clause for `kinds` catches an exception."""
    chains = Chains(problem)
    try:
        try:
            raise problem
        finally:
            chains.restore()
    except kinds:
        return True
    except BaseException:
        return False
    finally:
        chains.restore()


def raise_again(problem):
    """Raise an exception whose context stays what it is."""
    chains = Chains(problem)
    try:
        raise problem
    finally:
        chains.restore()


@operation("RERAISE")
def reraise(frame, instruction):
    """The argument says at which depth it lies where the exception was raised first, 0 for nowhere."""
    problem = exception(frame.pop())
    if instruction.argument:
        frame.reraised = frame.peek(instruction.argument)
        if type(frame.reraised) is not int:
            raise NotEvaluated("a place that is none")
    raise_again(problem)


@operation("RAISE_VARARGS")
def raise_varargs(frame, instruction):
    if instruction.argument == 0:
        raise
    if instruction.argument == 1:
        raise frame.pop()
    if instruction.argument == 2:
        problem, cause = frame.pop_many(2)
        raise problem from cause
    raise NotEvaluated("a raise with too many operands")


@operation("LOAD_ASSERTION_ERROR")
def load_assertion_error(frame, instruction):
    frame.push(AssertionError)


@operation("CALL_INTRINSIC_1")
def call_intrinsic_1(frame, instruction):
    """Only number 3: a StopIteration that leaves a generator is a RuntimeError. The rest is for modules and type parameters."""
    if instruction.argument != 3:
        raise NotEvaluated(f"intrinsic function {instruction.argument}")
    problem = exception(frame.pop())
    if not issubclass(type(problem), StopIteration):
        frame.push(problem)
        return
    error = RuntimeError("generator raised StopIteration")
    error.__cause__ = error.__context__ = problem
    frame.push(error)


# -- with -----------------------------------------------------------------------------------------------


def lookup(owner, name):
    """What an object's class has under a name, unbound, or NULL."""
    for base in type.__dict__["__mro__"].__get__(type(owner)):
        namespace = type.__dict__["__dict__"].__get__(base)
        if name in namespace:
            return namespace[name]
    return NULL


def special_method(owner, name):
    """A special method as the interpreter finds it: in the class alone; NULL if there is none."""
    found = lookup(owner, name)
    getter = lookup(found, "__get__")
    return found if getter is NULL else getter(found, owner, type(owner))


@operation("BEFORE_WITH")
def before_with(frame, instruction):
    """Put the manager's __exit__ in its place, and the result of __enter__ above."""
    manager = frame.pop()
    text = f"{name_in_messages(type(manager))!r} object does not support the context manager protocol"
    enter = special_method(manager, "__enter__")
    if enter is NULL:
        raise TypeError(text)
    leave = special_method(manager, "__exit__")
    if leave is NULL:
        raise TypeError(text + " (missed __exit__ method)")
    frame.push(leave, frame.call(enter))


@operation("WITH_EXCEPT_START")
def with_except_start(frame, instruction):
    problem, leave = exception(frame.peek(1)), frame.peek(4)
    frame.push(frame.call(leave, type(problem), problem, TRACEBACK.__get__(problem)))


# -- generators -----------------------------------------------------------------------------------------


@operation("RETURN_GENERATOR")
def return_generator(frame, instruction):
    """The generator was made when the frame was; what is left is the None that starts it."""
    if not frame.code.co_flags & GENERATOR:
        raise NotEvaluated("a generator that is none")
    frame.push(None)


@operation("YIELD_VALUE")
def yield_value(frame, instruction):
    return YIELD, frame.pop()


@operation("GET_YIELD_FROM_ITER")
def get_yield_from_iter(frame, instruction):
    value = frame.pop()
    if type(value) is GeneratorType and value.gi_code.co_flags & COROUTINES:
        raise NotEvaluated("a coroutine")
    frame.push(value if type(value) is GeneratorType else iter(value))


@operation("SEND")
def send(frame, instruction):
    """The whole loop of a ``yield from``, as the compiler writes it: SEND, YIELD_VALUE, and back."""
    iterator, sent = frame.peek(2), frame.peek(1)
    ahead = frame.instructions[frame.index:frame.index + 2]
    loops = [step.operation for step in ahead] == ["YIELD_VALUE", "JUMP"] and ahead[1].target == frame.index - 1
    if sent is not None or not loops or lookup(iterator, "__next__") is NULL:
        raise NotEvaluated("a yield from that the compiler does not write")
    return DELEGATE, iterator


@operation("END_SEND")
def end_send(frame, instruction):
    _, value = frame.pop_many(2)
    frame.push(value)


@operation("CLEANUP_THROW")
def cleanup_throw(frame, instruction):
    """Behind an exception thrown in at a ``yield from``: a StopIteration ends it with a value."""
    _, _, problem = frame.pop_many(3)
    if not issubclass(type(exception(problem)), StopIteration):
        raise_again(problem)
    frame.push(None, problem.value)
