"""What looks at, interrupts or shares the process with a loop that has been entered."""

import gc
import os
import signal
import sys
import threading
import weakref

import pytest

import jit
from entered import AT, ENTERING, Hook, both, enter, fresh, outcome


class Thing:
    alive = 0

    def __init__(self):
        Thing.alive += 1

    def __del__(self):
        Thing.alive -= 1


def makes_things(hook, n):
    thing = Thing()
    seen = []
    for i in range(n):
        hook()
        other, thing = thing, Thing()
        seen.append(Thing.alive)
    return seen


def test_finalisers_run_when_they_should():
    both(makes_things, 100)
    assert Thing.alive == 0


def keeps_nothing(hook, held):
    for i in range(60):
        hook()
        last = held
    return i


def test_references_are_given_back():
    held = object()
    counts = set()
    for _ in range(5):
        outcome(fresh(keeps_nothing), AT, held)
        counts.add(sys.getrefcount(held))
    assert len(counts) == 1


def fails_with(hook, held):
    for i in range(60):
        hook()
        mine = held
        if i == 40:
            raise LookupError(i)


def test_references_are_given_back_when_it_raises():
    held = object()
    counts = set()
    for _ in range(5):
        kind, _, _ = outcome(fresh(fails_with), AT, held)
        assert kind == "raised"
        gc.collect()
        counts.add(sys.getrefcount(held))
    assert len(counts) == 1


def looks_from_a_finaliser(hook, n):
    class Looker:
        def __del__(self):
            if i > 10:
                frame = sys._getframe(1)
                seen.append((frame.f_code.co_name, frame.f_locals.get("i"), frame.f_lineno - frame.f_code.co_firstlineno))
    seen = []
    i = 0
    for i in range(n):
        hook()
        item = Looker()
        item = None
    return seen


def test_finalisers_see_the_frame():
    both(looks_from_a_finaliser, 60)


def changes_from_a_callee(hook, n):
    def change():
        frame = sys._getframe(1)
        return frame.f_locals["total"], frame.f_locals["i"]
    total = 0
    seen = []
    for i in range(n):
        hook()
        total += 2
        if i > 10:
            seen.append(change())
    return seen


def test_callees_see_the_locals():
    both(changes_from_a_callee, 60)


def is_traced_from_the_middle(hook, n, events):
    def trace(frame, event, argument):
        if frame.f_code.co_name == "traced":
            events.append((event, frame.f_lineno - frame.f_code.co_firstlineno))
        return trace

    def traced(x):
        return x + 1
    total = 0
    for i in range(n):
        hook()
        if i == 20:
            sys.settrace(trace)
        if i == 40:
            sys.settrace(None)
        total += traced(i)
    return total


@pytest.mark.skipif(sys.gettrace() is not None, reason="somebody traces")
def test_tracing_from_the_middle_sees_what_it_should():
    events = [], []
    expected = outcome(fresh(is_traced_from_the_middle), (), 60, events[0])
    actual = outcome(fresh(is_traced_from_the_middle), AT, 60, events[1])
    assert actual == expected and events[0] == events[1] and events[0]
    assert sys.gettrace() is None


def test_a_traced_frame_is_not_entered():
    function = fresh(keeps_nothing)
    before = ENTERING.trap.caught
    lines = []
    sys.settrace(lambda frame, event, argument: (lambda *details: lines.append(details[1])))
    try:
        outcome(function, AT, 1)
    finally:
        sys.settrace(None)
    assert ENTERING.trap.caught == before and "line" in lines


def test_profiling_from_the_middle():
    def run(hook, events):
        def profile(frame, event, argument):
            events.append((event, frame.f_code.co_name))
        total = 0
        for i in range(60):
            hook()
            if i == 20:
                sys.setprofile(profile)
            if i == 30:
                sys.setprofile(None)
            total += abs(-i)
        return total
    events = [], []
    assert outcome(fresh(run), (), events[0]) == outcome(fresh(run), AT, events[1])
    wanted = [[event for event in seen if event[1] == "run"] for seen in events]
    assert wanted[0] == wanted[1]


