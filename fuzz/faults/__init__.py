"""Faults that `python -m fuzz selfcheck` plants one at a time, each in a fresh process, to see whether the harness finds them.

A fault is a mistake that somebody could have made: a line of the product that is left out or says something else. It is planted
from outside, at run time (fuzz/faults/planting.py); the product has no switch for it. Each has a witness, a small program that
shows it (fuzz/faults/witness.py), so that a fault that is none does not count.
"""

from fuzz.faults import allocator, attributes, calls, classes, containers, decoder, encoder, exits, floats, generators, numbers, references, registers, signatures, walk

PARTS = (numbers, floats, containers, attributes, references, exits, registers, walk, calls, signatures, classes, generators, allocator, encoder, decoder)

FAULTS = {fault.name: fault for part in PARTS for fault in part.FAULTS}
