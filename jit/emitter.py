"""The emitting walk: typed SSA operations and their locations -> machine code.

The emitter walks the blocks in linear order, hands each template its operands, and materialises what templates do not see:
moves into block parameters, spill stores at definitions, exit stubs in the cold section.
Register roles, the frame picture and the calling convention between bodies are in docs/ARCHITECTURE.md.
"""


from asm import (Memory, eax, edx, mem64, r14d, r15, rax, rcx, rdx, relative, rsp)
from jit.machine import records
from jit.machine.area import XMMS
from jit.machine.refcounts import emit_decref
from jit.placement import Placement
from jit.templates import calls
from jit.values import Operation
from platforms.cpython.layout import layout

L = layout()
#: Conditions by their opposite.
OPPOSITE = {"e": "ne", "ne": "e", "l": "ge", "ge": "l", "le": "g", "g": "le", "b": "ae", "ae": "b", "a": "be", "be": "a"}
#: A comparison with its operands exchanged.
EXCHANGED = {"l": "g", "g": "l", "le": "ge", "ge": "le", "e": "e", "ne": "ne"}


class Emitter(Placement):
    """Emits one body.

    Attributes templates use: operation (the current one), previous (the one before it in the block, or None), shares (one that has left something to others like it), routines, result (Type), body_label.
    """

    def __init__(self, asm, walker, numbering, allocation, context):
        self.asm = asm
        self.walker = walker
        self.numbering = numbering
        self.locations = allocation.locations
        self.context = context
        self.routines = context.routines
        suffix = "" if any(location.register in XMMS for location in allocation.locations.values()) else "_no_floats"
        self.dealloc, self.dealloc_plain = (getattr(self.routines, name + suffix) for name in ("dealloc", "dealloc_plain"))
        self.result = context.result
        self.frame_size = context.frame_size
        self.first_slot = context.first_slot
        self.body_label = asm.label("body")
        self.checked_label = asm.label("checked")
        self.operation = self.previous = self.shares = None
        self.register_given_up = False
        self.position = 0
        self.next_block = None
        self.block = None
        self.pending_stubs = []
        self.listing = []

    # -- the walk -----------------------------------------------------------------------------------

    def emit(self):
        """Emit every block, then the exit stubs."""
        asm = self.asm
        order = self.numbering.order
        for block in order:
            block.label = asm.label(f"block{block.number}")
        self.prologue(order[0])
        for block, following in zip(order, order[1:] + [None]):
            self.emit_block(block, following)
        with asm.cold():
            self.emit_stubs()
            asm.ud2()

    def checked_entry(self, entry):
        """Where the body is entered by callers that have not asked for what it relies on; if it does not hold, the interpreter runs it."""
        asm = self.asm
        stale = asm.label("stale")
        asm.bind(self.checked_label)
        if not self.context.words or self.context.is_entered:
            return
        record = self.context.version_record
        for place, (address, _, _) in enumerate(self.context.words):
            asm.mov(rax, self.address(address))
            asm.mov(rcx, relative(records.expected_address(record, place)))
            asm.cmp(mem64(rax, 0), rcx)
            asm.jne(stale)
        with asm.cold():
            asm.bind(stale)
            kept = (*calls.GPR_ARGUMENTS, *calls.XMM_ARGUMENTS)
            asm.sub(rsp, 8 * len(kept) + 8)
            for number, register in enumerate(kept):
                self.move(mem64(rsp, 8 * number), register)
            asm.lea(rcx, relative(record))
            asm.call(self.routines.revalidate)
            for number, register in enumerate(kept):
                self.move(register, mem64(rsp, 8 * number))
            asm.add(rsp, 8 * len(kept) + 8)
            asm.test(eax, eax)
            asm.jnz(self.body_label)
            self.enter_frame(entry)
            asm.jmp(self.stub(self.context.overflow_exit))

    def prologue(self, entry):
        asm = self.asm
        self.checked_entry(entry)
        asm.bind(self.body_label)
        asm.comment("prologue")
        self.enter_frame(entry)
        if not self.context.is_entered:
            asm.js(self.stub(self.context.overflow_exit))

    def enter_frame(self, entry):
        """Make room, put the arguments in their places, take a level of recursion; negative if there is none left."""
        asm = self.asm
        asm.sub(rsp, self.frame_size)
        if self.context.has_frame_slot:
            asm.mov(mem64(rsp, 0), 0)
        moves = []
        for parameter, register in zip(entry.parameters, self.context.argument_registers):
            moves.extend(self.destinations(parameter, register, entry.start + 1))
        self.parallel(moves)
        asm.sub(r14d, 1)

    def epilogue(self):
        asm = self.asm
        asm.add(rsp, self.frame_size)
        asm.add(r14d, 1)
        asm.xor(edx, edx)
        asm.ret()

    def emit_block(self, block, following):
        asm = self.asm
        self.block, self.next_block = block, following
        asm.bind(block.label)
        instruction = self.previous = None
        for operation in block.operations:
            if operation.instruction is not instruction:
                instruction = operation.instruction
                self.mark(instruction)
            self.emit_operation(operation)
        terminator = block.terminator
        if terminator.instruction is not None and terminator.instruction is not instruction:
            self.mark(terminator.instruction)
        self.emit_operation(terminator)

    def mark(self, instruction):
        """Note in the listing which bytecode the code that follows belongs to."""
        self.asm.comment(instruction)

    def emit_operation(self, operation):
        self.operation = operation
        self.position = 2 * operation.position
        template = operation.template
        arguments = self.template_arguments(operation, template)
        template.function(**arguments)
        for value in operation.results:
            location = self.locations[value.home or value]
            if location.slot is not None:
                self.store_result(value, location)
        self.previous = operation

    def repeat(self, header, operations):
        """Do once more, behind a poll, what was moved in front of the loop; whatever fails leaves where the poll does."""
        poll, self.previous = self.operation, None
        for moved in operations:
            self.operation = Operation(moved.template, moved.arguments, moved.results, poll.exit, None, moved.detail, poll.instruction)
            self.operation.mismatch = poll.exit
            location = self.locations[moved.results[0].home or moved.results[0]]
            self.register_given_up = location.slot is not None and location.until <= header.start
            moved.template.function(**self.template_arguments(self.operation, moved.template))
            if location.slot is not None:
                self.store_result(moved.results[0], location)
        self.operation, self.register_given_up = poll, False

    def template_arguments(self, operation, template):
        wanted = template.parameters
        arguments = {}
        constants = 0
        inputs = template.inputs
        if inputs:
            for (name, _), value in zip(inputs, operation.arguments):
                if name in wanted:
                    operand = self.operand(value)
                    if operand.__class__ is int:
                        constants += 1
                        if constants > 1:
                            operand = relative(self.asm.constant(operand & (1 << 64) - 1))
                    arguments[name] = operand
        if operation.results:
            arguments_name = template.outputs[0][0]
            if arguments_name in wanted:
                arguments[arguments_name] = self.result_register()
        for name in wanted:
            if name == "asm":
                arguments["asm"] = self.asm
            elif name == "emitter":
                arguments["emitter"] = self
            elif name == "exit":
                arguments["exit"] = self.stub(operation.exit)
            elif name == "detail":
                arguments["detail"] = operation.detail
        return arguments




    # -- control ------------------------------------------------------------------------------------------------

    def jump(self):
        """The terminator `jump`: moves, then a jump unless the target comes next."""
        edge = self.block.edges[0]
        self.edge_moves(edge)
        self.goto(edge)

    def goto(self, edge):
        """Continue at the edge's target; a range loop tests at its bottom instead of jumping to its test."""
        target = edge.target
        if target is self.next_block:
            return
        if edge.backward and not target.operations and target.terminator.template.name in ("branch_compare", "branch_counter"):
            saved = self.block, self.operation, self.next_block, self.position
            self.block, self.operation, self.next_block = target, target.terminator, None
            self.position = 2 * target.terminator.position
            self.rotate(target)
            self.block, self.operation, self.next_block, self.position = saved
            return
        self.asm.jmp(target.label)

    def rotate(self, header):
        """The header's test once more, at the loop's bottom."""
        terminator = header.terminator
        self.asm.comment("loop test")
        terminator.template.function(**self.template_arguments(terminator, terminator.template))

    def branch(self, condition):
        """Branch on a condition that holds for the first edge."""
        if_true, if_false = self.block.edges
        if if_true.target is self.next_block and self.next_block is not None:
            self.branch_edge(OPPOSITE[condition], if_false)
            self.edge_moves(if_true)
        elif self.next_block is not None and if_false.target is self.next_block:
            self.branch_edge(condition, if_true)
            self.edge_moves(if_false)
        else:
            self.branch_edge(condition, if_true)
            self.edge_moves(if_false)
            self.goto(if_false)

    def branch_edge(self, condition, edge):
        """Conditional jump along an edge; its moves, if any, are out of line."""
        asm = self.asm
        if not self.has_moves(edge):
            asm.jcc(condition, edge.target.label)
            return
        label = asm.label("edge")
        asm.jcc(condition, label)
        with asm.cold():
            asm.bind(label)
            position = self.position
            self.edge_moves(edge)
            asm.jmp(edge.target.label)
            self.position = position

    def branch_float_equal(self, equal):
        """After ucomisd: equal means ZF and not PF."""
        if_true, if_false = self.block.edges
        same, other = (if_true, if_false) if equal else (if_false, if_true)
        asm = self.asm
        differs = asm.label("differs")
        asm.jp(differs)
        asm.jne(differs)
        self.edge_moves(same)
        asm.jmp(same.target.label)
        asm.bind(differs)
        self.edge_moves(other)
        if other.target is not self.next_block:
            asm.jmp(other.target.label)

    def compare(self, left, right, condition, symbol):
        """cmp of two int operands in any form; returns the condition that now stands for `symbol`."""
        asm = self.asm
        if left.__class__ is int:
            left, right, condition = right, left, EXCHANGED[condition]
            if left.__class__ is int:
                asm.mov(rax, left)
                left = rax
        if left.kind != "gpr" and right.__class__ is not int and right.kind != "gpr":
            asm.mov(rax, left)
            left = rax
        if right.__class__ is int and right == 0 and left.kind == "gpr":
            asm.test(left, left)
        else:
            asm.cmp(left, right)
        return condition

    def compare_type(self, register, python, scratch=rcx):
        """cmp of an object's type; equal if ``type(x) is python``."""
        self.asm.mov(scratch, self.object(python))
        self.asm.cmp(mem64(register, L.ob_type), scratch)

    def compare_eval_breaker(self):
        asm = self.asm
        kind, where, size = self.context.eval_breaker
        if kind == "thread":
            asm.cmp(Memory(r15, where, size=size), 0)
        else:
            asm.mov(rax, relative(asm.constant(where)))
            asm.cmp(Memory(rax, 0, size=size), 0)

    # -- calls ------------------------------------------------------------------------------------------------------

    def call_symbol(self, name):
        """Call a C function, or a routine of ours that obeys the C calling convention."""
        routine = getattr(self.context.routines, name, None)
        self.asm.call(self.symbol(name) if routine is None else routine)

    # -- references ---------------------------------------------------------------------------------------------------

    def emit_drop(self, operand, value):
        """Drop a reference; freeing is out of line, with a frame around it if the type's dealloc may run Python code."""
        asm = self.asm
        asm.mov(rdx, operand)
        freed, done = asm.label("freed"), asm.label("dropped")
        emit_decref(asm, rdx, freed)
        asm.bind(done)
        with asm.cold():
            asm.bind(freed)
            asm.mov(rax, rdx)
            self.call_dealloc()
            asm.jmp(done)

    def emit_drop_rax(self):
        """The same for an object of any type in rax."""
        asm = self.asm
        freed, done, plain = asm.label("freed"), asm.label("dropped"), asm.label("plain")
        asm.mov(rdx, rax)
        emit_decref(asm, rdx, freed)
        asm.bind(done)
        with asm.cold():
            asm.bind(freed)
            asm.mov(rax, rdx)
            for python in (int, float):
                self.compare_type(rax, python)
                asm.je(plain)
            self.call_dealloc()
            asm.jmp(done)
            asm.bind(plain)
            asm.call(self.dealloc_plain)
            asm.jmp(done)

    def call_dealloc(self):
        asm = self.asm
        after = self.operation.after
        if after is None:
            asm.call(self.dealloc_plain)
        else:
            asm.lea(rcx, relative(after.address))
            asm.call(self.dealloc)

    # -- exits ------------------------------------------------------------------------------------------------------------

    def stub(self, leaving, routine=None):
        """Label of the stub that takes this exit by its own or the named routine."""
        routine = routine or leaving.routine
        label = leaving.labels.get(routine)
        if label is None:
            label = leaving.labels[routine] = self.asm.label(f"exit{leaving.number}")
            self.pending_stubs.append((label, leaving, routine))
        return label

    def throw_label(self):
        """Label to jump to when a C function has raised inside the current operation."""
        return self.stub(self.operation.exit, "exit_throw")

    def mismatch_label(self):
        return self.stub(self.operation.mismatch)

    def emit_stubs(self):
        asm = self.asm
        for label, leaving, routine in self.pending_stubs:
            asm.bind(label)
            asm.comment(f"exit {leaving.number}: {leaving.reason}")
            asm.lea(rcx, relative(leaving.address))
            asm.jmp(getattr(self.routines, routine))
