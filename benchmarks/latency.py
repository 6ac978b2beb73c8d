"""What purejit costs before it gains anything: import, compiling, calls, and calls that leave the machine code at once.

    python benchmarks/latency.py            all of it
    python benchmarks/latency.py --part scripts    short scripts under `python -m jit run`
    python benchmarks/latency.py --write    the same into docs/BENCHMARKS.md
"""

import argparse
import dis
import gc
import itertools
import os
import random
import statistics
import subprocess
import sys
import time
from types import FunctionType

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT)

from report import command_line, interpreter, processor, table, verdict, write_section
from short_scripts import scripts

import jit

IMPORT_LIMIT_MS = 15
MEMORY_LIMIT_MB = 8
COMPILE_LIMIT_MS = 5
EXIT_LIMIT = 2
SIZES = (100, 300, 1000, 3000, 10_000)

CALLS = 2000

# -- import ------------------------------------------------------------------------------------------------

PROGRAMS = {
    "bare Python": "",
    "import jit": "import jit",
    "one function decorated": "import jit\njit.jit(lambda x: x + 1)",
    "one function compiled": "import jit\nf = jit.jit(lambda x: x + 1)\nf(1)",
}
MEMORY = """
for line in open("/proc/self/status"):
    if line.startswith("VmRSS"):
        print(int(line.split()[1]))
"""


def run_program(program):
    """Wall time in ms of a whole child process, and its resident memory in MB."""
    text = f"import sys\nsys.path.insert(0, {ROOT!r})\n{program}\n{MEMORY}"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, env=environment)
    return (time.perf_counter() - started) * 1e3, int(done.stdout) / 1024


def imports(rounds):
    times = {name: [] for name in PROGRAMS}
    memory = {name: [] for name in PROGRAMS}
    for name, program in PROGRAMS.items():
        run_program(program)
    for _ in range(rounds):
        for name, program in PROGRAMS.items():
            taken, resident = run_program(program)
            times[name].append(taken)
            memory[name].append(resident)
    bare, bare_memory = times["bare Python"], statistics.median(memory["bare Python"])
    rows = []
    for name in PROGRAMS:
        rows.append([name, f"{min(times[name]):.1f}", f"{statistics.median(times[name]):.1f}",
                     f"{min(times[name]) - min(bare):+.1f}",
                     f"{statistics.median(times[name]) - statistics.median(bare):+.1f}",
                     f"{statistics.median(memory[name]):.1f}",
                     f"{statistics.median(memory[name]) - bare_memory:+.1f}"])
    headings = ["process", "least ms", "median ms", "over bare", "over bare (median)", "resident MB", "over bare"]
    text = table(headings, rows)
    more = min(times["import jit"]) - min(bare)
    more_memory = statistics.median(memory["import jit"]) - bare_memory
    return (f"### Import\n\nWhole child processes, in turn, {rounds} rounds, caches of bytecode warm.\n\n{text}\n\n"
            f"- `import jit`: {more:.1f} ms over bare Python; at most {IMPORT_LIMIT_MS} "
            f"({verdict(more <= IMPORT_LIMIT_MS)})\n"
            f"- `import jit`: {more_memory:.1f} MB over bare Python; under {MEMORY_LIMIT_MB} "
            f"({verdict(more_memory < MEMORY_LIMIT_MB)})")


# -- compiling ---------------------------------------------------------------------------------------------

INTS, FLOATS = "abcd", "uvw"
STATEMENTS = (
    lambda r: f"{r.choice(INTS)} = {r.choice(INTS)} + {r.choice(INTS)} * {r.randrange(2, 9)} & 0xFFFF",
    lambda r: f"{r.choice(FLOATS)} = {r.choice(FLOATS)} * 0.{r.randrange(1, 9)} - {r.choice(FLOATS)}",
    lambda r: f"{r.choice(INTS)} -= {r.choice(INTS)} >> {r.randrange(1, 9)}",
    lambda r: f"if {r.choice(INTS)} > {r.randrange(1000)}:\n            {r.choice(INTS)} = {r.randrange(99)} + i",
    lambda r: f"if {r.choice(FLOATS)} < {r.choice(FLOATS)}:\n"
              f"            {r.choice(FLOATS)} = i * 0.{r.randrange(1, 9)}",
    lambda r: f"data[{r.randrange(8)}] = data[i & 7] + {r.choice(INTS)}",
    lambda r: f"{r.choice(INTS)} ^= data[{r.randrange(8)}] % {r.randrange(3, 99)}",
)


