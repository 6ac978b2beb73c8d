"""The table of opcodes against the running interpreter's own."""

import opcode
import sys

from platforms.cpython.opcode_names import versions_of_opcodes


def test_the_running_version():
    version = "{}.{}".format(*sys.version_info[:2])
    table = {name for name, versions in versions_of_opcodes().items() if version in versions}
    own = {name for name, number in opcode.opmap.items() if number < 256 and not name.startswith(("INSTRUMENTED_", "_"))}
    assert table == own


def test_it_is_sorted():
    names = list(versions_of_opcodes())
    assert names == sorted(names)
