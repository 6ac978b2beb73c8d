"""What one compilation of one function needs to know of the world, and what it comes to rely on."""

from jit.arguments import seen_at
from jit.blocks import Flow
from jit.decode import decode, exception_entries, rebound, slot_names
from jit.errors import Unsupported
from jit.holding import can_die, is_loose, is_same, is_watched
from jit.types import dies_unnoticed
from platforms.cpython import feedback
from platforms.cpython.layout import SUSPENDED, layout

_OPTIMIZED_NEWLOCALS = 0x3
#: Beyond any that Python's compiler asks for; CPython 3.13 lets the size of a frame overflow.
STACK_LIMIT = 1 << 16


class Absent:
    """Stands for "this dictionary has no such key" in a dependency."""


ABSENT = Absent()


def looked_up(namespace, name):
    """What a dictionary holds, or `ABSENT`.

    Raises:
        Unsupported: its keys cannot be compared.
    """
    try:
        return namespace.get(name, ABSENT)
    except Exception as problem:
        raise Unsupported(f"its globals raise {type(problem).__name__}") from None


class Unit:
    """One function on its way through the compiler.

    Attributes:
        function, code: what is compiled. instructions, flow: decoded. slot_names, local_count: locals, cells and free variables.
        kept: Python objects whose addresses the machine code holds. dependencies: (dict id, key) -> (dict, key, expected).
        words: list of (address, expected value) that must stay equal. notes: list of (reason, line, operation).
        entered: LoopState if compiled code is entered at a loop's header, else None.
        handlers_missed: offsets where compiled code must not raise. callees: versions called directly. candidates: id of a code -> (code, instructions that may be inlined or None). polls_at_entry: the body may be entered recursively.
        rebound: slots of locals that are bound anew somewhere.
        codes: id of a function -> (function, the code it had when it was met). blocks: of the walk. changed: something that is relied on was found to be
        one thing first and another then: other threads run while compiling.
        unreached: offsets of instructions at which it leaves, because they have never been run.
        argument_slots: local slot of each argument. is_comprehension: `code` is that of a comprehension in the function. takes_iterator: its first argument is an iterator of its own. is_second: see profit.is_worthwhile. is_part: of a
        generator, see resuming.py. is_shared: see function_records.py. consumer: what a generator expression is for, see comprehensions.py. name: qualified.
    """

    is_comprehension = takes_iterator = is_part = is_shared = is_second = False
    consumer = _profile = record = None
    unreached = frozenset()

    def __init__(self, function, manager, code=None, may_be_module=False):
        self.name = function.__qualname__ if code is None else code.co_qualname
        code = code or function.__code__
        self.check(code, may_be_module)
        self.function = function
        self.code = code
        self.manager = manager
        self.instructions = self.decoded(code)
        self.rebound = rebound(self.instructions)
        self.flow = Flow(self.instructions)
        self.slot_names = slot_names(code)
        self.local_count = len(self.slot_names)
        self.argument_slots = range(self.local_count)
        self.exceptions = exception_entries(code)
        self.handlers_missed = handlers_missed(self.exceptions, layout().handler_lookup_bias)
        self.polls_at_entry = False
        self.entered = None
        self.is_module = is_module(code)
        self.stored = self.names_stored()
        self.candidates = {}
        self.codes = {} if self.is_comprehension else {id(function): (function, code)}
        self.blocks = []
        self.reset()

    def taken(self, kinds):
        """Positions of the arguments, of these types, whose reference the body takes over from its caller, as all do in the interpreter.

        The caller's may be the last. Where no variable is ever bound anew, all die where the call ends, one behind the other, and the
        caller may as well drop them.
        """
        if self.takes_iterator or not self.rebound:
            return ()
        return tuple(index for index, kind in enumerate(kinds) if not dies_unnoticed(kind))

    def divide(self, leaders):
        """Find the basic blocks anew; `leaders`: indexes that begin one though no jump leads there."""
        self.flow = Flow(self.instructions, leaders, self.entered.header if self.entered else 0)
        self.stored = self.names_stored()

    def names_stored(self):
        """Names of globals that are stored here: of a module, in the loop that is entered."""
        starts = self.flow.loops.get(self.entered.header, ()) if self.is_module and self.entered else self.flow.order
        return {self.code.co_names[self.instructions[index].argument] for start in starts
                for index in range(start, self.flow.ends[start]) if self.instructions[index].operation in _STORES}

    def feedback(self, instruction, role):
        """The type that the interpreter has specialised an instruction of this code for, or None; for the role "tag" the version tag of a class."""
        if self._profile is None:
            self._profile = feedback.profile(self.code)
        return self._profile.get(instruction.own, {}).get(role)

    def check(self, code, may_be_module):
        """Raise Unsupported if this code cannot be compiled."""
        check_compilable(code, may_be_module)

    def yields_in_loop(self, header):
        """Whether the loop with this header may be left by a yield, and so needs an iterator that is an object."""
        return False

    def decoded(self, code):
        """Its instructions; not to be changed."""
        return decode(code)

    def reset(self):
        """Forget what an unfinished walk came to rely on."""
        self.kept = {}
        self.dependencies = {}
        self.words = {}
        self.notes = []
        self.callees = []
        self.changed = False
        self.take_apart()

    def take_apart(self):
        """Let the blocks that were made refer to nothing, so that all is freed at once: the program's collections count what they find."""
        for block in self.blocks:
            block.take_apart()
        self.blocks = []

    def keep(self, item):
        """The machine code has this object's address, and holds or watches it (see holding.py), whatever it is.

        The function itself and its globals live as long as a call of it can run.
        """
        if item is not self.function and item is not self.function.__globals__:
            self.kept[id(item)] = item

    def know(self, item):
        """The machine code has this object's address, and keeps it unless it is loose (see holding.py)."""
        if not is_loose(item):
            self.keep(item)

    def kept_and_watched(self):
        """(objects to hold, objects to watch)."""
        held, watched = [], []
        for item in self.kept.values():
            (watched if is_watched(item) else held).append(item)
        return held, watched

    def is_mortal(self, item):
        """Whether an object may die while the function runs, when what it was read from is rebound."""
        return item is not self.function and item is not self.function.__globals__ and (is_watched(item) and can_die(item) or is_loose(item))

    def note(self, reason, instruction):
        self.notes.append((reason, instruction.line, instruction.operation))

    def depend(self, namespace, key, expected):
        """Rely on ``namespace[key] is expected`` (or on its absence: `ABSENT`)."""
        before = self.dependencies.setdefault((id(namespace), key), (namespace, key, expected))
        self.changed = self.changed or before[2] is not expected
        self.keep(namespace)
        self.keep(key)
        if expected is not ABSENT:
            self.know(expected)

    def depend_word(self, address, expected):
        """Rely on the 8 bytes at `address` staying what they are."""
        self.changed = self.changed or self.words.setdefault(address, expected) != expected

    def code_of(self, function):
        """The code object a function had when it was met first: all that is compiled here is compiled for that."""
        return self.codes.setdefault(id(function), (function, function.__code__))[1]

    def rely_on_code(self, function):
        """Rely on a function keeping the code object that `code_of` gives."""
        code = self.code_of(function)
        self.keep(function)
        self.keep(code)
        self.depend_word(id(function) + layout().function_code, id(code))

    def depend_like(self, code, function):
        """Rely on all that the version `code` of `function` relies on: it is called without being asked."""
        for namespace, key, expected in code.dependencies:
            namespace = function.__globals__ if namespace is None else namespace
            now = looked_up(namespace, key)
            self.changed = self.changed or not is_same(now, expected)
            self.depend(namespace, key, now)
        for address, expected in code.words.items():
            self.depend_word(address, expected)
        for reference in code.watched:
            item = reference()
            if item is not None:
                self.keep(item)

    def global_value(self, name):
        """(True, object) a global name stands for now, relied upon; (False, None) if it is not defined."""
        namespace = self.function.__globals__
        builtins = self.function.__builtins__
        if type(namespace) is not dict or type(builtins) is not dict:
            raise Unsupported("globals are no plain dict")
        value = looked_up(namespace, name)
        if value is not ABSENT:
            self.depend(namespace, name, value)
            return True, value
        value = looked_up(builtins, name)
        if value is not ABSENT:
            self.depend(namespace, name, ABSENT)
            self.depend(builtins, name, value)
            return True, value
        return False, None

    def match_arguments(self, walker, function, arguments, names):
        """Order a call's argument Values as the callee's parameters, defaults filled in; None if that needs CPython."""
        return self.manager.match_arguments(self, walker, function, arguments, names)

    def callee(self, walker, function, arguments):
        """The compiled version of `function` for these arguments, or None."""
        return self.manager.callee(self, walker, function, arguments)

    def seen_argument(self, function, index):
        """The Shape that an argument of a callee has been seen to have, or None."""
        return seen_at(index, self.manager.records[id(function)])

    def boxed_arguments(self, function, kinds):
        """Positions of the arguments, of these types, that the callee takes as objects though they are numbers."""
        return self.manager.records[id(function)].boxed_for(kinds)

    def nested(self, walker, record, arguments):
        """The compiled version of a function that another makes for itself, for its arguments and cells, or None. Args: record: see `comprehension_record`."""
        return self.manager.nested(self, walker, record, arguments)

    def comprehension(self, walker, made, arguments):
        """The compiled version of a comprehension in the function (a VirtualFunction), for its iterator and cells, or None."""
        return self.manager.comprehension(self, walker, made, arguments)


