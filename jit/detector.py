"""Finding the hot functions of an unchanged program.

A clock (platforms/cpython/sampler.py) shows what runs, often at first, then more rarely. The functions on top of the stack, and
those that called them, gather counts; one that is found running often enough is *registered*: its function object, which
stays the same, then leads to the compiler at its next call. So methods found through classes, callbacks that C code holds and
functions in any thread all come to run compiled code.
"""

import _signal
import _thread
import os
import weakref
from collections import deque
from sys import _getframe, getrefcount
from types import FunctionType

from jit.api import available
from jit.budget import BUDGET, EARNED
from jit.loading import Loading, hide_compiler
from jit.long_runs import LongRuns
from jit.ours import COMPREHENSIONS, LEFT_ALONE, NOT_THE_PROGRAM, OURS
from jit.sent import hand_back
from platforms import forks  # first: its locks are taken when the clock stands still
from platforms.cpython import observe
from platforms.cpython.apart import APART
from platforms.cpython.audit import QUIET
from platforms.cpython.layout import SUSPENDED, layout

#: Samples in which a function must be found before it is registered.
THRESHOLD = 2
#: Samples in which a module's own code must be found: most is run once, by imports.
MODULE_THRESHOLD = 10
#: Nanoseconds a thread must have computed since it was looked at last to be taken for running.
COMPUTING = 1_000_000
#: Seconds the main thread computes before a tick meets it, above which it was in one long call of C code, of which compiling gains nothing. On a busy
#: virtual machine bytecode seems to take up to half of that.
IN_C = 5e-5
#: Samples over which it is averaged how many met bytecode.
RECENT = 32
#: Seconds of the processor's time that one sample may stand for.
LONGEST = 0.05
#: (from this many samples on, seconds between two): found soon at first, at little cost later. Each costs a program 0.1 ms, what it loses of
#: the processor's caches included.
PACE = ((0, 0.003), (60, 0.005), (160, 0.01), (300, 0.02))
#: Seconds to the first sample in a forked child. Many children live for less, and there each page that is written to must be copied first.
CHILDHOOD = 0.05
#: Function objects registered of the same code: more come from code that makes functions again and again.
SIBLINGS = 4
#: Samples of a function in compiled code between two looks at its versions (jit/trials.py).
TRIAL = 16
#: Code that samples met so rarely is forgotten after this many.
FORGET_EVERY = 4096


class Sight:
    """How often the samples met one code object.

    Attributes:
        code: weak reference. top: samples in which it ran itself. total: in which it was among the topmost.
        registered: function objects registered. compiled: samples on top, in compiled code. earned: see budget.EARNED. is_special: not a function to compile.
        is_module: but its loops may be. is_comprehension: with a frame of its own.
        tries: how often one of its loops was to be entered while it ran. judged: `compiled` when its versions were looked at last, see trials.py.
    """

    __slots__ = ("code", "top", "total", "registered", "compiled", "name", "first_line", "file", "is_special", "is_ours", "is_module",
                 "is_comprehension", "last", "key", "tries", "earned", "judged")

    def __init__(self, code):
        self.code = weakref.ref(code)
        self.top = self.total = self.registered = self.compiled = self.tries = self.judged = 0
        self.last, self.key = -1, id(code)
        self.earned = 0.0
        self.is_ours = code.co_filename.startswith(OURS)
        self.is_module = code.co_name == "<module>" and not code.co_filename.startswith(LEFT_ALONE)
        self.is_comprehension = code.co_name in COMPREHENSIONS and not code.co_filename.startswith(LEFT_ALONE)
        self.is_special = code.co_filename.startswith(LEFT_ALONE) or code.co_name.startswith("<") and code.co_name not in ("<lambda>", "<genexpr>")
        self.name, self.file, self.first_line = code.co_qualname, code.co_filename, code.co_firstlineno


