"""`python -m jit opcodes`: every opcode of every version, compiled or left, the same on whatever runs it."""

import pytest

from command_line import assert_one_line, run
from jit import opcode_table
from platforms.cpython import opcodes
from platforms.cpython.layout import VERSIONS
from platforms.cpython.opcode_names import versions_of_opcodes

ROWS = {row.name: row for row in opcode_table.rows()}


def test_the_forms_of_each_version():
    assert opcodes.canonical_form("COMPARE_OP", 2, (3, 11)) == [("COMPARE_OP", "==")]
    assert opcodes.canonical_form("COMPARE_OP", 2 << 4, (3, 12)) == [("COMPARE_OP", "==")]
    assert opcodes.canonical_form("COMPARE_OP", 2 << 5, (3, 13)) == [("COMPARE_OP", "==")]
    assert opcodes.canonical_form("LOAD_ATTR", 3, (3, 11)) == [("LOAD_ATTR", 3)]
    assert opcodes.canonical_form("LOAD_ATTR", 3, (3, 12)) == [("LOAD_METHOD", 1)]
    assert opcodes.canonical_form("LOAD_GLOBAL", 5, (3, 12)) == [("PUSH_NULL", 0), ("LOAD_GLOBAL", 2)]
    assert opcodes.canonical_form("LOAD_GLOBAL", 5, (3, 13)) == [("LOAD_GLOBAL", 2), ("PUSH_NULL", 0)]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_opcode_of_every_version_is_in_the_table(version):
    assert {name for name, row in ROWS.items() if version in row.versions} == {
        name for name, versions in versions_of_opcodes().items() if "{}.{}".format(*version) in versions}


def test_every_opcode_is_compiled_by_something_or_left_for_a_reason():
    for row in ROWS.values():
        assert row.how
        assert row.reason != "no template", f"{row.name} needs a reason in jit/opcode_table.py"
        if not row.reason:
            assert len(row.handlers) == len(row.operations)


def test_some_rows():
    add, jump, left = ROWS["BINARY_OP"], ROWS["POP_JUMP_FORWARD_IF_TRUE"], ROWS["SEND"]
    assert add.versions == {(3, 11): True, (3, 12): True, (3, 13): True} and "BINARY_OP +" in add.templates
    assert jump.versions == {(3, 11): True} and jump.operations == ("POP_JUMP_IF_TRUE",)
    assert left.versions == {(3, 11): False, (3, 12): False, (3, 13): False} and "generators" in left.reason
    assert {"item_int", "item_float", "item_byte"} <= set(ROWS["BINARY_SUBSCR"].templates)
    assert ROWS["RESUME"].how == "nothing to do"


def test_the_table_fits_into_a_hundred_columns():
    done = run("opcodes")
    assert done.returncode == 0 and max(map(len, done.stdout.splitlines())) <= 100
    assert "3.11 3.12 3.13" in done.stdout.splitlines()[0]
    assert "LOAD_SUPER_ATTR               -    yes  yes" in done.stdout


def test_one_opcode():
    done = run("opcodes", "binary_op")
    assert done.stdout.startswith("BINARY_OP: 3.11 compiled, 3.12 compiled, 3.13 compiled")
    assert "BINARY_OP +      (left: int, right: int) -> (sum: int)" in done.stdout
    assert "list.append" in run("opcodes", "CALL", JIT_DISABLE="1").stdout
    assert_one_line(run("opcodes", "NO_SUCH"), "no opcode has 'NO_SUCH' in its name")