@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="3.11 has no monitoring")
def test_other_tools_are_left_in_peace():
    monitoring = sys.monitoring
    monitoring.use_tool_id(monitoring.OPTIMIZER_ID, "somebody")
    try:
        before = ENTERING.trap.caught
        both(keeps_nothing, 1, entered=0)
        assert ENTERING.trap.caught == before
        assert monitoring.get_tool(monitoring.OPTIMIZER_ID) == "somebody"
    finally:
        monitoring.free_tool_id(monitoring.OPTIMIZER_ID)
    both(keeps_nothing, 1)
    assert monitoring.get_tool(monitoring.OPTIMIZER_ID) is None


def spins(hook, stop):
    turns = 0
    while not stop:
        if turns < 100:
            hook()
        turns += 1
    return "stopped"


def test_signals_come_through():
    def handler(number, frame):
        names.append(frame.f_code.co_name)
        stop.append(1)
    names, stop = [], []
    former = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        before = ENTERING.trap.caught
        assert outcome(fresh(spins), AT, stop) == ("returned", "stopped", None)
        assert ENTERING.trap.caught > before and names == ["spins"]
    finally:
        signal.signal(signal.SIGALRM, former)


def test_keyboard_interrupt_ends_it():
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    kind, problem, lines = outcome(fresh(spins), AT, [])
    assert kind == "raised" and problem[0] is KeyboardInterrupt and lines[0][0] == "spins"


def test_other_threads_go_on():
    def other():
        while not stop:
            counts.append(1)
            if len(counts) > 50:
                stop.append(1)
    stop, counts = [], []
    thread = threading.Thread(target=other)
    thread.start()
    assert outcome(fresh(spins), AT, stop) == ("returned", "stopped", None)
    thread.join()


def test_threads_run_the_same_function():
    function = fresh(keeps_nothing)
    results = []
    threads = [threading.Thread(target=lambda: results.append(function(lambda: None, 1))) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert outcome(function, AT, 1)[1] == 59
    for thread in threads:
        thread.join()
    assert results == [59] * 4


def forks(hook, n):
    total = 0
    for i in range(n):
        hook()
        total += i
        if i == 40:
            child = os.fork()
    return child, total


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_in_the_loop_returns_twice():
    kind, (child, total), _ = outcome(fresh(forks), AT, 60)
    if not child:
        os._exit(total == 1770)
    assert total == 1770 and os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def replaced(hook, n, code):
    total = 0
    for i in range(n):
        hook()
        total += i
        if i == 30:
            this.__code__ = code
            this(lambda: None, 3, code)
    return total


def test_its_code_is_replaced_meanwhile():
    global this
    def other(hook, n, code):
        return "other"
    this = fresh(replaced)
    assert outcome(this, AT, 60, other.__code__)[1] == 1770
    assert this(None, 1, None) == "other"


def test_it_drops_the_last_name_of_itself():
    names = {}
    exec("def gone(hook, names, n):\n for i in range(n):\n  hook()\n  names.pop('gone', None)\n return i\n", names)
    seen = weakref.ref(names["gone"])
    enter_at = Hook(AT)
    assert names["gone"](enter_at, names, 60) == 59
    ENTERING.trap.clear()
    gc.collect()
    assert seen() is None


def test_what_became_of_it_is_told():
    function = both(keeps_nothing, 1)
    told = jit.explain(function)
    assert told.state == "compiled" and told.loops[0].loop == keeps_nothing.__code__.co_firstlineno + 1
    assert "entered" in str(told)


def test_generators_are_left_alone():
    def generator(n):
        for i in range(n):
            if i in AT:
                asked.append(enter(sys._getframe()))
            yield i
    asked = []
    assert list(generator(60)) == list(range(60))
    assert asked and not any(asked)
