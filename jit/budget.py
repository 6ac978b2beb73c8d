"""How much time may be spent on compiling what nobody asked to be compiled.

Problem: a program that ends soon must not pay for code it never runs; one that goes on should have its hot code compiled
early. Idea: what may be spent grows with the time the program has run, and faster with the time it was seen in hot code that
is not compiled: what has been hot for a while is expected to stay so for as long again. This is a bet, and the stake follows
the luck: where compiling goes on and the program still is rarely seen in compiled code, little is staked.
"""

import time

#: Seconds to begin with, and per second of the program's run.
GRANT, SHARE = 0.004, 0.05
#: Seconds per second in hot code that runs interpreted, after the first PATIENCE seconds of it.
BET, PATIENCE = 0.4, 0.1
#: Samples that trust is given for in advance, and after how many the older ones count half.
TRUST, MEMORY = 100.0, 600.0


class Budget:
    """Time spent and allowed.

    Attributes:
        spent: seconds spent so far. hot: seconds staked on, of those in which hot code was seen running interpreted.
        pauses: how often it was asked that nothing be compiled for now. unlimited: whether everything may.
        won, played: samples in compiled code, and all, the older ones less and less.
    """

    def __init__(self):
        self.started = time.perf_counter()
        self.spent = self.hot = 0.0
        self.depth = self.pauses = 0
        self.unlimited = False
        self.won = self.played = TRUST

    def allows(self):
        """Whether something may be compiled (or loaded) now."""
        return not self.pauses and (self.unlimited or self.spent <= self.allowance())

    def allowance(self):
        """Seconds that may have been spent by now."""
        run = time.perf_counter() - self.started - self.spent
        return GRANT + SHARE * run + BET * max(0.0, self.hot - PATIENCE)

    def note(self, compiled):
        """Count a sample of the program since the compiler is there: whether it ran compiled code."""
        self.played += 1
        self.won += compiled
        if self.played >= MEMORY:
            self.played /= 2
            self.won /= 2

    def note_hot(self, seconds):
        """Count time in hot code that runs interpreted."""
        self.hot += seconds * min(1.0, 2 * self.won / self.played)

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
