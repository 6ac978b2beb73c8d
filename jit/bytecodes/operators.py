"""Operators between instances of Python classes: the special method is called directly.

Source: CPython Objects/abstract.c (binary_op1, binary_op), Objects/typeobject.c (SLOT1BINFULL), Objects/object.c (do_richcompare).
"""

from jit import foreign, receivers
from jit.bytecodes.classes import classes_of, guard_classes, origin
from jit.bytecodes.items import Built
from jit.types import BOOL, FLOAT, INT, NONE, OBJECT, STR, in_order_seen
from jit.values import Value
from platforms.cpython import instances

NAMES = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod", "@": "matmul", "&": "and", "|": "or", "^": "xor",
         "<<": "lshift", ">>": "rshift", "**": "pow"}
COMPARISONS = {"<": ("lt", "gt"), "<=": ("le", "ge"), "==": ("eq", "eq"), "!=": ("ne", "ne"), ">": ("gt", "lt"), ">=": ("ge", "le")}
#: By the number of a comparison, that which is asked of the right operand.
REFLECTED = (4, 5, 2, 3, 0, 1)
_NUMBERS = (INT, FLOAT, BOOL)


class Operator:
    """What is done where the method that was chosen gives NotImplemented from the interpreter, into which it has left.

    Attributes:
        text: the operator, as a C string in a bytes object that the version holds. left, right: operands. comparison: number of
        the comparison, or None. reflected: number of that which is asked of the right operand then.
    """

    __slots__ = ("text", "left", "right", "comparison", "reflected")

    def __init__(self, w, symbol, left, right):
        self.text = b"** or pow()\0" if symbol == "**" else symbol.encode() + b"\0"
        self.left, self.right = left, right
        self.comparison = foreign.COMPARISONS.get(symbol)
        self.reflected = None if self.comparison is None else REFLECTED[self.comparison]
        w.unit.keep(self.text)


def binary_on_instances(w, symbol, left, right):
    """``left symbol right`` by the left operand's method, or by the right's if the left is a number; NotImplemented if neither is so simple."""
    from jit.bytecodes.calls import direct_call
    name = NAMES[symbol.rstrip("=")]
    found = chosen(w, left, right, f"__{name}__", f"__r{name}__", f"__i{name}__" if symbol.endswith("=") else None)
    if found is None:
        return NotImplemented
    function, arguments = found
    if not w.unit.match_arguments(w, function, arguments, ()):
        return NotImplemented
    guard(w, left, right)
    operator = Operator(w, symbol, left, right)
    return direct_call(w, function, arguments, (), 2, lambda result: check_implemented(w, operator, result), operator)


#: Types of objects whose text C code alone makes: while it writes an int's digits, it lets signal handlers run.
_PLAIN_TEXT = (float, str, type(None))


def format_text(w, symbol, left, right):
    """``"%s: %d" % (name, number)``, if no foreign code runs meanwhile; else NotImplemented."""
    items = right.facts.items if right.facts.__class__ is Built else (right,)
    if symbol not in ("%", "%=") or left.type is not STR or \
            not all(item.__class__ is Value and item.type.python in _PLAIN_TEXT for item in items):
        return NotImplemented
    return foreign.blind_call(w, foreign.BINARY["%"], 2, STR)


def compare_instances(w, symbol, left, right):
    """``left symbol right`` by the left operand's method, if that gives a bool; NotImplemented otherwise."""
    from jit.bytecodes.calls import body_of, direct_call, fitting_arguments
    name, reflected = COMPARISONS[symbol]
    if left.type in _NUMBERS:
        return NotImplemented
    found = chosen(w, left, right, f"__{name}__", f"__{reflected}__", None)
    if found is None or w.inlined:
        return NotImplemented
    function, arguments = found
    ordered = fitting_arguments(w, function, arguments, ())
    target = None if ordered is None else body_of(w, function, ordered)
    if target is None or target.result is not BOOL:
        return NotImplemented
    guard(w, left, right)
    return direct_call(w, function, arguments, (), 2, operator=Operator(w, symbol, left, right))


