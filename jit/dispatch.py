"""Functions and their compiled versions: when to compile, which version a call enters, when to give up.

A decorated function object is redirected (platforms/cpython/entry.py) to an entry wrapper: machine code that tests the
arguments' types version by version. A call that fits none, and a version that asks for attention (its guards keep
failing, or a global it relied on was rebound), come here.

Lifetimes: the registry holds functions weakly; a record holds its versions; a version holds the versions it calls and
every object whose address is in its code. Machine code is freed with its `Code` object, so never while it can run:
whoever runs a function holds it, and a body that calls another holds that one's `Code`.
"""

import _thread
import warnings
import weakref
from collections import deque

from jit import dump, entries, firstcall, profit
from jit.arguments import by_parameter, fill_in, note_classes, shapes_of_values, type_of_argument, type_of_value
from jit.attention import Attention, Unstable, holds
from jit.automatic import Automatic
from jit.bodies import BodyCell
from jit.attempts import compile_current, retried
from jit.budget import BUDGET, Work
from jit.compilation import Compilation
from jit.comprehensions import Comprehensions
from jit.decode import VARARGS, VARKEYWORDS
from jit.errors import ArgumentsUnboxed, NestedTooDeeply, PutOff, Unsupported
from jit.eviction import Eviction
from jit.function_records import FunctionRecord, Target
from jit.holding import is_reliable
from jit.machine import attention_handlers
from jit.misses import Misses
from jit.resuming import Generators
from jit.sent import hand_back
from jit.tally import Tally
from jit.trials import Trials
from jit.types import OBJECT, remember, shape_of
from jit.unit import check_compilable
from jit.bytecodes import attribute_stores, attributes, attributes_asked, builtins, calls, comparisons, containers, contexts, control, dictionaries, displays, imports, methods, names, numbers, patterns, sets, slices, stack, star_arguments, types_asked, unpacking  # noqa: F401  (declare handlers)
from platforms import forks
from platforms.cpython import entry, feedback, threads
from platforms.cpython.layout import SUSPENDED, layout
from platforms.cpython.unnoticed import unnoticed

#: Versions of one function, by argument types; calls with further types are interpreted.
VERSION_LIMIT = 6
#: Compilations of one function in all.
COMPILE_LIMIT = 16
#: Weak references to functions that died, which are kept.
LAST_DEAD = 256
#: Compilations started by compilations (callees), at most this deep: each takes eleven of the interpreter's frames.
NESTING_LIMIT = 24
#: Combinations of argument types that may fail to compile before the whole function is left alone.
REFUSAL_LIMIT = 2


#: Of a code object's flags: generators of all kinds, and those that are neither coroutines nor asynchronous.
GENERATOR = 0x20


