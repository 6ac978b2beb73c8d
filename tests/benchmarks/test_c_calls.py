"""The statements of benchmarks/c_calls.py run, interpreted and compiled alike, and make a table."""

import c_calls
import pytest
from report import table

import jit


@pytest.mark.parametrize("owner, statement", c_calls.STATEMENTS)
def test_every_statement_runs_compiled(owner, statement):
    namespace = {}
    exec(c_calls.HEAD, namespace)
    function = jit.jit(c_calls.made(statement))
    for _ in range(3):
        assert function(eval(owner, namespace), 20) is None
    assert not jit.available() or jit.explain(function).versions


def test_a_measurement_is_a_row():
    slow, fast = c_calls.measure(*c_calls.STATEMENTS[0], 2)
    assert slow > 0 and fast > 0
    lines = c_calls.results_table([("x", "x + 1", (30.0, 20.0))]).splitlines()
    assert lines[2] == table(["x", "statement", "interpreted ns", "compiled ns", "ratio"], [["`x`", "`x + 1`", "30", "20", "1.50"]]).splitlines()[2]
