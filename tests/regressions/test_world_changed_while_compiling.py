"""Other threads run while the compiler does, and change what it has looked at already: the guards were given the state at the end."""

import jit.compiler
import pytest
from jit import explain, jit as decorate, receivers


@pytest.fixture
def meanwhile(monkeypatch):
    """meanwhile(change): `change()` is called once, in the middle of the next compilation, as another thread might do it."""
    original = jit.compiler.hoist
    pending = []

    def hoist(*arguments):
        if pending:
            pending.pop()()
        return original(*arguments)

    monkeypatch.setattr(jit.compiler, "hoist", hoist)
    return pending.append


def namespace(source):
    found = {}
    exec(source, found)
    return found


def test_a_global_is_rebound(meanwhile):
    world = namespace("g = 1\ndef f(x): return g + x")
    f = decorate(world["f"])
    meanwhile(lambda: world.update(g=2))
    assert [f(10), f(10), f(10)] == [12, 12, 12]
    world["g"] = 3
    assert f(10) == 13 and explain(f).state == "compiled"


def test_a_global_is_rebound_to_and_fro(meanwhile):
    world = namespace("g = 1\ndef f(x): return g + x")
    f = decorate(world["f"])
    meanwhile(lambda: world.update(g=2) or world.update(g=1))
    assert [f(10), f(10)] == [11, 11]
    world["g"] = 3
    assert f(10) == 13


def test_a_global_is_shadowed_or_deleted(meanwhile):
    world = namespace("def f(x): return abs(x)")
    f = decorate(world["f"])
    meanwhile(lambda: world.update(abs=lambda x: "mine"))
    assert [f(-1), f(-1)] == ["mine", "mine"]
    world = namespace("g = 1\ndef f(x): return g + x")
    f = decorate(world["f"])
    meanwhile(lambda: world.pop("g"))
    for _ in range(2):
        with pytest.raises(NameError):
            f(1)


@pytest.mark.parametrize("use", ["item.name()", "item.number", "K.name(item)", "K.number", "K().number", "item + item", "item.prop"])
def test_a_class_is_changed(monkeypatch, use):
    """When the compiler has found its attribute, and before it goes on."""
    world = namespace(f"""
class K:
    number = 1
    def __init__(self): pass
    def name(self): return self.number
    def __add__(self, other): return self.number
    @property
    def prop(self): return self.number + 0

def f(item):
    return {use}
""")
    kind, f = world["K"], decorate(world["f"])
    item = kind()
    original = receivers.class_attribute
    numbers = iter(range(2, 60))

    def class_attribute(owner, name):
        found = original(owner, name)
        if owner is kind and name in use or name == "__init__":
            change(kind, next(numbers, kind.number))
        return found

    monkeypatch.setattr(receivers, "class_attribute", class_attribute)
    for _ in range(300):
        found = f(item)
        assert found == kind.number
    change(kind, 100)
    assert [f(item), f(item)] == [100, 100]


def change(kind, number):
    kind.number = number
    kind.name = lambda self: number
    kind.__add__ = lambda self, other: number
    kind.prop = property(lambda self: number)
    kind.__init__ = lambda self: None


def test_a_callee_gets_other_code(meanwhile):
    world = namespace("def g(x): return x + 1\ndef h(x): return x + 2\ndef f(x): return g(x) * 10")
    f, g = decorate(world["f"]), decorate(world["g"])
    meanwhile(lambda: setattr(g, "__code__", world["h"].__code__))
    assert [f(1), f(1), f(1)] == [30, 30, 30]


def test_a_callee_gets_other_defaults(meanwhile):
    world = namespace("def g(x, y=1): return x + y\ndef f(x): return g(x) * 10")
    f, g = decorate(world["f"]), decorate(world["g"])
    meanwhile(lambda: setattr(g, "__defaults__", (2,)))
    assert [f(1), f(1), f(1)] == [30, 30, 30]


def test_the_function_gets_other_code(meanwhile):
    world = namespace("def f(x): return x + 1\ndef h(x, y=5):\n a = b = c = x\n return x + 2 + y + a - b + c - a")
    f = decorate(world["f"])
    meanwhile(lambda: setattr(f, "__code__", world["h"].__code__))
    with pytest.raises(TypeError):  # the call finds the new code
        f(1)
    f.__defaults__ = (5,)
    assert [f(1), f(1), f(1)] == [8, 8, 8]


def test_classes_without_version_tags():
    """CPython 3.13 gives a class no more than a thousand; without one, changes of the class cannot be guarded."""
    world = namespace("""
class K:
    def __init__(self): self.x = 1
    number = 0

def make(): return K().x
def read(item): return item.number
def of_class(): return K.number
""")
    kind = world["K"]
    item = kind()
    for number in range(1500):
        kind.number = number
        assert item.number == number
    functions = [decorate(world[name]) for name in ("make", "read", "of_class")]
    make, read, of_class = functions
    for number in range(2000, 2100):
        kind.number = number
        for _ in range(3):
            assert (make(), read(item), of_class()) == (1, number, number)

    def other(self):
        self.x = "other"

    kind.__init__ = other
    assert [make(), make()] == ["other", "other"]
