"""Calls: of builtins that have a template, of compiled functions directly, of everything else by vectorcall."""

from sys import _getframe, getrefcount

from jit.attention import CALLEE_LEFT
from jit.bytecodes.attributes import BoundBuiltin, bound_to
from jit.bytecodes.blind import blind, blind_method, guard_arguments, is_builtin
from jit.bytecodes.builtins import CALLABLES, METHODS
from jit.bytecodes.bound import BoundMethod, call_bound_function, call_through
from jit.bytecodes.classes import settle_class
from jit.bytecodes.collected import sort_collected
from jit.bytecodes.expected import target_for_expected
from jit.bytecodes.instantiating import instantiate
from jit.bytecodes.iterators import is_private, reversed_source_of, source_of
from jit.bytecodes.generators import call_generator, yields_all
from jit.bytecodes.guards import probably
from jit.bytecodes.names import make_real
from jit.bytecodes.nested import NESTED_FUNCTIONS, call_nested
from jit.bytecodes.numbers import nonnegative
from jit.bytecodes.operands import BodyCall, call_body, drop_consumed, give, hold, take_operands, with_operands
from jit.bytecodes.ranges import reverse_range
from jit.bytecodes.supers import super_call
from jit.foreign import Call, blind_vectorcall, callout
from jit.inlining import candidate, inline as inline_callee
from jit.iteration import SOURCES, Enumerated, View, Zipped
from jit.profiles import shape_of_kinds
from jit.templates.calls import in_registers
from jit.types import ARRAY, BUFFERS, INT, LIST, NULL, OBJECT, PENDING, Shape, exact, is_class, recall
from jit.values import COLLECTED_LIST, BackwardRange, LocalFunction, Value, VirtualFunction
from jit.walk import bytecode
from platforms.cpython import opcodes

_VARARGS = 0x4  # inspect.CO_VARARGS, which is slow to import
#: Types whose call always gives an object of exactly that type.
EXACT_RESULTS = (list, tuple, dict, set, bytearray, range, *filter(None, (ARRAY,)))
VIEWS = (dict.keys, dict.values, dict.items)


@bytecode("CALL")
def call(w, instruction):
    count = instruction.argument
    names = instruction.names
    stack = w.state.stack
    if count == 0 and len(stack) > 1 and stack[-2].__class__ is VirtualFunction:
        return call_comprehension(w)
    if count == 1 and len(stack) > 2 and stack[-1].__class__ is BackwardRange:
        return reverse_range(w, 3)
    if len(stack) < count + 2 or any(item.__class__ is not Value for item in stack[-count - 2:]):
        return w.leave("a call with an iterator as its operand")
    below, above = stack[-count - 2], stack[-count - 1]
    arguments = stack[len(stack) - count:]
    if opcodes.NULL_FIRST:
        callee, first = (above, None) if below.type is NULL else (below, above)
    else:
        callee, first = (below, None) if above.type is NULL else (below, above)
    if first is not None:
        arguments = [first] + arguments
    if first is None:
        callee = settle_class(w, count + (1 if callee is above else 2))
    known = callee.known or callee
    if callee.is_constant and callee.constant is super and first is None and not names:
        done = super_call(w, arguments, count + 2)
        if done is not NotImplemented:
            return done
    if callee.is_constant and not names and is_builtin(callee.constant):
        handler = CALLABLES.get(callee.constant) or (METHODS.get(callee.constant) if first is not None else None)
        if handler is not None:
            done = inline(w, handler, arguments, count + 2)
            if done is not NotImplemented:
                return done
    if callee.is_constant and callee.constant is sorted and not names and arguments[0].facts is COLLECTED_LIST:
        done = sort_collected(w, count + 2)
        if done is not NotImplemented:
            return done
    if callee.facts.__class__ is BoundBuiltin and not names and first is None:
        done = call_bound(w, callee, arguments, count + 2)
        if done is not NotImplemented:
            return done
    if callee.facts.__class__ is BoundMethod and first is None:
        done = call_bound_function(w, callee, arguments, names, count + 2)
        if done is not NotImplemented:
            return done
    if callee.facts.__class__ in NESTED_FUNCTIONS and first is None:
        done = call_nested(w, callee, arguments, names, count + 2)
        if done is not NotImplemented:
            return done
    if known.is_constant:
        direct = direct_call(w, known.constant, arguments, names, count + 2)
        if direct is NotImplemented and is_class(known.constant) and first is None:
            direct = instantiate(w, known, arguments, names, count + 2)
        if direct is not NotImplemented:
            return direct
    if first is None:
        done = call_through(w, callee, arguments, names, count + 2)
        if done is not NotImplemented:
            return done
    return vectorcall(w, callee, first, count, names)


