"""The statements of the entry functions of object programs (fuzz/generators/objects.py)."""

from fuzz.generators.object_expressions import LITERALS, SMALL, Expressions

CAUGHT = ("TypeError", "(TypeError, ValueError)", "Exception", "(KeyError, IndexError, AttributeError)", "ArithmeticError")
RAISED = ("ValueError", "KeyError", "RuntimeError", "StopIteration")


class Statements(Expressions):
    """Writes statements; a mixin of the `Writer` of objects.py, which says what the attributes are."""

    def block(self, depth, loops, count):
        """`count` statements at this depth, inside this many loops; names bound in compound ones are mostly forgotten."""
        for _ in range(count):
            statement = self.choices.weighted(*STATEMENTS) if self.budget > 0 and depth < 5 else assign
            self.budget -= 1
            before = dict(self.names)
            statement(self, depth, loops)
            if statement in COMPOUND and not self.choices.chance(6):
                self.names = before

    def inner(self, depth, loops):
        self.block(depth, loops, self.choices.pick((1, 2, 1)))


def assign(writer, depth, loops):
    writer.keep(depth, writer.expression())


def augment(writer, depth, loops):
    """Augmented assignment to a name, an attribute or an item."""
    choices, thing = writer.choices, writer.thing(True)
    symbols = [symbol for symbol in writer.symbols if symbol not in ("<<", "*")] if writer.numeric else ()
    symbol = choices.pick(symbols or ("+", "-"))
    targets = [f"{thing}.w", "HELD[0]", *([f"{thing}[0]"] if writer.has("__setitem__") else ()),
               *([f"{thing}.p"] if writer.has("p") else ()),
               *(["G"] if writer.global_name else ())]
    if choices.chance(40) and symbols:
        name, thing = writer.result(), writer.thing()
        writer.line(depth, f"{name} = {thing if choices.below(2) else writer.atom()}")
        writer.line(depth, f"{name} {symbol}= {writer.atom() if choices.below(2) else thing}")
        writer.names[name] = "result"
        return
    writer.line(depth, f"{choices.pick(targets)} {symbol}= {choices.pick(('1', '2.5', '2'))}")


def store(writer, depth, loops):
    """Attributes and items set, deleted and set again."""
    choices, thing = writer.choices, writer.thing(True)
    value = writer.atom()
    name = writer.classes[0].name
    ways = [f"{thing}.w = {value}", f"setattr({thing}, 'w', {choices.pick(LITERALS)})", f"{thing}.v = {choices.pick(LITERALS)}",
            f"if hasattr({thing}, 'w'): del {thing}.w", f"{name}.k = {choices.pick(LITERALS)}", f"HELD[:1] = [{value}]"]
    plain = [made.name for made in writer.classes if made.plain]
    if plain:
        ways.append(f"if type({thing}) is {plain[0]}: {thing}.__class__ = {choices.pick(plain)}")
    for method, text in (("__setitem__", "{0}[1] = {1}"), ("__setitem__", "{0}[0], {0}[1] = {1}, {1}"),
                         ("__delitem__", "del {0}[0]"),
                         ("p", "{0}.p = {1}"), ("d", "{0}.d = {1}"), ("__len__", "{2}.__len__ = lambda self: 1"),
                         ("__bool__", "{2}.__bool__ = lambda self: False"),
                         ("__add__", "{2}.__add__ = lambda self, other: 5"), ("step", "{0}.step = lambda x=1: x"),
                         ("__call__", "{2}.__call__ = help0"),
                         ("__eq__", "{2}.__eq__ = lambda self, other: self is other")):
        if method in writer.methods:
            ways.extend([text.format(thing, value, name)] * 2)
            if "help0" in text:
                writer.helper("help0")
    if writer.global_name:
        ways.append(f"G = {value}")
    writer.line(depth, choices.pick(ways))


def branch(writer, depth, loops):
    writer.line(depth, f"if {writer.condition()}:")
    writer.inner(depth + 1, loops)
    if writer.choices.chance(25):
        writer.line(depth, f"elif {writer.condition()}:")
        writer.inner(depth + 1, loops)
    if writer.choices.chance(50):
        writer.line(depth, "else:")
        writer.inner(depth + 1, loops)


