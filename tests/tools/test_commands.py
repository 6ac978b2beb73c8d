"""The command line, in child processes: what it prints, and how it fails."""

import os
import signal
import subprocess
import sys

import pytest

from command_line import assert_one_line, environment, run

TARGET = '''
import functools
from dataclasses import dataclass

def area(w, h):
    return w * h

@functools.lru_cache
def cached(n):
    return n + 1

def decorator(f):
    @functools.wraps(f)
    def wrapper(*arguments):
        return f(*arguments)
    return wrapper

@decorator
def decorated(a, b):
    return a * b

@dataclass
class Point:
    x: "int"
    class Inner:
        def method(self, k):
            return k
    def method(self):
        return 1
    @property
    def double(self):
        return self.x * 2
    @staticmethod
    def static(a):
        return a
    @classmethod
    def make(cls, a):
        return cls(a)

def outer():
    def inner():
        return 1
    return inner

def forever():
    print("running", flush=True)
    while True:
        pass

def generate():
    yield 1

partial = functools.partial(area, 3)
number = 3
'''


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    path = tmp_path_factory.mktemp("target") / "shapes.py"
    path.write_text(TARGET)
    return str(path)


@pytest.mark.parametrize("command", [(), ("demo",), ("explain",), ("dis",), ("opcodes",), ("info",)])
def test_help(command):
    done = run(*command, "--help")
    assert (done.returncode, done.stderr) == (0, "") and "usage: python -m jit" in done.stdout


def test_explain_with_a_call(target):
    done = run("explain", f"{target}:area", "--call", "area(2, 3.5)")
    assert done.returncode == 0 and "area: compiled" in done.stdout and "(int, float) -> float" in done.stdout


def test_dis_with_types(target):
    done = run("dis", f"{target}:area", "--types", "int,int")
    assert done.returncode == 0 and "return w * h" in done.stdout and "BINARY_OP *" in done.stdout


def test_versions_made_by_types_are_entered_by_calls(target):
    done = run("explain", f"{target}:area", "--types", "float, float", "--call", "[area(1.5, 2.5) for _ in range(3)]")
    assert "(float, float) -> float" in done.stdout and "3 calls" in done.stdout


def test_explain_tells_how_to_give_arguments(target):
    done = run("explain", f"{target}:area")
    assert done.returncode == 0 and done.stdout.startswith("area: waiting\n")
    assert "--types int,float" in done.stdout and "--call" in done.stdout


def test_dis_needs_arguments(target):
    assert_one_line(run("dis", f"{target}:area"), "no version", "--types", "--call")


def test_dis_of_what_is_not_compiled_says_why(target):
    done = run("dis", f"{target}:generate")
    assert done.returncode == 0 and "generators and coroutines are interpreted" in done.stdout


@pytest.mark.parametrize("name, types", [
    ("cached", "int"), ("decorated", "int,int"), ("Point.method", "Point"), ("Point.Inner.method", "Point.Inner,int"),
    ("Point.double", "Point"), ("Point.static", "array.array"), ("Point.make", "type,int"), ("partial", "int,None"),
    ("outer", ""),
])
def test_functions_are_found_behind_decorators_and_in_classes(target, name, types):
    done = run("explain", f"{target}:{name}", "--types", types)
    assert done.returncode == 0, done.stderr
    assert "compiled" in done.stdout.splitlines()[0] and len(done.stdout.splitlines()) > 1


@pytest.mark.parametrize("name, words", [
    ("no_such", "has no function 'no_such'"),
    ("aera", "it has 'area'"),
    ("Point", "is a class; name a function in it, such as Point.method"),
    ("Point.nothing", "has no function"),
    ("number", "no Python function, but of type int"),
    ("functools", "of type module"),
    ("outer.<locals>.inner", "inside a function"),
    ("", "FILE:FUNC"),
])
def test_wrong_functions(target, name, words):
    assert_one_line(run("explain", f"{target}:{name}"), words)


@pytest.mark.parametrize("options, words", [
    (["--types", "int"], "takes 2 arguments, not 1"),
    (["--types", "int,integer"], "'integer' is no type"),
    (["--types", "int,nowhere.Class"], "no type"),
    (["--types", "int,area"], "no type"),
    (["--call", "1/0"], "ZeroDivisionError"),
    (["--call", "area(2, 3"], "SyntaxError"),
    (["--call", "exit(3)"], "SystemExit: 3"),
    (["--types"], "expected one argument"),
    (["--tpyes", "int"], "--help"),
])
def test_wrong_options(target, options, words):
    assert_one_line(run("dis", f"{target}:area", *options), words)


