"""pyperformance's programs: the stub of pyperf, the list of programs, ratios and verdicts. No times are asserted."""

import importlib.util
import json
import os
import subprocess
import sys
import textwrap

import pytest

import programs
import suite

IDLE = os.path.join(suite.ROOT, "benchmarks", "idle.py")
PROGRAM = """
import sys
import pyperf

def work(loops, first, last=None):
    started = pyperf.perf_counter()
    for _ in range(loops):
        sum(range(first))
    return max(pyperf.perf_counter() - started, 0.2)

async def wait(number):
    return number

if __name__ == "__main__":
    runner = pyperf.Runner(add_cmdline_args=lambda command, args: None)
    runner.metadata["description"] = "of no use"
    runner.argparser.add_argument("--number", type=int, default=5)
    options = runner.parse_args()
    assert options.number == 8 and pyperf.python_implementation() == "cpython"
    runner.bench_time_func("timed", work, options.number, inner_loops=4)
    runner.bench_func("called", sum, [1, 2])
    runner.bench_async_func("awaited", wait, 1)
    runner.bench_command("command", [sys.executable, "-c", "pass"])
"""


@pytest.fixture(scope="module")
def stub():
    specification = importlib.util.spec_from_file_location("pyperf_stub", suite.STUB + "/pyperf.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def program(tmp_path):
    file = tmp_path / "run_benchmark.py"
    file.write_text(PROGRAM)
    return suite.Program("made_up", str(file), ["--number", "8"], [], (3, 8))


def test_a_program_runs_as_planned(program):
    loops = {"timed": 3, "called": 5, "awaited": 2, "command": 1}
    values = {"timed": 4, "called": 6, "awaited": 5, "command": 1}
    found = suite.run(program, [sys.executable], loops, values)
    assert {name: (part["loops"], len(part["values"]), part["inner"]) for name, part in found.items()} == {
        "timed": (3, 4, 4), "called": (5, 6, 1), "awaited": (2, 5, 1), "command": (1, 1, 1)}
    parts = list(found.values())
    assert all(part["whole"] >= sum(part["values"]) for part in parts[1:])
    assert all(before["ended"] == after["begun"] for before, after in zip(parts, parts[1:]))


@pytest.mark.parametrize("text, reason", [("import nothing_of_this_name", "ModuleNotFoundError"), ("pass", "measured nothing"),
                                          ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "killed by signal 11"),
                                          ("raise SystemExit(7)", "exit status 7")])
def test_failures_are_told(tmp_path, text, reason):
    file = tmp_path / "run_benchmark.py"
    file.write_text(text)
    with pytest.raises(suite.Failed, match=reason):
        suite.run(suite.Program("made_up", str(file), [], [], (3, 8)), [sys.executable])


def test_calibration_doubles_until_long_enough(stub):
    tried = []
    assert stub.calibrate(lambda loops: tried.append(loops) or loops * 0.03) == (4, 0.12)
    assert tried == [1, 2, 4]


def test_commands_are_started_as_their_program_was(stub, monkeypatch, tmp_path):
    started = []
    monkeypatch.setattr(stub.subprocess, "run", lambda command, **options: started.append(command))
    monkeypatch.setattr(sys, "argv", ["run_benchmark.py"])
    for launcher in ([sys.executable], [sys.executable, "-m", "jit", "run"]):
        plan = {"report": str(tmp_path / "report"), "launcher": launcher, "loops": {"c": 1}, "values": {"c": 1}, "started": 0}
        monkeypatch.setenv("PYPERF_PLAN", json.dumps(plan))
        stub.Runner().bench_command("c", [sys.executable, "-c", "pass"])
        stub.Runner().bench_command("c", [sys.executable, "-S", "-c", "pass"])
        stub.Runner().bench_command("c", ["true"])
    jit_run = ["-m", "jit", "run"]
    assert started == [[sys.executable, "-c", "pass"], [sys.executable, "-S", "-c", "pass"], ["true"],
                       [sys.executable, *jit_run, "-c", "pass"], [sys.executable, "-S", *jit_run, "-c", "pass"], ["true"]]


def test_variants_are_listed_with_what_they_need(tmp_path):
    folder = tmp_path / "bm_thing"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(textwrap.dedent("""\
        [project]
        requires-python = ">=3.8"
        dependencies = ["pyperf", "Genshi"]
        [tool.pyperformance]
        name = "thing"
        """))
    (folder / "bm_thing_fast.toml").write_text('[project]\nrequires-python = ">=3.12"\n[tool.pyperformance]\nname = "thing_fast"\n'
                                               'extra_opts = ["--fast"]\n')
    found = suite.programs(str(tmp_path))
    assert {name: (program.options, program.requires, program.oldest) for name, program in found.items()} == {
        "thing": ([], ["Genshi"], (3, 8)), "thing_fast": (["--fast"], ["Genshi"], (3, 12))}
    assert found["thing_fast"].file == str(folder / "run_benchmark.py")