class Detector:
    """Counts samples and registers what is hot.

    Attributes:
        samples: taken so far. compiling: those met while something was compiled. sights: id of a code object -> Sight.
        gone: some of code that has died, for the report. orphans: what must not die in the clock's thread.
        given_up: something was wrong; problem: what. shows_functions, wants_functions: whether the clock's thread is shown functions
        of others, and should be next time. step: seconds that the sample stands for, 0 if it met C code. bytecode: share of recent ones that did not.
        forking: the frame that forks and its instruction, until that is over. forked: BUDGET's time then.
        resume: whether the clock goes on after it. stands: nothing is to be begun meanwhile.
    """

    def __init__(self, threshold=None):
        self.threshold = threshold or THRESHOLD
        self.samples = 0
        self.sights = {}
        self.sampler = self.problem = self.loading = None
        self.given_up = self.stats = False
        self.busy = self.resume = self.stands = self.is_child = False
        self.shows_functions = self.wants_functions = False
        self.forking = None
        self.forked = 0.0
        self.main = _thread.get_ident()
        self.compiler = self.eager = self.long_runs = None
        self.compiling, self.loading_seconds = 0, 0.0
        self.last, self.step, self.bytecode = BUDGET.clock(), 0.0, 1.0
        self.used = {}
        self.gone, self.orphans = deque(maxlen=100), []

    # -- the clock ---------------------------------------------------------------------------------------

    def start(self):
        """Let the clock tick; returns whether it does."""
        if self.sampler is None:
            from platforms.cpython.sampler import Sampler
            self.sampler = Sampler(self.sample)
            os.register_at_fork(before=self.before_fork, after_in_parent=self.after_fork, after_in_child=self.in_child)
            if forks.WARNS_OF_THREADS:
                os.register_at_fork(after_in_parent=self.sampler.requester())
        self.sampler.set_interval(self.pace())
        return self.sampler.start()

    def start_eagerly(self):
        """Without a clock: everything is compiled at its first call."""
        if available():
            from jit import eager
            from jit.dispatch import COMPILER
            self.compiler, self.eager = COMPILER, eager
            hide_compiler()
            eager.start()

    def stop(self):
        """Let it stand still."""
        if self.sampler is not None:
            self.sampler.stop()
            if _thread.get_ident() == self.main:
                self.orphans.clear()
        if self.long_runs is not None:
            self.long_runs.entering.trap.clear()
        if self.eager is not None:
            self.eager.stop()

    def pace(self):
        """Seconds to the next sample."""
        return next(seconds for samples, seconds in reversed(PACE) if self.samples >= samples)

    def before_fork(self):
        """Its thread must not be in the middle of anything, which a child would never see the end of; if os.fork() warns of threads, it must be gone."""
        self.resume = self.sampler.running
        self.stands = True
        if forks.WARNS_OF_THREADS or self.busy:
            self.sampler.stop()
        self.forked = BUDGET.clock()  # not before: what the clock's thread was in the middle of takes its time

    def after_fork(self):
        """In the parent. Where os.fork() looks for threads, the clock starts when it is over, by the call that is asked for next."""
        self.stands = False
        if self.resume and not forks.WARNS_OF_THREADS:
            self.sampler.start()
        elif self.resume:
            with QUIET:
                frame = observe.read(id(_getframe(1)) + layout().frame_object_frame)
                self.forking = frame, observe.read(frame + layout().frame_instruction)

    def restart(self, shown):
        """Start the clock unless a fork is still under way: the program's own functions for forks run, above the frame that forks."""
        frame, instruction = self.forking
        places = [place for _, frames in self.sampler.stacks(shown)[1] for _, _, place in frames]
        if frame in places[1:] and observe.read(frame + layout().frame_instruction) == instruction:
            self.sampler.request()
        else:
            self.forking = None
            self.sampler.start()

    def in_child(self):
        """In the child."""
        self.main = _thread.get_ident()
        BUDGET.begin_in_child(self.forked)
        self.stands = False
        self.is_child = True
        APART.begin_in_child()
        QUIET.begin_in_child()
        if self.resume:
            self.sampler.start_in_child(CHILDHOOD)

    def grow_up(self):
        """The first sample in a child: what has been earned in the parent was the parent's."""
        self.is_child = False
        for sight in self.sights.values():
            sight.earned = 0.0
        if self.long_runs is not None:
            BUDGET.sight = self.known

    # -- a sample ------------------------------------------------------------------------------------------

    def sample(self, shown):
        """Called by the clock with what runs. Returns an exception for the program, raised by what ran in between, or None."""
        if self.busy or self.stands or self.given_up or self.forking is None and (BUDGET.pauses or not self.sampler.running):
            self.keep_orphans(shown)
            return None
        self.busy = True
        try:
            with APART:
                delay = self.sampler.delay if _thread.get_ident() == self.main else 0.0
                if self.forking is not None:
                    self.restart(shown)
                else:
                    if self.loading is not None:
                        self.load_further()
                    self.take_sample(shown, delay)
        except BaseException as problem:
            return self.blame(problem)
        finally:
            self.busy = False
            self.keep_orphans(shown)
        return None

    def keep_orphans(self, shown):
        """What other threads have dropped meanwhile dies in the main thread, not in the clock's."""
        if _thread.get_ident() == self.main:
            self.orphans.clear()
        else:
            self.orphans.extend(item for item in shown if getrefcount(item) <= 3)  # the list, the variable and the argument

    def blame(self, problem):
        """Return an exception that a signal handler of the program has raised meanwhile, as if raised outside, send again what was sent to us, or give up."""
        step = problem.__traceback__
        while step is not None and step.tb_frame.f_code.co_filename.startswith(NOT_THE_PROGRAM):
            step = step.tb_next
        if isinstance(problem, KeyboardInterrupt) or step is not None and has_signal_handlers():
            return problem.with_traceback(step)
        if not hand_back(problem):
            self.give_up(problem)  # ours, or that of an audit hook of the program, which refuses what we do
        return None

    def take_sample(self, shown, delay):
        """Look at what runs, which was met so many seconds late."""
        if self.is_child:
            self.grow_up()
        self.samples += 1
        now = BUDGET.clock()
        self.bytecode += ((delay <= IN_C) - self.bytecode) / RECENT
        self.step, self.last = min(LONGEST, now - self.last) if delay <= IN_C else 0.0, now
        if BUDGET.depth:
            self.compiling += 1
            return
        for compiled, frames in self.running(shown):
            self.look(compiled, frames)
            if self.long_runs is not None and _thread.get_ident() == self.main:
                self.long_runs.follow(compiled, frames, self.sight)
        if _thread.get_ident() != self.main:
            self.shows_functions, self.wants_functions = self.wants_functions, False
            self.sampler.show_functions(self.shows_functions)
        if self.compiler is not None and (self.compiler.postponed or self.compiler.inattentive):
            self.compiler.resume()
        if self.samples in PACE_CHANGES:
            self.sampler.set_interval(self.pace())
        if self.samples % FORGET_EVERY == 0:
            self.forget()

    def give_up(self, problem):
        """Something is wrong with us: let the program run on without."""
        self.problem = problem
        self.given_up = True
        self.sampler.work(False)

    def load(self):
        """Begin to load the compiler, if so much hot code has been seen that it is worth its time."""
        if self.compiler is None and self.loading is None and BUDGET.is_at_stake():
            self.loading = Loading(self.sampler, self.main)

    def load_further(self):
        """Go on loading the compiler."""
        self.loading.go_on()
        if self.loading.done:
            self.compiler, self.loading = self.loading.compiler, None
            self.loading_seconds = BUDGET.spent
            if self.compiler is None:
                self.give_up(None)
            else:
                self.compiler.automatic = self.register_callee
                from jit.entering import LoopEntering
                BUDGET.sight = self.known
                self.long_runs = LongRuns(LoopEntering(self.compiler, BUDGET.allows_for))

    def running(self, shown):
        """(whether its topmost function runs compiled, frames) of each thread that is running."""
        own = _thread.get_ident()
        compiled, stacks = self.sampler.stacks(shown)
        for thread, frames in stacks:
            if own == self.main or self.sampler.knows_threads and self.has_computed(thread):
                yield compiled, frames

    def has_computed(self, thread):
        """Whether a thread has used its time since it was last found to have done so; on a busy machine that takes several samples."""
        try:
            used = self.sampler.computed(thread)
        except OSError:  # it ends, or has not begun
            return False
        if len(self.used) > 1000:
            self.used.clear()
        if used - self.used.setdefault(thread, used) <= COMPUTING:
            return False
        self.used[thread] = used
        return True

    def look(self, compiled, frames):
        """Count the functions on a stack; register those that have become hot."""
        top = None
        for code, function, _ in frames:
            sight = self.sight(code)
            if sight.last == self.samples:
                continue
            sight.last = self.samples
            if sight.is_ours:
                continue
            if top is None:
                top = sight
                sight.top += 1
                sight.compiled += compiled
                if compiled:
                    self.judge(sight, function)
                else:
                    sight.earned += EARNED * self.step
                if self.compiler is not None:
                    BUDGET.note(compiled, self.step)
            sight.total += 1
            if sight.total >= self.threshold and sight.registered < SIBLINGS:
                self.register(sight, function)
        if top is not None and not compiled and (top.top >= MODULE_THRESHOLD if top.is_module else
                                                 top.total >= self.threshold and (top.is_comprehension or not top.is_special)):
            BUDGET.note_hot(self.step * self.bytecode)
            if top.is_module:
                self.load()

    def judge(self, sight, function):
        """Once in a while, look at the versions of a function that runs compiled."""
        if self.compiler is None or sight.is_special or sight.compiled < sight.judged + TRIAL:
            return
        if isinstance(function, FunctionType):
            sight.judged = sight.compiled
            self.compiler.judge(function)
        else:
            self.wants_functions = True  # the next time

    def known(self, code):
        """The Sight of a code object that has been met, or None."""
        sight = self.sights.get(id(code))
        return sight if sight is not None and sight.code() is code else None

    def sight(self, code):
        """The Sight of a code object."""
        sight = self.sights.get(id(code))
        if sight is None or sight.code() is not code:
            if sight is not None:
                self.gone.append(sight)
            sight = self.sights[id(code)] = Sight(code)
        return sight

    def register(self, sight, function):
        """Register the function of a hot frame."""
        if sight.is_special or not isinstance(function, FunctionType):
            if sight.is_special or self.shows_functions or _thread.get_ident() == self.main:
                sight.registered = SIBLINGS
            elif not sight.registered:
                self.wants_functions = True  # the next time
            return
        if self.compiler is None:
            self.load()
            return
        if function.__code__.co_flags & SUSPENDED:
            sight.registered = SIBLINGS
            self.compiler.want_generators(function)
            return
        record = self.compiler.records.get(id(function))
        if record is None or record.function() is not function:
            sight.registered += 1
            self.compiler.register(function, automatic=True)
        elif record.asleep:
            self.compiler.wake(record, function)

    def register_callee(self, function):
        """Register what hot code calls; returns its record or None."""
        if not isinstance(function, FunctionType) or function.__code__.co_filename.startswith(LEFT_ALONE):
            return None
        return self.compiler.register(function, automatic=True)

    def forget(self):
        """Drop the rarely met, and what has died."""
        for key, sight in list(self.sights.items()):
            if sight.code() is None or sight.total < 2:
                del self.sights[key]


def has_signal_handlers():
    """Whether the program has functions of its own for signals."""
    handlers = map(_signal.getsignal, range(1, _signal.NSIG))
    return any(callable(handler) and handler is not _signal.default_int_handler for handler in handlers)


PACE_CHANGES = {samples for samples, _ in PACE}
