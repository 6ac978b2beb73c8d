"""The ways to run a program, each compared with the interpreter.

A way is a function of a `Comparison`; it returns a `Difference` or None. All ways compare outcomes call by call, in namespaces of
their own, so that state that a program keeps between calls develops alike.
"""

import difflib
import gc
import re
import sys
import threading
import time
from contextlib import nullcontext
from types import ModuleType

import jit
from fuzz import probes
from fuzz.loading import Loaded
from fuzz.observe import Describer, described_globals, first_difference, outcome
from fuzz.targets import Difference

#: Passes over all calls: the first compiles, the second runs what was compiled.
PASSES = 2
#: Guards forced in one program, and calls made to look for leaks.
FORCED_LIMIT = 24
#: Calls made to look for leaks, again and again while there seems to be one; from SETTLED calls on, collections precede.
LEAK_CALLS, SETTLED = (6, 12, 24, 48, 48, 48, 600, 48, 600, 600), 48
#: Programs that keep something between calls, or in the middle of one: in variables, in attributes of anything but their own instances, in what is printed.
_KEEPS_STATE = re.compile(r"global |nonlocal |print|LOG|GONE|globals\(|vars\(|setattr|del [A-Z]|(?<!\bself)\.\w+ [-+*/%|&^@<>]*= ")
#: Globals of these types are shared with everybody else.
_SHARED = (int, str, type(None), ModuleType)


class Comparison:
    """One program, to be run in several ways.

    Attributes:
        prepared: Prepared. features: set, what was reached. register: a number that decides what a way leaves open: which
        register is left, which guards are forced, whether leaks are looked for (0, 6, 12). interpreted: processor seconds that
        the interpreter has taken for its side so far.
    """

    def __init__(self, prepared, reached, register=0):
        self.prepared = prepared
        self.program = prepared.program
        self.reached = reached
        self.features = set()
        self.register = register
        self.interpreted = 0.0

    def load(self):
        return Loaded(self.prepared)

    def difference(self, way, found, call, times):
        """The Difference that `first_difference` found in a call."""
        what, wanted, got = found
        where = f"{self.program.entry}(*{self.program.calls[call]}), pass {times + 1}"
        return Difference(f"{way}: {what}", f"{where}\n  interpreted: {wanted}\n  {way}: {got}")

    def pass_over(self, way, plain, other, times, call_other=outcome):
        """Make every call both ways once; returns a Difference or None."""
        for number in range(len(self.program.calls)):
            started = time.process_time()
            try:  # right here: both sides reach the limit of recursion at the same depth
                wanted = outcome(plain.entry, plain.arguments(number), plain.namespace)
            finally:
                self.interpreted += time.process_time() - started
            got = call_other(other.entry, other.arguments(number), other.namespace)
            found = first_difference(wanted, got)
            if found:
                return self.difference(way, found, number, times)
        return None

    def interpret(self):
        """Make every call interpreted alone: what takes too long by itself is found out before anything else is blamed for it."""
        plain, started = self.load(), time.process_time()
        try:
            for number in range(len(self.program.calls)):
                outcome(plain.entry, plain.arguments(number), plain.namespace)
        finally:
            self.interpreted += time.process_time() - started


def compiled(comparison, way="compiled", around=nullcontext):
    """Interpreted beside compiled, twice; then references and memory over some more calls."""
    plain, fast = comparison.load(), comparison.load().decorate()
    for times in range(PASSES):
        with around():
            found = comparison.pass_over(way, plain, fast, times)
        if found:
            return found
    comparison.features |= probes.exits_taken(fast.functions)
    # Versions that keep leaving are compiled anew meanwhile, which takes longer than all the rest.
    return leak(comparison, way, plain, fast) if comparison.register % 6 == 0 else None


def leak(comparison, way, plain, fast):
    """Compare what reference counts and the number of allocated blocks do over further calls."""
    for calls in LEAK_CALLS:
        # Caches and the stock of dead numbers fill, and functions are compiled anew a few times; a leak goes on.
        wanted, kept = growth(plain, calls), items_kept(fast)
        got = growth(fast, calls)
        what = suspicion(wanted, got, calls, items_kept(fast) - kept)
        if not what:
            return None
    return Difference(f"{way}: {what}", f"{comparison.program.entry}, growth over further calls\n  interpreted: {wanted}\n  {way}: {got}")


