"""Sets of strings or ints: looked up by machine code as dictionaries are (jit/bytecodes/dictionaries.py)."""

from jit.bytecodes.dictionaries import foreign_exit, key_of
from jit.bytecodes.methods import method
from jit.types import exact

SET = exact(set)
_KINDS = (SET, exact(frozenset))


def contains(w, container, key):
    """``key in container`` as a BOOL Value, or None."""
    found = key_of(w, container, key, _KINDS)
    if found is None:
        return None
    family, key = found
    return w.operation(f"set_contains_{family}", container, key, exit=foreign_exit(w, container))


@method(set.add)
def set_add(w, container, key):
    return change(w, "set_add", container, key)


@method(set.discard)
def set_discard(w, container, key):
    return change(w, "set_discard", container, key)


def change(w, name, container, key):
    """Once it is known where the key is, CPython's function, which goes the same way, compares no others."""
    found = key_of(w, container, key, (SET,))
    if found is None:
        return None
    family, key = found
    w.before_effect(rebinds=False)
    w.operation(f"{name}_{family}", container, key, exit=foreign_exit(w, container))
    return w.constant(None)