def loop(writer, depth, loops):
    """A for loop of at most four turns."""
    choices = writer.choices
    if loops > 1:
        return assign(writer, depth, loops)
    name = f"i{len(writer.lines)}"
    heads = [f"{name} in range({choices.between(1, 4)})", f"{name} in (1, 2.5, {writer.made()})", f"{name} in HELD[:4]"]
    sequences = writer.of("sequence")
    if sequences:
        heads.extend([f"{name} in list({choices.pick(sequences)})[:4]",
                      f"{name} in reversed(list({choices.pick(sequences)})[:3])"])
    if writer.has("__iter__", "__getitem__") and choices.below(3):
        thing = writer.thing(True)
        heads.extend([f"{name} in {thing}", f"_, {name} in zip(range(4), {thing})", f"{name}, _ in zip({thing}, 'abc')",
                      f"{name} in list({thing})[:3]",
                      f"_, {name} in enumerate({thing})"])
    writer.line(depth, f"for {choices.pick(heads)}:")
    writer.names[name] = choices.pick(("number", "result", "object"))
    writer.inner(depth + 1, loops + 1)
    if choices.chance(15):
        writer.line(depth + 1, f"if {writer.condition()}: {choices.pick(('break', 'continue'))}")
    if choices.chance(12):
        writer.line(depth, "else:")
        assign(writer, depth + 1, loops)
    return None


def while_loop(writer, depth, loops):
    if loops > 1:
        return assign(writer, depth, loops)
    name = f"w{len(writer.lines)}"
    writer.line(depth, f"{name} = {writer.choices.between(1, 4)}")
    writer.line(depth, f"while {name} > 0 and ({writer.condition()}):" if writer.choices.chance(30) else f"while {name} > 0:")
    writer.line(depth + 1, f"{name} -= 1")
    writer.inner(depth + 1, loops + 1)
    return None


def attempt(writer, depth, loops):
    choices = writer.choices
    writer.line(depth, "try:")
    writer.inner(depth + 1, loops)
    if choices.chance(30):
        raised = f"{choices.pick(RAISED)}({choices.pick(LITERALS)})"
        writer.line(depth + 1, f"if {writer.condition()}: raise {raised}")
    if choices.chance(80):
        error = f"e{len(writer.lines)}"
        writer.line(depth, f"except {choices.pick(CAUGHT)} as {error}:")
        writer.keep(depth + 1, f"type({error}).__name__")
        if choices.chance(12):
            origin = choices.pick(("", f" from {error}", " from None"))
            writer.line(depth + 1, f"if {writer.condition()}: raise RuntimeError('r'){origin}")
        if choices.chance(20):
            writer.line(depth, "else:")
            assign(writer, depth + 1, loops)
        if choices.below(100) < 75:
            return
    writer.line(depth, "finally:")
    writer.inner(depth + 1, loops)


def context(writer, depth, loops):
    if not writer.has("__enter__"):
        return attempt(writer, depth, loops)
    choices, name = writer.choices, writer.result()
    second = f", {writer.thing(True)}" if choices.chance(20) else ""
    writer.line(depth, f"with {writer.thing(True)} as {name}{second}:")
    writer.names[name] = "result"
    writer.inner(depth + 1, loops)
    if choices.chance(30):
        writer.line(depth + 1, f"if {writer.condition()}: raise {choices.pick(RAISED)}(2)")
    return None


