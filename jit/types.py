"""What the compiler knows of a value's type, and in which form the value is held.

`INT`, `FLOAT` and `BOOL` are *unboxed*: an int64, a double, a 0/1 in a register. Every other type is a
pointer to a Python object: `OBJECT` (anything) or `exact(t)` (``type(x) is t``, proven by a guard).
An exact builtin type cannot change during a value's life, so a guard holds for as long as the SSA value does.

`Shape` is not knowledge but a guess: what the items of a container probably are (seen at compile time in
the arguments, or in what was stored). Every use of a guess is guarded.
"""

import itertools
import weakref

from platforms.cpython import instances

try:
    from array import array as ARRAY
except ImportError:
    ARRAY = None


class Type:
    """One type in one representation.

    Attributes:
        name: as printed. register_class: "gpr" or "xmm". python: the exact Python type or None.
        unboxed: True for machine representations. buffer: Format of the items of an array or memoryview, if it is proven too.
    """

    __slots__ = ("name", "register_class", "python", "unboxed", "is_object", "numeric", "buffer")

    def __init__(self, name, register_class, python, unboxed, buffer=None):
        self.name = name
        self.buffer = buffer
        self.register_class = register_class
        self.python = python
        self.unboxed = unboxed
        self.is_object = not unboxed
        self.numeric = unboxed

    def __repr__(self):
        return self.name


INT = Type("int", "gpr", int, True)
FLOAT = Type("float", "xmm", float, True)
BOOL = Type("bool", "gpr", bool, True)
OBJECT = Type("object", "gpr", None, False)
#: A block parameter that is unbound on entry and whose type a back edge will decide.
PENDING = Type("pending", "gpr", None, False)
#: The NULL that calls put beside a callable, and an unbound local saved on the stack.
NULL = Type("null", "gpr", None, False)

#: Only of Shapes: an int at one time and a float at another.
MIXED = Type("int or float", "gpr", None, False)

UNBOXED = {int: INT, float: FLOAT, bool: BOOL}

_EXACT = {}


def exact(python_type):
    """The type "pointer to an object whose type is exactly `python_type`"."""
    found = _EXACT.get(python_type)
    if found is None:
        found = _EXACT[python_type] = Type(python_type.__name__, "gpr", python_type, False)
    return found


class Format:
    """How an item of an array or memoryview is stored.

    Attributes:
        code: as in the struct module. size: bytes. type: INT or FLOAT. lowest, highest: of ints.
    """

    __slots__ = ("code", "size", "type", "lowest", "highest")

    def __init__(self, code, size, type, signed=True):
        self.code = code
        self.size = size
        self.type = type
        self.lowest = -(1 << 8 * size - 1) if signed else 0
        self.highest = (1 << 8 * size - signed) - 1


FORMATS = {code: Format(code, size, INT, code.islower()) for size, codes in ((1, "bB"), (2, "hH"), (4, "iI"), (8, "lLqQ"))
           for code in codes}
FORMATS.update(f=Format("f", 4, FLOAT), d=Format("d", 8, FLOAT))
#: Proven types of arrays and of one-dimensional contiguous memoryviews: (Python type, code) -> Type.
BUFFERS = {(python, code): Type(f"{python.__name__}({code!r})", "gpr", python, False, buffer)
           for python in filter(None, (ARRAY, memoryview)) for code, buffer in FORMATS.items()}


NONE = exact(type(None))
LIST = exact(list)
TUPLE = exact(tuple)
STR = exact(str)
BYTES = exact(bytes)
BYTEARRAY = exact(bytearray)
INT_OBJECT = exact(int)
FLOAT_OBJECT = exact(float)
BOOL_OBJECT = exact(bool)

#: Types whose instances run no foreign code when they are freed, so freeing needs no frame. More may be added when they have been imported.
PLAIN = {int, float, bool, str, bytes, bytearray, range, type(None), complex, slice, type(iter(range(0)))}
#: Small numbers and the like: nobody can tell when one dies.
_UNNOTICED = frozenset({int, float, bool, complex, range, type(None)})
#: Only guards for these may be kept in compiled code: static types, whose address never dies, and array.array, which we hold.
STATIC = frozenset({int, float, bool, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, complex,
                    type(None), memoryview, slice, type(iter(())), type(iter([])), type(iter(range(0))),
                    type(iter(b"")), type(iter(bytearray())), type(iter("")), enumerate, zip, reversed,
                    type(iter({})), type(iter({}.values())), type(iter({}.items())), *filter(None, (ARRAY,))})


def dies_unnoticed(kind):
    """Whether it makes no difference when a value of this `Type` dies: it runs no code, cannot be referred to weakly, and is small."""
    return kind.unboxed or kind.python in _UNNOTICED


#: For asking whether a class is among them without running code of its metaclass.
STATIC_ADDRESSES = frozenset(map(id, STATIC))


def in_order_seen(references):
    """ClassReferences of a set, in an order that does not depend on addresses: code is the same in every compilation."""
    return sorted((item for item in references if item.__class__ is ClassReference), key=lambda reference: reference.number)


def is_class(item):
    """Whether an object is a class, without running code of its metaclass."""
    return any(base is type_of for base in instances.bases(type_of(item)))


