"""What the compiler imports below a running program: its own modules and the standard library's, whatever the program calls so or does with sys.modules."""

import pytest

from comparing import ROOT, assert_same, run

LOOP = """
import gc, sys, time
import jit, jit.hot
def f(n):
    s = 0
    for i in range(n):
        s += i & 15
    return s
def until(what):
    end = time.perf_counter() + 60
    while not what() and time.perf_counter() < end:
        f(2_000)
def is_loaded():
    return jit.hot.DETECTOR is not None and jit.hot.DETECTOR.compiler is not None
def versions(function):  # asking jit.explain would import much
    record = is_loaded() and jit.hot.DETECTOR.compiler.records.get(id(function))
    return record.versions if record else ()
def is_compiled():
    return bool(versions(f))
"""
#: How a program comes to be compiled: below us, or since it asks for it, having imported little of us or much.
WAYS = {"run": ((), ""), "enable": (None, "import jit\njit.enable()\n"), "late": (None, "import jit.report, jit.hot\njit.enable()\n"),
        "decorated": (None, "import jit\n@jit.jit\ndef g(): return 1\ng()\njit.enable()\n")}
ways = pytest.mark.parametrize("way", WAYS)


def output(tmp_path, way, code, name="program.py"):
    kind, before = WAYS[way]
    (tmp_path / name).write_text(before + LOOP + code)
    status, printed, errors = run([name], kind, directory=tmp_path)
    assert (status, errors) == (0, "")
    return printed


@ways
def test_it_is_loaded(tmp_path, way):
    assert output(tmp_path, way, "until(is_loaded)\nuntil(is_compiled)\nprint(is_loaded(), is_compiled())\n") == "True True\n"


@pytest.mark.parametrize("name", ["bisect", "dis", "heapq", "opcode", "array", "math"])
def test_files_of_the_programs_called_as_modules_that_we_need(tmp_path, name):
    """It is found first, as sys.path is the program's."""
    for other in ("bisect", "dis", "heapq", "opcode", "array", "math"):
        (tmp_path / f"{other}.py").write_text(f"print('{other} of the program')\n")
    _, plain, _ = run(["-c", f"import {name}"], directory=tmp_path)  # nothing where Python has it built in, or has imported it at its start
    if name == "math":  # and the program itself
        (tmp_path / "math.py").write_text(f"print('{name} of the program')\n" + LOOP + "if __name__ == '__main__':\n    if jit.hot.DETECTOR: until(is_compiled)\n    import math\n")
        assert_same(["math.py"], directory=tmp_path)
    assert output(tmp_path, "run", f"until(is_compiled)\nprint(is_compiled())\nimport {name}\n") == "True\n" + plain


@ways
def test_the_program_is_in_the_middle_of_importing_what_we_need(tmp_path, way):
    """What it has of it is not whole yet. `dis` was looked for in the middle of the program's `import inspect`, and nothing was compiled any more."""
    code = """
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
halves = {}
for name in ("bisect", "dis", "heapq", "opcode", "array", "math"):
    halves[name] = ModuleType(name)
    halves[name].__spec__ = ModuleSpec(name, None, origin=find_spec(name).origin)
    halves[name].__spec__._initializing = True
whole = {name: sys.modules.get(name) for name in halves}
sys.modules.update(halves)
half = time.perf_counter() + 1
until(lambda: is_compiled() or time.perf_counter() > half)
for name, module in whole.items():
    if module is None:
        del sys.modules[name]
    else:
        sys.modules[name] = module
until(lambda: is_compiled() or jit.hot.DETECTOR.given_up)
print(is_compiled(), jit.hot.DETECTOR.problem)
"""
    assert output(tmp_path, way, code) == "True None\n"


def test_what_the_program_shares_with_us(tmp_path):
    """Functions and types of modules in C are known by their addresses."""
    code = """
until(is_loaded)
import array, math
def g(numbers):
    s = 0.0
    for _ in range(200):
        for x in numbers:
            s += math.sqrt(x)
    return s
numbers = array.array("d", range(100))
end = time.perf_counter() + 60
while not versions(g) and time.perf_counter() < end:
    g(numbers)
print("sqrtsd" in jit.disassemble(g), "array" in str(jit.explain(g)))
"""
    assert output(tmp_path, "run", code) == "True True\n"


@ways
def test_import_hooks_see_nothing_of_us(tmp_path, way):
    code = """
seen = []
class Hook:
    def find_spec(self, name, path=None, target=None):
        seen.append(name)
sys.meta_path.insert(0, Hook())
until(is_loaded); until(is_compiled)
print(is_compiled(), sorted(set(seen) - {"_bisect", "_heapq", "_opcode", "array", "math"}))
"""
    # What had been imported before imports as it did.
    assert output(tmp_path, way, code) == {"late": "True ['jit.unseen']\n"}.get(way, "True []\n")


