"""Loading the compiler below a running program, step by step, as the budget allows."""

import _thread
from collections import deque
from sys import getswitchinterval, setswitchinterval

from jit.api import available
from jit.budget import BUDGET
from jit.isolation import being_imported, private_import
from platforms.cpython.collector import Uncollected

#: What is done step by step before the first function is registered: modules imported, and in between, what is verified.
VERIFY = object()
STEPS = ("platforms.files", "platforms.cpython.verify_objects", "platforms.cpython.verify", "jit.availability", VERIFY, "asm.encodings", "asm",
         "regalloc", "jit.types", "jit.machine.records", "jit.machine.frames", "jit.machine.leave", "jit.machine.boxes", "jit.walk",
         "jit.emitter", "jit.templates.numbers", "jit.templates.calls", "jit.templates.items", "jit.templates.strings",
         "jit.compiler", "jit.entries", "jit.bytecodes.containers", "jit.bytecodes.builtins", "jit.bytecodes.displays",
         "jit.dispatch", "jit.entering")
#: Seconds after which threads exchange the interpreter meanwhile: each look at memory that verifies it gives it away, and Python's importing what is in C.
SWITCH = 0.0005
#: Failures of steps until it is given up.
TRIES = 5
#: Bytes of it if no other routine follows.
POLLING_CODE = 512


class Loading:
    """What is left to be done.

    Attributes:
        compiler: the compiler, when `done`; None if there is none here.
    """

    def __init__(self, sampler, main):
        """Args: sampler: the clock, in whose thread it is done. main: ident of the main thread."""
        self.sampler = sampler
        self.main = main
        self.steps = deque((*STEPS, assemble_routines, hide_compiler, self.take_compiler))
        self.compiler = None
        self.failures = 0

    @property
    def done(self):
        return not self.steps

    def go_on(self):
        """Called by the clock: take steps as the budget allows, in its own thread.

        Not in the main thread: there a signal handler of the program could raise in the middle of an import, and where CPython
        cannot pass on exceptions (importlib's weak references have callbacks) it would be lost.
        """
        if being_imported():
            return
        if _thread.get_ident() != self.main:
            while self.steps and BUDGET.allows() and self.sampler.running:
                with BUDGET:
                    self.try_step()
        self.sampler.work(bool(self.steps) and BUDGET.allows())

    def try_step(self):
        """Take the next step; if that fails, it is tried again: the program may have taken modules away that were being imported."""
        try:
            self.take(self.steps[0])
        except Exception:
            self.failures += 1
            if self.failures >= TRIES:
                raise
        else:
            self.steps.popleft()

    def take(self, step):
        with Switching(SWITCH), Uncollected():
            if step is VERIFY:
                available()  # not in the main thread, because pending calls take part
            elif callable(step):
                step()
            else:
                private_import(step)

    def take_compiler(self):
        """The last step."""
        if available():
            from jit.dispatch import COMPILER
            self.compiler = COMPILER
            self.sampler.set_code(*polling_code())


class Switching:
    """While entered, threads exchange the interpreter after so many seconds."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __enter__(self):
        self.before = getswitchinterval()
        setswitchinterval(self.seconds)

    def __exit__(self, *_):
        if round(getswitchinterval(), 6) == self.seconds:  # else the program has set another
            setswitchinterval(self.before)


def assemble_routines():
    """The machine code that all compiled code shares; if there is to be any."""
    if available():
        from jit.machine import routines
        routines()


def hide_compiler():
    """From the garbage collector; if there is a compiler, and it has had nothing of the program's yet."""
    from jit.dispatch import COMPILER
    if available() and not COMPILER.records:
        from jit.unseen import hide
        hide()


def polling_code():
    """The addresses between which the code lies by which compiled loops let pending calls in."""
    from jit.machine import routines
    labels = vars(routines())
    start = labels["poll"]
    return start, min((address for address in labels.values() if address > start), default=start + POLLING_CODE)
