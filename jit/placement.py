"""Where values are while code is emitted, and moving them: operands, results, parallel moves."""

import struct

from asm import Memory, mem32, mem64, rax, rbp, rcx, relative, rsp, xmm13, xmm15
from jit import types
from platforms.cpython.layout import layout

L = layout()
#: Results that have no register are made here and stored.
SPILLED_GPR, SPILLED_XMM = rbp, xmm13


def _key(operand):
    """What names an operand's place in parallel moves."""
    if operand.__class__ is Memory:
        if operand.base is rsp:
            return ("slot", operand.disp)
        return id(operand)
    if operand.__class__ is int:
        return ("constant", operand)
    return operand


class Placement:
    """The part of Emitter that knows locations."""

    def slot(self, number):
        return mem64(rsp, 8 * (self.first_slot + number))

    def operand(self, value):
        """Register, memory or small integer that holds `value` before the current operation."""
        return self.operand_at(value, self.position)

    def operand_after(self, value):
        """The same behind the current operation's call."""
        return self.operand_at(value, self.position + 1)

    def operand_at(self, value, position):
        if value.is_constant:
            return self.constant_operand(value)
        location = self.locations[value.home or value]
        if location.register is not None and (location.slot is None or position < location.until):
            return location.register
        return self.slot(location.slot)

    def constant_operand(self, value):
        kind = value.type
        constant = value.constant
        if kind is types.INT or kind is types.BOOL:
            if -0x80000000 <= constant <= 0x7FFFFFFF:
                return int(constant)
            return relative(self.asm.constant(constant & (1 << 64) - 1))
        if kind is types.FLOAT:
            return relative(self.asm.constant(struct.unpack("<Q", struct.pack("<d", constant))[0]))
        if kind is types.NULL:
            return 0
        return self.object(constant)

    def object(self, constant):
        """Memory operand holding the address of a Python object that the unit keeps alive."""
        return relative(self.asm.constant(id(constant)))

    def symbol(self, name):
        """Memory operand holding the address of a C function."""
        return relative(self.asm.constant(self.context.symbol(name)))

    def address(self, number):
        """Memory operand holding an address, or any other 64 bits."""
        return relative(self.asm.constant(number))

    def mask(self, pattern):
        """16 bytes for andpd / xorpd; only the low half matters."""
        return relative(self.asm.constant16(struct.pack("<QQ", pattern, pattern)), size=16)

    def after_call(self, name):
        """Operand of the input called `name`, behind the template's C call."""
        for (item, _), value in zip(self.operation.template.inputs, self.operation.arguments):
            if item == name:
                return self.operand_after(value)
        raise KeyError(name)

    def register(self, operand, scratch):
        """`operand` in a register: itself, or loaded into `scratch`."""
        if operand.__class__ is not int and operand.kind == "gpr":
            return operand
        self.asm.mov(scratch, operand)
        return scratch

    def low(self, register):
        return register.r32

    def refcount(self, register):
        """Memory operand of an object's reference count (its low half where that is what counts)."""
        return mem32(register, L.ob_refcnt) if L.immortal_refcounts else mem64(register, L.ob_refcnt)

    def result_register(self):
        """Register in which the current operation's result is to be made."""
        value = self.operation.results[0]
        location = self.locations[value.home or value]
        if location.register is not None and not self.register_given_up:
            return location.register
        return SPILLED_XMM if value.type.register_class == "xmm" else SPILLED_GPR

    def store_result(self, value, location):
        register = location.register
        if register is None or self.register_given_up:
            register = SPILLED_XMM if value.type.register_class == "xmm" else SPILLED_GPR
        if register.kind == "xmm":
            self.asm.movsd(self.slot(location.slot), register)
        else:
            self.asm.mov(self.slot(location.slot), register)

    def set_result(self, source):
        self.move(self.result_register(), source)

    def move(self, destination, source):
        """Move between any two places of one class; memory to memory goes through rcx or xmm14."""
        asm = self.asm
        if destination is source:
            return
        if destination.kind == "xmm":
            if source.__class__ is not int and source.kind == "xmm":
                asm.movapd(destination, source)
            elif source.__class__ is int:
                asm.mov(rcx, source)
                asm.movq(destination, rcx)
            elif source.kind == "gpr":
                # A cycle of registers and spill slots was broken through the other class.
                asm.movq(destination, source)
            else:
                asm.movsd(destination, source)
        elif source.__class__ is not int and source.kind == "xmm":
            (asm.movq if destination.kind == "gpr" else asm.movsd)(destination, source)
        elif destination.kind == "gpr":
            if source == 0 and source.__class__ is int:
                asm.xor(destination.r32, destination.r32)
            else:
                asm.mov(destination, source)
        elif source.__class__ is int or source.kind == "gpr":
            asm.mov(destination, source)
        else:
            asm.mov(rcx, source)
            asm.mov(destination, rcx)

    def store_operand(self, destination, value):
        """Store a pointer operand in a frame slot."""
        self.move(destination, self.operand(value))

    def place(self, moves):
        """Parallel moves of operands into fixed registers."""
        self.parallel(moves)

    def destinations(self, parameter, source, position):
        """(destination, source) pairs that give a parameter its value: register, spill slot, or both."""
        location = self.locations[parameter]
        pairs = []
        if location.register is not None and (location.slot is None or position < location.until):
            pairs.append((location.register, source))
        if location.slot is not None:
            pairs.append((self.slot(location.slot), source))
        return pairs

    def parallel(self, pairs):
        """Emit parallel moves; a cycle is broken through rax or xmm15."""
        from regalloc import sequentialise
        if not pairs:
            return
        if len(pairs) == 1:
            self.move(*pairs[0])
            return
        operands, keyed = {}, []
        for destination, source in pairs:
            first, second = _key(destination), _key(source)
            operands[first], operands[second] = destination, source
            keyed.append((first, second))
        operands["rax"], operands["xmm15"] = rax, xmm15

        def scratch(key):
            operand = operands[key]
            return "xmm15" if operand.kind == "xmm" else "rax"

        for destination, source in sequentialise(keyed, scratch):
            self.move(operands[destination], operands[source])

    def edge_moves(self, edge):
        """Moves (and increfs) of one edge."""
        self.position = edge.source.end - 1
        for value in edge.increfs:
            self.emit_incref(value)
        pairs = []
        target = edge.target
        for parameter, value in zip(target.parameters, edge.arguments):
            if value is None or parameter.type is types.PENDING:
                continue
            if value.type is types.PENDING:
                # Unbound on this edge: whatever is passed is never used.
                continue
            source = self.operand(value)
            pairs.extend(self.destinations(parameter, source, target.start + 1))
        self.parallel([pair for pair in pairs if pair[0] is not pair[1]])

    def emit_incref(self, value):
        from jit.machine.refcounts import emit_incref
        if value.type.is_object and value.type is not types.PENDING:
            emit_incref(self.asm, self.register(self.operand(value), rax))

    def has_moves(self, edge):
        if edge.increfs:
            return True
        position = edge.source.end - 1
        target = edge.target
        for parameter, value in zip(target.parameters, edge.arguments):
            if value is None or parameter.type is types.PENDING:
                continue
            source = self.operand_at(value, position)
            for destination, _ in self.destinations(parameter, source, target.start + 1):
                if destination is not source and _key(destination) != _key(source):
                    return True
        return False
