"""A loop as of a server that never ends: it defines functions and classes, runs them, and drops them; memory must stay flat.

    python -m jit run [--eager] tests/run/endurance/memory.py TIMES

Ends with status 1 if the process is larger after the last round than it was after a fifth of them, by more than 12 MB.
"""

import gc
import os
import sys

#: Bytes that may come for other reasons: the compiler itself is loaded some time.
SLACK = 12 << 20
ROUND = 1000


def resident():
    """Bytes of memory the process occupies."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def use(item, times):
    total = 0
    for turn in range(times):
        total = total + item.step(turn)
    return total


def handle(number):
    """One request: a function, a closure, a class and a subclass of its own; all are garbage, cyclic some, when it ends."""

    def step(turn):
        return turn + number

    class Base:
        factor = number

        def __init__(self, start):
            self.start = start

        def step(self, turn):
            return self.start + turn * self.factor

    class Derived(Base):
        def step(self, turn):
            return step(turn) - super().step(turn)

    total = 0
    for turn in range(3):
        total = total + step(turn)
    item = Base(number)
    other = Derived(1.5)
    item.other, other.item = other, item
    return total + use(item, 3) + use(other, 2)


def handle_text(number):
    """The same with functions made from text: code objects come and go as well."""
    namespace = {}
    exec("def step(x):\n    total = x\n    for i in range(20):\n        total += i\n    return total\n"
         "class Made:\n    def __init__(self, x):\n        self.x = x\n    def step(self, turn):\n        return self.x + step(turn)\n", namespace)
    return use(namespace["Made"](number), 2)


def expected(number):
    step = [turn + number for turn in range(3)]
    return sum(step) + sum(number + turn * number for turn in range(3)) + sum(step[turn] - (1.5 + turn * number) for turn in range(2))


def main(times):
    sizes = []
    for start in range(0, times, ROUND):
        for number in range(start, min(start + ROUND, times)):
            if handle(number) != expected(number):
                print(f"wrong at {number}: {handle(number)}, not {expected(number)}")
                return 1
            if number % 10 == 0 and handle_text(number) != 2 * number + 381:
                print(f"wrong at {number}: {handle_text(number)}")
                return 1
        gc.collect()
        sizes.append(resident())
    early = max(sizes[:max(1, len(sizes) // 5)])
    print(f"{times} times; {early >> 10} kB after a fifth, {sizes[-1] >> 10} kB in the end")
    return int(sizes[-1] > early + SLACK)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
