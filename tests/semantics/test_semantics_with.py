"""With blocks: what managers are, what happens in the blocks, how they are left, and what can be seen of it."""

import contextlib
import decimal
import gc
import re
import sys
import threading

import pytest

import jit
from compare import child, copies, outcome

from jit.dispatch import COMPILER

LOG = []


class Plain:
    def __init__(self, answer=False):
        self.answer, self.count = answer, 0

    def __enter__(self):
        self.count += 1
        LOG.append(("enter", sys._getframe(1).f_lineno - sys._getframe(1).f_code.co_firstlineno, sorted(sys._getframe(1).f_locals)))
        return self.count

    def __exit__(self, kind, error, trace):
        LOG.append(("exit", kind and kind.__name__, sys._getframe(1).f_lineno - sys._getframe(1).f_code.co_firstlineno))
        return self.answer


class Small:
    __slots__ = ("count",)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False


class Fast(Plain):
    """Compiled, so that they are called directly."""

    @jit.jit
    def __enter__(self):
        self.count += 1
        if self.answer is None and self.count == 5:
            raise KeyError(self.count)
        return self.count

    @jit.jit
    def __exit__(self, kind, error, trace):
        self.count += 10
        if self.answer is None and kind is None and self.count > 30:
            raise LookupError(self.count)
        return self.answer


class FastSmall(Small):
    """Small enough to be walked in the place of their calls."""

    @jit.jit
    def __enter__(self):
        return self

    @jit.jit
    def __exit__(self, kind, error, trace):
        return kind is not None


class Derived(Plain):
    def __exit__(self, kind, error, trace):
        super().__exit__(kind, error, trace)
        return None


class FailsToEnter(Plain):
    def __enter__(self):
        raise KeyError("enter")


class FailsToExit(Plain):
    def __exit__(self, *error):
        raise LookupError("exit")


class NoEnter:
    def __exit__(self, *error):
        pass


class NoExit:
    def __enter__(self):
        LOG.append("entered")


class Odd:
    """Neither is a plain function."""

    @staticmethod
    def __enter__():
        return "static"

    @classmethod
    def __exit__(cls, *error):
        LOG.append((cls.__name__, len(error)))


class Properties:
    @property
    def __enter__(self):
        LOG.append("looked up enter")
        return lambda: "property"

    @property
    def __exit__(self):
        LOG.append("looked up exit")
        return lambda *error: True


class Own(Small):
    """Special methods are the class's, whatever an instance has."""

    __slots__ = ("__dict__",)

    def __init__(self):
        self.__enter__ = self.__exit__ = None


class Replacing(Small):
    def __enter__(self):
        Replacing.__exit__ = lambda self, *error: LOG.append("the new one")
        return 1

    def __exit__(self, *error):
        LOG.append("the old one")


@contextlib.contextmanager
def generated():
    LOG.append("begins")
    try:
        yield 5
    finally:
        LOG.append("ends")


MANAGERS = {
    "plain": Plain, "true": lambda: Plain(True), "small": Small, "derived": Derived, "fast": Fast, "fast and true": lambda: Fast(True),
    "fast and fails": lambda: Fast(None), "fast and small": FastSmall, "fails to enter": FailsToEnter, "fails to exit": FailsToExit,
    "no enter": NoEnter, "no exit": NoExit, "odd": Odd, "properties": Properties, "own": Own, "replacing": Replacing, "generated": generated,
    "lock": threading.Lock, "rlock": threading.RLock, "condition": threading.Condition, "view": lambda: memoryview(b"abc"),
    "suppress": lambda: contextlib.suppress(ZeroDivisionError), "stack": contextlib.ExitStack, "null": contextlib.nullcontext, "decimal": decimal.localcontext,
    "int": lambda: 5, "none": lambda: None, "class": lambda: Plain,
}


def straight(manager, number):
    total = 0
    for index in range(4):
        with manager as found:
            total += index * number
    return total, type(found).__name__


def ignored(manager, number):
    with manager:
        number += 1
    return number


def branches(manager, number):
    for index in range(6):
        with manager:
            if index == 1:
                continue
            if index == number:
                break
            for _ in range(2):
                number += 0
    else:
        return "all", index
    return index


def returns(manager, number):
    with manager as found:
        return found.__class__, number


