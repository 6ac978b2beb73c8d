import copy
import pickle


class Point:
    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return self.x == other.x


def function():
    """Text."""


print(pickle.loads(pickle.dumps(Point(3))) == Point(3), pickle.loads(pickle.dumps(function)) is function)
print(copy.deepcopy(function) is function, Point.__module__, function.__module__, repr(Point), pickle.dumps(Point(1), 0))
