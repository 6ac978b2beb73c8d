"""Argument values as Python expressions: clustered where machine representations end."""

SMALL = (0, 1, 2, 3, -1, -2, 5)
INTS = (0, 1, -1, 2, 3, 7, -5, -6, 255, 256, 257, 2**15, 2**30 - 1, 2**30, 2**31 - 1, 2**31, -2**31, -2**31 - 1, 2**53, 2**53 + 1,
        2**60, 2**62 - 1, 2**62, -2**62, 2**63 - 1, -2**63, 2**63, -2**63 - 1, 10**20, -10**30)
#: Where the sum, product or negation of two no longer fits into a machine integer.
EDGES = (2**63 - 1, -2**63, 2**62, -2**62 - 1, 2**63 - 2, 3 * 2**61, -2**63 + 1, 2**32, 2**63)
FLOATS = ("0.0", "-0.0", "1.0", "0.5", "-2.5", "3.75", "1e10", "1e-10", "1e308", "5e-324", "2.0**53", "2.0**63", "-2.0**63", "inf",
          "-inf", "nan", "nan", "nan", "-0.0", "0.0", "inf")
TEXTS = ("a", "b", "\xe9", "\u20ac", "z", "0")
ARRAY_ITEMS = (0, 1, 2, 100, 7)
KINDS = ("int", "float", "bool", "list", "array", "text", "bytes", "bytearray", "tuple", "range", "view", "none")


def value(choices, kind):
    """An expression of a value of this kind; in a few cases of another kind."""
    if choices.chance(5):
        kind = choices.pick(KINDS)
    return MAKERS[kind](choices)


def integer(choices):
    return repr(choices.pick(choices.weighted((45, SMALL), (25, INTS), (30, EDGES))))


def _items(choices, limit=5):
    kind = choices.pick(("int", "int", "float", "bool"))
    return [value(choices, kind) for _ in range(choices.below(limit + 1))]


def _list(choices):
    if choices.chance(8):
        return f"[{', '.join(_list(choices) for _ in range(choices.below(3)))}]"
    return f"[{', '.join(_items(choices))}]"


def _tuple(choices):
    items = _items(choices, 3)
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def _array(choices):
    code = choices.pick("qdbBif")
    return f"array({code!r}, {[choices.pick(ARRAY_ITEMS) for _ in range(choices.below(6))]})"


def _text(choices):
    return repr("".join(choices.pick(TEXTS) for _ in range(choices.below(6))))


def _bytes(choices):
    return repr(bytes(choices.pick((0, 1, 97, 128, 255)) for _ in range(choices.below(6))))


def _view(choices):
    inner = _array(choices) if choices.below(2) else f"bytearray({_bytes(choices)})"
    return f"memoryview({inner})"


def _range(choices):
    start, step = choices.pick((0, 0, 1, -2, 250, 2**62)), choices.pick((1, 1, 2, -1, 3))
    return f"range({start}, {start + step * choices.below(6)}, {step})"


MAKERS = {
    "int": integer, "float": lambda choices: choices.pick(FLOATS), "bool": lambda choices: choices.pick(("False", "True")),
    "list": _list, "tuple": _tuple, "array": _array, "text": _text, "bytes": _bytes,
    "range": _range, "view": _view, "bytearray": lambda choices: f"bytearray({_bytes(choices)})", "none": lambda choices: choices.pick(("None", "'ab'")),
}
