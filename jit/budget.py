"""How much time may be spent on compiling what nobody asked to be compiled.

Problem: a program that ends soon must not pay for code it never runs; one that goes on should have its hot code compiled
early. Idea: what may be spent grows with the time the program has run, and faster with the time it was seen in hot code that
is not compiled: what has been hot for a while is expected to stay so for as long again.
"""

import time

#: Seconds to begin with, and per second of the program's run.
GRANT, SHARE = 0.004, 0.05
#: Seconds per second in hot code that runs interpreted, after the first PATIENCE seconds of it.
BET, PATIENCE = 0.4, 0.1


class Budget:
    """Time spent and allowed.

    Attributes:
        spent: seconds spent so far. hot: seconds in which hot code was seen running interpreted.
        pauses: how often it was asked that nothing be compiled for now. unlimited: whether everything may.
    """

    def __init__(self):
        self.started = time.perf_counter()
        self.spent = self.hot = 0.0
        self.depth = self.pauses = 0
        self.unlimited = False

    def allows(self):
        """Whether something may be compiled (or loaded) now."""
        return not self.pauses and (self.unlimited or self.spent <= self.allowance())

    def allowance(self):
        """Seconds that may have been spent by now."""
        run = time.perf_counter() - self.started - self.spent
        return GRANT + SHARE * run + BET * max(0.0, self.hot - PATIENCE)

    def __enter__(self):
        """Count what is done inside as spent; may be nested."""
        if self.depth == 0:
            self.began = time.thread_time()
        self.depth += 1

    def __exit__(self, *_):
        self.depth -= 1
        if self.depth == 0:
            self.spent += max(0.0, time.thread_time() - self.began)


BUDGET = Budget()
