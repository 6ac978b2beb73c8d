"""What Python code can see of compiled activations: frames, locals, tracebacks, variables of every scope."""

import gc
import sys

import pytest

from compare import check, copies, outcome


def both(functions, arguments=((),), namespace=None, repeat=4, compiled=None):
    """Call the first of `functions` both ways `repeat` times with each arguments; assert equal outcomes; returns the copies."""
    made = copies(*functions, compiled=compiled)
    for side in made:
        for name, item in (namespace or {}).items():
            side[0].__globals__[name] = item() if isinstance(item, type) else item
    for number in range(repeat):
        for given in arguments:
            results = [outcome(side[0], given) for side in made]
            assert results[1] == results[0], f"call {number} {given}\n  interpreted {results[0]}\n  compiled    {results[1]}"
    return made


def chain(depth=0):
    """(name, line, sorted locals) of the callers' frames."""
    frame, found = sys._getframe(1), []
    while frame is not None and frame.f_code.co_name != "outcome":
        found.append((frame.f_code.co_name, frame.f_lineno, sorted((k, repr(v)) for k, v in frame.f_locals.items() if k != "keep")))
        frame = frame.f_back
    return found


def test_frames_of_three_directly_compiled_levels():
    def outer(n, x):
        y = x * 2
        z = middle(n, y) if n else 0
        return z, y

    def middle(n, x):
        w = 0
        for i in range(n):
            w += i
            got = inner(i, x + w)
        return got, w

    def inner(i, x):
        a = i + 1
        seen = look()
        return seen, a, x
    both((outer, middle, inner), ((3, 1.5), (3, 2), (1, "s"), (0, 0)), namespace={"look": chain})


def test_frame_objects_outlive_their_calls():
    def outer(n):
        a = n + 1
        b = inner(a)
        a = b * 2
        return a

    def inner(n):
        local = n * 3
        keep.append(grab(0))
        local += 1
        keep.append(grab(1))
        local += 1
        return local

    sides = copies(outer, inner)
    shown = []
    for functions in sides:
        keep = []
        functions[0].__globals__.update(keep=keep, grab=lambda depth: sys._getframe(depth + 1))
        results = [functions[0](number) for number in range(4)]
        gc.collect()
        shown.append((results, [(f.f_code.co_name, f.f_lineno, dict(f.f_locals), f.f_back and f.f_back.f_code.co_name) for f in keep],
                      [keep[0] is keep[1], keep[0].f_back is keep[1] or keep[0].f_back is keep[-1]]))
        for frame in keep:
            frame.clear()
    assert shown[0] == shown[1]


def test_frames_in_tracebacks_show_every_level():
    def outer(n, x):
        a = n
        try:
            b = middle(n - 1, x)
        except ValueError:
            b = None
        return b

    def middle(n, x):
        c = n * 2
        for d in range(3):
            e = inner(d, x)
        return e

    def inner(d, x):
        f = d + 1
        return 10 // (x - d)

    for given in ((1, 0), (1, 1), (1, 2), (1, 1.0), (1, 5)):
        shown = []
        for outer_copy, *_ in copies(outer, middle, inner):
            for _ in range(3):
                try:
                    found = outer_copy(*given)
                except ZeroDivisionError as error:
                    trace, found = error.__traceback__.tb_next, []
                    while trace is not None:
                        found.append((trace.tb_frame.f_code.co_name, trace.tb_lineno, trace.tb_frame.f_lineno,
                                      dict(trace.tb_frame.f_locals), trace.tb_frame.f_back.f_code.co_name))
                        trace = trace.tb_next
            shown.append(found)
        assert shown[0] == shown[1], given


def test_locals_and_vars_in_the_middle():
    def f(n, x):
        before = dict(locals())
        total = 0
        for i in range(n):
            total += i
            if i == 2:
                snapshot = dict(locals())
        y = x
        return before, snapshot, vars() is not None, sorted(locals()), eval("total + n")
    check(f, (4, 1), (4, 2.5), (4, [1]), (1, 1))


