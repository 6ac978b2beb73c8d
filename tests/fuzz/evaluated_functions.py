"""Functions of every kind, with argument lists as texts, and values that misbehave: what the reference evaluator is tried on."""

import collections
import functools
from contextlib import suppress
from types import SimpleNamespace

# -- misbehaving values ---------------------------------------------------------------------------------


class Raises:
    """Every operator raises."""

    def _fail(self, *_):
        raise LookupError("hostile")

    __add__ = __radd__ = __sub__ = __mul__ = __eq__ = __lt__ = __bool__ = __len__ = __iter__ = __getitem__ = __setitem__ = _fail
    __call__ = __enter__ = __contains__ = __neg__ = __iadd__ = __hash__ = __format__ = __getattr__ = __setattr__ = __and__ = _fail


class Odd:
    """Every operator answers, oddly."""

    def __init__(self, log=None):
        self.log = [] if log is None else log

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        self.log.append(name)
        return self

    def __call__(self, *arguments, **keywords):
        return arguments, keywords

    def __add__(self, other):
        return NotImplemented

    def __eq__(self, other):
        return "equal"

    def __lt__(self, other):
        return []

    __hash__ = None

    def __bool__(self):
        self.log.append("bool")
        return False

    def __len__(self):
        return 2

    def __getitem__(self, index):
        if index == 3:
            raise IndexError(index)
        return index

    def __setitem__(self, index, value):
        self.log.append((index, "set"))

    def __enter__(self):
        return self.log

    def __exit__(self, *problem):
        self.log.append([item is None for item in problem])
        return True

    def keys(self):
        return ["k", "x"]

    def __format__(self, spec):
        return f"<{spec}>"


class Number(int):
    def __add__(self, other):
        return Number(int(self) + 1)

    def __floordiv__(self, other):
        raise StopIteration("division")


class Text(str):
    def __str__(self):
        return "changed"


class Point:
    __match_args__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y


class Endless:
    def __iter__(self):
        return self

    def __next__(self):
        raise RuntimeError("no item")


HOSTILE = SimpleNamespace(namespace=globals(), values=(
    "0", "True", "-7", "2**63", "1.5", "float('nan')", "None", "'k'", "''", "b'a'", "(1, 2)", "[3, 1]", "[]", "{'k': 1}", "{1: 2}",
    "{'x': 1}", "{1}", "range(3)", "slice(1)", "len", "int", "ValueError", "ValueError('v')", "KeyError('k')", "Raises()", "Odd()",
    "Number(3)", "Text('t')", "Point(1, [2])", "Endless()", "(i for i in (1, 2))", "object()"))

# -- functions ------------------------------------------------------------------------------------------


def parameters(a, b=2, /, c=3, *rest, d, e=5, **more):
    return a, b, c, rest, d, e, more


def call_them(which):
    items, table = [1, 2], {"d": 4, "f": 6}
    if which == 0:
        return parameters(1, d=4), parameters(*items, **table), parameters(*items, 7, 8, *items, d=1, **{"z": 2})
    if which == 1:
        return parameters(1)
    if which == 2:
        return parameters(1, d=2, **table)
    if which == 3:
        return parameters(*5, d=1)
    if which == 4:
        return parameters(*items, **5)
    if which == 5:
        return parameters(1, a=2, d=3), parameters(d=1)
    if which == 6:
        return int("12", base=5), "x".join(["a", "b"]), [3, 1].sort(key=lambda x: -x), (lambda *a, **k: (a, k))(*items, k=1)
    if which == 7:
        return nothing_of_the_kind(items)  # noqa: F821
    return functools.partial(parameters, 1)(d=which), max(items, key=lambda x: -x), functools.reduce(lambda a, b: a + b, items)


def contexts(how):
    """Contexts and causes through nested handlers."""
    seen = []
    try:
        try:
            1 // 0
        except ZeroDivisionError as first:
            seen.append(first)
            try:
                if how == 0:
                    raise ValueError("second")
                if how == 1:
                    raise
                if how == 2:
                    raise ValueError("second") from None
                if how == 3:
                    raise ValueError("second") from KeyError("cause")
                if how == 4:
                    raise first
                [][1]
            except ValueError as second:
                seen.append(second)
                raise first from second
            finally:
                seen.append(len(seen))
    except ArithmeticError as last:
        if how == 4:
            raise RuntimeError(seen) from last
        if how < 3:
            return seen, last, last.__context__, last.__cause__
        raise
    except LookupError:
        try:
            missing  # noqa: F821
        except NameError:
            pass
        raise