def call(writer, depth, loops):
    """Calls with keywords, stars, recursion, closures, generators."""
    choices = writer.choices
    value, thing = writer.read(), writer.thing()
    if choices.chance(30):
        make = writer.helper("make0")
        name = f"c{len(writer.lines)}"
        writer.line(depth, f"{name} = {make}({thing})")
        writer.keep(depth, f"({name}(), {name}({value}, by=3), {name}(*[1])[2])")
        return
    options = (("help0", "help0({0}, key=1)"), ("help0", "help0({1})"), ("help0", "help0(*[{1}, 2, 3], key={0})"),
               ("help0", "help0({0}, **{{'y': {1}, 'key': 2}})"),
               ("help1", "help1({1})"), ("help1", "help1(({0}), depth=2)"), ("gen0", "list(gen0({1}))"),
               ("gen1", "next(gen1({1}))"),
               ("gen1", "[k for k in gen1({0})]"), ("gen0", "max(map(str, gen0({0})))"), ("gen0", "[*gen0({0}), *gen0(1)]"),
               ("gen2", "[*gen2({1})]"), ("gen2", "[k for k in gen2({1}, 2)]"), ("gen2", "list(zip(gen2({1}), gen2({0})))"),
               ("gen2", "sum(1 for k in gen2({1}))"))
    helper, text = choices.pick(options)
    writer.helper(helper)
    writer.keep(depth, text.format(value, thing))


def nested(writer, depth, loops):
    """A function defined and called at once, or a generator, inside the entry."""
    choices = writer.choices
    name, thing = f"f{len(writer.lines)}", writer.thing()
    defaults = choices.pick(("x=1", f"x={writer.atom()}, *y", "x=2, **y", "x=3, *, y=4"))
    writer.line(depth, f"def {name}({defaults}):")
    writer.line(depth + 1, f"{choices.pick(('return', 'return', 'yield'))} ({thing}, x)")
    writer.keep(depth, f"{name}({choices.pick(('', '5'))})" if writer.lines[-1].lstrip().startswith("return")
                else f"list({name}())")


def text(writer, depth, loops):
    """f-strings and methods of str."""
    choices, atom = writer.choices, writer.atom()
    options = ["f'{{{0}}}|{{{1}!s:>4}}'", "f'{{{1}!r:.5}}-{{{1}}}'", "'a,b,c'.split(',')[{2}]", "'abc'.replace('b', str({1}))",
               "'-'.join(map(str, ({1}, 2)))",
               "'abc'.find('{2}')", "('x' * {2}).upper() + str({1})", "' a '.strip() + str({1})[:3]", "str({1}).startswith('1')",
               "f'{{{1}=!s}}'", "'ab'.center({2} + 4, '-')"]
    if writer.has("__format__", "__str__"):
        options.extend(["f'{{{3}}}'", "f'{{{3}:>3}}{{{1}}}'", "f'{{{3}!s}}'", "f'{{{3}!r}}'"])
    made = choices.pick(options).format(choices.pick(LITERALS), atom, choices.pick(("1", "0", "2")), writer.thing())
    # Text inside an f-string may hold no quotes of its kind before 3.12.
    writer.keep(depth, made if made.count("'") <= 2 or not made.startswith("f'") else f"str({atom})")


def unpack(writer, depth, loops):
    choices = writer.choices
    sequences = writer.of("sequence") or ["(1, 2.5, 3)"]
    source = choices.pick([*sequences, *([writer.thing(True)] if writer.has("__iter__", "__getitem__") else [])])
    one, two = writer.result(), writer.result()
    unpacked = choices.pick((f"[*{source}, 1]", f"(0, *{source})", f"{writer.atom()}, {writer.read()}, 3"))
    writer.line(depth, f"{one}, *{two} = {unpacked}")
    writer.names[two] = "result"
    writer.names[one] = "result"


