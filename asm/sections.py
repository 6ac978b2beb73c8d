"""Sections, and the displacements in them that are filled in last.

A fixup is (position, target, reference): the 32 bits at `position` become the target's
address minus that of `reference`; both count from the section's start. The target is a
label or an absolute address.
"""

from struct import Struct
from struct import error as OutOfRange

from asm.operands import AssemblyError

_write_int32 = Struct("<i").pack_into

# The recommended multi-byte nops (SDM volume 2, NOP), by length.
NOPS = (
    *(b"", b"\x90", b"\x66\x90", b"\x0f\x1f\x00", b"\x0f\x1f\x40\x00", b"\x0f\x1f\x44\x00\x00"),
    *(b"\x66\x0f\x1f\x44\x00\x00", b"\x0f\x1f\x80\x00\x00\x00\x00"),
    *(b"\x0f\x1f\x84\x00\x00\x00\x00\x00", b"\x66\x0f\x1f\x84\x00\x00\x00\x00\x00"),
)


def nops(length):
    """As few nops as fill `length` bytes."""
    return NOPS[9] * (length // 9) + NOPS[length % 9]


class Section:
    """Code that stays together."""

    __slots__ = ("buffer", "fixups", "labels", "comments", "alignment", "start")

    def __init__(self):
        self.buffer = bytearray()
        self.fixups = []  # (position, target, reference)
        self.labels = []  # bound here; they do not refer back, so that all is freed when it is let go
        self.comments = []  # (position, text)
        self.alignment = 1  # the greatest that was asked for
        self.start = None  # offset in the code, known at finish


def apply_fixups(code, section, offsets, base_address):
    """Fill in the displacements of a section that lies in `code`; offsets: {label: offset}."""
    start = section.start
    for position, target, reference in section.fixups:
        origin = start + reference
        if type(target) is int:
            displacement = target - base_address - origin
        elif target in offsets:
            displacement = offsets[target] - origin
        else:
            raise AssemblyError(f"label {target.name} is used but not bound")
        try:
            _write_int32(code, start + position, displacement)
        except OutOfRange:
            message = f"{target!r} is out of reach: {displacement} bytes away"
            raise AssemblyError(message) from None


def round_up(value, alignment):
    """The least multiple of a power of two that is not below `value`."""
    return (value + alignment - 1) & -alignment