def items_kept(side):
    """How many items the lists have that are globals."""
    return sum(len(item) for item in side.namespace.values() if type(item) is list)


def suspicion(wanted, got, calls, kept=0):
    """What grows otherwise than it does interpreted, or ""; `kept`: items that lists have got more."""
    (references, blocks), (got_references, got_blocks) = wanted, got
    differing = [name for name in {**references, **got_references} if references.get(name) != got_references.get(name) and
                 "rebound" not in (references.get(name), got_references.get(name))]
    if differing and got_blocks - blocks >= calls and all(0 <= got_references.get(name, 0) < references.get(name, 0) for name in differing):
        return ""  # numbers that the interpreter loses itself: boxed anew, they are objects of their own
    if differing:
        return f"references of a {differing[0].split(' ')[0]}"
    # A program that grows by itself keeps numbers, of which each may be an object of its own here.
    return "leak: memory blocks" if got_blocks - blocks - kept >= calls and blocks < calls else ""


def growth(side, repeat):
    """What `repeat` times all calls add: ({name: references}, allocated blocks)."""
    entry, evaluate, counting = side.entry, side.arguments, sys.getrefcount
    watched = {f"global {name}": item for name, item in side.namespace.items()
               if not name.startswith("__") and not isinstance(item, _SHARED)}
    for function in side.functions:
        for number, constant in enumerate(function.__code__.co_consts):
            if type(constant) in (float, tuple, bytes):
                watched[f"constant {function.__qualname__} {number}"] = constant
    numbers = range(len(side.calls))
    before = [counting(item) for item in watched.values()]
    if repeat >= SETTLED:
        gc.collect()  # also empties free lists, in which freed objects count as allocated
    blocks = sys.getallocatedblocks()
    for _ in range(repeat):
        for number in numbers:
            try:
                entry(*evaluate(number))
            except Exception:
                pass
    if repeat >= SETTLED:
        gc.collect()
    blocks = sys.getallocatedblocks() - blocks
    after = [counting(item) for item in watched.values()]
    rebound = {name for name, item in watched.items() if name.startswith("global ") and side.namespace.get(name[7:]) is not item}
    added = {name: new - old for name, old, new in zip(watched, before, after) if new != old or name in rebound}
    return {name: "rebound" if name in rebound else count for name, count in added.items()}, blocks


def starved(comparison):
    """One register of each class is left to the allocator."""
    return compiled(comparison, "starved", lambda: probes.one_register(comparison.register))