class ClassReference:
    """A Python class that was seen at some place; it does not keep the class alive.

    Attributes:
        number: greater than that of every class seen before. address: of the class. changes: it was seen again and again
            with attributes changed.
    """

    __slots__ = ("number", "address", "reference", "changes")
    _numbers = itertools.count()

    def __init__(self, kind):
        self.number = next(self._numbers)
        self.address = id(kind)
        self.reference = weakref.ref(kind)
        self.changes = False

    def kind(self):
        """The class, or None if it has died."""
        return self.reference()

    def __eq__(self, other):
        return other.__class__ is ClassReference and other.address == self.address

    def __hash__(self):
        return self.address >> 4


type_of = type


class Shape:
    """A guess about a container's items.

    Attributes:
        type: `Type` of the value itself. element: Shape of its items, or None if nothing is known. fields: Shapes of a short
            tuple's items one by one, or None.
            Shapes are shared by all names of a container and sharpened in place when items are stored.
        example: None, or an instance of a Python class that the value may be; python_class: None, or such a class; more: further
            ones. All only while compiling (see `forget_examples`).
    """

    __slots__ = ("type", "element", "fields", "example", "python_class", "more")

    def __init__(self, type, element=None):
        self.type = type
        self.element = element
        self.fields = self.example = self.python_class = None
        self.more = ()

    def kind(self):
        """The Python class that the value probably is an instance of, or None."""
        return self.python_class if self.example is None else type_of(self.example)

    def kinds(self):
        """All Python classes that it may be an instance of, the likeliest first."""
        kind = self.kind()
        return () if kind is None else (kind, *self.more)

    def __repr__(self):
        return self.type.name if self.element is None else f"{self.type.name}[{self.element}]"


def class_reference(shape):
    """A ClassReference to the Python class a Shape tells of, or None."""
    kind = None if shape is None else shape.kind()
    return None if kind is None or id(kind) in STATIC_ADDRESSES else ClassReference(kind)


def class_references(kinds):
    """ClassReferences to Python classes; builtin ones are left out."""
    return [ClassReference(kind) for kind in kinds if id(kind) not in STATIC_ADDRESSES]


class Remembered:
    """What a Shape says, kept beyond a compilation: classes are referred to weakly.

    Attributes:
        type, element, fields: as of a Shape. kinds: ClassReferences to the classes that the value may be of. itself: None, or a ClassReference to
        the class that the value is.
    """

    __slots__ = ("type", "kinds", "element", "fields", "itself")

    def __init__(self, shape, depth=4):
        self.type = shape.type
        self.kinds = class_references(shape.kinds())
        self.itself = ClassReference(shape.example) if is_class(shape.example) else None
        self.element = Remembered(shape.element, depth - 1) if depth and shape.element is not None else None
        self.fields = shape.fields and [Remembered(field, 0) for field in shape.fields]

    def recall(self):
        """The Shape, as far as its classes are still alive."""
        kinds = [kind for kind in (reference.kind() for reference in self.kinds) if kind is not None]
        itself = self.itself and self.itself.kind()
        if itself is not None:
            shape = exemplary(itself)
        elif kinds:
            shape = instance_of(kinds[0])
            shape.more = tuple(kinds[1:])
        else:
            shape = Shape(self.type)
        shape.element = self.element and self.element.recall()
        shape.fields = self.fields and [field.recall() for field in self.fields]
        return shape


def remember(shape):
    """A Shape to be recalled later, or None."""
    return None if shape is None else Remembered(shape)


def recall(remembered):
    """A new Shape that says what was remembered, or None."""
    return None if remembered is None else remembered.recall()


_EXEMPLARY = []


def forget_examples():
    """Let go of all examples, when compiling has ended: nothing may live longer because a function was compiled."""
    for shape in _EXEMPLARY:
        shape.example = shape.python_class = None
        shape.more = ()
    _EXEMPLARY.clear()


def instance_of(kind):
    """The Shape of an instance of a Python class that does not exist yet."""
    shape = Shape(OBJECT)
    shape.python_class = kind
    _EXEMPLARY.append(shape)
    return shape


def exemplary(value):
    """The Shape of an instance of a Python class."""
    shape = Shape(OBJECT)
    shape.example = value
    _EXEMPLARY.append(shape)
    return shape


#: Tuples of up to so many items are looked into item by item.
SHORT_TUPLE = 8


def shape_of(value, depth=4):
    """Guess the shape of a live object by looking at its first item.

    Args:
        value: any object. depth: how many levels of nesting to look into.

    Returns:
        Shape.
    """
    kind = type(value)
    if id(kind) not in STATIC_ADDRESSES:  # whose metaclass must not be asked for a hash
        return exemplary(value)
    unboxed = UNBOXED.get(kind)
    if unboxed is not None:
        return Shape(unboxed)
    buffer = _buffer_type(value) if kind in (ARRAY, memoryview) else None
    if buffer is not None:
        return Shape(buffer, Shape(buffer.buffer.type))
    shape = Shape(exact(kind))
    if depth and kind in (dict, list, tuple):
        # No other thread comes between the beginning of a loop and its first item, but anywhere else.
        for first in value.values() if kind is dict else value:
            shape.element = shape_of(first, depth - 1)
            break
        else:
            return shape
        if kind is tuple and any(type(item) is not type(first) for item in value):
            shape.element = None
        if kind is tuple and len(value) <= SHORT_TUPLE:
            shape.fields = [shape.element or shape_of(item, depth - 1) for item in value]
    return shape


def _buffer_type(value):
    """The Type of an array or memoryview that compiled code can index, or None."""
    if type(value) is ARRAY:
        return BUFFERS.get((ARRAY, value.typecode))
    try:
        plain = value.ndim == 1 and value.contiguous
        return BUFFERS.get((memoryview, value.format)) if plain else None
    except ValueError:
        # Released.
        return None
