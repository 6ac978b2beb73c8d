"""Looking into the compiler, and making it do what it rarely does, from outside: the product knows nothing of this.

`features` collects what compilations reach. `forced_guards` compiles code in which every guard can be made to fail at its n-th
execution. `one_register` leaves the allocator a single register of each class. `stages` records what the compiler prints.
Each is a context manager that replaces functions of the compiler and puts them back.
"""

import ctypes
import re
from contextlib import contextmanager

import jit.dispatch  # noqa: F401  (declares templates and handlers)
from asm import Assembler
from asm.instructions import METHODS
from jit import compiler, dump
from jit.emitter import Emitter
from jit.machine import records

#: A counter that never gets to zero.
NEVER = 1 << 62
GUARD_LIMIT = 4096
CONDITIONAL = sorted(name for name in METHODS if name.startswith("j") and name != "jmp")
PUSHFQ, POPFQ = b"\x9c", b"\x9d"


@contextmanager
def replaced(owner, **functions):
    """Attributes of a module, class or dict item replaced for a while; each value is called with the old one."""
    old = {name: getattr(owner, name) for name in functions}
    try:
        for name, make in functions.items():
            setattr(owner, name, make(old[name]))
        yield
    finally:
        for name, item in old.items():
            setattr(owner, name, item)


# -- what is reached -----------------------------------------------------------------------------------------


class Reached:
    """What compilations have reached.

    Attributes:
        features: set of texts, see fuzz/coverage.py. keys: the same as tuples of objects, to be quick where nothing is new.
    """

    def __init__(self):
        self.features = set()
        self.keys = set()

    def note(self, order):
        """Take up the operations of one compilation, in linear order."""
        keys, fresh = self.keys, set()
        for block in order:
            before = None
            for operation in (*block.operations, block.terminator):
                instruction = operation.instruction
                name = None if instruction is None else instruction.operation
                types = tuple([value.type for value in operation.arguments if value is not None])
                key = operation.template, types, name
                if key not in keys:
                    fresh.add(key)
                leaving = operation.exit
                if leaving is not None:
                    key = operation.template, leaving.reason
                    if key not in keys:
                        fresh.add(key)
                if name is not before:
                    key = before, name
                    if key not in keys:
                        fresh.add(key)
                    before = name
        if fresh:
            keys |= fresh
            for key in fresh:
                self.features.update(_texts(key))


def _texts(key):
    if len(key) == 3:
        template, types, name = key
        kinds = ",".join([kind.name for kind in types[:3]])
        yield f"template:{template.label}:{kinds}"
        if name is not None:
            yield f"opcode:{name}"
            yield f"types:{name}:{kinds}"
    elif isinstance(key[0], (str, type(None))):
        yield f"pair:{key[0]},{key[1]}"
    else:
        yield f"guard:{key[0].label}:{key[1]}"


@contextmanager
def reaching():
    """Note what is compiled in here; yields a `Reached`."""
    reached = Reached()

    def make(old):
        def is_worthwhile(order, *running):
            reached.note(order)
            return old(order, *running)
        return is_worthwhile

    with replaced(compiler, is_worthwhile=make):
        yield reached


def exits_taken(functions):
    """Features of the exits that versions of these functions have taken."""
    found = set()
    for function in functions:
        record = jit.dispatch.COMPILER.records.get(id(function))
        for code in () if record is None else (*record.versions, *record.retired):
            for leaving in code.exits:
                if leaving.routine != "observe" and records.read_count(leaving.address):
                    found.add(f"exit:{leaving.operation}:{leaving.reason}")
    return found


def versions_of(function):
    """The Code objects of a function that calls enter now."""
    record = jit.dispatch.COMPILER.records.get(id(function))
    return [] if record is None else record.versions


# -- guards that fail on demand ------------------------------------------------------------------------------


class Guards:
    """The guards of code compiled under `forced_guards`.

    Attributes:
        names: of each, (canonical operation, reason).
    """

    def __init__(self):
        self.names = []
        self.counters = (ctypes.c_int64 * GUARD_LIMIT)(*[NEVER] * GUARD_LIMIT)

    def add(self, leaving):
        """Address of a new guard's counter, or None if there are too many."""
        if len(self.names) == GUARD_LIMIT:
            return None
        self.names.append((leaving.instruction.operation, leaving.reason))
        return ctypes.addressof(self.counters) + 8 * (len(self.names) - 1)

    def reset(self):
        """Let no guard fail, and count executions from 0."""
        for number in range(len(self.names)):
            self.counters[number] = NEVER

    def executed(self):
        """How often each guard ran since `reset`."""
        return [NEVER - self.counters[number] for number in range(len(self.names))]

    def fail(self, number, time):
        """Make a guard fail at its `time`-th execution from now (1: the next)."""
        self.counters[number] = time


@contextmanager
def forced_guards():
    """Compile so that every conditional jump to a side exit can be forced; yields `Guards`.

    Exits are never too many for a version here, so that it is not compiled anew.
    """
    guards, labels = Guards(), {}

    def make_stub(old):
        def stub(emitter, leaving, routine=None):
            label = old(emitter, leaving, routine)
            if (routine or leaving.routine) == "exit_start":
                labels[label] = leaving
            return label
        return stub

    def make_jump(old):
        def jump(asm, target):
            leaving = labels.get(target)
            address = None if leaving is None else guards.add(leaving)
            if address is not None:
                emit_countdown(asm, target, address)
            old(asm, target)
        return jump

    methods = {name: METHODS[name] for name in CONDITIONAL}
    with replaced(Emitter, stub=make_stub), replaced(records, FIRST_EXIT_LIMIT=lambda old: NEVER):
        jumps = {name: make_jump(method) for name, method in methods.items()}
        METHODS.update(jumps)
        try:
            with replaced(Assembler, **{name: lambda old, jump=jump: jump for name, jump in jumps.items()}):
                yield guards
        finally:
            METHODS.update(methods)


def emit_countdown(asm, target, address):
    """Count `address` down and jump to `target` when it gets to 0; flags and registers stay as they are."""
    from asm import mem64, rax
    forced = asm.label("forced")
    asm.db(PUSHFQ)
    asm.push(rax)
    asm.mov(rax, address)
    asm.sub(mem64(rax, 0), 1)
    asm.pop(rax)
    METHODS_JE(asm, forced)
    asm.db(POPFQ)
    with asm.cold():
        asm.bind(forced)
        asm.db(POPFQ)
        asm.jmp(target)


METHODS_JE = METHODS["je"]


# -- other compilations --------------------------------------------------------------------------------------


@contextmanager
def one_register(number):
    """Leave the allocator one general and one xmm register, chosen by `number`."""
    few = {"gpr": (compiler.GPRS[number % len(compiler.GPRS)],), "xmm": (compiler.XMMS[number % len(compiler.XMMS)],)}

    def make(old):
        def allocate(intervals, registers, clobbers, loops=()):
            for interval in intervals:
                # A parameter prefers the register it arrives in.
                if interval.fixed not in few[interval.register_class]:
                    interval.fixed = None
            return old(intervals, registers, clobbers, loops)
        return allocate

    with replaced(compiler, REGISTERS=lambda old: few, allocate=make):
        yield


_ADDRESS = re.compile(r"\b0x[0-9a-f]+|\b[0-9]{8,}\b")


@contextmanager
def stages():
    """Yields a list that gets what every compilation prints of its stages, addresses left out."""
    printed = []
    with replaced(dump, STAGES=lambda old: {"instructions", "values", "intervals", "exits"},
                  write=lambda old: lambda text: printed.append(_ADDRESS.sub("#", text))):
        yield printed
