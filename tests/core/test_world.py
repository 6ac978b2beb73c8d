"""What compiled code shares with the rest of the interpreter: frames, references, globals, signals, threads, memory."""

import gc
import os
import subprocess
import sys
import textwrap
import threading
import types

import jit


def compiled(function):
    copy = types.FunctionType(function.__code__, dict(function.__globals__), function.__name__, function.__defaults__)
    copy.__globals__[function.__name__] = copy
    return jit.jit(copy)


def run_child(text, timeout=60):
    """Run a program in a fresh interpreter; returns its output. A crash fails the test with the child's own words."""
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, sys.path)), PYTHONFAULTHANDLER="1")
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(text)], capture_output=True, text=True, timeout=timeout,
                          env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_object_stays_the_function():
    def f(a, b=2):
        """doc"""
        return a + b

    assert jit.jit(f) is f
    assert isinstance(f, types.FunctionType)
    assert (f.__name__, f.__doc__, f.__defaults__) == ("f", "doc", (2,))
    assert f(1) == 3 and f(1, b=5) == 6


def test_methods_of_every_kind():
    class C:
        @jit.jit
        def plain(self, n):
            return n + 1

        @staticmethod
        @jit.jit
        def static(n):
            return n + 2

        @jit.jit
        @classmethod
        def of_class(cls, n):
            return n + 3

    assert (C().plain(1), C.static(1), C.of_class(1), C().of_class(1)) == (2, 3, 4, 4)


def sum_to(n, x):
    s = 0
    for i in range(n):
        s += i * x
    return s


def attempt(function, arguments):
    try:
        return function(*arguments)
    except TypeError:
        return None


def test_reference_counts_stay_equal():
    f = compiled(sum_to)
    arguments = [(10, 3), (10, 2**62), (10, 1.5), (3, "a")]
    for given in arguments * 200:
        attempt(f, given)
    before = [sys.getrefcount(x) for given in arguments for x in (*given, f, f.__code__)]
    for _ in range(2000):
        for given in arguments:
            attempt(f, given)
    after = [sys.getrefcount(x) for given in arguments for x in (*given, f, f.__code__)]
    assert before == after


def rows(a, i):
    row = a[i]
    other = a[0]
    return row[0] + other[0]


def test_reference_counts_of_items():
    f = compiled(rows)
    a = [[1, 2], [3.5], ["x"]]
    counts = [sys.getrefcount(row) for row in a]
    for _ in range(500):
        for i in (0, 1, 2, 7):
            try:
                f(a, i)
            except (TypeError, IndexError):
                pass
    assert counts == [sys.getrefcount(row) for row in a]


def test_globals_are_not_frozen():
    def scaled(n):
        s = 0
        for i in range(n):
            s += i * FACTOR
        return s

    f = compiled(scaled)
    for factor in (1, 2, 2.5, 7, "a"):
        f.__globals__["FACTOR"] = factor
        assert f(3) == (0 + factor + 2 * factor if factor != "a" else None) if factor != "a" else True


def define(source, **names):
    """Compile the functions of a source text, which see each other and `names` as globals."""
    namespace = {"__builtins__": __builtins__, **names}
    exec(textwrap.dedent(source), namespace)
    for item in list(namespace.values()):
        if isinstance(item, types.FunctionType) and item.__globals__ is namespace:
            jit.jit(item)
    return namespace


def test_a_global_rebound_by_a_callee():
    namespace = define("""
        def loop(n):
            seen = []
            for i in range(n):
                rebind()
                seen.append(LIMIT)
            return seen
    """, LIMIT=0)

    def rebind():
        namespace["LIMIT"] += 1

    namespace["rebind"] = rebind
    for start in range(5):
        namespace["LIMIT"] = start
        assert namespace["loop"](4) == [start + 1, start + 2, start + 3, start + 4]


def test_a_global_rebound_below_a_compiled_callee():
    namespace = define("""
        def inner(i):
            rebind()
            return i * 2
        def loop(n):
            total = 0
            for i in range(n):
                total += inner(i) + LIMIT
            return total
    """, LIMIT=0)

    def rebind():
        namespace["LIMIT"] += 1

    namespace["rebind"] = rebind
    for _ in range(4):
        namespace["LIMIT"] = 0
        assert namespace["loop"](4) == 2 * (0 + 1 + 2 + 3) + 1 + 2 + 3 + 4


def test_frames_of_compiled_callers_can_be_seen():
    seen = []

    def look(depth):
        frame = sys._getframe(1)
        for _ in range(depth):
            seen.append((frame.f_code.co_name, frame.f_lineno - frame.f_code.co_firstlineno, dict(frame.f_locals)))
            frame = frame.f_back
        return 1

    namespace = define("""
        def inner(x):
            y = x + 1
            return look(2) + y
        def outer(x):
            z = x * 2.5
            w = inner(x)
            return z + w
    """, look=look)
    for _ in range(5):
        del seen[:]
        assert namespace["outer"](4) == 10.0 + 6
        assert seen == [("inner", 2, {"x": 4, "y": 5}), ("outer", 2, {"x": 4, "z": 10.0})]


def test_a_kept_frame_goes_on_living():
    kept = []

    def keep():
        kept.append(sys._getframe(1))
        return 2

    namespace = define("""
        def work(n):
            s = 0
            for i in range(n):
                s += keep()
            return s
    """, keep=keep)
    assert namespace["work"](3) == 6
    assert len({id(frame) for frame in kept}) == 1
    assert kept[0].f_locals["s"] == 6 and kept[0].f_locals["i"] == 2