@pytest.mark.parametrize("content, words", [
    ("def f(:\n", "SyntaxError"),
    ("1 / 0\n", "ZeroDivisionError"),
    ("raise ValueError('two\\nlines')\n", "two lines"),
    ("import sys\nsys.exit('enough')\n", "SystemExit: enough"),
    ("raise BaseException('base')\n", "BaseException: base"),
    ("import no_such_module\n", "No module named 'no_such_module'"),
    (b"\0\1\2\xff", "does not load"),
    (b"x = '\xff'\n", "does not load"),
])
def test_files_that_do_not_load(tmp_path, content, words):
    path = tmp_path / "file.py"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert_one_line(run("explain", f"{path}:f"), str(path), words)


def test_a_file_of_any_name(tmp_path):
    path = tmp_path / "program"
    path.write_text("def f(n):\n    return n\n")
    assert run("explain", f"{path}:f").stdout.startswith("f: waiting")


def test_paths_that_are_no_files(tmp_path):
    assert_one_line(run("explain", f"{tmp_path}:f"), "is a directory")
    assert_one_line(run("explain", f"{tmp_path / 'none.py'}:f"), "no file")
    assert_one_line(run("explain", "nothing"), "FILE:FUNC")
    (tmp_path / "circle.py").symlink_to("circle.py")
    assert_one_line(run("explain", f"{tmp_path / 'circle.py'}:f"), "no file")


@pytest.mark.skipif(os.geteuid() == 0 and not os.path.exists("/proc/self/mem"), reason="needs a file that root cannot read")
def test_an_unreadable_file(tmp_path):
    path = tmp_path / "secret.py"
    path.write_text("def f(n):\n    return n\n")
    path.chmod(0)
    unreadable = path if os.geteuid() else "/proc/self/mem"
    assert_one_line(run("explain", f"{unreadable}:f"), "does not load", "Error")


@pytest.mark.parametrize("arguments, words", [
    ((), "COMMAND"), (("exlpain",), "invalid choice"), (("explain",), "FILE:FUNC"), (("demo", "--fast"), "--fast"),
])
def test_wrong_command_lines(arguments, words):
    assert_one_line(run(*arguments), words, "--help")


def test_a_reader_that_has_seen_enough():
    for command in ("opcodes", "info"):
        child = subprocess.Popen([sys.executable, "-u", "-m", "jit", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                 env=environment())
        child.stdout.close()
        assert child.stderr.read() == b"" and child.wait(60) == 0
        child.stderr.close()


def test_output_that_cannot_be_written():
    with open("/dev/full", "w") as full:
        done = subprocess.run([sys.executable, "-m", "jit", "info"], stdout=full, stderr=subprocess.PIPE, text=True,
                              env=environment(), timeout=60)
    assert_one_line(done, "cannot write the output", "No space left")


def test_closed_output():
    done = subprocess.run(["sh", "-c", f'"{sys.executable}" -m jit info >&-'], stderr=subprocess.PIPE, text=True,
                          env=environment(), timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_source_that_the_output_cannot_show(tmp_path):
    path = tmp_path / "accents.py"
    path.write_text("def f(n):\n    return n  # \u20ac\n", encoding="utf-8")
    done = run("dis", f"{path}:f", "--types", "int", PYTHONIOENCODING="ascii")
    assert done.returncode == 0 and "\\u20ac" in done.stdout


@pytest.mark.parametrize("command", [["explain", "TARGET:forever", "--call", "forever()"], ["explain", "SLOW:f"]])
def test_interrupted(target, tmp_path, command):
    slow = tmp_path / "slow.py"
    slow.write_text("import time\nprint('running', flush=True)\ntime.sleep(60)\n")
    command = [part.replace("TARGET", target).replace("SLOW", str(slow)) for part in command]
    child = subprocess.Popen([sys.executable, "-m", "jit", *command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             env=environment())
    assert child.stdout.readline() == "running\n"
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert (child.returncode, errors) == (130, "python -m jit explain: interrupted\n")


def test_info():
    assert "compiles                 yes" in run("info").stdout
    assert "no: switched off by JIT_DISABLE" in run("info", JIT_DISABLE="1").stdout


def test_demo():
    done = run("demo", "--quick")
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 11 and "NO" not in done.stdout


def test_where_nothing_is_compiled(target):
    for command in (["demo"], ["explain", f"{target}:area"], ["dis", f"{target}:area"]):
        assert_one_line(run(*command, JIT_DISABLE="1"), "functions are not compiled here: switched off by JIT_DISABLE")
