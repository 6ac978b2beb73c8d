"""Versions on trial.

Problem: while types are still being noted, a version is compiled whatever it promises, because the next one will know more. Where what has not
been met yet is rare there is no next one, and the program keeps a version that is slower than the interpreter: a third, where it mostly calls out.
Idea: a version that promises too little as it is (see profit.py) is on trial. When its function has been seen in compiled code for long enough and
it is still there, it knows all it will know. It is judged like any other then, and what it was compiled for goes back to the interpreter.
"""

from jit.budget import BUDGET
from jit.errors import NOT_WORTHWHILE, NotWorthwhile
from jit.machine import records
from jit.profit import is_promising


class Trials:
    """The part of Compiler that ends trials."""

    def judge(self, function):
        """Look at the versions of a function that has run compiled for a while since this was done last (detector.TRIAL): what is there at two looks has had its trial."""
        record = self.records.get(id(function))
        if record is not None and record.function() is function and record.automatic:
            self.do_unless_busy(self.judge_record, record, function)

    def judge_record(self, record, function):
        """See `judge`."""
        try:
            with BUDGET:
                failed = {code for code in (*record.versions, *record.entered_codes()) if has_failed(code)}
                if failed:
                    self.give_back(record, function, failed)
        except (RecursionError, MemoryError):
            pass  # what was given back asks for attention at its next call

    def give_back(self, record, function, failed):
        """Interpret what these versions were compiled for. Those that run leave at their next check."""
        for code in failed:
            records.poison(code.version_record)
        given_back = failed.intersection(record.versions)
        for code in given_back:
            record.refused[code.types] = NotWorthwhile(NOT_WORTHWHILE, helps_callers=is_promising(code.gain, code.promise, is_called=True))
            self.discard(record, code)
        if record.loops is not None:
            record.loops.refuse(failed)
        if not given_back or record.versions or record.entry is None or not self.rest(record, function):
            self.reinstall(record, function)
        self.discard_callers(failed)


def has_failed(code):
    """Whether a version was there, on trial, the last time already."""
    if not code.on_trial:
        return False
    failed, code.was_tried = code.was_tried, True
    return failed
