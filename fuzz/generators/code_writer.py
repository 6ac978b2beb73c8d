"""Writes bytecode text and keeps the books that make it safe to execute.

Problem: the interpreter checks nothing, so whoever writes bytecode must know of every stack item what it is, on every path.
Idea: a writer holds the stack as a list of *tags* and refuses (by assertion) what would take items away that a handler counts on.
Tags: "int", "float", "bool", "str", "none", "list", "tuple", "iter", "exc", "func" and "any" are objects, "num" is one
that is expected to be a number but need not; "null" is no object, "maybe" an object or none, "prev" what PUSH_EXC_INFO put below the
exception. "lasti" is where an exception came from: only RERAISE may have it, because it depends on how warm the interpreter is.
Invariants: every local but `loose` ones is bound from the prologue on and keeps the tag it was declared with; containers are
built of scalars only, so that nothing nests deeper turn by turn; backward edges are for `fuzz.generators.code_objects` to count.
"""

from platforms.cpython import opcodes
from platforms.cpython.layout import layout

HAS = frozenset(opcodes.NUMBERS)
SCALARS = ("int", "float", "bool", "str", "none")
NUMERIC = ("int", "float", "bool")
NO_VALUE = ("null", "maybe", "prev", "lasti")
#: Instructions that run other Python functions within the same interpreter loop. Of an exception there, some versions look for
#: the handler of the instruction *before*; but not if the function is called in another way, as decorated ones are.
ENTERS = frozenset({"CALL", "CALL_KW", "BINARY_SUBSCR", "LOAD_ATTR", "FOR_ITER"}) if layout().handler_lookup_bias else frozenset()
#: What a call finds below its arguments.
PAIR = ("null", "func") if opcodes.NULL_FIRST else ("func", "null")


def is_value(tag):
    return tag not in NO_VALUE


def fits(tag, wanted):
    """Whether an item of this tag can be where `wanted` is promised."""
    if wanted == "any":
        return is_value(tag)
    if wanted == "num":
        return tag == "num" or tag in NUMERIC
    if wanted == "int":
        return tag in ("int", "bool")
    if wanted == "maybe":
        return tag not in ("prev", "lasti")
    return tag == wanted


class Region:
    """A range of an exception table entry. `depth`: how many items its handler finds; these are not touched inside."""

    def __init__(self, handler, depth, lasti, spanning=False):
        self.handler = handler
        self.depth = depth
        self.lasti = lasti
        self.spanning = spanning
        self.start = None


