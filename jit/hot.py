"""Finding the hot functions of an unchanged program.

A clock (platforms/cpython/sampler.py) shows what runs, often at first, then more rarely. The functions on top of the stack, and
those that called them, gather counts; one that is found running often enough is *registered*: its function object, which
stays the same, then leads to the compiler at its next call. So methods found through classes, callbacks that C code holds and
functions in any thread all come to run compiled code.
"""

import _thread
import atexit
import os
import sys
import weakref
from collections import deque
from types import FunctionType

from jit.api import available
from platforms.cpython import observe
from platforms.cpython.layout import layout

#: Samples in which a function must be found before it is registered.
THRESHOLD = 2
#: Callers looked at in each sample.
DEPTH = 12
#: (from this many samples on, seconds between two): found soon at first, at little cost later.
PACE = ((0, 0.001), (300, 0.0025), (1500, 0.01))
#: What is done step by step before the first function is registered: modules imported, and in between, what is verified.
VERIFY = object()
STEPS = ("platforms.cpython.verify_objects", "platforms.cpython.verify", "jit.availability", VERIFY, "asm.encodings", "asm",
         "regalloc", "jit.types", "jit.machine.records", "jit.machine.frames", "jit.machine.leave", "jit.machine.boxes", "jit.walk",
         "jit.emitter", "jit.templates.numbers", "jit.templates.calls", "jit.templates.items", "jit.templates.strings",
         "jit.compiler", "jit.entries", "jit.bytecodes.containers", "jit.bytecodes.builtins", "jit.bytecodes.displays",
         "jit.dispatch")
#: Seconds after which threads exchange the interpreter while it is verified: each look at memory gives it away.
SHORT_SWITCH = 0.0001
#: Function objects registered of the same code: more come from code that makes functions again and again.
SIBLINGS = 4
#: Code that samples met so rarely is forgotten after this many.
FORGET_EVERY = 4096
_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
#: Where files of ours lie: none of their functions is ever registered.
OURS = tuple(os.path.join(_HERE, package) + os.sep for package in ("jit", "asm", "regalloc", "platforms"))


class Sight:
    """How often the samples met one code object.

    Attributes:
        code: weak reference. top: samples in which it ran itself. total: in which it was on the stack (of DEPTH levels).
        registered: function objects registered. compiled: samples on top, in compiled code.
    """

    __slots__ = ("code", "top", "total", "registered", "compiled", "name", "first_line", "file")

    def __init__(self, code):
        self.code = weakref.ref(code)
        self.top = self.total = self.registered = self.compiled = 0
        self.name, self.file, self.first_line = code.co_qualname, code.co_filename, code.co_firstlineno


