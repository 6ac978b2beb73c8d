"""Typed programs: functions on numbers, lists, arrays, text, with nested control flow, exceptions, calls and closures.

They end by construction: loops run over small ranges, over slices of at most six items, or count their rounds down in a
variable named w<number>; recursion counts down. Numbers start near the edges of what machine code holds.
"""

from fuzz.generators.expressions import SEQUENCES, Expressions
from fuzz.generators.values import FLOATS, SMALL, value
from fuzz.program import Program

PRELUDE = ("import math", "from array import array", "inf = 1e999", "nan = inf - inf")
PARAMETERS = ("int", "int", "int", "int", "float", "float", "float", "bool", "list", "list", "array", "text", "bytearray", "bytes",
              "tuple", "range", "view")
AUGMENTED = ("+", "-", "*", "+", "-", "*", "+", "-", "//", "%", "&", "|", "^", ">>")
CAUGHT = ("ZeroDivisionError", "Exception", "(ValueError, IndexError, OverflowError)", "TypeError")
RAISED = ("ValueError", "KeyError", "ZeroDivisionError", "StopIteration")


#: What is made of a comprehension, and of what type that is.
COMPREHENDED = (("[{}]", "list"), ("[{}]", "list"), ("list({})", "list"), ("sorted({})", "list"), ("len({{{}}})", "int"), ("len(set({}))", "int"),
                ("int(any({}))", "int"), ("int(all({}))", "int"), ("len(tuple({}))", "int"))


#: How what a generator yields is taken.
CONSUMED = ("list({})", "[*{}]", "tuple({})", "[item for item in {}]", "list(zip({}, range(9)))", "sum(1 for _ in {})", "sorted(map(str, {}))",
            "list(enumerate({}))", "next({}, None)")


def typed_program(choices):
    """A Program of one to three functions, the last of which is called."""
    return Writer(choices).program()


