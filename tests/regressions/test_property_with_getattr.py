"""A property's getter was called directly, though its class has a `__getattr__` that is asked where it raises AttributeError: that was raised instead."""

import jit
import pytest

SOURCE = '''
class Meta(type):
    @property
    def of_class(cls):
        return cls.missing.attribute
    def __getattr__(cls, name):
        return "meta", name
class Asked(metaclass=Meta):
    __slots__ = ("empty",)
    @property
    def gone(self):
        del self.w
    @property
    def raising(self):
        raise AttributeError("no")
    @property
    def other(self):
        raise KeyError("no")
    @property
    def fine(self):
        return 1
    def __getattr__(self, name):
        if name == "refused":
            raise AttributeError(name)
        return "asked", name
class Derived(Asked):
    pass
class Late:
    @property
    def raising(self):
        del self.w
def gone(o): return o.gone
def raising(o): return o.raising
def other(o): return o.other
def fine(o): return o.fine
def empty(o): return o.empty
def refused(o): return o.refused
def called(o): return o.raising[0].upper()
def augmented(o): o.fine += 1
def of_class(o): return type(o).of_class
def asked_for(o): return hasattr(o, "raising"), getattr(o, "raising", None), getattr(o, "gone")
'''
FUNCTIONS = "gone raising other fine empty refused called augmented of_class asked_for".split()


def outcome(function, argument):
    try:
        return function(argument)
    except Exception as problem:
        return type(problem), problem.args


def programs():
    """The program as it is, and with everything in it compiled."""
    plain, fast = {}, {}
    for namespace in (plain, fast):
        exec(SOURCE, namespace)
    for kind in (fast["Asked"], fast["Late"]):
        for name, item in list(vars(kind).items()):
            if type(item) is property:
                compiled = property(jit.jit(item.fget))
                compiled.__set_name__(kind, name)
                setattr(kind, name, compiled)
    fast["Asked"].__getattr__ = jit.jit(vars(fast["Asked"])["__getattr__"])
    for name in FUNCTIONS:
        fast[name] = jit.jit(fast[name])
    return plain, fast


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", ["Asked", "Derived"])
def test_what_a_getter_raises(name, kind):
    plain, fast = programs()
    for _ in range(50):
        assert outcome(fast[name], fast[kind]()) == outcome(plain[name], plain[kind]())


def test_a_getattr_that_comes_later():
    plain, fast = programs()
    for namespace in (plain, fast):
        namespace["seen"] = [outcome(namespace["raising"], namespace["Late"]()) for _ in range(50)]
        namespace["Late"].__getattr__ = lambda self, name: name
        namespace["seen"] += [outcome(namespace["raising"], namespace["Late"]()) for _ in range(50)]
    assert fast["seen"] == plain["seen"]
