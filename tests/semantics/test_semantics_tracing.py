"""Debuggers, profilers and monitoring tools see of compiled functions what they see of interpreted ones."""

import sys

import pytest

import jit
from compare import child, copies

#: Below 3.12 there is nothing to be tested.
with_monitoring = pytest.mark.skipif(sys.version_info < (3, 12), reason="sys.monitoring is new in 3.12")


def outer(n, x):
    total = x
    for i in range(n):
        total += middle(i, x)
        if total == 4:
            total += 1
    return total


def middle(i, x):
    try:
        return 10 // (2 - i) + inner(x)
    except ZeroDivisionError:
        return len([x])


def inner(x):
    return [x, x * 2][1]


def record(kind, functions, arguments, warm):
    events = []
    names = {"outer", "middle", "inner"}

    def note(frame, event, argument):
        if frame.f_code.co_name in names:
            value = argument if event in ("return", "c_call") else None
            events.append((frame.f_code.co_name, frame.f_lineno, event, repr(value)[:20]))
        return note
    setter = sys.settrace if kind == "trace" else sys.setprofile
    for _ in range(warm):
        functions[0](*arguments)
    setter(note)
    try:
        functions[0](*arguments)
    finally:
        setter(None)
    return events


@pytest.mark.parametrize("kind", ["trace", "profile"])
@pytest.mark.parametrize("warm", [0, 3])
@pytest.mark.parametrize("arguments", [(4, 1), (4, 1.5), (0, 2)])
def test_events(kind, warm, arguments):
    plain, fast = copies(outer, middle, inner)
    assert record(kind, fast, arguments, warm) == record(kind, plain, arguments, warm)
    assert fast[0](*arguments) == plain[0](*arguments)


@pytest.mark.parametrize("kind", ["trace", "profile"])
def test_switched_on_and_off_in_the_middle(kind):
    """A callee switches tracing: its caller's later lines are seen if and only if they are interpreted."""
    def top(n, act):
        total = 0
        for i in range(n):
            total += i
            low(i, act)
            total += 1
        return total

    def low(i, act):
        j = i + 1
        act(i)
        j += 1
        return j
    setter = sys.settrace if kind == "trace" else sys.setprofile
    logs = []
    for functions in copies(top, low):
        functions[0](3, lambda i: None)
        for on, off in ((1, 3), (0, 9), (2, 2)):
            events = []

            def note(frame, event, argument):
                if frame.f_code.co_name in ("top", "low"):
                    events.append((frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno, event))
                return note

            def act(i):
                if i == on:
                    setter(note)
                    if kind == "trace":
                        sys._getframe(1).f_trace = note
                        sys._getframe(2).f_trace = note
                if i == off:
                    setter(None)
            try:
                result = functions[0](5, act)
            finally:
                setter(None)
            events.append(result)
            logs.append((on, off, events))
    half = len(logs) // 2
    assert logs[half:] == logs[:half]


@with_monitoring
def test_monitoring_events():
    child("""
import sys
import test_semantics_tracing as t
from compare import copies
M = sys.monitoring
E = M.events
def run(functions, when):
    log = []
    def note(name):
        def callback(code, *rest):
            if code.co_name in ("outer", "middle", "inner"):
                log.append((name, code.co_name, *[r for r in rest if isinstance(r, (int, float))][:2]))
        return callback
    M.use_tool_id(2, "test")
    chosen = [E.PY_START, E.PY_RETURN, E.LINE, E.RAISE, E.CALL, E.JUMP]
    for event in chosen: M.register_callback(2, event, note(event))
    def act():
        M.set_events(2, sum(chosen))
    act()
    try: functions[0](4, 1.5)
    finally:
        M.set_events(2, 0)
        for event in chosen: M.register_callback(2, event, None)
        M.free_tool_id(2)
    result = functions[0](4, 1.5)
    return log, result
plain, fast = copies(t.outer, t.middle, t.inner)
for warm in range(3):
    wanted, got = run(plain, 0), run(fast, 0)
    assert wanted == got, [(i, a, b) for i, (a, b) in enumerate(zip(wanted[0], got[0])) if a != b][:3] + [wanted[0][len(got[0]):], got[0][len(wanted[0]):]]
    fast[0](4, 1), plain[0](4, 1)
""")


def test_tracing_of_all_threads():
    child("""
import sys, threading
import test_semantics_tracing as t
from compare import copies
plain, fast = copies(t.outer, t.middle, t.inner)
logs = []
for functions in (plain, fast):
    functions[0](4, 1)
    log = []
    def note(frame, event, argument):
        if frame.f_code.co_name in ("outer", "middle", "inner"): log.append((frame.f_code.co_name, frame.f_lineno, event))
        return note
    threading.settrace(note)
    thread = threading.Thread(target=functions[0], args=(4, 1))
    thread.start(); thread.join()
    threading.settrace(None)
    logs.append(log)
assert logs[0] == logs[1] and logs[0], logs
""")


@with_monitoring
@pytest.mark.parametrize("tool", [2, 5])
def test_events_of_single_code_objects(tool):
    """Asked for between calls, and while what they are of is running; the loops of others go on as they were."""
    child(f"""
import sys
import jit
from compare import copies
M = sys.monitoring
E = M.events
def callee(n):
    return n & 7
def outer(n, act):
    total = 0
    for i in range(n):
        total += callee(i)
        if i == 3:
            act()
        total += 1
    return total
def run(functions):
    log = []
    def note(name):
        return lambda code, *rest: log.append((name, code.co_name, *[r for r in rest if isinstance(r, int)][:2]))
    chosen = [E.PY_START, E.PY_RETURN, E.LINE, E.JUMP]
    def act():
        M.set_local_events({tool}, functions[which].__code__, sum(chosen))
    for which in (0, 1):
        M.use_tool_id({tool}, "test")
        for event in chosen: M.register_callback({tool}, event, note(event))
        log.append(functions[0](6, act))
        log.append(functions[0](2, act))
        M.set_local_events({tool}, functions[which].__code__, 0)
        log.append(functions[0](6, lambda: None))
        act()
        log.append(functions[0](3, int))
        M.set_local_events({tool}, functions[which].__code__, 0)
        for event in chosen: M.register_callback({tool}, event, None)
        M.free_tool_id({tool})
        log.append(functions[0](6, int))
    return log
plain, fast = copies(outer, callee)
for functions in (plain, fast):
    for turn in range(50):
        functions[0](20, int)
for warm in range(3):
    wanted, got = run(plain), run(fast)
    assert wanted == got, [(i, a, b) for i, (a, b) in enumerate(zip(wanted, got)) if a != b][:3] + [wanted[len(got):], got[len(wanted):]]
    assert len(wanted) > 50
calls = [version.calls for version in jit.explain(fast[0]).versions]
fast[0](20, int)
assert calls != [version.calls for version in jit.explain(fast[0]).versions]
""")


@with_monitoring
@pytest.mark.parametrize("other", ["lambda *arguments: None", "print", "types.BuiltinMethodType", "None"])
def test_a_program_that_replaces_set_local_events(other):
    child(f"""
import sys, types
real, sys.monitoring.set_local_events = sys.monitoring.set_local_events, {other}
import jit
@jit.jit
def double(x):
    return x + x
assert [double(2), double(3)] == [4, 6]
assert jit.explain(double).versions
print("printed")
sys.monitoring.set_local_events = real
assert [double(2), double(3)] == [4, 6]
""")
