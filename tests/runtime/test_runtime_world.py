"""What can happen below compiled code: signals, dying functions, hostile dictionaries, tracers, no memory, shutdown."""

import gc
import os
import signal
import sys
import traceback

import pytest

import jit
from both import FOLDER, child, pair


def test_a_function_that_dies_while_it_runs():
    """A property whose getter replaces the getter: CPython's frames hold their functions, and so must we."""
    class Thing:
        pass

    def make():
        namespace = {"drop": drop}
        exec("def get(self):\n    s = 0\n    for i in range(3):\n        s += i\n        drop()\n    return s", namespace)
        return jit.jit(namespace.pop("get"))

    def drop():
        if armed:
            Thing.__dict__["value"].__init__(None)
            gc.collect()

    for _ in range(20):
        armed = False
        Thing.value = property(make())
        assert Thing().value == Thing().value == 3
        armed = True
        assert Thing().value == 3


def test_a_signal_handler_that_replaces_itself():
    """The interpreter calls handlers by a borrowed reference."""
    def make():
        namespace = {"signal": signal, "collect": gc.collect, "seen": seen}
        exec("""def handler(number, frame):
            s = 0
            for i in range(3):
                signal.signal(signal.SIGUSR1, signal.SIG_IGN)
                collect()
                s += i
            seen.append(s)
        """, namespace)
        return jit.jit(namespace.pop("handler"))

    seen = []
    old = signal.getsignal(signal.SIGUSR1)
    for turn in range(20):
        handler = make()
        handler(1, None)
        signal.signal(signal.SIGUSR1, handler)
        del handler
        os.kill(os.getpid(), signal.SIGUSR1)
        for _ in range(100):
            pass
        assert seen == [3, 3] * (turn + 1)
    signal.signal(signal.SIGUSR1, old)


def test_keys_whose_comparison_raises():
    """An error met while dependencies are looked up is not left behind; the look-up the program does itself raises it."""
    namespace = {"__builtins__": __builtins__}
    exec("def work(n):\n    s = 0\n    for i in range(n):\n        touch()\n        s += abs(i)\n    return s", namespace)
    namespace["touch"] = lambda: namespace.__setitem__("other", object())
    work = jit.jit(namespace["work"])
    for _ in range(3):
        assert work(3) == 3

    class Hostile(str):
        def __hash__(self):
            return hash("abs")

        def __eq__(self, other):
            raise ZeroDivisionError

    namespace[Hostile("x")] = 1
    for _ in range(10):
        with pytest.raises(ZeroDivisionError):
            work(3)


def test_tracing_switched_on_in_a_compiled_callee():
    """The interpreter's events, from the moment the tracer is set, in all activations."""
    source = """
        def leaf(x):
            return x + 1
        def inner(k):
            switch(k)
            return k
        def middle(k):
            r = inner(k)
            r += leaf(r)
            return r
        def outer(n):
            s = 0
            for i in range(n):
                s += middle(i)
                s += leaf(s)
            return s
    """
    events = []

    def tracer(frame, event, argument):
        if frame.f_code.co_filename == "<pair>":
            events.append((event, frame.f_code.co_name, frame.f_lineno))
        return tracer

    def switch(k):
        if k == 2:
            sys.settrace(tracer)

    def run(namespace):
        del events[:]
        result = namespace["outer"](4)
        sys.settrace(None)
        return result, list(events)

    interpreted, compiled = pair(source, switch=switch)
    expected = run(interpreted)
    assert len(expected[1]) > 10
    for _ in range(5):
        assert run(compiled) == expected