def generate(size, seed):
    """A function of about that many bytecode instructions, a loop over mixed arithmetic; and how many it has."""
    chosen = random.Random(seed)
    lines = ["def f(n, data):", "    a, b, c, d, u, v, w = 1, 2, 3, 4, 0.5, 1.5, 2.5", "    for i in range(n):"]
    head = count("\n".join(lines + ["        pass"]))[1]
    body = []
    for number in itertools.count():
        body.append("        " + STATEMENTS[number % len(STATEMENTS)](chosen))
        if head + 7 * len(body) < size - 20:
            continue
        function, length = count("\n".join(lines + body + ["    return a + b + c + d, u, v, w"]))
        if length >= size:
            return function, length


def count(text):
    variables = {}
    exec(text, variables)
    function = variables["f"]
    return function, sum(1 for _ in dis.get_instructions(function))


def compile_time(size, seed):
    """Milliseconds of the first call over those of a later one; instructions; whether the results are Python's."""
    function, length = generate(size, seed)
    plain = FunctionType(function.__code__, function.__globals__)
    compiled = jit.jit(function)
    expected_data, data = list(range(8)), list(range(8))
    expected = plain(2, expected_data), expected_data
    started = time.perf_counter()
    result = compiled(2, data)
    first = time.perf_counter() - started
    later = min(timed(compiled, 2, list(range(8))) for _ in range(3))
    return (first - later) * 1e3, length, (result, data) == expected


def timed(function, *arguments):
    started = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - started


