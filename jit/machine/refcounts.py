"""Reference counting inline.

From 3.12 on, a count whose low half is negative belongs to an immortal object and is never changed; the store is 64 bits
wide, because Py_DECREF loads 64 bits and a narrower store just before would stall it.
"""

from asm import mem32, mem64, rcx
from platforms.cpython.layout import layout

L = layout()


def emit_incref(asm, register, scratch=rcx):
    """Add a reference to the object in `register`; `scratch` (not `register`) is lost on 3.12 and later."""
    if not L.immortal_refcounts:
        asm.add(mem64(register, L.ob_refcnt), 1)
        return
    immortal = asm.label("immortal")
    asm.mov(scratch, mem64(register, L.ob_refcnt))
    asm.add(scratch.r32, 1)
    asm.js(immortal)
    asm.jz(immortal)
    asm.mov(mem64(register, L.ob_refcnt), scratch)
    asm.bind(immortal)


def emit_decref(asm, register, on_zero):
    """Drop a reference of the object in `register`; jump to `on_zero` if it was the last one."""
    if not L.immortal_refcounts:
        asm.sub(mem64(register, L.ob_refcnt), 1)
        asm.jz(on_zero)
        return
    immortal = asm.label("immortal")
    asm.cmp(mem32(register, L.ob_refcnt), 0)
    asm.jl(immortal)
    asm.sub(mem64(register, L.ob_refcnt), 1)
    asm.jz(on_zero)
    asm.bind(immortal)
