"""Generators that wait at a ``yield from`` another generator: how that shows in their frames.

Where the version lets each generator of such a chain run in an evaluation of its own, an item of the innermost passes through all of them.
Only there is it known (`chained`) how a generator is found that does nothing but wait for the next one.

Source: CPython Objects/genobject.c (_PyGen_yf, _gen_throw), Python/ceval.c (SEND).
"""

import functools
from sys import version_info

from platforms.cpython.layout import layout
from platforms.cpython.observe import read
from platforms.cpython.opcodes import NUMBERS

L = layout()
_YIELD_FROM = 2  # the argument of RESUME
_GENERATOR, _OTHER_KINDS = 0x20, 0x80 | 0x200
_WARM = 20  # calls after which code has warmed up


class Chained:
    """How a generator looks that waits for another one.

    Attributes:
        resumes: what the 16 bits `FOLLOWING` bytes behind what its frame's instruction field points to may be; once the code has warmed up
            it is the latter. send: the byte that lies `BEFORE` bytes in front of that, where the other generator is asked for its next item.
    """

    FOLLOWING, BEFORE = 2, 2

    def __init__(self, resumes):
        self.resumes = resumes
        self.send = NUMBERS["SEND"]


def delegates(code) -> bool:
    """Whether this is the code of a generator that hands on what other iterators yield."""
    return code.co_flags & (_GENERATOR | _OTHER_KINDS) == _GENERATOR and NUMBERS["SEND"] in code.co_code[::2]


@functools.cache
def chained() -> Chained | None:
    """The description; None where it does not hold: from 3.12 on the interpreter runs chains in one evaluation."""
    if version_info[:2] != (3, 11):
        return None
    found = [_look() for _ in range(_WARM)]
    resumes = found[0][0], found[-1][0]
    expected = [NUMBERS["SEND"], True, L.generator_suspended & 0xFF]
    if resumes[0] != NUMBERS["RESUME"] | _YIELD_FROM << 8 or resumes[1] >> 8 != _YIELD_FROM or any(rest != expected for _, *rest in found):
        return None
    return Chained(tuple(dict.fromkeys(resumes)))


def _look():
    """Of a generator that waits for another one: (what follows its instruction, what lies before, whether the other is on its stack, its state)."""
    inner = _innermost()
    outer = _outermost(inner)
    next(outer)
    frame = id(outer) + L.generator_frame
    where = read(frame + L.frame_instruction)
    top = read(frame + L.frame_localsplus + 8 * (read(frame + L.frame_stacktop, 4) - 1))
    return read(where + Chained.FOLLOWING, 2), read(where - Chained.BEFORE, 1), top == id(inner), read(id(outer) + L.generator_state, 1)


def _innermost():
    yield 1


def _outermost(inner):
    yield from inner
