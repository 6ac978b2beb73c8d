"""Programs whose entry is a code object that no compiler writes.

Blocks with a declared stack each are written one after the other, and jump to each other as chance has it: operands stay on the
stack across jumps and loops, blocks start in the middle of what would be expressions or calls, loops have several entrances.
Pieces that conditional jumps, exhausted iterators and exceptions lead to ("stubs") follow between and behind them.

Why it ends: a jump to an address already written takes a unit of the local `fuel`; a handler that may lie before its range does
so too, and then the code ends at once when there is none left. All other edges lead forwards.
"""

from fuzz.generators.code_menu import EXCEPTIONS, step
from fuzz.generators.code_writer import HAS, PAIR, Writer, fits, is_value
from fuzz.program import Program
from platforms.cpython import opcodes

#: Constants and values in the order of their simplicity.
NUMBERS = ("0", "1", "2.5", "-3", "7", "True", "0.5", "2**62", "2**63 - 1")
ARGUMENTS = ("0", "1", "2.5", "-3", "True", "None", "[]", "[1, 2, 3]", "(1, 2)", "'abc'", "[1.5, 2.5]", "2**62", "2**63 - 1",
             "-2**63", "2**64", "float('nan')", "-0.0", "float('inf')", "range(4)", "[1, 2.5, 'x', None]", "{1: 2}")
LISTS = ((1, 2, 3), (), (5, 0, -1, 2**40), (1.5, -2.5, 0.0), (1, 2.5, True), (2, 7, 1), (0.5, 2.0, 8.0), (1, "x"))
SOURCE = '''limit = 7


def same(x=0, y=1):
    return x


def fewer(x, y=1):
    return x - y


def choose(x, y=None):
    if x:
        return y
    return x


def refuse(x=None, y=None):
    raise ValueError(x)


def entry(a, b):
    return a
'''
ITEMS = ("num", "int", "any", "float", "iter", "int", "num", "list", "bool", "call", "exc", "null")


