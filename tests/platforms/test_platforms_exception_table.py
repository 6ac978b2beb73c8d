"""Exception tables of code with one more operand at the bottom of its stack."""

import pytest
from jit.decode import exception_entries
from platforms.cpython.exception_table import deepened

NESTED = """
def f(x):
    {many}
    try:
        a()
    except KeyError as e:
        for q in x:
            with x as y:
                b([k for k in y])
    finally:
        c()
"""


@pytest.mark.parametrize("lines", [0, 1, 20, 300, 5000])
def test_deepened(lines):
    space = {}
    exec(NESTED.format(many="; ".join(["y = x.y"] * lines) or "pass"), space)
    code = space["f"].__code__
    found = exception_entries(code.replace(co_exceptiontable=deepened(code.co_exceptiontable)))
    assert found == [(start, end, target, depth + 1, lasti) for start, end, target, depth, lasti in exception_entries(code)] and len(found) > 5


def test_nothing():
    assert deepened(b"") == b""