def in_a_callee(how):
    def fail():
        if how == 2:
            raise
        raise KeyError("inner")

    try:
        [1, 2, 3][how * 3]
    except IndexError as caught:
        try:
            fail()
        except KeyError as inner:
            return inner, inner.__context__ is caught
    fail()


def finally_returns(how):
    for i in range(3):
        try:
            if i == how:
                continue
            return i, 1 // how
        except ZeroDivisionError:
            return "divided"
        finally:
            if how == 2:
                break
    return "end"


def with_statements(how):
    log = []

    class Manager:
        def __init__(self, name, suppresses=False):
            self.name, self.suppresses = name, suppresses

        def __enter__(self):
            log.append(("enter", self.name))
            if how == 3:
                raise ValueError("enter")
            return self.name

        def __exit__(self, kind, problem, trace):
            log.append(("exit", self.name, kind, problem, trace is None))
            if how == 4:
                raise KeyError("exit")
            return self.suppresses

    try:
        with Manager("a", how == 1) as a, Manager("b") as b:
            log.append((a, b))
            if how:
                raise IndexError(how)
    except Exception as problem:
        log.append(problem)
    with suppress(ValueError):
        int("x")
    return log


def bare_raise():
    raise


def unbound(how):
    if how == 0:
        x = 1
    if how == 2:
        x = 2
        del x
    return x


def unbound_cell(how):
    def inner():
        return x, how

    if how:
        x = 3
    if how == 2:
        del x
    return inner()


def delete_twice(how):
    x = 1
    del x
    if how:
        del x


def delete_cell():
    x = 1

    def inner():
        return x

    del x
    del x
    return inner


def closures(n):
    count = 0

    def add(k=1, *, times=2):
        nonlocal count, n
        count += k * times
        n = n + 1
        return count

    return [add(), add(5), add(times=3), n, count], [(lambda i=i: i + n)() for i in range(3)]


def annotated(a: int = 1, *, b: "text" = 2) -> list:  # noqa: F821
    def inner(c: str, d: float = 1.0, *e: a, f: b = 3) -> int:
        return c

    return inner.__annotations__, inner.__defaults__, inner.__kwdefaults__, inner("x"), inner.__name__, inner.__qualname__


def comprehensions(n):
    x = "outer"
    result = [x for x in range(n)], {x: y for x in range(n) for y in range(x) if y}, {x % 2 for x in range(n)}
    return result, list(x * x for x in range(n)), x, [[y + z for y in range(z)] for z in range(n)], [(lambda: x)() for _ in range(n)]