class Body(Writer):
    """A writer that knows the blocks.

    Attributes:
        blocks: (label, tags at its start) in the order of writing. next_block: how many are begun. may_fall: whether the next one
        may follow right here. falls: whether it does.
    """

    def __init__(self, choices, tags, overlapping):
        super().__init__(choices, tags, ("u", "v"), overlapping, budget=choices.between(3, 16))
        self.blocks = []
        self.next_block, self.may_fall, self.falls = 0, True, False

    def declare_blocks(self):
        choices = self.choices
        pool = [self._signature() for _ in range(choices.between(1, 3))]
        for _ in range(choices.between(1, 6)):
            tags = list(choices.pick(pool))
            if self.overlapping and choices.chance(30):
                tags += [["exc"], ["int", "exc"]][choices.below(2)]
            self.blocks.append((self.new_label(), tags))

    def _signature(self):
        tags = []
        for _ in range(self.choices.below(4)):
            item = self.choices.pick(ITEMS)
            tags += [item] if item != "call" else list(PAIR)
        return tags

    def handler_block(self, kept):
        """A block that may take an exception with these items below it, or None."""
        for label, tags in self.blocks:
            if len(tags) == len(kept) and tags[-1] == "exc" and all(map(fits, kept, tags)) and self.choices.chance(60):
                return label
        return None

    # -- pieces --------------------------------------------------------------------------------

    def write(self):
        """Everything behind the prologue."""
        self.declare_blocks()
        self.go(0)
        for number, (label, tags) in enumerate(self.blocks):
            self.next_block, self.may_fall = number + 1, True
            self.begin(label, tags)
            if self.overlapping and tags[-1:] == ["exc"]:
                self.charge("finish")
            self.steps(self.choices.between(1, 10))
            self.end()
            if self.choices.chance(50) and not self.falls:
                self.write_stubs()
        self.write_stubs()

    def write_stubs(self):
        self.may_fall = False
        while self.stubs:
            label, stack, kind = self.stubs.pop(0)
            self.begin(label, stack)
            getattr(self, f"write_{kind}")()

    def write_any(self):
        self.steps(self.choices.below(5))
        self.end()

    def write_exhausted(self):
        """Where FOR_ITER leads: some versions skip instructions here, which tidy up for tools that look at the depth only."""
        skipped = ("END_FOR", "POP_TOP")[:opcodes.FOR_ITER_SKIP]
        self.lines += [f"  {name}" for name in skipped]
        self.write_any()

    def write_finish(self):
        """Nothing that could raise: no fuel is left."""
        self.load("i")
        self.op("RETURN_VALUE", "", 1)

    def write_charged(self):
        self.charge("finish")
        self.write_any()

    def write_cleanup(self):
        """As compilers write it: the exception goes on, and what was handled before is handled again."""
        self.op("COPY", 3, 0, ["any"])
        self.op("POP_EXCEPT", "", 1)
        self.stack[-3] = "any"
        self.protect()
        self.op("RERAISE", 1, 1)
        self.finished()

    def write_handler(self):
        """The exception is an item like others, or it is handled as compilers do it."""
        if self.overlapping or self.choices.chance(30):
            self.write_any()
            return
        self.op("PUSH_EXC_INFO", "", 1, ["prev", "exc"])
        self.protect()
        if self.choices.chance(50):
            self.op("LOAD_GLOBAL", self.name(self.choices.pick(EXCEPTIONS)), 0, ["any"])
            self.op("CHECK_EXC_MATCH", "", 1, ["bool"])
            if self.budget > 0:
                self.jump_if("FALSE", self.stub("any", self.stack[:-1]))
        self.steps(self.choices.below(4))
        self.end()

    def steps(self, count):
        for _ in range(count):
            step(self)
            if len(self.stack) - self.floor() > 8 and is_value(self.stack[-1]):
                self.drop()

    # -- ends ----------------------------------------------------------------------------------

    def end(self):
        """How a piece ends: another block, a return, an exception."""
        self.close_all()
        self.falls = False
        kind = self.choices.weighted((2, "return"), (14, "go"), (1, "raise"), (1, "reraise"))
        top = self.stack[-1:]
        if kind == "go" and self.budget > 0:
            self.go(self.choices.below(len(self.blocks)))
        elif kind == "reraise" and top == ["exc"]:
            self.op("RERAISE", int(self.stack[-2:-1] == ["lasti"] and self.choices.chance(70)), 1)
            self.finished()
        elif kind == "raise" and len(self.stack) > self.floor() and is_value(top[0]):
            self.op("RAISE_VARARGS", 1, 1)
            self.finished()
        else:
            self.leave()

    def finished(self):
        """Behind what never goes on: now and then code that nothing leads to."""
        self.close_all()
        self.stack = []
        self.settle(None)
        if self.choices.chance(10):
            self.lines += ["  LOAD_CONST 0", "  POP_TOP"] * self.choices.between(1, 2)
        if self.choices.chance(5):
            self.lines += ["  BINARY_OP -", "  POP_TOP"]

    def leave(self):
        """Return what there is to see. The rest of the stack may stay where it is."""
        if "prev" in self.stack:
            while "prev" in self.stack:
                self.drop()
        count = 0
        while count < min(5, len(self.stack)) and is_value(self.stack[-count - 1]):
            count += 1
        if self.choices.chance(15) and "RETURN_CONST" in HAS:
            self.op("RETURN_CONST", self.const(None))
        elif self.choices.chance(15) and count:
            self.op("RETURN_VALUE", "", 1)
        else:
            for name in ("i", "f", "x", "xs"):
                self.load(name)
            self.op("BUILD_TUPLE", count + 4, count + 4, ["tuple"])
            self.op("RETURN_VALUE", "", 1)
        self.finished()

    def go(self, number):
        """Make the stack what a block wants, and go there: by falling into it, forwards, or backwards with fuel."""
        label, tags = self.blocks[number]
        self.reshape(tags)
        self.falls = self.may_fall and number == self.next_block and not self.choices.chance(30)
        if self.falls:
            self.settle(None)
            return
        if label not in self.placed:
            self.op("JUMP_FORWARD", label)
        else:
            self.charge("any")
            backward = [name for name in ("JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT") if name in HAS]
            if "POP_JUMP_BACKWARD_IF_NOT_NONE" in HAS and self.choices.chance(30):
                self.load("fuel")
                self.op("POP_JUMP_BACKWARD_IF_NOT_NONE", label, 1)
                self.leave()
                return
            self.op(self.choices.pick(backward), label)
        self.finished()

    def reshape(self, wanted):
        """Pop what does not fit, push what is missing."""
        if self.choices.chance(50) and len(self.stack) - self.floor() > 1:
            self.op("SWAP", 2)
            self.stack[-2:] = self.stack[:-3:-1]
        same = 0
        while same < min(len(self.stack), len(wanted)) and fits(self.stack[same], wanted[same]):
            same += 1
        while len(self.stack) > same:
            self.drop()
        while len(self.stack) < len(wanted):
            tags = wanted[len(self.stack):]
            if tuple(tags[:2]) == PAIR:
                self.load_callable(self.choices.pick(("same", "choose", "abs", "len", "fewer")))
            else:
                self.push_tag(tags[0])

    def push_tag(self, tag):
        if tag == "any":
            push_local_one(self)
        elif tag == "num":
            self.load(self.choices.pick(("a", "b", "i")))
        elif tag == "iter":
            self.load("xs")
            self.op("GET_ITER", "", 1, ["iter"])
        elif tag == "exc":
            self.load_callable(self.choices.pick(EXCEPTIONS))
            self.call(0, (), "exc")
        elif tag == "func":
            self.op("LOAD_GLOBAL", self.name("same"), 0, ["func"])
        elif tag == "null":
            self.op("PUSH_NULL", "", 0, ["null"])
        elif tag == "bool":
            self.load_const(self.choices.pick((False, True)), "bool")
        else:
            self.load({"int": "i", "float": "f", "list": "xs"}[tag])


