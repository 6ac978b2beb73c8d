"""What iterator objects walk over, where the compiler has seen them made.

CPython's iterators over sequences, ranges, `enumerate` and `zip` objects are nested structures whose shape never changes
once they exist. Compiled loops read and advance their fields, so the object in the interpreter's frame is always true.
"""


class Sequence:
    """A position in a sequence.

    Attributes:
        python: type of the sequence. shape: Shape guess of it or None. step: 1 or -1. buffer: Format of an array's items.
    """

    __slots__ = ("python", "shape", "step", "buffer")

    def __init__(self, python, shape, step=1, buffer=None):
        self.python = python
        self.shape = shape
        self.step = step
        self.buffer = buffer


class Entries:
    """A position in a dict.

    Attributes:
        what: "keys", "values" or "items". shape: Shape guess of the dict or None.
    """

    __slots__ = ("what", "shape")

    def __init__(self, what, shape):
        self.what = what
        self.shape = shape


class Members:
    """A position in a set or frozenset."""

    __slots__ = ()


class View(Entries):
    """No iterator, but what a dict's method of that name gives."""

    __slots__ = ()


#: The type of the iterators over sets and frozensets.
SET_ITERATOR = type(iter(set()))
#: Types of a dict's iterators, and what they give.
DICT_ITERATORS = {type(iter({})): "keys", type(iter({}.values())): "values", type(iter({}.items())): "items"}


class Numbers:
    """The items left of a range."""

    __slots__ = ()


class Enumerated:
    """Counts the items of another source. `nonnegative`: the count started at 0 or above."""

    __slots__ = ("source", "nonnegative")

    def __init__(self, source, nonnegative):
        self.source = source
        self.nonnegative = nonnegative


class Zipped:
    """Several sources in step."""

    __slots__ = ("sources",)

    def __init__(self, sources):
        self.sources = sources


SOURCES = (Sequence, Numbers, Entries, Members, Enumerated, Zipped)


def walked(source):
    """What a source walks over, to be compared: all but guesses."""
    return tuple((path, part.__class__, *(getattr(part, name, None) for name in ("python", "step", "what", "nonnegative"))) for path, part in nodes(source))


def nodes(source, path=()):
    """Each part of a source, outermost first, with its path: indexes into zips, and -1 into an enumeration.

    Yields:
        (path, Sequence, Numbers, Entries, Members, Enumerated or Zipped).
    """
    yield path, source
    if source.__class__ is Enumerated:
        yield from nodes(source.source, (*path, -1))
    elif source.__class__ is Zipped:
        for number, part in enumerate(source.sources):
            yield from nodes(part, (*path, number))
