"""What is known of functions and comprehensions, and of compiled callees."""

import weakref

from jit.budget import BUDGET
from jit.types import OBJECT
from platforms.cpython import feedback

#: Compilations of a function after which all of it is compiled, whether it has been run or not.
TELLING = 4
#: Seconds the program runs before a function that promises nothing is compiled anew, for each that compiling it has taken already: one that is
#: large, or whose types do not settle, takes a tenth of the run at most.
PATIENCE = 8
#: So many versions of a function are made for the very types of a call's arguments.
SEVERAL = 3


class Target:
    """A callee: address of the cell with its body's address (None: the body being compiled), argument types, result type (None: not known yet).

    Attributes:
        foreign: whether the call can run code other than the callee's own. function: the callee, for its lifetime.
        returned: ClassReferences of what it probably returns. returned_shape: Remembered or None. shows: it gives frames of its callers away.
        taken: positions of the arguments whose reference it takes over.
    """

    __slots__ = ("address", "types", "result", "foreign", "function", "returned", "returned_shape", "shows", "taken")

    def __init__(self, address, types, result, foreign, function, taken, returned=(), returned_shape=None, shows=False):
        self.shows = shows
        self.taken = taken
        self.returned, self.returned_shape = returned, returned_shape
        self.address = address
        self.types = types
        self.result = result
        self.foreign = foreign
        self.function = function


def no_function():
    """What a dead weak reference gives."""


class FunctionRecord:
    """What is known of one decorated function.

    Attributes:
        function: weak reference. versions: list of Code in the order their guards are tried. retired: Codes no call
        enters any more. cells: argument types -> BodyCell. refused: argument types -> reason why they are interpreted.
        reason: why the whole function is. automatic: nobody asked for it to be compiled. is_called: compiled code has asked for a version to call. calls: a version calls compiled code.
        comprehensions: id of a code object -> record of the comprehension in it. is_comprehension: it is one itself (see comprehensions.py), or
        a function that the one makes in which it stands, which `is_nested` says. enclosing: that one's record, or None.
        made: (a code object of its own, what enclosing.functions_made says of it), or None.
        seconds: that compiling it has taken, callees not counted. due: processor's time from which on it may be compiled anew. was_put_off: once; the next
        time it is finished, for what was done is lost.
        unreached: offsets of instructions that had not been run when it was compiled first and later; None: it has not been. boxed: positions of arguments that versions take as the objects they are.
        hoped_for: argument types of versions that promised too little when they were compiled, see profit.is_worthwhile.
        is_shared: it is in a generator, of which many functions may share the code.
        waits: it was handed back to the interpreter until there is time to compile what a call of it asked for.
        asleep: it was handed to the interpreter to make room. calls_seen: how often it had been called then.
        rests: how often it was left alone for a while because nothing could be compiled for what it was called with, see Automatic.rest.
        is_resting: it is now.
        seen: what it was called with by the interpreter: for each combination of types that was new, and once for a frame of it, Remembered or None of each argument.
    """

    def __init__(self, function, comprehension=None):
        self.function = weakref.ref(function)
        self.automatic = self.asleep = self.waits = self.is_shared = self.is_nested = self.is_resting = self.is_called = False
        self.calls_seen = self.rests = 0
        self.name = function.__qualname__
        self.comprehensions = {}
        self.block = None
        self.versions = []
        self.retired = []
        self.refused = {}
        self.reason = None
        self.observed = {}
        self.seen = []
        self.rigid = set()
        self.boxed = set()
        self.unreached = None
        self.seconds = self.due = 0.0
        self.was_put_off = False
        self.leaders = set()
        self.hoped_for = set()
        self.calls = False
        self.loops = None  # jit.entering.Loops
        self.invalidations = 0
        self.compilations = 0
        self.in_progress = []
        self.cells = {}
        self.entry = None
        self.old_entries = []
        self.miss = None
        self.is_comprehension = comprehension is not None
        self.enclosing = self.made = None
        self.code = comprehension or function.__code__

    def release(self):
        """Let go of everything, and of what leads back to here; called when the function has died."""
        self.function, self.miss = no_function, None
        self.versions, self.retired, self.old_entries, self.entry, self.cells, self.comprehensions = [], [], [], None, {}, {}
        self.loops = self.enclosing = self.made = None

    def entered_codes(self):
        """Versions that are entered in the middle of a run."""
        return [] if self.loops is None else [code for _, code in self.loops.codes()]

    def drop_entered(self, is_stale):
        """Enter those no more for which `is_stale` holds."""
        if self.loops is not None:
            self.loops.drop(is_stale)

    def note_seconds(self, seconds, promise):
        """Count time for which it was compiled; the more that promises to gain, the sooner it may be again."""
        self.seconds += seconds
        self.due = BUDGET.clock() + PATIENCE * self.seconds * (1 - (promise or 0.0))

    def is_due(self, now=None):
        """Whether it may be compiled again; `now`: the processor's time, if it is known. What somebody asked to be compiled always may."""
        return not self.automatic or BUDGET.unlimited or (BUDGET.clock() if now is None else now) >= self.due

    def not_run(self):
        """Offsets of instructions that need not be compiled because the interpreter has never run them; what asks for compilation is taken at its word.

        The first compilation decides: what compiled code runs from then on, the interpreter does not see.
        """
        if not self.automatic or self.compilations > TELLING:
            return frozenset()
        now = feedback.unreached(self.code) or frozenset()
        self.unreached = now if self.unreached is None else self.unreached & now
        return self.unreached

    def versions_kinds(self, kinds):
        """The types that a version for arguments of these types has.

        Arguments whose identity it asks for are any objects. Where there are several versions already, they are those of one that takes these
        arguments; if none does, what differs from one to the other is any object from now on.
        """
        kinds = tuple(OBJECT if index in self.boxed and kind.unboxed else kind for index, kind in enumerate(kinds))
        if len(self.versions) < SEVERAL or self.version_for(kinds) is not None:
            return kinds
        for code in self.versions:
            if all(own is kind or own is OBJECT for own, kind in zip(code.types, kinds)):
                return code.types
        return tuple(kind if all(code.types[index] is kind for code in self.versions) else OBJECT for index, kind in enumerate(kinds))

    def boxed_for(self, kinds):
        """Positions of those of these arguments that are numbers, and for which the version takes objects."""
        return [index for index, (kind, own) in enumerate(zip(kinds, self.versions_kinds(kinds))) if kind.unboxed and own is OBJECT]

    def version_for(self, kinds):
        for code in self.versions:
            if code.types == kinds:
                return code
        return None
