"""Hand-assembled activations: the smallest compiled code that uses the shared routines as the contract says.

A `Level` is one activation: a Python function it stands for, the place it claims to be at, and for each local and stack
item a value in one of the forms a descriptor can describe. `assemble` chains levels by direct calls with markers,
outermost first; the innermost one performs an *action*, which decides how it ends. Nothing here uses the compiler.
"""

import ctypes
import dis
import struct

from asm import (Assembler, REGISTERS, eax, ecx, edx, mem32, mem64, r14d, r15, rax, rbx, rbp, rcx, rdi, relative, rsp, r12, r13,
                 r14)
from jit.entries import EntryEmitter
from jit.machine import arena, records as r, routines
from platforms.cpython import symbols
from platforms.cpython.layout import layout

L = layout()
NULL = object()
PUSHED = (rbx, rbp, r12, r13, r14, r15)
FIRST_SLOT = 1
LEVEL_GPRS = [REGISTERS[name] for name in "rbx rsi rdi r8 r9 r10 r11 r12 r13 rbp".split()]
LEVEL_XMMS = [REGISTERS[f"xmm{number}"] for number in range(14)]
_incref = symbols.function("Py_IncRef", None, ctypes.c_void_p)


def integer_bits(value):
    return value & (1 << 64) - 1


