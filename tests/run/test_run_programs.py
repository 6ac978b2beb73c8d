"""Programs of hostile shapes, run with and without."""

import signal
import zipfile

import pytest

from comparing import PROGRAMS, assert_same, run

NAMES = sorted(path.stem for path in PROGRAMS.glob("*.py"))


#: These import much of the standard library, every function of which takes its time to compile.
LARGE = {"dataclasses_and_enums", "generators_and_async", "kinds_of_functions", "pickling", "processes", "recursion", "stack_levels",
         "tracebacks", "uncaught_in_hot"}
CASES = [(name, ()) for name in NAMES] + [(name, ("--eager",)) for name in NAMES if name not in LARGE]


@pytest.mark.parametrize("name, options", CASES, ids=lambda value: value if isinstance(value, str) else "".join(value) or "hot")
def test_program(name, options):
    status, output, _ = assert_same([str(PROGRAMS / f"{name}.py"), "one", "-x", "two words"], options)
    assert output or status


@pytest.mark.parametrize("code", ["import sys; print(sys.argv, sys.path[0], __name__, sorted(globals()))", "1/0", "x = = 1",
                                  "import sys; sys.exit('no')", "raise SystemExit(7)", "def f():\n  1/0\nf()"])
def test_code(code, tmp_path):
    assert_same(["-c", code, "a", "-b"], directory=tmp_path)
    assert_same(["-c" + code, "a", "-b"], directory=tmp_path)


@pytest.mark.parametrize("length", [1000, 1023, 1024, 5000, 30_000])
def test_long_arguments(length):
    """Where CPython's configuration has its arguments is found by comparing all of them, whatever their length."""
    shown = "import sys; print(sys.argv[1:], len(sys.orig_argv[-1]))"
    for text in ("x" * length, "\N{SNOWMAN}\udcff" * (length // 2)):
        for arguments in (["-c", shown, text], ["-c", f"{shown} # {text}"]):
            assert_same(arguments)
            assert "nothing is compiled" not in run(arguments, ["--stats"])[2]


def test_module(tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("print('package', __name__)\n")
    (tmp_path / "package" / "__main__.py").write_text("import sys\nprint(sys.argv, __spec__.name, __package__, sys.path[0])\n")
    (tmp_path / "package" / "part.py").write_text("from . import __name__ as n\nimport sys\nprint(n, sys.argv)\n1/0\n")
    assert "package.__main__" in assert_same(["-m", "package", "x"], directory=tmp_path)[1]
    assert_same(["-m", "package.part", "-m", "y"], directory=tmp_path)
    assert_same(["-mpackage", "x"], directory=tmp_path)
    assert_same(["-m", "package.missing"], directory=tmp_path)


def test_directory_and_archive(tmp_path):
    text = "import sys, helper\nprint(sys.argv[1:], __name__, __spec__.name, helper.__name__)\n1/0\n"
    inside = tmp_path / "program"
    inside.mkdir()
    (inside / "__main__.py").write_text(text)
    (inside / "helper.py").write_text("")
    with zipfile.ZipFile(tmp_path / "program.zip", "w") as archive:
        archive.writestr("__main__.py", text)
        archive.writestr("helper.py", "")
    assert_same([str(inside), "x"])
    assert_same(["program.zip", "x"], directory=tmp_path)
    (inside / "__main__.py").unlink()
    assert_same(["program"], directory=tmp_path)


def test_standard_input(tmp_path):
    program = b"import sys\nprint(sys.argv, __name__)\ndef f(): raise ValueError\nf()\n"
    assert_same(["-", "a"], stdin=program, directory=tmp_path)
    assert_same(["-c", "import sys; print(sys.stdin.read().upper())"], stdin=b"text")


def test_relative_and_missing_files(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x.py").write_text("import sys\nprint(__file__, sys.argv, sys.path[0])\n1/0\n")
    for name in ("sub/x.py", "./sub/x.py", "sub/../sub/x.py", "missing.py", "sub/nothing"):
        assert_same([name], directory=tmp_path)


def test_options_of_python(tmp_path):
    code = "import sys; print(sys.flags, sys.warnoptions, sys._xoptions); assert False; print(2)"
    for python in (["-O"], ["-X", "dev"], ["-W", "error"], ["-I", "-c"][:0], ["-u", "-B"]):
        assert_same(["-c", code], python=python, directory=tmp_path)


def test_modules_named_like_ours(tmp_path):
    """The program has modules asm, platforms and regalloc itself."""
    for name in ("asm", "platforms", "regalloc"):
        (tmp_path / f"{name}.py").write_text(f"where = 'mine: {name}'\n")
    (tmp_path / "main.py").write_text(
        "import asm, platforms, regalloc\n"
        "def f(n):\n    s = 0\n    for i in range(n): s += i\n    return s\n"
        "for _ in range(60): x = f(200_000)\n"
        "print(asm.where, platforms.where, regalloc.where, x)\n")
    assert "mine: asm" in assert_same(["main.py"], directory=tmp_path)[1]


def test_death_by_signal():
    assert assert_same(["-c", "raise KeyboardInterrupt"])[0] == -signal.SIGINT
    assert assert_same(["-c", "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"])[0] == -signal.SIGTERM


def test_wrong_command_lines():
    for options in ([], ["--wrong", "x.py"], ["--threshold", "x", "x.py"], ["-c"], ["-q"]):
        status, output, errors = run([], options)
        assert (status, output) == (2, "") and errors.startswith("python -m jit run: ") and errors.count("\n") == 1
    assert run([], ["--help"])[1].startswith("usage: python -m jit run")


def test_where_nothing_is_compiled(tmp_path):
    """Then this is plain python; only --stats says something."""
    code = "import sys; print(sys.argv, sys.flags.optimize, __name__); sys.exit(3)"
    assert_same(["-c", code, "a"], python=["-O"], JIT_DISABLE="1")
    status, _, errors = run(["-c", code], ["--stats"], JIT_DISABLE="1")
    assert status == 3 and errors == "purejit: nothing is compiled: switched off by JIT_DISABLE\n"
