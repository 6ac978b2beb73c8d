"""A version that compiled callers enter is compiled anew because an interpreted call met it: the wrapper that call came through must lead to the new one.

It was kept, because there were as many versions as before; each call of it went to the compiler and was interpreted, for as long as the program ran.
"""

import jit
from jit.dispatch import COMPILER
from jit.errors import Unsupported
from jit.machine import records


class First:
    x = 1


class Second:
    def __init__(self):
        self.x = 2


def make():
    space = {}
    exec("def leaf(item):\n    total = 0\n    for i in range(2):\n        total += item.x\n    return total\n"
         "def caller(item, n):\n    total = 0\n    for i in range(n):\n        total += leaf(item)\n    return total", space)
    for name in ("leaf", "caller"):
        space[name] = jit.jit(space[name])
    return space["leaf"], space["caller"], COMPILER.records[id(space["leaf"])]


def test_the_wrapper_leads_to_the_new_version(monkeypatch):
    leaf, caller, record = make()
    assert caller(First(), 10) == 20 and [leaf(First()) for _ in range(3)] == [2] * 3
    old, = record.versions
    assert any(cell.code is old for cell in record.cells.values()), "compiled callers enter it"
    monkeypatch.setattr("jit.machine.attention_handlers", [])  # an interpreted call is the first to see to it
    for _ in range(200):
        if record.versions != [old]:
            break
        assert leaf(Second()) == 4
    new, = record.versions
    assert new is not old and record.entry.versions == [new]
    before = jit.explain(leaf).versions[0].calls
    assert [leaf(Second()) for _ in range(100)] == [4] * 100
    assert jit.explain(leaf).versions[0].calls == before + 100
    assert caller(Second(), 10) == 40 and caller(First(), 10) == 20


def test_the_wrapper_learns_what_was_given_up_for_a_compiled_caller(monkeypatch):
    """A caller's compilation finds that a version holds no more, and that none can take its place."""
    leaf, _, record = make()
    assert [leaf(First()) for _ in range(3)] == [2] * 3
    old, = record.versions
    with COMPILER.lock:
        COMPILER.discard(record, old)
        record.refused[old.types] = Unsupported("it cannot be compiled any more")
        records.poison(old.version_record)
    missed, asked = [], COMPILER.missed
    monkeypatch.setattr(COMPILER, "missed", lambda *arguments: missed.append(arguments) or asked(*arguments), raising=False)
    assert [leaf(First()) for _ in range(10)] == [2] * 10
    assert len(missed) == 1