def push_local_one(body):
    body.load(body.choices.pick(("x", "a", "b", "i", "f")))


def prologue(body, cell):
    """Everything that must be bound is bound here."""
    if cell:
        body.op("MAKE_CELL", "cell", wide=False)
    body.op("RESUME", 0, wide=False)
    body.load_const(3, "int")
    body.op("STORE_DEREF", "cell", 1)
    choices = body.choices
    for name, value, tag in (("fuel", choices.between(1, 40), "int"),
                             ("i", choices.pick((0, 1, 5, 2**31, 2**62, 2**63 - 1)), "int"),
                             ("f", choices.pick((0.0, 1.5, -0.0, 1e300)), "float"),
                             ("x", choices.pick((None, 3, 1.5, "s", True)), "any")):
        body.load_const(value, tag)
        body.op("STORE_FAST", name, 1)
    for value in choices.pick(LISTS):
        body.load_const(value, "any")
    count = len(body.stack)
    body.op("BUILD_LIST", count, count, ["list"])
    body.op("STORE_FAST", "xs", 1)


def argument(choices):
    return choices.pick(ARGUMENTS if choices.chance(20) else NUMBERS)


def code_program(choices):
    """A Program whose `code` is text for fuzz.assembling.

    Args:
        choices: fuzz.choices.Choices.
    """
    names = ["a", "b", "fuel", "i", "f", "x", "xs", "u", "v"]
    tags = dict(zip(names, ("num", "num", "int", "int", "float", "any", "list", "any", "any")))
    if choices.chance(3):
        filler = {f"_{number}": "any" for number in range(260)}
        tags = {"a": "num", "b": "num", **filler, **tags}
    body = Body(choices, tags, overlapping=choices.chance(50))
    prologue(body, True)
    body.write()
    calls = tuple(f"({argument(choices)}, {argument(choices)})" for _ in range(choices.between(1, 3)))
    return Program(SOURCE, "entry", calls, body.text(2, ("cell",)), origin=("code",))
