"""Random small typed functions, for comparison of the interpreter with the compiler.

Programs terminate by construction: every loop runs over a small range or counts its rounds down. Numbers start near the edges
of what machine code holds (int64, 2**53, small ints), so that they leave it often.
"""

import random
from array import array

INTS = [0, 1, -1, 2, 3, 7, -5, -6, 256, 257, 255, 2**15, 2**30 - 1, 2**30, 2**31, -2**31, 2**53, 2**53 + 1, 2**60, 2**62, -2**62,
        2**63 - 1, -2**63, 2**63, 10**20, -10**30]
FLOATS = [0.0, -0.0, 1.0, 0.5, -2.5, 3.75, 1e10, 1e-10, 1e308, 5e-324, 2.0**53, 2.0**63, -2.0**63, float("inf"), float("-inf"),
          float("nan")]
SMALL = [0, 1, 2, 3, -1, -2, 5]


class Program:
    """Writes one module of functions f0, f1, ...; `source` and `calls` are the result."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.functions = []
        self.lines = []
        self.counter = 0
        self.changes_global = False
        self.lines.extend(["inf = 1e999", "nan = inf - inf", f"G0 = {self.random.choice(SMALL)}", f"G1 = {self.random.choice(FLOATS)!r}",
                           "G2 = [1, 2.5, 3]"])
        count = self.random.choice((1, 1, 2, 3, 3))
        for number in range(count):
            self.function(number)
        self.source = "\n".join(self.lines) + "\n"
        self.name, kinds = self.functions[-1]
        self.kinds = kinds

    def call(self):
        """Arguments for one call."""
        return tuple(self.argument(kind) for kind in self.kinds)

    def argument(self, kind):
        pick = self.random
        if pick.random() < 0.06:
            kind = pick.choice(["int", "float", "bool", "list", "none", "str"])
        if kind == "int":
            return pick.choice(SMALL) if pick.random() < 0.5 else pick.choice(INTS)
        if kind == "float":
            return pick.choice(FLOATS)
        if kind == "bool":
            return pick.random() < 0.5
        if kind == "array":
            code = pick.choice("bqidBf")
            return array(code, [pick.choice([0, 1, 2, 100, 7]) for _ in range(pick.randrange(0, 6))])
        if kind == "text":
            return "".join(pick.choice(["a", "b", "\xe9", "\u20ac", "z"]) for _ in range(pick.randrange(0, 6)))
        if kind == "list":
            inner = pick.choice(["int", "int", "float", "bool"])
            return [self.argument(inner) for _ in range(pick.randrange(0, 6))]
        return None if kind == "none" else "ab"

    # -- text ----------------------------------------------------------------------------------

    def line(self, depth, text):
        self.lines.append("    " * depth + text)

    def fresh(self, prefix):
        self.counter += 1
        return f"{prefix}{self.counter}"

    def function(self, number):
        pick = self.random
        kinds = [pick.choice(["int", "int", "int", "float", "float", "bool", "list", "list", "array", "text"])
                 for _ in range(pick.randrange(1, 5))]
        names = [f"p{index}" for index in range(len(kinds))]
        self.names = {name: kind for name, kind in zip(names, kinds)}
        self.loops = 0
        self.budget = pick.randrange(6, 22)
        self.line(0, f"def f{number}({', '.join(names)}):")
        if pick.random() < 0.3:
            # Short enough to be inlined.
            self.line(1, f"return {self.expression(2)}")
            self.functions.append((f"f{number}", kinds))
            return
        if pick.random() < 0.2:
            self.line(1, "global G0")
            self.changes_global = True
        else:
            self.changes_global = False
        for _ in range(pick.randrange(1, 3)):
            self.assign(1)
        self.block(1, 0)
        shown = [name for name in self.names if pick.random() < 0.6] or ["None"]
        self.line(1, f"return ({', '.join(shown)},)" if pick.random() < 0.6 else f"return {self.expression(2)}")
        self.functions.append((f"f{number}", kinds))

    def block(self, depth, loop):
        pick = self.random
        for _ in range(pick.randrange(1, 5)):
            if self.budget <= 0:
                break
            self.budget -= 1
            choice = pick.random()
            if choice < 0.42:
                self.assign(depth)
            elif choice < 0.56 and depth < 5:
                self.branch(depth, loop)
            elif choice < 0.68 and depth < 4:
                self.range_loop(depth, loop)
            elif choice < 0.75 and depth < 4:
                self.while_loop(depth, loop)
            elif choice < 0.80 and depth < 4:
                self.attempt(depth, loop)
            elif choice < 0.86:
                self.list_statement(depth)
            elif choice < 0.89 and loop:
                self.line(depth, f"if {self.condition()}:")
                self.line(depth + 1, pick.choice(["break", "continue"]))
            elif choice < 0.92:
                self.line(depth, f"if {self.condition()}:")
                self.line(depth + 1, f"return {self.expression(2)}")
            elif choice < 0.94 and len(self.names) > 2:
                victim = pick.choice(sorted(self.names))
                self.line(depth, f"if {self.condition()}:")
                self.line(depth + 1, f"del {victim}")
            elif choice < 0.96:
                self.unpack(depth)
            elif choice < 0.98 and self.changes_global:
                self.line(depth, f"G0 = {self.expression(2)}")
            else:
                self.assign(depth)
        self.line(depth, "pass")

    def target(self):
        pick = self.random
        if pick.random() < 0.65:
            numbers = [name for name, kind in sorted(self.names.items()) if kind not in ("list", "array", "text")]
            if numbers:
                return pick.choice(numbers)
        return self.fresh("v")

    def assign(self, depth):
        pick = self.random
        name = self.target()
        if name in self.names and pick.random() < 0.5:
            self.line(depth, f"{name} {pick.choice(['+', '-', '*', '+', '-', '//', '%', '&', '|', '^', '>>'])}= {self.expression(2)}")
            return
        if pick.random() < 0.08:
            name = self.fresh("l")
            items = ", ".join(self.expression(1) for _ in range(pick.randrange(0, 4)))
            self.line(depth, f"{name} = [{items}]")
            self.names[name] = "list"
            return
        self.line(depth, f"{name} = {self.expression(3)}")
        self.names.setdefault(name, "int")

    def unpack(self, depth):
        pick = self.random
        count = pick.choice((2, 2, 3))
        names = [self.target() for _ in range(count)]
        source = ", ".join(self.expression(1) for _ in range(count))
        if count == 2 and pick.random() < 0.4:
            source = f"divmod({source})"
        self.line(depth, f"{', '.join(names)} = {source}")
        for name in names:
            self.names.setdefault(name, "int")

    def branch(self, depth, loop):
        self.line(depth, f"if {self.condition()}:")
        self.block(depth + 1, loop)
        if self.random.random() < 0.4:
            self.line(depth, f"elif {self.condition()}:")
            self.block(depth + 1, loop)
        if self.random.random() < 0.6:
            self.line(depth, "else:")
            self.block(depth + 1, loop)

    def range_loop(self, depth, loop):
        pick = self.random
        name = self.fresh("i")
        lists = [n for n, kind in sorted(self.names.items()) if kind == "list"]
        choice = pick.random()
        if choice < 0.2:
            self.walk(depth, name)
        elif choice < 0.3 and lists:
            head = pick.choice(lists)
            self.line(depth, f"for {name} in {head}[:6]:" if pick.random() < 0.7 else f"for {name} in list({head}):")
        elif choice < 0.6:
            self.line(depth, f"for {name} in range({pick.randrange(0, 7)}):")
        elif choice < 0.8:
            start, step = pick.choice(SMALL), pick.choice([1, 2, -1, -3, 7])
            self.line(depth, f"for {name} in range({start}, {start + step * pick.randrange(0, 5)}, {step}):")
        else:
            start = pick.choice([2**62, -2**63, 2**63 - 5, 2**31, 250])
            self.line(depth, f"for {name} in range({start}, {start} + {pick.randrange(0, 6)}):")
        self.names[name] = "int"
        self.block(depth + 1, True)
        if pick.random() < 0.15:
            self.line(depth, "else:")
            self.assign(depth + 1)

    def sequence(self):
        """Something to walk over."""
        pick = self.random
        known = [n for n, kind in sorted(self.names.items()) if kind in ("list", "array", "text")]
        if known and pick.random() < 0.75:
            return pick.choice(known)
        return pick.choice(["range(4)", "(1, 2.5, 3)", "'ab\\u20ac'", "b'xyz'", "G2", "[True, 2, 3]"])

    def walk(self, depth, name):
        """A loop head over enumerate, zip, reversed or the sequence itself; bounded, because bodies may append."""
        pick = self.random
        other = self.fresh("j")
        choice = pick.random()
        if choice < 0.35:
            start = pick.choice(["", "", ", 5", ", -1", ", 2**63 - 2"])
            self.line(depth, f"for {name}, {other} in enumerate({self.sequence()}[:5]{start}):")
        elif choice < 0.6:
            self.line(depth, f"for {name}, {other} in zip({self.sequence()}[:5], {self.sequence()}):")
        elif choice < 0.7:
            last = self.fresh("j")
            self.line(depth, f"for {name}, ({other}, {last}) in enumerate(zip({self.sequence()}[:5], {self.sequence()})):")
            self.names[last] = "int"
        elif choice < 0.85:
            self.line(depth, f"for {name} in reversed({self.sequence()}[:5]):")
            return
        else:
            self.line(depth, f"for {name} in {self.sequence()}[:5]:")
            return
        self.names[other] = "int"

    def while_loop(self, depth, loop):
        pick = self.random
        name = self.fresh("w")
        self.line(depth, f"{name} = {pick.randrange(0, 7)}")
        extra = f" and ({self.condition()})" if pick.random() < 0.4 else ""
        self.line(depth, f"while {name} > 0{extra}:")
        self.line(depth + 1, f"{name} -= 1")
        self.block(depth + 1, True)
        if pick.random() < 0.15:
            self.line(depth, "else:")
            self.assign(depth + 1)

    def attempt(self, depth, loop):
        pick = self.random
        self.line(depth, "try:")
        self.block(depth + 1, loop)
        if pick.random() < 0.75:
            caught = pick.choice(["ZeroDivisionError", "Exception", "(ValueError, IndexError, OverflowError)", "TypeError"])
            name = self.fresh("e")
            self.line(depth, f"except {caught} as {name}:")
            if pick.random() < 0.5:
                kept = self.fresh("v")
                self.line(depth + 1, f"{kept} = type({name}).__name__")
                self.names[kept] = "int"
            self.block(depth + 1, loop)
            if pick.random() < 0.3:
                self.line(depth, "finally:")
                self.assign(depth + 1)
        else:
            self.line(depth, "finally:")
            self.assign(depth + 1)

    def list_statement(self, depth):
        pick = self.random
        lists = [name for name, kind in sorted(self.names.items()) if kind in ("list", "array")]
        if not lists:
            self.assign(depth)
            return
        name = pick.choice(lists)
        choice = pick.random()
        if choice < 0.1:
            i, j = self.index(), self.index()
            self.line(depth, f"{name}[{i}], {name}[{j}] = {name}[{j}], {name}[{i}]")
        elif choice < 0.15:
            kept = self.fresh("v")
            self.line(depth, f"{kept} = sum({name})")
            self.names[kept] = "int"
        elif choice < 0.35:
            self.line(depth, f"{name}[{self.index()}] = {self.expression(2)}")
        elif choice < 0.5:
            self.line(depth, f"{name}[{self.index()}] += {self.expression(1)}")
        elif choice < 0.75:
            self.line(depth, f"if len({name}) < 12: {name}.append({self.expression(2)})")
        elif choice < 0.85:
            self.line(depth, f"if {name}: {name}.pop()")
        else:
            other = self.fresh("l")
            self.line(depth, f"{other} = [{self.expression(1)} for k in {name}]")
            self.names[other] = "list"

    # -- expressions ------------------------------------------------------------------------------

    def index(self):
        pick = self.random
        return pick.choice(["0", "1", "-1", "2", "-2"]) if pick.random() < 0.7 else self.expression(1)

    def atom(self):
        pick = self.random
        choice = pick.random()
        numbers = [name for name, kind in sorted(self.names.items()) if kind not in ("list", "array", "text")]
        if choice < 0.62 and numbers:
            return pick.choice(numbers)
        if choice < 0.8:
            return str(pick.choice(SMALL))
        if choice < 0.86:
            return f"({pick.choice(INTS)})"
        if choice < 0.88:
            return pick.choice(["G0", "G1", "G2[1]"])
        if choice < 0.95:
            return pick.choice(["0.5", "-1.5", "2.0", "1e300", "0.1", "-0.0"])
        return pick.choice(["True", "False"])

    def expression(self, depth):
        pick = self.random
        if depth <= 0 or pick.random() < 0.15:
            return self.atom()
        choice = pick.random()
        left, right = (lambda: self.expression(depth - 1)), (lambda: self.expression(depth - 1))
        if choice < 0.5:
            return f"({left()} {pick.choice(['+', '-', '*', '+', '-', '*', '//', '%', '/', '&', '|', '^'])} {right()})"
        if choice < 0.56:
            return f"({left()} {pick.choice(['<<', '>>'])} {pick.choice([0, 1, 3, 31, 62, 63, 64])})"
        if choice < 0.59:
            return f"({left()} ** {pick.choice(['2', '3', '0', '-1', '0.5'])})"
        if choice < 0.65:
            return f"({pick.choice(['-', '~', '+', 'not '])}{left()})"
        if choice < 0.72:
            return f"({left()} if {self.condition()} else {right()})"
        if choice < 0.78:
            return f"({left()} {pick.choice(['and', 'or'])} {right()})"
        if choice < 0.84:
            return f"({self.condition()})"
        if choice < 0.92:
            name = pick.choice(["abs", "int", "float", "bool", "round"])
            return f"{name}({left()})" if pick.random() < 0.7 else f"{pick.choice(['min', 'max'])}({left()}, {right()})"
        lists = [name for name, kind in sorted(self.names.items()) if kind in ("list", "array", "text")]
        if choice < 0.96 and lists:
            name = pick.choice(lists)
            return f"{name}[{self.index()}]" if pick.random() < 0.8 else f"len({name})"
        if self.functions:
            name, kinds = pick.choice(self.functions)
            return f"{name}({', '.join(self.fitting(kind) for kind in kinds)})"
        return self.atom()

    def fitting(self, kind):
        if kind in ("list", "array", "text"):
            lists = [name for name, known in sorted(self.names.items()) if known == kind]
            return self.random.choice(lists) if lists else "'ab'" if kind == "text" else "[1, 2]"
        return self.atom()

    def condition(self):
        pick = self.random
        symbol = pick.choice(["<", "<=", "==", "!=", ">", ">="])
        choice = pick.random()
        if choice < 0.75:
            return f"{self.expression(1)} {symbol} {self.expression(1)}"
        if choice < 0.85:
            return f"{self.atom()} < {self.atom()} {symbol} {self.atom()}"
        if choice < 0.9:
            return f"{self.atom()} {pick.choice(['and', 'or'])} {self.atom()} {symbol} {self.atom()}"
        if choice < 0.93:
            return f"{self.atom()} {pick.choice(['in', 'not in'])} {pick.choice(['(1, 2, 3)', '(0, -1)', '(1.5, 2)', 'G2', 'range(5)'])}"
        return self.expression(1)