def test_exceptions_through_nested_handlers():
    def outer(n, x):
        log = []
        for i in range(n):
            try:
                try:
                    log.append(inner(i, x, log))
                finally:
                    log.append(("finally", i))
            except ZeroDivisionError as error:
                log.append(str(error))
                continue
            except (TypeError, IndexError):
                log.append("other")
                if i > 2:
                    raise
            else:
                log.append("else")
        return log

    def inner(i, x, log):
        with Manager(log, i == 3):
            value = x // (2 - i)
            if i == 4:
                value = log[1000]
            return value

    class Manager:
        def __init__(self, log, swallow):
            self.log, self.swallow = log, swallow

        def __enter__(self):
            self.log.append("enter")

        def __exit__(self, kind, error, trace):
            self.log.append((kind and kind.__name__, trace and trace.tb_lineno))
            return self.swallow
    both((outer, inner), ((5, 7), (4, 7.5), (3, "s"), (0, 0), (2, 2**70)), namespace={"Manager": lambda *a: Manager(*a)})


def test_exception_raised_from_a_handler_keeps_its_context():
    def f(a, b):
        try:
            return a // b
        except ZeroDivisionError as error:
            raise KeyError(a) from error
        finally:
            a = b
    check(f, (1, 1), (1, 0), (1.5, 0), (1, "x"))


UNBOUND = [
    "def f(n):\n    for i in range(n):\n        x = i\n    return x",
    "def f(n):\n    while n > 0:\n        n -= 1\n        if n == 2:\n            y = n\n    return y, n",
    "def f(n):\n    x = 1\n    for i in range(n):\n        if i == 2:\n            del x\n        if i == 4:\n            x = 2.5\n    return x",
    "def f(n):\n    del n\n    return n",
    "def f(n):\n    for i in range(3):\n        if i:\n            n += x\n        x = i * 1.5\n    return n, x",
    "def f(n):\n    for i in range(3):\n        for j in range(n):\n            v = j\n        n -= 1\n        v += i\n    return v",
    "def f(n):\n    if n > 1:\n        z = [n]\n    if n > 2:\n        z.append(1)\n    return z",
    "def f(n):\n    try:\n        q = 10 // n\n    except ZeroDivisionError as e:\n        pass\n    return q, e",
    "def f(n):\n    x = [n]\n    for i in range(n):\n        del x\n        x = [i]\n        if i == 3:\n            del x\n    return x",
    "def f(n):\n    for i in range(n):\n        a = i\n        del a\n    return a",
    "def f(n):\n    return missing_name + n",
    "def f(n):\n    global missing_name\n    del missing_name",
    "def f(n):\n    if n:\n        c = n\n    def g():\n        return c\n    return g()",
    "def f(n):\n    if n > 2:\n        del n\n    for i in range(2):\n        n = [i]\n    return n",
    "def f(n):\n    for i in range(2):\n        if i == 0 and n:\n            t = 'text'\n        u = t\n    return u, t",
]


@pytest.mark.parametrize("text", UNBOUND)
def test_unbound_variables(text):
    scope = {}
    exec(text, scope)
    check(scope["f"], (0,), (1,), (2,), (3,), (5,), (True,), (2.0,), (2**70 * 0,))


def test_cells_are_read_and_written_from_everywhere():
    def make():
        count, other = 0, 1.5

        def bump(n, act):
            nonlocal count, other
            for i in range(n):
                count += i
                if i == 2:
                    act(set_count)
            return count, other

        def set_count(value):
            nonlocal count
            count = value
        return bump, set_count

    import jit
    results = []
    for compiled in (False, True):
        bump, set_count = make()
        if compiled:
            jit.jit(bump)
            jit.jit(set_count)
        log = []
        for value in (0, 5, 2**62, 2**63, 1.5, True, None, "text", 3):
            set_count(value)
            for act in (lambda setter: None, lambda setter: setter(7), lambda setter: setter(0.5), lambda setter: setter("now text")):
                log.append(outcome(bump, (5, act))[0])
                set_count(value)
        cells = bump.__closure__
        for cell in cells:
            log.append(repr(cell)[:6])
        for cell in cells:
            try:
                del cell.cell_contents
            except ValueError:
                pass
        log.append(outcome(bump, (1, None))[0])
        results.append(log)
    assert results[0] == results[1]


