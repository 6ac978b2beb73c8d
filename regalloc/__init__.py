"""Register allocation: pure data in, data out; it knows no machine and no Python.

    intervals.py     Interval, Clobber, Location, Allocation
    linear_scan.py   allocate
    moves.py         sequentialise: parallel moves
    verify.py        an independent check
"""

from regalloc.intervals import Allocation, AllocationError, Clobber, Interval, Location
from regalloc.linear_scan import allocate
from regalloc.moves import sequentialise
from regalloc.verify import verify

__all__ = ["Allocation", "AllocationError", "Clobber", "Interval", "Location", "allocate", "sequentialise", "verify"]