class Compiler(Misses, Attention, Trials, Automatic, Comprehensions, Eviction):
    """Compiles on demand; one per process, behind one lock."""

    compile_limit = COMPILE_LIMIT

    def __init__(self):
        self.lock = _thread.RLock()
        self.records = {}
        self.compilation = Compilation()
        self.dead, self.dead_blocks = deque(maxlen=LAST_DEAD), []
        self.first = None
        self.generators = Generators(self)
        self.unstable = Unstable()
        self.tally = Tally()
        Automatic.__init__(self)
        Eviction.__init__(self)

    # -- compiling -----------------------------------------------------------------------------------------

    def compile(self, record, function, kinds, shapes):
        """A new version; raises Unsupported."""
        with self.compilation:  # at whose end the examples among the shapes are let go, whatever comes of it
            return self.compile_within(record, function, kinds, shapes)

    def compile_within(self, record, function, kinds, shapes):
        """See `compile`."""
        if record.compilations >= COMPILE_LIMIT:
            raise Unsupported("compiled too often")
        if self.compilation.nesting > NESTING_LIMIT:
            raise NestedTooDeeply
        record.compilations += 1
        note_classes(record, shapes, function)
        record.in_progress.append(kinds)
        work = Work()
        try:
            with work:
                code = compile_current(self, record, function, kinds, shapes)
                work.promise = code.promise
            return code
        except PutOff:
            record.compilations -= 1
            record.was_put_off = True
            raise
        finally:
            record.in_progress.remove(kinds)
            record.note_seconds(work.seconds, work.promise)

    # -- callees -------------------------------------------------------------------------------------------

    def match_arguments(self, unit, walker, function, arguments, names):
        """See Unit.match_arguments."""
        record = self.records.get(id(function))
        if record is None and self.automatic is not None:
            record = self.automatic(function)
        if record is None or record.function() is not function or record.reason is not None:
            return None
        code = unit.code_of(function)
        if code is not record.code or code.co_flags & (VARARGS | VARKEYWORDS):
            return None
        ordered = by_parameter(code, code.co_argcount + code.co_kwonlyargcount, arguments, names)
        if ordered is None or None in ordered[:code.co_argcount] and not self.fill_defaults(unit, walker, function, ordered, code.co_argcount) or \
                None in ordered and not self.fill_keyword_defaults(unit, walker, function, ordered, code.co_varnames):
            return None
        return ordered

    @staticmethod
    def fill_defaults(unit, walker, function, ordered, count):
        """Put the function's defaults, on which the unit relies, in the place of what is missing of the first `count` arguments; whether it has them."""
        defaults = function.__defaults__
        if type(defaults) is not tuple or not fill_in(walker, ordered, count, defaults):
            return False
        unit.keep(defaults)
        unit.depend_word(id(function) + layout().function_defaults, id(defaults))
        return True

    @staticmethod
    def fill_keyword_defaults(unit, walker, function, ordered, names):
        """The same for keyword-only parameters, from a dictionary that anybody may change."""
        defaults = function.__kwdefaults__
        if type(defaults) is not dict or not all(type(name) is str for name in defaults):
            return False
        for index, value in enumerate(ordered):
            if value is None:
                if names[index] not in defaults or not is_reliable(defaults[names[index]]):
                    return False
                ordered[index] = walker.constant(defaults[names[index]])
                unit.depend(defaults, names[index], defaults[names[index]])
        unit.depend_word(id(function) + layout().function_kwdefaults, id(defaults))
        return True

    def callee(self, unit, walker, function, arguments):
        """See Unit.callee."""
        record = self.records.get(id(function))
        kinds = record.versions_kinds(type_of_value(value) for value in arguments)
        if any(value.type.unboxed and kind is OBJECT for value, kind in zip(arguments, kinds)):
            return None
        if function is unit.function and kinds == unit.types and not unit.is_comprehension:
            unit.rely_on_code(function)
            return self.itself(unit, walker)
        if kinds in record.in_progress or kinds in record.refused and not record.refused[kinds].helps_callers:
            return None
        record.is_called = True
        record.refused.pop(kinds, None)
        return self.target(unit, walker, record, kinds, arguments)

    @staticmethod
    def itself(unit, walker):
        """The `Target` of what is being compiled."""
        if not unit.polls_at_entry:
            unit.polls_at_entry = walker.incomplete = True
        walker.calls_itself = True
        return Target(None, unit.types, walker.knowledge.result, False, None, unit.taken(unit.types))

    def target(self, unit, walker, record, kinds, arguments):
        """The `Target` of a callee's version for these types, compiled if need be, or None."""
        function, code = record.function(), record.version_for(kinds)
        if code is not None and not holds(code, function):
            self.note_unstable(record, code)
            self.discard(record, code)
            code = None
        if code is None:
            if len(record.versions) >= VERSION_LIMIT:
                return None
            if self.in_parts and record.automatic and not unit.record.was_put_off and BUDGET.is_overdrawn():
                raise PutOff
            if record.automatic and not profit.EAGER and feedback.unreached(record.code) is None:
                return None  # nobody knows whether it will ever be called
            try:
                code = self.compile(record, function, kinds, shapes_of_values(arguments, walker.state.receivers, record))
            except NestedTooDeeply:
                return None
            except ArgumentsUnboxed as problem:
                record.boxed |= problem.arguments
                return None
            except Unsupported as problem:
                record.refused[kinds] = problem.kept()
                return None
            self.add_version(record, code)
            self.reinstall(record, function)
        if not unit.polls_at_entry:
            unit.polls_at_entry = walker.incomplete = True
        if not record.is_comprehension:
            unit.rely_on_code(function)
        cell = record.cells.get(kinds)
        if cell is None or cell.code is not code:
            cell = record.cells[kinds] = BodyCell(code)
        unit.callees.append(cell)
        unit.depend_like(code, function)
        held = None if record.is_comprehension else walker.constant(function)
        return Target(cell.address, kinds, code.result, code.foreign, held, code.taken, code.returned, code.returned_shape, code.shows)

    def add_version(self, record, code):
        """Specific types first: a version that takes any object must not catch what another unboxes."""
        record.waits = False
        record.versions.append(code)
        record.versions.sort(key=lambda code: sum(kind is OBJECT for kind in code.types))

    # -- functions -----------------------------------------------------------------------------------------

    def register(self, function, automatic=False):
        """Redirect a function to its entry wrapper; from its next call on it is compiled. Returns its record.

        Args:
            automatic: nobody asked for it, so that it is compiled within the budget only.
        """
        with self.lock:
            found = self.records.get(id(function))
            if found is not None and found.function() is function:
                if found.automatic and not automatic:
                    found.automatic = False
                    self.want_generators(function, False)
                return found
            self.dead_blocks.clear()
            record = FunctionRecord(function)
            record.automatic = automatic
            try:
                check_compilable(record.code)
            except Unsupported as problem:
                record.reason = problem.reason
                self.want_generators(function, automatic)
            key = id(function)
            held = [record]  # what the callback lets go of: it may be kept for a while
            record.function = weakref.ref(function, unnoticed(lambda _: self.forget(key, held.pop())))
            self.records[key] = record
            if record.reason is None:
                try:
                    record.block = entries.FunctionBlock(function, record.code)
                    self.first = self.first or firstcall.build(self.prepare)
                except MemoryError:
                    record.reason = "there is no room for its machine code"
                    return record
                record.miss = self.miss_handler(record)
                entry.redirect(function, self.first.address)
            return record

    def want_generators(self, function, automatic=True):
        """If its calls make generators, let these be resumed in compiled code (jit/resuming.py)."""
        if function.__code__.co_flags & SUSPENDED == GENERATOR:
            self.generators.want(function, automatic)

    def forget(self, key, record):
        """The function dies, or is cyclic garbage that finalizers may still call: its machine code goes, unless another version calls it."""
        if self.records.get(key) is record:
            if entry is not None:  # the interpreter is not shutting down
                entry.restore_dying(key)
                self.tally.note_loops(record)
            del self.records[key]
        # A collection counts weak references that go with their callbacks, and shows them from then on: none goes unless another comes.
        self.dead.append(record.function)
        self.dead_blocks.append(record.block)
        record.release()

    def install(self, record, function):
        """Make calls of the function enter a wrapper that knows the present versions."""
        if record.is_comprehension:
            return
        old, record.asleep = record.entry, False
        if record.reason is not None:
            entry.restore(function)
        elif record.refused and not record.versions and threads.c_levels_are_few():
            record.entry = None
            entry.restore(function)
        else:
            full = len(record.versions) + len(record.refused) >= VERSION_LIMIT or record.compilations >= COMPILE_LIMIT
            record.entry = entries.build(record, function, full)
            entry.redirect(function, record.entry.address)
        if old is not None:
            record.old_entries.append(old)

    def update(self, record, function, arguments):
        """Look after a function that is called with arguments no version takes; True if one does now."""
        if function.__code__ is not record.code:
            return self.code_replaced(record, function)
        attended, changed = self.attend(record)
        changed = changed or record.entry is not None and not record.entry.is_current(record)  # compiled callers may have seen to it
        kinds = record.versions_kinds(map(type_of_argument, arguments))
        if record.reason is None and record.version_for(kinds) is None and kinds not in record.refused:
            if len(record.versions) >= VERSION_LIMIT:
                record.refused[kinds] = Unsupported(f"more than {VERSION_LIMIT} combinations of argument types")
            else:
                self.in_parts = record.automatic
                shapes = [shape_of(value) for value in arguments]
                record.seen.append(list(map(remember, shapes)))
                kinds = self.try_compile(record, function, kinds, shapes)
            changed = True
        if changed and not record.versions and len(record.refused) >= REFUSAL_LIMIT:
            record.reason = next(iter(record.refused.values())).reason
        rests = record.reason is None and not record.versions and kinds in record.refused and self.rest(record, function)
        if changed and not rests:
            self.install(record, function)
        return (attended or changed) and record.version_for(kinds) is not None

    def try_compile(self, record, function, kinds, shapes):
        """Add a version for these types, or the reason why there is none; returns the types, of which some may have become any object."""
        try:
            while record.version_for(kinds) is None:
                try:
                    self.add_version(record, retried(self.compile, record, function, kinds, shapes))
                except ArgumentsUnboxed as problem:
                    if problem.arguments <= record.boxed:
                        raise
                    record.boxed |= problem.arguments
                    kinds = record.versions_kinds(kinds)
        except PutOff:
            raise
        except Unsupported as problem:
            record.refused[kinds] = problem.kept()
        except (RecursionError, MemoryError) as problem:
            if record.compilations >= COMPILE_LIMIT:
                record.refused[kinds] = Unsupported(f"{type(problem).__name__} while compiling")
        except Exception as problem:
            if hand_back(problem):
                return kinds
            record.refused[kinds] = Unsupported(f"internal error: {problem!r}")
            self.tally.note_error(record.name, problem)
            if dump.CHECK:
                raise
            if not record.automatic:
                warnings.warn(f"purejit: {record.name}: internal error: {problem!r}; it stays interpreted", RuntimeWarning)
        return kinds

    def do_unless_busy(self, work, *arguments):
        """Do some work with the lock, unless another thread has it. Where an exception is sent to this thread (sent.py), it is not left taken."""
        taken, = map(self.lock.acquire, (False,))  # an exception is raised behind a call; of acquire() none is made here
        try:
            if taken:
                work(*arguments)
        finally:
            if taken:
                self.lock.release()

    def code_replaced(self, record, function):
        """Somebody assigned to ``__code__``: start anew with the new code."""
        record.retired.extend(record.versions)
        record.old_entries += record.loops.all() if record.loops is not None else []  # one may be running
        record.versions, record.refused, record.observed, record.loops, record.boxed, record.unreached = [], {}, {}, None, set(), None
        record.hoped_for.clear()
        record.seen.clear()
        record.code = function.__code__
        record.compilations += 1
        try:
            check_compilable(record.code)
        except Unsupported as problem:
            record.reason = problem.reason
        if record.reason is None:
            record.block = entries.FunctionBlock(function, record.code)
        self.install(record, function)
        return record.reason is None


COMPILER = Compiler()
forks.hold(lambda: [COMPILER.lock], first=True)
attention_handlers.append(COMPILER.attend_all)
