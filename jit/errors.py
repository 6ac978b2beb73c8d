"""The kinds of failure: the user's code is not for us, we have a bug, or a command cannot do what it was asked."""

#: Reason of exits to what the interpreter had never run when its function was compiled.
NOT_RUN = "it had never been run"
#: Reason why what is compiled promises no gain.
NOT_WORTHWHILE = "it would mostly call out of compiled code, which the interpreter does faster"


class Unsupported(Exception):
    """This code object (or this part of it) is left to the interpreter; normal, counted, explained.

    Attributes:
        reason: one sentence for people. line: source line or None. operation: canonical opcode or None.
        promise: what it tells of what compiling other functions will gain (see profit.promise), or None. helps_callers: see NotWorthwhile.
    """

    promise = None
    helps_callers = False

    def __init__(self, reason, line=None, operation=None):
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.operation = operation

    def kept(self):
        """The same without its traceback, whose frames would hold the arguments of the call that was refused."""
        return Unsupported(self.reason, self.line, self.operation)


class NotWorthwhile(Unsupported):
    """The interpreter does it faster, and probably what it belongs to as well.

    Attributes:
        helps_callers: compiled code that calls it would gain all the same.
    """

    promise = 0.0

    def __init__(self, reason, helps_callers=False):
        super().__init__(reason)
        self.helps_callers = helps_callers

    def kept(self):
        return NotWorthwhile(self.reason, self.helps_callers)


class ArgumentsUnboxed(Unsupported):
    """It could be compiled if some arguments, whose identity is asked for, were left the objects they are.

    Attributes:
        arguments: their positions.
    """

    def __init__(self, arguments, reason, line=None, operation=None):
        super().__init__(reason, line, operation)
        self.arguments = arguments


class PutOff(Exception):
    """There is no time left to go on compiling now; what is done so far is kept, the rest is begun anew later."""


class InternalError(Exception):
    """The compiler broke one of its own invariants; reported, never swallowed."""


class CommandError(Exception):
    """Something that whoever typed a command can mend; its text is the line shown."""


class NestedTooDeeply(Exception):
    """This callee is compiled when it is next called, not now."""
