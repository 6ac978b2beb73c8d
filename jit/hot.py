"""Finding the hot functions of an unchanged program.

A clock (platforms/cpython/sampler.py) shows what runs, often at first, then more rarely. The functions on top of the stack, and
those that called them, gather counts; one that is found running often enough is *registered*: its function object, which
stays the same, then leads to the compiler at its next call. So methods found through classes, callbacks that C code holds and
functions in any thread all come to run compiled code.
"""

import _thread
import atexit
import ctypes
import os
import sys
import time
import weakref
from collections import deque
from types import CodeType, FunctionType

from jit.api import available
from jit.budget import BUDGET
from platforms.cpython import observe
from platforms.cpython.layout import layout

#: Samples in which a function must be found before it is registered.
THRESHOLD = 2
#: Nanoseconds a thread must have computed since it was looked at last to be taken for running.
COMPUTING = 1_000_000
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
#: Also the import system, which is hot only while programs start, and which the compiler itself uses.
LEFT_ALONE = (*OURS, "<frozen importlib")
NOT_THE_PROGRAM = (*OURS, "<frozen", os.path.dirname(os.__file__) + os.sep)


class Sight:
    """How often the samples met one code object.

    Attributes:
        code: weak reference. top: samples in which it ran itself. total: in which it was among the topmost.
        registered: function objects registered. compiled: samples on top, in compiled code.
    """

    __slots__ = ("code", "top", "total", "registered", "compiled", "name", "first_line", "file", "is_special")

    def __init__(self, code):
        self.code = weakref.ref(code)
        self.top = self.total = self.registered = self.compiled = 0
        self.is_special = code.co_name.startswith("<") or code.co_filename.startswith(LEFT_ALONE)
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
        self.forking = None
        self.main = _thread.get_ident()
        self.problem = None
        self.compiler = self.eager = None
        self.loading = None
        self.compiling = 0
        self.used = {}

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

    def start_eagerly(self):
        """Without a clock: everything is compiled at its first call."""
        if available():
            from jit import eager
            from jit.dispatch import COMPILER
            self.compiler, self.eager = COMPILER, eager
            atexit.register(self.end)
            eager.start()

    def stop(self):
        """Let it stand still."""
        if self.sampler is not None:
            self.sampler.stop()

    def end(self):
        """The program has ended."""
        self.stop()
        self.pauses += 1
        if self.eager is not None:
            self.eager.stop()
        if self.compiler is not None:
            self.compiler.shut_down()

    def pace(self):
        """Seconds to the next sample."""
        return next(seconds for samples, seconds in reversed(PACE) if self.samples >= samples)

    def before_fork(self):
        """A child has no clock, and os.fork() warns of threads."""
        self.resume = self.sampler.running
        self.sampler.stop()

    def after_fork(self):
        """In the parent. The clock starts when os.fork() is over, because it looks for threads last of all."""
        if self.resume:
            frame = observe.read(id(sys._getframe(1)) + layout().frame_object_frame)
            self.forking = frame, observe.read(frame + layout().frame_instruction)
            self.sampler.request()

    def restart(self):
        """Start the clock unless a fork is still under way."""
        frame, instruction = self.forking
        shown = [frames for _, _, frames in self.sampler.stacks()]
        if any(found == frame for found in (place for frames in shown for _, _, place in frames)) and \
                observe.read(frame + layout().frame_instruction) == instruction:
            self.sampler.request()
        else:
            self.forking = None
            self.sampler.start()

    def in_child(self):
        """In the child."""
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
            if self.forking is not None:
                self.restart()
            elif self.loading is not None:
                self.load_further()
            else:
                self.take_sample()
        except BaseException as problem:
            return self.blame(problem)
        finally:
            self.busy = False
        return None

    def blame(self, problem):
        """Return an exception that a signal handler of the program has raised meanwhile, as if raised outside; else give up."""
        step = problem.__traceback__
        while step is not None and step.tb_frame.f_code.co_filename.startswith(NOT_THE_PROGRAM):
            step = step.tb_next
        if step is None and not isinstance(problem, KeyboardInterrupt):
            self.give_up(problem)
            return None
        return problem.with_traceback(step)

    def take_sample(self):
        self.samples += 1
        if BUDGET.depth:
            self.compiling += 1
            return
        for compiled, frames in self.running():
            self.look(compiled, frames)
        if self.compiler is not None and self.compiler.postponed:
            self.compiler.resume()
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
        if not BUDGET.allows():
            self.take_sample()
            return
        with BUDGET:
            step = self.loading.popleft()
            if step is VERIFY:
                self.verify()
            elif callable(step):
                step()
            else:
                __import__(step)
        self.sampler.work(bool(self.loading) and self.loading[0] is VERIFY)
        if not self.loading:
            self.loading = None
            if self.compiler is None:
                self.give_up(None)

    def verify(self):
        """Find out whether functions can be compiled here; in the clock's own thread, because pending calls take part."""
        before = sys.getswitchinterval()
        sys.setswitchinterval(SHORT_SWITCH)
        try:
            available()
        finally:
            sys.setswitchinterval(before)

    def running(self):
        """(whether its topmost function runs compiled, frames) of each thread that is running."""
        own = _thread.get_ident()
        for thread, compiled, frames in self.sampler.stacks():
            if own == self.main or self.has_computed(thread):
                yield compiled, frames

    def has_computed(self, thread):
        """Whether a thread has used its time since this was asked last."""
        used = time.clock_gettime_ns(time.pthread_getcpuclockid(thread))
        before = self.used.get(thread, used)
        if len(self.used) > 1000:
            self.used.clear()
        self.used[thread] = used
        return used - before > COMPUTING

    def look(self, compiled, frames):
        """Count the functions on a stack; register those that have become hot."""
        top = True
        for address, function, frame in frames:
            sight = self.sights.get(address)
            if sight is None or id(sight.code()) != address:
                if observe.read(address + layout().ob_type) != CODE_TYPE:
                    continue
                sight = self.sights[address] = Sight(as_object(address))
            sight.total += 1
            if top:
                top = False
                sight.top += 1
                sight.compiled += compiled
                if not compiled and sight.total >= self.threshold and not sight.is_special:
                    BUDGET.hot += self.pace()
            if sight.total >= self.threshold and sight.registered < SIBLINGS:
                self.register(sight, function)

    def register(self, sight, address):
        """Register the function of a hot frame, by its address."""
        function = function_at(address)
        if function is None or sight.is_special:
            sight.registered = SIBLINGS
            return
        if self.compiler is None:
            if self.loading is None:
                self.load()
            return
        record = self.compiler.records.get(id(function))
        if record is None or record.function() is not function:
            sight.registered += 1
            self.compiler.register(function, automatic=True)

    def load(self):
        """Begin to load the compiler."""
        self.loading = deque((*STEPS, self.take_compiler))

    def take_compiler(self):
        """The last step."""
        if available():
            from jit.dispatch import COMPILER
            self.compiler = COMPILER
            COMPILER.automatic = self.register_callee
            self.sampler.set_code(*polling_code())

    def register_callee(self, function):
        """Register what hot code calls; returns its record or None."""
        if function.__code__.co_filename.startswith(LEFT_ALONE):
            return None
        return self.compiler.register(function, automatic=True)

    def forget(self):
        """Drop the rarely met, and what has died."""
        for key, sight in list(self.sights.items()):
            if sight.code() is None or sight.total < 2:
                del self.sights[key]


