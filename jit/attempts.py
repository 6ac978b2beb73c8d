"""One compilation, made again if the program has changed meanwhile what it found.

Problem: the compiler is Python code, so other threads run between any two of its steps, and may rebind a global or change a class that
it has looked at already. A version's guards compare what is relied on with how it was *at the end* of the compilation, and would not notice.
Idea: classes are known by the version tag they had before they were looked at (`receivers.version_tag`); all else is looked up once more in
the end, when the guards' words have been read. And what goes before the eyes of the compiler may look like an error of ours: then it looks again.
"""

import _thread

from jit.attention import holds
from jit.compiler import compile_function
from jit.comprehensions import ComprehensionUnit, NestedUnit
from jit.errors import NestedTooDeeply, PutOff, Unsupported
from jit.sent import was_sent
from jit.unit import Unit
from jit.walk import Knowledge

#: Compilations before the function, with these types, is left interpreted. Globals that were rebound in two of them are assumed no more.
ATTEMPTS = 4
#: What a compilation raises that is no error.
_EXPECTED = (Unsupported, PutOff, NestedTooDeeply, RecursionError, MemoryError)


def retried(work, *arguments):
    """What a compilation returns; what looks like an error of ours is tried once more where there are other threads."""
    try:
        return work(*arguments)
    except _EXPECTED:
        raise
    except Exception as problem:
        if not _thread._count() or was_sent(problem):
            raise
    return work(*arguments)


def unit_of(record, function, compiler):
    """A new Unit for what a record is about."""
    if record.is_nested:
        return NestedUnit(record, compiler)
    return ComprehensionUnit(record, compiler) if record.is_comprehension else Unit(function, compiler)


def compile_current(compiler, record, function, kinds, shapes):
    """A version that relies on nothing but what is so now; raises Unsupported."""
    for _ in range(ATTEMPTS):
        unit = unit_of(record, function, compiler)
        if unit.code is not record.code:
            break
        unit.record = record
        unit.types = kinds
        unit.polls_at_entry = record.calls
        unit.unreached = record.not_run()
        unit.is_second = kinds in record.hoped_for
        unit.knowledge = Knowledge(record.observed, compiler.unstable.names(function), record.rigid, record.leaders)
        code = compile_function(unit, kinds, shapes, unit.knowledge, record.block)
        record.calls = unit.polls_at_entry
        compiler.tally.compiled += 1
        if not unit.changed and holds(code, function):
            if code.on_trial:
                record.hoped_for.add(kinds)
            return code
        compiler.note_unstable(record, code)
    raise Unsupported("the program changes what it relies on while it is compiled")