def compare_identities(w, symbol, left, right):
    """``==`` and ``!=`` of instances whose classes leave it to `object`, and of None: whether they are one object; None if it is not so."""
    if symbol not in ("==", "!=") or not (left.__class__ is right.__class__ is Value):
        return None
    kinds = [identified_kinds(w, value) for value in (left, right)]
    if not all(kinds):
        return None
    for value, found in zip((left, right), kinds):
        if value.type is OBJECT and not guard_or_none(w, value, found):
            return None
    same = w.constant(left.constant is right.constant) if left.is_constant and right.is_constant else w.operation("same", left, right)
    if symbol == "==":
        return same
    return w.constant(not same.constant) if same.is_constant else w.operation("not", same)


def identified_kinds(w, value):
    """The classes that a value may be of, if instances of all of them are equal to nothing but themselves; else []."""
    if value.type is NONE:
        return [type(None)]
    if value.type is not OBJECT:
        return []
    builtin = [kind for kind in w.knowledge.observed.get(origin(w, value), ()) if kind.__class__ is type]
    kinds = classes_of(w, value)
    if builtin not in ([], [type(None)]) or len(kinds) > receivers.POLYMORPHIC or w.inlined and builtin:
        return []
    plain = all(receivers.receiver(kind) is not None and is_plain(kind) and receivers.class_attribute(kind, "__eq__") is object.__eq__ and
                receivers.class_attribute(kind, "__ne__") is object.__ne__ for kind in kinds)
    return [*kinds, *builtin] if plain else []


def guard_or_none(w, value, kinds):
    """Guard that a value is of one of these classes, one of which may be that of None."""
    if type(None) not in kinds:
        return guard_classes(w, value, kinds)
    tags = [instances.version_tag(kind) for kind in kinds]
    if not all(tags) or value.is_constant:
        return False
    exit = w.exit(receivers.CLASS_GUARD, observe=value)
    exit.site = origin(w, value)
    w.operation("guard_class", value, exit=exit, detail=tags)
    return True


def chosen(w, left, right, plain, reflected, in_place):
    """(function, its arguments), or None if more than one method may have to be asked."""
    if left.__class__ is not Value or right.__class__ is not Value:
        return None
    kinds = [kind_of(w, value, number) for number, value in enumerate((left, right))]
    if None in kinds:
        return None
    if right.type is not OBJECT and right.type not in _NUMBERS and plain != "__eq__" and kinds[1] is not type(None):
        return None  # a sequence, which may be repeated
    if left.type in _NUMBERS:
        function = receivers.class_attribute(kinds[1], reflected)
        return (function, [right, left]) if right.type is OBJECT and receivers.is_function(function) else None
    function = receivers.class_attribute(kinds[0], plain)
    if left.type is not OBJECT or not receivers.is_function(function) or in_place and receivers.has_attribute(kinds[0], in_place):
        return None
    if right.type is OBJECT and kinds[1] is not kinds[0] and receivers.is_function(receivers.class_attribute(kinds[1], reflected)):
        return None
    return function, [left, right]


def kind_of(w, value, number):
    """The class an operand is of, known or seen here; None if there are several, or none is known."""
    if value.type.python is not None:
        return value.type.python
    if value.type is not OBJECT:
        return None
    kinds = classes_of(w, value, note=False)
    if not kinds:
        seen = w.seen(number)
        kinds = [kind.kind() for kind in in_order_seen(seen) if not kind.changes]
        kinds = kinds if len(kinds) == len(seen) else []
    if len(kinds) != 1 or kinds[0] is None or receivers.receiver(kinds[0]) is None or not is_plain(kinds[0]):
        return None
    return kinds[0]


def is_plain(kind):
    """Whether no base of a class is a builtin type, which would be asked where the class's method does not answer."""
    return all(base is object or instances.flags(base) & instances.HEAP_TYPE for base in instances.bases(kind))


def guard(w, left, right):
    """Make sure of the classes of both operands."""
    for number, value in enumerate((left, right)):
        if value.type is OBJECT:
            guard_classes(w, value, [kind_of(w, value, number)])


def check_implemented(w, operator, result):
    """Raise TypeError if the result is NotImplemented: there is nobody else to ask. The operands are still there."""
    if result.type is not OBJECT:
        return
    w.operation("guard_implemented", result, operator.left, operator.right, exit=w.exit_here("exception"), detail=operator.text)
