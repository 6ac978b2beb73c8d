"""What a call's arguments say of the version that takes them: types, and guesses about what they hold."""

from jit import receivers
from jit.types import INT, OBJECT, STATIC, STATIC_ADDRESSES, UNBOXED, class_reference, class_references, exact, instance_of, recall, shape_of


def type_of_argument(value):
    """The `Type` a version is specialised on for this argument."""
    kind = type(value)
    if id(kind) not in STATIC_ADDRESSES:
        return OBJECT
    unboxed = UNBOXED.get(kind)
    if unboxed is INT and not -(1 << 63) <= value < 1 << 63:
        return OBJECT
    if unboxed is not None:
        return unboxed
    return exact(kind)


def type_of_kind(kind):
    """The `Type` of arguments that are exact instances of a Python type."""
    return UNBOXED.get(kind) or (exact(kind) if kind in STATIC else OBJECT)


def by_parameter(code, count, arguments, names):
    """A call's arguments in the order of the parameters, None where there is none.

    Args:
        code: of the callee. count: of its parameters, *args and **kwargs excepted. arguments: of any kind. names: of the last ones.

    Returns:
        list, or None if they do not fit.
    """
    positional = len(arguments) - len(names)
    if positional > code.co_argcount:
        return None
    ordered = [*arguments[:positional], *[None] * (count - positional)]
    for name, value in zip(names, arguments[positional:]):
        if name not in code.co_varnames[code.co_posonlyargcount:count]:
            return None
        index = code.co_varnames.index(name)
        if ordered[index] is not None:
            return None
        ordered[index] = value
    return ordered


def fill_in(walker, ordered, count, defaults):
    """Put defaults, which belong to the last of the first `count` parameters, where these have no argument; returns whether all have one now."""
    for index in range(count):
        if ordered[index] is None:
            place = index - count + len(defaults)
            if place < 0:
                return False
            ordered[index] = walker.constant(defaults[place])
    return True


def type_of_value(value):
    """The `Type` under which an SSA value is passed to a callee."""
    kind = value.type
    if kind.buffer is not None:
        return exact(kind.python)
    return OBJECT if kind.python is not None and not kind.unboxed and kind.python not in STATIC else kind


def shape_of_value(value, receivers):
    """What is guessed of an argument's items or attributes.

    Args:
        receivers: Receivers of one of which it is known to be an instance of, or None: what was seen elsewhere may be another class.
    """
    if receivers and not (value.shape is not None and any(kind is receivers[0].kind for kind in value.shape.kinds())):
        shape = instance_of(receivers[0].kind)
        shape.more = tuple(receiver.kind for receiver in receivers[1:])
        return shape
    known = value.known or value
    return shape_of(known.constant) if known.is_constant and value.shape is None and value.type.is_object else value.shape


def shapes_of_values(arguments, receivers, record):
    """What is guessed of the arguments of a call of compiled code; where the caller knows nothing, what the callee has been seen with.

    Args:
        arguments: Values. receivers: by Value, Receivers as for `shape_of_value`. record: the callee's FunctionRecord.
    """
    return [shape_of_value(value, receivers.get(value)) or (seen_at(index, record) if value.type is OBJECT else None)
            for index, value in enumerate(arguments)]


def seen_at(index, record):
    """The Shape that an argument of a function had wherever it was seen, or None."""
    seen = [arguments[index] for arguments in record.seen if arguments[index] is not None]
    return recall(seen[0]) if seen and all(shape.type is seen[0].type for shape in seen) else None


def note_classes(record, shapes, function):
    """What arguments were is remembered for later versions; a method is compiled for all classes that have it, if they are few."""
    for index, shape in enumerate(shapes):
        reference = class_reference(shape)
        if reference is not None:
            seen = record.observed.setdefault((("argument", index), "class"), set())
            if index == 0 and not seen:
                seen.update(class_references(sharing(shape.kind(), function)))
            seen.add(reference)


def sharing(kind, function):
    """Classes whose instances have a function as a method, if one of `kind` has; [] if they are too many."""
    home = receivers.home_of(kind, function)
    if home is None:
        return []
    return [other for other in receivers.relatives(home, [kind]) if receivers.class_attribute(other, function.__name__) is function]