def forced(comparison):
    """Every guard fails in turn: the first time it runs, the last time, and once between."""
    with probes.forced_guards() as guards:
        plain, fast = comparison.load(), comparison.load().decorate()
        for times in range(PASSES):
            guards.reset()
            found = comparison.pass_over("forced", plain, fast, times)
            if found:
                return found
        executed = guards.executed()
        met = [number for number, count in enumerate(executed) if count > 0]
        step = max(1, len(met) // FORCED_LIMIT)
        for number in met[comparison.register % step::step]:
            count = executed[number]
            for time in sorted({1, (count + 1) // 2, count}):
                guards.reset()
                guards.fail(number, time)
                found = comparison.pass_over("forced", plain, fast, time)
                operation, reason = guards.names[number]
                comparison.features.add(f"forced:{operation}:{reason}")
                if found:
                    return Difference(f"{found.signature} at {operation}: {reason}",
                                      f"guard {operation}: {reason}, made to fail at its execution {time}\n{found.detail}")
    return None


def shuffled(comparison):
    """Compiled twice, with other compilations and objects between: every stage must come out the same.

    A call that the process interrupts is interpreted, and what that calls is compiled for itself; so a difference has to show again.
    """
    comparison.interpret()
    for _ in range(2):
        first, between = _stages_of(comparison), [comparison.load().decorate() for _ in range(2)]
        for other in between:
            outcome(other.entry, other.arguments(0), other.namespace)
        second = _stages_of(comparison)
        if first == second:
            return None
    changed = [line for line in difflib.unified_diff(first, second, "first", "again", n=0, lineterm="")]
    return Difference("compiled twice: not the same code", "\n".join(changed[:40]))


def _stages_of(comparison):
    """What every stage of compiling says, and sizes of the code, as lines."""
    fast = comparison.load().decorate()
    with probes.stages() as texts:
        for number in range(len(comparison.program.calls)):
            outcome(fast.entry, fast.arguments(number), fast.namespace)
    sizes = [(code.size, code.frame_size) for function in fast.functions for code in probes.versions_of(function)]
    return ("\n".join(texts) + f"\n{sizes}").splitlines()


def evaluated(comparison):
    """The reference evaluator's opinion of values, exceptions and what is left of arguments and globals."""
    from fuzz.evaluator import NotEvaluated, evaluate, forget_operations
    if tells_of_deaths(comparison.program) or looks_at_frames(comparison.program):
        return compiled(comparison)
    plain, other = comparison.load(), comparison.load()

    def evaluated_entry(*given):
        try:
            return evaluate(other.entry, *given, deep=True, limit=200_000)
        except Exception as error:
            forget_operations(error)  # operands of what has failed, such as generators to be closed
            raise

    try:
        for number in range(len(comparison.program.calls)):
            wanted = outcome(plain.entry, plain.arguments(number), plain.namespace, frames=False)
            found = first_difference(wanted, outcome(evaluated_entry, other.arguments(number), other.namespace, frames=False))
            if found:
                return comparison.difference("evaluated", found, number, 0)
    except NotEvaluated:
        pass
    return None


def tells_of_deaths(program):
    """Whether a program can show when its objects die, which is another time where another interpreter or Python code in its place holds them."""
    return "__del__" in program.source


def looks_at_frames(program):
    """Whether a program can find the evaluator's frames in the place of its own."""
    return "_getframe" in program.source or "__traceback__" in program.source


def traced(comparison):
    """Under a trace function, both sides must show it the same events."""
    if tells_of_deaths(comparison.program):  # README's limits: arguments live longer
        return compiled(comparison)
    plain, fast = comparison.load(), comparison.load().decorate()

    def call(function, arguments, namespace):
        events = []

        def trace(frame, event, argument):
            if frame.f_code.co_filename != "<fuzz>":
                return None
            events.append((frame.f_code.co_name, event, frame.f_lineno))
            return trace

        old = sys.gettrace()
        sys.settrace(trace)
        try:
            found = outcome(function, arguments, namespace)
        finally:
            sys.settrace(old)
        found["events"] = events
        return found

    for times in range(PASSES + 1):
        for number in range(len(comparison.program.calls)):
            caller = call if times == 1 else outcome
            wanted = caller(plain.entry, plain.arguments(number), plain.namespace)
            found = first_difference(wanted, caller(fast.entry, fast.arguments(number), fast.namespace))
            if found:
                return comparison.difference("traced" if times == 1 else "compiled", found, number, times)
    return None


def threaded(comparison):
    """The calls made by three threads at once. Only for programs that keep no state between calls."""
    plain, fast = comparison.load(), comparison.load().decorate()
    before = described_globals(plain.namespace, Describer())
    wanted = [outcome(plain.entry, plain.arguments(number), plain.namespace) for number in range(len(plain.calls))]
    if _KEEPS_STATE.search(comparison.program.source) or described_globals(plain.namespace, Describer()) != before:
        return compiled(comparison)
    results, barrier = [], threading.Barrier(3)

    def work():
        barrier.wait()
        for _ in range(2):
            for number in range(len(fast.calls)):
                results.append((number, outcome(fast.entry, fast.arguments(number), fast.namespace, printing=False)))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    for number, got in results:
        found = first_difference(wanted[number], got)
        if found:
            return comparison.difference("threaded", found, number, 0)
    return None


WAYS = {way.__name__: way for way in (compiled, starved, forced, shuffled, evaluated, traced, threaded)}


def available():
    """Whether compiled ways exist here; raises RuntimeError with the reason if not."""
    state = jit.available()
    if not state:
        raise RuntimeError(state.reason)
