"""The expressions of the entry functions of object programs (fuzz/generators/objects.py)."""

from fuzz.generators.classes import BINARY, COMPARED

LITERALS = ("1", "2", "0", "2.5", "-1", "3", "0.5", "True", "2**62", "255")
SMALL = ("1", "2", "0", "3", "-1")
HELPERS = {
    "help0": ("def help0(x, y=2, *rest, key=None, **others):", "    return x if key is None else (y, len(rest))"),
    "help1": ("def help1(x, depth=3):", "    if depth <= 0:", "        return x", "    return help1(x, depth - 1)"),
    "gen0": ("def gen0(x, count=3):", "    for i in range(3):", "        yield x", "    return x"),
    "gen1": ("def gen1(x):", "    try:", "        yield 1", "        yield from (x, 2)", "    finally:",
             "        LOG.append(('gen1', 'end'))"),
    "gen2": ("def gen2(x, depth=3):", "    try:", "        if depth:", "            got = yield from gen2(x, depth - 1)",
             "            yield (depth, got)", "        else:", "            yield x", "            yield x.v", "    finally:",
             "        LOG.append(('gen2', depth))", "    return depth"),
    "make0": ("def make0(x):", "    total = 0", "    def inner(y=1, *, by=2):", "        nonlocal total",
              "        total = total + by",
              "        return (x, y, total)", "    return inner")}
#: Method -> expressions that call it on an object.
READS = {
    "__getitem__": ("{0}[0]", "{0}[1]", "{0}[-1]", "{0}[True]", "{0}[0:2]"), "__len__": ("len({0})",),
    "__call__": ("{0}(1)", "{0}()", "{0}(2, 3, y=4)", "{0}(*[1, 2])"),
    "__contains__": ("(2 in {0})", "(None not in {0})"), "__int__": ("int({0})", "math.trunc(float({0}))"),
    "__float__": ("float({0})", "math.sqrt(abs(float({0})))"),
    "__index__": ("[5, 6, 7][{0}]", "hex({0})", "(1, 2, 3)[{0}:]", "'abc'[{0}]"), "__neg__": ("(-{0})",),
    "__abs__": ("abs({0})",), "__invert__": ("(~{0})",),
    "__round__": ("round({0})", "round({0}, 1)"), "__bool__": ("bool({0})", "(not {0})"),
    "__hash__": ("hash({0}) % 1", "{{{0}: 1}}[{0}]", "len({{{0}, 1, {0}}})"),
    "__format__": ("f'{{{0}}}'", "f'a{{{0}:5}}b'", "format({0})", "'{{:3}}'.format({0})"),
    "__str__": ("f'{{{0}!s:4}}'", "str({0})", "'%s' % ({0},)"),
    "__iter__": ("list({0})", "sum(1 for k in {0})", "[*{0}]", "sorted(map(str, {0}))", "dict(zip('ab', {0}))",
                 "tuple(k for k in {0} if k != 2)"),
    "__getattr__": ("{0}.other", "getattr({0}, 'x1', None)", "hasattr({0}, 'y')"), "p": ("{0}.p",), "d": ("{0}.d",),
    "step": ("{0}.step()", "{0}.step(x=2)", "[k(1) for k in ({0}.step,)]"), "make": ("type({0}).make()", "{0}.make(2)"),
    "plain": ("{0}.plain(1)",),
    "__eq__": ("[1, {0}, 2].count(1)", "({0} in (1, {0}))", "[{0}] == [1]"),
    "__lt__": ("min({0}, 2)", "sorted([2, {0}])[0]", "max([1, {0}])"),
    "__add__": ("sum([1, {0}])", "sum(({0},), 2)")}
#: Those that numbers understand too.
OF_NUMBERS = {"__int__", "__float__", "__index__", "__neg__", "__abs__", "__invert__", "__round__", "__bool__", "__hash__",
              "__format__", "__str__",
              "__eq__", "__lt__", "__add__"}


