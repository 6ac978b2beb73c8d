"""What was compiled in all: functions come and go, and what `statistics()` adds up is only what is there now."""

#: Internal errors that are remembered.
MOST = 20


class Tally:
    """Counts since the process began.

    Attributes:
        compiled: versions. failed: compilations that ended with an error of ours. errors: texts about the first of these.
    """

    def __init__(self):
        self.compiled = self.failed = 0
        self.errors = []

    def note_error(self, name, problem):
        """A function of this name stays interpreted because the compiler is wrong."""
        self.failed += 1
        if len(self.errors) < MOST:
            step = problem.__traceback__
            while step is not None and step.tb_next is not None:
                step = step.tb_next
            place = "" if step is None else f" at {step.tb_frame.f_code.co_qualname}, line {step.tb_lineno}"
            self.errors.append(f"{name}: {problem!r}{place}")
