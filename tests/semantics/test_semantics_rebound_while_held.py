"""What a variable or the operand stack names lives on when a call rebinds the global, the attribute or the cell it was read from."""

import functools

import pytest

from compare import child

HEAD = """
import gc, sys
from jit import jit
log = []
class Thing:
    def __init__(self, name):
        self.name = name
    def __del__(self):
        log.append("gone " + self.name)
    def __call__(self, *rest):
        return self.name, rest
def churn():
    "give freed memory to others"
    gc.collect()
    return [Thing("other") for _ in range(40)], ["x" * n for n in range(200)], [lambda: n for n in range(40)], [type("C", (), {}) for _ in range(4)]
"""

PROGRAMS = {
    "an instance in a local": """
def reset():
    global thing
    thing = Thing("first")
def rebind():
    global thing
    thing = None
    churn()
def work():
    kept = thing
    rebind()
    return kept.name, thing
""",
    "an instance on the stack": """
def reset():
    global thing
    thing = Thing("first")
def rebind():
    global thing
    thing = None
    churn()
def work():
    found = (thing, rebind(), thing)
    return found[0].name, found[1:]
""",
    "a function on the stack": """
def reset():
    global called
    exec("def called(x, y): return x, y, 'called'", globals())
def rebind():
    global called
    called = None
    churn()
    return 5
def work():
    return called(1, rebind())
""",
    "a function in a local": """
def reset():
    global called
    exec("def called(x, y): return x + y", globals())
def rebind():
    global called
    called = None
    churn()
    return 5
def work():
    kept = called
    return [kept(i, rebind()) for i in range(3)], kept.__name__, sum(kept(i, 2) for i in range(3))
""",
    "a class in a local": """
def reset():
    global Kind
    Kind = type("Kind", (), {"x": 5})
def rebind():
    global Kind
    Kind = None
    churn()
def work():
    kept = Kind
    rebind()
    return kept.x, kept.__name__, kept().x
""",
    "a method on the stack": """
class Owner:
    pass
owner = Owner()
def reset():
    exec("def method(self, x): return x, 'method'", globals())
    Owner.method = globals().pop("method")
def rebind():
    if hasattr(Owner, "method"):
        del Owner.method
    churn()
    return 5
def work():
    return owner.method(rebind())
""",
    "a module's attribute": """
import types
module = types.ModuleType("module")
def reset():
    exec("def called(x): return x, 'called'", module.__dict__)
def rebind():
    module.called = None
    churn()
    return 5
def work():
    return module.called(rebind())
""",
    "a module": """
import types
def reset():
    global module
    module = types.ModuleType("module")
    exec("def called(x): return x, 'called'", module.__dict__)
def rebind():
    global module
    module = None
    churn()
    return 5
def work():
    kept = module
    rebind()
    return kept.called(4), kept.__name__
""",
    "a class's attribute": """
class Owner:
    pass
def reset():
    Owner.thing = Thing("first")
def rebind():
    Owner.thing = None
    churn()
def work():
    kept = Owner.thing
    rebind()
    return kept.name
""",
    "a closure variable": """
def make():
    called = None
    def reset():
        nonlocal called
        exec("def called(x): return x, 'called'", globals())
        called = globals().pop("called")
    def rebind():
        nonlocal called
        called = None
        churn()
        return 5
    def work():
        kept = called
        return called(rebind()), kept.__name__
    return reset, rebind, work
reset, rebind, work = make()
""",
    "in a loop": """
def reset():
    global thing
    thing = Thing("first")
def rebind(i):
    global thing
    if i == 2:
        thing = Thing("second")
        churn()
def work():
    names = []
    for i in range(5):
        kept = thing
        rebind(i)
        names.append(kept.name)
    return names
""",
    "on two paths": """
def reset():
    global thing, other
    thing, other = Thing("first"), Thing("second")
def rebind():
    global thing, other
    thing = other = None
    churn()
def work():
    found = []
    for flag in (True, False, 3):
        if flag is True:
            kept = thing
        elif flag:
            kept = None
        else:
            kept = other
        if not flag:
            rebind()
        found.append(kept and kept.name)
    return found
""",
    "a callable instance": """
def reset():
    global thing
    thing = Thing("first")
def rebind():
    global thing
    thing = None
    churn()
    return 5
def work():
    return thing(rebind())
""",
    "a list": """
def reset():
    global items
    items = [5, 2.5]
def rebind():
    global items
    items = None
    churn()
    return 5
def work():
    kept = items
    return rebind(), kept[0], len(kept)
""",
    "two finalisers": """
def reset():
    global thing, watched
    thing, watched = Thing("first"), Thing("second")
def rebind():
    global thing
    thing = None
    churn()
    return 5
def work():
    kept = thing
    names = kept.name, rebind()
    kept = None
    log.append("let go")
    return names
""",
}

TAIL = """
if COMPILED:
    for function in FUNCTIONS:
        if function in globals():
            jit(globals()[function])
    for inner in vars(Thing).values():
        if type(inner) is type(jit):
            jit(inner)
def name(found):
    return [name(item) for item in found] if type(found) in (tuple, list) else found
def run():
    for _ in range(6):
        reset()
        try:
            print(name(work()))
        except Exception as problem:
            print(type(problem), problem)
        for kept in gc.get_objects():
            if type(kept) is Thing and kept.name != "other":
                log.append("lives " + kept.name)
        kept = None
        gc.collect()
        print([text for text in log if text != "gone other"])
        log.clear()
run()
"""


@pytest.mark.parametrize("compiled", ["work", "work rebind", "work rebind reset churn"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_named_lives(name, compiled):
    assert printed(name, compiled) == printed(name, "")


@functools.cache
def printed(name, compiled):
    """What a program prints, with these of its functions compiled."""
    return child(HEAD + PROGRAMS[name] + f"COMPILED, FUNCTIONS = {bool(compiled)}, {compiled.split()!r}" + TAIL, environment={"JIT_EAGER": "1"})


COUNTS = HEAD + """
import types
module = types.ModuleType("module")
class Owner:
    def method(self, x):
        return x
    callback = None
owner = Owner()
thing = Thing("first")
def called(x, y=0):
    return x
def may_raise(i):
    if i % 3 == 0:
        raise ValueError(i)
    return i
def names(i):
    kept = called
    other = thing if i % 2 else Owner
    owner.callback = called
    try:
        return called(may_raise(i), thing), Owner.method(owner, may_raise(i + 1)), [kept(may_raise(j)) for j in (1, 2, i)], module.called(kept, y=may_raise(i)), thing(other)
    except ValueError:
        return called(owner.method(may_raise(1)), Owner()), owner.callback
module.called = called
named = called, Owner, thing, Owner.method, module
def counts():
    for i in range(60):
        names(i)
    return [sys.getrefcount(item) for item in named]
for function in (names, called, may_raise, Owner.method, Thing.__call__):
    jit(function)
for i in range(4):
    counts()
before = counts()
print([after - number for number, after in zip(before, counts())])
"""


def test_references_are_given_back():
    assert child(COUNTS, environment={"JIT_EAGER": "1"}).strip() == "[0, 0, 0, 0, 0]"
