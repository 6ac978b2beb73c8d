"""A module whose decorated function is pickled by reference."""

from jit import jit


@jit
def triple(n):
    return n * 3
