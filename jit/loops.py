"""Compiled code that is entered in the middle of a run: at the header of a loop.

Problem: a function that is called once and then runs for minutes is never called again, and so never enters its compiled version.
Idea: a version that begins at a loop's header. Its only argument is the address of the interpreter frame's slots; it *takes over*
what they hold, with the references, and from there on is like any other: an exit builds a frame, a return returns. The
interpreter's own frame is left empty (jit/loop_entry.py).
"""

from jit.iteration import walked
from jit.types import exact


class Slot:
    """What a slot of the frame held when the version was compiled; it is not entered unless that is so again.

    Attributes:
        type: the `Type` the version has it in, or None: there is nothing in it. shape: Shape or None. source: what an iterator walks over, or None.
    """

    __slots__ = ("type", "shape", "source")

    def __init__(self, type, shape=None, source=None):
        self.type = type
        self.shape = shape
        self.source = source


class LoopState:
    """The state of a frame at a loop's header.

    Attributes:
        header: index of the instruction. line: of it. locals, stack: Slots.
    """

    __slots__ = ("header", "locals", "stack", "line")

    def __init__(self, header, locals, stack, line):
        self.line = line
        self.header = header
        self.locals = locals
        self.stack = stack

    def slots(self):
        return self.locals + self.stack

    def key(self):
        """What a version depends on."""
        return [(slot.type, slot.source and walked(slot.source)) for slot in self.slots()]

    def forget(self):
        """Let go of what was only guessed."""
        for slot in self.slots():
            slot.shape = None


def take_over(w, entered):
    """Move the frame's values into the walker's state, and unbox the numbers."""
    state = w.state
    frame = w.block.parameters[0]
    if w.unit.is_part:
        generator = w.operation("take_generator", frame)
        state.owned |= {generator}
        state.stack.append(generator)
    taken = [_taken(w, frame, number, slot) for number, slot in enumerate(entered.slots())]
    for number, value in enumerate(taken):
        if number >= len(entered.locals):
            state.stack.append(value)
        elif value is not None:
            state.locals[number] = value
            state.bound[number] = True
    w.snapshot_state()
    numbers = [(item, slot.type) for item, slot in zip(taken, entered.slots()) if slot.type is not None and slot.type.unboxed]
    # An exit needs all the objects: none is dropped before the last is unboxed.
    unboxed = [(item, _unboxed(w, item, kind)) for item, kind in numbers]
    for item, value in unboxed:
        w.replace(item, value)
        w.state.owned -= {item, value}
        w.operation("drop", item)
    w.base = None
    w.start_exits = {}


def _taken(w, frame, number, slot):
    """The Value that was in a slot: ours now."""
    if slot.type is None:
        return None if number < w.unit.local_count else w.null
    kind = exact(slot.type.python) if slot.type.unboxed else slot.type
    value = w.operation("take_slot", frame, detail=number, kind=kind, shape=slot.shape)
    value.facts = slot.source
    w.state.owned |= {value}
    return value


def _unboxed(w, item, kind):
    name = {int: "unbox_int", float: "unbox_float", bool: "unbox_bool"}[kind.python]
    return w.operation(name, item, exit=w.exit("a number beyond 64 bits"))
