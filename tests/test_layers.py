"""The architecture, enforced: who imports whom, who may ask what it runs on, how long a file may be."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
ALLOWED = {"asm": {"asm"}, "regalloc": {"regalloc"}, "platforms": {"platforms"},
           "jit": {"jit", "asm", "regalloc", "platforms"}}
OURS = set(ALLOWED) | {"fuzz"}
LONGEST = 400
#: Files that are one table, or one list of routines that are read one at a time.
LONG_FILES = {"asm/encodings.py", "platforms/cpython/layout.py"}
FILES = sorted(path for package in ALLOWED for path in (ROOT / package).rglob("*.py"))


def name(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_go_one_way(path):
    package = path.relative_to(ROOT).parts[0]
    for node in ast.walk(ast.parse(path.read_text())):
        imported = []
        if isinstance(node, ast.Import):
            imported = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imported = [node.module or ""]
        for module in imported:
            top = module.split(".")[0]
            assert top not in OURS or top in ALLOWED[package], f"line {node.lineno} imports {module}"


@pytest.mark.parametrize("path", [path for path in FILES if path.relative_to(ROOT).parts[0] != "platforms"], ids=name)
def test_only_platforms_asks_what_it_runs_on(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "sys":
            assert node.attr not in ("version_info", "platform", "hexversion", "implementation"), f"line {node.lineno}"
        if isinstance(node, ast.Import):
            assert "platform" not in [alias.name for alias in node.names], f"line {node.lineno}"


@pytest.mark.parametrize("path", FILES, ids=name)
def test_files_can_be_read_in_one_sitting(path):
    if name(path) not in LONG_FILES:
        assert len(path.read_text().splitlines()) <= LONGEST
