"""The register allocator and parallel moves."""

from fuzz.faults.planting import Fault, rewriting

_PRELUDE = """
from regalloc import Clobber, Interval, allocate, sequentialise, verify

REGISTERS = {"gpr": ("a", "b")}

def check(intervals, clobbers, loops=()):
    verify(intervals, allocate(intervals, REGISTERS, clobbers, loops), REGISTERS, clobbers, loops)

"""

FAULTS = [
    Fault("interval-ends-one-position-early", "allocator", "allocator",
          rewriting("regalloc.linear_scan", "_Timeline.is_free", ("<= start", "<= start + 1")),
          "A register is given away one position before its value is read for the last time.", _PRELUDE + """
def main():
    check([Interval("x", 1, 6, "gpr", 2.0), Interval("y", 5, 10, "gpr", 1.0, hint="a")], [])
"""),
    Fault("split-value-has-its-slot-from-the-split-on", "allocator", "allocator",
          rewriting("regalloc.linear_scan", "allocate", ("Location(register, until, slots.take(start, end))",
                                                         "Location(register, until, slots.take(until, end))")),
          "The spill slot of a value that starts in a register may hold another value until the register is lost.", _PRELUDE + """
def main():
    lost = frozenset("ab")
    check([Interval("x", 1, 10, "gpr", 3.0), Interval("y", 3, 12, "gpr", 2.0), Interval("z", 3, 5, "gpr", 1.0),
           Interval("u", 3, 5, "gpr", 0.5), Interval("v", 3, 5, "gpr", 0.4)], [Clobber(7, lost)])
"""),
    Fault("clobber-later-in-the-loop-forgotten", "allocator", "allocator",
          rewriting("regalloc.linear_scan", "_Clobbers.first", ("until = min(until, loop_start)", "pass")),
          "A register is relied on at the start of a loop's next turn although a call at its end destroys it.", _PRELUDE + """
def main():
    check([Interval("x", 1, 20, "gpr", 1.0)], [Clobber(15, frozenset("ab"))], [(4, 20)])
"""),
    Fault("slots-shared-one-position-early", "allocator", "allocator",
          rewriting("regalloc.linear_scan", "_Slots.take", ("timeline.is_free(start, end)", "timeline.is_free(start + 2, end)")),
          "A spill slot is given away while its value may still be read.", _PRELUDE + """
def main():
    lost = frozenset("ab")
    check([Interval("x", 1, 10, "gpr", 3.0), Interval("y", 8, 14, "gpr", 2.0)],
          [Clobber(1 + 2 * number, lost) for number in range(1, 6)])
"""),
    Fault("move-cycle-not-redirected", "allocator", "allocator",
          rewriting("regalloc.moves", "sequentialise", ("pending[destination] = place", "pending[destination] = source")),
          "Where a cycle of moves is broken, its last move reads the place that was overwritten instead of the saved value.",
          _PRELUDE + """
def main():
    values = {"x": 1, "y": 2, "z": 3}
    for destination, source in sequentialise([("x", "y"), ("y", "z"), ("z", "x")], lambda place: "scratch"):
        values[destination] = values[source]
    assert (values["x"], values["y"], values["z"]) == (2, 3, 1), values
"""),
]
