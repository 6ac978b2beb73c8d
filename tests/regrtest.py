"""CPython's own tests, plain and with every function compiled at its first call.

    python tests/regrtest.py                     all of the list, in this interpreter
    python tests/regrtest.py --sample            a quick choice
    python tests/regrtest.py test_dict test_re   these
    python tests/regrtest.py --python PATH --python PATH --write

Test files run in child processes, `python -m test NAME ...` and `python -m jit run --eager -m test NAME ...`, several in one, because to
compile what the test runner itself consists of takes longer than most tests; where anything differs, each in one of its own. Compared
is what became of each test, by name. Exit status 1 if anything differs, or if nothing was compiled.
"""

import argparse
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import outcomes
from report import command_line, write_section

NAMES = """
    test_grammar test_opcodes test_int test_long test_float test_complex test_bool test_list test_tuple test_dict test_set test_str
    test_bytes test_slice test_range test_iter test_generators test_exceptions test_raise test_with test_scope test_funcattrs
    test_class test_descr test_property test_super test_call test_extcall test_keywordonlyarg test_unpack test_unpack_ex
    test_compare test_contains test_augassign test_binop test_operator test_functools test_itertools test_collections test_enum
    test_dataclasses test_weakref test_gc test_sys test_inspect test_traceback test_threading test_copy test_pickle test_random
    test_statistics test_heapq test_bisect test_json test_re test_decimal test_fractions test_datetime
    test_patma test_isinstance test_defaultdict test_ordered_dict test_import test_typing""".split()
SAMPLE = "test_grammar test_bool test_list test_contains test_scope test_class test_super test_extcall test_patma".split()
#: Tests that count objects, memory or time of their whole process, and so are given one of their own.
ALONE = {"test_descr", "test_gc", "test_int", "test_sys", "test_threading"}
#: Modules that hold the tests of one of another name.
HELD_BY = {"test_datetime": "datetimetester"}
#: Names that a test has in older versions.
OLDER = {"test_str": "test_unicode"}


def facts(python):
    """Version of an interpreter, and the names of the tests that it has."""
    code = "import os, platform, test; print(platform.python_version(), *os.listdir(os.path.dirname(test.__file__)))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{python} has no tests of CPython: {done.stderr.strip().splitlines()[-1]}")
    version, *files = done.stdout.split()
    return version, {file.removesuffix(".py") for file in files}


def chosen(names, there):
    """Names as this version has them, and those it has not."""
    known = ["test_" + name.removeprefix("test_") for name in names]
    known = [name if name in there else OLDER.get(name, name) for name in known]
    return [name for name in known if name in there], [name for name in known if name not in there]


def command(python, launcher, *names):
    return [python, *launcher, "-m", "test", "-v", "--randseed", "1", "--junit-xml", "{report}", *names]


def run_together(python, names, options, retries=0):
    """Outcomes (plain, compiled) of some test files in one process."""
    def once(launcher):
        return outcomes.run(command(python, launcher, *names), options.timeout * len(names))

    return outcomes.compare(lambda: once([]), lambda: once(outcomes.EAGER), retries)


def groups(names, most):
    """Lists of names that run in one process each."""
    alone = [name for name in names if name in ALONE]
    others = [name for name in names if name not in ALONE]
    return [others[first:first + most] for first in range(0, len(others), most)] + [[name] for name in alone]


def run_all(python, names, options):
    """Results of one interpreter."""
    results = outcomes.Results()
    for group in groups(names, options.together):
        if len(group) > 1:
            plain, compiled = run_together(python, group, options)
            if plain == compiled and compiled.compiled:
                for name in group:
                    held = HELD_BY.get(name, name)
                    results.add(name, plain.part(held, len(group)), compiled.part(held, len(group)))
                continue
            print("once more, one by one: " + " ".join(group), *outcomes.differences(plain, compiled), sep="\n    ", flush=True)
        for name in group:
            results.add(name, *run_together(python, [name], options, options.retries))
    return results


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="tests to run in place of the list, with or without test_")
    parser.add_argument("--sample", action="store_true", help="a quick choice")
    parser.add_argument("--python", action="append", metavar="PATH", help="the interpreter (this one; may be repeated)")
    parser.add_argument("--timeout", type=int, default=900, help="seconds after which a test is given up (900)")
    parser.add_argument("--together", type=int, default=6, metavar="N", help="test files in one process (6)")
    parser.add_argument("--retries", type=int, default=1, help="how often a test that differs is run again (1)")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/COMPATIBILITY.md")
    return parser.parse_args()


def main():
    options = parse()
    outcomes.end_with_children()
    different = 0
    for python in options.python or [sys.executable]:
        version, there = facts(python)
        names, missing = chosen(options.names or (SAMPLE if options.sample else NAMES), there)
        print(f"== CPython {version}", flush=True)
        results = run_all(python, names, options)
        different += results.different
        print("\n" + results.text() + "\n")
        if options.write:
            parts = [f"## CPython's tests, CPython {version}\n\n    {command_line('tests')}", results.text()]
            if missing:
                parts.append("Not in this version: " + ", ".join(missing) + ".")
            section = "regrtest " + ".".join(version.split(".")[:2])
            write_section(section, "\n\n".join(parts), outcomes.DOCUMENT, outcomes.HEADING)
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
