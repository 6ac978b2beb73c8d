"""What calls of C code cost, compiled and interpreted: builtins, methods of types in C, Decimals.

    python benchmarks/c_calls.py                        nanoseconds in this interpreter
    python benchmarks/c_calls.py --only Decimal --rounds 200 --write

Each statement is run in a loop of its own, compiled whatever it promises (JIT_EAGER). Interpreted and compiled runs take turns, without garbage
collection; times are the best, of the statement and the loop around it.
"""

import argparse
import gc
import os
import sys
import time

os.environ["JIT_EAGER"] = "1"
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from report import command_line, geometric_mean, interpreter, load, processor, table, write_section

from jit import available, jit

#: What is called on, and what is done with it, `x`; `i` counts. What needs no frame around it comes first.
STATEMENTS = (
    ("'some,text'", "x.partition(',')"), ("'some,text'", "x.split(',', 1)"), ("'some text'", "x.encode()"), ("'sometext'", "x.isalnum()"), ("' text '", "x.strip(' ').title()"),
    ("'1234'", "int(x)"), ("'12.5'", "float(x)"), ("b'text'", "x.hex()"), ("1234", "x.to_bytes(4, 'little')"), ("2.5", "round(x, 1)"),
    ("b'text'", "binascii.b2a_base64(x, newline=False)"), ("'<q'", "struct.pack(x, i)"), ("re.match('(a)b', 'ab')", "x.end()"), ("deque(range(100))", "x.rotate(1)"),
    ("datetime.date(2020, 1, 2)", "x.weekday()"), ("None", "time.perf_counter()"), ("io.BytesIO()", "x.getvalue()"),
    ("Decimal('1.5')", "x + i"), ("Decimal('1.5')", "x * x"), ("Decimal('1.5')", "x < 2"), ("Decimal('1.25')", "x.quantize(x)"), ("[Decimal(1), Decimal(2)]", "x[0] - x[1]"),
    ("re.match('(a)b', 'ab')", "x.group(1)"), ("re.compile('a')", "x.match('ab')"), ("datetime.date(2020, 1, 2)", "x.isoformat()"), ("b'text'", "zlib.crc32(x)"), ("[3, 1, 2]", "sorted(x)"))
HEAD = "import binascii, datetime, io, re, struct, time, zlib\nfrom collections import deque\nfrom decimal import Decimal\n"
LOOP = "def run(x, n):\n    for i in range(n):\n        {}\n"
TURNS = 1000


def made(statement):
    namespace = {}
    exec(HEAD + LOOP.format(statement), namespace)
    return namespace["run"]


def measure(owner, statement, rounds):
    """(nanoseconds interpreted, nanoseconds compiled) of one statement and the loop's turn around it."""
    functions = made(statement), jit(made(statement))
    namespace = {}
    exec(HEAD, namespace)
    best = [float("inf")] * 2
    for function in functions:
        for _ in range(5):  # until types are known
            function(eval(owner, namespace), TURNS)
    gc.disable()
    try:
        for _ in range(rounds):
            for side, function in enumerate(functions):
                x = eval(owner, namespace)
                started = time.perf_counter()
                function(x, TURNS)
                best[side] = min(best[side], time.perf_counter() - started)
    finally:
        gc.enable()
    return [seconds / TURNS * 1e9 for seconds in best]


def results_table(results):
    """Of [(owner, statement, (interpreted, compiled))]."""
    return table(["x", "statement", "interpreted ns", "compiled ns", "ratio"],
                 [[f"`{owner}`", f"`{statement}`", f"{slow:.0f}", f"{fast:.0f}", f"{slow / fast:.2f}"] for owner, statement, (slow, fast) in results])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", help="statements on, or with, this text")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--write", action="store_true", help="into docs/BENCHMARKS.md")
    options = parser.parse_args()
    if not available():
        raise SystemExit(available().reason)
    state = f"{processor()}; {interpreter()}; {load()}. The best of {options.rounds} rounds of {TURNS:,} turns, by turns."
    chosen = [pair for pair in STATEMENTS if not options.only or options.only in " ".join(pair)]
    if not chosen:
        raise SystemExit(f"no statement with {options.only!r}")
    results = [(*pair, measure(*pair, options.rounds)) for pair in chosen]
    below = sum(slow < fast for _, _, (slow, fast) in results)
    mean = geometric_mean(slow / fast for _, _, (slow, fast) in results)
    text = f"{state}\n\n{results_table(results)}\n\n- {mean:.2f} in geometric mean\n- slower compiled than interpreted: {below} of {len(results)}"
    print(text)
    if options.write:
        write_section("calls of C code", f"## Calls of C code\n\n    {command_line()}\n\n{text}")


if __name__ == "__main__":
    main()
