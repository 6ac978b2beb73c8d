import gc
import weakref


class Node:
    pass


def make():
    a, b = Node(), Node()
    a.other, b.other = b, a
    return weakref.ref(a)


def factory(k):
    def made(n):
        s = 0
        for i in range(n):
            s += k
        return s
    return made


dead = [make() for _ in range(2000)]
gc.collect()
print(sum(reference() is not None for reference in dead))
functions = []
for k in range(300):
    function = factory(k)
    function(2000)
    functions.append(weakref.ref(function))
del function
gc.collect()
print(sum(reference() is not None for reference in functions))
