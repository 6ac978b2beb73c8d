"""Attributes of instances that have a dict, and ints overwritten in place: the same as interpreted."""

import ctypes
import gc
import sys
import weakref

import jit
import pytest
from compare import copies, outcome

from tests.semantics.test_semantics_attributes import run_both

NUMBERS = "(0, 1, -1, 256, 257, -5, -6, 2**30 - 1, 2**30, -2**30, 2**31, -2**31, 2**60 - 1, 2**60, -2**60, 2**62, 2**63 - 1, -2**63)"

#: A class whose shared keys are full: its later attributes make the instances' values move into dicts.
FULL = """
class C:
    def __init__(self, n):
        self.first = n
made = [C(n) for n in range(60)]
def prepare():
    for c in made:
        c.late = 0
        c.other = None
"""

PROGRAMS = {
    "ints": FULL + f"""
def step(c, n):
    for i in range(n):
        c.late += i
        c.first = c.late - 300
    return c.late
def main():
    prepare()
    result = []
    for c, start in zip(made, {NUMBERS}):
        c.late = start
        result.append(step(c, 3)), result.append(list(c.__dict__.items()))
    return result
""",
    "ints that somebody else holds": FULL + f"""
def step(c, kept):
    for i in range(3):
        kept.append(c.late)
        c.late += 1000
        held = c.late
        c.late = c.late - 1
        kept.append(held)
    return kept
def main():
    prepare()
    result = []
    for c, start in zip(made, {NUMBERS}):
        c.late = c.first = start
        result.append(step(c, [c.late]) if start < 2**62 else c.late)
        result.append(c.first)
    return result
""",
    "ints in values": f"""
class C:
    def __init__(self, n):
        self.n = n
    def set(self, n):
        self.n = n
def main():
    result = []
    for start in {NUMBERS}:
        c = C(start)
        for number in {NUMBERS}:
            before = c.n
            c.set(number + 7 if number < 2**62 else number - 7)
            result.append((before, c.n, -c.n, hash(c.n), c.n == number + 7))
    return result
""",
    "objects of all kinds": FULL + """
def swap(c, value):
    old = c.late
    c.late = value
    c.other = old
    return c.late, c.other
def main():
    prepare()
    values = [1.5, None, True, 'text', [], (1,), 2**100, False, -0.0, 7, float('inf')]
    return [swap(c, value) for c in made[:20] for value in values]
""",
    "deleted and set again": FULL + """
def set_it(c, i):
    c.late = i
    return c.late
def main():
    prepare()
    result = []
    for i, c in enumerate(made):
        if i % 7 == 3:
            del c.late
        if i % 7 == 5:
            del c.first
        result.append(set_it(c, i))
        result.append(list(c.__dict__))
    return result
""",
    "missing": FULL + """
def get(c):
    return c.late
def main():
    prepare()
    for c in made[:30]:
        get(c)
    del made[31].late
    return get(made[31])
""",
    "another dict": FULL + """
class D(dict):
    pass
def step(c, i):
    c.late = c.late + i
    return c.late
def main():
    prepare()
    result = [step(c, 1) for c in made]
    made[3].__dict__ = {'late': 5, 'x': 1}
    made[4].__dict__ = D(late=6)
    made[5].__dict__ = {1: 2, 'late': 7}
    made[6].__dict__ = {'first': 1, 'late': 2, 'other': 3}
    made[7].__dict__ = {'first': 1, 'lat' + 'e': 2}
    return result + [step(c, 1000) for c in made] + [list(c.__dict__.items()) for c in made]
""",
    "the dict of the module": FULL + """
def helper():
    return 1
def one():
    return 1
def two():
    return 2
class G:
    pass
def call():
    return helper()
def step(g, function):
    before = call()
    g.helper = function
    return before, call()
def main():
    for i in range(60):
        g = G()
        g.a = 1
    g.b = 1
    g.__dict__ = globals()
    return [step(g, function) for function in (one, two) * 20]
""",
    "finalisers": FULL + """
import sys
over = []
class Noisy:
    def __init__(self, c, n):
        self.c, self.n = c, n
    def __del__(self):
        if not over:
            frame = sys._getframe(1)
            log.append((self.n, self.c.late.__class__.__name__, frame.f_code.co_name, frame.f_lineno))
        self.c.other = self.n
        if self.n % 5 == 0:
            self.c.late = None
def replace(c, value):
    c.late = value
    return c.late.__class__.__name__, c.other
def main():
    prepare()
    result = [replace(c, Noisy(c, n)) for n, c in enumerate(made * 2)]
    over.append(True)
    prepare()
    over.clear()
    return result
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_both_ways(name):
    side = run_both(PROGRAMS[name])
    side.get("over", []).append(True)


class Late:
    def __init__(self, n):
        self.first = n


def instances():
    made = [Late(n) for n in range(60)]
    for late in made:
        late.x = 0
        late.y = None
    return made


@jit.jit
def put(late, value):
    late.y = value


@jit.jit
def count(late):
    late.x += 1000
    return late.x


def test_a_dict_is_tracked_once_it_leads_to_containers():
    """Or the collector would never find the cycle."""
    for late in instances():
        put(late, 5)
        late.__dict__.update(first=1, y=1)
    for late in instances():
        late.cycle = weakref.ref(late).__class__  # a class: not tracked with the instance's values
        put(late, late)
        reference = weakref.ref(late)
    del late
    gc.collect()
    assert reference() is None


def test_reference_counts():
    marker = object()
    before = sys.getrefcount(marker)
    for _ in range(20):
        for late in instances():
            put(late, marker)
            put(late, None)
            put(late, marker)
    del late
    gc.collect()
    assert sys.getrefcount(marker) == before


def test_what_is_overwritten_was_nobody_elses():
    for late in instances():
        kept = [count(late) for _ in range(5)]
        assert kept == [1000, 2000, 3000, 4000, 5000]
        held = late.x
        count(late)
        assert (held, late.x) == (5000, 6000)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="dicts are watched from 3.12 on")
def test_watchers_are_told():
    api, events = ctypes.pythonapi, []
    kind = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.py_object, ctypes.c_void_p, ctypes.c_void_p)
    callback = kind(lambda event, *_: events.append(event) or 0)
    watcher = api.PyDict_AddWatcher(callback)
    made = instances()
    for late in made:
        put(late, None)
    try:
        api.PyDict_Watch(watcher, ctypes.py_object(late.__dict__))
        put(late, "seen")
        put(late, "again")
        assert len(events) == 2
        api.PyDict_Unwatch(watcher, ctypes.py_object(late.__dict__))
    finally:
        api.PyDict_ClearWatcher(watcher)


class Late:
    """Few attributes at first, more later: on 3.11 these make a dict of the values."""

    def __init__(self, n):
        self.a = n

    def method(self):
        return "method"

    def other(self):
        return self.method(), self.a


def set_late(thing, n):
    thing.b = n
    thing.b += 1
    thing.c = thing.b
    return thing.b, thing.c, thing.method(), thing.other()


def read_late(thing):
    return thing.b


def call_late(thing):
    return thing.method()


def various(count):
    """Instances that have come to their dicts in different ways."""
    made = []
    for number in range(count):
        thing = Late(number)
        if number % 5 == 1:
            vars(thing)
        if number % 5 == 2:
            thing.__dict__["z"], thing.__dict__["b"] = 1, 2
        if number % 5 == 3:
            thing.__dict__ = {f"name{place}": place for place in range(number % 30)}
            thing.a = 5
        if number % 5 == 4:
            for place in range(number):
                setattr(thing, f"attribute{place}", place)
        if number % 7 == 3:
            thing.c = 1
            del thing.c
        if number % 11 == 10:
            thing.method = lambda: "its own"
        if number % 13 == 12:
            vars(thing)[1] = 2
        made.append(thing)
    return made


@pytest.mark.parametrize("function, arguments", [(set_late, (7,)), (read_late, ()), (call_late, ())])
def test_dicts_of_all_forms(function, arguments):
    (plain,), (fast,) = copies(function)
    jit.jit(Late.other), jit.jit(Late.method)
    for turn in range(3):
        for one, other in zip(various(80), various(80)):
            assert outcome(plain, (one, *arguments)) == outcome(fast, (other, *arguments))
            assert list(map(repr, vars(one).items())) == list(map(repr, vars(other).items())) or "method" in vars(one)


def test_a_method_is_hidden_and_shown_again():
    (plain,), (fast,) = copies(call_late)
    things = various(40)
    for turn in range(6):
        for number, thing in enumerate(things):
            if number % 3 == turn % 3:
                thing.method = lambda: "hidden"
            elif "method" in vars(thing):
                del thing.method
            assert plain(thing) == fast(thing)


def test_names_that_meet_in_the_index():
    """Names whose search begins where that of the method does."""
    (plain,), (fast,) = copies(call_late)
    names = [name for name in (f"n{number}" for number in range(5000)) if (hash(name) ^ hash("method")) & 31 == 0][:12]
    for count in range(len(names)):
        thing = Late(1)
        for name in names[:count]:
            setattr(thing, name, name)
        vars(thing)
        for _ in range(5):
            assert plain(thing) == fast(thing) == "method"
        thing.method = lambda: "its own"
        assert plain(thing) == fast(thing) == "its own"
