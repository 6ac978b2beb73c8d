"""The programs of benchmarks/everyday.py run, interpreted and compiled alike, and make a table."""

import sys

import everyday


def test_results_are_equal():
    names = list(everyday.PROGRAMS)
    plain, compiled = everyday.run([sys.executable], 0.01, names), everyday.run([sys.executable, "-m", "jit", "run"], 0.05, names)
    assert list(plain) == list(compiled) == names
    assert {name: result for name, (_, result) in plain.items()} == {name: result for name, (_, result) in compiled.items()}


def test_the_table():
    text, equal = everyday.report(1, 0.02, ["closures", "life"])
    assert equal and "| closures " in text and "in geometric mean of 2" in text and text.splitlines()[2].startswith("| program ")
