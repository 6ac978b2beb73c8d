"""Functions that nobody asked to be compiled: they wait for the budget, and are given back when the program ends."""

from collections import deque

from jit.budget import BUDGET
from jit.errors import PutOff
from platforms.cpython import entry, threads

#: Where there is no time to compile, those that wait are looked through every so many samples only.
LOOKS = 4
#: Seconds of the processor's time for which a function rests, the first time, and how much longer each time after.
REST, LONGER = 0.1, 4


class Automatic:
    """The part of Compiler that looks after functions found hot.

    Attributes:
        automatic: None, or what registers a function that compiled code calls and returns its record or None.
        postponed: records of functions that wait for the budget. inattentive: versions that ask for attention wait for it.
        attend_from: processor's time before which they need not be looked after.
        in_parts: what is being compiled may be put off when it takes too long; callees that are done by then are kept.
    """

    def __init__(self):
        self.automatic = None
        self.postponed = deque()
        self.looks = 0
        self.attend_from = 0.0
        self.suspended = self.inattentive = self.in_parts = False

    def postpone(self, record, function):
        """Hand a function back to the interpreter until there is time to compile it; returns whether this was done."""
        if not record.automatic or not self.suspended and (record.is_due() and BUDGET.allows_for(record.code) or record.versions and record.entry is None):
            return False
        self.put_back(record, function)
        return True

    def put_back(self, record, function):
        """Interpret a function until there is time again."""
        entry.restore(function)
        record.waits = True
        self.postponed.append(record)

    def rest(self, record, function):
        """Nothing could be compiled for what a function was called with: leave it alone for a while, and see then what it is called with.

        Its wrapper takes 15 to 30 ns of each call, because the interpreter goes through C where it would have gone on in the caller's loop.

        Returns:
            whether it rests.
        """
        if not record.automatic or BUDGET.unlimited or record.is_comprehension or threads.c_levels_are_few():
            return False
        entry.restore(function)
        record.rests += 1
        record.due = max(record.due, BUDGET.clock() + REST * LONGER ** (record.rests - 1))
        record.is_resting = True
        if record.entry is not None:
            record.old_entries.append(record.entry)
            record.entry = None
        self.postponed.append(record)
        return True

    def update_in_time(self, record, function, arguments):
        """`update`, which may compile much besides; None if that takes too long, and the function has to wait for the rest."""
        try:
            return self.update(record, function, arguments)
        except PutOff:
            self.put_back(record, function)
            return None
        finally:
            self.in_parts = False

    def resume(self):
        """Let a function that was postponed come to the compiler again: the one that has earned most, or of those that have as much has waited longest.

        All at once would be handed back again but for the first: each time the interpreter has to find out anew how to call them.
        """
        may_compile = BUDGET.allows()
        self.looks += 1
        looks = not self.looks % LOOKS
        if self.inattentive and (may_compile and BUDGET.clock() >= self.attend_from or looks and self.is_losing()):
            self.attend_all()
        if not may_compile and not looks:
            return
        with self.lock:
            waiting, self.postponed = self.postponed, deque()
            now, wanted = BUDGET.clock(), []
            for record in waiting:
                # One that has got a version since then, for compiled callers, costs nothing more.
                if not record.is_due(now):
                    self.postponed.append(record)
                elif record.waits:
                    wanted.append(record)
                else:
                    self.redirect_again(record)
            if wanted:
                hottest = max(wanted, key=lambda record: BUDGET.earned(record.code))
                if may_compile or BUDGET.has_earned(hottest.code):
                    wanted.remove(hottest)
                    self.redirect_again(hottest)
                self.postponed.extend(wanted)

    def redirect_again(self, record):
        """The function's next call comes to the compiler."""
        function = record.function()
        record.is_resting = False
        if function is not None and record.reason is None:
            entry.redirect(function, (record.entry or self.first).address)

    def suspend(self):
        """Hand all that nobody asked for back to the interpreter, until `revive`."""
        with self.lock:
            for record in self.records.values():
                function = record.function()
                if record.automatic and function is not None:
                    entry.restore(function)
            self.generators.suspend()
            self.suspended = True

    def revive(self):
        """Undo `suspend`."""
        with self.lock:
            if self.suspended:
                self.suspended = False
                self.postponed.clear()
                self.generators.revive()
                for record in self.records.values():
                    function = record.function()
                    if record.automatic and record.reason is None and function is not None:
                        entry.redirect(function, (record.entry or self.first).address)

    def shut_down(self):
        """Hand all functions back to the interpreter, which is about to end: their versions' data may go before they do."""
        with self.lock:
            for record in self.records.values():
                function = record.function()
                if function is not None:
                    entry.restore(function)
            self.records = {}