def float_bits(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def emit_thread_state(asm):
    """r15 = thread state, as entry wrappers get it."""
    emitter = EntryEmitter.__new__(EntryEmitter)
    emitter.asm = asm
    emitter.emit_thread_state()


class Level:
    """One activation.

    Args:
        function: whose frame it has. values: locals, then stack items. executing, following, resume: bytecode offsets (or None).
        plan: callable (number, value, level) that appends entries; default: OWNED in a slot, NULL for NULL.
    """

    def __init__(self, function, values, executing=None, following=None, resume=None, plan=None):
        self.function = function
        self.values = list(values)
        self.offsets = (resume, executing, following)
        self.entries = []
        self.loads = []  # (register or slot number, data number)
        self.data = []  # 64-bit words the body finds its values in
        self.owned = []  # objects of which each run consumes a reference
        self.slots = FIRST_SLOT
        self.gprs, self.xmms = [], []
        for number, value in enumerate(self.values):
            (plan or plan_owned)(number, value, self)
        size = 8 * self.slots
        self.frame_size = size + (8 if size % 16 == 0 else 0)
        self.place()

    # -- forms of values, for plans -------------------------------------------------------------

    def slot(self, bits):
        """Keep a word in a new spill slot; returns its location."""
        self.loads.append((self.slots, len(self.data)))
        self.data.append(bits)
        self.slots += 1
        return r.slot_location(self.slots - 1)

    def register(self, bits, kind="gpr"):
        """Keep a word in a register if one is left (innermost levels only)."""
        used, all_of_them = (self.gprs, LEVEL_GPRS) if kind == "gpr" else (self.xmms, LEVEL_XMMS)
        if len(used) == len(all_of_them):
            return self.slot(bits)
        register = all_of_them[len(used)]
        used.append(register)
        self.loads.append((register, len(self.data)))
        self.data.append(bits)
        return r.gpr_location(register.number) if kind == "gpr" else r.xmm_location(register.number)

    def entry(self, kind, location=0, payload=0):
        self.entries.append((kind, location, payload))

    def own(self, value):
        self.owned.append(value)

    # -- memory -----------------------------------------------------------------------------------

    def place(self):
        """Put records and data into the arena."""
        code = self.function.__code__
        base = id(code) + L.code_adaptive
        resume, executing, following = (
            0 if offset is None else base + offset + bias for offset, bias in zip(
                self.offsets, (L.instruction_resume_bias, L.instruction_executing_bias, L.instruction_resume_bias)))
        self.record = arena().allocate_data(r.FUNCTION_RECORD_SIZE)
        r.write_function(self.record, self.function, code)
        self.version = arena().allocate_data(r.version_size(0, 0))
        r.write_version(self.version, [], [])
        self.descriptor = arena().allocate_data(r.descriptor_size(len(self.entries)))
        self.words = arena().allocate_data(8 * len(self.data) + 8)
        r.write_descriptor(self.descriptor, frame_size=self.frame_size, stacktop=len(self.values), function_record=self.record,
                           version_record=self.version, resume=resume, executing=executing, following=following, observe=-1,
                           flags=r.HAS_FRAME_SLOT, identity=0, entries=self.entries)
        for number, word in enumerate(self.data):
            ctypes.c_uint64.from_address(self.words + 8 * number).value = word

    def free(self):
        for address in (self.record, self.version, self.descriptor, self.words):
            arena().free_data(address)

    def emit_prologue(self, asm):
        asm.sub(rsp, self.frame_size)
        asm.mov(mem64(rsp, 0), 0)
        asm.sub(r14d, 1)
        for place, number in self.loads:
            word = relative(self.words + 8 * number)
            if isinstance(place, int):
                asm.mov(rax, word)
                asm.mov(mem64(rsp, 8 * place), rax)
        for place, number in self.loads:
            word = relative(self.words + 8 * number)
            if not isinstance(place, int):
                (asm.mov if place.kind == "gpr" else asm.movsd)(place, word)

    def emit_epilogue(self, asm):
        """Return the object in rax, with the owned references dropped first."""
        for number, (kind, location, _) in enumerate(self.entries):
            if kind == r.OWNED:
                asm.mov(rbx, rax)
                asm.mov(rdi, mem64(rsp, location - r.SAVE_AREA))
                emit_c_call(asm, "Py_DecRef")
                asm.mov(rax, rbx)
        asm.add(rsp, self.frame_size)
        asm.add(r14d, 1)
        asm.xor(edx, edx)
        asm.ret()


def plan_owned(number, value, level):
    """Every object owned, in a spill slot."""
    if value is NULL:
        level.entry(r.NULL)
    else:
        level.own(value)
        level.entry(r.OWNED, level.slot(id(value)))


def emit_c_call(asm, name):
    asm.call(relative(asm.constant(symbols.address(name))))


def emit_jump(asm, level, routine):
    asm.lea(rcx, relative(level.descriptor))
    asm.jmp(getattr(routines(), routine))


def leave_by(routine):
    """Action: leave at once (`exit_start`)."""
    def action(asm, level):
        emit_jump(asm, level, routine)
    return action


def call_out(cell):
    """Action: call the Python callable in cell[0] without arguments, go on with its result or leave."""
    def action(asm, level):
        throw, after = asm.label("throw"), asm.label("after")
        asm.lea(rcx, relative(level.descriptor))
        asm.call(routines().callout_enter)
        asm.mov(rdi, relative(asm.constant(id(cell))))
        emit_c_call(asm, "PyObject_CallNoArgs")
        asm.test(rax, rax)
        asm.jz(throw)
        asm.lea(rcx, relative(level.descriptor))
        asm.call(routines().callout_leave)
        asm.test(edx, edx)
        asm.jnz(after)
        level.emit_epilogue(asm)
        asm.bind(throw)
        emit_jump(asm, level, "exit_throw")
        asm.bind(after)
        emit_jump(asm, level, "exit_after")
    return action


class Chain:
    """Machine code of some levels, callable; each call consumes the references the levels own."""

    def __init__(self, levels, action, keep=()):
        self.levels, self.keep = levels, keep
        asm = Assembler(comments=False)
        for register in PUSHED:
            asm.push(register)
        asm.sub(rsp, 24)
        emit_thread_state(asm)
        asm.mov(r14d, mem32(r15, L.thread_recursion_remaining))
        asm.mov(mem64(rsp, 0), 0)
        bodies = [asm.label(f"body{number}") for number in range(len(levels))]
        asm.call(bodies[0])
        asm.marker(None)
        asm.mov(ecx, mem32(rsp, 0))
        asm.add(ecx, r14d)
        asm.mov(mem32(r15, L.thread_recursion_remaining), ecx)
        asm.add(rsp, 24)
        for register in reversed(PUSHED):
            asm.pop(register)
        asm.ret()
        for number, level in enumerate(levels):
            asm.align(16)
            asm.bind(bodies[number])
            level.emit_prologue(asm)
            if number + 1 < len(levels):
                self.emit_call(asm, level, bodies[number + 1])
            else:
                action(asm, level)
        self.block = arena().allocate_code(asm.size_bound())
        arena().write_code(self.block, asm.finish(self.block))
        self.enter = ctypes.PYFUNCTYPE(ctypes.py_object)(self.block)
        self.owned = [id(value) for level in levels for value in level.owned]

    def emit_call(self, asm, level, callee):
        """Call a body; a result is passed on as this body's own, unless it has to leave."""
        throw, after, fine = asm.label("throw"), asm.label("after"), asm.label("fine")
        asm.call(callee)
        asm.marker(level.descriptor)
        asm.test(edx, edx)
        asm.jnz(throw)
        asm.cmp(mem64(rsp, 0), 0)
        asm.je(fine)
        asm.lea(rcx, relative(level.descriptor))
        asm.call(routines().resume_caller)
        asm.test(edx, edx)
        asm.jnz(after)
        asm.bind(fine)
        level.emit_epilogue(asm)
        asm.bind(throw)
        asm.test(rax, rax)
        asm.jnz(after)
        emit_jump(asm, level, "exit_throw")
        asm.bind(after)
        emit_jump(asm, level, "exit_after")

    def __call__(self):
        for address in self.owned:
            _incref(address)
        return self.enter()

    def free(self):
        arena().free_code(self.block)
        for level in self.levels:
            level.free()


def call_place(function, number=-1):
    """(offset, following offset) of a function's CALL instruction, counted from 0."""
    instructions = list(dis.get_instructions(function))
    calls = [index for index, found in enumerate(instructions) if found.opname == "CALL"]
    index = calls[number]
    return instructions[index].offset, instructions[index + 1].offset


def values_of(function, **given):
    """The locals of a function in order, NULL where not given."""
    code = function.__code__
    return [given.get(name, NULL) for name in code.co_varnames + code.co_cellvars + code.co_freevars]


def call_levels(functions, *given):
    """Levels that stand in the (only, or last) call of each function; given: their locals as dicts."""
    for function, names in zip(functions, given):
        executing, following = call_place(function)
        yield Level(function, values_of(function, **names), executing, following)
