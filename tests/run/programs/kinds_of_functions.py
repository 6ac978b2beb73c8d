import functools
import inspect
import types


class Meta:
    made = []

    def __init_subclass__(cls, **options):
        Meta.made.append((cls.__name__, options))

    def __class_getitem__(cls, item):
        return f"{cls.__name__}[{item}]"

    def __new__(cls, *arguments):
        return super().__new__(cls)

    @classmethod
    def make(cls, n):
        return [cls() for _ in range(n)]

    @staticmethod
    def plain(n):
        return n + 1

    @property
    def seven(self):
        return 7


def hot(n):
    return n + 1


def run():
    s = 0
    for i in range(200_000):
        s += hot(i)
    return s


print([run() for _ in range(12)][-1])


class Later(Meta, key=1):
    step = hot
    __class_getitem__ = Meta.__dict__["__class_getitem__"]


@functools.wraps(hot)
def wrapper(*arguments):
    return hot(*arguments)


print(Meta.made, Later[3], Meta[int], len(Later.make(3)), Later.plain(2), Later().seven)
print(repr(type(hot)), isinstance(hot, types.FunctionType), inspect.isfunction(hot), inspect.signature(hot), hot.__doc__)
print(wrapper.__wrapped__ is hot, wrapper(1), sorted(vars(hot)), dir(hot) == dir(run))
print(hot.__module__, hot.__qualname__, hot.__code__.co_name, hot.__defaults__, hot.__dict__, hash(hot) == hash(hot), callable(hot))
hot.__defaults__ = (5,)
print(hot())
hot.__code__ = (lambda n: n - 1).__code__
print(hot(1), run())
