"""Calling conventions, the processor, support() and describe()."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

import platforms
from platforms import abi, cpu, pages
from platforms.cpython import build, layout, running, symbols, threads


@pytest.mark.parametrize("convention", [abi.SYSTEM_V, abi.WIN64])
def test_every_register_is_either_caller_or_callee_saved(convention):
    general = set("rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15".split())
    vectors = {f"xmm{number}" for number in range(16)}
    assert convention.caller_saved | convention.callee_saved == general | vectors
    assert not convention.caller_saved & convention.callee_saved
    arguments = {*convention.integer_arguments, *convention.float_arguments}
    assert arguments | {convention.integer_result, convention.float_result} <= convention.caller_saved


def test_system_v():
    assert abi.SYSTEM_V.integer_arguments == ("rdi", "rsi", "rdx", "rcx", "r8", "r9")
    assert abi.SYSTEM_V.float_arguments == tuple(f"xmm{number}" for number in range(8))
    assert abi.SYSTEM_V.callee_saved == {"rbx", "rsp", "rbp", "r12", "r13", "r14", "r15"}
    assert (abi.SYSTEM_V.shadow_space, abi.SYSTEM_V.red_zone, abi.SYSTEM_V.positional) == (0, 128, False)


def test_win64():
    assert abi.WIN64.integer_arguments == ("rcx", "rdx", "r8", "r9")
    assert abi.WIN64.float_arguments == ("xmm0", "xmm1", "xmm2", "xmm3")
    assert {"rsi", "rdi", "xmm6", "xmm15"} <= abi.WIN64.callee_saved
    assert (abi.WIN64.shadow_space, abi.WIN64.red_zone, abi.WIN64.positional) == (32, 0, True)


def test_the_host_convention_follows_the_system(monkeypatch):
    assert abi.host() is abi.SYSTEM_V
    monkeypatch.setattr(sys, "platform", "win32")
    assert abi.host() is abi.WIN64


def test_conventions_are_constant():
    with pytest.raises(AttributeError):
        abi.SYSTEM_V.red_zone = 0


def test_features_agree_with_the_kernel():
    with open("/proc/cpuinfo") as file:
        text = file.read()
    flags = next(line for line in text.splitlines() if line.startswith("flags")).split()
    kernel_names = {"lzcnt": "abm"}
    expected = {name for name in cpu._FEATURES if kernel_names.get(name, name) in flags}
    assert cpu.features() == expected
    assert "sse2" in cpu.features()
    model = next(line for line in text.splitlines() if line.startswith("model name"))
    assert cpu.brand() == " ".join(model.split(":", 1)[1].split())


def test_avx_needs_the_system_to_save_its_registers(monkeypatch):
    monkeypatch.setattr(cpu, "_saved_state", lambda: 0b010)
    assert "avx" not in cpu.features.__wrapped__()


def test_an_unknown_cpuid_leaf_is_empty():
    assert cpu.cpuid(0x7FFFFFF0) == (0, 0, 0, 0)


# ---- support


def test_this_interpreter_is_supported():
    assert platforms.support() == (True, "")
    assert platforms.support() is platforms.support()


@pytest.mark.parametrize(
    "change, reason",
    [
        ({"implementation": "pypy"}, "not CPython but pypy"),
        ({"version": (3, 10)}, "CPython 3.10 is not known, only 3.11, 3.12, 3.13"),
        ({"version": (3, 14)}, "CPython 3.14 is not known, only 3.11, 3.12, 3.13"),
        ({"release_level": "beta"}, "beta is not a release"),
        ({"system": "darwin"}, "the system is darwin, not linux"),
        ({"system": "win32", "machine": ""}, "the system is win32, not linux"),
        ({"machine": "aarch64"}, "the processor is aarch64 (64 bits)"),
        ({"pointer_bits": 32}, "the processor is x86_64 (32 bits)"),
        ({"debug": True}, "a debug build"),
        ({"trace_references": True}, "Py_TRACE_REFS"),
        ({"free_threaded": True}, "a free-threaded build"),
        ({"statistics": True}, "pystats"),
        ({"has_ctypes": False}, "no ctypes"),
    ],
)
def test_unknown_builds_are_refused_with_the_reason(monkeypatch, change, reason):
    facts = build.Facts(**{**vars(build.facts()), **change})
    monkeypatch.setattr(build, "facts", lambda: facts)
    monkeypatch.setattr(pages, "probe", lambda: pytest.fail("memory was touched on an unknown system"))
    assert reason in platforms._refusal()


def test_facts_notice_a_special_build(monkeypatch):
    stand_in = SimpleNamespace(**vars(sys))
    stand_in.abiflags, stand_in.gettotalrefcount, stand_in.getobjects = "td", len, len
    stand_in._stats_on = len
    monkeypatch.setattr(build, "sys", stand_in)
    facts = build.facts()
    assert facts.debug and facts.trace_references and facts.free_threaded and facts.statistics


def test_facts_without_ctypes(monkeypatch):
    monkeypatch.setitem(sys.modules, "ctypes", None)
    assert build.facts().has_ctypes is False


def test_a_missing_symbol_is_refused(monkeypatch):
    monkeypatch.setattr(running, "_REQUIRED", ("PyThreadState_Get", "Py_NoSuchThing"))
    assert running.refusal() == "the interpreter does not export Py_NoSuchThing"


def test_cpythons_own_compiler_is_refused(monkeypatch):
    monkeypatch.setattr(symbols, "optional", lambda name: 1)
    assert "experimental" in running.refusal()


def test_a_frame_evaluation_hook_is_refused():
    import ctypes

    interpreter = threads.interpreter()
    evaluate = symbols.address("_PyEval_EvalFrameDefault")
    # mov rax, evaluate; jmp rax
    hook = pages.place(b"\x48\xb8" + evaluate.to_bytes(8, "little") + b"\xff\xe0")
    install = symbols.function("_PyInterpreterState_SetEvalFrameFunc", None, ctypes.c_uint64, ctypes.c_uint64)
    install(interpreter, hook)
    try:
        reason = running.refusal()
    finally:
        install(interpreter, evaluate)
    assert reason == "another tool evaluates frames (PEP 523)"
    assert running.refusal() == ""


# For interpreters that do not look into the current directory.
FIND = f"import sys; sys.path.insert(0, {os.path.dirname(platforms.__path__[0])!r})\n"


def run(program, *options):
    command = [sys.executable, *options, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def test_a_subinterpreter_is_refused():
    asked = FIND + "import platforms; print(platforms.support(), flush=True)"
    program = f"""
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
interpreter = interpreters.create()
interpreters.run_string(interpreter, {asked!r})
interpreters.destroy(interpreter)
"""
    answer = run(program)
    assert "ok=False" in answer and ("not the main interpreter" in answer or "ctypes" in answer)


PRINT_SUPPORT = "import platforms; print(platforms.support() == (True, ''), platforms.support().reason)"


@pytest.mark.parametrize(
    "setting",
    [
        "pass",
        "import sys; sys.settrace(lambda *_: None)",
        "import sys\ndef trace(*_): return trace\nsys.settrace(trace)",
        "import sys; sys.setprofile(lambda *_: None)",
        "import gc; gc.set_threshold(1)",
        "import sys; sys.setrecursionlimit(100000)",
        "import cProfile; cProfile.Profile().enable()",
        "import threading; threading.Thread(target=lambda: [i for i in range(10**7)]).start()",
    ],
)
def test_support_does_not_depend_on_circumstances(setting):
    assert run(f"{setting}\n{PRINT_SUPPORT}") == "True"


@pytest.mark.parametrize("option", ["-O", "-OO", "-I", "-E", "-X dev", "-X faulthandler", "-W error"])
def test_support_under_interpreter_options(option):
    assert run(FIND + PRINT_SUPPORT, *option.split()) == "True"


def test_support_asked_in_another_thread_first():
    program = f"import threading\nt = threading.Thread(target=lambda: exec({PRINT_SUPPORT!r})); t.start(); t.join()"
    assert run(program) == "True"


def test_support_with_the_debug_allocator(monkeypatch):
    monkeypatch.setenv("PYTHONMALLOC", "debug")
    assert run(PRINT_SUPPORT) == "True"


def test_support_leaves_tracing_and_monitoring_as_they_were():
    program = """
import sys, platforms
def trace(*_): return None
sys.settrace(trace); sys.setprofile(trace)
assert platforms.support().ok
assert (sys.gettrace(), sys.getprofile()) == (trace, trace)
sys.settrace(None); sys.setprofile(None)
monitoring = getattr(sys, "monitoring", None)
print(monitoring is None or all(monitoring.get_tool(tool) is None for tool in range(6)))
"""
    assert run(program) == "True"


def test_describe_is_plain_data():
    described = platforms.describe()
    assert json.loads(json.dumps(described)) == described
    assert described["supported"] is True
    assert described["processor"] == cpu.brand()
    assert "float_value" in described["verified"]


def test_describe_where_nothing_is_supported(monkeypatch):
    monkeypatch.setattr(platforms, "support", lambda: platforms.Support(False, "no"))
    assert platforms.describe()["reason"] == "no"


def test_versions_are_those_of_the_layout_table():
    assert build.VERSIONS is layout.VERSIONS