@ways
def test_the_program_restores_its_modules(tmp_path, way):
    """As unittest.mock.patch.dict(sys.modules) does. There must be one compiler."""
    code = """
before = dict(sys.modules)
while not is_loaded():
    f(2_000)
    if len(sys.modules) > len(before):
        sys.modules.clear()
        sys.modules.update(before)
sys.modules.clear()
sys.modules.update(before)
until(is_compiled)
from jit.dispatch import COMPILER
import jit.compiler
print(is_compiled(), COMPILER is jit.hot.DETECTOR.compiler, {type(version) for version in versions(f)} == {jit.compiler.Code})
"""
    assert output(tmp_path, way, code) == "True True True\n"


@ways
def test_files_are_found_and_read_with_the_interpreter_held(tmp_path, way):
    """Each time that it is given away, it is gone for a whole switch interval. Python tells of what it opens and lists itself."""
    code = f"""
seen = []
def hook(event, arguments):
    if event in ("open", "os.listdir", "os.scandir") and str(arguments[0]).startswith({str(ROOT)!r}):
        seen.append(arguments[0])
sys.addaudithook(hook)
until(is_loaded)
print(is_loaded(), [path for path in seen if "files" not in path and path != {str(ROOT)!r} + '/platforms'])
"""
    assert output(tmp_path, way, code) == "True []\n"


@ways
def test_the_collector_seems_untouched_meanwhile(tmp_path, way):
    code = """
class Callback:
    def __call__(self, phase, info): pass
    def __eq__(self, other): print("asked")
gc.callbacks.append(Callback())
seen = set()
while not is_loaded():
    f(200)
    gc.collect(0)
    seen.add((gc.isenabled(), gc.get_threshold()))
print(seen <= {(True, gc.get_threshold())})
gc.disable()
def is_as_before():
    global state
    state = is_compiled(), gc.isenabled(), len(gc.callbacks)
    return state == (True, False, 1)
until(is_as_before)  # the clock's thread may be anywhere when it gives the interpreter away, and fills holes in memory now and then
print(*state)
"""
    assert output(tmp_path, way, code) == "True\nTrue False 1\n"


@pytest.mark.parametrize("options", [(), ("--eager",)], ids=["hot", "eager"])
def test_builtins_that_the_program_replaces_are_not_called(tmp_path, options):
    code = """
import builtins
from types import BuiltinFunctionType
seen = set()
def noting(name, original):
    def noted(*arguments, **named):
        seen.add((name, sys._getframe(1).f_code.co_filename))
        return original(*arguments, **named)
    return noted
for name, value in list(vars(builtins).items()):
    if type(value) is BuiltinFunctionType and name not in ("__import__", "__build_class__", "dir", "eval", "exec", "globals", "locals", "vars"):
        setattr(builtins, name, noting(name, value))
def g(n, k):
    s = 0
    for i in range(n):
        s += [i * k for _ in (k,)][0]
    return s
for k in 1, 2.5, 2**70:
    f(20), g(20, k)
until(lambda: is_compiled() or sys.modules["jit.hot"].DETECTOR.eager)
noted = list(seen)
print(sorted(name for name, file in noted if file.startswith(ROOT)), sorted(name for name, file in noted if file == __file__),
      sorted(name for name, file in noted if file.endswith("collections/__init__.py")))
"""
    code = code.replace("ROOT", repr(str(ROOT)) + " + '/'")
    (tmp_path / "program.py").write_text(LOOP + code)
    status, printed, errors = run(["program.py"], options, directory=tmp_path)
    assert (status, errors, printed) == (0, "", "[] ['id', 'setattr'] []\n")


@pytest.mark.parametrize("failures, outcome", [(0, "True 0 None"), (4, "True 4 None"), (5, "False 5 ValueError")])
def test_steps_that_fail_are_tried_again(tmp_path, failures, outcome):
    """Five times in all; then the program runs on without."""
    code = f"""
import jit.loading
step = map(int, ["no number"] * {failures} + ["1"]).__next__
jit.loading.STEPS += (step,)
seen = set()
until(lambda: seen.add(jit.hot.DETECTOR.loading) or is_loaded() or jit.hot.DETECTOR.given_up)
problem = jit.hot.DETECTOR.problem
print(is_loaded(), max(loading.failures for loading in seen if loading), problem and type(problem).__name__)
"""
    assert output(tmp_path, "run", code) == outcome + "\n"


def test_a_library_without_sources(tmp_path):
    """As appliances have it, or in a zip file: Python itself knows how to import that."""
    code = "import jit.isolation\njit.isolation._LIBRARY = '/nowhere'\nuntil(is_compiled)\nprint(is_compiled(), 'heapq' in sys.modules)\n"
    assert output(tmp_path, "run", code) == "True True\n"