def call_bound(w, callee, arguments, depth):
    """A call of a builtin method object that was made in this function; NotImplemented if it has no template."""
    handler = METHODS.get(callee.facts.method)
    if handler is None or not _accepts(handler, len(arguments) + 1):
        return NotImplemented
    return inline(w, handler, [bound_to(w, callee), *arguments], depth)


def call_comprehension(w):
    """Stack: the function in parts, the iterator. Its body is entered directly, with the cells as further arguments."""
    made, iterator = w.state.stack[-2:]
    if iterator.__class__ is not Value:
        return w.leave("a call with an iterator as its operand")
    arguments = [iterator, *made.cells]
    target = w.unit.comprehension(w, made, arguments)
    if target is None or made.consumer is not None and not yields_all(target, made.consumer):
        materialise(w)
        return call(w, w.instruction)
    if made.consumer is None:
        return call_target(w, target, arguments, 2)
    return call_generator(w, target, arguments, made.consumer)


def materialise(w):
    """Make the function in parts that lies below the top of the stack."""
    w.freeze()
    stack = w.state.stack
    stack[-2:] = stack[-1], stack[-2]
    make_real(w)
    stack[-2:] = stack[-1], stack[-2]


def call_target(w, target, arguments, depth, check=None, operator=None):
    """Call a compiled body with `depth` operands on the stack."""
    if check is None and target.function not in arguments:
        # The call itself holds what it calls, and where it raises, nobody asks what that was.
        w.freeze()
        w.state.stack[-depth:] = [w.constant(None) if item is target.function else item for item in w.state.stack[-depth:]]
    w.before_effect(rebinds=target.foreign or target.address is None)
    w.freeze()
    popped = w.state.stack[-depth:]
    if check is operator is None:
        give(w, target, arguments, depth)
    else:
        hold(w, target, arguments)
    throw = w.exit_here("exception")
    consumed = take_operands(w, depth)
    after = w.exit_after(CALLEE_LEFT, "exit_after")
    result = call_body(w, arguments, BodyCall(target, consumed, operator=operator), throw, after)
    if result.type.is_object:
        w.state.owned |= {result}
        result.shape = shape_of_kinds(target.returned) or recall(target.returned_shape)
    if check is not None:
        with_operands(w, popped, consumed, result, check)
    w.push(result)
    drop_consumed(w, consumed)


def call_for_effect(w, function, arguments, depth):
    """Call a compiled function's body as C code does, which holds the operands meanwhile and drops the result; NotImplemented if that cannot be done."""
    ordered = fitting_arguments(w, function, arguments, ())
    target, ordered = (None, None) if ordered is None else target_of(w, function, ordered, depth)
    if target is None:
        return NotImplemented
    if target.result is None:
        return unknown_result(w)
    w.before_effect(rebinds=target.foreign or target.address is None)
    w.freeze()
    hold(w, target, ordered)
    throw = w.exit_here("exception")
    consumed = take_operands(w, depth)
    after = w.exit_after(CALLEE_LEFT)
    result = call_body(w, ordered, BodyCall(target, consumed, discards=True), throw, after)
    if result.type.is_object:
        w.state.owned |= {result}
        w.drop(result)
    drop_consumed(w, consumed)
    return None


