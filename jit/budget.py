"""How much time may be spent on compiling what nobody asked to be compiled.

Problem: a program that ends soon must not pay for code it never runs: it may take 5 % longer than plain Python, and 20 ms. One
that goes on should have its hot code compiled early.
Idea: what may be spent grows with the time the program has run (by 3 %; the rest is for looking on), and with the time that was seen in
compiled code: that much has been gained already. What has been hot for long is also expected to stay so for as long again. This is a bet, and the stake follows
the luck: where compiling goes on and the program still is rarely seen in compiled code, little is staked. And it follows what has been
compiled so far: if that is mostly calls of CPython's functions, or came to nothing, then so will the rest be. But that is said of other code, and a program
changes: a function that has itself been seen interpreted for thirty times as long as compiling it takes has *earned* it, whatever was spent before. At
worst that is 3 % of the time seen; a rule of this kind ("ski rental") needs no forecast.

Time is the processor's, so that neither waiting nor other programs' work counts.
"""

import time

#: Seconds to begin with, starting having taken up to 12 ms; and per second of the program's run.
GRANT, SHARE = 0.008, 0.03
#: Seconds per second in compiled code. It was to gain at least so much, or it would not have been compiled.
CREDIT = 0.5
#: Seconds per second in hot code that runs interpreted, after the first PATIENCE seconds of it. Nothing is loaded before: most programs that
#: end sooner would take up to a third longer.
BET, PATIENCE = 0.8, 0.15
#: Seconds that a function earns per second in which it is seen running interpreted, and what a byte of its code mostly takes to compile.
EARNED, SECONDS_PER_BYTE = 0.03, 3e-5
#: Seconds that one compilation, which compiles what it calls, may go beyond what is allowed before the rest of it is put off.
OVERDRAFT = 0.060
#: Promised shares of what compiling was for at which nothing is staked, and at which all is. Measured: most programs that gain promise two
#: thirds or more (scimark a half), others a half or less.
DOUBTED, TRUSTED = 0.6, 0.75
#: Seconds of compiling that promise all, to begin with.
HOPE = 0.02
#: Samples that trust is given for in advance, and after how many the older ones count half.
TRUST, MEMORY = 100.0, 600.0


def blind(_):
    """The sight of a budget that knows of nothing earned."""


class Budget:
    """Time spent and allowed.

    Attributes:
        spent: seconds spent so far. hot: seconds staked on, of those in which hot code was seen running interpreted.
        gaining: seconds in compiled code. pauses: how often it was asked that nothing be compiled for now. unlimited: whether
        everything may. won, played: samples in compiled code, and all, the older ones less and less. inner: seconds of
        finished Work in the present one. worked, promised: seconds of Work that promises anything or nothing, and these by what they promise (see profit.promise).
        ahead: seconds of the processes that this one was forked from. granted: seconds that were earned by what is being compiled.
        sight: function from a code object to what has `earned` seconds for it, or None.
    """

    def __init__(self, clock=time.process_time, own_clock=time.thread_time):
        self.process_clock, self.own_clock = clock, own_clock
        self.ahead = 0.0
        self.started = clock()
        self.spent = self.hot = self.gaining = self.inner = 0.0
        self.worked = self.promised = HOPE
        self.depth = self.pauses = 0
        self.unlimited = False
        self.granted = 0.0
        self.sight = blind
        self.won = self.played = TRUST

    def clock(self):
        """Seconds of the processor's time; they go on in a forked child."""
        return self.process_clock() + self.ahead

    def begin_in_child(self, forked):
        """Go on in a forked child, with its own run and with nothing in hand: what the parent might spend, each of many children would.

        Nothing is compiled in the first PATIENCE seconds, and nothing counts as earned until the child has `sight` of its own.

        Args:
            forked: what `clock` said in the parent.
        """
        self.ahead = forked - self.process_clock()
        self.started, self.spent = forked, GRANT + SHARE * PATIENCE
        self.hot = self.gaining = 0.0
        self.sight = blind

    def allows(self):
        """Whether something may be compiled (or loaded) now."""
        return not self.pauses and (self.unlimited or self.spent <= self.allowance())

    def affords(self, seconds):
        """Whether something that will take so long may be done now."""
        return not self.pauses and (self.unlimited or self.spent + seconds <= self.allowance() + OVERDRAFT)

    def earned(self, code):
        """Seconds that a function has earned and not spent yet."""
        sight = self.sight(code)
        return sight.earned if sight is not None else 0.0

    def has_earned(self, code):
        """Whether a function has earned what compiling it mostly takes."""
        return not self.pauses and self.earned(code) >= len(code.co_code) * SECONDS_PER_BYTE

    def allows_for(self, code, seconds=None):
        """Whether a function may be compiled now, which will take so many seconds if that is known; if it takes what it has earned, that is granted.

        To be asked while something is done.
        """
        if self.allows() if seconds is None else self.affords(seconds):
            return True
        if not self.has_earned(code):
            return False
        sight = self.sight(code)
        self.granted, sight.earned = sight.earned, 0.0
        return True

    def is_at_stake(self):
        """Whether hot code has run interpreted for so long that something is staked on it."""
        return self.unlimited or self.hot >= PATIENCE

    def is_overdrawn(self):
        """Whether what is being done now takes so long that the rest of it should wait."""
        if self.unlimited:
            return False
        left = self.allowance() - self.spent
        return self.own_clock() - self.began > max(left, self.granted or left) + OVERDRAFT

    def own_seconds(self):
        """A clock that stands still while callees of what is compiled are compiled."""
        return self.own_clock() - self.inner

    def allowance(self):
        """Seconds that may have been spent by now."""
        run = self.clock() - self.started - self.spent
        stake = CREDIT * self.gaining + BET * max(0.0, self.hot - PATIENCE)
        return GRANT + SHARE * run + stake * self.trust()

    def trust(self):
        """The share of the stake that what has been compiled so far promises to be worth: 0 to 1."""
        return min(1.0, max(0.0, (self.promised / self.worked - DOUBTED) / (TRUSTED - DOUBTED)))

    def note(self, compiled, seconds=0.0):
        """Count a sample of the program since the compiler is there: whether it ran compiled code, and the time it stands for."""
        self.gaining += seconds * compiled
        if self.hot <= PATIENCE:
            return  # nothing is staked yet
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
            self.began = self.own_clock()
        self.depth += 1

    def __exit__(self, *_):
        self.depth -= 1
        if self.depth == 0:
            self.spent += max(0.0, self.own_clock() - self.began)
            self.granted = 0.0


class Work:
    """Entered around one compilation, within which callees may be compiled.

    Attributes:
        seconds: that it took without these, in the end. promise: share of it that is expected to pay, to be set by then; None: it says nothing of
        other work, as where it has failed for reasons of its own.
    """

    promise, seconds = None, 0.0

    def __enter__(self):
        self.outer, BUDGET.inner = BUDGET.inner, 0.0
        self.started = BUDGET.own_clock()
        return self

    def __exit__(self, kind, *_):
        elapsed = BUDGET.own_clock() - self.started
        self.seconds = elapsed - BUDGET.inner
        BUDGET.inner = self.outer + elapsed
        if self.promise is None:
            self.promise = getattr(kind, "promise", None)
        if self.promise is not None:
            BUDGET.worked += self.seconds
            BUDGET.promised += self.seconds * self.promise


BUDGET = Budget()
