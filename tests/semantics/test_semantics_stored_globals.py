"""Globals that compiled functions store: everybody sees them at once, whoever took them for constant."""

import gc
import sys
import threading
import types
import weakref

import jit
import pytest
from compare import describe
from jit.dispatch import COMPILER

SOURCE = '''
COUNT = 0
PLAN = None
SCALE = 2.5
TEXT = "a"

def bump(by):
    global COUNT
    COUNT += by
    return COUNT

def scale(by):
    global SCALE
    SCALE = SCALE * by

def plan(item):
    global PLAN
    PLAN = item

def text(more):
    global TEXT
    TEXT = TEXT + more

def drop():
    global PLAN
    del PLAN

def reads():
    return COUNT, PLAN, SCALE, TEXT

def run(times, by):
    found = []
    for i in range(times):
        found.append(COUNT)
        bump(by)
        found.append((COUNT, SCALE))
        scale(1.5)
        plan([i])
        found.append((PLAN, SCALE, TEXT))
        text("b")
        plan(TEXT)
    return found, reads()
'''


def sides():
    """The source's namespace, interpreted and compiled."""
    plain, fast = {}, {}
    for space in (plain, fast):
        exec(compile(SOURCE, "<stored>", "exec"), space)
    for item in list(fast.values()):
        if callable(item) and hasattr(item, "__code__"):
            jit.jit(item)
    return plain, fast


@pytest.mark.parametrize("by", [1, 1000, -3, 2**40, 2**62, 1.5, True, "x"])
def test_callers_see_what_callees_store(by):
    plain, fast = sides()
    for times in (1, 3, 40, 2):
        results = []
        for space in (plain, fast):
            try:
                results.append(describe(space["run"](times, by), 6))
            except TypeError as problem:
                results.append(str(problem))
        assert results[0] == results[1]
        assert [plain[name] for name in ("COUNT", "PLAN", "TEXT")] == [fast[name] for name in ("COUNT", "PLAN", "TEXT")]


def test_who_took_it_for_constant():
    """Compiled while the global was constant; a store that tells nobody is compiled afterwards, and the old value comes back."""
    space = {"jit": jit}
    exec("LEVEL = 5\ndef read():\n    return LEVEL\ndef both(set_it, n):\n    before = LEVEL\n    set_it(n)\n    return before, LEVEL\n", space)
    read, both = jit.jit(space["read"]), jit.jit(space["both"])
    assert [read() for _ in range(3)] == [5, 5, 5]
    exec("def set_it(n):\n    global LEVEL\n    LEVEL = n\n", space)
    set_it = jit.jit(space["set_it"])
    for value in (6, 5, 7, 5, 5, 1000, 5, 2.5, 5, "a", 5):
        before = space["LEVEL"]
        assert both(set_it, value) == (before, value)
        assert read() == value == space["LEVEL"]


def test_what_is_replaced_dies_at_once():
    plain, fast = sides()
    counts = []
    for space in (plain, fast):
        class Item:
            pass

        log = []
        for number in range(12):
            item = Item()
            weakref.finalize(item, log.append, number)
            space["plan"](item)
            del item
            assert log == list(range(number))
        counts.append(sys.getrefcount(space["PLAN"]))
        space["plan"](None)
        assert log == list(range(12))
    assert counts[0] == counts[1]


def test_a_finaliser_that_looks_and_stores():
    plain, fast = sides()
    seen = []
    for space in (plain, fast):
        found = []

        class Item:
            def __del__(self):
                found.append((space["reads"]()[0], sys._getframe(1).f_code.co_name, space["PLAN"]))
                space["bump"](10)

        for number in range(8):
            space["plan"](Item() if number % 2 else number)
        space["plan"](None)
        seen.append(found)
    assert seen[0] == seen[1] and len(seen[0]) == 4


def test_names_that_come_and_go():
    plain, fast = sides()
    for space in (plain, fast):
        found = []
        for number in range(10):
            space["plan"](number)
            found.append(space["PLAN"])
            space["drop"]()
            assert "PLAN" not in space
            space[f"more{number}"] = number  # the table of names grows
        assert found == list(range(10))
        with pytest.raises(NameError):
            space["drop"]()


def test_threads_that_count():
    _, fast = sides()
    threads = [threading.Thread(target=lambda: [fast["bump"](1) for _ in range(2000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 2000 <= fast["COUNT"] <= 8000 and fast["bump"](0) == fast["COUNT"]


def test_namespaces_with_cycles_die():
    references = []
    for _ in range(5):
        plain, fast = sides()

        class Item:
            pass

        for space in (plain, fast):
            item = Item()
            item.space = space
            references.append(weakref.ref(item))
            for _ in range(4):
                space["plan"](item)
    del plain, fast, space, item
    gc.collect()
    assert not any(reference() for reference in references)


def test_generators_of_functions_that_are_gone():
    """The function of a generator expression dies with it; what its compiled parts relied on is known all the same."""
    space = {"jit": jit}
    exec("LEVEL = 5\ndef read(n):\n    return [x for x in map(int, (i * LEVEL for i in range(n)))]\n"
         "def both(n, set_it):\n    made = (i * LEVEL for i in range(n))\n    return next(made), next(made), set_it(7), next(made), next(made)\n", space)
    read, both = jit.jit(space["read"]), jit.jit(space["both"])
    COMPILER.want_generators(types.FunctionType(both.__code__.co_consts[1], space), False)
    for _ in range(8):
        assert both(9, lambda n: None) == (0, 5, None, 10, 15) and read(3) == [0, 5, 10]
    gc.collect()
    exec("def set_it(n):\n    global LEVEL\n    LEVEL = n\n", space)
    set_it = jit.jit(space["set_it"])
    for value in (5, 5, 5, 5, 5):
        set_it(value)
        assert both(9, set_it) == (0, 5, None, 14, 21)
