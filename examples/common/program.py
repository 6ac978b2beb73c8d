"""What the examples share: options, errors in one line, and the speed-up."""

import argparse
import os
import subprocess
import sys
import time

from jit import available

REPEAT = 5


def parser(description):
    """An argument parser that knows --time."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--time", action="store_true", help="how much faster the work is compiled, on standard error")
    return made


def number(least):
    """For `type=`: an int that is at least that."""
    def convert(text):
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{value} is less than {least}")
        return value

    convert.__name__ = "int"
    return convert


def report_time(work):
    """Print the best time of some runs of `work`; where it is compiled, also that of a child process without the compiler."""
    seconds = min(timed(work) for _ in range(REPEAT))
    if not available():
        print(f"interpreted: {seconds:.6f} s", file=sys.stderr)
        return
    print(f"compiled: {seconds:.6f} s", file=sys.stderr)
    done = subprocess.run([sys.executable, *sys.argv], env=dict(os.environ, JIT_DISABLE="1"), stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, check=True)
    line = done.stderr.splitlines()[-1]
    print(f"{line}\n{float(line.split()[1]) / seconds:.1f} times as fast", file=sys.stderr)


def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
