"""Target "allocator": nothing is found where nothing is wrong; planted faults are found, and exported."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from hunting import hunt, reduced, run_exported

from fuzz import targets
from fuzz.simulated_programs import Program
from regalloc import linear_scan, moves, verify

TAKE = linear_scan._Timeline.take


def test_no_difference_where_none_is():
    found, features = hunt("allocator", 700)
    assert found is None
    for wanted in ("in a register", "spilled", "at a clobber", "before a loop", "cycles: 2", "refused"):
        assert any(wanted in feature for feature in features), wanted


def shortened(self, start, end):
    TAKE(self, start, max(start + 1, end - 1))


def test_an_interval_one_position_short_is_found_by_the_verifier(monkeypatch, tmp_path):
    monkeypatch.setattr(linear_scan._Timeline, "take", shortened)
    (case, difference), _ = hunt("allocator", 50)
    assert difference.signature.startswith("the verifier refuses")
    small = reduced("allocator", case, difference.signature)
    assert len(Program(small["program"]).operations) <= 6
    fault = ("from regalloc import linear_scan\nold = linear_scan._Timeline.take\n"
             "linear_scan._Timeline.take = lambda self, start, end: old(self, start, max(start + 1, end - 1))\n")
    status, output = run_exported(tmp_path, "allocator", small, fault)
    assert status == 1 and "the verifier refuses" in output
    monkeypatch.undo()
    assert targets.make("allocator").run(small).difference is None


def test_and_by_execution(monkeypatch):
    monkeypatch.setattr(linear_scan._Timeline, "take", shortened)
    monkeypatch.setattr("fuzz.targets.allocator.verify", lambda *_: None)
    (case, difference), _ = hunt("allocator", 200)
    assert difference.signature in ("a read finds another value", "the verifier accepts what runs wrong")
    small = reduced("allocator", case, difference.signature)
    assert len(Program(small["program"]).operations) <= 8
    assert "holds" in difference.detail and targets.make("allocator").text(small)


def test_a_clobber_that_is_forgotten_is_found(monkeypatch):
    monkeypatch.setattr(linear_scan._Clobbers, "lost", lambda self, crossed: set())
    (_, difference), _ = hunt("allocator", 100)
    assert "across the clobber" in difference.signature


def test_a_verifier_that_accepts_too_much_is_found(monkeypatch):
    verifier = sys.modules["regalloc.verify"]
    assert verifier.verify is verify
    monkeypatch.setattr(verifier, "_check_clobbers", lambda *_: None)
    (_, difference), _ = hunt("allocator", 1500)
    assert difference.signature == "the verifier accepts what runs wrong"


@pytest.mark.parametrize("fault", ["cycles are not broken", "no scratch kind", "in the order given"])
def test_wrong_parallel_moves_are_found(monkeypatch, fault):
    right = moves.sequentialise

    def wrong(given, scratch):
        if fault == "no scratch kind":
            return right(given, lambda _: "scratch gpr")
        if fault == "in the order given":
            return [move for move in given if move[0] != move[1]]
        return [move for move in right(given, scratch) if not move[0].startswith("scratch")]

    monkeypatch.setattr("fuzz.targets.allocator.sequentialise", wrong)
    (case, difference), _ = hunt("allocator", 300)
    assert case["kind"] == "moves" and difference.signature.startswith("parallel moves")
    assert len(reduced("allocator", case, difference.signature)["moves"]) <= 3


def test_what_is_raised_is_told_by_where(monkeypatch):
    monkeypatch.setattr(linear_scan, "_worth", lambda interval: 1 // (interval.end - interval.start - 1))
    (_, difference), _ = hunt("allocator", 50)
    assert difference.signature == "ZeroDivisionError in <lambda>"
