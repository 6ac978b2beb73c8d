"""Idioms: programs of a few lines, each about one thing that machine code does specially.

They are quick to compile, so that many are tried; the long programs of the other generators show how things act together. To add
one, append an `Idiom`: what its parameters are, and its text, in which fields such as {arithmetic} or {near} are chosen anew each time.
Those about instances and classes are in object_idioms.py.
"""

from collections import namedtuple
from string import Formatter

from fuzz.generators import values
from fuzz.program import Program

Idiom = namedtuple("Idiom", "parameters text")
Idiom.__doc__ = """Parameters: their kinds (`KINDS`, or kinds of values.MAKERS). Text: of the function's body, or of a whole module
that defines the entry f0 if it begins with a line "module"."""

#: Where numbers stop fitting: into a small int, a byte, a digit, 32 bits, a float's mantissa, 64 bits.
POWERS = (3, 7, 8, 15, 16, 30, 31, 32, 52, 53, 54, 60, 61, 62, 63, 64)
FLOATS = ("0.0", "-0.0", "0.5", "-0.5", "1.5", "-1.5", "2.5", "-2.5", "-7.25", "1e300", "-1e300", "2.0**53", "2.0**62", "-2.0**63", "2.0**63",
          "1e22", "inf", "-inf", "nan", "nan", "nan", "5e-324", "1.0", "-1.0", "3.0")
BYTES = (0, 1, 7, 127, 128, 254, 255, 256, 257, -1, -128, 65536, 2**32 + 1)


def near(choices):
    """An int close to a power of two."""
    return str(choices.pick((1, 1, -1)) * (1 << choices.pick(POWERS)) + choices.between(-2, 2))


def place(choices):
    """Of a bit, or nearly."""
    return str(choices.pick((0, 1, 5, 31, 32, 62, 63, 64, 65, 70, -1)))


def few(choices):
    return str(choices.between(-9, 9))


def number(choices):
    """Of any kind."""
    return choices.weighted((30, near), (30, few), (25, floating), (10, truth), (5, odd))(choices)


def floating(choices):
    return choices.pick(FLOATS)


def edge(choices):
    """A float of which little is computed but nan, infinities and zeros."""
    return choices.pick(("nan", "inf", "-inf", "inf", "0.0", "-0.0", "1e308", "1.5"))


def truth(choices):
    return choices.pick(("True", "False"))


def odd(choices):
    """Of another kind; nothing that grows when it is multiplied."""
    return choices.pick(("None", "''", "()", "[]", "2**100", "1j", "Number(3)", "Real(2.5)"))


def byte(choices):
    return str(choices.pick(BYTES))


def numbers(choices):
    """A short list or tuple."""
    kind = choices.pick((few, few, near, floating, number))
    left, right = choices.pick((("[", "]"), ("[", "]"), ("(", ",)")))
    items = [kind(choices) for _ in range(choices.below(6))]
    return left + ", ".join(items) + right if items else left + right[-1]


def text(choices):
    return values.MAKERS["text"](choices)


def data(choices):
    """What bytes, or numbers of a fixed size, are stored in."""
    size = choices.between(0, 5)
    return choices.pick((f"bytearray({size})", f"bytearray({size})", f"memoryview(bytearray({size}))",
                         f"array({choices.pick('bBhHiIqQfd')!r}, [1] * {size})"))


#: Kinds of parameters. A "count" bounds a recursion, and is never of another kind; loops bound themselves, because mutants change arguments.
KINDS = {"near": near, "place": place, "few": few, "count": few, "number": number, "float": floating, "edge": edge, "bool": truth, "byte": byte, "numbers": numbers, "text": text,
         "data": data, "odd": odd}

#: Fields of texts, beside those of KINDS.
FIELDS = {
    "arithmetic": ("+", "-", "*", "//", "%", "/", "+", "-", "*"),
    "bitwise": ("&", "|", "^", "<<", ">>"),
    "comparison": ("<", "<=", "==", "!=", ">", ">="),
    "rounding": ("int", "round", "math.floor", "math.ceil", "math.trunc"),
    "conversion": ("int", "float", "bool", "abs", "round", "-", "+", "~", "not "),
    "function": ("min", "max", "divmod", "math.pow", "math.hypot", "math.fmod", "math.copysign", "isinstance"),
    "shadow": ("len", "abs", "range", "min", "int", "print", "sum", "enumerate"),
    "junction": ("and", "or"), "negation": ("", "not "), "way": ("break", "continue", "return None"),
    "error": ("ZeroDivisionError", "TypeError", "ValueError", "IndexError", "Exception", "OverflowError"),
    "method_changed": ("A.f = lambda self, n: ('new', n)", "B.f = lambda self, n: ('own', n)", "c.f = lambda n: ('its', n)", "c.__class__ = A",
                       "A.f = abs", "vars(c)['f'] = float", "del A.f"),
    "function_changed": ("g.__code__ = h.__code__", "g.__defaults__ = ('new',)", "g.__defaults__ = None", "g.__kwdefaults__ = {'c': 'new'}",
                         "g.__kwdefaults__ = None", "g.__kwdefaults__['c'] = 5", "globals().update(g=h)"),
}