def test_closures_made_inside():
    def f(n, x):
        total = x

        def add(k):
            nonlocal total
            total += k
            return lambda: total * k
        made = [add(i) for i in range(n)]
        total += 1
        return total, [g() for g in made]
    check(f, (3, 1), (3, 1.5), (0, 1), (3, "a"), (3, 2**63))


def test_globals_rebound_between_and_during_calls():
    def outer(n, act):
        total = 0
        for i in range(n):
            total += LIMIT
            act(i)
            total += helper(i)
        return total, LIMIT

    def helper(i):
        return i + OFFSET

    results = []
    for functions in copies(outer, helper):
        scope = functions[0].__globals__
        log = []

        def rebind(i, scope=scope):
            if i == 1:
                scope["LIMIT"] = 100
            if i == 2:
                scope["OFFSET"] = 0.5
            if i == 3:
                scope["helper"] = lambda i: -1000
            if i == 4:
                del scope["OFFSET"]
        keep = scope["helper"]
        for n in (1, 2, 3, 4, 5, 6, 6, 2, 2, 2, 6):
            scope.update(LIMIT=1, OFFSET=2, helper=keep)
            log.append(outcome(functions[0], (n, rebind))[0])
            log.append(sorted(k for k in ("LIMIT", "OFFSET") if k in scope))
        results.append(log)
    assert results[0] == results[1]


def test_builtins_shadowed_and_replaced():
    import builtins

    def f(items, act):
        a = len(items)
        act()
        b = len(items)
        return a, b, abs(-a), max(a, 1)
    results = []
    for (function,) in copies(f):
        scope = function.__globals__
        log = []
        try:
            for round in range(3):
                log.append(outcome(function, ([1, 2], lambda: None))[0])
                log.append(outcome(function, ([1, 2], lambda: scope.update(len=lambda x: "global")))[0])
                log.append(outcome(function, ([1, 2], lambda: None))[0])
                scope.pop("len")
                original = builtins.len
                log.append(outcome(function, ([1, 2], lambda: setattr(builtins, "len", lambda x: "builtin")))[0])
                builtins.len = original
                builtins.abs, kept = (lambda x: "abs"), builtins.abs
                log.append(outcome(function, ([1, 2], lambda: None))[0])
                builtins.abs = kept
        finally:
            builtins.len = original
            builtins.abs = kept
        results.append(log)
    assert results[0] == results[1]


def test_finaliser_rebinds_a_global_at_the_return_of_a_recursive_call():
    """The caller must notice although the callee itself ran compiled to its end."""
    def f(n, make):
        held = make()
        if n:
            f(n - 1, make)
        del make
        return LEVEL

    def g(n, make):
        held = make(n)
        total = g(n - 1, make) if n else 0
        return total * 10 + LEVEL

    def h(n, make):
        total = sink(n, make)
        return total * 10 + LEVEL

    def sink(n, make):
        held = make(n)
        return LEVEL

    for functions in ((f,), (g,), (h, sink)):
        results = []
        for made in copies(*functions):
            scope = made[0].__globals__
            scope.update(LEVEL=0)

            class Final:
                def __del__(self, scope=scope):
                    scope["LEVEL"] = (scope["LEVEL"] + 1) % 7
            log = []
            for _ in range(12):
                log.append(made[0](3, lambda *ignored: Final()))
                if functions[0] is g:
                    log.append(made[0](2, lambda n: None if n else Final()))
            results.append(log)
        assert results[0] == results[1], functions[0].__name__


