"""Versions that ask for attention: their guards keep failing, or something they relied on changed.

They are compiled anew with what their exits have observed, left alone with more patience, or given up.
"""

from jit import profit, receivers
from jit.budget import BUDGET
from jit.errors import NOT_RUN, Unsupported
from jit.holding import is_same
from jit.machine import records
from jit.machine.stack import is_room
from jit.types import STATIC, ClassReference, class_references, in_order_seen, recall
from jit.unit import ABSENT
from platforms.cpython.apart import APART

#: How often a global may be rebound before functions that load it leave there instead of assuming it.
UNSTABLE_AFTER = 2
#: Exits before a version that leaves on most calls, before any loop, is retired.
RETIRE_EXITS = 64
#: Exits to what had never been run after which that is compiled too.
OFTEN = 16
#: Processor's time that does not come.
NEVER = float("inf")
#: Nanoseconds that an exit takes: a frame is built, and run in an interpreter loop of its own.
EXIT_COST = 200
#: Reason of exits behind calls of compiled functions that did not end in compiled code.
CALLEE_LEFT = "the callee left its compiled code"
#: Types an exit may report, by address. Others are only known to be something else.
OBSERVABLE = {id(kind): kind for kind in STATIC}


class Unstable:
    """Globals that keep being rebound, by module, so that one function's experience serves all.

    Attributes:
        modules: id of a namespace -> {name: (address of the last object seen there, rebindings)}. written: id of a namespace -> names that
        compiled functions store without telling anybody: no version may take them for constant, see `note_written`.
    """

    LIMIT = 1000

    def __init__(self):
        self.modules = {}
        self.written = {}

    def note(self, namespace, name):
        """A function that relied on a global's object has found another."""
        if len(self.modules) > self.LIMIT:
            self.modules.clear()
        names = self.modules.setdefault(id(namespace), {})
        now = id(looked_up(namespace, name))
        last, count = names.get(name, (None, 0))
        if last != now:
            names[name] = now, count + 1

    def names(self, function):
        """Names of globals that functions load each time, because assuming them has failed too often."""
        namespace = id(function.__globals__)
        rebound_often = {name for name, (_, count) in self.modules.get(namespace, {}).items() if count >= UNSTABLE_AFTER}
        return rebound_often | self.written.get(namespace, set())

    def relied_upon(self, dependencies):
        """Names that are written so, among what a version is about to rely on: keys of `Unit.dependencies`."""
        return {name for namespace, name in dependencies if name in self.written.get(namespace, ())}