def handlers_missed(entries, bias):
    """Offsets of instructions whose exceptions would go to another handler than they should if compiled code raised them.

    Args:
        entries: as `exception_entries` gives them. bias: where CPython looks, in bytes from the instruction.
    """
    def handler(offset):
        return next((entry[2:] for entry in entries if entry[0] <= offset < entry[1]), None)

    borders = {offset for start, end, *_ in entries for offset in (start, end)}
    return {offset for offset in borders if handler(offset) != handler(offset + bias)}


def is_module(code):
    """Whether it is code of a module or a class body, which has a dict for its locals."""
    return not code.co_flags & _OPTIMIZED_NEWLOCALS


_STORES = {"STORE_GLOBAL", "STORE_NAME", "DELETE_GLOBAL", "DELETE_NAME"}


def check_compilable(code, may_be_module=False):
    """Refuse what compiled code cannot stand for.

    Args:
        may_be_module: code of modules and class bodies is let through, for who knows that its locals are its globals.

    Raises:
        Unsupported: generators, coroutines, class bodies.
    """
    if code.co_flags & SUSPENDED:
        raise Unsupported("generators and coroutines are interpreted")
    if code.co_flags & _OPTIMIZED_NEWLOCALS != (0 if may_be_module and is_module(code) else _OPTIMIZED_NEWLOCALS):
        raise Unsupported("class bodies and modules are interpreted")
    if code.co_stacksize > STACK_LIMIT:
        raise Unsupported("its operand stack is too large")
