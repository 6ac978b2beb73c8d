def inner(n):
    s = 0
    for i in range(n):
        s += 10 // (250_000 - i)
    return s


def outer():
    for n in [100_000] * 40 + [300_000]:
        inner(n)


outer()