def test_summary_takes_the_later_values_and_whole_processes():
    run = {"loops": 2, "inner": 5, "values": [9.0, 1.0, 4.0, 4.0, 3.0, 2.5], "whole": 30.0, "compiling": 0.5}  # 6.5 s outside of values
    slower = {**run, "values": [9.0, 9.0, 9.0, 9.0, 9.0, 9.0], "whole": 60.0}
    assert programs.summary([run, slower]) == {"warm": 0.25, "settled": [3.0, 2.5, 9.0, 9.0], "cold": 30.0, "first": 24.5, "compiling": 0.5, "outside": 6.5, "warmed": 15.0}


def test_warm_is_the_median_of_turns():
    """A value that was measured while the machine was busy meets one that was, too."""
    assert programs.times({"settled": [1.0, 9.0, 2.0]}, {"settled": [0.5, 4.5, 2.0]}) == 2.0


def test_ways_take_turns(tmp_path):
    """Value by value; what one waits does not count; one that fails leaves the turns to the others."""
    file, log = tmp_path / "run_benchmark.py", tmp_path / "log"
    file.write_text(f"""
import os, time, pyperf
def work(loops):
    with open({str(log)!r}, "a") as log:
        log.write(os.environ["WAY"])
    if os.environ["WAY"] == "c" and loops == 1:
        raise SystemExit("enough")
    time.sleep(0.05)
    return 0.05
runner = pyperf.Runner()
runner.bench_time_func("first", work)
runner.bench_time_func("second", work)
""")
    program = suite.Program("made_up", str(file), [], [], (3, 8))
    found = suite.run_by_turns(program, {name: ([sys.executable], {"WAY": name}) for name in "abc"}, {"first": 2, "second": 1}, {"first": 3, "second": 2})
    assert log.read_text() == "abc" * 4 + "ab"
    assert isinstance(found["c"], suite.Failed) and str(found["c"]) == "enough"
    for name in "ab":
        first, second = found[name]["first"], found[name]["second"]
        assert first["whole"] >= 0.05 * 3 and second["whole"] >= 0.05 * 2 and second["waited"] > 0.05 * 5


@pytest.mark.parametrize("seconds, values", [(0.1, 60), (0.2, 40), (100, 4)])
def test_number_of_values(seconds, values):
    assert programs.number_of_values(seconds, 8) == values


def test_the_twelve_have_their_default_length():
    slowest = 0.35  # seconds that one loop of fannkuch takes, interpreted
    assert programs.number_of_values(slowest, programs.MOST_SECONDS) == programs.DEFAULT_VALUES


def way(warm, cold=1.0, **more):
    """A summary."""
    return {"warm": warm, "settled": [warm], "cold": cold, "first": 1.0, **more}


def row(name, warm, cold, target=0.97):
    return programs.Row(name, target, {"plain": way(1.0, cold=10.0), "jit": way(1 / warm, cold=10 / cold)})


def test_misses_are_shown_as_misses():
    good, slow, late = row("good", 2, 1.7), row("slow", 0.9, 0.9), row("late", 3, 1.5)
    assert [each.cells([])[5] for each in (good, slow, late)] == ["met", "MISSED", "met"]
    assert [each.cells([])[8] for each in (good, slow, late)] == ["met", "met", "MISSED"]
    text = "\n".join(programs.aims([good, slow, late]))
    assert "slowest of 3: slow, 0.90; at least 0.97 (MISSED)" in text and "cold less than 0.8 of warm: 1 of 3 (MISSED)" in text


def test_what_falls_below_again_is_told_from_what_an_idle_compiler_does():
    rows = [row("noise", 1.0, 1.0), row("layout", 0.9, 0.9), row("compiled", 0.9, 0.9), row("collected", 0.9, 0.9)]
    free, compiled = "plain" + programs.NO_COLLECTOR, "jit" + programs.NO_COLLECTOR
    for each, seconds, ratio in zip(rows, (1.0, 1.11, 1.0, 1.0), (1.0, 0.9, 0.9, 1.1)):
        each.found.update({programs.AGAIN: way(1.02), programs.IDLE: way(seconds), free: way(ratio), compiled: way(1.0)})
    assert programs.chances(rows) == [["noise", "1.00", "0.98", "1.00", "1.00", "1.00"], ["layout", "0.90", "0.98", "0.90", "1.00", "0.90"],
                                      ["compiled", "0.90", "0.98", "1.00", "0.90", "0.90"], ["collected", "0.90", "0.98", "1.00", "0.90", "1.10"]]
    text = programs.repeated_text(rows, 4)
    assert "- less than 0.97 again: 3 of 4; of these, 1 lose it beside an idle compiler already, and 1 more only to the collector" in text
    assert "not repeated" not in text and programs.repeated_text(rows, 6).endswith("to the collector\n- not repeated: 2 of the 6")
    rows[0].found[programs.IDLE] = rows[3].found[compiled] = "killed by signal 11"
    assert programs.chances(rows)[0] == ["noise", "FAILED", "", "", "", ""]
    assert programs.chances(rows)[3] == ["collected", "0.90", "0.98", "1.00", "0.90", "-"]


