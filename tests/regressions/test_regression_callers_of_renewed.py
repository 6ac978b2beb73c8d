"""A callee is compiled anew and gives another type of result, or is given up: its compiled callers may not jump into the old version for ever.

They left at each call, because it did, and were not given up, because what a callee leaves by is not their fault.
"""

import jit
from jit.bodies import BodyCell
from jit.dispatch import COMPILER


def make():
    space = {}
    exec("def callee(x):\n    total = 0\n    for i in range(x):\n        total += i\n    return total\ndef caller(x):\n    return callee(x) + callee(x + 1)\n"
         "def outer(x):\n    return caller(x) - caller(1)", space)
    for name in ("callee", "caller", "outer"):
        space[name] = jit.jit(space[name])
    wanted = space["outer"](5)
    assert wanted == space["outer"](5)
    return space, wanted, {name: COMPILER.records[id(space[name])] for name in ("callee", "caller", "outer")}


def jumps_into(record, old):
    return any(cell.code is old for code in record.versions for cell in code.callees)


def test_another_type_of_result(monkeypatch):
    space, wanted, records = make()
    old, = records["callee"].versions
    assert jumps_into(records["caller"], old)
    monkeypatch.setattr(BodyCell, "can_lead", lambda self, code: False)
    with COMPILER.lock:
        COMPILER.renew(records["callee"], old)
    assert old not in records["callee"].versions and not jumps_into(records["caller"], old)
    assert [space["outer"](5) for _ in range(3)] == [wanted] * 3


def test_given_up(monkeypatch):
    space, wanted, records = make()
    old, = records["callee"].versions
    monkeypatch.setattr("jit.attention.records.asks_for_attention", lambda address: address == old.version_record)
    monkeypatch.setattr(COMPILER, "is_useless", lambda code, state: True, raising=False)
    with COMPILER.lock:
        COMPILER.attend(records["callee"])
    monkeypatch.undo()
    assert not records["callee"].versions and not jumps_into(records["caller"], old)
    assert [space["outer"](5) for _ in range(3)] == [wanted] * 3


def test_a_version_goes_with_another_of_the_same_function(monkeypatch):
    """Both ask for attention, and one calls the other."""
    space = {}
    exec("def walk(x, deep):\n    total = 0\n    for i in range(3):\n        total += i\n    return total + walk(0.5, False) if deep else total", space)
    walk = space["walk"] = jit.jit(space["walk"])
    for _ in range(3):
        assert walk(1, True) == 6 and walk(0.5, False) == 3
    record = COMPILER.records[id(walk)]
    versions = list(record.versions)
    if not any(jumps_into(record, code) for code in versions):
        record.versions[0].callees.append(BodyCell(record.versions[-1]))
    monkeypatch.setattr("jit.attention.records.asks_for_attention", lambda address: True)
    monkeypatch.setattr(COMPILER, "learn", lambda record, code: False, raising=False)
    monkeypatch.setattr(COMPILER, "is_useless", lambda code, state: True, raising=False)
    with COMPILER.lock:
        COMPILER.attend(record)
    monkeypatch.undo()
    assert not record.versions
    assert [walk(1, True) for _ in range(3)] == [6] * 3
