"""== and != of instances whose classes leave it to `object`: the same as interpreted, also when they do no longer."""

import pytest

from tests.semantics.test_semantics_attributes import run_both

SAME = """
class A: pass
class B(A): pass
class C: pass
class Equal:
    def __eq__(self, other):
        log.append(type(other).__name__)
        return True
def walk(things, wanted):
    found = []
    for thing in things:
        if thing != wanted:
            found.append(thing == wanted)
        if wanted == thing:
            found.append(thing == thing)
    return found
"""

PROGRAMS = {
    "several classes and None": SAME + """
def main():
    a, b, c = A(), B(), C()
    things = [a, b, c, None] * 5
    return [walk(things, wanted) for wanted in (a, b, None, c, A())]
""",
    "others come": SAME + """
def main():
    a, b = A(), B()
    things = [a, b, None] * 8
    return [walk(things, wanted) for wanted in (a, None, Equal(), 5, 'x', b)], walk([a, 1, 2.5, Equal(), [], b], a)
""",
    "an __eq__ that comes and goes": SAME + """
def main():
    a, b = A(), B()
    things = [a, b, None] * 8
    result = [walk(things, a)]
    A.__eq__ = lambda self, other: True
    result.append(walk(things, a))
    del A.__eq__
    result.append(walk(things, a))
    B.__ne__ = lambda self, other: 'different'
    result.append(walk(things, b))
    del B.__ne__
    return result, walk(things, b)
""",
    "temporaries": SAME + """
class Noisy:
    def __del__(self):
        log.append('gone')
def make():
    return Noisy()
def step(wanted):
    return make() == wanted, make() != make()
def main():
    keep = Noisy()
    return [step(keep) for _ in range(8)]
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_same_both_ways(name):
    run_both(PROGRAMS[name])
