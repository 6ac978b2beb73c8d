"""Examples and dumps in the documents are what the code does."""

import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(program, tmp_path, **extra):
    path = tmp_path / "program.py"
    path.write_text(program)
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(ROOT), *filter(None, sys.path)]), **extra)
    return subprocess.run([sys.executable, str(path)], capture_output=True, text=True, env=environment, timeout=60, check=True)


def fenced(text, kind):
    return [body for found, body in re.findall(r"^```(\w*)\n(.*?)^```", text, re.DOTALL | re.MULTILINE) if found == kind]


def test_the_example_of_the_readme(tmp_path):
    example = fenced((ROOT / "README.md").read_text(), "python")[0]
    assert run(example, tmp_path).stdout == "524\n"


def test_the_dumps_of_the_architecture_document(tmp_path):
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
    source = fenced(text, "python")[0]
    program = "from jit import jit\n" + "\n" * 6 + "@jit\n" + source + "total(10)\n"
    for stage, dump in zip(("values", "intervals", "exits"), fenced(text, "")):
        printed = run(program, tmp_path, JIT_DUMP=stage, JIT_DUMP_ONLY="total").stderr
        assert dump.strip().splitlines() == printed.strip().splitlines(), stage


def test_documents_name_files_that_exist():
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
    for name in re.findall(r"\b(?:jit|asm|regalloc|platforms)/[\w/]*\.py", text):
        assert (ROOT / name).exists(), name
