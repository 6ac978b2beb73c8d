"""Programs of classes, whose operators, attributes, iterators and contexts are Python functions with side effects.

The entry function uses what its classes have; calls give it plain values first and instances later, or the other way round.
They end by construction: loops take a few turns, iterators of classes end by themselves, recursion counts `depth` down, and the
names t<number>, which hold results, are assigned once and used at most once in an expression, so that nothing grows much.
"""

from fuzz.generators.classes import CONTENTS, ClassWriter, instance
from fuzz.generators.object_statements import Statements
from fuzz.program import Program

PRELUDE = ("import math", "from array import array", "inf = 1e999", "nan = inf - inf", "LOG = []", "HELD = [1, 2.5]")
NUMBERS = ("3", "0", "1", "-1", "2", "255", "-6", "2**31", "2**62", "2**63 - 1", "2**63", "-2**63", "10**20", "True")
#: No nan: a set knows it by its identity, which compiled code does not keep.
FLOATS = ("1.5", "0.0", "-0.0", "2.0**53", "1e308", "-2.5", "inf", "-inf", "5e-324")
SEQUENCES = ("[1, 2, 3]", "[]", "[1.5, 2.5]", "(1, 2.5)", "[1, 2.5, 'a', None]", "['b', 'a']", "range(4)", "'ab\\u20ac'",
             "b'xyz'",
             "array('d', [1, 2])", "[[1], [2.5]]", "(0,)", "{1: 2, 0: 'a'}", "[2**62, 2**62, 1]")
MISFITS = ("None", "'ab'", "[1]", "()", "1.5", "7", "{}", "True", "b'a'")
#: Groups of methods that go together; a program uses some.
NUMERIC = (("__add__", "__radd__"), ("__sub__", "__rsub__", "__isub__"), ("__mul__", "__rmul__"), ("__lt__", "__gt__"),
           ("__eq__", "__hash__"), ("__bool__",), ("__int__", "__float__"), ("__index__",), ("__neg__", "__abs__"),
           ("__ge__", "__le__"), ("__add__", "__iadd__"), ("__truediv__", "__rtruediv__"), ("__mod__", "__floordiv__"),
           ("__and__", "__ror__", "__xor__"), ("__lshift__", "__rlshift__"), ("__eq__", "__ne__"), ("__format__", "__str__"),
           ("__round__", "__invert__"), ("__imul__", "__mul__"), ("__matmul__", "__rshift__"))
OTHERS = (("__getitem__", "__len__"), ("__getitem__", "__setitem__"), ("__iter__",), ("__iter__", "__next__"), ("__call__",),
          ("__contains__",), ("__enter__", "__exit__"), ("__getattr__",), ("p", "step"), ("d",), ("step", "make", "plain"),
          ("__setattr__",), ("__del__",), ("__getitem__", "__delitem__", "__setitem__"), ("__len__", "__bool__"), ("__format__",),
          ("__call__", "__hash__"), ("__contains__", "__iter__"))
BASES = {"number": ("int", "float", "int", "float", "str"), "other": ("list", "dict", "str", "list", "dict", "int")}


def object_program(choices):
    """A Program of one to three classes, perhaps helpers, and an entry function that uses them."""
    return Writer(choices).program()


class Writer(Statements):
    """Writes one module.

    Attributes:
        head: lines of prelude and classes. helpers: name -> lines of functions that the entry uses. lines: of the entry.
        classes: Class list. methods: all that the classes have. numeric: instances take part in arithmetic.
        names: parameter or local -> "number", "object", "sequence", "result".
        symbols, relations: operators that the classes define.
        solid: parameters that have to be instances.
    """

    def __init__(self, choices):
        self.choices = choices
        self.head = [*PRELUDE, f"G = {choices.pick(('1', '2', '2.5', 'None'))}"]
        self.helpers = {}
        self.lines = []
        self.counter = 0
        self.solid = set()
        self.budget = choices.between(2, 6)

    def program(self):
        choices = self.choices
        self.write_classes()
        kinds = ["object", *(choices.pick(("number", "object", "number", "sequence")) for _ in range(choices.below(3)))]
        self.names = {f"p{index}": kind for index, kind in enumerate(kinds)}
        defaulted = choices.chance(15)
        self.lines.append(f"def entry({', '.join(self.names)}{', q=2' if defaulted else ''}):")
        if defaulted:
            self.names["q"] = "number"
        self.line(1, "LOG.clear()")
        self.global_name = choices.chance(15)
        if self.global_name:
            self.line(1, "global G")
        self.block(1, 0, choices.between(2, 4))
        self.line(1, f"return {self.returned()}")
        if any(line.endswith("help1 = help0") for line in self.head):
            self.helper("help0")
        source = "\n".join([*self.head, *(line for lines in self.helpers.values() for line in lines), *self.lines]) + "\n"
        calls = tuple(self.call(kinds, number) for number in range(choices.between(2, 4)))
        return Program(source, "entry", calls, origin=("objects",))

    def write_classes(self):
        """The first class has all the methods; the others derive from it or from a builtin type, or are its equals."""
        choices = self.choices
        self.numeric = choices.below(2) == 0
        groups = [choices.pick(NUMERIC if self.numeric else OTHERS) for _ in range(choices.pick((1, 2, 1)))]
        if choices.chance(30):
            groups.append(choices.pick(OTHERS if self.numeric else NUMERIC))
        methods = list(dict.fromkeys(method for group in groups for method in group))
        self.writer = ClassWriter(choices, self.head)
        self.classes = self.writer.made
        bases = BASES["number" if self.numeric else "other"]
        self.writer.write(methods, choices.pick(bases) if choices.chance(25) else "")
        for _ in range(choices.pick((0, 1, 1, 2))):
            some = [method for method in methods if choices.below(100) < 50] or methods[:1]
            kind = choices.below(3)
            if kind == 0:
                self.writer.write(some, parent=self.classes[0])
            elif kind == 1:
                self.writer.write(some, choices.pick(bases))
            else:
                self.writer.write(methods if choices.chance(85) else some)
        self.methods = set().union(*(made.methods for made in self.classes))
        self.find_symbols()

    # -- calls -------------------------------------------------------------------------------------------

    def call(self, kinds, number):
        """A tuple of arguments; types change from call to call."""
        values = [self.argument(kind, number, f"p{index}" in self.solid) for index, kind in enumerate(kinds)]
        return f"({', '.join(values)}{',' if len(values) == 1 else ''})"

    def argument(self, kind, number, solid):
        choices = self.choices
        if choices.chance(2):
            return choices.pick(MISFITS)
        if kind == "object":
            if self.numeric and not solid and choices.chance(35 if number == 0 else 10):
                return choices.pick(NUMBERS)
            return self.instance(number)
        if kind == "number":
            at = choices.below(100)
            if at < (80, 40, 40, 60)[number]:
                return choices.pick(NUMBERS)
            return choices.pick(FLOATS) if at < 88 or not self.numeric else self.instance(number)
        if choices.chance(15):
            return f"[{', '.join(self.instance(number) for _ in range(choices.between(1, 3)))}]"
        return choices.pick(SEQUENCES)

    def instance(self, number):
        """An instance of the class whose turn it is, mostly."""
        made = self.classes[number % len(self.classes)] if self.choices.below(4) else self.choices.pick(self.classes)
        return instance(self.choices, made)

    def made(self):
        """An expression of a new instance inside a function."""
        made = self.choices.pick(self.classes)
        return f"{made.name}({CONTENTS[made.base][0]})"