class Attention:
    """The part of Compiler that looks after compiled versions."""

    def attend(self, record):
        """Look after versions whose attention word is set.

        Returns:
            (whether there were any, whether the entry must be built anew).
        """
        attended = changed = False
        for code in list(record.versions):
            if code not in record.versions or not asks(code):
                continue  # it may have gone with another that it calls
            attended = True
            state = records.read_version(code.version_record)
            versions = list(record.versions)
            if not holds(code, record.function()):
                record.invalidations += 1
                self.note_unstable(record, code)
                self.discard(record, code)
            elif not record.is_due() and not has_lost_enough(code):
                self.attend_from = min(self.attend_from, record.due)
                self.inattentive = True
            elif self.learn(record, code):
                self.renew(record, code)
            elif self.is_useless(code, state):
                most = max(code.exits, key=lambda leaving: records.read_count(leaving.address))
                record.refused[code.types] = Unsupported(f"it left its compiled code at once on most calls: {most.reason}",
                                                         most.line, most.operation)
                self.discard(record, code)
                self.discard_callers({code})
            else:
                records.set_exit_limit(code.version_record, max(64, state.pressure * 8))
                records.clear_attention(code.version_record)
            changed = changed or record.versions != versions
        return attended, changed

    def attend_all(self):
        """Look after all versions that ask for attention; what calls them directly is compiled anew too."""
        if is_room():
            self.do_unless_busy(self.attend_now)  # else the next call through a wrapper will see to it

    def attend_now(self):
        """See `attend_all`."""
        try:
            waits = self.automatic is not None and not BUDGET.allows()
            self.inattentive, self.attend_from = waits, 0.0 if waits else NEVER
            if not waits or self.is_losing():
                with APART, BUDGET:
                    self.attend_to_records(has_lost_enough if waits else asks)
        except (RecursionError, MemoryError):
            pass

    def is_losing(self):
        """Whether a version has lost so much that it cannot wait for the budget."""
        return any(has_lost_enough(code) for record in self.all_records() for code in record.versions)

    def attend_to_records(self, is_wanted):
        """See `attend_all`. Args: is_wanted: tells of a version whether its function is to be looked after."""
        discarded = set()
        for record in list(self.all_records()):
            function = record.function()
            if function is None or not any(map(is_wanted, record.versions)):
                continue
            before = list(record.versions)
            self.attend(record)
            lost = [code for code in before if code not in record.versions]
            discarded.update(lost)
            if lost:
                self.reinstall(record, function)
        self.discard_callers(discarded)

    def reinstall(self, record, function):
        """Replace the function's wrapper, if it has one yet: many functions are only called by compiled code."""
        if record.entry is not None:
            self.install(record, function)

    def discard_callers(self, discarded):
        """Versions that jump into discarded ones, directly or not, are entered no more."""
        while discarded:
            found = set()
            for record in list(self.all_records()):
                function = record.function()
                callers = [code for code in record.versions if any(cell.code in discarded for cell in code.callees)]
                if function is None or not callers or record.compilations >= self.compile_limit:
                    continue
                for code in callers:
                    self.learn(record, code)
                    self.discard(record, code)
                found.update(callers)
                self.reinstall(record, function)
            discarded = found

    def renew(self, record, code):
        """Put a version compiled with what has been learnt in the place of another, also for its compiled callers."""
        self.discard(record, code)
        function, cell = record.function(), record.cells.get(code.types)
        if function is None or cell is None or cell.code is not code:
            return  # the next call compiles it
        self.try_compile(record, function, code.types, list(map(recall, code.argument_shapes)))
        new = record.version_for(code.types)
        if new is not None and cell.can_lead(new):
            cell.lead(new, new.checked_address)
        else:
            self.discard_callers({code})  # they would jump into the old one for ever

    def discard(self, record, code):
        """No call enters this version any more; its memory lives on while it may be running."""
        record.versions.remove(code)
        record.retired.append(code)

    def note_written(self, namespace, name):
        """A function is about to be compiled that stores a global and tells nobody: no version may rely on what that is.

        Those that run leave at their next check, which comes before they call anything that is compiled now.
        """
        names = self.unstable.written.setdefault(id(namespace), set())
        if name in names:
            return
        names.add(name)
        discarded = set()
        for record in list(self.all_records()):
            function = record.function()
            for code in (*record.versions, *record.retired, *record.entered_codes()):
                if any(key == name and (code.namespace if space is None else id(space)) == id(namespace) for space, key, _ in code.dependencies):
                    records.poison(code.version_record)
                    if code in record.versions:
                        discarded.add(code)
                        self.discard(record, code)
            record.drop_entered(lambda code: records.asks_for_attention(code.version_record))
            if function is not None and not discarded.isdisjoint(record.retired):
                self.reinstall(record, function)
        self.discard_callers(discarded)

    def note_unstable(self, record, code):
        """Take note of globals that have been rebound."""
        function = record.function()
        for namespace, key in rebound(code, function):
            self.unstable.note(function.__globals__ if namespace is None else namespace, key)

    def learn(self, record, code):
        """Take up the types that failed guards have met; True if they say something new."""
        news = False
        met = []
        for leaving in code.exits:
            if leaving.reason == NOT_RUN and records.read_count(leaving.address) >= OFTEN:
                news = True  # the interpreter has run it now
            if leaving.hoisted is not None and records.read_count(leaving.address):
                record.rigid.add(leaving.hoisted)
                news = True
            if leaving.site is not None:
                met.extend((leaving, address) for address in dict.fromkeys(records.read_observed(leaving.address)))
        classes = receivers.classes_at({address for _, address in met if address not in OBSERVABLE})
        for leaving, address in met:
            kind = OBSERVABLE.get(address) or python_class(classes.get(address))
            news = self.take_up(record, code, leaving, kind) or news
        return news

    @staticmethod
    def take_up(record, code, leaving, kind):
        """Note that an exit has met a type; True if the version was compiled without knowing of it."""
        seen = record.observed.setdefault(leaving.site, set())
        seen.add(kind)
        if leaving.reason == receivers.CLASS_GUARD and kind.__class__ is ClassReference:
            seen.update(class_references(related(seen)))
        if kind not in code.expected.get(leaving.site, ()):
            return True
        return leaving.reason == receivers.CLASS_GUARD and kind.__class__ is ClassReference and changes_often(seen, kind)

    def is_useless(self, code, state):
        """Whether most calls leave, or so many that it takes more than the others gain, and by an exit that no loop comes before.

        What callees leave by is theirs to have mended.
        """
        if state.exits < RETIRE_EXITS or state.exits * 2 < state.calls and (profit.EAGER or state.exits * EXIT_COST < state.calls * code.gain):
            return False
        useless = sum(records.read_count(leaving.address) for leaving in code.exits if leaving.early and leaving.reason != CALLEE_LEFT)
        return useless * 2 > state.exits


def asks(code):
    """Whether a version asks for attention."""
    return records.asks_for_attention(code.version_record)


def has_lost_enough(code):
    """Whether a version asks for attention, and its exits have taken as long as compiling it has: to wait would not save anything.

    What leaves a loop weighs more (see records.FIRST_EXIT_LIMIT).
    """
    return asks(code) and records.read_version(code.version_record).pressure * EXIT_COST >= code.seconds * 1e9


def related(seen):
    """Classes that will probably be met where several of one family were: all of it, if they are few."""
    kinds = [kind for kind in (reference.kind() for reference in in_order_seen(seen)) if kind is not None]
    base = receivers.common_base(kinds) if len(kinds) > 1 else None
    return [] if base is None else receivers.relatives(base, kinds)


def python_class(kind):
    """A reference to a Python class; `object`, for any class, if it is None."""
    return object if kind is None else ClassReference(kind)


def changes_often(seen, kind):
    """A guard of a class's version tag failed though the class was expected: from now on its attributes are left to CPython."""
    for reference in seen:
        if reference == kind and not reference.changes:
            reference.changes = True
            return True
    return False


def rebound(code, function):
    """(dictionary, key) of the entries a version relies on that are no longer what they were; None for the function's globals."""
    return [(namespace, key) for namespace, key, expected in code.dependencies
            if not is_same(looked_up(function.__globals__ if namespace is None else namespace, key), expected)]


def looked_up(namespace, key):
    """What a dictionary holds, `ABSENT` if nothing; if a key of others cannot be compared, what nobody relies on."""
    try:
        return namespace.get(key, ABSENT)
    except Exception:
        return Attention


def holds(code, function):
    """Whether everything a version relies on is still so."""
    if rebound(code, function) or any(reference() is None for reference in code.watched):
        return False
    return all(records.read_word(address) == expected for address, expected in code.words.items())