def comprehension_that_raises(items):
    x = 5
    try:
        return [1 // x for x in items]
    except ZeroDivisionError as problem:
        return x, problem


def makes_classes(base):
    class Base:
        shared = []

        def __init__(self, n, **more):
            self.n = n
            super().__init__(**more)

        def double(self, times=2):
            return self.n * times

        @property
        def tripled(self):
            return self.n * 3

        @staticmethod
        def plain(x):
            return x

    class Child(Base):
        def double(self, times=2):
            return super().double(times=times) + 1

        def keep(self):
            return lambda: (self.n, super(Child, self).double())

        def missing(self):
            return super().nothing

        @classmethod
        def make(cls, n):
            return cls(n)

    child = Child.make(base)
    child.extra = 7
    return child.double(), Child.double(child, 5), child.keep()(), child.tripled, child.plain(1), child.extra, child.missing()


def super_in_the_method(self_like):
    class Upper:
        def f(self, x):
            return "upper", x

        value = 3

    class Lower(Upper):
        def f(self, x):
            def inner():
                return self is None
            return super().f(x), super().value, inner()

    lower = Lower()
    return lower.f(self_like), Lower.f(lower, 2)


def decorated(n):
    def twice(function):
        @functools.wraps(function)
        def wrapper(*arguments, **keywords):
            return function(*arguments, **keywords), function(*arguments, **keywords)
        return wrapper

    @twice
    def inner(a, b=1):
        return a + b

    return inner(n), inner(n, b=2), inner.__name__


def imports(which):
    import os.path
    import string as text
    from collections import OrderedDict, abc
    from os import path as where
    if which == 1:
        from math import nothing_there  # noqa: F401
    if which == 2:
        import no_such_module_at_all  # noqa: F401
    return os.path is where, text.digits, OrderedDict.__name__, abc.Sized.__name__


def asserts(x):
    assert x > 1, f"too small: {x}"
    return x


GLOBAL = 1


def uses_globals(n):
    global GLOBAL, fresh
    GLOBAL += n
    fresh = n
    result = GLOBAL, fresh, globals()["GLOBAL"]
    del fresh
    GLOBAL = 1
    if n == 2:
        del fresh
    return result


def matching(subject):
    match subject:
        case 1 | 2:
            return "small"
        case [] | [_]:
            return "short"
        case [1, *middle, 9]:
            return middle
        case [Point(x, 5), {"a": [b, c], **rest}]:
            return x, b, c, rest
        case Point(x=x, y=y) if x == y:
            return x
        case Point(1, y):
            return y
        case {"k": 1, "l": value}:
            return value
        case {"k": k, None: n}:
            return k, n
        case {}:
            return "mapping"
        case str() | bytes() as text:
            return text
        case float(x) | bool(x):
            return x
        case Point(_, _, _):
            return "never"
        case other:
            return [other]


def duplicate_keys(mapping):
    class Keys:
        a = b = "k"

    match mapping:
        case {Keys.a: 1, Keys.b: 2}:
            return 1
    return 2


def generator(n):
    def counter(limit):
        got = []
        for i in range(limit):
            try:
                got.append((yield i))
            except ValueError as problem:
                got.append(problem.args)
        return got

    def outer(limit):
        result = yield from counter(limit)
        yield result
        yield from [7, 8]
        with suppress(KeyError):
            yield "in with"
            raise KeyError
        return "done"

    made = outer(n)
    log = [next(made, "ended"), type(made).__name__, made.__name__]
    for step in range(2 * n + 8):
        try:
            log.append(made.throw(ValueError("thrown", step)) if step % 3 == 1 and step < n else made.send(step))
        except StopIteration as end:
            log.append(end.value)
            break
        except ValueError as problem:
            log.append(problem)
            break
    made.close()
    return log


def generator_contexts(how):
    def inner():
        try:
            1 // 0
        except ZeroDivisionError:
            try:
                yield "handling"
            except LookupError as problem:
                yield problem, problem.__context__
            if how == 1:
                raise StopIteration("leaves")
            if how == 2:
                yield from Endless()
            raise

    made = inner()
    log = [next(made)]
    if how < 3:
        log.append(made.throw(KeyError("thrown")))
    try:
        try:
            raise OSError("outside")
        except OSError:
            log.append(next(made, None))
    except RuntimeError as problem:
        log += [problem, problem.__cause__, problem.__context__]
        raise
    return log


def generator_ends(how):
    log = []

    def inner():
        try:
            yield 1
            yield 2
        except GeneratorExit:
            log.append("exit")
            if how == 1:
                yield "ignored"
            raise
        except StopIteration as stopped:
            log.append(stopped)
            raise
        finally:
            log.append("finally")

    def outer():
        value = yield from inner()
        log.append(value)

    made = outer()
    next(made)
    try:
        if how == 2:
            made.throw(StopIteration(5))
        elif how == 3:
            made.throw(KeyError)
        else:
            made.close()
    except (RuntimeError, KeyError) as problem:
        log.append((problem, problem.__context__, problem.__cause__))
    return log


def delegates_oddly(items):
    class Steps:
        """An iterator with neither __iter__ nor send."""

        def __init__(self):
            self.left = list(items)

        def __next__(self):
            if not self.left:
                raise StopIteration("result")
            return self.left.pop()

    class Start:
        def __iter__(self):
            return Steps()

    def inner():
        try:
            result = yield from Start()
        except KeyError:
            result = yield from "ab"
        return result

    made, log = inner(), []
    log += [next(made, None), next(made, None)]
    try:
        log.append(made.throw(KeyError("thrown")))
        log.append(made.send("no"))
    except (AttributeError, KeyError) as problem:
        log.append(problem)
    return log + list(made)


def simple_generator(n):
    for i in range(n):
        yield i
    return n


def jumps(items):
    result = []
    for item in items:
        if item is None:
            continue
        if item is not None and not item:
            result.append("falsy")
        elif (item and result) or item == 3:
            result.append((item, result and len(result)))
        while item:
            item = item[1:] if isinstance(item, str) else None
            if item is not None:
                result.append(item)
        else:
            result.append("else")
    else:
        result.append("done")
    return result


def while_none(items):
    x = None
    while x is None and items:
        x = items.pop()
    while x is not None:
        x = items.pop() if items else None
    do = 0
    while True:
        do += 1
        if not do < 5:
            break
    while not do % 7 == 0:
        do += 1
    return x, do


def texts(a, b):
    return f"{a} {b!r} {a!s:>8} {b!a:{a}}", f"{b:{a}.{a}}", f"{a}", f"", f"{a}{b}"  # noqa: F541


def slices(items, i, j):
    items[i:j] = ["new"]
    first = items[i:j], items[::i], items[i:j:2]
    del items[j:]
    items[0] += "x"
    return first, items


def unpacks(items):
    a, (b, *c), *d, e = items
    [x, y] = b, c
    return a, b, c, d, e, x, y


def displays(a, b):
    empty = {}
    big = {"a": a, "b": b, "c": 3, "d": 4, "e": [a, *b], "f": {a, *b}, "g": (*b, a), **empty, **{"h": 1}}
    return big, [1, 2, 3, *b, 4], {a: 1, **{a: 2, 5: 6}}, {1, 2, 3, a}, [1, 2, 3, 4, 5], {"k": 1, "l": 2, "m": 3}


def attributes(value):
    box = SimpleNamespace(a=value)
    box.b = box.a
    box.a += 1
    del box.b
    return box, box.b


def catches_nothing_valid(kinds):
    try:
        raise ValueError("v")
    except kinds:
        return "caught"


def rebinds_context(how):
    try:
        raise KeyError("first")
    except KeyError as first:
        kept = first
    try:
        raise ValueError("outer")
    except ValueError as outer:
        outer.__context__ = kept
        try:
            if how:
                in_a_callee_raise(kept)
            raise kept
        except KeyError as again:
            return again, again.__context__, outer.__context__


def in_a_callee_raise(problem):
    try:
        raise problem
    except KeyError as inner:
        len(())
        raise inner


def named_tuple():
    made = collections.namedtuple("made", "a b", module="here")
    return made(1, b=2)._asdict(), made(3, 4)


CASES = [
    (call_them, *[f"({n},)" for n in range(9)]), (parameters, "(1,)"), (contexts, *[f"({n},)" for n in range(6)]),
    (in_a_callee, "(0,)", "(1,)", "(2,)"), (finally_returns, "(0,)", "(1,)", "(2,)", "(5,)"),
    (with_statements, *[f"({n},)" for n in range(5)]), (bare_raise, "()"), (unbound, "(0,)", "(1,)", "(2,)"),
    (unbound_cell, "(0,)", "(1,)", "(2,)"), (delete_twice, "(0,)", "(1,)"), (delete_cell, "()"), (closures, "(3,)", "('x',)"),
    (annotated, "()"), (comprehensions, "(4,)", "(0,)", "('x',)"), (comprehension_that_raises, "([1, 0],)", "([1, 'x'],)", "([2],)"),
    (makes_classes, "(3,)", "([],)"), (super_in_the_method, "(1,)"), (decorated, "(3,)", "('x',)"), (imports, "(0,)", "(1,)", "(2,)"),
    (asserts, "(3,)", "(0,)", "('x',)"), (uses_globals, "(1,)", "(2,)"),
    (matching, "(1,)", "([],)", "([5],)", "([1, 2, 9],)", "([Point(3, 5), {'a': (1, 2), 'z': 3}],)", "(Point(2, 2),)", "(Point(1, 3),)",
     "(Point(4, 3),)", "({'k': 1, 'l': 2},)", "({'k': 3, None: 4},)", "({},)", "('abc',)", "(b'x',)", "(2.5,)", "(True,)", "(None,)",
     "(Odd(),)", "(Raises(),)"),
    (duplicate_keys, "({'k': 1},)", "({'k': 2, 'l': 1},)", "({},)"), (generator, "(0,)", "(3,)", "(6,)"),
    (generator_contexts, *[f"({n},)" for n in range(4)]), (generator_ends, *[f"({n},)" for n in range(4)]),
    (delegates_oddly, "([],)", "([1],)", "([1, 2, 3],)"), (jumps, "([None, 0, 3, 'abc', '', 1],)", "(None,)", "([Odd()],)"),
    (while_none, "([None, 1, None, 2],)", "([],)"), (texts, "(3, 'abc')", "('x', 2.5)", "(Odd(), 1)"),
    (slices, "(['a', 'b', 'c', 'd'], 1, 3)", "(['a'], 0, 1)", "((1, 2), 1, 2)"), (unpacks, "([1, (2, 3, 4), 5, 6, 7],)", "([1, [2], 3],)",
     "([1, 2, 3],)", "([1],)", "(5,)"), (displays, "(1, [2, 3])", "([], [1])", "(1, 2)"), (attributes, "(1,)", "('x',)"),
    (catches_nothing_valid, "(ValueError,)", "((KeyError, ValueError),)", "(5,)", "((KeyError, 'x'),)", "(None,)", "(KeyError,)"),
    (rebinds_context, "(0,)", "(1,)"), (named_tuple, "()"), (simple_generator, "()"),
]
