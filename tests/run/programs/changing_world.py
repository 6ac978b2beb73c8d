factor = 2


def scaled(n):
    s = 0
    for i in range(n):
        s += i * factor
    return s


def show():
    return [scaled(2000) for _ in range(600)][-1]


print(show())
factor = 3
print(show())
factor = 0.5
print(show())
factor = "a"
try:
    show()
except TypeError as problem:
    print(problem)


def range(n):  # noqa: A001
    return iter([1] * n)


factor = 1
print(show())
