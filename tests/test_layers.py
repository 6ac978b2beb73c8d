"""The architecture, enforced: who imports whom, who may ask what it runs on, how long files and functions may be."""

import ast
import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
ALLOWED = {"asm": {"asm"}, "regalloc": {"regalloc"}, "platforms": {"platforms"},
           "jit": {"jit", "asm", "regalloc", "platforms"}, "fuzz": {"fuzz", "jit", "asm", "regalloc", "platforms"}}
LONGEST_FILE = 400
LONGEST_FUNCTION = 80
#: Files that are one table.
LONG_FILES = {"asm/encodings.py", "platforms/cpython/layout.py"}
#: Asked in platforms/ alone. Of `sys` and `os` it is these names, of the others anything.
HOST_NAMES = {"sys": {"version_info", "hexversion", "platform", "implementation", "getwindowsversion"},
              "os": {"name", "uname"}}
HOST_MODULES = {"platform", "sysconfig"}
FILES = sorted(path for package in ALLOWED for path in (ROOT / package).rglob("*.py"))


def name(path):
    return path.relative_to(ROOT).as_posix()


def package(path):
    return path.relative_to(ROOT).parts[0]


def imported_modules(tree):
    """(line, dotted name) of each import, inside functions too; of a relative one, None."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, None if node.level else node.module


def wrong_imports(tree, allowed):
    """What a file imports of ours that it must not."""
    return [(line, module) for line, module in imported_modules(tree)
            if module is None or module.split(".")[0] in set(ALLOWED) - allowed]


def host_questions(tree):
    """Where a file asks for the Python version, the operating system or the processor."""
    found = [(line, module) for line, module in imported_modules(tree)
             if module is not None and module.split(".")[0] in HOST_MODULES]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.attr in HOST_NAMES.get(node.value.id, ()):
                found.append((node.lineno, f"{node.value.id}.{node.attr}"))
        elif isinstance(node, ast.ImportFrom):
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names
                      if alias.name in HOST_NAMES.get(node.module, ())]
    return found


@pytest.mark.parametrize("path", FILES, ids=name)
def test_imports_go_one_way(path):
    """Absolute imports only, so that this test sees them all."""
    assert not wrong_imports(ast.parse(path.read_text()), ALLOWED[package(path)])


@pytest.mark.parametrize("path", [path for path in FILES if package(path) != "platforms"], ids=name)
def test_only_platforms_asks_what_it_runs_on(path):
    assert not host_questions(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_files_can_be_read_in_one_sitting(path):
    if name(path) not in LONG_FILES:
        assert len(path.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", FILES, ids=name)
def test_functions_are_short(path):
    """40 lines are the aim; this is twice that."""
    long = [(node.name, node.end_lineno - node.lineno + 1) for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            and node.end_lineno - node.lineno + 1 > LONGEST_FUNCTION]
    assert not long


@pytest.mark.parametrize("text", ["import jit", "import jit.types", "from jit import jit", "from jit.types import INT",
                                  "def f():\n    import regalloc", "from . import x", "from .. import jit"])
def test_wrong_imports_are_noticed(text):
    assert wrong_imports(ast.parse(text), {"asm"})


@pytest.mark.parametrize("text", ["sys.version_info", "sys.platform == 'linux'", "from sys import platform", "import platform",
                                  "from platform import machine", "from sys import version_info as v", "os.uname()",
                                  "import sysconfig"])
def test_questions_about_the_host_are_noticed(text):
    assert host_questions(ast.parse(text))


@pytest.mark.parametrize("text", ["from platforms import memory", "import platforms.cpython", "sys.modules", "self.platform"])
def test_other_things_are_not_taken_for_such_questions(text):
    assert not host_questions(ast.parse(text))
