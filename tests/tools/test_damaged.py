"""A damaged installation: `python -m jit` says so in one line, whatever is missing, cut off or mixed up."""

import shutil

import pytest

from command_line import ROOT, run

PACKAGES = ("jit", "asm", "regalloc", "platforms")


@pytest.fixture
def installation(tmp_path):
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def damaged_run(*arguments, installation):
    """`python -m jit` of the installation alone: -S keeps a second one, such as `pip install -e` makes, from standing in."""
    return run(*arguments, root=installation, cwd=installation, options=("-S",))


def assert_complaint(done):
    """One line on stderr, an exit status that is not success, no traceback."""
    assert done.returncode in (1, 2), done
    assert len(done.stderr.splitlines()) == 1 and "Traceback" not in done.stderr, done.stderr


def cut_off(path):
    """Only the first half of the file arrived."""
    data = path.read_bytes()
    path.write_bytes(data[:len(data) // 2])


def overwrite(path):
    path.write_bytes(b"\0" * 1000)


def empty(path):
    path.write_bytes(b"")


def remove(path):
    path.unlink()


def test_the_copy_works(installation):
    done = damaged_run("demo", "--quick", installation=installation)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("damage", [cut_off, overwrite, empty, remove])
@pytest.mark.parametrize("name", [
    "jit/api.py", "jit/commands.py", "jit/walk.py", "jit/types.py", "jit/dispatch.py", "jit/kernels.py", "jit/switches.py",
    "jit/machine/__init__.py", "jit/templates/numbers.py", "asm/__init__.py", "asm/encodings.py", "regalloc/__init__.py",
    "platforms/__init__.py", "platforms/memory.py", "platforms/cpython/layout.py", "platforms/cpython/opcodes.py",
])
def test_damaged_modules(installation, name, damage):
    damage(installation / name)
    done = damaged_run("demo", "--quick", installation=installation)
    assert_complaint(done)
    assert "damaged" in done.stderr


@pytest.mark.parametrize("package", ["jit/machine", "jit/templates", "jit/bytecodes", "asm", "regalloc", "platforms", "platforms/cpython"])
def test_missing_packages(installation, package):
    shutil.rmtree(installation / package)
    assert_complaint(damaged_run("demo", "--quick", installation=installation))


def test_a_package_that_is_a_file_or_leads_nowhere(installation):
    shutil.rmtree(installation / "regalloc")
    (installation / "regalloc").write_text("")
    assert_complaint(damaged_run("demo", "--quick", installation=installation))
    (installation / "regalloc").unlink()
    (installation / "regalloc").symlink_to("regalloc")
    assert_complaint(damaged_run("demo", "--quick", installation=installation))


def test_the_command_itself(installation):
    (installation / "jit/__main__.py").unlink()
    assert_complaint(damaged_run("demo", installation=installation))


@pytest.mark.parametrize("command", [["opcodes"], ["info"], ["explain", "kernels.py:fib"], ["dis", "kernels.py:fib", "--types", "int"]])
def test_other_commands(installation, command):
    shutil.copy(ROOT / "jit/kernels.py", installation / "kernels.py")
    assert damaged_run(*command, installation=installation).returncode == 0
    cut_off(installation / "jit/api.py")
    done = damaged_run(*command, installation=installation)
    assert_complaint(done)
    assert "damaged" in done.stderr