def compiling(rounds):
    very_first = compile_time(SIZES[0], 1)[0]
    rows, equal = [], True
    per_instruction = {}
    hundred = None
    for size in SIZES:
        taken = []
        for seed in range(2, 2 + max(2, min(rounds, 20_000 // size))):
            gc.collect()
            milliseconds, length, right = compile_time(size, seed)
            taken.append(milliseconds)
            equal = equal and right
        least = min(taken)
        hundred = least if hundred is None else hundred
        per_instruction[size] = least / length * 1e3
        rows.append([f"{length:,}", f"{least:.2f}", f"{statistics.median(taken):.2f}", f"{per_instruction[size]:.1f}",
                     f"{per_instruction[size] / per_instruction[SIZES[0]]:.2f}"])
    growth = per_instruction[SIZES[-1]] / per_instruction[SIZES[0]]
    headings = ["bytecode instructions", "least ms", "median ms", "µs per instruction", "over the first row"]
    text = table(headings, rows)
    return (f"### Compiling\n\nFirst call less a later one, of generated functions no two of which are alike.\n\n"
            f"{text}\n\n"
            f"- 100 instructions: {hundred:.1f} ms; at most {COMPILE_LIMIT_MS} "
            f"({verdict(hundred <= COMPILE_LIMIT_MS)}); the first function of a process: {very_first:.1f} ms\n"
            f"- growth from 100 to 10,000: {growth:.2f} × linear; at most 1 ({verdict(growth <= 1)})\n"
            f"- results equal to the interpreter's: {'yes' if equal else 'NO'}")


# -- calls -------------------------------------------------------------------------------------------------

def add(a, b):
    return a + b


def scale(x, y=2.0):
    return x * y


def first(items):
    return items[0]


def constant():
    return 1


def call_add(f, n):
    for _ in range(n):
        f(3, 4)


def call_keyword(f, n):
    for _ in range(n):
        f(x=1.5, y=2.5)


def call_default(f, n):
    for _ in range(n):
        f(1.5)


def call_first(f, n):
    items = [1, 2, 3]
    for _ in range(n):
        f(items)


def call_constant(f, n):
    for _ in range(n):
        f()


LINES = [("a + b, ints", add, call_add), ("x * y, default argument", scale, call_default),
         ("x * y, keyword arguments", scale, call_keyword), ("items[0]", first, call_first),
         ("constant", constant, call_constant)]


def copied(function):
    return FunctionType(function.__code__, globals(), function.__name__, function.__defaults__)


def calling(rounds):
    rows, met = [], True
    for name, function, caller in LINES:
        interpreted, compiled = copied(function), jit.jit(copied(function))
        # One caller each: the interpreter specialises a call for what it has met there.
        call_interpreted, call_compiled = (FunctionType(caller.__code__.replace(), globals()) for _ in range(2))
        for _ in range(3):
            call_interpreted(interpreted, CALLS)
            call_compiled(compiled, CALLS)
        slow = fast = float("inf")
        gc.disable()
        for _ in range(rounds * 5):
            slow = min(slow, timed(call_interpreted, interpreted, CALLS) / CALLS)
            fast = min(fast, timed(call_compiled, compiled, CALLS) / CALLS)
        gc.enable()
        met = met and fast <= slow
        rows.append([name, f"{slow * 1e9:.1f}", f"{fast * 1e9:.1f}", f"{fast / slow:.2f}", verdict(fast <= slow)])
    text = table(["one-line function", "interpreted ns", "compiled ns", "ratio", ""], rows)
    return (f"### Calls from interpreted code\n\nThe call and the loop around it, the least of "
            f"{rounds * 5} × {CALLS:,}; at most what the same call costs interpreted.\n\n{text}")


# -- leaving at once ---------------------------------------------------------------------------------------

def overflowing(a, b):
    return a + b


def failing(items, i):
    try:
        return items[i]
    except IndexError:
        return None


def call_overflowing(f, n):
    big = 1 << 62
    for _ in range(n):
        f(big, big)


def call_failing(f, n):
    items = [1]
    for _ in range(n):
        f(items, 5)


#: The first exits make the compiler look at the function; the next of them cost what an exit costs; then it is retired.
SETTLING, EARLY = 8, 40
LEAVING = [("a + b beyond 64 bits", overflowing, call_overflowing, (1, 2)),
           ("items[i] out of range, caught", failing, call_failing, ([1], 0))]


def leaving(rounds):
    rows = []
    for name, function, caller, usual in LEAVING:
        interpreted = copied(function)
        call_interpreted = FunctionType(caller.__code__.replace(), globals())
        call_interpreted(interpreted, CALLS)
        slow = slow_few = few = late = episode = float("inf")
        gc.disable()
        for _ in range(rounds):
            compiled = jit.jit(copied(function))
            call_compiled = FunctionType(caller.__code__.replace(), globals())
            compiled(*usual)
            settling = timed(call_compiled, compiled, SETTLING)
            exits = timed(call_compiled, compiled, EARLY)
            few = min(few, exits / EARLY)
            episode = min(episode, settling + exits + timed(call_compiled, compiled, EARLY))
            for _ in range(3):
                call_compiled(compiled, CALLS)
            for _ in range(5):
                late = min(late, timed(call_compiled, compiled, CALLS) / CALLS)
                slow = min(slow, timed(call_interpreted, interpreted, CALLS) / CALLS)
                slow_few = min(slow_few, timed(call_interpreted, interpreted, EARLY) / EARLY)
        gc.enable()
        rows.append([name, f"{slow * 1e9:.0f}", f"{few * 1e9:.0f}", f"{few / slow_few:.2f}",
                     verdict(few <= EXIT_LIMIT * slow_few), f"{late * 1e9:.0f}", f"{late / slow:.2f}",
                     verdict(late <= EXIT_LIMIT * slow), f"{episode * 1e6:.0f}"])
    text = table(["on every call", "interpreted ns", "leaving ns", "ratio", "", "retired ns", "ratio", "",
                  f"first {SETTLING + 2 * EARLY} calls µs"], rows)
    return (f"### Leaving at once on every call\n\nCompiled for arguments that stay, then called with such as leave: "
            f"before it is retired, and after. At most {EXIT_LIMIT} × interpreted. The last column is all that "
            f"such calls cost until after it is retired, the compiler's own time included.\n\n{text}")


PARTS = {"import": imports, "scripts": scripts, "compile": compiling, "call": calling, "leave": leaving}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="four rounds")
    parser.add_argument("--part", action="append", choices=list(PARTS), help="only this one")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/BENCHMARKS.md")
    options = parser.parse_args()
    rounds = 4 if options.quick else options.rounds
    support = jit.available()
    if not support:
        raise SystemExit(f"nothing is compiled here: {support.reason}")
    parts = [f"## Latency\n\n    {command_line()}\n\n{interpreter()}; {processor()}."]
    print(parts[0] + "\n", flush=True)
    for name, part in PARTS.items():
        if not options.part or name in options.part:
            parts.append(part(rounds))
            print(parts[-1] + "\n", flush=True)
    if options.write:
        write_section("latency", "\n\n".join(parts))


if __name__ == "__main__":
    main()
