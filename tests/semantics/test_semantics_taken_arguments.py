"""Arguments that only their call holds die where the callee lets go of them: it takes them over from its caller."""

import pytest

from compare import child

HEAD = """
import functools, gc, sys, weakref
from jit import jit
log = []
class Thing:
    def __init__(self, name):
        self.name = name
        self.next = None
    def __del__(self):
        log.append(self.name)
def busy(x):
    total = 0
    for i in range(3):
        total += i * x
        if total > 100:
            total -= 50
    return total
def show(*what):
    print(*what, log)
    log.clear()
"""

PROGRAMS = {
    "deleted": """
def use(thing, number):
    dead = weakref.ref(thing)
    number += busy(number)
    del thing
    log.append("deleted")
    return dead() is None, number
def work():
    for n in range(6):
        show(use(Thing("a"), n))
        thing = Thing("b")
        show(use(thing, n))
        del thing
        show()
FUNCTIONS = [use, busy]
""",
    "bound anew": """
def use(thing, other):
    thing = busy(2)
    log.append("first")
    other = Thing("new")
    log.append("second")
    return thing
def work():
    for _ in range(6):
        show(use(Thing("a"), Thing("b")))
        both = Thing("c")
        show(use(both, both))
FUNCTIONS = [use, busy]
""",
    "before the callee's variables": """
def use(thing, other):
    mine = Thing("mine")
    busy(1)
    return thing.name
def work():
    for _ in range(6):
        show(use(Thing("a"), 1))
        show(use(Thing("a"), Thing("b")))
FUNCTIONS = [use, busy]
""",
    "methods and closures": """
class User:
    def method(self, thing):
        mine = Thing("mine")
        busy(2)
        thing = None
        log.append("in between")
    def __del__(self):
        log.append("user")
def made(thing):
    def inner(other):
        mine = Thing("mine")
        other = busy(3)
        return thing.name, other
    return inner(Thing("inner"))
def kept(thing):
    def get():
        return thing.name
    busy(1)
    return get
def work():
    for _ in range(6):
        show(User().method(Thing("a")))
        show(made(Thing("b")))
        get = kept(Thing("c"))
        show(get())
        del get
        show()
FUNCTIONS = [User.method, made, kept, busy]
""",
    "a list that is walked through": """
def chain(length):
    first = None
    for i in range(length):
        link = Thing(i)
        link.next = first
        first = link
    return first
def walk(link):
    seen = 0
    while link is not None:
        seen += link.name
        link = link.next
        log.append("next")
    return seen
def work():
    for _ in range(4):
        show(walk(chain(4)))
FUNCTIONS = [chain, walk]
""",
    "recursion": """
def down(thing, depth):
    mine = Thing(("mine", depth))
    if depth:
        result = down(Thing(depth), depth - 1)
        log.append(("back", depth))
        return result
    thing = None
    log.append("bottom")
    return depth
def work():
    for _ in range(6):
        show(down(Thing("a"), 3))
FUNCTIONS = [down]
""",
    "errors": """
def use(thing, x):
    mine = Thing("mine")
    y = 10 // x
    del thing
    log.append("deleted")
    return [1, 2][x] + y
def work():
    for x in (1, 1, 0, 2, 1, 0, 2, None, 1, "", 0):
        try:
            show(use(Thing("a"), x))
        except Exception as error:
            show(repr(error))
            del error
        show("after")
FUNCTIONS = [use]
""",
    "C code goes on using its own": """
def key(thing):
    name = thing.name
    del thing
    log.append("key")
    return name
def work():
    for _ in range(4):
        show(sorted([Thing(2), Thing(1), Thing(3)], key=key)[0].name)
        show([*map(key, [Thing(4), Thing(5)])])
        show(functools.partial(key)(Thing(6)))
        show(functools.reduce(lambda a, b: key(b), [Thing(7), Thing(8)]))
        show(max([Thing(9), Thing(10)], key=key).name)
FUNCTIONS = [key]
""",
    "calls that are interpreted after all": """
def use(thing, x):
    if x.real == 1:
        thing = None
    log.append("used")
    return x.imag
class Number(int):
    pass
def work():
    for x in (1, 2, 1.5, True, Number(3), 1j, 1, 1 << 70, 2, Number(1), 1.5, 1) * 3:
        show(use(Thing("a"), x))
        thing = Thing("b")
        before = sys.getrefcount(thing), sys.getrefcount(None) > 100
        show(use(thing, x))
        show(before == (sys.getrefcount(thing), True))
        del thing
        log.clear()
FUNCTIONS = [use]
""",
    "references stay what they are": """
def use(a, b, c):
    a, b = b, a
    if c % 3 == 0:
        raise ValueError(c)
    a = None
    return c
def work():
    for one, two in ((Thing(1), Thing(2)), ([], {}), (None, "text"), (3.5, Thing)):
        before = [sys.getrefcount(item) for item in (one, two)]
        for c in range(100):
            for call in (lambda: use(one, two, c), lambda: use(c=c, b=two, a=one), lambda: list(map(use, [one], [two], [c])), lambda: use(one, one, c)):
                try:
                    call()
                except ValueError:
                    pass
        after = [sys.getrefcount(item) for item in (one, two)]
        # Anything that runs meanwhile may count None: of 400 calls, each of which loses or makes a reference, more than that would be left.
        show([abs(now - then) < 20 if item is None else now - then for item, now, then in zip((one, two), after, before)])
    del one, two
    log.clear()
FUNCTIONS = [use]
""",
    "looked into on one way only": """
class Sub(list):
    pass
def viewed(x, view):
    x += 1
    if x > 100:
        view[-1] = 3
    return x
def read(x, thing, other):
    x = x + 1
    if x > 100:
        x = thing.name
    kept = thing
    return kept, x
def listed(x, items, more):
    x, more = more, x
    if more > 50:
        x = items[0]
    elif more > 100:
        x = more[-1]
    return x
def work():
    view = memoryview(bytearray(b"abc"))
    items, sub, tail = [1, 2], Sub([1, 2]), (1,)
    thing, other = Thing("kept"), Thing("other")
    everything = view, items, sub, thing, other, tail
    before = list(map(sys.getrefcount, everything))
    for x in (0, 101, 5, 99, 100, 200, 7) * 20:
        viewed(x, view)
        read(x, thing, other)
        listed(x, items, tail)
        listed(x, sub, tail)
        read(x, Thing("new"), other)
    show([count - old for count, old in zip(map(sys.getrefcount, everything), before)])
    del thing, other, everything
    show()
FUNCTIONS = [viewed, read, listed]
""",
}
RUN = "if COMPILED:\n    for function in FUNCTIONS:\n        jit(function)\n{extra}work()\nwork()\n"
#: Whether what calls is compiled as well, and calls without an entry in between.
CALLERS = {"interpreted": "", "compiled": "if COMPILED:\n    jit(work)\n"}


@pytest.mark.parametrize("caller", CALLERS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_arguments_die_where_the_callee_lets_go(name, caller):
    texts = [f"COMPILED = {compiled}" + HEAD + PROGRAMS[name] + RUN.format(extra=CALLERS[caller]) for compiled in (False, True)]
    plain, compiled = map(child, texts)
    assert plain == compiled


def test_native_functions_leave_the_caller_its_references():
    child(HEAD + """
from jit import native
def use(thing, x):
    thing = [x]
    return 10 // x
call = native(use, list, int)
thing = []
before = sys.getrefcount(thing)
for x in (1, 2, 1 << 40, 5) * 50:
    assert call(thing, x) == 10 // x
    try:
        call(thing, 0)
    except ZeroDivisionError:
        pass
assert sys.getrefcount(thing) == before
""")