class Expressions:
    """Writes expressions; a mixin of the `Writer` of objects.py, which says what the attributes are."""

    def line(self, depth, text):
        self.lines.append("    " * depth + text)

    def result(self):
        """A new name for a result."""
        self.counter += 1
        name = f"t{self.counter}"
        return name

    def keep(self, depth, text):
        """Assign an expression to a new name."""
        name = self.result()
        self.line(depth, f"{name} = {text}")
        self.names[name] = "result"

    def of(self, *kinds):
        return [name for name, kind in self.names.items() if kind in kinds]

    def thing(self, solid=False):
        """A parameter or local that may be an instance; `solid`: must be one, as numbers do not have what is used."""
        name = self.choices.pick(self.of("object"))
        if solid:
            self.solid.add(name)
        return name

    def has(self, *methods):
        return not self.methods.isdisjoint(methods)

    def helper(self, name):
        self.helpers.setdefault(name, HELPERS[name])
        return name

    def find_symbols(self):
        self.symbols = [symbol for symbol, name in BINARY.items() if self.has(f"__{name}__", f"__r{name}__", f"__i{name}__")]
        self.readable = [method for method in READS if method in self.methods]
        self.relations = [symbol for symbol, name in COMPARED.items() if self.has(f"__{name}__")]

    def atom(self):
        """A plain number, or what is as good as one."""
        choices = self.choices
        at = choices.below(100)
        numbers = self.of("number")
        if at < 45 and numbers:
            return choices.pick(numbers)
        if at < 75:
            return choices.pick(LITERALS)
        if at < 85:
            return f"getattr({self.thing()}, 'v', 1)"
        return choices.pick(("len(LOG)", "len(HELD)", "1.5", "q" if "q" in self.names else "7"))

    def read(self):
        """Something read from an object."""
        choices = self.choices
        method = choices.pick(["", *self.readable])
        if not method:
            thing = self.thing()
            return choices.pick((f"getattr({thing}, 'w', 0)", f"getattr({thing}, 'k', {choices.pick(LITERALS)})",
                                 f"type({thing}).__name__"))
        return choices.pick(READS[method]).format(self.thing(method not in OF_NUMBERS))

    def operation(self):
        """An operator with an object on either side."""
        choices = self.choices
        if self.numeric and self.symbols and choices.below(5):
            symbol = choices.pick(self.symbols)
            other = choices.pick(SMALL) if symbol in ("*", "<<", ">>", "@") else self.atom()
            if choices.chance(20) and symbol not in ("*", "<<", ">>"):
                other = self.thing()
            sides = (self.thing(), other) if choices.below(2) == 0 or symbol in ("<<", ">>") else (other, self.thing())
            return f"({sides[0]} {symbol} {sides[1]})"
        numbers = self.of("number", *(["result"] if choices.chance(8) else [])) or ["2"]
        symbol = choices.pick(("+", "-", "+", "-", "//", "%", "/"))
        return f"({choices.pick(numbers)} {symbol} {choices.pick(SMALL[:2])})"

    def condition(self):
        choices = self.choices
        at, thing = choices.below(100), self.thing()
        if at < 30 and self.relations:
            relation = choices.pick(self.relations)
            return f"{thing} {relation} {self.atom()}" if at < 18 else f"{self.atom()} {relation} {thing}"
        if at < 45 and self.relations:
            return f"{self.atom()} {choices.pick(self.relations)} {thing} {choices.pick(self.relations)} {self.atom()}"
        if at < 60 and self.has("__bool__", "__len__"):
            return choices.pick(("{0}", "not {0}", "{0} and {1}", "{0} or {1}", "({0} if {0} else {1})")).format(thing,
                                                                                                                 self.atom())
        if at < 70 and self.has("__contains__", "__iter__", "__getitem__"):
            return f"{self.atom()} {choices.pick(('in', 'not in'))} {self.thing(True)}"
        if at < 85:
            return choices.pick((f"isinstance({thing}, {self.made().split('(')[0]})", f"type({thing}) is int", f"{thing} is None",
                                 f"callable({thing})", f"hasattr({thing}, 'w')", f"{thing} is not {self.thing()}"))
        return f"{self.atom()} {choices.pick(('!=', '=='))} {self.atom()}"

    def expression(self):
        choices = self.choices
        at = choices.below(100)
        if at < 40:
            return self.operation()
        if at < 75:
            return self.read()
        if at < 82:
            return f"({self.operation()} if {self.condition()} else {self.read()})"
        if at < 88:
            return f"({self.read()}, {self.thing()})"
        if at < 92:
            return f"({self.condition()})"
        return choices.pick(("(lambda k: (k, {0}))({1})", "[k for k in ({0}, {1})]", "{{'a': {0}, 2: {1}}}", "min({1}, 2)",
                             "str({1})",
                             "[{0}, {1}][::-1]", "list(map(type, ({1},)))[0].__name__",
                             "math.floor(2.5) + len(str({1}))")).format(self.read(), self.atom())

    def returned(self):
        shown = [name for name in self.names if self.choices.below(100) < 70]
        return f"({', '.join([*shown, self.expression()])},)"