class Detector:
    """Counts samples and registers what is hot.

    Attributes:
        samples: taken so far. sights: id of a code object -> Sight. gone: of code that has died, for reports.
    """

    def __init__(self, threshold=None):
        self.threshold = threshold or THRESHOLD
        self.samples = 0
        self.sights = {}
        self.sampler = None
        self.pauses = 0
        self.busy = self.resume = False
        self.main = _thread.get_ident()
        self.problem = None
        self.compiler = None
        self.loading = None

    # -- the clock ---------------------------------------------------------------------------------------

    def start(self):
        """Let the clock tick; returns whether it does."""
        if self.sampler is None:
            from platforms.cpython.sampler import Sampler
            self.sampler = Sampler(self.sample)
            atexit.register(self.end)
            os.register_at_fork(before=self.before_fork, after_in_parent=self.after_fork, after_in_child=self.in_child)
        self.sampler.set_interval(self.pace())
        return self.sampler.start()

    def stop(self):
        """Let it stand still."""
        if self.sampler is not None:
            self.sampler.stop()

    def end(self):
        """The program has ended."""
        self.stop()
        self.pauses += 1
        if self.compiler is not None:
            self.compiler.shut_down()

    def pace(self):
        """Seconds to the next sample."""
        return next(seconds for samples, seconds in reversed(PACE) if self.samples >= samples)

    def before_fork(self):
        self.resume = self.sampler.running
        self.sampler.stop()

    def after_fork(self):
        if self.resume:
            self.sampler.start()

    def in_child(self):
        self.main = _thread.get_ident()
        if self.resume:
            self.sampler.start()

    # -- a sample ------------------------------------------------------------------------------------------

    def sample(self):
        """Called by the clock. Returns an exception for the program, raised by what ran in between, or None."""
        if self.busy or self.pauses:
            return None
        self.busy = True
        try:
            if self.loading is not None:
                self.load_further()
            else:
                self.take_sample()
        except Exception as problem:
            self.give_up(problem)
        finally:
            self.busy = False
        return None

    def take_sample(self):
        self.samples += 1
        for frame in self.running_frames():
            self.look(frame)
        if self.samples in PACE_CHANGES:
            self.sampler.set_interval(self.pace())
        if self.samples % FORGET_EVERY == 0:
            self.forget()

    def give_up(self, problem):
        """Something is wrong with us: let the program run on without."""
        self.problem = problem
        self.pauses += 1
        self.sampler.work(False)

    def load_further(self):
        """Import one more module of the compiler, or do another step on the way to the first compilation."""
        beside = _thread.get_ident() != self.main
        if beside != (self.loading[0] is VERIFY):
            self.sampler.work(not beside)
            return
        step = self.loading.popleft()
        if step is VERIFY:
            self.verify()
        else:
            __import__(step)
        self.sampler.work(bool(self.loading) and self.loading[0] is VERIFY)
        if not self.loading:
            self.loading = None
            if available():
                from jit.dispatch import COMPILER
                self.compiler = COMPILER
            else:
                self.give_up(None)

    def verify(self):
        """Find out whether functions can be compiled here; in the clock's own thread, because pending calls take part."""
        before = sys.getswitchinterval()
        sys.setswitchinterval(SHORT_SWITCH)
        try:
            available()
        finally:
            sys.setswitchinterval(before)

    def running_frames(self):
        """The topmost frame of the main thread; if it does not come by, those of all others."""
        if _thread.get_ident() == self.main:
            return (sys._getframe(3),)
        return [frame for thread, frame in sys._current_frames().items() if thread not in (self.main, _thread.get_ident())]

    def look(self, frame):
        """Count the functions on a stack; register those that have become hot."""
        compiled = is_poll(frame.f_code)
        if compiled:
            frame = frame.f_back
        for depth in range(DEPTH):
            if frame is None:
                return
            code = frame.f_code
            sight = self.sights.get(id(code))
            if sight is None or sight.code() is not code:
                sight = self.sights[id(code)] = Sight(code)
            sight.total += 1
            if depth == 0:
                sight.top += 1
                sight.compiled += compiled
            if sight.total >= self.threshold and sight.registered < SIBLINGS:
                self.register(sight, frame)
            frame = frame.f_back

    def register(self, sight, frame):
        """Register the function of a hot frame."""
        function = function_of(frame)
        if function is None or frame.f_code.co_filename.startswith(OURS) or frame.f_code.co_name.startswith("<"):
            sight.registered = SIBLINGS
            return
        if self.compiler is None:
            self.load()
            return
        record = self.compiler.records.get(id(function))
        if record is None or record.function() is not function:
            sight.registered += 1
            self.compiler.register(function)

    def load(self):
        """Begin to load the compiler."""
        self.loading = deque(STEPS)

    def forget(self):
        """Drop the rarely met, and what has died."""
        for key, sight in list(self.sights.items()):
            if sight.code() is None or sight.total < 2:
                del self.sights[key]


PACE_CHANGES = {samples for samples, _ in PACE}
DETECTOR = None


def is_poll(code):
    """Whether this is what compiled code calls to let pending work in."""
    machine = sys.modules.get("jit.machine")
    return machine is not None and code is machine._let_pending_work_in.__code__


def function_of(frame):
    """The function object a frame runs, or None (of a module's body, for instance)."""
    fields = layout()
    address = observe.read(observe.read(id(frame) + fields.frame_object_frame) + fields.frame_function)
    if not address or observe.read(address + fields.ob_type) not in _function_types():
        return None
    import ctypes
    function = ctypes.cast(address, ctypes.py_object).value
    return function if function.__code__ is frame.f_code else None


def _function_types():
    from platforms.cpython import entry
    types = [id(FunctionType)]
    if layout().version == (3, 11):
        types.append(id(entry._redirected_type()))
    return types


def start(threshold=None, eager=False, stats=False):
    """Begin to look for hot functions."""
    global DETECTOR
    DETECTOR = Detector(threshold)
    DETECTOR.start()
