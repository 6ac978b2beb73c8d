"""Functions whose code objects are damaged: between them they use nearly every instruction that Python's compiler writes."""

SOURCES = tuple(f"LIMIT = 7\nTOTALS = []\n\n{text}" for text in ('''\
def f(a, b):
    return a + b
''', '''\
def f(a, b):
    total = a
    items = [1, 2, b]
    for i in range(a):
        total = total + items[i % 3] * 2
        if total > LIMIT:
            break
        elif not total or i is None:
            continue
        total -= len(items)
    else:
        total = -total
    return total, items, ~a
''', '''\
def g(a, b=2, c=3):
    return a * b - c
def f(a, b):
    return g(a) + g(b, c=a) + g(b=a, a=b) + g(*TOTALS, a, **{"c": b}) + max(a, b) + a.real
''', '''\
def f(a, b):
    try:
        with a as c:
            b.append(c)
    except (ValueError, TypeError) as problem:
        TOTALS.append(str(problem))
        raise RuntimeError(a) from problem
    except KeyError:
        return 1
    finally:
        b = a
    return b
''', '''\
def f(a, b):
    def inner(x, y=a):
        nonlocal b
        b = b + x
        return b, y
    f.last = [lambda: a, inner]
    return inner(a)[0] + [x + b for x in range(3)][1]
''', '''\
def f(a, b):
    c, (d, *e) = a, (b, a, b)
    text = f"{a!r:>{b}}{c}" + "x"
    found = {"k": a, **{"l": b}}
    found["k"], text = text, found["l"]
    del found["l"], c
    return {a, b, *e}, [*e, d], (a, *e), found, a if b else d, text[1:], text[a:b:2]
''', '''\
def f(a, b):
    global LIMIT
    while a < b <= LIMIT:
        a += 1
        LIMIT = LIMIT - 1 if a == 3 and b or not a else LIMIT
        if b in TOTALS and a is not b:
            return
        assert a != b, "equal"
    a //= 3; a <<= 1; b = a @ b if a else a ** b
    b %= a; a |= b; a ^= 1; a &= 255; a >>= 1; a /= 2
    return a, b
''', '''\
def f(a, b):
    for x, y in zip(a, b):
        for i, j in enumerate(x):
            yield i, j, (yield from y)
''', '''\
async def f(a, b):
    async with a as c:
        async for d in b:
            await c(d)
    return [e async for e in b]
''', '''\
def f(a, b):
    match a:
        case {"x": x, **rest} if x:
            return x, rest
        case [first, *_, last]:
            return first + last
        case int(real=r) | float(real=r):
            return r
    import math as m
    from os import path
    class C(object):
        z = b
    print(m, path, C.z, sep=b)
    C.z = a; del C.z
    return super
''', '''\
def f(a, b, /, *c, d=1, **e):
    return a, b, c, d, e
'''))