def test_code_and_defaults_are_replaced():
    def f(a, b=2, *, c=3):
        return a + b, c

    def other(a, b=2, *, c=3):
        return "other", a, b, c

    def caller(x):
        return plain(x), plain(x, 5), plain(x, b=7)

    def plain(x, b=2):
        return x * b

    def replacement(x, b=2):
        return x, b, "new"
    results = []
    for f_copy, caller_copy, plain_copy in copies(f, caller, plain):
        log = []
        for _ in range(3):
            log.append([outcome(f_copy, (1,)), outcome(f_copy, (1.5, 2)), outcome(f_copy, (1,), {"c": 5}), outcome(f_copy, ()),
                        outcome(f_copy, (1, 2, 3)), outcome(f_copy, (1,), {"d": 5}), outcome(f_copy, (1,), {"a": 5}),
                        outcome(caller_copy, (3,)), outcome(caller_copy, (2.5,))])
        f_copy.__defaults__ = (10,)
        plain_copy.__defaults__ = (2.5,)
        f_copy.__kwdefaults__ = {"c": "changed"}
        log.append([outcome(f_copy, (1,)), outcome(f_copy, (1,), {"b": 2}), outcome(caller_copy, (3,)), outcome(caller_copy, (3,))])
        f_copy.__defaults__ = None
        plain_copy.__defaults__ = None
        f_copy.__kwdefaults__ = None
        log.append([outcome(f_copy, (1,)), outcome(f_copy, (1, 2)), outcome(caller_copy, (3,))])
        plain_copy.__defaults__ = (9,)
        kept = f_copy.__code__, plain_copy.__code__
        f_copy.__code__, plain_copy.__code__ = other.__code__, replacement.__code__
        log.append([outcome(f_copy, (1, 2)), outcome(f_copy, (1, 2), {"c": 1}), outcome(caller_copy, (3,)), outcome(plain_copy, (3,))])
        f_copy.__code__, plain_copy.__code__ = kept
        log.append([outcome(f_copy, (1, 2), {"c": 1}), outcome(caller_copy, (3,)), outcome(plain_copy, (3,))])
        results.append(log)
    assert results[0] == results[1]


def test_code_is_replaced_while_it_runs():
    def f(n, act):
        total = 0
        for i in range(n):
            total += i
            if i == 1:
                act()
        return total if n < 3 else f(n - 1, act)

    def other(n, act):
        return "other", n
    results = []
    for (function,) in copies(f):
        log = []
        for _ in range(3):
            log.append(function(4, lambda: None))
            kept = function.__code__
            log.append(function(4, lambda: setattr(function, "__code__", other.__code__)))
            function.__code__ = kept
        results.append(log)
    assert results[0] == results[1]


def test_hostile_methods_see_and_change_the_world():
    """Operators that look at frames, collect garbage, switch tracing on and off, or raise, in the middle of compiled code."""
    class Hostile:
        def __init__(self, action):
            self.action = action

        def __add__(self, other):
            return self.action(other)

        __radd__ = __mul__ = __rmul__ = __lt__ = __gt__ = __eq__ = __add__

    def f(n, x, h):
        total = x
        for i in range(n):
            total = total + i
            if i == 2:
                y = h + i
            if i == 3:
                y = i * h
        return total, y

    def depth(other):
        frame = sys._getframe(2)
        return frame.f_code.co_name, frame.f_lineno, {k: v for k, v in frame.f_locals.items() if k != "h"}

    def collect(other):
        gc.collect()
        return other

    def trace(other):
        sys.settrace(lambda *a: None)
        sys.settrace(None)
        return other

    def profile(other):
        sys.setprofile(lambda *a: None)
        sys.setprofile(None)
        return other

    def limit(other):
        old = sys.getrecursionlimit()
        sys.setrecursionlimit(old + 50)
        sys.setrecursionlimit(old)
        return other

    def fail(other):
        raise LookupError(other)

    def write(other):
        sys._getframe(2).f_locals["total"] = "written"
        return other
    for action in (depth, collect, trace, profile, limit, fail) + ((write,) if sys.version_info >= (3, 13) else ()):
        check(f, (5, 1, 0), (5, 1.5, 0), (2, 1, 0), make=lambda given, action=action: (*given[:2], Hostile(action)))


def test_with_blocks_and_generators_inside():
    def f(n):
        with open("/dev/null") as handle:
            total = sum(i * i for i in range(n))
            kinds = {k: v for k, v in zip("abc", range(n))}
            chosen = {i % 3 for i in range(n)}
        return total, kinds, chosen, handle.closed
    check(f, (5,), (0,), (2.5,))