def test_what_was_measured_is_written_before_anything_is_repeated(monkeypatch):
    """To repeat takes as long again, and may be stopped."""
    written, asked = [], []

    def measure(program, launchers, options, rounds, wanted=None):
        asked.append((program, wanted))
        if (program, wanted) == ("third", {"third"}):
            raise KeyboardInterrupt
        speeds = {"first": {"fine": 1.0, "slow": 0.9}, "second": {"good": 1.2}, "third": {"third": 0.5}}[program]
        ways = [each for each in launchers if each not in ("plain", "jit")]
        return {name: {**row(name, speed, speed).found, **{each: way(1.0) for each in ways}} for name, speed in speeds.items()}

    for name, value in {"suite.fetch": None, "suite.programs": None, "suite.compile_packages": None, "chosen": (["first", "second", "third"], [("other", "needs six")])}.items():
        monkeypatch.setattr(f"programs.{name}", lambda *_, value=value: value)
    monkeypatch.setattr(programs, "measure", measure)
    monkeypatch.setattr(programs, "write_section", lambda name, text: written.append((name, text)))
    monkeypatch.setattr(sys, "argv", ["programs.py", "--all", "--explain", "--write", "--no-peers"])
    with pytest.raises(KeyboardInterrupt):
        programs.main()
    assert asked == [("first", None), ("second", None), ("third", None), ("first", {"slow"}), ("third", {"third"})]
    assert [name for name, _ in written] == ["all programs"] * 2
    assert "once more" not in written[0][1] and "less than 0.97 again: 1 of 1" in written[1][1]
    assert all(f"| {name} " in text and "needs six" in text for name in ("fine", "slow", "good", "third") for _, text in written)


@pytest.mark.parametrize("how", [["program.py"], ["-m", "program"]])
def test_a_program_beside_an_idle_compiler_runs_as_plain(tmp_path, how):
    (tmp_path / "program.py").write_text("import sys\nprint(__name__, sys.argv[1:], 'jit.dispatch' in sys.modules)\nif len(sys.argv) > 2: sys.exit(3)\n")
    for more, status in ([], 0), (["a", "b"], 3):
        done = subprocess.run([sys.executable, IDLE, *how, *more], cwd=tmp_path, capture_output=True, text=True)
        assert (done.returncode, done.stdout, done.stderr) == (status, f"__main__ {more} True\n", "")


def test_a_failed_run_is_a_miss():
    failed = programs.Row("broken", 4, {"plain": way(1.0), "jit": "killed by signal 11"})
    assert failed.cells(["PyPy"])[3:6] == ["FAILED", 4, "MISSED"]
    assert list(programs.aims([failed])) == ["- broken FAILED: killed by signal 11"]
    assert programs.rows_table([failed, row("good", 2, 2)], []).count("MISSED") == 1


def test_startup_may_take_a_little_more():
    quick = way(0.0325)
    found = {"plain": way(0.012), "jit": quick}
    assert programs.Row("python_startup", 0.97, found).fast_enough
    assert not programs.Row("python_startup", 0.97, {**found, "jit": {**quick, "warm": 0.033}}).fast_enough


def test_misses_are_explained():
    none = programs.NO_COLLECTOR
    plain, compiled = way(4.0, 10.0, outside=2.0), way(2.0, 9.0, compiling=1.0, warmed=4.0)
    found = {"plain": plain, "jit": compiled, "plain" + none: way(3.0), "jit" + none: way(1.0)}
    text = programs.explained([programs.Row("slow", 3, found), row("good", 2, 1.7)])
    assert "slow" in text and "good" not in text
    cells = [cell.strip() for cell in text.splitlines()[-1].split("|")[1:-1]]
    assert cells == ["slow", "2.00", "3", "3.00", "0.56", "0.83", "9.00", "2.00", "4.00", "1.00", "2.00"]
    failed = programs.explained([programs.Row("slow", 3, {**found, "jit" + none: "killed by signal 11"})])
    assert failed.splitlines()[-1].split("|")[4].strip() == "-"