def test_tracing_sees_every_line():
    f = compiled(sum_to)
    f(3, 2)
    lines = []

    def tracer(frame, event, argument):
        if frame.f_code is f.__code__:
            lines.append((event, frame.f_lineno - f.__code__.co_firstlineno))
        return tracer

    sys.settrace(tracer)
    try:
        f(1, 1)
    finally:
        sys.settrace(None)
    assert lines == [("call", 0), ("line", 1), ("line", 2), ("line", 3), ("line", 2), ("line", 4), ("return", 4)]
    assert f(3, 2) == 6


def test_code_memory_is_given_back():
    from jit.machine import arena

    def make(k):
        namespace = {}
        exec(f"def f(n):\n    s = 0\n    for i in range(n):\n        s += i * {k}\n    return s", namespace)
        return jit.jit(namespace["f"])

    def use():
        for k in range(100):
            assert make(k)(10) == 45 * k
        gc.collect()
        return arena().statistics()["code_bytes_used"]

    use()
    assert use() <= use() + 4096


def test_interrupt_ends_a_tight_loop():
    text = """
        import signal, threading, time, os, jit
        @jit.jit
        def spin(n):
            s = 0
            for i in range(n):
                s += i & 3
            return s
        spin(10)
        def press():
            time.sleep(0.3)
            os.kill(os.getpid(), signal.SIGINT)
        threading.Thread(target=press).start()
        start = time.perf_counter()
        try:
            spin(10**12)
        except KeyboardInterrupt as problem:
            entry = problem.__traceback__.tb_next
            print(entry.tb_frame.f_code.co_name, time.perf_counter() - start < 1.0)
    """
    assert run_child(text) == "spin True"


def test_other_threads_run_while_a_loop_does():
    text = """
        import threading, jit
        @jit.jit
        def spin(n):
            s = 0
            for i in range(n):
                s += i & 3
            return s
        count = 0
        stop = False
        def background():
            global count
            while not stop:
                count += 1
        thread = threading.Thread(target=background)
        thread.start()
        spin(10)
        before = count
        spin(3 * 10**8)
        print(count > before)
        stop = True
        thread.join()
    """
    assert run_child(text) == "True"


def test_threads_share_compiled_functions():
    f = compiled(sum_to)
    wrong = []

    def work(x):
        for _ in range(300):
            if f(50, x) != 1225 * x:
                wrong.append(x)

    threads = [threading.Thread(target=work, args=(x,)) for x in (1, 2, 2.5, 2**40, 3, 4.5, 2**60, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_fork_keeps_both_sides_working():
    text = """
        import os, jit
        def make(k):
            namespace = {}
            exec(f"def f(n):\\n    s = 0\\n    for i in range(n):\\n        s += i * {k}\\n    return s", namespace)
            return jit.jit(namespace["f"])
        first = make(1)
        assert first(10) == 45
        child = os.fork()
        for k in range(2, 30):
            assert make(k)(10) == 45 * k
        assert first(10) == 45
        if child == 0:
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        print("fine")
    """
    assert run_child(text) == "fine"


def test_deep_recursion_raises_and_does_not_crash():
    text = """
        import sys, jit
        @jit.jit
        def depth(n):
            if n == 0:
                return 0
            return 1 + depth(n - 1)
        depth(5)
        sys.setrecursionlimit(10**6)
        try:
            print(depth(15000) == 15000)
            depth(900000)
        except RecursionError:
            pass
        print(depth(100))
    """
    assert run_child(text).splitlines()[-1] == "100"


def test_code_and_defaults_may_be_replaced():
    def f(n, step=1):
        return n + step

    def g(n, step=1):
        return n * 10 + step

    jit.jit(f)
    assert f(1) == 2 and f(1, 5) == 6
    f.__defaults__ = (7,)
    assert f(1) == 8
    f.__code__ = g.__code__
    assert f(1) == 17 and f(2, 1) == 21 and f(2, 1) == 21


def test_switched_off():
    environment = dict(os.environ, JIT_DISABLE="1", PYTHONPATH=os.pathsep.join(filter(None, sys.path)))
    text = "import jit; print(bool(jit.available()), jit.available().reason); print(jit.jit(lambda n: n + 1)(2))"
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == "False switched off by JIT_DISABLE\n3\n"


def test_compiling_starts_no_collection():
    """In a process of its own: where there are other threads, as those of tests before may be, collections go on."""
    text = """
import gc, jit
def warm(n):
    s = 0
    for i in range(n):
        s += i & 3
    return s
def f(n, o):
    s = []
    for i in range(n):
        s.append(i * 3 + len(o))
    return sum(s)
jit.jit(warm)(3)
functions = jit.jit(f), warm
gc.collect()
began = []
gc.callbacks.append(lambda phase, _: began.append(phase))
before = gc.get_count()[0]
for function, arguments in zip(functions, ((3, "abc"), (2.5,))):
    try:
        function(*arguments)
    except TypeError:
        pass
after = gc.get_count()[0]
assert not began and after - before < 50, (began, before, after)
assert jit.explain(f).state == "compiled"
"""
    subprocess.run([sys.executable, "-c", text], check=True)