"""The reference evaluator: bytecode, done one canonical instruction at a time, in plain Python.

Problem: compiled code is compared with CPython, but both read the same bytecode and share the interpreter's frames, so a
mistake in how an instruction is understood may be made by neither, or hidden by an exit. This is a third opinion that shares
nothing with either but the decoder, and can be read.
Idea: a frame is a list of locals, a list of operands and an index; each operation is one function of (frame, instruction), found
by its name in `OPERATIONS`. Whatever an instruction does to objects is done by Python itself.
Invariants: an operation runs while the exception that the evaluated code handles is handled by Python too, so that contexts,
bare ``raise`` and ``sys.exc_info`` come out right. A work limit ends endless programs. What is wrong with a code object is
never an exception that the evaluated code could have raised.

Not evaluated (`NotEvaluated` says so): `NOT_EVALUATED`, coroutines, and functions that look at their own frame.
"""

import sys
from types import FunctionType

from fuzz.evaluated_code import Refused, evaluated
from platforms.cpython import opcodes


class NotEvaluated(BaseException):
    """The evaluator has no answer. No handler of the evaluated code catches it."""


class WorkLimit(NotEvaluated):
    """More instructions than allowed."""


class Null:
    """What an empty local or an empty place on the stack holds."""

    def __repr__(self):
        return "NULL"


NULL = Null()
OPERATIONS = {}

#: Canonical operations without a meaning here: coroutines, ``except*``, class and module bodies, the interactive prompt, the
#: ends of loops (jumped over by FOR_ITER), and what only the interpreter itself puts into bytecode.
NOT_EVALUATED = frozenset("""
    ASYNC_GEN_WRAP BEFORE_ASYNC_WITH END_ASYNC_FOR GET_AITER GET_ANEXT GET_AWAITABLE CHECK_EG_MATCH PREP_RERAISE_STAR
    CALL_INTRINSIC_2 DELETE_NAME LOAD_CLASSDEREF LOAD_FROM_DICT_OR_DEREF LOAD_FROM_DICT_OR_GLOBALS LOAD_LOCALS LOAD_NAME
    SETUP_ANNOTATIONS STORE_NAME IMPORT_STAR PRINT_EXPR END_FOR ENTER_EXECUTOR EXIT_INIT_CHECK INTERPRETER_EXIT RESERVED
    """.split())

#: Why a frame stopped running.
RETURN, YIELD, DELEGATE = "return", "yield", "delegate"

GENERATOR, COROUTINES = 0x20, 0x80 | 0x100 | 0x200

# The descriptors, for exceptions whose classes have attributes of these names.
CONTEXT, TRACEBACK = BaseException.__context__, BaseException.__traceback__


def operation(*names):
    """Declare the decorated function ``(frame, instruction)`` as the meaning of canonical operations.

    It returns None, or (RETURN, value), (YIELD, value), (DELEGATE, iterator) when the frame stops there.
    """

    def declare(function):
        OPERATIONS.update(dict.fromkeys(names, function))
        return function

    return declare


class Work:
    """How many more instructions may be done, in all frames together.

    Attributes:
        refused: the `NotEvaluated` that was raised, in case that code which is not evaluated swallows it.
    """

    def __init__(self, limit):
        self.left = limit
        self.refused = None

    def spend(self):
        self.left -= 1
        if self.left < 0:
            self.refused = WorkLimit("too many instructions")
            raise self.refused


