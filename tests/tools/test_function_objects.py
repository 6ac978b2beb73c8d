"""What `@jit` gives back is the function: all that uses function objects works as before."""

import copy
import functools
import gc
import inspect
import os
import pickle
import subprocess
import sys
import typing
import weakref

import pytest

import carried_module
import jit
from command_line import ROOT, environment, run_text


@jit.jit
def measure(a: int, /, b: "float" = 2.5, *, unit: str = "m") -> str:
    """How long it is."""
    return f"{a * b} {unit}"


@jit.jit
def scale(x, factor=2):
    return x * factor


def is_compiled(function):
    return jit.explain(function).state == "compiled"


def test_copies_are_the_function_itself():
    assert scale(2) == 4
    assert copy.copy(scale) is scale and copy.deepcopy({"f": [scale]})["f"][0] is scale


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickled_by_reference(protocol):
    assert carried_module.triple(2) == 6
    data = pickle.dumps(carried_module.triple, protocol)
    assert pickle.loads(data) is carried_module.triple


def test_a_function_pickled_by_reference_is_compiled_where_it_is_imported():
    assert carried_module.triple(2) == 6
    text = ("import pickle, sys, jit\nf = pickle.load(sys.stdin.buffer)\nassert f(5) == 15\n"
            "assert jit.explain(f).state == 'compiled'\nprint('compiled')")
    variables = environment()
    variables["PYTHONPATH"] = os.pathsep.join([str(ROOT / "tests" / "tools"), variables["PYTHONPATH"]])
    done = subprocess.run([sys.executable, "-c", text], input=pickle.dumps(carried_module.triple), capture_output=True,
                          env=variables, timeout=60)
    assert (done.stdout, done.stderr) == (b"compiled\n", b"")


def test_signature_and_what_else_inspect_tells():
    assert str(inspect.signature(measure)) == "(a: int, /, b: 'float' = 2.5, *, unit: str = 'm') -> str"
    assert inspect.signature(scale).bind(3).args == (3,)
    assert inspect.isfunction(scale) and inspect.isroutine(scale) and not inspect.isbuiltin(scale)
    assert inspect.getsource(scale).startswith("@jit.jit\ndef scale")
    assert inspect.getfullargspec(scale).defaults == (2,)
    assert inspect.getdoc(measure) == "How long it is."
    assert inspect.unwrap(scale) is scale
    assert typing.get_type_hints(measure) == {"a": int, "b": float, "unit": str, "return": str}


def test_attributes_of_functions():
    @jit.jit
    def f(a, b=3):
        return a + b

    assert (f.__name__, f.__qualname__.rpartition(".")[2], f.__module__, f.__defaults__) == ("f", "f", __name__, (3,))
    assert f(1) == 4
    f.extra = [1]
    assert f.extra == [1] and "extra" in vars(f)
    f.__defaults__ = (10,)
    assert f(1) == 11
    f.__name__ = "g"
    assert f.__name__ == "g" and "f at" in repr(f)
    assert hash(f) == object.__hash__(f) and f == f and f in {f: 1}


def test_wraps_of_a_decorated_function():
    @functools.wraps(scale)
    def wrapper(*arguments):
        return scale(*arguments) + 1

    assert (wrapper.__wrapped__, wrapper.__name__, str(inspect.signature(wrapper))) == (scale, "scale", "(x, factor=2)")
    assert wrapper(3) == 7 and wrapper(1.5) == 4.0
    assert jit.explain(wrapper).state == "not decorated"


def test_decorating_a_wrapper():
    def plain(n):
        return n + 1

    @jit.jit
    @functools.wraps(plain)
    def wrapper(n):
        return plain(n) * 2

    assert wrapper(2) == 6 and wrapper.__wrapped__ is plain


def test_other_callables_made_of_one():
    assert functools.partial(scale, factor=5)(2) == 10
    assert functools.lru_cache(scale)(4) == 8
    assert functools.reduce(scale, [1, 2, 3]) == 6
    assert list(map(scale, range(3))) == [0, 2, 4] and sorted([3, -4], key=scale) == [-4, 3]

    @functools.singledispatch
    def kind(value):
        return "any"

    kind.register(int, jit.jit(lambda value: value + 1))
    assert (kind(2), kind("a")) == (3, "any")


def test_weak_references():
    died = []

    def function(n):
        return n + 1

    reference = weakref.ref(jit.jit(function), died.append)
    assert function(1) == 2 and reference() is function
    del function
    gc.collect()
    assert reference() is None and died == [reference]


def test_weak_methods():
    class C:
        @jit.jit
        def method(self):
            return 1

    instance = C()
    method = weakref.WeakMethod(instance.method)
    assert method()() == 1
    del instance
    gc.collect()
    assert method() is None