class Writer(Expressions):
    """Writes one module.

    Attributes:
        lines: so far. functions: (name, kinds) written. defaults: names of functions whose last parameter has a default.
        names: of the function at work: local -> kind. budget: statements it may still have. kept: global or nonlocal variable it may assign to.
    """

    def __init__(self, choices):
        self.choices = choices
        self.lines = [*PRELUDE, f"G0 = {choices.pick(SMALL)}", f"G1 = {choices.pick(FLOATS)}", "G2 = [1, 2.5, 3]"]
        self.functions = []
        self.defaults = set()
        self.counter = 0
        self.cells = ()

    def program(self):
        choices = self.choices
        for number in range(choices.pick((1, 1, 1, 1, 2, 2, 3))):
            self.function(number)
        name, kinds = self.functions[-1]
        calls = tuple(self.arguments(name, kinds) for _ in range(choices.between(1, 3)))
        return Program("\n".join(self.lines) + "\n", name, calls, origin=("typed",))

    def arguments(self, name, kinds):
        values = [value(self.choices, kind) for kind in kinds]
        if name in self.defaults and self.choices.chance(20):
            values.pop()
        return f"({', '.join(values)}{',' if len(values) == 1 else ''})"

    # -- functions ---------------------------------------------------------------------------------------

    def line(self, depth, text):
        self.lines.append("    " * (depth + self.indent) + text)

    def fresh(self, prefix):
        self.counter += 1
        return f"{prefix}{self.counter}"

    def function(self, number):
        choices = self.choices
        kinds = [choices.pick(PARAMETERS) for _ in range(choices.between(1, 4))]
        self.names = {f"p{index}": kind for index, kind in enumerate(kinds)}
        self.budget = choices.pick((1, 1, 2, 2, 3, 4, 6))
        parameters = list(self.names)
        name = f"f{number}"
        self.indent = 0
        if choices.chance(12):
            self.enclose(name)
        if choices.chance(12) and kinds[-1] not in SEQUENCES:
            parameters[-1] += f"={choices.pick(SMALL)}"
            self.defaults.add(name)
        self.yields = choices.chance(10)
        self.line(0, f"def {'made_' * self.yields}{name}({', '.join(parameters)}):")
        self.kept = None
        if self.cells and choices.chance(40):
            self.line(1, "nonlocal C0")
            self.kept = "C0"
        if choices.chance(25) and not self.yields:
            # Short enough to be inlined.
            self.line(1, f"return {self.expression(2)}")
        else:
            self.body(name, kinds)
        if self.yields:
            self.consume(name, parameters)
        if self.indent:
            self.line(0, f"return {name}")
            self.indent, self.cells = 0, ()
            self.line(0, f"{name} = make_{name}({choices.pick(SMALL)}, {choices.pick(FLOATS)})")
        self.functions.append((name, kinds))

    def consume(self, name, parameters):
        """Write the function that takes what a generator yields."""
        made = f"made_{name}({', '.join(parameter.partition('=')[0] for parameter in parameters)})"
        self.line(0, f"def {name}({', '.join(parameters)}):")
        self.line(1, f"return {self.choices.pick(CONSUMED).format(made)}")

    def enclose(self, name):
        """Write the function inside another, whose variables it uses."""
        self.line(0, f"def make_{name}(C0, C1):")
        self.indent, self.cells = 1, ("C0", "C1")

    def body(self, name, kinds):
        choices = self.choices
        if choices.chance(15):
            self.line(1, "global G0")
            self.kept = "G0"
        if kinds[0] == "int" and choices.chance(10):
            self.line(1, "if 0 < p0 < 7:")
            others = "".join(f", {self.fitting(kind)}" for kind in kinds[1:])
            self.line(2, f"return {name}(p0 - 1{others}) + 1")
        for _ in range(choices.between(1, 2)):
            self.assign(1, False)
        self.block(1, False)
        if self.yields:
            self.give(1, False)
        if choices.chance(40):
            self.line(1, f"return {self.expression(2)}")
        else:
            shown = [known for known in self.names if choices.below(100) < 60] or ["None"]
            self.line(1, f"return ({', '.join(shown)},)")

    # -- statements --------------------------------------------------------------------------------------

    def block(self, depth, loop):
        """Statements at this depth of indentation; `loop`: inside a loop. Most names first bound here are not used later."""
        choices = self.choices
        known = list(self.names)
        for _ in range(choices.between(1, 3)):
            if self.budget <= 0:
                break
            self.budget -= 1
            deeper = depth < 4
            statement = choices.weighted(
                (38, self.assign), (14, self.branch if depth < 5 else self.assign), (12, self.range_loop if deeper else self.assign),
                (6, self.while_loop if deeper else self.assign), (6, self.attempt if deeper else self.assign),
                (7, self.sequence_statement), (3, self.cut_short), (3, self.early_return), (2, self.forget), (3, self.unpack),
                (4 if self.kept else 2, self.share), (30 if self.yields else 0, self.give), (2, self.close_over), (2, self.throw), (1, self.show))
            statement(depth, loop)
        self.line(depth, "pass")
        if depth > 1 and not choices.chance(15):
            self.names = {name: kind for name, kind in self.names.items() if name in known}

    def target(self):
        if self.choices.chance(35):
            return self.fresh("v")
        numbers = self.numbers()
        return self.choices.pick(numbers) if numbers else self.fresh("v")

    def assign(self, depth, loop):
        choices = self.choices
        name = self.target()
        if name in self.names and choices.chance(50):
            self.line(depth, f"{name} {choices.pick(AUGMENTED)}= {self.expression(choices.between(0, 2))}")
        elif choices.chance(8):
            name = self.fresh("l")
            kind, left, right = choices.pick((("list", "[", "]"), ("list", "[", "]"), ("tuple", "(", ",)")))
            items = ", ".join(self.expression(1) for _ in range(choices.between(1, 3)))
            self.line(depth, f"{name} = {left}{items}{right}")
            self.names[name] = kind
        else:
            self.line(depth, f"{name} = {self.expression(choices.between(1, 3))}")
            self.names.setdefault(name, "int")

    def unpack(self, depth, loop):
        choices = self.choices
        names = [self.target() for _ in range(choices.between(2, 3))]
        source = ", ".join(self.expression(1) for _ in names)
        if len(names) == 2 and choices.chance(40):
            source = f"divmod({source})"
        self.line(depth, f"{', '.join(names)} = {source}")
        for name in names:
            self.names.setdefault(name, "int")

    def share(self, depth, loop):
        """Change what the program keeps from call to call: by sums only, because hundreds of calls may follow."""
        choices = self.choices
        if self.kept and choices.chance(30):
            self.line(depth, f"{self.kept} {choices.pick(('+', '-', '&', '|'))}= {choices.pick(SMALL)}")
        elif self.kept:
            self.line(depth, f"{self.kept} = ({self.atom()} {choices.pick(('+', '-', '//', '/'))} {self.atom()})")
        else:
            self.assign(depth, loop)

    def cut_short(self, depth, loop):
        if not loop:
            return self.assign(depth, loop)
        self.line(depth, f"if {self.condition()}:")
        self.line(depth + 1, self.choices.pick(("break", "continue")))
        return None

    def give(self, depth, loop):
        """What a generator yields."""
        self.line(depth, f"yield {self.expression(1)}" if self.yields else "pass")

    def show(self, depth, loop):
        self.line(depth, f"print({self.atom()}, {self.expression(1)})")

    def early_return(self, depth, loop):
        self.line(depth, f"if {self.condition()}:")
        self.line(depth + 1, f"return {self.expression(2)}")

    def throw(self, depth, loop):
        self.line(depth, f"if {self.condition()}:")
        self.line(depth + 1, f"raise {self.choices.pick(RAISED)}({self.atom()})")

    def forget(self, depth, loop):
        victims = list(self.names)
        if len(victims) < 3:
            return self.assign(depth, loop)
        self.line(depth, f"if {self.condition()}:")
        self.line(depth + 1, f"del {self.choices.pick(victims)}")
        return None

    def close_over(self, depth, loop):
        """A comprehension or a lambda that uses locals."""
        name = self.fresh("v")
        numbers = self.numbers() or ["1"]
        inner = f"{self.choices.pick(numbers)} {self.choices.pick(AUGMENTED)} k"
        if self.choices.chance(40):
            self.line(depth, f"{name} = (lambda k: {inner})({self.atom()})")
            self.names[name] = "int"
        else:
            lists = [other for other, kind in self.names.items() if kind == "list"]
            source = f"{self.choices.pick(lists)}[:6]" if lists and self.choices.chance(50) else f"range({self.choices.below(4)})"
            form, kind = self.choices.pick(COMPREHENDED)
            self.line(depth, f"{name} = {form.format(f'{inner} for k in {source}')}")
            self.names[name] = kind

    def branch(self, depth, loop):
        choices = self.choices
        self.line(depth, f"if {self.condition()}:")
        self.block(depth + 1, loop)
        if choices.chance(30):
            self.line(depth, f"elif {self.condition()}:")
            self.block(depth + 1, loop)
        if choices.chance(60):
            self.line(depth, "else:")
            self.block(depth + 1, loop)

    # -- loops -------------------------------------------------------------------------------------------

    def range_loop(self, depth, loop):
        choices = self.choices
        name = self.fresh("i")
        head = choices.weighted((30, self.counted), (18, self.stepped), (16, self.far), (6, self.unknown_step), (30, self.walk))
        self.line(depth, f"for {head(name)}:")
        self.names[name] = "int"
        self.block(depth + 1, True)
        if choices.chance(15):
            self.line(depth, "else:")
            self.assign(depth + 1, loop)

    def counted(self, name):
        return f"{name} in range({self.choices.below(7)})"

    def stepped(self, name):
        start, step = self.choices.pick(SMALL), self.choices.pick((1, 2, -1, -3, 7))
        return f"{name} in range({start}, {start + step * self.choices.below(5)}, {step})"

    def far(self, name):
        start = self.choices.pick((250, 2**31 - 2, 2**62, 2**63 - 5, -2**63))
        return f"{name} in range({start}, {start} + {self.choices.below(6)})"

    def unknown_step(self, name):
        """A step only known when it runs; at most five items, because it is a whole number."""
        start = self.choices.pick(("0", "5", str(2**63 - 3), *self.numbers()))
        return f"{name} in range({start}, {start} + {self.choices.between(-5, 5)}, {self.atom()})"

    def sequence(self):
        """Something to walk over."""
        known = self.sequences()
        if known and self.choices.chance(75):
            return self.choices.pick(known)
        return self.choices.pick(("range(4)", "(1, 2.5, 3)", "'ab\\u20ac'", "b'xyz'", "G2", "[True, 2, 3]"))

    def walk(self, name):
        """A loop head over a sequence, enumerate, zip or reversed; bounded, because bodies may append."""
        choices = self.choices
        make = choices.below(100)
        if make < 30:
            return f"{name} in {self.sequence()}[:6]"
        if make < 45:
            return f"{name} in reversed({self.sequence()}[:5])"
        other = self.fresh("j")
        self.names[other] = "int"
        if make < 70:
            start = choices.pick(("", "", ", 5", ", -1", ", 2**63 - 2"))
            return f"{name}, {other} in enumerate({self.sequence()}[:5]{start})"
        if make < 88:
            return f"{name}, {other} in zip({self.sequence()}[:5], {self.sequence()})"
        last = self.fresh("j")
        self.names[last] = "int"
        return f"{name}, ({other}, {last}) in enumerate(zip({self.sequence()}[:5], {self.sequence()}))"

    def while_loop(self, depth, loop):
        choices = self.choices
        name = self.fresh("w")
        self.line(depth, f"{name} = {choices.below(7)}")
        extra = f" and ({self.condition()})" if choices.chance(40) else ""
        self.line(depth, f"while {name} > 0{extra}:")
        self.line(depth + 1, f"{name} -= 1")
        self.block(depth + 1, True)
        if choices.chance(15):
            self.line(depth, "else:")
            self.assign(depth + 1, loop)

    # -- exceptions and containers -----------------------------------------------------------------------

    def attempt(self, depth, loop):
        choices = self.choices
        self.line(depth, "try:")
        self.block(depth + 1, loop)
        if choices.chance(25):
            self.line(depth, "finally:")
            self.assign(depth + 1, loop)
            return
        name = self.fresh("e")
        self.line(depth, f"except {choices.pick(CAUGHT)} as {name}:")
        if choices.chance(50):
            kept = self.fresh("v")
            self.line(depth + 1, f"{kept} = len(type({name}).__name__)")
            self.names[kept] = "int"
        self.block(depth + 1, loop)
        if choices.chance(30):
            self.line(depth, "finally:")
            self.assign(depth + 1, loop)

    def sequence_statement(self, depth, loop):
        choices = self.choices
        known = self.sequences("list", "array", "bytearray", "view")
        if not known:
            return self.assign(depth, loop)
        name = choices.pick(known)
        at = choices.below(100)
        if at < 22:
            self.line(depth, f"{name}[{self.index()}] = {self.expression(2)}")
        elif at < 38:
            self.line(depth, f"{name}[{self.index()}] += {self.expression(1)}")
        elif at < 60:
            self.line(depth, f"if len({name}) < 12: {name}.append({self.expression(2)})")
        elif at < 70:
            self.line(depth, f"if {name}: {name}.pop({choices.pick(('', '', '0', '-1'))})")
        elif at < 80:
            first, second = self.index(), self.index()
            self.line(depth, f"{name}[{first}], {name}[{second}] = {name}[{second}], {name}[{first}]")
        elif at < 86:
            kept = self.fresh("v")
            self.line(depth, f"{kept} = sum({name})")
            self.names[kept] = "int"
        elif at < 92:
            kept = self.fresh("l")
            self.line(depth, f"{kept} = {name}[{self.index()}:]")
            self.names[kept] = self.names[name]
        else:
            kept = self.fresh("l")
            self.line(depth, f"{kept} = [{self.expression(1)} for k in {name}]")
            self.names[kept] = "list"
        return None
