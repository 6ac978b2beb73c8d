"""Which calls of the main thread keep running, so that their loops are entered while they run."""

from types import FunctionType

from jit.budget import BUDGET
from platforms.cpython import observe
from platforms.cpython.layout import layout

#: Samples in a row in which a frame must be found.
SAMPLES = 3
#: How often it is tried to enter loops of the same code without a frame being caught.
TRIES = 8
#: Samples after which a frame that has not come to its loop's header is not waited for any more.
PATIENCE = 20


#: Samples after which it is forgotten what was tried in vain.
FORGET_EVERY = 256


def where(frame):
    """The instruction a frame executes, as an address."""
    return observe.read(frame + layout().frame_instruction)


class LongRuns:
    """Follows the frames of the main thread.

    Attributes:
        entering: LoopEntering. frames: (address, id of the code) -> samples in a row. waited: samples since the trap was set.
        idle: (address, id of the code) -> where the frame was when its loop could not be entered, or it was in none.
        samples: so many, of interpreted code.
        last: (Sight of what was tried last, how many frames had been caught before).
    """

    def __init__(self, entering):
        self.entering = entering
        self.frames = {}
        self.waited = 0
        self.last = None
        self.idle = {}
        self.samples = 0

    def follow(self, compiled, frames, sight):
        """Take note of a sample; let one frame that has been there for a while enter compiled code.

        Args:
            compiled: whether the topmost function runs compiled. frames: (code, function or code, address of the frame) from the
                topmost on. sight: function from a code object to its Sight.
        """
        trap = self.entering.trap
        if compiled:
            self.frames = {}
            self.waited = 0
            return
        self.samples += 1
        if self.samples % FORGET_EVERY == 0:
            self.idle.clear()
        self.frames = {(place, id(code)): self.frames.get((place, id(code)), 0) + 1 for code, _, place in frames}
        for code, function, place in frames:
            if sight(code).registered and isinstance(function, FunctionType):
                self.entering.note_arguments(function, place)
        if trap.is_set and self.waited < PATIENCE:
            self.waited += 1
            return
        self.waited = 0
        if not self.entering.is_inside():
            trap.clear()
        self.note_success()
        for code, function, place in frames:
            known, key = sight(code), (place, id(code))
            if not self.is_wanted(known, key) or not isinstance(function, FunctionType) or not (BUDGET.allows() or BUDGET.has_earned(code)):
                continue
            known.tries += 1
            self.last = known, trap.caught
            if self.entering.enter(function, place):
                break
            self.idle[key] = where(place)

    def is_wanted(self, known, key):
        """Whether a frame has been there for a while, is one to be entered, and has moved since that was tried in vain."""
        if self.frames[key] < SAMPLES or known.is_special and not known.is_module or known.is_ours or known.tries >= TRIES:
            return False
        return self.idle.get(key) != where(key[0])

    def note_success(self):
        """Code of which a frame was caught may be tried again."""
        if self.last is not None:
            known, caught = self.last
            if self.entering.trap.caught != caught:
                known.tries = 0
            self.last = None