def test_a_signal_handler_sees_and_keeps_every_frame():
    """The frames of a loop and its compiled caller, with the values of that moment; afterwards the result is right."""
    _, compiled = pair("""
        def spin(n):
            s = 0
            i = 0
            while i < n:
                s += i
                i += 1
            return s
        def outer(n):
            before = n * 2
            result = spin(n)
            return before + result
    """)
    kept = []

    def handler(number, frame):
        kept.append((frame, dict(frame.f_locals), frame.f_back, dict(frame.f_back.f_locals)))

    old = signal.signal(signal.SIGALRM, handler)
    try:
        n = 3_000_000
        for _ in range(3):
            compiled["outer"](10)
        signal.setitimer(signal.ITIMER_REAL, 0.003)
        for _ in range(200):
            assert compiled["outer"](n) == 2 * n + n * (n - 1) // 2
            if kept:
                break
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    frame, inner, back, outer = kept[0]
    if frame.f_code.co_name == "spin":
        assert set(inner) == {"n", "s", "i"} and inner["s"] in (inner["i"] * (inner["i"] - 1) // 2, inner["i"] * (inner["i"] + 1) // 2)
        assert back.f_code.co_name == "outer" and outer == {"n": n, "before": 2 * n}
        assert back.f_locals["result"] == n * (n - 1) // 2


def test_keyboard_interrupt_names_the_line_of_the_loop():
    source = """
        import os, signal, threading, traceback, jit
        @jit.jit
        def spin(n):
            s = 0
            for i in range(n):
                s += i & 3
            return s
        @jit.jit
        def outer(n):
            return spin(n) + 1
        outer(10)
        outer(10)
        for turn in range(5):
            threading.Timer(0.05, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
            try:
                outer(10**13)
            except KeyboardInterrupt as problem:
                found = traceback.extract_tb(problem.__traceback__)[1:]
            assert [entry.name for entry in found] == ["outer", "spin"], found
        print("fine")
    """
    assert child(source) == "fine"


def test_collections_happen_in_loops():
    """From 3.12 on the collector runs only where the eval breaker is looked at."""
    _, compiled = pair("""
        def work(n):
            for i in range(n):
                a = []
                a.append(a)
            return n
    """)
    compiled["work"](10)
    gc.collect()
    before = gc.get_stats()[0]["collections"]
    compiled["work"](20_000)
    assert gc.get_stats()[0]["collections"] > before + 10


def test_daemon_threads_at_shutdown():
    """A thread ended by the interpreter inside compiled code takes nobody along."""
    source = """
        import threading, time, jit
        def touch(i):
            return i
        @jit.jit
        def spin(n):
            s = 0
            for i in range(n):
                s += i & 3
            return s
        @jit.jit
        def calling(n):
            s = 0
            for i in range(n):
                s += touch(i) + spin(10)
            return s
        spin(10), calling(10)
        for function in (spin, calling) * 3:
            threading.Thread(target=function, args=(10**12,), daemon=True).start()
        time.sleep(0.1)
        print("end")
    """
    for _ in range(3):
        assert child(source) == "end"


def test_no_memory():
    """Whichever allocation fails, the result is right or MemoryError is raised."""
    pytest.importorskip("_testcapi")
    source = """
        import _testcapi, jit
        from jit.dispatch import COMPILER
        from jit.machine import records
        def touch(*x):
            return x
        def work(a, x, n):
            t = []
            s = 0
            y = x
            for i in range(n):
                s += i * 1000
                y = y * 1.5
                t.append(s)
                touch(s + y)
            return s, y, t
        def outer(a, x, n):
            z = x + 1.0
            r = work(a, z, n)
            return r[0] + 10**6, z
        def growing(n):
            s = 10**15
            for i in range(n):
                s = s * 3
            return s
        def handling(a, n):
            s = 10**15
            try:
                for i in range(n):
                    s += i
                    touch(s)
                    if i == n - 1:
                        touch(s, k=s)
            except TypeError:
                touch(s)
            return s
        runs = [(work, (1, 2.0, 5)), (outer, (1, 2.0, 5)), (growing, (60,)), (handling, (1, 4))]
        for function, arguments in runs:
            jit.jit(function)
        for _ in range(6):
            expected = [function(*arguments) for function, arguments in runs]
        def quiet():
            for record in COMPILER.records.values():
                for code in record.versions:
                    records.set_exit_limit(code.version_record, 1 << 60)
                    records.clear_attention(code.version_record)
        def run(function, arguments, start, stop):
            _testcapi.set_nomemory(start, stop)
            try:
                result = function(*arguments)
            except:
                _testcapi.remove_mem_hooks()
                return None
            _testcapi.remove_mem_hooks()
            return result
        failures = 0
        for (function, arguments), wanted in zip(runs, expected):
            for start in range(1, 60):
                for length in (1, 2, 10, 0):
                    quiet()
                    try:
                        result = run(function, arguments, start, start + length if length else 0)
                    except MemoryError:
                        result = None
                    finally:
                        _testcapi.remove_mem_hooks()
                    if result is None:
                        failures += 1
                    else:
                        assert result == wanted, (function, start, length)
        print(failures > 50)
    """
    assert child(source) == "True"


def test_native_entries_notice_what_changed():
    """A raw entry checks what its version relies on, and calls the function object where that no longer holds."""
    namespace = {"__builtins__": __builtins__, "K": 3, "touch": lambda i: i}
    exec("def f(n, x, b):\n    return n + K if b else x\ndef g(n):\n    return touch(n)\ndef h(n):\n    return g(n) + 1\n", namespace)
    for name in "fgh":
        jit.jit(namespace[name])
    f, h = jit.native(namespace["f"], int, float, bool), jit.native(namespace["h"], int)
    assert (f(4, 0.5, True), h(4)) == (7, 5)
    namespace["K"] = 5
    namespace["g"] = lambda n: 1000
    gc.collect()
    for _ in range(5):
        assert (f(4, 0.5, True), f(4, 0.5, False), h(4)) == (9, 0.5, 1001)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["exits", "callouts", "registers"])
def test_under_the_debug_allocator(name):
    """The same tests where freed and overrun memory is noticed."""
    source = f"""
        import pytest, sys
        sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", {os.path.join(FOLDER, f"test_runtime_{name}.py")!r}]))
    """
    child(source, timeout=300, PYTHONMALLOC="debug")
