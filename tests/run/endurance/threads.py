"""Eight threads run and redefine the same hot functions and classes; whatever is called must be what was defined last, or later.

    python -m jit run [--eager] tests/run/endurance/threads.py SECONDS

What is called gives back which edition of it ran. Before each call its caller notes which edition is in force already: an
older one may not answer, and what it answers must be right for its edition. Ends with status 1 if not.
"""

import sys
import threading
import time

THREADS = 8
#: Turns of the inner loops, between two redefinitions by the same thread.
TURNS = 300
sys.setswitchinterval(0.0005)

changing = threading.Lock()
#: Kind of thing -> the edition in force, in lists so that reading is one subscript.
latest = {"function": [0], "code": [0], "defaults": [0], "method": [0], "property": [0], "class": [0], "attribute": [0]}
problems = []


def function(x):
    return 0, x + x


def exchanged(x):
    return 0, x + x


def defaulted(x, edition=0):
    return edition, x + x


class Point:
    """Its methods are replaced."""

    edition = 0

    def __init__(self, x):
        self.x = x
        self.y = 0.5

    def double(self):
        return 0, self.x + self.x

    def read(self):
        return 0, self.x + self.x

    value = property(read)

    def __add__(self, other):
        return self.edition, self.x + other.x


class Other(Point):
    """Instances change to and fro between it and its base."""

    def __init__(self, x):
        super().__init__(x)
        self.z = self

    def name(self):
        return "Other"


Point.name = lambda self: "Point"

TEMPLATE = """
def made({arguments}):
    turns = 0
    for step in range(3):
        turns = turns + step
    return {edition} if turns == 3 else -1, {x} + {x}
"""


def make(edition, arguments="x", x="x"):
    """A function of an edition; each has code of its own."""
    namespace = {}
    exec(TEMPLATE.format(arguments=arguments, x=x, edition=edition), namespace)
    return namespace["made"]


def redefine(kind, edition):
    """Put another edition in force."""
    global function, Newer
    if kind == "function":
        function = make(edition)
    elif kind == "code":
        exchanged.__code__ = make(edition).__code__
    elif kind == "defaults":
        defaulted.__defaults__ = (edition,)
    elif kind == "method":
        Point.double = make(edition, "self", "self.x")
    elif kind == "property":
        Point.value = property(make(edition, "self", "self.x"))
    elif kind == "attribute":
        Point.edition = edition
    else:
        Newer = type("Newer", (Point,), {"double": make(edition, "self", "self.x"), "__init__": Point.__init__})


class Newer(Point):
    """Its name is bound to another class again and again."""

    def double(self):
        return 0, self.x + self.x


def check(kind, low, found, x):
    edition, value = found
    if edition < low or edition > latest[kind][0] + 1 or value != x + x or type(value) is not type(x + x):
        problems.append((kind, low, found, x))


def run_functions(values):
    for turn in range(TURNS):
        x = values[turn % len(values)]
        low = latest["function"][0]
        check("function", low, function(x), x)
        low = latest["code"][0]
        check("code", low, exchanged(x), x)
        low = latest["defaults"][0]
        check("defaults", low, defaulted(x), x)


def run_methods(values):
    for turn in range(TURNS):
        x = values[turn % len(values)]
        point = Point(x)
        low = latest["method"][0]
        check("method", low, point.double(), x)
        low = latest["property"][0]
        check("property", low, point.value, x)
        low = latest["attribute"][0]
        check("attribute", low, point + point, x)
        low = latest["class"][0]
        check("class", low, Newer(x).double(), x)


def run_instances(shared):
    """Instances that all threads see: their numbers only grow, and their class is always one of two."""
    for turn in range(TURNS):
        point = shared[turn % len(shared)]
        before = point.x
        point.x = point.x + 1
        name = point.name()
        if name not in ("Point", "Other") or point.x < before - 10**6 or type(point.y) is not float:
            problems.append(("instance", name, point.x, point.y))
        point.__class__ = Other if turn % 3 else Point
        if turn % 50 == 0:
            point.__dict__ = dict(point.__dict__)
            point.y = point.y + 0.25
            del point.y
            point.y = 0.5


def work(number, shared, until, counts):
    values = [[1, 2, 3], [1.5, 2.5], ["a", "bc"], [2**62, 2**63, -2**62], [True, 7], [1, 2.5], [(1,), [2]], [0]][number % 8]
    kinds = list(latest)
    while time.monotonic() < until and not problems:
        try:
            run_functions(values)
            run_methods(values)
            run_instances(shared[number % 2])
        except AttributeError as problem:
            if problem.name != "y":  # between its deletion and its return by another thread
                raise
            for point in shared[0] + shared[1]:
                point.y = 0.5
        with changing:
            kind = kinds[counts[number] % len(kinds)]
            edition = latest[kind][0] + 1
            redefine(kind, edition)
            latest[kind][0] = edition
        counts[number] += 1


def guarded(*arguments):
    try:
        work(*arguments)
    except BaseException as problem:
        problems.append(problem)
        raise


def main(seconds):
    shared = [[Point(number) for number in range(5)], [Other(number) for number in range(5)]]
    counts = [0] * THREADS
    until = time.monotonic() + seconds
    threads = [threading.Thread(target=guarded, args=(number, shared, until, counts)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"{sum(counts)} redefinitions by {THREADS} threads, {len(problems)} problems", *problems[:5], sep="\n")
    return 1 if problems or not any(counts) else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1])))
