"""Proving the exact types of objects, and noting those that nothing is known of."""

from jit.inlining import NotInlined
from jit.types import OBJECT, exact
from jit.values import Value


def observe(w, value, role):
    """Have the type of an object noted each time, so that a later version can be compiled for it; returns what notes it."""
    w.needs_frame()
    noted = w.new_exit(f"type of the {role}", w.state.snapshot())
    noted.site, noted.routine = (w.instruction.site, role), "observe"
    w.operation("observe", value, exit=noted)
    return noted


def guard_exact(w, value, kind, role):
    """Leave unless ``type(value) is kind``."""
    guard = w.exit(f"not an exact {kind.__name__}", observe=value)
    guard.site = (w.instruction.site, role)
    w.operation("guard_type", value, exit=guard, detail=kind)


def prove(w, value, kind, role):
    """Guard that ``type(value) is kind``; the state names the refined value from here on."""
    guard_exact(w, value, kind, role)
    return w.alias(value, exact(kind))


def divides(w, index=None):
    """Whether two ways through the current instruction can meet behind it, or at `index`, where a block has to begin. If none does, one will in the next walk.

    Raises:
        NotInlined: in an inlined function there are no such blocks.
    """
    if w.inlined:
        raise NotInlined
    index = w.index + 1 if index is None else index
    if index in w.flow.ends:
        return True
    w.knowledge.leaders.add(index)
    w.incomplete = True
    return False


def meet(w, index=None):
    """End the block of one of these ways there."""
    w.let_go()
    w.flush_drops()
    w.jump(w.index + 1 if index is None else index)


def probably(w, value, kinds, role):
    """`value` with its type proven, if it is an object that was seen, or is guessed, to be exactly one of `kinds`.

    Where nothing is known its type is noted, for a later version.
    """
    if value.__class__ is not Value or value.type is not OBJECT or value.is_constant:
        return value
    seen = w.seen(role, role)
    kind = None if value.shape is None else value.shape.type.python
    if seen:
        kind = next(iter(seen)) if len(seen) == 1 else None
    if kind in kinds:
        return prove(w, value, kind, role)
    if not seen:
        observe(w, value, role)
    return value