MODULE = "module\n"
#: What every program begins with.
PRELUDE = """import math
from array import array
inf = 1e999
nan = inf - inf
class Number(int): pass
class Real(float): pass
"""

IDIOMS = (
    # Numbers.
    Idiom(("number", "number"), "return p0 {arithmetic} p1"),
    Idiom(("near", "near"), "return p0 {arithmetic} p1, p1 {arithmetic} p0"),
    Idiom(("near", "near"), "return p0 / p1, p1 / p0"),
    Idiom(("float", "float"), "return p0 {arithmetic} p1, p0 {comparison} p1"),
    Idiom(("near", "few"), "return p0 {arithmetic} {few}, {near} {arithmetic} p1, p1 {bitwise} 3"),
    Idiom(("near", "few"), "if 0 <= p1 < 70:\n    return p0 {bitwise} p1\nreturn p0 >> 1"),
    Idiom(("few", "place"), "if p1 < 100:\n    return p0 << p1, p0 >> p1, ~p0 {bitwise} p1"),
    Idiom(("edge", "edge"), "a, b = p0 {arithmetic} p1, p1 {arithmetic} p0\nif a {comparison} b:\n    return 1, not a\nreturn a {comparison} b, b {comparison} 1.5, not a, -b, a {junction} b"),
    Idiom(("number",), "return {conversion}(p0)"),
    Idiom(("float",), "return {rounding}(p0), {rounding}(-p0)"),
    Idiom(("number", "number"), "return {function}(p0, p1)"),
    Idiom(("near", "near", "few"), "p0 {arithmetic}= p1\np0 {arithmetic}= p2\nreturn p0"),
    Idiom(("number", "number"), "return p0 {comparison} p1, p0 {comparison} {number}"),
    Idiom(("number", "number", "number"), "return p0 {comparison} p1 {comparison} p2"),
    Idiom(("number", "number"), "return (p0 {junction} p1), (p0 {comparison} p1 {junction} p1), not p0"),
    Idiom(("number", "number"), "if p0 {comparison} p1:\n    return p0\nreturn p1"),
    Idiom(("near",), "r = 0\nfor i in range(4):\n    r {arithmetic}= p0\n    p0 {arithmetic}= {few}\nreturn r, p0"),
    Idiom(("float",), "r = 0.0\nfor i in range(4):\n    r {arithmetic}= p0\n    p0 = p0 {arithmetic} i\nreturn r, p0"),
    Idiom(("number", "count"), "w1 = p1 % 16\nwhile w1 > 0:\n    p0 = p0 {arithmetic} w1\n    w1 -= 1\nreturn p0"),
    # Loops.
    Idiom(("few", "count", "few"), "r = []\nfor i in range(p0, p0 + (p1 % 16 - 8), p2):\n    r.append(i)\nreturn r"),
    Idiom(("near", "count", "few"), "r = 0\nfor i in range(p0, p0 + (p1 % 16 - 8), p2):\n    r = r * 3 + i\nreturn r"),
    Idiom(("count", "count"), "r = 0\nfor i in range(p0 % 16 - 8, p1 % 16 - 8):\n    if i {comparison} {few}:\n        {way}\n    r += i\nelse:\n    r = -r\nreturn r"),
    Idiom(("numbers", "numbers"), "r = []\nfor a, b in zip(p0, p1):\n    r.append(a)\n    r.append(b)\nreturn r"),
    Idiom(("numbers", "few"), "r = []\nfor i, a in enumerate(p0, p1):\n    r.append((i, a))\nreturn r"),
    Idiom(("numbers", "numbers", "few"), "r = p2\nfor i, (a, b) in enumerate(zip(p0, p1)):\n    r = r {arithmetic} a {arithmetic} b\nreturn r"),
    Idiom(("numbers", "number"), "for a in reversed(p0):\n    p1 = p1 {arithmetic} a\nreturn p1"),
    Idiom(("numbers", "number"), "for a in p0:\n    if a {comparison} p1:\n        {way}\n    p1 {arithmetic}= a\nreturn p1"),
    Idiom(("count", "count"), "r = []\nfor i in range(p0 % 10):\n    for j in range(i, p1 % 10):\n        if i {comparison} j:\n            {way}\n        r.append(i * j)\nreturn r"),
    # Containers.
    Idiom(("data", "few", "byte"), "p0[p1] = p2\nreturn p0"),
    Idiom(("data", "byte"), "for i in range(len(p0)):\n    p0[i] = p1\n    p1 += {few}\nreturn p0"),
    Idiom(("data", "few", "few"), "r = p0[p1]\np0[p2] = r {arithmetic} 1\nreturn r, p0"),
    Idiom(("numbers", "few", "number"), "p0[p1] = p2\nreturn p0"),
    Idiom(("numbers", "few", "few"), "p0[p1], p0[p2] = p0[p2], p0[p1]\nreturn p0[p1] {arithmetic} p0[p2], p0"),
    Idiom(("numbers", "few", "few"), "return p0[p1:p2], p0[:p1], len(p0[p2:]), p0[p1]"),
    Idiom(("numbers", "number"), "p0.append(p1)\nr = p0.pop({few})\nreturn r, p0, {few} in p0"),
    Idiom(("numbers", "few"), "p0[p1] {arithmetic}= {few}\nreturn sum(p0), p0"),
    Idiom(("text", "few"), "return ord(p0[p1]), p0[p1] {comparison} 'b', p0[p1:]"),
    Idiom(("text", "text"), "r = 0\nfor a in p0:\n    if a in p1:\n        r += ord(a)\nreturn r, p0 {comparison} p1"),
    Idiom(("numbers",), "a, b, *c = p0\nreturn a {comparison} b, c"),
    Idiom(("number", "number"), "a, b = p1, p0\nreturn [a, (b, a), {{b: a}}]"),
    Idiom(("numbers", "number"), "return [a {arithmetic} p1 for a in p0 if a {comparison} p1]"),
    # Exceptions.
    Idiom(("number", "number"), "try:\n    return p0 {arithmetic} p1\nexcept {error} as e:\n    return type(e), e.args\nfinally:\n    p0 = p1"),
    Idiom(("numbers", "few"), "r = 0\nfor i in range(4):\n    try:\n        r = r + p0[i] // p1\n    except {error}:\n        r = -1\n        p1 = 1\nreturn r"),
    Idiom(("number", "count"), "for i in range(p1 % 10):\n    if i == {few}:\n        raise {error}(p0, i)\nreturn p0 {arithmetic} i"),
    Idiom(("few",), "if p0 > {few}:\n    del p0\nreturn p0"),
    # Calls, globals, closures.
    Idiom(("number", "number"), MODULE + "def g(a, b={few}, c={number}):\n    return a, b, c\ndef f0(p0, p1):\n    return g(p0), g(p0, p1), g(p0, c=p1), g(b=p0, a=p1)\n"),
    Idiom(("number",), MODULE + "def f0(p0, p1={few}, p2={number}):\n    return p0, p1, p2\n"),
    Idiom(("number", "number"), MODULE + "def g(a, b):\n    return a {arithmetic} b\ndef f0(p0, p1):\n    return g(p0, p1) {arithmetic} g(p1, {few})\n"),
    Idiom(("count", "number"), MODULE + "def f0(p0, p1):\n    if p0 <= 0:\n        return p1\n    return f0(p0 - 1, p1 {arithmetic} {few}) {arithmetic} {few}\n"),
    Idiom(("number",), MODULE + "def make(c):\n    def step(a):\n        nonlocal c\n        c = c {arithmetic} a\n        return c\n    return step\nf0 = make({number})\n"),
    Idiom(("number",), MODULE + "def make():\n    c = {few}\n    def put(a):\n        nonlocal c\n        c = a\n    def f0(p0):\n        r = c\n        put(p0)\n        return r, c {arithmetic} p0\n    return f0\nf0 = make()\n"),
    Idiom(("number", "bool"), MODULE + "K = {number}\ndef f0(p0, p1):\n    global K\n    if p1:\n        K = p0\n    return K {arithmetic} p0\n"),
    Idiom(("number", "bool"), MODULE + "K = {number}\ndef get(a):\n    return K {arithmetic} a\ndef f0(p0, p1):\n    global K\n    r = get(p0)\n    if p1:\n        K = p0\n    return r, get({few})\n"),
    Idiom(("numbers", "bool"), MODULE + "def g(a):\n    return {shadow}(a)\ndef f0(p0, p1):\n    global {shadow}\n    r = g(p0)\n    if p1:\n        {shadow} = type\n    return r, g(p0)\n"),
    Idiom(("number", "bool"), MODULE + "def g(a):\n    return 1\ndef h(a):\n    return g(a) {arithmetic} a\ndef f0(p0, p1):\n    global g\n    r = h(p0)\n    if p1:\n        g = abs\n    return r, h(p0)\n"),
    # Instances.
    Idiom(("number", "number"), MODULE + "class C:\n    def __init__(self, a):\n        self.a = a\n        self.b = {few}\n    def sum(self, n):\n        self.b {arithmetic}= n\n        return self.a {arithmetic} self.b\ndef f0(p0, p1):\n    c = C(p0)\n    r = c.sum(p1)\n    c.a = p1 {comparison} p0\n    return r, c.sum({few}), c.a, list(vars(c))\n"),
    Idiom(("number", "bool"), MODULE + "class A:\n    def __init__(self, v): self.v, self.w = v, 1\nclass B:\n    def __init__(self, v): self.w, self.v = v, 2\ndef get(c):\n    return c.v, c.w\ndef f0(p0, p1):\n    return get(B(p0) if p1 else A(p0)), get(A({number}))\n"),
    Idiom(("bool", "number"), MODULE + "class C:\n    flag = False\n    def set(self, flag): self.flag = flag\ndef f0(p0, p1):\n    c = C()\n    c.set(p0)\n    c.set(not c.flag)\n    if p0: c.__dict__['flag'] = p1\n    c.set(True)\n    return c.flag, vars(c)\n"),
    Idiom(("count", "number"), MODULE + "class N:\n    def __init__(self, n, v): self.n, self.v = n, v\ndef f0(p0, p1):\n    n = None\n    for i in range(p0 % 8): n = N(n, i)\n    while n:\n        p1 = p1 {arithmetic} n.v\n        n = n.n\n    return p1\n"),
    Idiom(("number", "bool"), MODULE + "class C:\n    def f(self, n): return n {arithmetic} 1\ndef call(c, n):\n    return c.f(n)\ndef f0(p0, p1):\n    c = C()\n    r = call(c, p0)\n    if p1: c.f = lambda n: ('own', n)\n    return r, call(c, p0)\n"),
    Idiom(("number", "number"), MODULE + "class V:\n    def __init__(self, x): self.x = x\n    def __add__(self, o): return V(self.x + o.x)\n    def __mul__(self, k): return V(self.x * k)\n    def __lt__(self, o): return self.x < o.x\ndef f0(p0, p1):\n    a, b = V(p0), V(p1)\n    return (a + b * {few}).x, a < b, isinstance(a, V)\n"),
    Idiom(("bool", "number"), MODULE + "def make():\n    g = abs\n    def put(h):\n        nonlocal g\n        g = h\n    def f0(p0, p1):\n        r = g(p1)\n        if p0: put(float)\n        return r, g(p1)\n    return f0\nf0 = make()\n"),
    Idiom(("number", "numbers"), "return (lambda a: a {arithmetic} p0)({few}), [p0 for a in p1], list(map(lambda a: a {comparison} p0, p1))"),
)


def idiom_program(choices, idioms=IDIOMS):
    """A Program that is one of the idioms, called up to four times with arguments of its kinds."""
    idiom = choices.pick(idioms)
    shadow = choices.pick(FIELDS["shadow"])
    body = "".join(before + (shadow if field == "shadow" else chosen(choices, field) if field else "")
                   for before, field, _, _ in Formatter().parse(idiom.text))
    if body.startswith(MODULE):
        source = body[len(MODULE):]
    else:
        names = ", ".join(f"p{index}" for index in range(len(idiom.parameters)))
        source = f"def f0({names}):\n" + "".join(f"    {line}\n" for line in body.splitlines())
    calls = tuple(arguments(choices, idiom.parameters) for _ in range(choices.between(1, 4)))
    return Program(PRELUDE + source, "f0", calls, origin=("idiom",))


def chosen(choices, field):
    """Text for a field."""
    return KINDS[field](choices) if field in KINDS else choices.pick(FIELDS[field])


def arguments(choices, kinds):
    """A tuple of arguments; one in twelve is of another kind."""
    texts = [KINDS[choices.pick(("number", "odd"))](choices) if kind != "count" and choices.chance(8) else KINDS[kind](choices) for kind in kinds]
    return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"
