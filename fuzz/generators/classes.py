"""Classes whose every method notes in `LOG` that it was called, and then does what a compiler might not expect.

What keeps them bounded: methods compute with ``self.v`` alone, which is a plain number or text, so that they never lead back to
themselves; iterators end after four items, by index or by a counter of their own; nothing grows beyond a few items.
"""

from dataclasses import dataclass, field

#: symbol -> method, for operators of two operands.
BINARY = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod", "&": "and", "|": "or", "^": "xor",
          "<<": "lshift", ">>": "rshift", "@": "matmul"}
COMPARED = {"<": "lt", "<=": "le", "==": "eq", "!=": "ne", ">": "gt", ">=": "ge"}
SYMBOLS = {f"__{name}__": symbol for symbol, name in [*BINARY.items(), *COMPARED.items()]}
SYMBOLS.update({f"__{side}{name}__": symbol for side in "ri" for symbol, name in BINARY.items()})
#: Methods with parameters beside self; operators have "other".
PARAMETERS = {
    "__getitem__": "key", "__setitem__": "key, value", "__delitem__": "key", "__contains__": "item",
    "__call__": "x=1, *rest, y=2",
    "__format__": "spec", "__exit__": "*error", "__getattr__": "name", "__setattr__": "name, value", "__round__": "digits=0",
    "__missing__": "key", "step": "x=1", "plain": "x", "make": "x=1"}
PARAMETERS.update({name: "other" for name in SYMBOLS})
#: What methods return; the first is the usual one.
RESULTS = {
    "__bool__": ("self.v != 0", "True", "False", "self.v == 1", "1"),
    "__index__": ("1", "0", "2", "-1", "'i'"), "__int__": ("3", "-1", "2**63", "0", "1.5"),
    "__float__": ("1.5", "-0.0", "nan", "2.0", "2"), "__len__": ("2", "0", "3", "1", "-1"),
    "__getitem__": ("key", "self.v", "2.5", "self", "'g'"), "__contains__": ("item == 2", "True", "0", "[1]", "None"),
    "__iter__": ("iter((1, 2.5, self.v))", "iter([3, 4])", "iter('ab')", "iter(())", "iter({5: 6})"),
    "__call__": ("x", "self", "len(rest)", "y", "self.v"), "__hash__": ("3", "0", "-1", "2**62", "'h'"),
    "__format__": ("'f' + spec", "spec", "'A'", "'\u20ac'", "3"), "__str__": ("'s'", "''", "str(self.v)", "'\u20ac'", "'t'"),
    "__enter__": ("self", "self.v", "1", "None", "2.5"), "__exit__": ("False", "True", "None", "self.v",
                                                                      "error[0] is ValueError"),
    "__getattr__": ("len(name)", "name", "1.5", "None", "2**31"), "__neg__": ("-self.v", "self", "1", "2.5", "'n'"),
    "__abs__": ("abs(self.v)", "self", "1", "2.5", "None"), "__invert__": ("self.v", "self", "-1", "None", "2.5"),
    "__round__": ("self.v", "1", "digits", "self", "2.5"), "__missing__": ("1", "key", "2.5", "None", "self"),
    "step": ("self.v", "x", "self", "x + 1", "(x, self.v)"), "plain": ("x", "1", "x + 1", "[x]", "None"),
    "make": ("cls.__name__", "x", "cls", "1", "None"), "p": ("self.v", "1", "2.5", "self.w", "self")}
ARITHMETIC = ("self.v {s} 2", "self.v {s} 2", "self.v", "{new}", "self", "other", "2.5", "self.v {s} other", "NotImplemented")
COMPARISON = ("self.v {s} 3", "self.v {s} 3", "self.v {s} other", "True", "False", "[]", "1.5", "NotImplemented", "None")
#: Methods without a result.
SILENT = {"__setitem__": "self.w = value", "__delitem__": "self.w = 0", "__del__": "HELD[:2] = [1]",
          "__setattr__": "object.__setattr__(self, name, value)"}
#: What a builtin base has and a subclass can ask of super().
NUMBER_BASE = {f"__{side}{name}__" for side in ("", "r") for name in ("add", "sub", "mul", "truediv", "floordiv", "mod")}
INHERITED = {
    "int": NUMBER_BASE | {"__lt__", "__eq__", "__ge__", "__bool__", "__neg__", "__abs__", "__and__", "__rand__", "__lshift__",
                          "__hash__", "__int__", "__float__", "__index__"},
    "float": NUMBER_BASE | {"__lt__", "__eq__", "__ge__", "__bool__", "__neg__", "__abs__", "__hash__", "__int__", "__float__"},
    "list": {"__len__", "__getitem__", "__setitem__", "__contains__", "__add__", "__eq__", "__iadd__", "__iter__"},
    "dict": {"__len__", "__getitem__", "__setitem__", "__contains__", "__eq__", "__delitem__"},
    "str": {"__len__", "__getitem__", "__contains__", "__add__", "__eq__", "__lt__", "__hash__", "__format__"}}
