"""Stands in for the module `pyperf` that pyperformance's benchmark files import: runs them in this process and prints seconds as JSON.

PUREJIT_ROUNDS says how often a benchmark runs; loops are chosen so that a round takes at least PUREJIT_ROUND_SECONDS.
"""

import argparse
import json
import os
import sys
import time

perf_counter = time.perf_counter
ROUNDS = int(os.environ.get("PUREJIT_ROUNDS", "20"))
ROUND_SECONDS = float(os.environ.get("PUREJIT_ROUND_SECONDS", "0.05"))


def python_implementation():
    return sys.implementation.name


def python_has_jit():
    return False


class Runner:
    """What the benchmark files use of pyperf.Runner."""

    def __init__(self, *_, add_cmdline_args=None, **__):
        self.argparser = argparse.ArgumentParser()
        self.metadata = {}
        self.args = None

    def parse_args(self, arguments=None):
        self.args = self.argparser.parse_args(arguments)
        return self.args

    def bench_func(self, name, function, *arguments, inner_loops=1, **_):
        def run(loops):
            started = perf_counter()
            for _ in range(loops):
                function(*arguments)
            return perf_counter() - started

        self.bench_time_func(name, run, inner_loops=inner_loops)

    def bench_time_func(self, name, function, *arguments, inner_loops=1, **_):
        loops, taken = 1, [function(1, *arguments)]
        while taken[-1] < ROUND_SECONDS / 2:
            loops *= 2
            taken.append(function(loops, *arguments))
        times = [function(loops, *arguments) / loops for _ in range(ROUNDS)]
        print(json.dumps({"name": name, "first": taken[0], "loops": loops, "times": times}), flush=True)

    def bench_async_func(self, name, function, *arguments, **_):
        import asyncio
        self.bench_func(name, lambda: asyncio.run(function(*arguments)))
