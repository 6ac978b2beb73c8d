"""Functions that between them use most bytecodes; each with arguments to run it with."""

import sys


def arithmetic(a, b):
    return (a + b * 2 - (a // 3) % 5) ** 2, a < b, a if a > b else b, not a, -a, ~b, a is b, a in (1, 2, 3), a / b, a * 1.5


def loops(n):
    s = 0
    for i in range(n):
        if i % 3 == 0:
            continue
        if i > 7:
            break
        for j in [1, 2.5]:
            s += i * j
    else:
        s += 1000
    for k in range(10, -5, -4):
        s -= k
    while s < 50:
        s += 7
    return s, i, j, k


def handlers(n):
    out = []
    for i in range(n):
        try:
            x = 10 // (i - 2)
            out.append(x)
            if i == 3:
                raise KeyError(i)
        except ZeroDivisionError as problem:
            out.append(str(problem))
        except KeyError:
            out.append("key")
        else:
            out.append("else")
        finally:
            out.append("finally")
    try:
        undefined
    except NameError:
        out.append("name")
    try:
        del unbound
    except UnboundLocalError:
        out.append("unbound")
        unbound = 1
    return out


def nested_handlers():
    out = []
    try:
        try:
            raise ValueError(1)
        except ValueError as first:
            try:
                raise KeyError(2)
            except KeyError as second:
                out.append((type(second.__context__), sys.exc_info()[0]))
            out.append(sys.exc_info()[0])
            raise TypeError(3) from first
        finally:
            out.append("finally")
    except TypeError as third:
        out.append(type(third.__cause__))
    return out


class Manager:
    def __init__(self, log, swallow=False):
        self.log, self.swallow = log, swallow

    def __enter__(self):
        self.log.append("in")
        return self

    def __exit__(self, *problem):
        self.log.append(problem[0])
        return self.swallow


def managers():
    log = []
    with Manager(log) as one, Manager(log, True) as two:
        log.append(one is not two)
        raise RuntimeError("x")
    for k in range(3):
        with Manager(log):
            if k == 1:
                continue
            log.append(k)
    return log


def comprehensions(n):
    k = 3
    a = [x * k for x in range(n) if x & 1]
    b = {x: y for x, y in zip(a, "abc")}
    c = sum(x for x in a)
    return a, b, c, {x % 2 for x in a}


def closures(n):
    c = 0

    def inner(d=1):
        nonlocal c
        c += d
        return c
    for i in range(n):
        inner(i)
    return c, inner(), (lambda z: z + c)(5)


def helper(*a, k=1, **kw):
    return a, k, sorted(kw.items())


def calls(x):
    d = {"p": 1}
    return helper(x, k=2), helper(*[1, 2], **d), helper(1, *(2,), k=x, q=3), max(x, 3, key=lambda v: -v), " ".join(["a", "b"])


def unpacking(t):
    a, (b, *c), d = t
    [e, f] = c
    x = [0] * 3
    x[1] += 5
    x[0], x[2] = 7, 8
    del x[0]
    return a, b, c, d, e, f, x, f"{a!r:>5}|{d:03d}", "hello"[::-1], [1, 2, 3][1:a]


class Base:
    def method(self, x):
        return x + 1


class Derived(Base):
    def method(self, x):
        y = super().method(x)
        return y * 2, __class__.__name__


def objects(x):
    o = Derived()
    o.z = x
    o.z += 1
    result = o.method(x), getattr(o, "nope", None), o.z
    del o.z
    return result, hasattr(o, "z")


def matching(values):
    out = []
    for value in values:
        match value:
            case {"k": z, **rest}:
                out.append(("mapping", z, rest))
            case [1, x, *o]:
                out.append(("sequence", x, o))
            case int(x) if x > 5:
                out.append(("int", x))
            case complex(real=q):
                out.append(q)
            case _:
                out.append(None)
    return out


def groups():
    try:
        raise ExceptionGroup("g", [ValueError(1), KeyError(2)])
    except* ValueError as problem:
        a = len(problem.exceptions)
    except* KeyError as problem:
        b = len(problem.exceptions)
    return a, b


PROGRAMS = [
    (arithmetic, lambda: (7, 3)), (loops, lambda: (12,)), (handlers, lambda: (5,)), (nested_handlers, lambda: ()),
    (managers, lambda: ()), (comprehensions, lambda: (6,)), (closures, lambda: (4,)), (calls, lambda: (3,)),
    (unpacking, lambda: ((1, [2, 3, 4], 5),)), (objects, lambda: (4,)), (groups, lambda: ()),
    (matching, lambda: ([{"k": 1, "j": 2}, [1, 2, 3], 9, 2, 1j],)),
]
