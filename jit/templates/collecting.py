"""Garbage that is collected in the midst of making an object, as CPython 3.11 does.

Problem: finalisers run then, and may rebind what the version relies on. Elsewhere they run in calls behind which all of that is looked at.
Idea: behind a collection the number of objects made since the last one is smaller than before. Then pending work is asked for, and the next poll looks.
Invariant: the word is written and read with the interpreter's lock held in between, so threads share it.
"""

from functools import cache

from asm import ecx, mem32, rax, rcx, rdx, relative
from jit.machine.arena import arena
from platforms.cpython import collector, instances, threads


@cache
def _before():
    """Address of the word that holds the number from before the call."""
    return arena().allocate_data(8)


class NoticedCollections:
    """Around the code of a call that makes objects, with its result in rax. Lost: rax in front of it, rcx and rdx behind.

    Args:
        needed: whether it may make one that the collector knows.
    """

    __slots__ = ("asm", "counter", "needed")

    def __init__(self, asm, needed=True):
        self.asm = asm
        self.needed = needed and collector.AT_ONCE

    def __enter__(self):
        if not self.needed:
            return
        asm = self.asm
        self.counter = asm.constant(collector.counter())
        asm.mov(rax, relative(self.counter))
        asm.mov(rax.r32, mem32(rax, 0))
        asm.mov(relative(_before()), rax)

    def __exit__(self, failure, *_):
        if not self.needed or failure is not None:
            return
        asm = self.asm
        collected, noticed = asm.label("collected"), asm.label("noticed")
        asm.mov(rdx, relative(self.counter))
        asm.mov(rcx, relative(_before()))
        asm.cmp(mem32(rdx, 0), ecx)
        asm.jl(collected)
        asm.bind(noticed)
        with asm.cold():
            asm.bind(collected)
            _, breaker, _ = threads.eval_breaker()
            asm.mov(rdx, relative(asm.constant(breaker)))
            asm.mov(mem32(rdx, 0), 1)
            asm.jmp(noticed)


def makes_collectable(operation):
    """Whether the result of an operation may be an object that the collector knows; one of a C function that only changes something has none."""
    return any(value.type.python is None or bool(instances.flags(value.type.python) & instances.HAVE_GC) for value in operation.results)
