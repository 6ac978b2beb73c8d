"""Redirecting function objects to machine code."""

import copy
import gc
import inspect
import operator
import pickle
import subprocess
import sys
import threading
import types
import weakref
from types import FunctionType

import pytest

from platforms import pages
from platforms.cpython import entry, observe, symbols
from platforms.cpython.layout import layout

# PyObject *first(callable, args, nargsf, kwnames): the first positional argument
FIRST = pages.place(
    bytes.fromhex(
        "48 8B 06"  # mov rax, [rsi]
        "48 FF 00"  # inc qword [rax]       never used with an immortal object here
        "C3"  # ret
    )
)
# the same, but the second
SECOND = pages.place(
    bytes.fromhex(
        "48 8B 46 08"  # mov rax, [rsi+8]
        "48 FF 00"  # inc qword [rax]
        "C3"  # ret
    )
)


class Marker:
    """Its instances are never immortal."""


ONE, TWO = Marker(), Marker()


def module_level(a, b=2, *, c=3):
    """A documented function."""
    return "interpreted"


def module_level_twin():
    """Never redirected."""


@pytest.fixture
def redirected():
    """module_level, redirected for one test."""
    entry.redirect(module_level, FIRST)
    yield module_level
    entry.restore(module_level)


def test_calls_run_the_machine_code(redirected):
    assert redirected(ONE, TWO) is ONE
    assert list(map(redirected, [TWO])) == [TWO]
    assert redirected(*(ONE, TWO)) is ONE
    assert redirected(ONE, b=TWO) is ONE


def test_restoring_brings_the_interpreter_back():
    assert not entry.is_redirected(module_level)
    entry.restore(module_level)  # harmless
    entry.redirect(module_level, FIRST)
    assert entry.is_redirected(module_level)
    entry.restore(module_level)
    assert not entry.is_redirected(module_level)
    assert type(module_level) is FunctionType
    assert module_level(1) == "interpreted"


def test_redirecting_again_replaces_the_code(redirected):
    entry.redirect(redirected, SECOND)
    assert redirected(ONE, TWO) is TWO


def specialised_sites(function, method_owner):
    def call():
        return function(ONE, TWO)

    def call_method():
        return method_owner.method(TWO)

    def subscript():
        return method_owner[TWO]

    def attribute():
        return method_owner.attribute

    sites = (call, call_method, subscript, attribute)
    for site in sites * 100:
        site()
    return sites


def test_specialised_call_sites_notice_both_ways():
    def function(a, b):
        return "interpreted"

    class Owner:
        def method(self, argument):
            return "interpreted"

        __getitem__ = method
        attribute = property(lambda self: "interpreted")

    owner = Owner()
    sites = specialised_sites(function, owner)
    targets = (function, Owner.method, Owner.attribute.fget)
    assert [site() for site in sites] == ["interpreted"] * 4
    entry.redirect(targets[0], FIRST), entry.redirect(targets[1], SECOND), entry.redirect(targets[2], FIRST)
    for _ in range(100):
        assert [site() for site in sites] == [ONE, TWO, TWO, owner]
    for target in targets:
        entry.restore(target)
    for _ in range(100):
        assert [site() for site in sites] == ["interpreted"] * 4


def test_the_original_vectorcall_interprets(redirected):
    """What machine code jumps to when it does not want a call."""
    original = entry.original_vectorcall()
    known = symbols.optional("_PyFunction_Vectorcall")
    assert known is None or original == known
    forward = pages.place(b"\x48\xb8" + original.to_bytes(8, "little") + b"\xff\xe0")  # mov rax, original; jmp rax
    entry.redirect(redirected, forward)
    assert redirected(ONE) == redirected(1, b=2, c=3) == "interpreted"
    with pytest.raises(TypeError, match="module_level"):
        redirected()


@pytest.mark.parametrize("other", [len, Marker, "f", None, operator.attrgetter("x"), [].append])
def test_only_functions_are_redirected(other):
    with pytest.raises(TypeError):
        entry.redirect(other, FIRST)
    assert not entry.is_redirected(other)


def test_bound_methods_are_not_functions_but_their_functions_are():
    class Owner:
        def method(self):
            return "interpreted"

    owner = Owner()
    bound = owner.method
    with pytest.raises(TypeError):
        entry.redirect(bound, FIRST)
    entry.redirect(Owner.method, FIRST)
    assert bound() is owner and owner.method() is owner
    assert owner.method.__func__ is Owner.method


# ---- nobody can tell


def test_introspection(redirected):
    assert isinstance(redirected, FunctionType)
    assert type(redirected).__name__ == type(redirected).__qualname__ == "function"
    assert type(redirected).__module__ == "builtins"
    assert repr(type(redirected)) == repr(FunctionType)
    assert repr(redirected) == f"<function module_level at {id(redirected):#x}>"
    assert inspect.isfunction(redirected) and inspect.isroutine(redirected) and callable(redirected)
    assert str(inspect.signature(redirected)) == "(a, b=2, *, c=3)"
    assert inspect.getsource(redirected).startswith("def module_level")
    assert inspect.getdoc(redirected) == redirected.__doc__ == "A documented function."
    assert redirected.__code__.co_name == redirected.__name__ == "module_level"
    assert redirected.__defaults__ == (2,) and redirected.__kwdefaults__ == {"c": 3}
    assert redirected.__globals__ is globals()
    assert redirected.__get__(1) == types.MethodType(redirected, 1)
    assert hash(redirected) == object.__hash__(redirected) and redirected in {redirected}
    assert redirected.__module__ == __name__
    assert set(dir(redirected)) == set(dir(module_level_twin))
    assert type(redirected).__doc__ == FunctionType.__doc__