class Writer:
    """Attributes:
        overlapping: exception ranges as they come; else as a compiler makes them, disjoint, the innermost counts.
        tags: tag of each local by name. loose: locals that may be unbound. bound: those of them known to be bound here.
        stubs: what must still be written: (label, stack, kind); `budget`: how many more may be asked for.
    """

    def __init__(self, choices, tags, loose, overlapping, budget):
        self.choices = choices
        self.tags = tags
        self.loose = loose
        self.overlapping = overlapping
        self.budget = budget
        self.names, self.consts, self.const_keys = [], [], {}
        self.lines, self.tries = [], []
        self.stack, self.deepest = [], 0
        self.bound = set()
        self.regions, self.held = [], []
        self.active, self.cleanups = None, {}
        self.stubs, self.placed, self.label_count = [], set(), 0

    # -- text ----------------------------------------------------------------------------------

    def new_label(self):
        self.label_count += 1
        return f"L{self.label_count}"

    def place(self, label):
        """Put a label where a jump may lead: what was known of loose locals is forgotten."""
        self.lines.append(f"{label}:")
        self.placed.add(label)
        self.bound.clear()

    def mark(self):
        """A label that only an exception range ends or starts at."""
        label = self.new_label()
        self.lines.append(f"{label}:")
        return label

    def op(self, name, operand="", pops=0, pushes=(), wide=True):
        """One instruction. `wide`: an EXTENDED_ARG that is not needed may stand before it."""
        assert name in HAS, name
        assert len(self.stack) - pops >= self.floor(), (name, self.stack)
        if name in ENTERS and self.lines[-1].endswith(":"):
            self.lines.append("  NOP")
        if wide and self.choices.chance(2):
            self.lines.append("  EXTENDED_ARG 0")
        self.lines.append(f"  {name} {operand}".rstrip())
        del self.stack[len(self.stack) - pops:]
        self.stack.extend(pushes)
        self.deepest = max(self.deepest, len(self.stack))

    def const(self, value):
        key = type(value), repr(value)
        if key not in self.const_keys:
            self.const_keys[key] = len(self.consts)
            self.consts.append(value)
        return self.const_keys[key]

    def name(self, name):
        if name not in self.names:
            self.names.append(name)
        return name

    def text(self, arguments, cells):
        """The whole text, when everything is written."""
        if self.lines[-1].strip() == "POP_TOP":
            # Code that nothing leads to, but bytecode must not run off its end.
            self.lines += ["  LOAD_CONST 0", "  RETURN_VALUE"]
        for region in list(self.regions):
            self.close(region)
        self.settle(None)
        lines = [f"args {arguments}", "locals " + " ".join(self.tags), f"stack {self.deepest}"]
        if cells:
            lines.append("cells " + " ".join(cells))
        if self.names:
            lines.append("names " + " ".join(self.names))
        lines += [f"const {value!r}" for value in self.consts]
        order = {line[:-1]: index for index, line in enumerate(self.lines) if line.endswith(":")}
        # In the order of their starts, which the interpreter's search relies on.
        self.tries.sort(key=lambda entry: order[entry[0]])
        lines += [f"try {start} {end} {region.handler} depth {region.depth}{' lasti' * region.lasti}"
                  for start, end, region in self.tries]
        return "\n".join(lines + self.lines) + "\n"

    # -- exception ranges ----------------------------------------------------------------------

    def floor(self):
        """How many items at the bottom must stay as they are."""
        if not self.regions and not self.held and "prev" not in self.stack:
            return 0
        innermost = self.innermost_handled()
        return max([region.depth for region in self.regions] + self.held + [innermost + 1], default=0)

    def innermost_handled(self):
        """Position of the topmost "prev", or -1."""
        return max((index for index, tag in enumerate(self.stack) if tag == "prev"), default=-1)

    def open(self, region):
        self.regions.append(region)
        if self.overlapping:
            region.start = self.mark()
        else:
            self.settle(region)

    def close(self, region):
        self.regions.remove(region)
        if self.overlapping:
            self.tries.append((region.start, self.mark(), region))
        else:
            self.protect()

    def close_all(self, spanning=False):
        """Close what is open, except ranges that may go on into other blocks."""
        for region in self.regions[::-1]:
            if spanning or not region.spanning:
                self.close(region)

    def close_to(self, height):
        """Close ranges whose handlers count on items from `height` on: these are about to go."""
        for region in self.regions[::-1]:
            if region.depth > height:
                self.close(region)

    def protect(self):
        """Make the innermost range the one that counts: where an exception is being handled, at least one that ends that."""
        innermost = self.innermost_handled()
        if self.overlapping:
            return
        if self.regions:
            self.settle(self.regions[-1])
        elif innermost >= 0:
            kept = self.stack[:innermost + 1]
            if tuple(kept) not in self.cleanups:
                label = self.new_label()
                self.stubs.append((label, kept + ["lasti", "exc"], "cleanup"))
                self.cleanups[tuple(kept)] = Region(label, innermost + 1, True)
            self.settle(self.cleanups[tuple(kept)])
        else:
            self.settle(None)

    def settle(self, region):
        """What is written from here on is in the range of `region` alone."""
        if region is self.active:
            return
        if self.active is not None:
            self.tries.append((self.started, self.mark(), self.active))
        self.active = region
        if region is not None:
            self.started = self.mark()

    # -- moving items --------------------------------------------------------------------------

    def load(self, name):
        """Push a local. A loose one is checked, unless it is known to be bound; mostly another one takes its place."""
        if name in self.loose and name not in self.bound and not self.choices.chance(5):
            name = "i"
        checked = name in self.loose and name not in self.bound and "LOAD_FAST_CHECK" in HAS
        self.op("LOAD_FAST_CHECK" if checked else "LOAD_FAST", name, 0, [self.tags[name]])
        if name in self.loose:
            self.bound.add(name)

    def safe_locals(self, least=0):
        """Locals that a plain LOAD_FAST may load; `least`=16: of these only the ones that can be named in pairs."""
        names = [name for name in self.tags if (name not in self.loose or name in self.bound) and not name.startswith("_")]
        return [name for name in names if list(self.tags).index(name) < least] if least else names

    def load_const(self, value, tag):
        self.op("LOAD_CONST", self.const(value), 0, [tag])

    def store(self, name):
        tag = self.stack[-1]
        self.op("STORE_FAST", name, 1)
        self.stored(name, tag)

    def stored(self, name, tag):
        if name in self.loose:
            (self.bound.add if is_value(tag) else self.bound.discard)(name)

    def can_store(self, name, tag):
        if name in self.loose:
            return fits(tag, "maybe")
        return name != "fuel" and not name.startswith("_") and fits(tag, self.tags[name])

    def load_callable(self, name):
        """Push a global and a NULL, in the order that calls want."""
        self.op("LOAD_GLOBAL", f"NULL+{self.name(name)}", 0, PAIR)

    def call(self, count, keywords=(), result="any"):
        """Call what lies below `count` arguments, `keywords` naming the last ones."""
        if keywords and "CALL_KW" in HAS:
            self.op("LOAD_CONST", self.const(tuple(keywords)), 0, ["tuple"])
            self.op("CALL_KW", count, count + 3, [result], wide=False)
            return
        if keywords:
            self.op("KW_NAMES", self.const(tuple(keywords)))
        if "PRECALL" in HAS:
            self.op("PRECALL", count, wide=not keywords)
        self.op("CALL", count, count + 2, [result], wide=False)

    def to_bool(self):
        """Jumps and `not` of some versions want a bool proper."""
        if "TO_BOOL" in HAS and self.stack[-1] != "bool":
            self.op("TO_BOOL", "", 1, ["bool"])

    def drop(self):
        """Take the topmost item away, whatever it is."""
        tag = self.stack[-1]
        if tag == "prev":
            position = len(self.stack) - 1
            self.settle(None)
            self.stack[-1] = "any"
            self.op("POP_EXCEPT", "", 1)
            assert position == len(self.stack)
            self.protect()
        elif is_value(tag) or tag == "lasti":
            self.op("POP_TOP", "", 1)
        else:
            self.store(self.choices.pick(self.loose))

    def charge(self, exit_kind):
        """Take one unit of fuel; without any left, go to a stub."""
        self.load("fuel")
        self.load_const(1, "int")
        self.op("BINARY_OP", self.choices.pick(("-", "-=")), 2, ["int"])
        if self.choices.chance(30):
            self.op("COPY", 1, 0, ["int"])
            self.op("STORE_FAST", "fuel", 1)
        else:
            self.op("STORE_FAST", "fuel", 1)
            self.load("fuel")
        self.load_const(0, "int")
        self.op("COMPARE_OP", "bool(>)", 2, ["bool"])
        self.jump_if("FALSE", self.stub(exit_kind, self.stack[:-1]))

    # -- control -------------------------------------------------------------------------------

    def stub(self, kind, stack):
        """A label for a piece of code written later. Kinds: "any", "handler", "charged", "exhausted", "finish", "cleanup"."""
        label = self.new_label()
        self.stubs.append((label, list(stack), kind))
        self.budget -= 1
        return label

    def jump_if(self, condition, label):
        """Pop, and jump forwards if so: TRUE, FALSE, NONE, NOT_NONE."""
        if condition in ("TRUE", "FALSE"):
            self.to_bool()
        name = f"POP_JUMP_FORWARD_IF_{condition}"
        self.op(name if name in HAS else f"POP_JUMP_IF_{condition}", label, 1)

    def for_iter(self):
        """The topmost item is an iterator: its next item, or on to a stub without it."""
        label = self.stub("exhausted", self.stack[:-1])
        self.op("FOR_ITER", label, 0, ["num"])

    def begin(self, label, stack):
        """Start writing at a label that is reached with this stack."""
        assert all(region.depth == 0 for region in self.regions)
        self.stack = list(stack)
        self.deepest = max(self.deepest, len(stack))
        self.place(label)
        self.protect()
