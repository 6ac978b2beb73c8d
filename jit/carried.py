"""Decorated functions that are pickled by value, as cloudpickle does, are decorated again where they arrive.

Problem: what such a pickler carries is the function, not what was made of it. Idea: an entry in the function's own
dictionary, which goes along, and whose way of being pickled is a call that decorates the function it arrives with.
"""

import weakref

KEY = "__jit__"


class Mark:
    """Says that a function is decorated. It does not keep the function alive."""

    __slots__ = ("function",)

    def __init__(self, function):
        self.function = None if function is None else weakref.ref(function)

    def __reduce__(self):
        return arrive, (None if self.function is None else self.function(),)


def mark(function):
    """Let a function arrive decorated wherever it is carried by value."""
    function.__dict__[KEY] = Mark(function)


def arrive(function):
    """Called while a marked function is unpickled: decorates it.

    Returns:
        its `Mark`.
    """
    if function is not None:
        from jit.api import jit
        jit(function)
    return Mark(function)
