"""Calls that come to the compiler: first calls, and calls that no version fits. Whatever goes wrong there, the program does not see it."""

import warnings

from jit import dump
from jit.budget import BUDGET
from jit.decode import takes_more
from jit.machine import monitoring
from jit.machine.stack import is_room
from jit.sent import hand_back
from platforms.cpython import entry
from platforms.cpython.apart import APART


class Misses:
    """The part of Compiler that machine code calls."""

    def prepare(self, function, *arguments):
        """A decorated function is called for the first time: give it a wrapper; False if this call is to be interpreted.

        Args:
            arguments: of the call, or none if they are not known.
        """
        try:
            if BUDGET.depth or not is_room():
                return False
            with self.lock, APART, BUDGET:
                return self.prepare_record(function, arguments)
        except (RecursionError, MemoryError):
            return False
        except Exception as problem:
            with self.lock:
                self.give_up_calmly(function, problem)
            return False

    def prepare_record(self, function, arguments):
        """See `prepare`."""
        record = self.records.get(id(function))
        if record is None or record.function() is not function or self.postpone(record, function):
            return False
        self.make_room()
        record.is_resting = False
        if record.entry is None and record.reason is None and len(arguments) == record.code.co_argcount and not takes_more(record.code) and \
                monitoring.may_run():
            if self.update_in_time(record, function, arguments) is None:
                return False
        if record.entry is None and not record.is_resting:
            self.install(record, function)
        return not record.is_resting

    def miss_handler(self, record):
        """The callable that an entry wrapper calls when no version fits: returns False to interpret this call."""

        def compile_or_decline(*arguments):
            function = record.function()
            return function is not None and self.missed(record, function, arguments)

        return compile_or_decline

    def missed(self, record, function, arguments):
        """A call fits no version: compile one, if this is the time for it; returns whether there is one now."""
        if BUDGET.depth or not is_room():
            # What the compiler itself calls (audit hooks, finalisers) is interpreted, and so is what other threads call meanwhile.
            return False
        with self.lock, APART, BUDGET:
            if not monitoring.may_run() or self.postpone(record, function):
                return False
            try:
                self.make_room()
                return bool(self.update_in_time(record, function, arguments))
            except (RecursionError, MemoryError):
                return False  # not now
            except Exception as problem:
                self.give_up(record, function, problem)
                return False

    def give_up(self, record, function, problem):
        """An error of ours, which the program that runs must not see: its function stays interpreted, and `explain` tells why."""
        if hand_back(problem):
            return
        record.reason = f"internal error: {problem!r}"
        self.tally.note_error(record.name, problem)
        record.retired.extend(record.versions)
        record.versions = []
        self.install(record, function)
        if dump.CHECK:
            raise problem
        if not record.automatic:
            warnings.warn(f"purejit: {record.name}: {record.reason}; it stays interpreted", RuntimeWarning)

    def give_up_calmly(self, function, problem):
        """The same for a function of which the registry may not know, and while not even a wrapper may come to be."""
        if hand_back(problem):
            return
        record = self.records.get(id(function))
        entry.restore(function)
        if record is not None and record.function() is function:
            record.entry = None
            self.give_up(record, function, problem)
        else:
            self.tally.note_error(function.__qualname__, problem)
