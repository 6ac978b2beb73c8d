"""Exception tables of code with one more operand at the bottom of its stack."""

from types import FunctionType

import jit
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


@pytest.mark.parametrize("table", [b"\x80", b"\xc1", b"\x80\x01\x02", b"\x80\x01\x02\x43", b"\x80\x01\x02\x03\x80"])
def test_cut_off(table):
    with pytest.raises(ValueError, match="cut off"):
        deepened(table)


def test_a_generator_expression_whose_table_is_cut_off():
    """It is collected by the interpreter."""
    def total(items):
        return list(x + 1 for x in items)

    code = total.__code__
    consts = [item.replace(co_exceptiontable=b"\x80") if hasattr(item, "co_code") else item for item in code.co_consts]
    function = jit.jit(FunctionType(code.replace(co_consts=tuple(consts)), {}))
    for _ in range(3):
        assert function([1, 2]) == [2, 3]
