"""Memory of compiled functions is bounded: the least used make room, and nothing that runs is given back."""

import gc
import sys
import threading
from contextlib import contextmanager

import pytest

from jit import eviction, explain, jit, statistics
from jit.budget import BUDGET
from jit.dispatch import COMPILER
from jit.eviction import LIMIT, blocks_held, limit_from_environment
from jit.machine import arena
from platforms.cpython import stacks


@contextmanager
def limited(room):
    """Let compiled functions have so many bytes more than now, and look for what can go at each compilation.

    What other tests have left counts neither as room nor as something that has to go.
    """
    gc.collect()
    with COMPILER.lock:
        dropped = COMPILER.sweep()
    del dropped
    gc.collect()
    before = COMPILER.code_limit, COMPILER.sweep_at, eviction.KEPT
    used = arena().used_bytes
    COMPILER.code_limit = used + room
    COMPILER.sweep_at = 0
    eviction.KEPT = (used + eviction.KEPT * room) / max(1, used + room)
    try:
        yield
    finally:
        COMPILER.code_limit, COMPILER.sweep_at, eviction.KEPT = before


def make(number):
    """A function unlike others."""
    space = {"jit": jit}
    lines = [f"    total = (total * {number + 3} + n) % {1000 + step}" for step in range(20)]
    exec(f"@jit\ndef f{number}(n, callback=None):\n    total = n\n" + "\n".join(lines) +
         "\n    if callback is not None:\n        callback()\n    return total\n", space)
    return space[f"f{number}"]


def expected(number, n):
    total = n
    for step in range(20):
        total = (total * (number + 3) + n) % (1000 + step)
    return total


def sweep_every_time():
    COMPILER.sweep_at = 0


def test_memory_stays_within_the_limit_and_results_stay_right():
    functions = [make(number) for number in range(40)]
    with limited(150_000):
        limit, evicted = COMPILER.code_limit, COMPILER.evicted
        for turn in range(2):
            for number, function in enumerate(functions):
                sweep_every_time()
                assert function(turn) == expected(number, turn)
                assert arena().used_bytes < limit + 100_000
        assert COMPILER.evicted > evicted
        assert statistics().evicted == COMPILER.evicted


def test_what_is_used_stays():
    used = make(1000)
    used(1)
    others = [make(number) for number in range(1001, 1040)]
    before = COMPILER.evicted
    with limited(150_000):
        for number, function in enumerate(others):
            for _ in range(50):
                used(2)
            sweep_every_time()
            function(3)
        assert COMPILER.evicted > before
        assert explain(used).state == "compiled" and explain(used).versions[0].calls > 1500
    assert used(5) == expected(1000, 5)


def test_a_running_function_is_not_given_back():
    outer, others = make(2000), [make(number) for number in range(2001, 2030)]
    seen = []

    def evict_all():
        for number, function in enumerate(others):
            sweep_every_time()
            seen.append(function(number) == expected(2001 + number, number))

    with limited(0):
        assert outer(7, evict_all) == expected(2000, 7)
        assert outer(8, evict_all) == expected(2000, 8)
    assert len(seen) == 2 * len(others) and all(seen)


def test_a_function_that_waits_in_another_thread_is_not_given_back():
    function, others = make(3000), [make(number) for number in range(3001, 3030)]
    go, waiting = threading.Event(), threading.Event()
    results = []

    def wait():
        waiting.set()
        assert go.wait(30)

    function(1, waiting.is_set)
    thread = threading.Thread(target=lambda: results.append(function(9, wait)))
    thread.start()
    assert waiting.wait(30)
    version = COMPILER.records[id(function)].versions[0]
    assert version.block in blocks_held()
    with limited(0):
        for number, other in enumerate(others):
            sweep_every_time()
            assert other(number) == expected(3001 + number, number)
    go.set()
    thread.join()
    assert results == [expected(3000, 9)]


def test_replaced_versions_are_given_back():
    """All but a few: a word that an earlier call left on the stack may hold one of them."""
    values = [1, 1.5, "a", True, b"b", [1]]
    found = []
    for _ in range(12):
        space = {"jit": jit}
        exec("@jit\ndef show(value):\n    return value * 2\n", space)
        show = space["show"]
        for value in values:
            assert show(value) == value * 2
        record = COMPILER.records[id(show)]
        for code in list(record.versions):
            COMPILER.discard(record, code)
        COMPILER.install(record, show)
        assert record.retired and record.old_entries
        found.append((show, record))
    before = arena().used_bytes
    dropped = COMPILER.sweep()
    gone = [not record.retired and not record.old_entries for _, record in found]
    assert sum(gone) >= 9
    del dropped
    gc.collect()
    assert arena().used_bytes < before
    for show, _ in found:
        assert [show(value) for value in values] == [value * 2 for value in values]


def test_automatic_functions_go_back_to_the_interpreter_and_wake(monkeypatch):
    monkeypatch.setattr(BUDGET, "unlimited", True)
    space = {}
    exec("def counted(n):\n    total = 0\n    for i in range(n):\n        total += i * i\n    return total\n", space)
    counted = space["counted"]
    record = COMPILER.register(counted, automatic=True)
    COMPILER.prepare(counted, 5)
    wanted = sum(i * i for i in range(5))
    assert counted(5) == wanted and record.versions
    with limited(0):
        COMPILER.evict(1 << 30)
        assert record.asleep and not record.versions
        assert counted(5) == wanted and not record.versions
        COMPILER.wake(record, counted)
    assert counted(5) == wanted and record.versions and not record.asleep