def raises(manager, number):
    done = []
    for index in range(4):
        try:
            with manager:
                done.append(1 // (index - number))
        except (ZeroDivisionError, LookupError) as error:
            done.append((type(error), error.__context__ and type(error.__context__)))
    return done


def uncaught(manager, number):
    with manager:
        number = number // 0
    return number


def nested(manager, number):
    with manager as first, Small() as second:
        with Small():
            number += 1
        return type(first), type(second), number


def makes(manager, number):
    total = 0
    for index in range(4):
        with Plain(index) as found:
            total += found
    return total


def finally_too(manager, number):
    log = []
    for index in range(3):
        try:
            with manager:
                log.append(index)
                if index == number:
                    raise ValueError(index)
        finally:
            log.append("finally")
    return log


FUNCTIONS = [straight, ignored, branches, returns, raises, uncaught, nested, makes, finally_too]


@pytest.fixture(autouse=True)
def restored():
    before = Replacing.__exit__
    LOG.clear()
    yield
    Replacing.__exit__ = before


def run(function, make, number):
    """What calls give, raise and note, with the tracebacks' lines; the manager is the same for some calls."""
    found = []
    old = Replacing.__exit__
    for turn in range(7):
        manager = make()
        for _ in range(2):
            LOG.clear()
            found.append((outcome(function, [manager, number]), LOG[:]))
        Replacing.__exit__ = old
    return repr(found).replace(hex(id(manager)), "")


@pytest.mark.parametrize("name", MANAGERS)
@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_all_managers(function, name):
    for number in (2, 0):
        (plain,), (compiled,) = copies(function)
        make = MANAGERS[name]
        assert strip(run(compiled, make, number)) == strip(run(plain, make, number))


def strip(text):
    return re.sub(r"0x[0-9a-f]+", "", text)


@pytest.mark.parametrize("function", [straight, branches, nested], ids=lambda function: function.__name__)
def test_several_managers_at_one_place(function):
    (plain,), (compiled,) = copies(function)
    order = ["plain", "small", "derived", "lock", "plain", "odd", "own", "generated", "small", "fast", "true", "int", "fast and small", "lock"] * 4
    for name in order:
        LOG.clear()
        wanted = outcome(plain, [MANAGERS[name](), 2]), LOG[:]
        LOG.clear()
        assert strip(repr((outcome(compiled, [MANAGERS[name](), 2]), LOG[:]))) == strip(repr(wanted)), name


def test_blocks_are_compiled():
    for manager in (Small(), Plain(), threading.Lock(), Fast(), FastSmall()):
        (_,), (compiled,) = copies(straight)
        for _ in range(200):
            compiled(manager, 3)
        record = COMPILER.records[id(compiled)]
        assert record.versions and not any("BEFORE_WITH" in str(leaving.reason) or "manager" in str(leaving.reason) for leaving in record.versions[0].exits)


def test_references():
    def use(manager, number):
        for _ in range(3):
            with manager as found:
                number += 1
        return found is manager
    (plain,), (compiled,) = copies(use)
    for manager in (Small(), threading.Lock(), Plain(), Fast(), FastSmall()):
        growth = []
        for function in (plain, compiled):
            for _ in range(100):
                function(manager, 1)
            gc.collect()
            before = sys.getrefcount(manager), sys.getrefcount(type(manager).__exit__), sys.getrefcount(type(manager))
            for _ in range(100):
                function(manager, 1)
            gc.collect()
            growth.append([after - count for after, count in zip((sys.getrefcount(manager), sys.getrefcount(type(manager).__exit__), sys.getrefcount(type(manager))), before)])
        assert growth[0] == growth[1] == [0, 0, 0]


def test_managers_die_when_their_block_ends():
    program = """
import jit, sys
LOG = []
class Loud:
    def __init__(self, name): self.name = name
    def __enter__(self):
        LOG.append(("enter", self.name))
        return self.name
    def __exit__(self, *error): LOG.append(("exit", self.name))
    def __del__(self): LOG.append(("died", self.name, sys._getframe(1).f_lineno))
def use(n):
    for i in range(n):
        with Loud(i) as name:
            LOG.append(("in", name))
        LOG.append("behind")
    try:
        with Loud("fails"):
            raise KeyError
    except KeyError:
        LOG.append("caught")
def run(use):
    found = []
    for n in (3, 2, 4, 3, 3):
        LOG.clear()
        use(n)
        found.append(LOG[:])
    return found
plain = run(use)
use = jit.jit(use)
Loud.__enter__ = jit.jit(Loud.__enter__)
Loud.__exit__ = jit.jit(Loud.__exit__)
for _ in range(30): use(2)
print(run(use) == plain)
"""
    assert child(program) == "True\n"


def test_what_exit_sees():
    """The exception, its traceback, and the frame that holds them."""
    class Looks:
        def __enter__(self):
            return self

        def __exit__(self, kind, error, trace):
            LOG.append((kind, error and error.args, trace and trace.tb_lineno - sys._getframe(1).f_code.co_firstlineno,
                        sys._getframe(1).f_locals["number"], sys._getframe(1).f_lineno - sys._getframe(1).f_code.co_firstlineno))
            return True

    def use(manager, number):
        for index in range(5):
            with manager:
                number += index
                if index == 3:
                    raise ValueError(index)
        return number
    (plain,), (compiled,) = copies(use)
    for _ in range(20):
        LOG.clear()
        wanted = plain(Looks(), 1), LOG[:]
        LOG.clear()
        assert (compiled(Looks(), 1), LOG[:]) == wanted
