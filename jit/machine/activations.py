"""The versions entered at a loop's header that run now, the latest last: what an exit of theirs needs to be entered again.

Only the main thread enters such. What stands here is compared, never followed, before it is known to be so: a program may exchange
C stacks (coroutine libraries), and then the order is lost.
"""

import ctypes
from functools import lru_cache

from jit.machine.arena import arena

#: The block: bytes in use, the routine to enter next, then the activations.
DEPTH, NEXT, FIRST = 0, 8, 16
#: An activation: the interpreter's frame that is empty meanwhile, its caller's, its code, and what `back_edges.wait` is to be told.
FRAME, PREVIOUS, CODE, INSTRUCTION, ROUTINE = 0, 8, 16, 24, 32
SIZE = 40
#: So many at once.
LIMIT = 64 * SIZE


@lru_cache(None)
def activations():
    """The block's address."""
    return arena().allocate_data(FIRST + LIMIT)


def read_depth():
    """Bytes in use."""
    return ctypes.c_uint64.from_address(activations() + DEPTH).value