def inline(w, handler, arguments, depth):
    """Let a builtin's handler emit the call; NotImplemented if it has no template for these types."""
    w.site = 0
    result = handler(w, *arguments) if _accepts(handler, len(arguments)) else None
    if result is None:
        return NotImplemented
    w.freeze()
    popped = w.state.stack[-depth:]
    del w.state.stack[-depth:]
    w.push(result)
    w.release(*dict.fromkeys(popped))
    return None


def _accepts(handler, count):
    code = handler.__code__
    required = code.co_argcount - 1 - len(handler.__defaults__ or ())
    return required <= count and (count <= code.co_argcount - 1 or bool(code.co_flags & _VARARGS))


def vectorcall(w, callee, first, count, names):
    """Any callable, by PyObject_Vectorcall, as a callout."""
    if count == 1 and first is None and not names and callee.is_constant and (callee.constant is repr or callee.constant is str):
        probably(w, w.state.stack[-1], (str, int, float), "shown")
    stack = w.state.stack
    base = len(stack) - count - 2
    if first is None:
        arguments = stack[base + 2:]
    else:
        arguments = [first] + stack[base + 2:]
    found = blind_method(w, callee, arguments, names)
    if found is None and callee.is_constant:
        found = blind(w, callee.constant, arguments, names)
    if found is not None:
        guard_arguments(w, found, arguments)
    w.freeze()
    null = stack[base] if stack[base].type is NULL else stack[base + 1]
    stack[base:] = [null] * (1 if first is None else 0) + [callee] + arguments
    made = Call("PyObject_Vectorcall", vector=True)
    made.looks = looks_at_caller(w, callee)
    made.shows = callee.is_constant and callee.constant is _getframe
    if names:
        made.names = w.constant(names)
    shape, kind = None, OBJECT
    if callee.is_constant and any(callee.constant is kind for kind in EXACT_RESULTS) and first is None:
        kind = exact(callee.constant)
        shape = made_array(arguments) if callee.constant is ARRAY else Shape(kind)
        if count == 1 and arguments[0].__class__ is Value and kind.python not in (bytearray, ARRAY):
            given = arguments[-1]
            shape.element = Shape(INT) if given.type is exact(range) else given.shape and given.shape.element
    if callee.facts.__class__ is LocalFunction and callee.facts.code.co_name == "<listcomp>":
        shape = Shape(LIST)
    if found is not None:
        if found.result is not None:
            kind, shape = found.result.type, found.result
        made.makes = found.makes
        if callee.is_constant and callee.constant is list.pop:
            shape = arguments[0].shape and arguments[0].shape.element
        source = (made_source(w, callee.constant, arguments) or made_view(callee.constant, arguments)) if callee.is_constant else None
        ended = blind_vectorcall(w, made, len(stack) - base, kind, shape)
        if source is not None and not ended:
            w.peek().facts = source
        return ended
    if count == 1 and first is None and not names and callee.is_constant and callee.constant is str and callee not in w.state.owned:
        del w.state.stack[base:base + 2]
        return callout(w, Call("PyObject_Str"), 1)  # as the interpreter's own form for it does (CALL_STR_1)
    return callout(w, made, len(stack) - base, kind=kind, shape=shape)


def made_array(arguments):
    """The Shape of the array that `array.array` makes of these arguments."""
    code = arguments[0].constant if arguments and arguments[0].is_constant else None
    kind = BUFFERS.get((ARRAY, code)) if code.__class__ is str else None
    return Shape(exact(ARRAY)) if kind is None else Shape(kind, Shape(kind.buffer.type))


def looks_at_caller(w, callee):
    """Whether a callee reads what its caller's frame holds: the first argument for ``super()``, counts of references."""
    if callee.is_constant:
        return callee.constant is super or callee.constant is getrefcount
    return "__class__" in w.unit.code.co_freevars


def made_view(callee, arguments):
    """What is known of the view of a dict that a method of it gives, or None."""
    return View(callee.__name__, arguments[0].shape) if callee in VIEWS and arguments else None