def container(writer, depth, loops):
    """Dictionaries, sets and arrays made and used."""
    choices, name = writer.choices, f"d{len(writer.lines)}"
    key = writer.thing() if writer.has("__hash__", "__eq__") and choices.below(2) else choices.pick(("1", "'a'", "2.5", "None"))
    what = choices.below(4)
    if what == 0:
        writer.line(depth, f"{name} = {{{key}: {writer.atom()}, 2: {writer.read()}}}")
        writer.line(depth, choices.pick((f"{name}[{key}] += 1", f"{name}.setdefault({key}, 2)", f"{name} |= {{1: 2, {key}: 3}}",
                                         f"{name}.pop({key}, None)",
                                         f"del {name}[{key}]", f"{name}[{writer.atom()}] = 5")))
        writer.keep(depth, choices.pick((f"list({name}.values())", f"len({name})", f"{key} in {name}", f"{name}.get({key})",
                                         f"{{**{name}, 'z': 1}}", f"[k for k in {name}]")))
    elif what == 1:
        writer.line(depth, f"{name} = {{1, 2, {key}, {writer.atom()}}}")
        writer.line(depth, choices.pick((f"{name}.add({key})", f"{name} |= {{3}}", f"{name} &= {{1, 2}}",
                                         f"{name}.discard({writer.atom()})")))
        writer.keep(depth, choices.pick((f"len({name})", f"{key} in {name}", f"{name} >= {{1}}", f"len({name} - {{2}})",
                                         f"len({name} ^ {{1, 5}})")))
    elif what == 2:
        writer.line(depth, f"{name} = array({choices.pick(chr(113) + chr(100) + chr(98))!r}, [1, 2])")
        writer.line(depth, choices.pick((f"{name}[0] = {writer.atom()}", f"{name}.append({writer.thing()})",
                                         f"{name}[1] += {writer.atom()}", f"{name}[1:] = {name}")))
        writer.keep(depth, choices.pick((f"list({name})", f"sum({name})", name, f"{name}[-1]")))
    else:
        writer.line(depth, f"{name} = [{writer.thing()}, {writer.atom()}, {writer.read()}]")
        writer.line(depth, choices.pick((f"{name}[0] = {writer.atom()}", f"{name} += [1, 2]",
                                         f"{name}.insert({choices.pick(SMALL)}, {writer.atom()})",
                                         f"del {name}[{writer.choices.pick(SMALL[:3])}]",
                                         f"{name}[1:2] = {name}", f"{name}.extend({name})", f"{name}.sort(key=str)",
                                         f"{name}.remove({writer.atom()}) if len({name}) > 3 else {name}.reverse()")))
        writer.keep(depth, choices.pick((name, f"{name}[-1]", f"len({name})", f"{name}.index({writer.thing()})",
                                         f"[k for k in {name}]", f"tuple({name}[:2])")))


def match(writer, depth, loops):
    choices = writer.choices
    writer.line(depth, f"match {writer.thing()}:")
    patterns = ("int()", "0 | 1", f"{writer.classes[0].name}(v=1)", "[_, *t0]", "{0: _}", "str() | float()",
                f"{writer.classes[-1].name}()")
    writer.line(depth + 1, f"case {choices.pick(patterns)}:")
    writer.inner(depth + 2, loops)
    writer.line(depth + 1, "case _:")
    writer.inner(depth + 2, loops)


def leave(writer, depth, loops):
    """Leave the function or the loop early, sometimes."""
    choices = writer.choices
    ways = [f"return {writer.expression()}", f"assert {writer.atom()} != 7, 'a'",
            f"raise {choices.pick(RAISED)}({writer.atom()})"]
    writer.line(depth, f"if {writer.condition()}: {choices.pick([*ways, *(('break', 'continue') * 2 if loops else ())])}")


def fresh(writer, depth, loops):
    """A local instance, perhaps in place of another, which is freed; or what a walrus keeps."""
    choices = writer.choices
    if choices.chance(25):
        name = writer.result()
        writer.line(depth, f"if ({name} := {writer.expression()}): LOG.append(('entry', 1))")
        writer.names[name] = "result"
        return
    name = f"o{choices.below(2)}"
    writer.line(depth, f"{name} = {writer.made()}")
    writer.names[name] = "object"
    if choices.chance(15):
        writer.line(depth, f"del {name}")
        del writer.names[name]


#: (weight, statement), the simplest first.
STATEMENTS = ((24, assign), (9, augment), (10, store), (8, branch), (10, loop), (4, while_loop), (8, attempt), (6, context),
              (9, call), (4, nested),
              (5, text), (4, unpack), (9, container), (2, match), (3, leave), (7, fresh))
#: Those that have statements inside.
COMPOUND = {branch, loop, while_loop, attempt, context, match}
