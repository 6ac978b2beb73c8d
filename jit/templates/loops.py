"""What a version needs that is entered at a loop's header (jit/loops.py)."""

from asm import mem64, rax, rcx
from jit.template import template


@template("take_slot", "frame: int -- value: object")
def take_slot(asm, frame, value, detail, emitter):
    """Move a reference out of a slot of the interpreter's frame."""
    base = emitter.register(frame, rax)
    asm.mov(rcx, mem64(base, 8 * detail))
    asm.mov(mem64(base, 8 * detail), 0)
    asm.mov(value, rcx)