def made_source(w, callee, arguments):
    """What the iterator that enumerate, zip, reversed or iter makes of these arguments walks over, or None."""
    if callee is reversed and len(arguments) == 1:
        return reversed_source_of(arguments[0])
    if callee not in (enumerate, zip, iter):
        return None
    if any(value.facts.__class__ in SOURCES and not is_private(w, value) for value in arguments):
        # Somebody else may bring an iterator in it to its end.
        return None
    sources = [source_of(value) for value in (arguments[:1] if callee is enumerate else arguments)]
    if None in sources or not sources:
        return None
    if callee is zip:
        return Zipped(sources)
    if callee is iter:
        return sources[0] if len(sources) == 1 else None
    start = arguments[1] if len(arguments) == 2 else None
    return Enumerated(sources[0], start is None or start.type is INT and nonnegative(start))


def direct_call(w, function, arguments, names, depth, check=None, operator=None):
    """Call a compiled Python function's body; NotImplemented if it is not one or its arguments do not fit.

    Args:
        depth: operands on the stack. operator: see `BodyCall`. check: called with the result while the operands still are there, below it.
    """
    ordered = fitting_arguments(w, function, arguments, names)
    if ordered is None:
        return NotImplemented
    if inlined_call(w, function, ordered, depth, check):
        return None
    target = target_for_expected(w, function, ordered, body_of)
    if target is None:
        target, ordered = target_of(w, function, ordered, depth)
    if target is None:
        return NotImplemented
    if target.result is None:
        return unknown_result(w)
    return call_target(w, target, ordered, depth, check, operator)


def target_of(w, function, ordered, depth):
    """(the `Target` to call or None, the arguments to call it with), which are boxed where the callee wants that."""
    return ask(w, ordered, depth, lambda values: body_of(w, function, values), lambda kinds: w.unit.boxed_arguments(function, kinds))


def ask(w, ordered, depth, target_for, boxed_for):
    """The same of any callee. Args: target_for: gives the `Target` for Values, or None. boxed_for: positions of what it takes as objects, of arguments of some types."""
    target = target_for(ordered)
    if target is None:
        ordered = boxed_where_wanted(w, boxed_for([value.type for value in ordered]), ordered, depth)
        target = target_for(ordered) if ordered else None
    return target, ordered


def boxed_where_wanted(w, places, ordered, depth):
    """The arguments with those at some places boxed, in the operands too: numbers that the callee takes as objects. None if there are none."""
    wanted = {ordered[index] for index in places}
    if not wanted or any(not value.is_constant and value not in w.state.stack[-depth:] for value in wanted):
        return None  # or they have been boxed before, for another attempt at the same call
    w.freeze()
    state = w.state
    objects = {}
    for value in dict.fromkeys(ordered):
        if value in wanted:
            objects[value] = boxed = w.box(value)
            if not boxed.is_constant:
                state.owned |= {boxed}
    state.stack[-depth:] = [objects.get(item, item) for item in state.stack[-depth:]]
    return [objects.get(value, value) for value in ordered]


def fitting_arguments(w, function, arguments, names):
    """Argument Values in the order of a compiled function's parameters, or None."""
    ordered = w.unit.match_arguments(w, function, arguments, names)
    if ordered is None or any(value.type in (NULL, PENDING) for value in ordered):
        return None
    return ordered


def body_of(w, function, ordered):
    """The `Target` to call with these arguments, or None."""
    return w.unit.callee(w, function, ordered) if in_registers([value.type for value in ordered]) else None


def unknown_result(w):
    """The function calls itself before the type of its result is known: nothing behind is walked this time."""
    w.deferred = True
    w.block.terminator = w.make("unreachable", ())
    return True


def inlined_call(w, function, arguments, depth, check=None):
    """Walk a small callee in the place of its call; True if that was possible."""
    unit = w.unit
    instructions = candidate(unit, function)
    if instructions is None:
        return False
    w.freeze()
    result = inline_callee(w, function, instructions, arguments)
    if result is None:
        return False
    unit.rely_on_code(function)
    if check is not None:
        w.push(result)
        check(result)
        w.pop()
    popped = w.state.stack[-depth:]
    del w.state.stack[-depth:]
    w.push(result)
    w.release(*dict.fromkeys(popped))
    return True
