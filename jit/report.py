"""What became of functions, for people and for programs."""

from dataclasses import dataclass, field

from jit.api import available
from jit.errors import NOT_RUN


@dataclass(frozen=True)
class ExitReport:
    """One place where compiled code may leave: how often it did, where, and why."""

    line: int | None
    operation: str
    reason: str
    count: int


@dataclass(frozen=True)
class VersionReport:
    """One compiled version.

    Attributes:
        types: argument types. result: type of the result. bytes: of machine code. milliseconds: to compile.
        calls: from interpreted code. exits: list of ExitReport. notes: (line, operation, reason) left to the interpreter.
        loop: line of the loop at which a frame enters it that is running already (then it has no arguments, and calls says how often
        that happened), or None. resumed: line behind the yield at which a generator enters it, or None.
    """

    types: tuple
    result: str
    bytes: int
    milliseconds: float
    calls: int
    exits: list
    notes: list
    loop: int | None = None
    resumed: int | None = None

    def heading(self):
        """What it is, and how often it ran."""
        size = f"{self.bytes} bytes in {self.milliseconds:.1f} ms"
        if self.loop is not None:
            return f"the loop at line {self.loop}: {size}, entered {self.calls} times while it ran"
        if self.resumed is not None:
            return f"generators from line {self.resumed} on: {size}, resumed {self.calls} times"
        return f"({', '.join(self.types)}) -> {self.result}: {size}, {self.calls} calls from interpreted code"


@dataclass(frozen=True)
class Explanation:
    """What became of one function; `str` of it is for reading.

    Attributes:
        state: "compiled", "waiting" (for its first call), "interpreted", or "not decorated". reason: why interpreted.
        versions: list of VersionReport. loops: likewise, entered in the middle of a run. parts: likewise, of the generators it makes. refused: argument types -> (line, reason). retired: versions no longer entered.
        inner: Explanations of comprehensions and functions in it that are compiled with it; cells are among their arguments.
    """

    name: str
    state: str
    reason: str = ""
    versions: list = field(default_factory=list)
    refused: dict = field(default_factory=dict)
    retired: int = 0
    loops: list = field(default_factory=list)
    parts: list = field(default_factory=list)
    inner: list = field(default_factory=list)

    def __str__(self):
        return "\n".join([*self.lines(), *(f"  {line}" for inner in self.inner for line in str(inner).splitlines())])

    def lines(self):
        """What is to be said of it but for what is compiled with it."""
        lines = [f"{self.name}: {self.state}" + (f" ({self.reason})" if self.reason else "")]
        for version in (*self.versions, *self.loops, *self.parts):
            lines.append(f"  {version.heading()}")
            lines.extend(f"    left {found.count} times at line {found.line}, {found.operation}: {found.reason}"
                         for found in version.exits if found.count)
            lines.extend(f"    always leaves at line {line}, {operation}: {reason}"
                         for line, operation, reason in version.notes if reason != NOT_RUN)
            never = sorted({line for line, _, reason in version.notes if reason == NOT_RUN and line is not None})
            if never:
                lines.append(f"    left out, because {NOT_RUN}: line {', '.join(map(str, never))}")
        for kinds, (line, reason) in self.refused.items():
            where = "" if line is None else f" (line {line})"
            lines.append(f"  ({', '.join(kinds)}): interpreted: {reason}{where}")
        if self.retired:
            lines.append(f"  {self.retired} former versions")
        return lines


def explain(function):
    """Explanation of a Python function."""
    if not available():
        return Explanation(function.__qualname__, "interpreted", available().reason)
    from jit.dispatch import COMPILER
    record = COMPILER.records.get(id(function))
    if record is None or record.function() is not function:
        return Explanation(function.__qualname__, "not decorated")
    return explain_record(record)


def explain_record(record):
    """Explanation of what is known of a function."""
    from jit.dispatch import COMPILER
    made = COMPILER.generators.record_of(record.code)
    parts = [] if made is None else [_version(part.code, resumed=part.state.line) for part in made.parts]
    versions = [_version(code) for code in record.versions]
    loops = [_version(code, line) for line, code in record.loops.codes()] if record.loops is not None else []
    refused = {tuple(kind.name for kind in kinds): (problem.line, problem.reason)
               for kinds, problem in record.refused.items()}
    if record.reason is not None and not loops and not parts:
        state = "interpreted"
    else:
        state = "compiled" if versions or loops or parts else "interpreted" if refused else "waiting"
    reason = record.reason or ("" if versions or not refused else next(iter(refused.values()))[1])
    reason = "" if (loops or parts) and not versions else reason
    inner = [explain_record(found) for found in record.comprehensions.values() if found.versions or found.refused or found.comprehensions]
    return Explanation(record.name, state, reason, versions, refused, len(record.retired), loops, parts, inner)


def explain_generators(record):
    """Explanation of what is known of the generators of one code (jit/resuming.py)."""
    parts = [_version(part.code, resumed=part.state.line) for part in record.parts]
    return Explanation(record.name, "compiled" if parts else "waiting", parts=parts)


def _version(code, loop=None, resumed=None):
    from jit.machine import records
    state = records.read_version(code.version_record)
    exits = [ExitReport(leaving.line, leaving.operation, leaving.reason,
                        records.read_count(leaving.address)) for leaving in code.exits if leaving.routine != "observe"]
    notes = sorted({(line, operation, reason) for reason, line, operation in code.notes}, key=str)
    return VersionReport(tuple(kind.name for kind in code.types), code.result.name, code.size, code.seconds * 1e3,
                         state.calls, exits, notes, loop, resumed)


@dataclass(frozen=True)
class Statistics:
    """Sums over the process."""

    functions: int
    versions: int
    refused: int
    code_bytes: int
    data_bytes: int
    milliseconds: float
    calls: int
    exits: int
    evicted: int = 0

    def __str__(self):
        return (f"{self.functions} functions decorated, {self.versions} versions compiled in {self.milliseconds:.1f} ms "
                f"({self.code_bytes} bytes of code, {self.data_bytes} of data), {self.refused} left interpreted; "
                f"{self.calls} calls from interpreted code, {self.exits} exits; {self.evicted} made room for others")


def statistics():
    """Statistics of the process; all zero where nothing is compiled."""
    if not available():
        return Statistics(0, 0, 0, 0, 0, 0.0, 0, 0)
    from jit.dispatch import COMPILER
    from jit.machine import records
    found = list(COMPILER.records.values())
    codes = [code for record in COMPILER.all_records() for code in (*record.versions, *record.entered_codes())]
    states = [records.read_version(code.version_record) for code in codes]
    return Statistics(len(found), len(codes), sum(len(record.refused) for record in found),
                      sum(code.size for code in codes), sum(code.data_size for code in codes),
                      1e3 * sum(code.seconds for code in codes), sum(state.calls for state in states),
                      sum(state.exits for state in states), COMPILER.evicted)
