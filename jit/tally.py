"""What was compiled in all: functions come and go, and what `statistics()` adds up is only what is there now."""

import sys

#: Internal errors that are remembered.
MOST = 20


#: Functions with loops that are remembered: a module is gone when it is told what became of it.
MOST_GONE = 20


class Tally:
    """Counts since the process began.

    Attributes:
        compiled: versions. failed: compilations that ended with an error of ours. errors: texts about the first of these. gone: id of a code object -> Explanation of a function
        that has died, of those with entered loops.
    """

    def __init__(self):
        self.compiled = self.failed = 0
        self.errors = []
        self.gone = {}

    def note_error(self, name, problem):
        """A function of this name stays interpreted because the compiler is wrong."""
        self.failed += 1
        if len(self.errors) < MOST:
            step = problem.__traceback__
            while step is not None and step.tb_next is not None:
                step = step.tb_next
            place = "" if step is None else f" at {step.tb_frame.f_code.co_qualname}, line {step.tb_lineno}"
            self.errors.append(f"{name}: {problem!r}{place}")

    def note_loops(self, record, is_finalizing=sys.is_finalizing):
        """A function dies whose loops have been entered while they ran."""
        if record.loops is not None and len(self.gone) < MOST_GONE and not is_finalizing():
            report = sys.modules.get("jit.report")  # loaded where somebody wants to be told: see hot.start
            if hasattr(report, "explain_record"):
                self.gone[id(record.code)] = report.explain_record(record)
