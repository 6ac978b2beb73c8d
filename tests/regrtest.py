"""CPython's own regression tests under `python -m jit run --eager`, where every function is compiled at its first call: the outcomes must be the same.

    python tests/regrtest.py                 all of TESTS
    python tests/regrtest.py --sample        a few of them, quick
    python tests/regrtest.py test_class ...  these
    ... --write                              the table into docs/COMPATIBILITY.md

Exit status 1 if an outcome differs.
"""

import argparse
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "benchmarks"))

from report import interpreter, table, write_section

TESTS = """grammar opcodes int long float complex bool list tuple dict set str bytes slice range iter generators exceptions raise with scope
    funcattrs class descr property super call extcall keywordonlyarg unpack unpack_ex compare contains augassign binop operator functools
    itertools collections enum dataclasses weakref gc sys inspect traceback threading copy pickle random statistics heapq bisect json re decimal
    fractions datetime""".split()
SAMPLE = "grammar opcodes bool scope class property super with raise iter compare unpack call".split()
#: What a verbose run says of one test.
_RESULT = re.compile(r"^(test\w*|\w+) \(([\w.]+)[^)]*\).*?\.\.\. (ok|FAIL|ERROR|skipped.*|expected failure|unexpected success)$", re.MULTILINE)


def outcomes(python, name, eager, seconds):
    """{test: outcome} of one file of CPython's tests, and the process's exit status or "too slow"."""
    options = ["-m", "jit", "run", "--eager"] if eager else []
    environment = {**os.environ, "PYTHONPATH": ROOT}
    try:
        done = subprocess.run([python, *options, "-m", "test", "-v", f"test_{name}"], capture_output=True, text=True, env=environment,
                              timeout=seconds, errors="replace")
    except subprocess.TimeoutExpired:
        return {}, "too slow"
    found = {f"{match[2]}.{match[1]}": match[3].split(" ")[0] for match in _RESULT.finditer(done.stdout)}
    return found, done.returncode


def compare(python, name, seconds):
    """(tests, failures interpreted, names of tests with another outcome, whether all is the same)."""
    plain, status = outcomes(python, name, False, seconds)
    jitted, other = outcomes(python, name, True, 4 * seconds)
    differing = sorted(test for test in plain.keys() | jitted.keys() if plain.get(test) != jitted.get(test))
    return len(plain), sum(outcome in ("FAIL", "ERROR") for outcome in plain.values()), differing, not differing and status == other


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="with or without test_")
    parser.add_argument("--sample", action="store_true")
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--seconds", type=float, default=150, help="for each file, interpreted")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    names = [name.removeprefix("test_") for name in options.names] or (SAMPLE if options.sample else TESTS)
    rows, good = [], True
    for name in names:
        count, failures, differing, same = compare(options.python, name, options.seconds)
        good = good and same
        rows.append((f"test_{name}", count, failures or "", "same" if same else f"differs: {', '.join(differing[:4]) or 'exit status'}"))
        print(*rows[-1], flush=True)
    text = f"{interpreter()}\n\n{table(('file', 'tests', 'failing anyway', 'outcomes'), rows)}"
    if options.write:
        section = "regrtest {}.{}".format(*sys.version_info)
        write_section(section, text, os.path.join(ROOT, "docs", "COMPATIBILITY.md"))
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