#: Values of instances of builtin bases.
CONTENTS = {"int": ("3", "0", "-1", "1", "255", "2**62", "2**63", "-2**63"),
            "float": ("1.5", "0.0", "-0.0", "nan", "inf", "2.0**53"),
            "list": ("[1, 2, 3]", "[]", "[2.5, 'x']", "[1, [2]]"), "dict": ("{0: 1, 1: 2.5}", "{}", "{'a': 1, 2: 3}",
                                                                            "{1: 1, 0: 0}"),
            "str": ("'abc'", "''", "'\u20acz'", "'0'"), "": ("3", "1", "0", "2.5", "-1", "2**62", "255", "'v'")}
#: Methods that make iterations end.
_ENDING = {"__iter__", "__next__", "__getitem__", "__setattr__"}


@dataclass
class Class:
    """A class written: `base` is the name of a builtin type or "", `methods` includes inherited ones, `plain`: instances have a
    dictionary and a layout that ``__class__`` assignment accepts."""

    name: str
    base: str
    methods: set = field(default_factory=set)
    plain: bool = True


def instance(choices, made):
    """An expression that makes an instance of a Class."""
    return f"{made.name}({choices.pick(CONTENTS[made.base])})"


class ClassWriter:
    """Writes classes.

    Args:
        choices: Choices. lines: list to which source lines are added.
    Attributes:
        made: list of Class so far.
    """

    def __init__(self, choices, lines):
        self.choices = choices
        self.lines = lines
        self.made = []
        self.descriptor = False

    def write(self, methods, base="", parent=None):
        """Write a class with these methods and return it; `parent`: Class to derive from."""
        choices = self.choices
        name = "ABCDEFGH"[len(self.made)]
        slots = not base and parent is None and choices.chance(20)
        made = Class(name, base, set(methods), plain=not slots and not base)
        if parent is not None:
            made.base, made.plain = parent.base, parent.plain
        with_descriptor = "d" in methods and not self.descriptor
        if with_descriptor:
            self.write_descriptor()
        heads = [parent.name] if parent is not None else [base] if base else []
        self.lines.append(f"class {name}{f'({heads[0]})' if heads else ''}:")
        self.write_state(made, slots, parent)
        if self.descriptor and "d" in methods:
            self.lines.append("    d = D0()")
        self.write_methods(made, methods, parent)
        if parent is not None:
            made.methods |= parent.methods
        self.made.append(made)
        return made

    def write_methods(self, made, methods, parent):
        choices = self.choices
        aliased = None
        for method in methods:
            symbol = SYMBOLS.get(method)
            if method == "d":
                continue
            arithmetic = symbol and symbol not in COMPARED
            if aliased and arithmetic and aliased != method and choices.chance(15):
                self.lines.append(f"    {method} = {aliased}")
                continue
            self.method(made, method, parent)
            if arithmetic:
                aliased = method
        if not made.base and parent is None:
            # The usual text of an object has its address in it.
            self.lines.append(f"    def __repr__(self): return '<{made.name}>'")

    def write_state(self, made, slots, parent):
        if made.base:
            self.lines.append(f"    v = {self.choices.pick((7, 1, 0, 2.5))}")
            self.lines.append("    w = n = 0")
        elif parent is not None:
            self.lines.append(f"    k = {self.choices.pick((1, 2.5, 0))}")
        else:
            if slots:
                self.lines.append("    __slots__ = ('v', 'w', 'n')")
            self.lines.append("    def __init__(self, v, w=1):")
            self.lines.append("        self.v, self.w, self.n = v, w, 0" if slots or self.choices.below(3) else
                              "        self.w = w; self.v = v; self.n = 0")

    def write_descriptor(self):
        self.descriptor = True
        given = self.choices.pick(("3", "owner.__name__", "2.5", "LOG[-1][1]"))
        self.lines.extend(["class D0:", "    def __get__(self, instance, owner):", "        LOG.append(('D0', 'get'))",
                           f"        return {given}"])
        if self.choices.chance(60):
            self.lines.extend(["    def __set__(self, instance, value):",
                               "        LOG.append(('D0', 'set', type(value).__name__))",
                               "        instance.w = value"])

    def method(self, made, method, parent):
        """Write one method: head, note in the log, perhaps a surprise, result."""
        choices, lines, name = self.choices, self.lines, made.name
        parameters = PARAMETERS.get(method, "")
        first = "self"
        if method in ("p", "make", "plain"):
            lines.append({"p": "    @property", "make": "    @classmethod", "plain": "    @staticmethod"}[method])
            first = {"p": "self", "make": "cls", "plain": ""}[method]
        lines.append(f"    def {method}({', '.join(part for part in (first, parameters) if part)}):")
        known, noted = parameters.split(",")[0], ""
        if known == "name":
            noted = ", name"
        elif known in ("other", "key", "item", "x") and choices.below(2):
            noted = f", type({known}).__name__"
        lines.append(f"        LOG.append(('{name}', '{method.strip('_')}'{noted}))")
        if first == "self" and method not in ("__getattr__", "__setattr__", "__del__") and choices.chance(38):
            self.surprise(made, method)
        if method == "__getitem__" and made.base != "dict":
            lines.append("        if type(key) is int and key > 3: raise IndexError(key)")
        self.ending(made, method, parent)
        if method == "p" and choices.chance(60):
            lines.extend(["    @p.setter", "    def p(self, value):", f"        LOG.append(('{name}', 'set p'))",
                          f"        self.v = {choices.pick(('2', 'len(LOG)', '1.5'))}"])

    def ending(self, made, method, parent):
        """The last lines of a method."""
        choices, lines = self.choices, self.lines
        asked = method in INHERITED.get(made.base, ()) or parent is not None and method in parent.methods
        if method in SILENT:
            lines.append("        " + (f"super().{method}({PARAMETERS[method]})" if method in INHERITED.get(made.base, ())
                                       else SILENT[method]))
        elif method == "__next__":
            lines.append("        self.n += 1")
            lines.append(f"        if self.n > {choices.between(1, 4)} or len(LOG) > 120: raise StopIteration")
            lines.append(f"        return {choices.pick(('self.n', 'self.v', '2.5', 'self'))}")
        elif method == "__iter__" and choices.below(3):
            # Also for lists: what comes from super() might be a list that grows as it is read.
            lines.append("        return self" if "__next__" in made.methods
                         else f"        yield from {choices.pick(('(1, 2)', 'range(3)', '[self.v, 1]'))}")
        elif asked and method != "__iter__" and choices.chance(65 if made.base else 40):
            lines.append(f"        return super().{method}({PARAMETERS.get(method, '').split('=')[0]})")
        else:
            lines.append(f"        return {self.result(made, method)}")

    def result(self, made, method):
        symbol = SYMBOLS.get(method)
        if symbol is None:
            usual, *others = RESULTS[method]
            return usual if self.choices.below(100) < 60 else self.choices.pick(others)
        options = COMPARISON if symbol in COMPARED else ARITHMETIC
        if symbol in ("*", "@", "<<"):
            # What is given may be large.
            options = tuple(option for option in options if option != "self.v {s} other")
        return self.choices.pick(options).format(s="*" if symbol == "@" else symbol,
                                                 new=f"{made.name}({'self.v' if not made.base else CONTENTS[made.base][0]})")

    def surprise(self, made, method):
        """A statement with side effects that reach beyond the method's result."""
        choices, lines = self.choices, self.lines
        kind = choices.below(13)
        if kind < 2:
            text = f"self.v = {choices.pick(('1', '2.5', '0', '2**62', 'True', 'len(LOG)'))}"
        elif kind == 2:
            text = "self.v += 1"
        elif kind < 5:
            raised = choices.pick(("ValueError", "TypeError", "KeyError", "ZeroDivisionError", "StopIteration", "AttributeError"))
            reason = choices.pick(("self.v == 1", "len(LOG) > 3", "len(LOG) % 4 == 3", "type(G) is int", "True"))
            text = f"if {reason}: raise {raised}('{made.name}')"
        elif kind == 5:
            text = choices.pick(("if len(HELD) < 8: HELD.append(self.v)", "HELD.clear()", "HELD[:1] = []",
                                 "HELD[0:1] = [2.5, None]", "HELD.reverse()"))
        elif kind < 8:
            lines.append(f"        global {choices.pick(('G', 'G', 'G', 'help1'))}")
            name = lines[-1].split()[1]
            values = ("2", "2.5", "None", "'g'", "self", "2**63") if name == "G" else ("help0", "len", "max")
            text = f"{name} = {choices.pick(values)}"
        elif kind < 10 and made.plain and len(self.made):
            text = f"self.__class__ = {choices.pick([other.name for other in self.made if other.plain] + [made.name])}"
        elif kind == 10:
            text = self.changed_class(made, method)
        elif kind == 11 and made.base in ("list", "dict"):
            text = {"list": choices.pick(("if list.__len__(self) < 6: self.append(1)", "self[:1] = ()", "self.clear()")),
                    "dict": choices.pick(("self.clear()", "self.pop(0, None)", "self.update({1: 2.5})"))}[made.base]
        else:
            text = choices.pick(("self.w = [1]", "self.w = None", "if hasattr(self, 'w'): del self.w",
                                 "HELD.append(1) if len(HELD) < 5 else HELD.pop()"))
        lines.append(f"        {text}")

    def changed_class(self, made, method):
        """A statement that changes the class of `made`; never so that an iteration would not end."""
        name = made.name
        if method not in _ENDING and self.choices.below(3):
            others = sorted(made.methods - _ENDING - {"d", "__del__"})
            if self.choices.below(2) and others:
                return f"{name}.{method} = {name}.{self.choices.pick(others)}"
            return f"if '{method}' in {name}.__dict__: del {name}.{method}"
        return f"{name}.k = {self.choices.pick((1, 2.5))}"
