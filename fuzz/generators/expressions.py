"""Expressions of the typed programs."""

from fuzz.generators.values import EDGES, INTS, SMALL

ARITHMETIC = ("+", "-", "*", "+", "-", "*", "//", "%", "/")
BITWISE = ("&", "|", "^")
COMPARISONS = ("<", "<=", "==", "!=", ">", ">=")
SHIFTS = (0, 1, 3, 31, 62, 63, 64)
DIVISORS = ("3", "-3", "7", "-7", "2", "-2", "8", "-1", "0.5", "-2.5")
SEQUENCES = ("list", "array", "text", "bytes", "bytearray", "tuple", "range", "view")
MATH = ("sqrt", "floor", "ceil", "sin", "exp", "fabs", "isnan", "trunc", "log")
MATH_OF_TWO = ("pow", "atan2", "hypot", "fmod", "copysign")


class Expressions:
    """The part of a program's writer that makes expressions.

    Attributes (of the writer): choices. names: local name -> kind it probably has. functions: (name, kinds) of functions that exist.
    cells: names of variables of an enclosing function.
    """

    def numbers(self):
        return [name for name, kind in self.names.items() if kind not in SEQUENCES]

    def sequences(self, *kinds):
        return [name for name, kind in self.names.items() if kind in (kinds or SEQUENCES)]

    def index(self):
        if self.choices.chance(30):
            return self.expression(1)
        return self.choices.pick(("0", "1", "-1", "2", "-2"))

    def atom(self):
        choices = self.choices
        numbers = self.numbers()
        at = choices.below(100)
        if at < 62 and numbers:
            return choices.pick(numbers)
        if at < 80:
            return str(choices.pick(SMALL))
        if at < 86:
            return f"({choices.pick(choices.pick((INTS, EDGES)))})"
        if at < 89:
            return choices.pick(("G0", "G1", "G2[1]", *self.cells))
        if at < 95:
            return choices.pick(("0.5", "-1.5", "2.0", "1e300", "0.1", "-0.0"))
        return choices.pick(("True", "False"))

    def expression(self, depth):
        """An expression with at most `depth` levels of operators."""
        choices = self.choices
        if depth <= 0 or choices.chance(15):
            return self.atom()
        make = choices.weighted((44, self.binary), (8, self.division), (6, self.shift), (3, self.power), (6, self.unary), (7, self.conditional),
                                (6, self.either), (6, self.compared), (8, self.builtin), (3, self.mathematics), (6, self.item),
                                (5, self.call), (1, self.membership))
        return make(depth - 1)

    def binary(self, depth):
        choices = self.choices
        if choices.chance(12):
            integers = [name for name, kind in self.names.items() if kind in ("int", "bool")] or ["7"]
            return f"({choices.pick(integers)} {choices.pick(BITWISE)} {self.atom() if choices.chance(15) else choices.pick(integers)})"
        return f"({self.expression(depth)} {choices.pick(ARITHMETIC)} {self.expression(depth)})"

    def division(self, depth):
        """Mostly by what is not 0."""
        choices = self.choices
        numbers = self.numbers()
        divisor = choices.pick(numbers) if numbers and choices.chance(40) else choices.pick(DIVISORS)
        return f"({self.expression(depth)} {choices.pick(('//', '%'))} {divisor})"

    def shift(self, depth):
        """By a constant, or by a variable: what is shifted left by more than a few bits is bounded."""
        choices = self.choices
        integers = [name for name, kind in self.names.items() if kind in ("int", "bool")] or ["5"]
        shifted, symbol = choices.pick(integers), choices.pick(("<<", ">>"))
        if not choices.chance(35):
            return f"({shifted} {symbol} {choices.pick(SHIFTS)})"
        count = choices.pick(integers)
        return f"({shifted} >> {count})" if symbol == ">>" else f"({shifted} << ({count} {choices.pick(('& 63', '& 127', '% 5 - 2'))}))"

    def power(self, depth):
        return f"({self.expression(depth)} ** {self.choices.pick(('2', '3', '0', '-1', '0.5'))})"

    def unary(self, depth):
        return f"({self.choices.pick(('-', 'not ', '-', '+', '-', '~'))}{self.expression(depth)})"

    def conditional(self, depth):
        return f"({self.expression(depth)} if {self.condition()} else {self.expression(depth)})"

    def either(self, depth):
        return f"({self.expression(depth)} {self.choices.pick(('and', 'or'))} {self.expression(depth)})"

    def compared(self, depth):
        return f"({self.condition()})"

    def builtin(self, depth):
        choices = self.choices
        if choices.chance(25):
            return f"{choices.pick(('min', 'max'))}({self.expression(depth)}, {self.expression(depth)})"
        if choices.chance(10):
            return f"isinstance({self.atom()}, {choices.pick(('int', 'float', 'bool', 'list', '(int, str)'))})"
        if choices.chance(8):
            return f"ord(chr({self.atom()} & 1023))"
        if choices.chance(8):
            return f"len(str({self.atom()}))"
        return f"{choices.pick(('abs', 'int', 'float', 'bool', 'round'))}({self.expression(depth)})"

    def mathematics(self, depth):
        if self.choices.chance(20):
            return f"math.{self.choices.pick(MATH_OF_TWO)}({self.expression(depth)}, {self.atom()})"
        return f"math.{self.choices.pick(MATH)}({self.expression(depth)})"

    def membership(self, depth):
        container = self.choices.pick(("(1, 2, 3)", "(0, -1)", "(1.5, 2)", "G2", "range(5)", "[0, 1.0]", "{1, 2}"))
        return f"({self.atom()} {self.choices.pick(('in', 'not in'))} {container})"

    def item(self, depth):
        choices = self.choices
        known = self.sequences()
        if not known:
            return self.atom()
        name = choices.pick(known)
        if choices.chance(20):
            return f"len({name})"
        if self.names[name] == "text":
            return f"ord({name}[{self.index()}])" if choices.chance(50) else f"({name}[{self.index()}] {choices.pick(COMPARISONS)} 'b')"
        if choices.chance(10):
            return f"len({name}[{self.index()}:{self.index()}])"
        return f"{name}[{self.index()}]"

    def call(self, depth):
        choices = self.choices
        if not self.functions:
            return self.atom()
        name, kinds = choices.pick(self.functions)
        arguments = [self.fitting(kind) for kind in kinds]
        if len(arguments) > 1 and choices.chance(25):
            first = choices.below(len(arguments))
            named = [f"p{number}={argument}" for number, argument in enumerate(arguments)][first:]
            if choices.chance(50):
                named.reverse()
            arguments = arguments[:first] + named
        elif arguments and name in self.defaults and choices.chance(50):
            arguments.pop()
        return f"{name}({', '.join(arguments)})"

    def fitting(self, kind):
        """An argument for a parameter of this kind."""
        if kind not in SEQUENCES:
            return self.atom()
        known = self.sequences(kind)
        if known:
            return self.choices.pick(known)
        return {"text": "'ab'", "bytes": "b'ab'", "tuple": "(1, 2)", "range": "range(4)"}.get(kind, "[1, 2]")

    def condition(self):
        choices = self.choices
        symbol = choices.pick(COMPARISONS)
        at = choices.below(100)
        if at < 75:
            return f"{self.expression(1)} {symbol} {self.expression(1)}"
        if at < 84:
            return f"{self.atom()} < {self.atom()} {symbol} {self.atom()}"
        if at < 90:
            return f"{self.atom()} {choices.pick(('and', 'or'))} {self.atom()} {symbol} {self.atom()}"
        if at < 92:
            return f"{self.atom()} {choices.pick(('is', 'is not'))} {choices.pick(('None', 'True', 'G2'))}"
        if at < 95:
            return self.membership(0)
        return self.expression(1)
