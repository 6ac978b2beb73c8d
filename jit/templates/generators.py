"""A generator's values, between it and a compiled part of it (jit/resuming.py)."""

from asm import mem8, mem32, mem64, rax, rcx, rdx
from jit.machine.refcounts import emit_incref
from jit.template import template
from platforms.cpython.layout import layout

L = layout()
#: From the frame's slots, which a part gets the address of, to the generator.
_GENERATOR = -L.frame_localsplus - L.generator_frame


@template("take_generator", "frame: int -- generator: object")
def take_generator(asm, frame, generator, emitter):
    """A reference to the generator whose frame this is."""
    asm.lea(rax, mem64(emitter.register(frame, rax), _GENERATOR))
    emit_incref(asm, rax, rcx)
    asm.mov(generator, rax)


@template("suspend", "item: any --", terminator=True)
def suspend(asm, emitter):
    """Put the values into the slots, which are empty; drop the generator, which the caller holds; return the item."""
    arguments = emitter.operation.arguments
    slots, stacktop, resume = emitter.operation.detail
    base = emitter.register(emitter.operand(arguments[1]), rdx)
    frame = L.generator_frame
    for number, place, flag in slots:
        unbound = asm.label("unbound")
        if flag is not None:
            asm.cmp(emitter.operand(arguments[flag]), 0)
            asm.je(unbound)
        emitter.move(rax, emitter.operand(arguments[place]))
        asm.mov(mem64(base, frame + L.frame_localsplus + 8 * number), rax)
        asm.bind(unbound)
    asm.mov(mem32(base, frame + L.frame_stacktop), stacktop)
    asm.mov(rax, emitter.address(resume))
    asm.mov(mem64(base, frame + L.frame_instruction), rax)
    asm.mov(mem8(base, L.generator_state), L.generator_suspended & 0xFF)
    asm.sub(mem64(base, L.ob_refcnt), 1)
    emitter.move(rax, emitter.operand(arguments[0]))
    emitter.epilogue()