def test_stacks_with_coroutines_of_other_kinds_are_not_looked_through(monkeypatch):
    function, before = make(4000), COMPILER.evicted
    with limited(0):
        monkeypatch.setitem(sys.modules, "greenlet", object())
        with pytest.raises(stacks.Unknown, match="greenlet"):
            stacks.pointers_into(0, 1)
        assert function(3) == expected(4000, 3)
    assert COMPILER.evicted == before


@pytest.mark.parametrize("text, limit", [("", LIMIT), ("1000000", 1_000_000), ("0", LIMIT), ("-5", LIMIT), ("many", LIMIT), ("9" * 30, LIMIT)])
def test_limit_from_the_environment(monkeypatch, capsys, text, limit):
    monkeypatch.setenv("JIT_CODE_LIMIT", text)
    assert limit_from_environment() == limit
    assert ("is not a number of bytes" in capsys.readouterr().err) == (text in ("0", "-5", "many"))


def test_functions_that_only_compiled_code_called():
    """They have versions, but no wrapper that could be kept for those who may be in it."""
    space = {}
    exec("def inner(n):\n    total = n\n    for step in range(3):\n        total += step\n    return total\n"
         "def outer(n): return inner(n) + inner(n)\n", space)
    before, COMPILER.automatic = COMPILER.automatic, lambda function: COMPILER.register(function, automatic=True)
    unlimited, BUDGET.unlimited = BUDGET.unlimited, True
    try:
        outer = jit(space["outer"])
        assert outer(1) == 8
        record = COMPILER.records[id(space["inner"])]
        assert record.versions and record.entry is None
        with COMPILER.lock:
            COMPILER.evict(1 << 40)
            COMPILER.sweep()
        assert outer(1) == 8 and space["inner"](1) == 4
        with COMPILER.lock:
            COMPILER.evict(1 << 40)
            COMPILER.sweep()
        assert outer(2) == 10
    finally:
        COMPILER.automatic, BUDGET.unlimited = before, unlimited


DYING = {
    "functions that call each other": """
def even(n):
    return True if n == 0 else odd(n - 1)
def odd(n):
    return False if n == 0 else even(n - 1)
def call():
    return even(6), odd(5), even(3)
""",
    "generators": """
def counted(n):
    for i in range(n):
        yield i * 2
def call():
    return [sum(counted(20)) for _ in range(4)]
""",
    "comprehensions and closures": """
def outer(n):
    def inner(x):
        return outer(n - 1) if x < n else x
    return [inner(x) for x in range(n)][-1] if n else 0
def call():
    return outer(3), outer(4)
""",
}


@pytest.mark.parametrize("text", DYING.values(), ids=DYING)
def test_what_dead_functions_hold_of_each_other_is_given_back(text):
    from jit.compiler import CODES

    def define():
        namespace = {}
        exec(text, namespace)
        for name in [name for name, item in namespace.items() if callable(item)]:
            jit(namespace[name])
        plain = {}
        exec(text, plain)
        for _ in range(3):
            assert namespace["call"]() == plain["call"]()

    def alive():
        gc.collect()
        with COMPILER.lock:
            dropped = COMPILER.sweep()
        del dropped
        gc.collect()
        return len(CODES.all()), arena().used_bytes

    define()
    codes, used = alive()
    for _ in range(40):
        define()
    now, bytes_used = alive()
    assert now <= codes + 20 and bytes_used <= used + (60 << 10)  # what words on the stack seem to lead to stays for a while


def test_what_is_called_by_a_living_function_stays():
    def make(text, **names):
        exec(text, names)
        return jit(names["f"])

    even = make("def f(n): return True if n == 0 else odd(n - 1)\n")
    odd = make("def f(n): return False if n == 0 else even(n - 1)\n", even=even)
    even.__globals__["odd"] = odd
    assert even(9) is False and odd(9) is True
    with COMPILER.lock:
        dropped = COMPILER.sweep()
    del dropped
    gc.collect()
    assert even(8) is True and odd(8) is False and even(9) is False


def test_a_full_arena_is_not_the_programs_problem():
    def f(x):
        total = 0
        for i in range(5):
            total += x
        return total

    def g(x):
        return f(x) * 2

    jit(f), jit(g)
    assert g(1) == 10
    blocks = []
    try:
        for allocate, free in ((arena().allocate_code, arena().free_code), (arena().allocate_data, arena().free_data)):
            size = 1 << 22
            while size >= 16:
                try:
                    blocks.append((free, allocate(size)))
                except MemoryError:
                    size //= 2
        assert [g(x) for x in (2, 1.5, True, 1 << 70, 2)] == [20, 15.0, 10, 10 << 70, 20]
        late = jit(lambda x: f(x) + 1)
        assert [late(x) for x in (1, 2.5)] == [6, 13.5]
        with pytest.raises(TypeError, match="unsupported operand"):
            g("a")
    finally:
        for free, address in blocks:
            free(address)
    assert [g(x) for x in (2, 1.5, True, 1 << 70, 2)] == [20, 15.0, 10, 10 << 70, 20]


def test_what_a_dead_function_still_runs_and_calls_is_not_given_back():
    text = """
def first(n, act):
    return act() + second(n) if n else second(3)
def second(n):
    return third(n - 1) + 1 if n else 1
def third(n):
    return second(n) * 2
"""
    namespace = {}
    exec(text, namespace)
    for name in ("first", "second", "third"):
        jit(namespace[name])
    first = namespace.pop("first")
    assert [first(n, lambda: 10) for n in (0, 2, 3)] == [15, 17, 25]

    def act():
        namespace.pop("second"), namespace.pop("third")
        for _ in range(2):
            gc.collect()
            with COMPILER.lock:
                dropped = COMPILER.sweep()
            del dropped
        namespace.update(second=lambda n: 100, third=None)
        return 10

    assert first(2, act) == 110
