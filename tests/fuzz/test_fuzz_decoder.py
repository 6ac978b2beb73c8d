"""Target "decoder": nothing is found where nothing is wrong; planted faults are found, and exported."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from hunting import hunt, reduced, run_exported

import jit.bytecodes.numbers as numbers
import jit.decode
from fuzz import damaged, targets
from fuzz.damaged_sources import SOURCES
from fuzz.targets import decoder
from jit import walk
from platforms.cpython import opcodes

ADD = SOURCES[0]


def case(*changes, source=ADD, arguments=None):
    return {"source": source, "function": "f", "changes": list(changes), "arguments": arguments}


def test_no_difference_where_none_is():
    found, features = hunt("decoder", 900)
    assert found is None
    for wanted in ("decoded: CALL", "refused: bytecode is cut off", "refused: exception table is cut off", "compiled: ", "not compiled: "):
        assert any(feature.startswith(wanted) for feature in features), wanted


def test_sources_use_nearly_every_opcode():
    """As far as Python's compiler writes them in functions."""
    used, codes = set(), [damaged.compiled(source) for source in SOURCES]
    while codes:
        code = codes.pop()
        used |= {code.co_code[place] for place in range(0, len(code.co_code), 2)}
        codes.extend(constant for constant in code.co_consts if hasattr(constant, "co_code"))
    names = {name for name, number in opcodes.NUMBERS.items() if number in used}
    assert {"CALL", "SWAP", "FOR_ITER", "MATCH_KEYS", "BEFORE_WITH", "YIELD_VALUE", "DELETE_SUBSCR", "MAKE_FUNCTION"} <= names
    assert len(names) > 75


def broken_handler(w, instruction):
    if instruction.argument == "*":
        raise KeyError("planted")
    return numbers.binary_op(w, instruction)


def test_an_exception_in_the_compiler_is_found(monkeypatch):
    monkeypatch.setitem(walk.HANDLERS, "BINARY_OP", broken_handler)
    (found, difference), _ = hunt("decoder", 500)
    assert difference.signature == "compile: KeyError in broken_handler"
    small = reduced("decoder", found, difference.signature)
    assert small["changes"] == [] and small["arguments"] is not None


def test_an_exception_in_decode_is_found_reduced_and_exported(monkeypatch, tmp_path):
    right = jit.decode.jump_offset

    def wrong(name, argument, following):
        assert argument < 250
        return right(name, argument, following)

    monkeypatch.setattr(jit.decode, "jump_offset", wrong)
    (found, difference), _ = hunt("decoder", 2500)
    assert difference.signature == "decode: AssertionError in wrong"
    small = reduced("decoder", found, difference.signature)
    assert len(small["changes"]) == 1
    fault = ("import jit.decode\nright = jit.decode.jump_offset\n"
             "def wrong(name, argument, following):\n    assert argument < 250\n    return right(name, argument, following)\n"
             "jit.decode.jump_offset = wrong\n")
    status, output = run_exported(tmp_path, "decoder", small, fault)
    assert status == 1 and "decode: AssertionError in wrong" in output
    monkeypatch.undo()
    assert targets.make("decoder").run(small).difference is None


@pytest.mark.parametrize("fault", ["raw_instructions", "jump_offset", "exception_entries"])
def test_wrong_readings_are_found(monkeypatch, fault):
    """Arguments without their prefixes, jumps one unit long, tables one deep."""
    right = getattr(jit.decode, fault)
    wrong = {"raw_instructions": lambda code: ((start, own, name, argument & 255, following)
                                               for start, own, name, argument, following in right(code)),
             "jump_offset": lambda name, argument, following: right(name, argument, following) + 2 * (name == "FOR_ITER"),
             "exception_entries": lambda code: [(*entry[:3], entry[3] + 1, entry[4]) for entry in right(code)]}[fault]
    monkeypatch.setattr(jit.decode, fault, wrong)
    monkeypatch.setattr(decoder, "exception_entries", jit.decode.exception_entries)
    (_, difference), _ = hunt("decoder", 600)
    assert difference.signature in ("decode: another argument", "decode: another jump target", "decode: another exception table",
                                    "decode: Unsupported in decode")


def test_endless_work_is_found(monkeypatch):
    def forever(code):
        while True:
            pass

    monkeypatch.setattr(decoder, "decode", forever)
    monkeypatch.setattr(decoder, "WORK_LIMIT", 0.2)
    verdict = targets.make("decoder").run(case())
    assert verdict.difference.signature == "decode: takes too long"


def test_what_crashes_python_is_not_made():
    """Neither numbers that look up tables which are not there, nor caches behind the end of the bytecode."""
    for number in damaged._FATAL:
        assert damaged.makeable(bytes((number, 0, number, 1))) == damaged._NOP[:1] + b"\0" + damaged._NOP[:1] + b"\1"
    cached = opcodes.NUMBERS["LOAD_GLOBAL"]
    assert damaged.makeable(bytes((cached, 0))) == bytes((cached, 0)) + damaged._NOP
    assert damaged.makeable(bytes((cached, 0, 0, 0))) == bytes((cached, 0, 0, 0))
    assert damaged.makeable(b"\x01\x02\x03") == b"\x01\x02"


def test_changes_are_what_they_say():
    code = damaged.code_of(ADD, "f")
    units = code.co_code
    nop = damaged._NOP

    def after(*changes):
        return damaged.damaged(code, changes).co_code

    assert after() == units and after(["nops", 2]) == units + 2 * nop
    assert after(["byte", 1, 7]) == units[:1] + b"\x07" + units[2:]
    assert after(["exchange", 0, 1])[:4] == units[2:4] + units[:2]
    assert after(["remove", 1, 2]) == units[:2] + units[6:]
    assert after(["repeat", 0, 1, 1]) == units[2:4] + units
    assert after(["bytes", (nop * 3).hex()]) == nop * 3
    changed = damaged.damaged(code, [["field", "co_consts", ["code", "(1, 2)"]], ["field", "co_exceptiontable", "ff01"],
                                     ["table", "co_exceptiontable", 3, 9], ["field", "co_stacksize", 77]])
    assert changed.co_consts == (code, (1, 2)) and changed.co_exceptiontable == b"\xff\x09" and changed.co_stacksize == 77
    with pytest.raises(damaged.Unmakeable):
        damaged.damaged(code, [["field", "co_varnames", []]])
    for source in ("f = nothing\n", "f = 1\n", "def f(:\n"):
        assert targets.make("decoder").run(case(source=source)).skipped


def test_functions_are_never_executed():
    source = "RAN = []\ndef f(a, b):\n    RAN.append(a)\n    return a\n"
    scene = damaged.Scene(source, "f", [])
    assert any(feature.startswith("compiled") for feature in decoder._compiled(scene, ["3", "4"]))
    assert scene.namespace["RAN"] == []