class Kinds:
    @jit.jit
    def method(self, n):
        return n + 1

    @jit.jit
    @staticmethod
    def static_inside(n):
        return n + 2

    @staticmethod
    @jit.jit
    def static_outside(n):
        return n + 3

    @jit.jit
    @classmethod
    def class_inside(cls, n):
        return cls, n + 4

    @classmethod
    @jit.jit
    def class_outside(cls, n):
        return cls, n + 5

    @property
    @jit.jit
    def number(self):
        return 6


class Derived(Kinds):
    def method(self, n):
        return super().method(n) * 10


@pytest.mark.parametrize("owner", [Kinds, Derived])
def test_methods_of_every_kind_and_order(owner):
    instance = owner()
    for _ in range(3):
        assert instance.method(1) == (2 if owner is Kinds else 20)
        assert owner.static_inside(1) == instance.static_inside(1) == 3
        assert owner.static_outside(1) == instance.static_outside(1) == 4
        assert owner.class_inside(1) == instance.class_inside(1) == (owner, 5)
        assert owner.class_outside(1) == instance.class_outside(1) == (owner, 6)
        assert instance.number == 6
    for name in ("static_inside", "static_outside", "class_inside", "class_outside"):
        assert is_compiled(getattr(Kinds, name))
    assert isinstance(Kinds.__dict__["static_inside"], staticmethod) and isinstance(Kinds.__dict__["class_inside"], classmethod)


def test_bound_methods():
    instance = Kinds()
    bound = instance.method
    assert bound.__self__ is instance and bound.__func__ is Kinds.method and bound(4) == 5
    assert jit.jit(bound) is bound


CARRY = """
import sys, cloudpickle, jit
TOP = 10

def make(closed_over):
    @jit.jit
    def function(a, b=2, *, c=3):
        return a + b + c + closed_over + TOP
    return function

@jit.jit
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

@jit.jit
def generate(n):
    yield n

class Point:
    @jit.jit
    def shift(self, n):
        return n + TOP

def plain(n):
    return n

f = make(100)
assert fib(5) == 5 and f(1, c=1) == 114
sys.stdout.buffer.write(cloudpickle.dumps([f, fib, jit.jit(lambda n: n * 2), generate, Point, plain]))
"""

ARRIVE = """
import pickle, sys
f, fib, double, generate, Point, plain = pickle.load(sys.stdin.buffer)
import jit
assert f(1, c=1) == 114 and f(1) == 116 and fib(15) == 610 and double(4) == 8 and double(1.5) == 3.0
assert list(generate(3)) == [3] and Point().shift(5) == 15 and plain(1) == 1
compiled = jit.available().ok
for function in (double, fib):
    assert jit.explain(function).state == ("compiled" if compiled else "interpreted")
assert jit.explain(plain).state == ("not decorated" if compiled else "interpreted")
print(jit.statistics().functions, len(jit.explain(double).versions))
import gc, weakref
gone = weakref.ref(double)
del double, function
gc.collect()
assert gone() is None
"""


@pytest.mark.parametrize("disabled, printed", [("", b"5 2\n"), ("1", b"0 0\n")])
def test_functions_carried_by_value_are_compiled_where_they_arrive(disabled, printed):
    pytest.importorskip("cloudpickle")
    sent = subprocess.run([sys.executable, "-c", CARRY], capture_output=True, env=environment(), timeout=60)
    assert sent.stderr == b""
    done = subprocess.run([sys.executable, "-c", ARRIVE], input=sent.stdout, capture_output=True,
                          env=environment(JIT_DISABLE=disabled), timeout=60)
    assert (done.stdout, done.stderr) == (printed, b"")


def test_carried_within_one_process():
    pytest.importorskip("cloudpickle")
    done = run_text("""
import cloudpickle, pickle, functools, jit
f = jit.jit(lambda n: n + 1)
assert f(1) == 2
g = pickle.loads(cloudpickle.dumps(f))
assert g is not f and g(1) == 2 and jit.explain(g).state == "compiled"
wrapper = functools.wraps(f)(lambda n, f=f: -f(n))
h = pickle.loads(cloudpickle.dumps(wrapper))
assert h(1) == -2 and jit.explain(h).state == "not decorated"
alone = functools.wraps(f)(lambda n: n)
del f, alone.__wrapped__, wrapper, g, h
assert pickle.loads(cloudpickle.dumps(alone))(3) == 3  # it bears the mark of a function that is gone
print("ok")
""")
    assert (done.stdout, done.stderr) == ("ok\n", "")