def test_attributes_and_assignments(redirected):
    redirected.attribute = ONE
    assert redirected.attribute is ONE and redirected.__dict__ == {"attribute": ONE}
    del redirected.attribute
    for name, value in (("__module__", "elsewhere"), ("__doc__", None), ("__qualname__", "other"), ("__name__", "n")):
        before = getattr(redirected, name)
        setattr(redirected, name, value)
        assert getattr(redirected, name) == value
        setattr(redirected, name, before)
    del redirected.__doc__
    assert redirected.__doc__ is None
    redirected.__doc__ = "A documented function."
    redirected.__defaults__ = (5,)
    assert entry.is_redirected(redirected)
    redirected.__defaults__ = (2,)


def test_the_type_of_redirected_functions_is_as_closed_as_function(redirected):
    with pytest.raises(TypeError):
        type(redirected).attribute = 1
    with pytest.raises(TypeError):
        type("Derived", (type(redirected),), {})


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dumps", [pickle.dumps, pickle._dumps])
def test_pickled_by_name_like_any_function(redirected, protocol, dumps):
    data = dumps(redirected, protocol)
    assert pickle.loads(data) is redirected
    entry.restore(redirected)
    assert dumps(redirected, protocol) == data


def test_local_functions_are_not_pickled():
    def local():
        pass

    entry.redirect(local, FIRST)
    with pytest.raises((pickle.PicklingError, AttributeError), match="local"):
        pickle.dumps(local)


def test_copies_are_the_function_itself(redirected):
    assert copy.copy(redirected) is redirected
    assert copy.deepcopy([redirected])[0] is redirected


def test_cloudpickle_by_reference(redirected):
    cloudpickle = pytest.importorskip("cloudpickle")
    assert pickle.loads(cloudpickle.dumps(redirected)) is redirected


def test_cloudpickle_by_value():
    """A function of __main__ goes to another process by value; there it is interpreted again."""
    pytest.importorskip("cloudpickle")
    program = """
import subprocess, sys, cloudpickle
from platforms import pages
from platforms.cpython import entry
def make(closed_over):
    def function(a, b=2, *, c=3):
        return a, b, c, closed_over, TOP
    return function
TOP = "top"
function = make("closure")
if {redirect}:
    entry.redirect(function, pages.place(bytes.fromhex("488b0648ff00c3")))
    assert function([1]) == [1]
sys.stdout.buffer.write(cloudpickle.dumps(function))
"""
    load = "import pickle, sys; print(pickle.load(sys.stdin.buffer)([1], c=4))"
    answers = []
    for redirect in (False, True):
        command = [sys.executable, "-c", program.replace("{redirect}", str(redirect))]
        pickled = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
        answer = subprocess.run([sys.executable, "-c", load], input=pickled, stdout=subprocess.PIPE, check=True)
        answers.append(answer.stdout)
    assert answers == [b"([1], 2, 4, 'closure', 'top')\n"] * 2


def test_weak_references(redirected):
    assert weakref.ref(redirected)() is redirected

    def local():
        pass

    entry.redirect(local, FIRST)
    died = []
    reference = weakref.ref(local, died.append)
    del local
    assert reference() is None and died == [reference]


# ---- references


def closure(value):
    def function(argument=value):
        return value, function  # a cycle, so that the collector has to free it

    return function


def test_redirected_functions_are_freed_and_references_balance():
    """No type, closure or default is leaked or lost, by reference counting or by the collector."""
    value = Marker()

    def one_round(restored):
        for _ in range(200):
            function = closure(value)
            entry.redirect(function, FIRST)
            assert function(ONE) is ONE
            if restored:
                entry.restore(function)
        del function
        gc.collect()

    one_round(False)
    kind = FunctionType if layout().version != (3, 11) else entry._redirected_type()
    before = sys.getrefcount(value), sys.getrefcount(kind), sys.getrefcount(ONE)
    for restored in (False, True):
        one_round(restored)
        assert (sys.getrefcount(value), sys.getrefcount(kind), sys.getrefcount(ONE)) == before


def test_the_function_type_itself_is_unchanged(redirected):
    assert FunctionType.__flags__ & entry._BASETYPE == 0
    with pytest.raises(TypeError):
        type("Derived", (FunctionType,), {})
    assert observe.read(id(FunctionType) + layout().type_flags) == FunctionType.__flags__


def test_version_is_cleared(redirected):
    assert observe.read(id(redirected) + layout().function_version, 4) == 0


def test_redirecting_while_other_threads_call():
    def function(a, b):
        return a

    stop, errors = threading.Event(), []

    def work():
        while not stop.is_set():
            if function(ONE, TWO) is not ONE:
                errors.append("wrong result")

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for _ in range(300):
        entry.redirect(function, FIRST)
        entry.restore(function)
    stop.set()
    for worker in workers:
        worker.join()
    assert errors == []
