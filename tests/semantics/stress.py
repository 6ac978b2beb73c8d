"""Compare random programs; ``python stress.py FIRST COUNT`` prints each seed that differs.

A fault kills the process, so the seed at work is kept in the file named by STRESS_AT, if that is set.
"""

import os
import sys
import time
import warnings
from types import FunctionType

import jit
from compare import outcome
from random_programs import Program

import copy

warnings.simplefilter("ignore", SyntaxWarning)
warnings.simplefilter("ignore", DeprecationWarning)
warnings.filterwarnings("error", message="purejit")


def load(source, compile_functions):
    namespace = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(compile(source, "<random>", "exec"), namespace)
    if compile_functions:
        for item in list(namespace.values()):
            if isinstance(item, FunctionType):
                jit.jit(item)
    return namespace


def compare(seed, calls=8):
    """None, or a text that says how seed's program differs."""
    program = Program(seed)
    plain = load(program.source, False)[program.name]
    fast = load(program.source, True)[program.name]
    arguments = [program.call() for _ in range(calls)]
    for given in arguments + arguments[:3]:
        wanted = outcome(plain, copy.deepcopy(given))
        got = outcome(fast, copy.deepcopy(given))
        if got != wanted:
            return f"seed {seed}: {program.name}{given}\n  interpreted {wanted}\n  compiled    {got}\n{program.source}"
    return None


def run(first, count, seconds=None):
    """Compare seeds first ... ; returns texts of those that differ and how many were compared."""
    differences, done = [], 0
    ends = None if seconds is None else time.monotonic() + seconds
    noted = os.environ.get("STRESS_AT")
    handle = open(noted, "w") if noted else None
    for seed in range(first, first + count):
        if handle:
            handle.seek(0)
            handle.write(f"{seed}\n")
            handle.flush()
        if ends is not None and time.monotonic() > ends:
            break
        text = compare(seed)
        done += 1
        if text:
            differences.append(text)
    return differences, done


if __name__ == "__main__":
    found, total = run(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else None)
    for text in found[:4]:
        print(text)
    print("compared", total, "differences", len(found), [text.split(":")[0] for text in found][:20])