CODE_TYPE = id(CodeType)
#: Bytes of it if no other routine follows.
POLLING_CODE = 512
PACE_CHANGES = {samples for samples, _ in PACE}
DETECTOR = None


def polling_code():
    """The addresses between which the code lies by which compiled loops let pending calls in."""
    from jit.machine import routines
    labels = vars(routines())
    start = labels["poll"]
    return start, min((address for address in labels.values() if address > start), default=start + POLLING_CODE)


def as_object(address):
    """The object at an address."""
    return ctypes.cast(address, ctypes.py_object).value


def function_at(address):
    """The Python function at an address that a frame holds, or None."""
    if not address or observe.read(address + layout().ob_type) not in _function_types():
        return None
    return as_object(address)


def _function_types():
    from platforms.cpython import entry
    types = [id(FunctionType)]
    if layout().version == (3, 11):
        types.append(id(entry._redirected_type()))
    return types


def start(threshold=None, eager=False, stats=False):
    """Begin to look for hot functions.

    Args:
        threshold: samples in which a function must be found. eager: compile every function at its first call instead.
        stats: tell on stderr at the end what became of them.
    """
    global DETECTOR
    DETECTOR = Detector(threshold)
    if eager:
        DETECTOR.start_eagerly()
    else:
        DETECTOR.start()
