import functools


def key(x):
    return -x % 17


def add(a, b):
    return a + b


class Ordered:
    def __init__(self, n):
        self.n = n

    def __lt__(self, other):
        return self.n < other.n

    def __hash__(self):
        return self.n

    def __eq__(self, other):
        return self.n == other.n


for _ in range(20):
    data = list(range(10_000))
    data.sort(key=key)
    total = functools.reduce(add, map(key, data))
    things = sorted(map(Ordered, data[::-1]))
    distinct = len(set(map(Ordered, data)))
print(data[:5], total, things[0].n, distinct)
