"""Arguments that the caller knows nothing of, proven to be of the types that the callee has been seen with.

Problem: a caller often does not know what it passes on, a container out of a dict or made by C code. A version of the callee for any object has to find out
at each use, and where loops meet what it has found out is lost again.
Idea: what the interpreter has called the callee with is noted when it is compiled for that, and once when the clock finds it running
(FunctionRecord.seen). That is proven in front of the call, which then goes to the same version as the interpreter's calls.
"""

from jit.bytecodes.guards import guard_exact
from jit.types import OBJECT, STATIC, UNBOXED, exact


def target_for_expected(w, function, ordered, body_of):
    """The callee's `Target` for the types it has been seen with, which are proven, or None if there are none, or no version.

    The caller's own Values stay what they are: where its loops meet, there would be a version of each block for either.

    Args:
        ordered: Values by parameter. body_of: gives the Target for some Values or None.
    """
    likely = {}
    for index, value in enumerate(ordered):
        shape = expected(w, function, index, value)
        if shape is not None and value not in likely:
            likely[value] = role(index), w.value(exact(shape.type.python), shape)
    target = body_of(w, function, [likely[value][1] if value in likely else value for value in ordered]) if likely else None
    if target is not None:
        for value, (place, as_seen) in likely.items():
            guard_exact(w, value, as_seen.type.python, place)
    return target


def expected(w, function, index, value):
    """The Shape that an argument has been seen to have, if that has an exact type which would say something new, and has not turned out wrong here."""
    if value.type is not OBJECT or value.is_constant or value.shape is not None or value in w.state.receivers:
        return None
    shape = w.unit.seen_argument(function, index)
    kind = None if shape is None else shape.type.python
    if kind not in STATIC or kind in UNBOXED or kind is type(None):
        return None
    return None if any(other is not kind for other in w.seen(role(index))) else shape


def role(index):
    """Under which it is remembered what the guard of an argument has met."""
    return "argument", index
