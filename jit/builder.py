"""Building typed SSA: values, operations and exits, as bytecode handlers use them."""

from jit import types
from jit.errors import InternalError, Unsupported
from jit.inlining import NotInlined
from jit.ownership import Ownership
from jit.template import FAMILIES, find
from jit.values import Edge, Exit, Operation, Value, constant_value, null_value, renamed


#: Slots behind a frame's operand stack that an exit may fill: operands of C functions that the interpreter does not have on its stack.
SPARE_SLOTS = 3


class Builder(Ownership):
    """The part of the abstract walk that appends to the current block.

    Attributes:
        block, state: what is being built, and the state at its end. instruction: the current one.
        base: snapshot of the state before the current raw instruction, or None while the state is still that.
        start_exits: exits made for the current instruction, by (reason, observed value).
        null_above: the interpreter, where it goes on behind the current instruction, wants a NULL on top of its stack. group: first of several instructions that are walked as one, or None: nothing happens before the last, so all exits in front of
            it resume at the first. inlined: how many callees within each other are being walked in the place of their calls.
    """

    def __init__(self, unit, knowledge):
        self.unit = unit
        self.knowledge = knowledge
        self.counter = 0
        self.exits = []
        self.constants = {}
        self.null = null_value()
        self.instruction = self.block = self.state = self.base = None
        self.group = None
        self.null_above = False
        self.start_exits = {}
        self.drops = []
        self.site = 0
        self.inlined = 0

    def needs_frame(self):
        """Called by what inlined code cannot have: effects, exits of its own, jumps."""
        if self.inlined:
            raise NotInlined

    def seen(self, role, told=None, instruction=None):
        """The types seen at an instruction in a role, as a set; without any, what the interpreter has specialised the instruction for.

        Args:
            told: the role's name in the interpreter's profile (see platforms/cpython/feedback.py), if it has one there. instruction: the current one.
        """
        instruction = instruction or self.instruction
        key = instruction.site, role
        found = self.knowledge.observed.get(key)
        if not found and told is not None:
            kind = self.unit.feedback(instruction, told)
            if kind is not None:
                found = self.knowledge.observed[key] = {kind}
        return found or ()

    # -- values -----------------------------------------------------------------------------

    def value(self, kind, shape=None):
        self.counter += 1
        value = Value(self.counter, kind, shape)
        value.block = self.block
        if self.instruction is not None:
            value.origin = self.instruction.site
        return value

    def constant(self, constant, kept=True):
        """The constant's Value; one per distinct object, kept alive by the unit, unless it is by what the version relies on."""
        kind = type(constant)
        key = (id(kind), constant) if kind is int or kind is bool else (id(kind), id(constant))
        found = self.constants.get(key)
        if found is None:
            found = self.constants[key] = constant_value(-1, constant)
            if constant is not None and kept:
                # Numbers too: descriptors hold their addresses, and folding makes objects nobody else refers to.
                self.unit.know(constant)
                found.mortal = self.unit.is_mortal(constant)
        return found

    def alias(self, value, kind):
        """A second name for `value` under a type that has just been proven; replaces it in the state."""
        new = self.value(kind, value.shape)
        new.home = value.home or value
        new.origin = value.origin
        new.permanent, new.mortal = value.permanent, value.mortal
        self.replace(value, new)
        return new

    def replace(self, old, new):
        """Put `new` wherever the state names `old`, with its reference."""
        state = self.state
        state.locals = [new if value is old else value for value in state.locals]
        state.stack[:] = [renamed(item, old, new) for item in state.stack]
        if old in state.owned:
            state.owned = state.owned - {old} | ({new} if new.type.is_object else frozenset())
        if old in state.transient:
            state.transient = state.transient - {old} | ({new} if new.type.is_object else frozenset())

    def push(self, value):
        self.state.stack.append(value)

    def pop(self):
        stack = self.state.stack
        if not stack:
            raise Unsupported("operand stack underflow")
        return stack.pop()

    def peek(self, depth=1):
        stack = self.state.stack
        if not 0 < depth <= len(stack):
            raise Unsupported("operand stack underflow")
        return stack[-depth]

    def require(self, count):
        """Refuse code that takes more than there is on the stack."""
        if len(self.state.stack) < count:
            raise Unsupported("operand stack underflow")

    # -- operations ---------------------------------------------------------------------------

    def make(self, name, arguments, exit=None, after=None, detail=None):
        chosen = find(name, arguments)
        if chosen is None:
            raise InternalError(f"no template {name} for {arguments}")
        return Operation(chosen, arguments, [], exit, after, detail, self.instruction)

    def make_of(self, name, arguments, detail=None):
        """Like `make`, for families whose templates take any number of arguments."""
        return Operation(FAMILIES[name][0], arguments, [], None, None, detail, self.instruction)

    def operation_of(self, chosen, arguments, exit=None, after=None, mismatch=None, detail=None, kind=None, shape=None):
        """Append an operation of a given `Template`; returns its result Value if `kind` is given."""
        made = Operation(chosen, arguments, [], exit, after, detail, self.instruction)
        made.mismatch = mismatch
        self.block.operations.append(made)
        if kind is None:
            return None
        made.results.append(self.value(kind, shape))
        return made.results[0]

    def operation(self, name, *arguments, exit=None, after=None, mismatch=None, detail=None, kind=None, shape=None):
        """Append an operation; returns its result Value, or None if it has none.

        Args:
            exit: the side exit its guards take; made on demand if the template asks for one and None is given.
            after: Exit for the state behind the instruction. kind, shape: of the result, where the template says `any`.
        """
        chosen = find(name, arguments)
        if chosen is None:
            raise InternalError(f"no template {name} for {arguments}")
        if exit is None and chosen.takes_exit:
            exit = self.exit(chosen.label.replace("_", " "))
        made = Operation(chosen, arguments, [], exit, after, detail, self.instruction)
        made.mismatch = mismatch
        self.block.operations.append(made)
        if not chosen.outputs:
            return None
        for _, output in chosen.outputs:
            made.results.append(self.value(kind if output is None or kind is not None else output, shape))
        return made.results[0]

    def box(self, value):
        """A new owned reference to the Python object for `value`; the caller accounts for it."""
        if value.type.is_object:
            return value
        if value.is_constant:
            boxed = self.constant_object(value)
            return boxed
        return self.operation("box", value, exit=self.exit("out of memory"), kind=types.exact(value.type.python))

    def constant_object(self, value):
        """The object form of an unboxed constant."""
        key = ("object", value.type, id(value.constant))
        found = self.constants.get(key)
        if found is None:
            found = self.constants[key] = Value(-1, types.exact(value.type.python))
            found.constant = value.constant
            found.is_constant = found.permanent = True
            self.unit.keep(value.constant)
        return found

    def unbox_plain_bool(self):
        """Replace the True or False on top of the stack by its machine form; both are immortal enough to drop at once."""
        boxed = self.pop()
        truth = self.operation("unbox_bool", boxed, exit=self.exit_here("not a bool"))
        self.push(truth)
        self.release(boxed)
        return truth

    # -- exits ----------------------------------------------------------------------------------

    def snapshot_state(self, lazily=False):
        """Remember the state before the current raw instruction; its exits resume there."""
        self.start_exits = {}
        self.base = None
        if not lazily:
            self.base = self.state.snapshot()

    def exit(self, reason, observe=None):
        """A side exit that resumes before the current instruction."""
        key = (reason, observe)
        found = self.start_exits.get(key)
        if found is None:
            if self.base is None:
                self.base = self.state.snapshot()
            found = self.start_exits[key] = self.new_exit(reason, self.base)
            first = self.group or self.instruction
            found.resume = first.offset
            found.executing = first.executing
            found.observe = observe
        return found

    def mismatch_exit(self, reason, site):
        """An exit for an item whose type is not the guessed one; its stub finds the item in rax."""
        found = self.exit(reason, observe="rax")
        found.site = site
        return found

    def freeze(self):
        """Call before changing the state if exits may be needed later in the same instruction."""
        if self.base is None:
            self.base = self.state.snapshot()

    def exit_after(self, reason, routine="exit_start"):
        """An exit that resumes behind the current instruction, in the state as it is now.

        With routine "exit_after" the interpreter finds the result (in rax) on top of that state's stack.
        """
        self.needs_frame()
        made = self.new_exit(reason, self.state.snapshot())
        made.executing = self.instruction.executing
        made.following = self.instruction.following
        made.resume = self.instruction.following
        made.routine = routine
        made.loose = self.unnamed()
        if self.null_above and routine == "exit_after":
            made.null_above = True
        elif self.null_above:
            made.stack = (*made.stack, self.null)
        return made

    def exit_here(self, reason):
        """An exit in the present state that shows the current instruction as running (calls, exceptions)."""
        self.needs_frame()
        made = self.new_exit(reason, self.state.snapshot())
        made.executing = self.instruction.executing
        made.routine = "exit_throw"
        return made

    def new_exit(self, reason, snapshot):
        """An Exit; its frame has room for what the code asks for, and behind that for three words that nobody needs once it is left (see BuildRoutines)."""
        made = Exit(reason, self.instruction, *snapshot)
        if not self.inlined and len(made.stack) > self.unit.code.co_stacksize + SPARE_SLOTS:  # inlined code has its caller's exits
            raise Unsupported("its operand stack is too small", self.instruction.line, self.instruction.operation)
        made.number = len(self.exits)
        self.exits.append(made)
        return made

    def poll_back_edge(self, instruction):
        """The interpreter lets pending work in on backward jumps; so does compiled code, before it pops anything."""
        self.before_effect()
        self.loops_reached = True
        self.operation("poll", exit=self.exit("eval breaker"))

    def split(self, name, arguments, detail, target, exit=None):
        """Branch in the middle of an instruction: walking goes on in a block of its own where the condition holds.

        Args:
            name, arguments, detail: the condition. target: function called in the block where it does not hold; it must
                end that block.
        """
        self.needs_frame()
        self.own_borrowed()
        block, state = self.block, self.state
        block.terminator = self.make(name, arguments, exit=exit, detail=detail)
        yes, no = self.new_block(block.index), self.new_block(block.index)
        for successor in (yes, no):
            edge = Edge(block, successor)
            edge.target = successor
            successor.predecessors.append(edge)
            successor.state = state
            block.edges.append(edge)
        saved = self.base, self.start_exits
        self.begin(no, state.copy())
        target()
        self.base, self.start_exits = saved[0], {}
        self.begin(yes, state.copy())

    def leave(self, reason):
        """End the block by leaving to the interpreter unconditionally."""
        self.needs_frame()
        self.unit.note(reason, self.instruction)
        self.block.terminator = self.make("leave", (), exit=self.exit(reason))
        return True
