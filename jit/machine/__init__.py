"""Shared machine code: leaving for the interpreter, calling out, boxing; and the data it works on.

    records.py      layouts of descriptors, function and version records
    frames.py       interpreter frames: linking and clearing; building.py makes them, callers.py walks compiled callers
    lookers.py      who looks at a frame's locals
    leave.py        exits; callouts.py: foreign code, polls; freeing.py: dead objects (harmless.py, holders.py, simple_classes.py: how); area.py: where they keep registers
    stack.py        recursion: Python's limit and the C stack
    boxes.py        numbers to objects and back; mixed.py: arithmetic of objects that are ints or floats
    kept.py         dead numbers for new ones; saving.py: calls of C functions that keep registers
    dictionaries.py attributes of instances that have a dict
    lookups.py      keys of dictionaries and sets; members.py: walking over sets
    texts.py        numbers to strings
    slices.py       slices with machine bounds
    lists.py        lists that generator expressions are collected in, room that is given back
    refcounts.py    reference counting, inline
    monitoring.py, watcher.py   what is checked before compiled code goes on

Everything is assembled once per process, at the first compilation.
"""

from functools import lru_cache

from jit import perfmap
from jit.machine.arena import arena
from platforms.cpython import shell, threads
from platforms.cpython.audit import QUIET


class Routines:
    """Addresses of the shared routines, as attributes."""

    def __init__(self, addresses):
        self.__dict__.update(addresses)


#: Called, with no arguments, soon after a version has asked for attention; set by the compiler.
attention_handlers = []


def _attend():
    """Called as pending work, see `LeaveRoutines.emit_attend`."""
    for handler in attention_handlers:
        handler()


def _let_pending_work_in():
    """Lets all pending work in, and shows its frame to nobody."""


@lru_cache(None)
def routines():
    """Assemble the routines on first use."""
    from asm import Assembler
    from jit.machine import boxes, dictionaries, lists, lookups, members, methods, mixed, slices, texts
    from jit.machine.frames import FrameRoutines
    from jit.machine.leave import LeaveRoutines
    from jit.machine.lookers import LookerRoutines
    from jit.machine.monitoring import watch_local_events
    QUIET.install()
    if threads.eval_breaker()[0] == "absolute":
        _let_pending_work_in.__code__ = shell.poll(_let_pending_work_in.__code__)
    asm = Assembler(comments=False)
    frames = FrameRoutines(asm)
    leave = LeaveRoutines(asm, frames, _let_pending_work_in, _attend)
    lookers = LookerRoutines(asm, frames)
    frames.emit()
    leave.emit()
    lookers.emit()
    labels = dict(leave.labels)
    labels.update(boxes.emit(asm))
    labels.update(mixed.emit(asm, labels["box_float"], labels["preserved_call"]))
    labels.update(dictionaries.emit(asm))
    labels.update(slices.emit(asm))
    labels.update(lists.emit(asm))
    labels.update(texts.emit(asm))
    labels.update(lookups.emit(asm, labels["unbox_int"]))
    labels.update(members.emit(asm))
    labels.update(methods.emit(asm))
    block = arena().allocate_code(asm.size_bound())
    text = asm.finish(block)
    arena().write_code(block, text)
    perfmap.note_labels(block, len(text), {"routines": 0, **{name: label.offset for name, label in labels.items()}})
    lookers.install({name: block + label.offset for name, label in lookers.labels.items()})
    watch_local_events()
    return Routines({name: block + label.offset for name, label in labels.items()})