class Frame:
    """One activation.

    Attributes:
        locals: as in CPython's frames: parameters and locals, then cells, then free variables. stack: operands. index: of the
        next instruction. handled: the exception being handled, or None. reraised: where an exception that is being raised
        again came from, or None. stopped: what the last operation returned, see `operation`. work: `Work`. deep: whether Python functions it calls are evaluated too.
    """

    def __init__(self, function, arguments, keywords, work, deep):
        self.function, self.code, self.work, self.deep = function, function.__code__, work, deep
        try:
            self.evaluated = evaluated(self.code)
            bound = self.evaluated.bind(function, arguments, keywords)
        except Refused as refusal:
            raise NotEvaluated(str(refusal)) from None
        self.instructions = self.evaluated.instructions
        self.locals = bound + [NULL] * (len(self.evaluated.local_names) - len(bound))
        self.stack = []
        self.index = 0
        self.handled = self.reraised = self.stopped = None

    def run(self):
        """Do instructions until one stops the frame; returns RETURN, YIELD or DELEGATE.

        Tracebacks keep this activation and its callers, so they should not hold objects of the program; see `take`.
        """
        instructions, work = self.instructions, self.work
        while True:
            work.spend()
            if self.index >= len(instructions):
                raise NotEvaluated("the end of the bytecode was reached")
            instruction = instructions[self.index]
            self.index += 1
            try:
                meaning = OPERATIONS.get(instruction.operation)
                if meaning is None:
                    raise NotEvaluated(instruction.operation)
                if self.handled is None:
                    self.stopped = meaning(self, instruction)
                else:
                    self.stopped = while_handling(self.handled, meaning, self, instruction)
            except BaseException as problem:
                if not self.unwind(problem):
                    raise
            if self.stopped is not None:
                return self.stopped[0]

    def take(self):
        """What the frame stopped with: the value returned or yielded, or the iterator."""
        (why, value), self.stopped = self.stopped, None
        if why is RETURN:
            self.stack.clear()
            self.drop_locals()
        return value

    def drop_locals(self):
        """First one first, as CPython does; a list would begin with the last."""
        for number in range(len(self.locals)):
            self.locals[number] = NULL

    def __del__(self):
        if hasattr(self, "locals"):
            self.drop_locals()

    def unwind(self, problem):
        """Go to the handler of an exception that the last instruction raised; returns whether there is one.

        Raises:
            NotEvaluated: `problem` is one, or comes of the evaluator's own need for Python's stack, or the handler is none.
        """
        if issubclass(type(problem), NotEvaluated):  # isinstance would ask the exception
            self.work.refused = problem
            return False
        if type(problem) is RecursionError:
            self.work.refused = NotEvaluated("recursion that is too deep")
            raise self.work.refused from None
        offset, position = self.instructions[self.index - 1].executing, self.reraised
        self.reraised = None
        for start, end, target, depth, with_offset in self.evaluated.handlers:
            if start <= offset < end:
                self.need(depth)
                del self.stack[depth:]
                if with_offset:
                    self.push(offset // 2 if position is None else position)
                self.push(problem)
                self.index = self.evaluated.starts.get(target, len(self.instructions))
                forget_operations(problem)
                return True
        self.stack.clear()
        self.handled = None  # its traceback leads here
        forget_operations(problem)
        return False

    # -- for operations ----------------------------------------------------------------------------------

    def need(self, depth):
        if depth > len(self.stack) or depth < 0:
            raise NotEvaluated("an operand that is not there")

    def push(self, *values):
        self.stack.extend(values)

    def pop_any(self):
        """The topmost operand, or NULL."""
        self.need(1)
        return self.stack.pop()

    def pop(self):
        value = self.pop_any()
        if value is NULL:
            raise NotEvaluated("NULL as an operand")
        return value

    def pop_many(self, count):
        """The topmost `count` operands, lowest first."""
        self.need(count)
        first = len(self.stack) - count
        values = self.stack[first:]
        if any(value is NULL for value in values):
            raise NotEvaluated("NULL as an operand")
        del self.stack[first:]
        return values

    def peek(self, depth):
        """The operand at a depth; the topmost is at 1."""
        self.need(depth)
        if depth == 0 or self.stack[-depth] is NULL:
            raise NotEvaluated("NULL as an operand")
        return self.stack[-depth]

    def container(self, depth, kind):
        """The list, set or dict at a depth that is being filled."""
        found = self.peek(depth)
        if type(found) is not kind:
            raise NotEvaluated(f"no {kind.__name__} to add to")
        return found

    def call(self, function, *arguments):
        """What a call from here returns."""
        return evaluated_calls.call(self, function, arguments, {})

    def jump(self, instruction):
        self.index = instruction.target

    def name(self, instruction):
        return self.name_at(instruction.argument)

    def name_at(self, number):
        if number >= len(self.code.co_names):
            raise NotEvaluated("a name that is not there")
        return self.code.co_names[number]

    def local_name(self, number):
        return self.evaluated.local_names[number]

    def is_free(self, number):
        return number >= len(self.locals) - len(self.code.co_freevars)

    @property
    def builtins(self):
        return self.function.__builtins__


class Chains:
    """An exception's traceback, and its context and those of what Python handles now: what a ``raise`` of it changes."""

    def __init__(self, problem):
        self.problem, self.trace = problem, TRACEBACK.__get__(problem)
        self.contexts = {id(problem): (problem, CONTEXT.__get__(problem))}
        other = sys.exception()
        while other is not None and id(other) not in self.contexts:
            following = CONTEXT.__get__(other)
            self.contexts[id(other)] = other, following
            other = following

    def restore(self):
        for problem, context in self.contexts.values():
            CONTEXT.__set__(problem, context)
        TRACEBACK.__set__(self.problem, self.trace)


def while_handling(handled, step, frame, instruction):
    """Call ``step(frame, instruction)`` as from an except clause for `handled`, which is left as it is."""
    chains = Chains(handled)
    try:
        raise handled
    except BaseException:
        chains.restore()
        del chains
        return step(frame, instruction)


def forget_operations(problem):
    """Let the operations that have ended let go of their operands, which would live as long as the traceback."""
    entry = TRACEBACK.__get__(problem)
    while entry is not None:
        done = entry.tb_frame
        if done.f_code not in _GOING_ON and done.f_globals.get("__name__", "").startswith("fuzz.evaluat"):
            done.clear()
        entry = entry.tb_next


def evaluate(function, /, *arguments, limit=1_000_000, deep=False, **keywords):
    """Call a Python function, its bytecode done here.

    Args:
        function: types.FunctionType. limit: instructions it may take in all. deep: evaluate Python functions it calls, too,
            as long as it is evaluated code that calls them.

    Returns:
        its result; of a generator function, a generator.

    Raises:
        NotEvaluated: there is no answer. WorkLimit: it takes too long. And whatever the function raises.
    """
    work = Work(limit)
    try:
        return call(function, arguments, keywords, work, deep)
    except RecursionError:
        raise NotEvaluated("recursion that is too deep") from None
    finally:
        if work.refused is not None:
            raise work.refused


def call(function, arguments, keywords, work, deep):
    """A call from evaluated code; see `evaluate`."""
    if not issubclass(type(function), FunctionType):
        raise TypeError(f"a Python function is wanted, not {type(function).__name__}")
    flags = function.__code__.co_flags
    if flags & COROUTINES:
        raise NotEvaluated("a coroutine")
    frame = Frame(function, arguments, keywords, work, deep)
    if flags & GENERATOR:
        made = generate(frame)
        made.__name__, made.__qualname__ = function.__name__, function.__qualname__
        return made
    del arguments, keywords
    if frame.run() is not RETURN:
        raise NotEvaluated("a yield outside of a generator")
    return frame.take()


class Delegated:
    """What ``yield from`` takes for an iterator, whose ``__iter__`` was called before."""

    def __init__(self, iterator):
        self.iterator = iterator

    def __iter__(self):
        return self.iterator


def generate(frame):
    """A generator that runs a frame. What it yields it yields while Python handles what the evaluated code handles."""
    while True:
        why = frame.run()
        if why is RETURN:
            return frame.take()
        try:
            if frame.handled is None:
                received = (yield from Delegated(frame.take())) if why is DELEGATE else (yield frame.take())
            else:
                chains = Chains(frame.handled)
                try:
                    raise frame.handled
                except BaseException:
                    chains.restore()
                    del chains
                    received = (yield from Delegated(frame.take())) if why is DELEGATE else (yield frame.take())
        except BaseException as problem:
            if not frame.unwind(problem):
                raise
            continue
        if why is YIELD:
            frame.push(received)
        else:
            end_delegation(frame, received)
        del received


def end_delegation(frame, result):
    """Behind a ``yield from``: its result takes the place of the value sent, or of that and the iterator (3.11)."""
    frame.pop()
    frame.jump(frame.instructions[frame.index - 1])
    if "END_SEND" not in opcodes.raw_names():
        frame.pop()
    frame.push(result)


#: What may go on behind an exception, and holds what the evaluated code holds.
_GOING_ON = Frame.run.__code__, generate.__code__

from fuzz import evaluated_calls, evaluated_containers, evaluated_control, evaluated_values  # noqa: E402,F401  (declare the operations)
